"""The IMAP adapter on real servers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from ingest.transports.imap.mailbox import HEADER_BYTES, ImapMailbox
from ingest.transports.ports import MailboxUnavailable
from storage.records.letters import Location
from tests.end_to_end.servers import free_port
from tests.fakes import mail

AT = datetime(2026, 11, 10, 9, 15, tzinfo=UTC)


@pytest.fixture
def mailbox(imap):
    mailbox = ImapMailbox(imap.config())
    yield mailbox
    mailbox.close()


def fetched(mailbox):
    _, uids = mailbox.uids()
    return [raw for batch in mailbox.fetch(uids) for raw in batch]


def test_letters_come_whole_in_order_with_the_servers_moment_of_receipt(imap, mailbox):
    imap.append(mail("first"), mail("second"), at=AT)

    letters = fetched(mailbox)

    assert [raw.content for raw in letters] == [mail("first"), mail("second")]
    assert {raw.received_at for raw in letters} == {AT}
    assert letters[0].size == len(mail("first"))
    first, second = (Location.of(raw.arrival.source, raw.arrival.key) for raw in letters)
    assert first.folder == "INBOX"
    assert first.uid < second.uid
    assert first.uidvalidity > 0


def test_reading_marks_nothing_as_seen(imap, mailbox):
    imap.append(mail("first"))
    fetched(mailbox)
    with imap._client() as client:
        client.select_folder("INBOX")
        assert client.search("UNSEEN")


def test_an_empty_folder_gives_nothing(mailbox):
    assert mailbox.uids()[1] == []
    assert list(mailbox.fetch([])) == []


def test_batches_are_bounded_in_letters_and_bytes(imap):
    imap.append(*(mail(f"letter {n}") for n in range(5)))
    imap.append(mail("large") + b"x" * 3000)
    mailbox = ImapMailbox(imap.config(batch=3, batch_bytes=3000))
    _, uids = mailbox.uids()
    assert [len(batch) for batch in mailbox.fetch(uids)] == [3, 2, 1]
    mailbox.close()


def test_of_a_letter_over_the_limit_only_the_header_comes(imap):
    imap.append(mail("huge") + b"x" * 5000, mail("small"))
    mailbox = ImapMailbox(imap.config(letter_bytes=2000))
    huge, small = fetched(mailbox)
    assert huge.header_only
    assert huge.size > 5000
    assert huge.content.startswith(b"From:")
    assert b"xxx" not in huge.content
    assert not small.header_only
    mailbox.close()


def test_a_header_that_is_itself_huge_is_cut(imap):
    line = b"X-Filler: " + b"y" * 900 + b"\r\n"
    imap.append(line * 600 + mail("bomb"))
    mailbox = ImapMailbox(imap.config(letter_bytes=2000))
    (bomb,) = fetched(mailbox)
    assert len(bomb.content) <= HEADER_BYTES
    mailbox.close()


def test_letters_that_have_gone_meanwhile_are_left_out(imap, mailbox):
    imap.append(mail("first"), mail("second"))
    _, uids = mailbox.uids()
    other = ImapMailbox(imap.config())
    other.uids()
    other.file(uids[:1], "accepted")
    assert [raw.content for batch in mailbox.fetch(uids) for raw in batch] == [mail("second")]
    other.close()


def test_letters_are_filed_in_the_folder_for_their_outcome_made_when_missing(imap, mailbox):
    imap.append(mail("a"), mail("b"), mail("c"), mail("d"))
    _, uids = mailbox.uids()
    for uid, outcome in zip(uids, ("accepted", "ignored", "quarantined", "refused"), strict=True):
        mailbox.file([uid], outcome)
    assert imap.contents("INBOX") == []
    assert imap.contents("Processed") == [mail("a"), mail("d")]
    assert imap.contents("Ignored") == [mail("b")]
    assert imap.contents("Quarantine") == [mail("c")]


def test_filing_what_has_gone_is_nothing(imap, mailbox):
    imap.append(mail("a"))
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    mailbox.file(uids, "accepted")
    assert imap.count("Processed") == 1


def test_folders_may_have_russian_names(imap):
    imap.append(mail("a"))
    mailbox = ImapMailbox(imap.config(processed="Принятые"))
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    assert imap.contents("Принятые") == [mail("a")]
    mailbox.close()


def test_a_missing_folder_of_arrival_is_made(imap):
    mailbox = ImapMailbox(imap.config(folder="Meters"))
    assert mailbox.uids()[1] == []
    mailbox.close()


def test_idle_wakes_when_a_letter_comes(imap, mailbox):
    mailbox.wait(0.1)
    timer = threading.Timer(0.3, imap.append, args=[mail("first")])
    timer.start()
    assert mailbox.wait(15)
    timer.join()


def test_a_server_is_asked_again_and_again_where_that_is_wished(imap, monkeypatch):
    mailbox = ImapMailbox(imap.config(look_seconds=0.05))
    mailbox.wait(0.1)
    asked = []
    noop = mailbox._client.noop
    monkeypatch.setattr(mailbox._client, "noop", lambda: (asked.append(1), noop())[1])

    assert not mailbox.wait(0.5)
    assert len(asked) > 2

    # An IDLE that keeps to itself what came.
    monkeypatch.setattr(mailbox, "_idle_once", lambda *_: imap.append(mail("first")))
    assert mailbox.wait(15)
    mailbox.close()


def test_mail_that_came_between_two_waits_wakes_at_once(imap, mailbox):
    mailbox.wait(0.1)
    imap.append(mail("first"))
    assert mailbox.wait(15)


def test_without_mail_a_wait_ends_with_its_time(mailbox):
    mailbox.wait(0.1)
    assert not mailbox.wait(0.3)


@pytest.mark.timeout(20)
def test_close_ends_a_wait(mailbox):
    mailbox.wait(0.1)
    timer = threading.Timer(0.3, mailbox.close)
    timer.start()
    assert not mailbox.wait(60)
    timer.join()


def test_a_wrong_password_is_told_as_such_and_never_shown(imap):
    mailbox = ImapMailbox(imap.config(password="wrong-secret"))
    with pytest.raises(MailboxUnavailable, match="refused the user or the password") as told:
        mailbox.uids()
    assert "wrong-secret" not in str(told.value)
    assert "127.0.0.1" in str(told.value)


def test_a_server_that_is_not_there_is_named(imap):
    port = free_port()
    mailbox = ImapMailbox(imap.config(port=port))
    with pytest.raises(MailboxUnavailable, match=f"mailbox main: 127.0.0.1:{port}: cannot list"):
        mailbox.uids()


def test_a_connection_that_was_lost_is_made_anew(imap, mailbox):
    imap.append(mail("first"))
    _, uids = mailbox.uids()
    mailbox._client.socket().shutdown(2)
    with pytest.raises(MailboxUnavailable):
        list(mailbox.fetch(uids))
    assert [raw.content for raw in fetched(mailbox)] == [mail("first")]
