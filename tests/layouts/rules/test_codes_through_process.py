"""Each code through the whole pipeline: letters that raise it, and a near miss beside them.

Every case is two senders of their own with their letters in order; of each the
findings of the last letter's document count.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.engine.files import process
from ingest.intake.attempt import PolicyIntake
from ingest.intake.authenticate import Guard, Prover
from ingest.intake.passwords import Passwords
from ingest.intake.policy import Policy
from ingest.replies.message import ReplySettings
from ingest.transports.files import LettersInFiles
from layouts.layout import load
from layouts.points import Meter, MeteringPoint
from storage.ledger import Ledger
from tests.direct_reader import DirectReader
from tests.layouts.rules.build import moscow
from tests.layouts.rules.senders import Party, Sent, day, deliver, hours, make_maildir, registers
from tests.registering import register

PASSWORD = "Zima-2026"
OCTOBER, NOVEMBER = moscow(2026, 10, 1), moscow(2026, 11, 1)
MONDAY = moscow(2026, 11, 9)
CLOSED = date(2026, 8, 1)

# Kilowatt-hours of a day of work; each date differs a little, so that none repeats.
SHAPE = [20] * 6 + [70, 80, 91, 93, 92, 94, 90, 91, 92, 93, 95, 93, 80, 70, 60, 50, 40, 30]


def load_of(days, factor=1000, shape=SHAPE):
    """Hours of so many days in Wh."""
    return [value * factor + 7 * n for n in range(days) for value in shape]


HISTORY = hours(load_of(31), OCTOBER)
HALVES = [n % 7 + 30 for n in range(48)]


def week(change, days=1):
    """October, then days from Monday 9 November that have been changed."""
    return [HISTORY, hours(change(load_of(days)), MONDAY)]


def last(value):
    return lambda values: [*values[:-1], value]


def peaks(share):
    november = {9, 10, 16, 17, 18, 19}
    shape = [v * share // 100 if hour in november else v for hour, v in enumerate(SHAPE)]
    return [HISTORY, hours(load_of(5, shape=shape), MONDAY)]


@dataclass(frozen=True)
class Case:
    """A code, what raises it, and what nearly does."""

    code: str
    raising: list[Sent]
    near: list[Sent]
    meter: tuple = ()
    more: tuple = ()


ZONES = (("zones", ("T1", "T2")),)
SECOND = (MeteringPoint("-02", meters=(Meter("44", digits=5, decimals=2),)),)


def before(value, *after, zone="T0"):
    """A reading of 1 October, then those of 1 November."""
    return [registers((zone, value), at=OCTOBER), registers(*after)]


def autumn(*values):
    """A register about every three weeks of autumn."""
    read = moscow(2026, 9, 2), moscow(2026, 9, 20), moscow(2026, 10, 10), NOVEMBER
    return [registers(("T0", v), at=at) for v, at in zip(values, read, strict=True)]


def copied_week(change):
    """80020 of a week, and one day of the next week that is like its weekday but for a change."""
    days = [[n + 60 + (7 * k + n * k) % 13 for n in range(48)] for k in range(7)]
    sent = [day(values, MONDAY + timedelta(days=k)) for k, values in enumerate(days)]
    return [*sent, day([days[0][0] + change, *days[0][1:]], MONDAY + timedelta(days=7))]


def reactive(value):
    """Four weeks of reactive energy by the day, and then a Monday of so much."""
    start = MONDAY - timedelta(days=28)
    past = [
        day([40 + (n + k) % 5 for n in range(48)], start + timedelta(days=k), channel="03")
        for k in range(28)
    ]
    return [*past, day([value + (n % 2) * bool(value) for n in range(48)], MONDAY, channel="03")]


def office(value, on):
    """October of an office that rests on Saturdays and Sundays, and then a day of so much."""
    start = moscow(2025, 10, 1)
    begins = [
        [0 if (start + timedelta(days=n, hours=3)).weekday() >= 5 else 40_000 + n + hour
         for hour in range(24)]
        for n in range(31)
    ]  # fmt: skip
    drawn = [value + hour if value else 0 for hour in range(24)]
    return [hours([value for day in begins for value in day], start), hours(drawn, on)]


# By decree people worked on the Saturday and not on the Monday after it.
WORKED_SATURDAY, MONDAY_OFF = moscow(2025, 11, 1), moscow(2025, 11, 3)
SATURDAY, PLAIN_MONDAY = moscow(2025, 11, 8), moscow(2025, 11, 10)


def peak_days(share):
    """Four weeks by the day, and then a week in which the peak hours keep this share."""
    peaks = {9, 10, 16, 17, 18, 19}
    start = MONDAY - timedelta(days=28)
    sent = []
    for k in range(33):
        kept = share if k >= 28 else 100
        values = [
            v * 10 * (kept if hour in peaks else 100) // 100 + (hour * k) % 7
            for hour, v in enumerate(SHAPE)
        ]
        sent.append(day(values, start + timedelta(days=k), step=60))
    return sent


EXCHANGED = (
    MeteringPoint(
        "-03",
        meters=(
            Meter("71", digits=5, decimals=2, removed=date(2026, 10, 20)),
            Meter("72", digits=5, decimals=2, installed=date(2026, 10, 20)),
        ),
    ),
)


def exchange(value, first=None, final=None):
    """The month's reading of a new meter, with those of the day it was put in, or without."""
    at = moscow(2026, 10, 20, 12)
    one = {"point": lambda party: f"{party.user}-03", "received": NOVEMBER + timedelta(hours=10)}
    of_the_day = [
        registers(("T0", shown), at=at, meter=lambda _, number=number: number, **one)
        for number, shown in (("71", final), ("72", first))
        if shown is not None
    ]
    return [*of_the_day, registers(("T0", value), meter=lambda _: "72", **one)]


def days_between(factor):
    """A register before and after a day, and then the day's profile."""
    return [
        registers(("T0", "100"), at=NOVEMBER),
        registers(("T0", str(100 + sum(HALVES))), at=NOVEMBER + timedelta(days=1)),
        day([value * factor for value in HALVES], NOVEMBER, NOVEMBER + timedelta(days=2)),
    ]


def the_other_way(value):
    """The day's profile between two readings of which the second comes last."""
    return [
        registers(("T0", "100"), at=NOVEMBER),
        day(HALVES, NOVEMBER),
        registers(
            ("T0", str(value)),
            at=NOVEMBER + timedelta(days=1),
            received=NOVEMBER + timedelta(days=2),
        ),
    ]


CASES = [
    Case("sender-mismatch", [day(HALVES, NOVEMBER, inn="7700000000")], [day(HALVES, NOVEMBER)]),
    Case("duplicate-document", [hours([5], NOVEMBER)] * 2, [hours([5], NOVEMBER)]),
    Case(
        "older-version",
        [hours([5, 6], NOVEMBER, created=NOVEMBER + timedelta(hours=n)) for n in (4, 3)],
        [hours([5, 6, 7], NOVEMBER, created=NOVEMBER + timedelta(hours=n)) for n in (3, 4)],
    ),
    Case(
        "values-zeroed",
        [hours([5, 6], NOVEMBER), hours([5, 0, 1], NOVEMBER)],
        [hours([5, 0], NOVEMBER), hours([5, 0, 1], NOVEMBER)],
    ),
    Case(
        "value-changed",
        [hours([5, 6], NOVEMBER), hours([5, 7, 1], NOVEMBER)],
        [hours([5, 6], NOVEMBER), hours([5, 6, 1], NOVEMBER)],
    ),
    Case("nothing-to-record", [hours([], NOVEMBER)], [hours([0], NOVEMBER)]),
    Case(
        "invalid-date",
        [hours([5], NOVEMBER, NOVEMBER, NOVEMBER + timedelta(hours=25))],
        [hours([5], NOVEMBER, NOVEMBER, NOVEMBER + timedelta(hours=24))],
    ),
    Case(
        "reading-in-future",
        [registers(("T0", "1"), received=NOVEMBER - timedelta(minutes=1))],
        [registers(("T0", "1"), received=NOVEMBER)],
    ),
    Case(
        "period-closed",
        [registers(("T0", "1"), at=moscow(2026, 9, 1))],
        [registers(("T0", "1"), at=moscow(2026, 9, 1, 1))],
    ),
    Case(
        "too-old",
        [day(HALVES, NOVEMBER, NOVEMBER + timedelta(days=94))],
        [day(HALVES, NOVEMBER, NOVEMBER + timedelta(days=93))],
    ),
    Case(
        "late-submission",
        [registers(("T0", "1"), received=moscow(2026, 11, 3))],
        [registers(("T0", "1"), received=moscow(2026, 11, 2, 23, 59))],
    ),
    Case(
        "unknown-point",
        [day(HALVES, NOVEMBER, point=lambda party: "77")],
        [day(HALVES, NOVEMBER)],
    ),
    Case(
        "foreign-point",
        [day(HALVES, NOVEMBER, point=lambda party: Party(0, {}).point)],
        [day(HALVES, NOVEMBER, point=lambda party: Party(9999, {}).point)],
    ),
    Case(
        "unknown-meter",
        [registers(("T0", "1"), meter=lambda party: "99")],
        [registers(("T0", "1"))],
    ),
    Case(
        "meter-not-at-point",
        [registers(("T0", "1"), at=moscow(2026, 11, 2))],
        [registers(("T0", "1"))],
        meter=(("removed", date(2026, 10, 31)),),
    ),
    Case(
        "unknown-channel",
        [day(HALVES, NOVEMBER, channel="02")],
        [day(HALVES, NOVEMBER, channel="03")],
    ),
    Case(
        "leading-zeros-lost",
        [registers(("T0", "1"), meter=lambda party: party.device.lstrip("0"))],
        [registers(("T0", "1"))],
    ),
    Case(
        "zones-missing",
        [registers(("T1", "1"))],
        [registers(("T1", "1"), ("T2", "1"))],
        meter=ZONES,
    ),
    Case(
        "point-missing",
        [day(HALVES, NOVEMBER)],
        [hours([5], NOVEMBER)],
        more=SECOND,
    ),
    Case(
        "duplicate-interval",
        [day(HALVES, NOVEMBER, again=[5])],
        [day(HALVES, NOVEMBER)],
    ),
    Case(
        "missing-interval",
        [hours([5, 6, 7], NOVEMBER, at=lambda n: n + (n > 1), created=MONDAY)],
        [hours([5, 6, 7], NOVEMBER, created=MONDAY)],
    ),
    Case(
        "wrong-step",
        [day([9] * 96, NOVEMBER, step=15)],
        [day([9, 8] * 12, NOVEMBER, step=60)],
    ),
    Case(
        "overlap",
        [day(HALVES, NOVEMBER, lasts=[3])],
        [day(HALVES, NOVEMBER, lasts=[3], skip=[4])],
    ),
    Case(
        "negative-value",
        [day([-1, *HALVES[1:]], NOVEMBER)],
        [day([0, *HALVES[1:]], NOVEMBER)],
    ),
    Case("too-many-decimals", [registers(("T0", "1.234"))], [registers(("T0", "1.230"))]),
    Case("too-many-digits", [registers(("T0", "100000"))], [registers(("T0", "99999.99"))]),
    Case(
        "above-permitted-power",
        [day([551, *HALVES[1:]], NOVEMBER)],
        [day([550, *HALVES[1:]], NOVEMBER)],
    ),
    Case(
        "above-maximum-power",
        [day([1501, *HALVES[1:]], NOVEMBER)],
        [day([1500, *HALVES[1:]], NOVEMBER)],
    ),
    Case(
        "above-maximum-power",
        before("0", ("T0", "81841"), zone="T0"),
        before("0", ("T0", "81840"), zone="T0"),
        meter=(("ratio", Decimal(10)),),
    ),
    Case(
        "not-commercial",
        [day(HALVES, NOVEMBER, flagged=[3, 4])],
        [day(HALVES, NOVEMBER)],
    ),
    Case(
        "unit-suspect",
        week(lambda values: [value // 1000 for value in values]),
        week(lambda values: [value // 3 for value in values]),
    ),
    Case("spike", week(last(990_000)), week(last(500_000))),
    Case(
        "flat-profile",
        [hours([25_000] * 24, NOVEMBER)],
        [hours([25_000] * 23, NOVEMBER)],
    ),
    Case(
        "repeated-day",
        [hours(load_of(1) * 2, NOVEMBER)],
        [hours(load_of(2), NOVEMBER)],
    ),
    Case("all-zero", week(lambda values: [0] * 24), week(lambda values: [0] * 23)),
    Case(
        "high-low",
        week(lambda values: [value // 6 for value in values]),
        week(lambda values: [value // 4 for value in values]),
    ),
    Case("peak-drop", peaks(75), peaks(95)),
    Case("reading-went-back", before("5", ("T0", "4.99")), before("5", ("T0", "5.01"))),
    Case(
        "register-rollover",
        before("99990", ("T0", "50")),
        before("50", ("T0", "99990")),
    ),
    # Reactive registers roll over as well, and 65000 typed as 5000 has not rolled over.
    Case(
        "register-rollover",
        [
            registers(("T0", v), at=at, channel="R+")
            for v, at in (("99990", OCTOBER), ("50", NOVEMBER))
        ],
        before("65000", ("T0", "5000")),
    ),
    Case("reading-went-back", before("65000", ("T0", "5000")), before("99990", ("T0", "50"))),
    Case(
        "register-rollover",
        [
            registers(("T0", v), at=at, channel="R-")
            for v, at in (("99990", OCTOBER), ("50", NOVEMBER))
        ],
        [
            registers(("T0", v), at=at, channel="R-")
            for v, at in (("65000", OCTOBER), ("5000", NOVEMBER))
        ],
    ),
    # A register that rests is told as that, and is not low.
    Case(
        "no-consumption",
        autumn("100", "200", "300", "300"),
        autumn("100", "200", "300", "310"),
    ),
    Case(
        "register-high-low",
        autumn("100", "200", "300", "310"),
        autumn("100", "200", "300", "300"),
    ),
    Case(
        "register-high-low",
        autumn("100", "200", "300", "900"),
        autumn("100", "200", "300", "700"),
    ),
    Case(
        "register-high-low",
        autumn("100", "200", "300", "310"),
        autumn("100", "200", "300", "330"),
    ),
    Case(
        "zone-sum-mismatch",
        [registers(("T0", "30"), ("T1", "10")), registers(("T2", "25"))],
        [registers(("T0", "30"), ("T1", "10")), registers(("T2", "20"))],
        meter=ZONES,
    ),
    Case(
        "reading-before-its-moment",
        [registers(("T0", "1"), created=NOVEMBER - timedelta(hours=1))],
        [registers(("T0", "1"), created=NOVEMBER)],
    ),
    Case(
        "values-zeroed",
        [registers(("T0", "5")), registers(("T0", "0"), created=MONDAY)],
        [registers(("T0", "0")), registers(("T0", "5"), created=MONDAY)],
    ),
    # A number a thousand over the highest is counted as the next one.
    Case(
        "suspicious-version",
        [day(HALVES, NOVEMBER), day(HALVES, NOVEMBER, number=1002)],
        [day(HALVES, NOVEMBER), day(HALVES, NOVEMBER, number=1001)],
    ),
    Case(
        "value-changed",
        [
            day(HALVES, NOVEMBER),
            day([1, *HALVES[1:]], NOVEMBER, number=9999),
            day(HALVES, NOVEMBER, number=3),
        ],
        [
            day(HALVES, NOVEMBER),
            day([1, *HALVES[1:]], NOVEMBER, number=900),
            day(HALVES, NOVEMBER, number=3),
        ],
    ),
    # A document in another step replaces the day when it is newer and whole.
    Case(
        "value-changed",
        [day(HALVES, NOVEMBER), day([60 + n for n in range(24)], NOVEMBER, step=60, number=2)],
        [day(HALVES, NOVEMBER, number=2), day([60 + n for n in range(24)], NOVEMBER, step=60)],
    ),
    # It may not replace a part of it.
    Case(
        "wrong-step",
        [day(HALVES, NOVEMBER), day([60 + n for n in range(23)], NOVEMBER, step=60, number=2)],
        [day(HALVES, NOVEMBER), day([60 + n for n in range(24)], NOVEMBER, step=60, number=2)],
    ),
    # Exponents are a workbook's own way of writing.
    Case(
        "invalid-number",
        [day(["1e1", *HALVES[1:]], NOVEMBER)],
        [day(["10", *HALVES[1:]], NOVEMBER)],
    ),
    Case("invalid-number", [registers(("T0", "1e3"))], [registers(("T0", "1000"))]),
    Case("repeated-day", copied_week(0), copied_week(1)),
    # Also a day of the month before.
    Case(
        "repeated-day",
        [day(range(60, 108), NOVEMBER - timedelta(days=n), number=40 - n) for n in (31, 0)],
        [day(range(60, 108), NOVEMBER - timedelta(days=n), number=40 - n) for n in (36, 0)],
    ),
    Case(
        "repeated-day",
        [hours([n % 12 for n in range(24)] * 2, NOVEMBER)],
        [hours([n % 11 for n in range(24)] * 2, NOVEMBER)],
    ),
    Case(
        "spike",
        week(last(990_000)),
        [
            hours([v // 100 for v in load_of(31)], OCTOBER),
            hours([v // 100 for v in last(4_900_000)(load_of(1))], MONDAY),
        ],
    ),
    Case("all-zero", reactive(0), reactive(40)),
    Case("high-low", reactive(3), reactive(40)),
    Case("peak-drop", peak_days(60), peak_days(97)),
    Case("all-zero", office(0, PLAIN_MONDAY), office(0, SATURDAY)),
    Case("all-zero", office(0, PLAIN_MONDAY), office(0, MONDAY_OFF)),
    Case("all-zero", office(0, WORKED_SATURDAY), office(40_000, WORKED_SATURDAY)),
    Case("high-low", office(5_000, WORKED_SATURDAY), office(40_000, WORKED_SATURDAY)),
    Case("high-low", office(5_000, PLAIN_MONDAY), office(5_000, MONDAY_OFF)),
    Case(
        "replacement-incomplete",
        exchange("7"),
        exchange("7", first="0", final="50"),
        more=EXCHANGED,
    ),
    Case(
        "zone-sum-mismatch",
        [registers(("T0", "3.03"), ("T1", "1"), ("T2", "2"))],
        [registers(("T0", "3.02"), ("T1", "1"), ("T2", "2"))],
        meter=ZONES,
    ),
    Case("no-consumption", before("5", ("T0", "5")), before("5", ("T0", "5.01"))),
    Case(
        "duplicate-reading",
        [registers(("T0", "5"), ("T0", "6"))],
        [registers(("T0", "5"), ("T0", "5.0"))],
    ),
    Case("profile-register-mismatch", days_between(2), days_between(1)),
    Case(
        "profile-register-mismatch",
        the_other_way(100 + 2 * sum(HALVES)),
        the_other_way(100 + sum(HALVES)),
    ),
    Case(
        "overlap",
        [
            day(HALVES, NOVEMBER, point=lambda party: party.user),
            hours([5], NOVEMBER, created=MONDAY),
        ],
        [
            day(HALVES, NOVEMBER, point=lambda party: party.user),
            hours([5], NOVEMBER + timedelta(days=1), created=MONDAY),
        ],
    ),
]


def parties():
    """Two senders for each case: the one that raises its code, and the near one."""
    for number, case in enumerate(CASES):
        for near, documents in enumerate((case.raising, case.near)):
            yield Party(2 * number + near, dict(case.meter), case.more), documents


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The findings of each sender's last document, by user code."""
    folder = tmp_path_factory.mktemp("codes")
    box, last_of = make_maildir(folder / "letters"), {}
    letters = [(party, sent) for party, documents in parties() for sent in documents]
    for serial, (party, sent) in enumerate(letters):
        deliver(party, sent, serial, PASSWORD, box)
    ledger = Ledger(f"sqlite:///{folder / 'ingest.db'}")
    ledger.migrate()
    now = datetime(2027, 3, 1, tzinfo=UTC)
    hashed = Passwords().hash(PASSWORD)
    with ledger.transaction() as store:
        register(store.registry, [party.entity(hashed) for party, _ in parties()], "tests", now)
        store.periods.close(CLOSED, "tests", now)

    def hear(_raw, _claim, handled):
        last_of[handled.entity.user_code] = [
            item.code.value for receipt in handled.receipts for item in receipt.checked.findings
        ]

    guard = Guard()
    policy = Policy(load(), ReplySettings("Meters <meters@example.ru>", key=b"k"), guard)
    intake = PolicyIntake(policy, Prover(ledger, guard, lambda: now))
    reader = DirectReader(load())
    process([LettersInFiles(box, None, 10**7)], reader, ledger, intake, lambda: now, hear)
    reader.close()
    ledger.close()
    return last_of


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.code for case in CASES])
def test_the_code_is_told_of_what_raises_it_and_not_of_the_near_miss(number, outcomes):
    case = CASES[number]
    raising, near = (Party(2 * number + n, {}).user for n in (0, 1))
    assert case.code in outcomes[raising]
    assert case.code not in outcomes[near]
