"""Letters from files brought to their verdicts, replies completed; for good or as a dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Protocol

from ingest.engine.collect import one_ahead
from ingest.engine.ports import Ledger, WholeLedger
from ingest.engine.work import Told, Worker
from ingest.intake.attempt import Intake, complete, marked_reply
from ingest.intake.authenticate import Proof, Session
from ingest.intake.outcome import Handled
from ingest.letters.terms import Marked, Marks, RawLetter, Read
from ingest.reading import Reader
from storage.records.letters import Claim


class LetterSource(Protocol):
    """Letters that lie somewhere and stay there."""

    @property
    def source(self) -> str:
        """The source of their arrivals."""

    @property
    def all_keys(self) -> Sequence[str]:
        """Keys of the letters, in their order."""

    def fetch(self, keys: Sequence[str]) -> Iterator[list[RawLetter]]:
        """The letters in batches."""


def process(
    sources: Sequence[LetterSource],
    reader: Reader,
    ledger: Ledger,
    intake: Intake,
    clock: Callable[[], datetime],
    told: Told,
) -> None:
    """Every letter to its verdict, in order.

    Args:
        sources: Where the letters are.
        reader: Reads and marks them.
        ledger: What they hand in is recorded in it.
        intake: What is done with each.
        clock: Now, aware.
        told: Called with each, after the commit and once its reply is complete.

    Raises:
        ConnectionError: database or readers are away.
    """

    def completed(raw: RawLetter, claim: Claim, handled: Handled) -> None:
        told(raw, claim, complete(raw, handled, reader, ledger))

    worker = Worker(reader, ledger, intake, clock, completed)
    for source in sources:
        _work(worker, source)


def _work(worker: Worker, source: LetterSource) -> None:
    """Letters that failed twice come last, each alone."""
    keys = source.all_keys
    tired = worker.look_up(source.source, keys)
    calm = source.fetch([key for key in keys if key not in tired])
    alone = source.fetch([key for key in keys if key in tired])
    batches = chain(calm, ([raw] for batch in alone for raw in batch))
    with worker, closing(one_ahead(batches)) as ahead:
        for batch in ahead:
            worker.work(batch)


def rehearse(
    sources: Sequence[LetterSource],
    reader: Reader,
    ledger: WholeLedger,
    intake: Intake,
    clock: Callable[[], datetime],
    told: Told,
) -> None:
    """A dry run of `process`: all is rolled back at the end, then `told` is called for each.

    What waits for children and passwords is done before the transaction, or after it.

    Args:
        sources: Files and folders of letters.
        reader: Reads and marks letters.
        ledger: The database.
        intake: What is done with each.
        clock: Now, aware.
        told: Called with each letter.
    """
    done: list[tuple[LetterSource, RawLetter, Claim, Handled]] = []
    before = [_read_before(source, reader, intake) for source in sources]
    with ledger.rehearsal() as rehearsed:
        for source, known in zip(sources, before, strict=True):

            def note(
                raw: RawLetter, claim: Claim, handled: Handled, source: LetterSource = source
            ) -> None:
                done.append((source, replace(raw, content=b""), claim, handled))

            reads, proofs = _ReadBefore(known), _ProvenBefore(known, intake)
            _work(Worker(reads, rehearsed, proofs, clock, note), source)
    for source, raw, claim, handled in done:
        if handled.marking is not None:
            whole = next(chain.from_iterable(source.fetch([raw.arrival.key])))
            reply = marked_reply(whole, handled, reader)
            told(raw, claim, replace(handled, reply=reply, marking=None))
        else:
            told(raw, claim, handled)


@dataclass(frozen=True, slots=True)
class _Known:
    """What letters say, by their keys, and proofs by their SHA-256."""

    reads: Mapping[str, Future[Read]]
    proofs: Mapping[str, Proof | Session]


def _read_before(source: LetterSource, reader: Reader, intake: Intake) -> _Known:
    reads: dict[str, Future[Read]] = {}
    proofs: dict[str, Proof | Session] = {}
    for batch in source.fetch(source.all_keys):
        these = {raw.arrival.key: reader.read_together([raw])[0] for raw in batch}
        for future in these.values():
            if future.exception() is None:
                read = future.result()
                proofs[read.letter.sha256] = intake.prove(read)
        reads |= these
    return _Known(reads, proofs)


class _ReadBefore:
    """A `Reader` of letters that were read before."""

    def __init__(self, known: _Known) -> None:
        self._reads = known.reads

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """Futures that are done."""
        return [self._reads[raw.arrival.key] for raw in letters]

    def mark(self, raw: RawLetter, wanted: Marks) -> Mapping[str, Marked]:
        """Not used: workbooks are marked after the dry run."""
        raise NotImplementedError

    def close(self) -> None:
        """No-op."""


class _ProvenBefore:
    """An intake that knows its proofs."""

    def __init__(self, known: _Known, intake: Intake) -> None:
        self._proofs = known.proofs
        self._intake = intake
        self.foresee = intake.foresee
        self.origin_of = intake.origin_of
        self.receive = intake.receive
        self.notice = intake.notice

    def prove(self, read: Read, *, afresh: bool = False) -> Proof | Session:
        """The proof from before, unless another one is needed."""
        return self._intake.prove(read, afresh=True) if afresh else self._proofs[read.letter.sha256]
