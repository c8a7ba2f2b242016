"""Every address of the console, and the role that each needs."""

from __future__ import annotations

from ingest.web.app import Page
from ingest.web.console import (
    entities,
    entrance,
    entries,
    exports,
    history,
    imports,
    letters,
    months,
    needs,
    suspects,
)
from storage.records.access import OperatorRole

_LOOKS, _WORKS, _ADMINISTERS = OperatorRole
_POST = ("POST",)

PAGES = (
    Page("/console", needs.page, None),
    Page("/console/sign-in", entrance.enter, None, _POST),
    Page("/console/sign-out", entrance.leave, None, _POST),
    Page("/console/bounces/settle", needs.settled, _WORKS, _POST),
    Page("/console/unlock", needs.opened, _WORKS, _POST),
    Page("/console/requests/answer", needs.answered, _WORKS, _POST, keeps=needs.page),
    Page("/console/letters", letters.listing, _LOOKS),
    Page("/console/letters/replay", letters.many_once_more, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}", letters.story, _LOOKS),
    Page("/console/letters/{number}/replay", letters.once_more, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}/parts", letters.sources, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}/source", letters.source, _WORKS, _POST, heavy=True),
    Page("/console/letters/{number}/replies/{reply}.eml", letters.reply, _LOOKS),
    Page("/console/letters/{number}/replies/{reply}/{file}", letters.attached, _LOOKS),
    Page("/console/suspects", suspects.listing, _LOOKS),
    Page("/console/suspects/accept", suspects.accepted, _WORKS, _POST, keeps=suspects.listing),
    Page("/console/suspects/{number}", suspects.one, _LOOKS),
    Page("/console/receipts/{number}/withdraw", entries.withdrawal, _WORKS),
    Page(
        "/console/receipts/{number}/withdraw",
        entries.withdrawn,
        _WORKS,
        _POST,
        keeps=entries.withdrawal,
    ),
    Page("/console/months", months.this_month, _LOOKS),
    Page("/console/months/{month}", months.one, _LOOKS),
    Page("/console/months/{month}/matrix", months.matrix_of, _LOOKS),
    Page("/console/months/{month}/remind", months.reminded, _WORKS, _POST),
    Page("/console/months/{month}/close", months.closed, _ADMINISTERS, _POST),
    Page("/console/months/{month}/reopen", months.reopened, _ADMINISTERS, _POST),
    Page("/console/entities", entities.listing, _LOOKS),
    Page("/console/import", imports.form, _ADMINISTERS),
    Page(
        "/console/import",
        imports.check,
        _ADMINISTERS,
        _POST,
        upload=True,
        heavy=True,
        keeps=imports.form,
    ),
    Page("/console/import/apply", imports.apply, _ADMINISTERS, _POST, heavy=True),
    Page("/console/entities/{code}", entities.one, _LOOKS),
    Page("/console/entities/{code}/enter", entries.form, _WORKS),
    Page(
        "/console/entities/{code}/enter",
        entries.check,
        _WORKS,
        _POST,
        upload=True,
        heavy=True,
        keeps=entries.form,
    ),
    Page("/console/entities/{code}/enter/record", entries.record, _WORKS, _POST, heavy=True),
    Page("/console/entities/{code}/password", entities.new_password, _WORKS, _POST),
    Page("/console/entities/{code}/user-off", entities.user_off, _WORKS, _POST),
    Page("/console/export", exports.form, _LOOKS),
    Page("/console/export", exports.taken, _WORKS, _POST, heavy=True, keeps=exports.form),
    Page("/console/audit", history.listing, _LOOKS),
    Page("/console/audit/verify", history.verified, _LOOKS, _POST, heavy=True),
    Page("/console/status", needs.status_page, _LOOKS),
)
