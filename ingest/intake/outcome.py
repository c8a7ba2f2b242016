"""What became of one letter, in the words of `interface.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from layouts.findings import Finding
from layouts.terms import LegalEntity, Receipt, Verdict
from storage.records import OwedReply


class Outcome(StrEnum):
    """What became of one letter."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    # A letter without a document that asked for a template or the month's state.
    ANSWERED = "answered"


_WHOLE = {Verdict.ACCEPTED, Verdict.DUPLICATE}


def overall(receipts: Sequence[Receipt], findings: Sequence[Finding] = ()) -> Outcome:
    """The outcome of a letter whose sender was authenticated.

    Every document accepted or a duplicate, at least one accepted: accepted. All
    duplicates: duplicate. Nothing recorded: rejected. Otherwise partly accepted.
    An error among the letter's own findings stands for a document that could not
    even be unpacked.
    """
    verdicts = {receipt.checked.verdict for receipt in receipts}
    whole = not any(item.is_error for item in findings)
    if verdicts == {Verdict.DUPLICATE} and whole:
        return Outcome.DUPLICATE
    if verdicts and verdicts <= _WHOLE and whole:
        return Outcome.ACCEPTED
    if verdicts & {Verdict.ACCEPTED, Verdict.PARTLY_ACCEPTED}:
        return Outcome.PARTLY_ACCEPTED
    return Outcome.REJECTED


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
