"""What cannot be avoided, done straight: no checks, no replies' texts, no safety.

FETCH in batches, MIME and base64, lxml or openpyxl, one transaction with one
`executemany` or COPY for each letter, one Argon2 verification for each new
sender, one message over an open SMTP connection, one MOVE for each batch.

Run as `python -m benchmarks.floor JSON`; prints what it took, start and
connections not counted, as JSON.
"""

from __future__ import annotations

import email
import io
import json
import smtplib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

import openpyxl
import psycopg
from argon2 import PasswordHasher
from imapclient import IMAPClient
from lxml import etree

BATCH = 50
_Row = tuple[str, str, int]

_TABLES = """
CREATE TABLE letter (id INTEGER PRIMARY KEY, uid INTEGER, sender TEXT);
CREATE TABLE value (
    series INTEGER, start TEXT, energy INTEGER, letter INTEGER, PRIMARY KEY (series, start)
)
"""


@dataclass
class SQLite:
    """One transaction for each letter."""

    url: str

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(self.url.partition(":///")[2] + ".floor", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES.replace("start))", "start)) WITHOUT ROWID"))

    def keep(self, uid: int, sender: str, rows: list[tuple[int, str, int]]) -> None:
        """Commit one letter."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        letter = db.execute("INSERT INTO letter VALUES (NULL, ?, ?)", (uid, sender)).lastrowid
        db.executemany("INSERT INTO value VALUES (?, ?, ?, ?)", [(*row, letter) for row in rows])
        db.execute("COMMIT")


@dataclass
class PostgreSQL:
    """One transaction for each letter, values by COPY."""

    url: str

    def __post_init__(self) -> None:
        self._db = psycopg.connect(self.url.replace("+psycopg", ""))
        self._db.execute("CREATE SCHEMA floor")
        self._db.execute("SET search_path = floor")
        self._db.execute(_TABLES.replace("INTEGER PRIMARY", "SERIAL PRIMARY").encode())
        self._db.commit()

    def keep(self, uid: int, sender: str, rows: list[tuple[int, str, int]]) -> None:
        """Commit one letter."""
        cursor = self._db.cursor()
        cursor.execute(
            "INSERT INTO letter (uid, sender) VALUES (%s, %s) RETURNING id", (uid, sender)
        )
        (letter,) = cursor.fetchone() or (0,)
        with cursor.copy("COPY value FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, letter))
        self._db.commit()


def from_52006(content: bytes) -> Iterator[_Row]:
    for meter in etree.fromstring(content).iter("meter"):
        number = meter.get("number")
        for item in meter.iter("reading"):
            series = f"{number}{item.get('channel')}{item.get('zone')}"
            yield series, item.get("date_time"), int(item.get("value").replace(".", ""))


def from_52005(content: bytes) -> Iterator[_Row]:
    root = etree.fromstring(content)
    sender = root.get("sender_code")
    for item in root.iter("consumption"):
        yield sender, item.get("date_time"), int(float(item.get("energy")) * 1_000_000)


def from_80020(content: bytes) -> Iterator[_Row]:
    root = etree.fromstring(content)
    day = root.findtext("datetime/day")
    for point in root.iter("measuringpoint"):
        code = point.get("code")
        for channel in point.iter("measuringchannel"):
            series = f"{code}{channel.get('code')}"
            for item in channel.iter("period"):
                yield series, f"{day}{item.get('start')}", int(item.findtext("value"))


def from_workbook(content: bytes) -> Iterator[_Row]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    rows = list(book.active.iter_rows(values_only=True))
    day = str(rows[3][1])
    for _, _, meter, channel, zone, value in rows[6:]:
        yield f"{meter}{channel}{zone}", day, int(value * 100)


READERS: dict[str, Callable[[bytes], Iterator[_Row]]] = {
    "registers-xml": from_52006,
    "registers-xlsx": from_workbook,
    "hours": from_52005,
    "days": from_52005,
    "half-hours": from_80020,
    "new": from_52006,
}


class Floor:
    """Everything open, everything known."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._read = READERS[order["kind"]]
        self._imap = IMAPClient("127.0.0.1", port=order["imap"], ssl=False)
        # Writing every answer out for a log can be avoided.
        self._imap._imap.debug = 0  # noqa: SLF001
        self._imap.login(order["user"], order["password"])
        if not self._imap.folder_exists("Processed"):
            self._imap.create_folder("Processed")
        self._imap.select_folder("INBOX")
        self._smtp = smtplib.SMTP("127.0.0.1", order["smtp"])
        self._smtp.ehlo()
        kind = SQLite if order["url"].startswith("sqlite") else PostgreSQL
        self._store = kind(order["url"])
        self._series: dict[str, int] = {}
        self._verify = order["verify"]
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._hash = self._hasher.hash("secret") if self._verify else ""

    def run(self) -> int:
        """Everything in the mailbox: how many letters."""
        uids = sorted(self._imap.search("ALL"))
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            found = self._imap.fetch(batch, ["BODY.PEEK[]"])
            for uid in batch:
                self._letter(uid, found[uid][b"BODY[]"])
            self._imap.move(batch, "Processed")
        return len(uids)

    def _letter(self, uid: int, content: bytes) -> None:
        mail = email.message_from_bytes(content)
        body, document = (_bytes(part) for part in mail.walk() if not part.is_multipart())
        sender = body.decode().partition("Код: ")[2].partition("\n")[0]
        if self._verify:
            self._hasher.verify(self._hash, "secret")
        series = self._series
        rows = [
            (series.setdefault(name, len(series)), start, energy)
            for name, start, energy in self._read(document)
        ]
        self._store.keep(uid, sender, rows)
        answer = (
            f"To: meters@{sender}.example\r\nIn-Reply-To: {mail['Message-ID']}\r\n"
            f"Subject: Received\r\n\r\n{len(rows)} values\r\n"
        )
        self._smtp.sendmail("meters@retailer.example", f"meters@{sender}.example", answer)


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def main() -> None:
    floor = Floor(json.loads(sys.argv[1]))
    started, cpu = time.monotonic(), time.process_time()
    letters = floor.run()
    told = {
        "letters": letters,
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
