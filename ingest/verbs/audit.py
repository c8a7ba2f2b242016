"""The verbs of the audit."""

from __future__ import annotations

from pathlib import Path

import click

from ingest.verbs.printing import tell
from ingest.verbs.types import DONE, LOOK, Call, cli, json_option


@cli.group()
def audit() -> None:
    """What is never changed: audit, receipts, findings, closed months."""


@audit.command()
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Compare with the seals that this log tells; may be given several times.",
)
@json_option
@click.pass_obj
def verify(call: Call, logs: tuple[Path, ...], is_json: bool) -> int:
    """Check every seal and every row under it; exit 1 names the first break."""
    from ingest.operations import audit as operations
    from ingest.verbs.show import verified

    heads = []
    for path in logs:
        with path.open(encoding="utf-8", errors="replace") as lines:
            heads += list(operations.heads_in(lines))
    done = operations.verify(call.current().ledger, heads)
    tell([done], is_json, verified)
    return DONE if done.is_whole else LOOK
