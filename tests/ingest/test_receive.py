"""What one letter means: recorded, refused or ignored, and the reply that it is owed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from hashlib import sha256

import pytest

from ingest.authenticate import Guard, Passwords
from ingest.credentials import mask
from ingest.letter import Limits, read_letter
from ingest.ports import Read
from ingest.receive import Desk, quarantine_notice, receive
from ingest.reply import ReplySettings
from layouts.layout import load
from layouts.terms import LegalEntity, MeteringPoint
from parsers import parse
from storage.records import LetterFacts

LAYOUTS = load()
NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
CODE, PASSWORD, ADDRESS = "200000001234", "Zima-2026", "buh@primer.example"
GUARD = Guard(Passwords())
OURS = "meters@retailer.example"


def xml(*energies, created="20261114193232", code=CODE):
    rows = "".join(
        f'<consumption date_time="20261101{hour:02}" energy="{energy}"/>'
        for hour, energy in enumerate(energies)
    )
    return (
        f'<package class="52005" version="1" sender_code="{code}" created="{created}">'
        f"{rows}</package>"
    )


def mail(*documents, body=f"Код: {CODE}\nПароль: {PASSWORD}", head="", sender=ADDRESS):
    """A letter with documents; `head` are further header lines."""
    parts = "".join(
        f'--b\r\nContent-Type: text/xml; name="{number}.xml"\r\n\r\n{document}\r\n'
        for number, document in enumerate(documents)
    )
    return (
        f"From: {sender}\r\nTo: {OURS}\r\nSubject: readings\r\nMessage-ID: <1@primer.example>\r\n"
        f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n{parts}--b--\r\n"
    ).encode()


def nothing_marked(_wanted, _language):
    return {}


@dataclass
class Office:
    """One desk with its ledger; letters are handed over it, each in a transaction."""

    ledger: object
    desk: Desk

    def takes(self, content, now=NOW):
        letter = read_letter(content, Limits())
        parsed = tuple(one for d in letter.documents for one in parse(d, LAYOUTS))
        read = Read(*mask(letter, parsed))
        with self.ledger.transaction() as store:
            claim = store.claim(None, sha256(content).hexdigest(), len(content), now, now)
            handled = receive(read, claim, store, now, nothing_marked, desk=self.desk)
            facts = LetterFacts(letter.sender, read.letter.subject, letter.message_id)
            store.settle(claim.letter, handled.outcome, facts, handled.entity, now)
        return handled

    def owed(self):
        with self.ledger.reading() as store:
            return store.status(NOW).owed


@pytest.fixture
def office(ledger):
    known = GUARD.passwords.hash(PASSWORD)
    points = (MeteringPoint(CODE, channels=("A+",)),)
    with ledger.transaction() as store:
        store.import_registry(
            [LegalEntity(CODE, "ООО «Пример»", "3300000001", (ADDRESS,), True, points, known)],
            "operator",
            NOW,
        )
    replies = ReplySettings(sender=OURS, key=b"k" * 32)
    return Office(ledger, Desk(LAYOUTS, replies, GUARD, own_addresses=frozenset({OURS})))


def text_of(reply):
    message = message_from_bytes(reply.content, policy=policy.default)
    return message.get_body(("plain",)).get_content()


def codes(handled):
    return [found.code.value for found in handled.findings]


def test_a_senders_document_is_recorded_and_answered(office):
    handled = office.takes(mail(xml("0.067", "0.066")))
    assert (handled.outcome, handled.entity.user_code) == ("accepted", CODE)
    assert handled.values == 2
    assert handled.reply.recipient == ADDRESS
    assert office.owed() == 1


def test_nothing_of_a_stranger_is_recorded(office):
    handled = office.takes(mail(xml("0.067"), body=f"Код: {CODE}\nПароль: wrong"))
    assert (handled.outcome, handled.entity, handled.receipts) == ("refused", None, ())
    assert codes(handled) == ["credentials-wrong"]
    assert handled.reason == "credentials-wrong"
    with office.ledger.reading() as store:
        assert store.letter(1).submissions == ()


def test_a_letter_that_hands_in_nothing_is_told_what_to_send(office):
    handled = office.takes(mail(body="Добрый день"))
    assert (handled.outcome, codes(handled)) == ("refused", ["no-documents"])


def test_an_authenticated_letter_without_a_document_is_told_so(office):
    handled = office.takes(mail())
    assert (handled.outcome, codes(handled)) == ("rejected", ["no-documents"])
    assert handled.entity.user_code == CODE


def test_a_wish_is_granted_to_its_sender_and_to_nobody_else(office):
    def wishing(**more):
        return mail(**more).replace(b"Subject: readings", b"Subject: status")

    assert office.takes(wishing()).outcome == "answered"
    refused = office.takes(wishing(body="Добрый день"))
    assert (refused.outcome, codes(refused)) == ("refused", ["credentials-missing"])


def test_documents_are_told_in_their_order_and_recorded_by_their_age(office):
    newer, older = xml("0.9", created="20261114120000"), xml("0.1", created="20261113120000")
    handled = office.takes(mail(newer, older))
    assert [receipt.parsed.name for receipt in handled.receipts] == ["0.xml", "1.xml"]
    first, second = (receipt.checked for receipt in handled.receipts)
    assert second.verdict == "accepted"
    assert first.verdict == "accepted"
    assert len(first.changes[0].replaced) == 1


def test_one_good_document_of_two_makes_the_letter_partly_accepted(office):
    handled = office.takes(mail(xml("0.067"), xml("x", created="20261114200000")))
    assert handled.outcome == "partly_accepted"
    assert [str(r.checked.verdict) for r in handled.receipts] == ["accepted", "rejected"]


def test_the_same_document_again_is_a_duplicate_with_the_first_receipt(office):
    first = office.takes(mail(xml("0.067")))
    again = office.takes(mail(xml("0.067"), head="X-Again: 1\r\n"))
    assert again.outcome == "duplicate"
    assert again.receipts[0].number == first.receipts[0].number
    assert str(first.receipts[0].number) in text_of(again.reply)


@pytest.mark.parametrize(
    "head", ["Auto-Submitted: auto-replied\r\n", "Return-Path: <>\r\n", "List-Id: <l.example>\r\n"]
)
def test_what_must_not_be_answered_is_ignored_before_authentication(office, head):
    handled = office.takes(mail(xml("0.067"), head=head, body=f"Код: {CODE}\nПароль: wrong"))
    assert (handled.outcome, handled.reply, handled.findings) == ("ignored", None, ())
    assert handled.reason
    assert office.owed() == 0


def test_our_own_letter_is_ignored(office):
    assert office.takes(mail(xml("0.067"), sender=OURS)).outcome == "ignored"


def test_a_metering_systems_letter_is_answered_when_it_proves_its_sender_only(office):
    head = "Auto-Submitted: auto-generated\r\n"
    proven = office.takes(mail(xml("0.067"), head=head))
    assert proven.outcome == "accepted"
    assert proven.reply
    stranger = office.takes(mail(xml("0.067"), head=head, body="Добрый день"))
    assert (stranger.outcome, stranger.reply) == ("refused", None)


def test_without_an_address_to_answer_to_readings_are_recorded_all_the_same(office):
    content = mail(xml("0.067")).replace(b"From: buh@primer.example\r\n", b"")
    handled = office.takes(content)
    assert (handled.outcome, handled.reply) == ("accepted", None)


def test_strangers_are_left_without_an_answer_when_that_is_wished(office):
    office.desk = replace(office.desk, answer_unknown_senders=False)
    assert office.takes(mail(xml("0.067"), body="")).reply is None
    guard = replace(GUARD, require_known_address=True)
    office.desk = replace(office.desk, guard=guard)
    known = office.takes(mail(xml("0.067"), sender="zam@primer.example"))
    assert codes(known) == ["address-not-allowed"]
    # Whoever knows the password is no stranger.
    assert known.reply.recipient == "zam@primer.example"


def test_replies_to_an_address_end_at_the_days_bound_and_begin_again_the_next_day(office):
    office.desk = replace(office.desk, per_address_per_day=2)

    def asks(number, now=NOW):
        return office.takes(mail(body=f"{number}"), now).reply is not None

    assert [asks(number) for number in range(3)] == [True, True, False]
    assert asks(3, NOW + timedelta(days=1, seconds=1))


def test_a_letter_over_the_limits_says_so_and_nothing_of_credentials(office):
    letter = read_letter(mail(xml("0.067")), Limits(documents=0))
    assert letter.findings
    with office.ledger.transaction() as store:
        claim = store.claim(None, "0" * 64, 1, NOW, NOW)
        handled = receive(Read(letter), claim, store, NOW, nothing_marked, desk=office.desk)
    assert handled.outcome == "rejected"
    assert "too-many-documents" in codes(handled)


def test_a_quarantined_letters_sender_is_told_where_an_answer_may_go(office):
    def notice(content):
        letter = read_letter(content, Limits())
        with office.ledger.transaction() as store:
            claim = store.claim(None, sha256(content).hexdigest(), 1, NOW, NOW)
            return quarantine_notice(letter, claim, store, NOW, office.desk)

    assert notice(mail(xml("0.067"))).recipient == ADDRESS
    assert notice(mail(xml("0.067"), head="Auto-Submitted: auto-replied\r\n")) is None
    assert notice(mail(sender=OURS)) is None


def test_an_unreadable_letters_sender_is_unknown(office):
    with office.ledger.transaction() as store:
        claim = store.claim(None, "0" * 64, 1, NOW, NOW)
        assert quarantine_notice(None, claim, store, NOW, office.desk) is None
