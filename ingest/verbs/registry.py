"""Verbs about the register of points and passwords."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ingest.verbs.printing import tell
from ingest.verbs.types import DONE, Call, cli, complain, json_option, steps, who, write_private

_PASSWORD_MOST = 200
"""Characters of the longest password that is looked for in a letter."""


@cli.group()
def registry() -> None:
    """Legal entities, metering points and meters."""


@registry.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--with-passwords", is_flag=True, help="Take a password column, for a demo.")
@click.option("--correct", metavar="REASON", help="What is on record was wrong from its beginning.")
@json_option
@click.pass_obj
def registry_import(
    call: Call,
    file: Path,
    dry_run: bool,
    with_passwords: bool,
    correct: str | None,
    is_json: bool,
) -> int:
    """Take a CSV or XLSX over, in one transaction."""
    from ingest.operations.registry import import_registry
    from ingest.verbs.imported import import_report

    app = call.current()
    with mistakes_told(file):
        imported = import_registry(
            app,
            file.read_bytes(),
            who(),
            with_passwords=with_passwords,
            dry_run=dry_run,
            correct=correct,
            tell=steps(),
        )
    tell([imported], is_json, import_report)
    for code in imported.weak:
        complain(f"{code}: the password given is too easy to guess; it was taken as it is")
    return DONE


@registry.command("export")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="A .csv or .xlsx; default: CSV to standard output.")  # fmt: skip
@click.pass_obj
def registry_export(call: Call, output: Path | None) -> int:
    """Everything in the register, in the form that `import` takes; no passwords."""
    from ingest.operations.register.registry_written import registry_csv, registry_xlsx
    from ingest.operations.registry import registered

    entities = registered(call.current().ledger)
    if output is None:
        sys.stdout.buffer.write(registry_csv(entities))
    elif output.suffix.lower() == ".xlsx":
        write_private(output, registry_xlsx(entities))
    else:
        write_private(output, registry_csv(entities))
    return DONE


@registry.command("show")
@click.argument("code")
@json_option
@click.pass_obj
def registry_show(call: Call, code: str, is_json: bool) -> int:
    """One legal entity with its points and meters, and what was changed when."""
    from ingest.operations.registry import story
    from ingest.verbs.show import entity

    tell([story(call.current().ledger, code)], is_json, entity)
    return DONE


@cli.command()
@click.argument("code")
@click.pass_obj
def password(call: Call, code: str) -> int:
    """Give an entity a password: one line from a pipe, else a new one is made and shown."""
    from ingest.operations.registry import set_password

    given = given_password()
    made = set_password(call.current(), code, given, who())
    if not given:
        click.echo(made)
    return DONE


def given_password() -> str:
    """The one line of a pipe, '' when there is none.

    A password that no letter could give is refused.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    content = sys.stdin.buffer.read(_PASSWORD_MOST * 8)
    try:
        line = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.UsageError("the password on standard input is not UTF-8 text") from None
    if content and not line:
        raise click.UsageError("the password on standard input is empty")
    if not line.isprintable() or line != line.strip() or len(line) > _PASSWORD_MOST:
        raise click.UsageError(
            "a password is one line without blanks around it, of at most"
            f" {_PASSWORD_MOST} characters: letters give it so"
        )
    return line


@contextmanager
def mistakes_told(file: Path) -> Iterator[None]:
    """Tells all mistakes of a registry file at once, each on its line."""
    try:
        yield
    except ValueError as mistakes:
        from ingest.operations.register.registry_file import RegistryMistakes
        from ingest.operations.registry import ClosedMonthsChange

        if not isinstance(mistakes, RegistryMistakes | ClosedMonthsChange):
            raise
        raise click.UsageError(f"{file} is not taken over:\n{mistakes}") from None
