"""Sheets as accountants make them, each with what its maker meant.

Made from the list in the layouts' description ("Every cell has an account"): which
words senders use, how their tables are built, what stands beside and below. What the
reader knows of it is not asked here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from tests.parsers.pages import Page, Spot, Value, Wrong

Key = tuple[str, str, str]
"""Meter, channel and zone of a reading, or point, channel and hour's start."""

INSTANT = date(2026, 11, 1)


@dataclass
class Form:
    """A workbook and what is meant by it.

    Attributes:
        meant: The current reading of each key, with the cell that it stands in.
        first: Keys of the first table.
        labels: The last row of its labels, and `top` the first one.
        dates: Cells of days, as they are meant.
        beside: Cells of figures that prove.
        wrong: The one of them that holds an error and must be told.
        unseen: Keys whose current reading its sender does not see.
    """

    pages: list[Page]
    page: Page
    meant: dict[Key, tuple[Spot, str]] = field(default_factory=dict)
    unseen: set[Key] = field(default_factory=set)
    first: set[Key] = field(default_factory=set)
    labels: int = 0
    top: int = 0
    dates: dict[Spot, date] = field(default_factory=dict)
    beside: list[Spot] = field(default_factory=list)
    wrong: Spot | None = None


HEADER = {
    "class": ["Макет", "макет:", "Макет"],
    "code": ["Код пользователя", "Код пользователя:", "КОД ПОЛЬЗОВАТЕЛЯ", "Логин"],
    "password": ["Пароль", "пароль:", "Пароль"],
    "name": ["Организация", "Организация:", "Потребитель"],
    "month": ["Месяц", "Расчётный месяц:", "месяц"],
    "instant": ["Дата показаний", "Дата показаний:", "Дата снятия показаний"],
}
LABELS = {
    "number": ["№ п/п", "N п/п", "№"],
    "point": ["Точка учёта", "Точка учета", "точка\nучёта"],
    "meter": ["№ прибора учёта", "Номер прибора учета", "N прибора учёта", "Номер счётчика"],
    "channel": ["Канал", "канал", "Вид энергии"],
    "zone": ["Зона", "Тарифная зона", "ЗОНА"],
    "current": ["Показание", "Показания", "Текущее показание", "Показание текущее",
                "Показания на конец периода", "Показание на 01.11.2026", "Показание на 01.11",
                "Показания на 1 ноября", "Показание, кВт·ч", "Показания счётчика, кВтч"],
    "previous": ["Предыдущее показание", "Показание предыдущее", "Показания на начало периода",
                 "Показание на 01.10.2026", "Показание за прошлый месяц", "Показание на 01.10",
                 "Показания на 1 октября"],
    "difference": ["Разность показаний", "Разница показаний", "Разность"],
    "ratio": ["Коэффициент трансформации", "Расчётный коэффициент", "Ктт"],
    "consumption": ["Расход", "Расход, кВт·ч", "Потребление, кВт·ч"],
    "contract": ["Договор", "№ договора"],
    "seal": ["№ пломбы", "Пломба"],
    "address": ["Адрес", "Адрес объекта"],
    "note": ["Примечание", "Примечания"],
}  # fmt: skip
UPPER = {  # Two rows of labels: the upper one is merged over its neighbours.
    "current": ["текущее", "текущие", "на конец периода", "на 01.11.2026"],
    "previous": ["предыдущее", "предыдущие", "на начало периода", "на 01.10.2026"],
}
PAIRS = [("Было", "Стало"), ("Пред.", "Тек."), ("Предыдущее", "Текущее"),
         ("на 01.10.2026", "на 01.11.2026")]  # fmt: skip
"""Labels of the last and the current reading that say nothing but when."""
TITLES = {
    "Реактивная энергия": "R+",
    "Показания приборов учёта реактивной энергии, квар·ч": "R+",
    "Активная энергия": "A+",
    "Показания приборов учёта": "A+",
    "Точки учёта": "A+",
}
"""Right above the labels or further up, and the channel that they name."""
LINES = ["Реактивная энергия", "Реактивная энергия, квар·ч", "Канал: R+"]
"""Between the rows of a table: what the rows below are."""
ZONES = ["T1", "T2", "T3"]
CHANNEL_WORDS = {"A+": ["A+", "А+", "активная"], "R+": ["R+", "реактивная", "Реактивная, приём"]}
ZONE_WORDS = {
    "T0": ["T0", "Всего", "Сумма"],
    "T1": ["T1", "Т1", "1"],
    "T2": ["T2", "Т2", "2"],
    "T3": ["T3", "Т3", "3"],
}
WIDE = {  # Some differ only behind a comma.
    "T0": ["Сумма", "T0", "Показание, всего"],
    "T1": ["T1", "Т1", "Показание, день"],
    "T2": ["T2", "Т2", "Показание, ночь"],
    "T3": ["T3", "Т3", "Показание, полупик"],
    "A+": ["A+", "Актив", "Активная энергия, кВт·ч"],
    "R+": ["R+", "Реактив", "Реактивная энергия, квар·ч"],
}
ADDRESSES = ["г. Владимир, ул. Мира, 5", "пос. Энергетик", "ТП-12, ввод 1", "Итоговый ввод"]
NOTES = [
    "Исполнитель: Иванова И. И., тел. (4922) 53-12-34",
    "Показания верны, главный инженер",
    "Счётчик осмотрен, пломбы целы",
]

OTHER_FACTS: list[tuple[str, Value]] = [
    ("ИНН", 3_300_000_001), ("Договор №", 4711), ("Телефон", "8 (4922) 53-12-34"),
    ("Исполнитель", "Иванова И. И."), ("Лист", 1),
]  # fmt: skip
SIGNED: list[tuple[str, ...]] = [
    ("Руководитель", "Иванов И. И.", "05.11.2026"), ("Исполнитель", "", "Петрова А. А."),
    ("М.П.",), ("Отпустил", "____", "Принял", "____"),
]  # fmt: skip
STATISTICS = ["Максимум", "Минимум", "Среднее", "Макс."]
DAY_TITLES = ["Показания на 1 ноября 2026 г.", "Показания приборов учёта на 01.11.2026",
              "Ведомость показаний по состоянию на 01.11.2026 г."]  # fmt: skip

_thousandths = st.integers(0, 99_999_999)


def _text(thousandths: int) -> str:
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def _number(draw: Any, thousandths: int, how: str) -> Value:
    """A reading as its cell holds it: a number, or text with a comma and blanks."""
    text = _text(thousandths)
    if how == "number":
        return float(text) if "." in text else int(text)
    if how == "noise":
        # What a sum of binary numbers leaves: 12345.600000000002.
        return math.nextafter(float(text), math.inf)
    whole, _, rest = text.partition(".")
    grouped = f"{int(whole):,}".replace(",", draw(st.sampled_from(["", " ", "\u00a0"])))
    return f"{grouped}.{rest}" if rest else grouped


def point_of(meter: str) -> str:
    """The point that a meter is at; of no meter, the enterprise as a whole."""
    if meter.startswith("200000001234-"):
        return meter
    return f"200000001234-{meter[-2:]}" if meter else "200000001234"


@dataclass
class Row:
    """One reading with the figures beside it; `is_open`: not read this time."""

    point: str
    meter: str
    channel: str
    zone: str
    previous: int
    current: int
    ratio: int
    is_open: bool = False

    @property
    def key(self) -> Key:
        return self.meter, self.channel, self.zone


@st.composite
def _rows(draw: Any, first: int, *, has_zones: bool, has_channels: bool, default: str) -> list[Row]:
    rows = []
    for number in range(first, first + draw(st.integers(1, 5))):
        zones = ZONES[: draw(st.integers(1, 3))] if has_zones else ["T0"]
        if has_zones and draw(st.integers(0, 4)) == 0:
            zones = [*zones, "T0"]
        channels = draw(st.sampled_from([["A+"], ["A+", "R+"]])) if has_channels else [default]
        ratio = draw(st.sampled_from([1, 20, 40]))
        for channel in channels:
            for zone in zones:
                previous = draw(_thousandths)
                current = previous + draw(st.integers(1, 999_999))
                meter = f"0751{number:04d}"
                is_open = bool(rows) and draw(st.integers(0, 9)) == 0
                rows.append(
                    Row(point_of(meter), meter, channel, zone, previous, current, ratio, is_open)
                )
    return rows


def _block(draw: Any, form: Form, number: str, row: int) -> int:
    """The header block; the row below it."""
    page = form.page
    facts: list[tuple[str, Value]] = [
        ("class", int(number)), ("code", "200000001234"), ("password", "Zima-2026"),
        ("name", "ООО «Пример»"),
        ("month", draw(st.sampled_from(["ноябрь 2026", "11.2026", "Ноябрь 2026 г."])))
        if number == "52005" else
        ("instant", draw(st.sampled_from([INSTANT, "01.11.2026", "2026-11-01",
                                          "1 ноября 2026 г.", 46_327]))),
    ]  # fmt: skip
    if draw(st.booleans()):
        page.cells[row, 1] = "Ведомость показаний приборов учёта"
        page.merged.append((row, 1, row, 4))
        row += 1
    others = st.lists(st.sampled_from(OTHER_FACTS), unique=True, max_size=2)
    facts = [*draw(st.permutations(facts)), *draw(others)]
    has_title = number == "52006" and draw(st.integers(0, 5)) == 0
    for name, value in facts:
        if name == "instant" and has_title:
            page.cells[row, 1] = draw(st.sampled_from(DAY_TITLES))
        else:
            page.cells[row, 1] = draw(st.sampled_from(HEADER.get(name, [name])))
            column = draw(st.sampled_from([2, 2, 3]))
            page.cells[row, column] = value
            if name == "instant":
                form.dates[row, column] = INSTANT
        row += 1
    if draw(st.integers(0, 3)) == 0:
        # The paper's own date; the readings' one is the more exact label.
        page.cells[row, 1], page.cells[row, 2] = "Дата", date(2026, 11, 5)
        row += 1
    return row + draw(st.integers(0, 2))


def _labels(draw: Any, page: Page, names: list[str], row: int, heights: int) -> int:
    """The row or rows of labels; the row below them."""
    pair = [n for n, name in enumerate(names, 1) if name in UPPER]
    together = len(pair) == 2 and pair[1] == pair[0] + 1
    if heights == 3:
        page.cells[row, 1] = draw(st.sampled_from(["Приборы учёта", "Сведения о приборах учёта"]))
        page.merged.append((row, 1, row, len(names)))
        row += 1
    if heights == 1 or not together:
        for column, name in enumerate(names, 1):
            page.cells[row, column] = draw(st.sampled_from(LABELS[name]))
        if len(pair) == 2 and draw(st.integers(0, 3)) == 0:
            last, this = draw(st.sampled_from(PAIRS))
            page.cells[row, names.index("previous") + 1] = last
            page.cells[row, names.index("current") + 1] = this
        return row + 1
    page.cells[row, pair[0]] = draw(st.sampled_from(["Показания", "Показания прибора учёта"]))
    page.merged.append((row, pair[0], row, pair[1]))
    for column, name in enumerate(names, 1):
        if column in pair:
            page.cells[row + 1, column] = draw(st.sampled_from(UPPER[name]))
        else:
            page.cells[row, column] = draw(st.sampled_from(LABELS[name]))
            page.merged.append((row, column, row + 1, column))
    return row + 2


def _value(draw: Any, name: str, item: Row, number: int, how: str) -> Value | None:
    difference = item.current - item.previous
    values: dict[str, Value] = {
        "number": number, "point": item.point, "meter": item.meter,
        "ratio": item.ratio, "contract": 4711, "seal": 90_210 + number,
    }  # fmt: skip
    if name in values:
        return values[name]
    figures = {
        "current": item.current, "previous": item.previous, "difference": difference,
        "consumption": difference * item.ratio,
    }  # fmt: skip
    if item.is_open and name in figures and name != "previous":
        return None
    if name in figures:
        return _number(draw, figures[name], how)
    if name == "channel":
        return draw(st.sampled_from(CHANNEL_WORDS[item.channel]))
    if name == "zone":
        return draw(st.sampled_from(ZONE_WORDS.get(item.zone, [item.zone])))
    if name == "address":
        return draw(st.sampled_from(ADDRESSES))
    return draw(st.sampled_from([None, *NOTES]))


_OPTIONAL = ("number", "point", "previous", "difference", "ratio", "consumption", "contract",
             "seal", "address", "note")  # fmt: skip


_FIGURES = ("previous", "difference", "ratio", "consumption")


@st.composite
def _columns(draw: Any, *, has_zones: bool, has_channels: bool) -> list[str]:
    names = ["meter", "current", *(["zone"] if has_zones else [])]
    names += ["channel"] if has_channels else []
    names += draw(st.lists(st.sampled_from(_OPTIONAL), unique=True, max_size=7))
    if "consumption" in names and "ratio" not in names:
        names.append("ratio")
    return list(draw(st.permutations(names)))


def _title(draw: Any, page: Page, row: int) -> tuple[int, str]:
    """The row below a title, and the channel of all that has none of its own."""
    if draw(st.integers(0, 5)):
        return row, "A+"
    title = draw(st.sampled_from(sorted(TITLES)))
    page.cells[row, 1] = title
    return row + draw(st.integers(1, 2)), TITLES[title]


def _narrow(draw: Any, form: Form, row: int, first: int, heights: int) -> int:
    """A table with a row for each reading; the row below it."""
    page = form.page
    has_zones, has_channels = draw(st.booleans()), draw(st.integers(0, 3)) == 0
    names = draw(_columns(has_zones=has_zones, has_channels=has_channels))
    row, default = _title(draw, page, row) if first == 1 else (row, "A+")
    rows = draw(_rows(first, has_zones=has_zones, has_channels=has_channels, default=default))
    how = draw(st.sampled_from(["number", "number", "text", "noise"]))
    line, below = _line(draw, rows, is_free=first == 1 and not has_channels and default == "A+")
    top, row = row, _labels(draw, page, names, row, heights)
    if not form.first:
        form.top, form.labels = top, row - 1
    if draw(st.integers(0, 4)) == 0 and len(names) > 2:
        page.cells |= {(row, column): column for column in range(1, len(names) + 1)}
        row += 1
    # Labels are repeated where a page of the printed sheet begins.
    page_break = draw(st.sampled_from([0, 0, 0, 2, 3]))
    for number, item in enumerate(rows, 1):
        if number == page_break and heights == 1 == first:
            labels = {c: cell for (r, c), cell in page.cells.items() if r == form.labels}
            page.cells |= {(row, column): cell for column, cell in labels.items()}
            row += 1
        if number == below:
            page.cells[row, 1] = line
            row += 1
        cells = {n: _value(draw, name, item, number, how) for n, name in enumerate(names, 1)}
        page.cells |= {(row, column): v for column, v in cells.items() if v is not None}
        if first == 1:
            form.beside += [(row, column) for column in cells if names[column - 1] in _FIGURES]
        if not item.is_open:
            form.meant[item.key] = ((row, names.index("current") + 1), _text(item.current))
        row += 1
    if "previous" in names[3:] and first == 1 and draw(st.integers(0, 5)) == 0:
        page.hidden_columns.add(names.index("previous") + 1)
        form.beside = []
    may_merge = not page_break and not below and draw(st.integers(0, 3)) == 0
    _merge_keys(page, names, rows if may_merge else [], row - len(rows))
    return _total(draw, page, names, rows, row, how)


def _line(draw: Any, rows: list[Row], *, is_free: bool) -> tuple[str, int]:
    """A line of text before one of the rows, by number, which are reactive from there on."""
    if not is_free or draw(st.integers(0, 4)):
        return "", 0
    below = draw(st.integers(1, len(rows)))
    for item in rows[below - 1 :]:
        item.channel = "R+"
    return draw(st.sampled_from(LINES)), below


def _total(draw: Any, page: Page, names: list[str], rows: list[Row], row: int, how: str) -> int:
    """A sum of the consumption, with a word in front or without; the row below it."""
    used = [item for item in rows if not item.is_open]
    can_total = "consumption" in names and names[0] not in {"meter", "point", "consumption"}
    if not can_total or draw(st.booleans()):
        return row
    words = ["Итого", "ИТОГО:", "Всего"]
    word = draw(st.sampled_from([*words, None] if len(used) > 1 else words))
    if word is not None:
        page.cells[row, 1] = word
    total = sum((item.current - item.previous) * item.ratio for item in used)
    page.cells[row, names.index("consumption") + 1] = _number(draw, total, how)
    return row + 1


def _merge_keys(page: Page, names: list[str], rows: list[Row], top: int) -> None:
    """The point and the meter of several rows stand in cells that are merged over these."""
    for name in {"point", "meter"} & set(names):
        column = names.index(name) + 1
        for _, alike in groupby(range(len(rows)), lambda n: rows[n].meter):
            first, *others = alike
            if others:
                page.merged.append((top + first, column, top + others[-1], column))
                for row in others:
                    del page.cells[top + row, column]


PLANTS = ("hidden row", "hidden key", "hidden column", "error", "two currents", "unknown numbers",
          "error beside", "American dates", "struck", "hidden sheet",
          "faint", "blank", "faint key")  # fmt: skip


_HIDES = ("hidden row", "hidden column", "hidden key", "hidden sheet", "faint", "blank")


def _hide(form: Form, kind: str, row: int, column: int) -> None:
    """Put the current reading in a cell, or what its key says, out of its sender's sight."""
    page = form.page
    if kind == "hidden row":
        page.hidden_rows.add(row)
        form.unseen |= {k for k, ((r, _), _) in form.meant.items() if r == row}
    elif kind == "hidden column":
        page.hidden_columns.add(column)
        form.unseen |= {k for k, ((_, c), _) in form.meant.items() if c == column}
    elif kind == "hidden key":
        words = {*LABELS["zone"], *LABELS["channel"]}
        hidden = {c for (r, c), cell in page.cells.items() if r == form.labels and cell in words}
        page.hidden_columns |= set(sorted(hidden)[:1])
    elif kind in ("faint", "blank"):
        # A zero that its format does not show is read: some have all their zeros hidden so.
        is_zero = not str(page.cells[row, column]).strip(" 0,.")
        getattr(page, "faint" if is_zero else kind).add((row, column))
        form.unseen |= {k for k, (at, _) in form.meant.items() if at == (row, column)}
    else:
        hidden = {at: value for at, value in page.cells.items() if at not in form.dates}
        form.pages.append(Page("Архив", hidden, is_visible=False))


def _plant(draw: Any, form: Form, kind: str) -> None:
    """Put something into the first table that must be told, or kept out."""
    page, key = form.page, draw(st.sampled_from(sorted(form.first)))
    (row, column), _ = form.meant[key]
    if kind in _HIDES:
        _hide(form, kind, row, column)
        return
    if kind == "faint key":
        values = {at for at, _ in form.meant.values()}
        before = sorted(at for at in page.cells.keys() - values if at[0] == row and at[1] < column)
        page.faint |= {draw(st.sampled_from(before))} - form.dates.keys() if before else set()
    elif kind == "error beside":
        if form.beside:
            form.wrong = draw(st.sampled_from(form.beside))
            page.cells[form.wrong] = Wrong("#N/A")
    elif kind == "American dates":
        for at, day in form.dates.items():
            page.cells[at] = f"{day.month}/{day.day}/{day.year}"
    elif kind == "struck":
        page.struck.add((row, column))
        form.meant[key] = (row, column), "what is struck through"
    elif kind == "error":
        page.cells[row, column] = Wrong(draw(st.sampled_from(["#N/A", "#DIV/0!", "#REF!"])))
        form.meant[key] = (row, column), "an error"
    else:
        beside = max(at for _, at in page.cells) + 1
        label = draw(st.sampled_from(["Показатель", "Прочее", "Данные"]))
        is_second = kind == "two currents"
        row = form.labels if (form.labels, column) in page.cells else form.labels - 1
        page.cells[row, beside] = page.cells[row, column] if is_second else label
        for at in {r for k, ((r, _), _) in form.meant.items() if k in form.first}:
            page.cells[at, beside] = 11.5 + at


@st.composite
def registers(draw: Any, *, plants: bool = True) -> Form:
    """A 52006 workbook with a row for each reading, or with zones in columns."""
    page = Page(draw(st.sampled_from(["Показания", "Лист1", "ноябрь"])))
    form = Form([page], page)
    if draw(st.integers(0, 5)) == 0:
        october = Page("Октябрь")
        earlier = Form([october], october)
        _of_another_day(draw, earlier, 1)
        form.pages.append(october)
    if draw(st.integers(0, 3)) == 0:
        form.pages.insert(0, Page("Титул", {(2, 2): "Ведомость", (3, 2): "ООО «Пример»"}))
    row = _block(draw, form, "52006", draw(st.integers(1, 3)))
    make = draw(st.sampled_from([_wide, _narrow, _narrow, _narrow, _of_one_meter]))
    heights = draw(st.integers(1, 3))
    row = make(draw, form, row, 1, heights)
    form.first = set(form.meant)
    kinds = ["below", "beside", "of another day"]
    # Of which tables a title of the first one speaks, nothing says.
    has_title = any(cell in TITLES for cell in page.cells.values())
    more = None if has_title else draw(st.sampled_from([None, None, None, *kinds]))
    if more == "below":
        row = _narrow(draw, form, row + draw(st.integers(1, 3)), 50, 1)
    elif more == "beside" and make is _narrow and heights == 1:
        row = max(row, _beside(draw, form))
    elif more == "of another day":
        row = _of_another_day(draw, form, row + draw(st.integers(1, 2)))
    _finish(draw, form, row, plants=plants)
    return form


def _beside(draw: Any, form: Form) -> int:
    """A table with labels in the same row as the first one's; the row below it."""
    made = Form([], Page(""))
    row = _narrow(draw, made, form.top, 50, 1)
    shift = max(c for _, c in form.page.cells) + draw(st.integers(1, 2))
    for (at, column), value in made.page.cells.items():
        form.page.cells[at, column + shift] = value
    for top, left, bottom, right in made.page.merged:
        form.page.merged.append((top, left + shift, bottom, right + shift))
    for key, ((at, column), value) in made.meant.items():
        form.meant[key] = (at, column + shift), value
    return row


def _of_another_day(draw: Any, form: Form, row: int) -> int:
    """A table below with the readings of a month ago; they are not of `INSTANT`."""
    form.page.cells[row, 1], form.page.cells[row, 2] = "Дата показаний", date(2026, 10, 1)
    made = Form([], Page(""))
    rows = draw(_rows(70, has_zones=False, has_channels=False, default="A+"))
    row += draw(st.integers(1, 2))
    made.page.cells |= {(row, 1): "№ ПУ", (row, 2): "Показание"}
    row += 1
    for item in rows:
        made.page.cells |= {(row, 1): item.meter, (row, 2): _number(draw, item.current, "number")}
        row += 1
    form.page.cells |= made.page.cells
    return row


def _of_one_meter(draw: Any, form: Form, row: int, first: int, _heights: int) -> int:
    """A table of the zones of one meter, which stands with its label above it."""
    page, meter = form.page, f"0751{first:04d}"
    label = draw(st.sampled_from(LABELS["meter"]))
    page.cells[row, 1] = f"{label}: {meter}" if draw(st.booleans()) else label
    if page.cells[row, 1] == label:
        page.cells[row, 2] = meter
    row += draw(st.integers(1, 2))
    page.cells |= {(row, 1): "Зона", (row, 2): draw(st.sampled_from(LABELS["current"]))}
    form.top = form.labels = row
    for zone in ZONES[: draw(st.integers(1, 3))]:
        row += 1
        value = draw(_thousandths)
        page.cells[row, 1] = draw(st.sampled_from(ZONE_WORDS[zone]))
        page.cells[row, 2] = _number(draw, value, "number")
        form.meant[meter, "A+", zone] = (row, 2), _text(value)
    return row + 1


def _finish(draw: Any, form: Form, row: int, *, plants: bool) -> None:
    if draw(st.booleans()):
        form.page.cells[row + 1, 1] = draw(st.sampled_from(NOTES))
        row += 1
    for column, text in enumerate(draw(st.sampled_from([(), *SIGNED])), 1):
        if text:
            form.page.cells[row + 1, column] = text
    if plants and (plant := draw(st.sampled_from([None, None, *PLANTS]))):
        _plant(draw, form, plant)


def _wide(draw: Any, form: Form, row: int, first: int, heights: int) -> int:
    """A table with a row for each meter and its zones, or channels, in columns."""
    page, zones = form.page, ZONES[: draw(st.integers(2, 3))]
    are_zones = draw(st.integers(0, 2)) > 0
    others = draw(st.lists(st.sampled_from(("number", "point", "address", "seal")), unique=True))
    names: list[str] = draw(st.permutations(["meter", *others]))
    zones = [*zones, *(["T0"] if draw(st.booleans()) else [])] if are_zones else ["A+", "R+"]
    place = draw(st.integers(0, len(names)))
    columns = [*names[:place], *zones, *names[place:]]
    if heights > 1 and are_zones:
        page.cells[row, place + 1] = draw(st.sampled_from(["Показание", "Показания"]))
        page.merged.append((row, place + 1, row, place + len(zones)))
        row += 1
    for column, name in enumerate(columns, 1):
        page.cells[row, column] = draw(st.sampled_from(WIDE.get(name) or LABELS[name]))
    form.labels = row
    for number in range(first, first + draw(st.integers(1, 4))):
        row += 1
        values = {zone: draw(_thousandths) for zone in zones if zone != "T0"}
        values["T0"] = sum(values.values())
        for column, name in enumerate(columns, 1):
            meter = f"0751{number:04d}"
            channel, zone = ("A+", name) if are_zones else (name, "T0")
            item = Row(point_of(meter), meter, channel, zone, 0, 0, 1)
            if name in values:
                page.cells[row, column] = _number(draw, values[name], "number")
                form.meant[item.key] = (row, column), _text(values[name])
            elif (value := _value(draw, name, item, number, "number")) is not None:
                page.cells[row, column] = value
    return row + 1


@st.composite
def profiles(draw: Any, *, plants: bool = True) -> Form:
    """A 52005 workbook: a row for each day, a column for each hour."""
    page = Page(draw(st.sampled_from(["Часы", "Лист1"])))
    form = Form([page], page)
    row = _block(draw, form, "52005", 1)
    page.cells[row, 1], page.cells[row, 2] = "Единица", "кВт·ч"
    row = _hours(draw, form, row + draw(st.integers(2, 3)))
    form.first = set(form.meant)
    more = draw(st.sampled_from([None, None, "days", "point", "reactive"]))
    row += draw(st.integers(1, 2))
    if more == "days":
        row = _hours(draw, form, row, since=10)
    elif more == "point":
        point = "200000001234-02"
        page.cells[row, 1] = draw(st.sampled_from(["Точка учёта", "Код точки учёта:"]))
        page.cells[row, 2] = point
        row = _hours(draw, form, row + draw(st.integers(1, 2)), point=point)
    elif more == "reactive" and {channel for _, channel, _ in form.first} == {"A+"}:
        page.cells[row, 1] = "Реактивная энергия"
        row = _hours(draw, form, row + 1, channel="R+")
    _finish(draw, form, row, plants=plants)
    return form


def _hours(
    draw: Any, form: Form, row: int, since: int = 1, point: str = "", channel: str = ""
) -> int:
    """A row for each day and channel, a column for each hour; the row below them.

    Args:
        draw: From Hypothesis.
        form: That the table is of.
        row: Its first one.
        since: The first day.
        point: What is said above it of all its rows.
        channel: The same.
    """
    page, is_first = form.page, not form.first
    names = ["weekday"] if point or channel else ["point", "channel", "weekday"]
    others = st.lists(st.sampled_from(names), unique=True)
    keys = draw(st.permutations(["date", *draw(others)]))
    first = len(keys) + 1
    row, across = _hour_labels(draw, page, row, keys)
    if is_first:
        form.labels = row
    channels = ["A+", "R+"] if "channel" in keys and draw(st.booleans()) else [channel or "A+"]
    days = [(day, c) for day in range(since, since + draw(st.integers(1, 5))) for c in channels]
    sums = [0] * 24
    for day, of in days:
        row += 1
        values = draw(st.lists(st.integers(0, 9_999), min_size=24, max_size=24))
        cells = {"point": "200000001234", "channel": of, "weekday": WEEKDAYS[day % 7]}
        form.dates[row, keys.index("date") + 1] = date(2026, 11, day)
        for column, name in enumerate(keys, 1):
            page.cells[row, column] = cells.get(name) or date(2026, 11, day)
        _write(draw, page, row, first, values)
        for hour, value in enumerate(values):
            form.meant[point, of, f"{day:02d} {hour:02d}"] = (row, first + hour), _text(value)
            sums[hour] += value
        if across is not None:
            page.cells[row, across] = _number(draw, sum(values), "number")
    if draw(st.integers(0, 3)) == 0:
        row += 1
        if len(days) == 1 or draw(st.booleans()):
            page.cells[row, 1] = draw(st.sampled_from(["Итого", "Всего:"]))
        _write(draw, page, row, first, sums)
    if draw(st.integers(0, 3)) == 0:
        row += 1
        page.cells[row, keys.index("date") + 1] = draw(st.sampled_from(STATISTICS))
        _write(draw, page, row, first, sums)
    return row + 1


def _hour_labels(draw: Any, page: Page, row: int, keys: list[str]) -> tuple[int, int | None]:
    """The row of the labels of hours, and the column of each day's total."""
    first, hours = len(keys) + 1, draw(st.sampled_from(HOURS))
    if draw(st.booleans()):
        page.cells[row, first] = "Часы суток"
        page.merged.append((row, first, row, first + 23))
        row += 1
    labels = {"date": "Дата", "weekday": "День недели"}
    for column, name in enumerate(keys, 1):
        page.cells[row, column] = labels.get(name) or draw(st.sampled_from(LABELS[name]))
    for hour in range(24):
        page.cells[row, first + hour] = hours(hour)
    across = first + 24 if draw(st.booleans()) else None
    if across is not None:
        page.cells[row, across] = draw(st.sampled_from(["Итого", "Всего за сутки"]))
    return row, across


def _write(draw: Any, page: Page, row: int, first: int, values: list[int]) -> None:
    for hour, value in enumerate(values):
        page.cells[row, first + hour] = _number(draw, value, "number")


WEEKDAYS = ["сб", "вс", "пн", "вт", "ср", "чт", "пт"]
HOURS = [
    lambda hour: hour,
    lambda hour: f"{hour:02d}",
    lambda hour: f"{hour}-{hour + 1}",
    lambda hour: f"{hour:02d}:00",
    lambda hour: hour + 1,
]
