"""A fourth layout, with names of its own, comes in by a definition file alone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import Layout, load
from parsers import parse
from parsers.sheets.book import _Book, forms_of
from tests.books import workbook
from tests.parsers.pages import Value
from tests.parsers.sheets import made

DEFINITION = """
class = "51070"
kind = "interval"
zone = "Asia/Yekaterinburg"
order = ["number"]
deadline = "monthly"
expects = "none"
example = '<znach nach="2026-11-01T00:00" potok="priem" energia="12.5"/>'

[titles]
ru = "Отпуск по точкам поставки"
en = "Supply by delivery points"

[values]
unit = "kWh"
decimals = 3
step_minutes = [60]

[channels.codes]
"priem" = "A+"
"otdacha" = "A-"

[xml]
root = "maket"
class_attribute = "nomer_formy"
skip = ["podpis"]

[xml.header.sender_code]
path = "otpravitel/kod"
required = true

[xml.header.password]
path = "otpravitel/parol"

[xml.header.number]
path = "@nomer"
required = true

[[xml.form]]
versions = ["1"]
row = "znach"
start_format = "YYYY-MM-DDTHH:MM"
columns = { start = "@nach", channel = "@potok", value = "@energia" }

[[xml.form.level]]
element = "rayon"
keys = { area = "@kod" }

[[xml.form.level]]
element = "tp"
keys = { point = "kod" }
required = ["point"]

[workbook]
required = ["point", "start"]
any_of = ["value"]

[workbook.header]
class = { labels = ["Форма"] }
sender_code = { labels = ["Код отправителя"], required = true }

[workbook.columns]
point = ["ТП"]
channel = ["Поток"]
start = ["Начало"]
value = ["Энергия"]
"""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<maket nomer_formy="51070" nomer="8">
<otpravitel><kod>000000004711</kod><parol>Пароль№5</parol></otpravitel>
<rayon kod="7">
<tp><kod>TP-1</kod>
<znach nach="2026-11-01T00:00" potok="priem" energia="12.5"/>
<znach nach="2026-11-01T00:00" potok="otdacha" energia="0.25"/>
<znach nach="2026-11-01T01:00" potok="priem" energia="13.125"/>
</tp>
</rayon>
<podpis>x</podpis>
</maket>"""

# Yekaterinburg is five hours ahead of UTC.
START = datetime(2026, 10, 31, 19, tzinfo=UTC)


@pytest.fixture
def layouts(tmp_path: Path) -> dict[str, Layout]:
    (tmp_path / "51070.toml").write_text(DEFINITION, "utf-8")
    return load(tmp_path)


def test_its_xml_is_read(layouts: dict[str, Layout]) -> None:
    (parsed,) = parse(Document("x.xml", XML.encode()), layouts)

    assert parsed.layout == "51070"
    assert parsed.header.sender_code == "000000004711"
    assert parsed.header.password == "Пароль№5"
    assert parsed.header.number == 8
    assert [
        (item.area, item.point, item.channel, item.start, item.values) for item in parsed.series
    ] == [("7", "TP-1", "A+", START, [12500, 13125]), ("7", "TP-1", "A-", START, [250])]
    assert [(found.code, found.seen) for found in parsed.findings] == [
        (Code.SKIPPED_ELEMENT, "podpis")
    ]


def test_its_workbook_is_read(layouts: dict[str, Layout]) -> None:
    rows = (
        ["Форма", 51070],
        ["Код отправителя", "000000004711"],
        ["ТП", "Поток", "Начало", "Энергия"],
        ["TP-1", "priem", date(2026, 11, 1), 12.5],
        ["TP-1", "priem", "01.11.2026 01:00", "13.125"],
    )

    (parsed,) = parse(Document("x.xlsx", workbook(rows)), layouts)

    assert parsed.findings == ()
    assert [(item.point, item.start, item.values) for item in parsed.series] == [
        ("TP-1", START, [12500, 13125])
    ]


WHOLE = DEFINITION.replace('required = ["point", "start"]', 'required = ["start"]').replace(
    "step_minutes = [60]", 'step_minutes = [60]\npoint_from_sender = true\ndefault_channel = "A+"'
)
"""The same of hours that may be those of the enterprise as a whole."""
WHO, OF_ALL = ["Код отправителя", "4711"], ["Поток", "Начало", "Энергия"]


def listed(definition: str, folder: Path, *rows: list[Value]) -> list[str]:
    """What is read of rows of hours and told of them."""
    (folder / "51070.toml").write_text(definition, "utf-8")
    sheet = made.sheet([["Форма", "51070"], *rows])
    (parsed,) = _Book([sheet], forms_of(load(folder))).read(Parsed("x.xlsx", "", 0))
    read = [f"{one.point} {one.channel} {list(one.values)}" for one in parsed.series]
    points = " ".join(sorted(point or "-" for _, point in parsed.points))
    told = [f"{one.code} {one.place.cell} {one.point or '-'}" for one in parsed.findings]
    return [*read, points, *told]


@pytest.mark.parametrize(
    ("definition", "rows", "lines"),
    [
        (DEFINITION, [WHO, ["ТП", *OF_ALL], ["1", "priem", "01.11.2026", 5],
                      ["", "priem", "01.11.2026 01:00", 6], ["2", "", "01.11.2026", 7]],
         ["1 A+ [5000]", "1 2", "missing-field A5 -", "missing-field B6 2"]),
        (DEFINITION, [["ТП", *OF_ALL], ["1", "priem", "x", 5], ["1", "otdacha", "", 5]],
         ["1", "missing-field None -", "invalid-date C3 1"]),
        (WHOLE, [WHO, OF_ALL, ["", "01.11.2026", 6], ["otdacha", "01.11.2026", 5],
                 ["", "01.11.2026 01:00", 6]],
         ["4711 A+ [6000]", "4711 A- [5000]", "4711", "missing-field A6 -"]),
        (WHOLE, [WHO, ["ТП", *OF_ALL], ["1", "priem", "01.11.2026", 5],
                 ["", "priem", "01.11.2026", 6]],
         ["1 A+ [5000]", "1", "missing-field A5 -"]),
        (WHOLE, [WHO, ["ТП", *OF_ALL], ["", "priem", "01.11.2026", 6]], ["4711 A+ [6000]", "4711"]),
        (WHOLE, [OF_ALL, ["priem", "01.11.2026", 6]], ["", *["missing-field None -"] * 2]),
        (WHOLE, [WHO, OF_ALL, ["priem", "01.11.2026", 5], ["priem", "01.11.2026 01:00", 6],
                 ["Итого", "", 11]], ["4711 A+ [5000, 6000]", "4711"]),
    ],
)  # fmt: skip
def test_a_list_of_hours_says_whose_each_is(
    definition: str, rows: list[list[Value]], lines: list[str], tmp_path: Path
) -> None:
    assert listed(definition, tmp_path, *rows) == lines


def test_two_definitions_that_claim_one_document_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "51070.toml").write_text(DEFINITION, "utf-8")
    other = DEFINITION.replace('class = "51070"', 'class = "51071"\naliases = ["51070"]')
    (tmp_path / "51071.toml").write_text(other, "utf-8")

    (parsed,) = parse(Document("x.xml", XML.encode()), load(tmp_path))

    (found,) = parsed.findings
    assert (parsed.layout, parsed.series, found.code) == (None, (), Code.AMBIGUOUS_LAYOUT)
    assert found.detail["layouts"] == "51070, 51071"
