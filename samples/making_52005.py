"""Sample documents of layout 52005."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from making_books import by_xlsxwriter, ods, xls, xlsb, xlsx
from making_expected import (
    HERE,
    PRIMER,
    ZAVOD,
    Grid,
    finding,
    interval,
    keep,
    result,
    unreadable,
)


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
