"""Ten thousand bounces at once: `python -m tests.hostile.bounce_storm [NUMBER]`.

They lie in the mailbox when the service starts, with its default limits, on Dovecot and
SQLite: every second one names a reply of ours, the others what somebody else wrote in our
name. Ordinary letters come behind them. Exits 1 when one of those is not
answered, a bounce is, more than one alarm is mailed, a reply of ours does not count as
bounced, or memory grows. The figures are written into docs/reliability.md.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.demo.servers import SmtpServer
from tests.end_to_end.installation import Installation
from tests.hostile.against_the_service import MB, RECEIVED_AT, Watch, mailbox, report
from tests.hostile.corpus import ordinary
from tests.ingest.intake.reports import REPORTS
from tests.ingest.intake.reports import report as bounce

TITLE = "## Bounce storm"
STORM = 10_000
REPLIES = 5
"""Of ours that come back, each again and again."""

MEANWHILE = 10
"""Ordinary letters that come, one once the one before is answered."""

GROWTH_MOST = 48 * MB
SECONDS_MOST = 3600.0


class Storm:
    """What the SMTP server was given: how often each letter was answered, and the alarms."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.ids: list[str] = []
        self.alarms: Counter[str] = Counter()

    def take(self, _recipient: str, content: bytes) -> None:
        mail = message_from_bytes(content)
        if mail["In-Reply-To"]:
            self.answered[mail["In-Reply-To"]] += 1
            self.ids.append(mail["Message-ID"])
        else:
            self.alarms[mail["Message-ID"].partition(".")[0].strip("<")] += 1


class Service(Installation):
    """The service that mails alarms."""

    def _text(self) -> str:
        return super()._text() + '\n[alarms]\nmail = "people@retailer.example"\n'


def letter(number: int) -> bytes:
    """An ordinary one with a Message-ID."""
    return b"Message-ID: <%d@primer.example>\r\nX-Number: %d\r\n" % (number, number) + ordinary(
        number
    )


def bounces(ours: list[str], number: int) -> list[bytes]:
    """So many, no two alike, of every server in turn."""
    texts = itertools.cycle(text for text, _, _ in REPORTS.values())
    named = itertools.cycle(
        one for mine in ours for one in (mine, "<verdict.1.00@elsewhere.example>")
    )
    return [b"X-Number: %d\r\n" % each + bounce(next(texts), next(named)) for each in range(number)]


def run(number: int) -> int:
    storm = Storm()
    with (
        TemporaryDirectory(prefix="ingest-storm-") as folder,
        mailbox() as (server, account),
        SmtpServer(storm.take) as smtp,
    ):
        service = Service(Path(folder), f"sqlite:///{folder}/ingest.db", account, smtp.port)
        with service.running() as process:
            account.append(*map(letter, range(REPLIES)), at=RECEIVED_AT)
            service.wait_until(lambda: len(storm.answered) == REPLIES, 300)
            before = Watch(process.pid)
            before.start()
            time.sleep(2)
            before.end()
        account.append(*bounces(storm.ids, number), at=RECEIVED_AT)
        with service.running() as process:
            watch, started = Watch(process.pid), time.monotonic()
            watch.start()
            waits = []
            for each in range(REPLIES, REPLIES + MEANWHILE):
                begun = time.monotonic()
                account.append(letter(each), at=RECEIVED_AT)
                mine = f"<{each}@primer.example>"
                service.wait_until(lambda mine=mine: mine in storm.answered, SECONDS_MOST)
                waits.append(time.monotonic() - begun)
            service.wait_until(service.is_idle, SECONDS_MOST)
            seconds, cpu = time.monotonic() - started, watch.cpu
            watch.end()
            # One alarm of a kind is mailed at most; a minute later none has followed.
            service.wait_until(lambda: "alarmbounced" in storm.alarms, 120)
            time.sleep(70)
            bounced = service.status().bounced
        ignored = sum(row.outcome == "ignored" for row in service.letters())
        size = (Path(folder) / "ingest.db").stat().st_size
        told = service.log.stat().st_size
        service.ledger.close()
    misses = [
        *(f"{one} was answered {many} times" for one, many in storm.answered.items() if many > 1),
        *([f"{ignored} bounces are in the ledger"] if ignored != number else []),
        *(
            [f"{len(storm.answered)} letters answered"]
            if len(storm.answered) != len(waits) + REPLIES
            else []
        ),
        *([f"{bounced} replies bounced"] if bounced != REPLIES else []),
        *([f"alarms: {dict(storm.alarms)}"] if storm.alarms["alarmbounced"] != 1 else []),
        *(["memory grew"] if watch.peak - before.peak > GROWTH_MOST else []),
    ]
    lines = [
        TITLE,
        "",
        f"`python -m tests.hostile.bounce_storm {number}`: {number} reports of {len(REPORTS)}",
        f"kinds, every second one of a reply of ours ({REPLIES} of them), lie in a mailbox on",
        f"{server} when the service starts, SQLite; {MEANWHILE} ordinary letters come behind them,",
        "one after another.",
        "",
        f"- misses: {'; '.join(misses) or 'none'}",
        (
            f"- all read and filed in {seconds:.0f} s, at {cpu:.0f} s of a processor:"
            f" {cpu / number * 1000:.1f} ms each"
        ),
        (
            f"- memory at rest {before.peak / MB:.0f} MB, at most {watch.peak / MB:.0f} MB;"
            f" {size / number / 1024:.1f} kB of database and {told / number / 1024:.1f} of log each"
        ),
        (
            f"- an ordinary letter was answered after {min(waits):.1f} to {max(waits):.1f} s;"
            f" {bounced} replies count as bounced, one alarm was mailed"
        ),
    ]
    print("\n".join(lines))
    if number == STORM:
        report("\n".join(lines) + "\n", TITLE)
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]) if sys.argv[1:] else STORM))
