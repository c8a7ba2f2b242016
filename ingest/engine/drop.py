"""One pass over a drop folder: its files handed to work, verdict and receipts laid beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from ingest.engine.collect import Passed
from ingest.engine.fair import HEAVY_AT_ONCE
from ingest.engine.lease import ProcessLease
from ingest.engine.ports import Ledger
from ingest.engine.work import Told, Worker
from ingest.intake import ports
from ingest.intake.attempt import Intake, marked_workbooks, release
from ingest.intake.authenticate import NoSuchEntity, Origin, Proof, Session, entity_of
from ingest.intake.foreseen import Foreseen
from ingest.intake.outcome import Handled
from ingest.letters.terms import Arrival, Letter, Outcome, RawLetter, Read
from ingest.reading import Reader
from ingest.replies.beside import unread, verdict
from ingest.transports.ports import Dropped, DropUnavailable, UnreadableFile
from storage.records.letters import Claim
from storage.records.replies import OwedReply

log = structlog.get_logger()

TRIP_FILES = 8
TRIP_BYTES = 32 * 1024 * 1024
"""Files in memory at once, by number and size."""


class Folder(Protocol):
    """A folder that files are put into; see `transports.drop`."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    @property
    def source(self) -> str:
        """The source of its arrivals, and its name among the servers."""

    def files(self, now: datetime) -> Sequence[Dropped]:
        """The files that are whole and have no verdict beside them, the oldest first."""

    def take(self, dropped: Dropped) -> RawLetter | None:
        """A file's bytes; None when it is gone."""

    def lay(self, name: str, files: Mapping[str, bytes]) -> None:
        """Lay files beside one."""


@dataclass(frozen=True, slots=True)
class Drops:
    """Every drop folder.

    Attributes:
        folders: Each with the user code of the entity whose files lie there, or ''.
        language: Of the verdicts that are laid beside files.
    """

    folders: Sequence[tuple[Folder, str]] = ()
    language: str = "ru"


NO_DROPS = Drops()


class DroppedIntake:
    """An intake of files for one legal entity: a session takes the place of a proof.

    A letter that is put into such a folder is a file, and says nothing of who puts it there.
    """

    def __init__(self, intake: Intake, source: str, entity: str) -> None:
        self._intake = intake
        self._source = source
        self._session = Session(entity)

    def origin_of(self, letter: Letter) -> Origin:  # noqa: ARG002
        """The folder."""
        return Origin(self._source)

    def prove(self, read: Read, *, afresh: bool = False) -> Proof | Session:  # noqa: ARG002
        """The entity's session."""
        return self._session

    def foresee(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: ports.Store,
        now: datetime,
        ahead: int,
    ) -> Foreseen | None:
        """See `receive.foresee`."""
        return self._intake.foresee(arrival, self._file(read), proof, store, now, ahead)

    def receive(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: ports.Store,
        now: datetime,
        foreseen: Foreseen | None = None,
    ) -> Handled:
        """See `receive.receive`; no mail is owed."""
        return self._intake.receive(arrival, self._file(read), proof, store, now, foreseen)

    def _file(self, read: Read) -> Read:
        letter = replace(
            read.letter, sender=self._source, reply_to="", credentials=(), wish=None, bounce=None
        )
        return Read(letter, read.parsed)

    def notice(
        self, arrival: Arrival, letter: Letter | None, store: ports.Store, now: datetime
    ) -> OwedReply | None:
        """None: the verdict beside the file says it.

        Args:
            arrival: Where it came from and when.
            letter: As it was read; None when it could not be.
            store: Of the transaction in hand.
            now: The moment of it, aware.
        """


class DropCollector:
    """Goes through one drop folder, again and again.

    Args:
        folder: Has the files.
        entity: User code of the legal entity whose files they are; '' when each is to
            prove by itself whose it is.
        reader: Reads and marks.
        ledger: What they hand in is recorded in it.
        intake: What is done with each.
        clock: Now, aware.
        told: Called with each that has its verdict, after the commit.
        language: Of the verdicts.
    """

    def __init__(
        self,
        folder: Folder,
        entity: str,
        reader: Reader,
        ledger: Ledger,
        intake: Intake,
        clock: Callable[[], datetime],
        told: Told,
        language: str,
    ) -> None:
        self._folder = folder
        self._entity = entity
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._tell = told
        self._language = language
        if entity:
            intake = DroppedIntake(intake, folder.source, entity)
        self._worker = Worker(reader, ledger, intake, clock, self._settled)
        self._names: dict[str, str] = {}

    def once(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """Go through the folder once, the oldest file first.

        Raises:
            ConnectionError: folder, database or readers are away; nothing is counted
                against any file, and the next pass goes on.
        """
        waiting = self._folder.files(self._clock())
        if not waiting:
            return Passed()
        with ProcessLease(self._ledger, self._folder.source) as lease:
            if not lease.is_held:
                return Passed(whole=False, held_by=lease.held_by)
            self._check_entity()
            return self._through(waiting, lambda: stop() or not lease.is_held)

    def _check_entity(self) -> None:
        if not self._entity:
            return
        try:
            with self._ledger.reading() as store:
                entity_of(Session(self._entity), store)
        except NoSuchEntity:
            told = f"the register has no active user code {self._entity}"
            raise DropUnavailable(told, "mend `entity` of the [[drop]], or the register") from None

    def _through(self, waiting: Sequence[Dropped], stop: Callable[[], bool]) -> Passed:
        self._names = {dropped.key: dropped.name for dropped in waiting}
        tired = self._worker.look_up(self._folder.source, list(self._names))
        ripe = [each for each in waiting if each.key not in self._worker.resting]
        calm = [each for each in ripe if each.key not in tired]
        alone = [each for each in ripe if each.key in tired]
        with self._worker as worker:
            turns = worker.turns
            # Mail waits for the same readers, so few costly files are in hand at a time.
            most = HEAVY_AT_ONCE if turns.refresh() else TRIP_FILES
            for trip in (*self._trips(calm, most), *([each] for each in alone)):
                if stop() or turns.risen:
                    # The next pass goes on where this one ended.
                    return Passed(dict(worker.outcomes), worker.failed, whole=False)
                raws = [raw for each in trip if (raw := self._taken(each))]
                worker.work(raws, lambda: stop() or turns.risen)
                worker.settled.clear()
        return Passed(dict(worker.outcomes), worker.failed)

    @staticmethod
    def _trips(files: Sequence[Dropped], most: int) -> Iterator[list[Dropped]]:
        trip: list[Dropped] = []
        size = 0
        for each in files:
            if trip and (len(trip) == most or size + each.size > TRIP_BYTES):
                yield trip
                trip, size = [], 0
            trip.append(each)
            size += each.size
        if trip:
            yield trip

    def _taken(self, dropped: Dropped) -> RawLetter | None:
        try:
            return self._folder.take(dropped)
        except UnreadableFile as why:
            log.warning("drop.unread", drop=self._folder.name, error=str(why))
            self._folder.lay(dropped.name, unread(dropped.name, str(why)))
        return None

    def _settled(self, raw: RawLetter, claim: Claim, handled: Handled) -> None:
        """Write the verdict beside the file, before other observers are called."""
        marked = marked_workbooks(raw, handled, self._reader)
        if handled.marking is not None:
            reply = handled.reply and handled.marking.reply_with(marked)
            handled = release(handled, reply, self._ledger)
        with self._ledger.reading() as store:
            details = store.letters.details(claim.letter)
        name = self._names[raw.arrival.key]
        if details is not None:
            is_second = (
                handled.outcome is Outcome.DUPLICATE
                and not handled.receipts
                and not self._worker.knew(raw, claim)
            )
            laid = verdict(name, details, self._language, marked, is_second=is_second)
            self._folder.lay(name, laid)
        self._tell(raw, claim, handled)
