"""Writes the sample documents and the result expected of each.

    python samples/make.py

The expected results are counted here from the values themselves, never by the
parsers: whatever a reader says of a sample, it must say what this file says.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msoffcrypto.format.ooxml
import xlsxwriter
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook

HERE = Path(__file__).parent
Grid = list[list[Any]]

WARNINGS = ("decimal-comma", "encoding-guessed", "name-mismatch", "skipped-element")
WARNINGS += ("not-commercial",)
PRIMER, ZAVOD, IP = "200000001234", "200000003080", "000000004711"


def moscow(text: str) -> str:
    """`2026-11-14 19:32:32` as an instant."""
    return datetime.fromisoformat(f"{text}+03:00").isoformat()


def finding(code: str, place: str = "", seen: str | None = None, **about: Any) -> dict[str, Any]:
    """One finding as `check --json` tells it, without its sentence."""
    severity = "warning" if code in WARNINGS else "error"
    severity = about.get("severity", severity)
    point, channel = about.get("point"), about.get("channel")
    return {"code": code, "severity": severity, "place": place}  | {
        "point": point, "meter": about.get("meter"), "channel": channel, "seen": seen,
    }  # fmt: skip


def interval(
    point: str, start: str, minutes: int, values: Sequence[int | None], **about: Any
) -> dict[str, Any]:
    """An interval series of values in Wh."""
    channel = about.get("channel", "A+")
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes * len(values))
    present = [value for value in values if value is not None]
    return {
        "area": about.get("area"), "point": point, "meter": None, "channel": channel, "zone": None,
        "kind": "interval", "unit": "varh" if channel[0] == "R" else "Wh",
        "start": moscow(start), "end": about.get("end") or moscow(str(end)),
        "step_minutes": minutes, "count": len(present), "total": str(sum(present)),
        "not_commercial": about.get("not_commercial", 0),
    }  # fmt: skip


def reading(
    point: str | None, meter: str, value: str, zone: str = "T0", channel: str = "A+"
) -> dict[str, Any]:
    """A register reading of 1 November 2026."""
    at = moscow("2026-11-01 00:00:00")
    return {
        "area": None, "point": point, "meter": meter, "channel": channel, "zone": zone,
        "kind": "register", "unit": "kvarh" if channel[0] == "R" else "kWh",
        "start": at, "end": at, "step_minutes": 0, "count": 1, "total": value,
        "not_commercial": 0,
    }  # fmt: skip


def keep(path: str, content: bytes, *results: dict[str, Any]) -> None:
    """A sample and, beside it, what is expected of it."""
    file = HERE / path
    file.write_bytes(content)
    whole = [{"file": file.name, **result} for result in results]
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    file.with_name(f"{file.stem}{file.suffix}.expected.json").write_text(text + "\n", "utf-8")


def result(
    layout: str | None,
    verdict: str,
    sender: str | None = None,
    created: str | None = None,
    series: Sequence[dict[str, Any]] = (),
    findings: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What `check --json` says of one document, without its file."""
    return {
        "layout": layout, "verdict": verdict, "sender": sender,
        "sender_inn": INN if layout == "80020" else None,
        "created": moscow(created) if created else None,
        "series": list(series), "findings": list(findings),
    }  # fmt: skip


def unreadable(*findings: dict[str, Any], **about: Any) -> dict[str, Any]:
    """The result for what is no document."""
    return result(None, "unreadable", findings=findings, **about)


# 52005: hourly consumption.


def kwh(day: int, hour: int) -> int:
    """Consumption of an hour, in kWh; no two days alike."""
    return 40 + (day * 37 + 3 * hour * hour + day * hour) % 50


def profile(days: int, hours: int = 24 * 31) -> list[int]:
    """The first hours of a month, in Wh."""
    return [1000 * kwh(day, hour) for day in range(1, days + 1) for hour in range(24)][:hours]


def mwh(wh: int) -> str:
    """Wh as MWh with three decimals."""
    return f"{wh // 1_000_000}.{wh % 1_000_000 // 1000:03d}"


def rows_52005(month: str, texts: Sequence[str]) -> list[str]:
    """A line for each hour of a month."""
    return [
        f'<consumption date_time="{month}{i // 24 + 1:02d}{i % 24:02d}" energy="{text}"/>'
        for i, text in enumerate(texts)
    ]


def xml_52005(sender: str, name: str, created: str, rows: Sequence[str], **about: str) -> str:
    """A whole document of class 52005."""
    declared = about.get("declared", ' encoding="windows-1251"')
    version, password = about.get("version", "1"), about.get("password", "")
    head = (
        f'<package class="52005" version="{version}" sender_code="{sender}" '
        f'sender_name="{name}" created="{created}"{password}>'
    )
    return "\n".join([f'<?xml version="1.0"{declared}?>', head, *rows, "</package>", ""])


def make_52005() -> None:
    """XML samples of class 52005."""
    so_far = profile(14, 331)
    padded = [mwh(wh) for wh in so_far] + ["0"] * (720 - 331)
    made = ("2026-11-14 19:32:32",)
    text = xml_52005(PRIMER, "ООО «Пример»", "20261114193232", rows_52005("202611", padded))
    series = interval(PRIMER, "2026-11-01 00:00:00", 60, so_far)
    good = result("52005", "accepted", PRIMER, *made, [series])
    keep("52005/month-so-far.xml", text.encode("cp1251"), good)
    keep("52005/z5200520000000123420261114193232.xml", text.encode("cp1251"), good)
    wrong_name = finding("name-mismatch", seen="200000003080")
    named = {**good, "findings": [wrong_name]}
    keep("52005/z5200520000000308020261114193232.xml", text.encode("cp1251"), named)
    _make_52005_encodings(text, good)

    october = profile(31)
    rows = rows_52005("202610", [mwh(wh) for wh in october])
    secret = {"password": ' password="klyuch 7 mart"'}
    text = xml_52005(ZAVOD, "АО «Владимирский завод»", "20261101083000", rows, **secret)
    series = interval(ZAVOD, "2026-10-01 00:00:00", 60, october)
    whole = result("52005", "accepted", ZAVOD, "2026-11-01 08:30:00", [series])
    keep("52005/october.xml", text.encode("cp1251"), whole)
    keep("52005/one-line.xml", text.replace("\n", "").encode("cp1251"), whole)
    _make_52005_faults(so_far, padded)
    _make_52005_refused()
    _make_52005_points()


def _make_52005_encodings(text: str, good: dict[str, Any]) -> None:
    guessed = {**good, "findings": [finding("encoding-guessed", "line 1", "windows-1251")]}
    # Neither of these has guillemets.
    quoted = text.replace("«", "'").replace("»", "'")
    keep("52005/koi8-as-1251.xml", quoted.encode("koi8-r"), guessed)
    keep("52005/cp866-as-1251.xml", quoted.encode("cp866"), guessed)
    keep("52005/utf8-as-1251.xml", text.encode("utf-8"), guessed)
    bare = text.replace(' encoding="windows-1251"', "")
    undeclared = {**good, "findings": [finding("encoding-guessed", "line 1", "")]}
    keep("52005/undeclared-1251.xml", bare.encode("cp1251"), undeclared)
    keep("52005/utf8-bom.xml", bare.encode("utf-8-sig"), good)
    keep("52005/utf16.xml", text.replace("windows-1251", "utf-16").encode("utf-16"), good)
    blank = text.replace("windows-1251", " ")
    keep("52005/blank-declaration.xml", ("\n\n" + blank).encode("cp1251"), undeclared)


def _make_52005_faults(so_far: list[int], padded: list[str]) -> None:
    created, made = "20261114193232", "2026-11-14 19:32:32"

    def fault(name: str, rows: Sequence[str], *found: dict[str, Any], **about: Any) -> None:
        text = xml_52005(PRIMER, "ООО «Пример»", created, rows)
        series, verdict = about.get("series", ()), about.get("verdict", "rejected")
        said = result("52005", verdict, PRIMER, made, series, found)
        keep(f"52005/{name}.xml", text.encode("cp1251"), said)

    commas = [padded[0], *(text.replace(".", ",") for text in padded[1:3]), *padded[3:]]
    fault(
        "decimal-comma",
        rows_52005("202611", commas),
        finding("decimal-comma", "line 4", commas[1], channel="A+"),
        series=[interval(PRIMER, "2026-11-01 00:00:00", 60, so_far)],
        verdict="accepted",
    )
    broken = rows_52005("202611", padded)
    broken[4] = '<consumption date_time="2026110104" energy="O.066"/>'
    broken[5] = '<consumption date_time="2026110105" energy=""/>'
    broken[6] = '<consumption date_time="2026113206" energy="0.066"/>'
    broken[7] = '<consumption date_time="2026110127" energy="0.066"/>'
    broken[8] = '<consumption date_time="2026110108" energy="0.0661234"/>'
    fault(
        "mistakes",
        broken,
        finding("invalid-number", "line 7", "O.066", channel="A+"),
        finding("missing-field", "line 8", "", channel="A+"),
        finding("invalid-date", "line 9", "2026113206", channel="A+"),
        finding("invalid-time", "line 10", "2026110127", channel="A+"),
        finding("too-many-decimals", "line 11", "0.0661234", channel="A+"),
    )
    future = [*padded[:400], "0.055", *padded[401:]]
    fault(
        "future-hour",
        rows_52005("202611", future),
        finding("reading-in-future", "line 403", "0.055", channel="A+"),
    )
    fault("no-hours", [], finding("nothing-to-record"))


def _make_52005_refused() -> None:
    whole = (HERE / "52005/month-so-far.xml").read_bytes()
    cut = whole[: len(whole) // 2]
    lines = cut.count(b"\n") + 1
    keep("52005/cut-off.xml", cut, unreadable(finding("unreadable-document", f"line {lines}")))
    stray = whole.replace("«Пример»".encode("cp1251"), b"A & B")
    keep("52005/stray-ampersand.xml", stray, unreadable(finding("unreadable-document", "line 2")))
    later = whole.replace(b'version="1" sender', b'version="9" sender')
    said = unreadable(
        finding("unsupported-version", "line 2", "9"), sender=PRIMER, created="2026-11-14 19:32:32"
    )
    keep("52005/unsupported-version.xml", later, said)
    entity = b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>\n'
    said = unreadable(finding("forbidden-content", "line 2", "<!DOCTYPE"))
    keep("52005/doctype.xml", entity, said)
    said = unreadable(finding("unknown-layout", "line 1", "99999"))
    keep("52005/unknown-class.xml", b'<package class="99999" version="1"/>\n', said)
    keep("52005/empty.xml", b"", unreadable(finding("unreadable-document")))


def _make_52005_points() -> None:
    first, second = profile(2), [wh * 10 for wh in profile(2)]
    rows = [
        f'<point code="{PRIMER}" channel="A+">', *rows_52005("202611", [mwh(v) for v in first]),
        "</point>", '<point code="332070000107101" channel="R+">',
        *rows_52005("202611", [mwh(v) for v in second]), "</point>",
    ]  # fmt: skip
    text = xml_52005(PRIMER, "ООО «Пример»", "20261103090000", rows, version="2")
    start = "2026-11-01 00:00:00"
    series = [
        interval(PRIMER, start, 60, first),
        interval("332070000107101", start, 60, second, channel="R+"),
    ]
    made = "2026-11-03 09:00:00"
    good = result("52005", "accepted", PRIMER, made, series)
    keep("52005/points.xml", text.encode("cp1251"), good)
    broken = text.replace('energy="0.0', 'energy="0.o', 1)
    said = finding(
        "invalid-number", "line 4", f"0.o{mwh(first[0])[3:]}", point=PRIMER, channel="A+"
    )
    partly = result("52005", "partly_accepted", PRIMER, made, series[1:], [said])
    keep("52005/points-one-wrong.xml", broken.encode("cp1251"), partly)


# Workbooks.


def grid_52005(unit: str, hours: Sequence[Any], days: Sequence[Any], values: Grid) -> Grid:
    """A sheet of class 52005 with a title, a block, a table and its totals."""
    totals = ["Итого", *(None for _ in hours)]
    return [
        ["Сведения о почасовом потреблении электрической энергии"],
        [],
        ["Макет", "52005"],
        ["Код пользователя:", ZAVOD],
        ["Организация", "АО «Владимирский завод»"],
        ["Месяц", "октябрь 2026"],
        ["Единица измерения", unit],
        [],
        ["Дата", *hours],
        *([day, *row] for day, row in zip(days, values, strict=True)),
        totals,
        [],
        ["Исполнитель: Петрова И. И., тел. 22-33-44"],
    ]


def grid_52006(rows: Grid, instant: Any = "01.11.2026", code: Any = PRIMER) -> Grid:
    """A narrow sheet of class 52006."""
    return [
        ["Показания приборов учёта"],
        ["Макет", 52006],
        ["Код пользователя", code],
        ["Дата показаний", instant],
        [],
        ["№ п/п", "Точка учёта", "№ прибора\nучёта", "Канал", "Зона", "Показание, кВт·ч"],
        *([number, *row] for number, row in enumerate(rows, 1)),
    ]


def xlsx(*sheets: tuple[str, Grid]) -> bytes:
    """Sheets as openpyxl saves them."""
    book = Workbook()
    book.remove(book.active)
    for title, grid in sheets:
        sheet = book.create_sheet(title)
        for row in grid:
            sheet.append(row)
    return _saved(book)


def _saved(book: Any) -> bytes:
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def xls(grid: Grid) -> bytes:
    """A sheet as xlwt saves it, in the form of Excel 97."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Лист1")
    dated = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    for row, cells in enumerate(grid):
        for column, cell in enumerate(cells):
            if cell is not None:
                style = dated if isinstance(cell, date) else xlwt.Style.default_style
                sheet.write(row, column, cell, style)
    return _saved(book)


def ods(grid: Grid) -> bytes:
    """A sheet as odfpy saves it."""
    book = OpenDocumentSpreadsheet()
    table = Table(name="Лист1")
    for cells in grid:
        row = TableRow()
        for cell in cells:
            row.addElement(_ods_cell(cell))
        table.addElement(row)
    book.spreadsheet.addElement(table)
    return _saved(book)


def _ods_cell(cell: Any) -> Any:
    if cell is None:
        return TableCell()
    if isinstance(cell, date):
        made = TableCell(valuetype="date", datevalue=cell.isoformat())
    elif isinstance(cell, int | float):
        made = TableCell(valuetype="float", value=str(cell))
    else:
        made = TableCell(valuetype="string")
    made.addElement(P(text=str(cell)))
    return made


def by_xlsxwriter(grid: Grid, *, sums: bool) -> bytes:
    """A sheet as XlsxWriter saves it, with merged titles and counted sums."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True})
    sheet = book.add_worksheet("Октябрь")
    dated = book.add_format({"num_format": "dd.mm.yyyy"})
    sheet.merge_range(0, 0, 0, 8, grid[0][0])
    for row, cells in enumerate(grid[1:], 1):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(row, column, cell, dated)
            elif cell is not None:
                sheet.write(row, column, cell)
        if sums and cells and isinstance(cells[0], date):
            total = sum(cell for cell in cells[1:] if cell is not None)
            sheet.write_formula(row, len(cells), f"=SUM(B{row + 1}:Y{row + 1})", None, total)
    book.close()
    return held.getvalue()


def xlsb(grid: Grid) -> bytes:
    """A sheet in Excel's binary form, with no more records than a reader needs."""
    width = max(len(values) for values in grid)
    extent = struct.pack("<IIII", 0, len(grid) - 1, 0, width - 1)
    bundle = struct.pack("<II", 0, 1) + _long("rId1") + _long("Лист1")
    sheet = [(129, b""), (148, extent), (145, b""), *_xlsb_rows(grid), (146, b""), (130, b"")]
    book = [(131, b""), (143, b""), (156, bundle), (144, b""), (132, b"")]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{OFFICE}package/2006/content-types"/>',
        "_rels/.rels": _relation("officeDocument", "xl/workbook.bin"),
        "xl/_rels/workbook.bin.rels": _relation("worksheet", "worksheets/sheet1.bin"),
        "xl/workbook.bin": b"".join(_record(*item) for item in book),
        "xl/worksheets/sheet1.bin": b"".join(_record(*item) for item in sheet),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0)), content)
    return held.getvalue()


OFFICE = "http://schemas.openxmlformats.org/"


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{OFFICE}package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        "</Relationships>"
    )


def _record(kind: int, data: bytes) -> bytes:
    """Kind and size of a record take seven bits a byte, the lowest first."""
    name = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, rest = b"", len(data)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    return name + size + bytes([rest]) + data


def _long(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _xlsb_rows(grid: Grid) -> Iterator[tuple[int, bytes]]:
    for row, values in enumerate(grid):
        yield 0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0)
        for column, value in enumerate(values):
            place = struct.pack("<II", column, 0)
            if isinstance(value, int | float):
                yield 5, place + struct.pack("<d", value)
            elif value is not None:
                yield 6, place + _long(str(value))


def encrypted(content: bytes) -> bytes:
    """A workbook that asks for a password."""
    held = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(content)).encrypt("secret", held)
    return held.getvalue()


def make_workbooks_52005() -> None:
    """Workbooks of class 52005, each by another writer."""
    values = [[kwh(day, hour) for hour in range(24)] for day in range(1, 32)]
    days = [date(2026, 10, day) for day in range(1, 32)]
    series = interval(ZAVOD, "2026-10-01 00:00:00", 60, profile(31))
    good = result("52005", "accepted", ZAVOD, None, [series])
    plain = grid_52005("кВт·ч", [f"{hour:02d}" for hour in range(24)], days, values)
    keep("52005/hours.xlsx", xlsx(("Лист1", plain)), good)
    ends = grid_52005("кВтч", list(range(1, 25)), days, values)
    keep("52005/hour-ends-xlsxwriter.xlsx", by_xlsxwriter(ends, sums=True), good)
    spans = [f"{hour}-{hour + 1}" for hour in range(24)]
    keep("52005/hour-spans.xls", xls(grid_52005("кВт.ч", spans, days, values)), good)
    megawatt = [[kwh(d, h) / 1000 for h in range(24)] for d in range(1, 32)]
    clock = [f"{hour:02d}:00" for hour in range(24)]
    worded = [day.strftime("%d.%m.%Y") for day in days]
    keep("52005/megawatt-hours.ods", ods(grid_52005("МВт·ч", clock, worded, megawatt)), good)
    numbered = list(range(1, 32))
    keep("52005/numbered-days.xlsb", xlsb(grid_52005("кВт·ч", spans, numbered, values)), good)
    texts = [[f"{kwh(d, h)},0" for h in range(24)] for d in range(1, 32)]
    said = finding("decimal-comma", "sheet 'Лист1', cell B10", f"{kwh(1, 0)},0", channel="A+")
    comma = {**good, "findings": [said]}
    keep(
        "52005/numbers-as-text.xlsx",
        xlsx(("Лист1", grid_52005("кВт·ч", spans, worded, texts))),
        comma,
    )
    wrong = [list(row) for row in values]
    wrong[2][3] = "нет данных"
    no_unit = [
        row for row in grid_52005("", spans, worded, wrong) if row[:1] != ["Единица измерения"]
    ]
    found = [
        finding("missing-field", "sheet 'Лист1'"),
        finding("invalid-number", "sheet 'Лист1', cell E11", "нет данных", channel="A+"),
    ]
    keep(
        "52005/mistakes.xlsx",
        xlsx(("Лист1", no_unit)),
        result("52005", "rejected", ZAVOD, None, [], found),
    )


READINGS: Grid = [
    ["200000001234-01", "07512345", "A+", "T1", "12345.67"],
    ["200000001234-01", "07512345", "A+", "T2", "2345.60"],
    ["200000001234-01", "07512345", "R+", "T1", "801.05"],
    ["200000001234-01", "07512345", "R+", "T2", "95.30"],
]


def as_series(rows: Grid, *, numbers: bool = False) -> list[dict[str, Any]]:
    """The readings that rows of a sheet hold."""

    def value(text: str) -> str:
        # A number keeps no zeros at its end.
        return text.rstrip("0") if numbers else text

    return [reading(p, m, value(v), zone, channel) for p, m, channel, zone, v in rows]


def xml_meter(rows: Grid, point: str = ' point="200000001234-01"') -> list[str]:
    """A meter with the readings of rows of a sheet."""
    return [
        f'<meter number="{rows[0][1]}"{point}>',
        *(
            f'<reading date_time="2026110100" channel="{c}" zone="{z}" value="{v}"/>'
            for _, _, c, z, v in rows
        ),
        "</meter>",
    ]


def xml_52006(body: Sequence[str], sender: str = PRIMER, name: str = "ООО «Пример»") -> bytes:
    """A whole document of class 52006."""
    head = (
        f'<package class="52006" version="1" sender_code="{sender}" sender_name="{name}" '
        'created="20261101091500">'
    )
    text = "\n".join(
        ['<?xml version="1.0" encoding="windows-1251"?>', head, *body, "</package>", ""]
    )
    return text.encode("cp1251")


MADE = "2026-11-01 09:15:00"


def make_52006() -> None:
    """XML samples of class 52006."""
    good = result("52006", "accepted", PRIMER, MADE, as_series(READINGS))
    keep("52006/readings.xml", xml_52006(xml_meter(READINGS)), good)
    bare = result("52006", "accepted", PRIMER, MADE,
                  [{**item, "point": None} for item in as_series(READINGS)])  # fmt: skip
    keep("52006/meter-alone.xml", xml_52006(xml_meter(READINGS, "")), bare)
    shop = ['<meter number="00000815" point="000000004711">',
            '<reading date_time="20261101" value="48211"/>', "</meter>"]  # fmt: skip
    one = result("52006", "accepted", IP, MADE, [reading(IP, "00000815", "48211")])
    keep("52006/defaults.xml", xml_52006(shop, IP, "ИП Соколова"), one)
    _make_52006_two_meters()
    _make_52006_faults()


def _make_52006_two_meters() -> None:
    zones = (("T1", "10234.5"), ("T2", "4021.0"), ("T3", "20111.7"))
    first = [["", "11223344", "A+", zone, value] for zone, value in zones]
    channels = (("01", "7310.25"), ("03", "1200.10"))
    second = [["", "11223355", code, "T0", value] for code, value in channels]
    zavod = [
        *xml_meter(first, ' point="200000003080-01"'),
        *xml_meter(second, ' point="200000003080-02"'),
    ]
    series = [
        reading("200000003080-01", "11223344", "10234.5", "T1"),
        reading("200000003080-01", "11223344", "4021.0", "T2"),
        reading("200000003080-01", "11223344", "20111.7", "T3"),
        reading("200000003080-02", "11223355", "7310.25"),
        reading("200000003080-02", "11223355", "1200.10", channel="R+"),
    ]
    said = result("52006", "accepted", ZAVOD, MADE, series)
    keep("52006/two-meters.xml", xml_52006(zavod, ZAVOD, "АО «Владимирский завод»"), said)


def _make_52006_faults() -> None:
    wrong = [
        *xml_meter(READINGS)[:2],
        '<reading date_time="2026110100" channel="A+" zone="T7" value="2345.60"/>',
        '<reading date_time="2026130100" channel="R+" zone="T1" value="801.05"/>',
        '<reading date_time="2026110100" channel="R+" zone="T2" value="95.3O"/>',
        '<reading date_time="2026110100" channel="A+" zone="T1"/>',
        "</meter>",
    ]
    about = {"point": "200000001234-01", "meter": "07512345"}
    found = [
        finding("invalid-code", "line 5", "T7", **about),
        finding("invalid-date", "line 6", "2026130100", **about),
        finding("invalid-number", "line 7", "95.3O", channel="R+", **about),
        finding("missing-field", "line 8", "", channel="A+", **about),
    ]
    said = result("52006", "rejected", PRIMER, MADE, as_series(READINGS[:1]), found)
    keep("52006/mistakes.xml", xml_52006(wrong), said)


def make_workbooks_52006() -> None:
    """Workbooks of class 52006, each by another writer."""
    numbers = [[*row[:4], float(row[4])] for row in READINGS]
    good = result("52006", "accepted", PRIMER, None, as_series(READINGS, numbers=True))
    keep("52006/readings.xlsx", xlsx(("Показания", grid_52006(numbers))), good)
    keep("52006/readings.xls", xls(grid_52006(numbers, date(2026, 11, 1))), good)
    keep("52006/readings.ods", ods(grid_52006(numbers, date(2026, 11, 1))), good)
    keep("52006/readings.xlsb", xlsb(grid_52006(numbers, "2026-11-01")), good)
    locked = encrypted(xlsx(("Показания", grid_52006(numbers))))
    keep("52006/encrypted.xlsx", locked, unreadable(finding("encrypted-document")))
    mangled = [["200000001234-01", 7512345, "а+", "т1", "12\xa0345,67"]]
    said = [
        finding("decimal-comma", "sheet 'Показания', cell F7", "12 345,67",
                point="200000001234-01", meter="7512345", channel="A+")
    ]  # fmt: skip
    one = [reading("200000001234-01", "7512345", "12345.67", "T1")]
    text = xlsx(("Показания", grid_52006(mangled, 46327, 200000001234.0)))
    keep("52006/as-excel-mangles.xlsx", text, result("52006", "accepted", PRIMER, None, one, said))
    summed = [[*READINGS[0][:4], "=12345.6+0.07"], numbers[1]]
    found = finding("formula-without-value", "sheet 'Показания', cell F7", "=12345.6+0.07",
                    point="200000001234-01", meter="07512345", channel="A+")  # fmt: skip
    left = as_series(READINGS[1:2], numbers=True)
    said_once = result("52006", "rejected", PRIMER, None, left, [found])
    keep("52006/formula-without-value.xlsx", xlsx(("Показания", grid_52006(summed))), said_once)
    _make_wide()
    values = [[kwh(day, hour) for hour in range(24)] for day in range(1, 32)]
    days = [date(2026, 10, day) for day in range(1, 32)]
    hourly = grid_52005("кВт·ч", list(range(24)), days, values)
    series = interval(ZAVOD, "2026-10-01 00:00:00", 60, profile(31))
    both = xlsx(
        ("Пояснения", [["Читать не надо"]]), ("Часы", hourly), ("Показания", grid_52006(numbers))
    )
    told = [finding("not-read", "sheet 'Пояснения'", severity="note")]
    hours = result("52005", "accepted", ZAVOD, None, [series], told)
    keep("52006/two-documents.xlsx", both, hours, good)


def _make_wide() -> None:
    grid: Grid = [
        [None, "Показания приборов учёта на расчётную дату"],
        [],
        [None, "Код пользователя", None, ZAVOD],
        [None, "Дата показаний:", None, date(2026, 11, 1)],
        [None, "Точка учета", "N прибора учета", "Т1", "Т2", "Т3", "Сумма"],
        [None, 1, 2, 3, 4, 5, 6],
        [None, "200000003080-01", "11223344", 10234.5, 4021, 20111.7, None],
        [],
        [None, "200000003080-02", "11223355", None, None, None, 7310.25],
        [None, "Всего", None, 10234.5, 4021, 20111.7, 7310.25],
    ]
    series = [
        reading("200000003080-01", "11223344", "10234.5", "T1"),
        reading("200000003080-01", "11223344", "4021", "T2"),
        reading("200000003080-01", "11223344", "20111.7", "T3"),
        reading("200000003080-02", "11223355", "7310.25"),
    ]
    keep("52006/wide.xlsx", xlsx(("ПУ", grid)), result("52006", "accepted", ZAVOD, None, series))


# 80020: interval results.

INN, SUBSTATION = "3300000001", "332070000107101"


def period(start: int, step: int, value: int | None, **about: str) -> str:
    """One interval; `start` in minutes of the day."""
    end = (start + step) % 1440
    summer = ' summer="1"' if about.get("summer") else ""
    flag = ' status="1"' if about.get("status") else ""
    return (
        f'<period start="{start // 60:02d}{start % 60:02d}" end="{end // 60:02d}{end % 60:02d}"'
        f"{summer}><value{flag}>{'' if value is None else value}</value></period>"
    )


def channel(code: str, values: Sequence[int], step: int = 30) -> str:
    """One channel of a whole day."""
    rows = "\n".join(period(i * step, step, value) for i, value in enumerate(values))
    return f'<measuringchannel code="{code}" desc="">\n{rows}\n</measuringchannel>'


def area(*points: str, inn: str = INN, name: str = "Пример") -> str:
    """An area with its points."""
    return f'<area timezone="1"><inn>{inn}</inn><name>{name}</name>{"".join(points)}</area>'


def metering(code: str, *channels: str) -> str:
    """A metering point with its channels."""
    return f'<measuringpoint code="{code}" name="Ввод">\n{"".join(channels)}\n</measuringpoint>'


def xml_80020(*areas: str, day: str = "20261109", dst: str = "0", **about: str) -> bytes:
    """A whole document of class 80020; number 37 unless stated."""
    number, kind = about.get("number", "37"), about.get("kind", "80020")
    text = (
        '<?xml version="1.0" encoding="windows-1251"?>\n<!-- АИИС КУЭ -->\n'
        f'<message class="{kind}" version="2" number="{number}">\n<datetime>'
        f"<day>{day}</day><timestamp>20261110090050</timestamp>"
        f"<daylightsavingtime>{dst}</daylightsavingtime></datetime>\n"
        f"<sender><name>ООО «Пример»</name><inn>{INN}</inn></sender>\n<comment>тест</comment>\n"
        + "\n".join(areas)
        + "\n</message>\n"
    )
    return text.replace("\n", "\r\n").encode("cp1251")


def half_hours(seed: int) -> list[int]:
    """A day's energy in kWh, half-hour by half-hour."""
    return [1000 + (seed * 131 + i * i * 7 + i * seed) % 400 for i in range(48)]


def make_80020() -> None:
    """Samples of class 80020."""
    made, start = "2026-11-10 09:00:50", "2026-11-09 00:00:00"
    codes = {"01": "A+", "02": "A-", "03": "R+", "04": "R-"}
    days = {code: half_hours(int(code)) for code in codes}

    def series(
        code: str, values: Sequence[int | None], step: int = 30, **about: Any
    ) -> dict[str, Any]:
        wh = [None if value is None else 1000 * value for value in values]
        about.setdefault("area", INN)
        return interval(SUBSTATION, start, step, wh, channel=codes[code], **about)

    def good(*items: dict[str, Any], **about: Any) -> dict[str, Any]:
        found = about.get("findings", ())
        return result("80020", about.get("verdict", "accepted"), None, made, items, found)

    whole = area(metering(SUBSTATION, *(channel(code, values) for code, values in days.items())))
    every = [series(code, values) for code, values in days.items()]
    keep("80020/day.xml", xml_80020(whole), good(*every))
    keep(f"80020/80020_{INN}_20261109_37.xml", xml_80020(whole), good(*every))
    keep("80020/80040.xml", xml_80020(whole, kind="80040"), good(*every))
    other = finding("name-mismatch", seen="38", severity="error")
    keep(f"80020/80020_{INN}_20261109_38.xml", xml_80020(whole),
         good(*every, findings=[other], verdict="rejected"))  # fmt: skip
    hourly = [2 * value for value in half_hours(5)[:24]]
    text = xml_80020(area(metering(SUBSTATION, channel("01", hourly, 60))))
    keep("80020/hours.xml", text, good(series("01", hourly, 60)))
    _make_80020_passed_over(days, series, good)
    _make_80020_faults(days, series, good)
    _make_80020_changeover()


def _make_80020_passed_over(days: Any, series: Any, good: Any) -> None:
    group = '<deliverygroup code="9" name="x"><measuringchannel code="01"/></deliverygroup>'
    body = metering(SUBSTATION, channel("01", days["01"]), channel("11", days["02"]))
    found = [
        finding(
            "skipped-element", "line 57", "measuringchannel 11", point=SUBSTATION, channel="11"
        ),
        finding("skipped-element", "line 108", "deliverygroup"),
    ]
    keep("80020/other-channels.xml", xml_80020(area(body, "\n", group)),
         good(series("01", days["01"]), findings=found))  # fmt: skip
    found = [finding("skipped-element", "line 7", "deliverygroup"), finding("nothing-to-record")]
    keep("80020/groups-only.xml", xml_80020(area(group)), good(findings=found, verdict="rejected"))
    two = [area(metering(SUBSTATION, channel("01", days[code])), inn=inn)
           for code, inn in (("01", INN), ("02", "3300000002"))]  # fmt: skip
    both = [series("01", days["01"]), series("01", days["02"], area="3300000002")]
    keep("80020/two-areas.xml", xml_80020(*two), good(*both))


def _make_80020_faults(days: Any, series: Any, good: Any) -> None:
    values: list[int | None] = list(days["01"])
    rows = [period(i * 30, 30, value) for i, value in enumerate(values)]
    rows[46] = period(1380, 30, values[46], status="1")
    rows[47] = period(1410, 30, None, status="1")
    values[47] = None
    opened = '<measuringchannel code="01" desc="">\n'
    text = opened + "\n".join(rows) + "\n</measuringchannel>"
    unfit = finding("not-commercial", "line 55", point=SUBSTATION, channel="A+")
    keep("80020/not-commercial.xml", xml_80020(area(metering(SUBSTATION, text))),
         good(series("01", values, not_commercial=2), findings=[unfit]))  # fmt: skip
    rows = [period(i * 30, 30, value) for i, value in enumerate(days["01"])]
    rows[3] = rows[3].replace('start="0130"', 'start="1:30"')
    rows[4] = period(120, 30, None)
    rows[5] = rows[5].replace("<value>", "<value>1,5")
    text = opened + "\n".join(rows) + "\n</measuringchannel>"
    about = {"point": SUBSTATION, "channel": "A+"}
    seen = f"1,5{days['01'][5]}"
    found = [
        finding("invalid-time", "line 12", "1:30", **about),
        finding("missing-field", "line 13", "", **about),
        finding("too-many-decimals", "line 14", seen, **about),
    ]
    keep("80020/mistakes.xml", xml_80020(area(metering(SUBSTATION, text))),
         good(findings=found, verdict="rejected"))  # fmt: skip


def _make_80020_changeover() -> None:
    """31 October 2010: clocks went back at three, so that the day had 50 half-hours."""
    rows, total = [], 0
    marks = [*((i, "1") for i in range(6)), *((i, "") for i in range(4, 48))]
    for number, (i, summer) in enumerate(marks):
        rows.append(period(i * 30, 30, 700 + number, summer=summer))
        total += 700 + number
    body = '<measuringchannel code="01" desc="">\n' + "\n".join(rows) + "\n</measuringchannel>"
    content = xml_80020(area(metering(SUBSTATION, body)), day="20101031", dst="2")
    series = interval(SUBSTATION, "2010-10-31 00:00:00", 30, [], area=INN)
    # Summer time was UTC+4, winter time UTC+3.
    series.update(start="2010-10-31T00:00:00+04:00", end="2010-11-01T00:00:00+03:00")
    series.update(count=50, total=str(total * 1000))
    keep("80020/changeover.xml", content,
         result("80020", "accepted", None, "2026-11-10 09:00:50", [series]))  # fmt: skip


def keep_expected_of_others() -> None:
    """LibreOffice saved these from samples above; what they say is the same."""
    for path, source in (("52005/hours", "hours.xlsx"), ("52006/readings", "readings.xlsx")):
        for suffix in (".xlsx", ".ods", ".xls"):
            file = HERE / f"{path}-libreoffice{suffix}"
            beside = (file.with_name(f"{source}.expected.json")).read_text("utf-8")
            text = beside.replace(f'"{source}"', f'"{file.name}"')
            file.with_name(f"{file.name}.expected.json").write_text(text, "utf-8")
    # Saving counts the formula.
    grid = [[*READINGS[0][:4], "12345.67"], READINGS[1]]
    counted = result("52006", "accepted", PRIMER, None, as_series(grid, numbers=True))
    name = "formula-libreoffice.ods"
    text = json.dumps([{"file": name, **counted}], ensure_ascii=False, indent=1)
    (HERE / f"52006/{name}.expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    make_52005()
    make_52006()
    make_80020()
    make_workbooks_52005()
    make_workbooks_52006()
    keep_expected_of_others()
