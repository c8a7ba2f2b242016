"""Letters that were filed already, read once more: `replay` and `backfill`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from email import message_from_bytes
from email.policy import default

import pytest

from ingest.wiring.service import now
from tests.end_to_end.conftest import SERVERS
from tests.end_to_end.installation import SAMPLES, Installation
from tests.end_to_end.test_pipeline import RECEIVED_AT

# On one server: Dovecot where it is.
pytestmark = pytest.mark.parametrize("imap", SERVERS[:1], indirect=True)
LETTERS = sorted((SAMPLES / "letters").glob("0[01]-*.eml"))


@pytest.fixture
def installation(tmp_path, imap, smtp_server):
    made = Installation(tmp_path, f"sqlite:///{tmp_path}/ingest.db", imap, smtp_server.port)
    yield made
    made.ledger.close()


@pytest.fixture
def ingest(bare):
    """What a verb said in JSON, told to end with a code."""

    def ran(installation, *words: str, code: int = 0) -> dict[str, object]:
        done = bare("--config", installation.config, *words)
        assert done.code == code, done.err
        return json.loads(done.out or "{}")

    return ran


@pytest.fixture
def settled(installation, ingest, imap):
    imap.append(*(path.read_bytes() for path in LETTERS), at=RECEIVED_AT)
    ingest(installation, "poll")
    assert [row.outcome for row in installation.letters()] == ["accepted", "accepted"]
    return installation


@pytest.mark.timeout(180)
def test_a_quarantined_letter_goes_through_once_more_and_is_answered(
    settled, ingest, imap, smtp_server
):
    first, _ = settled.letters()
    with settled.ledger.transaction() as store:
        store.letters.quarantine(first.id, "KeyError at receive.py:1", now())
    imap.move("Processed", "Quarantine")

    told = ingest(settled, "replay", "--state", "quarantined", "--json")

    assert told == {"put_back": [first.id], "not_found": []}
    again = settled.letters()[0]
    # What it recorded the first time is still in force.
    assert (again.id, again.outcome) == (first.id, "duplicate")
    assert again.received_at == first.received_at
    ids = [message_from_bytes(mail, policy=default)["Message-ID"] for _, mail in smtp_server.mails]
    assert len(ids) == len(set(ids)) == 3


@pytest.mark.timeout(180)
def test_a_letter_that_no_mailbox_has_keeps_its_verdict(settled, ingest, imap):
    imap.move("Processed", "Elsewhere")

    told = ingest(settled, "replay", "1", "--json", code=1)

    assert told == {"put_back": [], "not_found": [1]}
    assert settled.letters()[0].outcome == "accepted"


@pytest.mark.timeout(180)
def test_a_letter_and_its_parts_are_taken_from_the_mail_server(settled, ingest, imap, tmp_path):
    ingest(settled, "show", "1", "--raw", "-o", f"{tmp_path}/raw.eml")
    ingest(settled, "show", "2", "--part", "2", "-o", f"{tmp_path}/part.xml")

    # IMAP has its own line ends.
    assert (tmp_path / "raw.eml").read_bytes().splitlines() == LETTERS[0].read_bytes().splitlines()
    [attached] = message_from_bytes(LETTERS[1].read_bytes(), policy=default).iter_attachments()
    assert (tmp_path / "part.xml").read_bytes() == attached.get_payload(decode=True)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.[ex]ml")} == {0o600}


@pytest.mark.timeout(180)
def test_a_letter_that_was_moved_by_hand_is_told_as_not_there(settled, ingest, imap, tmp_path):
    imap.move("Processed", "Elsewhere")

    ingest(settled, "show", "1", "--raw", "-o", f"{tmp_path}/raw.eml", code=2)

    assert not (tmp_path / "raw.eml").exists()


@pytest.mark.timeout(180)
def test_backfill_passes_over_what_the_ledger_knows(settled, ingest, imap, smtp_server):
    sent = len(smtp_server.mails)

    told = ingest(settled, "backfill", "--since", "2026-11-20", "--json")

    assert told == {"duplicate": 2}
    assert len(settled.letters()) == 2
    assert imap.count("Processed") == 2
    assert len(smtp_server.mails) == sent


@pytest.mark.timeout(180)
def test_backfill_records_what_a_lost_database_knew(settled, ingest, imap, tmp_path, smtp_server):
    folder = tmp_path / "new"
    folder.mkdir()
    new = Installation(folder, f"sqlite:///{folder}/ingest.db", imap, smtp_server.port)

    assert ingest(new, "backfill", "--since", "2026-11-20", "--json") == {"accepted": 2}

    assert [row.outcome for row in new.letters()] == ["accepted", "accepted"]
    assert [row.received_at for row in new.letters()] == [
        row.received_at for row in settled.letters()
    ]
    assert imap.count("Processed") == 2
    new.ledger.close()


@pytest.mark.timeout(180)
def test_a_restored_backup_is_made_whole_and_nobody_is_written_to_again(
    installation, ingest, imap, smtp_server, tmp_path
):
    """The steps of docs/install.md: backup, loss, restore, backfill."""
    first, second = (path.read_bytes() for path in LETTERS)
    imap.append(first, at=RECEIVED_AT)
    ingest(installation, "poll")
    database, copy = tmp_path / "ingest.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    imap.append(second, at=RECEIVED_AT)
    ingest(installation, "poll")
    before = [(row.outcome, row.received_at, row.values) for row in installation.letters()]
    answered = len(smtp_server.mails)

    installation.ledger.close()
    for lost in tmp_path.glob("ingest.db*"):
        lost.unlink()
    copy.rename(database)
    told = ingest(installation, "backfill", "--since", "2026-11-20", "--no-replies", "--json")

    assert told == {"accepted": 1, "duplicate": 1}
    ingest(installation, "poll")
    assert [(r.outcome, r.received_at, r.values) for r in installation.letters()] == before
    assert len(smtp_server.mails) == answered
    assert ingest(installation, "audit", "verify", "--json")["broken"] is None


@pytest.mark.timeout(180)
def test_backfill_does_not_see_letters_before_its_day(settled, ingest):
    assert ingest(settled, "backfill", "--since", "2026-11-24", "--json") == {}
