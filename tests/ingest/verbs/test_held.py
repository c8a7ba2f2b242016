"""A 52005 is sent anew every day: what an operator entered or withdrew holds against it."""

from __future__ import annotations

import pytest

from tests.ingest.verbs.test_reader_codes import CODE, letter

REASON = ("--reason", "act of 3 November")


def month(*energies, created):
    """A cumulative 52005 of November, its hours from the first on."""
    rows = "".join(
        f'<consumption date_time="202611{1 + n // 24:02}{n % 24:02}" energy="{value}"/>'
        for n, value in enumerate(energies)
    )
    return (
        f'<package class="52005" version="1" sender_code="{CODE}" created="{created}">'
        f"{rows}</package>"
    ).encode()


def send(run, *energies, day, hour=10):
    document = month(*energies, created=f"202611{day:02}{hour:02}0000")
    run.write("a.eml", letter(("a.xml", document), again=day * 100 + hour))
    at = f"2026-11-{day:02}T{hour:02}:30"
    (ran,) = run("process", "--at", at, "a.eml", "--json").rows
    (told,) = ran["documents"]
    assert told["verdict"] == "accepted"
    return {one["code"] for one in told["findings"] if one["severity"] != "note"}, told["receipt"]


def values(run):
    rows = run("readings", "--period", "2026-11", "--json").rows
    return [(int(row["energy"]) // 1000, row["quality"]) for row in rows]


def queue(run):
    rows = run("suspects", "--month", "2026-11", "--json").rows
    return [(row["code"], row["start"][11:13], row["end"][11:13], row["id"]) for row in rows]


@pytest.fixture
def entered(service):
    """Two hours that were sent, the second of them entered otherwise."""
    send(service, "0.010", "0.020", day=2)
    service.write("act.xml", month("0.010", "0.025", created="20261103090000"))
    assert service("enter", "act.xml", "--entity", CODE, *REASON).code == 0
    return service


def test_what_was_entered_holds_and_the_difference_is_queued_once(entered):
    for day in (4, 5, 6):
        told, _ = send(entered, "0.010", "0.020", *["0.030"] * (day - 3), day=day)
        assert told == {"held-by-operator"}
    assert values(entered) == [(wh, "valid") for wh in (10, 25, 30, 30, 30)]
    [(code, start, end, number)] = queue(entered)
    assert (code, start, end) == ("held-by-operator", "01", "02")

    assert entered("suspects", "accept", number, "--reason", "the act is right").code == 0
    send(entered, "0.010", "0.020", *["0.030"] * 4, day=7)
    assert queue(entered) == []


def test_the_same_values_as_the_operators_are_no_difference(entered):
    told, _ = send(entered, "0.010", "0.025", "0.030", day=4)
    assert (told, queue(entered)) == (set(), [])
    assert send(entered, "0.010", "0.025", day=5)[0] == set()


def test_when_the_entry_is_withdrawn_the_next_document_is_in_force_and_the_queue_empty(entered):
    send(entered, "0.010", "0.020", day=4)
    assert len(queue(entered)) == 1
    assert entered("withdraw", 2, *REASON, "--yes").code == 0
    assert send(entered, "0.010", "0.021", day=5)[0] == set()
    assert [wh for wh, _ in values(entered)] == [10, 21]
    assert queue(entered) == []


def test_what_was_withdrawn_stays_so_and_is_queued(service):
    _, receipt = send(service, "0.010", "0.020", day=2)
    assert service("withdraw", receipt, *REASON, "--yes").code == 0
    told, _ = send(service, "0.010", "0.020", "0.030", day=4)
    assert told == {"held-by-operator"}
    assert [wh for wh, _ in values(service)] == [30]
    assert [(code, start, end) for code, start, end, _ in queue(service)] == [
        ("held-by-operator", "00", "02")
    ]


def test_a_document_of_nothing_but_what_holds_is_no_older_version(entered):
    told, _ = send(entered, "0.010", "0.020", day=4)
    assert "older-version" not in told
    service = entered
    run = service("suspects", "show", queue(service)[0][3], "--json")
    assert "25000" in {str(row["value"]) for row in run.rows}
