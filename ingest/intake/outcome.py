"""What became of one letter, in the words of `interface.md`."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.letters.outcome import Outcome
from layouts.findings import Finding
from layouts.terms import LegalEntity, Receipt
from storage.records import OwedReply


@dataclass(frozen=True, slots=True)
class Handled:
    """What `receive` did with one letter: for the log line and `process --json`.

    Attributes:
        entity: None unless the sender was authenticated.
        findings: Of the letter itself.
        reply: The owed reply; None when none is owed.
        reason: Why the letter is ignored or the sender refused, for the log.
    """

    outcome: Outcome
    entity: LegalEntity | None = None
    receipts: tuple[Receipt, ...] = ()
    findings: tuple[Finding, ...] = ()
    reply: OwedReply | None = None
    reason: str = ""

    @property
    def values(self) -> int:
        """How many values were accepted, changed or not."""
        return sum(receipt.checked.values for receipt in self.receipts)
