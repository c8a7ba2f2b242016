"""Values in force: the newest document that carries them, whatever the order of arrival."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from layouts.findings import Code
from layouts.known import RecordedReading
from layouts.points import Meter, MeteringPoint
from layouts.terms import Verdict
from storage.tables import METADATA
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    OTHER,
    asked_by,
    document,
    hand_in,
    hand_in_to,
    hours,
    import_all,
    known_of,
    month_in_force,
    reading,
    rolled_back,
    rows,
)

FIRST = int(MONTH.timestamp())
TABLES = METADATA.sorted_tables
OWN = (None, ENTITY.user_code, "A+")
REGISTER = ((None, "200000001234-01", "07512345", None), "A+", "T1", FIRST)


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def in_force(ledger):
    with ledger.reading() as store:
        return month_in_force(store)


def test_new_values_come_into_force(ledger):
    receipt = hand_in(ledger, document(hours(10, None, 30, flagged=[1])))

    assert receipt.checked.verdict is Verdict.ACCEPTED
    known = known_of(ledger, document(hours(0, 0, 0), created=1)).intervals[OWN]
    assert list(known.starts) == [FIRST, FIRST + 3600, FIRST + 7200]
    assert list(known.values) == [10, None, 30]
    assert known.not_commercial == {FIRST + 3600}
    assert known.step_minutes == 60
    assert known.newer == []
    assert known.elsewhere == []


def test_a_cumulative_month_adds_what_is_new_and_changes_what_differs(ledger):
    hand_in(ledger, document(hours(1, 2, 3), created=0))
    second = hand_in(ledger, document(hours(1, 5, 3, 4), created=1))

    change = second.checked.changes[0]
    assert (len(change.added), len(change.replaced), change.kept) == (1, 1, 2)
    assert in_force(ledger) == {0: 1, 1: 5, 2: 3, 3: 4}
    by = dict(map(tuple, rows(ledger, "SELECT start, submission_id FROM interval_value")))
    assert by == {FIRST: 1, FIRST + 3600: 2, FIRST + 7200: 1, FIRST + 10800: 2}


def test_a_day_of_a_cumulative_month_writes_what_the_day_brings(ledger):
    def count():
        with ledger._connected(writes=False) as connection:
            asked = {table: select(func.count()).select_from(table) for table in TABLES}
            return {table.name: connection.scalar(found) for table, found in asked.items()}

    written = []
    for day in range(1, 14):
        before = count()
        month = [hour % 29 for hour in range(24 * day)]
        checked = hand_in(ledger, document(hours(*month), created=day)).checked
        assert (len(checked.changes[0].added), checked.changes[0].kept) == (24, 24 * (day - 1))
        written.append({name: n - before[name] for name, n in count().items() if n > before[name]})

    bare = {"letter": 1, "submission": 1, "submission_span": 1}
    bare |= {"interval_value": 24, "interval_day": 1}
    assert written[0] == {**bare, "interval_series": 1}
    assert written[1:] == [bare] * 12


def test_a_replaced_value_stays_readable_with_who_replaced_it_and_when(ledger):
    later = NOW + timedelta(hours=1)
    hand_in(ledger, document(hours(1, 2), created=0))
    hand_in(ledger, document(hours(1, 5), created=1))
    hand_in(ledger, document(hours(1, 7), created=2), at=later)

    history = rows(
        ledger,
        "SELECT start, energy_wh, submission_id, replaced_by, replaced_at "
        "FROM interval_history ORDER BY replaced_by",
    )
    assert [tuple(row) for row in history] == [
        (FIRST + 3600, 2, 1, 2, int(NOW.timestamp())),
        (FIRST + 3600, 5, 2, 3, int(later.timestamp())),
    ]


def test_an_older_document_only_adds_what_no_newer_one_carries(ledger):
    hand_in(ledger, document(hours(10, 20), created=5))

    older = hand_in(ledger, document(hours(1, 2, 3), created=1))

    assert older.checked.changes[0].stayed == 2
    assert in_force(ledger) == {0: 10, 1: 20, 2: 3}


def test_an_older_document_that_adds_nothing_is_refused_and_leaves_nothing(ledger):
    hand_in(ledger, document(hours(10, 20), created=5))

    older = hand_in(ledger, document(hours(1, 2), created=1))

    assert older.checked.verdict is Verdict.REJECTED
    assert Code.OLDER_VERSION in {item.code for item in older.checked.findings}
    assert in_force(ledger) == {0: 10, 1: 20}
    assert rows(ledger, "SELECT count(*) FROM submission_span")[0][0] == 1


def test_a_value_confirmed_by_a_newer_document_is_safe_from_those_between(ledger):
    hand_in(ledger, document(hours(10), created=0))
    hand_in(ledger, document(hours(10), created=5))

    between = hand_in(ledger, document(hours(99), created=3))

    assert between.checked.verdict is Verdict.REJECTED
    assert in_force(ledger) == {0: 10}


def test_a_flag_alone_is_a_change(ledger):
    hand_in(ledger, document(hours(10), created=0))
    hand_in(ledger, document(hours(10, flagged=[0]), created=1))

    known = known_of(ledger, document(hours(0), created=2)).intervals[OWN]
    assert known.not_commercial == {FIRST}
    flags = rows(ledger, "SELECT not_commercial FROM interval_history")
    assert [bool(row[0]) for row in flags] == [False]


def test_ties_go_to_the_later_receipt(ledger):
    hand_in(ledger, document(hours(1), created=0))
    second = hand_in(ledger, document(hours(2), created=0), at=NOW + timedelta(seconds=1))

    assert second.checked.verdict is Verdict.ACCEPTED
    assert in_force(ledger) == {0: 2}


def test_a_series_in_two_parts_is_one_series(ledger):
    def parts(*, last, created):
        return document(hours(1, 2), hours(3, last, hour=2), created=created)

    hand_in(ledger, parts(last=4, created=0))
    second = hand_in(ledger, parts(last=5, created=1))

    assert [change.kept for change in second.checked.changes] == [2, 1]
    assert in_force(ledger) == {0: 1, 1: 2, 2: 3, 3: 5}


def test_an_80020_is_ordered_by_its_number_not_by_its_timestamp(ledger):
    def day(*, energy, number, created):
        series = hours(*[energy] * 24, point="332070000107101", area="3300000001")
        return document(series, layout="80020", number=number, created=created)

    hand_in(ledger, day(energy=1000, number=38, created=0))
    late = hand_in(ledger, day(energy=2000, number=37, created=5))

    assert Code.OLDER_VERSION in {item.code for item in late.checked.findings}


def test_what_another_layout_carries_is_told(ledger):
    point = "332070000107101"
    hand_in(
        ledger,
        document(hours(*[5000] * 24, point=point, area="3300000001"), layout="80020", number=1),
    )

    other = document(hours(1, 2, hour=3, point=point), created=1)
    known = known_of(ledger, other).intervals

    assert set(known) == {("3300000001", point, "A+")}
    assert known["3300000001", point, "A+"].elsewhere == [(FIRST, FIRST + 24 * 3600, "80020")]


def test_another_step_in_force_is_told(ledger):
    point = "332070000107101"
    halves = hours(*[500] * 48, point=point, area="3300000001", step=30)
    hand_in(ledger, document(halves, layout="80020", number=1))

    whole = document(hours(*[1000] * 24, point=point, area="3300000001"), layout="80020", number=2)

    key = ("3300000001", point, "A+")
    known = known_of(ledger, whole).intervals[key]
    assert (known.step_minutes, known.starts) == (0, [])
    assert known.other == [(at, at + 1800, 500) for at in range(FIRST, FIRST + 86400, 1800)]


def test_a_whole_day_in_another_step_replaces_it_and_the_old_values_are_history(ledger):
    point, area = "332070000107101", "3300000001"
    halves = hours(*[500] * 48, point=point, area=area, step=30)
    hand_in(ledger, document(halves, layout="80020", number=1))
    anew = hours(*range(1000, 1024), point=point, area=area)
    receipt = hand_in(ledger, document(anew, layout="80020", number=2))

    assert receipt.checked.verdict is Verdict.ACCEPTED
    key = (area, point, "A+")
    known = known_of(ledger, document(anew, layout="80020", number=3)).intervals[key]
    assert (list(known.values), known.other) == (list(range(1000, 1024)), [])
    counted = "SELECT count(*), sum(energy_wh), max(replaced_by) FROM interval_history"
    assert tuple(rows(ledger, counted)[0]) == (48, 24_000, receipt.number)
    following = hours(*[7] * 24, day=1, point=point, area=area)
    told = known_of(ledger, document(following, layout="80020", number=4)).history[key]
    assert sum(told.energy) == sum(range(1000, 1024))


def test_half_a_day_in_another_step_is_refused_and_changes_nothing(ledger):
    point, area = "332070000107101", "3300000001"
    hand_in(
        ledger,
        document(hours(*[500] * 48, point=point, area=area, step=30), layout="80020", number=1),
    )
    half = document(hours(*range(12), point=point, area=area), layout="80020", number=2)

    assert Code.WRONG_STEP in {item.code for item in hand_in(ledger, half).checked.findings}
    assert rows(ledger, "SELECT count(*) FROM interval_history")[0][0] == 0


def test_series_with_gaps_keep_their_own_starts(ledger):
    series = hours(1, 2, 3)
    spans = [(FIRST + hour * 3600, FIRST + (hour + 1) * 3600) for hour in (0, 1, 5)]
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        parsed = document(replace(series, spans=spans))
        receipt = hand_in_to(store, parsed)
        assert store.know(asked_by(store, parsed)).intervals[OWN].starts == []
        assert receipt.checked.verdict is Verdict.REJECTED  # missing-interval
        checked = replace(
            hand_in_to(store, document(hours(1, 2, 3))).checked,
            verdict=Verdict.ACCEPTED,
        )
        changes = (replace(checked.changes[0], series=replace(series, spans=spans, channel="R+")),)
        letter = store.letters.claim(None, "e" * 64, 1, NOW, NOW).letter
        store.record(letter, parsed, replace(checked, changes=changes), entity, NOW, NOW)

    carried = rows(ledger, 'SELECT start, "end" FROM submission_span WHERE series_id = 2')
    assert sorted(map(tuple, carried)) == [
        (FIRST, FIRST + 7200),
        (FIRST + 5 * 3600, FIRST + 6 * 3600),
    ]
    starts = rows(ledger, "SELECT start FROM interval_value WHERE series_id = 2 ORDER BY start")
    assert [row[0] for row in starts] == [start for start, _ in spans]


def test_a_resend_of_the_same_bytes_is_a_duplicate_with_the_first_receipt(ledger):
    parsed = document(hours(1, 2))
    first = hand_in(ledger, parsed)

    again = hand_in(ledger, parsed, at=NOW + timedelta(days=1))

    assert again.checked.verdict is Verdict.DUPLICATE
    assert again.number == first.number
    assert again.checked.duplicate_of == (first.number, NOW)
    with ledger.reading() as store:
        last = store.letters.find()[-1]
        assert store.letters.details(last.id).submissions[0].receipt == first.number
        assert last.values == 0


def test_a_resend_is_no_duplicate_once_one_of_its_values_was_replaced(ledger):
    parsed = document(hours(1, 2), created=0)
    hand_in(ledger, parsed)
    hand_in(ledger, document(hours(1, 9), created=1))

    assert known_of(ledger, parsed).duplicate_of is None


def test_a_replaced_value_counts_for_every_document_that_had_confirmed_it(ledger):
    hand_in(ledger, document(hours(1, 2), created=0))
    confirmed = document(hours(1, 2), created=1)
    hand_in(ledger, confirmed)
    hand_in(ledger, document(hours(1, 9), created=2))

    assert known_of(ledger, confirmed).duplicate_of is None


def test_what_a_document_itself_replaced_leaves_it_in_force(ledger):
    hand_in(ledger, document(hours(1, 2), created=0))
    second = document(hours(1, 9), created=1)
    number = hand_in(ledger, second).number

    assert known_of(ledger, second).duplicate_of == (number, NOW)


def test_the_same_bytes_from_another_entity_or_sheet_are_no_duplicate(ledger):
    parsed = document(hours(1, 2))
    hand_in(ledger, parsed)

    assert known_of(ledger, parsed, sender=OTHER).duplicate_of is None
    assert known_of(ledger, replace(parsed, part="Лист2")).duplicate_of is None


def test_a_partly_accepted_document_is_never_the_first_of_duplicates(ledger):
    parsed = document(hours(1, 2), hours(1, point="999"))
    assert hand_in(ledger, parsed).checked.verdict is Verdict.PARTLY_ACCEPTED

    assert known_of(ledger, parsed).duplicate_of is None


def test_points_and_meters_of_another_entity_are_told_as_foreign(ledger):
    parsed = document(
        hours(1, point="000000004711"),
        reading("5", meter="00000815"),
        reading("5", meter="9"),
        hours(1, point="\0"),
        layout="52006",
    )

    assert known_of(ledger, parsed).foreign == {"000000004711", "00000815"}


def test_a_register_reading_is_kept_exactly_and_replaced_with_its_history(ledger):
    hand_in(ledger, document(reading("999999.67"), layout="52006", created=0))
    second = document(reading("123456.78"), layout="52006", created=1)
    hand_in(ledger, second)

    known = known_of(ledger, document(reading("0"), layout="52006", created=2)).readings
    assert known == {
        REGISTER: RecordedReading(
            Decimal("123456.78"), newer=False, layout="52006", holders=frozenset({ENTITY.user_code})
        )
    }
    history = rows(ledger, "SELECT value, submission_id, replaced_by FROM register_history")
    assert [tuple(row) for row in history] == [(999999670000, 1, 2)]


def test_an_older_reading_meets_the_newer_one(ledger):
    hand_in(ledger, document(reading("10"), layout="52006", created=0))
    hand_in(ledger, document(reading("10"), layout="52006", created=5))

    between = document(reading("11"), layout="52006", created=3)

    assert known_of(ledger, between).readings[REGISTER].newer
    assert hand_in(ledger, between).checked.verdict is Verdict.REJECTED


def test_a_confirmed_reading_that_was_replaced_ends_the_duplicate(ledger):
    hand_in(ledger, document(reading("10"), layout="52006", created=0))
    confirmed = document(reading("10"), layout="52006", created=1)
    hand_in(ledger, confirmed)
    assert known_of(ledger, confirmed).duplicate_of is not None

    hand_in(ledger, document(reading("12"), layout="52006", created=2))

    assert known_of(ledger, confirmed).duplicate_of is None


def test_a_reading_under_a_number_that_lost_its_zeros_is_the_same(ledger):
    hand_in(ledger, document(reading("10"), layout="52006", created=0))

    known = known_of(ledger, document(reading("10", meter="7512345"), layout="52006")).readings

    assert known[REGISTER].value == Decimal(10)


def test_meters_of_one_number_at_two_points_keep_their_own_readings(ledger):
    points = ("-01", "-02")
    places = [
        MeteringPoint(ENTITY.user_code + name, meters=(Meter("5", digits=5),)) for name in points
    ]
    import_all(ledger, replace(ENTITY, points=tuple(places)))

    def both(*values, created, at=MONTH):
        named = zip(places, values, strict=True)
        series = [reading(v, "5", zone="T0", at=at, point=place.code) for place, v in named if v]
        return document(*series, layout="52006", created=created)

    hand_in(ledger, both("100", None, created=0, at=MONTH - timedelta(days=30)))
    hand_in(ledger, both("150", None, created=0))
    second = hand_in(ledger, both("150", "7", created=1)).checked

    assert [item.code for item in second.findings] == [Code.LATE_SUBMISSION]
    assert [(change.kept, tuple(change.added)) for change in second.changes] == [(1, ()), (0, (0,))]
    kept = rows(ledger, "SELECT value FROM register_reading ORDER BY meter_id, instant")
    assert [row[0] // 10**6 for row in kept] == [100, 150, 7]


@pytest.mark.parametrize("length", [10, 250])
def test_many_values_are_added_and_replaced_alike(ledger, length):
    hand_in(ledger, document(hours(*range(length)), created=0))
    hand_in(ledger, document(hours(*range(1, length + 1)), created=1))

    assert sum(in_force(ledger).values()) == sum(range(1, min(length, 240) + 1))
    told = rows(ledger, "SELECT count(*), sum(energy_wh) FROM interval_history")
    assert tuple(told[0]) == (length, sum(range(length)))


DOCUMENTS = st.lists(
    st.tuples(
        st.integers(0, 6),  # created
        st.integers(0, 5),  # first hour
        # Energy, or none, and whether it is not fit for billing.
        st.lists(st.tuples(st.none() | st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(DOCUMENTS)
def test_in_any_order_of_arrival_the_newest_has_the_value_and_history_the_others(ledger, documents):
    carried: dict[int, tuple[int, int]] = {}
    stories: dict[int, list[tuple[int | None, bool]]] = {}
    for arrival, (created, first, values) in enumerate(documents):
        for hour, value in enumerate(values, first):
            if (created, arrival) < carried.get(hour, (-1, -1)):
                continue
            carried[hour] = created, arrival
            story = stories.setdefault(hour, [])
            if story[-1:] != [value]:
                story.append(value)

    with rolled_back(ledger) as store:
        for arrival, (created, first, values) in enumerate(documents):
            energies = [energy for energy, _ in values]
            flagged = [index for index, (_, is_unfit) in enumerate(values) if is_unfit]
            parsed = document(hours(*energies, hour=first, flagged=flagged), created=created)
            hand_in_to(store, parsed, at=NOW + timedelta(seconds=arrival))
        kept = store.session.connection.exec_driver_sql(
            "SELECT start, energy_wh, not_commercial, replaced_by FROM interval_history"
            " UNION ALL SELECT start, energy_wh, not_commercial, NULL FROM interval_value"
        ).all()

    told: dict[int, list[tuple[int | None, bool]]] = {}
    for start, energy, is_unfit, _ in sorted(kept, key=lambda row: row[3] or 10**9):
        told.setdefault((start - FIRST) // 3600, []).append((energy, bool(is_unfit)))
    assert told == stories


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=6))
def test_in_any_order_of_arrival_the_newest_reading_is_in_force_after_the_others(ledger, documents):
    story: list[tuple[int, int, int]] = []
    for arrival, (created, value) in enumerate(documents):
        if story and (created, arrival) < story[-1][:2]:
            continue
        # A confirmation is no change, but it makes the value as new as itself.
        if story and story[-1][2] == value:
            story.pop()
        story.append((created, arrival, value))

    with rolled_back(ledger) as store:
        for arrival, (created, value) in enumerate(documents):
            parsed = document(reading(str(value)), layout="52006", created=created)
            hand_in_to(store, parsed, at=NOW + timedelta(seconds=arrival))
        asked = document(reading("0"), layout="52006", created=-1000)
        known = store.know(asked_by(store, asked)).readings[REGISTER]
        replaced = store.session.connection.exec_driver_sql(
            "SELECT value FROM register_history ORDER BY replaced_by"
        ).all()

    *before, last = (value for _, _, value in story)
    assert known == RecordedReading(
        Decimal(last), newer=True, layout="52006", holders=frozenset({ENTITY.user_code})
    )
    assert [row[0] // 10**6 for row in replaced] == before
