"""Letters in by IMAP, replies out by SMTP, the real daemon between them."""

from __future__ import annotations

import json
import time
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from tests.end_to_end.conftest import SERVERS
from tests.end_to_end.installation import SAMPLES, Installation

# On one server: Dovecot where it is; the demo and `test_signals` run on pymap.
pytestmark = pytest.mark.parametrize("imap", SERVERS[:1], indirect=True)

RECEIVED_AT = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))
LETTERS = sorted((SAMPLES / "letters").glob("[01][0-9]-*.eml"))


@pytest.fixture
def installation(tmp_path, imap, smtp_server, loaded):
    url = f"sqlite:///{tmp_path}/ingest.db"
    made = Installation(tmp_path, url, imap, smtp_server.port, loaded=loaded)
    yield made
    made.ledger.close()


def expected(path):
    return json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))


@pytest.mark.timeout(180)
def test_sample_letters_get_their_verdicts_replies_and_folders(installation, imap, smtp_server):
    imap.append(*(path.read_bytes() for path in LETTERS), at=RECEIVED_AT)
    # By its own command, as operators start it.
    installation.loaded = None

    with installation.running() as process:
        installation.wait_until(installation.is_idle, 120)
    assert process.returncode == 0

    outcomes = [expected(path)["outcome"] for path in LETTERS]
    rows = sorted(installation.letters(), key=lambda row: row.id)
    assert [row.outcome for row in rows] == outcomes
    assert imap.count("Ignored") == outcomes.count("ignored")
    assert imap.count("Processed") == len(outcomes) - outcomes.count("ignored")
    answered = [path for path in LETTERS if expected(path)["outcome"] != "ignored"]
    replies = [message_from_bytes(content, policy=default) for _, content in smtp_server.mails]
    # The others tell known addresses of a letter that came from one never seen before.
    replies, notices = (
        [reply for reply in replies if bool(reply["In-Reply-To"]) is answers]
        for answers in (True, False)
    )
    assert all("с нового адреса" in str(reply["Subject"]) for reply in notices)
    assert sorted(str(reply["In-Reply-To"]) for reply in replies) == sorted(
        str(message_from_bytes(path.read_bytes(), policy=default)["Message-ID"])
        for path in answered
    )
    assert all(reply["Auto-Submitted"] == "auto-replied" for reply in replies)


@pytest.mark.timeout(180)
def test_a_letter_that_comes_while_it_runs_is_answered_without_waiting_for_the_next_turn(
    installation, imap, smtp_server
):
    installation.every_seconds = 3600
    installation.config.write_text(installation._text(), encoding="utf-8")
    with installation.running():
        imap.append(LETTERS[0].read_bytes(), at=RECEIVED_AT)
        smtp_server.wait_for(1, 60)
        # Give IDLE the moment it needs to begin anew.
        installation.wait_until(lambda: imap.count("INBOX") == 0)
        time.sleep(1)
        imap.append(LETTERS[1].read_bytes(), at=RECEIVED_AT)
        assert len(smtp_server.wait_for(2, 30)) == 2


@pytest.mark.timeout(180)
def test_letters_put_back_are_only_filed(installation, imap, smtp_server):
    imap.append(LETTERS[0].read_bytes(), at=RECEIVED_AT)
    with installation.running():
        installation.wait_until(lambda: installation.letters() and installation.is_idle(), 60)
        imap.append(LETTERS[0].read_bytes(), at=RECEIVED_AT)
        installation.wait_until(lambda: imap.count("Processed") == 2, 60)
    assert len(installation.letters()) == 1
    assert len(smtp_server.mails) == 1
