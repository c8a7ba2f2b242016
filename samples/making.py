"""Documents, containers and mail as senders' programs write them, for the samples.

What the standard library's writer would put right (missing boundaries, raw 8-bit
names, wrong charsets) must stay wrong, so the letters are put together by hand.
"""

from __future__ import annotations

import base64
import binascii
import io
import quopri
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import openpyxl
import xlwt

PRIMER, ZAVOD, SOKOLOVA = "200000001234", "200000003080", "000000004711"
PASSWORDS = {PRIMER: "Zima-2026", ZAVOD: "klyuch 7 mart", SOKOLOVA: "Пароль№5"}
NAMES = {
    PRIMER: "ООО «Пример»",
    ZAVOD: "АО «Владимирский завод»",
    SOKOLOVA: "ИП Соколова",
}
ADDRESSES = {
    PRIMER: "buh@primer.example",
    ZAVOD: "energo@vlzavod.example",
    SOKOLOVA: "sokolova@mail.example",
}
# Nobody is owed more than 50 replies a day at one address.
ALSO_SOKOLOVA = ("sokolova@mail.example", "sokolova@yandex.example", "magazin@mail.example")
OURS = "meters@retailer.example"


@dataclass(frozen=True)
class Sample:
    """One letter and what becomes of it, in the order of the names."""

    name: str
    content: bytes
    expected: dict[str, object]


def expect(
    outcome: str,
    *documents: dict[str, object],
    findings: tuple[str, ...] = (),
    source: str | None = "body",
    entity: str | None = None,
) -> dict[str, object]:
    """What is kept beside a letter."""
    return {
        "outcome": outcome,
        "findings": list(findings),
        "documents": list(documents),
        "credentials": source,
        "entity": entity,
    }


def doc(layout: str | None, verdict: str = "accepted", *findings: str) -> dict[str, object]:
    """What is expected of one document."""
    return {"layout": layout, "verdict": verdict, "findings": list(findings)}


# Documents.


def kwh(moment: datetime, scale: int) -> int:
    """An hour's consumption: a day's curve with a little noise, in kWh."""
    curve = (0, 0, 0, 0, 1, 4, 10, 22, 30, 32, 31, 28, 24, 29, 31, 30, 26, 20, 14, 9, 6, 3, 1, 0)
    noise = zlib.crc32(f"{moment:%Y%m%d%H}".encode()) % 7
    return (40 + curve[moment.hour] + noise) * scale


def hours(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every hour from `first` up to, without, `last`."""
    while first < last:
        yield first
        first += timedelta(hours=1)


def z52005(
    created: datetime,
    *,
    code: str = PRIMER,
    scale: int = 1,
    padded: bool = False,
    changed: tuple[str, ...] = (),
    password: str = "",
    begin: datetime = datetime(2026, 11, 1),  # noqa: DTZ001 - local time, as the form has it
) -> str:
    """A month's 52005 up to `created`; `padded` with zeros for the hours to come."""
    secret = f' password="{password}"' if password else ""
    rows = [
        (
            f'<package class="52005" version="1" sender_code="{code}"'
            f' sender_name="{NAMES[code]}" created="{created:%Y%m%d%H%M%S}"{secret}>'
        )
    ]
    last = datetime(2026, 12, 1) if padded else created.replace(minute=0, second=0)  # noqa: DTZ001
    for hour in hours(begin, last):
        done = hour + timedelta(hours=1) <= created
        value = kwh(hour, scale) + (3 if f"{hour:%Y%m%d%H}" in changed else 0) if done else 0
        energy = f"{value / 1000:.3f}" if done else "0"
        rows.append(f'<consumption date_time="{hour:%Y%m%d%H}" energy="{energy}"/>')
    return "\r\n".join([*rows, "</package>", ""])


def reading(moment: datetime, rate: float, start: int, decimals: int) -> str:
    """A register's value: it grows by `rate` an hour from `start` on 1 November."""
    passed = (moment - at(1)) / timedelta(hours=1)
    return f"{start + passed * rate:.{decimals}f}"


# Number, point, each zone's value on 1 November, growth an hour, decimals.
METERS = {
    PRIMER: (("07512345", f"{PRIMER}-01", {"T1": 12350, "T2": 2350}, 0.5, 2),),
    ZAVOD: (
        ("11223344", f"{ZAVOD}-01", {"T1": 4190, "T2": 4200, "T3": 4210}, 3.0, 1),
        ("11223355", f"{ZAVOD}-02", {"T0": 8880}, 2.0, 2),
    ),
    SOKOLOVA: (("00000815", SOKOLOVA, {"T0": 1580}, 1.0, 0),),
}


def z52006(code: str, moment: datetime, *, password: str = "", extra: str = "") -> str:
    """Every meter of an entity, read at one instant."""
    made = moment + timedelta(hours=9)
    secret = f' password="{password}"' if password else ""
    rows = [
        (
            f'<package class="52006" version="1" sender_code="{code}"'
            f' sender_name="{NAMES[code]}" created="{made:%Y%m%d%H%M%S}"{secret}>'
        )
    ]
    for meter, point, zones, rate, decimals in METERS[code]:
        rows.append(f'<meter number="{meter}" point="{point}">')
        for zone, start in zones.items():
            value = reading(moment, rate, start, decimals)
            stated = "" if zone == "T0" else f' zone="{zone}"'
            rows.append(
                f'<reading date_time="{moment:%Y%m%d%H}" channel="A+"{stated} value="{value}"/>'
            )
        rows.append("</meter>")
    return "\r\n".join([*rows, *([extra] if extra else []), "</package>", ""])


def z80020(day: datetime, number: int, *, doubtful: int = 0, number_class: str = "80020") -> str:
    """A day's half-hours of the one point in the area, on channels 01 and 03."""
    stamp = day + timedelta(days=1, hours=9, seconds=number)
    rows = [
        f'<message class="{number_class}" version="2" number="{number}">',
        (
            f"<datetime><timestamp>{stamp:%Y%m%d%H%M%S}</timestamp>"
            f"<daylightsavingtime>0</daylightsavingtime><day>{day:%Y%m%d}</day></datetime>"
        ),
        f"<sender><inn>3300000001</inn><name>{NAMES[PRIMER]}</name></sender>",
        '<area timezone="1"><inn>3300000001</inn><name>Пример</name>',
        '<measuringpoint code="332070000107101" name="ПС Примерная, ф. 7">',
    ]
    for channel, scale in (("01", 12), ("03", 5)):
        rows.append(f'<measuringchannel code="{channel}" desc="канал {channel}">')
        for half in range(48):
            start, end = (day + timedelta(minutes=30 * (half + n)) for n in (0, 1))
            flag = ' status="1"' if channel == "01" and half < doubtful else ""
            value = kwh(start, scale) // 2 + half % 3
            rows.append(
                f'<period start="{start:%H%M}" end="{end:%H%M}">'
                f"<value{flag}>{value}</value></period>"
            )
        rows.append("</measuringchannel>")
    return "\r\n".join([*rows, "</measuringpoint></area></message>", ""])


def xml(text: str, encoding: str = "windows-1251", declared: str | None = None) -> bytes:
    """A document's bytes, with an encoding declaration that may be wrong."""
    head = f'<?xml version="1.0" encoding="{declared or encoding}"?>\r\n'
    return (head + text).encode(encoding)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment in November 2026, Moscow time."""
    return datetime(2026, 11, day, hour, minute, second)  # noqa: DTZ001


_NEXT = iter(range(10_000))


def next_reading(code: str = SOKOLOVA, **about: str) -> bytes:
    """A 52006 for the next hour that no other letter has used."""
    moment = at(5) + timedelta(hours=next(_NEXT))
    return xml(z52006(code, moment, **about))


# Workbooks.


def still(content: bytes) -> bytes:
    """A workbook without the moment of its making in it."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-11-20T09:00:00Z", data)
            made = zipfile.ZipInfo(info.filename, (2026, 11, 20, 9, 0, 0))
            new.writestr(made, data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def xlsx(*rows: tuple[object, ...], title: str = "Лист1") -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return still(packed.getvalue())


def book_52005(code: str, created: datetime, scale: int) -> bytes:
    """A month up to yesterday, a row a day."""
    rows: list[tuple[object, ...]] = [
        ("Почасовое потребление электроэнергии",),
        (),
        ("Макет", "52005"),
        ("Код пользователя", code),
        ("Пароль", PASSWORDS[code]),
        ("Организация", NAMES[code]),
        ("Месяц", "11.2026"),
        ("Единица", "кВт·ч"),
        (),
        ("Дата", *(f"{hour:02}" for hour in range(24)), "Итого"),
    ]
    day = at(1)
    while day.date() < created.date():
        values = [kwh(day + timedelta(hours=hour), scale) for hour in range(24)]
        rows.append((f"{day:%d.%m.%Y}", *values, sum(values)))
        day += timedelta(days=1)
    return xlsx(*rows, title="Ноябрь")


def rows_52006(code: str, moment: datetime, password: str = "") -> list[tuple[object, ...]]:
    """A readings sheet, as accountants fill it in."""
    rows: list[tuple[object, ...]] = [
        ("Показания приборов учёта",),
        ("Макет", "52006"),
        ("Код пользователя", code),
        *([("Пароль", password)] if password else []),
        ("Дата показаний", f"{moment:%d.%m.%Y}"),
        (),
        ("№ п/п", "Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"),
    ]
    head = len(rows) - 1
    for meter, point, zones, rate, decimals in METERS[code]:
        for zone, start in zones.items():
            value = float(reading(moment, rate, start, decimals))
            rows.append((len(rows) - head, point, meter, "A+", zone, value))
    return rows


def with_macros(content: bytes) -> bytes:
    """A workbook that says of itself that it has macros."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            data = old.read(info).replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )
            new.writestr(zipfile.ZipInfo(info.filename, info.date_time), data, zipfile.ZIP_DEFLATED)
        new.writestr(zipfile.ZipInfo("xl/vbaProject.bin", (2026, 11, 20, 9, 0, 0)), b"\xcc\x61")
    return packed.getvalue()


def xls(rows: list[tuple[object, ...]]) -> bytes:
    """The same as a workbook of Excel 97."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Показания")
    for at_row, row in enumerate(rows):
        for at_column, value in enumerate(row):
            sheet.write(at_row, at_column, value)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def locked_workbook() -> bytes:
    """What an encrypted .xlsx looks like from outside: its package in an OLE file."""
    content = bytearray(xls([("x",)]))
    old, new = "Workbook".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")
    entry = content.rindex(old)
    content[entry : entry + len(new)] = new
    content[entry + 64 : entry + 66] = struct.pack("<H", len(new) + 2)
    return bytes(content)


# Containers.


def zipped(*files: tuple[str, bytes], charset: str = "cp866", locked: bool = False) -> bytes:
    """A zip as Windows makes it: names in CP866, without the UTF-8 flag."""
    packed = io.BytesIO()
    stand_ins = {}
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, content) in enumerate(files):
            raw = name.encode(charset)
            stand_in = f"{number:02}".ljust(len(raw), "~")[: len(raw)]
            stand_ins[stand_in.encode()] = raw
            info = zipfile.ZipInfo(stand_in, (2026, 11, 20, 9, 0, 0))
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    made = packed.getvalue()
    for stand_in, raw in stand_ins.items():
        made = made.replace(stand_in, raw)
    return _locked(made) if locked else made


def _locked(content: bytes) -> bytes:
    """The encryption flag set on every entry."""
    marked = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), content):
            marked[found.start() + offset] |= 1
    return bytes(marked)


def winmail(files: list[tuple[str, bytes]], body: str) -> bytes:
    """Outlook's winmail.dat with the objects that Exchange writes."""

    def one(level: int, name: int, kind: int, data: bytes) -> bytes:
        head = struct.pack("<BHHL", level, name, kind, len(data))
        return head + data + struct.pack("<H", sum(data) & 0xFFFF)

    made = struct.pack("<LH", 0x223E9F78, 1) + one(1, 0x9006, 8, struct.pack("<L", 0x10000))
    made += one(1, 0x9007, 6, struct.pack("<LL", 1251, 0))
    made += one(1, 0x800C, 2, body.encode("cp1251"))
    for name, content in files:
        made += one(2, 0x9002, 6, bytes(14)) + one(2, 0x8010, 1, name.encode("cp1251") + b"\0")
        made += one(2, 0x800F, 6, content)
    return made


def winmail_rtf(files: list[tuple[str, bytes]], body: str) -> bytes:
    """Outlook's winmail.dat whose body is RTF alone, as it is for a letter in that format."""
    signs = "".join(
        c if c.isascii() else f"\\'{c.encode('cp1251').hex()}"
        for c in body.replace("\n", "\\par\n")
    )
    rtf = ("{\\rtf1\\ansi\\ansicpg1251\\deff0 " + signs + "}").encode("ascii")
    packed = struct.pack("<LL4sL", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    padded = packed + bytes(-len(packed) % 4)
    properties = struct.pack("<LLLL", 1, 0x10090102, 1, len(packed)) + padded
    whole = winmail(files, "")
    empty_body = struct.pack("<BHHL", 1, 0x800C, 2, 0) + bytes(2)
    head = struct.pack("<BHHL", 1, 0x9003, 6, len(properties))
    check = struct.pack("<H", sum(properties) & 0xFFFF)
    return whole.replace(empty_body, head + properties + check, 1)


def uuencoded(name: str, content: bytes) -> str:
    """A file in the text of a letter, as mail programs before MIME sent it."""
    lines = [binascii.b2a_uu(content[n : n + 45]).decode() for n in range(0, len(content), 45)]
    return f"begin 644 {name}\n{''.join(lines)}`\nend\n"


def opaque(content: bytes) -> bytes:
    """A CMS SignedData around `content`, with indefinite lengths as Outlook writes."""

    def open_ended(tag: int, *inside: bytes) -> bytes:
        return bytes([tag, 0x80]) + b"".join(inside) + b"\0\0"

    def piece(data: bytes) -> bytes:
        return b"\x04\x82" + struct.pack(">H", len(data)) + data

    pieces = [piece(content[n : n + 1000]) for n in range(0, len(content), 1000)]
    data, signed = (bytes.fromhex(f"06092a864886f70d0107{n}") for n in ("01", "02"))
    carried = open_ended(0x30, data, open_ended(0xA0, open_ended(0x24, *pieces)))
    inside = open_ended(0x30, b"\x02\x01\x01", b"\x31\x00", carried, b"\x31\x00")
    return open_ended(0x30, signed, open_ended(0xA0, inside))


# Mail.


def word(text: str, charset: str = "utf-8") -> str:
    """An encoded word, RFC 2047."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


def in_base64(content: bytes) -> bytes:
    """Base64 in lines of 76, as all programs send it."""
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def part(head: str, content: bytes, coding: str = "base64") -> bytes:
    """A part with its header; `head` may hold characters that must stay raw."""
    coded = {
        "base64": in_base64,
        "quoted-printable": lambda c: quopri.encodestring(c.replace(b"\r\n", b"\n")).replace(
            b"\n", b"\r\n"
        ),
    }.get(coding, bytes)(content)
    lines = head.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    return lines + f"\r\nContent-Transfer-Encoding: {coding}\r\n\r\n".encode() + coded


def text_part(
    text: str, charset: str = "utf-8", coding: str = "8bit", kind: str = "plain"
) -> bytes:
    """A body."""
    content = text.replace("\n", "\r\n").encode(charset)
    return part(f"Content-Type: text/{kind}; charset={charset}", content, coding)


def file_part(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """An attachment with a name in ASCII."""
    head = (
        f'Content-Type: {kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"'
    )
    return part(head, content)


def several(*parts: bytes, kind: str = "mixed", boundary: str = "bound", end: bool = True) -> bytes:
    """A multipart of `parts`, with its own Content-Type."""
    mark = boundary.encode()
    inside = b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    return head + inside + (b"--" + mark + b"--\r\n" if end else b"")


_NUMBER = iter(range(1, 10_000))


def mail(
    content: bytes,
    *,
    code: str = SOKOLOVA,
    subject: str = "Показания",
    sender: str | None = None,
    extra: str = "X-Mailer: Microsoft Outlook 16.0",
) -> bytes:
    """A letter: the header that mail programs have in common, and its content."""
    number = next(_NUMBER)
    usual = ALSO_SOKOLOVA[number % 3] if code == SOKOLOVA else ADDRESSES[code]
    address = usual if sender is None else sender
    moment = at(21, 9) + timedelta(minutes=number)
    sent = f"Sat, {moment:%d %b %Y %H:%M:%S} +0300"
    shown = subject if subject.isascii() else word(subject)
    lines = [
        f"Received: from mx.example ([192.0.2.7]) by mail.retailer.example; {sent}",
        f"From: {word(NAMES[code])} <{address}>" if address else "",
        f"To: <{OURS}>",
        f"Subject: {shown}",
        f"Date: {sent}",
        f"Message-ID: <{number:04}.20261121@{address.rpartition('@')[2] or 'local'}>",
        *extra.split("\n"),
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(filter(None, lines)).encode("utf-8", "surrogateescape") + b"\r\n" + content


def login(code: str = SOKOLOVA, password: str | None = None) -> str:
    """The two lines that most senders write."""
    return f"Код пользователя: {code}\nПароль: {password or PASSWORDS[code]}\n"


def hello(code: str = SOKOLOVA) -> str:
    """An ordinary body with credentials."""
    return f"Добрый день!\n\nПоказания во вложении.\n\n{login(code)}\nС уважением, бухгалтерия\n"


OUTLOOK = "X-Mailer: Microsoft Outlook 16.0\nThread-Index: Adt0ZwAAAAAAAAAA\nContent-Language: ru"
THUNDERBIRD = "User-Agent: Mozilla Thunderbird\nContent-Language: ru-RU"
APPLE = "X-Mailer: Apple Mail (2.3774.300.61.1.2)"
MAILRU = "X-Mailer: Mail.Ru Mailer 1.0\nX-Priority: 3 (Normal)"
YANDEX = "X-Mailer: Yamail [ http://yandex.ru ] 5.0\nX-Yandex-Spam: 1"
ONE_C = "X-Mailer: 1C:Enterprise 8.3"
METERING = "Auto-Submitted: auto-generated\nX-Mailer: AlphaCENTER 3.17\nPrecedence: bulk"
