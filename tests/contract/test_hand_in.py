"""Files handed in without a letter: the same path, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.intake.authenticate import NoSuchEntity
from ingest.operations.hand_in import File, Sender, Way, hand_in
from ingest.operations.told import as_json
from ingest.operations.typed import NotAWholeHour, TypedReading, typed_document
from layouts.findings import Code
from layouts.points import LegalEntity
from tests.contract.documents import ENTITY as REGISTERED
from tests.contract.documents import LAYOUTS, MONTH, OTHER, import_all, rows
from tests.direct_reader import DirectReader
from tests.ingest.office import ADDRESS, CODE, NOW, mail, office_with, xml
from tests.registering import register

DAY = timedelta(days=1)
ACCOUNT = Sender(Way.UPLOAD, CODE, "user@primer.example")
OPERATOR = Sender(Way.OPERATOR, CODE, "petrova", "call of 15 November", mail_to=None)


@pytest.fixture
def reader():
    reader = DirectReader(LAYOUTS)
    yield reader
    reader.close()


@pytest.fixture
def desk(ledger, reader):
    """Hands in a file; the entity of the tests is in the register."""
    office = office_with(ledger)

    def give(content, sender=ACCOUNT, now=NOW, name="z.xml", **options):
        file = content if isinstance(content, File) else File(name, content.encode())
        return hand_in(file, sender, ledger, office.policy, reader, now, **options)

    give.office = office
    return give


def values(ledger):
    """Energies in force in kWh, and how many letters, submissions and replies are kept."""
    energies = [
        row[0] // 1000
        for row in rows(ledger, "SELECT energy_wh FROM interval_value ORDER BY start")
    ]
    counts = [
        int(rows(ledger, f"SELECT count(*) FROM {table}")[0][0])
        for table in ("letter", "submission", "reply")
    ]
    return energies, counts


def codes(done, position=0):
    return [item.code.value for item in done.handled.receipts[position].checked.findings]


def test_an_upload_is_recorded_as_a_letters_document_is(desk, ledger):
    done = desk(xml("0.067", "0.066"))

    assert (done.handled.outcome, done.handled.values) == ("accepted", 2)
    assert values(ledger) == ([67, 66], [1, 1, 0])
    with ledger.reading() as store:
        whole = store.letters.details(done.letter)
    assert (whole.summary.sender, whole.summary.subject) == ("user@primer.example", "z.xml")
    [place] = whole.locations
    assert (place.mailbox, place.key[-2:]) == ("upload", "#1")


def test_nothing_of_a_dry_run_stays_and_it_knows_the_history(desk, ledger):
    desk(xml("0.067", "0.066"))
    done = desk(xml("0.067", "0.099", created="20261114200000"), dry_run=True)

    assert (done.letter, done.handled.outcome) == (0, "accepted")
    assert "value-changed" in codes(done)
    assert values(ledger) == ([67, 66], [1, 1, 0])
    [document] = as_json(done)["documents"]
    assert document["receipt"] is None


def test_the_same_bytes_twice_have_the_same_receipt(desk, ledger):
    first, second = desk(xml("0.067")), desk(xml("0.067"), now=NOW + DAY)

    assert second.is_known
    assert (second.letter, second.handled.receipts[0].number) == (
        first.letter,
        first.handled.receipts[0].number,
    )
    assert values(ledger)[1] == [1, 1, 0]


def test_what_was_refused_is_refused_under_the_same_receipt_until_something_changed(desk, ledger):
    moved = xml("0.067", code="999")
    first, second = desk(moved), desk(moved)
    assert codes(first) == ["sender-mismatch"]
    assert (second.is_known, second.handled.receipts[0].number) == (
        True, first.handled.receipts[0].number,
    )  # fmt: skip

    entity = replace(REGISTERED, user_code="999", points=())
    point = replace(REGISTERED.points[0], code="999")
    with ledger.transaction() as store:
        register(store.registry, [replace(entity, points=(point,))], "operator", NOW)
    other = desk(moved, replace(ACCOUNT, entity="999"))
    assert (other.is_known, other.handled.outcome) == (False, "accepted")


def test_a_document_that_came_by_mail_keeps_its_receipt(desk):
    first = desk.office.takes(mail(xml("0.067")))
    done = desk(xml("0.067"))

    assert (done.handled.outcome, done.handled.receipts[0].number) == (
        "duplicate", first.receipts[0].number,
    )  # fmt: skip


def test_another_entitys_document_is_not_taken_for_ones_own(desk, ledger):
    import_all(ledger, OTHER)
    desk(xml("0.067"))
    done = desk(xml("0.067"), replace(ACCOUNT, entity=OTHER.user_code))

    assert not done.is_known
    assert codes(done) == ["sender-mismatch"]


def test_nobody_hands_in_for_an_entity_that_is_not_there_or_switched_off(desk, ledger):
    with pytest.raises(NoSuchEntity, match="no such user code"):
        desk(xml("0.067"), replace(ACCOUNT, entity="404"))
    off = LegalEntity(CODE, "ООО «Пример»", "3300000001", (ADDRESS,), False)
    with ledger.transaction() as store:
        register(store.registry, [off], "operator", NOW)
    with pytest.raises(NoSuchEntity, match="switched off"):
        desk(xml("0.067"))
    assert values(ledger) == ([], [0, 0, 0])


def test_what_an_operator_enters_is_told_to_the_entity_and_audited(desk, ledger):
    done = desk(xml("0.067"), OPERATOR)

    assert done.handled.reply.recipient == ADDRESS
    with ledger.reading() as store:
        [entry] = store.audit.of("entry")
        [reply] = store.letters.details(done.letter).replies
    assert (entry.who, entry.key) == ("petrova", str(done.handled.receipts[0].number))
    assert (entry.after["entity"], entry.after["reason"]) == (CODE, "call of 15 November")
    assert reply.recipient == ADDRESS
    assert rows(ledger, "SELECT operator, reason FROM submission") == [
        ("petrova", "call of 15 November")
    ]


def test_an_operators_entry_holds_against_documents_but_not_against_another_entry(desk, ledger):
    desk(xml("0.067"), OPERATOR)
    later = desk(xml("0.070", created="20261114210000"))
    assert "held-by-operator" in codes(later)
    assert values(ledger)[0] == [67]

    again = desk(xml("0.080", created="20261114220000"), OPERATOR)
    assert "held-by-operator" not in codes(again)
    assert values(ledger)[0] == [80]


def test_a_rule_is_overridden_by_name_and_the_finding_stays(desk, ledger):
    old = xml("0.067", created="20261114193232").replace("20261101", "20260601")
    refused = desk(old, OPERATOR)
    assert (refused.handled.outcome, codes(refused)[0]) == ("rejected", "too-old")

    done = desk(old, replace(OPERATOR, overrides=frozenset({Code.TOO_OLD})))
    assert (done.handled.outcome, values(ledger)[0]) == ("accepted", [67])
    [found] = [x for x in done.handled.receipts[0].checked.findings if x.code is Code.TOO_OLD]
    assert (found.severity, found.is_overridden) == ("warning", True)
    with ledger.reading() as store:
        kept = store.letters.details(done.letter).submissions[0].findings
        assert [entry.after["overridden"] for entry in store.audit.of("entry")] == [[], ["too-old"]]
    assert [item.is_overridden for item in kept if item.code is Code.TOO_OLD] == [True]


@pytest.mark.parametrize("sender", [ACCOUNT, OPERATOR])
def test_a_closed_month_is_never_overridden_nor_anything_by_the_entity_itself(desk, ledger, sender):
    with ledger.transaction() as store:
        store.periods.close((MONTH + DAY).date().replace(day=1), "operator", NOW)
    every = replace(sender, overrides=frozenset(Code))
    done = desk(xml("0.067"), every)

    assert (done.handled.outcome, codes(done)) == ("rejected", ["period-closed"])
    assert values(ledger)[0] == []


def test_an_account_overrides_nothing(desk):
    old = xml("0.067").replace("20261101", "20260601")
    done = desk(old, replace(ACCOUNT, overrides=frozenset(Code)))
    assert done.handled.outcome == "rejected"


def test_a_letter_handed_in_as_a_file_is_no_letter_of_its_senders(desk):
    content = mail(xml("0.067"), head="Auto-Submitted: auto-replied\r\n", sender="x@evil.example")
    done = desk(File("letter.eml", content), OPERATOR)

    assert done.handled.outcome == "accepted"
    assert done.handled.reply.recipient == ADDRESS


def test_a_file_that_is_nothing_is_told_as_that(desk, ledger):
    done = desk("hello", name="hello.txt")

    assert done.handled.outcome == "rejected"
    assert values(ledger)[0] == []
    assert desk("hello", name="hello.txt").is_known


def test_typed_readings_are_a_document_of_ours(desk, ledger):
    import_all(ledger, REGISTERED)
    typed = [
        TypedReading("07512345", MONTH, "12,5", zone="T1"),
        TypedReading("07512345", MONTH, "7", zone="T2"),
    ]
    document = typed_document(typed, CODE, NOW)
    assert document == typed_document(typed[::-1], CODE, NOW)
    done = desk(document, replace(ACCOUNT, way=Way.PAGE))

    assert (done.handled.outcome, done.handled.values) == ("accepted", 2)
    assert "decimal-comma" in codes(done)
    kept = rows(ledger, "SELECT zone, value FROM register_reading ORDER BY zone")
    assert kept == [("T1", 12_500_000), ("T2", 7_000_000)]


@pytest.mark.parametrize("text", ["", "много", "<&\"'>", "\x00\x1b", "1e3", "٣", "-1", "9" * 400])
def test_whatever_is_typed_is_told_and_breaks_nothing(desk, ledger, text):
    import_all(ledger, REGISTERED)
    for reading in (
        TypedReading("07512345", MONTH, text, zone="T1"),
        TypedReading(text, MONTH, "1"),
        TypedReading("07512345", MONTH, "1", channel=text, zone=text, point=text),
    ):
        done = desk(typed_document([reading], CODE, NOW))
        assert done.handled.receipts[0].checked.changes == () or text == ""


def test_a_reading_is_of_a_whole_hour():
    with pytest.raises(NotAWholeHour, match="00:30"):
        typed_document([TypedReading("1", MONTH + timedelta(minutes=30), "1")], CODE, NOW)


def test_the_json_has_the_keys_of_a_letter_processed(desk):
    told = as_json(desk(xml("0.067")))
    assert told.keys() == {
        "source", "letter", "outcome", "entity", "findings", "documents", "reply", "known",
    }  # fmt: skip
    assert told["documents"][0]["receipt"] == 1
