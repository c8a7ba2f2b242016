"""Sample documents of layout 52006."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from making_52005 import grid_52005, kwh, profile
from making_books import ods, xls, xlsb, xlsx
from making_expected import (
    IP,
    PRIMER,
    ZAVOD,
    Grid,
    finding,
    interval,
    keep,
    reading,
    result,
)


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
