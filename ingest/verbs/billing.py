"""Verbs for billing: readings, what is missing, months closed."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from ingest.verbs.printing import tell
from ingest.verbs.types import (
    DONE,
    LOOK,
    Call,
    Instant,
    Month,
    cli,
    complain,
    json_option,
    period_option,
    who,
)


class Since(click.ParamType[Any]):
    """A moment, or the number of an export."""

    name = "instant|export"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """An aware moment, or a number; a year alone is no moment."""
        if value.isascii() and value.isdigit() and len(value) < 8:
            return int(value)
        return Instant().convert(value, param, ctx)


@cli.command()
@period_option
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
              help="A .csv, .xlsx or .parquet; default, and -: CSV to stdout.")  # fmt: skip
@click.option("--grain", type=click.Choice(["interval", "day", "month", "billing"]),
              default="interval", show_default=True,
              help="How finely profiles are told; billing: one number a point, channel, zone.")  # fmt: skip  # noqa: E501
@click.option("--history", is_flag=True, help="Also what was replaced, by whom and when.")
@click.option("--as-of", type=Instant(), help="As it was known then; a closed month as it was closed.")  # fmt: skip  # noqa: E501
@click.option("--changed-since", type=Since(), help="Only what differs from then, or from that export.")  # fmt: skip  # noqa: E501
@click.option("--export", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the file with a manifest there, under a number.")  # fmt: skip
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx", "parquet"]), default="csv",
              show_default=True, help="Of --export.")  # fmt: skip
@json_option
@click.pass_obj
def readings(
    call: Call, /, period: date, grain: str, output: Path | None, folder: Path | None, kind: str,
    is_json: bool, **wanted: Any,
) -> int:  # fmt: skip
    """Accepted values for billing; docs/readings.md tells of every column."""
    from ingest.operations import billed, export

    asked = billed.Asked(period, billed.Grain(grain), **wanted)
    _check_files(output, folder, is_json=is_json)
    ledger = call.current().ledger
    if folder is not None:
        done = billed.export(
            ledger, asked, folder, kind, who(), datetime.now(UTC), counted=_counted
        )
        told = f"export {done.number}: {done.path}"
        tell([done.manifest], is_json, lambda _: told)
        return DONE
    with billed.readings(ledger, asked) as sheet:
        if output is not None and str(output) != "-":
            export.write_file(export.Sheet(sheet.names, _counted(sheet.rows)), output)
        elif is_json:
            export.write_json(sheet, click.echo)
        else:
            out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
            export.write_csv(sheet, out)
            out.detach()
    return DONE


def _check_files(output: Path | None, folder: Path | None, *, is_json: bool) -> None:
    """Refuse what does not go together, before anything is read."""
    from ingest.operations import export

    if output is not None and is_json:
        raise click.UsageError("--json goes to standard output: leave out -o")
    if folder is not None and output is not None:
        raise click.UsageError("--export names its file itself: leave out -o")
    if output is not None and str(output) != "-":
        export.check_path(output)


def _counted(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows, counted on a terminal while they pass."""
    told = sys.stderr.isatty()
    for number, row in enumerate(rows, 1):
        if told and not number % 50_000:
            click.echo(f"\r{number} values", nl=False, err=True)
        yield row


@cli.command()
@period_option
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("--remind", is_flag=True, help="Owe each of them a reminder, at most one a day.")
@json_option
@click.pass_obj
def missing(call: Call, period: date, entity: str | None, remind: bool, is_json: bool) -> int:
    """Who has not reported a month, or not whole, by now; exit 1 when there is one."""
    from ingest.operations import periods
    from ingest.verbs import show

    app, now = call.current(), datetime.now(UTC)
    every: Iterable[periods.Lacking] = periods.lacking(app.ledger, period, now, entity)
    if remind:
        desk = app.policy
        every = periods.remind(every, app.ledger, period, now, desk.replies, desk.layouts)
    rows = [row for one in every for row in periods.series_of(one)]
    tell(rows, is_json, show.MISSING)
    return LOOK if rows else DONE


@cli.group()
def period() -> None:
    """Months that are closed to further documents."""


@period.command("close")
@click.argument("month", type=Month())
@click.option("--yes", is_flag=True, help="Although values are missing or suspect.")
@json_option
@click.pass_obj
def period_close(call: Call, month: date, yes: bool, is_json: bool) -> int:
    """Freeze a month and keep its numbers: a later document for it gets `period-closed`.

    A month with missing or suspect values is listed and stays open, exit 1, without --yes;
    one that has not ended is refused.
    """
    from ingest.operations import closing
    from ingest.verbs import show

    done = closing.close(call.current().ledger, month, who(), datetime.now(UTC), anyway=yes)
    tell([done], is_json, show.closing)
    if done.was_closed:
        complain(f"{month:%Y-%m} is closed already")
        return LOOK
    if done.snapshot is None:
        complain(
            f"{month:%Y-%m} stays open: {len(done.lacks)} series missing,"
            f" {len(done.suspects)} suspicions open; --yes closes it all the same"
        )
        return LOOK
    return DONE


@period.command("reopen")
@click.argument("month", type=Month())
@click.pass_obj
def period_reopen(call: Call, month: date) -> int:
    """Let documents into a closed month again."""
    from ingest.operations import periods

    if not periods.reopen(call.current().ledger, month, who(), datetime.now(UTC)):
        complain(f"{month:%Y-%m} is not closed")
        return LOOK
    click.echo(f"{month:%Y-%m} is open again")
    return DONE


@period.command("list")
@json_option
@click.pass_obj
def period_list(call: Call, is_json: bool) -> int:
    """Every closing and reopening, with who and when."""
    from ingest.operations import periods
    from ingest.verbs.show import PERIODS

    tell(periods.closings(call.current().ledger), is_json, PERIODS)
    return DONE


@cli.group(invoke_without_command=True)
@click.option("--month", type=Month(), help="Only what touches this month.")
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@json_option
@click.pass_context
def suspects(context: click.Context, month: date | None, entity: str | None, is_json: bool) -> int:
    """Values that were taken and are doubtful; exit 1 when there are any."""
    if context.invoked_subcommand is not None:
        return DONE
    from ingest.operations import suspects as queue
    from ingest.verbs.show import SUSPECTS

    ledger = context.ensure_object(Call).current().ledger
    found = queue.open_suspects(ledger, month, entity)
    tell(found, is_json, SUSPECTS)
    return LOOK if found else DONE


@suspects.command("show")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@json_option
@click.pass_obj
def suspects_show(call: Call, number: int, is_json: bool) -> int:
    """Values of a suspicion with their neighbours in time, and what they replaced."""
    from ingest.operations import suspects as queue
    from ingest.verbs.show import SEEN_VALUES

    tell(queue.values_of(call.current().ledger, number), is_json, SEEN_VALUES)
    return DONE


@suspects.command("accept")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--reason", required=True, metavar="TEXT", help="Why they are true; it is kept.")
@click.pass_obj
def suspects_accept(call: Call, numbers: tuple[int, ...], reason: str) -> int:
    """Take doubtful values for true: they stay so while they are unchanged."""
    from ingest.operations import suspects as queue

    done = queue.accept(call.current().ledger, numbers, who(), reason, datetime.now(UTC))
    if done.now:
        click.echo(f"accepted: {', '.join(map(str, done.now))}")
    if done.before:
        complain(f"accepted before: {', '.join(map(str, done.before))}")
        return LOOK
    return DONE
