"""The hostile corpus against the running service: `python -m tests.hostile.against_the_service`.

Each letter is put into the mailbox of the real daemon, an ordinary one after it.
Then all the greedy ones at once, and an ordinary one behind a thousand costly ones.
What became of them is written into docs/reliability.md. Exits 1 when one cost more than
`CPU_MOST` seconds of a processor, the service more than `MEMORY_MOST`, or the ordinary letter
waited longer than `WAIT_CPU_MOST`. `NAME ...` are the letters that are tried, and nothing is
written then.
"""

from __future__ import annotations

import contextlib
import imaplib
import itertools
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.demo.servers import PASSWORD, USER, ImapServer, SmtpServer
from storage.records.letters import LetterState, LetterSummary
from tests.end_to_end.installation import ROOT, Installation
from tests.end_to_end.servers import DOVECOT, Account, Dovecot
from tests.hostile.corpus import CORPUS, LOGIN, MB, SENDER, Hostile, ordinary

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
CPU_MOST = 0.5
"""Seconds of a processor that one letter may cost the service and its children."""

TRIES = 3
"""The least of so many is what a letter costs: other work on the machine only adds to it."""

LAST = 1000
"""Of ordinary letters that are tried: each has an hour of its own, before it is received."""

THOUSAND = 1000
COSTLY = "workbook-of-words"
WAIT_CPU_MOST = 60.0
"""Seconds of a processor that the service may spend on a thousand costly letters before it
comes to an ordinary one: on two quiet processors half as many on the wall."""

MEMORY_MOST = 450 * MB


@dataclass(frozen=True)
class Measured:
    """What became of one hostile letter, and of the ordinary one after it."""

    letter: Hostile
    size: int
    verdict: str
    told: str
    seconds: float
    cpu: float
    peak: int
    after: str
    after_seconds: float


class Watch(threading.Thread):
    """The memory of a process and all its descendants, and their CPU time, again and again.

    A page that several of them share is counted once (PSS). To count them takes the longer the
    more there are, so it waits after each look, lest it takes a processor from who is watched.
    """

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.peak = 0
        self._before = {one: _cpu(one) for one in family(process)}
        self._seen: dict[int, float] = {}

    def run(self) -> None:
        pause = 0.02
        while not self._ended.wait(pause):
            started = time.thread_time()
            self._look()
            pause = max(0.02, 4 * (time.thread_time() - started))

    def _look(self) -> None:
        those = list(family(self._process))
        # A child that has ended keeps what was seen of it last.
        self._seen.update({one: _cpu(one) for one in those})
        self.peak = max(self.peak, sum(map(_memory, those)))

    @property
    def cpu(self) -> float:
        """Seconds of CPU time since the beginning, of children that have ended, too."""
        self._look()
        used = (now - self._before.get(one, 0.0) for one, now in self._seen.items())
        return sum(each for each in used if each > 0)

    def end(self) -> None:
        self._ended.set()
        self.join()


def family(process: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield process
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


_TICK = os.sysconf("SC_CLK_TCK")


def _cpu(process: int) -> float:
    """Seconds of CPU time of a process; 0 when it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
    return 0.0


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


def measured(
    service: Service, process: int, letters: Sequence[Hostile] = CORPUS
) -> Iterator[Measured]:
    """Each letter in turn, an ordinary one after it; a costly one again, to be sure."""
    numbers = itertools.count()
    for letter in letters:
        content = letter.make() or b"\r\n"
        try:
            tried = [_tried(service, process, letter, content, next(numbers))]
            while tried[-1].cpu > CPU_MOST and len(tried) < TRIES:
                # Bytes that were here before are only filed.
                again = b"X-Again: %d\r\n" % len(tried) + content
                tried.append(_tried(service, process, letter, again, next(numbers)))
        except imaplib.IMAP4.error:
            print(f"{letter.name}: the mail server does not take it", file=sys.stderr)
            continue
        least = min(tried, key=lambda one: one.cpu)
        yield replace(least, peak=max(one.peak for one in tried))


def _tried(
    service: Service, process: int, letter: Hostile, content: bytes, number: int
) -> Measured:
    """What one letter costs, and the ordinary one of that number after it.

    Args:
        service: That reads the mailbox.
        process: Its own.
        letter: That is tried.
        content: Its bytes.
        number: As for `ordinary`.
    """
    count = len(service.letters())
    watch, started = Watch(process), time.monotonic()
    service.account.append(content, at=RECEIVED_AT)
    watch.start()
    row = service.settled(count + 1)
    seconds, cpu = time.monotonic() - started, watch.cpu
    service.account.append(ordinary(number), at=RECEIVED_AT)
    after = service.settled(count + 2)
    after_seconds = time.monotonic() - started - seconds
    watch.end()
    return Measured(
        letter,
        len(content),
        row.outcome or row.state.value,
        service.told(row.id),
        seconds,
        cpu,
        watch.peak,
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
    watch, started = Watch(process), time.monotonic()
    watch.start()
    service.account.append(*again, at=RECEIVED_AT)
    service.settled(count + len(again))
    watch.end()
    return Crowd(time.monotonic() - started, watch.peak)


@dataclass(frozen=True)
class Wait:
    """How long an ordinary letter waited behind a thousand costly ones."""

    seconds: float
    cpu: float
    read: int


@contextlib.contextmanager
def running() -> Iterator[tuple[str, Service, int]]:
    """An installation that has read its first letter: its mail server, itself, its process."""
    with (
        tempfile.TemporaryDirectory(prefix="ingest-hostile-") as folder,
        mailbox() as (server, account),
        SmtpServer(lambda _recipient, _content: None) as smtp,
    ):
        url = f"sqlite:///{folder}/ingest.db"
        service = Service(Path(folder), url, account, smtp.port, every_seconds=5.0)
        with service.running() as process:
            account.append(ordinary(LAST), at=RECEIVED_AT)
            service.settled(1)
            yield server, service, process.pid
        service.ledger.close()


def behind_a_thousand() -> Wait:
    """An ordinary letter, as a thousand costly ones of somebody else lie before it.

    In an installation of its own: here nobody has caused any cost before.
    """
    with running() as (_, service, process):
        return _behind(service, process)


def _behind(service: Service, process: int) -> Wait:
    costly = next(letter for letter in CORPUS if letter.name == COSTLY).make()
    costly = costly.replace(LOGIN, b"").replace(SENDER.encode(), b"anybody@elsewhere.example")
    letters = (b"X-Again: %d\r\n" % n + costly for n in range(THOUSAND))
    service.account.append(*letters, at=RECEIVED_AT)
    last = max(row.id for row in service.letters())
    watch, started = Watch(process), time.monotonic()
    watch.start()
    service.account.append(ordinary(LAST + 1), at=RECEIVED_AT)

    def is_done() -> bool:
        rows = (row for row in service.letters() if row.id > last and row.sender == SENDER)
        return any(row.state is LetterState.DONE for row in rows)

    service.wait_until(is_done, 3 * SECONDS_MOST)
    seconds, cpu = time.monotonic() - started, watch.cpu
    watch.end()
    read = sum(row.id > last and row.state is LetterState.DONE for row in service.letters())
    return Wait(seconds, cpu, read - 1)


def table(rows: list[Measured], crowd: Crowd, wait: Wait, server: str) -> str:
    """The section of the report."""
    accepted = sum(row.after == "accepted" for row in rows)
    quarantined = sum(row.verdict == "quarantined" for row in rows)
    slowest = max(row.seconds for row in rows)
    peak = max(row.peak for row in rows)
    after = max(row.after_seconds for row in rows)
    dearest = max(row.cpu for row in rows)
    lines = [
        TITLE,
        "",
        f"`make hostile` puts {len(rows)} letters that were made to hurt",
        "(`tests/hostile/corpus`) into the mailbox of the running service, with its default",
        f"limits, on {server} and SQLite; after each of them an ordinary letter. Time is from a",
        "letter's arrival to its verdict, IDLE, reply and filing included. CPU is what the service",
        f"and its children used up in that time, all together, the least of {TRIES} tries where",
        "the first was over the bound. Memory is the peak of the whole service: the sum over all",
        "its processes, a page that several share counted once (PSS). In the end the greediest",
        f"of them arrive together, and then {THOUSAND} of `{COSTLY}` of one sender, while more",
        "of them are there than can be read, an ordinary one of another.",
        "",
        f"- ordinary letters accepted: {accepted} of {len(rows)}, the slowest in {after:.1f} s",
        f"- letters that a person had to look at: {quarantined}",
        f"- the slowest hostile letter: {slowest:.1f} s; the highest memory: {peak / MB:.0f} MB",
        f"- the dearest hostile letter: {dearest:.2f} s of a processor; the bound is {CPU_MOST} s",
        f"- {len(GREEDY)} greedy letters at once: {crowd.seconds:.1f} s, {crowd.peak / MB:.0f} MB",
        f"- an ordinary letter behind {THOUSAND} costly ones of another: {wait.seconds:.0f} s,",
        f"  in which {wait.read} of them were read, at {wait.cpu:.1f} s of a processor",
        f"- on {os.cpu_count()} processors with Python {platform.python_version()}",
        "",
        "| letter | kB | verdict | told | CPU s | seconds | peak MB |",
        "|---|--:|---|---|--:|--:|--:|",
    ]
    lines += [
        f"| {row.letter} | {row.size // 1024} | {row.verdict} | {row.told} "
        f"| {row.cpu:.2f} | {row.seconds:.1f} | {row.peak / MB:.0f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def report(section: str, title: str = TITLE) -> None:
    """Put the section in the place of the one from before, or at the end."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else "# Reliability\n"
    before, _, old = text.partition(title)
    _, mark, after = old.partition("\n## ")
    REPORT.write_text(f"{before.rstrip()}\n\n{section}{mark}{after}", encoding="utf-8")


def main(names: Sequence[str] = ()) -> int:
    rows: list[Measured] = []
    chosen = [letter for letter in CORPUS if not names or letter.name in names]
    with running() as (server, service, process):
        for row in measured(service, process, chosen):
            rows.append(row)
            print(
                f"{row.letter!s:45}{row.verdict:16}{row.cpu:6.2f} s CPU{row.seconds:6.1f} s"
                f"{row.peak / MB:6.0f} MB  {row.told}",
                flush=True,
            )
        crowd = crowded(service, process)
    wait = behind_a_thousand()
    if not names:
        report(table(rows, crowd, wait, server))
    unhurt = all(row.after == "accepted" and row.verdict != "quarantined" for row in rows)
    peak = max(crowd.peak, *(row.peak for row in rows))
    over = [str(row.letter) for row in rows if row.cpu > CPU_MOST]
    print(f"peak {peak / MB:.0f} MB; over {CPU_MOST} s of CPU: {', '.join(over) or 'none'}")
    print(f"behind {THOUSAND} costly ones: {wait}")
    within = peak < MEMORY_MOST and not over and wait.cpu < WAIT_CPU_MOST
    return 0 if unhurt and within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
