"""Every address of the account."""

from __future__ import annotations

from ingest.web.account import (
    api,
    documents,
    entering,
    entrance,
    month,
    people,
    readings,
    receipts,
    registration,
)
from ingest.web.app import Page
from storage.records.access import Role

PAGES = (
    Page("/", month.month, None),
    Page("/sign-in", entrance.enter, None, ("POST",)),
    Page("/sign-out", entrance.leave, None, ("POST",)),
    Page("/readings/enter", entering.form, Role.SENDS),
    Page("/readings/enter", entering.send, Role.SENDS, ("POST",), heavy=True, keeps=entering.again),
    Page("/documents", documents.form, Role.SENDS),
    Page("/documents", documents.check, Role.SENDS, ("POST",), upload=True, heavy=True),
    Page(
        "/documents/hand-in",
        documents.hand_in,
        Role.SENDS,
        ("POST",),
        heavy=True,
        keeps=documents.again,
    ),
    Page("/documents/marked/{digest}/{document}", documents.marked, Role.SENDS, heavy=True),
    Page("/registration", registration.form, None),
    Page("/registration", registration.send, None, ("POST",)),
    Page("/registration/{secret}", registration.link, None),
    Page("/registration/{secret}", registration.set_password, None, ("POST",)),
    Page("/people", people.people),
    Page("/people/users", people.invited, Role.OWNER, ("POST",), keeps=people.people),
    Page("/people/tokens", people.token, Role.OWNER, ("POST",), keeps=people.people),
    Page("/people/reminders", people.reminders, Role.OWNER, ("POST",)),
    Page("/people/sessions", people.sessions, methods=("POST",)),
    Page("/people/password", people.password, methods=("POST",)),
    Page("/receipts", receipts.listing),
    Page("/receipts/{number}", receipts.one),
    Page("/receipts/{number}/80021.xml", receipts.xml),
    Page("/receipts/{number}/files/{file}", receipts.attached),
    Page("/readings", readings.readings),
    Page("/readings.{kind}", readings.download),
    Page(
        "/api/v1/documents",
        api.documents,
        Role.SENDS,
        ("POST",),
        upload=True,
        heavy=True,
        asks=api.authenticated,
    ),
    Page("/api/v1/receipts/{number}", api.one_receipt, asks=api.authenticated),
    Page("/api/v1/months/{month}", api.one_month, asks=api.authenticated),
    Page("/api/v1/readings", api.values, asks=api.authenticated),
    Page("/api/v1/openapi.json", api.description, None),
    Page("/templates", month.templates),
    Page("/templates/{number}.xlsx", month.workbook),
)
