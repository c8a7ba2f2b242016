"""What an entity consumed, by month and by day, as the account draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ingest.operations.ports import Ledger
from ingest.operations.refused import entity_named
from layouts.completeness import channels_of, reads_meters, register_channels, sends_profile
from layouts.months import MOSCOW, following, preceding
from layouts.points import LegalEntity
from storage.billed.billing import BillingRow, Grain
from storage.records.billing import Number, Quality
from storage.store import Store

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A point's channel that there may be readings of.

    Attributes:
        id: Of the point, with its channel; stands in addresses.
    """

    point_id: int
    point: str
    name: str
    area: str | None
    channel: str
    has_profile: bool

    @property
    def id(self) -> str:
        """What stands for it in an address."""
        return f"{self.point_id}.{self.channel}"


@dataclass(frozen=True, slots=True)
class Amount:
    """Consumption of one day or month.

    Attributes:
        start: Its first day.
        energy: In Wh or varh; None where nothing is known.
        past: Of the same month a year before; None where nothing is known.
        missing: How many intervals or registers of it are missing.
        is_suspect: Whether a value in it is doubtful or not fit for billing.
        has_begun: Whether it is not in the future altogether.
    """

    start: date
    energy: int | None
    past: int | None = None
    missing: int = 0
    is_suspect: bool = False
    has_begun: bool = True


def choices(ledger: Ledger, code: str, month: date) -> list[Choice]:
    """Every point's channel of an entity, in the register's order.

    Raises:
        Refused: the register has no such user code.
    """
    with ledger.reading() as store:
        entity = entity_named(store, code)
        return list(_choices(entity, store, month))


def _choices(entity: LegalEntity, store: Store, month: date) -> Iterable[Choice]:
    state = store.months.ever(month, [entity])
    for point in entity.points:
        meters = point.meters if reads_meters(point, state) else ()
        read = [channel for meter in meters for channel in register_channels(meter, state)]
        sent = channels_of(point, state) if sends_profile(point, state) else ()
        for channel in dict.fromkeys((*read, *sent)):
            yield Choice(
                point.id or 0, point.code, point.name, point.area, channel,
                has_profile=channel in sent,
            )  # fmt: skip


def by_month(ledger: Ledger, of: Choice, last: date, now: datetime) -> list[Amount]:
    """The twelve months up to one, each beside the same month a year before.

    Args:
        ledger: The database.
        of: Which series.
        last: The last month's first day.
        now: The moment of it, aware.
    """
    months = [last.replace(day=1)]
    while len(months) < MONTHS:
        months.insert(0, preceding(months[0]))
    past = [_year_before(month) for month in months]
    with ledger.reading() as store:
        found = store.numbers.of_each([*past, *months], of.point_id)
    return [_amount(month, of, found, now) for month in months]


def of_month(ledger: Ledger, of: Choice, month: date, now: datetime) -> Amount:
    """One month, beside the same month a year before.

    Args:
        ledger: The database.
        of: Which series.
        month: Its first day.
        now: The moment of it, aware.
    """
    with ledger.reading() as store:
        found = store.numbers.of_each([_year_before(month), month], of.point_id)
    return _amount(month, of, found, now)


def _year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


def _amount(
    month: date, of: Choice, found: Mapping[date, Sequence[Number]], now: datetime
) -> Amount:
    numbers = _numbers(of, found[month])
    return Amount(
        month,
        _sum(numbers),
        _sum(_numbers(of, found[_year_before(month)])),
        sum(number.missing for number in numbers),
        any(number.quality is not Quality.VALID for number in numbers),
        month <= now.astimezone(MOSCOW).date(),
    )


def _numbers(of: Choice, found: Sequence[Number]) -> list[Number]:
    mine = [number for number in found if number.channel == of.channel]
    # T0 is the sum of the zones where both are read.
    whole = [number for number in mine if number.zone in {"T0", ""}]
    return whole or mine


def _sum(numbers: Sequence[Number]) -> int | None:
    known = [number.energy for number in numbers if number.energy is not None]
    return sum(known) if known else None


def by_day(ledger: Ledger, code: str, of: Choice, month: date, now: datetime) -> list[Amount]:
    """Every day of a month of a profile.

    Args:
        ledger: The database.
        code: The user code.
        of: Which profile.
        month: Its first day.
        now: The moment of it, aware.
    """
    with ledger.reading() as store:
        rows = store.billing.values(month, Grain.DAY, code, point=of.point_id)
        mine = {_day(row): row for row in rows if _is_of(row, of) and row.kind == "interval"}
    today = now.astimezone(MOSCOW).date()
    days, day = [], month.replace(day=1)
    while day < following(month):
        row = mine.get(day)
        days.append(
            Amount(
                day,
                row.energy if row else None,
                missing=row.missing_count if row else 24,
                is_suspect=bool(row and row.quality != Quality.VALID),
                has_begun=day < today,
            )
        )
        day += timedelta(days=1)
    return days


def read_in(ledger: Ledger, code: str, of: Choice, month: date) -> list[BillingRow]:
    """The register readings of a month, in the order of zones and time.

    Args:
        ledger: The database.
        code: The user code.
        of: Which registers.
        month: Its first day.
    """
    with ledger.reading() as store:
        rows = store.billing.values(month, Grain.MONTH, code, point=of.point_id)
        return [row for row in rows if row.kind == "register" and _is_of(row, of)]


def _is_of(row: BillingRow, of: Choice) -> bool:
    return (row.point, row.area, row.channel) == (of.point, of.area, of.channel)


def _day(row: BillingRow) -> date:
    return datetime.fromtimestamp(row.start or row.end, UTC).astimezone(MOSCOW).date()
