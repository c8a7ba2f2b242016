"""Whether a document came in time, as the reply tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ingest.replies.answers import reply
from layouts.deadlines import deadlines
from layouts.layout import load
from layouts.parameters import Parameters
from tests.ingest.replies.cases import (
    ENTITY,
    LETTER,
    NOW,
    accepted_receipt,
    settings,
    unreadable_receipt,
)
from tests.ingest.replies.renew import body, opened

DEADLINE_OF = deadlines(load(), Parameters())


def told(received_at: datetime) -> str:
    receipt = replace(accepted_receipt(), received_at=received_at)
    manners = replace(settings(), deadline_of=DEADLINE_OF)
    return body(opened(reply(LETTER, ENTITY, [receipt], NOW, manners, letter_number=1)), "plain")


def test_readings_are_due_by_the_end_of_the_second_day() -> None:
    assert DEADLINE_OF(accepted_receipt()) == datetime(2026, 11, 2, 21, tzinfo=UTC)


def test_a_document_that_gave_no_series_has_no_deadline() -> None:
    assert DEADLINE_OF(unreadable_receipt()) is None


def test_the_reply_says_in_time_until_the_last_second() -> None:
    text = told(datetime(2026, 11, 2, 20, 59, 59, tzinfo=UTC))
    assert "поступил вовремя, срок — 02.11.2026 24:00" in text


def test_the_reply_says_late_from_midnight_on() -> None:
    text = told(datetime(2026, 11, 2, 21, tzinfo=UTC))
    assert "поступил с опозданием, срок был 02.11.2026 24:00" in text
