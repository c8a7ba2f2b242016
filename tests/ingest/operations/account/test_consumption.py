"""What an entity consumed: numbers of a month, days of a profile, readings."""

from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from types import SimpleNamespace as Some

import pytest

from ingest.operations.account import consumption
from ingest.operations.account.consumption import Amount, Choice
from ingest.operations.refused import Refused
from layouts.completeness import MonthState
from layouts.points import LegalEntity, Meter, MeteringPoint
from storage.billed.billing import BillingRow, Grain
from storage.records.billing import Number, Quality

OF = Choice(7, "P-1", "Цех", "А", "A+", has_profile=True)
NOV = date(2026, 11, 1)
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)


def number(energy, zone="T0", channel="A+", missing=0, quality=Quality.VALID):
    return Number(
        "47", "А", "P-1", 7, channel, zone, "register", energy, quality, (), 1, missing, False, None
    )


class Ledger:
    """Has these numbers and rows, and keeps what it is asked."""

    def __init__(self, numbers=None, rows=()):
        self.asked = []
        self._numbers = numbers or {}
        self._rows = rows

    @contextmanager
    def reading(self):
        yield Some(numbers=Some(of_each=self._of_each), billing=Some(values=self._values))

    def _of_each(self, months, point):
        self.asked.append((months, point))
        return {month: self._numbers.get(month, []) for month in months}

    def _values(self, *words, **more):
        self.asked.append((words, more))
        return iter(self._rows)


@pytest.mark.parametrize(
    ("numbers", "energy", "missing", "is_suspect"),
    [
        ([], None, 0, False),
        ([number(None, missing=2)], None, 2, False),
        ([number(0)], 0, 0, False),
        ([number(5, "T1", missing=1), number(7, "T2", missing=2)], 12, 3, False),
        # The total is the sum of the zones: not added to them.
        ([number(12), number(5, "T1", missing=9), number(7, "T2")], 12, 0, False),
        # A profile has no zone.
        ([number(4, ""), number(5, "T1")], 4, 0, False),
        ([number(5, "T1"), number(None, "T2", missing=1)], 5, 1, False),
        ([number(3), number(100, channel="A-", missing=5, quality=Quality.SUSPECT)], 3, 0, False),
        ([number(5, "T1"), number(7, "T2", quality=Quality.SUSPECT)], 12, 0, True),
        ([number(5, quality=Quality.NOT_COMMERCIAL)], 5, 0, True),
    ],
)
def test_a_month_is_the_sum_of_its_numbers_of_one_channel(numbers, energy, missing, is_suspect):
    ledger = Ledger({NOV: numbers, date(2025, 11, 1): [number(1), number(9, channel="A-")]})
    told = consumption.of_month(ledger, OF, NOV, NOW)
    assert told == Amount(NOV, energy, 1, missing, is_suspect, True)
    assert ledger.asked == [([date(2025, 11, 1), NOV], 7)]


@pytest.mark.parametrize(
    ("now", "has_begun"),
    [
        (datetime(2026, 10, 31, 20, 59, tzinfo=UTC), False),
        # Midnight of Moscow.
        (datetime(2026, 10, 31, 21, tzinfo=UTC), True),
        (datetime(2027, 1, 1, tzinfo=UTC), True),
    ],
)
def test_a_month_begins_with_its_first_day_in_moscow(now, has_begun):
    assert consumption.of_month(Ledger(), OF, NOV, now).has_begun is has_begun


def test_twelve_months_end_with_the_one_asked_for_each_beside_its_year_before():
    ledger = Ledger(
        {NOV: [number(5)], date(2025, 12, 1): [number(3)], date(2024, 12, 1): [number(2)]}
    )
    told = consumption.by_month(ledger, OF, date(2026, 11, 17), NOW)
    assert [amount.start for amount in told] == [
        date(2025, 12, 1), *(date(2026, month, 1) for month in range(1, 12)),
    ]  # fmt: skip
    assert (told[0].energy, told[0].past) == (3, 2)
    assert (told[-1].energy, told[-1].past) == (5, None)
    [(months, point)] = ledger.asked
    assert (len(months), point) == (24, 7)


def row(day, *, end=False, **changed):
    at = int(datetime(2026, 11, day, tzinfo=UTC).timestamp()) - 3 * 3600
    given = {
        "kind": "interval", "entity": "47", "area": "А", "point": "P-1", "meter": None,
        "channel": "A+", "zone": None, "start": None if end else at,
        "end": at if end else at + 86400, "step_minutes": 30, "unit": "Wh", "energy": 100 * day,
        "billed": None, "value_count": 48, "not_commercial_count": 0, "missing_count": 0,
        "reading": None, "previous_reading": None, "ratio": None, "remark": None, "receipt": 1,
        "letter": 1, "received_at": at,
    } | changed  # fmt: skip
    return BillingRow(**given)


OTHERS = [row(4, point="P-2"), row(4, area=None), row(4, channel="A-")]


def test_each_day_of_a_month_has_its_row_or_lacks_all_hours():
    rows = [
        row(1), row(2, missing_count=5, quality="suspect"), row(3, end=True),
        row(9, energy=None, quality="not-commercial"), row(5, kind="register"), *OTHERS,
    ]  # fmt: skip
    ledger = Ledger(rows=rows)
    told = consumption.by_day(ledger, "47", OF, date(2026, 11, 17), NOW)
    assert ledger.asked == [((date(2026, 11, 17), Grain.DAY, "47"), {"point": 7})]
    assert [amount.start for amount in told] == [date(2026, 11, day) for day in range(1, 31)]
    assert told[0] == Amount(NOV, 100, None, 0, False, True)
    assert told[1] == Amount(date(2026, 11, 2), 200, None, 5, True, True)
    assert told[2].energy == 300
    assert told[3] == Amount(date(2026, 11, 4), None, None, 24, False, True)
    assert told[4].energy is None
    assert told[8] == Amount(date(2026, 11, 9), None, None, 0, True, True)
    # Today is not over.
    assert [amount.has_begun for amount in told] == [True] * 9 + [False] * 21


def test_the_readings_of_a_month_are_those_of_the_channel_s_registers():
    mine = [row(1, kind="register", zone="T1"), row(2, kind="register", zone="T2")]
    others = [one._replace(kind="register") for one in OTHERS]
    ledger = Ledger(rows=[mine[0], row(3), *others, mine[1]])
    assert consumption.read_in(ledger, "47", OF, NOV) == mine
    assert ledger.asked == [((NOV, Grain.MONTH, "47"), {"point": 7})]


def test_a_choice_is_named_by_point_and_channel():
    assert OF.id == "7.A+"


METER = Meter("11", channels=("A+", "R+"), id=3)


@pytest.mark.parametrize(
    ("meters", "ever", "read", "told"),
    [
        # (channel, has_profile); a profile is on A+ and A-.
        ((), (), (), [("A+", True), ("A-", True)]),
        ((METER,), (), (), [("A+", False), ("R+", False)]),
        ((METER,), ("A+",), (), [("A+", True), ("A-", True)]),
        ((METER,), ("A+",), (3,), [("A+", True), ("R+", False), ("A-", True)]),
    ],
)
def test_a_point_has_the_channels_that_it_sends_and_those_that_it_is_read_on(
    meters, ever, read, told
):
    point = MeteringPoint("P-1", "Цех", "А", channels=("A+", "A-"), meters=meters, id=7)
    entity = LegalEntity("47", "ООО", "1", (), True, (point, MeteringPoint("P-2", id=8)))
    state = MonthState(NOV, ever=frozenset((7, one) for one in ever), read=frozenset(read))
    store = Some(
        registry=Some(entity=lambda code: entity if code == "47" else None),
        months=Some(ever=lambda month, found: state if (month, found) == (NOV, [entity]) else None),
    )
    found = consumption.choices(Some(reading=lambda: nullcontext(store)), "47", NOV)
    mine, [other] = found[:-1], found[-1:]
    assert [(one.channel, one.has_profile) for one in mine] == told
    assert {(one.point_id, one.point, one.name, one.area) for one in mine} == {
        (7, "P-1", "Цех", "А")
    }
    assert (other.id, other.has_profile) == ("8.A+", True)
    with pytest.raises(Refused, match="no such user code"):
        consumption.choices(Some(reading=lambda: nullcontext(store)), "48", NOV)
