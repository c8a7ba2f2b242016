"""One pass over one mailbox for workers elsewhere: new letters kept, settled ones filed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime

import structlog

from ingest.engine.collect import Pass, Passed, one_ahead
from ingest.engine.fair import Turns
from ingest.engine.ports import Ledger
from ingest.engine.trips import Queue, defer, numbered, unseen
from ingest.intake.attempt import Intake
from ingest.letters.terms import Outcome, RawLetter
from ingest.transports.ports import Mailbox, MailboxUnavailable
from storage.records.running import WaitingArrival, mailbox_named

log = structlog.get_logger()


class Announcer(Pass):
    """Keeps a mailbox's new letters in the database and files those that are settled.

    A letter stays where it arrived until it has its verdict: what is lost on the way
    there is fetched again.

    Args:
        mailbox: Letters arrive in it.
        ledger: They wait in it.
        queue: Has the jobs of workers.
        clock: Now, aware.
        intake: Tells who letters come from.
        room_bytes: No more are fetched while so many bytes wait.
        holder: Names this process in the lease; None: by its number and start.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        ledger: Ledger,
        queue: Queue,
        clock: Callable[[], datetime],
        intake: Intake,
        room_bytes: int,
        holder: str | None = None,
    ) -> None:
        super().__init__(mailbox, ledger, clock, holder)
        self._turns = Turns(ledger)
        self._somebody_waits = False
        self._queue = queue
        self._intake = intake
        self._room_bytes = room_bytes

    def has_settled(self) -> bool:
        """Whether workers have given verdicts that are to be filed."""
        with self._ledger.reading() as store:
            return store.arrivals.has_settled(self._mailbox.name)

    def through(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """See `Pass.through`."""
        uids = self._uids()
        self._somebody_waits = self._turns.refresh()
        with self._ledger.reading() as store:
            known = store.arrivals.of_source(self._mailbox.name)
        settled = {key: Outcome(outcome) for key, outcome in known.items() if outcome}
        outcomes, fault = self._put_away(uids, settled)
        waiting = [uid for key, uid in uids.items() if key not in known]
        with closing(one_ahead(self._mailbox.fetch(waiting))) as batches:
            whole = all(self._announce(batch, stop) for batch in batches)
        if fault is not None:
            raise fault
        if whole:
            self._passed()
        return Passed(outcomes, 0, whole)

    def _put_away(
        self, uids: Mapping[str, int], settled: Mapping[str, Outcome]
    ) -> tuple[Mapping[Outcome, int], MailboxUnavailable | None]:
        """File what is settled and forget it; what is no longer there is only forgotten."""
        by_outcome: dict[Outcome, list[str]] = defaultdict(list)
        for key, outcome in settled.items():
            if key in uids:
                by_outcome[outcome].append(key)
        done = [key for key in settled if key not in uids]
        outcomes: dict[Outcome, int] = {}
        fault = None
        for outcome, keys in by_outcome.items():
            fault = self._filed([uids[key] for key in keys], outcome)
            if fault is not None:
                break
            outcomes[outcome] = len(keys)
            done += keys
        if done:
            with self._ledger.transaction() as store:
                store.arrivals.forget(self._mailbox.name, done)
        return outcomes, fault

    def _announce(self, batch: Sequence[RawLetter], stop: Callable[[], bool]) -> bool:
        """Keep letters and have them brought to workers; False when the pass must end."""
        if stop():
            return False
        with self._ledger.transaction() as store:
            held = store.arrivals.held()
            is_full = held >= self._room_bytes
            if not is_full:
                waiting = [_waiting(raw) for raw in batch]
                new = numbered(waiting, store.arrivals.announce(waiting))
                if self._somebody_waits:
                    new = unseen(store, new, self._turns, self._intake)
                trips = defer(store, self._queue, new)
                source = mailbox_named(self._mailbox.name)
                store.installation.server_works(source, self._clock())
        if is_full:
            log.warning(
                "arrivals.full", mailbox=self._mailbox.name, held=held, room=self._room_bytes
            )
            return False
        log.info("arrivals.announced", mailbox=self._mailbox.name, letters=len(new), trips=trips)
        return True


def _waiting(raw: RawLetter) -> WaitingArrival:
    arrival = raw.arrival
    return WaitingArrival(
        source=arrival.source,
        key=arrival.key,
        received_at=arrival.received_at,
        size=arrival.size,
        content=raw.content,
        header_only=raw.header_only,
        missing=raw.missing,
    )
