"""Verbs for operators who act on a legal entity's behalf: `enter` and `withdraw`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.verbs.letters import NUMBER
from ingest.verbs.printing import tell
from ingest.verbs.types import DONE, LOOK, Call, Instant, cli, complain, json_option, who
from layouts.findings import OVERRIDABLE, Code

if TYPE_CHECKING:
    from ingest.operations.hand_in import File

_TAKEN = {"accepted", "duplicate"}


class Reason(click.ParamType[str]):
    """Why an operator acts: kept in the audit and told to the entity."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, which says something."""
        text = str(value).strip()
        if not text:
            self.fail("say why: the audit keeps it and the entity is told", param, ctx)
        return text


_reason = click.option("--reason", type=Reason(), required=True, help="Why; the entity is told.")


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--entity", metavar="CODE", required=True, help="On whose behalf.")
@click.option("--meter", metavar="N", help="One reading of this meter, instead of files.")
@click.option("--point", metavar="CODE", default="", help="Where the meter is, if that is not clear.")  # fmt: skip  # noqa: E501
@click.option("--zone", metavar="Z", default="T0", show_default=True, help="The tariff zone.")
@click.option("--channel", metavar="C", default="A+", show_default=True, help="The channel.")
@click.option("--at", type=Instant(), help="The reading's moment, a whole hour.")
@click.option("--value", metavar="V", help="As on the meter's face.")
@click.option("--override", "overrides", multiple=True, metavar="CODE",
              type=click.Choice(sorted(map(str, OVERRIDABLE))), help="A rule to decide against, by name.")  # fmt: skip  # noqa: E501
@click.option("--dry-run", is_flag=True, help="Only check, with registry and history.")
@_reason
@json_option
@click.pass_obj
def enter(
    call: Call, /, files: Sequence[Path], entity: str, overrides: Sequence[str], reason: str,
    dry_run: bool, is_json: bool, **reading: Any,
) -> int:  # fmt: skip
    """Hand in documents or one reading on an entity's behalf; the entity is told.

    Exit 1 when something of it is refused.
    """
    from ingest.operations.hand_in import File, NoSuchEntity, Sender, Way, hand_in
    from ingest.verbs.show import processed

    app = call.current()
    given = [File(path.name, path.read_bytes()) for path in files]
    if reading["meter"] is not None:
        given.append(_typed(entity, **reading))
    if bool(files) == (reading["meter"] is not None):
        raise click.UsageError("name files, or --meter with --at and --value")
    codes = frozenset(map(Code, overrides))
    sender = Sender(Way.OPERATOR, entity, who(), reason, codes, mail_to=None)
    whole = True
    with closing(app.reader()) as reader:
        for file in given:
            try:
                done = hand_in(
                    file, sender, app.ledger, app.policy, reader, datetime.now(UTC), dry_run=dry_run
                )
            except NoSuchEntity as fault:
                raise click.UsageError(str(fault)) from None
            whole = whole and done.handled.outcome.value in _TAKEN
            tell([done], is_json, lambda told: processed(told, app.language), app.language)
    return DONE if whole else LOOK


def _typed(
    entity: str,
    *,
    meter: str,
    point: str,
    zone: str,
    channel: str,
    at: datetime | None,
    value: str | None,
) -> File:
    from ingest.operations.typed import NotAWholeHour, TypedReading, typed_document

    if at is None or value is None:
        raise click.UsageError("a reading of --meter needs --at and --value")
    reading = TypedReading(meter, at, value, channel, zone, point)
    try:
        return typed_document([reading], entity, datetime.now(UTC))
    except NotAWholeHour as fault:
        raise click.UsageError(f"--at: {fault}") from None


@cli.command()
@click.argument("receipt", type=NUMBER)
@click.option("--point", metavar="CODE", help="Only at this metering point.")
@click.option("--yes", is_flag=True, help="Although a later document rests on it.")
@_reason
@json_option
@click.pass_obj
def withdraw(
    call: Call, receipt: int, point: str | None, yes: bool, reason: str, is_json: bool
) -> int:
    """Take a receipt's values out of force; what they had replaced is in force again.

    Where a later document rests on them, the consequence is told and nothing done, exit 1,
    without --yes. A closed month is never changed.
    """
    from ingest.operations.withdraw import Order
    from ingest.operations.withdraw import withdraw as take_back
    from ingest.verbs.show import withdrawal

    app = call.current()
    order = Order(receipt, who(), reason, point, yes)
    told = take_back(order, app.ledger, app.policy, datetime.now(UTC))
    tell([told], is_json, withdrawal)
    if told.done is None:
        complain(
            f"receipt {receipt} stays: later documents rest on it; --yes withdraws it all the same"
        )
        return LOOK
    return DONE
