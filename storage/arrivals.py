"""Letters whose raw bytes wait in the database for a worker, and the processes there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from storage.columns import instant
from storage.records.running import Process, Waiting, WaitingArrival
from storage.session import Part

SILENT_SECONDS = 30
"""A process without a heartbeat for so long, by the database's clock, counts as dead."""

FORGOTTEN_SECONDS = 24 * 3600
"""For how long a process without a heartbeat is still listed."""


class Arrivals(Part):
    """Arrivals between a mailbox and a verdict, for installations of several processes."""

    matter = "arrivals"

    @property
    def connection(self) -> Any:
        """The driver's own connection: a queue in the same database defers jobs on it."""
        return self._driver.raw

    def announce(self, arrivals: Sequence[WaitingArrival]) -> list[int | None]:
        """The number of each, in their order; None of one that is known already."""
        numbers = []
        for one in arrivals:
            number = self._sql.value(
                "announce",
                source=one.source,
                key=one.key,
                received_at=one.received_at,
                size=one.size,
                content=one.content,
                held=len(one.content),
                header_only=one.header_only,
                missing=one.missing,
            )
            numbers.append(None if number is None else int(number))
        return numbers

    def carry(self, numbers: Sequence[int], job: int) -> None:
        """Note the job that carries these arrivals."""
        self._sql.change("carry", keys=numbers, job=job)

    def take(self, numbers: Sequence[int], holder: str) -> list[WaitingArrival]:
        """Take those without a verdict for `holder`, in the order of their numbers."""
        rows = self._sql.rows("take", keys=numbers, holder=holder)
        return [_waiting(row) for row in sorted(rows, key=lambda row: row.id)]

    def headers(self, numbers: Sequence[int], most: int) -> dict[int, bytes]:
        """The first bytes of each that waits, at most so many."""
        rows = self._listed("headers", numbers, most=most)
        return {row.id: bytes(row.header) for row in rows}

    def settle(self, source: str, key: str, outcome: str) -> None:
        """Keep an arrival's outcome and drop its bytes; a no-op when it is gone."""
        self._sql.change("settle", source=source, key=key, outcome=outcome)

    def put_off(self, numbers: Sequence[int], seconds: float) -> None:
        """Put arrivals off by so many seconds, free for any process."""
        self._sql.change("put_off", keys=numbers, seconds=max(0, round(seconds)))

    def of_source(self, source: str) -> Mapping[str, str | None]:
        """By key what is under way, with the outcome of what is settled and not put away."""
        return {row.key: row.outcome for row in self._sql.rows("of_source", source=source)}

    def has_settled(self, source: str) -> bool:
        """Whether a source has settled arrivals that are not filed."""
        return bool(self._sql.value("settled", source=source))

    def forget(self, source: str, keys: Collection[str]) -> None:
        """Delete arrivals that are filed; those without a verdict stay."""
        for piece in self._pieces(list(keys)):
            self._sql.change("forget", source=source, keys=piece)

    def held(self) -> int:
        """Bytes of all arrivals without a verdict."""
        return int(self._sql.value("held") or 0)

    def waiting(self) -> Waiting:
        """Number, bytes and age of the arrivals without a verdict."""
        [row] = self._sql.rows("waiting", silent=SILENT_SECONDS)
        oldest = None if row.oldest is None else instant(row.oldest)
        return Waiting(row.letters, int(row.held), oldest, row.stalled)

    def in_hands_of(self, holders: Sequence[str]) -> list[int]:
        """Jobs whose arrivals some processes have."""
        return [int(row.job) for row in self._listed("in_hands_of", holders)]

    def beat(self, holder: str, role: str, version: str) -> None:
        """Write a process's heartbeat."""
        self._sql.change("beat", holder=holder, role=role, version=version)
        self._sql.change("forget_silent", silent=FORGOTTEN_SECONDS)

    def left(self, holder: str) -> None:
        """Delete a process's heartbeat and free what it holds."""
        self._sql.change("left", holder=holder)

    def processes(self) -> list[Process]:
        """Processes with a heartbeat within a day."""
        return [
            Process(
                row.holder,
                row.role,
                row.version,
                instant(row.began_at),
                instant(row.beat_at),
                row.silent < SILENT_SECONDS,
            )
            for row in self._sql.rows("processes")
        ]


def _waiting(row: Any) -> WaitingArrival:
    return WaitingArrival(
        source=row.source,
        key=row.key,
        received_at=instant(row.received_at),
        size=row.size,
        content=bytes(row.content or b""),
        header_only=bool(row.header_only),
        missing=bool(row.missing),
        number=row.id,
    )
