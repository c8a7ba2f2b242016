"""The result of handling one letter: its outcome, receipts and reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.letters.terms import Marked, Marks, Outcome
from layouts.findings import Finding
from layouts.known import Receipt
from layouts.points import LegalEntity
from storage.records.replies import OwedReply, Returned


@dataclass(frozen=True, slots=True)
class Marking:
    """Workbooks that are still to be marked, and the reply that they are to go with.

    Attributes:
        wanted: Their findings.
        reply_with: The reply once more, under the same Message-ID, with marked
            workbooks by the SHA-256 of their documents.
    """

    wanted: Marks
    reply_with: Callable[[Mapping[str, Marked]], OwedReply]


@dataclass(frozen=True, slots=True)
class Handled:
    """What `receive` did with one letter: for the log line and `process --json`.

    Attributes:
        entity: None unless the sender was authenticated.
        findings: Of the letter itself.
        reply: The owed reply; None when none is owed.
        marking: What the reply waits for; None when it may leave as it is.
        reason: Why the letter is ignored or the sender refused, for the log.
        returned: The reply that came back, when the letter is a bounce of one.
        truth: Why a sender was not proven; for operators only, as it would help guessing.
        claimed: The user code that the letter names, right or not; for operators.
    """

    outcome: Outcome
    entity: LegalEntity | None = None
    receipts: tuple[Receipt, ...] = ()
    findings: tuple[Finding, ...] = ()
    reply: OwedReply | None = None
    reason: str = ""
    marking: Marking | None = None
    returned: Returned | None = None
    truth: str = ""
    claimed: str = ""

    @property
    def values(self) -> int:
        """How many values were accepted, changed or not."""
        return sum(receipt.checked.values for receipt in self.receipts)
