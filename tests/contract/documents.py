"""Terms made in one line, for the tests of the store."""

import hashlib
import itertools
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from layouts.document import Header, Parsed, Series
from layouts.findings import Code, finding
from layouts.layout import load
from layouts.parameters import Parameters
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.rules import check, wants
from layouts.terms import Kind
from tests.registering import register

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
    return Series(Kind.REGISTER, None, point, meter, channel, zone, at, 0, (Decimal(value),))


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


_LETTERS = itertools.count()


class _Ended(Exception):  # noqa: N818 - nothing went wrong
    pass


@contextmanager
def rolled_back(ledger):
    """A transaction that leaves nothing behind."""
    with suppress(_Ended), ledger.transaction() as store:
        yield store
        raise _Ended


def import_all(ledger, *entities):
    """Have these entities in the register of points; the two above unless told."""
    with ledger.transaction() as store:
        return register(store.registry, entities or (ENTITY, OTHER), "operator", NOW)


def new_letter(store, at=NOW):
    """The number of a letter like no other."""
    sha256 = hashlib.sha256(f"letter {next(_LETTERS)}".encode()).hexdigest()
    return store.letters.claim(None, sha256, 100, at, at).letter


def hand_in(ledger, parsed, *, sender=ENTITY, at=NOW):
    """Record one document as `receive` does, in a transaction of its own."""
    with ledger.transaction() as store:
        return hand_in_to(store, parsed, sender=sender, at=at)


def hand_in_to(store, parsed, *, sender=ENTITY, at=NOW):
    """The same inside a transaction."""
    entity = store.registry.entity(sender.user_code)
    checked = check(parsed, LAYOUTS[parsed.layout], entity, at, store.know)
    return store.record(new_letter(store, at), parsed, checked, entity, at, at)


def known_of(ledger, parsed, *, sender=ENTITY, at=NOW):
    """What the rules would be told about a document."""
    with ledger.reading() as store:
        return store.know(asked_by(store, parsed, sender=sender, at=at))


def asked_by(store, parsed, *, sender=ENTITY, at=NOW):
    """What the rules would ask about a document."""
    entity = store.registry.entity(sender.user_code)
    return wants(parsed, LAYOUTS[parsed.layout], entity, at, Parameters())


def month_in_force(store):
    """Energy in force of the entity's own point, by hour of November from 0."""
    parsed = document(hours(*[None] * 240), created=-1000)
    known = store.know(asked_by(store, parsed))
    told = known.intervals[None, ENTITY.user_code, "A+"]
    first = int(MONTH.timestamp())
    return {
        (start - first) // 3600: value
        for start, value in zip(told.starts, told.values, strict=True)
    }


def fill(ledger):
    """Rows in every table that is only ever added to; the receipts."""
    import_all(ledger)
    spike = finding(Code.SPIKE, point=ENTITY.user_code, start=MONTH, end=MONTH + timedelta(hours=1))
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        parsed = document(hours(9, 2))
        checked = check(parsed, LAYOUTS[parsed.layout], entity, NOW, store.know)
        checked = replace(checked, findings=(spike,))
        receipts = [store.record(new_letter(store), parsed, checked, entity, NOW, NOW)]
    for hour, (value, read) in enumerate((("1", 10), ("2", 20)), 1):
        receipts.append(hand_in(ledger, document(hours(read), created=hour)))
        parsed = document(reading(value), layout="52006", created=hour)
        receipts.append(hand_in(ledger, parsed))
    with ledger.transaction() as store:
        store.suspicions.accept([one.id for one in store.suspicions.find(open_only=False)],
                                "operator", "asked by telephone", NOW)  # fmt: skip
        store.periods.close(MONTH.date() + timedelta(days=1), "operator", NOW)
        store.withdrawals.withdraw(
            new_letter(store), receipts[-1].number, None, "operator", "wrong meter", NOW
        )
    return [receipt.number for receipt in receipts]


def rows(ledger, statement, *, writes=False):
    """What a statement selects, past the store."""
    with ledger._connected(writes=writes) as connection:
        return connection.exec_driver_sql(statement).all()
