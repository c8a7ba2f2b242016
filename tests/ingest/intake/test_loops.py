"""Two installations that answer each other fall silent; so does one that answers itself.

Letters are carried between them in this process, whole or without the headers by
which they know one another.
"""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.operations.periods import Lacking, Reminded, remind
from ingest.replies.message import File
from ingest.replies.new_address import new_address
from ingest.replies.reminder import reminder
from storage.ledger import Ledger
from tests.ingest.office import NOW, OURS, mail, office_with, xml

THEIRS = "readings@neighbour.example"
TELLING = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "Return-Path", "References")


@pytest.fixture
def neighbours(ledger, empty_database, tmp_path):
    """Two offices, each with a database, a key and an address of its own."""
    path = tmp_path / "neighbour.db"
    path.write_bytes(empty_database.read_bytes())
    other = Ledger(f"sqlite:///{path}")
    yield office_with(ledger, OURS), office_with(other, THEIRS)
    other.close()


def carried(first, offices, *, every=timedelta(0), stripped=(), most=1000):
    """How many letters each office wrote, until one of them had no answer."""
    wrote = [0, 0]
    content, now = first, NOW
    for turn in range(most):
        answer = offices[turn % 2].takes(content, now).reply
        if answer is None:
            return wrote
        assert answer.recipient == offices[(turn + 1) % 2].policy.replies.sender
        wrote[turn % 2] += 1
        content = without(answer.content, stripped)
        now += every
    raise AssertionError("they write to each other for ever")


def without(content, headers):
    """A letter whose header lines of those names were lost by the way."""
    head, blank, body = content.partition(b"\r\n\r\n")
    for name in headers:
        head = re.sub(rb"(?mi)^%s:.*\r?\n(?:[ \t].*\r?\n)*" % name.encode(), b"", head)
    return head + blank + body


SEEDS = {
    "a letter with the other's address": mail(body="Добрый день", sender=THEIRS),
    "wrong password": mail(xml("0.067"), body="Код: 1\nПароль: 2", sender=THEIRS),
    "an entity's readings": mail(xml("0.067"), head=f"Reply-To: {THEIRS}\r\n"),
    "an entity's wish": mail(head=f"Reply-To: {THEIRS}\r\n").replace(
        b"Subject: readings", b"Subject: status"
    ),
}


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_two_instances_fall_silent_after_two_letters_at_most(neighbours, seed):
    wrote = carried(seed, neighbours)
    assert wrote[0] == 1
    assert sum(wrote) <= 2


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_without_their_headers_the_hours_bound_stops_them(neighbours, seed):
    wrote = carried(seed, neighbours, stripped=TELLING)
    assert sum(wrote) <= 11


def test_without_their_headers_and_slowly_the_days_bound_stops_them(neighbours):
    for office in neighbours:
        office.policy = replace(office.policy, per_address_per_day=8)
    seed = SEEDS["a letter with the other's address"]
    wrote = carried(seed, neighbours, every=timedelta(minutes=20), stripped=TELLING)
    assert wrote == [8, 8]


def test_our_own_answers_are_known_wherever_they_come_back_from(neighbours):
    ours, _ = neighbours
    answer = ours.takes(SEEDS["wrong password"]).reply
    forwarded = without(answer.content, (*TELLING, "From")).replace(
        b"To: ", b"From: somebody@elsewhere.example\r\nTo: ", 1
    )
    handled = ours.takes(forwarded)
    assert (handled.outcome, handled.reason) == ("ignored", "our own letter")


def kinds(office):
    """One mail of each kind that the service writes."""
    asking = mail().replace(b"Subject: readings", b"Subject: %s")
    yield "reply", office.takes(mail(xml("0.067"))).reply
    yield "refusal", office.takes(mail(body="Добрый день")).reply
    yield "status", office.takes(asking % b"status").reply
    yield "form", office.takes(asking % b"template 52006").reply
    yield "notice", office.notice(mail(xml("0.1")))
    yield "reminder", reminded(office)
    with office.ledger.reading() as store:
        [entity] = store.registry.entities()
    yield "address", new_address(entity, "new@x.example", THEIRS, NOW, office.policy.replies)


def reminded(office, *files):
    with office.ledger.reading() as store:
        [entity] = store.registry.entities()
    return reminder(
        entity, THEIRS, NOW.date().replace(day=1), (), files, NOW, office.policy.replies
    )


def test_no_mail_of_any_kind_is_answered_by_another_instance(neighbours):
    ours, theirs = neighbours
    seen = set()
    for kind, answer in kinds(ours):
        seen.add(kind)
        assert f"<{kind}." in answer.message_id
        handled = theirs.takes(answer.content)
        assert (handled.outcome, handled.reply) == ("ignored", None), kind
        assert theirs.notice(answer.content) is None, kind
    assert seen == {"reply", "refusal", "status", "form", "notice", "reminder", "address"}


def test_a_reminder_with_a_workbook_is_not_answered_though_a_document_is_in_it(neighbours):
    ours, theirs = neighbours
    workbook = File("52005.xlsx", xml("0.067").encode(), "text", "xml")
    told = reminded(ours, workbook).content
    handled = theirs.takes(told)
    assert (handled.outcome, handled.reply) == ("refused", None)
    assert theirs.notice(told) is None


def test_nobody_reminds_itself(neighbours):
    ours, theirs = neighbours
    for office, expected in ((ours, Reminded.NO_ADDRESS), (theirs, Reminded.OWED)):
        with office.ledger.reading() as store:
            [entity] = store.registry.entities()
        lacking = Lacking(replace(entity, addresses=(OURS.upper(),)), ())
        month, settings = NOW.date().replace(day=1), office.policy.replies
        [told] = remind([lacking], office.ledger, month, NOW, settings, office.policy.layouts)
        assert told.reminded is expected


NEVER = [
    "Auto-Submitted: auto-replied",
    "Return-Path: <>",
    "Content-Type: multipart/report; boundary=b; report-type=delivery-status",
    "List-Id: <all.primer.example>",
]
MACHINES = ["Auto-Submitted: auto-generated", "Precedence: bulk", "Precedence: junk"]
MACHINES += ["X-Auto-Response-Suppress: All"]


@pytest.mark.parametrize("header", [*NEVER, *MACHINES])
@pytest.mark.parametrize("subject", ["readings", "status", "template 52006"])
def test_on_no_path_is_a_letter_answered_that_asks_for_silence(neighbours, header, subject):
    office, _ = neighbours
    content = mail(head=f"{header}\r\n").replace(b": readings", f": {subject}".encode())
    if header.startswith("Content-Type"):
        content = content.replace(b"Content-Type: multipart/mixed; boundary=b\r\n", b"")
    handled = office.takes(content)
    assert (handled.outcome, handled.reply) == ("ignored", None)
    assert office.notice(content) is None


@pytest.mark.parametrize("header", NEVER)
def test_not_even_readings_make_such_a_letter_answered(neighbours, header):
    office, _ = neighbours
    content = mail(xml("0.067"), head=f"{header}\r\n")
    if header.startswith("Content-Type"):
        content = content.replace(b"Content-Type: multipart/mixed; boundary=b\r\n", b"")
    assert office.takes(content).outcome == "ignored"
    assert office.notice(content) is None
    assert office.owed() == 0
