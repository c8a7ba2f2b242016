"""The running service with a fault injected every minute: `python -m tests.end_to_end.soak`.

Letters keep coming meanwhile. A miss, exit 1: a letter lost, a fault that `status` does not tell
within ten seconds, a fault that is not over once it was mended, or memory, descriptors,
threads or database that grow. The figures are written into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from functools import cached_property
from pathlib import Path

from config.settings import load
from ingest import wiring
from ingest.demo.servers import SmtpServer
from ingest.operations.status import status
from storage.records import LetterState
from tests.end_to_end.installation import Installation
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.servers import Account, Dovecot, make_certificate
from tests.hostile.against_the_service import MB, RECEIVED_AT, Watch, report
from tests.hostile.corpus import ordinary
from tests.identity import Provider, identity_provider

TITLE = "## Soak"
SEEN_SECONDS = 10.0
MENDED_SECONDS = 60.0
LETTER_EVERY_SECONDS = 2.0
LOOK_EVERY_SECONDS = 5.0
REFUSED = (400, b'{"error": "invalid_grant", "error_description": "the token has expired"}')


class Service(Installation):
    """Signs in by a token, over TLS, and may answer one address without end."""

    provider = ""

    def _text(self) -> str:
        account = self.account
        assert account.certificate is not None
        authority = account.certificate.with_name("authority.pem")
        text = (
            super()
            ._text()
            .replace(
                f'port = {account.port}\nsecurity = "none"',
                f'port = {account.tls_port}\nsecurity = "tls"\nca_file = "{authority}"'
                '\nauth = "oauth:office"\ntimeout_seconds = 5',
            )
        )
        return f"""{text}
[replies]
per_address_per_day = 1000000
[alarms]
free_mb = 8
[oauth.office]
grant = "client_credentials"
token_url = "{self.provider}/token"
client_id = "client"
client_secret = "secret"
"""

    def needs(self) -> tuple[str, ...]:
        """What `status` tells, or why it cannot be asked."""
        try:
            return status(self.asked, datetime.now(UTC)).needs_a_person
        except ConnectionError as fault:
            return (str(fault),)

    @cached_property
    def asked(self) -> wiring.Service:
        """The service as another process has it."""
        return wiring.Service(load(self.config))


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    Attributes:
        told: What `status` must say of it.
        broken: Breaks it; mended when left.
    """

    name: str
    told: str
    broken: Callable[[], contextlib.AbstractContextManager[None]]


@dataclass
class World:
    """The servers and the disk that faults are injected into."""

    dovecot: Dovecot
    provider: Provider
    smtp: Proxy
    disk: Path
    is_small_disk: bool

    def faults(self) -> list[Fault]:
        mailbox = "mailbox main fails since"
        found = [
            Fault("IMAP server refuses", mailbox, self.no_imap),
            Fault("wrong certificate", f"{mailbox}.*certificate", self.wrong_certificate),
            Fault("SMTP server dead", "outbox fails since", self.no_smtp),
            Fault("token expired", f"{mailbox}.*(invalid_grant|expired)", self.no_token),
            Fault("database locked", "cannot be written to.*locked", self.locked),
        ]
        if self.is_small_disk:
            found.append(Fault("disk full", "MB free", self.full))
        return found

    @contextlib.contextmanager
    def no_imap(self) -> Iterator[None]:
        self.dovecot.stop()
        yield
        self.dovecot.start()

    @contextlib.contextmanager
    def wrong_certificate(self) -> Iterator[None]:
        folder = self.dovecot.certificate.parent
        names = ("certificate.pem", "key.pem", "authority.pem")
        kept = {name: (folder / name).read_bytes() for name in names}
        self.dovecot.stop()
        make_certificate(folder)
        # The service trusts the authority from before.
        (folder / "authority.pem").write_bytes(kept["authority.pem"])
        self.dovecot.start()
        yield
        self.dovecot.stop()
        for name, content in kept.items():
            (folder / name).write_bytes(content)
        self.dovecot.start()

    @contextlib.contextmanager
    def no_smtp(self) -> Iterator[None]:
        self.smtp.is_open = False
        self.smtp.cut()
        yield
        self.smtp.is_open = True

    @contextlib.contextmanager
    def no_token(self) -> Iterator[None]:
        self.provider.answers.extend([REFUSED] * 10_000)
        # A token is asked for at every connect.
        self.dovecot.stop()
        self.dovecot.start()
        yield
        self.provider.answers.clear()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.closing(
            sqlite3.connect(self.disk / "ingest.db", isolation_level=None, timeout=30)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        ballast = self.disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * MB)
        yield
        ballast.unlink()


@contextlib.contextmanager
def disk() -> Iterator[tuple[Path, bool]]:
    """A small disk for the database, where one may be mounted; else a folder."""
    folder = Path(tempfile.mkdtemp(prefix="ingest-soak-"))
    size = "size=256m,mode=0700"
    command = ["mount", "-t", "tmpfs", "-o", size, "ingest-soak", str(folder)]
    may_mount = os.getuid() == 0 and shutil.which("mount") is not None
    is_small = (
        may_mount and not subprocess.run(command, check=False, capture_output=True).returncode
    )
    try:
        yield folder, is_small
    finally:
        if is_small:
            subprocess.run(["umount", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Sample:
    """What the service takes at one moment."""

    memory: int
    descriptors: int
    threads: int
    database: int
    letters: int


@dataclass
class Soak:
    """What was seen."""

    appended: int = 0
    samples: list[Sample] = field(default_factory=list)
    seen: list[tuple[str, float, float]] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    replied: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self, _recipient: str, content: bytes) -> None:
        self.replied.add(str(message_from_bytes(content)["In-Reply-To"]))

    def write(self, account: Account) -> None:
        """Letters, until it ends; one that the server does not take now is written later."""
        while not self.ended.wait(LETTER_EVERY_SECONDS):
            number = f"soak-{self.appended}"
            head = f"Message-ID: <{number}@primer.example>\r\nX-Number: {number}\r\n".encode()
            letter = ordinary(self.appended % 1000)
            letter = re.sub(rb"(?im)^message-id:.*\r?\n", b"", letter)
            with contextlib.suppress(Exception):
                account.append(head + letter, at=RECEIVED_AT)
                self.appended += 1

    def watch(self, service: Service, process: int, database: Path) -> None:
        """What the service takes, again and again."""
        while not self.ended.wait(LOOK_EVERY_SECONDS):
            memory = Watch(process)
            memory.start()
            time.sleep(0.1)
            memory.end()
            proc = Path(f"/proc/{process}")
            with contextlib.suppress(OSError, ConnectionError):
                self.samples.append(
                    Sample(
                        memory.peak,
                        len(list((proc / "fd").iterdir())),
                        len(list((proc / "task").iterdir())),
                        sum(p.stat().st_size for p in database.glob("ingest.db*")),
                        len(service.letters()),
                    )
                )

    def inject(self, fault: Fault, service: Service) -> None:
        """One fault, until `status` tells it; then until it tells nothing."""
        with fault.broken():
            seconds = _until(lambda: any(re.search(fault.told, n) for n in service.needs()), 30)
        mended = _until(lambda: not service.needs(), MENDED_SECONDS)
        self.seen.append((fault.name, seconds, mended))
        print(
            f"{fault.name:22} told after {seconds:5.1f} s, over after {mended:5.1f} s", flush=True
        )
        if seconds > SEEN_SECONDS:
            self.misses.append(f"{fault.name}: told after {seconds:.1f} s")
        if mended > MENDED_SECONDS:
            self.misses.append(f"{fault.name}: not over: {service.needs()}")

    def judge(self, service: Service) -> None:
        """Whether nothing is lost and nothing grows."""
        rows = service.letters()
        ended = Counter(row.outcome for row in rows if row.state is not LetterState.CLAIMED)
        if ended["accepted"] + ended["duplicate"] != self.appended:
            self.misses.append(f"{self.appended} letters were sent: {dict(ended)}")
        if len(self.replied) != self.appended:
            self.misses.append(f"{self.appended} letters, {len(self.replied)} answered")
        early, late = self.halves()
        for name, allowed in (("memory", 20 * MB), ("descriptors", 4), ("threads", 2)):
            before, after = (
                statistics.median(getattr(s, name) for s in half) for half in (early, late)
            )
            if after - before > allowed:
                self.misses.append(f"{name} grew from {before:.0f} to {after:.0f}")

    def halves(self) -> tuple[list[Sample], list[Sample]]:
        """Of the samples; the first tenth, in which caches fill, is left out."""
        warm = self.samples[len(self.samples) // 10 :]
        return warm[: len(warm) // 2], warm[len(warm) // 2 :]


def _until(condition: Callable[[], bool], seconds: float) -> float:
    """How long it took; more than `seconds` when it did not come."""
    begun = time.monotonic()
    while time.monotonic() - begun <= seconds:
        if condition():
            break
        time.sleep(0.1)
    return time.monotonic() - begun


def told(soak: Soak, minutes: float) -> str:
    """The section of the report."""
    early, late = soak.halves()
    per_letter = [
        (half[-1].database - half[0].database) / max(1, half[-1].letters - half[0].letters) / 1024
        for half in (early, late)
    ]
    lines = [
        TITLE,
        "",
        f"`make soak SOAK_MINUTES={minutes:g}`: daemon on SQLite, Dovecot over TLS and by OAuth,",
        f"a letter every {LETTER_EVERY_SECONDS:g} s, {len(soak.seen)} faults one after another, on",
        f"{os.cpu_count()} processors with Python {platform.python_version()}. Times are",
        "from the injection until `status`, asked by another process again and again, told it,",
        "and from mending until it told nothing.",
        "",
        f"- letters: {soak.appended}, of them answered: {len(soak.replied)}",
        f"- misses: {'; '.join(soak.misses) or 'none'}",
    ]
    for name, unit in (("memory", MB), ("descriptors", 1), ("threads", 1)):
        before, after = (
            statistics.median(getattr(s, name) for s in half) for half in (early, late)
        )
        lines.append(
            f"- {name}{', MB' if unit > 1 else ''}: {before / unit:.0f} in the first half,"
            f" {after / unit:.0f} in the second"
        )
    lines += [
        "- database, kB a letter: {:.1f} in the first half, {:.1f} in the second".format(
            *per_letter
        ),
        "",
        "| fault | times | told after, most | over after, most |",
        "|---|--:|--:|--:|",
    ]
    for name in dict.fromkeys(name for name, _, _ in soak.seen):
        times = [(seen, mended) for which, seen, mended in soak.seen if which == name]
        seen, mended = (max(column) for column in zip(*times, strict=True))
        lines.append(f"| {name} | {len(times)} | {seen:.1f} s | {mended:.1f} s |")
    return "\n".join(lines) + "\n"


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--every", type=float, default=60.0, help="Seconds between faults.")
    given = asked.parse_args()
    soak = Soak()
    with contextlib.ExitStack() as stack:
        folder, is_small = stack.enter_context(disk())
        provider = stack.enter_context(identity_provider())
        dovecot = Dovecot(introspection=f"{provider.url}/introspect")
        stack.callback(dovecot.close)
        dovecot.start()
        smtp = stack.enter_context(SmtpServer(soak.take))
        door = Proxy(smtp.port)
        stack.callback(door.close)
        account = dovecot.account()
        provider.user, Service.provider = account.user, provider.url
        service = Service(folder, f"sqlite:///{folder}/ingest.db", account, door.port)
        stack.callback(service.ledger.close)
        stack.callback(service.asked.ledger.close)
        world = World(dovecot, provider, door, folder, is_small)
        if not is_small:
            print("left out: disk full, which needs root to mount a small one")
        with service.running() as process:
            for work in (
                lambda: soak.write(account),
                lambda: soak.watch(service, process.pid, folder),
            ):
                threading.Thread(target=work, daemon=True).start()
            end = time.monotonic() + given.minutes * 60
            service.wait_until(lambda: len(service.letters()) > 1, 300)
            for fault in itertools.cycle(world.faults()):
                if time.monotonic() > end:
                    break
                begun = time.monotonic()
                soak.inject(fault, service)
                time.sleep(max(0.0, given.every - (time.monotonic() - begun)))
            soak.ended.set()
            time.sleep(LETTER_EVERY_SECONDS)
            with contextlib.suppress(AssertionError):
                service.wait_until(service.is_idle, 120)
        soak.judge(service)
    report(told(soak, given.minutes), TITLE)
    print("\n".join(soak.misses) or "nothing was missed")
    return 1 if soak.misses else 0


if __name__ == "__main__":
    sys.exit(main())
