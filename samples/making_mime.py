"""Letters as mail programs write them: charsets, names of files, structure, archives."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import quote

from making import (
    MAILRU,
    NAMES,
    ONE_C,
    OUTLOOK,
    PASSWORDS,
    SOKOLOVA,
    THUNDERBIRD,
    YANDEX,
    ZAVOD,
    Sample,
    doc,
    expect,
    file_part,
    hello,
    in_base64,
    locked_workbook,
    login,
    mail,
    next_reading,
    opaque,
    part,
    several,
    text_part,
    winmail,
    word,
    zipped,
)
from making_sample import GOOD, XML_NAME, attached, good, with_head


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
