"""Readings by day and by month: chart, table and file."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from ingest.operations.account.consumption import (
    Choice,
    by_day,
    by_month,
    choices,
    of_month,
    read_in,
)
from ingest.operations.billed import Asked, Grain
from ingest.operations.billed import readings as billed_readings
from ingest.operations.export import write_file, write_json
from ingest.web.account.month import XLSX
from ingest.web.charts import columns
from ingest.web.site import Visit, month_in
from layouts.months import bounds, following, month_at, preceding

_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "xlsx": XLSX}


def readings(visit: Visit) -> Response:
    """One point's channel: a year by month, or a month by day."""
    ledger, code = visit.service.ledger, visit.who.entity
    month = _month(visit)
    every = choices(ledger, code, month)
    chosen = _chosen(every, visit.asked("of"))
    if chosen is None:
        return visit.page("readings.html", every=every, chosen=None, month=month)
    write = visit.words.writing
    is_year = visit.asked("by") != "day"
    readings = []
    if is_year:
        amounts = by_month(ledger, chosen, month, visit.now)
        names = {amount.start: f"{amount.start:%m.%y}" for amount in amounts}
    else:
        amounts = by_day(ledger, code, chosen, month, visit.now) if chosen.has_profile else []
        names = {amount.start: str(amount.start.day) for amount in amounts}
        readings = read_in(ledger, code, chosen, month)
    this = amounts[-1] if is_year else of_month(ledger, chosen, month, visit.now)
    last = amounts[-2] if is_year else of_month(ledger, chosen, preceding(month), visit.now)
    return visit.page(
        "readings.html",
        every=every,
        chosen=chosen,
        month=month,
        month_start=bounds(month)[0],
        by="month" if is_year else "day",
        amounts=amounts,
        chart=columns(amounts, lambda a: names[a.start], write.number) if amounts else None,
        readings=readings,
        this=this,
        last=last,
        before=preceding(month),
        after=following(month) if month < month_at(visit.now) else None,
        start_of=lambda day: bounds(day)[0],
    )


def download(visit: Visit) -> Response:
    """Every accepted value of a month as a file."""
    kind = visit.part("kind")
    if kind not in {"csv", "xlsx"}:
        raise HTTPException(404)
    month = _month(visit)
    return file_of(visit, month, kind, name=f"{visit.who.entity}_{month:%Y-%m}.{kind}")


def file_of(
    visit: Visit, month: date, kind: str, *, by: Grain = Grain.INTERVAL, name: str | None = None
) -> Response:
    """A month's accepted values, written to a file that goes when it is sent.

    Args:
        visit: Whose values.
        month: Its first day.
        kind: `csv`, `xlsx`, or `ndjson` for a JSON object a line.
        by: Grain of profiles.
        name: Under which a browser keeps it.
    """
    handle, made = tempfile.mkstemp(suffix=f".{kind}", prefix="readings-")
    os.close(handle)
    path = Path(made)
    try:
        asked = Asked(month, by, visit.who.entity)
        with billed_readings(visit.service.ledger, asked) as sheet:
            if kind == "ndjson":
                with path.open("w", encoding="utf-8") as out:
                    write_json(sheet, lambda line: out.write(line + "\n"))
            else:
                write_file(sheet, path)
    except BaseException:
        # Raised again: half a file must not stay.
        path.unlink(missing_ok=True)
        raise
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=_TYPES[kind], filename=name, background=gone)


def _month(visit: Visit) -> date:
    asked = visit.asked("month")
    return month_in(asked) if asked else month_at(visit.now)


def _chosen(every: list[Choice], name: str) -> Choice | None:
    if not name:
        return every[0] if every else None
    found = next((choice for choice in every if choice.id == name), None)
    if found is None:
        raise HTTPException(404)
    return found
