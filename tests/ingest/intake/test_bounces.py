"""Replies that come back are noted, once, and nothing ever answers a bounce."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.letters.letter import read_letter
from ingest.letters.terms import Limits, Outcome
from ingest.operations.bounces import settle, undelivered
from storage.records.replies import ReplyState
from tests.ingest.intake.reports import DELAYS, NO_BOUNCES, REPORTS, report
from tests.ingest.office import ADDRESS, NOW, mail, office_with, xml

POSTFIX = REPORTS["postfix"][0]


@pytest.fixture
def office(ledger):
    return office_with(ledger)


@pytest.fixture
def reply(office):
    """A reply that has left."""
    return sent(office, 1)


def sent(office, number):
    content = mail(xml(f"0.0{number}")).replace(b"<1@primer", b"<%d@primer" % number)
    owed = office.takes(content).reply
    with office.ledger.transaction() as store:
        for one in store.outbox.lease(limit=100):
            store.outbox.sent(one.id, NOW)
    return owed


def told(office):
    with office.ledger.reading() as store:
        return [store.letters.details(one.id) for one in store.letters.find()]


def of_reply(office):
    return told(office)[0].replies[0]


def status(office):
    with office.ledger.reading() as store:
        return store.installation.status(NOW)


@pytest.mark.parametrize("server", REPORTS)
def test_a_report_of_each_server_sets_the_reply_to_bounced_with_code_and_text(
    office, reply, server
):
    text, code, part = REPORTS[server]
    handled = office.takes(report(text, reply.message_id))
    assert (handled.outcome, handled.reply) == (Outcome.IGNORED, None)
    assert handled.returned is not None
    assert handled.returned.is_new
    kept = of_reply(office)
    assert (kept.state, kept.returned_code) == (ReplyState.BOUNCED, code)
    assert part in kept.returned_text
    assert told(office)[0].summary.reply is ReplyState.BOUNCED
    assert status(office).bounced == 1


@pytest.mark.parametrize("server", DELAYS)
def test_a_delay_is_a_note_and_no_bounce(office, reply, server):
    handled = office.takes(report(DELAYS[server], reply.message_id))
    assert handled.outcome is Outcome.IGNORED
    assert handled.reason.startswith("delay of the reply to letter 1")
    kept = of_reply(office)
    assert kept.state is ReplyState.SENT
    assert any(part in kept.returned_text for part in ("timed out", "not yet been delivered"))
    assert status(office).bounced == 0


def test_a_delay_that_ends_in_a_bounce_is_a_bounce(office, reply):
    office.takes(report(DELAYS["postfix"], reply.message_id))
    office.takes(report(POSTFIX, reply.message_id))
    kept = of_reply(office)
    assert (kept.state, kept.returned_code) == (ReplyState.BOUNCED, "5.1.1")
    late = report(DELAYS["postfix"], reply.message_id).replace(b"5C0A", b"5C0B")
    office.takes(late)
    assert of_reply(office).returned_code == "5.1.1"


@pytest.mark.parametrize("kind", NO_BOUNCES)
def test_an_automatic_reply_or_a_receipt_is_no_bounce(office, reply, kind):
    handled = office.takes(report(NO_BOUNCES[kind], reply.message_id))
    assert (handled.outcome, handled.reply, handled.returned) == (Outcome.IGNORED, None, None)
    assert of_reply(office).state is ReplyState.SENT


@pytest.mark.parametrize("text", [*(one for one, _, _ in REPORTS.values()), *DELAYS.values()])
def test_a_forged_bounce_changes_nothing(office, reply, text):
    before = of_reply(office)
    forged = reply.message_id.replace(reply.message_id.split(".")[2][:4], "0000", 1)
    for other in (forged, "<1@primer.example>", "<>", ""):
        handled = office.takes(report(text, other))
        assert (handled.outcome, handled.reply) == (Outcome.IGNORED, None)
        assert handled.returned is None
        assert "of no reply of ours" in handled.reason or not other
    assert of_reply(office) == before


def test_a_bounce_that_carries_readings_and_a_password_hands_nothing_in(office, reply):
    content = mail(xml("0.067"), head="Return-Path: <>\r\n", sender="MAILER-DAEMON@primer.example")
    handled = office.takes(content)
    assert (handled.outcome, handled.receipts, handled.reply) == (Outcome.IGNORED, (), None)


def test_a_storm_of_bounces_changes_a_reply_once_and_writes_to_nobody(office, reply):
    owed = office.owed()
    for number in range(300):
        storm = report(POSTFIX, reply.message_id).replace(b"5C0A", b"%04d" % number)
        handled = office.takes(storm, NOW + timedelta(seconds=number))
        assert handled.returned.is_new is (number == 0)
    assert status(office).bounced == 1
    assert office.owed() == owed
    (one,) = undelivered(office.ledger)
    assert (one.bounced, one.last_at) == (1, NOW)


def test_an_address_is_marked_after_three_and_an_operator_settles_it(office):
    for number in (1, 2, 3):
        reply = sent(office, number)
        office.takes(report(POSTFIX, reply.message_id))
        (one,) = undelivered(office.ledger)
        assert (one.bounced, one.is_marked) == (number, number == 3)
    assert status(office).marked == 1
    assert one.address == ADDRESS
    assert "5.1.1" in one.last_error

    assert settle(office.ledger, ADDRESS.upper(), "anna", NOW) == 3
    assert undelivered(office.ledger) == []
    assert (status(office).bounced, status(office).marked) == (0, 0)
    assert of_reply(office).state is ReplyState.BOUNCED
    assert settle(office.ledger, ADDRESS, "anna", NOW) == 0


def test_an_undeliverable_reply_is_settled_the_same_way(office):
    office.takes(mail(xml("0.067")))
    with office.ledger.transaction() as store:
        (one,) = store.outbox.lease()
        store.outbox.undeliverable(one.id, "550 no such user", NOW)
    assert status(office).undeliverable == 1
    assert [(o.undeliverable, o.last_error) for o in undelivered(office.ledger)] == [
        (1, "550 no such user")
    ]
    assert settle(office.ledger, ADDRESS, "anna", NOW) == 1
    assert status(office).undeliverable == 0


def test_a_stored_message_id_counts_whatever_the_key_is_by_now(office, reply):
    replies = replace(office.policy.replies, key=b"another".ljust(32))
    office.policy = replace(office.policy, replies=replies)
    assert office.takes(report(POSTFIX, reply.message_id)).returned.is_new


def test_any_cut_of_a_report_is_read_without_an_exception():
    for text, _, _ in REPORTS.values():
        ours = "<verdict.1.0123456789abcdef0123456789abcdef@retailer.example>"
        whole = report(text, ours)
        for end in range(0, len(whole), 97):
            for cut in (whole[:end], whole[end:]):
                bounce = read_letter(cut, Limits()).bounce
                assert bounce is None or not set(bounce.message_ids) - {ours}
