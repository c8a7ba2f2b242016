"""Verbs about who may use the console."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ingest.verbs.printing import tell
from ingest.verbs.registry import given_password
from ingest.verbs.types import DONE, Call, cli, json_option, who

if TYPE_CHECKING:
    from ingest.operations.console.operators import Added

_ROLES = ("looks", "works", "administers")


@cli.group()
def operator() -> None:
    """Who may use the console."""


@operator.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="Each may what those before it may.")  # fmt: skip  # noqa: E501
@click.option("--without-second-factor", is_flag=True, help="Its password is enough.")
@json_option
@click.pass_obj
def operator_add(
    call: Call, name: str, role: str, without_second_factor: bool, is_json: bool
) -> int:
    """Make an operator, or give one that is there role, password and second factor anew.

    The password is one line from a pipe; else one is made and shown, once, as the second
    factor's address for an authenticator's app is.
    """
    from ingest.operations.console.operators import add
    from storage.records.access import OperatorRole

    given, now = given_password(), datetime.now(UTC)
    is_asked = not without_second_factor
    made = add(
        call.current(), name, OperatorRole(role), who(), now,
        password=given, second_factor=is_asked,
    )  # fmt: skip
    tell([made], is_json, _made)
    return DONE


def _made(made: Added) -> str:
    told = (("password", made.password), ("second factor", made.second_factor))
    return "\n".join(f"{name}: {text}" for name, text in told if text)


@operator.command("list")
@json_option
@click.pass_obj
def operator_list(call: Call, is_json: bool) -> int:
    """Every operator, those switched off too."""
    from ingest.operations.console.operators import every
    from ingest.verbs.show import OPERATORS

    tell(every(call.current().ledger), is_json, OPERATORS)
    return DONE


@operator.command("off")
@click.argument("name")
@click.pass_obj
def operator_off(call: Call, name: str) -> int:
    """Let an operator in no more; open sessions end at once."""
    from ingest.operations.console.operators import switch_off

    if not switch_off(call.current().ledger, name, who(), datetime.now(UTC)):
        raise click.UsageError(f"{name}: no operator of this name is let in")
    click.echo(f"{name} is switched off")
    return DONE
