"""The register of points is true from a date: what an import says, lists and refuses."""

from __future__ import annotations

import csv
import io

import pytest

from tests.ingest.verbs.test_closed_months import METER, POINT, readings
from tests.ingest.verbs.test_reader_codes import CODE, letter

DAYS = (("20261001", 100, 50), ("20261101", 110, 60), ("20261115", 115, 62))


@pytest.fixture
def read(service):
    """October is read at both ends and closed; November up to its middle."""
    for day, t1, t2 in DAYS:
        service.write(f"{day}.eml", readings(day, t1, t2))
    letters = [f"{day}.eml" for day, _, _ in DAYS]
    assert service("process", "--at", "2026-11-15T12:00", *letters).code == 0
    assert service("period", "close", "2026-10", "--yes").code == 0
    return service


def exported(run):
    run("registry", "export", "-o", run.folder / "out.csv")
    text = (run.folder / "out.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def put(run, rows, *words):
    """An import of these rows as a file."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    path = run.write("in.csv", out.getvalue())
    return run("registry", "import", path, *words)


def changed(rows, **cells):
    """Every row, that of the meter with other cells."""
    return [row | cells if row["meter"] == METER else row for row in rows]


def and_dated(rows, **cells):
    """Every row, and one more about the meter."""
    return [*rows, *(row | cells for row in rows if row["meter"] == METER)]


def billed(run, month):
    rows = run("readings", "--period", month, "--grain", "month", "--json").rows
    return {row["zone"]: int(row["billed"]) for row in rows if row["billed"]}


def test_what_was_exported_is_taken_over_again_and_changes_nothing(read):
    put(read, and_dated(exported(read), ratio="50", valid_from="2026-11-10"))
    rows = exported(read)
    assert [row["valid_from"] for row in rows if row["meter"] == METER] == ["", "2026-11-10"]

    (told,) = put(read, rows, "--json").rows

    assert (told["added"], told["changed"], told["differences"]) == ([], [], [])
    assert exported(read) == rows


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_change_from_a_day_is_told_with_each_open_month_that_it_changes(read, dry_run):
    before = billed(read, "2026-11")
    rows = and_dated(exported(read), ratio="50", valid_from="2026-11-10")

    (told,) = put(read, rows, "--json", *dry_run).rows

    assert told["differences"] == [
        {
            "point": POINT,
            "meter": METER,
            "valid_from": "2026-11-10",
            "is_correction": False,
            "facts": {"ratio": ["40", "50"]},
        }
    ]
    assert {one["period"] for one in told["recomputed"]} == {"2026-11"}
    after = billed(read, "2026-11")
    assert after == (before if dry_run else {zone: wh * 50 // 40 for zone, wh in before.items()})


def test_the_import_tells_people_what_it_takes_a_difference_for(read):
    ran = put(read, changed(exported(read), ratio="50"))

    assert f"point {POINT}, meter {METER}: ratio 40 -> 50: a change from 2026-11-01" in ran.out
    assert f"2026-11: point {POINT}, A+ T1" in ran.out


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"valid_from": "2026-10-31", "ratio": "50"}, "valid_from 2026-10-31 is in 2026-10, which is closed"),  # noqa: E501
        ({"valid_from": "2020-02-29", "ratio": "50"}, "valid_from 2020-02-29 is before the meter was installed, 2020-03-01"),  # noqa: E501
        ({"valid_from": "2026-11-10", "digits": "2"}, f"meter {METER} with 2 digits and 2 decimals cannot show its recorded reading 115"),  # noqa: E501
        ({"valid_from": "2026-11-10", "ratio": ""}, f"ratio of meter {METER} is empty: 1 where there are no transformers"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_so_is_refused_with_its_line_and_the_reason(read, cells, why):
    rows = exported(read)
    ran = put(read, and_dated(rows, **cells))

    assert ran.code == 2
    assert f"line {len(rows) + 2}: {why}" in ran.err
    assert exported(read) == rows


@pytest.mark.parametrize(
    ("day", "why"), [("2026-11-10", "is in line 9 from 2026-11-10, too"), ("", "is in line 4 at")]
)
def test_two_rows_of_one_meter_for_one_day_are_refused_with_line_and_reason(read, day, why):
    rows = exported(read)
    (own,) = [row for row in rows if row["meter"] == METER]
    said = [own | {"ratio": ratio, "valid_from": day} for ratio in ("50", "60")]
    twice = [*rows, *said] if day else [*rows, said[0]]

    ran = put(read, twice)

    assert ran.code == 2
    assert f"line {len(twice) + 1}: meter {METER} {why}" in ran.err
    assert exported(read) == rows


def test_an_area_given_to_a_point_makes_no_second_one_and_bills_the_same(read):
    before = billed(read, "2026-10"), billed(read, "2026-11")

    assert put(read, changed(exported(read), area="3300000001")).code == 0

    points = {(row["point"], row["area"]) for row in exported(read) if row["point"] == POINT}
    assert points == {(POINT, ""), (POINT, "3300000001")}  # from the first, and from November on
    assert (billed(read, "2026-10"), billed(read, "2026-11")) == before


def test_a_corrected_meter_number_loses_no_month_and_both_numbers_are_told(read):
    before = billed(read, "2026-10"), billed(read, "2026-11")

    ran = put(read, changed(exported(read), meter="07512346"), "--correct", "typing mistake")

    assert f"point {POINT}: meter {METER} is meter 07512346 now" in ran.out
    assert (billed(read, "2026-10"), billed(read, "2026-11")) == before


def test_another_beginning_is_asked_to_be_a_change_or_a_correction(read):
    put(read, and_dated(exported(read), ratio="50", valid_from="2026-11-10"))
    rows = [
        row | {"ratio": "60"} if row["meter"] == METER and not row["valid_from"] else row
        for row in exported(read)
    ]

    ran = put(read, rows)

    assert ran.code == 2
    assert "give a valid_from to what changed, or correct a mistake with --correct" in ran.err


def test_a_point_in_two_areas_is_not_taken_for_one_of_them(read):
    rows = exported(read)
    twins = [row | {"point": "P9", "meter": "", "ratio": "", "digits": "", "decimals": "",
                    "installed": "", "zones": "", "channels": "A+", "area": area}
             for row in rows[1:2] for area in ("1", "2")]  # fmt: skip
    assert put(read, [*rows, *twins]).code == 0

    ran = put(read, [twins[0] | {"area": ""}])

    assert ran.code == 2
    assert "line 2: point P9 can be more than one point on record" in ran.err


NEW_HOLDER = "200000003080"


def from_holder(code, password, *rows):
    """A letter with readings of the meter as (day, T1, T2)."""
    told = "".join(
        f'<reading date_time="{day}00" zone="{zone}" value="{value}"/>'
        for day, *values in rows
        for zone, value in zip(("T1", "T2"), values, strict=True)
    )
    text = (
        f'<package class="52006" version="1" sender_code="{code}" created="20261115091500">'
        f'<meter number="{METER}" point="{POINT}">{told}</meter></package>'
    )
    body = f"Код: {code}\nПароль: {password}\n"
    sender = "buh@primer.example" if code == CODE else "energo@vlzavod.example"
    return letter(("r.xml", text.encode()), body=body, sender=sender, again=rows[0][0])


@pytest.fixture
def handed_over(read):
    """The point is another's from 10 November, with the reading of the act."""
    rows = exported(read)
    new = next(row for row in rows if row["user_code"] == NEW_HOLDER)
    own = ("user_code", "name", "inn", "addresses", "active")
    cells = {name: new[name] for name in own} | {"valid_from": "2026-11-10"}
    assert put(read, and_dated(rows, **cells)).code == 0
    return read


@pytest.mark.parametrize(
    ("code", "password", "row", "codes"),
    [
        (CODE, "Zima-2026", ("20261109", 112, 61), []),
        (CODE, "Zima-2026", ("20261110", 113, 61), []),
        (CODE, "Zima-2026", ("20261112", 114, 61), ["foreign-point"]),
        (NEW_HOLDER, "klyuch 7 mart", ("20261112", 114, 61), []),
        (NEW_HOLDER, "klyuch 7 mart", ("20261110", 113, 61), []),
        (NEW_HOLDER, "klyuch 7 mart", ("20261109", 112, 61), ["foreign-point"]),
    ],
)
def test_a_reading_is_the_holders_of_its_day_whenever_it_comes(
    handed_over, code, password, row, codes
):
    handed_over.write("late.eml", from_holder(code, password, row))

    (ran,) = handed_over("process", "--at", "2026-11-15T12:00", "late.eml", "--json").rows

    (document,) = ran["documents"]
    errors = [f["code"] for f in document["findings"] if f["severity"] == "error"]
    assert [c for c in errors if c != "nothing-to-record"] == codes
    assert document["verdict"] == ("rejected" if codes else "accepted")


def test_each_holder_is_billed_for_its_days_and_readings_tell_who_it_was(handed_over):
    act = from_holder(NEW_HOLDER, "klyuch 7 mart", ("20261110", 113, 61))
    handed_over.write("act.eml", act)
    assert handed_over("process", "--at", "2026-11-15T12:00", "act.eml").code == 0

    rows = handed_over("readings", "--period", "2026-11", "--json").rows

    told = [(row["start"][:10], row["entity"]) for row in rows if row["zone"] == "T1"]
    assert told == [("2026-11-01", CODE), ("2026-11-10", NEW_HOLDER)]

    former = handed_over("readings", "--period", "2026-11", "--entity", CODE, "--json").rows
    assert [row["end"][:10] for row in former if row["zone"] == "T1"] == ["2026-11-10"]


def read_of(run, meter, *days):
    """A letter with readings of another meter, recorded."""
    rows = "".join(
        f'<reading date_time="{day}00" zone="T0" value="{value}"/>' for day, value in days
    )
    text = (
        f'<package class="52006" version="1" sender_code="{CODE}" created="{days[-1][0]}091500">'
        f'<meter number="{meter}">{rows}</meter></package>'
    )
    run.write(f"{meter}.eml", letter(("more.xml", text.encode()), again=f"{meter}-{days}"))
    [row] = run("process", "--at", "2026-11-20T12:00", "--json", f"{meter}.eml").rows
    assert row["documents"][0]["values"] == len(days), row


def twins_told(run):
    """What `migrate` says of devices that stand twice, as old databases have them."""
    return [line for line in run("migrate").err.splitlines() if POINT in line]


def test_one_device_under_two_numbers_is_told_with_what_to_do(read):
    rows = and_dated(exported(read), meter="99", zones="")
    assert put(read, rows).code == 0
    assert twins_told(read) == []
    read_of(read, "99", ("20261116", 117))
    [told] = twins_told(read)
    assert f"meters {METER} and 99 are one device" in told
    assert f"import {METER} as removed 2026-11-15" in told
    [row] = [row for row in read("doctor", "--json").rows if row["what"] == "register of points"]
    assert (row["well"], told) == (False, f"ingest: {row['found']}: {row['advice']}")
    # What is advised is taken, and ends it.
    assert put(read, changed(exported(read), removed="2026-11-15")).code == 0
    assert twins_told(read) == []


def test_meters_that_are_read_side_by_side_are_two(read):
    assert put(read, and_dated(exported(read), meter="99", zones="")).code == 0
    read_of(read, "99", ("20261110", 100), ("20261116", 117))
    assert twins_told(read) == []


def test_a_point_with_values_both_in_an_area_and_without_one_is_told(read):
    new = {"point": f"{POINT}X", "zones": ""}
    rows = and_dated(exported(read), **new, meter="98")
    rows = [*rows, rows[-1] | {"meter": "99", "area": "A1"}]
    assert put(read, rows).code == 0
    read_of(read, "98", ("20261116", 100))
    assert twins_told(read) == []
    read_of(read, "99", ("20261116", 117))
    [told] = twins_told(read)
    assert f"point {POINT}X stands twice, without an area and in A1" in told
    assert "ingest withdraw RECEIPT" in told
