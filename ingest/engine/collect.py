"""One pass over one mailbox: its letters handed to work, and filed by their verdicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

import structlog

from ingest.engine.fair import HEAVY_AT_ONCE, LOOKED_AT_ONCE, LOOKED_SECONDS, claimed_by, in_turn
from ingest.engine.lease import ProcessLease
from ingest.engine.ports import Ledger
from ingest.engine.work import Worker
from ingest.letters.terms import Outcome, RawLetter
from ingest.transports.ports import Mailbox, MailboxUnavailable
from storage.records.letters import Location
from storage.records.running import mailbox_named

log = structlog.get_logger()

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass did.

    Attributes:
        outcomes: Letters by their outcome in this pass.
        failed: Letters left for another attempt.
        whole: Whether it came to the mailbox's end.
        held_by: Another process that reads the mailbox, so that this one did not.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    failed: int = 0
    whole: bool = True
    held_by: str | None = None


class Pass(ABC):
    """Goes through one mailbox, of which no other process reads meanwhile.

    Args:
        mailbox: Letters arrive in it.
        ledger: Keeps who reads the mailbox, and when it was read through.
        clock: Now, aware.
        holder: Names this process in the lease; None: by its number and start.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        ledger: Ledger,
        clock: Callable[[], datetime],
        holder: str | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._ledger = ledger
        self._clock = clock
        self._holder = holder

    def once(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """Go through the mailbox once, the oldest letter first.

        When `stop` turns true the letter in hand is finished and the rest stays.

        Raises:
            ConnectionError: mailbox, database or readers are away; nothing is
                counted against any letter, and the next pass goes on.
        """
        with ProcessLease(self._ledger, mailbox_named(self._mailbox.name), self._holder) as lease:
            if lease.is_held:
                return self.through(lambda: stop() or not lease.is_held)
        log.warning("mailbox.held", mailbox=self._mailbox.name, holder=lease.held_by)
        return Passed(whole=False, held_by=lease.held_by)

    @abstractmethod
    def through(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """The same without a lease, for a mailbox that nobody else reads."""

    def _passed(self) -> None:
        """Note that the mailbox was read through."""
        with self._ledger.transaction() as store:
            store.mailboxes.passed(self._mailbox.name, self._clock())

    def _uids(self) -> dict[str, int]:
        """UIDs by the keys of the arrivals, in their order."""
        uidvalidity, uids = self._mailbox.uids()
        name, folder = self._mailbox.name, self._mailbox.folder
        return {Location(name, folder, uidvalidity, uid).key: uid for uid in uids}

    def _filed(self, uids: Sequence[int], outcome: Outcome) -> MailboxUnavailable | None:
        """Move letters to the folder for their outcome; a refusal of the server is logged."""
        try:
            self._mailbox.file(uids, outcome)
        except MailboxUnavailable as fault:
            log.warning(
                "letter.not_filed", mailbox=self._mailbox.name, count=len(uids), error=str(fault)
            )
            return fault
        return None


class Collector(Pass):
    """Reads one mailbox, pass by pass, and brings its letters to their verdicts.

    Args:
        mailbox: Letters arrive in it.
        worker: Brings them to their verdicts.
        ledger: Keeps who reads the mailbox, and when it was read through.
        clock: Now, aware.
        holder: Names this process in the lease; None: by its number and start.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        worker: Worker,
        ledger: Ledger,
        clock: Callable[[], datetime],
        holder: str | None = None,
    ) -> None:
        super().__init__(mailbox, ledger, clock, holder)
        self._worker = worker
        # Who each letter that waits claims to be from, and whom its own words prove.
        self._senders: dict[str, str] = {}
        self._proven: dict[str, str] = {}

    def through(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """See `Pass.through`."""
        with self._worker as worker:
            whole = self._collect(stop)
        if whole:
            self._passed()
        return Passed(dict(worker.outcomes), worker.failed, whole)

    def _collect(self, stop: Callable[[], bool]) -> bool:
        """Hand every letter over and file it; False when it was stopped.

        A server that refuses to file is told at the end: the verdicts are kept, and
        other letters need not wait for it.
        """
        faults: list[MailboxUnavailable] = []
        begun: set[str] = set()
        while self._round(begun, faults, stop):
            # A sender has become heavy, or only heavy ones are left: list new letters first.
            pass
        if faults:
            raise faults[0]
        return not stop()

    def _round(
        self, begun: set[str], faults: list[MailboxUnavailable], stop: Callable[[], bool]
    ) -> bool:
        """Handle what waits, as far as its turn has come; whether something is left.

        Args:
            begun: Keys of letters that this pass has had in hand; more are added.
            faults: Of filing; more are added.
            stop: Ends it before the next letter.
        """
        uids, turns = self._uids(), self._worker.turns
        settled = self._worker.settled
        for gone in settled.keys() - uids.keys():
            del settled[gone]
        self._file(uids, faults)
        waiting = [key for key in uids if key not in settled and key not in begun]
        light, heavy = self._in_turn(uids, waiting) if turns.refresh() else (waiting, [])
        done = 0
        with closing(one_ahead(self._batches(uids, light))) as batches:
            for batch in batches:
                if stop() or turns.risen:
                    break
                self._worker.work(batch, lambda: stop() or turns.risen)
                begun |= self._worker.ended
                self._file(uids, faults)
                done += len(batch)
                if done < len(waiting):
                    self._tell_progress(done, len(waiting))
        if stop() or turns.risen:
            return not stop()
        return bool(heavy) and self._heavy(uids, heavy, begun, faults, stop)

    def _tell_progress(self, done: int, of: int) -> None:
        name = self._mailbox.name
        with self._ledger.transaction() as store:
            store.installation.server_works(mailbox_named(name), self._clock())
        self._worker.turns.save()
        log.info("mailbox.progress", mailbox=name, done=done, of=of)

    def _in_turn(
        self, uids: Mapping[str, int], waiting: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Letters of those who have cost little, in their order; and the others, by their cost."""
        unknown = {uids[key]: key for key in waiting if key not in self._senders}
        for uid, header in self._mailbox.headers(list(unknown)):
            if uid in unknown:
                self._senders[unknown[uid]] = claimed_by(header, self._worker.intake)
        self._senders = {key: self._senders.get(key, "") for key in waiting}
        self._proven = {key: code for key, code in self._proven.items() if key in self._senders}
        ranks = self._worker.turns.ranks(self._senders, self._proven)
        light = [key for key in waiting if not ranks[key]]
        return light, in_turn([key for key in waiting if ranks[key]], ranks)

    def _heavy(
        self,
        uids: Mapping[str, int],
        heavy: Sequence[str],
        begun: set[str],
        faults: list[MailboxUnavailable],
        stop: Callable[[], bool],
    ) -> bool:
        """Look who of the heavy proves to be somebody else, or bring a few to their verdicts.

        Returns whether something is left; arguments as of `_round`.
        """
        unseen = [key for key in heavy if key not in self._proven][:LOOKED_AT_ONCE]
        if len(heavy) <= HEAVY_AT_ONCE:
            # All are in hand at once: there is nobody to wait for.
            unseen = []
        spent = 0.0
        for raw in chain.from_iterable(self._batches(uids, unseen)):
            if stop() or spent > LOOKED_SECONDS:
                break
            code, seconds = self._worker.code_proven_by_words(raw)
            self._proven[raw.arrival.key] = code
            spent += seconds
        else:
            # Also those that the server did not give.
            self._proven = {**dict.fromkeys(unseen, ""), **self._proven}
        if any(self._proven.get(key) for key in unseen):
            return not stop()
        few = heavy[:HEAVY_AT_ONCE]
        for batch in self._batches(uids, few):
            if stop():
                return False
            self._worker.work(batch, stop)
            self._file(uids, faults)
        begun.update(few)
        return not stop() and len(heavy) > len(few)

    def _batches(
        self, uids: Mapping[str, int], waiting: Sequence[str]
    ) -> Iterator[list[RawLetter]]:
        """Letters to handle together; those that failed twice come last, each alone.

        A letter that the ledger has a verdict for is fetched like any other: its
        bytes say which letter it is. A server restored from a backup gives the
        same UID to another one.
        """
        tired = self._worker.look_up(self._mailbox.name, waiting)
        ripe = [key for key in waiting if key not in self._worker.resting]
        calm = self._mailbox.fetch([uids[key] for key in ripe if key not in tired])
        alone = self._mailbox.fetch([uids[key] for key in ripe if key in tired])
        return chain(calm, ([raw] for batch in alone for raw in batch))

    def _file(self, uids: Mapping[str, int], faults: list[MailboxUnavailable]) -> None:
        """Move letters to the folders for their outcomes: one MOVE for each."""
        settled = self._worker.settled
        by_outcome: dict[Outcome, list[str]] = defaultdict(list)
        for key, outcome in settled.items():
            by_outcome[outcome].append(key)
        for outcome, keys in by_outcome.items():
            fault = self._filed([uids[key] for key in keys], outcome)
            if fault is not None:
                faults.append(fault)
                return
            for key in keys:
                del settled[key]


def one_ahead(items: Iterator[_T]) -> Generator[_T, None, None]:
    """The same items; while the caller has one in hand, a thread asks for the next.

    To be closed: it waits for what is asked for.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as thread:
        coming = thread.submit(lambda: list(islice(items, 1)))
        while got := coming.result():
            coming = thread.submit(lambda: list(islice(items, 1)))
            yield from got
