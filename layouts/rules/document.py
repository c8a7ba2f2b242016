"""Rules about the document as a whole: who sent it, when it was made, what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from layouts.findings import Code, Finding, finding
from layouts.rules.case import Case


def sender_mismatch(case: Case) -> Iterator[Finding]:
    """The document names another sender than the one who authenticated.

    A code that only lost its leading zeros, as workbooks do, is forgiven.

    Source: the practice of EDI (CONTRL), which refuses the whole file.
    """
    entity, header = case.entity, case.parsed.header
    if entity is None:
        return
    code = header.sender_code
    if code and code != entity.user_code:
        lost = code == entity.user_code.lstrip("0")
        yield finding(
            Code.LEADING_ZEROS_LOST if lost else Code.SENDER_MISMATCH,
            seen=code,
            field="sender_code",
            expected=entity.user_code,
        )
    if header.sender_inn and entity.inn and header.sender_inn != entity.inn:
        yield finding(
            Code.SENDER_MISMATCH, seen=header.sender_inn, field="inn", expected=entity.inn
        )


def created_ahead(case: Case) -> Iterator[Finding]:
    """The document says it was made more than a day after it was received.

    Source: decided here; versions are told by this moment.
    """
    created, received = case.parsed.header.created, case.received_at
    if created is None or received is None:
        return
    hours = case.parameters.created_ahead_hours
    if created > received + timedelta(hours=hours):
        local = created.astimezone(case.zone)
        yield finding(
            Code.INVALID_DATE,
            seen=local.strftime("%Y%m%d%H%M%S"),
            field="created",
            limit=(received + timedelta(hours=hours)).astimezone(case.zone).isoformat(),
        )


def nothing_to_record(case: Case) -> Iterator[Finding]:
    """Nothing is left in the document, and no mistake explains why.

    Source: decided here.
    """
    told = any(item.is_error for item in case.parsed.findings)
    if not case.held and not told:
        yield finding(Code.NOTHING_TO_RECORD)
