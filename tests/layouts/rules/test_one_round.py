"""A document with four mistakes of four kinds is mended in one round, whatever the four are."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from layouts.document import Document
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
    """What is written instead of a field, and what is told of it there."""

    code: str
    field: str
    written: str


READINGS = [
    Mistake("unknown-point", "point", "200000009999-01"),
    Mistake("unknown-meter", "meter", "99999999"),
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
HIDES = {
    # Nobody knows what meter is at an unknown point, nor what an unknown meter can show.
    "unknown-point": {"unknown-meter", "unknown-channel", "too-many-digits", "too-many-decimals"},
    "unknown-meter": {"unknown-channel", "too-many-digits", "too-many-decimals"},
}


def fit(one: Mistake, other: Mistake) -> bool:
    """Whether both may stand in one row, and both can be told of it."""
    hidden = HIDES.get(one.code, set()), HIDES.get(other.code, set())
    return one.field != other.field and other.code not in hidden[0] and one.code not in hidden[1]


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


def fours(seed: int) -> dict[int, list[Mistake]]:
    """Four kinds, in as few rows as can hold them."""
    random = Random(seed)
    planted: dict[int, list[Mistake]] = {}
    for mistake in random.sample(READINGS, 4):
        row = next(row for row in range(4) if all(fit(mistake, o) for o in planted.get(row, ())))
        planted.setdefault(row, []).append(mistake)
    return planted


@pytest.mark.parametrize("container", WRITTEN)
def test_any_four_mistakes_over_readings_are_told_in_the_first_round(container):
    for seed in range(10):
        planted = fours(seed)
        meant = {(m.code, where(container, row, m)) for row, ms in planted.items() for m in ms}
        assert told(WRITTEN[container](planted), "52006")[0] == meant, planted


@pytest.mark.parametrize("container", WRITTEN)
def test_the_mended_readings_are_accepted(container):
    found, checked = told(WRITTEN[container]({}), "52006")
    assert (found, len(checked.changes)) == (set(), len(OWN))
