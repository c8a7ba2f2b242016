"""Where the time of one letter goes, without servers and without other processes.

Run as `python -m benchmarks.profiles KIND [read|record|send] [COUNT]`. What a child
does (`read`), what the parent does (`record`), what sending takes (`send`).
"""

from __future__ import annotations

import cProfile
import pickle
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from benchmarks.letters import KINDS, Kind, registry
from config.log import set_up
from config.settings import Database, Settings
from ingest.engine.collect import Collector
from ingest.engine.send import drain
from ingest.engine.work import Worker
from ingest.letters.terms import Arrival, RawLetter, Read
from ingest.operations import registry as service
from ingest.reading.documents import read_bytes
from ingest.wiring.service import Service, now
from storage.ledger import Ledger
from storage.records.letters import Location
from storage.records.replies import OwedReply


class _Box:
    """A mailbox in memory."""

    name, folder = "main", "INBOX"

    def __init__(self, letters: Sequence[RawLetter]) -> None:
        self.letters = letters

    def uids(self) -> tuple[int, Sequence[int]]:
        return 1, [_uid(letter) for letter in self.letters]

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        for start in range(0, len(self.letters), 50):
            yield [x for x in self.letters[start : start + 50] if _uid(x) in uids]

    def file(self, uids: Sequence[int], outcome: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def _uid(raw: RawLetter) -> int:
    return Location.of(raw.arrival.source, raw.arrival.key).uid


class _ReadBefore:
    """Gives what was read before, as it comes out of the pipe to a child."""

    def __init__(self, reads: dict[int, bytes]) -> None:
        self._reads = reads

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        return [self._read(raw) for raw in letters]

    def _read(self, raw: RawLetter) -> Future[Read]:
        future: Future[Read] = Future()
        future.set_result(pickle.loads(self._reads[_uid(raw)]))
        return future

    def mark(self, _raw: RawLetter, _wanted: object) -> dict[str, object]:
        return {}

    def close(self) -> None:
        """Nothing."""


class _Held:
    """CPU time for which SQLite's one writer is held."""

    def __init__(self, ledger: Ledger) -> None:
        self.seconds = 0.0
        whole = ledger._one_writer  # noqa: SLF001

        @contextmanager
        def timed() -> Iterator[None]:
            with whole():
                began = time.thread_time()
                yield
                self.seconds += time.thread_time() - began

        ledger._one_writer = timed  # type: ignore[method-assign] # noqa: SLF001


class _Postman:
    def send(self, reply: OwedReply) -> None:
        """Nothing."""


def _raw(kind: Kind, count: int, first: int) -> list[RawLetter]:
    return [
        RawLetter(
            Arrival("main", f"INBOX/1/{first + number}", letter.received_at, len(letter.content)),
            letter.content,
        )
        for number, letter in enumerate(kind.letters(count, first), 1)
    ]


def _measured(title: str, count: int, work: Callable[[], object], *, told: bool) -> None:
    # CPU: what waits for a disk or for others is not work.
    profile = cProfile.Profile(time.process_time)
    started = time.process_time()
    if told:
        profile.enable()
    work()
    profile.disable()
    print(f"{title}: {(time.process_time() - started) / count * 1000:.2f} ms per letter")
    if told:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def main() -> None:
    kind = KINDS[sys.argv[1]]
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    count = int(sys.argv[3]) if len(sys.argv) > 3 else kind.count
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/profile.db"
        app = Service(Settings(database=Database(url=url)))
        set_up(file=str(Path(folder) / "log"))
        app.ledger.migrate()
        service.import_registry(app, registry([kind]), "bench", with_passwords=True, dry_run=False)
        _profile(app, kind, count, wanted)
        app.ledger.close()


def _profile(app: Service, kind: Kind, count: int, wanted: str) -> None:
    warm, letters = _raw(kind, kind.senders, 0), _raw(kind, count, kind.senders)
    known: dict[int, bytes] = {}

    def read(which: Sequence[RawLetter]) -> None:
        for raw in which:
            known[_uid(raw)] = pickle.dumps(read_bytes(raw.content, app.limits, app.layouts))

    def record(which: Sequence[RawLetter]) -> None:
        worker = Worker(_ReadBefore(known), app.ledger, app.intake, now)
        Collector(_Box(which), worker, app.ledger, now).once()

    def send() -> None:
        drain(app.ledger, _Postman(), now)

    held = _Held(app.ledger)
    read(warm)
    _measured("read", count, lambda: read(letters), told=wanted == "read")
    record(warm)
    send()
    held.seconds = 0.0
    _measured("record", count, lambda: record(letters), told=wanted == "record")
    print(f"of it with the one writer in hand: {held.seconds / count * 1000:.2f} ms per letter")
    _measured("send", count, send, told=wanted == "send")


if __name__ == "__main__":
    main()
