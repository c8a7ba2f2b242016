"""Verbs about letters: what came, what became of it, and once more."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ingest.verbs.printing import tell
from ingest.verbs.types import (
    DONE,
    LOOK,
    Call,
    Instant,
    cli,
    json_option,
    progress,
    who,
    write_private,
)

NUMBER = click.IntRange(1, 2**63 - 1)
"""Of a letter or a receipt."""


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--at", type=Instant(), help="Moment of receipt of letters that carry none.")
@click.option("--dry-run", is_flag=True, help="Roll everything back, and show the replies.")
@json_option
@click.pass_obj
def process(
    call: Call, paths: tuple[Path, ...], at: datetime | None, dry_run: bool, is_json: bool
) -> int:
    """Run .eml files, folders of them, a Maildir or an mbox through the pipeline."""
    from ingest.operations.letters import Processed, process_paths
    from ingest.operations.told import reply_text
    from ingest.verbs.show import processed

    language = call.app.language
    outcomes = set()

    def text(item: Processed) -> str:
        reply = item.handled.reply if dry_run else None
        told = processed(item, language)
        return f"{told}\n{reply_text(reply.content)}" if reply else told

    def each(item: Processed) -> None:
        outcomes.add(item.handled.outcome.value)
        tell([item], is_json, text, language)

    process_paths(call.current(), paths, at, each, dry_run=dry_run)
    return LOOK if "quarantined" in outcomes else DONE


@cli.command()
@click.option("--state", help="claimed, done or quarantined; or an outcome such as rejected.")
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("--code", metavar="CODE", help="With such a finding, theirs or a document's.")
@click.option("--from", "sender", metavar="A", help="Whose address holds this text.")
@click.option("--subject", metavar="T", help="Whose subject holds this text.")
@click.option("--receipt", metavar="N", type=NUMBER, help="With this receipt.")
@click.option("--since", type=Instant(), help="Received then or later.")
@click.option("--until", type=Instant(), help="Received before.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The latest ones.")
@json_option
@click.pass_obj
def letters(call: Call, /, state: str | None, is_json: bool, **wanted: Any) -> int:
    """What came, and what became of it."""
    from ingest.operations.letters import Wanted, find
    from ingest.verbs.show import LETTERS

    tell(find(call.current().ledger, Wanted(state=state, **wanted)), is_json, LETTERS)
    return DONE


@cli.command()
@click.argument("number", type=NUMBER, metavar="ID")
@click.option("--raw", is_flag=True, help="As it arrived, from the mail server.")
@click.option("--part", type=NUMBER, metavar="N", help="One part of it, such as an attachment.")
@click.option("--reply", is_flag=True, help="Only its last reply, as it was mailed.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
              help="Where any of these goes; - is standard output.")  # fmt: skip
@json_option
@click.pass_obj
def show(
    call: Call, /, number: int, raw: bool, part: int | None, reply: bool, output: Path | None,
    is_json: bool,
) -> int:  # fmt: skip
    """One letter with its findings, receipts and reply; or its own bytes."""
    from ingest.operations import letters as operations
    from ingest.verbs.show import letter

    app = call.current()
    if raw + (part is not None) + reply > 1:
        raise click.UsageError("choose one of --raw, --part N and --reply")
    if (part is not None or reply) and output is None:
        raise click.UsageError("--part N and --reply need -o FILE (- is standard output)")
    if output is not None and not (raw or reply or part is not None):
        raise click.UsageError("-o goes with --raw, --part N or --reply")
    if raw and output is None and sys.stdout.isatty():
        raise click.UsageError("--raw may hold a password and signs that a terminal obeys: -o FILE")
    whole = operations.details(app.ledger, number)
    if raw or part is not None:
        content = operations.raw(app, number)
        content = content if part is None else operations.part(content, part)
        write_private(output or Path("-"), content)
    elif reply and output is not None:
        if not whole.replies:
            raise click.UsageError(f"{number}: the letter has no reply")
        write_private(output, whole.replies[-1].content)
    else:
        tell([whole], is_json, lambda told: letter(told, app.language), app.language)
    return DONE


@cli.command()
@click.argument("numbers", nargs=-1, type=NUMBER, metavar="[ID]…")
@click.option("--state", help="Every letter in this state, or with this outcome.")
@json_option
@click.pass_obj
def replay(call: Call, numbers: tuple[int, ...], state: str | None, is_json: bool) -> int:
    """Letters once more through the pipeline, from the folder they were filed in."""
    from ingest.operations.letters import Wanted, find
    from ingest.operations.letters import replay as put_back
    from ingest.verbs import show as texts

    if bool(numbers) == bool(state):
        raise click.UsageError("name letters by their numbers, or a --state, not both")
    app = call.current()
    wanted = numbers or [row.id for row in find(app.ledger, Wanted(state=state))]
    replayed = put_back(app, wanted, who(), datetime.now(UTC))
    whole = app.poll_all() if replayed.put_back else True
    tell([replayed], is_json, texts.replayed)
    return DONE if whole and not replayed.not_found else LOOK


@cli.command()
@click.option("--since", type=Instant(), required=True, help="The first day of receipt.")
@click.option("--no-replies", "silent", is_flag=True, help="Their senders were answered before.")
@json_option
@click.pass_obj
def backfill(call: Call, since: datetime, silent: bool, is_json: bool) -> int:
    """Read letters that were filed already once more; what is known is passed over."""
    from ingest.operations.letters import backfill as read_again

    def text(outcomes: Mapping[str, int]) -> str:
        told = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        return told or "no letters"

    tell([read_again(call.current(), since.date(), progress(), replies=not silent)], is_json, text)
    return DONE


@cli.command()
@click.option("--older-than", "days", type=click.IntRange(30, 36500), required=True,
              metavar="DAYS", help="At least 30: replies may still come back before.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@json_option
@click.pass_obj
def purge(call: Call, days: int, dry_run: bool, is_json: bool) -> int:
    """Drop texts of old replies and letters' facts; never readings, receipts, audit."""
    from ingest.operations.purge import purge as drop
    from ingest.verbs.show import purged

    now = datetime.now(UTC)
    ledger = call.current().ledger
    done = drop(ledger, now - timedelta(days=days), who(), now, dry_run=dry_run)
    tell([done], is_json, purged)
    return DONE


@cli.command()
@json_option
@click.pass_obj
def locks(call: Call, is_json: bool) -> int:
    """Who cannot authenticate, since when, until when and why."""
    from ingest.operations.locks import locks as found
    from ingest.verbs.show import LOCKS

    tell(found(call.current(), datetime.now(UTC)), is_json, LOCKS)
    return DONE


@cli.command()
@click.argument("code")
@click.option("--address", metavar="A", help="Only from there; @domain for its strangers.")
@json_option
@click.pass_obj
def unlock(call: Call, code: str, address: str | None, is_json: bool) -> int:
    """Forget the wrong passwords for a user code, so that it can be tried again."""
    from ingest.operations.locks import unlock as opened

    count = opened(call.current(), code, address, who(), datetime.now(UTC))
    if not count:
        whose = f"{code} from {address}" if address else code
        raise click.UsageError(f"{whose}: nothing is locked (`ingest locks` lists what is)")
    tell([{"opened": count}], is_json, lambda told: f"opened: {told['opened']}")
    return DONE


@cli.command()
@click.option("--seen", metavar="ADDRESS", help="What did not reach it is settled.")
@json_option
@click.pass_obj
def bounces(call: Call, seen: str | None, is_json: bool) -> int:
    """Addresses that replies did not reach; exit 1 when there are any."""
    from ingest.operations.bounces import settle, undelivered
    from ingest.verbs.show import BOUNCES

    service = call.current()
    if seen is not None:
        count = settle(service.ledger, seen, who(), datetime.now(UTC))
        if not count:
            raise click.UsageError(f"{seen}: nothing is noted as not having reached that address")
        tell([{"settled": count}], is_json, lambda told: f"settled: {told['settled']}")
        return DONE
    found = undelivered(service.ledger)
    tell(found, is_json, BOUNCES)
    return LOOK if found else DONE


@cli.command()
@json_option
@click.pass_obj
def status(call: Call, is_json: bool) -> int:
    """How the service stands; exit 1 when something needs a person."""
    from ingest.operations.status import status as found
    from ingest.verbs import show as texts

    told = found(call.current(), datetime.now(UTC))
    tell([told], is_json, texts.status)
    return LOOK if told.needs else DONE


@cli.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--entity", default="", metavar="CODE", help="Of one legal entity, or claiming it.")
@click.option("--verdict", default="", metavar="V", help="Letters with this verdict only.")
@click.option("--from", "sender", default="", metavar="A", help="Whose address holds this text.")
@click.option("-n", "most", type=click.IntRange(1), metavar="N", help="The last ones; default: 20.")
@click.option("--since", type=Instant(), help="All of that moment and later.")
@click.option("-f", "--follow", is_flag=True, help="Wait for more.")
@json_option
@click.pass_obj
def tail(
    call: Call, /, file: Path | None, most: int | None, follow: bool, is_json: bool, **wanted: Any
) -> int:
    """The log, readable and filtered: of [log] file, of FILE, or of a pipe (-)."""
    from ingest.verbs import log as tailing

    log_file = call.configured.log_file
    path = file or Path(log_file or "-")
    if file is None and str(path) == "-" and sys.stdin.isatty():
        raise click.UsageError(
            "[log] file is not set: name a file, or pipe the log in"
            " (journalctl -u ingest -o cat | ingest tail -)"
        )
    _refuse_unknown_verdict(wanted["verdict"])
    if wanted["entity"]:
        _check_entity_if_known(call, wanted["entity"])
    which = tailing.Filter(**wanted)
    if str(path) == "-":
        source = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        _print_events(tailing.piped(source, which, most), is_json)
        return DONE
    begin = path.stat().st_size
    if most is None and wanted["since"] is None:
        most = LINES
    _print_events(tailing.history(path, which, most), is_json)
    if follow:
        _print_events(tailing.lines(tailing.follow(path, begin=begin), which), is_json)
    return DONE


LINES = 20
"""What `tail` shows unless it is told how many, or since when."""


def _print_events(events: Iterable[tuple[dict[str, Any], str]], is_json: bool) -> None:
    for event, line in events:
        click.echo(json.dumps(event, ensure_ascii=False) if is_json else line)


def _check_entity_if_known(call: Call, entity: str) -> None:
    """Refuse an unknown user code, as far as there is a register to ask."""
    from config.settings import SettingsError
    from ingest.operations.refused import check_code

    try:
        call.configured.check_database()
        check_code(call.configured.ledger, entity)
    except (SettingsError, ConnectionError):
        # A log can be read where no database is.
        return


def _refuse_unknown_verdict(verdict: str) -> None:
    from ingest.letters.terms import Outcome

    if verdict and verdict not in set(Outcome):
        raise click.UsageError(f"--verdict {verdict}: it is none of {', '.join(Outcome)}")
