"""Verbs for senders and their programmers: documents checked, workbooks made."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from ingest.verbs.printing import tell
from ingest.verbs.registry import mistakes_told
from ingest.verbs.types import DONE, LOOK, WRONG, Call, Instant, cli, json_option, write_private
from layouts.terms import Language


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path, dir_okay=False))  # fmt: skip  # noqa: E501
@click.option("--registry", type=click.Path(exists=True, path_type=Path), help="The register of points to check against.")  # fmt: skip  # noqa: E501
@click.option("--at", type=Instant(), help="The moment of receipt to assume.")
@click.option("--language", type=click.Choice([language.value for language in Language]), help="Of the messages; default: [replies] language.")  # fmt: skip  # noqa: E501
@json_option
@click.pass_obj
def check(
    call: Call,
    files: tuple[Path, ...],
    registry: Path | None,
    at: datetime | None,
    language: str | None,
    is_json: bool,
) -> int:
    """Read and check documents offline: XML, workbooks, zips of them, .eml letters.

    Exit 0: clean or warnings only; 1: errors found; 2: unreadable.
    """
    from ingest.operations.check import Rules, check_file
    from ingest.verbs.show import checked
    from layouts.terms import Verdict

    app = call.offline
    entities = None
    told = language or app.language
    verdicts = set()
    with closing(app.sandbox()) as sandbox:
        if registry:
            from ingest.operations.register.registry_file import read_registry

            with mistakes_told(registry):
                content = registry.read_bytes()
                # Its passwords are passed over: nothing is stored here.
                entities = read_registry(content, sandbox.table, with_passwords=True).entities
        rules = Rules(app.layouts, app.parameters, sandbox.read_file, entities, at)
        for file in files:
            for result in check_file(file, rules):
                verdicts.add(result.checked.verdict)
                tell([result.told], is_json, lambda one: checked(one, told), told)
    if Verdict.UNREADABLE in verdicts:
        return WRONG
    return LOOK if verdicts - {Verdict.ACCEPTED} else DONE


@cli.command()
@click.argument("layout", metavar="CLASS")
@click.option("--entity", metavar="CODE", help="Fill in its points and meters.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Default: CLASS_CODE.xlsx here.")  # fmt: skip
@click.pass_obj
def template(call: Call, layout: str, entity: str | None, output: Path | None) -> int:
    """A workbook to fill in and to mail."""
    from ingest.operations.letters import template as made

    app = call.current() if entity else call.offline
    content = made(app, layout, entity, app.language)
    path = output or Path("_".join(filter(None, (layout, entity))) + ".xlsx")
    write_private(path, content)
    click.echo(str(path))
    return DONE
