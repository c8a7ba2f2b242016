"""XML documents: places, times, header fields, and what is no document at all."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from layouts.document import Document, Parsed
from layouts.findings import Code, Finding, Severity
from layouts.layout import load
from parsers import looks_like_document, parse
from parsers.trees import MOST_BYTES

LAYOUTS = load()
SAMPLES = Path(__file__).parents[2] / "samples"


def read(content: str | bytes, name: str = "x.xml") -> Parsed:
    raw = content.encode("utf-8") if isinstance(content, str) else content
    (parsed,) = parse(Document(name, raw), LAYOUTS)
    return parsed


def package(body: str, **attributes: str) -> str:
    facts = {
        "class": "52005",
        "version": "1",
        "sender_code": "200000001234",
        "created": "20261114193232",
        **attributes,
    }
    stated = " ".join(f'{name}="{value}"' for name, value in facts.items() if value)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<package {stated}>\n{body}\n</package>\n'


def hour(moment: str, energy: str = "0.067") -> str:
    return f'<consumption date_time="{moment}" energy="{energy}"/>'


def told(parsed: Parsed) -> list[tuple[Code, str, str | None]]:
    return [(found.code, str(found.place), found.seen) for found in parsed.findings]


def only(parsed: Parsed) -> Finding:
    (found,) = parsed.findings
    return found


# Layout 52005.


def test_energy_is_exact_watt_hours_with_the_place_of_each_value() -> None:
    parsed = read(package("\n".join([hour("2026110100", "0.067"), hour("2026110101", "1.000001")])))

    (series,) = parsed.series
    assert series.values == [67_000, 1_000_001]
    assert series.start == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert (series.step_minutes, series.spans) == (60, None)
    assert [series.place(index).line for index in (0, 1)] == [3, 4]
    assert parsed.points == {(None, "200000001234")}
    assert parsed.header.period_start == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert parsed.header.period_end == datetime(2026, 11, 30, 21, tzinfo=UTC)


def test_a_value_with_a_line_break_in_it_is_one_value_and_no_number() -> None:
    hours = hour("2026110100", "0.041&#10;0.999") + hour("2026110101") + hour("2026110102")
    parsed = read(package(hours))
    assert told(parsed) == [(Code.INVALID_NUMBER, "line 3", "0.041 0.999")]
    assert list(parsed.series) == []


def test_a_line_break_beside_a_number_does_not_matter() -> None:
    parsed = read(package(hour("2026110100", "&#10;0.041") + hour("2026110101")))
    assert told(parsed) == []
    assert list(parsed.series[0].values) == [41_000, 67_000]


def test_hours_out_of_order_or_with_a_gap_keep_their_own_spans() -> None:
    body = "\n".join(hour(moment) for moment in ("2026110101", "2026110100", "2026110103"))

    (series,) = read(package(body)).series

    first = int(datetime(2026, 10, 31, 21, tzinfo=UTC).timestamp())
    assert series.spans == [
        (first + 3600, first + 7200),
        (first, first + 3600),
        (first + 10800, first + 14400),
    ]
    assert series.start == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert series.end == datetime(2026, 11, 1, 1, tzinfo=UTC)


def test_zeros_in_hours_to_come_are_padding_and_the_hour_under_way_is_to_come() -> None:
    body = "\n".join([hour("2026111418"), hour("2026111419", "0"), hour("2026111420", "0.000")])

    parsed = read(package(body))

    assert parsed.findings == ()
    assert parsed.series[0].values == [67_000]


def test_energy_in_an_hour_to_come_is_an_error_told_once_for_its_run() -> None:
    body = "\n".join([hour("2026111418"), hour("2026111419"), hour("2026111420")])

    parsed = read(package(body))

    found = only(parsed)
    assert (found.code, str(found.place), found.count) == (Code.READING_IN_FUTURE, "line 4", 2)
    assert parsed.series == ()
    assert parsed.points == {(None, "200000001234")}


def test_energy_to_come_is_told_beside_other_mistakes() -> None:
    parsed = read(package(hour("2026111418", "?") + hour("2026111419") + hour("2026111420", "?")))

    assert [found.code for found in parsed.findings] == [
        Code.INVALID_NUMBER,
        Code.INVALID_NUMBER,
        Code.READING_IN_FUTURE,
    ]


def test_a_file_of_hours_to_come_has_nothing_to_record() -> None:
    parsed = read(package(hour("2026112000", "0")))

    assert only(parsed).code is Code.NOTHING_TO_RECORD


def test_an_hour_of_another_month_is_told_with_the_month_that_the_file_is_for() -> None:
    body = "\n".join([hour("2026110100"), hour("2026110101"), hour("2026103123")])

    found = only(read(package(body)))

    assert (found.code, found.detail["expected"]) == (Code.INVALID_DATE, "2026-11")
    assert str(found.place) == "line 5"


def test_commas_are_read_and_told_once_for_each_run() -> None:
    texts = ["0,067", "0,068", "0.069", "0,070"]
    body = "\n".join(hour(f"20261101{i:02d}", text) for i, text in enumerate(texts))

    parsed = read(package(body))

    assert parsed.series[0].values == [67_000, 68_000, 69_000, 70_000]
    assert [(found.count, found.seen) for found in parsed.findings] == [(2, "0,067"), (1, "0,070")]
    assert {found.severity for found in parsed.findings} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", Code.INVALID_NUMBER),
        ("NaN", Code.INVALID_NUMBER),
        ("1_000", Code.INVALID_NUMBER),
        ("0x10", Code.INVALID_NUMBER),
        ("٣", Code.INVALID_NUMBER),
        ("1 2", Code.INVALID_NUMBER),
        ("1.234,5", Code.INVALID_NUMBER),
        ("", Code.MISSING_FIELD),
        ("0.0000001", Code.TOO_MANY_DECIMALS),
        ("1234567890", Code.TOO_MANY_DIGITS),
        ("1e99", Code.INVALID_NUMBER),
    ],
)
def test_what_is_no_energy_is_told(text: str, code: Code) -> None:
    parsed = read(package(hour("2026110100", text)))

    assert only(parsed).code is code
    assert parsed.series == ()


@pytest.mark.parametrize(
    ("text", "energy_wh"),
    [
        ("-0.5", -500_000),
        (" 1 ", 1_000_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        ("+1", 1_000_000),
        ("0.1000000", 100_000),
        ("1 234.5", 1_234_500_000),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, energy_wh: int) -> None:
    parsed = read(package(hour("2026110100", text)))

    assert parsed.series[0].values == [energy_wh]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026113100", Code.INVALID_DATE),
        ("2026130100", Code.INVALID_DATE),
        ("01.11.2026", Code.INVALID_DATE),
        ("2026110124", Code.INVALID_TIME),
        ("20261101 1", Code.INVALID_TIME),
        ("2026110101000", Code.INVALID_TIME),
        ("", Code.MISSING_FIELD),
    ],
)
def test_what_is_no_hour_is_told(moment: str, code: Code) -> None:
    parsed = read(package(hour("2026110100") + hour(moment)))

    assert only(parsed).code is code
    assert parsed.series == ()


def test_all_mistakes_of_the_header_are_told_at_once() -> None:
    text = package(hour("2026110100", "x"), sender_code="12a", created="yesterday", version="")

    parsed = read(text)

    assert [(found.code, found.detail.get("field")) for found in parsed.findings] == [
        (Code.MISSING_FIELD, "version"),
        (Code.INVALID_CODE, "sender_code"),
        (Code.INVALID_DATE, "created"),
        (Code.INVALID_NUMBER, None),
    ]


def test_points_and_bare_hours_may_not_be_mixed() -> None:
    mixed = f'<point code="1">{hour("2026110100")}</point>\n{hour("2026110101")}'

    first, second = read(package(mixed, version="2")), read(package(mixed, version="1"))

    assert told(first) == [(Code.MISSING_FIELD, "line 4", "consumption")]
    assert only(first).detail["field"] == "point"
    assert told(second) == [(Code.INVALID_CODE, "line 3", "1")]
    assert only(second).detail["field"] == "version"


def test_a_faulty_point_is_left_out_and_named_while_the_others_are_read() -> None:
    points = "".join(
        f'<point code="{code}" channel="{channel}">{hour("2026110100", energy)}</point>\n'
        for code, channel, energy in (("1", "A+", "1"), ("2", "a-", "?"), ("3", "05", "3"))
    )

    parsed = read(package(points, version="2"))

    assert [(item.point, item.channel) for item in parsed.series] == [("1", "A+"), ("3", "05")]
    found = only(parsed)
    assert (found.point, found.channel, found.seen) == ("2", "A-", "?")
    assert parsed.points == {(None, "1"), (None, "2"), (None, "3")}


def test_a_point_written_twice_is_one_series() -> None:
    points = "".join(
        f'<point code="1">{hour(moment)}</point>' for moment in ("2026110100", "2026110101")
    )

    (series,) = read(package(points, version="2")).series

    assert (series.count, series.spans) == (2, None)


def test_unknown_elements_are_passed_over_with_one_warning_for_each_name() -> None:
    parsed = read(package(hour("2026110100") + "<note/>\n<note/><sign/>"))

    assert [(found.code, found.seen, found.count) for found in parsed.findings] == [
        (Code.SKIPPED_ELEMENT, "note", 2),
        (Code.SKIPPED_ELEMENT, "sign", 1),
    ]
    assert len(parsed.series) == 1


def test_a_namespace_comments_and_processing_instructions_do_not_matter() -> None:
    text = package(f"<!-- x --><?y z?>{hour('2026110100')}<![CDATA[ ]]>", xmlns="urn:x")

    parsed = read(text)

    assert (len(parsed.series), parsed.findings) == (1, ())


def test_lines_are_exact_beyond_what_the_tree_remembers() -> None:
    blanks = "\n" * 70_000
    comment = "<!-- <consumption/>\n -->"
    body = f"{hour('2026110100')}{blanks}{comment}{hour('2026110101', '?')}"

    found = only(read(package(body)))

    # Two lines before the body, the blank ones, and one in the comment.
    assert found.place.line == 3 + 70_000 + 1


# Times of changeover days, when Moscow still had them.


def moscow(text: str) -> str:
    return package(text, created="20150101000000")


def test_an_hour_that_clocks_skip_is_no_time() -> None:
    parsed = read(moscow(hour("2010032801") + hour("2010032802") + hour("2010032803")))

    assert (only(parsed).code, only(parsed).seen) == (Code.INVALID_TIME, "2010032802")


def test_hours_around_a_skipped_one_follow_one_another() -> None:
    (series,) = read(moscow(hour("2010032801") + hour("2010032803"))).series

    assert (series.count, series.spans) == (2, None)


def test_an_hour_that_occurs_twice_is_the_earlier_one_first() -> None:
    body = "".join(hour(f"20101031{h:02d}") for h in (1, 2, 2, 3))

    (series,) = read(moscow(body)).series

    assert series.start == datetime(2010, 10, 30, 21, tzinfo=UTC)
    assert (series.count, series.spans) == (4, None)


def test_the_last_change_of_moscow_time_is_known() -> None:
    (series,) = read(moscow("".join(hour(f"20141026{h:02d}") for h in (0, 1, 1, 2)))).series

    assert series.start == datetime(2014, 10, 25, 20, tzinfo=UTC)
    assert (series.count, series.spans) == (4, None)


# Layout 52006.


def readings(body: str, meter: str = 'number="07512345"') -> str:
    text = package(f"<meter {meter}>\n{body}\n</meter>")
    return text.replace('class="52005"', 'class="52006"')


def test_a_reading_is_a_decimal_with_its_instant_channel_and_zone() -> None:
    body = '<reading date_time="2026110100" channel="03" zone="т2" value="00123.40"/>'

    (series,) = read(readings(body)).series

    assert (series.meter, series.point, series.channel, series.zone) == (
        "07512345",
        None,
        "R+",
        "T2",
    )
    assert (series.reading, str(series.total)) == (Decimal("123.40"), "123.40")
    assert series.start == series.end == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert (series.step_minutes, series.place(0).line) == (0, 4)


def test_channel_and_zone_have_their_defaults_and_a_date_means_its_midnight() -> None:
    (series,) = read(readings('<reading date_time="20261101" value="5"/>')).series

    assert (series.channel, series.zone) == ("A+", "T0")
    assert series.start == datetime(2026, 10, 31, 21, tzinfo=UTC)


def test_a_meter_without_its_number_is_told_and_its_readings_are_not_read() -> None:
    parsed = read(readings('<reading date_time="2026110100" value="5"/>', 'point="1"'))

    assert (only(parsed).code, only(parsed).detail["field"]) == (Code.MISSING_FIELD, "meter")
    assert parsed.series == ()


def test_a_reading_has_bounded_places() -> None:
    body = "".join(
        f'<reading date_time="2026110100" zone="T{i}" value="{value}"/>'
        for i, value in enumerate(["1" * 13, "0.1234567", "1" * 12])
    )

    parsed = read(readings(body))

    assert [found.code for found in parsed.findings] == [
        Code.TOO_MANY_DIGITS,
        Code.TOO_MANY_DECIMALS,
    ]
    assert [series.zone for series in parsed.series] == ["T2"]


# Layout 80020.


def message(periods: str, day: str = "20261109", dst: str = "0", **about: str) -> str:
    area = about.get("area", "<inn>3300000001</inn>")
    number = about.get("number", "37")
    return (
        f'<message class="80020" version="2" number="{number}"><datetime>'
        f"<timestamp>20261110090050</timestamp>"
        f"<daylightsavingtime>{dst}</daylightsavingtime><day>{day}</day></datetime>"
        f"<sender><inn>3300000001</inn></sender><area>{area}"
        f'<measuringpoint code="9"><measuringchannel code="01">\n{periods}\n'
        "</measuringchannel></measuringpoint></area></message>"
    )


def half(start: str, end: str, value: str = "5", attributes: str = "") -> str:
    return f'<period start="{start}" end="{end}"{attributes}><value>{value}</value></period>'


def test_half_hours_are_read_in_watt_hours_of_the_area_point_and_channel() -> None:
    parsed = read(message(half("2300", "2330") + half("2330", "0000", "7")))

    (series,) = parsed.series
    assert (series.area, series.point, series.channel) == ("3300000001", "9", "A+")
    assert (series.values, series.step_minutes, series.spans) == ([5000, 7000], 30, None)
    assert series.end == datetime(2026, 11, 9, 21, tzinfo=UTC)
    assert parsed.header.number == 37
    assert parsed.header.sender_inn == "3300000001"
    assert parsed.header.period_start == datetime(2026, 11, 8, 21, tzinfo=UTC)


def test_a_status_keeps_a_value_and_flags_it_and_allows_none() -> None:
    rows = (
        '<period start="0000" end="0030"><value status="0">1</value></period>'
        '<period start="0030" end="0100"><value status="1">2</value></period>'
        '<period start="0100" end="0130"><value status="1"></value></period>'
        '<period start="0130" end="0200"><value status=""/></period>'
    )

    parsed = read(message(rows))

    assert (only(parsed).code, only(parsed).detail["field"]) == (Code.MISSING_FIELD, "value")
    (series,) = read(message(rows.replace('<value status=""/>', "<value>4</value>"))).series
    assert series.values == [1000, 2000, None, 4000]
    assert series.not_commercial == {1, 2}
    assert series.count == 3


def test_the_summer_flag_is_not_checked_outside_changeover_days() -> None:
    assert read(message(half("0000", "0030"), dst="1")).findings == ()


def test_a_changeover_day_must_tell_its_two_times_apart() -> None:
    found = only(read(message(half("0000", "0030"), day="20101031", dst="1")))

    assert (found.code, found.detail["field"]) == (Code.INVALID_TIME, "summer")


def test_the_spring_changeover_has_one_short_step_across_it() -> None:
    rows = half("0130", "0300") + half("0300", "0330", attributes=' summer="1"')

    (series,) = read(message(rows, day="20100328", dst="2")).series

    assert (series.step_minutes, series.spans) == (30, None)
    assert series.start == datetime(2010, 3, 27, 22, 30, tzinfo=UTC)


def test_the_autumn_changeover_follows_the_marks_and_not_the_order() -> None:
    rows = half("0200", "0230") + half("0200", "0230", attributes=' summer="1"')

    (series,) = read(message(rows, day="20101031", dst="2")).series

    first, second = (series.span(index)[0] for index in (0, 1))
    assert first - second == timedelta(hours=1)


def test_intervals_of_unequal_length_keep_their_own_spans() -> None:
    (series,) = read(message(half("0000", "0030") + half("0030", "0130"))).series

    assert [end - start for start, end in series.spans or ()] == [1800, 3600]


def test_a_day_that_cannot_be_read_is_told_once() -> None:
    parsed = read(message(half("0000", "0030"), day="20261399"))

    assert [found.code for found in parsed.findings] == [Code.INVALID_DATE]
    assert parsed.series == ()


def test_two_areas_may_hold_the_same_point() -> None:
    text = message(half("0000", "0030"))
    area = text[text.index("<area>") : text.index("</message>")]
    both = text.replace("</message>", area.replace("3300000001", "7") + "</message>")

    assert [item.area for item in read(both).series] == ["3300000001", "7"]


# Names.


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("80020_3300000001_20261109_37.xml", []),
        ("80020_3300000001_20261109_037_3300000001 (2).XML", []),
        ("report.xml", []),
        ("", []),
        ("80020_3300000009_20261108_38_77.xml", ["sender_inn", "day", "number", "area"]),
        ("80040_3300000001_20261109_37.xml", ["class"]),
    ],
)
def test_a_name_that_contradicts_an_80020_is_told_part_by_part(
    name: str, fields: list[str]
) -> None:
    parsed = read(message(half("0000", "0030")), name)

    assert [found.detail["field"] for found in parsed.findings] == fields
    assert all(
        found.is_error == (found.detail["field"] in ("sender_inn", "day", "number"))
        for found in parsed.findings
    )


# What is no document.


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", Code.UNREADABLE_DOCUMENT, None),
        (b" \r\n\t ", Code.UNREADABLE_DOCUMENT, None),
        (b"\x00\x01\x02\xff" * 500, Code.UNREADABLE_DOCUMENT, None),
        (b"Dear sirs, here is the file", Code.UNREADABLE_DOCUMENT, None),
        (b"<a>\n<b>\n", Code.UNREADABLE_DOCUMENT, 3),
        (b"<a>\n<b c='1 & 2'/></a>", Code.UNREADABLE_DOCUMENT, 2),
        (b"<a>\n&nbsp;</a>", Code.UNREADABLE_DOCUMENT, 2),
        (b"<a/><b/>", Code.UNREADABLE_DOCUMENT, 1),
        (b"<html><body/></html>", Code.UNREADABLE_DOCUMENT, None),
        (b"<package class='52009'/>", Code.UNKNOWN_LAYOUT, 1),
        (b"<message class='52005'/>", Code.UNKNOWN_LAYOUT, 1),
        (b"<!DOCTYPE a>\n<a/>", Code.FORBIDDEN_CONTENT, 1),
        (b"<!-- > -->\n<?x y?>\n<!doctype a [\n<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
         Code.FORBIDDEN_CONTENT, 3),
        (b"<" + b"a" * MOST_BYTES, Code.TOO_COSTLY, None),
    ],
)  # fmt: skip
def test_what_is_no_document_is_one_finding(content: bytes, code: Code, line: int | None) -> None:
    parsed = read(content)

    found = only(parsed)
    assert (found.code, found.place.line) == (code, line)
    assert (parsed.layout, parsed.series) == (None, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Dear sirs", "not-xml"),
        (b"\0\1\2\3", "not-text"),
        (b"<a><b c='1'></a>", "damaged"),
        (b"<a b='1 & 2'/>", "ampersand"),
        (b"<a><b>", "cut-off"),
        (b"<a><b c='1", "cut-off"),
    ],
)
def test_an_unreadable_document_has_its_reason(content: bytes, reason: str) -> None:
    assert only(read(content)).detail["reason"] == reason


def test_depth_and_size_of_texts_are_bounded() -> None:
    deep = read(b"<a>" * 5000)
    wide = read(b"<a b='" + b"x" * 11_000_000 + b"'/>")

    assert only(deep).code is only(wide).code is Code.UNREADABLE_DOCUMENT


def test_the_password_is_in_no_finding() -> None:
    damaged = package(hour("x", "y"), password="Zima-2026", created="?", version="7")

    for text in (damaged, damaged[:-20], damaged.replace("52005", "1"), damaged.replace("/>", "&")):
        assert "Zima" not in repr(read(text))
    assert read(damaged).header.password == "Zima-2026"


def test_a_cut_off_document_never_raises_wherever_it_is_cut() -> None:
    content = message(half("0000", "0030")).encode("utf-16")

    for length in range(0, len(content), 7):
        assert read(content[:length]).findings


@pytest.mark.parametrize(
    ("name", "content", "is_one"),
    [
        ("", b"\n\n<?xml version='1.0'?><a/>", True),
        ("", "<a/>".encode("utf-16"), True),
        ("", b"\xef\xbb\xbf<a/>", True),
        ("report.XML", b"noise", True),
        ("book.xls", b"noise", True),
        ("letter.html", b"<!DOCTYPE html><html></html>", False),
        ("", b"\xff\xfe" + "<HTML><body>".encode("utf-16-le"), False),
        ("", b"<div>Dear sirs</div>", False),
        ("logo.svg", b"<?xml version='1.0'?><!-- x --><svg xmlns='x'/>", False),
        ("", b"<!-- x --><package/>", True),
        ("", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", True),
        ("", b"<!DOCTYPE a SYSTEM 'a.dtd'><a/>", True),
        ("photo.jpg", b"\xff\xd8\xff\xe0", False),
        ("documents.zip", b"PK\x05\x06" + b"\0" * 18, False),
        ("letter.txt", b"Dear sirs", False),
    ],
)
def test_documents_are_told_from_other_attachments(name: str, content: bytes, is_one: bool) -> None:
    assert looks_like_document(name, content) is is_one


@pytest.mark.parametrize("value", ["", None, "?", "99", "1260", "2026113360"])
@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("52005/points.xml", "date_time"),
        ("52006/two-meters.xml", "date_time"),
        ("80020/day.xml", "start"),
        ("80020/day.xml", "end"),
    ],
)
def test_a_time_that_is_none_is_told_wherever_it_stands(sample, name, value):
    content = (SAMPLES / sample).read_bytes()
    places = len(etree.fromstring(content).findall(f".//*[@{name}]"))
    for place in {0, places // 2, places - 1}:
        tree = etree.fromstring(content)
        element = tree.findall(f".//*[@{name}]")[place]
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)
        found = read(etree.tostring(tree)).findings
        times = {Code.MISSING_FIELD, Code.INVALID_TIME, Code.INVALID_DATE}
        (seen,) = (item for item in found if item.code in times)
        assert seen.detail["field"] in {"start", "end", "instant"}


@pytest.mark.parametrize(("number", "is_one"), [("9" * 15, True), ("9" * 16, False), ("1x", False)])
def test_a_running_number_has_fifteen_digits(number: str, is_one: bool) -> None:
    sample = (Path(__file__).parents[2] / "samples/80020/day.xml").read_bytes()
    text = sample.replace(b'number="37', b'number="' + number.encode(), 1)
    assert text != sample
    parsed = read(text)
    told_ = [found.code for found in parsed.findings if found.detail.get("field") == "number"]
    assert (parsed.header.number == int(number)) if is_one else told_ == [Code.INVALID_NUMBER]


@pytest.mark.parametrize(
    ("sample", "old", "field"),
    [
        ("80020/day.xml", rb'<measuringpoint code="[^"]*"', "point"),
        ("80020/day.xml", rb'<measuringchannel code="[^"]*"', "channel"),
    ],
)
def test_what_a_value_lacks_is_told_once_for_its_series(
    sample: str, old: bytes, field: str
) -> None:
    content = (Path(__file__).parents[2] / "samples" / sample).read_bytes()
    changed = re.sub(old, re.match(rb"<[a-z]+", old)[0], content, count=1)
    assert changed != content
    parsed, whole = read(changed), read(content)
    told_ = [found.detail["field"] for found in parsed.findings if found.is_error]
    assert set(told_) == {field}
    assert len(parsed.series) < len(whole.series)
