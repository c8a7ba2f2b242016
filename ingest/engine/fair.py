"""Fairness: letters ranked by the CPU time that their senders cost within the last hour.

Costs are counted by legal entity where a letter proved one, else by the domain that it
claims. What a letter claims before it is read can be forged, so four things keep a forger
from pushing back whose name he uses: what our own mail server disproves is counted apart; a
letter whose own words (body, subject) prove its entity waits by that entity's costs alone; an
address that has proven itself before waits by the costs of that address; and only who is at
neither waits by the costs of the domain.

Whose address itself is forged, with nobody to disprove it, and whose password stands in a
document alone, cannot be told from his forger before that document is opened. So of equals
the newest comes second: behind what had gathered before it, a letter waits for those in hand.
That holds as long as fewer of them come than half of what can be read meanwhile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, groupby, islice

from ingest.engine.ports import Ledger
from ingest.intake.attempt import Intake
from ingest.letters.letter import header_of
from ingest.transports.ports import CLAIM_BYTES

HEAVY_SECONDS = 20.0
"""CPU time within an hour from which on a sender waits: as much as one letter may take."""

HEAVY_AT_ONCE = 2
"""Letters of such senders that are in hand together, before it is seen who else has come:
one for each of two children."""

LOOKED_AT_ONCE = 1000
LOOKED_SECONDS = HEAVY_SECONDS
"""Letters of such senders whose own words are read at once, by number and CPU time."""


class Turns:
    """Costs as this process knows them: those of the database, and its own since then.

    Attributes:
        risen: Somebody has become heavy since `refresh`: the letters in hand are to be
            ranked again.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._unsaved: defaultdict[str, float] = defaultdict(float)
        self.risen = False

    def refresh(self) -> bool:
        """Read the costs of all processes from the database; whether any sender is heavy.

        Raises:
            StoreUnavailable: the database is away.
        """
        self.save()
        with self._ledger.reading() as store:
            self._seconds = defaultdict(float, store.costs.heavy(HEAVY_SECONDS))
        self.risen = False
        return bool(self._seconds)

    def charge(self, entity: str, sender: str, seconds: float) -> None:
        """Count what a letter has cost: for its entity, or for the domain it claims.

        Args:
            entity: User code of the entity that it proved; '' for none.
            sender: As `claimed_by` names it; it is charged as well, see `ranks`.
            seconds: CPU time, ours and its reader's.
        """
        for payer in (_of_entity(entity) if entity else _of_domain(sender), _of_address(sender)):
            before = self._seconds[payer]
            self._seconds[payer] += seconds
            self._unsaved[payer] += seconds
            self.risen |= before < HEAVY_SECONDS <= before + seconds

    def save(self) -> None:
        """Write the costs counted here to the database.

        Raises:
            StoreUnavailable: it is away; the next call tells it.
        """
        if self._unsaved:
            with self._ledger.transaction(synced=False) as store:
                store.costs.charge(self._unsaved)
            self._unsaved.clear()

    def ranks(self, senders: Mapping[str, str], proven: Mapping[str, str]) -> dict[str, int]:
        """The rank of each waiting letter: 0 in its turn, the higher the more its sender cost.

        Args:
            senders: Whom the letters claim to be from, by their keys; see `claimed_by`.
            proven: User codes of those whose own words proved them, by key.
        """
        with self._ledger.reading() as store:
            known = set(store.senders.proven(sorted({one for one in senders.values() if one})))

        def payer(key: str) -> str:
            if code := proven.get(key):
                return _of_entity(code)
            sender = senders[key]
            return _of_address(sender) if sender in known else _of_domain(sender)

        return {key: self._rank(payer(key)) for key in senders}

    def _rank(self, payer: str) -> int:
        seconds = self._seconds[payer]
        # By doublings, so that two who cost about the same have one rank.
        return 0 if seconds < HEAVY_SECONDS else 1 + int(math.log2(seconds / HEAVY_SECONDS))


def claimed_by(content: bytes, intake: Intake) -> str:
    """The address in From of a letter that begins so; a disproved one is told from it.

    All look at the same bytes: else what is charged would not be what is ranked.
    """
    return intake.origin_of(header_of(content[:CLAIM_BYTES])).counted_as


def in_turn(keys: Sequence[str], ranks: Mapping[str, int]) -> list[str]:
    """The keys, those of the lowest rank first; of equals the oldest and the newest in turn."""
    ordered: list[str] = []
    for _, equals in groupby(sorted(keys, key=ranks.__getitem__), ranks.__getitem__):
        waiting = list(equals)
        by_turns = chain.from_iterable(zip(waiting, reversed(waiting), strict=True))
        ordered += islice(by_turns, len(waiting))
    return ordered


def _of_entity(user_code: str) -> str:
    # A spreadsheet takes leading zeros away; it is the same entity.
    return f"entity {user_code.lstrip('0')}"


def _of_address(sender: str) -> str:
    return f"address {sender.lower()}"


def _of_domain(sender: str) -> str:
    return f"domain {sender.lower().rpartition('@')[2]}"
