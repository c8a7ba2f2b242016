"""What the rules are told of the weeks before a document, and of the other kind of reading."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from layouts.known import ProfileSum
from layouts.points import Meter, MeteringPoint
from layouts.rules import check
from layouts.terms import Verdict
from tests.contract.documents import (
    ENTITY,
    LAYOUTS,
    MONTH,
    NOW,
    asked_by,
    document,
    hand_in,
    hours,
    import_all,
    known_of,
    new_letter,
    reading,
)

METER = (None, "200000001234-01", "07512345", None)
OWN = (None, ENTITY.user_code, "A+")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def keep(ledger, *every):
    """Record documents with all their values, whatever the rules would say of them."""
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        for parsed in every:
            # As if it were received at once, whatever it tells of.
            at = max(series.end for series in parsed.series)
            made = replace(parsed, header=replace(parsed.header, created=at))
            checked = check(made, LAYOUTS[made.layout], entity, at, store.know)
            assert checked.verdict is not Verdict.REJECTED, checked.findings
            store.record(new_letter(store), made, checked, entity, NOW, NOW)


def before(ledger, series, layout="52005"):
    return known_of(ledger, document(series, layout=layout, created=9)).history


def test_a_series_without_a_past_has_no_history(ledger):
    hand_in(ledger, document(hours(1, 2, 3)))

    assert before(ledger, hours(1, 2, 3)) == {}


def test_history_is_the_hours_of_the_35_local_days_before(ledger):
    # A day too early for the 35.
    start = MONTH - 35 * DAY
    keep(ledger, document(replace(hours(*range(1, 36 * 24 + 1)), start=start - DAY)))

    told = before(ledger, hours(1, 2, 3))[OWN]

    assert told.start == int(start.timestamp())
    assert list(told.energy) == list(range(25, 36 * 24 + 1))
    assert told.whole == bytes([1]) * 35 * 24
    assert told.highest_w == 36 * 24


def test_a_shorter_window_asks_for_fewer_days(ledger):
    keep(ledger, document(hours(*[1000] * 72)))
    with ledger.reading() as store:
        asked = asked_by(store, document(hours(1, day=3), created=9))
        told = store.know(replace(asked, history_days=2)).history[OWN]

    assert told.start == int((MONTH + DAY).timestamp())
    assert list(told.energy) == [1000] * 48


def test_history_ends_with_the_midnight_before_a_document_that_begins_by_day(ledger):
    keep(ledger, document(hours(*[1000] * 24), hours(*[7000] * 12, channel="R+")))

    told = before(ledger, hours(5, 5, day=1, hour=5))

    assert set(told) == {OWN}
    assert list(told[OWN].energy) == [0] * 34 * 24 + [1000] * 24
    assert sum(told[OWN].whole) == 24


def test_only_commercial_hours_that_are_whole_count(ledger):
    point, area = "332070000107101", "3300000001"
    halves = hours(*[500] * 46, None, 900, point=point, area=area, step=30, flagged=[3, 46])
    keep(ledger, document(halves, layout="80020", number=1))

    key = (area, point, "A+")
    told = before(ledger, hours(*[1] * 48, day=1, point=point, area=area, step=30), "80020")[key]

    # Hour 1 has a half that is not fit for billing, hour 23 one without a value.
    assert list(told.whole[-24:]) == [1, 0] + [1] * 21 + [0]
    assert sum(told.energy) == 22 * 1000
    assert told.highest_w == 1800


def test_the_days_around_a_changeover_begin_at_their_own_midnights(ledger):
    # On 31 October 2010 Moscow went from UTC+4 to UTC+3.
    first = datetime(2010, 10, 29, 20, tzinfo=UTC)
    keep(ledger, document(replace(hours(*range(1, 50)), start=first)))

    later = replace(hours(1), start=datetime(2010, 10, 31, 21, tzinfo=UTC))
    told = before(ledger, later)[OWN]

    assert told.start == int(datetime(2010, 9, 26, 20, tzinfo=UTC).timestamp())
    assert list(told.energy) == [0] * 33 * 24 + list(range(1, 50))


def test_registers_are_told_from_the_last_before_to_the_first_after(ledger):
    def at(days, value, zone="T1"):
        return document(reading(value, at=MONTH + days * DAY, zone=zone), layout="52006", created=0)

    keep(ledger, *(at(days, str(1000 + days)) for days in (-60, -30, 0, 3, 6, 9)))
    keep(ledger, at(-30, "7", zone="T2"))

    asked = document(reading("1001.5", at=MONTH + DAY), layout="52006", created=1)
    told = known_of(ledger, asked).registers

    first = int(MONTH.timestamp())
    assert told == {
        (METER, "A+", "T1"): [
            (first - 60 * 86400, 940_000_000),
            (first - 30 * 86400, 970_000_000),
            (first, 1000_000_000),
            (first + 3 * 86400, 1003_000_000),
        ],
        (METER, "A+", "T2"): [(first - 30 * 86400, 7_000_000)],
    }
    # A window of no history has the neighbours alone.
    with ledger.reading() as store:
        wanted = asked_by(store, asked)
        window = replace(wanted.registers, first=wanted.registers.last)
        told = store.know(replace(wanted, registers=window)).registers
    assert [value for _, value in told[METER, "A+", "T1"]] == [1_000_000_000, 1_003_000_000]


def both_kinds(ledger):
    """A point with a meter without zones whose profile is handed in, too."""
    point = MeteringPoint("77", meters=(Meter("5", digits=6, decimals=0, id=None),))
    import_all(ledger, replace(ENTITY, points=(*ENTITY.points, point)))


def test_a_profile_meets_the_registers_at_its_point(ledger):
    both_kinds(ledger)
    for days, value in ((0, "100"), (1, "124")):
        at = MONTH + days * DAY
        keep(ledger, document(reading(value, "5", zone="T0", at=at), layout="52006"))

    asked = document(hours(*[1000] * 24, point="77"), created=1)
    known = known_of(ledger, asked)

    first = int(MONTH.timestamp())
    assert known.registers == {
        ((None, "77", "5", None), "A+", "T0"): [
            (first, 100_000_000),
            (first + 86400, 124_000_000),
        ]
    }
    assert known.profiles == {}

    keep(ledger, asked)
    again = known_of(ledger, document(hours(*[2000] * 24, point="77"), created=2))
    assert again.profiles == {
        (None, "77", "A+"): (ProfileSum(first, first + 86400, 24_000, 86400),)
    }


def test_a_reading_meets_the_profile_since_the_last_one(ledger):
    both_kinds(ledger)
    keep(ledger, document(reading("100", "5", zone="T0"), layout="52006"))
    # The last hour begins inside the span and ends after it.
    keep(ledger, document(hours(*[1000] * 10, None, 5, hour=1, point="77", flagged=[0, 10])))

    moment = MONTH + timedelta(hours=12, minutes=30)
    asked = document(reading("150", "5", zone="T0", at=moment), layout="52006", created=1)
    first = int(MONTH.timestamp())

    assert known_of(ledger, asked).profiles == {
        (None, "77", "A+"): (ProfileSum(first, int(moment.timestamp()), 10_000, 10 * 3600),)
    }


def test_closed_months_are_told(ledger):
    with ledger.transaction() as store:
        store.periods.close(date(2026, 10, 1), "operator", NOW)

    assert known_of(ledger, document(hours(1))).closed == {date(2026, 10, 1)}
