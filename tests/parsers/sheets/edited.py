"""Sheets with one thing changed, and what each change does to what is read of them.

    python -m tests.parsers.sheets.edited

writes `golden/` again: of each sheet what is read of it as it stands, and then a line for each
change of a cell, row or column, with the readings and findings that it takes away (`-`) and
brings (`+`). And `drawn.txt`: below each small sheet what is read and told of it.
Read the difference before committing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from layouts.document import Parsed, cell_name
from layouts.layout import load
from layouts.terms import Kind
from parsers.grid import Cell, ErrorCell, Merged, Sheet, Uncounted
from parsers.grid_draft import SheetDraft, Spent
from parsers.sheets.book import _Book, forms_of
from parsers.sheets.view import Form

GOLDEN = Path(__file__).parent / "golden"
Cells = dict[tuple[int, int], Cell]


@dataclass(frozen=True)
class Page:
    """A sheet as it is drawn: rows of cells parted by `|`, and what is merged or out of sight."""

    name: str
    cells: Cells
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck: frozenset[tuple[int, int]] = frozenset()
    is_visible: bool = True

    def sheet(self) -> Sheet:
        draft = SheetDraft(self.name, Spent(), is_visible=self.is_visible)
        for (row, column), cell in sorted(self.cells.items()):
            draft.put(row, column, cell)
        for merged in self.merged:
            draft.merge(Merged(*merged))
        draft.hidden_rows |= self.hidden_rows
        draft.hidden_columns += [(column, column) for column in self.hidden_columns]
        draft.struck |= self.struck
        return draft.sheet()


def drawn(text: str, name: str = "Лист1", **more: object) -> Page:
    """A page of a drawing: `@` begins a date, `'` a text of digits, other digits are numbers.

    `=` begins a formula that was never calculated, `#N/A` is an error.
    """
    cells = {
        (row, column): cell
        for row, line in enumerate(text.strip("\n").split("\n"), 1)
        for column, one in enumerate(line.split("|"), 1)
        if (cell := _cell(one.strip())) is not None
    }
    return Page(name, cells, **more)  # type: ignore[arg-type]


def _cell(text: str) -> Cell:
    if text.startswith("@"):
        return datetime.fromisoformat(text[1:])
    if text.startswith("'"):
        return text[1:]
    if text.startswith("="):
        return Uncounted(text)
    if text == "#N/A":
        return ErrorCell(text)
    if text.replace(".", "", 1).isdigit():
        return float(text) if "." in text else int(text)
    return text or None


HEAD = """
Макет|52006
Код пользователя|'200000001234
Пароль|Zima-2026
Дата показаний|@2026-11-01
"""
LAST = "предыдущее|текущее|Разность|Расчётный коэффициент|Расход"
NARROW = f"""{HEAD.strip()}

Показания приборов учёта
№ п/п|Точка учёта|№ прибора учёта|Канал|Зона|{LAST}|Примечание
1|200000001234-01|'07510001|A+|T1|100|150.5|50.5|20|1010|
2|200000001234-01|'07510001|A+|T2|200|260|60|20|1200|пломба цела
3|200000001234-02|'07510002|R+|T0|1000|1001|1|1|1|
Итого|||||||||2211|
Исполнитель|Иванова И. И.
"""
WIDE = f"""{HEAD.strip()}

№ прибора учёта|Адрес|Показание|||Вид
||T0|День|Ночь
'07510001|ул. Мира, 5|300|200|100|бытовой
'07510002|ул. Мира, 7|30.5|20.5|10|бытовой
"""
TWO_ROWS = f"""{HEAD.strip()}
ИНН|3300000001

Сведения о приборах учёта
Точка учёта|№ прибора учёта|Показания||Ктт
||на 01.10.2026|на 01.11.2026|
200000001234-01|'07510001|100|150|20
Реактивная энергия, квар·ч
200000001234-01|'07510001|10|15|20
200000001234-02|'07510002|1|1.25|1
"""
BESIDE = f"""{HEAD.strip()}

Активная энергия|||Реактивная энергия
№ прибора учёта|Показание||№ прибора учёта|Показание
'07510001|150||'07510001|15
'07510002|250||'07510002|25
М.П.
"""
CHANNELS = f"""{HEAD.strip()}
Единица|МВт·ч

№ прибора учёта|Показание, актив|Показание, реактив|Показание за прошлый месяц, актив
1|2|3|4
'07510001|1.5|0.5|1
'07510002|2.5|0.25|
№ прибора учёта|Показание, актив|Показание, реактив|Показание за прошлый месяц, актив
'07510003|3.5|0.125|3
Максимум|3.5
"""
TITLE = f"""
Ведомость показаний
{HEAD.strip()}
Организация|ООО «Пример»
"""
TABLE = """
№ прибора учёта|Зона|Показание на 01.11.2026
'07510001|Т1|150
'07510001|Т2|250
'07510002|Всего|350
"""
WORDS = """
Справочник
Счётчик|Меркурий
"""
HOURS = "|".join(f"{hour}-{hour + 1}" for hour in range(24))
PROFILE = f"""
Макет|52005
Код пользователя|'200000001234
Пароль|Zima-2026
Месяц|@2026-11-01
Единица|кВт·ч

Точка учёта|Канал|Дата|{HOURS}|Итого
200000001234-01|A+|1|{"|".join("5" * 24)}|120
200000001234-01|A+|2|{"|".join("6.5" for _ in range(24))}|156
200000001234-01|A+|3|{"|".join("7" * 24)}|168
Всего|||{"|".join("18.5" for _ in range(24))}|444
"""

BELOW = f"""{HEAD.strip().replace("Дата показаний|@2026-11-01", "Месяц|@2026-10-01")}

Активная энергия
№ прибора учёта|Показание на 01.11.2026|Вид
'07510001|150|основной
'07510002|250|основной

Реактивная энергия
№ прибора учёта|Показание на 01.11.2026|Дата показаний
'07510001|15|@2026-11-01
'07510002|25|@2026-11-01
"""

BOOKS: dict[str, tuple[Page, ...]] = {
    "narrow": (drawn(NARROW),),
    "wide": (drawn(WIDE, merged=((6, 3, 6, 5), (6, 1, 7, 1), (6, 2, 7, 2), (6, 6, 7, 6))),),
    "two-rows-of-labels": (drawn(TWO_ROWS, merged=((8, 3, 8, 4), (7, 1, 7, 5))),),
    "beside": (drawn(BESIDE),),
    "channels": (drawn(CHANNELS),),
    "below": (drawn(BELOW),),
    "several-sheets": (
        drawn(TITLE, "Титул"),
        drawn(TABLE, "Показания"),
        drawn(WORDS, "Справка"),
        drawn(TABLE.replace("350", "351"), "Скрытый", is_visible=False),
    ),
    "profile": (drawn(PROFILE),),
}
"""As they stand; each cell, row and column of each is changed."""

PUT: tuple[Cell, ...] = (
    None,
    "слово",
    5,
    "07510002",
    datetime(2026, 10, 31),  # noqa: DTZ001 - as a workbook knows them
    ErrorCell("#N/A"),
    Uncounted("=A1"),
    "Реактивная энергия",
    "квар·ч",
    "Зона Т1",
    "предыдущее показание",
    "1 234,5",
    "-5",
)
"""What is put in the place of a cell; each cell gets one of them, in turn."""


def edits(pages: tuple[Page, ...]) -> Iterator[tuple[str, tuple[Page, ...]]]:
    """Each change by its name, and the pages with it."""
    for at, page in enumerate(pages):
        before, behind = pages[:at], pages[at + 1 :]
        own = f"{page.name}!" if behind or before else ""
        for name, changed in (*_cells(page), *_lines(page)):
            yield f"{own}{name}", (*before, changed, *behind)
        if own:
            yield f"{own} left out", (*before, *behind)
            yield f"{own} last", (*before, *behind, page)
            other = replace(page, is_visible=not page.is_visible)
            yield f"{own} {'hidden' if page.is_visible else 'shown'}", (*before, other, *behind)


def _cells(page: Page) -> Iterator[tuple[str, Page]]:
    for turn, spot in enumerate(_spots(page)):
        new = PUT[turn % len(PUT)]
        cells = {**page.cells, spot: new}
        yield f"{cell_name(*spot)} = {_shown(new)}", replace(page, cells=cells)
        if turn % 5 == 0:
            yield f"{cell_name(*spot)} struck", replace(page, struck=frozenset({spot}))


def _lines(page: Page) -> Iterator[tuple[str, Page]]:
    for row in sorted({row for row, _ in page.cells}):
        for name, change in ROWS.items():
            yield f"row {row} {name}", change(page, row)
    for column in sorted({column for _, column in _spots(page)}):
        for name, change in COLUMNS.items():
            yield f"column {cell_name(1, column)[:-1]} {name}", change(page, column)


def _spots(page: Page) -> list[tuple[int, int]]:
    """The filled cells; of a day's hours the first and the last ones stand for all."""
    is_wide = max(column for _, column in page.cells) > 20
    return [spot for spot in page.cells if not (is_wide and 5 < spot[1] < 27)]


def _moved(page: Page, *, row: int = 0, column: int = 0, by: int) -> Page:
    """The page with what stands in a row, or column, and behind it `by` further on."""

    def to(spot: tuple[int, int]) -> tuple[int, int]:
        return (
            spot[0] + by * (0 < row <= spot[0]),
            spot[1] + by * (0 < column <= spot[1]),
        )

    cells = {
        to(spot): cell
        for spot, cell in page.cells.items()
        if by > 0 or (spot[0] != row and spot[1] != column)
    }
    merged = tuple((*to(one[:2]), *to(one[2:])) for one in page.merged)
    return replace(page, cells=cells, merged=tuple(m for m in merged if m[0] > 0 and m[1] > 0))


def _doubled(page: Page, row: int) -> Page:
    other = _moved(page, row=row + 1, by=1)
    again = {(row + 1, column): cell for (at, column), cell in page.cells.items() if at == row}
    return replace(other, cells={**other.cells, **again})


ROWS: dict[str, Callable[[Page, int], Page]] = {
    "taken out": lambda page, row: _moved(page, row=row, by=-1),
    "hidden": lambda page, row: replace(page, hidden_rows=frozenset({row})),
    "twice": _doubled,
    "below an empty one": lambda page, row: _moved(page, row=row, by=1),
}
COLUMNS: dict[str, Callable[[Page, int], Page]] = {
    "taken out": lambda page, column: _moved(page, column=column, by=-1),
    "hidden": lambda page, column: replace(page, hidden_columns=frozenset({column})),
    "behind an empty one": lambda page, column: _moved(page, column=column, by=1),
}


def _shown(cell: Cell) -> str:
    if cell is None:
        return "nothing"
    return f"{cell:%d.%m.%Y}" if isinstance(cell, datetime) else str(cell)


@cache
def _forms() -> list[Form]:
    return forms_of(load())


def told(pages: tuple[Page, ...], *, in_full: bool = False) -> list[str]:
    """All that is read of a book, a line for each reading, finding and fact of a header.

    `in_full`: with the places of dates, the points and the figures.
    """
    sheets = [page.sheet() for page in pages]
    about = Parsed("x.xlsx", "", 0, None)
    lines = []
    for number, parsed in enumerate(_Book(sheets, _forms()).read(about), 1):
        own = f"{number}: " if number > 1 else ""
        head = parsed.header
        facts = (
            parsed.layout, parsed.part, head.version, head.sender_code, head.sender_inn,
            head.sender_name, head.password, head.created, head.period_start, head.period_end,
        )  # fmt: skip
        lines.append(f"{own}{' '.join('-' if one is None else f'{one}' for one in facts)}")
        for one in parsed.series:
            at = one.places.place(0) if one.places else None
            key = [one.point, one.meter, one.channel, one.zone, f"{one.start:%d.%m.%H:%M}"]
            text = " ".join("-" if name is None else name for name in key)
            values = (
                f"{one.values[0]}"
                if one.kind is Kind.REGISTER
                else f"{len(one.values)} {one.values[0]}…{one.values[-1]} {_sum(one.values)}"
            )
            dated = one.places.place_of("instant", 0).cell if in_full and one.places else None
            rest = f", dated {dated}" if dated else ""
            lines.append(f"{own}{text} = {values} at {at.cell if at else '-'}{rest}")
        for found in parsed.findings:
            where = [found.place.sheet, found.place.cell, found.point, found.meter, found.channel]
            where += [found.zone, found.seen and f"«{found.seen}»"]
            where += [f"{key}={value}" for key, value in sorted(found.detail.items())]
            where += [f"{found.start:%d.%m.%H:%M}" if found.start else None]
            where += [f"x{found.count}" if found.count > 1 else None]
            rest = " ".join(one.replace("\n", "/") for one in where if one)
            lines.append(f"{own}{found.severity} {found.code} {rest}")
        points = sorted(point for _, point in parsed.points if point) if in_full else ()
        lines += [f"{own}points {' '.join(points)}"] if points else []
        for one in parsed.figures if in_full else ():
            key = [one.point, one.meter, one.channel, one.zone]
            text = " ".join("-" if name is None else name for name in key)
            since = f" since {one.since:%d.%m.%y %H:%M}" if one.since else ""
            value = f"{one.value.normalize():f}{since} at {one.place.cell} «{one.seen}»"
            lines.append(f"{own}{one.kind} {text} {one.instant:%d.%m.%H:%M} = {value}")
    return lines


def _sum(values: object) -> int:
    return sum(one for one in values if one is not None)  # type: ignore[attr-defined]


def as_told(name: str) -> str:
    """What a book, and each change of it, comes to."""
    before = told(BOOKS[name])
    lines = [*before, ""]
    for change, pages in edits(BOOKS[name]):
        after = told(pages)
        lines.append(change)
        lines += [f"  - {one}" for one in before if one not in after]
        lines += [f"  + {one}" for one in after if one not in before]
    return "\n".join(lines) + "\n"


DRAWN = Path(__file__).parent / "drawn.txt"
"""Small sheets under headings (`#`), parted by blank lines, each as `drawn` takes it.

`!` begins its `name`, what is `merged`, or which `rows` or `columns` are hidden, or the next
sheet of the same book, `.` is an empty row,
and `>` begins a line of what is told. `PARTS` stand in braces.
"""
PARTS = {
    "{register}": "Дата показаний|@2026-11-01",
    "{profile}": "Код пользователя|'4711\nЕдиница|кВт·ч",
    "{hours}": "|".join(map(str, range(24))),
    "{ones}": "|".join("1" * 24),
}


def cases() -> Iterator[tuple[str, list[str], list[str]]]:
    """The heading of each small sheet, its lines, and what is told of it."""
    heading = ""
    for block in DRAWN.read_text(encoding="utf-8").strip().split("\n\n"):
        if block.startswith("#"):
            heading = block
            continue
        lines = block.split("\n")
        drawing = [line for line in lines if not line.startswith(">")]
        yield heading, drawing, [line[2:] for line in lines if line.startswith(">")]


def told_of(drawing: list[str]) -> list[str]:
    """What is read and told of one small sheet, or of several."""
    sheets: list[list[str]] = [[]]
    for line in drawing:
        if line == "!next":
            sheets.append([])
        else:
            sheets[-1].append(line)
    pages = tuple(_page(lines, number) for number, lines in enumerate(sheets, 1))
    _head, *lines = told(pages, in_full=True)
    return [line.replace("Лист1 ", "") for line in lines]


def _page(lines: list[str], number: int) -> Page:
    about = dict(line[1:].split(" ", 1) for line in lines if line.startswith("!"))
    spots = about.get("merged", "").split(", ") if "merged" in about else ()
    text = "\n".join(line.strip(".") for line in lines if not line.startswith("!"))
    for name, part in PARTS.items():
        text = text.replace(name, part)
    return drawn(
        text,
        about.get("name", f"Лист{number}"),
        merged=tuple(tuple(map(int, spot.split())) for spot in spots),
        hidden_rows=frozenset(map(int, about.get("rows", "").split())),
        hidden_columns=frozenset(map(int, about.get("columns", "").split())),
        is_visible="hidden" not in about,
    )


def _write_drawn() -> None:
    blocks, last = [], ""
    for heading, drawing, _ in cases():
        if heading != last:
            blocks.append(heading)
        last = heading
        blocks.append("\n".join([*drawing, *(f"> {line}" for line in told_of(drawing))]))
    DRAWN.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def main() -> None:
    """Write every file."""
    _write_drawn()
    GOLDEN.mkdir(exist_ok=True)
    for name in BOOKS:
        (GOLDEN / f"{name}.txt").write_text(as_told(name), encoding="utf-8")


if __name__ == "__main__":
    main()
