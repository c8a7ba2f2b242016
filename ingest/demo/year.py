"""Two years of invented readings for an invented entity, handed in as they would have been."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from ingest.operations.console.operators import add
from ingest.operations.hand_in import File, Sender, Way, hand_in
from ingest.operations.registry import import_registry
from ingest.operations.typed import TypedReading, typed_document
from ingest.wiring.service import Service
from layouts.months import MOSCOW, following, midnight, preceding
from storage.records.access import OperatorRole

CODE = "200000007700"
PASSWORD = "Sirenevy-sad-7"  # noqa: S105 - of an invented entity, printed by the demo
OPERATOR = "operator"
OPERATOR_PASSWORD = "Utro-nad-setyu-9"  # noqa: S105 - of an invented operator, the same
NAME = "АО «Хлебозавод № 7»"
_MONTHS = 24
_SEED = 7

_WHO = f"{NAME};3300000077;zavod@hleb.example;1"
_COLUMNS = (
    "user_code", "password", "name", "inn", "addresses", "active", "point", "point_name", "area",
    "max_power_kw", "meter", "digits", "decimals", "ratio", "installed", "removed", "channels",
    "zones",
)  # fmt: skip
REGISTRY = "\n".join(
    [
        ";".join(_COLUMNS),
        f"{CODE};{PASSWORD};{_WHO};{CODE};Завод в целом;;400;;;;;;;A+;",
        f"{CODE};;{_WHO};{CODE}-01;Пекарный цех;;200;77001001;6;2;40;2021-04-01;;A+ R+;T1 T2",
        f"{CODE};;{_WHO};{CODE}-02;Контора;;30;77001002;6;1;1;2021-04-01;;A+;",
    ]
)


@dataclass(frozen=True, slots=True)
class _Register:
    """What a meter turns: kWh on its face in a month, the zone's share of it."""

    meter: str
    point: str
    channel: str
    zone: str
    start: Decimal
    monthly: Decimal


_REGISTERS = (
    _Register("77001001", f"{CODE}-01", "A+", "T1", Decimal("10250.40"), Decimal("1190.25")),
    _Register("77001001", f"{CODE}-01", "A+", "T2", Decimal("5120.75"), Decimal("642.50")),
    _Register("77001001", f"{CODE}-01", "R+", "T1", Decimal("3010.10"), Decimal("310.10")),
    _Register("77001001", f"{CODE}-01", "R+", "T2", Decimal("1605.30"), Decimal("160.30")),
    _Register("77001002", f"{CODE}-02", "A+", "T0", Decimal("8411.5"), Decimal("1540.5")),
)


def make_operator(service: Service, now: datetime) -> None:
    """An operator who may do everything, without a second factor: the demo is on loopback."""
    role = OperatorRole.ADMINISTERS
    add(service, OPERATOR, role, "demo", now, password=OPERATOR_PASSWORD, second_factor=False)


def hand_in_years(service: Service, now: datetime) -> int:
    """Take the entity into the register, and hand in the months before now; how many receipts.

    The last month lacks days, and a document of it was refused: what a person would
    want to see first.
    """
    import_registry(service, REGISTRY.encode(), "demo", with_passwords=True, dry_run=False)
    receipts = 0
    with closing(service.reader()) as reader:
        for at, file, way in _documents(now):
            sender = Sender(way, CODE, "zavod@hleb.example")
            done = hand_in(file, sender, service.ledger, service.policy, reader, at)
            receipts += len(done.handled.receipts)
    return receipts


def _documents(now: datetime) -> Iterator[tuple[datetime, File, Way]]:
    """Each document with the moment at which it comes."""
    chance = random.Random(_SEED)  # noqa: S311 - the same invention each time
    this = now.astimezone(MOSCOW).date().replace(day=1)
    month = this
    for _ in range(_MONTHS):
        month = preceding(month)
    turned = 0
    while month < this:
        end = midnight(following(month))
        at = min(end + timedelta(hours=10 + chance.randrange(20)), now)
        days = [month + timedelta(days=n) for n in range((following(month) - month).days)]
        yield at, _profile(days, at, chance), Way.UPLOAD
        turned += 1
        if following(month) < this:
            yield at + timedelta(minutes=9), _readings(turned, end, at), Way.PAGE
        month = following(month)
    today = now.astimezone(MOSCOW).date()
    days = [this + timedelta(days=n) for n in range((today - this).days)]
    for hours, part in (4, days[:3]), (3, days[5:]):
        if part:
            at = now - timedelta(hours=hours)
            yield at, _profile(part, at, chance), Way.API
    at = now - timedelta(hours=2)
    yield at, _readings(turned, midnight(this), at, less=Decimal(2000)), Way.PAGE


def _profile(days: list[date], created: datetime, chance: random.Random) -> File:
    """A document of 52005 over these days."""
    rows = "".join(
        f'<consumption date_time="{day:%Y%m%d}{hour:02}" energy="{_energy(day, hour, chance)}"/>'
        for day in days
        for hour in range(24)
    )
    made = f"{created.astimezone(MOSCOW):%Y%m%d%H%M%S}"
    head = f'<package class="52005" version="1" sender_code="{CODE}" created="{made}">'
    return File(f"z52005{CODE}{made}.xml", f"{head}{rows}</package>".encode())


def _energy(day: date, hour: int, chance: random.Random) -> str:
    """MWh of an hour: more in winter, by day and on working days."""
    season = 1 + 0.25 * math.cos((day.timetuple().tm_yday - 15) / 365 * 2 * math.pi)
    shift = 1.0 if 5 <= hour < 20 else 0.45
    week = 0.7 if day.weekday() >= 5 else 1.0
    growth = 1 + (day.year - 2025) * 0.04
    return f"{0.11 * season * shift * week * growth * chance.uniform(0.92, 1.08):.6f}"


def _readings(turned: int, at: datetime, created: datetime, less: Decimal = Decimal(0)) -> File:
    """Readings typed in the account after so many months."""
    readings = [
        TypedReading(
            one.meter, at, f"{one.start + one.monthly * turned - less:f}",
            one.channel, one.zone, one.point,
        )
        for one in _REGISTERS
    ]  # fmt: skip
    return typed_document(readings, CODE, created)
