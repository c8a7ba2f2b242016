"""Small documents, and what is known beside them, that the rules' tests start from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from layouts.document import Header, Parsed, Series
from layouts.exact import MICRO
from layouts.findings import Code
from layouts.known import Checked, Known, RegisterKey, SeriesHistory
from layouts.layout import load
from layouts.parameters import Parameters
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.rules import check
from layouts.terms import Kind

LAYOUTS = load()
MOSCOW = timezone(timedelta(hours=3))
OWN = "200000001234"
INN = "3300000001"


def moscow(*parts: int) -> datetime:
    """An instant given in Moscow's time of today."""
    return datetime(*parts, tzinfo=MOSCOW).astimezone(UTC)


DAY = moscow(2026, 11, 1)
NEXT = DAY + timedelta(days=1)
NOON = NEXT + timedelta(hours=12)
NOVEMBER = DAY


def epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def profile(
    values: Sequence[int | None] = (1000,) * 48,
    point: str | None = "P1",
    channel: str = "A+",
    area: str | None = INN,
    start: datetime = DAY,
    step: int = 30,
    **more,
) -> Series:
    """An interval series."""
    return Series(
        Kind.INTERVAL, area, point, None, channel, None, start, step, list(values), **more
    )


def spans(*pairs: tuple[int, int], start: datetime = DAY) -> list[tuple[int, int]]:
    """Intervals in minutes after `start` as a series has them."""
    first = epoch(start)
    return [(first + a * 60, first + b * 60) for a, b in pairs]


def reading(
    value: str,
    meter: str = "07512345",
    point: str | None = "P1",
    channel: str = "A+",
    zone: str = "T0",
    at: datetime = NOVEMBER,
) -> Series:
    """A register reading."""
    return Series(Kind.REGISTER, None, point, meter, channel, zone, at, 0, [Decimal(value)])


def register(
    meter: str = "07512345",
    channel: str = "A+",
    zone: str = "T0",
    installed: date | None = None,
    point: str = "P1",
    area: str | None = INN,
) -> RegisterKey:
    """What the rules call a register."""
    return (area, point, meter, installed), channel, zone


def daily(*series: Series, findings=(), points=None, **header) -> Parsed:
    """An 80020 of 1 November 2026."""
    about = {
        "version": "2",
        "sender_inn": INN,
        "created": NEXT + timedelta(hours=9),
        "number": 1,
        "period_start": DAY,
        "period_end": NEXT,
    }
    return _parsed("80020", series, findings, points, {**about, **header})


def monthly(*series: Series, findings=(), points=None, **header) -> Parsed:
    """A 52005 of November 2026, made on the 2nd at noon."""
    about = {
        "version": "1",
        "sender_code": OWN,
        "created": NOON,
        "period_start": NOVEMBER,
        "period_end": moscow(2026, 12, 1),
    }
    return _parsed("52005", series, findings, points, {**about, **header})


def readings(*series: Series, findings=(), points=None, **header) -> Parsed:
    """A 52006 made on 1 November 2026."""
    about = {"version": "1", "sender_code": OWN, "created": NOVEMBER + timedelta(hours=9)}
    return _parsed("52006", series, findings, points, {**about, **header})


def _parsed(layout, series, findings, points, header) -> Parsed:
    named = frozenset((s.area, s.point) for s in series) if points is None else points
    return Parsed(
        "a.xml",
        "00",
        1,
        layout=layout,
        header=Header(**header),
        series=tuple(series),
        findings=tuple(findings),
        points=frozenset(named),
    )


def meter(number: str = "07512345", **more) -> Meter:
    return Meter(number, **{"digits": 5, "decimals": 2, **more})


def point(code: str = "P1", *meters: Meter, **more) -> MeteringPoint:
    return MeteringPoint(code, **{"area": INN, "meters": tuple(meters), **more})


@dataclass(frozen=True)
class Beside:
    """The sender, the moment of receipt and what is on record; nothing offline."""

    entity: LegalEntity | None = None
    received_at: datetime | None = None
    known: Known = field(default_factory=Known)


def known(*points: MeteringPoint, at: datetime | None = NOON, code: str = OWN, **more) -> Beside:
    """What is known when the sender has these points; readings on record as decimals."""
    registers = more.pop("registers", {})
    more["registers"] = {
        key: [(at, int(value * MICRO)) for at, value in row] for key, row in registers.items()
    }
    return Beside(LegalEntity(code, inn=INN, points=points), at, Known(**more))


def past(days: Sequence[Sequence[int]], end: datetime = DAY, **more) -> SeriesHistory:
    """The hours of whole days that end with a midnight."""
    energy = [value for day in days for value in day]
    start = epoch(end) - 3600 * len(energy)
    highest = max(energy, default=0)
    return SeriesHistory(start, energy, bytes([1]) * len(energy), **{"highest_w": highest, **more})


def judged(
    document: Parsed, beside: Beside | None = None, parameters: Parameters | None = None
) -> Checked:
    """The verdict of `check`."""
    given = beside or Beside()
    return check(
        document,
        LAYOUTS[document.layout],
        given.entity,
        given.received_at,
        lambda _: given.known,
        parameters or Parameters(),
    )


def codes(checked: Checked) -> list[Code]:
    """The codes found, in their order."""
    return [item.code for item in checked.findings]


__all__ = [name for name in dir() if not name.startswith("_")] + ["date"]
