"""What a reply returned or refused is mended and sent back as an answer to it."""

from __future__ import annotations

import io
from calendar import monthrange
from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import combinations

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.workbook.workbook import Workbook

from tests.ingest.answered import AT, CODE, PASSWORD, letter, reply_of, text_of
from tests.parsers.pages import WRITERS, Page

POINT, METER = "200000001234-01", "07512345"
ROWS = [
    ("Показания приборов учёта",),
    ("Макет", "52006"),
    ("Код пользователя", CODE),
    ("Пароль", PASSWORD),
    ("Дата показаний", "01.11.2026"),
    (),
    ("№ п/п", "Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"),
    (1, POINT, METER, "A+", "T1", 12345.67),
    (2, POINT, METER, "A+", "T2", "нет данных"),
]
MENDED = "Её можно исправить и отправить обратно"


def their_own(container: str, **wrong: object) -> bytes:
    """Their workbook with its mistake, or with these cells instead of it."""
    cells = {
        (row, column): value
        for row, values in enumerate(ROWS, 1)
        for column, value in enumerate(values, 1)
    }
    if wrong:
        cells[9, 6] = 2345.6
    for name, value in wrong.items():
        cells[coordinate_to_tuple(name)] = value
    return WRITERS[container]([Page("Показания", cells)])


def saved(workbook: Workbook) -> bytes:
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()


def ours(service) -> tuple[bytes, str]:
    """Our own form, filled in with a mistake, and the cell of the mistake."""
    made = service("template", "52006", "--entity", CODE, "-o", "form.xlsx")
    assert made.code == 0
    workbook = openpyxl.load_workbook("form.xlsx")
    sheet = workbook.worksheets[0]
    (value,) = [c.column for row in sheet.iter_rows() for c in row if c.value == "Показание"]
    lines = [row for row in sheet.iter_rows() if METER in [cell.value for cell in row]]
    assert {lines[0][0].value, lines[0][1].value} == {POINT, "Ввод 1, ТП-12"}
    first, second = (line[value - 1] for line in lines[:2])
    first.value, second.value = 12345.67, "нет данных"
    (date,) = [row[1] for row in sheet.iter_rows() if row[0].value == "Дата показаний"]
    date.value = datetime(2026, 11, 1)  # noqa: DTZ001 - a cell has no zone
    return saved(workbook), second.coordinate


def returned(message: EmailMessage) -> tuple[str, Workbook]:
    """Name and content of the marked workbook in a reply."""
    (part,) = [p for p in message.iter_attachments() if str(p.get_filename()).endswith(".xlsx")]
    return str(part.get_filename()), openpyxl.load_workbook(io.BytesIO(part.get_content()))


def received(service, content: bytes, name: str = "letter.eml"):
    [row] = service("process", service.write(name, content), "--json", "--at", AT).rows
    return row


def is_accepted_whole(row) -> bool:
    [document] = row["documents"]
    told = (row["outcome"], row["findings"], document["verdict"], document["findings"])
    return told == ("accepted", [], "accepted", []) and document["values"] == 2


@pytest.mark.parametrize("form", ["ours", "xlsx", "xls", "ods"])
def test_the_marked_workbook_is_mended_and_sent_back_as_an_answer(service, form):
    content, cell = ours(service) if form == "ours" else (their_own(form), "F9")
    name = f"52006.{'xlsx' if form == 'ours' else form}"
    row = received(service, letter((name, content)))
    assert row["documents"][0]["verdict"] != "accepted"

    answered = reply_of(row["letter"])
    assert MENDED in text_of(answered)
    name, marked = returned(answered)
    assert PASSWORD not in str(list(marked.worksheets[1].values))
    assert marked.worksheets[1][cell].comment is not None
    marked.worksheets[1][cell].value = 2345.6
    row = received(service, letter((name, saved(marked)), answered=answered), "second.eml")
    assert is_accepted_whole(row)
    assert row["reply"]["subject"].count("Re:") == 1


WRONG: dict[str, tuple[object, object, str]] = {
    "B5": ("31.11.2026", "01.11.2026", "дата показаний; ожидается дата, например 01.11.2026"),
    "B8": ("200000001234-77", POINT, "Такой точки учёта за вами не числится"),
    "C9": ("99999999", METER, "Такого прибора учёта за вами не числится"),
    "D9": ("B+", "A+", "есть A+, R+"),
    "E8": ("T4", "T1", "есть T0, T1, T2"),
    "E9": ("T9", "T2", "зона; ожидается T0, T1, T2, T3, T4"),
    "F9": (-5, 2345.6, "Значение меньше нуля"),
}
"""By its cell: a mistake of each kind, what stands there when it is mended, and what is told."""


def test_whatever_it_was_refused_for_the_mended_workbook_is_accepted_as_an_answer(service):
    for number, (cell, (wrong, right, told)) in enumerate(WRONG.items()):
        document = their_own("xlsx", **{cell: wrong})
        row = received(service, letter((f"{cell}.xlsx", document)), f"{number}.eml")
        answered = reply_of(row["letter"])
        assert MENDED in text_of(answered), cell
        assert f"     Где: лист «Показания», ячейка {cell}" in text_of(answered).splitlines()
        assert told in text_of(answered)
        name, marked = returned(answered)
        assert marked.worksheets[1][cell].comment is not None, cell
        marked.worksheets[1][cell].value = right
        mended = letter((name, saved(marked)), answered=answered)
        assert is_accepted_whole(received(service, mended, f"{number}-again.eml")), cell


def test_every_two_mistakes_are_told_at_once_and_each_of_them_once(service):
    pairs = [{cell} for cell in WRONG] + [set(pair) for pair in combinations(WRONG, 2)]
    # What a meter counts is not known where its point is not.
    pairs.remove({"B8", "E8"})
    paths = [
        service.write(
            f"{number}.xlsx", their_own("xlsx", **{cell: WRONG[cell][0] for cell in pair})
        )
        for number, pair in enumerate(pairs)
    ]
    rows = service("check", *paths, "--json", "--at", AT, "--registry", "registry.csv").rows
    told = [[(f["code"], f["place"]) for f in row["findings"]] for row in rows]
    alone = dict(zip(WRONG, told, strict=False))
    for pair, found in zip(pairs, told, strict=True):
        assert len(set(found)) == len(found), pair
        expected = {one for cell in pair for one in alone[cell]}
        # Which zones are missing depends on both.
        assert {one for one in expected ^ set(found) if one[0] != "zones-missing"} == set(), pair


@pytest.mark.parametrize("body", ["Показания во вложении.", f"Код: {CODE}\nПароль: не тот"])
def test_who_was_not_known_answers_with_code_password_and_the_document(service, body):
    document = their_own("xlsx", B4="", F9=2345.6)
    unknown = letter(("52006.xlsx", document), login=body)
    row = received(service, unknown)
    assert row["outcome"] == "refused"
    answered = reply_of(row["letter"])
    again = letter(("52006.xlsx", document), answered=answered)
    assert is_accepted_whole(received(service, again, "second.eml"))


def test_a_senders_own_yellow_is_not_taken_for_our_mark(service):
    workbook = openpyxl.load_workbook(io.BytesIO(their_own("xlsx")))
    sheet = workbook["Показания"]
    # Of our older remarks, and Excel's own yellow; with a note of the sender's.
    for cell, colour in (("F8", "FFFFE58A"), ("B9", "FFFFFF00")):
        sheet[cell].fill = PatternFill("solid", fgColor=colour)
    sheet["F8"].comment = Comment("сверено", "Иванова")
    row = received(service, letter(("52006.xlsx", saved(workbook))))
    marked = returned(reply_of(row["letter"]))[1]["Показания"]
    assert [marked[cell].fill.fgColor.rgb for cell in ("F8", "B9")] == ["FFFFE58A", "FFFFFF00"]
    assert "сверено" in marked["F8"].comment.text


def test_a_form_has_the_days_of_its_month_and_is_accepted_as_filled_in(service):
    assert service("template", "52005", "--entity", CODE, "-o", "form.xlsx").code == 0
    workbook = openpyxl.load_workbook("form.xlsx")
    sheet = workbook.worksheets[0]
    (month,) = [row[1].value for row in sheet.iter_rows() if row[0].value == "Месяц"]
    start = datetime.strptime(month, "%m.%Y")  # noqa: DTZ007 - a month has no zone
    rows = [row for row in sheet.iter_rows() if isinstance(row[-25].value, int)]
    days = [row[-25].value for row in rows]
    assert days == [*range(1, monthrange(start.year, start.month)[1] + 1)] * (
        len(days) // max(days)
    )
    for number, row in enumerate(rows):
        for hour, cell in enumerate(row[-24:]):
            cell.value = 10 + (number * 7 + hour * 3) % 11
    at = (start + timedelta(days=32)).replace(day=1) + timedelta(hours=9)
    path = service.write("letter.eml", letter(("52005.xlsx", saved(workbook))))
    [row] = service("process", path, "--json", "--at", at.isoformat()).rows
    assert row["documents"][0]["verdict"] == "accepted"
    assert row["documents"][0]["values"] == 24 * len(days)


def test_a_workbook_sent_back_with_its_mistake_is_told_again_and_marked_once(service):
    row = received(service, letter(("52006.xlsx", their_own("xlsx"))))
    answered = reply_of(row["letter"])
    name, marked = returned(answered)
    again = letter((name, saved(marked)), answered=answered)
    row = received(service, again, "second.eml")
    assert [f["code"] for f in row["documents"][0]["findings"]] == ["invalid-number"]
    _, marked = returned(reply_of(row["letter"]))
    assert [sheet.title for sheet in marked.worksheets] == ["Замечания", "Показания"]
    commented = [c for r in marked.worksheets[1].iter_rows() for c in r if c.comment]
    assert [cell.coordinate for cell in commented] == ["F9"]


def test_a_mended_document_of_xml_is_sent_back_as_an_answer(service):
    text = (
        f'<package class="52006" version="1" sender_code="{CODE}" created="20261102090000">'
        f'<meter number="{METER}" point="{POINT}">'
        '<reading date_time="2026110100" zone="T1" value="12345.67"/>'
        '<reading date_time="2026110100" zone="T2" value="нет"/></meter></package>'
    )
    row = received(service, letter(("z.xml", text.encode())))
    assert row["documents"][0]["verdict"] == "rejected"
    answered = reply_of(row["letter"])
    assert "отправьте целиком ответом на это письмо" in text_of(answered)
    assert MENDED not in text_of(answered)
    mended = letter(("z.xml", text.replace("нет", "2345.6").encode()), answered=answered)
    assert is_accepted_whole(received(service, mended, "second.eml"))
