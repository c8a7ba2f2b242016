"""Makes the letters under `samples/letters`, byte for byte the same each time.

Run from the repository's root: `python samples/make_letters.py`. The letters are
read in the order of their names into one database with `samples/registry.csv`, on
2026-11-22 at 12:00 Moscow time; each expectation is the one in that order.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from making import (
    APPLE,
    MAILRU,
    METERING,
    METERS,
    NAMES,
    ONE_C,
    OURS,
    OUTLOOK,
    PASSWORDS,
    PRIMER,
    SOKOLOVA,
    THUNDERBIRD,
    YANDEX,
    ZAVOD,
    Sample,
    at,
    book_52005,
    doc,
    expect,
    file_part,
    hello,
    hours,
    in_base64,
    kwh,
    locked_workbook,
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
    with_macros,
    word,
    xls,
    xlsx,
    xml,
    z52005,
    z52006,
    z80020,
    zipped,
)
from making_kinds import kinds

FOLDER = Path(__file__).parent / "letters"

XML_NAME = "z52006.xml"
GOOD = doc("52006")
STRANGER = "stranger@nowhere.example"


def good(
    *, source: str = "body", findings: tuple[str, ...] = (), code: str = SOKOLOVA
) -> dict[str, object]:
    """A letter whose one 52006 is accepted."""
    return expect("accepted", doc("52006", "accepted", *findings), source=source, entity=code)


def refused(finding: str, source: str | None = "body") -> dict[str, object]:
    """A letter that proves no sender."""
    return expect("refused", findings=(finding,), source=source)


def ignored(source: str | None = None) -> dict[str, object]:
    """A letter that is never answered."""
    return expect("ignored", source=source)


def attached(
    content: bytes | None = None, *, body: str | None = None, code: str = SOKOLOVA, **about: str
) -> bytes:
    """An ordinary letter: a body, and an .xml file."""
    document = next_reading() if content is None else content
    parts = several(text_part(body or hello(code)), file_part(XML_NAME, document, "text/xml"))
    return mail(parts, code=code, **about)


def with_head(head: str, coding: str = "base64") -> bytes:
    """A letter whose attachment has the given header."""
    return mail(several(text_part(hello()), part(head, next_reading(), coding)), extra=THUNDERBIRD)


def demo_accepted() -> Iterator[Sample]:
    """The demo's first letters: every layout as XML and as a workbook."""
    month = xml(z52005(at(14, 19, 32, 32), padded=True))
    yield Sample(
        "00-52005-xml",
        mail(
            several(
                text_part(hello(PRIMER)),
                file_part("z5200520000000123420261114193232.xml", month, "text/xml"),
                boundary="------------0A1b2C3d4E5f",
            ),
            code=PRIMER,
            subject="Почасовое потребление за ноябрь",
            extra=THUNDERBIRD,
        ),
        expect("accepted", doc("52005"), entity=PRIMER),
    )
    yield Sample(
        "01-52006-xml",
        mail(
            several(
                text_part(hello(PRIMER), "koi8-r", "quoted-printable"),
                file_part("52006.xml", xml(z52006(PRIMER, at(15)))),
                boundary="----=_NextPart_000_0001_01DC5B00.A1B2C3D4",
            ),
            code=PRIMER,
            subject="Показания счётчика",
            extra=OUTLOOK,
        ),
        expect("accepted", doc("52006"), entity=PRIMER),
    )
    name = "80020_3300000001_20261118_37_3300000001"
    packed = zipped((f"{name}.xml", xml(z80020(at(18), 37))))
    yield Sample(
        "02-80020-zip-metering-system",
        mail(
            several(text_part(login(PRIMER)), file_part(f"{name}.zip", packed, "application/zip")),
            code=PRIMER,
            sender="askue@primer.example",
            subject="80020 20261118",
            extra=METERING,
        ),
        expect("accepted", doc("80020"), entity=PRIMER),
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    yield Sample(
        "03-52005-workbook",
        mail(
            several(
                text_part("Добрый день! Файл во вложении.\n"),
                file_part("52005.xlsx", book_52005(ZAVOD, at(20), 10), kind),
            ),
            code=ZAVOD,
            subject="Почасовка АО «Владимирский завод»",
            extra=OUTLOOK,
        ),
        expect("accepted", doc("52005"), source="document", entity=ZAVOD),
    )
    yield Sample(
        "04-52006-workbook",
        mail(
            several(
                text_part("Показания за ноябрь. Соколова\n"),
                file_part("52006.xlsx", xlsx(*rows_52006(SOKOLOVA, at(20), "Пароль№5")), kind),
                boundary="--ALT--n0a1l2t31700000000",
            ),
            extra=MAILRU,
        ),
        expect("accepted", doc("52006"), source="document", entity=SOKOLOVA),
    )


def demo_mistakes() -> Iterator[Sample]:
    """The demo's letters that something is wrong with."""
    wrong = z52006(PRIMER, at(16))
    wrong = wrong.replace('value="12', 'value="12 тыс. ').replace('zone="T2"', 'zone="T9"')
    yield Sample(
        "05-52006-several-mistakes",
        attached(xml(wrong), code=PRIMER, subject="Показания на 16 ноября"),
        expect(
            "rejected",
            doc("52006", "rejected", "invalid-code", "invalid-number"),
            entity=PRIMER,
        ),
    )
    unknown = '<meter number="99887766"><reading date_time="2026111600" value="1.0"/></meter>'
    yield Sample(
        "06-52006-partly-accepted",
        attached(xml(z52006(ZAVOD, at(16), extra=unknown)), code=ZAVOD),
        expect("partly_accepted", doc("52006", "partly_accepted", "unknown-meter"), entity=ZAVOD),
    )
    yield Sample(
        "07-wrong-password",
        attached(
            xml(z52006(PRIMER, at(17))),
            code=PRIMER,
            body=login(PRIMER, "Leto-2026"),
            sender="ivanova@primer.example",
        ),
        refused("credentials-wrong"),
    )
    resend = z52005(at(16, 9, 5), changed=("2026110310", "2026110311"))
    yield Sample(
        "08-52005-resend-with-changes",
        attached(xml(resend), code=PRIMER, subject="Исправленный файл", extra=THUNDERBIRD),
        expect("accepted", doc("52005", "accepted", "value-changed"), entity=PRIMER),
    )
    yield Sample(
        "09-52006-sent-twice",
        attached(xml(z52006(PRIMER, at(15))), code=PRIMER, subject="Показания счётчика, повторно"),
        expect("duplicate", doc("52006", "duplicate", "duplicate-document"), entity=PRIMER),
    )
    yield Sample(
        "10-no-documents",
        mail(
            several(
                text_part(hello(PRIMER)),
                file_part("akt.pdf", b"%PDF-1.4\n%%EOF"),
            ),
            code=PRIMER,
        ),
        expect("rejected", findings=("no-documents",), entity=PRIMER),
    )
    yield Sample(
        "11-auto-reply",
        mail(
            text_part("Я в отпуске до 30 ноября.\n"),
            code=PRIMER,
            subject="Автоматический ответ: Приняты показания",
            extra="Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All",
        ),
        ignored(),
    )
    yield Sample(
        "12-password-missing",
        attached(body=f"Добрый день!\nКод: {SOKOLOVA}\n"),
        refused("credentials-missing"),
    )
    yield Sample(
        "13-document-cut-off",
        attached(xml(z52006(PRIMER, at(17)))[:300], code=PRIMER),
        expect("rejected", doc(None, "unreadable", "unreadable-document"), entity=PRIMER),
    )
    yield Sample(
        "14-encrypted-zip",
        mail(
            several(
                text_part(hello(ZAVOD)),
                file_part("52006.zip", zipped((XML_NAME, b"<x/>"), locked=True), "application/zip"),
            ),
            code=ZAVOD,
        ),
        expect("rejected", findings=("encrypted-document",), entity=ZAVOD),
    )


def demo_others() -> Iterator[Sample]:
    """The demo's last letters: wishes, several documents, a bounce."""
    yield Sample(
        "15-wish-for-a-template",
        mail(text_part(login(ZAVOD)), code=ZAVOD, subject="шаблон 52006"),
        expect("answered", entity=ZAVOD),
    )
    yield Sample(
        "16-wish-for-the-status",
        mail(text_part(login()), subject="Статус", extra=YANDEX),
        expect("answered", entity=SOKOLOVA),
    )
    yield Sample(
        "17-two-documents",
        mail(
            several(
                text_part(hello(ZAVOD)),
                file_part("52005.xml", xml(z52005(at(21, 8, 10), code=ZAVOD, scale=10))),
                file_part("52006.xml", xml(z52006(ZAVOD, at(18)))),
                boundary="Apple-Mail=_5A0B1C2D-0001",
            ),
            code=ZAVOD,
            subject="Показания и почасовка",
            extra=APPLE,
        ),
        expect("accepted", doc("52005"), doc("52006"), entity=ZAVOD),
    )
    bounce = part("Content-Type: message/delivery-status", b"Action: failed\r\n", "7bit")
    yield Sample(
        "18-bounce",
        mail(
            several(text_part("Письмо не доставлено.\n"), bounce, kind="report"),
            sender="MAILER-DAEMON@mx.example",
            subject="Undelivered Mail Returned to Sender",
            extra="Return-Path: <>\nAuto-Submitted: auto-replied",
        ),
        ignored(),
    )
    day = xml(z80020(at(19), 38, doubtful=4))
    yield Sample(
        "19-80020-not-commercial",
        mail(
            several(text_part(login(PRIMER)), file_part("80020_3300000001_20261119_38.xml", day)),
            code=PRIMER,
            sender="askue@primer.example",
            subject="80020 20261119",
            extra=METERING,
        ),
        expect("accepted", doc("80020", "accepted", "not-commercial"), entity=PRIMER),
    )


def charsets() -> Iterator[Sample]:
    """Bodies and headers in every charset, declared or not."""
    for number, (name, head, charset) in enumerate(
        [
            ("koi8-r", "; charset=koi8-r", "koi8-r"),
            ("cp866", "; charset=ibm866", "cp866"),
            ("windows-1251", "; charset=windows-1251", "cp1251"),
            ("utf-8-undeclared", "", "utf-8"),
            ("windows-1251-undeclared", "", "cp1251"),
            ("windows-1251-as-us-ascii", "; charset=us-ascii", "cp1251"),
            ("koi8-r-as-latin-1", "; charset=iso-8859-1", "koi8-r"),
            ("windows-1251-as-utf-8", "; charset=utf-8", "cp1251"),
            ("unknown-charset", "; charset=x-unknown", "cp1251"),
        ],
        start=20,
    ):
        # КОИ-8 has no sign for "№", which the other password begins with.
        code = ZAVOD if charset == "koi8-r" else SOKOLOVA
        body = hello(code).replace("\n", "\r\n").encode(charset)
        parts = several(
            part(f"Content-Type: text/plain{head}", body, "8bit"),
            file_part(XML_NAME, next_reading(code)),
        )
        yield Sample(f"{number}-body-{name}", mail(parts, code=code, extra=ONE_C), good(code=code))
    parts = several(text_part(hello()), file_part(XML_NAME, next_reading()))
    raw = mail(parts, extra=ONE_C).replace(word("Показания").encode(), "Показания".encode("cp1251"))
    yield Sample(
        "29-raw-header",
        raw.replace(word(NAMES[SOKOLOVA]).encode(), "ИП Соколова".encode("cp1251")),
        good(),
    )
    # A letter of two bytes is cut in half between two encoded words.
    whole = "Показания счётчиков".encode()
    halves = " ".join(
        f"=?UTF-8?B?{in_base64(h).decode().strip()}?=" for h in (whole[:7], whole[7:])
    )
    yield Sample(
        "30-subject-cut-inside-a-letter",
        mail(several(text_part(hello()), file_part(XML_NAME, next_reading())), subject=halves),
        good(),
    )


def names() -> Iterator[Sample]:
    """Attachments named by every rule, against the rules, and not at all."""
    disposition = "Content-Type: application/octet-stream\nContent-Disposition: attachment; "
    long = quote("показания за ноябрь 2026.xml")
    raw = "показания.xml".encode("cp1251").decode("utf-8", "surrogateescape")
    heads = [
        ("name-2047", f'{disposition}filename="{word("показания.xml")}"'),
        ("name-2047-koi8", f"{disposition}filename={word('показания.xml', 'koi8-r')}"),
        ("name-2231", f"{disposition}filename*=utf-8''{long}"),
        (
            "name-2231-pieces",
            f"{disposition}\n filename*0*=utf-8''{long[:43]};\n filename*1*={long[43:]}",
        ),
        ("name-2231-broken", f"{disposition}filename*={long}"),
        ("name-raw-8-bit", f'{disposition}filename="{raw}"'),
        ("name-unquoted-blanks", f"{disposition}filename=показания за ноябрь.xml"),
        ("no-disposition", 'Content-Type: text/xml; name="52006.xml"'),
        ("inline", 'Content-Type: text/xml\nContent-Disposition: inline; filename="52006.xml"'),
        (
            "misspelt-disposition",
            'Content-Type: text/xml\nContent-Disposition: attachement; filename="a.xml"',
        ),
        ("as-text-plain", 'Content-Type: text/plain; charset=us-ascii; name="52006.xml"'),
        ("no-name", "Content-Type: application/octet-stream"),
        (
            "hostile-header",
            "Content-Type: text/plain; name*\nContent-Disposition: attachment; filename*0*",
        ),
        ("quoted-printable", 'Content-Type: text/xml; charset=windows-1251; name="52006.xml"'),
    ]
    for number, (name, head) in enumerate(heads, start=31):
        coding = "quoted-printable" if name == "quoted-printable" else "base64"
        yield Sample(f"{number}-{name}", with_head(head, coding), good())
    yield Sample(
        "45-equal-names",
        mail(
            several(
                text_part(hello()),
                file_part(XML_NAME, next_reading()),
                file_part(XML_NAME, next_reading()),
            )
        ),
        expect("accepted", GOOD, GOOD, entity=SOKOLOVA),
    )


def structure() -> Iterator[Sample]:
    """MIME trees that are broken, deep, or hold the document as text."""
    footer = b"-- \r\nChecked by an antivirus, no threats found\r\n"
    parts = several(text_part(hello()), file_part(XML_NAME, next_reading()) + footer)
    yield Sample("46-base64-with-a-footer", mail(parts), good())
    parts = several(text_part(hello()), file_part(XML_NAME, next_reading()), end=False)
    yield Sample("47-no-end-boundary", mail(parts, extra=ONE_C), good())
    deep = several(text_part(hello()), file_part(XML_NAME, next_reading()))
    for level in range(30):
        deep = several(deep, boundary=f"level{level}")
    yield Sample("48-thirty-deep", mail(deep), good())
    yield Sample(
        "49-document-as-the-body",
        mail(
            part("Content-Type: text/plain; charset=windows-1251", next_reading(), "8bit"),
            subject=f"Код: {SOKOLOVA} Пароль: {PASSWORDS[SOKOLOVA]}",
        ),
        good(source="subject"),
    )
    pasted = next_reading().decode("cp1251").replace("\r\n", "\n")
    yield Sample(
        "50-document-pasted-into-the-body",
        mail(text_part(f"{login()}\n{pasted}\nС уважением, Соколова\n"), extra=MAILRU),
        good(),
    )
    escaped = next_reading().decode("cp1251").replace("<", "&lt;").replace("\r\n", "<br>\n")
    html = f"<div>{login().replace(chr(10), '<br>')}</div><div>{escaped}</div>"
    yield Sample(
        "51-document-pasted-into-html", mail(text_part(html, kind="html"), extra=YANDEX), good()
    )
    card = file_part("sokolova.vcf", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/vcard")
    logo = part(
        'Content-Type: image/png; name="logo.png"\nContent-ID: <logo>\nContent-Disposition: inline',
        b"\x89PNG\r\n\x1a\n" + bytes(40),
    )
    html = f'<html><body><p>{hello()}</p><img src="cid:logo"></body></html>'.replace("\n", "<br>")
    both = several(
        text_part(hello()), text_part(html, kind="html"), kind="alternative", boundary="alt"
    )
    parts = several(
        several(both, logo, kind="related", boundary="rel"),
        file_part(XML_NAME, next_reading()),
        card,
        file_part("act.pdf", b"%PDF-1.4\n%%EOF", "application/pdf"),
        file_part(
            "letter.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "application/msword"
        ),
    )
    yield Sample(
        "52-logo-card-and-pdf-beside",
        mail(parts, extra=OUTLOOK),
        expect("accepted", doc("52006"), findings=("attachment-not-read",) * 2, entity=SOKOLOVA),
    )
    yield Sample(
        "53-only-pictures",
        mail(several(text_part(hello()), logo, card)),
        expect("rejected", findings=("no-documents",), entity=SOKOLOVA),
    )


def containers() -> Iterator[Sample]:
    """Archives, forwarded and signed letters."""

    def packed(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
        return mail(several(text_part(hello()), file_part(name, content, kind)), extra=OUTLOOK)

    two = zipped(("показания 1.xml", next_reading()), ("показания 2.xml", next_reading()))
    yield Sample(
        "54-zip-of-two-with-cp866-names",
        packed("52006.zip", two),
        expect("accepted", GOOD, GOOD, entity=SOKOLOVA),
    )
    nested = zipped(("внутри.zip", zipped((XML_NAME, next_reading()))))
    yield Sample("55-zip-in-a-zip", packed("52006.zip", nested), good())
    yield Sample("56-gzip", packed("z52006.xml.gz", gzip.compress(next_reading(), mtime=0)), good())
    inner = attached(body=login(SOKOLOVA, "старый пароль"), subject="Показания")
    yield Sample(
        "57-forwarded-with-credentials-outside",
        mail(
            several(text_part(hello()), part("Content-Type: message/rfc822", inner, "8bit")),
            subject="Fwd: Показания",
            extra=THUNDERBIRD,
        ),
        good(),
    )
    yield Sample(
        "58-forwarded-with-credentials-inside",
        mail(
            several(
                text_part("Пересылаю.\n"), part("Content-Type: message/rfc822", attached(), "8bit")
            ),
            subject="Fwd: Показания",
        ),
        good(),
    )
    dat = winmail([(XML_NAME, next_reading())], login())
    yield Sample(
        "59-winmail-dat",
        mail(
            several(text_part("\n"), file_part("winmail.dat", dat, "application/ms-tnef")),
            extra=OUTLOOK,
        ),
        good(),
    )
    signed = several(
        several(text_part(hello()), file_part(XML_NAME, next_reading())),
        file_part("smime.p7s", b"0\x82\x01\x00", "application/pkcs7-signature"),
        kind="signed",
        boundary="signed",
    )
    yield Sample("60-smime-signed", mail(signed, extra=THUNDERBIRD), good())
    inside = several(text_part(hello()), file_part(XML_NAME, next_reading()), boundary="inside")
    head = 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"'
    yield Sample("61-smime-opaque", mail(part(head, opaque(inside)), extra=OUTLOOK), good())
    yield Sample(
        "62-encrypted-workbook",
        packed("52006.xlsx", locked_workbook()),
        expect("rejected", doc(None, "unreadable", "encrypted-document"), entity=SOKOLOVA),
    )
    yield Sample(
        "63-zip-bomb",
        packed("52006.zip", zipped(("bomb.zip", zipped(("bomb.xml", bytes(105 * 2**20)))))),
        expect("rejected", findings=("unpacks-too-large",), entity=SOKOLOVA),
    )
    many = zipped(*((f"{n:02}.xml", next_reading()) for n in range(51)))
    yield Sample(
        "64-too-many-documents",
        packed("52006.zip", many),
        expect("rejected", findings=("too-many-documents",), entity=SOKOLOVA),
    )


def credentials() -> Iterator[Sample]:
    """User code and password as people write them."""
    secret = PASSWORDS[SOKOLOVA]
    table = (
        f"<table><tr><td><b>Код&nbsp;пользователя:</b></td><td>&nbsp;{SOKOLOVA}</td></tr>"
        f"<tr><td><b>Пароль</b></td><td>{secret}</td></tr></table>"
    )
    quoted = (
        f"{hello()}\n21.11.2026 10:00, Приём показаний пишет:\n> Код: 123456\n> Пароль: старый\n"
    )
    original = f"{login()}\n-----Original Message-----\nFrom: {OURS}\nКод: 1\nПароль: старый\n"
    blocks = f"{login()}\nОт: {OURS}\nДата: 1 ноября\nКому: Соколова\nТема: RE\n\nПароль: старый\n"
    bodies = [
        ("html-table", table, "html"),
        ("two-lines", f"Код пользователя:\n{SOKOLOVA}\nПароль:\n{secret}\n", "plain"),
        ("one-line", f"Добрый день! Код: {SOKOLOVA}, пароль: {secret}", "plain"),
        ("english", f"User = {SOKOLOVA}\nPASSWORD - {secret}\n", "plain"),
        ("in-quotes", f"Код: {SOKOLOVA}\nПароль: «{secret}»\n", "plain"),
        ("full-stop", f"Код: {SOKOLOVA}.\nПароль: {secret}.\n", "plain"),
        ("quoted-lines-below", quoted, "plain"),
        ("original-message-below", original, "plain"),
        ("header-block-below", blocks, "plain"),
        (
            "blockquote-below",
            f"<p>{login()}</p><blockquote>Пароль: старый</blockquote>".replace("\n", "<br>"),
            "html",
        ),
        ("only-quoted-text", "".join(f"> {line}\n" for line in login().splitlines()), "plain"),
    ]
    for number, (name, body, kind) in enumerate(bodies, start=65):
        parts = several(text_part(body, kind=kind), file_part(XML_NAME, next_reading()))
        yield Sample(f"{number}-credentials-{name}", mail(parts, extra=YANDEX), good())
    below = "Показания во вложении.\n\n" + "".join(f"> {line}\n" for line in login().splitlines())
    yield Sample(
        "76-credentials-only-in-the-quote-below-a-text",
        attached(body=below, sender=STRANGER),
        refused("credentials-missing", None),
    )
    yield Sample(
        "77-credentials-in-the-subject",
        attached(body="Показания\n", subject=f"Код: {SOKOLOVA} Пароль: {secret}"),
        good(source="subject"),
    )
    yield Sample(
        "78-credentials-in-the-document",
        attached(next_reading(password=secret), body="Показания\n"),
        good(source="document"),
    )
    yield Sample(
        "79-credentials-conflict",
        attached(body=login(ZAVOD), sender=STRANGER),
        refused("credentials-conflict"),
    )
    yield Sample(
        "80-password-with-blanks",
        attached(xml(z52006(ZAVOD, at(19))), code=ZAVOD, body=login(ZAVOD).replace("\n", "   \n")),
        expect("accepted", doc("52006"), entity=ZAVOD),
    )
    yield Sample(
        "81-inn-instead-of-a-code",
        mail(
            several(
                text_part(f"Пароль: {PASSWORDS[PRIMER]}\n"),
                file_part("80020_3300000001_20261120_39.xml", xml(z80020(at(20), 39))),
            ),
            code=PRIMER,
        ),
        expect("accepted", doc("80020"), entity=PRIMER),
    )


def documents() -> Iterator[Sample]:
    """Documents in the encodings and workbooks that senders have."""
    guessed = ("encoding-guessed",)
    encodings: list[tuple[str, Callable[[str], bytes], tuple[str, ...]]] = [
        ("blank-declaration", lambda text: xml(text, "cp1251", " "), guessed),
        ("cp866", lambda text: xml(text, "cp866"), ()),
        ("declared-utf-8-but-1251", lambda text: xml(text, "cp1251", "UTF-8"), guessed),
        ("koi8-r", lambda text: xml(text, "koi8-r"), ()),
        ("leading-blank-lines", lambda text: b"\r\n\r\n" + xml(text), ()),
        ("undeclared-1251", lambda text: text.encode("cp1251"), guessed),
        ("utf-16", lambda text: xml(text, "utf-16"), ()),
        ("utf-8-mark", lambda text: xml(text, "utf-8-sig", "utf-8"), ()),
    ]
    for letter, (name, encode, findings) in zip("abcdefgh", encodings, strict=True):
        text = next_reading().decode("cp1251").partition("\r\n")[2]
        yield Sample(f"82{letter}-xml-{name}", attached(encode(text)), good(findings=findings))
    stray = xml(z52006(ZAVOD, at(20)).replace("АО ", "АО & Ко "))
    yield Sample(
        "85-xml-stray-ampersand",
        attached(stray, code=ZAVOD),
        expect("rejected", doc(None, "unreadable", "unreadable-document"), entity=ZAVOD),
    )
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaa">]><package class="52006">&a;</package>'
    )
    yield Sample(
        "86-xml-doctype",
        attached(bomb, code=ZAVOD),
        expect("rejected", doc(None, "unreadable", "forbidden-content"), entity=ZAVOD),
    )
    rows = rows_52006(SOKOLOVA, at(21))
    yield Sample(
        "87-workbook-excel-97",
        mail(
            several(
                text_part(hello()), file_part("52006.xls", xls(rows), "application/vnd.ms-excel")
            )
        ),
        good(),
    )
    rows = [
        tuple(str(v).replace(".0", ",0") if isinstance(v, float) else v for v in row)
        for row in rows_52006(SOKOLOVA, at(19))
    ]
    yield Sample(
        "88-workbook-numbers-as-text-and-a-false-ending",
        mail(several(text_part(hello()), file_part("52006.xls", xlsx(*rows)))),
        good(findings=("decimal-comma",)),
    )
    yield from workbooks()
    other = b'<?xml version="1.0"?><catalog><book/></catalog>'
    yield Sample(
        "89-xml-of-another-kind",
        attached(other),
        expect("rejected", doc(None, "unreadable", "unknown-layout"), entity=SOKOLOVA),
    )
    rows = [
        f'<consumption date_time="{hour:%Y%m%d%H}" energy="{kwh(hour, 10) / 1000:.3f}"/>'
        for hour in hours(at(20), at(22))
    ]
    points = (
        f'<package class="52005" version="2" sender_code="{ZAVOD}" created="20261122083000">'
        f'<point code="{ZAVOD}" channel="A+">{"".join(rows)}</point></package>'
    )
    yield Sample(
        "90-52005-version-2",
        attached(xml(points), code=ZAVOD),
        expect("accepted", doc("52005"), entity=ZAVOD),
    )
    yield Sample(
        "91-80040",
        attached(xml(z80020(at(21), 40, number_class="80040")), code=PRIMER),
        expect("accepted", doc("80020"), entity=PRIMER),
    )
    meter, point, *_ = METERS[PRIMER][0]
    theirs = z52006(SOKOLOVA, at(22)).replace("00000815", meter)
    theirs = theirs.replace(f'point="{SOKOLOVA}"', f'point="{point}"')
    yield Sample(
        "92-foreign-point",
        attached(xml(theirs)),
        expect(
            "rejected", doc("52006", "rejected", "foreign-point", "point-missing"), entity=SOKOLOVA
        ),
    )


def workbooks() -> Iterator[Sample]:
    """Workbooks of every kind, by several writers; `samples/README.md` says which."""
    late = "late-submission"
    kept = [
        ("a-52006-libreoffice-ods", PRIMER, "52006/readings-libreoffice.ods", (late,)),
        ("b-52006-libreoffice-xlsx", PRIMER, "52006/readings-libreoffice.xlsx", (late,)),
        ("c-52006-xlsb", PRIMER, "52006/readings.xlsb", (late,)),
        (
            "d-52006-as-excel-mangles",
            PRIMER,
            "52006/as-excel-mangles.xlsx",
            ("decimal-comma", "leading-zeros-lost", "zones-missing", late),
        ),
        ("e-52005-libreoffice-xls", ZAVOD, "52005/hours-libreoffice.xls", (late,)),
        ("f-52005-ods-in-mwh", ZAVOD, "52005/megawatt-hours.ods", (late,)),
    ]
    for name, code, path, findings in kept:
        content = (FOLDER.parent / path).read_bytes()
        file = file_part(path.partition("/")[2], content)
        layout = path.partition("/")[0]
        yield Sample(
            f"88{name}",
            mail(several(text_part(hello(code)), file), code=code, extra=OUTLOOK),
            expect("accepted", doc(layout, "accepted", *findings), entity=code),
        )
    book = with_macros(xlsx(*rows_52006(SOKOLOVA, at(18))))
    yield Sample(
        "88g-52006-xlsm",
        mail(several(text_part(hello()), file_part("52006.xlsm", book)), extra=OUTLOOK),
        good(),
    )
    both = (FOLDER.parent / "52006/two-documents.xlsx").read_bytes()
    yield Sample(
        "88h-two-sheets-of-two-senders",
        mail(several(text_part(hello(PRIMER)), file_part("both.xlsx", both)), code=PRIMER),
        expect(
            "partly_accepted",
            doc("52005", "rejected", "not-read", "sender-mismatch"),
            doc("52006", "accepted", late),
            entity=PRIMER,
        ),
    )


def later() -> Iterator[Sample]:
    """Letters that came after the others, in the order of their names all the same."""
    one, two = (next_reading().decode("cp1251").replace("\r\n", "\n") for _ in range(2))
    yield Sample(
        "51a-two-documents-pasted-into-the-body",
        mail(text_part(f"{login()}\n{one}\n\n{two}\nСоколова\n"), extra=MAILRU),
        expect("accepted", GOOD, GOOD, entity=SOKOLOVA),
    )
    encrypted = (
        b"0\x1f" + b"\x06\x09" + bytes.fromhex("2a864886f70d010703") + b"\xa0\x12" + bytes(18)
    )
    head = 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
    yield Sample(
        "61a-smime-encrypted",
        mail(several(text_part(hello()), part(head, encrypted)), extra=OUTLOOK),
        expect("rejected", findings=("encrypted-document",), entity=SOKOLOVA),
    )
    locked = zipped((XML_NAME, b"<x/>"), locked=True)
    yield Sample(
        "61b-encrypted-zip-beside-a-document",
        mail(
            several(
                text_part(hello()),
                file_part(XML_NAME, next_reading()),
                file_part("52005.zip", locked, "application/zip"),
            ),
            extra=OUTLOOK,
        ),
        expect("partly_accepted", GOOD, findings=("encrypted-document",), entity=SOKOLOVA),
    )
    yield Sample(
        "61c-damaged-zip-beside-a-document",
        mail(
            several(
                text_part(hello()),
                file_part(XML_NAME, next_reading()),
                file_part("52005.zip", zipped((XML_NAME, b"<x/>"))[:60], "application/zip"),
            ),
        ),
        expect("partly_accepted", GOOD, findings=("unreadable-document",), entity=SOKOLOVA),
    )
    form = (FOLDER.parent / "52006/form-libreoffice.xlsx").read_bytes()
    yield Sample(
        "88i-our-form-saved-by-libreoffice",
        mail(several(text_part(hello()), file_part("52006_000000004711.xlsx", form))),
        good(findings=("late-submission",)),
    )
    formula = (FOLDER.parent / "52006/formula-without-value.xlsx").read_bytes()
    yield Sample(
        "88j-formula-without-value",
        mail(
            several(text_part(hello(PRIMER)), file_part("52006.xlsx", formula)),
            code=PRIMER,
            extra=OUTLOOK,
        ),
        expect(
            "rejected",
            doc("52006", "rejected", "formula-without-value", "late-submission"),
            entity=PRIMER,
        ),
    )
    wishes = [
        ("a-wish-in-english", "template 52005", login()),
        ("b-wish-in-an-answer", "Re: Шаблон 52006", login()),
        ("c-wish-for-a-form-that-is-not", "шаблон 80020", login()),
        ("d-status-in-english", "Status", login()),
    ]
    for name, subject, body in wishes:
        answered = expect("answered", entity=SOKOLOVA)
        yield Sample(f"92{name}", mail(text_part(body), subject=subject), answered)
    yield Sample(
        "92e-wish-of-a-stranger",
        mail(text_part("Пришлите, пожалуйста.\n"), subject="шаблон 52006", sender=STRANGER),
        refused("credentials-missing", None),
    )
    yield Sample(
        "92f-wish-with-a-document",
        attached(subject="статус"),
        good(),
    )


def never_answered() -> Iterator[Sample]:
    """Lists, robots and what nobody can be told about."""
    news = "List-Id: Новости <news.example>\nPrecedence: list"
    yield Sample(
        "93-mailing-list", attached(extra=news, sender="news@list.example"), ignored("body")
    )
    yield Sample(
        "94-bulk-without-a-document",
        mail(text_part("Скидки!\n"), sender="shop@spam.example", extra="Precedence: bulk"),
        ignored(),
    )
    yield Sample(
        "95-bulk-with-a-document",
        attached(extra="Precedence: bulk", sender="askue@mail.example"),
        good(),
    )
    yield Sample(
        "96-header-injection",
        attached(subject="=?utf-8?Q?=D0=9F=0D=0ABcc:_victim=40bank.example?="),
        good(),
    )
    yield Sample(
        "97-nobody-to-answer",
        mail(text_part("Здравствуйте\n"), sender=""),
        refused("no-documents", None),
    )
    yield Sample("98-noise", bytes(range(256)) * 8, refused("no-documents", None))
    yield Sample("99-empty", b"", refused("no-documents", None))


def told_or_opened() -> Iterator[Sample]:
    """Files that are opened by what they are, and files that are named as not read."""
    note = ("attachment-not-read",)

    def beside(*files: bytes) -> bytes:
        document = file_part(XML_NAME, next_reading(), "text/xml")
        return mail(several(text_part(hello()), document, *files), extra=OUTLOOK)

    def named(name: str, *files: bytes) -> Sample:
        findings = note * len(files)
        return Sample(
            name, beside(*files), expect("accepted", GOOD, findings=findings, entity=SOKOLOVA)
        )

    def alone(name: str, *files: bytes, body: str = hello()) -> Sample:
        return Sample(name, mail(several(text_part(body), *files), extra=OUTLOOK), good())

    yield named("9a-rar-beside", file_part("цех 2.rar", b"Rar!\x1a\x07\x01\0" + bytes(40)))
    yield named(
        "9b-7z-and-photo-beside",
        file_part("цех 2.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)),
        file_part("счётчик.jpg", b"\xff\xd8\xff\xe0" + bytes(200_000), "image/jpeg"),
    )
    yield named(
        "9c-letter-of-outlook-beside",
        file_part("Показания цеха 2.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    )
    yield Sample(
        "9d-letter-of-outlook-alone",
        mail(several(text_part(hello()), file_part("Показания.msg", b"\xd0\xcf\x11\xe0"))),
        expect("rejected", findings=("no-documents",), entity=SOKOLOVA),
    )
    yield named(
        "9e-detached-signature-beside",
        file_part(f"{XML_NAME}.sig", opaque(b"").replace(b"\xa0\x80\x24\x80\0\0\0\0", b"")),
    )
    yield alone("9f-signed-file", file_part(f"{XML_NAME}.sig", opaque(next_reading())))
    armour = b"-----BEGIN CMS-----\n" + in_base64(opaque(next_reading())) + b"\n-----END CMS-----\n"
    yield alone("9g-signed-file-in-armour", file_part(f"{XML_NAME}.p7m", armour))
    yield alone(
        "9h-signed-file-in-bare-base64",
        file_part(f"{XML_NAME}.sig", in_base64(opaque(next_reading()))),
    )
    text = f"{hello()}\n{uuencoded(XML_NAME, next_reading())}"
    yield Sample("9i-uuencoded-in-the-text", mail(text_part(text)), good())
    dat = winmail_rtf([(XML_NAME, next_reading())], login())
    yield alone(
        "9j-winmail-with-rtf-only",
        file_part("winmail.dat", dat, "application/ms-tnef"),
        body="\n",
    )
    yield Sample(
        "9k-hyphen-of-a-word-processor",
        attached(
            body=login(PRIMER).replace("-", "\u2011"), code=PRIMER, content=next_reading(PRIMER)
        ),
        good(code=PRIMER),
    )
    yield Sample(
        "9l-two-labels-in-one-row",
        attached(body=f"Пароль\tКод\n{PASSWORDS[SOKOLOVA]}\t{SOKOLOVA}\n"),
        good(),
    )


def main() -> None:
    """Write every letter and its expectation."""
    FOLDER.mkdir(exist_ok=True)
    for sample in chain(
        demo_accepted(),
        demo_mistakes(),
        demo_others(),
        charsets(),
        names(),
        structure(),
        containers(),
        credentials(),
        documents(),
        later(),
        never_answered(),
        told_or_opened(),
        kinds(),
    ):
        (FOLDER / f"{sample.name}.eml").write_bytes(sample.content)
        text = json.dumps(sample.expected, ensure_ascii=False, indent=1)
        (FOLDER / f"{sample.name}.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
