"""What one letter means: recorded, refused or ignored, and the reply that it is owed."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from ingest.intake.authenticate import Origin, Prover, claims_of
from ingest.intake.receive import quarantine_notice, receive
from ingest.letters.letter import read_letter
from ingest.letters.terms import Limits, Read
from tests.ingest.office import (
    ADDRESS,
    CODE,
    GUARD,
    NOW,
    OURS,
    PASSWORD,
    arrival_of,
    mail,
    office_with,
    xml,
)

LETTERS = Path(__file__).parents[3] / "samples" / "letters"
STRANGER = "somebody@elsewhere.example"


@pytest.fixture
def office(ledger):
    return office_with(ledger)


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
        assert store.letters.details(1).submissions == ()


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


def test_a_letter_through_the_retailers_group_is_recorded_and_answered(office):
    head = "List-Id: <meters.retailer.example>\r\nPrecedence: list\r\n"
    assert office.takes(mail(xml("0.067"), head=head)).outcome == "ignored"
    office.policy = replace(office.policy, groups=frozenset({"meters.retailer.example"}))
    taken = office.takes(mail(xml("0.067"), head=head + "X-Again: 1\r\n"))
    assert (taken.outcome, taken.reply.recipient) == ("accepted", ADDRESS)
    wrong = mail(xml("0.068"), head=head, body=f"Код: {CODE}\nПароль: wrong")
    assert office.takes(wrong).reply is None


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
    office.policy = replace(office.policy, answer_unknown_senders=False)
    assert office.takes(mail(xml("0.067"), body="")).reply is None
    guard = replace(GUARD, require_known_address=True)
    office.policy = replace(office.policy, guard=guard)
    known = office.takes(mail(xml("0.067"), sender="zam@primer.example"))
    assert codes(known) == ["address-not-allowed"]
    # Whoever knows the password is no stranger.
    assert known.reply.recipient == "zam@primer.example"


def test_replies_to_an_address_end_at_the_days_bound_and_begin_again_the_next_day(office):
    office.policy = replace(office.policy, per_address_per_day=2)

    def asks(number, now=NOW):
        return office.takes(mail(body=f"{number}"), now).reply is not None

    assert [asks(number) for number in range(3)] == [True, True, False]
    assert asks(3, NOW + timedelta(days=1, seconds=1))


def test_a_letter_over_the_limits_says_so_and_nothing_of_credentials(office):
    letter = read_letter(mail(xml("0.067")), Limits(documents=0))
    assert letter.findings
    prover = Prover(office.ledger, office.policy.guard, lambda: NOW)
    proof = prover.prove(claims_of(Read(letter)), Origin(letter.sender))
    with office.ledger.transaction() as store:
        claim = store.letters.claim(None, "0" * 64, 1, NOW, NOW)
        handled = receive(arrival_of(claim), Read(letter), proof, store, NOW, office.policy)
    assert handled.outcome == "rejected"
    assert "too-many-documents" in codes(handled)


def test_a_quarantined_letters_sender_is_told_where_an_answer_may_go(office):
    assert office.notice(mail(xml("0.067"))).recipient == ADDRESS
    assert office.notice(mail(xml("0.067"), head="Auto-Submitted: auto-replied\r\n")) is None
    assert office.notice(mail(sender=OURS)) is None


def test_a_machines_quarantined_letter_is_told_of_when_it_is_known(office):
    head = "Auto-Submitted: auto-generated\r\n"
    assert office.notice(mail(xml("0.067"), head=head, sender=STRANGER)) is None
    assert office.takes(mail(xml("0.067"), sender=STRANGER)).entity
    assert office.notice(mail(xml("0.067"), head=head, sender=STRANGER)).recipient == STRANGER
    assert office.notice(mail(xml("0.067"), head=head)).recipient == ADDRESS


def test_a_quarantined_letter_of_a_stranger_is_not_told_of_when_strangers_get_no_answer(office):
    office.policy = replace(office.policy, answer_unknown_senders=False)
    assert office.notice(mail(xml("0.067"), sender=STRANGER)) is None
    assert office.notice(mail(xml("0.067"))).recipient == ADDRESS


def test_a_stranger_is_answered_five_times_an_hour_at_most_whatever_its_tag(office):
    def asks(number, after=0, sender=STRANGER):
        letter = mail(body=f"{number}", sender=sender)
        answer = office.takes(letter, NOW + timedelta(minutes=after)).reply
        return answer is not None

    tagged = [STRANGER.replace("@", f"+{number}@") for number in range(6)]
    assert [asks(n, n, one) for n, one in enumerate(tagged)] == [True] * 5 + [False]
    assert asks(7, sender="other@elsewhere.example")
    notice = office.notice(mail(xml("0.1"), sender=STRANGER), NOW + timedelta(minutes=59))
    assert notice is None
    assert [asks(8 + n, 62) for n in range(4)] == [True, True, False, False]
    # The sixth letter's reason is for the log.
    refused = office.takes(mail(body="again", sender=STRANGER), NOW + timedelta(minutes=62))
    assert refused.reason == "too many replies to a stranger this hour"


def test_strangers_of_a_domain_and_all_of_them_have_a_bound_that_leaves_the_known_alone(office):
    office.policy = replace(office.policy, strangers_per_hour=30)

    def ask(number, domain, now=NOW):
        return office.takes(mail(body=f"{number} {domain}", sender=f"a{number}@{domain}"), now)

    of_one = [ask(number, "elsewhere.example") for number in range(22)]
    assert [one.reply is not None for one in of_one] == [True] * 20 + [False] * 2
    assert of_one[-1].reason == "too many replies to strangers of this domain this hour"
    of_all = [ask(number, f"{number}.example") for number in range(12)]
    assert [one.reply is not None for one in of_all] == [True] * 10 + [False] * 2
    assert of_all[-1].reason == "too many replies to strangers this hour"
    assert office.takes(mail(body="known")).reply.recipient == ADDRESS
    assert ask(99, "elsewhere.example", NOW + timedelta(hours=1, seconds=1)).reply


def test_a_listed_address_is_refused_as_often_as_the_day_allows(office):
    answers = [office.takes(mail(body=f"{number}")).reply for number in range(8)]
    assert None not in answers


def test_who_proves_no_sender_is_answered_at_from_whatever_reply_to_says(office):
    for sender in (STRANGER, ADDRESS):
        head = "Reply-To: victim@third.example\r\n"
        refused = office.takes(mail(body="Добрый день", head=head, sender=sender))
        assert refused.reply.recipient == sender
        told = office.notice(mail(xml("0.1"), head=head, sender=sender))
        assert told.recipient == sender


def test_a_reply_to_counts_when_the_register_lists_it_or_its_sender_is_proven(office):
    listed = office.takes(mail(body="1", head=f"Reply-To: {ADDRESS}\r\n", sender=STRANGER))
    assert listed.reply.recipient == ADDRESS
    proven = office.takes(mail(xml("0.067"), head=f"Reply-To: {STRANGER}\r\n"))
    assert proven.reply.recipient == STRANGER


AUTHENTICATION_RESULTS = "Authentication-Results: mx.retailer.example; {}\r\n"


@pytest.mark.parametrize(
    ("results", "is_stranger_told", "is_known_told"),
    [
        ("dmarc=pass header.from={domain}", True, True),
        ("spf=pass smtp.mailfrom={domain}", True, True),
        ("dkim=pass header.d={domain}", True, True),
        ("spf=pass smtp.mailfrom=evil.example", False, True),
        ("none", False, True),
        ("", False, True),
        ("dmarc=fail header.from={domain}", False, False),
    ],
)
def test_where_our_server_tells_passes_strangers_need_one_and_the_known_no_failure(
    office, results, is_stranger_told, is_known_told
):
    guard = replace(GUARD, trusted_authserv_id="mx.retailer.example")
    office.policy = replace(office.policy, guard=guard)
    for sender, is_told in ((STRANGER, is_stranger_told), (ADDRESS, is_known_told)):
        written = results.format(domain=sender.partition("@")[2])
        head = AUTHENTICATION_RESULTS.format(written) if written else ""
        wrong = mail(xml("0.067"), body=f"Код: {CODE}\nПароль: nope", head=head, sender=sender)
        assert (office.takes(wrong).reply is not None) is is_told
        assert (office.notice(wrong + b" ") is not None) is is_told


def test_a_stranger_gets_nothing_back_of_what_it_sent(office):
    telling = "buy-this-now"
    letters = [
        mail("what is in it", body=telling).replace(b"text/xml", b"image/png"),
        mail(body=telling),
        mail(xml("0.067", code=telling), body=telling),
        mail(f"<package>{telling}</package>", body=telling),
        mail(xml("0.067"), body=f"Код: 555\nПароль: {telling}\n{telling}"),
        mail(xml("0.067", code="777"), body=f"Код: 555\nПароль: {telling}\n{telling}"),
        mail("PK\x03\x04" + telling, body=telling).replace(b"0.xml", f"{telling}.zip".encode()),
    ]
    for number, letter in enumerate(letters):
        content = letter.replace(b"Subject: readings", f"Subject: {telling}".encode())
        content = content.replace(b'name="0.xml"', f'name="{telling}.xml"'.encode())
        for sender in (STRANGER, ADDRESS):
            whose = content.replace(ADDRESS.encode(), sender.encode())
            handled = office.takes(whose, NOW + timedelta(hours=number))
            assert handled.outcome == "refused"
            message = message_from_bytes(handled.reply.content, policy=policy.default)
            leaves = [part for part in message.walk() if not part.is_multipart()]
            kinds = [part.get_content_type() for part in leaves]
            assert kinds == ["text/plain", "text/html"][: 2 if sender == ADDRESS else 1]
            told = [part.get_content() for part in leaves]
            assert telling not in "".join([*told, *map(str, message.values())])


def test_an_unreadable_letters_sender_is_unknown(office):
    with office.ledger.transaction() as store:
        claim = store.letters.claim(None, "0" * 64, 1, NOW, NOW)
        assert quarantine_notice(arrival_of(claim), None, store, NOW, office.policy) is None


def owed_mails(office):
    """Every mail that waits, in the order in which they were owed."""
    with office.ledger.transaction() as store:
        return store.outbox.lease(limit=100)


def test_the_right_password_from_a_new_address_is_told_to_the_known_ones_once(office):
    other = "zam@primer.example"
    for number in range(3):
        office.takes(mail(body=f"Код: {CODE}\nПароль: {PASSWORD}\n{number}", sender=STRANGER))
    assert office.takes(mail(xml("0.1"), sender=other)).entity
    office.takes(mail(xml("0.2")))

    told = [one for one in owed_mails(office) if one.letter is None]
    assert [one.recipient for one in told] == [ADDRESS, ADDRESS, STRANGER]
    assert [STRANGER in text_of(one) for one in told] == [True, False, False]
    assert [other in text_of(one) for one in told] == [False, True, True]
    headers = message_from_bytes(told[0].content, policy=policy.default)
    assert headers["Auto-Submitted"] == "auto-generated"
    assert PASSWORD not in text_of(told[0])


def test_nobody_is_told_of_a_wrong_password_a_known_address_or_a_forged_one(office):
    guard = replace(GUARD, trusted_authserv_id="mx.retailer.example")
    office.policy = replace(office.policy, guard=guard)
    office.takes(mail(body=f"Код: {CODE}\nПароль: Leto-2026", sender=STRANGER))
    office.takes(mail(xml("0.1")))
    office.takes(mail(xml("0.2"), head=AUTHENTICATION_RESULTS.format("dmarc=fail")))
    assert [one for one in owed_mails(office) if one.letter is None] == []


def test_a_new_address_that_may_hand_in_nothing_is_told_of_all_the_same(office):
    guard = replace(GUARD, require_known_address=True)
    office.policy = replace(office.policy, guard=guard)
    assert codes(office.takes(mail(xml("0.1"), sender=STRANGER))) == ["address-not-allowed"]
    told = [one.recipient for one in owed_mails(office) if one.letter is None]
    assert told == [ADDRESS]


def test_whoever_has_the_password_cannot_flood_the_known_addresses(office):
    office.policy = replace(office.policy, per_address_per_day=3)
    for number in range(6):
        office.takes(mail(xml(f"0.{number}"), sender=f"a{number}@elsewhere.example"))
    told = [one.recipient for one in owed_mails(office) if one.letter is None]
    assert told.count(ADDRESS) == 3


@pytest.mark.parametrize(
    ("sender", "reply_to", "is_marked"),
    [
        (ADDRESS, ADDRESS, True),
        (ADDRESS, "Buh@Primer.example", True),
        (ADDRESS, STRANGER, False),
        (STRANGER, STRANGER, False),
        (STRANGER, ADDRESS, True),
    ],
)
def test_a_marked_workbook_goes_to_known_addresses_only(office, sender, reply_to, is_marked):
    def with_mistakes(number):
        content = (LETTERS / "88b-52006-libreoffice-xlsx.eml").read_bytes()
        content = content.replace(b"buh@primer.example", sender.encode())
        return f"Reply-To: {reply_to}\r\nX-Number: {number}\r\n".encode() + content

    first = office.takes(with_mistakes(1))
    assert first.receipts
    assert first.reply.recipient.lower() == reply_to.lower()
    assert (first.marking is not None) is is_marked
    if first.marking:
        # As it is owed, before there is a workbook: nobody may come to make one.
        bare = message_from_bytes(first.reply.content, policy=policy.default)
        assert "с пометками не приложена" in bare.get_body(("plain",)).get_content()
    # A sender that has authenticated is known the next time.
    again = office.takes(with_mistakes(2))
    assert (again.marking is not None) is (is_marked or sender == reply_to)


def test_what_forged_letters_make_us_write_to_others_is_bounded(office):
    """Backscatter: bytes sent for each byte received, and how many in an hour."""
    received = sent = answers = 0
    for number in range(300):
        victim = f"victim+{number}@domain{number % 40}.example"
        content = f"From: {victim}\r\nReply-To: x@y.example\r\n\r\n{number}".encode()
        reply = office.takes(content, NOW + timedelta(seconds=number)).reply
        received += len(content)
        sent += len(reply.content) if reply else 0
        answers += reply is not None
    print(f"{received} bytes received, {sent} sent: {sent / received:.1f} a byte, {answers} mails")
    # Five an hour for each mailbox behind the tags, whatever its domain.
    assert answers == 40 * 5
    assert sent < answers * 1500


def test_where_a_server_is_trusted_forged_letters_make_us_write_nothing(office):
    guard = replace(GUARD, trusted_authserv_id="mx.retailer.example")
    office.policy = replace(office.policy, guard=guard)
    for number, results in enumerate(("dmarc=fail", "spf=softfail", "none", "dkim=none; spf=none")):
        head = AUTHENTICATION_RESULTS.format(results)
        assert office.takes(mail(body=f"{number}", head=head, sender=STRANGER)).reply is None
    assert office.owed() == 0
