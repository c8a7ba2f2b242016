"""A reply says what a clerk would say: once, in order, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.replies.answers import reply
from ingest.replies.texts import sentence
from layouts.document import Series
from layouts.findings import Code, Finding, Place, Status, finding
from layouts.known import Change, Receipt
from layouts.terms import Kind, Verdict
from tests.ingest.replies import cases
from tests.ingest.replies.cases import DEADLINE, ENTITY, LETTER, NOVEMBER, NOW, settings
from tests.ingest.replies.renew import body, opened

SHEET = "Лист1"


def told(*receipts: Receipt, subject: str = LETTER.subject, language: str = "ru") -> str:
    """Subject and text of the reply."""
    letter = replace(LETTER, subject=subject)
    message = opened(reply(letter, ENTITY, receipts, NOW, settings(language), letter_number=17))
    return f"{message['Subject']}\n{body(message, 'plain')}"


def accepted(*findings: Finding, number: int = 1) -> Receipt:
    status = Status.REMARKS if findings else Status.ACCEPTED
    return cases.receipt(number, cases.parsed(), Verdict.ACCEPTED, status, findings)


def late() -> Finding:
    return finding(Code.LATE_SUBMISSION, deadline="2026-11-01T00:00:00+03:00")


def test_remarks_are_in_the_heading_only_when_remarks_are_listed() -> None:
    assert "есть замечания" not in told(accepted(late()))
    assert "поступил с опозданием" in told(accepted(late()))
    listed = told(accepted(late(), finding(Code.NOT_COMMERCIAL, point="1")))
    assert "есть замечания" in listed
    assert "На что обратить внимание" in listed


@given(st.permutations([5, 11, 9, 7]))
def test_receipts_are_named_in_their_order(numbers: list[int]) -> None:
    text = told(*(accepted(number=number) for number in numbers))
    assert "квитанции № 5, 7, 9, 11" in text.splitlines()[0]


PREFIXES = st.lists(st.sampled_from(["Re:", "RE: ", "Fwd:", "FW: ", "Отв: ", "Re[2]: ", "НА: "]))


@given(PREFIXES)
def test_there_is_one_re_however_often_was_answered(prefixes: list[str]) -> None:
    subject = told(accepted(), subject="".join(prefixes) + "Показания").splitlines()[0]
    assert subject == "Показания приняты, квитанция № 1 — Re: Показания"


def test_an_answer_to_our_own_reply_is_not_told_twice() -> None:
    subject = "Показания"
    for _ in range(5):
        subject = f"Re: {told(accepted(), subject=subject).splitlines()[0]}"
    assert subject == "Re: Показания приняты, квитанция № 1 — Re: Показания"


@pytest.mark.parametrize(
    ("expected", "russian", "english"),
    [
        ("01.11.2026", "ожидается дата, например 01.11.2026", "expected a date such as 01.11.2026"),
        ("11.2026", "ожидается месяц, например 11.2026", "expected a month such as 11.2026"),
        ("YYYYMMDD", "ожидается ГГГГММДД", "expected YYYYMMDD"),
    ],
)
def test_an_example_is_called_one(expected: str, russian: str, english: str) -> None:
    wrong = finding(Code.INVALID_DATE, field="date", expected=expected)
    assert russian in sentence(wrong, "ru")
    assert english in sentence(wrong, "en")


def test_a_refused_document_is_never_told_to_have_come_in_time() -> None:
    wrong = finding(Code.INVALID_DATE, field="created")
    refused = cases.receipt(1, cases.parsed(), Verdict.REJECTED, Status.DATA_ERRORS, (wrong,))
    text = told(refused)
    assert "поступил" not in text.replace("поступит", "")
    assert "поступит вовремя, если придёт до 02.11.2026 24:00" in text
    too_late = replace(refused, received_at=DEADLINE + timedelta(minutes=1))
    assert "вовремя" not in told(too_late)


def placed(code: Code, rows: range, **about: object) -> list[Finding]:
    return [
        finding(
            code,
            Place(sheet=SHEET, cell=f"F{row}"),
            point=f"2000-{row}",
            meter=f"{row:08}",
            channel="A+",
            zone=f"T{row % 2}",
            **about,  # type: ignore[arg-type]
        )
        for row in rows
    ]


def test_the_same_remark_is_told_once_with_its_cells() -> None:
    text = told(accepted(*placed(Code.DECIMAL_COMMA, range(8, 20), seen="1,5")))
    assert text.count("Запятая вместо точки") == 1
    assert "лист «Лист1», ячейки F8:F19" in text
    assert "Точки учёта 2000-8, 2000-9, 2000-10" in text
    assert "и ещё 2" in text


def test_two_readings_that_contradict_each_other_are_told_once_with_both_cells() -> None:
    def second(cell: str, other: str) -> Finding:
        about = {"point": "1", "meter": "2", "channel": "A+", "zone": "T1", "other": other}
        place = Place(sheet=SHEET, cell=cell)
        return finding(Code.DUPLICATE_READING, place, seen="5", expected="6", **about)

    three = second("F8", "F9"), second("F9", "F8"), second("F10", "F8")
    text = told(cases.receipt(1, cases.parsed(), Verdict.REJECTED, Status.DATA_ERRORS, three))
    assert text.count("Два показания одного счётчика") == 2
    assert "ячейка F8\n" in text
    assert "другое значение: F9" in text
    assert "ячейка F10\n" in text


def test_remarks_that_say_different_things_stay_apart() -> None:
    ratios = placed(Code.RATIO_DIFFERS, range(8, 9), seen="40", expected="30")
    others = placed(Code.RATIO_DIFFERS, range(9, 10), seen="40", expected="20")
    text = told(accepted(*ratios, *others))
    assert text.count("Замечание: Коэффициент другой") == 2


def test_one_point_of_several_channels_is_told_as_the_point() -> None:
    both = placed(Code.DECIMAL_COMMA, range(8, 10))
    text = told(accepted(*(replace(item, point="2000") for item in both)))
    assert "\nТочка учёта 2000, канал A+\n" in text


def registers(*zones: str, point: str = "2000") -> tuple[Series, ...]:
    values = [Decimal(1)]
    at = (NOVEMBER, 0, values)
    return tuple(Series(Kind.REGISTER, None, point, "0750", "A+", zone, *at) for zone in zones)


def partly(findings: tuple[Finding, ...], kept: tuple[Series, ...], *left: Series) -> Receipt:
    document = cases.parsed(series=(*kept, *left))
    changes = tuple(Change(series, added=(0,)) for series in kept)
    verdict, status = Verdict.PARTLY_ACCEPTED, Status.DATA_ERRORS
    return cases.receipt(1, document, verdict, status, findings, changes)


def test_what_was_refused_for_a_neighbours_mistake_is_said() -> None:
    wrong = finding(Code.INVALID_NUMBER, point="2000", meter="0750", channel="A+", zone="T1")
    text = told(partly((wrong,), registers("T0", point="2001"), *registers("T2", "T3")))
    assert "в чём ошибок нет: 2000, прибор № 0750, A+ T2; 2000, прибор № 0750, A+ T3." in text


def test_what_has_a_mistake_of_its_own_is_no_neighbour() -> None:
    wrong = finding(Code.READING_WENT_BACK, point="2000", meter="0750", channel="A+", zone="T1")
    whole_point = finding(Code.UNKNOWN_POINT, point="2000")
    for item in (wrong, whole_point):
        text = told(partly((item,), registers("T0", point="2001"), *registers("T1")))
        assert "в чём ошибок нет" not in text


def test_a_meter_without_its_leading_zeros_is_the_same_one() -> None:
    (kept,) = registers("T0")
    bare = replace(kept, point=None, meter="750")
    document = cases.parsed(series=(bare,))
    receipt = partly((finding(Code.UNKNOWN_POINT, point="9"),), (kept,))
    assert "в чём ошибок нет" not in told(replace(receipt, parsed=document))


def test_readings_left_out_unseen_are_the_first_sentence() -> None:
    hidden = finding(Code.HIDDEN_CONTENT, Place(sheet=SHEET), meters="07512345 07519999")
    lines = told(accepted(hidden)).splitlines()
    assert "Скрытые" in lines[2]
    assert "07512345, 07519999" in lines[2]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_zone_that_is_none_is_told_with_those_that_are_and_its_cell(language: str) -> None:
    where = Place(sheet=SHEET, cell="E9")
    wrong = finding(
        Code.INVALID_CODE, where, seen="Т9", field="zone", expected="T0, T1, T2, T3, T4"
    )
    text = told(accepted(wrong), language=language)
    assert "T0, T1, T2, T3, T4" in text
    assert "E9" in text


def held(*, is_held: bool) -> Receipt:
    """A document of two readings, one of which is not in force."""
    (kept,), (other,) = registers("T1"), registers("T2")
    about = {"point": "2000", "meter": "0750", "channel": "A+", "zone": "T2", "start": NOVEMBER}
    operators = finding(Code.HELD_BY_OPERATOR, seen="2", expected="1", **about)  # type: ignore[arg-type]
    changes = (Change(kept, added=(0,)), Change(other, stayed=1))
    document = cases.parsed(series=(kept, other))
    findings = (operators,) if is_held else ()
    return cases.receipt(1, document, Verdict.ACCEPTED, Status.REMARKS, findings, changes)


def test_what_an_operator_entered_is_told_and_not_called_recorded() -> None:
    text = told(held(is_held=True))
    assert (
        "действует то, что внёс или отозвал оператор; до его решения отложено: 1\u00a0знач" in text
    )
    assert "передано 2 кВт·ч, действует 1 кВт·ч; переданное отложено до его решения" in text
    assert ", A+ T1 ·" in text
    assert ", A+ T2 ·" not in text


def test_what_a_newer_document_carries_is_told_as_that() -> None:
    text = told(held(is_held=False))
    assert "оператор" not in text
    assert "T2, A+: без изменений осталось 1\u00a0значение, как в более новом документе." in text
    assert ", A+ T2 ·" not in text
