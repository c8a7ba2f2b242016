"""What is accepted when some of a document is wrong."""

import pytest

from layouts.document import Parsed
from layouts.findings import Code, Severity, Status, finding
from layouts.rules import check, status_of
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    NOON,
    codes,
    daily,
    judged,
    known,
    meter,
    monthly,
    moscow,
    point,
    profile,
    reading,
    readings,
)


def accepted(checked):
    return [(c.series.point, c.series.channel) for c in checked.changes]


def test_a_sound_document_is_accepted_whole():
    checked = judged(daily(profile(), profile(channel="R+")), known(point()))
    assert (checked.verdict, checked.status) == (Verdict.ACCEPTED, Status.ACCEPTED)
    assert checked.values == 96
    assert checked.findings == ()


def test_a_mistake_in_the_header_rejects_the_document():
    wrong = finding(Code.INVALID_DATE, seen="2026", field="created")
    checked = judged(daily(profile(), findings=[wrong]), known(point()))
    assert (checked.verdict, checked.status) == (Verdict.REJECTED, Status.DATA_ERRORS)
    assert checked.changes == ()


def test_a_mistake_in_one_channel_rejects_all_channels_of_its_point_and_no_other():
    document = daily(
        profile(point="P1", channel="R+"),
        profile(point="P2"),
        findings=[finding(Code.INVALID_NUMBER, area=None, point="P1", channel="A+")],
    )
    checked = judged(document, known(point("P1"), point("P2")))
    assert (checked.verdict, checked.status) == (Verdict.PARTLY_ACCEPTED, Status.DATA_ERRORS)
    assert accepted(checked) == [("P2", "A+")]


def test_the_same_point_code_in_another_area_is_another_point():
    wrong = finding(Code.INVALID_NUMBER, area="A", point="P1", channel="A+")
    document = daily(profile(area="A", channel="R+"), profile(area="B"), findings=[wrong])
    checked = judged(document, known(point("P1", area="A"), point("P1", area="B")))
    assert [(c.series.area, c.series.channel) for c in checked.changes] == [("B", "A+")]


def test_an_unknown_channel_rejects_that_channel_alone():
    document = daily(profile(), profile(channel="R-"))
    checked = judged(document, known(point(channels=("A+", "R+"))))
    assert (checked.verdict, checked.status) == (Verdict.PARTLY_ACCEPTED, Status.UNKNOWN_OBJECTS)
    assert accepted(checked) == [("P1", "A+")]


def test_an_unknown_zone_rejects_that_register_alone():
    document = readings(reading("1", zone="T1"), reading("2", zone="T3"))
    checked = judged(document, known(point("P1", meter(zones=("T1",)))))
    assert codes(checked) == [Code.UNKNOWN_CHANNEL]
    assert [c.series.zone for c in checked.changes] == ["T1"]


def test_a_mistake_at_a_meter_without_its_point_rejects_the_point_of_that_meter():
    wrong = finding(Code.INVALID_NUMBER, meter="07512345", channel="A+", zone="T1")
    document = readings(
        reading("5", zone="T2", point=None),
        reading("7", meter="09", point=None),
        findings=[wrong],
        points={(None, None)},
    )
    context = known(point("P1", meter()), point("P2", meter("09")))
    checked = judged(document, context)
    assert checked.verdict is Verdict.PARTLY_ACCEPTED
    assert accepted(checked) == [("P2", "A+")]


def test_warnings_never_reject():
    remark = finding(Code.DECIMAL_COMMA, point="P1")
    checked = judged(daily(profile(), findings=[remark]), known(point()))
    assert (checked.verdict, checked.status) == (Verdict.ACCEPTED, Status.REMARKS)


def test_every_unknown_point_alone_gives_the_status_of_unknown_objects():
    checked = judged(daily(profile(point="P9")), known(point()))
    assert (checked.verdict, checked.status) == (Verdict.REJECTED, Status.UNKNOWN_OBJECTS)


def test_mistakes_of_several_kinds_are_told_at_once_and_nothing_of_the_point_is_recorded():
    document = daily(
        profile([-1, *range(1, 48)], point="P9"), profile(), created=moscow(2026, 12, 1)
    )
    checked = judged(document, known(point()))
    assert {Code.NEGATIVE_VALUE, Code.UNKNOWN_POINT, Code.INVALID_DATE} <= set(codes(checked))
    assert checked.changes == ()


def test_of_a_stranger_s_document_only_that_is_told():
    document = daily(profile([-1] * 48, point="P9"), sender_inn="7700000000")
    assert codes(judged(document, known(point()))) == [Code.SENDER_MISMATCH]


@pytest.mark.parametrize("code", [Code.UNKNOWN_LAYOUT, Code.TOO_COSTLY, Code.ENCRYPTED_DOCUMENT])
def test_what_is_no_document_is_unreadable(code):
    parsed = Parsed("a.bin", "00", 1, findings=(finding(code),))
    checked = check(parsed, None)
    assert (checked.verdict, checked.status) == (Verdict.UNREADABLE, Status.UNREADABLE)
    assert codes(checked) == [code]


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([], Status.ACCEPTED),
        ([Code.VALUE_CHANGED], Status.ACCEPTED),
        ([Code.NOT_COMMERCIAL], Status.REMARKS),
        ([Code.NOT_COMMERCIAL, Code.UNKNOWN_POINT], Status.UNKNOWN_OBJECTS),
        ([Code.FOREIGN_POINT], Status.UNKNOWN_OBJECTS),
        ([Code.UNKNOWN_METER, Code.NEGATIVE_VALUE], Status.DATA_ERRORS),
        ([Code.UNREADABLE_DOCUMENT], Status.UNREADABLE),
    ],
)
def test_the_status_is_the_gravest_of_what_was_found(found, status):
    assert status_of([finding(code) for code in found]) is status


def test_a_resend_of_an_accepted_document_is_answered_with_its_receipt():
    checked = judged(daily(profile()), known(point(), duplicate_of=(17, NOON)))
    assert (checked.verdict, checked.status) == (Verdict.DUPLICATE, Status.ACCEPTED)
    assert checked.duplicate_of == (17, NOON)
    assert checked.changes == ()
    (told,) = checked.findings
    assert (told.code, told.severity) == (Code.DUPLICATE_DOCUMENT, Severity.NOTE)
    assert told.detail["receipt"] == "17"


def test_offline_a_document_is_judged_by_itself():
    checked = judged(monthly(profile([1] * 24, point="200000001234", area=None, step=60)))
    assert checked.verdict is Verdict.ACCEPTED
    assert [c.point for c in checked.changes] == [None]


def test_without_a_register_of_points_a_meter_s_mistake_is_its_own_alone():
    wrong = finding(Code.INVALID_NUMBER, meter="22", channel="A+")
    document = readings(
        reading("5", meter="22", point=None, channel="R+"), reading("6", point=None),
        findings=[wrong],
    )  # fmt: skip
    checked = judged(document)
    assert checked.verdict is Verdict.PARTLY_ACCEPTED
    assert [change.series.meter for change in checked.changes] == ["07512345"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_meter_named_alone_is_of_its_point_when_it_has_one_point(elsewhere):
    wrong = finding(Code.INVALID_NUMBER, meter="22", channel="A+")
    points = [point("P1", meter("22"), meter("33"), area=None)]
    if elsewhere:
        points.append(point("P2", meter("22"), area=None))
    arrives = readings(
        reading("5", meter="33", point="P1"), reading("5", meter="44", point="P3"),
        findings=[wrong],
    )  # fmt: skip
    points.append(point("P3", meter("44"), area=None))
    taken = [change.series.meter for change in judged(arrives, known(*points)).changes]
    assert taken == (["33", "44"] if elsewhere else ["44"])
