"""What was billed stays billed, whatever a register of points says afterwards."""

from __future__ import annotations

import pytest

from tests.ingest.verbs.test_reader_codes import CODE, letter

METER, POINT = "07512345", f"{CODE}-01"


def readings(day, t1, t2):
    rows = "".join(
        f'<reading date_time="{day}00" zone="{zone}" value="{value}"/>'
        for zone, value in (("T1", t1), ("T2", t2))
    )
    text = (
        f'<package class="52006" version="1" sender_code="{CODE}" created="{day}091500">'
        f'<meter number="{METER}" point="{POINT}">{rows}</meter></package>'
    )
    return letter(("readings.xml", text.encode()), again=day)


@pytest.fixture
def closed(service):
    """October is read at both ends, and closed."""
    for day, t1, t2 in (("20261001", 100, 50), ("20261101", 110, 60)):
        service.write(f"{day}.eml", readings(day, t1, t2))
    assert service("process", "--at", "2026-11-01T12:00", "20261001.eml", "20261101.eml").code == 0
    assert service("period", "close", "2026-10", "--yes").code == 0
    return service


def billed(run):
    rows = run("readings", "--period", "2026-10", "--grain", "month", "--json").rows
    return {(row["point"], row["zone"]): int(row["billed"]) for row in rows if row["billed"]}


def changed(run, old, new):
    """The sample register of points with another figure in the meter's line."""
    text = (run.folder / "registry.csv").read_text(encoding="utf-8")
    lines = [line.replace(old, new) if METER in line else line for line in text.splitlines()]
    return run.write("changed.csv", "\n".join(lines))


def test_a_ratio_that_is_another_now_is_true_from_the_first_open_month(closed):
    before = billed(closed)
    assert before

    ran = closed("registry", "import", changed(closed, ";6;2;40;", ";6;2;20;"), "--with-passwords")

    assert ran.code == 0
    assert billed(closed) == before


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_correction_that_would_change_a_closed_month_is_refused_with_month_and_point(
    closed, dry_run
):
    before = billed(closed)
    file = changed(closed, ";6;2;40;", ";6;2;20;")
    words = ["registry", "import", file, "--with-passwords", "--correct", "typing mistake"]

    ran = closed(*words, *dry_run)

    assert ran.code == 2
    assert f"(2026-10), first of all:\n2026-10: point {POINT}" in ran.err
    assert billed(closed) == before


@pytest.mark.parametrize("source", ["profile", "both"])
def test_a_register_that_only_proves_a_profile_stays_as_it_was_when_the_month_was_closed(
    closed, source
):
    assert closed("period", "reopen", "2026-10").code == 0
    head, *lines = (closed.folder / "registry.csv").read_text(encoding="utf-8").splitlines()

    def with_source(ratio):
        rows = [f"{line};{source if METER in line else ''}" for line in lines]
        text = "\n".join([f"{head};source", *rows])
        return closed.write("changed.csv", text.replace(";6;2;40;", f";6;2;{ratio};"))

    words = ("--with-passwords", "--correct", "typing mistake")
    assert closed("registry", "import", with_source(40), *words).code == 0
    assert closed("period", "close", "2026-10", "--yes").code == 0
    before = billed(closed)
    assert before

    ran = closed("registry", "import", with_source(20), *words)

    assert (ran.code, billed(closed)) == (2, before)
    assert f"2026-10: point {POINT}" in ran.err


def test_a_correction_of_what_no_closed_month_was_worked_out_with_is_taken(closed):
    before = billed(closed)
    file = changed(closed, ";6;2;40;", ";5;2;40;")
    # No reading of October was less than the one before.
    ran = closed("registry", "import", file, "--with-passwords", "--correct", "typing mistake")
    assert (ran.code, billed(closed)) == (0, before)


def test_a_correction_of_the_digits_that_a_register_went_over_is_refused(service):
    for day, t1, t2 in (("20261001", 999000, 50), ("20261101", 100, 60)):
        service.write(f"{day}.eml", readings(day, t1, t2))
    letters = ("20261001.eml", "20261101.eml")
    assert service("process", "--at", "2026-11-01T12:00", *letters).code == 0
    before = billed(service)
    assert len(before) == 2
    assert service("period", "close", "2026-10", "--yes").code == 0
    file = changed(service, ";6;2;40;", ";7;2;40;")
    ran = service("registry", "import", file, "--with-passwords", "--correct", "typing mistake")
    assert (ran.code, billed(service)) == (2, before)
    assert f"2026-10: point {POINT}, A+ T1" in ran.err
    assert "A+ T2" not in ran.err


def test_once_the_month_is_open_again_the_correction_is_taken(closed):
    before = billed(closed)
    assert closed("period", "reopen", "2026-10").code == 0
    file = changed(closed, ";6;2;40;", ";6;2;20;")
    ran = closed("registry", "import", file, "--with-passwords", "--correct", "typing mistake")
    assert ran.code == 0
    after = billed(closed)
    assert {key: 2 * energy for key, energy in after.items()} == before


def test_the_same_register_once_more_changes_no_closed_month(closed):
    ran = closed("registry", "import", closed.folder / "registry.csv", "--with-passwords")
    assert ran.code == 0


def handed_in(run, *days, number=0):
    """A letter with these readings; the codes and the values taken of it."""
    name = f"again-{number}-{days[0][0]}.eml"
    run.write(name, readings_of(days, number))
    [row] = run("process", "--at", "2026-11-20T12:00", "--json", name).rows
    [told] = row["documents"]
    return {item["code"] for item in told["findings"]}, told["values"]


def readings_of(days, number=0):
    rows = "".join(
        f'<reading date_time="{day}00" zone="{zone}" value="{value}"/>'
        for day, *values in days
        for zone, value in zip(("T1", "T2"), values, strict=True)
    )
    text = (
        f'<package class="52006" version="1" sender_code="{CODE}"'
        f' created="20261120{number:02}1500">'
        f'<meter number="{METER}" point="{POINT}">{rows}</meter></package>'
    )
    return letter(("readings.xml", text.encode()), again=f"{days[0][0]}-{number}")


def numbers(run):
    """What is billed of October, and the values of the month."""
    told = run("readings", "--period", "2026-10", "--grain", "billing", "--json").rows
    return told, billed(run)


@pytest.mark.parametrize(
    "days",
    [
        # The reading before its first consumption is another one, or one day later.
        [("20261001", 101, 50)],
        [("20261002", 101, 51)],
        # Its own last reading is another one, and one in the middle comes late.
        [("20261101", 111, 60)],
        [("20261015", 105, 55)],
    ],
    ids=["before", "a-day-later", "last", "in-the-middle"],
)
def test_no_reading_changes_a_closed_month(closed, days):
    before = numbers(closed)
    codes, values = handed_in(closed, *days)
    assert ("period-closed" in codes, values) == (True, 0)
    assert numbers(closed) == before


def test_a_reading_after_a_closed_month_is_taken_and_changes_nothing_of_it(closed):
    before = numbers(closed)
    codes, values = handed_in(closed, ("20261115", 115, 62))
    assert ("period-closed" in codes, values) == (False, 2)
    assert numbers(closed) == before


def test_what_a_document_repeats_of_a_closed_month_is_no_offence(closed):
    before = numbers(closed)
    codes, values = handed_in(
        closed, ("20261001", 100, 50), ("20261101", 110, 60), ("20261115", 115, 62)
    )
    assert ("period-closed" in codes, values) == (False, 6)
    assert numbers(closed) == before
    november = closed("readings", "--period", "2026-11", "--json").rows
    assert [row["reading"] for row in november] == ["115", "62"]


def test_a_withdrawal_that_would_change_a_closed_month_is_refused(closed):
    before = numbers(closed)
    for receipt in (1, 2):
        told = closed("withdraw", receipt, "--reason", "wrong meter", "--yes").complaint
        assert "closed months: 2026-10" in told
    assert numbers(closed) == before


def test_after_it_was_opened_the_next_closing_tells_the_difference_point_by_point(closed):
    assert closed("period", "reopen", "2026-10").code == 0
    codes, _ = handed_in(closed, ("20261101", 112, 60))
    assert "period-closed" not in codes

    [told] = closed("period", "close", "2026-10", "--yes", "--json").rows

    assert [
        (one["point"], one["zone"], one["energy_before"], one["energy_after"])
        for one in told["differences"]
    ] == [(POINT, "T1", 400_000, 480_000)]
    [again] = closed("period", "close", "2026-10", "--yes", "--json").rows
    assert again["differences"] == []


def test_a_doubtful_reading_of_the_months_last_midnight_is_in_its_queue(service):
    service.write("a.eml", readings_of([("20261001", 100, 0)], 1))
    service.write("b.eml", readings_of([("20261101", 110, 60)], 2))
    service.write("c.eml", readings_of([("20261101", 110, 0)], 3))
    service("process", "--at", "2026-11-20T12:00", "a.eml", "b.eml", "c.eml")

    def queue(month):
        rows = service("suspects", "--month", month, "--json").rows
        return {(row["code"], row["zone"]): row["id"] for row in rows}

    assert ("values-zeroed", "T2") not in queue("2026-11")
    number = queue("2026-10")["values-zeroed", "T2"]
    rows = service("suspects", "show", number, "--json").rows
    assert [(row["at"][:10], row["value"], row["replaced_by"]) for row in rows] == [
        ("2026-10-01", "0", None),
        ("2026-11-01", "60", 3),
        ("2026-11-01", "0", None),
    ]
    assert "there is no suspicion 404" in service("suspects", "show", 404).complaint
