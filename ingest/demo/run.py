"""The whole system on embedded servers: sample letters in, real daemon, replies out."""

from __future__ import annotations

import contextlib
import imaplib
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from functools import partial
from pathlib import Path
from smtplib import SMTP
from zoneinfo import ZoneInfo

from ingest.demo.servers import HOST, PASSWORD, USER, ImapServer, SmtpServer, free_port
from ingest.demo.year import hand_in_years, make_operator
from ingest.operations.refused import Refused
from ingest.operations.registry import import_registry
from ingest.wiring.service import Service, service_of
from storage.records.letters import LetterSummary

SAMPLES = Path(__file__).parents[2] / "samples"
RECEIVED_AT = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))
"""The demo's letters arrive at this moment whenever it runs: deadlines depend on it."""

PATIENCE_SECONDS = 90
SHOWN_WHOLE = "rejected"


@dataclass(frozen=True, slots=True)
class Sample:
    """One letter of the demo and the outcome it must have."""

    name: str
    content: bytes
    expected: str

    @property
    def message_id(self) -> str:
        """By which its row in the ledger is found again."""
        return str(message_from_bytes(self.content)["Message-ID"] or "").strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a letter, its verdict, its reply."""

    sample: Sample
    outcome: str
    reply: str

    @property
    def is_expected(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.outcome == self.sample.expected


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the demo's letters.

    Attributes:
        lines: One a letter, in their order.
        example: Name of a letter and its reply, to be shown whole.
        replies: How many were received.
        whole: Whether every letter was read within `PATIENCE_SECONDS`.
    """

    lines: Sequence[Line]
    example: tuple[str, bytes] | None
    replies: int
    seconds: float
    whole: bool

    @property
    def is_expected(self) -> bool:
        """Whether every letter had the expected outcome."""
        return self.whole and all(line.is_expected for line in self.lines)


@dataclass(frozen=True, slots=True)
class Running:
    """Where the demo's servers listen, and where replies, database and configuration lie."""

    smtp_port: int
    imap_port: int
    web_port: int
    folder: Path


class Post:
    """Both directions of the demo's mail: into the mailbox, and out to the senders."""

    def __init__(self, imap: ImapServer, folder: Path) -> None:
        self._imap = imap
        self._folder = folder
        self._lock = threading.Lock()
        self.replies: list[bytes] = []
        self.received_at: datetime | None = RECEIVED_AT

    def deliver(self, recipient: str, content: bytes) -> None:
        """A letter to us goes into the mailbox; any other mail is a reply of ours."""
        with self._lock:
            if recipient == USER:
                with mailbox(self._imap.port) as client:
                    moment = self.received_at or datetime.now(UTC)
                    client.append("INBOX", "", imaplib.Time2Internaldate(moment), content)
                return
            self.replies.append(content)
            path = self._folder / f"reply-{len(self.replies):02}.eml"
            path.write_bytes(content)

    def reply_to(self, message_id: str) -> EmailMessage | None:
        """The reply to a letter, by the Message-ID it answers."""
        for content in self.replies:
            message = message_from_bytes(content, _class=EmailMessage, policy=default)
            if message["In-Reply-To"] == message_id:
                return message
        return None


def run_demo(
    keep: Path | None, tell: Callable[[Result], None], serve: Callable[[Running], None] | None
) -> bool:
    """Run it; True when every letter had the expected outcome.

    Args:
        keep: Where database and replies stay; None for a folder that goes.
        tell: Called with what became of the letters.
        serve: Called afterwards, while everything still runs; it ends when this returns.

    Raises:
        Refused: the sample letters are not there, or the folder is not empty.
    """
    samples = list(read_samples())
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = _folder(keep, stack)
        imap = stack.enter_context(ImapServer())
        post = Post(imap, folder)
        smtp = stack.enter_context(SmtpServer(post.deliver))
        web_port = free_port() if serve else 0
        app = service_of(_configuration(folder, imap.port, smtp.port, web_port))
        app.ledger.migrate()
        import_registry(
            app, (SAMPLES / "registry.csv").read_bytes(), "demo", with_passwords=True, dry_run=False
        )
        if serve:
            hand_in_years(app, datetime.now(UTC))
            make_operator(app, datetime.now(UTC))
        stack.enter_context(daemon(folder))
        send(samples, smtp.port)
        done = partial(_is_done, app, imap, len(samples))
        whole = _wait(done, PATIENCE_SECONDS)
        lines = _lines(app, samples, post)
        seconds = time.monotonic() - started
        result = Result(lines, _example(lines, post), len(post.replies), seconds, whole)
        app.ledger.close()
        tell(result)
        if serve is not None:
            post.received_at = None
            serve(Running(smtp.port, imap.port, web_port, folder))
    return result.is_expected


def read_samples() -> Iterator[Sample]:
    """The demo's letters, the first twenty numbers of `samples/letters`, in their order.

    Raises:
        Refused: the samples are not there.
    """
    paths = sorted((SAMPLES / "letters").glob("[01][0-9]-*.eml"))
    if not paths:
        raise Refused(f"{SAMPLES / 'letters'}: the demo needs the sample letters there")
    for path in paths:
        expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
        yield Sample(path.stem, path.read_bytes(), expected["outcome"])


def _folder(keep: Path | None, stack: contextlib.ExitStack) -> Path:
    if keep is None:
        made = tempfile.TemporaryDirectory(prefix="ingest-demo-")
        return Path(stack.enter_context(made))
    if keep.is_dir() and any(keep.iterdir()):
        raise Refused(f"{keep}: the folder is not empty")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _configuration(folder: Path, imap_port: int, smtp_port: int, web_port: int) -> Path:
    pages = f"""\
[web]
listen = "{HOST}:{web_port}"
public_url = "http://{HOST}:{web_port}"

[replies]
organisation = "АО «Примерэнергосбыт»"
phone = "8 800 000-00-00, пн–пт 9–18"
"""
    path = folder / "ingest.toml"
    path.write_text(
        f"""\
[database]
url = "sqlite:///{folder}/ingest.db"

[[mailbox]]
name = "demo"
host = "{HOST}"
port = {imap_port}
security = "none"
user = "{USER}"
password = "{PASSWORD}"

[smtp]
host = "{HOST}"
port = {smtp_port}
security = "none"
sender = "Приём показаний <{USER}>"

[log]
file = "{folder}/ingest.log"

{pages if web_port else ""}""",
        encoding="utf-8",
    )
    return path


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real daemon as a process of its own; ended with SIGTERM."""
    command = [sys.executable, "-m", "ingest", "--config", str(folder / "ingest.toml"), "run"]
    # In a session of its own: Ctrl-C is for the demo, which then ends it in order.
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def mailbox(port: int) -> Iterator[imaplib.IMAP4]:
    """A connection of our own to the demo's mailbox."""
    with imaplib.IMAP4(HOST, port, timeout=10) as client:
        client.login(USER, PASSWORD)
        yield client


def send(samples: Sequence[Sample], port: int) -> None:
    """Mail the letters in, one after the other, each as its sender would."""
    with SMTP(HOST, port, timeout=30) as server:
        for sample in samples:
            header = message_from_bytes(sample.content)
            bounce = header["Return-Path"] == "<>"
            sender = getaddresses([str(header["From"] or "")])[0][1]
            content = re.sub(rb"\r?\n", b"\r\n", sample.content)
            server.sendmail("" if bounce else sender, [USER], content)


def _is_done(app: Service, imap: ImapServer, count: int) -> bool:
    with app.ledger.reading() as store:
        rows = store.letters.find()
        owed = store.installation.status(RECEIVED_AT).owed
    if owed or len(rows) < count or any(row.outcome is None for row in rows):
        return False
    with mailbox(imap.port) as client:
        _, told = client.status("INBOX", "(MESSAGES)")
    return b"MESSAGES 0)" in told[0]


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.2)
    return False


def _lines(app: Service, samples: Sequence[Sample], post: Post) -> list[Line]:
    with app.ledger.reading() as store:
        rows = store.letters.find()
        by_id = {
            whole.message_id: whole.summary
            for row in rows
            if (whole := store.letters.details(row.id))
        }
    return [_line(sample, by_id.get(sample.message_id), post) for sample in samples]


def _line(sample: Sample, row: LetterSummary | None, post: Post) -> Line:
    reply = post.reply_to(sample.message_id)
    told = str(reply["Subject"]) if reply else "—"
    return Line(sample, (row.outcome if row else None) or "nothing", told)


def _example(lines: Sequence[Line], post: Post) -> tuple[str, bytes] | None:
    shown = next((line for line in lines if line.outcome == SHOWN_WHOLE), None)
    reply = post.reply_to(shown.sample.message_id) if shown else None
    return (shown.sample.name, reply.as_bytes()) if shown and reply else None
