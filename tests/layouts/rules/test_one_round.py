"""A document with four mistakes of four kinds is mended in one round, whatever the four are."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from layouts.document import Document, cell_name
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.rules import check
from parsers import parse
from tests.layouts.rules.build import moscow
from tests.parsers.pages import WRITERS, Page

LAYOUTS = load()
CODE = "200000001234"
OWN = [f"{CODE}-0{number}" for number in range(1, 10)]
METERS = [f"0751234{number}" for number in range(1, 10)]
ENTITY = LegalEntity(
    CODE,
    "",
    "3300000001",
    (),
    True,
    tuple(
        MeteringPoint(
            code, channels=("A+",), meters=(Meter(number, digits=6, decimals=2, channels=("A+",)),)
        )
        for code, number in zip(OWN, METERS, strict=True)
    ),
)
RECEIVED = moscow(2026, 11, 2, 12)


@dataclass(frozen=True)
class Mistake:
    """What is written instead of a field, what is told of it there, and what it hides."""

    code: str
    field: str
    written: str
    hides: tuple[str, ...] = ()


TOO_MANY = ("too-many-digits", "too-many-decimals")
READINGS = [
    Mistake("unknown-point", "point", "200000009999-01", ("unknown-meter",)),
    # Nobody knows what an unknown meter can show.
    Mistake("unknown-meter", "meter", "99999999", ("unknown-channel", *TOO_MANY)),
    Mistake("unknown-channel", "channel", "R+"),
    Mistake("invalid-code", "zone", "T9"),
    Mistake("invalid-date", "date", "33.11.2026"),
    Mistake("reading-in-future", "date", "30.11.2026"),
    Mistake("too-old", "date", "01.03.2026"),
    Mistake("invalid-number", "value", "нет данных"),
    Mistake("negative-value", "value", "-5"),
    Mistake("too-many-digits", "value", "12345678"),
    Mistake("too-many-decimals", "value", "1.2345"),
]
FIELDS = ["point", "meter", "channel", "zone", "date", "value"]


def fit(one: Mistake, other: Mistake) -> bool:
    """Whether both may stand in one row, and both can be told of it."""
    return one.field != other.field and other.code not in one.hides and one.code not in other.hides


def rows(planted: dict[int, list[Mistake]]) -> list[dict[str, str]]:
    made = []
    for index, (point, meter) in enumerate(zip(OWN, METERS, strict=True)):
        row = dict(
            zip(FIELDS, (point, meter, "A+", "T0", "01.11.2026", f"{index}10.5"), strict=True)
        )
        row |= {mistake.field: mistake.written for mistake in planted.get(index, ())}
        made.append(row)
    return made


def readings_book(planted):
    labels = ["Точка учёта", "№ счётчика", "Канал", "Зона", "Дата показаний", "Показание"]
    lines = [["Макет", "52006"], ["Код пользователя", CODE], [], labels]
    lines += [list(row.values()) for row in rows(planted)]
    cells = {(r, c): v for r, line in enumerate(lines, 1) for c, v in enumerate(line, 1)}
    return WRITERS["xlsx"]([Page("Лист1", cells)])


def readings_xml(planted):
    lines = [
        f'<meter number="{row["meter"]}" point="{row["point"]}"><reading'
        f' date_time="{"".join(reversed(row["date"].split(".")))}00" channel="{row["channel"]}"'
        f' zone="{row["zone"]}" value="{row["value"]}"/></meter>'
        for row in rows(planted)
    ]
    head = f'<package class="52006" version="1" sender_code="{CODE}" created="20261102113000">'
    return "\n".join([head, *lines, "</package>"]).encode()


WRITTEN = {"xlsx": readings_book, "xml": readings_xml}


def where(container: str, row: int, mistake: Mistake) -> str:
    if container == "xml":
        return f"line {row + 2}"
    return f"{'ABCDEF'[FIELDS.index(mistake.field)]}{row + 5}"


def told(content: bytes, number: str) -> tuple[set[tuple[str, str]], object]:
    (parsed,) = parse(Document("a", content), LAYOUTS)
    checked = check(parsed, LAYOUTS[number], ENTITY, RECEIVED)
    found = {
        (item.code.value, item.place.cell or f"line {item.place.line}")
        for item in checked.findings
        if item.is_error
    }
    return found, checked


def fours(seed: int, kinds: list[Mistake]) -> dict[int, list[Mistake]]:
    """Four kinds, in as few rows as can hold them."""
    random = Random(seed)
    planted: dict[int, list[Mistake]] = {}
    for mistake in random.sample(kinds, 4):
        row = next(row for row in range(4) if all(fit(mistake, o) for o in planted.get(row, ())))
        planted.setdefault(row, []).append(mistake)
    return planted


@pytest.mark.parametrize("container", WRITTEN)
def test_any_four_mistakes_over_readings_are_told_in_the_first_round(container):
    for seed in range(10):
        planted = fours(seed, READINGS)
        meant = {(m.code, where(container, row, m)) for row, ms in planted.items() for m in ms}
        assert told(WRITTEN[container](planted), "52006")[0] == meant, planted


@pytest.mark.parametrize("container", WRITTEN)
def test_the_mended_readings_are_accepted(container):
    found, checked = told(WRITTEN[container]({}), "52006")
    assert (found, len(checked.changes)) == (set(), len(OWN))


PROFILES = [
    Mistake("invalid-date", "date", "33.11.2026", ("missing-interval",)),
    Mistake("unknown-point", "point", "200000009999-01", ("unknown-channel",)),
    Mistake("unknown-channel", "channel", "02"),
    Mistake("invalid-number", "3", "нет данных"),
    Mistake("negative-value", "5", "-5"),
    Mistake("missing-interval", "8", ""),
    Mistake("invalid-number", "11", "1.2.3"),
]


def days(planted: dict[int, list[Mistake]]) -> list[dict[str, str]]:
    """A day of four points, as it is with these mistakes."""
    made = []
    for index, point in enumerate(OWN[:4]):
        row = {"date": "01.11.2026", "point": point, "channel": "01"} | {
            str(hour): f"{index + 1}" for hour in range(24)
        }
        made.append(row | {mistake.field: mistake.written for mistake in planted.get(index, ())})
    return made


def profile_book(planted):
    """A workbook of hours, and the cell of each of its fields."""
    lines = [["Макет", "52005"], ["Код пользователя", CODE], ["Единица", "МВт·ч"], []]
    lines.append(["Дата", "Точка учёта", "Канал", *map(str, range(24))])
    lines += [list(row.values()) for row in days(planted)]
    cells = {(r, c): v for r, line in enumerate(lines, 1) for c, v in enumerate(line, 1) if v}
    places = {
        (index, name): [cell_name(index + 6, column)]
        for index, row in enumerate(days(planted))
        for column, name in enumerate(row, 1)
    }
    return WRITERS["xlsx"]([Page("Лист1", cells)]), places


def profile_xml(planted, opened, closed, level, value):
    """The lines of a document, and the line of each of its fields."""
    lines, places = list(opened), {}
    for index, row in enumerate(days(planted)):
        lines.append(level[0].format(**row))
        places |= {(index, name): [f"line {len(lines) + 1}"] for name in ("point", "channel")}
        day, places[index, "date"] = "".join(reversed(row["date"].split("."))), []
        for hour in range(24):
            if row[str(hour)]:
                at = f"{hour:02}", f"{(hour + 1) % 24:02}"
                lines.append(value.format(*at, row[str(hour)], day))
                places[index, "date"].append(f"line {len(lines)}")
            # A gap is told at the line before it.
            places[index, str(hour)] = [f"line {len(lines)}"]
        lines.append(level[1])
    return "\n".join([*lines, *closed]).encode(), places


HOURS = (
    [f'<package class="52005" version="2" sender_code="{CODE}" created="20261102113000">'],
    ["</package>"],
    ('<point code="{point}" channel="{channel}">', "</point>"),
    '<consumption date_time="{3}{0}" energy="{2}"/>',
)
PERIODS = (
    [
        '<message class="80020" version="2" number="1"><datetime>',
        "<timestamp>20261102113000</timestamp><daylightsavingtime>0</daylightsavingtime>",
        "<day>20261101</day></datetime><sender><inn>3300000001</inn><name>N</name></sender>",
        '<area timezone="1"><inn>3300000001</inn><name>N</name>',
    ],
    ["</area></message>"],
    (
        '<measuringpoint code="{point}" name=""><measuringchannel code="{channel}" desc="">',
        "</measuringchannel></measuringpoint>",
    ),
    '<period start="{0}00" end="{1}00"><value>{2}</value></period>',
)
DAYS = {
    ("52005", "xlsx"): profile_book,
    ("52005", "xml"): lambda planted: profile_xml(planted, *HOURS),
    ("80020", "xml"): lambda planted: profile_xml(planted, *PERIODS),
}


@pytest.mark.parametrize(("number", "container"), DAYS)
def test_any_four_mistakes_over_a_profile_are_told_in_the_first_round(number, container):
    writer = DAYS[number, container]
    for seed in range(8):
        # The day of an 80020 is that of the whole document.
        planted = fours(seed, PROFILES[number == "80020" :])
        content, places = writer(planted)
        meant = {
            (mistake.code, place)
            for row, several in planted.items()
            for mistake in several
            for place in places[row, mistake.field]
        }
        assert told(content, number)[0] == meant, planted


@pytest.mark.parametrize(("number", "container"), DAYS)
def test_the_mended_profile_is_accepted(number, container):
    found, checked = told(DAYS[number, container]({})[0], number)
    assert (found, len(checked.changes)) == (set(), 4)


@pytest.mark.parametrize(
    ("day", "code"), [("30.11.2026", "reading-in-future"), ("01.03.2026", "too-old")]
)
@pytest.mark.parametrize(
    ("dated", "labels", "cell"),
    [
        (["Дата показаний", "{}"], ["№ ПУ", "Показание"], "B3"),
        ([], ["№ ПУ", "Показание на {}"], "B4"),
    ],
)
def test_a_wrong_date_of_many_readings_is_told_at_its_own_cell(day, code, dated, labels, cell):
    lines = [["Макет", "52006"], ["Код пользователя", CODE], dated, labels]
    lines += [[meter, "10"] for meter in METERS]
    cells = {
        (r, c): text.format(day)
        for r, line in enumerate(lines, 1)
        for c, text in enumerate(line, 1)
    }
    found, _ = told(WRITERS["xlsx"]([Page("Лист1", cells)]), "52006")
    assert found == {(code, cell)}


def test_an_interval_of_two_tables_is_told_at_both():
    table = [["Дата", "Точка учёта", *map(str, range(24))]]
    table += [["01.11.2026", OWN[0], *map(str, range(1, 25))]]
    lines = [["Макет", "52005"], ["Код пользователя", CODE], ["Единица", "кВт·ч"], []]
    lines += [*table, [], *table]
    cells = {(r, c): v for r, line in enumerate(lines, 1) for c, v in enumerate(line, 1)}
    found, _ = told(WRITERS["xlsx"]([Page("Лист1", cells)]), "52005")
    both = {cell_name(row, 3 + hour) for row in (6, 9) for hour in range(24)}
    assert found == {("duplicate-interval", cell) for cell in both}
