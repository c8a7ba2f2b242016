"""The demo's letters: every layout, and the mistakes that senders make."""

from __future__ import annotations

from collections.abc import Iterator

from making import (
    APPLE,
    MAILRU,
    METERING,
    OUTLOOK,
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
    login,
    mail,
    part,
    rows_52006,
    several,
    text_part,
    xlsx,
    xml,
    z52005,
    z52006,
    z80020,
    zipped,
)
from making_sample import XML_NAME, attached, ignored, refused


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
