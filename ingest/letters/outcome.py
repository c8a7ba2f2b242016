"""What became of one letter, in the words of `interface.md`."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.letters.terms import Outcome
from layouts.findings import Finding
from layouts.known import Receipt
from layouts.terms import Verdict

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
