"""A file handed in: first checked, then, with one button, recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.operations.account.desk import keep, kept
from ingest.operations.hand_in import File, HandedIn, Way
from ingest.replies.view import DocumentView, Group, document_view, letter_groups
from ingest.web.account.month import XLSX
from ingest.web.site import Visit
from layouts.findings import Code

_NAME_MOST = 200


def form(visit: Visit) -> Response:
    """Choose a file."""
    return visit.page("documents.html", note="")


def check(visit: Visit) -> Response:
    """What would become of a file; nothing is recorded."""
    try:
        file = file_of(visit)
    except BadFile as bad:
        return visit.page("documents.html", bad.status, note=bad.note)
    keep(visit.service, visit.desk, file, visit.now)
    return _checked(visit, file)


def hand_in(visit: Visit) -> Response:
    """Record the file that was checked."""
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    if file is None:
        return visit.page("documents.html", 422, note="gone")
    done = visit.site.desk.take(
        file, Way.UPLOAD, visit.who, visit.now, dry_run=False, by_mail=bool(visit.text("by_mail"))
    )
    if len(done.handled.receipts) == 1:
        return visit.go(f"/receipts/{done.handled.receipts[0].number}")
    return _told(visit, file, done)


def again(visit: Visit) -> Response:
    """The check once more, before a button that the end of a session made useless."""
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    if file is None:
        return visit.page("documents.html", 422, note="gone")
    return _checked(visit, file)


def marked(visit: Visit) -> Response:
    """The file that was checked, as a workbook with the findings in its cells."""
    file = kept(visit.service, visit.desk, visit.part("digest"), visit.now)
    if file is None:
        return visit.page("documents.html", 404, note="gone")
    done = visit.site.desk.take(file, Way.UPLOAD, visit.who, visit.now, dry_run=True)
    wanted = visit.part("document")
    workbook = done.marked.get(wanted)
    if workbook is None:
        raise HTTPException(404)
    return visit.file(workbook.content, f"{PurePosixPath(file.name).stem}_marked.xlsx", XLSX)


def _checked(visit: Visit, file: File) -> Response:
    done = visit.site.desk.take(file, Way.UPLOAD, visit.who, visit.now, dry_run=True)
    return _told(visit, file, done)


def _told(visit: Visit, file: File, done: HandedIn) -> Response:
    return visit.checked_page(
        "checked.html",
        200,
        file=file,
        digest=file.sha256,
        done=done,
        documents=views(visit, done),
        about=about(visit, done),
        outcome=done.handled.outcome.value,
        by_mail=bool(visit.text("by_mail")),
    )


def about(visit: Visit, done: HandedIn) -> tuple[Group, ...]:
    """What is wrong with the file itself."""
    return letter_groups(done.handled.findings, visit.words.writing)


def views(visit: Visit, done: HandedIn) -> list[tuple[int | None, str | None, DocumentView]]:
    """Each document as replies tell it, with its receipt and the SHA-256 of its marked copy."""
    taken: Counter[Code] = Counter()
    told = []
    for receipt in done.handled.receipts:
        view = document_view(receipt, visit.words.writing, taken)
        if not done.has_numbers:
            # The number that it had while it was tried out is nobody's.
            view = replace(view, heading=receipt.parsed.name)
        digest = receipt.parsed.sha256
        number = receipt.number if done.has_numbers else None
        told.append((number, digest if digest in done.marked else None, view))
    return told


class BadFile(ValueError):  # noqa: N818 - what is the matter with it
    """A file that cannot be taken.

    Attributes:
        note: `no_file`, `empty` or `too_large`.
        status: Of the answer of a page.
    """

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note
        self.status = 413 if note == "too_large" else 422


def file_of(visit: Visit) -> File:
    """The file of the form.

    Raises:
        BadFile: there is none that can be taken.
    """
    upload = visit.fields.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise BadFile("no_file")
    return File(plain_name(upload.filename), content_of(visit, upload))


def content_of(visit: Visit, upload: UploadFile) -> bytes:
    """The bytes of a file that was sent.

    Raises:
        BadFile: it is empty, or too large.
    """
    most = visit.service.upload_bytes
    content = upload.file.read(most + 1)
    if not content or len(content) > most:
        raise BadFile("too_large" if content else "empty")
    return content


def plain_name(name: str) -> str:
    """The name of a file without a path, as some browsers send it."""
    return name.replace("\\", "/").rpartition("/")[2][:_NAME_MOST]
