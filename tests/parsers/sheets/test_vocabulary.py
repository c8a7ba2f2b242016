"""What words mean: each text with all that a form takes from it."""

from dataclasses import fields, replace

import pytest

from parsers.sheets.vocabulary import (
    COMPOSED,
    EXACT,
    STRANGE,
    Vocabulary,
    units_in,
    vocabulary,
)
from tests.parsers.sheets.made import forms

FORM = forms()["52006"]


def fresh(**more):
    """The words of a form, made anew."""
    return Vocabulary(FORM.layout, replace(FORM.definition, **more))


def told(meaning):
    """A meaning in words, without what it does not say."""
    said = [(field.name, getattr(meaning, field.name)) for field in fields(meaning)]
    return " ".join(_told(name, value) for name, value in said if value not in (None, False, 0))


def _told(name, value):
    if name in ("known", "said"):
        return name
    if name == "exact":
        return {COMPOSED: "composed", EXACT: "exact"}[value]
    if name == "at":
        return f"{value:%d.%m.%Y}"
    if name == "month":
        return f"{value[1]:02d}.{value[0]}"
    return f"{name} {value}" if name in ("quantity", "direction") else value


def pairs(text):
    """What stands before `=>` with what stands behind it."""
    split = (line.partition("=>") for line in text.strip().split("\n"))
    return {text.strip(): meant.strip() for text, _, meant in split}


ALONE = """
Показание => value exact known said
Показания => value exact known said
Показатель =>
Текущее показание => value exact known said
показание  текущее => value composed current known said
Предыдущее показание => value composed previous known said
Показание предыдущее, текущее => value composed previous known said
Показание, кВт·ч => value exact kWh known said
Показание (кВт·ч) => value exact kWh known said
Показание (МВт·ч), кВт·ч => value composed MWh said
Показание, кВт·ч кВт·ч => value exact kWh known said
Показание, тыс. кВт·ч => value exact MWh known said
Показание кВт => value exact kWh known said
Показания за октябрь 2026 => value composed 10.2026 known said
Показания за октябрь 2026 г. => value composed 10.2026 known said
Показания за октябрь и ноябрь 2026 => value composed known said
Показание на 01.11.2026 => value composed 01.11.2026 known said
Показание на 01.11.2026 г. => value composed 01.11.2026 known said
Показание на 24:00 31.10.2026 => value composed 01.11.2026 known said
Показание на 31.10.2026 24:00 => value composed 01.11.2026 known said
Показание на 31.10.2026 24:00:00 => value composed 01.11.2026 known said
Показание на 23:00 31.10.2026 => value composed 31.10.2026 said
Показание на 00:00 01.11.2026 => value composed 01.11.2026 known said
Показание на 0 ч 01.11.2026 => value composed 01.11.2026 known said
Показание на 24 часа 31.10.2026 => value composed 01.11.2026 known said
Показание на 1 ноября 2026 года => value composed 01.11.2026 known said
Показание на 2026-11-01 => value composed 01.11.2026 known said
Показание на 1/11/26 => value composed 01.11.2026 known said
Показание на 01.11 => value composed 01.11.4 known said
Показание на 01.11. => value composed 01.11.4 known said
Показание на 1 ноября => value composed 01.11.4 known said
Показание на 1 ноябряя => value composed 01.11.4 known said
Показание на 1 мартам => value composed 01.03.4 known said
Показание на 30 февраля => value composed 02.0 said
Показание на 29 февраля => value composed 29.02.4 known said
Показание на 01.13 => value composed said
Показание на 1.11.5 => value composed said
Показание на 01.10 и 01.11 => value composed known said
Показание на 32.11.2026 => value composed said
с 01.10.2026 по 01.11.2026 => known
май => 05.0 known
мая => 05.0 known
маяк => 05.0 known
майский =>
марта 2026 => 03.2026 known
марка => harmless composed known said
декабрь => 12.0 known
дек => 12.0 known
декада =>
Т1 => T1 known said
t1 => T1 known said
Т 1 => T1 known said
T5 =>
A+ => A+ known said
А+ => A+ known said
A + => A+ known said
R- => R- known said
Показание Т1 (ночь) => value composed said
Показание Т1 (день) => value composed T1 known said
Тариф 1 => T1 known said
Сумма Т1+Т2 => T0 known said
Сумма => T0 known said
Зона => zone exact known said
Зона Т1 => zone composed T1 known said
Тариф 1 (ночь) => said
Зона: Т1 или Т2 => zone composed said
Канал => channel exact known said
Канал R+ => channel composed R+ known said
Канал А+ R+ => channel composed known said
Активная энергия => channel A+ quantity A known said
Активная энергия, приём => channel A+ known said
Активная, отдача => A- known said
Отдача => direction - known said
приём, отдача => direction both known said
Показание приём => value composed direction + known said
Активная энергия приём отдача => channel A+ quantity A direction both known said
Расход => figure:usage composed known said
Расход, кВт·ч => figure:usage composed kWh known said
Расход с учётом Ктт => figure:consumption composed known said
Показание с учётом Ктт => figure:scaled composed known said
Потребление => figure:consumption composed known said
Разность показаний => figure:difference composed known said
Ктт => figure:ratio composed known said
Коэффициент трансформации => figure:ratio composed known said
Итого => T0 known said
Дата => instant known said
Дата показаний => instant exact known said
Дата снятия показаний => instant exact known said
Дата поверки => harmless composed known said
Принято на => since exact known said
№ п/п => harmless composed known said
№ => known
№№ => harmless composed known said
Наименование => harmless composed known said
Наименование точки учёта => harmless composed known said
Примечание к показанию => harmless composed said
Точка учёта => point exact known said
Код точки учёта => point exact known said
Точка поставки => point known said
№ счётчика => meter exact known said
Номер прибора учёта => meter exact known said
Заводской номер => meter exact known said
Меркурий 230 =>
07510001 =>
200000001234-01 =>
слово =>
Показание слово => value composed said
электроэнергия => known
Показания прибора учёта электроэнергии => value composed known said
Reading => value exact known said
Meter => meter exact known said
Meter reading => meter composed known said
Current reading => value composed current known said
active import => A+ known said
Zone day => zone composed T1 known said
Активная энергия А- => channel A- known said
А- (активная) => A- known said
Показание A+ R+ => value composed said
Показание актив/реактив => value composed said
Активная и реактивная энергия => channel known said
Активная отдача A+ => said
A- отдача => A- known said
A+ отдача => A+ direction - known said
Активная приём, активная отдача => said
Канал A+ или R+ => channel composed said
Показание, Вт·ч => value exact Wh known said
Показание, тыс. кВт. час => value composed MWh known said
Показание (кВт·ч), => value exact kWh known said
Показание, 100 кВт·ч => value composed kWh said
кВт·ч => kWh known
Показания на начало месяца => value composed previous known said
Показания на конец периода => value composed current known said
январь => 01.0 known
фев => 02.0 known
нояб 2026 => 11.2026 known
ноябрьский =>
сентябрь 2025 года => 09.2025 known
октябрь2026 => 10.2026 known
Показание за 10.2026 => value composed said
01.11.2026 => 01.11.2026 known
на 01.11.2026 г => 01.11.2026 known
1 ноября 2026 => 01.11.2026 known
1 ноября => 01.11.4 known
01.11.2026 00:00 => 01.11.2026 known
01.11.2026 12:30 => 01.11.2026 known
01.11.2026, 01.12.2026 => known
31.12.2026 24:00 => 01.01.2027 known
Показание1 => value known said
Показание-1 => value composed said
эл. эн. => known
Кол-во эл. энергии => figure:consumption composed known said
Номер => known
Код => known
Показание T0 T1 => value composed T0 known said
T1 T1 => T1 known said
Тариф T0 T2 => zone composed T0 known said
Пик => T1 known said
Полупик => T3 known said
полупиковая => T3 known said
П/пик => T3 known said
Круглосуточно => T0 known said
Сумма зон => T0 known said
1 зона => T1 known said
зона 3 => T3 known said
3-я зона => zone composed said
Разность с учётом Ктт => figure:difference composed known said
Показание, расход => value composed known said
Показание, расход с учётом Ктт => value composed known said
Наименование показания => harmless composed said
Наименование точки => harmless composed said
Показание, кВт 2 ч => value composed kWh said
я показание => value composed said
"""


def test_a_label_says_all_that_its_words_say():
    words = fresh()
    assert {text: told(words.meaning(text)) for text in pairs(ALONE)} == pairs(ALONE)
    for text in pairs(ALONE):
        # What is asked of cells that are no labels is the same, or nothing.
        assert words.known(text) in (words.meaning(text), STRANGE)
        assert words.known(text).known is words.meaning(text).known


BELOW = """
Показание / Т1 => value composed T1 known said
Показание / Текущее => value composed current known said
Предыдущее / Показание => value composed previous known said
Показание / предыдущее => value composed previous known said
слово / Показание => value composed known said
Показание / слово => value composed said
Показание слово / Т1 => value composed T1 said
Активная / отдача => A- known said
Отдача / Активная => A- known said
отдача / приём => direction both said
Активная энергия / A- => channel A- known said
A- / Активная энергия => channel A- known said
A+ / R+ => said
Реактивная / A+ => said
Активная / активная => A+ quantity A known said
Показание / кВт·ч => value composed kWh known said
Показание, МВт·ч / кВт·ч => value composed kWh known said
Реактивная / Канал => channel composed known said
Реактивная / Канал R+ => channel composed R+ known said
Ночь / Зона => zone composed known said
Ночь / Зона Т1 => zone composed T1 known said
Активная / Точка учёта => point composed A+ quantity A known said
отдача / Расход => figure:usage composed direction - said
Активная, отдача / Расход => figure:usage composed A- known said
Показание / 01.11.2026 => value composed 01.11.2026 known said
Показание на 01.10.2026 / 01.11.2026 => value composed 01.11.2026 known said
Октябрь 2026 / Показание => value composed 10.2026 known said
Показание / октябрь 2026 => value composed 10.2026 known said
Показания / Показание на 01.11.2026 => value composed 01.11.2026 known said
Текущее / предыдущее => previous known said
Т1 / Т2 => T2 known said
№ / Показание => value composed known said
Адрес / Показание => value composed known said
слово / Т1 => T1 known said
Точка учёта / № => point composed known said
Показание / Расход => figure:usage composed known said
"""


def test_a_label_is_made_more_exact_by_the_one_above_it():
    words, found = fresh(), {}
    for labels in pairs(BELOW):
        upper, lower = map(words.meaning, labels.split(" / "))
        found[labels] = told(lower.below(upper).whole())
    assert found == pairs(BELOW)


TITLES = """
Активная энергия А- => A-
Реактивная энергия, квар·ч => R+
Активная и реактивная => A+ R+
ООО «Актив» =>
ЗАО Реактив =>
Актив ООО => A+
Отдача =>
Отдача реактивной => R-
Приём и отдача активной энергии => A-
A+, R- => A+ R-
R-, R+ => R+ R-
А+ => A+
x =>
Активная A+ и отдача => A+ A-
"""


def test_a_title_names_channels_but_in_the_names_of_firms():
    words = fresh()
    assert {t: " ".join(sorted(words.channels_in(t))) for t in pairs(TITLES)} == pairs(TITLES)


CELLS = """
Активная => A+
актив. => A+
активная приём => A+
реактивная отдача => R-
A+ => A+
А- => A-
Активная энергия =>
x =>
Отдача =>
reactive export => R-
"""


def test_a_cell_names_a_channel_in_words_alone():
    words = fresh()
    assert {text: words.channel(text) or "" for text in pairs(CELLS)} == pairs(CELLS)


UNITS = """
Потребление, кВт·ч => kWh
Нагрузка, кВт =>
500 МВт·ч =>
МВт·ч: 500 =>
МВт·ч = 5 =>
кВт·ч и МВт·ч => kWh MWh
кВт*ч => kWh
тыс. кВт ч => MWh
квар·ч => kvarh
кВт·ч - 5 =>
кВт·ч (5 шт) => kWh
тыс. кВт ч за месяц => MWh
кВт ч за месяц и год => kWh
тыс. кВт·ч, тыс. кВт·ч => MWh MWh
2 кВт·ч, МВт·ч => MWh
kWh => kWh
ГВт·ч =>
кВт·час => kWh
x =>
кВт 2 ч =>
"""


def test_a_title_names_units_of_energy_and_no_amounts():
    assert {text: " ".join(units_in(text)) for text in pairs(UNITS)} == pairs(UNITS)


TOTALS = """
Итого => yes
итого: => yes
Итого по цеху => yes
Итоговый ввод => no
Всего => yes
Total 5 => yes
Сумма => no
По итого => no
ИТОГО, кВт·ч => yes
"""


def test_the_first_words_are_those_of_a_total():
    words = fresh()
    found = {text: "yes" if words.begins_total(text) else "no" for text in pairs(TOTALS)}
    assert found == pairs(TOTALS)


DOUBTS = """
реакт => yes
Ввод (актив) => yes
пиковая => yes
ночью => no
x => no
дня => no
день => yes
выдача => yes
квар => yes
неактив => no
"""


def test_whole_words_make_a_default_doubtful():
    words = fresh()
    found = {text: "yes" if words.is_doubtful(text) else "no" for text in pairs(DOUBTS)}
    assert found == pairs(DOUBTS)


@pytest.mark.parametrize("cell", [5, None, True, "1 " * 99 + "xx", "x" * 200])
def test_what_is_no_label_means_nothing(cell):
    assert fresh().meaning(cell) == fresh().known(cell) == STRANGE


def test_of_a_long_text_nothing_is_a_label():
    text = "Показание" + "." * 190
    assert told(fresh().meaning(text)) == "value exact known said"
    assert fresh().meaning(text + ".") == STRANGE


class Counted:
    """What a book's texts cost, with the length of each that was counted."""

    def __init__(self):
        self.asked = []

    def word(self, length):
        self.asked.append(length)


def test_the_texts_of_a_book_are_counted_each_once():
    spent = Counted()
    words = forms()["52006"].words.of_book(spent)
    for text in ("Показание", "Показание", "Зона", "Показание"):
        words.meaning(text)
        words.known(text)
    assert spent.asked == [9, 4]


def test_words_are_those_of_the_form_and_begin_as_it_says():
    words = fresh(words=replace(FORM.definition.words, also=("п*", "ю")))
    assert [words.known(text).known for text in ("перец", "хлеб", "ю", "юг")] == [
        True, False, True, False
    ]  # fmt: skip
    assert not fresh().known("перец").known
    hours = forms()["52005"]
    profile = Vocabulary(hours.layout, hours.definition)
    # The layout of hours knows no zones, but totals of a day.
    assert [told(profile.meaning(text)) for text in ("Т1", "Ночь", "Итого", "Дата")] == [
        "", "", "total composed known said", "date exact known said"
    ]  # fmt: skip


def test_a_vocabulary_is_made_once_for_a_form():
    made = vocabulary(FORM.layout, FORM.definition)
    assert vocabulary(FORM.layout, FORM.definition) is made
    other = replace(FORM.definition)
    assert vocabulary(FORM.layout, other) is not made
    assert vocabulary(FORM.layout, FORM.definition) is not made
