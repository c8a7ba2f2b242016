"""Every address of the account."""

from __future__ import annotations

from ingest.web.account import documents, entering, entrance, month, readings, receipts
from ingest.web.app import Page
from storage.records import Role

PAGES = (
    Page("/", month.month, None),
    Page("/sign-in", entrance.enter, None, ("POST",)),
    Page("/sign-out", entrance.leave, None, ("POST",)),
    Page("/readings/enter", entering.form, Role.SENDS),
    Page("/readings/enter", entering.send, Role.SENDS, ("POST",), heavy=True, keeps=True),
    Page("/documents", documents.form, Role.SENDS),
    Page("/documents", documents.check, Role.SENDS, ("POST",), upload=True, heavy=True),
    Page("/documents/hand-in", documents.hand_in, Role.SENDS, ("POST",), heavy=True),
    Page("/documents/marked/{digest}/{document}", documents.marked, Role.SENDS, heavy=True),
    Page("/receipts", receipts.listing),
    Page("/receipts/{number}", receipts.one),
    Page("/receipts/{number}/80021.xml", receipts.xml),
    Page("/receipts/{number}/files/{file}", receipts.attached),
    Page("/readings", readings.readings),
    Page("/readings.{kind}", readings.download),
    Page("/templates", month.templates),
    Page("/templates/{number}.xlsx", month.workbook),
)
