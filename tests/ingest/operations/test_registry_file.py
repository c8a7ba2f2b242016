"""The register of points as a file: what is read, what is refused, what is written."""

import io
import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from openpyxl import load_workbook

from ingest.operations.register.registry_file import (
    COLUMNS,
    RegistryMistakes,
)
from ingest.operations.register.registry_written import registry_csv, registry_xlsx
from ingest.replies.wording import wording
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow
from storage.points.import_plan import Plan
from tests.books import workbook
from tests.registering import read_registry

SAMPLE = Path(__file__).parents[3] / "samples" / "registry.csv"
HEAD = ";".join(COLUMNS)


def row(**cells):
    """One line with these cells filled."""
    cells = {"user_code": "1", "point": "11", "ratio": "1" if "meter" in cells else "", **cells}
    return ";".join(str(cells.get(column, "")) for column in COLUMNS)


def lines(*rows, head=HEAD):
    return "\r\n".join((head, *rows)).encode()


def read(*rows, **more):
    return read_registry(lines(*rows), **more).entities


def mistakes(*rows):
    with pytest.raises(RegistryMistakes) as told:
        read_registry(lines(*rows))
    for sentence in told.value.told(wording("ru")):
        assert re.match("строка [0-9]+: .*[а-я]", sentence)
        assert not re.search("[{}…]", sentence)
    return [str(mistake) for mistake in told.value.mistakes]


def test_the_sample_is_read_whole():
    registry = read_registry(SAMPLE.read_bytes(), with_passwords=True)

    first = registry.entities[0]
    assert [entity.user_code for entity in registry.entities] == [
        "200000001234",
        "200000003080",
        "000000004711",
    ]
    assert (first.name, first.inn) == ("ООО «Пример»", "3300000001")
    assert first.points[1].meters == (
        Meter(
            "07512345",
            digits=6,
            decimals=2,
            ratio=Decimal(40),
            installed=date(2020, 3, 1),
            channels=("A+", "R+"),
            zones=("T1", "T2"),
        ),
    )
    assert first.points[2] == MeteringPoint(
        "332070000107101",
        "ПС Примерная, ф. 7",
        area="3300000001",
        max_power_kw=Decimal(5000),
        channels=("A+", "A-", "R+", "R-"),
    )
    assert registry.passwords["000000004711"] == "Пароль№5"


def test_passwords_never_show_in_what_was_read():
    registry = read_registry(SAMPLE.read_bytes(), with_passwords=True)

    assert "Zima-2026" not in repr(registry)


@pytest.mark.parametrize("written", [registry_csv, registry_xlsx])
def test_what_is_written_reads_back_the_same_without_passwords(written):
    entities = read_registry(SAMPLE.read_bytes(), with_passwords=True).entities
    alone = LegalEntity("5", 'Сбыт; "Север", 1', active=False)

    content = written((*entities, alone))

    assert read_registry(content).entities == (*entities, alone)
    assert b"password" not in content


def test_a_written_workbook_keeps_its_leading_zeros_as_text():
    content = registry_xlsx(read_registry(SAMPLE.read_bytes(), with_passwords=True).entities)

    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    last = [cell.value for cell in sheet[sheet.max_row]]
    assert last[0] == "000000004711"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1251"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_encoding_and_delimiter_are_told_by_content(encoding, delimiter):
    text = "\n".join((HEAD, row(name="ООО Ёлка"))).replace(";", delimiter)

    assert read_registry(text.encode(encoding)).entities[0].name == "ООО Ёлка"


def test_columns_may_stand_in_any_order_and_case():
    names = [name.upper() for name in reversed(COLUMNS)]
    cells = {"USER_CODE": "1", "POINT": "11", "NAME": "A"}
    content = lines(";".join(cells.get(name, "") for name in names), head=";".join(names))

    entity = read_registry(content).entities[0]

    assert (entity.user_code, entity.name, entity.points[0].code) == ("1", "A", "11")


def test_a_workbook_is_read_with_codes_as_numbers_and_dates_as_dates():
    cells = {
        "user_code": 200000001234.0,
        "point": 11,
        "meter": "07512345",
        "max_power_kw": 0.1,
        "ratio": 1,
        "installed": datetime(2020, 3, 1),  # noqa: DTZ001 - cells have no zone
        "active": True,
    }
    content = workbook([COLUMNS, [None] * 3, [cells.get(column) for column in COLUMNS]])

    entity = read_registry(content).entities[0]

    assert entity.user_code == "200000001234"
    assert entity.points[0].max_power_kw == Decimal("0.1")
    assert entity.points[0].meters[0].installed == date(2020, 3, 1)


def test_channels_of_a_row_without_a_meter_are_those_of_the_profile():
    (entity,) = read(
        row(channels="A+"), row(meter="5", channels="A+ R+", zones="t1 T2"), row(meter="6")
    )

    assert entity.points == (
        MeteringPoint(
            "11",
            channels=("A+",),
            meters=(Meter("5", channels=("A+", "R+"), zones=("T1", "T2")), Meter("6")),
        ),
    )


def test_an_entitys_own_columns_may_be_left_empty_after_the_first_row():
    (entity,) = read(row(name="A", inn="33", addresses="A@b.c d@e.f"), row(point="12"))

    assert (entity.name, entity.inn, entity.addresses) == ("A", "33", ("a@b.c", "d@e.f"))
    assert len(entity.points) == 2


def test_all_mistakes_are_told_at_once_with_their_lines():
    assert mistakes(
        row(user_code="12a"),
        row(inn="33x", addresses="nobody", active="maybe"),
        row(point="12", max_power_kw="much", channels="A+ B+"),
        row(point="13", meter="5", digits="0", decimals="7", ratio="0", zones="T9"),
        row(point="14", meter="6", installed="2020-03-01", removed="01.02.2020"),
        row(point="15", meter="7", installed="30.02.2020"),
        row(point="16", digits="5", zones="T1"),
        row(point="", meter="8"),
        row(point="17 18"),
    ) == [
        "line 2: user_code is '12a', expected digits",
        "line 3: active is 'maybe', expected 1 or 0",
        "line 3: addresses is 'nobody', expected e-mail addresses with blanks between them",
        "line 3: inn is '33x', expected digits",
        "line 4: channels is 'A+ B+', expected some of A+ A- R+ R-, each once",
        "line 4: max_power_kw is 'much', expected a number such as 150 or 0.4",
        "line 5: decimals is '7', expected 0 to 6",
        "line 5: digits is '0', expected 1 to 12",
        "line 5: ratio is '0', expected more than zero",
        "line 5: zones is 'T9', expected some of T0 T1 T2 T3 T4, each once",
        "line 6: removed 2020-02-01 is before installed 2020-03-01",
        "line 7: installed is '30.02.2020', expected a date such as 2020-03-01",
        "line 8: has digits, zones but no meter",
        "line 9: has meter, ratio but no point",
        "line 10: point is '17 18', expected a code without blanks",
    ]


def test_rows_that_contradict_each_other_are_mistakes():
    assert mistakes(
        row(name="A", max_power_kw="5"),
        row(name="B", point="12"),
        row(meter="5", max_power_kw="6"),
        row(),
        row(user_code="2"),
        row(meter="5"),
    ) == [
        "line 3: name 'B' differs from 'A' in line 2",
        "line 4: max_power_kw '6' differs from '5' in line 2",
        "line 5: says the same point as line 2",
        "line 6: point 11 is 1's already, in a line above",
        "line 6: says the same point as line 2",
        "line 7: meter 5 is in line 4 at the same time",
    ]


def test_a_meter_may_move_to_another_point_within_a_day():
    (entity,) = read(
        row(meter="5", removed="2026-11-10"), row(point="12", meter="5", installed="2026-11-10")
    )

    assert [point.meters[0].number for point in entity.points] == ["5", "5"]


def test_the_same_meter_number_of_two_entities_is_no_mistake():
    assert len(read(row(meter="5"), row(user_code="2", point="21", meter="5"))) == 2


def test_a_password_column_is_refused_unless_it_was_asked_for():
    content = lines(row() + ";Zima", head=HEAD + ";password")

    with pytest.raises(RegistryMistakes, match="--with-passwords") as told:
        read_registry(content)

    assert "Zima" not in str(told.value)
    assert read_registry(content, with_passwords=True).passwords == {"1": "Zima"}


def test_passwords_that_differ_are_a_mistake_that_does_not_tell_them():
    content = lines(row() + ";Zima", row(point="12") + ";Leto", head=HEAD + ";password")

    with pytest.raises(RegistryMistakes) as told:
        read_registry(content, with_passwords=True)

    assert str(told.value) == "line 3: password differs from the line above"


def test_missing_unknown_and_doubled_columns_are_mistakes():
    with pytest.raises(RegistryMistakes) as told:
        read_registry(b"user_code;user_code;colour\n1;1;red\n")

    told = str(told.value)
    assert "column 'meter' is missing" in told
    assert "column 'colour' is not known" in told
    assert "column 'user_code' is there twice" in told


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n;;;\n", "empty"),
        (b"\x98\xff", "neither UTF-8 nor windows-1251"),
        (lines('"no end'), "CSV"),
        (b"PK\x03\x04 not a workbook", "not a workbook"),
        (lines(row() + ";more"), "more cells"),
        (b"\x00\x01\x02", "missing"),
    ],
)
def test_a_file_that_is_no_registry_is_refused_with_a_sentence(content, why):
    with pytest.raises(RegistryMistakes, match=why):
        read_registry(content)


def test_lines_are_counted_as_an_editor_does():
    quoted = row(name='"two\r\nlines"')

    assert mistakes(quoted, "", row(user_code="x")) == ["line 5: user_code is 'x', expected digits"]


DAYS = [None, date(2026, 9, 1), date(2026, 10, 15), date(2026, 11, 1)]


def point_of(*rows):
    (entity,) = read(*rows)
    (point,) = entity.points
    return point


def test_rows_with_a_day_each_are_one_meter_that_was_otherwise_before():
    point = point_of(
        row(meter="5", ratio="20", installed="2020-03-01"),
        row(meter="5", ratio="40", installed="2020-03-01", valid_from="2026-11-15"),
    )

    (meter,) = point.meters
    assert [(one.valid_from, one.ratio) for one in meter.rows] == [
        (None, 20),
        (date(2026, 11, 15), 40),
    ]
    assert (meter.ratio, meter.installed) == (40, date(2020, 3, 1))


def test_transformers_exchanged_under_a_meter_may_be_told_by_their_days_alone():
    point = point_of(
        row(meter="5", ratio="20", installed="2020-03-01", removed="2026-11-15"),
        row(meter="5", ratio="40", installed="2026-11-15"),
    )

    (meter,) = point.meters
    assert [(one.valid_from, one.ratio) for one in meter.rows] == [
        (None, 20),
        (date(2026, 11, 15), 40),
    ]
    assert (meter.installed, meter.removed) == (date(2020, 3, 1), None)


def test_a_point_changes_its_holder_on_a_day():
    former, new = read(
        row(name="A", max_power_kw="100"),
        row(user_code="2", name="B", max_power_kw="100", valid_from="2026-11-15"),
    )

    assert former.points == ()
    assert [(one.valid_from, one.holder) for one in new.points[0].rows] == [
        (None, "1"),
        (date(2026, 11, 15), "2"),
    ]


def test_areas_at_one_day_are_two_points_and_at_two_days_one_that_moved():
    (apart,) = read(row(area="A"), row(area="B"))
    (moved,) = read(row(), row(area="B", valid_from="2026-11-01"))

    assert [point.area for point in apart.points] == ["A", "B"]
    assert [(one.valid_from, one.area) for one in moved.points[0].rows] == [
        (None, None),
        (date(2026, 11, 1), "B"),
    ]


def test_what_is_wrong_with_days_is_told_with_its_line():
    assert mistakes(
        row(meter="5", installed="2026-03-01", valid_from="2026-02-28"),
        row(point="12", meter="6", valid_from="2026-11-01"),
        row(point="12", meter="6", ratio="2", valid_from="01.11.2026"),
        row(point="13", meter="7", removed="2026-03-01", valid_from="2026-03-02"),
        row(point="14", meter="8", ratio=""),
        row(point="15", source="both ways", load="heavy"),
        row(point="16", valid_from="2026-11-01"),
        row(point="16", valid_from="2026-11-01"),
        row(point="17", meter="9", max_power_kw="5", valid_from="2026-11-01"),
        row(point="17", meter="10", max_power_kw="6", valid_from="2026-11-01"),
    ) == [
        "line 2: valid_from 2026-02-28 is before the meter was installed, 2026-03-01",
        "line 4: meter 6 is in line 3 from 2026-11-01, too",
        "line 5: valid_from 2026-03-02 is after the meter was removed, 2026-03-01",
        "line 6: ratio of meter 8 is empty: 1 where there are no transformers",
        "line 7: load is 'heavy', expected constant, timed or nothing",
        "line 7: source is 'both ways', expected register, profile, both or nothing",
        "line 9: says the same point as line 8",
        "line 11: max_power_kw '6' differs from '5' in line 10",
    ]


def test_a_file_without_the_newer_columns_is_taken_and_tells_so():
    names = [name for name in COLUMNS if name not in ("valid_from", "source", "load")]
    registry = read_registry(lines(";".join(["1"] + [""] * 16), head=";".join(names)))

    assert registry.silent == {"valid_from", "source", "load"}


def rows_of(random, make):
    """Rows of up to three days, neighbours never alike."""
    rows = []
    for day in [None, *sorted(random.sample(DAYS[1:], random.randint(0, 2)))]:
        row = make(day)
        if not rows or replace(rows[-1], valid_from=day) != row:
            rows.append(row)
    return tuple(rows)


def meter_on_record(random, number, id_):
    rows = rows_of(
        random,
        lambda day: MeterRow(
            day,
            random.choice([number, number, f"{number}-7"]),
            Decimal(random.choice(["1", "20", "0.4"])),
            random.choice([None, 5, 6]),
            random.choice([None, 0, 2]),
        ),
    )
    newest = rows[-1]
    return Meter(
        newest.number, newest.digits, newest.decimals, newest.ratio,
        random.choice([None, date(2020, 1, 1 + id_ % 2)]), None,
        random.choice([(), ("A+",)]), random.choice([(), ("T1", "T2")]), id=id_, rows=rows,
    )  # fmt: skip


def point_on_record(random, number):
    rows = rows_of(
        random,
        lambda day: PointRow(
            day,
            random.choice("12"),
            random.choice([None, "A"]),
            random.choice([None, Decimal(100), Decimal(150)]),
            source=random.choice(["", "register", "profile", "both"]),
        ),
    )
    meters = [
        meter_on_record(random, f"M{number}{i}", 10 * number + i)
        for i in range(random.randint(0, 2))
    ]
    newest = rows[-1]
    return newest.holder, MeteringPoint(
        f"P{number}", "point", newest.area, newest.max_power_kw,
        random.choice([(), ("A+", "R+")]), tuple(meters), number, source=newest.source,
        load=random.choice(["", "timed"]), rows=rows,
    )  # fmt: skip


def test_a_register_that_is_written_and_taken_over_again_changes_nothing():
    for seed in range(100):
        random = Random(seed)
        points = [point_on_record(random, number) for number in range(3)]
        stored = [
            LegalEntity(code, "A", points=tuple(p for holder, p in points if holder == code), id=9)
            for code in ("1", "2")
        ]

        registry = read_registry(registry_csv(stored))
        plan = Plan(stored, registry.entities, since=date(2026, 12, 1), silent=registry.silent)

        every = [*plan.entities, *(one[0] for one in (*plan.points, *plan.meters))]
        assert [(row.before, row.after, row.new_rows) for row in every if row.differs] == [], seed
        assert (plan.renumbered, plan.unclear, plan.twins) == ([], [], []), seed


@pytest.mark.parametrize(
    ("rows", "numbers", "removed"),
    [
        # Another device on the day on which the one before it was removed.
        (
            [{"meter": "5", "removed": "2026-11-15"}, {"meter": "6", "installed": "2026-11-15"}],
            ["5", "6"], [date(2026, 11, 15), None],
        ),
        # The same one, brought back on a later day.
        (
            [{"meter": "5", "removed": "2026-11-14"}, {"meter": "5", "installed": "2026-11-15"}],
            ["5", "5"], [date(2026, 11, 14), None],
        ),
        (
            [{"meter": "5", "removed": "2026-11-15"}, {"meter": "5", "installed": "2026-11-15"}],
            ["5"], [None],
        ),
    ],
)  # fmt: skip
def test_a_meter_goes_on_only_under_its_number_and_from_its_last_day(rows, numbers, removed):
    meters = point_of(*(row(**cells) for cells in rows)).meters
    assert [meter.number for meter in meters] == numbers
    assert [meter.removed for meter in meters] == removed


def test_a_code_has_sixty_four_signs_at_most():
    for column, expected in (("point", "a code"), ("area", "a code"), ("meter", "")):
        cells = {"meter": "5", "point": "11"}
        assert read(row(**cells | {column: "9" * 64}))
        [told] = mistakes(row(**cells | {column: "9" * 65}))
        assert told.startswith(f"line 2: {column} is '999")
        assert expected in told


@pytest.mark.parametrize(
    ("cells", "is_taken"),
    [
        ({"channels": "a+ R-"}, True),
        ({"channels": "A+ A+"}, False),
        ({"channels": "A+ T1"}, False),
        ({"meter": "5", "zones": "T1 T2"}, True),
        ({"meter": "5", "zones": "T1 t1"}, False),
    ],
)
def test_each_channel_and_zone_is_a_known_one_and_said_once(cells, is_taken):
    if is_taken:
        assert read(row(**cells))
    else:
        assert len(mistakes(row(**cells))) == 1


def test_control_signs_of_a_cell_are_told_escaped():
    [told] = mistakes(row(point="1\x1b[2J2"))
    assert "'1\\x1b[2J2'" in told


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'"no end', 1),
        (lines('"no end'), 2),
        (lines('"two\r\nlines";', '"no end'), 4),
        (b"PK\x03\x04 not a workbook", 1),
        (b"", 1),
    ],
)
def test_what_is_no_table_is_told_with_its_line(content, line):
    with pytest.raises(RegistryMistakes) as told:
        read_registry(content)
    assert [mistake.line for mistake in told.value.mistakes] == [line]


def test_the_line_of_a_point_or_meter_is_found_by_its_day_else_the_first_about_it():
    registry = read_registry(
        lines(
            row(meter="5"),
            row(meter="5", valid_from="2026-11-01"),
            row(meter="6", valid_from="2026-11-01"),
            row(point="12", area="A"),
            row(point="12", area="B"),
            row(point="13"),
        )
    )
    first, north, south, profile = registry.entities[0].points
    five, six = sorted(first.meters, key=lambda meter: meter.number)
    day = date(2026, 11, 1)
    assert [
        registry.line(first), registry.line(first, None, day), registry.line(first, five),
        registry.line(first, five, day), registry.line(first, five, date(2026, 11, 2)),
        registry.line(first, six), registry.line(first, six, day), registry.line(north),
        registry.line(south), registry.line(profile), registry.line(profile, five),
        registry.line(replace(profile, code="14")),
    ] == [2, 3, 2, 3, 2, 4, 4, 5, 6, 7, 0, 0]  # fmt: skip
