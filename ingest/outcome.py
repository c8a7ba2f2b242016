"""What became of one letter, in the words of `interface.md`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from layouts.terms import Receipt, Verdict


class Outcome(StrEnum):
    """What became of one letter."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


_WHOLE = {Verdict.ACCEPTED, Verdict.DUPLICATE}


def overall(receipts: Sequence[Receipt]) -> Outcome:
    """The outcome of a letter whose sender was authenticated.

    Every document accepted or a duplicate, at least one accepted: accepted. All
    duplicates: duplicate. Nothing recorded: rejected. Otherwise partly accepted.
    """
    verdicts = {receipt.checked.verdict for receipt in receipts}
    if verdicts == {Verdict.DUPLICATE}:
        return Outcome.DUPLICATE
    if verdicts and verdicts <= _WHOLE:
        return Outcome.ACCEPTED
    if verdicts & {Verdict.ACCEPTED, Verdict.PARTLY_ACCEPTED}:
        return Outcome.PARTLY_ACCEPTED
    return Outcome.REJECTED
