"""The hostile corpus against the running service: `python -m tests.hostile.against_the_service`.

Each letter is put into the mailbox of the real daemon, an ordinary one after it.
What became of them is written into docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.demo.servers import PASSWORD, USER, ImapServer, SmtpServer
from storage.records import LetterState, LetterSummary
from tests.end_to_end.installation import ROOT, Installation
from tests.end_to_end.servers import DOVECOT, Account, Dovecot
from tests.hostile.corpus import CORPUS, MB, Hostile, ordinary

REPORT = ROOT / "docs" / "reliability.md"
TITLE = "## Hostile letters"
GREEDY = frozenset(
    {
        "xml-of-a-million-elements",
        "xml-of-a-million-namespaces",
        "one-hour-two-hundred-thousand-times",
        "twenty-thousand-points",
        "xml-of-a-million-attributes",
        "gzip-bomb",
        "zip-bomb",
        "workbook-of-formulas",
    }
)
RECEIVED_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECONDS_MOST = 180.0
MEMORY_MOST = 1024 * MB


@dataclass(frozen=True)
class Measured:
    """What became of one hostile letter, and of the ordinary one after it."""

    letter: Hostile
    size: int
    verdict: str
    told: str
    seconds: float
    peak: int
    after: str
    after_seconds: float


class Memory(threading.Thread):
    """The memory of a process and all its descendants, again and again.

    A page that several of them share is counted once (PSS).
    """

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, sum(map(_memory, _family(self._process))))

    def end(self) -> None:
        self._ended.set()
        self.join()


def _family(process: int) -> Iterator[int]:
    yield process
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Service(Installation):
    """The service with its true limits, that may answer one address without end."""

    def _text(self) -> str:
        return super()._text() + "\n[replies]\nper_address_per_day = 100000\n"

    def settled(self, count: int) -> LetterSummary:
        """The newest letter, once so many have their verdicts and all are filed."""

        def is_done() -> bool:
            rows = self.letters()
            done = len(rows) == count and all(row.state is not LetterState.CLAIMED for row in rows)
            return done and not self.account.count("INBOX")

        self.wait_until(is_done, SECONDS_MOST)
        return max(self.letters(), key=lambda row: row.id)

    def told(self, letter: int | None = None) -> str:
        """The end of the log; of one letter, what it was told."""
        if letter is None:
            return super().told()
        with self.ledger.reading() as store:
            history = store.letters.details(letter)
        found = [item.code for item in history.findings]
        found += [item.code for one in history.submissions for item in one.findings]
        return ", ".join(dict.fromkeys(map(str, found)))


@contextlib.contextmanager
def mailbox() -> Iterator[tuple[str, Account]]:
    """An empty account, on Dovecot where it is installed."""
    if not DOVECOT:
        with ImapServer() as server:
            yield "pymap", Account(port=server.port, user=USER, password=PASSWORD)
        return
    dovecot = Dovecot()
    try:
        dovecot.start()
        yield "Dovecot", dovecot.account()
    finally:
        dovecot.close()


def measured(service: Service, process: int) -> Iterator[Measured]:
    """Each letter in turn, an ordinary one after it."""
    count = len(service.letters())
    for number, letter in enumerate(CORPUS):
        content = letter.make()
        try:
            service.account.append(content or b"\r\n", at=RECEIVED_AT)
        except imaplib.IMAP4.error:
            print(f"{letter.name}: the mail server does not take it", file=sys.stderr)
            continue
        memory, started = Memory(process), time.monotonic()
        memory.start()
        row = service.settled(count + 1)
        seconds = time.monotonic() - started
        service.account.append(ordinary(number), at=RECEIVED_AT)
        after = service.settled(count + 2)
        after_seconds = time.monotonic() - started - seconds
        memory.end()
        count += 2
        yield Measured(
            letter,
            len(content),
            row.outcome or row.state.value,
            service.told(row.id),
            seconds,
            memory.peak,
            after.outcome or after.state.value,
            after_seconds,
        )


@dataclass(frozen=True)
class Crowd:
    """What the greediest letters cost when they arrive together."""

    seconds: float
    peak: int


def crowded(service: Service, process: int) -> Crowd:
    """Every reader busy with a letter that wants all the memory there is."""
    count = len(service.letters())
    letters = [letter.make() for letter in CORPUS if letter.name in GREEDY]
    assert len(letters) == len(GREEDY)
    # Bytes that were here before are only filed.
    again = [b"X-Again: yes\r\n" + content for content in letters]
    memory, started = Memory(process), time.monotonic()
    memory.start()
    service.account.append(*again, at=RECEIVED_AT)
    service.settled(count + len(again))
    memory.end()
    return Crowd(time.monotonic() - started, memory.peak)


def table(rows: list[Measured], crowd: Crowd, server: str) -> str:
    """The section of the report."""
    accepted = sum(row.after == "accepted" for row in rows)
    quarantined = sum(row.verdict == "quarantined" for row in rows)
    slowest = max(row.seconds for row in rows)
    peak = max(row.peak for row in rows)
    after = max(row.after_seconds for row in rows)
    lines = [
        TITLE,
        "",
        f"`make hostile` puts {len(rows)} letters that were made to hurt",
        "(`tests/hostile/corpus.py`) into the mailbox of the running service, with its default",
        f"limits, on {server} and SQLite; after each of them an ordinary letter. Time is from a",
        "letter's arrival to its verdict, IDLE, reply and filing included. Memory is the peak of",
        "the whole service: the sum over all its processes, a page that several of them share",
        "counted once (PSS). In the end the greediest of them arrive together.",
        "",
        f"- ordinary letters accepted: {accepted} of {len(rows)}, the slowest in {after:.1f} s",
        f"- letters that a person had to look at: {quarantined}",
        f"- the slowest hostile letter: {slowest:.1f} s; the highest memory: {peak / MB:.0f} MB",
        f"- {len(GREEDY)} greedy letters at once: {crowd.seconds:.1f} s, {crowd.peak / MB:.0f} MB",
        f"- on {os.cpu_count()} processors with Python {platform.python_version()}",
        "",
        "| letter | kB | verdict | told | seconds | peak MB |",
        "|---|--:|---|---|--:|--:|",
    ]
    lines += [
        f"| {row.letter} | {row.size // 1024} | {row.verdict} | {row.told} "
        f"| {row.seconds:.1f} | {row.peak / MB:.0f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def report(section: str, title: str = TITLE) -> None:
    """Put the section in the place of the one from before, or at the end."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else "# Reliability\n"
    before, _, old = text.partition(title)
    _, mark, after = old.partition("\n## ")
    REPORT.write_text(f"{before.rstrip()}\n\n{section}{mark}{after}", encoding="utf-8")


def main() -> int:
    rows: list[Measured] = []
    with (
        tempfile.TemporaryDirectory(prefix="ingest-hostile-") as folder,
        mailbox() as (server, account),
        SmtpServer(lambda _recipient, _content: None) as smtp,
    ):
        url = f"sqlite:///{folder}/ingest.db"
        service = Service(Path(folder), url, account, smtp.port, every_seconds=5.0)
        with service.running() as process:
            account.append(ordinary(len(CORPUS)), at=RECEIVED_AT)
            service.settled(1)
            for row in measured(service, process.pid):
                rows.append(row)
                print(
                    f"{row.letter!s:45}{row.verdict:16}{row.seconds:6.1f} s"
                    f"{row.peak / MB:6.0f} MB  {row.told}",
                    flush=True,
                )
            crowd = crowded(service, process.pid)
        service.ledger.close()
    report(table(rows, crowd, server))
    unhurt = all(row.after == "accepted" and row.verdict != "quarantined" for row in rows)
    peak = max(crowd.peak, *(row.peak for row in rows))
    return 0 if unhurt and peak < MEMORY_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
