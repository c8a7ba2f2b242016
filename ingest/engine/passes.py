"""Passes over mailboxes that somebody asked for, and the outbox drained after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

from ingest.engine.collect import Collector, Passed
from ingest.engine.drop import NO_DROPS, DropCollector, Drops
from ingest.engine.health import Health
from ingest.engine.marks import Marker
from ingest.engine.ports import WholeLedger
from ingest.engine.seal import Sealer
from ingest.engine.send import drain
from ingest.engine.work import Told, Worker, nobody_is_told
from ingest.intake.attempt import Intake
from ingest.intake.outcome import Handled
from ingest.letters.terms import RawLetter
from ingest.reading import Reader
from ingest.transports.ports import Mailbox, Postman
from storage.records.letters import Claim
from storage.records.running import OUTBOX, mailbox_named


def poll_all(
    mailboxes: Sequence[Mailbox],
    postman: Postman | None,
    reader: Reader,
    ledger: WholeLedger,
    intake: Intake,
    clock: Callable[[], datetime],
    recorders: int = 1,
    drops: Drops = NO_DROPS,
) -> bool:
    """One pass over every mailbox, then the outbox; False when a letter had no verdict.

    Args:
        mailboxes: Each is closed after its pass.
        postman: None: replies stay in the outbox.
        reader: Reads and marks letters.
        ledger: What they hand in is recorded in it.
        intake: What is done with each.
        clock: Now, aware.
        recorders: How many letters are recorded side by side.
        drops: Folders that files are put into.

    Raises:
        ConnectionError: names every server that could not be reached; the others
            were still served.
    """
    tried = _Tried(Health(ledger, clock))
    passes: list[Passed] = []
    marker = Marker(reader, ledger, clock)
    worker = Worker(reader, ledger, intake, clock, _marked_by(marker), recorders)
    for mailbox in mailboxes:
        name = mailbox_named(mailbox.name)
        with tried.server(name, mailbox.certificate_ends), closing(mailbox):
            passes.append(Collector(mailbox, worker, ledger, clock).once())
        worker.settled.clear()
    for folder, entity in drops.folders:
        dropped = DropCollector(
            folder, entity, reader, ledger, intake, clock, nobody_is_told, drops.language
        )
        with tried.server(folder.source):
            passes.append(dropped.once())
    marker.close(finish=True)
    if postman is not None:
        with tried.server(OUTBOX, postman.certificate_ends), closing(postman):
            postman.greet()
            drain(ledger, postman, clock)
    with tried.noted(), closing(Sealer(ledger)) as sealer:
        sealer.once()
    tried.end()
    return all(passed.whole and not passed.failed for passed in passes)


class _Tried:
    """Servers served one after the other, whatever faults the others have."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._faults: list[ConnectionError] = []

    @contextmanager
    def server(
        self, name: str, certificate_ends: Callable[[], datetime | None] = lambda: None
    ) -> Iterator[None]:
        """Serve one; how it fares, and when its certificate ends, is told by `status`."""
        try:
            yield
        except ConnectionError as fault:
            self._faults.append(fault)
            self._health.failed(name, fault)
        else:
            self._health.works(name, certificate_ends())

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Call a step that may raise as the database is away; its fault is kept."""
        try:
            yield
        except ConnectionError as fault:
            self._faults.append(fault)

    def end(self) -> None:
        """Tell every fault there was.

        Raises:
            ConnectionError: there was one.
        """
        if self._faults:
            told = "; ".join(dict.fromkeys(map(str, self._faults)))
            raise ConnectionError(told) from self._faults[0]


def read_through(
    mailboxes: Sequence[Mailbox],
    reader: Reader,
    ledger: WholeLedger,
    intake: Intake,
    clock: Callable[[], datetime],
    told: Told,
) -> None:
    """Read every letter of folders that no daemon reads.

    Args:
        mailboxes: Each is closed after it was read.
        reader: Reads and marks letters.
        ledger: What they hand in is recorded in it.
        intake: What is done with each.
        clock: Now, aware.
        told: Called with each letter that has its verdict.

    Raises:
        ConnectionError: a mailbox or the database is away.
    """
    marker = Marker(reader, ledger, clock)
    worker = Worker(reader, ledger, intake, clock, _marked_by(marker, told))
    try:
        for mailbox in mailboxes:
            try:
                Collector(mailbox, worker, ledger, clock).through()
            finally:
                mailbox.close()
                worker.settled.clear()
    finally:
        marker.close(finish=True)


def _marked_by(marker: Marker, told: Told = nobody_is_told) -> Told:
    def settled(raw: RawLetter, claim: Claim, handled: Handled) -> None:
        if handled.marking is not None:
            marker.add(raw, handled)
        told(raw, claim, handled)

    return settled
