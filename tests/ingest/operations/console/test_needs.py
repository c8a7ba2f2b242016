"""What needs a person: when a month is told, when nothing waits, which faults leave the rest."""

from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest.operations.console import needs
from ingest.operations.console.needs import Due, Needs, Part
from layouts.months import MOSCOW

OCTOBER = date(2026, 10, 1)
DEADLINE = datetime(2026, 11, 6, tzinfo=MOSCOW)
MOMENT = timedelta(seconds=1)


def due(now, lacking=2, closed=()):
    @contextmanager
    def reading():
        yield SimpleNamespace(periods=SimpleNamespace(closed=lambda: set(closed)))

    service = SimpleNamespace(
        parameters=SimpleNamespace(register_deadline_day=5), ledger=SimpleNamespace(reading=reading)
    )
    lacks = SimpleNamespace(of=lambda _, month, __: range(lacking) if month == OCTOBER else [])
    return needs._due(service, lacks, now)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (DEADLINE - timedelta(days=7) - MOMENT, None),
        *((DEADLINE - timedelta(days=n), n) for n in (1, 0, -1, -24)),
        (DEADLINE - MOMENT, 1), (DEADLINE + MOMENT, 0),
        (datetime(2026, 11, 1, tzinfo=MOSCOW), 5), (datetime(2026, 12, 1, tzinfo=MOSCOW), None),
    ],
)  # fmt: skip
def test_the_month_before_is_told_from_its_last_week_on(now, days):
    assert due(now) == (None if days is None else Due(OCTOBER, DEADLINE, days, 2))
    assert due(now, lacking=0) is due(now, closed={OCTOBER}) is None
    assert due(now, closed={date(2026, 11, 1)}) == due(now)


def test_a_week_before_a_late_deadline_is_the_first_moment(monkeypatch):
    late = datetime(2026, 11, 20, tzinfo=MOSCOW)
    monkeypatch.setattr(needs, "register_deadline", lambda month, day: late)
    assert due(late - timedelta(days=7) - MOMENT) is None
    assert due(late - timedelta(days=7)).days == 7


CALM = Needs(
    status=Part(SimpleNamespace(needs_a_person=False)),
    quarantined=Part(SimpleNamespace(letters=())),
    due=Part(None),
    **{name: Part(()) for name in ("bounces", "suspects", "requests", "locks")},
)


def test_it_is_calm_when_every_part_was_read_and_nothing_waits():
    assert CALM.is_calm
    waits = {
        "status": SimpleNamespace(needs_a_person=True),
        "quarantined": SimpleNamespace(letters=(1,)),
        "due": Due(OCTOBER, DEADLINE, 1, 1),
    }
    for part in fields(Needs):
        assert not replace(CALM, **{part.name: Part(waits.get(part.name, (1,)))}).is_calm
        assert not replace(CALM, **{part.name: Part(None, "away")}).is_calm


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ConnectionError("the database is away"), "the database is away"),
        (ConnectionError(), "ConnectionError"), (KeyError("secret"), "KeyError"),
        (OSError("secret"), "OSError"), (ValueError("secret"), "ValueError"),
        (ZeroDivisionError(), "ZeroDivisionError"), (TypeError(), "TypeError"),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_read_says_so_and_raises_nothing(fault, told):
    def fails():
        raise fault

    assert needs._part(fails) == Part(None, told)
    assert needs._part(lambda: 5) == Part(5)
