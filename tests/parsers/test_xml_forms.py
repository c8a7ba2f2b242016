"""Whatever a definition may say of an XML form: each part of it as documents fill it in, or not."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse, xml_reader
from tests.parsers.test_xml_reader import half, hour, message, package, read, readings

TOP = """
class = "51070"
aliases = ["51071"]
kind = "interval"
zone = "Europe/Moscow"
order = ["number"]
deadline = "monthly"
expects = "none"
example = "x"
[titles]
ru = "x"
[values]
unit = "kWh"
decimals = 3
step_minutes = [60]
[channels.codes]
"вход" = "A+"
"A+" = "A-"
[xml]
root = "maket"
"""
HEADER = """
class_attribute = "form"
skip = ["old"]
[xml.header.version]
path = "@v"
[xml.header.sender_code]
path = "head/from/code"
[xml.header.created]
path = "head/made"
format = "YYYYMMDDHHMM"
"""
HOURS = """
[[xml.form]]
versions = ["1"]
row = "h"
start_format = "YYYYMMDDHH"
columns = { point = "@p", channel = "@c", start = "@t", value = "x/e", status = "x/e/@s" }
[[xml.form.level]]
element = "area"
keys = { area = "@a" }
[[xml.form]]
versions = ["2"]
row = "old"
start_format = "YYYYMMDDHH"
columns = { start = "@t", value = "@e" }
[[xml.form.level]]
element = "tp"
keys = { point = "@p" }
"""
METERS = """
[[xml.form]]
versions = ["1"]
row = "r"
instant_format = "YYYYMMDDHH"
columns = { meter = "@m", channel = "@c", zone = "@z", instant = "@t", value = "@e" }
"""


def of(folder: Path, xml: str, *definition: str) -> Parsed:
    (folder / "51070.toml").write_text("".join(definition or (TOP, HEADER, HOURS)), "utf-8")
    (parsed,) = parse(Document("x.xml", xml.encode()), load(folder))
    return parsed


def maket(body: str, about: str = 'form="51070" v="1"') -> str:
    return f"<maket {about}>\n{body}\n</maket>"


def area(*rows: str) -> str:
    return maket("<area a='7'>\n" + "\n".join(rows) + "\n</area>")


def row(at: int, value: str, about: str = 'p="1" c="вход"') -> str:
    return f'<h {about} t="20261101{at:02d}">{value}</h>'


def told(parsed: Parsed) -> list[tuple]:
    return [
        (one.code, one.place.line, one.seen, one.detail.get("field"), one.detail.get("expected"))
        for one in parsed.findings
    ]


# What a document is known by.


def test_a_root_s_name_alone_tells_a_layout_without_a_class(tmp_path):
    body = "<h p='1' c='вход' t='2026110100'><x><e>1</e></x></h>"
    parsed = of(tmp_path, f"<maket><area a='7'>{body}</area></maket>", TOP, HOURS)
    assert (parsed.layout, [one.values for one in parsed.series]) == ("51070", [[1000]])
    assert parsed.findings == ()


def test_a_layout_of_workbooks_alone_claims_no_xml(tmp_path):
    book = '[workbook]\nrequired = ["point"]\nany_of = ["value"]\n[workbook.columns]\n'
    book += 'point = ["ТП"]\nvalue = ["Энергия"]\n'
    parsed = of(tmp_path, maket(""), TOP.replace('[xml]\nroot = "maket"\n', book))
    assert told(parsed) == [(Code.UNKNOWN_LAYOUT, 1, "maket", None, None)]


@pytest.mark.parametrize(
    ("root", "seen"), [("<package/>", "package"), ('<message class="7"/>', "7")]
)
def test_an_unknown_layout_is_told_by_its_class_else_by_its_root(root, seen):
    (found,) = read(root).findings
    assert (found.code, found.seen) == (Code.UNKNOWN_LAYOUT, seen)


@pytest.mark.parametrize(("number", "fields"), [("51070", []), ("51071", ["class"])])
def test_a_name_repeats_the_class_stated_or_else_the_layout_s(tmp_path, number, fields):
    named = '[file_name]\npattern = "(?P<class>[0-9]+)"\n'
    for definition, xml in (
        ((TOP, HEADER, HOURS, named), maket("", 'form=" 51070 " v="1"')),
        ((TOP, HOURS, named), "<maket/>"),
    ):
        (tmp_path / "51070.toml").write_text("".join(definition), "utf-8")
        (parsed,) = parse(Document(f"{number}.xml", xml.encode()), load(tmp_path))
        assert [one.detail["field"] for one in parsed.findings if one.detail] == fields


def test_an_alias_s_name_repeats_the_alias():
    text = message(half("0000", "0030")).replace('"80020"', '"80040"', 1)
    for name, fields in (("80040_3300000001_20261109_37.xml", []), ("80020_1_20261109_37.xml",
                         ["class", "sender_inn"])):  # fmt: skip
        assert [one.detail["field"] for one in read(text, name).findings] == fields


# The header.


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("<datetime>\n<day>20261109</day></datetime>", (Code.MISSING_FIELD, 2, None,
         "created", "datetime/timestamp")),
        ("<datetime>\n<timestamp>\n?</timestamp><day>20261109</day></datetime>",
         (Code.INVALID_DATE, 3, "?", "created", "YYYYMMDDHHMMSS")),
        ("<datetime>\n<timestamp>20100328023000</timestamp><day>20261109</day></datetime>",
         (Code.INVALID_DATE, 3, "20100328023000", "created", "YYYYMMDDHHMMSS")),
    ],
)  # fmt: skip
def test_a_mistake_of_the_header_is_told_where_it_stands(head, found):
    text = message("").replace("<datetime>", "\n<datetime>")
    text = re.sub("<datetime>.*</datetime>", head, text)
    assert found in told(read(text))


def test_a_header_without_the_element_of_a_field_lacks_the_field():
    text = message("").replace("<sender><inn>3300000001</inn></sender>", "")
    assert (Code.MISSING_FIELD, 1, None, "sender_inn", "sender/inn") in told(read(text))


@pytest.mark.parametrize("code", ["12a", "٣٣", "'", "1" * 65])
def test_a_sender_s_code_is_digits(code):
    parsed = read(package(hour("2026110100"), sender_code=code))
    assert (Code.INVALID_CODE, 2, code[:64], "sender_code", "0-9") in [
        (*one[:2], (one[2] or "")[:64], *one[3:]) for one in told(parsed)
    ]


def test_a_day_is_from_midnight_to_midnight():
    header = read(message(half("0000", "0030"))).header
    assert (header.created, header.period_start, header.period_end) == (
        datetime(2026, 11, 10, 6, 0, 50, tzinfo=UTC),
        datetime(2026, 11, 8, 21, tzinfo=UTC),
        datetime(2026, 11, 9, 21, tzinfo=UTC),
    )


# Levels and rows.


def test_an_area_s_name_may_stand_in_the_file_s_name():
    text = message(half("0000", "0030"), area="<inn>33</inn><name> Завод «Заря» </name>")
    for named, fields in (("33", []), ("завод «заря»", []), ("7", ["area"])):
        parsed = read(text, f"80020_3300000001_20261109_37_{named}.xml")
        assert [one.detail["field"] for one in parsed.findings] == fields


def test_a_point_without_a_channel_is_known_all_the_same():
    text = message(half("0000", "0030"))
    empty = re.sub("<measuringchannel.*</measuringchannel>", "", text, flags=re.DOTALL)
    other = text.replace('<measuringchannel code="01"', '<measuringchannel code="77"')
    for changed in (text, empty, other):
        assert read(changed).points == {("3300000001", "9")}


def test_a_channel_that_is_passed_over_is_told_with_its_point_and_many_once():
    text = message(half("0000", "0030")).replace(' code="01"', ' code="77"')
    (one, nothing) = read(text).findings
    assert (one.code, one.seen, one.area, one.point, one.channel, one.count) == (
        Code.SKIPPED_ELEMENT, "measuringchannel 77", "3300000001", "9", "77", 1
    )  # fmt: skip
    assert nothing.code is Code.NOTHING_TO_RECORD
    channel = text[text.index("<measuringchannel") : text.index("</measuringpoint>")]
    (both, _) = read(text.replace(channel, channel * 2)).findings
    assert (both.count, both.point) == (2, None)


def test_a_key_that_is_none_is_told_with_what_stands_above_it():
    for code, seen in (("", None), ("x" * 65, "x" * 65), (" a\x7f", "a\ufffd")):
        text = message(half("0000", "0030")).replace('code="9"', f'code="{code}"')
        told_ = [one for one in read(text).findings if one.detail.get("field") == "point"]
        assert [(one.seen, one.area, one.point) for one in told_] == [(seen, "3300000001", None)]


def test_a_channel_s_code_is_what_the_definition_says_and_nothing_else(tmp_path):
    rows = [row(0, "<x><e>1</e></x>"), row(0, "<x><e>2</e></x>", 'p="1" c="A+"'),
            row(0, "<x><e>3</e></x>", 'p="1" c="?"')]  # fmt: skip
    parsed = of(tmp_path, area(*rows))
    assert [one.channel for one in parsed.series] == ["A+", "A-", "?"]
    levels = HOURS.replace('channel = "@c", ', "").replace(
        'a = "@a" }', 'a = "@a", channel = "@c" }'
    )
    body = "".join(
        f'<area a="7" c="{code}"><h p="1" t="2026110100"><x><e>1</e></x></h></area>'
        for code in ("вход", "A+", "?")
    )
    parsed = of(tmp_path, maket(body), TOP, HEADER, levels)
    assert [one.channel for one in parsed.series] == ["A+", "A-", "?"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<h/>", (Code.MISSING_FIELD, 2, "h", "area", "area")),
        ("<area>\n<area/></area>", (Code.INVALID_CODE, 3, "1", "version", "1")),
        ("<tp/>", (Code.INVALID_CODE, 2, "1", "version", "2")),
        ("<area>\n<tp/></area>", (Code.INVALID_CODE, 3, "1", "version", "2")),
        ("<old/>", (Code.SKIPPED_ELEMENT, 2, "old", None, None)),
        ("<new/>", (Code.SKIPPED_ELEMENT, 2, "new", None, None)),
        ("<head/>", None),
    ],
)
def test_an_element_out_of_its_place_is_told(tmp_path, body, found):
    there = [one for one in told(of(tmp_path, maket(body))) if one[0] != Code.NOTHING_TO_RECORD]
    assert there == ([found] if found else [])


def test_a_row_of_another_version_names_the_version(tmp_path):
    definition = TOP, HEADER.replace('skip = ["old"]', ""), HOURS
    assert told(of(tmp_path, maket("<old/>"), *definition)) == [
        (Code.INVALID_CODE, 2, "1", "version", "2")
    ]


FULL, EMPTY = "<x><e s='0'>1</e></x>", "<x/>"


@pytest.mark.parametrize(
    ("holders", "values", "flagged"),
    [
        (["<x><e>1</e></x>", "<x><e>2</e></x>"], [1000, 2000], set()),
        (["<x><e s='1'>1</e></x>", "<x><e s='0'>2</e></x>"], [1000, 2000], {0}),
        (["<x><e>1</e></x>", "<x><e s='1'/></x>"], [1000, None], {1}),
        # As many values, and as many statuses, as rows; but not one in each.
        ([EMPTY, "<x><e>1</e><e>2</e></x>"], None, None),
        (["<x><e>3</e></x>", "<x><e s='1'>1</e><e s='1'>2</e></x>"], [3000, 1000], {1}),
        (["<x><e s='1'>1</e><e s='1'>2</e></x>", "<x><e>3</e></x>"], [1000, 3000], {0}),
        (["", "<x><e>1</e></x><x><e>2</e></x>"], None, None),
        (["<x><e>1</e></x>", EMPTY], None, None),
        (["<x><e s='1'>1</e></x>", ""], None, None),
    ],
)
def test_a_value_is_that_of_its_own_row(tmp_path, holders, values, flagged):
    parsed = of(tmp_path, area(*(row(at, holder) for at, holder in enumerate(holders))))
    if values is None:
        (lacking,) = (at for at, one in enumerate(holders) if "<e" not in one)
        assert told(parsed) == [(Code.MISSING_FIELD, 3 + lacking, "", "value", None)]
    else:
        (series,) = parsed.series
        assert (list(series.values), set(series.not_commercial)) == (values, flagged)


@pytest.mark.parametrize(
    ("periods", "values", "flagged"),
    [
        (["<value>1</value>", "<value>2</value>"], [1000, 2000], set()),
        (["<value>3</value>", "<value>1</value><value>2</value>"], [3000, 1000], set()),
        (["<note/>", "<value>1</value><value>2</value>"], None, None),
        (["", "<value>1</value>"], None, None),
        (["<note/>", "<value>1</value>"], None, None),
        (["", "<value>1</value><value>2</value>"], None, None),
        (["<value>1</value><note/>", "<value status='1'>2</value>"], [1000, 2000], {1}),
        (["<value status='1'>1</value>", "<value>2</value>"], [1000, 2000], {0}),
        (["<value>1</value>", "<value status='1'>2</value><value status='1'>3</value>"],
         [1000, 2000], {1}),
    ],
)  # fmt: skip
def test_a_half_hour_s_value_is_the_first_one_below_it(periods, values, flagged):
    times = [("0000", "0030"), ("0030", "0100")]
    rows = [f'<period start="{a}" end="{b}">{one}</period>' for (a, b), one in zip(times, periods,
            strict=True)]  # fmt: skip
    parsed = read(message("\n".join(rows)))
    if values is None:
        assert told(parsed) == [(Code.MISSING_FIELD, 2, "", "value", None)]
    else:
        (series,) = parsed.series
        assert (list(series.values), set(series.not_commercial)) == (values, flagged)


def test_each_group_of_rows_keeps_its_own_lines(tmp_path):
    rows = [row(at, f"<x><e>{value}</e></x>", f'p="{p}" c="вход"')
            for at, value, p in ((0, 1, 1), (0, 2, 2), (1, 3, 1), (1, "?", 2))]  # fmt: skip
    parsed = of(tmp_path, area(*rows))
    (series,) = parsed.series
    assert [series.place(index).line for index in (0, 1)] == [3, 5]
    assert told(parsed) == [(Code.INVALID_NUMBER, 6, "?", None, None)]


@pytest.mark.parametrize(
    ("about", "found"),
    [
        ('p="1"', (Code.MISSING_FIELD, 4, None, "channel", "")),
        ('c="вход"', (Code.MISSING_FIELD, 4, None, "point", "")),
        (f'p="{"9" * 65}" c="вход"', (Code.INVALID_CODE, 4, "9" * 65, "point", "at most 64")),
        (f'p="1" c="{"9" * 65}"', (Code.INVALID_CODE, 4, "9" * 65, "channel", "at most 64")),
    ],
)
def test_what_a_row_names_wrongly_or_not_at_all_is_told_where_it_stands(tmp_path, about, found):
    value = "<x><e>1</e></x>"
    parsed = of(tmp_path, area(row(0, value), row(1, value, about), row(2, value, about)))
    assert told(parsed) == [found]
    assert [one.point for one in parsed.series] == ["1"]


def test_a_point_is_not_taken_from_the_sender_unless_the_layout_says_so(tmp_path):
    body = "<head><from><code>12</code></from></head><area a='7'>"
    body += row(0, "<x><e>1</e></x>", 'c="вход"') + "</area>"
    parsed = of(tmp_path, maket(body))
    assert (parsed.header.sender_code, list(parsed.series)) == ("12", [])
    assert [one[3] for one in told(parsed)] == ["point"]


def test_what_is_wrong_with_the_times_of_one_point_is_told_of_each():
    rows = hour("2026110199")
    points = "".join(f'<point code="{n}">{rows}</point>\n' for n in (1, 2))
    parsed = read(package(points, version="2"))
    assert [(one.code, one.point, one.place.line) for one in parsed.findings] == [
        (Code.INVALID_TIME, "1", 3), (Code.INVALID_TIME, "2", 4)
    ]  # fmt: skip


# Readings.


def test_readings_may_name_their_meters_themselves(tmp_path):
    top = TOP.replace('"interval"', '"register"').replace("step_minutes = [60]", "")
    body = "\n".join(
        f'<r {about} t="2026110100" e="5"/>'
        for about in ('m="1" c="вход" z="T1"', 'c="вход" z="T1"', 'm="1" z="T1"',
                      'm="1" c="вход"', 'm="1" c="A+" z="T2"', 'm=" " c="вход" z="T1"')
    )  # fmt: skip
    parsed = of(tmp_path, maket(body), top, HEADER, METERS)
    assert [(one.meter, one.channel, one.zone, one.reading) for one in parsed.series] == [
        ("1", "A+", "T1", Decimal(5)), ("1", "A-", "T2", Decimal(5))
    ]  # fmt: skip
    zones = "T0, T1, T2, T3, T4"
    assert told(parsed) == [
        (Code.MISSING_FIELD, 3, None, "meter", ""),
        (Code.MISSING_FIELD, 4, None, "channel", ""),
        (Code.INVALID_CODE, 5, None, "zone", zones),
        (Code.MISSING_FIELD, 7, None, "meter", ""),
    ]


@pytest.mark.parametrize(("count", "code"), [(3, None), (4, Code.TOO_COSTLY)])
def test_readings_are_counted_before_the_first_one_is_read(count, code, monkeypatch):
    monkeypatch.setattr(xml_reader, "MOST_SERIES", 3)
    row_ = '<reading date_time="{}" value="5"/>'
    text = readings("".join(row_.format("2026110100") for _ in range(count)))
    assert [one.code for one in read(text).findings] == ([code] if code else [])
    # They are counted, so that what is wrong with any of them is not even looked for.
    text = readings(row_.format("?") * count)
    assert (Code.TOO_COSTLY in {one.code for one in read(text).findings}) is bool(code)


@pytest.mark.parametrize(("count", "code"), [(3, None), (4, Code.TOO_COSTLY)])
@pytest.mark.parametrize("what", ["strange", "times"])
def test_names_and_moments_are_counted_to_their_bound(what, count, code, monkeypatch):
    monkeypatch.setattr(xml_reader, "MOST_STRANGE", 3)
    monkeypatch.setattr(xml_reader, "MOST_TIMES", 3)
    if what == "strange":
        text = package(hour("2026110100") + "".join(f"<x{n}/>" * 2 for n in range(count)))
    else:
        points = [f'<point code="{n}">{hour(f"2026110{n}00")}</point>' for n in range(1, count + 1)]
        text = package("".join(points) + points[0].replace('"1"', '"9"'), version="2")
    found = {one.code for one in read(text).findings} - {Code.SKIPPED_ELEMENT}
    assert found == ({code} if code else set())
