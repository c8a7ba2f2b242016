"""The registers of an entity: those that are there, with their last readings."""

from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace as Some

import pytest

from ingest.operations.account.registers import Register, registers
from ingest.operations.refused import Refused
from layouts.completeness import MonthState, RegisterMonth
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow

AT = datetime(2026, 11, 15, 9, tzinfo=UTC)


def told(meter, *, active=True, last=None, read=(), at=AT):
    point = MeteringPoint("P-1", "Цех", "А", meters=(meter,), id=7, active=active)
    entity = LegalEntity("47", "ООО", "1", (), True, (point,))
    state = MonthState(date(2026, 11, 1), registers={key: RegisterMonth() for key in read})
    asked = date(2026, 11, 1), [entity]
    store = Some(
        registry=Some(entity=lambda code: entity if code == "47" else None),
        months=Some(
            last_readings=lambda _entity: last or {},
            ever=lambda *words: state if words == asked else None,
        ),
    )
    return registers(Some(reading=lambda: nullcontext(store)), "47", at)


def test_each_channel_and_zone_of_a_meter_is_a_register():
    meter = Meter("11", ratio=Decimal(40), channels=("A+", "R+"), zones=("T1", "T2"), id=3)
    moment = datetime(2026, 10, 31, tzinfo=UTC)
    last = {
        (("А", "P-1", "11", None), "A+", "T2"): (Decimal("5.5"), moment),
        (("А", "P-1", "12", None), "A+", "T1"): (Decimal(6), moment),
    }
    first, second, *others = told(meter, last=last)
    assert first == Register(3, "11", "P-1", "Цех", "A+", "T1", Decimal(40))
    assert second == Register(
        3, "11", "P-1", "Цех", "A+", "T2", Decimal(40), Decimal("5.5"), moment
    )
    assert [(one.channel, one.zone, one.last) for one in others] == [
        ("R+", "T1", None), ("R+", "T2", None),
    ]  # fmt: skip


def test_what_is_not_stated_is_what_was_ever_read():
    found = told(Meter("11", id=3), read=[(3, "A-", "T2"), (3, "A-", "T1"), (4, "R+", "T3")])
    assert [(one.channel, one.zone) for one in found] == [("A-", "T1"), ("A-", "T2")]
    assert [(one.channel, one.zone) for one in told(Meter("11", id=3))] == [("A+", "T0")]


@pytest.mark.parametrize(
    ("installed", "removed", "is_there"),
    [
        (None, None, True),
        (date(2026, 11, 15), None, True),
        (date(2026, 11, 16), None, False),
        (None, date(2026, 11, 15), True),
        (None, date(2026, 11, 14), False),
        (date(2026, 11, 1), date(2026, 11, 30), True),
        (date(2026, 11, 16), date(2026, 11, 30), False),
        (date(2026, 11, 1), date(2026, 11, 14), False),
    ],
)
@pytest.mark.parametrize("hour", [0, 20])
def test_a_meter_is_there_from_its_first_day_to_its_last_in_moscow(
    installed, removed, is_there, hour
):
    meter = Meter("11", installed=installed, removed=removed, id=3)
    assert bool(told(meter, at=AT.replace(hour=hour))) is is_there
    if installed is removed is None:
        # In Moscow it is the following day.
        late = Meter("11", installed=date(2026, 11, 16), id=3)
        assert bool(told(late, at=AT.replace(hour=21))) is True


def test_a_point_that_is_switched_off_has_none():
    assert told(Meter("11", id=3), active=False) == []


def test_number_and_ratio_are_those_of_the_moment():
    rows = (
        MeterRow(None, "old"),
        MeterRow(date(2026, 11, 20), "new", Decimal(60)),
    )
    meter = Meter("new", ratio=Decimal(60), id=3, rows=rows)
    assert [(one.meter, one.ratio) for one in told(meter)] == [("old", Decimal(1))]
    [later] = told(meter, at=datetime(2026, 11, 25, tzinfo=UTC))
    assert (later.meter, later.ratio) == ("new", Decimal(60))


def test_an_entity_that_is_none_is_refused():
    store = Some(registry=Some(entity=lambda _code: None))
    with pytest.raises(Refused, match="no such user code"):
        registers(Some(reading=lambda: nullcontext(store)), "48", AT)
