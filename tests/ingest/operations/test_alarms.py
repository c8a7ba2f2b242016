"""What needs a person is mailed once, told in both languages, and repeated by no restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from config.load import load
from config.settings import Alarms, Database, MailboxSettings, Settings, SettingsError, Smtp
from ingest.operations.alarms import owe_alarms
from ingest.replies.message import is_own_message_id
from ingest.wiring.service import Service, now
from storage.records.replies import OwedReply
from storage.records.running import mailbox_named

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOW = now().replace(microsecond=0)


def service_in(folder: Path, mail: str = "people@retailer.example") -> Service:
    return Service(
        Settings(
            database=Database(url=f"sqlite:///{folder}/ingest.db"),
            mailbox=[MailboxSettings(name="main", host="imap.retailer.example")],
            smtp=Smtp(host="smtp.retailer.example", sender="meters@retailer.example"),
            alarms=Alarms(mail=mail),
        )
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = service_in(tmp_path)
    made.ledger.migrate()
    yield made
    made.ledger.close()


def fails(service: Service, since, error: str = "refused us") -> None:
    with service.ledger.transaction() as store:
        store.installation.server_failed(mailbox_named("main"), error, "", since)


def mails(service: Service) -> list[OwedReply]:
    with service.ledger.transaction() as store:
        return store.outbox.lease(limit=100)


def test_a_mailbox_is_mailed_about_only_when_it_fails_for_longer_than_it_may(service) -> None:
    fails(service, NOW)
    assert owe_alarms(service, NOW + 5 * MINUTE) == 0
    assert owe_alarms(service, NOW + 7 * MINUTE) == 1


def test_the_mail_is_in_russian_with_english_beside_and_tells_what_status_does(service) -> None:
    fails(service, NOW)
    owe_alarms(service, NOW + HOUR)
    [mail] = mails(service)
    told = message_from_bytes(mail.content, policy=default)
    text = told.get_content()
    assert told["Subject"] == "Приём показаний: почтовый ящик не читается"
    assert told["To"] == "people@retailer.example"
    assert told["Auto-Submitted"] == "auto-generated"
    assert text.index("Почтовый ящик не читается.") < text.index("A mailbox is not read.")
    assert "mailbox main fails since" in text
    assert is_own_message_id(told["Message-ID"], service.policy.replies)


def test_what_has_changed_is_mailed_again_after_an_hour_and_what_has_not_after_a_day(
    service, tmp_path: Path
) -> None:
    fails(service, NOW)
    at = NOW + HOUR
    assert owe_alarms(service, at) == 1
    fails(service, at, "another fault")
    assert owe_alarms(service, at + 59 * MINUTE) == 0
    # Another process, after a restart, remembers as much.
    again = service_in(tmp_path)
    assert owe_alarms(again, at + 59 * MINUTE) == 0
    assert owe_alarms(again, at + 60 * MINUTE) == 1
    assert owe_alarms(again, at + 24 * HOUR) == 0
    assert owe_alarms(again, at + 26 * HOUR) == 1
    again.ledger.close()


def test_each_kind_has_its_own_hour(service) -> None:
    fails(service, NOW)
    owe_alarms(service, NOW + HOUR)
    with service.ledger.transaction() as store:
        for n in range(3):
            store.outbox.owe(OwedReply(None, f"a{n}@b.example", "", f"<{n}@x>", b"1"), NOW)
        for one in store.outbox.lease(limit=9):
            if one.recipient != "people@retailer.example":
                store.outbox.undeliverable(one.id, "no such user", NOW)
    assert owe_alarms(service, NOW + HOUR + MINUTE) == 1
    assert "<alarmundeliverable." in mails(service)[-1].message_id


def test_a_storm_of_bounces_is_one_mail_an_hour(service) -> None:
    replies = [OwedReply(None, f"a{n}@b.example", "", f"<{n}@x>", b"1") for n in range(1000)]
    with service.ledger.transaction() as store:
        for reply in replies:
            store.outbox.owe(reply, NOW)
    for ten in range(12):
        at = NOW + ten * 10 * MINUTE
        with service.ledger.transaction() as store:
            store.mailboxes.passed("main", at)
            for reply in replies[ten::12]:
                store.outbox.returned([reply.message_id], "5.1.1", "no", at, for_good=True)
        owe_alarms(service, at)
    with service.ledger.transaction() as store:
        assert store.installation.status(NOW).bounced == 1000
        owed = [one.message_id for one in store.outbox.lease(limit=2000)]
    # At once, and once more when the hour was over.
    assert len([one for one in owed if one.startswith("<alarmbounced.")]) == 2


def test_a_clock_that_was_ahead_silences_no_alarm(service) -> None:
    fails(service, NOW)
    assert owe_alarms(service, NOW + 300 * HOUR) == 1
    fails(service, NOW, "another fault")
    assert owe_alarms(service, NOW + HOUR) == 1


def test_without_an_address_nobody_is_mailed(service, tmp_path: Path) -> None:
    fails(service, NOW)
    nobody = service_in(tmp_path, mail="")
    assert owe_alarms(nobody, NOW + HOUR) == 0
    nobody.ledger.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[alarms]\nmail = "people"\n', "an e-mail address by itself"),
        ('[alarms]\nmail = "a@b.example, c@d.example"\n', "an e-mail address by itself"),
        ('[alarms]\nmail = "a@b.example"\n', r"\[alarms\] mail needs \[smtp\] host"),
    ],
)
def test_an_address_that_no_mail_could_reach_is_refused(tmp_path: Path, text, told) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=told):
        load(file)
