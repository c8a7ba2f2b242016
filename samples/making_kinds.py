"""Letters of every kind of part: each is read, known to be harmless, or named."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from making import (
    ADDRESSES,
    APPLE,
    OUTLOOK,
    PRIMER,
    SOKOLOVA,
    YANDEX,
    Sample,
    at,
    doc,
    expect,
    file_part,
    hello,
    login,
    mail,
    next_reading,
    opaque,
    part,
    rows_52006,
    several,
    text_part,
    uuencoded,
    winmail,
    winmail_rtf,
    word,
    xlsx,
    zipped,
)

XML_NAME = "z52006.xml"
SENDER = "kassa@mail.example"
GOOD = doc("52006")
UNREAD = "attachment-not-read"
RAR = b"Rar!\x1a\x07\x01\0" + bytes(40)
SEVEN = b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)
OLE_LETTER = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "__substg1.0_0037001F".encode("utf-16-le")
)
PHOTO = b"\xff\xd8\xff\xe0" + bytes(200_000)
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def letter(*parts: bytes, body: str | None = None, **about: str) -> bytes:
    """A letter of a body and files."""
    about = {"sender": SENDER, "extra": OUTLOOK} | about
    return mail(several(text_part(hello() if body is None else body), *parts), **about)


def document() -> bytes:
    """A good document as an attachment."""
    return file_part(XML_NAME, next_reading(), "text/xml")


def taken(name: str, content: bytes, count: int = 1, told: int = 0, **about: str) -> Sample:
    """A letter all of whose documents are accepted, and whose other files are named."""
    findings = (UNREAD,) * told
    return Sample(
        name,
        content,
        expect("accepted", *([GOOD] * count), findings=findings, entity=SOKOLOVA, **about),
    )


def beside(name: str, *files: bytes) -> Sample:
    """A document that is accepted, and files beside it that are named."""
    return taken(name, letter(document(), *files), told=len(files))


UNREADABLE = doc(None, "unreadable", "unreadable-document")


def half(name: str, file: bytes) -> Sample:
    """A document that is accepted, and one beside it that cannot be read."""
    expected = expect("partly_accepted", GOOD, UNREADABLE, entity=SOKOLOVA)
    return Sample(name, letter(document(), file), expected)


def without(name: str, *files: bytes, told: int = 1, body: str | None = None) -> Sample:
    """A letter in which there is no document, and that says why each file is none."""
    findings = ("no-documents",) * told
    return Sample(
        name,
        letter(*files, body=body),
        expect("rejected", findings=findings, entity=SOKOLOVA),
    )


def book(password: str = "") -> bytes:
    """A workbook of readings at an hour that no other letter has used."""
    text = next_reading().decode("cp1251")
    moment = at(1).strptime(text.partition('date_time="')[2][:10], "%Y%m%d%H")
    rows = rows_52006(SOKOLOVA, moment, password)
    shown = f"{moment:%d.%m.%Y %H:%M}"
    return xlsx(*((row[0], shown) if row and row[0] == "Дата показаний" else row for row in rows))


def archives() -> Iterator[Sample]:
    """Archives that are not opened, alone and under other names; zips within zips."""
    yield without("a01-rar-alone", file_part("показания.rar", RAR))
    yield without("a02-7z-alone", file_part("показания.7z", SEVEN))
    yield without("a03-rar-and-picture-alone", file_part("1.rar", RAR), photo(), told=2)
    inner = zipped(("цех 2.rar", RAR), (XML_NAME, next_reading()))
    yield taken("a04-rar-in-a-zip", letter(file_part("все.zip", inner)), told=1)
    three = zipped(("два.zip", zipped(("три.zip", zipped((XML_NAME, next_reading()))))))
    yield taken("a05-zip-in-zip-in-zip", letter(file_part("один.zip", three)))
    deep = next_reading()
    for level in range(6):
        deep = zipped((f"{level}.zip" if level else XML_NAME, deep))
    yield taken(
        "a06-zip-too-deep-beside", letter(document(), file_part("глубоко.zip", deep)), told=1
    )
    names = zipped(("Показания за ноябрь.xml", next_reading()), charset="cp1251")
    yield taken("a07-zip-names-in-1251", letter(file_part("nov.zip", names)))


def photo(name: str = "IMG_2311.jpg", head: str = "") -> bytes:
    """A photograph of a meter."""
    about = f'Content-Type: image/jpeg; name="{name}"\n'
    return part(about + (head or f'Content-Disposition: attachment; filename="{name}"'), PHOTO)


def outlook() -> Iterator[Sample]:
    """What Outlook makes: saved letters, winmail.dat, inline pictures."""
    yield beside("a08-msg-by-content-beside", file_part("Показания", OLE_LETTER))
    yield without("a09-msg-by-content-alone", file_part("Показания", OLE_LETTER))
    rich = winmail_rtf([("показания.xlsx", book())], login())
    yield taken(
        "a10-winmail-rtf-with-workbook",
        letter(file_part("winmail.dat", rich, "application/ms-tnef"), body="\n"),
    )
    empty = winmail([], "С уважением")
    yield taken(
        "a11-winmail-without-files-beside",
        letter(document(), file_part("winmail.dat", empty, "application/ms-tnef")),
    )
    held = winmail([("цех 2.rar", RAR), (XML_NAME, next_reading())], login())
    yield taken(
        "a12-winmail-with-rar",
        letter(file_part("winmail.dat", held, "application/ms-tnef"), body="\n"),
        told=1,
    )
    cut = winmail([(XML_NAME, next_reading())], login())[:200]
    yield half("a13-winmail-cut-off-beside", file_part("winmail.dat", cut, "application/ms-tnef"))
    head = "Content-ID: <meter>\nContent-Disposition: inline"
    small = part(
        f'Content-Type: image/png; name="image001.png"\n{head}', b"\x89PNG\r\n\x1a\n" + bytes(900)
    )
    yield taken(
        "a14-inline-logo-and-photo", letter(document(), small, photo("image002.jpg", head)), told=1
    )


def signed() -> Iterator[Sample]:
    """Signed files, told by their content."""
    yield taken(
        "a15-p7s-holds-the-document", letter(file_part(f"{XML_NAME}.p7s", opaque(next_reading())))
    )
    yield taken(
        "a16-p7m-under-the-name-of-its-document",
        letter(file_part(XML_NAME, opaque(next_reading()), "text/xml")),
    )
    yield taken(
        "a17-signed-twice", letter(file_part(f"{XML_NAME}.sig.sig", opaque(opaque(next_reading()))))
    )
    packed = zipped((f"{XML_NAME}.p7m", opaque(next_reading())), ("readme.txt", b"CryptoARM"))
    yield taken("a18-p7m-in-a-zip", letter(file_part("подпись.zip", packed)), told=1)
    yield taken(
        "a19-signed-zip-of-workbook",
        letter(file_part("показания.zip.sig", opaque(zipped(("показания.xlsx", book()))))),
    )
    detached = opaque(b"").replace(b"\xa0\x80\x24\x80\0\0\0\0", b"")
    yield without("a20-detached-signature-alone", file_part(f"{XML_NAME}.sig", detached))
    yield beside("a21-detached-p7s-beside", file_part(f"{XML_NAME}.p7s", detached))


def in_the_text() -> Iterator[Sample]:
    """Files and tables in the text of a letter."""
    text = f"{hello()}\n{uuencoded('показания.xlsx', book())}\n{uuencoded('b.xml', next_reading())}"
    yield taken("a22-two-uuencoded-in-the-text", mail(text_part(text), sender=SENDER), 2)
    cut = uuencoded(XML_NAME, next_reading()).replace("`\nend\n", "")
    yield taken("a23-uuencoded-without-end", mail(text_part(f"{hello()}\n{cut}"), sender=SENDER))
    rar = uuencoded("цех 2.rar", RAR)
    body = f"{hello()}\n{rar}\n{uuencoded(XML_NAME, next_reading())}"
    yield taken("a24-uuencoded-rar-beside", mail(text_part(body), sender=SENDER), told=1)
    cells = "".join(
        f"<tr><td>{a}</td><td>{b}</td><td>{c}</td></tr>"
        for a, b, c in (("№ прибора учёта", "Зона", "Показание"), ("00000815", "T0", "1790"))
    )
    head = f"<p>{login().replace(chr(10), '<br>')}</p>"
    table = f'<html><body>{head}<table border="0">{cells}</table></body></html>'
    yield Sample(
        "a25-table-pasted-from-excel",
        mail(text_part(table, kind="html"), sender=SENDER, extra=OUTLOOK),
        expect("rejected", findings=("no-documents",), entity=SOKOLOVA),
    )
    yield taken(
        "a26-table-in-the-text-beside",
        mail(several(text_part(table, kind="html"), document()), sender=SENDER, extra=YANDEX),
    )


def forwarded() -> Iterator[Sample]:
    """Letters within letters, and chains of answers with old passwords."""
    inner = letter(file_part("показания.xlsx", book()), body=login())
    yield taken("a27-eml-as-octets", letter(file_part("Показания.eml", inner), body="Пересылаю.\n"))
    twice = letter(file_part("1.eml", letter(document(), body="Ниже.\n")), body="Ещё раз.\n")
    yield taken("a28-eml-in-eml", letter(part("Content-Type: message/rfc822", twice, "8bit")))
    packed = zipped(("письмо.eml", letter(document(), body="Вложение.\n")))
    yield taken("a29-eml-in-a-zip", letter(file_part("письмо.zip", packed)))
    coded = part("Content-Type: message/rfc822", letter(document(), body="\n"), "base64")
    yield taken("a30-rfc822-in-base64", letter(coded))
    rar = letter(file_part("цех 2.rar", RAR), body="Прошлый месяц.\n")
    yield taken(
        "a31-forwarded-letter-with-rar-beside",
        letter(document(), part("Content-Type: message/rfc822", rar, "8bit")),
        told=1,
    )
    chain = (
        f"{hello()}\n-----Исходное сообщение-----\nОт: Приём показаний\nТема: RE: Показания\n\n"
        f"> Код пользователя: {PRIMER}\n> Пароль: прошлогодний\n>> Пароль: ещё старее\n"
    )
    yield taken("a32-chain-of-old-passwords", letter(document(), body=chain))
    old = letter(body=login(PRIMER, "прошлогодний"))
    yield taken(
        "a33-forwarded-with-another-code-inside",
        letter(document(), part("Content-Type: message/rfc822", old, "8bit")),
    )


def false_names() -> Iterator[Sample]:
    """Names and types that lie about the content, or say nothing."""
    yield taken(
        "a34-workbook-named-pdf", letter(file_part("показания.pdf", book(), "application/pdf"))
    )
    yield taken("a35-xml-as-a-picture", letter(file_part("scan.jpg", next_reading(), "image/jpeg")))
    yield taken(
        "a36-workbook-as-text", letter(file_part("показания", book(), "text/plain; charset=utf-8"))
    )
    false = [
        ("a37-rar-named-xlsx", RAR),
        ("a38-pdf-named-xlsx", b"%PDF-1.4\n%%EOF"),
        ("a39-picture-named-xlsx", PHOTO[:4000]),
        ("a40-lock-of-excel-named-xlsx", b"\x06Ivanov" + bytes(158)),
    ]
    for name, content in false:
        yield half(name, file_part("показания.xlsx", content, SPREADSHEET))
    raw = word("Показания за ноябрь.xml", "cp1251").replace("cp1251", "koi8-r")
    yield taken(
        "a41-name-in-a-false-charset",
        letter(part(f'Content-Disposition: attachment; filename="{raw}"', next_reading())),
    )
    eight = "показания.xml".encode("koi8-r").decode("utf-8", "surrogateescape")
    head = f'Content-Type: text/xml; name="{eight}"\nContent-Disposition: attachment'
    yield taken("a42-raw-name-in-koi8", letter(part(head, next_reading())))
    yield half("a43-empty-file-beside", file_part("показания.xlsx", b"", SPREADSHEET))
    yield Sample(
        "a44-empty-file-alone",
        letter(file_part("показания.xml", b"")),
        expect("rejected", UNREADABLE, entity=SOKOLOVA),
    )


def pretenders() -> Iterator[Sample]:
    """What only pretends to be a workbook."""
    folder = Path(__file__).parent / "52006"
    for name, kept in (
        ("a45-web-page", "web-page-named-workbook.xls"),
        ("a46-xml-table-2003", "xml-table-2003.xls"),
        ("a47-web-archive", "web-archive-named-workbook.xls"),
    ):
        content = (folder / kept).read_bytes()
        file = file_part("показания.xls", content, "application/vnd.ms-excel")
        yield half(f"{name}-named-xls-beside", file)
    lines = "Прибор;Зона;Показание\r\n00000815;T0;1790\r\n00000815;T1;0\r\n".encode("cp1251")
    yield Sample(
        "a48-csv-named-xls",
        letter(file_part("показания.xls", lines, "application/vnd.ms-excel")),
        expect("rejected", UNREADABLE, entity=SOKOLOVA),
    )
    yield beside("a49-csv-beside", file_part("показания.csv", lines, "text/csv"))
    yield without("a50-csv-alone", file_part("показания.csv", lines, "text/csv"))
    yield beside("a51-text-beside", file_part("показания.txt", b"00000815 1790\r\n", "text/plain"))


def others() -> Iterator[Sample]:
    """Two documents of which one is bad, robots, calendars, cards, cases of other programs."""
    wrong = next_reading().replace(b'value="', b'value="x')
    yield Sample(
        "a52-two-documents-one-bad",
        letter(document(), file_part("вторые.xml", wrong, "text/xml"), extra=APPLE),
        expect(
            "partly_accepted", GOOD, doc("52006", "rejected", "invalid-number"), entity=SOKOLOVA
        ),
    )
    made = "Auto-Submitted: auto-generated\nX-Mailer: 1C:Enterprise 8.3"
    yield taken("a53-generated-by-a-program", letter(document(), extra=made))
    meeting = part(
        "Content-Type: text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    )
    yield taken("a54-invitation-beside", letter(document(), meeting))
    yield beside(
        "a55-shortcut-beside", file_part("Показания.lnk", b"L\0\0\0\x01\x14\x02\0" + bytes(99))
    )
    group = "List-Id: Показания <meters.retailer.example>\nPrecedence: list"
    yield Sample(
        "a56-group-without-the-key",
        letter(document(), extra=group),
        expect("ignored", source="body"),
    )
    away = letter(document(), extra="Auto-Submitted: auto-replied", subject="Автоответ: Показания")
    yield Sample("a57-automatic-answer-with-its-document", away, expect("ignored", source="body"))


def as_tried() -> Iterator[Sample]:
    """Letters that went wrong once: a book whose marking is costly, one of other part names."""
    rows = rows_52006(PRIMER, at(17))
    rows[-2] = (*rows[-2][:-1], "нет данных")
    notes = [(*[""] * 6, *["сверено"] * 14)] * 2990
    yield Sample(
        "a58-large-workbook-with-a-mistake",
        letter(
            file_part("показания.xlsx", xlsx(*rows, *notes)),
            body=login(PRIMER),
            code=PRIMER,
            sender=ADDRESSES[PRIMER],
        ),
        expect("rejected", doc("52006", "rejected", "invalid-number"), entity=PRIMER),
    )
    kept = Path(__file__).parent / "52006/part-names-with-backslashes.xlsx"
    yield Sample(
        "a59-part-names-with-backslashes-beside",
        letter(
            file_part(XML_NAME, next_reading(PRIMER)),
            file_part("показания-2.xlsx", kept.read_bytes()),
            body=login(PRIMER),
            code=PRIMER,
            sender=ADDRESSES[PRIMER],
        ),
        expect("accepted", GOOD, doc("52006", "accepted", "late-submission"), entity=PRIMER),
    )


def of_programs() -> Iterator[Sample]:
    """Links, and what mail programs, Apple and PGP put into a letter or beside a file."""
    link = f"{hello()}\nЦех 2: https://disk.yandex.ru/i/AbCdEf123\n"
    yield taken("a60-link-to-a-storage-beside", letter(document(), body=link), told=1)
    double = b"\0\x05\x16\x07" + bytes(80)
    yield taken("a61-apple-double-beside", letter(file_part(f"._{XML_NAME}", double), document()))
    packed = base64.encodebytes(next_reading()).decode("ascii")
    lost = f'Content-Type: text/xml; name="{XML_NAME}"\nContent-Transfer-Encoding: base64\n\n'
    body = f"{hello()}\n--b1\n{lost}{packed}--b1--\n"
    yield taken("a62-part-in-the-text", mail(text_part(body), sender=SENDER))
    locked = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
    yield Sample(
        "a63-encrypted-by-pgp-beside",
        letter(document(), file_part("цех 2.xlsx.asc", locked)),
        expect("partly_accepted", GOOD, findings=("encrypted-document",), entity=SOKOLOVA),
    )


def told_only() -> Iterator[Sample]:
    """What is told and not read: other encodings, parts of a letter, the lock of a workbook."""
    binhex = "(This file must be converted with BinHex 4.0)\n\n:$f*TEQKPH#jdHA3!!2rrN!3!!\n!!:\n"
    body = f"{hello()}\n{binhex}"
    yield taken("a64-binhex-in-the-text", letter(document(), body=body), told=1)
    lock = file_part("~$цех 2.xlsx", b"\x06Ivanov" + bytes(158))
    yield beside("a65-lock-of-another-workbook-beside", lock)
    head = 'Content-Type: message/partial; id="1@mail.example"; number=1; total=2'
    yield Sample(
        "a66-one-part-of-a-letter",
        mail(part(head, letter(document()), "8bit"), sender=SENDER),
        expect("refused", findings=("no-documents",), source=None),
    )


def kinds() -> Iterator[Sample]:
    """All of them."""
    yield from archives()
    yield from outlook()
    yield from signed()
    yield from in_the_text()
    yield from forwarded()
    yield from false_names()
    yield from pretenders()
    yield from others()
    yield from as_tried()
    yield from of_programs()
    yield from told_only()
