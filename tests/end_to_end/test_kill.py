"""Killed at random and at each step, cut off from its servers: nothing lost or doubled.

`CHAOS_LETTERS` and `CHAOS_KILLS` make the random part longer.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import islice, pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.end_to_end.installation import ROOT, Killable
from tests.end_to_end.killable import MARKING, STEPS
from tests.end_to_end.loaded import Started
from tests.end_to_end.proxy import Proxy

LETTERS = int(os.environ.get("CHAOS_LETTERS", "24"))
KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
RECEIVED_AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIRST_READING = datetime(2026, 10, 1, tzinfo=UTC)


SENDERS = (
    ("200000001234", "Zima-2026", "buh@primer.example", "07512345"),
    ("200000003080", "klyuch 7 mart", "energo@vlzavod.example", "11223344"),
)


def letter(number: int, subject: str = "Letter") -> bytes:
    """A letter with one register reading that no other letter has; two senders take turns."""
    code, password, address, meter = SENDERS[number % len(SENDERS)]
    instant = FIRST_READING + timedelta(hours=number)
    document = f"""<?xml version="1.0" encoding="utf-8"?>
<package class="52006" version="1" sender_code="{code}" created="20261120091500">
<meter number="{meter}" point="{code}-01">
<reading date_time="{instant:%Y%m%d%H}" channel="A+" zone="T1" value="12345.6"/>
</meter>
</package>
"""
    message = EmailMessage()
    message["From"] = address
    message["To"] = "meters@retailer.example"
    message["Subject"] = f"{subject} {number}"
    message["Message-ID"] = f"<{number}@primer.example>"
    message.set_content(f"Код: {code}\nПароль: {password}\n", cte="base64")
    message.add_attachment(
        document.encode(), maintype="application", subtype="xml", filename="52006.xml"
    )
    return message.as_bytes()


def letter_with_a_mistake_in_a_workbook() -> bytes:
    """The sample with a workbook, in which one reading is no number."""
    sample = ROOT / "samples/letters/04-52006-workbook.eml"
    message = message_from_bytes(sample.read_bytes(), policy=default)
    # Marks go to a known address alone.
    message.replace_header("From", "sokolova@mail.example")
    part = next(message.iter_attachments())
    book = load_workbook(io.BytesIO(part.get_content()))
    sheet = book.worksheets[0]
    last = max(cell.row for column in sheet.columns for cell in column if cell.value is not None)
    number = next(cell for cell in reversed(sheet[last]) if isinstance(cell.value, int | float))
    number.value = "не снято"
    changed = io.BytesIO()
    book.save(changed)
    name = part.get_filename()
    part.set_content(changed.getvalue(), part.get_content_maintype(), part.get_content_subtype())
    part.add_header("Content-Disposition", "attachment", filename=name)
    return message.as_bytes()


class Chaos(Killable):
    """An installation whose process is killed and started again."""

    starts = 0

    def start_killable(self, step: str) -> Started:
        return self.start_role("run", step)

    def run_until_dead_or_done(self, step: str, seconds: float = 40.0) -> bool:
        """Whether the step was come to."""
        process = self.start_killable(step)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (self.letters() and self.is_idle()):
            # Looked at seldom: what looks takes time from what is looked at.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
                break
        died = process.poll() is not None
        process.kill()
        process.wait()
        return died

    def wait_for_start(self) -> None:
        """Until one more process has begun to poll."""
        self.starts += 1
        self.wait_until(lambda: self._started() >= self.starts)

    def _started(self) -> int:
        return self.log.read_text("utf-8").count("service.started") if self.log.exists() else 0

    def finish(self, letters: int, seconds: float = 120.0) -> None:
        """Start it unharmed and wait until nothing is left to do."""
        process = self.start_killable("")
        try:
            self.wait_until(lambda: len(self.letters()) == letters and self.is_idle(), seconds)
        finally:
            process.terminate()
            process.wait(timeout=60)

    def _text(self) -> str:
        return super()._text() + "\n[replies]\nper_address_per_day = 100000\n"


# `make chaos` does it on both; at each step by itself SQLite is killed in any case.
DATABASES = ["sqlite", "postgresql"] if "CHAOS_LETTERS" in os.environ else ["postgresql"]
FROZEN = ["fetched", "read", "leased"] if "CHAOS_LETTERS" in os.environ else ["read"]


@pytest.fixture(params=DATABASES)
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ingest.db"
    return request.getfixturevalue("postgresql")()


@pytest.fixture
def chaos(tmp_path, url, dovecot, smtp_server, loaded):
    imap, smtp = Proxy(dovecot.port), Proxy(smtp_server.port)
    made = Chaos(tmp_path, url, dovecot, smtp.port, imap_port=imap.port, loaded=loaded)
    made.proxies = (imap, smtp)
    yield made
    made.ledger.close()
    imap.close()
    smtp.close()


@pytest.fixture
def direct(tmp_path, dovecot, smtp_server, loaded):
    """On SQLite, with no proxy before its servers."""
    url = f"sqlite:///{tmp_path}/ingest.db"
    made = Chaos(tmp_path, url, dovecot, smtp_server.port, loaded=loaded)
    yield made
    made.ledger.close()


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def assert_nothing_lost_or_doubled(chaos, smtp_server, letters):
    rows = chaos.letters()
    assert [row.outcome for row in rows] == ["accepted"] * letters, chaos.told()
    assert sum(row.values for row in rows) == letters
    assert chaos.account.count("Processed") == letters
    assert chaos.account.count("Quarantine") == chaos.account.count("INBOX") == 0
    replies = defaultdict(set)
    for _, content in smtp_server.mails:
        message = message_from_bytes(content, policy=default)
        replies[str(message["In-Reply-To"])].add(str(message["Message-ID"]))
    assert set(replies) == {f"<{number}@primer.example>" for number in range(letters)}
    assert {len(ids) for ids in replies.values()} == {1}


@pytest.mark.timeout(300)
def test_killed_at_each_step_and_at_the_next_one_after_it(direct, dovecot, smtp_server):
    chaos, letters = direct, 0
    for neighbours in pairwise(STEPS):
        for step in neighbours:
            # A new letter for each start: what the last one left half done lies beside it.
            dovecot.append(letter(letters), at=RECEIVED_AT)
            letters += 1
            assert chaos.run_until_dead_or_done(step), step
        # A letter that three processes died with would be put aside.
        chaos.finish(letters)
    assert_nothing_lost_or_doubled(chaos, smtp_server, letters)


@pytest.mark.timeout(120)
def test_killed_before_a_workbook_is_marked_the_reply_leaves_once(direct, dovecot, smtp_server):
    chaos = direct
    dovecot.append(letter_with_a_mistake_in_a_workbook(), at=RECEIVED_AT)
    assert chaos.run_until_dead_or_done(MARKING)
    assert [row.outcome for row in chaos.letters()] == ["rejected"]
    chaos.finish(1)
    (_, content), *again = smtp_server.mails
    assert again == []
    reply = message_from_bytes(content, policy=default)
    names = [part.get_filename() for part in reply.iter_attachments()]
    # It leaves without the marks that died with the process: its text has the findings.
    assert not [name for name in names if name.endswith(".xlsx")]


@pytest.mark.timeout(3600)
def test_killed_and_cut_off_at_random(chaos, dovecot, smtp_server):
    chance = random.Random(SEED)
    numbers = iter(range(LETTERS))
    for _ in range(KILLS):
        process = chaos.start_killable("")
        chaos.wait_for_start()
        share = [letter(number) for number in islice(numbers, LETTERS // KILLS)]
        dovecot.append(*share, at=RECEIVED_AT)
        end = time.monotonic() + chance.uniform(0.1, 2.5)
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.02, 0.3))
            proxy = chance.choice(chaos.proxies)
            proxy.cut()
            proxy.is_open = chance.random() < 0.8
        process.kill()
        process.wait()
        for proxy in chaos.proxies:
            proxy.is_open = True
    dovecot.append(*(letter(number) for number in numbers), at=RECEIVED_AT)
    chaos.finish(LETTERS, seconds=60 + LETTERS)
    assert_nothing_lost_or_doubled(chaos, smtp_server, LETTERS)
    cuts = sum(proxy.cuts for proxy in chaos.proxies)
    print(
        f"letters {LETTERS}, kills {KILLS}, cuts {cuts}, lost 0, doubled 0, "
        f"replies sent again {len(smtp_server.mails) - LETTERS}"
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_two_processes_on_one_mailbox_take_over_from_one_another(chaos, dovecot, smtp_server):
    letters = 16
    processes = [chaos.start_killable("") for _ in range(2)]
    try:
        chaos.wait_until(lambda: chaos._started() >= len(processes))
        for number in range(2):
            share = range(number * letters // 2, (number + 1) * letters // 2)
            dovecot.append(*map(letter, share), at=RECEIVED_AT)
            chaos.wait_until(lambda: len(chaos.letters()) > share.start)  # noqa: B023
            processes[0].kill()
            processes[0].wait()
            # The one that was left goes on, and a new one stands beside it.
            processes = [processes[1], chaos.start_killable("")]
        chaos.wait_until(lambda: len(chaos.letters()) == letters and chaos.is_idle(), 120)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
    assert_nothing_lost_or_doubled(chaos, smtp_server, letters)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", FROZEN)
def test_a_process_frozen_past_its_lease_and_woken_doubles_nothing(
    chaos, dovecot, smtp_server, monkeypatch, step
):
    monkeypatch.setenv("KILLABLE_SILENT", "3")
    letters = 8
    dovecot.append(*map(letter, range(letters)), at=RECEIVED_AT)
    frozen = chaos.start_killable(f"freeze {step}")
    try:
        chaos.wait_until(lambda: is_stopped(frozen.pid))
        other = chaos.start_killable("")
        try:
            # It takes over what the frozen one had in hand.
            chaos.wait_until(lambda: len(chaos.letters()) == letters and chaos.is_idle(), 120)
            frozen.send_signal(signal.SIGCONT)
            dovecot.append(letter(letters), at=RECEIVED_AT)
            chaos.wait_until(lambda: len(chaos.letters()) == letters + 1 and chaos.is_idle(), 120)
            assert frozen.poll() is None
        finally:
            other.terminate()
            other.wait(timeout=60)
        # The one that was frozen goes on by itself.
        dovecot.append(letter(letters + 1), at=RECEIVED_AT)
        chaos.wait_until(lambda: len(chaos.letters()) == letters + 2 and chaos.is_idle(), 120)
    finally:
        frozen.send_signal(signal.SIGCONT)
        frozen.terminate()
        frozen.wait(timeout=60)
    assert_nothing_lost_or_doubled(chaos, smtp_server, letters + 2)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_letter_that_kills_every_worker_it_meets_is_quarantined_after_three(chaos, dovecot):
    innocent = 6
    dovecot.append(letter(0, "Poison"), *map(letter, range(1, innocent + 1)), at=RECEIVED_AT)
    processes, deaths = [chaos.start_killable("poison") for _ in range(2)], 0
    try:
        end = time.monotonic() + 120
        while chaos.account.count("Quarantine") == 0 or not chaos.is_idle():
            assert time.monotonic() < end, chaos.told()
            time.sleep(0.1)
            for place, process in enumerate(processes):
                if process.poll() is not None:
                    deaths += 1
                    processes[place] = chaos.start_killable("poison")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    outcomes = sorted(row.outcome for row in chaos.letters())
    assert outcomes == ["accepted"] * innocent + ["quarantined"]
    assert deaths == 3
