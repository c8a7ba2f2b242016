"""Verbs about who may use the console."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from ingest.verbs.registry import given_password
from ingest.verbs.types import DONE, Call, cli, json_option, print_rows, who

_COLUMNS = {
    "name": "name",
    "role": "role",
    "active": "active",
    "second_factor": "second factor",
    "made_by": "made by",
    "made_at": "at",
}
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
    call: Call, name: str, role: str, without_second_factor: bool, as_json: bool
) -> int:
    """Make an operator, or give one that is there role, password and second factor anew.

    The password is one line from a pipe; else one is made and shown, once, as the second
    factor's address for an authenticator's app is.
    """
    from ingest.operations.console.operators import add
    from storage.records import OperatorRole

    given, now = given_password(), datetime.now(UTC)
    is_asked = not without_second_factor
    made = add(
        call.current(), name, OperatorRole(role), who(), now,
        password=given, second_factor=is_asked,
    )  # fmt: skip
    told: dict[str, Any] = {
        "name": made.name,
        "role": made.role.value,
        "password": None if given else made.password,
        "second_factor": made.second_factor,
        "new": made.is_new,
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return DONE
    if not given:
        click.echo(f"password: {made.password}")
    if made.second_factor:
        click.echo(f"second factor: {made.second_factor}")
    return DONE


@operator.command("list")
@json_option
@click.pass_obj
def operator_list(call: Call, as_json: bool) -> int:
    """Every operator, those switched off too."""
    from ingest.operations.console.operators import every
    from ingest.operations.told import local

    rows = [
        {
            "name": one.name,
            "role": one.role.value,
            "active": one.active,
            "second_factor": one.totp_secret is not None,
            "made_by": one.made_by,
            "made_at": local(one.made_at),
        }
        for one in every(call.current().ledger)
    ]
    print_rows(rows, as_json, _COLUMNS)
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
