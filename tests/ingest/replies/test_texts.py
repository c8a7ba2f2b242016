"""The catalogues: complete in both languages, and whole sentences whatever is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.replies.cells import lines_told, ranges_told
from ingest.replies.texts import advice, fill, place, sentence, title
from ingest.replies.wording import catalogue, wording
from layouts.document import cell_name
from layouts.findings import Code, Place, finding
from layouts.terms import LANGUAGES

RU = wording("ru")
NOVEMBER = datetime(2026, 10, 31, 21, tzinfo=UTC)


@pytest.mark.parametrize("amount", ["Infinity", "NaN", "1e999999", "1e-999999"])
def test_an_amount_that_nobody_would_write_out_is_told_as_it_stands(amount: str) -> None:
    told = sentence(finding(Code.SPIKE, seen=amount, channel="A+"), "ru")
    assert f"«{amount}»" in told


@pytest.mark.parametrize("written", ["-5", "-0.067"])
def test_a_value_below_zero_is_told_as_it_was_written(written: str) -> None:
    told = sentence(finding(Code.NEGATIVE_VALUE, seen=written, channel="A+"), "ru")
    assert f"«{written}»" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_is_told_in_both_languages_with_nothing_known(language: str) -> None:
    for code in Code:
        told = [f(code, language) for f in (title, advice)] + [sentence(finding(code), language)]
        for text in told:
            assert text.strip() == text, code
            assert text, code
            assert not re.search(r"[{}\[\]]|  | [.,;:]|…(?![»”])", text), code
        assert told[1].endswith("."), code
        assert told[2].endswith("."), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_of_any_shape_are_told(language: str) -> None:
    for code in Code:
        names = re.findall(r"\{(\w+)", str(catalogue("findings", language)[code]["sentence"]))
        known = {"seen", "point", "when", "count", "channel", "meter"}
        others = {name: "{0} [no number]" for name in names if name not in known}
        assert sentence(finding(code, seen="[{x}]", point="{p}", **others), language), code


@pytest.mark.parametrize("name", ["findings", "words"])
def test_every_language_has_the_same_keys(name: str) -> None:
    first, *others = (
        {(g, k) for g, v in catalogue(name, language).items() if not isinstance(v, str) for k in v}
        for language in LANGUAGES
    )
    assert first
    assert all(other == first for other in others)


def test_there_is_no_text_without_its_code() -> None:
    assert set(catalogue("findings", "ru")) == {code.value for code in Code}


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="language 'de'"):
        wording("de")


def test_a_part_with_an_unknown_field_is_left_out() -> None:
    assert fill("a[ {x}][ {y}].", {"x": "1"}, RU) == "a 1."


def test_a_value_is_never_read_as_a_template() -> None:
    assert fill("[{x}]", {"x": "[{y}]"}, RU) == "[{y}]"


@pytest.mark.parametrize(
    ("value", "russian", "english"),
    [
        (Decimal("1066.500"), "1 066,500", "1,066.500"),
        (Decimal("12345678.9"), "12 345 678,9", "12,345,678.9"),
        (Decimal(0), "0", "0"),
        (1000, "1 000", "1,000"),
        (Decimal("-1234.5"), "-1 234,5", "-1,234.5"),
    ],
)
def test_numbers_are_exact_and_grouped(value: Decimal | int, russian: str, english: str) -> None:
    assert RU.number(value).replace("\u00a0", " ") == russian
    assert wording("en").number(value) == english


def test_energy_is_told_in_kilowatt_hours_to_the_watt_hour() -> None:
    assert RU.energy(1_066_500).replace("\u00a0", " ") == "1 066,500"
    assert RU.energy(7) == "0,007"


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (0, "31.10.2026 24:00"),
        (4, "01.11.2026 00:00–04:00"),
        (24, "01.11.2026 00:00–24:00"),
        (36, "01.11.2026 00:00 – 02.11.2026 12:00"),
        (720, "01.11.2026 00:00 – 30.11.2026 24:00"),
    ],
)
def test_a_midnight_belongs_to_the_day_it_ends(hours: int, told: str) -> None:
    assert RU.period(NOVEMBER, NOVEMBER + timedelta(hours=hours)) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 интервал"),
        (2, "2 интервала"),
        (5, "5 интервалов"),
        (11, "11 интервалов"),
        (12, "12 интервалов"),
        (21, "21 интервал"),
        (104, "104 интервала"),
        (112, "112 интервалов"),
    ],
)
def test_nouns_follow_their_numbers(number: int, told: str) -> None:
    assert RU.count(number, "interval").replace("\u00a0", " ") == told


@pytest.mark.parametrize(
    ("number", "told"), [(1, "1 interval"), (2, "2 intervals"), (21, "21 intervals")]
)
def test_english_nouns_have_two_forms(number: int, told: str) -> None:
    assert wording("en").count(number, "interval").replace("\u00a0", " ") == told


def test_places_are_told_in_the_language() -> None:
    cell = Place(sheet="Лист1", cell="C14")
    assert place(Place(line=14), "ru") == "строка 14"
    assert place(Place(line=14), "en") == "line 14"
    assert place(cell, "ru") == "лист «Лист1», ячейка C14"
    assert place(cell, "en") == "sheet “Лист1”, cell C14"
    assert place(Place(sheet="Лист1"), "ru") == "лист «Лист1»"
    assert place(Place(), "ru") == ""


def test_neighbouring_places_are_told_as_ranges() -> None:
    lines = [Place(line=n) for n in (14, 15, 16, 20)]
    assert RU.places(lines) == "строки 14–16, 20"
    cells = [Place(sheet="Л", cell=cell_name(r, c)) for r in range(15, 21) for c in range(3, 27)]
    assert RU.places([*cells, Place(sheet="Л", cell="A1")]) == "лист «Л», ячейки A1, C15:Z20"


def test_too_many_ranges_are_counted() -> None:
    assert RU.places(Place(line=n) for n in range(1, 100, 2)).endswith("13, 15 и ещё 42")


def test_ranges_keep_what_is_no_cell() -> None:
    assert ranges_told(["B2", "odd", "B3", "D9"]) == ["B2:B3", "D9", "odd"]
    assert lines_told([3, 1, 2, 2]) == ["1–3"]


def test_a_month_is_called_by_its_name() -> None:
    assert wording("ru").month(datetime(2026, 10, 31, 20, 59, tzinfo=UTC)) == "октябрь 2026 года"
    assert wording("ru").month(datetime(2026, 10, 31, 21, tzinfo=UTC)) == "ноябрь 2026 года"
    assert wording("en").month(datetime(2026, 1, 1, tzinfo=UTC)) == "January 2026"


def test_moments_without_a_zone_are_moscow_time() -> None:
    late = finding(Code.LATE_SUBMISSION, deadline="2026-11-03T00:00:00")
    assert sentence(late, "ru").endswith("срок был 02.11.2026 24:00.")


def test_a_foreign_point_has_the_words_of_an_unknown_one() -> None:
    foreign = finding(Code.FOREIGN_POINT, point="1")
    unknown = replace(foreign, code=Code.UNKNOWN_POINT)
    assert sentence(foreign, "ru") == sentence(unknown, "ru")
