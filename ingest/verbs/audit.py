"""The verbs of the audit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.verbs.types import DONE, LOOK, Call, cli, json_option

if TYPE_CHECKING:
    from ingest.operations.audit import Verified


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
def verify(call: Call, logs: tuple[Path, ...], as_json: bool) -> int:
    """Check every seal and every row under it; exit 1 names the first break."""
    from ingest.operations import audit as operations

    heads = []
    for path in logs:
        with path.open(encoding="utf-8", errors="replace") as lines:
            heads += list(operations.heads_in(lines))
    done = operations.verify(call.current().ledger, heads)
    click.echo(_as_json(done) if as_json else "\n".join(_lines(done)))
    return DONE if done.is_whole else LOOK


def _as_json(done: Verified) -> str:
    row = asdict(done) | {"whole": done.is_whole}
    row["sealed_at"] = done.sealed_at.isoformat() if done.sealed_at else None
    return json.dumps(row, ensure_ascii=False)


def _lines(done: Verified) -> list[str]:
    lines = []
    if done.broken:
        lines.append(f"BROKEN: {done.broken}")
    lines += [f"BROKEN: the trigger {name} refuses no change any more" for name in done.off]
    if done.number is None:
        lines.append("nothing is sealed yet: `ingest run` does so every 20 seconds")
    else:
        at = done.sealed_at.isoformat() if done.sealed_at else ""
        lines.append(f"{'' if done.broken else 'whole: '}{done.rows} rows under {done.seals} seals")
        lines.append(f"last seal: {done.number} {done.sha256} of {at}")
    if done.compared:
        lines.append(f"compared with {done.compared} seals of the log")
    if done.unsealed:
        told = ", ".join(f"{kind} {count}" for kind, count in done.unsealed.items())
        lines.append(f"not sealed yet: {told}")
    return lines
