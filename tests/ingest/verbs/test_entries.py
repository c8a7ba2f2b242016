"""What operators hand in and withdraw on a legal entity's behalf, through the command line."""

import json
from datetime import datetime, timedelta

import pytest

from layouts.months import MOSCOW
from storage.ledger import Ledger

CODE, METER = "200000001234", "07512345"
REASON = ("--reason", "call of 2 November")
TYPED = ("--entity", CODE, "--meter", METER, "--zone", "T1", *REASON)


@pytest.fixture
def desk(service):
    """A register with the sample entities; months are near the day of the test."""
    return service


@pytest.fixture
def store(desk):
    ledger = Ledger(f"sqlite:///{desk.folder / 'ingest.db'}")
    with ledger.reading() as store:
        yield store
    ledger.close()


def month(back=0):
    """The first day of a month, so many months ago, as --at takes it."""
    from layouts.months import month_at, preceding

    day = month_at(datetime.now(MOSCOW))
    for _ in range(back):
        day = preceding(day)
    return f"{day:%Y-%m-%d}"


def enter(desk, value, at=None, *more):
    ran = desk("enter", *TYPED, "--at", at or month(), "--value", value, "--json", *more)
    [row] = ran.rows
    return ran.code, row


def receipt_of(row):
    return row["documents"][0]["receipt"]


def codes(row):
    return {item["code"] for item in row["documents"][0]["findings"]}


def test_one_reading_is_entered_told_to_the_entity_and_audited(desk, store):
    code, row = enter(desk, "100")

    assert (code, row["outcome"], row["documents"][0]["values"]) == (0, "accepted", 1)
    assert row["reply"]["to"] == "buh@primer.example"
    assert "Показания" in row["reply"]["subject"]
    [entry] = store.audit.of("entry")
    assert (entry.key, entry.after["reason"]) == (str(receipt_of(row)), REASON[1])


def test_files_are_entered_each_with_a_line_and_the_same_one_twice_keeps_its_receipt(desk):
    content = (
        f'<package class="52005" version="1" sender_code="{CODE}"'
        f' created="{month().replace("-", "")}120000">'
        f'<consumption date_time="{month().replace("-", "")}00" energy="0.067"/></package>'
    )
    desk.write("a.xml", content)
    desk.write("b.txt", "nothing")
    ran = desk("enter", "a.xml", "b.txt", "--entity", CODE, *REASON, "--json")
    assert (ran.code, [row["outcome"] for row in ran.rows]) == (1, ["accepted", "rejected"])

    [again] = desk("enter", "a.xml", "--entity", CODE, *REASON, "--json").rows
    assert (again["known"], receipt_of(again)) == (True, receipt_of(ran.rows[0]))


def test_a_dry_run_enters_nothing(desk, store):
    code, row = enter(desk, "100", None, "--dry-run")
    assert (code, row["letter"], receipt_of(row)) == (0, None, None)
    assert store.letters.find() == []
    assert store.audit.of("entry") == []


def test_a_rule_is_overridden_by_name_and_never_a_closed_month(desk):
    enter(desk, "100", month(1))
    code, row = enter(desk, "90")
    assert (code, codes(row) & {"reading-went-back"}) == (1, {"reading-went-back"})
    code, row = enter(desk, "90", None, "--override", "reading-went-back")
    assert (code, row["outcome"]) == (0, "accepted")
    [told] = [x for x in row["documents"][0]["findings"] if x["code"] == "reading-went-back"]
    assert told["severity"] == "warning"
    assert "period-closed" in desk("enter", *TYPED, "--override", "period-closed").complaint


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--entity", CODE, *REASON), "name files, or --meter"),
        ((*TYPED, "--value", "1"), "needs --at and --value"),
        ((*TYPED, "--value", "1", "--at", "2026-11-01T00:30"), "not a whole hour"),
        (("--entity", "404", "--meter", "1", "--at", "2026-11-01", "--value", "1", *REASON), "404"),
        (("--entity", CODE, "--meter", "1", "--reason", " "), "say why"),
        (("--entity", CODE, "--meter", "1"), "--reason"),
    ],
)
def test_what_cannot_be_entered_is_one_sentence(desk, words, told):
    assert told in desk("enter", *words).complaint


def test_what_it_had_replaced_is_in_force_again_and_the_entity_is_told(desk, store):
    enter(desk, "100")
    _, second = enter(desk, "120")
    ran = desk("withdraw", receipt_of(second), *REASON, "--json")

    [row] = ran.rows
    assert (ran.code, row["withdrawn"], row["restored"], row["removed"]) == (0, True, 1, 0)
    assert row["reply"]["to"] == "buh@primer.example"
    assert f"№ {receipt_of(second)}" in row["reply"]["subject"]
    [entry] = store.audit.of("withdrawal")
    assert (entry.key, entry.after["reason"]) == (str(receipt_of(second)), REASON[1])


def test_what_a_later_reading_rests_on_is_withdrawn_with_yes_only(desk):
    enter(desk, "100", month(1))
    enter(desk, "150")
    ran = desk("withdraw", 1, *REASON, "--json")
    [row] = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, row["withdrawn"]) == (1, False)
    assert [item["energy_after"] for item in row["resting"]] == [None]
    assert "rest on it" in ran.err

    assert desk("withdraw", 1, *REASON, "--yes").code == 0
    assert "withdrawn already" in desk("withdraw", 1, *REASON).complaint


def test_a_closed_month_is_never_changed(desk):
    enter(desk, "100", month(1))
    enter(desk, "150")
    assert desk("period", "close", month(1)[:7], "--yes").code == 0
    assert "closed months" in desk("withdraw", 2, *REASON, "--yes").complaint


@pytest.mark.parametrize(
    ("words", "told"),
    [(("404",), "no such receipt"), (("1", "--point", "404"), "is about 200000001234-01")],
)
def test_what_cannot_be_withdrawn_is_one_sentence(desk, words, told):
    enter(desk, "100")
    assert told in desk("withdraw", *words, *REASON).complaint


def from_the_entity(desk, value):
    """The same register's reading as the entity hands it in afterwards."""
    at = month().replace("-", "")
    # Newer than the entry, which is of this moment.
    created = f"{datetime.now(MOSCOW) + timedelta(hours=1):%Y%m%d%H%M%S}"
    content = (
        f'<package class="52006" version="1" sender_code="{CODE}" created="{created}">'
        f'<meter number="{METER}"><reading date_time="{at}00" zone="T1" value="{value}"/></meter>'
        "</package>"
    )
    letter = (
        f"From: buh@primer.example\nMessage-ID: <{value}@primer.example>\n"
        f"Content-Type: application/xml; name=a.xml\n\n{content}"
    )
    path = desk.write("a.eml", letter.replace('created="', 'password="Zima-2026" created="'))
    [row] = desk("process", path, "--json").rows
    return row


@pytest.mark.parametrize(("value", "is_told"), [("120", True), ("100", False)])
def test_an_entitys_document_that_an_entry_keeps_out_waits_and_is_not_called_older(
    desk, store, value, is_told
):
    enter(desk, "100")
    row = from_the_entity(desk, value)

    assert (row["outcome"], "older-version" in codes(row)) == ("accepted", False)
    assert ("held-by-operator" in codes(row)) == is_told
