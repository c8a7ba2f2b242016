"""Who lacks what of a month, worked out anew only for those who handed something in since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock

from ingest.operations.periods import Lacking
from ingest.operations.ports import Ledger
from layouts.completeness import missing
from layouts.months import last_midnight
from storage.store import Store

_MONTHS_MOST = 3
_REGISTER = ("entity", "point", "meter")
"""What the audit calls a change of the register of points."""


@dataclass(slots=True)
class _Known:
    """What was found of a month.

    Attributes:
        mark: What all of it rests on: the register, and the day up to which is asked.
        shared: Ids of entities whose points others hold or held at another time: what these
            hand in is of theirs, too.
        counts: Submissions of each entity then, by its id.
        lacking: By user code.
    """

    mark: tuple[int | None, datetime]
    shared: frozenset[int]
    counts: Mapping[int, int] = field(default_factory=dict)
    lacking: dict[str, Lacking] = field(default_factory=dict)


class Lacks:
    """What entities lack, kept from one page to the next; always as the database has it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ledger: Ledger | None = None
        self._months: dict[date, _Known] = {}

    def of(self, ledger: Ledger, month: date, now: datetime) -> Sequence[Lacking]:
        """As `ingest.operations.periods.lacking` tells it for everybody, by user code.

        Raises:
            ConnectionError: the database is away.
        """
        with self._lock, ledger.reading() as store:
            if ledger is not self._ledger:
                # A reload may have brought another database.
                self._ledger, self._months = ledger, {}
            known = self._months.pop(month, None)
            mark = store.audit.last_of(_REGISTER), last_midnight(now)
            if known is None or known.mark != mark:
                known = _Known(mark, store.registry.shared())
            self._renew(known, store, month, now)
            self._months[month] = known
            while len(self._months) > _MONTHS_MOST:
                del self._months[next(iter(self._months))]
        return [one for _, one in sorted(known.lacking.items())]

    @staticmethod
    def _renew(known: _Known, store: Store, month: date, now: datetime) -> None:
        counts = store.submissions.counts()
        stale = [
            one.user_code
            for one in store.registry.named()
            if one.active
            and (
                one.id in known.shared
                or counts.get(one.id or 0, 0) != known.counts.get(one.id or 0)
            )
        ]
        found = store.registry.these(stale)
        state = store.months.state(month, found)
        for entity in found:
            lacks = missing(entity.points, state, now)
            known.lacking.pop(entity.user_code, None)
            if lacks:
                known.lacking[entity.user_code] = Lacking(entity, lacks)
        every = {entity.id: 0 for entity in found if entity.id is not None}
        known.counts = {**known.counts, **every, **counts}
