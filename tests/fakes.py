"""Quick stand-ins for servers: what they were told can be looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from hashlib import sha256

from ingest.intake.authenticate import UNPROVEN, Guard, Origin, Proof
from ingest.intake.outcome import Handled
from ingest.letters.letter import header_of
from ingest.letters.terms import Arrival, Letter, Marked, Outcome, RawLetter, Read
from ingest.transports.ports import CLAIM_BYTES, MailboxUnavailable
from storage.records.letters import Location
from storage.records.replies import OwedReply

START = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until told to go on."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def raw_letter(
    content: bytes,
    place: Location | int = 1,
    size: int | None = None,
    received_at: datetime = START,
    **options: bool,
) -> RawLetter:
    """A letter as fetched from a place, or from INBOX under a UID."""
    if isinstance(place, int):
        place = Location("main", "INBOX", 1, place)
    size = len(content) if size is None else size
    return RawLetter(Arrival(place.mailbox, place.key, received_at, size), content, **options)


def uid_of(raw: RawLetter) -> int:
    return Location.of(raw.arrival.source, raw.arrival.key).uid


@dataclass
class FakeMailbox:
    """A folder in memory that can be cut off at any call.

    Attributes:
        letters: Bytes by UID; what is filed leaves.
        filed: (folder, UID) in the order of filing.
        faults: Names of calls that fail, each once.
        refuses_filing: Whether every move is refused.
        without_body: UIDs that the server gives no bytes for.
    """

    letters: dict[int, bytes] = field(default_factory=dict)
    name: str = "main"
    folder: str = "INBOX"
    uidvalidity: int = 1
    batch: int = 50
    filed: list[tuple[str, int]] = field(default_factory=list)
    moves: int = 0
    faults: list[str] = field(default_factory=list)
    refuses_filing: bool = False
    without_body: set[int] = field(default_factory=set)
    fetched: list[int] = field(default_factory=list)
    received_at: datetime = START
    next_uid: int = 1
    ends: datetime | None = None

    def put(self, *letters: bytes) -> list[int]:
        uids = []
        for content in letters:
            self.letters[self.next_uid] = content
            uids.append(self.next_uid)
            self.next_uid += 1
        return uids

    def certificate_ends(self) -> datetime | None:
        return self.ends

    def uids(self) -> tuple[int, Sequence[int]]:
        self._maybe_fail("uids")
        return self.uidvalidity, sorted(self.letters)

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        present = [uid for uid in uids if uid in self.letters]
        for start in range(0, len(present), self.batch):
            self._maybe_fail("fetch")
            batch = present[start : start + self.batch]
            self.fetched.extend(batch)
            yield [self._raw(uid) for uid in batch]

    def headers(self, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for uid in uids:
            if uid in self.letters:
                yield uid, self.letters[uid].partition(b"\r\n\r\n")[0][:CLAIM_BYTES]

    def file(self, uids: Sequence[int], outcome: str) -> None:
        self._maybe_fail("file")
        if self.refuses_filing:
            raise MailboxUnavailable("mailbox main: the server refused the folder")
        self.moves += 1
        for uid in uids:
            if self.letters.pop(uid, None) is not None:
                self.filed.append((str(outcome), uid))

    def wait(self, timeout_seconds: float) -> bool:
        return bool(self.letters)

    def close(self) -> None:
        """Nothing is open."""

    def _raw(self, uid: int) -> RawLetter:
        content = b"" if uid in self.without_body else self.letters[uid]
        place = Location(self.name, self.folder, self.uidvalidity, uid)
        return raw_letter(
            content, place, received_at=self.received_at, missing=uid in self.without_body
        )

    def _maybe_fail(self, call: str) -> None:
        if call in self.faults:
            self.faults.remove(call)
            raise MailboxUnavailable(f"mailbox {self.name}: cut during {call}")


class FakePostman:
    """Keeps what it is given; `answers` are raised in turn, None takes the mail."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.sent: list[OwedReply] = []

    def send(self, reply: OwedReply) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.sent.append(reply)

    def greet(self) -> str:
        """It always answers."""
        return "a fake"

    def certificate_ends(self) -> datetime | None:
        """It has none."""
        return None

    def close(self) -> None:
        """Nothing is open."""


class FakeReader:
    """Tells a letter's headers only; remembers how many were being read at once.

    Attributes:
        faults: By content, what is raised each time it is read.
    """

    def __init__(self, faults: dict[bytes, Exception] | None = None) -> None:
        self.faults = faults or {}
        self.read_letters: list[bytes] = []

    def read(self, raw: RawLetter) -> Future[Read]:
        self.read_letters.append(raw.content)
        future: Future[Read] = Future()
        fault = self.faults.get(raw.content)
        if fault is None:
            future.set_result(Read(letter_of(raw.content)))
        else:
            future.set_exception(fault)
        return future

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        return [self.read(raw) for raw in letters]

    def mark(self, raw: RawLetter, wanted) -> dict[str, Marked]:
        return {sha256: Marked(b"marked") for sha256 in wanted.findings}

    def close(self) -> None:
        """Nothing is open."""


def letter_of(content: bytes) -> Letter:
    fields, told = BytesHeaderParser().parsebytes(content), header_of(content)
    return replace(
        told,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        reply_to=told.sender,
        subject=str(fields.get("Subject", "")),
        message_id=str(fields.get("Message-ID", "")),
    )


def mail(subject: str, sender: str = "meter@example.ru") -> bytes:
    """A small letter; its subject makes its bytes its own."""
    text = (
        f"From: {sender}\r\nTo: meters@retailer.example\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '-')}@example.ru>\r\n\r\n{subject}\r\n"
    )
    return text.encode()


@dataclass
class FakeIntake:
    """Accepts each letter and owes a reply; `on` may do otherwise by subject.

    Attributes:
        received: Subjects in the order in which they were recorded.
        guard: Tells who letters come from.
        notices: Numbers of letters whose senders were told that a person must look.
    """

    on: dict[str, Callable[[], Outcome]] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    notices: list[int] = field(default_factory=list)
    guard: Guard = field(default_factory=Guard)

    def origin_of(self, letter) -> Origin:
        return self.guard.origin_of(letter)

    def prove(self, read: Read, *, afresh: bool = False) -> Proof:
        return UNPROVEN

    def notice(self, arrival: Arrival, letter, store, now: datetime) -> OwedReply:
        self.notices.append(arrival.number)
        return owed(arrival.number, "Письмо смотрит человек")

    def foresee(self, *_):
        return None

    def receive(
        self, arrival: Arrival, read: Read, proof: Proof, store, now: datetime, foreseen=None
    ) -> Handled:
        subject = read.letter.subject
        reply = owed(arrival.number, subject)
        store.outbox.owe(reply, now)
        outcome = self.on.get(subject, lambda: Outcome.ACCEPTED)()
        self.received.append(subject)
        return Handled(outcome, reply=reply)


def owed(letter: int | None, subject: str = "Принято", message_id: str | None = None) -> OwedReply:
    return OwedReply(
        letter=letter,
        recipient="meter@example.ru",
        subject=subject,
        message_id=message_id or f"<reply-{letter}@retailer.example>",
        content=b"Subject: reply\r\n\r\nThank you.\r\n",
    )


def age_leases(ledger, seconds):
    """Have every lease and wait begun so many seconds earlier: its clock cannot be set."""
    with ledger.transaction() as store:
        for aged in (
            "UPDATE lease SET until = until - {}",
            "UPDATE reply SET leased_until = leased_until - {} WHERE leased_until IS NOT NULL",
            "UPDATE reply SET next_at = next_at - {} WHERE state = 'owed'",
            "UPDATE letter SET waits_until = waits_until - {} WHERE waits_until IS NOT NULL",
        ):
            store.session.driver.execute(aged.format(int(seconds)))
