"""The workbook that a reply returned is mended and sent back as an answer to it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from storage.ledger import Ledger

CODE, PASSWORD = "200000001234", "Zima-2026"
AT = "2026-11-02T09:41"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
ROWS = [
    ("Показания приборов учёта",),
    ("Макет", "52006"),
    ("Код пользователя", CODE),
    ("Пароль", PASSWORD),
    ("Дата показаний", "01.11.2026"),
    (),
    ("№ п/п", "Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"),
    (1, "200000001234-01", "07512345", "A+", "T1", 12345.67),
    (2, "200000001234-01", "07512345", "A+", "T2", "нет данных"),
]


def book(rows: list[tuple[object, ...]]) -> Workbook:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    return workbook


def saved(workbook: Workbook) -> bytes:
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()


def letter(content: bytes, name: str, answered: EmailMessage | None = None) -> bytes:
    made = EmailMessage()
    made["From"] = "buh@primer.example"
    made["Message-ID"] = f"<{len(content)}@primer.example>"
    text = f"Код: {CODE}\nПароль: {PASSWORD}\n"
    made["Subject"] = "Показания за октябрь"
    if answered is not None:
        del made["Subject"]
        made["Subject"] = f"Re: {answered['Subject']}"
        made["In-Reply-To"] = made["References"] = answered["Message-ID"]
        body = answered.get_body(("plain",))
        assert body is not None
        quoted = "\n".join(f"> {line}" for line in body.get_content().splitlines())
        text = f"Исправили.\n{text}\n01.11.2026, Приём показаний пишет:\n{quoted}\n"
    made.set_content(text)
    made.add_attachment(content, "application", "octet-stream", filename=name)
    return made.as_bytes()


def reply_of(number: int) -> EmailMessage:
    """The reply that is owed to a letter."""
    ledger = Ledger("sqlite:///ingest.db")
    try:
        with ledger.transaction() as store:
            owed = store.outbox.lease(limit=100)
    finally:
        ledger.close()
    (content,) = [one.content for one in owed if one.letter == number]
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def returned(message: EmailMessage) -> tuple[str, Workbook]:
    """Name and content of the marked workbook in a reply."""
    (part,) = [p for p in message.iter_attachments() if str(p.get_filename()).endswith(".xlsx")]
    return str(part.get_filename()), openpyxl.load_workbook(io.BytesIO(part.get_content()))


@pytest.mark.parametrize("form", ["their own", "ours"])
def test_the_marked_workbook_is_mended_and_sent_back_as_an_answer(service, form):
    workbook, cell = book(ROWS), "F9"
    if form == "ours":
        made = service("template", "52006", "--entity", CODE, "-o", "form.xlsx")
        assert made.code == 0
        workbook = openpyxl.load_workbook("form.xlsx")
        sheet = workbook.worksheets[0]
        first, second = [row[6] for row in sheet.iter_rows() if row[1].value == "07512345"][:2]
        first.value, second.value, cell = 12345.67, "нет данных", second.coordinate
        (date,) = [row[1] for row in sheet.iter_rows() if row[0].value == "Дата показаний"]
        date.value = datetime(2026, 11, 1)  # noqa: DTZ001 - a cell has no zone
    path = service.write("first.eml", letter(saved(workbook), "52006.xlsx"))
    [row] = service("process", path, "--json", "--at", AT).rows
    assert row["documents"][0]["verdict"] != "accepted"

    answered = reply_of(row["letter"])
    name, marked = returned(answered)
    assert PASSWORD not in str(list(marked.worksheets[1].values))
    assert marked.worksheets[1][cell].comment is not None
    marked.worksheets[1][cell].value = 2345.6
    path = service.write("second.eml", letter(saved(marked), name, answered))
    [row] = service("process", path, "--json", "--at", AT).rows
    assert (row["outcome"], row["findings"]) == ("accepted", [])
    [document] = row["documents"]
    assert (document["verdict"], document["values"]) == ("accepted", 2)
    assert document["findings"] == []
    assert row["reply"]["subject"].count("Re:") == 1
