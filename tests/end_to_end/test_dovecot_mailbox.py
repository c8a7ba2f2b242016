"""What only Dovecot can show: TLS, other capabilities, a server that goes away."""

from __future__ import annotations

import pytest
from imapclient import IMAPClient

from ingest.letters.letter import header_of
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.ports import CLAIM_BYTES, MailboxUnavailable
from tests.end_to_end.servers import Dovecot
from tests.fakes import mail


def reads_one_letter(account, mailbox):
    account.append(mail("first"))
    _, uids = mailbox.uids()
    letters = [raw.content for batch in mailbox.fetch(uids) for raw in batch]
    mailbox.close()
    return letters == [mail("first")]


def test_tls_with_a_certificate_that_can_be_verified(dovecot):
    config = dovecot.config(security="tls", port=dovecot.tls_port)
    assert reads_one_letter(dovecot, ImapMailbox(config, dovecot.tls_context()))


def test_starttls_before_the_password_is_told(dovecot):
    config = dovecot.config(security="starttls", host="localhost")
    assert reads_one_letter(dovecot, ImapMailbox(config, dovecot.tls_context()))


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(dovecot, security):
    port = dovecot.tls_port if security == "tls" else dovecot.port
    mailbox = ImapMailbox(dovecot.config(security=security, port=port))
    with pytest.raises(MailboxUnavailable, match="certificate verify failed"):
        mailbox.uids()


def test_without_the_move_extension_letters_are_copied_and_expunged_by_uid(dovecot, monkeypatch):
    dovecot.append(mail("first"), mail("second"))
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    with_other_flags(mailbox, uids[1])
    without(monkeypatch, mailbox, "MOVE")
    mailbox.file(uids[:1], "accepted")
    assert dovecot.contents("Processed") == [mail("first")]
    # What somebody else marked as deleted is none of our business.
    assert dovecot.contents("INBOX") == [mail("second")]
    mailbox.close()


def listed_without_extensions(dovecot, monkeypatch):
    mailbox = ImapMailbox(dovecot.config())
    mailbox.uids()
    without(monkeypatch, mailbox, "MOVE", "UIDPLUS")
    return mailbox, mailbox.uids()[1]


def test_without_move_and_uidplus_letters_are_copied_and_expunged(dovecot, monkeypatch):
    dovecot.append(mail("first"), mail("second"))
    mailbox, uids = listed_without_extensions(dovecot, monkeypatch)

    mailbox.file(uids[:1], "accepted")

    assert dovecot.contents("Processed") == [mail("first")]
    assert dovecot.contents("INBOX") == [mail("second")]
    mailbox.close()


def test_where_an_expunge_would_remove_the_letters_of_others_ours_are_kept_apart(
    dovecot, monkeypatch
):
    dovecot.append(mail("first"), mail("second"), mail("third"))
    mailbox, uids = listed_without_extensions(dovecot, monkeypatch)
    with_other_flags(mailbox, uids[1])

    mailbox.file(uids[:1], "accepted")

    assert dovecot.contents("Processed") == [mail("first")]
    assert dovecot.contents("INBOX") == [mail("first"), mail("second"), mail("third")]
    # It has its verdict and its copy: it is not read again.
    assert mailbox.uids()[1] == uids[1:]
    assert [raw.content for raw in fetched(mailbox, uids[1:])] == [mail("second"), mail("third")]
    mailbox.close()


def test_a_folder_that_is_only_a_level_above_others_becomes_one(dovecot):
    with dovecot._client() as client:
        client.create_folder("Processed.2025")
    dovecot.append(mail("first"))
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    assert dovecot.contents("Processed") == [mail("first")]
    mailbox.close()


def test_examining_tries_to_file_and_leaves_nothing_behind(dovecot):
    dovecot.append(mail("first"))
    mailbox = ImapMailbox(dovecot.config())

    found = mailbox.examine()

    assert (found.letters, found.keeps_apart) == (1, False)
    assert found.folders == ("Processed", "Ignored", "Quarantine")
    assert [dovecot.count(folder) for folder in found.folders] == [0, 0, 0]
    _, uids = mailbox.uids()
    assert [raw.content for raw in fetched(mailbox, uids)] == [mail("first")]
    mailbox.close()


def with_other_flags(mailbox, uid):
    mailbox._client.add_flags([uid], [b"\\Deleted"])


def without(monkeypatch, mailbox, *names):
    """The connection as a server without these extensions would give it."""
    has = mailbox._client.has_capability
    monkeypatch.setattr(mailbox._client, "has_capability", lambda n: n not in names and has(n))


def test_a_folder_made_anew_is_not_touched_until_its_letters_are_listed_again(dovecot):
    with dovecot._client() as client:
        client.create_folder("Meters")
    dovecot.append(mail("old"), folder="Meters")
    mailbox = ImapMailbox(dovecot.config(folder="Meters"))
    before, uids = mailbox.uids()
    with dovecot._client() as client:
        client.delete_folder("Meters")
        client.create_folder("Meters")
    dovecot.append(mail("new"), folder="Meters")
    mailbox._drop()

    # The first one to find it out may be a thread that fetches, the next one files.
    for _ in range(2):
        with pytest.raises(MailboxUnavailable, match="UIDVALIDITY has changed"):
            list(mailbox.fetch(uids))
        with pytest.raises(MailboxUnavailable, match="UIDVALIDITY has changed"):
            mailbox.file(uids, "accepted")
    assert dovecot.count("Meters") == 1

    after, uids = mailbox.uids()
    assert after != before
    assert [raw.content for batch in mailbox.fetch(uids) for raw in batch] == [mail("new")]
    mailbox.close()


def test_who_only_waits_for_mail_goes_on_with_a_folder_made_anew(dovecot):
    with dovecot._client() as client:
        client.create_folder("Meters")
    mailbox = ImapMailbox(dovecot.config(folder="Meters"))
    mailbox.wait(0.1)
    with dovecot._client() as client:
        client.delete_folder("Meters")
        client.create_folder("Meters")
    dovecot.append(mail("new"), folder="Meters")
    mailbox._drop()
    assert mailbox.wait(15)
    mailbox.close()


def test_a_folder_that_cannot_be_made_is_told_by_its_name(dovecot):
    dovecot.append(mail("first"))
    mailbox = ImapMailbox(dovecot.config(processed="~/etc"))
    _, uids = mailbox.uids()
    with pytest.raises(MailboxUnavailable, match="cannot move letters into the folder ~/etc"):
        mailbox.file(uids, "accepted")
    assert dovecot.count("INBOX") == 1
    mailbox.close()


def test_folders_are_made_under_the_prefix_that_some_servers_ask_for():
    server = Dovecot(prefix="INBOX.")
    try:
        server.start()
        account = server.account()
        account.append(mail("first"))
        mailbox = ImapMailbox(account.config())
        _, uids = mailbox.uids()
        mailbox.file(uids, "accepted")
        mailbox.close()
        assert account.contents("INBOX.Processed") == [mail("first")]
    finally:
        server.close()


def test_thousands_of_letters_are_listed_and_fetched_in_pieces(dovecot):
    dovecot.append(*(mail(f"letter {n}") for n in range(1200)))
    mailbox = ImapMailbox(dovecot.config(batch=100))
    _, uids = mailbox.uids()
    sizes = [len(batch) for batch in mailbox.fetch(uids)]
    assert sum(sizes) == len(uids) == 1200
    assert max(sizes) == 100
    mailbox.close()


def test_a_server_that_goes_and_comes_back_is_used_again():
    server = Dovecot()
    try:
        server.start()
        account = server.account()
        mailbox = ImapMailbox(account.config())
        account.append(mail("first"))
        mailbox.uids()
        server.stop()
        with pytest.raises(MailboxUnavailable):
            mailbox.uids()
        server.start()
        assert len(mailbox.uids()[1]) == 1
        mailbox.close()
    finally:
        server.close()


def test_a_letter_that_breaks_its_connection_holds_up_no_other(dovecot, monkeypatch):
    dovecot.append(mail("first"), mail("poison"), mail("third"))
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    breaks_at(monkeypatch, uids[1])

    assert fetched(mailbox, uids) == []
    got = [raw.content for _ in range(3) for raw in fetched(mailbox, uids)]
    mailbox.close()
    assert {mail("first"), mail("third")} <= set(got)


def test_a_letter_that_always_breaks_a_working_server_is_given_without_its_bytes(
    dovecot, monkeypatch
):
    dovecot.append(mail("poison"))
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    breaks_at(monkeypatch, uids[0])
    given = []
    for _ in range(10):
        given = fetched(mailbox, uids)
        if given:
            break
    assert [raw.missing for raw in given] == [True]
    mailbox.close()


def test_a_letter_that_was_only_unlucky_comes_whole(dovecot, monkeypatch):
    dovecot.append(mail("first"))
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    with monkeypatch.context() as patched:
        breaks_at(patched, uids[0])
        assert fetched(mailbox, uids) == []
    assert [raw.content for raw in fetched(mailbox, uids)] == [mail("first")]
    assert mailbox._suspects == {}
    mailbox.close()


def fetched(mailbox, uids):
    """What comes before the connection breaks."""
    letters = []
    try:
        for batch in mailbox.fetch(uids):
            letters += batch
    except MailboxUnavailable:
        pass
    return letters


def breaks_at(monkeypatch, uid):
    """A server that ends the connection whenever it is asked for this letter's bytes."""
    whole = IMAPClient.fetch

    def fetch(client, uids, what, *rest):
        if uid in uids and what[0].startswith("BODY.PEEK[]"):
            client.socket().shutdown(2)
        return whole(client, uids, what, *rest)

    monkeypatch.setattr(IMAPClient, "fetch", fetch)


def test_who_letters_are_from_is_told_without_reading_them(dovecot):
    results = b"Authentication-Results: mx.ours;\r\n dmarc=fail\r\nAuthentication-Results: b\r\n"
    of_nobody = b"Subject: of nobody\r\nX: %s\r\n\r\nText\r\n" % (b"x" * 2 * CLAIM_BYTES)
    dovecot.append(results + mail("first", "a@x.example"), of_nobody)
    mailbox = ImapMailbox(dovecot.config())
    _, uids = mailbox.uids()
    found = dict(mailbox.headers(uids))
    first, second = (header_of(found.get(uid, b"")) for uid in uids)
    assert (first.sender, second.sender) == ("a@x.example", "")
    assert len(found[uids[1]]) == CLAIM_BYTES
    assert first.headers == {"authentication-results": ("mx.ours; dmarc=fail", "b")}
    mailbox.close()
