"""What becomes of a letter, by the verdicts on its documents and what was told of it."""

from datetime import UTC, datetime

import pytest

from ingest.letters.outcome import overall
from ingest.letters.terms import Outcome
from layouts.document import Parsed
from layouts.findings import Code, finding
from layouts.known import Checked, Receipt
from layouts.terms import Verdict

WHOLE = finding(Code.ATTACHMENT_NOT_READ, reason="pdf", name="a.pdf")
LOST = finding(Code.UNREADABLE_DOCUMENT, reason="damaged-file")
AT = datetime(2026, 11, 10, tzinfo=UTC)


def receipt(verdict):
    return Receipt(1, AT, Parsed("a.xml", "", 0), Checked(verdict, None))


@pytest.mark.parametrize(
    ("verdicts", "outcome", "with_one_lost"),
    [
        ("", "rejected", "rejected"),
        ("accepted", "accepted", "partly_accepted"),
        ("accepted accepted", "accepted", "partly_accepted"),
        ("accepted duplicate", "accepted", "partly_accepted"),
        ("accepted rejected", "partly_accepted", "partly_accepted"),
        ("duplicate", "duplicate", "rejected"),
        ("duplicate rejected", "rejected", "rejected"),
        ("partly_accepted", "partly_accepted", "partly_accepted"),
        ("partly_accepted duplicate", "partly_accepted", "partly_accepted"),
        ("rejected", "rejected", "rejected"),
    ],
)
def test_a_letter_is_what_its_documents_are_and_no_more(verdicts, outcome, with_one_lost):
    receipts = [receipt(Verdict(word)) for word in verdicts.split()]
    assert overall(receipts) == overall(receipts, [WHOLE]) == Outcome(outcome)
    assert overall(receipts, [WHOLE, LOST]) == Outcome(with_one_lost)
