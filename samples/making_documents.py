"""Letters by what is attached, and those that come after others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from making import (
    MAILRU,
    METERS,
    OUTLOOK,
    PRIMER,
    SOKOLOVA,
    ZAVOD,
    Sample,
    at,
    doc,
    expect,
    file_part,
    hello,
    hours,
    kwh,
    login,
    mail,
    next_reading,
    part,
    rows_52006,
    several,
    text_part,
    with_macros,
    xls,
    xlsx,
    xml,
    z52006,
    z80020,
    zipped,
)
from making_sample import GOOD, SAMPLES, STRANGER, XML_NAME, attached, good, refused


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
        content = (SAMPLES / path).read_bytes()
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
    both = (SAMPLES / "52006/two-documents.xlsx").read_bytes()
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
    form = (SAMPLES / "52006/form-libreoffice.xlsx").read_bytes()
    yield Sample(
        "88i-our-form-saved-by-libreoffice",
        mail(several(text_part(hello()), file_part("52006_000000004711.xlsx", form))),
        good(findings=("late-submission",)),
    )
    formula = (SAMPLES / "52006/formula-without-value.xlsx").read_bytes()
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
