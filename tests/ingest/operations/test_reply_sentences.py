"""What a reply says of a whole letter, from its bytes through `process`."""

from __future__ import annotations

import pytest

from tests.books import workbook
from tests.ingest.answered import AT, CODE, letter, reply_of, text_of

POINT, METER = "200000001234-01", "07512345"
LABELS = ("Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание")
GOOD = [(POINT, METER, "A+", "T1", 12345.67), (POINT, METER, "A+", "T2", 2345.6)]
LATE = "2026-11-05T09:41"


def book(*rows, date="01.11.2026"):
    header = (("Макет", "52006"), ("Код пользователя", CODE), ("Дата показаний", date), ())
    return workbook((*header, LABELS, *rows))


@pytest.fixture
def reply(service):
    """Subject and text of the reply to a letter with these workbooks."""

    def answer(*books, at=AT, subject="Показания за октябрь"):
        documents = [(f"{number}.xlsx", content) for number, content in enumerate(books, 1)]
        path = service.write("letter.eml", letter(*documents, subject=subject))
        [row] = service("process", path, "--json", "--at", at).rows
        message = reply_of(row["letter"])
        return str(message["Subject"]), text_of(message)

    return answer


def test_several_mistakes_are_told_at_once_with_what_they_keep_out(reply):
    subject, text = reply(
        book(
            (POINT, METER, "A+", "T1", 12345.67),
            (POINT, METER, "A+", "T9", 2345.6),
            (POINT, METER, "R+", "T1", "801,05"),
            (POINT, METER, "R+", "T2", "95,3"),
        ),
        subject="Re: RE: Fwd: Показания",
    )
    assert subject == "Показания не приняты, квитанция № 1 — Re: Показания"
    # A bad zone: its cell, and those that are allowed.
    assert "Где: лист «Лист1», ячейка D7" in text
    assert "Написано: «T9»" in text
    assert "ожидается T0, T1, T2, T3, T4" in text
    # What is right in itself, and is refused for that.
    assert f"не записано и то, в чём ошибок нет: {POINT}, прибор № {METER}, A+ T1" in text
    # The same remark once, with its cells.
    assert text.count("Запятая вместо точки") == 1
    assert "лист «Лист1», ячейки E8:E9" in text
    # Refused: until when a mended one is in time, and not that this one was.
    assert "поступит вовремя, если придёт до 02.11.2026 24:00" in text
    assert "поступил вовремя" not in text


def test_a_letter_without_a_mistake_has_none_of_these_sentences(reply):
    subject, text = reply(book(*GOOD))
    assert subject == "Показания приняты, квитанция № 1 — Re: Показания за октябрь"
    assert "Документ «1.xlsx» поступил вовремя, срок — 02.11.2026 24:00." in text
    for other in ("замечания", "Где:", "ожидается", "не записано", "Что исправить", "исправить и"):
        assert other not in text


def test_a_late_document_is_told_so_without_remarks_in_the_heading(reply):
    subject, text = reply(book(*GOOD), at=LATE)
    assert subject.startswith("Показания приняты, квитанция № 1 —")
    assert "поступил с опозданием, срок был 02.11.2026 24:00" in text


def test_remarks_that_are_listed_stand_in_the_heading(reply):
    subject, text = reply(book(GOOD[0], (POINT, METER, "A+", "T2", "2345,6")))
    assert subject.startswith("Показания приняты, есть замечания, квитанция № 1 —")
    assert "На что обратить внимание" in text


def test_receipts_are_in_their_order_and_each_document_has_its_own_verdict(reply):
    wrong = book(GOOD[0], date="31.11.2026")
    other = book((POINT, METER, "R+", "T1", 801.05), (POINT, METER, "R+", "T2", 95.3))
    subject, text = reply(book(*GOOD), wrong, other)
    assert "квитанции № 1, 2, 3" in subject
    headings = [line for line in text.splitlines() if line.startswith("Документ «") and "№" in line]
    assert [line.rpartition("№ ")[2] for line in headings] == ["1", "2", "3"]
    # An example is called one.
    assert "ожидается дата, например 01.11.2026" in text
    assert "Документ «1.xlsx» поступил вовремя" in text
    assert "Документ «2.xlsx» поступил вовремя" not in text


def test_two_files_with_different_readings_of_one_register_are_both_refused(reply):
    other = [(POINT, METER, "A+", "T1", 12345.67), (POINT, METER, "A+", "T2", 2346)]
    subject, text = reply(book(*GOOD), book(*other))
    text = " ".join(text.split())
    assert subject.startswith("Показания не приняты")
    assert text.count("Два показания одного счётчика") == 2
    assert "другое значение: 2.xlsx, Лист1!E7" in text
    assert "другое значение: 1.xlsx, Лист1!E7" in text
