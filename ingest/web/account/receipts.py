"""Everything that was handed in, and one receipt whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.operations.account.desk import kept
from ingest.operations.account.receipts import File, Told, mailed, receipt, receipts
from ingest.web.site import Visit
from storage.records.access import Role

_LETTERS_A_PAGE = 40
_CARRIED_MOST = 300
_BOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


def listing(visit: Visit) -> Response:
    """What was handed in, the latest first."""
    before = visit.asked_number("before")
    found = receipts(visit.service.ledger, visit.who.entity, before, _LETTERS_A_PAGE)
    letters = [list(group) for _, group in groupby(found, key=lambda one: one.letter)]
    is_full = len(letters) == _LETTERS_A_PAGE
    return visit.page(
        "receipts.html",
        letters=letters,
        before=before,
        next=letters[-1][0].letter if is_full else None,
    )


def one(visit: Visit) -> Response:
    """One receipt; an entity's own only."""
    told = _told(visit)
    return visit.page(
        "receipt.html",
        told=told,
        mailed=mailed(told),
        can_be_marked=_can_be_marked(visit, told),
        carried=told.carried[:_CARRIED_MOST],
        more=max(0, len(told.carried) - _CARRIED_MOST),
    )


def _can_be_marked(visit: Visit, told: Told) -> bool:
    """Whether it is a workbook with findings that was checked here within the hour."""
    one = told.submission
    is_book = bool(one.findings) and one.name.lower().endswith(_BOOKS) and not one.container
    return (
        is_book
        and visit.who.may(Role.SENDS)
        and kept(visit.service, visit.desk, one.sha256, visit.now) is not None
    )


def xml(visit: Visit) -> Response:
    """The receipt for programs."""
    told = _told(visit)
    content = told.xml(visit.language)
    if content is None:
        raise HTTPException(404)
    return visit.file(content, f"80021_{told.number}.xml", "application/xml")


def attached(visit: Visit) -> Response:
    """A file of the reply as it was sent."""
    told = _told(visit)
    files = [file for reply in mailed(told) for file in reply.files]
    return one_of(visit, files)


def one_of(visit: Visit, files: Sequence[File]) -> Response:
    """The file that the address names by its number, from 1."""
    number = visit.number("file")
    if not 1 <= number <= len(files):
        raise HTTPException(404)
    file = files[number - 1]
    return visit.file(file.content, file.name or f"file-{number}", "application/octet-stream")


def _told(visit: Visit) -> Told:
    number = visit.number()
    told = receipt(visit.service.ledger, visit.who.entity, number, visit.language)
    if told is None:
        # The same for one of another entity's and for none at all.
        raise HTTPException(404)
    return told
