"""Terms made in one line, for the tests of the store."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from layouts.layout import load
from layouts.rules import check
from layouts.terms import (
    Header,
    Kind,
    LegalEntity,
    Meter,
    MeteringPoint,
    Parsed,
    Series,
)

LAYOUTS = load()
NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
MONTH = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
"""Midnight of 1 November in Moscow."""

ENTITY = LegalEntity(
    user_code="200000001234",
    name="ООО «Пример»",
    inn="3300000001",
    addresses=("buh@primer.example",),
    points=(
        MeteringPoint("200000001234", max_power_kw=Decimal("150.5"), channels=("A+",)),
        MeteringPoint(
            "200000001234-01",
            meters=(
                Meter(
                    "07512345",
                    digits=6,
                    decimals=2,
                    ratio=Decimal(40),
                    channels=("A+", "R+"),
                    zones=("T1", "T2"),
                ),
            ),
        ),
        MeteringPoint("332070000107101", area="3300000001"),
    ),
)
OTHER = LegalEntity(
    user_code="000000004711",
    name="ИП Соколова",
    inn="330000000003",
    points=(MeteringPoint("000000004711", meters=(Meter("00000815"),)),),
)


def hours(*values, day=0, hour=0, point=None, area=None, channel="A+", step=60, flagged=()):
    """An interval series; `day` and `hour` say where it starts in November."""
    return Series(
        kind=Kind.INTERVAL,
        area=area,
        point=point,
        meter=None,
        channel=channel,
        zone=None,
        start=MONTH + timedelta(days=day, hours=hour),
        step_minutes=step,
        values=values,
        not_commercial=frozenset(flagged),
    )


def reading(value, meter="07512345", channel="A+", zone="T1", at=MONTH, point=None):
    """A register reading."""
    return Series(
        Kind.REGISTER, None, point, meter, channel, zone, at, 0, (Decimal(value),)
    )


def document(*series, created=0, layout="52005", number=None, **more):
    """A document; `created` is in hours after `NOW` less a day."""
    made = NOW - timedelta(days=1) + timedelta(hours=created)
    content = repr((series, created, layout, number, more)).encode()
    return Parsed(
        name="z52005.xml",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        layout=layout,
        header=Header(created=made, number=number),
        series=series,
        points=frozenset((s.area, s.point) for s in series),
        **more,
    )


def hand_in(ledger, parsed, *, sender=ENTITY, at=NOW, **more):
    """Record one document as `receive` does, in a letter and a transaction of its own."""
    with ledger.transaction() as store:
        return hand_in_to(store, parsed, sender=sender, at=at, **more)


def hand_in_to(store, parsed, *, sender=ENTITY, at=NOW):
    """The same inside a transaction."""
    entity = store.entity(sender.user_code)
    with_place = hashlib.sha256(f"{parsed.sha256}{at}".encode()).hexdigest()
    letter = store.claim(None, with_place, 1, at, at).letter
    context = store.context(entity, parsed, at)
    checked = check(parsed, LAYOUTS[parsed.layout], context)
    return store.record(letter, parsed, checked, entity, at, at)


def in_force(ledger, *series):
    """Values in force as a new document of those series would meet them."""
    with ledger.reading() as store:
        parsed = document(*series, created=23)
        context = store.context(store.entity(ENTITY.user_code), parsed, NOW)
        return context
