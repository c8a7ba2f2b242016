"""What billing takes of a month: which rows differ, which snapshot holds, what is added up."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest.operations import billed
from ingest.operations.billed import NUMBER_COLUMNS, Asked, Grain
from ingest.operations.export import ExportError
from ingest.operations.refused import Refused
from storage.billed.billing import BillingRow
from storage.records.billing import Number, Quality, Snapshot

NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
AT = datetime(2026, 12, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(point="1", energy=5, **more):
    facts = {
        "kind": "interval", "entity": "7", "area": None, "point": point, "meter": None,
        "channel": "A+", "zone": None, "start": 0, "end": 3600, "step_minutes": 60, "unit": "Wh",
        "energy": energy, "billed": energy, "value_count": 1, "not_commercial_count": 0,
        "missing_count": 0, "reading": None, "previous_reading": None, "ratio": None,
        "remark": None, "receipt": 1, "letter": 1, "received_at": 9,
    }  # fmt: skip
    return BillingRow(**(facts | more))


def changed(before, after):
    return [
        (side, one.kind, one.entity, one.point, one.area, one.end, one.energy)
        for side, one in billed._changed(before, after)
    ]


@pytest.mark.parametrize("first", ["1", "2", "3"])
def test_a_row_that_only_one_side_has_is_told_as_old_or_new(first):
    rows = [row("1"), row("2"), row("3")]
    rest = [one for one in rows if one.point != first]
    told = ("interval", "7", first, None, 3600, 5)
    assert changed(rows, rest) == [("old", *told)]
    assert changed(rest, rows) == [("new", *told)]
    assert changed(rows, rows) == changed([], []) == []
    assert [side for side, *_ in changed(rows, [])] == ["old"] * 3
    assert [side for side, *_ in changed([], rows)] == ["new"] * 3


def test_points_of_both_sides_that_do_not_meet_are_told_each():
    sides = [(side, point) for side, _, _, point, *_ in changed([row("1")], [row("2")])]
    assert sides == [("old", "1"), ("new", "2")]
    sides = [(side, point) for side, _, _, point, *_ in changed([row("2")], [row("1")])]
    assert sides == [("new", "1"), ("old", "2")]


NAMES = [
    {"kind": "register"}, {"entity": "8"}, {"area": "9"}, {"channel": "R+"}, {"zone": "T1"},
    {"meter": "m"}, {"step_minutes": 30}, {"end": 7200},
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_other_names_are_no_two_values_of_one_row(name):
    one, other = row(), row(**name)
    order = (one, other)
    assert sorted(side for side, *_ in changed([one], [other])) == ["new", "old"]
    assert changed(order, order) == []


@pytest.mark.parametrize(
    "name", [{"energy": 6}, {"billed": 6}, {"unit": "varh"}, {"remark": "x"}, {"start": 1800}]
)
def test_a_value_that_differs_is_told_old_before_new(name):
    assert [side for side, *_ in changed([row()], [row(**name)])] == ["old", "new"]


@pytest.mark.parametrize(
    "name",
    [{"receipt": 2}, {"letter": 2}, {"received_at": 8}, {"quality": Quality.SUSPECT},
     {"suspicions": "x"}, {"late": True}],
)  # fmt: skip
def test_how_a_value_came_is_no_difference(name):
    assert changed([row()], [row(**name)]) == []


def number(entity="7", **more):
    facts = {
        "area": None, "point": "1", "point_id": 1, "channel": "A+", "zone": "T0",
        "source": "register", "energy": 5, "quality": Quality.VALID, "codes": (), "values": 1,
        "missing": 0, "late": False, "receipt": 3,
    }  # fmt: skip
    return Number(entity, **(facts | more))


def snapshot(number_, kind="closing", at=AT, month=NOVEMBER):
    return Snapshot(number_, kind, month, at, "anna", "", 0)


def store(*acts, snapshots=(), rows=None):
    """A month that was closed (True) or opened (False) at hours after AT, with its snapshots."""
    entries = [
        SimpleNamespace(at=AT + hour * HOUR, after=None if closed is None else {"closed": closed})
        for hour, closed in acts
    ]
    held = rows or {}
    return SimpleNamespace(
        audit=SimpleNamespace(of=lambda what, key: entries if key == "2026-11" else []),
        periods=SimpleNamespace(
            snapshots=lambda _: list(snapshots),
            rows=held.get,
            taken={one.id: one for one in snapshots}.get,
        ),
        numbers=SimpleNamespace(of=lambda *_, **about: [(about["entity"], about["as_of"])]),
    )


CLOSINGS = [snapshot(1), snapshot(2, "export"), snapshot(3, at=AT + 4 * HOUR)]


@pytest.mark.parametrize(
    ("acts", "as_of", "taken"),
    [
        ([], None, None), ([(0, True)], None, 3), ([(0, True), (2, False)], None, None),
        ([(0, True), (2, False), (4, True)], None, 3), ([(0, True), (1, None)], None, 3),
        ([(0, True)], -1, None), ([(0, True)], 0, 1), ([(0, True)], 1, 1), ([(0, True)], 4, 3),
        ([(0, True), (2, False), (4, True)], 2, None), ([(0, True), (2, False), (4, True)], 1, 1),
        ([(0, True), (2, False), (4, True)], 3, None), ([(0, True), (2, False), (4, True)], 5, 3),
    ],
)  # fmt: skip
def test_a_closed_month_is_what_its_closing_kept(acts, as_of, taken):
    moment = None if as_of is None else AT + as_of * HOUR
    found = billed._closing(store(*acts, snapshots=CLOSINGS), NOVEMBER, moment)
    assert (found and found.id) == taken
    assert billed._closing(store(*acts, snapshots=[]), NOVEMBER, moment) is None


def test_a_month_closed_before_snapshots_has_its_first_one_later():
    late = [snapshot(1, "migrated", AT + 9 * HOUR)]
    assert billed._closing(store((0, True), snapshots=late), NOVEMBER, AT).id == 1
    late = [snapshot(1, at=AT + 9 * HOUR)]
    assert billed._closing(store((0, True), snapshots=late), NOVEMBER, AT) is None


def test_numbers_of_a_closed_month_are_those_of_the_entity_asked_for():
    kept = {1: [number("7"), number("8")]}
    closed = store((0, True), snapshots=[snapshot(1)], rows=kept)
    assert billed.numbers(closed, Asked(NOVEMBER)) == kept[1]
    assert billed.numbers(closed, Asked(NOVEMBER, entity="8")) == kept[1][1:]
    assert billed.numbers(store(), Asked(NOVEMBER, entity="8", as_of=AT)) == [("8", AT)]


def test_an_export_is_known_by_its_number_and_its_month():
    taken = store(snapshots=[snapshot(4, "export")])
    assert billed._export(taken, Asked(NOVEMBER), 4).id == 4
    for asked, id_ in ((Asked(NOVEMBER), 5), (Asked(OCTOBER), 4)):
        with pytest.raises(ExportError):
            billed._export(taken, asked, id_)


@pytest.mark.parametrize(
    ("values", "missing", "completeness"),
    [(0, 0, 0), (1, 0, 100), (0, 1, 0), (1, 1, 50), (2, 1, 66), (719, 1, 99)],
)
def test_a_number_is_as_complete_as_the_whole_part_of_its_values(values, missing, completeness):
    told = billed._number_row(NOVEMBER, number(values=values, missing=missing, codes=("a", "b")))
    told = dict(zip(NUMBER_COLUMNS, told, strict=True))
    assert (told["completeness"], told["missing"]) == (completeness, missing)
    assert (told["period"], told["suspicions"], told["unit"]) == ("2026-11", "a,b", "Wh")
    assert billed._number_row(NOVEMBER, number(channel="R+"))[6] == "varh"
    assert billed._number_row(NOVEMBER, number())[9] is None


@pytest.mark.parametrize(
    ("asked", "is_refused"),
    [
        ({"history": True}, False), ({"history": True, "grain": Grain.DAY}, True),
        ({"history": True, "as_of": AT}, True), ({"history": True, "changed_since": AT}, True),
        ({"history": True, "changed_since": 0}, True), ({"grain": Grain.DAY, "as_of": AT}, False),
        ({"as_of": AT, "changed_since": 1}, False),
    ],
)  # fmt: skip
def test_history_is_of_single_values_and_of_everything(asked, is_refused):
    if is_refused:
        with pytest.raises(Refused):
            Asked(NOVEMBER, **asked)
    else:
        Asked(NOVEMBER, **asked)


@pytest.mark.parametrize(
    ("names", "rows", "sums"),
    [
        (("unit", "energy"), [("Wh", 5), ("Wh", None), ("varh", 2)],
         {"energy_Wh": 5, "energy_varh": 2}),
        (("change", "energy", "billed", "unit"), [("old", 5, 4, "Wh"), ("new", 6, None, "Wh")],
         {"old_energy_Wh": 5, "old_billed_Wh": 4, "new_energy_Wh": 6, "new_billed_Wh": 0}),
        (("unit", "consumption", "change"), [("Wh", 5, "old"), ("Wh", 6, "old")],
         {"old_consumption_Wh": 11}),
        (("unit", "reading"), [("Wh", 5)], {}), (("unit", "energy"), [], {}),
    ],
)  # fmt: skip
def test_energies_are_added_up_by_unit_and_side_while_rows_pass(names, rows, sums):
    tally = billed._Tally()
    assert list(tally.of(names, rows)) == rows
    assert (tally.rows, tally.sums) == (len(rows), sums)
