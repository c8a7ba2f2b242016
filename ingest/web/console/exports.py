"""A month for billing: a file with its manifest, kept under a number."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from ingest.operations.billed import Asked, Grain, export, exports_of
from ingest.operations.refused import Refused
from ingest.web.site import Visit, number_in
from layouts.months import month_at, parse_month, preceding

_KINDS = ("csv", "xlsx")


def form(visit: Visit, note: str = "", status: int = 200) -> Response:
    """Which month, how finely, of whom; and what was taken of it before."""
    text = visit.text("month") or visit.asked("month")
    month = preceding(month_at(visit.now))
    try:
        month = parse_month(text) if text else month
    except ValueError:
        note, status = "no_month", 422
    return visit.page(
        "console_export.html",
        status,
        month=month,
        taken=exports_of(visit.service.ledger, month),
        grains=list(Grain),
        kinds=_KINDS,
        asked={name: visit.text(name)[:100] for name in ("grain", "entity", "kind", "since")},
        note=note,
    )


def taken(visit: Visit) -> Response:
    """File and manifest as one zip; its number is in their names."""
    kind = visit.text("kind")
    if kind not in _KINDS or visit.text("grain") not in set(Grain):
        return form(visit, "not_understood", 422)
    since = number_in(visit.text("since")) if visit.text("since") else None
    try:
        asked = Asked(
            parse_month(visit.text("month")), Grain(visit.text("grain")),
            visit.text("entity").strip() or None, changed_since=since,
        )  # fmt: skip
    except ValueError:
        return form(visit, "no_month", 422)
    folder = Path(tempfile.mkdtemp(prefix="ingest-export-"))
    try:
        done = export(visit.service.ledger, asked, folder, kind, visit.me.actor, visit.now)
        packed = folder / f"{done.path.stem}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (done.path, done.path.with_suffix(".manifest.json")):
                archive.write(path, path.name)
                path.unlink()
    except Refused:
        shutil.rmtree(folder)
        return form(visit, "no_export", 422)
    except BaseException:
        # Raised again: nothing of a month stays behind in a folder for temporary files.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    end = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(packed, filename=packed.name, media_type="application/zip", background=end)
