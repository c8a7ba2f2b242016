"""Letters brought to their verdicts, in order: read ahead by children, recorded a few at once.

A small letter is read in a millisecond or two; asking a child for it and committing it
cost as much again. So a few letters are claimed and recorded together, and the small
ones among them are read together as well.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, islice, takewhile
from typing import Self

import structlog

from ingest.engine.fair import Turns, claimed_by
from ingest.engine.ports import Ledger
from ingest.intake.attempt import (
    Claimed,
    Intake,
    Proven,
    attempt,
    canonical,
    fail,
    place,
    record,
    tell_returned,
    work_out,
)
from ingest.intake.authenticate import MustWait, ProofOutdated, Session
from ingest.intake.faults import described
from ingest.intake.outcome import Handled
from ingest.letters.terms import Outcome, RawLetter, Read
from ingest.reading import Reader
from storage.records.letters import Claim, LetterState, Location

log = structlog.get_logger()

ALONE_AFTER = 2
"""After so many attempts a letter is read alone, last: one that crashes us must not fail others."""

WINDOW_BYTES = 32 * 1024 * 1024
WINDOW_LETTERS = 24
"""How far readers may be ahead: a trip in each of two children, and one that waits."""

TRIP_LETTERS = 8
TRIP_BYTES = 2 * 1024 * 1024
"""Letters that get one attempt more in one commit, by number and size."""

SMALL_BYTES = 64 * 1024
"""A larger letter goes to its reader alone: reading it takes longer than the round trip."""

GROUP_LETTERS = 16
"""Letters that may be recorded in one commit."""

GROUP_SECONDS = 0.05
"""After so long letters are committed, so that no reply waits for the next ones."""

PROVING_THREADS = 2
"""As many as `Passwords` verifies side by side."""

Told = Callable[[RawLetter, Claim, Handled], None]
"""Called with each letter that has its verdict, after the commit."""


def nobody_is_told(raw: RawLetter, claim: Claim, handled: Handled) -> None:
    """Default observer: does nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """A letter with its identity, and whether an attempt at it ended without a verdict."""

    raw: RawLetter
    sha256: str
    tried: bool = False


class Worker:
    """Brings letters to their verdicts; to be entered for each pass.

    Args:
        told: Called with each letter that has its verdict, after the commit.
        recorders: How many letters are recorded side by side, each in its own
            transaction; those of one sender are recorded in their order.

    Attributes:
        intake: What is done with each letter.
        settled: Verdicts by the arrivals' keys, until the caller takes them out.
        outcomes: Letters by their outcome in this pass.
        failed: Letters that this pass left for another attempt.
        resting: Keys of arrivals that are not to be tried yet.
        turns: What letters cost, by who sends them.
        ended: Keys of letters that are not to be tried again in this pass.
    """

    def __init__(
        self,
        reader: Reader,
        ledger: Ledger,
        intake: Intake,
        clock: Callable[[], datetime],
        told: Told = nobody_is_told,
        recorders: int = 1,
    ) -> None:
        self._recorders = recorders
        self._reader = reader
        self._ledger = ledger
        self.intake = intake
        self._clock = clock
        self._told = told
        # Attempts that a fault left counted, to be taken back by the next pass.
        self._to_give_back: list[int] = []
        self._known: Mapping[str, Claim] = {}
        self.settled: dict[str, Outcome] = {}
        self.resting: set[str] = set()
        self.outcomes: Counter[Outcome] = Counter()
        self.failed = 0
        self.turns = Turns(ledger)
        self.ended: set[str] = set()

    def __enter__(self) -> Self:
        self.outcomes, self.failed, self.ended = Counter(), 0, set()
        self._give_back([])
        self._proving = ThreadPoolExecutor(PROVING_THREADS, thread_name_prefix="prove")
        self._recording = ThreadPoolExecutor(self._recorders, thread_name_prefix="record")
        return self

    def __exit__(self, *_exc: object) -> None:
        # Letters that are still being read are not waited for.
        self._proving.shutdown(wait=False, cancel_futures=True)
        self._recording.shutdown()
        # Behind the last verdict, as its reply waits for SQLite's one writer as well. Costs that
        # cannot be saved now are saved with the next ones.
        with suppress(ConnectionError):
            self.turns.save()

    def look_up(self, source: str, keys: Sequence[str]) -> set[str]:
        """Look arrivals up in the ledger: the keys of those that failed twice.

        They are to come last, each alone.
        """
        places = {key: Location.of(source, key) for key in keys}
        self._known = {}
        with self._ledger.reading() as store:
            for (folder, uidvalidity), group in groupby(
                places, lambda key: (places[key].folder, places[key].uidvalidity)
            ):
                uids = {places[key].uid: key for key in group}
                found = store.letters.known(source, folder, uidvalidity, list(uids))
                self._known |= {uids[uid]: claim for uid, claim in found.items()}
        self.resting = {key for key, claim in self._known.items() if claim.waits}
        return {key for key, claim in self._known.items() if _is_tired(claim)}

    def work(self, batch: Sequence[RawLetter], stop: Callable[[], bool] = lambda: False) -> None:
        """Bring letters to their verdicts, in order, readers running ahead.

        When `stop` turns true the letter in hand is finished and the rest is left.

        Raises:
            ConnectionError: database or readers are away; nothing is counted against
                any letter.
        """
        window: deque[Claimed] = deque()
        finished = 0
        try:
            tried = {key for key, claim in self._known.items() if _is_tried(claim)}
            for trip in trips(batch, tried):
                while window and must_wait(window, trip) and not (finished and stop()):
                    finished += self._finish(window, stop)
                if stop():
                    break
                self._begin(trip, window)
            while window and not (finished and stop()):
                finished += self._finish(window, stop)
        finally:
            self._give_back(window)

    def _begin(self, trip: Sequence[Found], window: deque[Claimed]) -> None:
        """Count the attempt of each letter, just before a reader gets them."""
        started = time.monotonic()
        begun: list[Claimed] = []
        for found, claim in zip(trip, self._claimed(trip), strict=True):
            raw = found.raw
            if isinstance(claim, Exception):
                self.failed += 1
                self.ended.add(raw.arrival.key)
                log.error(
                    "letter.failed", letter=None, **place(raw), attempts=0, **described(claim)
                )
            elif claim.state is not LetterState.CLAIMED:
                self._already(raw, claim)
            else:
                begun.append(Claimed(raw, found.sha256, claim, Future(), Future(), started))
        # From here on their attempts are taken back when the pass ends.
        window.extend(begun)
        for load in loads(letter for letter in begun if not letter.is_hopeless()):
            futures = self._reader.read_together([letter.raw for letter in load])
            for letter, reading in zip(load, futures, strict=True):
                letter.reading = reading
                letter.proven = self._proving.submit(self._prove, reading)

    def _prove(self, reading: Future[Read]) -> Proven:
        read = reading.result()
        began = time.thread_time()
        proof = self.intake.prove(read)
        return Proven(read, proof, time.thread_time() - began)

    def _prove_again(self, proven: Proven) -> Proven:
        return Proven(proven.read, self.intake.prove(proven.read, afresh=True))

    def code_proven_by_words(self, raw: RawLetter) -> tuple[str, float]:
        """The code that a letter's header and bodies prove, '' for none; and what that cost.

        No document in it is opened, and no attempt is counted. The cost is in CPU seconds.

        Raises:
            ConnectionError: database or readers are away.
        """
        (reading,) = self._reader.read_together([replace(raw, words_only=True)])
        proven = attempt(lambda: self._prove(reading))
        if isinstance(proven, Exception):
            return "", 0.0
        proof, spent = proven.proof, proven.read.cpu_seconds + proven.cpu_seconds
        if isinstance(proof, Session):
            return proof.user_code, spent
        return (proof.claims.name if proof.is_right else ""), spent

    def _claimed(self, trip: Sequence[Found]) -> Sequence[Claim | Exception]:
        """The ledger's rows of a trip's letters: in one commit, or one by one after a fault."""
        if len(trip) > 1:
            # What only conflicted with another process succeeds one by one.
            with suppress(ConnectionError):
                claims = attempt(lambda: self._claim(trip))
                if not isinstance(claims, Exception):
                    return claims
        each = [attempt(lambda: self._claim([found])) for found in trip]  # noqa: B023
        return [claim if isinstance(claim, Exception) else claim[0] for claim in each]

    def _claim(self, trip: Sequence[Found]) -> list[Claim]:
        # Nobody is told of a claim before its verdict is synced; no letter cuts the power.
        with self._ledger.transaction(synced=False) as store:
            now = self._clock()
            return [
                store.letters.claim(
                    Location.of(raw.arrival.source, raw.arrival.key),
                    found.sha256,
                    raw.size,
                    raw.received_at,
                    now,
                )
                for found in trip
                if (raw := found.raw)
            ]

    def _already(self, raw: RawLetter, claim: Claim) -> None:
        """File a letter whose bytes have their verdict, where the first one is."""
        first = Outcome(claim.outcome or Outcome.QUARANTINED)
        self.settled[raw.arrival.key] = first
        self.ended.add(raw.arrival.key)
        self._told(raw, claim, Handled(Outcome.DUPLICATE))
        if self.knew(raw, claim):
            # Not a copy: the very letter, whose move a crash prevented.
            log.info("letter.filed_late", letter=claim.letter, **place(raw), verdict=first.value)
            return
        self.outcomes[Outcome.DUPLICATE] += 1
        log.info(
            "letter.duplicate",
            letter=claim.letter,
            **place(raw),
            verdict=Outcome.DUPLICATE.value,
            first=first.value,
        )

    def knew(self, raw: RawLetter, claim: Claim) -> bool:
        """Whether the ledger knew the letter at this very place before this pass."""
        before = self._known.get(raw.arrival.key)
        return before is not None and before.letter == claim.letter

    def _finish(self, window: deque[Claimed], stop: Callable[[], bool]) -> int:
        """Bring the head of the window to its verdict, as far as it is read: how many."""
        head = window[0]
        proven = attempt(head.proven.result)
        if isinstance(proven, Exception):
            done: list[tuple[Claimed, Handled | Exception]] = [(head, proven)]
        else:
            done = self._side_by_side(ready(window), stop)
        for letter, result in done:
            self._charge(letter, result)
        kept = [(letter, handled) for letter, handled in done if isinstance(handled, Handled)]
        for letter, handled in kept:
            log.info(_EVENTS[handled.outcome], **canonical(letter, handled))
            tell_returned(handled)
            self._settle(window, letter, handled)
        failed = [(letter, error) for letter, error in done if isinstance(error, Exception)]
        for letter, error in failed:
            if isinstance(error, ProofOutdated):
                letter.proven = self._proving.submit(self._prove_again, letter.proven.result())
                continue
            if isinstance(error, MustWait):
                self._put_off(window, letter, error)
                continue
            quarantined = fail(letter, error, self.intake, self._ledger, self._clock())
            if quarantined is None:
                window.remove(letter)
                self.ended.add(letter.raw.arrival.key)
                self.failed += 1
            else:
                self._settle(window, letter, quarantined)
        return len(done)

    def _charge(self, letter: Claimed, result: Handled | Exception) -> None:
        """Count what a letter has cost, whatever became of it."""
        if letter.read is None:
            return
        entity = result.entity if isinstance(result, Handled) else None
        sender = claimed_by(letter.raw.content, self.intake)
        seconds = letter.cpu_seconds or letter.read.cpu_seconds
        self.turns.charge(entity.user_code if entity else "", sender, seconds)

    def _put_off(self, window: deque[Claimed], letter: Claimed, why: MustWait) -> None:
        """Put off a letter whose user code was guessed at too often."""
        sender = letter.read.letter.sender if letter.read else ""
        rest = why.until - self._clock()
        with self._ledger.transaction() as store:
            store.letters.wait(letter.claim.letter, rest, sender, why.user_code, str(why))
        window.remove(letter)
        self.ended.add(letter.raw.arrival.key)
        log.warning(
            "letter.waits",
            letter=letter.claim.letter,
            **place(letter.raw),
            user_code=why.user_code,
            until=why.until.isoformat(),
        )

    def _settle(self, window: deque[Claimed], letter: Claimed, handled: Handled) -> None:
        """Take a letter that has its verdict out of the window."""
        window.remove(letter)
        self.ended.add(letter.raw.arrival.key)
        self.settled[letter.raw.arrival.key] = handled.outcome
        self.outcomes[handled.outcome] += 1
        self._told(letter.raw, letter.claim, handled)

    def _side_by_side(
        self, letters: Sequence[Claimed], stop: Callable[[], bool]
    ) -> list[tuple[Claimed, Handled | Exception]]:
        """What became of letters, each sender's in their order, several senders' at once.

        Raises:
            ConnectionError: of time, and nothing was recorded.
        """
        side_by_side = lanes(letters, self._recorders)
        if len(side_by_side) == 1:
            return self._recorded(letters, stop)
        begun = [self._recording.submit(self._recorded, lane, stop) for lane in side_by_side]
        done: list[tuple[Claimed, Handled | Exception]] = []
        fault: OSError | None = None
        for work in begun:
            try:
                done += work.result()
            except OSError as error:
                fault = error
        if fault is not None and not done:
            raise fault
        # What was kept is told; the fault comes again with the letters that are left.
        return done

    def _recorded(
        self, letters: Sequence[Claimed], stop: Callable[[], bool]
    ) -> list[tuple[Claimed, Handled | Exception]]:
        """What became of letters, the oldest first: of as many as there was time for."""
        if len(letters) > 1:
            done = attempt(lambda: self._committed(letters, stop))
            if not isinstance(done, Exception):
                return done
        # The fault may be of the commit, and is judged by what each does alone.
        alone = attempt(lambda: self._committed(letters[:1], stop))
        return [(letters[0], alone)] if isinstance(alone, Exception) else alone

    def _committed(
        self, letters: Sequence[Claimed], stop: Callable[[], bool]
    ) -> list[tuple[Claimed, Handled | Exception]]:
        """Readings, reply and verdict of each letter in one; several letters at once."""
        if not self._ledger.many_write:
            letters = self._worked_out(letters, stop)
        done: list[tuple[Claimed, Handled | Exception]] = []
        until = time.monotonic() + GROUP_SECONDS
        with self._ledger.together() as ledger:
            for letter in letters:
                try:
                    handled = attempt(
                        lambda: record(letter, self.intake, ledger, self._clock())  # noqa: B023
                    )
                except OSError:
                    # Of time. Those that are kept must be told of; it comes again at the head.
                    if not done or not ledger.each_lasts:
                        raise
                    break
                done.append((letter, handled))
                if stop() or time.monotonic() > until:
                    break
        return done

    def _worked_out(self, letters: Sequence[Claimed], stop: Callable[[], bool]) -> list[Claimed]:
        """As many letters as there was time for, worked out while others may write.

        A sender's second letter is judged by what the first one changes: not yet.
        """
        until = time.monotonic() + GROUP_SECONDS
        begun: list[Claimed] = []
        senders: set[str] = set()
        with self._ledger.reading() as store:
            for letter in letters:
                ahead = sum(len(one.proven.result().read.parsed) for one in begun)
                begun.append(letter)
                letter.foreseen = None
                if (sender := _sender(letter)) not in senders:
                    senders.add(sender)
                    # A fault of ours comes again, and is counted, when it is recorded.
                    attempt(lambda: work_out(letter, self.intake, store, self._clock(), ahead))  # noqa: B023
                if stop() or time.monotonic() > until:
                    break
        return begun

    def _give_back(self, window: Iterable[Claimed]) -> None:
        """Take back the attempts of letters that got no verdict; later if not now."""
        for letter in window:
            letter.cancel()
            self._to_give_back.append(letter.claim.letter)
        if not self._to_give_back:
            return
        try:
            with self._ledger.transaction() as store:
                for number in self._to_give_back:
                    store.letters.unclaim(number)
        except ConnectionError:
            return
        self._to_give_back.clear()


_EVENTS = {outcome: f"letter.{outcome}" for outcome in Outcome}


def _is_tried(claim: Claim) -> bool:
    return claim.state is LetterState.CLAIMED and claim.attempts > 0


def _is_tired(claim: Claim) -> bool:
    return claim.state is LetterState.CLAIMED and claim.attempts >= ALONE_AFTER


# Which letters go together.


def trips(batch: Sequence[RawLetter], tried: Collection[str]) -> Iterator[list[Found]]:
    """The letters in their order, those together that are claimed together.

    A letter that was tried before goes alone: what ended its reader, or us, must not
    count against others again. The same bytes go once more only when they have their
    verdict.

    Args:
        batch: The letters.
        tried: Keys of those with an attempt that was left without a verdict.
    """
    trip: list[Found] = []
    for raw in batch:
        found = Found(raw, identity(raw), raw.arrival.key in tried)
        if trip and (found.tried or trip[-1].tried or _is_full(trip, found)):
            yield trip
            trip = []
        trip.append(found)
    if trip:
        yield trip


def _is_full(trip: Sequence[Found], more: Found) -> bool:
    """Whether a trip is full."""
    return (
        len(trip) == TRIP_LETTERS
        or sum(len(one.raw.content) for one in (*trip, more)) > TRIP_BYTES
        or any(one.sha256 == more.sha256 for one in trip)
    )


def loads(letters: Iterable[Claimed]) -> Iterator[list[Claimed]]:
    """The letters in their order, those together that go to a reader together."""
    for is_small, group in groupby(letters, lambda one: len(one.raw.content) <= SMALL_BYTES):
        if is_small:
            yield list(group)
        else:
            yield from ([one] for one in group)


def must_wait(window: Sequence[Claimed], trip: Sequence[Found]) -> bool:
    """Whether readers are far enough ahead, or have in hand what must be alone there."""
    if window and (trip[0].tried or window[-1].claim.attempts > 1):
        return True
    ahead = sum(len(letter.raw.content) for letter in window)
    coming = sum(len(found.raw.content) for found in trip)
    return (
        len(window) + len(trip) > WINDOW_LETTERS
        or ahead + coming > WINDOW_BYTES
        or not {letter.sha256 for letter in window}.isdisjoint(found.sha256 for found in trip)
    )


def ready(window: deque[Claimed]) -> list[Claimed]:
    """The letters at the window's head that are read and proven, in their order."""
    head = islice(window, GROUP_LETTERS)
    return list(takewhile(lambda letter: _is_proven(letter.proven), head))


def lanes(letters: Sequence[Claimed], most: int) -> list[list[Claimed]]:
    """Letters that are read and proven, in at most so many lists to be recorded at once.

    Those that name the same legal entity, or else come from the same address, are in
    one list, in their order: what replaces what is decided by the order of recording.
    """
    side_by_side: list[list[Claimed]] = [[] for _ in range(max(1, min(most, len(letters))))]
    of_sender: dict[str, list[Claimed]] = {}
    for letter in letters:
        lane = of_sender.setdefault(_sender(letter), min(side_by_side, key=len))
        lane.append(letter)
    return [lane for lane in side_by_side if lane]


def _sender(letter: Claimed) -> str:
    proven = letter.proven.result()
    if isinstance(proven.proof, Session):
        return proven.proof.user_code
    return proven.proof.claims.name or proven.read.letter.sender


def _is_proven(future: Future[Proven]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def identity(raw: RawLetter) -> str:
    """SHA-256 of the raw bytes: the ledger's second key.

    A letter without its bytes is known by its place, one without its body by
    its header and size, a file that is no letter by its place and bytes.
    """
    if raw.missing:
        place_of_it = Location.of(raw.arrival.source, raw.arrival.key)
        return hashlib.sha256(repr(place_of_it).encode()).hexdigest()
    if not (raw.file_name or raw.header_only):
        return raw.sha256
    digest = hashlib.sha256(raw.content)
    if raw.file_name:
        # The same file once more, perhaps for another entity, is judged anew.
        digest.update(f"{raw.arrival.source} {raw.arrival.key}".encode())
    if raw.header_only:
        digest.update(b"%d" % raw.size)
    return digest.hexdigest()
