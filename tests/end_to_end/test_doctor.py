"""`ingest doctor` on servers that are well, and on one that is not."""

from __future__ import annotations

import pytest

from tests.end_to_end.installation import Installation


@pytest.fixture
def installation(tmp_path, imap, smtp_server):
    made = Installation(tmp_path, f"sqlite:///{tmp_path}/ingest.db", imap, smtp_server.port)
    yield made
    made.ledger.close()


@pytest.fixture
def doctor(bare, installation):
    def examined() -> tuple[int, dict[str, dict]]:
        told = bare("--config", installation.config, "doctor", "--json")
        return told.code, {item["what"]: item for item in told.rows}

    return examined


def test_everything_is_well_and_the_folders_are_made(installation, doctor, imap):
    installation.config.chmod(0o600)
    _, found = doctor()
    # A warning until the mail server's results are believed.
    assert [what for what, item in found.items() if not item["well"]] == ["forged senders"]
    with installation.config.open("a", encoding="utf-8") as text:
        text.write('\n[authentication]\ntrusted_authserv_id = "mx.retailer.example"\n')
    code, found = doctor()

    assert [item for item in found.values() if not item["well"]] == []
    assert code == 0
    assert {"configuration", "database", "mailbox main", "smtp 127.0.0.1", "clock"} <= set(found)
    imap.append(b"Subject: x\r\n\r\n", folder="Quarantine")
    assert imap.count("Quarantine") == 1


def test_a_refused_password_is_told_with_what_to_do_and_the_rest_is_tried(installation, doctor):
    text = installation.config.read_text(encoding="utf-8")
    wrong = text.replace(f'password = "{installation.account.password}"', 'password = "wrong"')
    installation.config.write_text(wrong, encoding="utf-8")

    code, found = doctor()

    assert code == 3
    assert not found["mailbox main"]["well"]
    assert "password" in found["mailbox main"]["found"] + found["mailbox main"]["advice"]
    assert found["smtp 127.0.0.1"]["well"]
