"""The register of points taken over from a file: what would change, then the change."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from ingest.operations.account.desk import keep, kept
from ingest.operations.hand_in import File
from ingest.operations.register.registry_file import RegistryMistakes
from ingest.operations.registry import ClosedMonthsChange, Imported, import_registry
from ingest.web.account.documents import BadFile, file_of
from ingest.web.console.entries import reason_of
from ingest.web.site import CONSOLE, Visit, fingerprint

_SHOWN = 200


def form(visit: Visit, note: str = "", status: int = 200, mistakes: Sequence[str] = ()) -> Response:
    """Choose a file, and say whether it corrects what was wrong.

    Args:
        visit: The request.
        note: A key of the words: what is told above the page; '' for nothing.
        status: Of the answer, an HTTP status.
        mistakes: Of the file that was sent, a sentence each.
    """
    return visit.page(
        "console_import.html",
        status,
        note=note,
        mistakes=mistakes[:_SHOWN],
        reason=reason_of(visit),
    )


def check(visit: Visit) -> Response:
    """What the file would change, and in which months; nothing is changed."""
    try:
        file = file_of(visit)
    except BadFile as bad:
        return form(visit, bad.note, bad.status)
    keep(visit.service, visit.desk, file, visit.now)
    return _told(visit, file)


def apply(visit: Visit) -> Response:
    """Take over the file that was checked, when it still changes just what was told."""
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    if file is None:
        return form(visit, "gone", 422)
    return _told(visit, file, visit.text("mark"))


def again(visit: Visit) -> Response:
    """What it would change once more: the session ended before the button was pressed."""
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    return form(visit, "gone", 422) if file is None else _told(visit, file)


def _told(visit: Visit, file: File, seen: str = "") -> Response:
    """What it would change; done, when that is what was seen."""
    correct = reason_of(visit) or None
    try:
        told = _imported(visit, file, correct, dry_run=True)
        mark = fingerprint((told.report, told.recomputed))
        if seen == mark:
            _imported(visit, file, correct, dry_run=False)
            return visit.go(f"{CONSOLE}/entities?note=imported")
    except (RegistryMistakes, ClosedMonthsChange) as mistakes:
        return form(visit, "mistakes", 422, mistakes.told(visit.words.writing))
    report = told.report
    return visit.page(
        "console_imported.html",
        422 if seen else 200,
        file=file,
        digest=file.sha256,
        mark=mark,
        reason=correct or "",
        report=report,
        recomputed=told.recomputed[:_SHOWN],
        months=sorted({one.month for one in told.recomputed}),
        more=max(0, len(told.recomputed) - _SHOWN),
        shown=_SHOWN,
        note="changed_list" if seen else "",
    )


def _imported(visit: Visit, file: File, correct: str | None, *, dry_run: bool) -> Imported:
    return import_registry(
        visit.service, file.content, visit.me.actor,
        with_passwords=False, dry_run=dry_run, correct=correct,
    )  # fmt: skip
