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
    assert f"2026-10: point {POINT}" in ran.err
    assert billed(closed) == before


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
