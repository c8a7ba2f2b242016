"""What was billed stays billed, whatever comes in which order.

Documents, an operator's entries, imports of the register of points, withdrawals, closings
and reopenings in any order. After each step a closed month is as it was closed, every
number of `readings` is explained by the letter that it names, and what the grains, the
numbers for billing and the views of the database tell of a month adds up to the same.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.intake.policy import Policy
from ingest.letters.terms import Outcome
from ingest.operations import billed, closing, suspects
from ingest.operations.register.registry_file import RegistryMistakes
from ingest.operations.registry import ClosedMonthsChange, import_registry
from ingest.operations.withdraw import CannotWithdraw, Order, withdraw
from ingest.reading.tables import first_sheet
from ingest.replies.message import ReplySettings
from layouts.months import MOSCOW
from layouts.rules import check
from layouts.terms import Kind
from storage.billed.billing import Grain
from storage.billed.periods import digest
from storage.ledger import Ledger
from storage.records.billing import Entry
from storage.records.letters import LetterFacts
from tests.contract.documents import LAYOUTS, document, hours, new_letter, reading
from tests.ingest.office import GUARD

LONG = "BILLED_EXAMPLES" in os.environ
"""Many other histories, and long ones: `make billed`."""

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
FIRST = datetime(2026, 8, 31, 21, 0, tzinfo=UTC)
MONTHS = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))
EDGES = (29, 30, 31, 60, 61, 62)
"""Days after 1 September about the midnights between months."""

A, B, METER, SECOND, PROFILE, INN = "100", "200", "51", "52", "P1", "3300000001"
HEAD = (
    "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;digits;decimals;ratio;installed;removed;"
    "channels;zones;valid_from;source"
)
NAMES = {A: ("First", INN), B: ("Second", "3300000002")}
HOW = frozenset({"receipt", "letter", "received_at", "quality", "suspicions", "late", "placed"})
"""How a value came, what is thought of it, where it stands: columns that are no value."""


def registry_file(ratio="10", holder=A, valid_from="", both="", profile_holder=A):
    """The register of points; `valid_from` is that of the ratio, the holder and the source."""

    def line(code, point, **cells):
        name, inn = NAMES[code]
        given = {"user_code": code, "name": name, "inn": inn, "point": point, **cells}
        return ";".join(given.get(column, "") for column in HEAD.split(";"))

    meter = {"meter": METER, "digits": "5", "decimals": "0", "zones": "T1 T2", "channels": "A+ R+"}
    rows = [line(A, A, channels="A+"), line(B, B, channels="A+")]
    rows += [line(holder, "M1", ratio=ratio, source=both, valid_from=valid_from, **meter)]
    rows += [line(A, "M2", meter=SECOND, digits="5", decimals="0", ratio="1")]
    rows += [line(profile_holder, PROFILE, area=INN, channels="A+", valid_from=valid_from)]
    if valid_from:
        rows += [line(A, "M1", ratio="10", **meter), line(A, PROFILE, area=INN, channels="A+")]
    return "\n".join((HEAD, *rows)).encode()


def about_a_month():
    """A midnight of autumn, near the edges of months more often than elsewhere."""
    days = st.sampled_from(EDGES) | st.integers(0, 85)
    return st.builds(lambda day: FIRST + timedelta(days=day), days)


@dataclass
class Closed:
    """A month as it was closed."""

    snapshot: Any
    numbers: Any
    readings: Any


class Billing(RuleBasedStateMachine):
    """One database of SQLite, with two legal entities."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="billed-"))
        shutil.copy(self.empty, self.folder / "ingest.db")
        self.ledger = Ledger(f"sqlite:///{self.folder / 'ingest.db'}")
        replies = ReplySettings(sender="meters@retailer.example", key=b"k" * 32)
        self.policy = Policy(LAYOUTS, replies, GUARD)
        self.made = 0
        self.closed: dict[date, Closed] = {}

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    @initialize()
    def register(self) -> None:
        """Two entities, three points of the first one."""
        assert self._import(registry_file(), None)

    # what may happen

    @rule(
        meter=st.sampled_from([METER, METER, SECOND]),
        zone=st.sampled_from(["T0", "T1", "T2"]),
        channel=st.sampled_from(["A+", "A+", "R+"]),
        steps=st.lists(st.tuples(about_a_month(), st.integers(0, 300)), min_size=1, max_size=4),
        created=st.integers(0, 5),
        sender=st.sampled_from([A, A, B]),
        entered=st.booleans(),
    )
    def read_registers(self, meter, zone, channel, steps, created, sender, entered) -> None:
        """A 52006, of readings that mostly go up."""
        if meter == SECOND:
            zone, channel = "T0", "A+"
        point = "M1" if meter == METER else "M2"
        series = [
            reading(
                str(1000 + (at - FIRST).days * 20 + more),
                meter, zone=zone, channel=channel, at=at, point=point,
            )
            for at, more in {at: (at, more) for at, more in steps}.values()
        ]  # fmt: skip
        self._hand_in(document(*series, layout="52006", created=created), sender, entered)

    @rule(
        at=about_a_month(),
        hour=st.integers(0, 23),
        base=st.integers(0, 9),
        count=st.integers(1, 30),
        created=st.integers(0, 5),
        sender=st.sampled_from([A, A, B]),
        entered=st.booleans(),
    )
    def hours_of_the_enterprise(self, at, hour, base, count, created, sender, entered) -> None:
        """A 52005."""
        values = [1000 * (base * n % 7) for n in range(count)]
        series = replace(hours(*values), start=at + timedelta(hours=hour))
        self._hand_in(document(series, created=created), sender, entered)

    @rule(
        at=about_a_month(),
        base=st.integers(1, 99),
        step=st.sampled_from([30, 30, 60]),
        flagged=st.sets(st.integers(0, 23), max_size=3),
        number=st.integers(1, 5),
        sender=st.sampled_from([A, A, B]),
        point=st.sampled_from([PROFILE, PROFILE, "M1"]),
    )
    def day_of_a_point(self, at, base, step, flagged, number, sender, point) -> None:
        """An 80020, in half-hours or hours."""
        values = [100 * (base + 7 * n % 13) for n in range(1440 // step)]
        area = INN if point == PROFILE else None
        series = hours(*values, point=point, area=area, step=step, flagged=flagged)
        made = document(replace(series, start=at), layout="80020", number=number)
        self._hand_in(made, sender, entered=False)

    @rule(
        ratio=st.sampled_from(["10", "20", "5"]),
        holder=st.sampled_from([A, A, B]),
        profile_holder=st.sampled_from([A, A, B]),
        both=st.sampled_from(["", "", "both", "profile"]),
        day=st.none() | about_a_month(),
        correct=st.sampled_from([None, None, "typing mistake"]),
    )
    def import_register(self, ratio, holder, profile_holder, both, day, correct) -> None:
        """The register of points, with another ratio, holder or source, from a day or not."""
        since = f"{day.astimezone(MOSCOW):%Y-%m-%d}" if day else ""
        self._import(registry_file(ratio, holder, since, both, profile_holder), correct)

    @precondition(lambda self: self.made)
    @rule(back=st.integers(0, 6), anyway=st.booleans())
    def take_back(self, back, anyway) -> None:
        """A withdrawal of a receipt, of the last ones more often."""
        order = Order(max(self.made - back, 1), "petrova", "act 17", anyway=anyway)
        with suppress(CannotWithdraw):
            done = withdraw(order, self.ledger, self.policy, NOW)
            if done.done is not None:
                self.made = done.done.receipt

    @rule(month=st.sampled_from(MONTHS))
    def close(self, month) -> None:
        """A month closed, whatever it lacks; its difference to the last closing is told."""
        with self.ledger.reading() as store:
            before = store.periods.snapshot(month)
            kept = store.periods.rows(before.id) if before else None
        done = closing.close(self.ledger, month, "petrova", NOW, anyway=True)
        if month in self.closed:
            assert done.was_closed
            return
        with self.ledger.reading() as store:
            assert done.snapshot.sha256 == digest(store.periods.rows(done.snapshot.id))
            self.closed[month] = _as_it_is(store, month, _grains(store, month))
        now = {number.key: number for number in self.closed[month].snapshot}
        assert {number.key: number for number in self.closed[month].numbers} == now
        if kept is None:
            return
        told = {
            (change.after or change.before).key: (change.before, change.after)
            for change in done.differences
        }
        was = {number.key: number for number in kept}
        for key in was.keys() | now.keys():
            if _billed(was.get(key)) != _billed(now.get(key)):
                assert told[key] == (was.get(key), now.get(key))

    @precondition(lambda self: self.closed)
    @rule(data=st.data())
    def reopen(self, data) -> None:
        """A closed month opened again."""
        month = data.draw(st.sampled_from(sorted(self.closed)))
        with self.ledger.transaction() as store:
            assert store.periods.reopen(month, "petrova", NOW)
        del self.closed[month]

    @rule(pick=st.integers(0, 5))
    def accept(self, pick) -> None:
        """A suspicion of the queue accepted."""
        queue = suspects.open_suspects(self.ledger, None, None)
        if queue:
            number = queue[pick % len(queue)].id
            assert suspects.accept(self.ledger, [number], "petrova", "asked", NOW).now == (number,)

    # what holds after each step

    @invariant()
    def billing_stands(self) -> None:
        """Closed months, explanations and sums, all in one look at the database."""
        with self.ledger.reading() as store:
            views, sources = _views(store), _sources(store)
            letters: dict[int, Any] = {}
            for month in MONTHS:
                grains = _grains(store, month)
                if month in self.closed:
                    assert _as_it_is(store, month, grains) == self.closed[month]
                for row in grains[0]:
                    if row.letter not in letters:
                        letters[row.letter] = store.letters.details(row.letter)
                    assert _explains(letters[row.letter], row), row
                assert _sums(grains[0]) == _sums(grains[1]) == _sums(grains[2])
                assert [_registers(rows) for rows in grains[1:]] == [_registers(grains[0])] * 2
                assert _sums(grains[0]) == views[f"{month:%Y-%m}"]
                _agree(store.numbers.of(month), grains[0], sources)
                # All of it happened at one moment: since then nothing has changed.
                asked = billed.Asked(month, billed.Grain.DAY, changed_since=NOW)
                assert list(billed.sheet(store, asked).rows) == []

    def _hand_in(self, parsed, sender, entered) -> None:
        with self.ledger.transaction() as store:
            entity = store.registry.entity(sender)
            overrides = () if entered else None
            layout = LAYOUTS[parsed.layout]
            letter = new_letter(store, NOW)
            checked = check(parsed, layout, entity, NOW, store.know, overrides=overrides)
            entry = Entry("petrova", "by phone") if entered else None
            receipt = store.record(letter, parsed, checked, entity, NOW, NOW, entry)
            store.letters.settle(letter, Outcome.ACCEPTED, LetterFacts("a", "b", "c"), entity, NOW)
            self.made = max(receipt.number, self.made)

    def _import(self, content, correct) -> bool:
        service = SimpleNamespace(ledger=self.ledger, guard=GUARD, table=first_sheet)
        about = {"with_passwords": False, "dry_run": False, "correct": correct}
        try:
            import_registry(service, content, "petrova", **about)
        except (ClosedMonthsChange, RegistryMistakes):
            return False
        return True


def _grains(store, month):
    return [list(store.billing.values(month, grain)) for grain in Grain]


def _as_it_is(store, month, grains) -> Closed:
    """By the snapshot, by the numbers for billing, and value by value."""
    taken = store.periods.snapshot(month)
    return Closed(
        store.periods.rows(taken.id),
        billed.numbers(store, billed.Asked(month, billed.Grain.BILLING)),
        [[_value(row) for row in grain] for grain in grains],
    )


def _billed(number):
    return number and (number.source, number.energy, number.quality, number.missing, number.late)


def _value(row):
    # The ratio beside a reading without consumption is what the register has, and billed nothing.
    told = row._replace(ratio=None) if row.energy is None else row
    return tuple(value for name, value in zip(row._fields, told, strict=True) if name not in HOW)


def _explains(letter, row) -> bool:
    """Whether the letter's receipt carries a row's value, and it is in force by it."""
    start, end = row.start and datetime.fromtimestamp(row.start, UTC), row.end
    for submission in letter.submissions:
        for one in submission.carried:
            same = (one.kind.value, one.channel) == (row.kind, row.channel)
            if submission.receipt != row.receipt or not same or not one.in_force:
                continue
            if one.kind is Kind.REGISTER:
                if (one.meter, one.zone, one.value) == (row.meter, row.zone, row.reading):
                    return int(one.end.timestamp()) == end
            elif one.start <= start and end <= one.end.timestamp() and one.point == row.point:
                return True
    return False


def _sums(rows):
    """Energy and what is billed of it, by all names."""
    energy: Counter[Any] = Counter()
    for row in rows:
        key = row.kind, row.entity, row.point, row.meter, row.channel, row.zone, row.step_minutes
        energy[(*key, "energy")] += row.energy or 0
        energy[(*key, "billed")] += row.billed or 0
    return {key: value for key, value in energy.items() if value}


def _registers(rows):
    return [row for row in rows if row.kind == "register"]


def _views(store):
    """The same sums as the views tell them, by month; both views of profiles agree."""
    found: dict[str, Counter[Any]] = {f"{month:%Y-%m}": Counter() for month in MONTHS}
    ask = store.session.connection.exec_driver_sql
    names = "month, entity, point, channel, step_minutes, sum(energy), sum(billed)"
    by = "GROUP BY month, entity, point, channel, step_minutes ORDER BY 1, 2, 3, 4, 5"
    values = ask(f"SELECT {names} FROM billing_interval {by}").all()
    months = ask(f"SELECT {names} FROM billing_month {by}").all()
    assert [tuple(x or 0 for x in row) for row in values] == [
        tuple(x or 0 for x in row) for row in months
    ]
    for month, entity, point, channel, step, energy, billed_wh in values:
        key = "interval", entity, point, None, channel, None, step
        found[month][(*key, "energy")] += energy or 0
        found[month][(*key, "billed")] += billed_wh or 0
    rows = ask("SELECT month, entity, point, meter, channel, zone, energy, billed"
               " FROM billing_register").all()  # fmt: skip
    for month, entity, point, meter, channel, zone, energy, billed_wh in rows:
        if month not in found:
            continue
        key = "register", entity, point, meter, channel, zone, None
        found[month][(*key, "energy")] += energy or 0
        found[month][(*key, "billed")] += billed_wh or 0
    return {
        month: {key: value for key, value in sums.items() if value} for month, sums in found.items()
    }


def _sources(store):
    """Of each point, the kind of values that counts from when on."""
    rows = store.session.connection.exec_driver_sql(
        "SELECT p.code, p.begins, p.source, EXISTS (SELECT 1 FROM meter AS m"
        " WHERE m.point_id = p.point_id) FROM point_in_force AS p ORDER BY p.begins"
    ).all()
    found = defaultdict(list)
    for code, begins, source, has_meter in rows:
        by_registers = source == "register" or (not source and has_meter)
        found[code].append((begins, "register" if by_registers else "interval"))
    return found


def _agree(numbers, rows, sources) -> None:
    """The one number is the sum of what counted at the time, register or profile."""
    for number in numbers:
        of = [
            row.billed
            for row in rows
            if (row.entity, row.point, row.channel, row.zone or "T0")
            == (number.entity, number.point, number.channel, number.zone)
            and row.billed is not None
            and row.kind == _counts(sources[row.point], row)
        ]
        assert (number.energy or 0) == sum(of), number


def _counts(periods, row):
    """The kind of values that counted for a row: a register's reading ends the day before."""
    at = row.end - 86400 if row.kind == "register" else row.start
    begun = [kind for begins, kind in periods if begins <= at]
    return begun[-1] if begun else periods[0][1]


@pytest.fixture(scope="module", autouse=True)
def empty(tmp_path_factory):
    """A migrated database, which each history gets a copy of."""
    Billing.empty = tmp_path_factory.mktemp("empty") / "ingest.db"
    ledger = Ledger(f"sqlite:///{Billing.empty}")
    ledger.migrate()
    ledger.close()


TestStaysBilled = Billing.TestCase
TestStaysBilled.settings = settings(
    max_examples=int(os.environ.get("BILLED_EXAMPLES", "5")),
    stateful_step_count=50 if LONG else 12,
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
