"""What billing takes of a month, on both databases: now, as of then, and what is different."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ingest.operations.billed import Asked, Grain, export, numbers, sheet
from ingest.operations.export import ExportError
from ingest.operations.told import as_json
from tests.contract.documents import (
    ENTITY,
    NOW,
    OTHER,
    document,
    hand_in,
    hours,
    import_all,
    reading,
)
from tests.contract.test_withdrawals import withdraw
from tests.registering import register

DAY = timedelta(days=1)
NOVEMBER = date(2026, 11, 1)
ASKED = Asked(NOVEMBER)
BILLING = Asked(NOVEMBER, Grain.BILLING)
GRAINS = [Grain.INTERVAL, Grain.DAY, Grain.MONTH, Grain.BILLING]


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def told(ledger, asked):
    with ledger.reading() as store:
        found = sheet(store, asked)
        return [dict(zip(found.names, row, strict=True)) for row in found.rows]


def energies(rows, name="energy"):
    return [row[name] for row in rows]


def test_values_have_quality_suspicions_and_whether_they_came_late(ledger):
    early = document(hours(1, 2))
    hand_in(ledger, early)
    late = hand_in(ledger, document(hours(3, day=1), created=20), at=NOW + 30 * DAY)
    assert "late-submission" in {item.code for item in late.checked.findings}

    rows = told(ledger, ASKED)
    assert [row["late"] for row in rows] == [False, False, True]
    assert [row["quality"] for row in rows if row["quality"] not in {"valid", "suspect"}] == []
    assert [row["late"] for row in told(ledger, replace(ASKED, grain=Grain.DAY))] == [False, True]
    assert [row["late"] for row in told(ledger, replace(ASKED, grain=Grain.MONTH))] == [True]


@pytest.mark.parametrize("grain", GRAINS)
def test_as_of_a_moment_the_values_of_then_are_told(ledger, grain):
    asked = replace(ASKED, grain=grain)
    hand_in(ledger, document(hours(1, 2), reading("10", at=NOW - DAY), layout="52006"))
    then = told(ledger, asked)
    hand_in(ledger, document(hours(7, 2, 5), created=1), at=NOW + DAY)
    hand_in(ledger, document(hours(8, 2), created=2), at=NOW + 2 * DAY)
    hand_in(ledger, document(reading("12", at=NOW - DAY), layout="52006", created=3), at=NOW + DAY)

    assert told(ledger, asked) != then
    assert told(ledger, replace(asked, as_of=NOW)) == then
    assert told(ledger, replace(asked, as_of=NOW - DAY)) == []
    assert told(ledger, replace(asked, as_of=NOW + 9 * DAY)) == told(ledger, asked)


@pytest.mark.parametrize("grain", GRAINS)
def test_only_what_is_different_is_told_old_and_new(ledger, grain):
    asked = replace(ASKED, grain=grain, changed_since=NOW)
    hand_in(ledger, document(hours(1, 2)))
    hand_in(ledger, document(reading("10", at=NOW - DAY), layout="52006"))
    assert told(ledger, asked) == []
    hand_in(ledger, document(hours(1, 9), created=1), at=NOW + DAY)

    rows = told(ledger, asked)
    assert [row["change"] for row in rows] == ["old", "new"]
    name = "consumption" if grain is Grain.BILLING else "energy"
    whole = {Grain.INTERVAL: [2, 9]}.get(grain, [3, 10])
    assert energies(rows, name) == whole
    assert told(ledger, replace(asked, changed_since=NOW + DAY)) == []


@pytest.fixture
def moved(ledger):
    """The first point has values, and goes to a holder who stands behind the one it had."""
    hand_in(ledger, document(hours(1, 2)))
    taker = replace(OTHER, user_code="300000000001", points=(ENTITY.points[0],))
    rest = replace(ENTITY, points=ENTITY.points[1:])
    before = told(ledger, ASKED)
    with ledger.transaction() as store:
        register(store.registry, [rest, taker], "operator", NOW, since=date(2026, 11, 20))
    return before


@pytest.mark.parametrize("grain", GRAINS[:3])
def test_what_is_told_of_a_point_that_moved_is_no_difference(ledger, moved, grain):
    _, _, third = ENTITY.points
    hand_in(ledger, document(hours(5, point=third.code, area=third.area)), at=NOW + DAY)

    rows = told(ledger, replace(ASKED, grain=grain, changed_since=NOW))
    assert [(row["change"], row["point"]) for row in rows] == [("new", third.code)]


@pytest.mark.parametrize("entity", [None, ENTITY.user_code])
def test_the_order_of_a_month_is_not_changed_by_who_holds_its_points_later(ledger, moved, entity):
    third = ENTITY.points[2]
    hand_in(ledger, document(hours(5, point=third.code, area=third.area)), at=NOW + DAY)

    rows = told(ledger, replace(ASKED, entity=entity))
    assert rows[:2] == moved
    assert [row["point"] for row in rows] == [ENTITY.user_code, ENTITY.user_code, third.code]


def test_what_is_new_and_what_was_withdrawn_is_told_on_one_side_alone(ledger):
    first = hand_in(ledger, document(hours(1)))
    hand_in(ledger, document(hours(5, day=2), created=1), at=NOW + DAY)
    withdraw(ledger, first.number, at=NOW + DAY)

    rows = told(ledger, replace(ASKED, changed_since=NOW))
    assert [(row["change"], row["energy"]) for row in rows] == [("old", 1), ("new", 5)]


def test_a_closed_month_is_its_snapshot_and_an_open_one_is_worked_out(ledger):
    hand_in(ledger, document(hours(1, 2)))
    with ledger.transaction() as store:
        store.periods.close(NOVEMBER, "operator", NOW + DAY)
    closed = told(ledger, BILLING)
    with ledger.transaction() as store:
        store.periods.reopen(NOVEMBER, "operator", NOW + 2 * DAY)
    hand_in(ledger, document(hours(4, 2), created=1), at=NOW + 3 * DAY)

    assert energies(closed, "consumption") == [3]
    assert energies(told(ledger, BILLING), "consumption") == [6]
    as_of = replace(BILLING, as_of=NOW + DAY)
    assert told(ledger, as_of) == closed
    with ledger.reading() as store:
        assert numbers(store, as_of) == store.periods.rows(1)


def test_a_withdrawn_value_is_told_as_that_in_the_history(ledger):
    hand_in(ledger, document(hours(1)))
    second = hand_in(ledger, document(hours(2), created=1))
    read = hand_in(ledger, document(reading("10", at=NOW - DAY), layout="52006"))
    withdraw(ledger, second.number)
    withdraw(ledger, read.number)

    rows = told(ledger, replace(ASKED, history=True))
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("interval", "replaced"),
        ("interval", "withdrawn"),
        ("interval", "in-force"),
        ("register", "withdrawn"),
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_an_export_has_a_number_and_a_manifest_and_the_next_is_its_difference(
    ledger, tmp_path, kind
):
    folder = tmp_path / "billing"
    folder.mkdir()
    hand_in(ledger, document(hours(1, 2)))
    done = export(ledger, ASKED, folder, kind, "petrova", NOW)

    told_of = json.loads(done.path.with_suffix(".manifest.json").read_text())
    assert told_of == as_json(done.manifest)
    assert (told_of["rows"], told_of["sums"]) == (2, {"billed_Wh": 3, "energy_Wh": 3})
    assert told_of["sha256"] == hashlib.sha256(done.path.read_bytes()).hexdigest()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2

    for grain in GRAINS:
        since = replace(ASKED, grain=grain, changed_since=done.number)
        assert told(ledger, since) == []
    hand_in(ledger, document(hours(1, 9), created=1), at=NOW + DAY)
    second = export(ledger, replace(BILLING, changed_since=done.number), folder, "csv", "p", NOW)
    with second.path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["change"], row["consumption"]) for row in rows] == [("old", "3"), ("new", "10")]
    assert second.manifest.sums == {"new_consumption_Wh": 10, "old_consumption_Wh": 3}
    assert second.number > done.number


def test_a_difference_to_no_export_is_refused(ledger):
    with pytest.raises(ExportError, match="no export of this number"):
        told(ledger, replace(ASKED, changed_since=404))


def test_billing_has_one_row_a_number_with_completeness_and_source(ledger):
    hand_in(ledger, document(hours(*[1] * 24)))
    [row] = told(ledger, replace(BILLING, entity=ENTITY.user_code))
    assert (row["period"], row["source"], row["consumption"]) == ("2026-11", "profile", 24)
    assert row["completeness"] == 24 * 100 // (30 * 24)
    assert (row["unit"], row["quality"], row["late"]) == ("Wh", "valid", False)
    assert told(ledger, replace(BILLING, entity="000000004711")) == []
