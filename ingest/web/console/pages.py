"""Every address of the console, and the role that each needs."""

from __future__ import annotations

from ingest.web.app import Page
from ingest.web.console import entrance, letters, needs
from storage.records import OperatorRole

_LOOKS, _WORKS = OperatorRole.LOOKS, OperatorRole.WORKS
_POST = ("POST",)

PAGES = (
    Page("/console", needs.page, None),
    Page("/console/sign-in", entrance.enter, None, _POST),
    Page("/console/sign-out", entrance.leave, None, _POST),
    Page("/console/bounces/settle", needs.settled, _WORKS, _POST),
    Page("/console/unlock", needs.opened, _WORKS, _POST),
    Page("/console/requests/answer", needs.answered, _WORKS, _POST, keeps=True),
    Page("/console/letters", letters.listing, _LOOKS),
    Page("/console/letters/replay", letters.many_once_more, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}", letters.story, _LOOKS),
    Page("/console/letters/{number}/replay", letters.once_more, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}/replies/{reply}.eml", letters.reply, _LOOKS),
    Page("/console/letters/{number}/replies/{reply}/{file}", letters.attached, _LOOKS),
)
