"""Each rule of deploy/prometheus-rules.yml rings on figures scraped from the running daemon."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.demo.servers import ImapServer
from storage.records.letters import Location
from storage.records.replies import OwedReply
from tests.end_to_end.installation import SAMPLES, Installation
from tests.end_to_end.servers import Account, free_port

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-rules.yml"
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
SAMPLE = re.compile(r"^(ingest_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
AWAY = {"IngestDown": ("0", False), "IngestDatabaseAway": ("1", False)}
"""Alerts on what is not there: `up`, and whether figures are."""

FAULTS = (
    'ingest_server_failing{server="mailbox main"} 1.0',
    'ingest_server_failing{server="outbox"} 1.0',
    'ingest_events_total{event="letter.failed"} 1.0',
)


def in_trouble(installation: Installation) -> None:
    """Everything that a person must look at, in the database."""
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    with contextlib.closing(sqlite3.connect(installation.folder / "ingest.db")) as database:
        # Whatever is handed in fails by a fault of ours.
        database.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON submission"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
    with installation.ledger.transaction() as store:
        store.mailboxes.passed("main", now - hour)
        for number in range(1010):
            place = Location("main", "INBOX", 7, number + 1)
            claim = store.letters.claim(place, f"{number:064}", 100, now - hour, now)
            if number == 0:
                store.letters.quarantine(claim.letter, "a fault", now)
            elif number == 1:
                store.letters.wait(claim.letter, hour, "buh@primer.example", "1", "guesses")
        for number in (1, 2):
            reply = OwedReply(None, "buh@primer.example", "Принято", f"<{number}@x>", b"mail")
            store.outbox.owe(reply, now)
        refused, came_back = store.outbox.lease(limit=2)
        store.outbox.undeliverable(refused.id, "550", now)
        store.outbox.sent(came_back.id, now)
        store.outbox.returned([came_back.message_id], "5.1.1", "no such user", now, for_good=True)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """Figures of a daemon before and in as much trouble as can be, and the moment of the scrape."""
    folder = tmp_path_factory.mktemp("daemon")
    with ImapServer() as imap:
        account = Account(port=imap.port, user="nobody", password="wrong")
        made = Installation(folder, f"sqlite:///{folder}/ingest.db", account, free_port())
        port = free_port()
        with made.config.open("a", encoding="utf-8") as file:
            file.write(f"""
[[drop]]
name = "sftp"
path = "{folder}/drop"
[metrics]
listen = "127.0.0.1:{port}"
[oauth.office]
grant = "client_credentials"
token_url = "https://login.example/token"
client_secret = "secret"
expires = {datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}
""")
        (folder / "drop").mkdir()
        in_trouble(made)

        def figures() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())

        def fails() -> bool:
            return all(fault in figures() for fault in FAULTS)

        with made.running():
            made.wait_until(lambda: answers(port))
            before = figures()
            shutil.copy2(SAMPLES / "letters" / "01-52006-xml.eml", folder / "drop" / ".1.eml")
            (folder / "drop" / ".1.eml").rename(folder / "drop" / "1.eml")
            made.wait_until(fails)
            told = figures()
        made.ledger.close()
    return before, told, datetime.now(UTC)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def series(before: str, told: str, at: datetime) -> list[dict[str, str]]:
    """The figures as promtool's input: at first those before, then the same at every minute.

    Its clock begins at 0, so that moments are told from there.
    """
    first = {(name, labels): value for name, labels, value in SAMPLE.findall(before)}
    found = []
    for name, labels, value in SAMPLE.findall(told):
        values = [float(one) for one in (first.get((name, labels)), value) if one]
        if name.endswith("_timestamp_seconds"):
            values = [one - at.timestamp() for one in values]
        every = ",".join(filter(None, ['job="ingest"', labels]))
        known = " ".join(f"{one:.0f}" for one in values)
        found.append({"series": f"{name}{{{every}}}", "values": f"{known}+0x60"})
    return found


def rings(alert: str, inputs: list[dict[str, str]], folder: Path) -> bool:
    """Whether an alert fires after half an hour of these figures, as promtool tells."""
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": inputs,
            # That nothing fires is expected: promtool then tells what did.
            "alert_rule_test": [{"eval_time": "30m", "alertname": alert, "exp_alerts": []}],
        }],
    }  # fmt: skip
    file = folder / f"{alert}.yml"
    file.write_text(json.dumps(test), encoding="utf-8")
    ran = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert ran.returncode in {0, 1}, ran.stderr
    if ran.returncode:
        assert f'alertname="{alert}"' in ran.stdout + ran.stderr
    return bool(ran.returncode)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alarm_rings_in_trouble_and_only_then(alert, scraped, tmp_path):
    up, has_figures = AWAY.get(alert, ("1", True))
    inputs = [{"series": 'up{job="ingest"}', "values": f"{up}x60"}]
    inputs += series(*scraped) if has_figures else []
    assert rings(alert, inputs, tmp_path)
    assert not rings(alert, calm(series(*scraped)), tmp_path)


def calm(figures: list[dict[str, str]]) -> list[dict[str, str]]:
    """The same figures of a service that is well."""
    well = []
    for each in figures:
        name = each["series"].partition("{")[0]
        value = f"{86400 * 365}" if name.startswith("ingest_oauth_ends") else "0"
        if name == "ingest_last_pass_timestamp_seconds":
            # Read through at every minute.
            value = "0+60"
        well.append({"series": each["series"], "values": f"{value}x60"})
    return [{"series": 'up{job="ingest"}', "values": "1x60"}, *well]


def test_the_rules_are_what_prometheus_takes():
    ran = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
