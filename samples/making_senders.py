"""Letters of who may and may not hand in: credentials, what is never answered, what is told."""

from __future__ import annotations

from collections.abc import Iterator

from making import (
    OURS,
    OUTLOOK,
    PASSWORDS,
    PRIMER,
    SOKOLOVA,
    YANDEX,
    ZAVOD,
    Sample,
    at,
    doc,
    expect,
    file_part,
    hello,
    in_base64,
    login,
    mail,
    next_reading,
    opaque,
    several,
    text_part,
    uuencoded,
    winmail_rtf,
    xml,
    z52006,
    z80020,
)
from making_sample import GOOD, STRANGER, XML_NAME, attached, good, ignored, refused


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
