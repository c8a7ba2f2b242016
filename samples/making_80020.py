"""Sample documents of layout 80020."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from making_expected import INN, finding, interval, keep, result

SUBSTATION = "332070000107101"


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
