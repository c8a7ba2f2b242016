"""Mail as it is: whatever the bytes, a letter comes out."""

from __future__ import annotations

import base64
import binascii
from email import encoders
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.letters.letter import read_header_only, read_letter
from ingest.letters.terms import Letter, Limits, Source
from layouts.findings import Code

XML = '<?xml version="1.0" encoding="windows-1251"?>\r\n<package class="52005" name="Ё"/>'
DOCUMENT = XML.encode("cp1251")
IN_BASE64 = base64.encodebytes(DOCUMENT)
BODY = "Добрый день!\r\nКод: 200000003080\r\nПароль: ключ 7 марта\r\n"
LIMITS = Limits()
PAIR = ("200000003080", "ключ 7 марта")


def read(content: bytes, limits: Limits = LIMITS) -> Letter:
    return read_letter(content, limits)


def pair(letter: Letter) -> tuple[str | None, str | None]:
    assert letter.credentials, "no credentials found"
    return letter.credentials[0].user_code, letter.credentials[0].password


def with_part(head: bytes, content: bytes = DOCUMENT, end: bytes = b"\r\n--b--\r\n") -> bytes:
    return (
        b"From: buh@primer.example\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\n"
        + head
        + b"\r\n\r\n"
        + content
        + end
    )


def only_document(letter: Letter) -> tuple[str, bytes]:
    assert [one.content for one in letter.documents] == [DOCUMENT]
    return letter.documents[0].name, letter.documents[0].content


@pytest.mark.parametrize(
    "declared", ["cp1251", "", "us-ascii", "iso-8859-1", "nonsense-8", "utf-8"]
)
@pytest.mark.parametrize("actual", ["cp1251", "koi8-r", "cp866", "utf-8"])
def test_a_body_is_read_in_its_charset_also_when_that_is_wrong_or_missing(
    declared: str, actual: str
) -> None:
    if (declared, actual) in {("cp1251", "koi8-r"), ("cp1251", "cp866")}:
        # A single-byte charset that is declared is believed: nothing contradicts it.
        return
    kind = f"text/plain; charset={declared}" if declared else "text/plain"
    content = f"From: a@b.example\r\nContent-Type: {kind}\r\n\r\n".encode() + BODY.encode(actual)
    assert pair(read(content)) == PAIR


@pytest.mark.parametrize(
    "charset", ["koi8-r", "cp866", "windows-1251", "utf-16", "UTF-8", '"koi8-r']
)
def test_a_declared_charset_is_used(charset: str) -> None:
    body = BODY.encode(charset.strip('"'))
    head = (
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    assert pair(read(head.encode() + base64.encodebytes(body))) == PAIR


def test_a_quoted_printable_body_is_read() -> None:
    head = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: Quoted_Printable\r\n"
    body = "".join(f"={byte:02X}" for byte in BODY.replace("\r\n", "\n").encode())
    assert pair(read(head + b"\r\n" + body.replace("=0A", "\r\n").encode())) == PAIR


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Показания".encode("cp1251"), "Показания"),
        ("Показания за ноябрь".encode("koi8-r"), "Показания за ноябрь"),
        ("Показания".encode(), "Показания"),
        (b"=?utf-8?B?0J/QvtC60LDQt9Cw0L3QuNGP?=", "Показания"),
        (b"=?UTF-8?B?0J/QvtC60LDQ?=\r\n =?UTF-8?B?t9Cw0L3QuNGP?=", "Показания"),
        (b"=?koi8-r?Q?=F0=CF=CB=C1=DA=C1=CE=C9=D1?= 52005", "Показания 52005"),
        (b"=?windows-1251?Q?=CF=EE =EA=E0?=", "По ка"),
        (b'"=?utf-8?B?0J/QvtC60LDQt9Cw0L3QuNGP?="', '"Показания"'),
        (b"=?utf-8*ru?B?0J/QvtC60LDQt9Cw0L3QuNGP?=", "Показания"),
        (b"=?nonsense?B?z+7q4Ofg7ej/?=", "Показания"),
        (b"=?utf-8?B?0J/QvtC60LDQt9Cw0L3QuNGP", "=?utf-8?B?0J/QvtC60LDQt9Cw0L3QuNGP"),
        (b"=?utf-8?B?aGkNCkJjYzogYUBi?=", "hi Bcc: a@b"),
        (b"a\x00b\x1b[31mc\xe2\x80\xaed", "ab[31mcd"),
    ],
)
def test_a_subject_is_decoded_onto_one_line(raw: bytes, subject: str) -> None:
    assert read(b"Subject: " + raw + b"\r\n\r\n").subject == subject


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'Content-Disposition: attachment; filename="z52005.xml"', "z52005.xml"),
        (
            'Content-Disposition: attachment; filename="показания.xml"'.encode("cp1251"),
            "показания.xml",
        ),
        (
            "Content-Disposition: attachment; filename=показания за май.xml".encode(),
            "показания за май.xml",
        ),
        (b"Content-Disposition: attachment; filename*=utf-8''%D0%BF%20%D0%BA.xml", "п к.xml"),
        (b"Content-Disposition: attachment; filename*=windows-1251''%EF%EA.xml", "пк.xml"),
        (
            b"Content-Disposition: attachment; filename*=%EF%EE%EA%E0%E7%E0%ED%E8%FF.xml",
            "показания.xml",
        ),
        (
            b"Content-Disposition: inline;\r\n filename*1*=%BA.xml; filename*0*=utf-8''%D0%BF%D0",
            "пк.xml",
        ),
        (b"Content-Disposition: attachment; filename*0=a; filename*1=b.xml", "ab.xml"),
        (b'Content-Disposition: attachment; filename="=?utf-8?B?0L/Qui54bWw=?="', "пк.xml"),
        (
            b'Content-Disposition: inline;filename="=?utf-8?Q?=D0=BF?=\r\n =?utf-8?Q?=D0=BA?=.xml"',
            "пк.xml",
        ),
        (b'Content-Disposition: attachment; filename="C:\\docs\\z52005.xml"', "z52005.xml"),
        (b'Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        (b'Content-Disposition: attachment; filename="a\\"b.xml"', 'a"b.xml'),
        (b"Content-Type: application/octet-stream; name=a.xml", "a.xml"),
        (b"Content-Type: text/plain; name=a.xml", "a.xml"),
        (b"Content-Type: text/xml\r\nContent-Disposition: inline; filename=a.xml", "a.xml"),
        (b"Content-Type: application/xml\r\nContent-Dispositon: attachement; filename=a.xml", ""),
        (b"Content-Disposition: attachement; filename=a.xml", "a.xml"),
        (b"Content-Disposition: attachment", ""),
        (b"Content-Type: application/octet-stream", ""),
        (b"Content-Type: text/plain; name*", ""),
        (b'Content-Type: ;;;=;name=;"\r\nContent-Disposition: attachment; filename', ""),
        (b'Content-Disposition: attachment; filename="a\r\n b.xml"', "a b.xml"),
    ],
)
def test_an_attachment_is_found_and_named_however_it_is_announced(head: bytes, name: str) -> None:
    assert only_document(read(with_part(head)))[0] == name


def test_a_long_name_keeps_its_ending() -> None:
    head = b"Content-Disposition: attachment; filename=" + b"a" * 5000 + b".xml"
    name, _ = only_document(read(with_part(head)))
    assert len(name) <= 200
    assert name.endswith("….xml")


@pytest.mark.parametrize(
    "content",
    [
        IN_BASE64,
        IN_BASE64.replace(b"\n", b"\r\n"),
        IN_BASE64.rstrip(b"=\n"),
        IN_BASE64 + b"\r\n-- \r\nChecked by an antivirus, no threats found\r\n",
        IN_BASE64 + b"!!!\x00\xff",
        IN_BASE64[:20] + b" \x00" + IN_BASE64[20:40] + b"*" + IN_BASE64[40:],
    ],
)
def test_base64_is_read_past_its_faults(content: bytes) -> None:
    head = b"Content-Type: application/xml; name=a.xml\r\nContent-Transfer-Encoding: BASE64"
    only_document(read(with_part(head, content)))


def test_a_uuencoded_attachment_is_read() -> None:
    lines = [DOCUMENT[i : i + 45] for i in range(0, len(DOCUMENT), 45)]
    coded = b"begin 644 a.xml\n" + b"".join(map(binascii.b2a_uu, lines)) + b"`\nend\n"
    head = b"Content-Type: application/xml; name=a.xml\r\nContent-Transfer-Encoding: x-uuencode"
    only_document(read(with_part(head, coded)))


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n--b", b"\r\n--b--", b"\r\n--b-- \r\nepilogue"])
def test_a_missing_end_boundary_loses_nothing(end: bytes) -> None:
    letter = read(with_part(b"Content-Type: application/xml; name=a.xml", end=end))
    assert letter.documents[0].content.strip() == DOCUMENT


def test_a_boundary_that_is_not_stated_is_found() -> None:
    content = with_part(b"Content-Type: application/xml; name=a.xml")
    only_document(read(content.replace(b'; boundary="b"', b"")))


def test_line_ends_of_unix_are_read() -> None:
    content = with_part(b"Content-Type: application/xml; name=a.xml", b"<package/>")
    assert read(content.replace(b"\r\n", b"\n")).documents[0].content == b"<package/>"


def test_two_attachments_with_one_name_are_two_documents() -> None:
    part = b"Content-Type: application/xml; name=a.xml"
    letter = read(with_part(part, DOCUMENT + b"\r\n--b\r\n" + part + b"\r\n\r\n<a/>"))
    assert [one.name for one in letter.documents] == ["a.xml", "a.xml"]


def test_multiparts_nested_thirty_deep_are_read() -> None:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="n%d"\r\n\r\n--n%d\r\n' % (n, n)
        for n in range(30)
    )
    content = (
        head + b"Content-Type: application/xml; name=a.xml\r\n\r\n" + DOCUMENT + b"\r\n--n29--"
    )
    only_document(read(content))


def test_logos_signatures_and_cards_are_no_documents() -> None:
    files = [
        (b"image/png", b"logo.png", b"\x89PNG\r\n"),
        (b"image/svg+xml", b"logo.svg", b"<?xml version='1.0'?><svg/>"),
        (b"application/pdf", b"act.pdf", b"%PDF-1.4"),
        (b"text/vcard", b"me.vcf", b"BEGIN:VCARD"),
        (b"application/msword", b"letter.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        (b"text/html", b"ATT1.htm", b"<html><body>x</body></html>"),
        (b"application/pkcs7-signature", b"smime.p7s", b"0\x80"),
    ]
    parts = [
        b"\r\n--b\r\nContent-Type: %s; name=%s\r\n\r\n%s" % (kind, name, content)
        for kind, name, content in files
    ]
    letter = read(with_part(b"Content-Type: text/xml; name=a.xml", DOCUMENT + b"".join(parts)))
    only_document(letter)
    assert [one.name for one in letter.attachments] == [name.decode() for _, name, _ in files]
    named = [one.detail["name"] for one in letter.findings]
    assert named == ["act.pdf", "letter.doc"]


def test_a_document_that_is_the_whole_body_is_kept_byte_for_byte() -> None:
    only_document(read(b"From: a@b.example\r\nContent-Type: text/plain\r\n\r\n" + DOCUMENT))


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_document_pasted_into_a_body_is_cut_out_of_it(kind: str) -> None:
    document = (
        '<?xml version="1.0" encoding="windows-1251"?>\n<package password="Zima">\n<a/></package>'
    )
    if kind == "text/html":
        document = document.replace("<", "&lt;").replace("\n", "<br>")
    body = f"Код: 200000003080\nПароль: весна\n\n{document}\n\nС уважением, Иванова\n"
    if kind == "text/html":
        body = "<p>" + body.replace("\n", "<br>\n") + "</p>"
    letter = read(f"Content-Type: {kind}; charset=utf-8\r\n\r\n{body}".encode())
    assert len(letter.documents) == 1
    assert letter.documents[0].content.strip().startswith(b'<package password="Zima">')
    assert letter.documents[0].content.endswith(b"</package>")
    assert [one.password for one in letter.credentials] == ["весна"]


ONE, TWO = (f"<package class='{n}'>\n<a b='1'/>\n</package>" for n in (1, 2))
DECLARED = "<?xml version='1.0'?>\n"


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize(
    "body",
    [
        f"{DECLARED}{ONE}\n{DECLARED}{TWO}\n",
        f"Два файла:\n{ONE}\nи\n{TWO}\nИванова",
        f"{DECLARED}{ONE}\n\n{TWO}",
        f"{ONE}\n{TWO}\n-----Original Message-----\n{ONE}",
    ],
    ids=["nothing else", "text around", "one declared", "a third one quoted"],
)
def test_documents_pasted_below_one_another_are_all_cut_out(body: str, kind: str) -> None:
    if kind == "html":
        body = body.replace("<", "&lt;").replace("\n", "<br>\n")
    letter = read(f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{body}".encode())
    found = [one.content.decode().strip() for one in letter.documents]
    assert found == [ONE, TWO]


def test_a_pasted_document_that_is_cut_off_leaves_the_next_one_whole() -> None:
    letter = read(f"\n{DECLARED}{ONE[:-5]}\n{DECLARED}{TWO}".encode())
    found = [one.content.decode().strip() for one in letter.documents]
    assert found == [ONE[:-5], TWO]


def test_an_indent_of_no_break_blanks_does_not_spoil_a_pasted_document() -> None:
    letter = read("\n<package class='1'>\n  <a b='1'/>\n</package>".encode())
    assert letter.documents[0].content == b"<package class='1'>\n  <a b='1'/>\n</package>"


def test_a_document_that_is_quoted_below_an_answer_is_not_handed_in_again() -> None:
    quoted = "-----Original Message-----\n<?xml version='1.0'?>\n<package class='1'></package>"
    assert read(f"\nСпасибо!\n\n{quoted}".encode()).documents == ()
    assert len(read(f"\n{quoted}".encode()).documents) == 1


def test_a_pasted_document_in_both_variants_of_a_body_counts_once() -> None:
    both = MIMEMultipart("alternative")
    both.attach(MIMEText('Показания:\n<package class="52006"/>', "plain", "utf-8"))
    both.attach(MIMEText('Показания:<br>&lt;package class="52006"/&gt;', "html", "utf-8"))
    assert len(read(both.as_bytes()).documents) == 1


def test_a_forwarded_letter_gives_its_document_and_the_outer_body_the_credentials() -> None:
    inner = MIMEMultipart()
    inner.attach(MIMEText("Код: 111111\nПароль: внутренний", "plain", "utf-8"))
    file = MIMEBase("application", "octet-stream", name="a.xml")
    file.set_payload(DOCUMENT)
    encoders.encode_base64(file)
    inner.attach(file)

    def forwarded(text: str) -> Letter:
        outer = MIMEMultipart()
        outer.attach(MIMEText(text, "plain", "koi8-r"))
        enclosed = MIMEBase("message", "rfc822")
        enclosed.attach(inner)
        outer.attach(enclosed)
        return read(outer.as_bytes())

    only_document(forwarded(BODY))
    assert [(c.user_code, c.password) for c in forwarded(BODY).credentials] == [PAIR]
    assert pair(forwarded("Пересылаю.")) == ("111111", "внутренний")


def test_credentials_of_the_body_come_before_those_of_the_subject() -> None:
    head = "Subject: Код: 200000003080 Пароль: из темы\r\nContent-Type: text/plain\r\n\r\n"
    letter = read((head + BODY).encode())
    assert [(c.source, c.password) for c in letter.credentials] == [
        (Source.BODY, "ключ 7 марта"),
        (Source.SUBJECT, "из темы"),
    ]


def test_an_html_body_counts_when_the_plain_one_says_nothing() -> None:
    both = MIMEMultipart("alternative")
    both.attach(MIMEText("", "plain", "utf-8"))
    both.attach(MIMEText(BODY.replace("\r\n", "<br>"), "html", "windows-1251"))
    assert pair(read(both.as_bytes())) == PAIR


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("buh@primer.example", "buh@primer.example"),
        ("Бухгалтерия <BUH@Primer.example>", "buh@primer.example"),
        ('"boss@bank.example" <evil@x.example>', "evil@x.example"),
        ("buh@primer.example (Бухгалтерия)", "buh@primer.example"),
        ("one@a.example, two@b.example", "one@a.example"),
        ("<buh@пример.рф>", "buh@xn--e1afmkfd.xn--p1ai"),
        ("undisclosed-recipients:;", ""),
        ("<>", ""),
        ("<" * 1000, ""),
        ("a@b@c d", ""),
    ],
)
def test_the_address_of_a_sender_is_read(value: str, address: str) -> None:
    assert read(f"From: {value}\r\n\r\n".encode()).sender == address


def test_a_reply_goes_to_reply_to_and_threads_by_ids() -> None:
    letter = read(
        b"From: a@b.example\r\nReply-To: c@d.example\r\nReturn-Path: <e@f.example>\r\n"
        b"Message-ID: <1@b.example>\r\nReferences: <0@b.example>\r\n\t<0a@b.example>\r\n"
        b"In-Reply-To: <0a@b.example>\r\n\r\n"
    )
    assert (letter.sender, letter.reply_to, letter.return_path) == (
        "a@b.example",
        "c@d.example",
        "e@f.example",
    )
    assert (letter.message_id, letter.references) == (
        "<1@b.example>",
        ("<0@b.example>", "<0a@b.example>"),
    )


def test_no_header_value_holds_a_line_end() -> None:
    letter = read(
        b"Subject: =?utf-8?Q?a=0D=0ABcc:_x@y?=\r\nX-A: =?utf-8?B?DQpYOiB5?=\r\n"
        b"Message-ID: <a\rb@c>\r\n\r\n"
    )
    values = [letter.subject, letter.message_id, *(v for vs in letter.headers.values() for v in vs)]
    assert not any(sign in value for value in values for sign in "\r\n\u2028\u0085")


@pytest.mark.parametrize(
    ("subject", "wish"),
    [
        ("шаблон 52006", ("template", "52006")),
        ("Re: Шаблон макета 52005", ("template", "52005")),
        ("template 52006", ("template", "52006")),
        ("Статус", ("status", "")),
        ("status, Код: 200000001234", ("status", "")),
        ("шаблон", None),
        ("Показания, статус", None),
        ("статусы", None),
    ],
)
def test_a_subject_may_wish_for_a_template_or_the_status(
    subject: str, wish: tuple[str, str] | None
) -> None:
    assert read(f"Subject: {subject}\r\n\r\n".encode()).wish == wish


def test_a_letter_over_the_limit_is_a_finding_and_keeps_its_header() -> None:
    letter = read(b"From: a@b.example\r\n\r\n" + b"x" * 2000, Limits(letter_bytes=1000))
    assert [one.code for one in letter.findings] == [Code.LETTER_TOO_LARGE]
    assert letter.sender == "a@b.example"
    header_only = read_header_only(b"From: a@b.example\r\nSubject: s\r\n", 60 * 2**20, Limits())
    assert header_only.findings[0].detail == {"size_mb": "60", "limit_mb": "25"}
    assert (header_only.subject, header_only.size) == ("s", 60 * 2**20)


HOSTILE = {
    "100,000 parts": b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nfoo\n" * 100_000,
    "100,000 nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(100_000)
    ),
    "100,000 nested letters": b"Content-Type: message/rfc822\n\n" * 100_000,
    "a header of 25 MB": b"X: a\n" * 5_000_000 + b"\nx",
    "a header line of 20 MB": b"Subject: " + b"x" * 20_000_000 + b"\n\nx",
    "a subject of encoded words": b"Subject: " + b"=?utf-8?B?" * 100_000 + b"\n\nx",
    "parameters": b"Content-Type: text/plain" + b"; a*0*=x" * 200_000 + b"\n\nx",
    "open quotes": b'Content-Type: text/plain; name="' + b'\\"' * 500_000 + b"\n\nx",
    "addresses": b"From: " + b"<a" * 500_000 + b"\n\nx",
    "deep html": b"Content-Type: text/html\n\n" + b"<div>" * 1_000_000,
    "many blockquotes": b"Content-Type: text/html\n\n" + b"<blockquote>a" * 100_000,
    "one long line": b"\n" + b"code: " * 2_000_000,
    "angle brackets": b"\n" + b"<a " * 2_000_000,
    "declarations": b"\n" + b"<?xml " * 1_000_000,
    "pasted documents": b"\n" + b"<?xml?><a b=''></a>\n" * 200_000,
    "pasted documents without an end": b"\n" + b"<?xml?><a b=''>\n" * 200_000,
    "noise": bytes(range(256)) * 20_000,
    "nothing": b"",
    "only a line end": b"\r\n",
    "utf-7": b"Content-Type: text/plain; charset=utf-7\n\n+AAA-" * 1000,
    "half a character": b"Content-Type: text/plain; charset=unicode_escape\n\n\\ud800\xff",
    "a codec that is no charset": b"Content-Type: text/plain; charset=zlib_codec\n\n\xff\xfe",
    "name* without a value": b"Content-Type: text/plain; name*\n\nx",
    "an impossible 2231 number": b"Content-Type: text/plain; name*99999999999999999999=a\n\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_letter_is_read_in_bounded_time(name: str) -> None:
    letter = read(HOSTILE[name])
    assert len(letter.subject) <= 500
    assert not {one.code for one in letter.findings} - {Code.TOO_MANY_DOCUMENTS}


_VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "multipart/mixed",
            "multipart/alternative; boundary=x",
            "message/rfc822",
            "text/html",
            "text/plain; charset=utf-16",
            "base64",
            "quoted-printable",
            "name*=''",
            "x-uuencode",
            "attachment; filename*1*=%FF; filename*0*=koi8-r''",
            "=?utf-8?B?/w==?=",
            '"',
            "<",
            "@",
        ]
    ),
)
_NAMES = st.sampled_from(
    [
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
        "Subject",
        "From",
        "To",
        "Message-ID",
        "References",
        "Return-Path",
        "Reply-To",
        "X-Autoreply",
    ]
)
_HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=5)
_CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            DOCUMENT,
            IN_BASE64,
            BODY.encode(),
            BODY.encode("koi8-r"),
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b'x\x9f>"' + bytes(20),
            b"\xd0\xcf\x11\xe0",
            b"<html><table><td>",
            b"begin 644 a",
            "Пароль:\tКод:\t1\nКод\tПароль\n".encode(),
            b"0\x80\x06\t",
            b"<?xml",
            b"--x\n\n--x--",
        ]
    ),
)


def _node(headers: list[tuple[str, str]], children: bytes | list[bytes]) -> bytes:
    head = b"".join(f"{n}: {v}\r\n".encode("utf-8", "replace") for n, v in headers)
    if isinstance(children, bytes):
        return head + b"\r\n" + children
    inside = b"".join(b"\r\n--x\r\n" + child for child in children)
    return head + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n' + inside + b"\r\n--x--\r\n"


_TREES = st.recursive(
    st.builds(_node, _HEADERS, _CONTENTS),
    lambda inner: st.builds(_node, _HEADERS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TREES)
def test_whatever_the_tree_a_letter_comes_out(content: bytes) -> None:
    letter = read(content)
    assert letter.size == len(content)
    assert all("\n" not in value for values in letter.headers.values() for value in values)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_whatever_the_bytes_a_letter_comes_out(noise: bytes, at: int) -> None:
    whole = with_part(b"Content-Type: application/zip; name=a.zip")
    assert read(whole[:at] + noise + whole[at:]).findings is not None
    assert isinstance(read(noise), Letter)


def test_a_letter_of_the_standard_library_is_read_like_any_other() -> None:
    message = Message()
    message["From"] = "a@b.example"
    message.set_payload(BODY, "koi8-r")
    assert pair(read(message.as_bytes())) == PAIR


SIGNS = st.sampled_from(
    ["_" * 30, "----", "> x", "От: a@b.example", "Кому: c@d.example", "Тема: x", "", "text", "|>"]
)


@given(st.lists(SIGNS, max_size=8), st.sampled_from(["\n", "\r\n", ""]))
def test_a_body_may_end_in_the_middle_of_what_announces_a_quote(lines: list[str], end: str) -> None:
    body = "\n".join(["Код: 200000003080", "Пароль: весна", *lines]) + end
    assert pair(read(f"Content-Type: text/plain; charset=utf-8\n\n{body}".encode()))[1] == "весна"


ODD_MARKUP = (
    *("<p>", "</td>", "<table><tr", "<!--", "<![CDATA[", "&#0;", "&#xD800;", "<\0>", "</html>"),
    *("<br/", "<a href='", "]]>", "<?xml?>", "\x0b", "&bogus;", "<div class=gmail_quote>"),
)
MARKUP = st.lists(st.sampled_from(ODD_MARKUP), max_size=8)


@given(MARKUP, MARKUP)
def test_malformed_html_is_read_as_far_as_it_goes(before: list[str], after: list[str]) -> None:
    head = "Content-Type: text/html; charset=utf-8\n\n"
    read((head + "".join(before) + "<p>Код: 200000003080</p>" + "".join(after)).encode())
    whole = read((head + "<p>Код: 200000003080<br>Пароль: весна</p>" + "".join(after)).encode())
    assert pair(whole) == ("200000003080", "весна")


@pytest.mark.parametrize(
    "content", [b"", b"<", b"\0", b"<!DOCTYPE html>", b"<?xml version='1.0'?>"]
)
def test_an_html_body_of_nothing_has_no_text(content: bytes) -> None:
    assert read(b"Content-Type: text/html\n\n" + content).credentials == ()
