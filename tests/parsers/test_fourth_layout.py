"""A fourth layout, with names of its own, comes in by a definition file alone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import Layout, load
from parsers import parse
from tests.books import workbook

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


def test_two_definitions_that_claim_one_document_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "51070.toml").write_text(DEFINITION, "utf-8")
    other = DEFINITION.replace('class = "51070"', 'class = "51071"\naliases = ["51070"]')
    (tmp_path / "51071.toml").write_text(other, "utf-8")

    (parsed,) = parse(Document("x.xml", XML.encode()), load(tmp_path))

    (found,) = parsed.findings
    assert (parsed.layout, parsed.series, found.code) == (None, (), Code.AMBIGUOUS_LAYOUT)
    assert found.detail["layouts"] == "51070, 51071"
