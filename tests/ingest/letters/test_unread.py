"""Every part of a letter is read, known to be harmless, or named."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.letters.body import rtf_text
from ingest.letters.decoding import transferred
from ingest.letters.encoded import FILES_MOST, cut_encoded, encoded_in_html
from ingest.letters.letter import read_letter
from ingest.letters.signed import cms_message
from ingest.letters.terms import Letter, Limits
from ingest.letters.unread import BY_TYPE, LOGO_MOST_BYTES, Why, no_documents, why_unread
from ingest.replies.texts import sentence
from ingest.replies.wording import catalogue
from layouts.findings import Code
from layouts.terms import LANGUAGES
from tests.ingest.letters.test_unpack import XML, signed, zipped

OCTETS = "application/octet-stream"
BINHEX = b"(This file must be converted with BinHex 4.0)\n\n:$f*TEQKPH#jdHA3!!2rrN!3!!\n!!:\n"
LOCK = b"\x06Ivanov" + bytes(158)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
UNREAD = [
    ("цех 2.rar", b"Rar!\x1a\x07\x01\0", OCTETS, Why.ARCHIVE),
    ("цех 2.7z", b"7z\xbc\xaf\x27\x1c\0\4", OCTETS, Why.ARCHIVE),
    ("data.tar", bytes(257) + b"ustar", OCTETS, Why.ARCHIVE),
    ("письмо.msg", OLE, "application/vnd.ms-outlook", Why.OUTLOOK),
    ("письмо", OLE + "__substg1.0_0037".encode("utf-16-le"), OCTETS, Why.OUTLOOK),
    ("письмо.doc", OLE, "application/msword", Why.OFFICE),
    ("письмо.docx", zipped(("[Content_Types].xml", b""), ("word/a.xml", b"")), OCTETS, Why.OFFICE),
    ("письмо.rtf", b"{\\rtf1 x}", "text/rtf", Why.OFFICE),
    ("акт.pdf", b"%PDF-1.4", "application/pdf", Why.PDF),
    ("счётчик.jpg", b"\xff\xd8\xff" + bytes(LOGO_MOST_BYTES), "image/jpeg", Why.PICTURE),
    ("счётчик.jpg", b"\xff\xd8\xff", "image/jpeg", Why.PICTURE),
    ("z52006.xml.sig", signed(b"")[:24], OCTETS, Why.SIGNATURE),
    ("показания.txt", "Показания: 123".encode(), "text/plain", Why.OTHER),
    ("программа.exe", b"MZ\x90\0", OCTETS, Why.OTHER),
    ("Показания.lnk", b"L\0\0\0\x01\x14\x02\0" + bytes(60), OCTETS, Why.SHORTCUT),
    ("Показания.xlsx.url", b"[InternetShortcut]\r\nURL=file:///p", OCTETS, Why.SHORTCUT),
    ("p.webloc", b'<?xml version="1.0"?><plist><string>x</string></plist>', OCTETS, Why.SHORTCUT),
    ("Показания.mxl", b"MOXCEL\0\7", OCTETS, Why.OTHER_TABLE),
    (
        "p.numbers",
        zipped(("Index/Document.iwa", b"x"), ("preview.jpg", b"x")),
        OCTETS,
        Why.OTHER_TABLE,
    ),
    (
        "Показания.html",
        b"<html><table><tr><td>1</td></tr></table></html>",
        "text/html",
        Why.WEB_PAGE,
    ),
    ("p.csv", b"a;b\r\n1;2\r\n3;4\r\n", "text/csv", Why.SEPARATED_VALUES),
    ("readme.txt", b"Hello, Anna\r\nwell, so\r\nyes, it is\r\n", "text/plain", Why.OTHER),
    ("акт.pdf", b"", "application/pdf", Why.EMPTY),
    ("p.hqx", BINHEX, OCTETS, Why.ARCHIVE),
    ("~$цех 2.xlsx", LOCK, OCTETS, Why.LOCK),
    ("пусто.zip", zipped(("ноябрь/", b""), ("__MACOSX/._a.xml", b"x")), OCTETS, Why.NO_FILES),
]
HARMLESS = [
    ("image001.png", b"\x89PNG", "image/png"),
    ("Логотип компании.gif", b"GIF89a", "image/gif"),
    ("ivanova.vcf", b"BEGIN:VCARD\r\nEND:VCARD", OCTETS),
    ("карточка", b"x", "text/x-vcard"),
    ("smime.p7s", b"0\x80", "application/pkcs7-signature"),
    ("signature.asc", b"-----BEGIN PGP SIGNATURE-----", "application/pgp-signature"),
    ("ATT00001.txt", "С уважением".encode(), "text/plain"),
    ("", b" \r\n", OCTETS),
    ("ATT00002.htm", b"", "text/html"),
    ("invite.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", "application/ics"),
    ("OpenPGP_0x1.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----", "application/pgp-keys"),
    ("z.xml", b"\0\x05\x16\x07" + bytes(80), "application/applefile"),
    ("._z.xlsx", b"\0\x05\x16\x07" + bytes(80), OCTETS),
    ("", b"Version: 1", "application/pgp-encrypted"),
    ("", b"Disposition: displayed", "message/disposition-notification"),
    ("", b"GIF89a" + bytes(40), "image/gif"),
]


def beside(*files: tuple[str, bytes, str], head: str = "") -> Letter:
    """A letter of files, each as an attachment unless `head` says otherwise."""
    parts = [
        f'--b\r\nContent-Type: {kind}; name="{name}"\r\n{head}'
        "Content-Transfer-Encoding: base64\r\n\r\n".encode()
        + base64.encodebytes(content)
        for name, content, kind in files
    ]
    start = b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return read_letter(start + b"\r\n".join(parts) + b"\r\n--b--\r\n", Limits())


def named(letter: Letter) -> list[tuple[str, str]]:
    """Name and reason of each file that the reply names."""
    assert not {one.code for one in letter.findings} - {Code.ATTACHMENT_NOT_READ}
    return [(one.detail["name"], one.detail["reason"]) for one in letter.findings]


DOCUMENT = ("z.xml", XML, OCTETS)
INSIDE: dict[str, Callable[[str, bytes, str], tuple[str, bytes, str]]] = {
    "attached": lambda name, content, kind: (name, content, kind),
    "zipped": lambda name, content, _: ("a.zip", zipped((name, content)), OCTETS),
    "forwarded": lambda name, content, kind: (
        "письмо.eml",
        f'Content-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode()
        + base64.encodebytes(content),
        OCTETS,
    ),
    "signed": lambda name, content, _: (f"{name}.sig", signed(content), OCTETS),
}


@pytest.mark.parametrize("way", INSIDE)
@pytest.mark.parametrize(("name", "content", "kind", "why"), UNREAD)
def test_a_file_that_is_not_read_is_named_beside_a_document(
    name: str, content: bytes, kind: str, why: Why, way: str
) -> None:
    file = INSIDE[way](name, content, kind)
    letter = beside(DOCUMENT, file)
    assert len(letter.documents) == 1
    ((told, reason),) = named(letter)
    assert reason == why.value
    assert told.startswith(name.removesuffix(".sig"))


@pytest.mark.parametrize(("name", "content", "kind", "why"), UNREAD)
def test_alone_it_is_listed_and_no_finding(name: str, content: bytes, kind: str, why: Why) -> None:
    letter = beside((name, content, kind))
    assert not letter.documents
    assert letter.findings == ()
    assert [(one.name, one.why) for one in letter.attachments] == [(name, why.value)]


@pytest.mark.parametrize(
    "content", [b"", XML, zipped(("z.xml", XML)), b"Content-Type: text/xml\n\n" + XML]
)
@pytest.mark.parametrize(("kind", "why"), BY_TYPE.items())
def test_a_part_of_a_letter_is_never_read_and_always_told(
    content: bytes, kind: str, why: Why
) -> None:
    assert named(beside(DOCUMENT, ("", content, kind))) == [("", why.value)]
    alone = read_letter(b'Content-Type: %b; id="1"\n\n' % kind.encode() + content, Limits())
    (found,) = no_documents(alone.attachments)
    assert catalogue("words", "ru")["reason"][why.value] in sentence(found, "ru")
    assert kind not in sentence(found, "ru")


@pytest.mark.parametrize(("name", "content", "kind"), HARMLESS)
def test_what_is_known_to_be_harmless_is_passed_by(name: str, content: bytes, kind: str) -> None:
    assert named(beside(DOCUMENT, (name, content, kind))) == []


@pytest.mark.parametrize("head", ["Content-ID: <x>\r\n", "Content-Disposition: inline\r\n"])
def test_a_small_picture_in_the_body_is_a_logo_and_a_large_one_is_named(head: str) -> None:
    small, large = (("x.png", b"\x89PNG" + bytes(n), "image/png") for n in (9, LOGO_MOST_BYTES))
    assert named(beside(DOCUMENT, small, head=head)) == []
    assert named(beside(DOCUMENT, large, head=head)) == [("x.png", "picture")]


@pytest.mark.parametrize(("size", "told"), [(900, []), (LOGO_MOST_BYTES, [("", "picture")])])
def test_a_picture_within_the_markup_is_a_logo_or_named_like_an_attached_one(
    size: int, told: list[tuple[str, str]]
) -> None:
    picture = base64.encodebytes(b"\x89PNG" + bytes(size))
    markup = b'<p>x</p><img src="data:image/png;base64,' + picture + b'">'
    start = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
    )
    rest = b"\r\n--b\r\nContent-Type: text/xml; name=z.xml\r\n\r\n" + XML + b"\r\n--b--\r\n"
    assert named(read_letter(start + markup + rest, Limits())) == told


def test_a_detached_signature_beside_its_file_is_named_as_one() -> None:
    empty = signed(b"x").replace(b"\xa0\x03\x04\x01x", b"")
    detached = empty[:1] + bytes([empty[1] - 5]) + empty[2:]
    assert named(beside(DOCUMENT, ("z.xml.p7s", detached, OCTETS))) == [("z.xml.p7s", "signature")]


def test_the_lock_of_a_workbook_that_came_as_well_is_harmless() -> None:
    lock = ("~$z.xml", LOCK, OCTETS)
    assert named(beside(DOCUMENT, lock)) == []
    packed = zipped(("z.xml", XML), ("~$z.xml", LOCK))
    assert named(beside(("a.zip", packed, OCTETS))) == []


@given(st.text(max_size=30), st.binary(max_size=300), st.sampled_from([OCTETS, "image/png", "x/y"]))
def test_every_file_has_an_account(name: str, content: bytes, kind: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("a/" + name.replace("\0", "").rstrip("/\\") + "x"), content
        )
    letter = beside(DOCUMENT, ("a.zip", packed.getvalue(), kind))
    accounts = len(letter.documents) - 1 + len(letter.attachments)
    assert accounts + len(letter.findings) >= 1


def test_every_reason_has_its_words() -> None:
    for language in LANGUAGES:
        words = catalogue("words", language)["reason"]
        assert {why.value for why in Why if why} <= words.keys()


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_why_a_file_is_not_read_is_total(content: bytes, name: str, kind: str) -> None:
    assert why_unread(name, content, kind) in Why


def armoured(content: bytes) -> bytes:
    return b"-----BEGIN CMS-----\r\n" + base64.encodebytes(content) + b"-----END CMS-----\r\n"


@pytest.mark.parametrize("form", [bytes, armoured, base64.encodebytes, base64.b64encode])
@pytest.mark.parametrize("ending", [".sig", ".p7m", ".p7s", ".sig.p7m", ".SGN", ""])
@pytest.mark.parametrize("kind", [OCTETS, "application/pkcs7-mime", "text/plain"])
def test_a_signed_file_is_opened_by_its_content_and_has_its_own_name(
    form: Callable[[bytes], bytes], ending: str, kind: str
) -> None:
    letter = beside((f"Цех 1.xml{ending}", form(signed(XML, open_end=True)), kind))
    assert [(one.name, one.content) for one in letter.documents] == [("Цех 1.xml", XML)]
    assert letter.findings == ()


def test_what_a_signature_holds_is_opened_further() -> None:
    letter = beside(("два.zip.sig", signed(zipped(("a.xml", XML), ("b.xml", XML))), OCTETS))
    assert [(one.name, one.container) for one in letter.documents] == [
        ("a.xml", "два.zip"),
        ("b.xml", "два.zip"),
    ]


def test_signatures_around_signatures_end() -> None:
    content = XML
    for _ in range(20):
        content = signed(content)
    assert named(beside(DOCUMENT, ("a.xml.sig", content, OCTETS))) == [("a.xml", "too-deep")]


@given(st.binary(max_size=100))
def test_only_cms_is_taken_for_it(content: bytes) -> None:
    assert cms_message(content) is None
    assert cms_message(base64.b64encode(b"0\x82" + content)) is None


def uuencoded(name: str, content: bytes) -> bytes:
    lines = [binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45)]
    return b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n"


def in_base64(name: str, content: bytes) -> bytes:
    return b"begin-base64 644 " + name.encode() + b"\n" + base64.encodebytes(content) + b"====\n"


def in_yenc(name: str, content: bytes) -> bytes:
    plain = bytes((sign + 42) % 256 for sign in content)
    escaped = b"".join(
        b"=" + bytes([(sign + 64) % 256]) if sign in b"\0\r\n=" else bytes([sign]) for sign in plain
    )
    lines = b"\r\n".join(escaped[at : at + 128] for at in range(0, len(escaped), 128))
    head = f"=ybegin line=128 size={len(content)} name={name}\r\n".encode()
    return head + lines + f"\r\n=yend size={len(content)}".encode() + b"\r\n"


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)


@pytest.mark.parametrize("encoded", [uuencoded, in_base64, in_yenc])
@given(contents=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3), text=TEXTS)
def test_files_encoded_in_a_text_come_out_byte_for_byte(
    encoded: Callable[[str, bytes], bytes], contents: list[bytes], text: str
) -> None:
    around = ("x" + text + "\n").encode()
    body = around + around.join(encoded("файл.bin", content) for content in contents) + around
    files, rest = cut_encoded(body, "utf-8")
    assert files == [("файл.bin", content) for content in contents]
    assert b"".join(rest.split()) == b"".join((around * (len(contents) + 1)).split())


def test_a_file_in_base64_without_its_last_line_comes_out_whole() -> None:
    body = in_base64("z.xml", XML).removesuffix(b"====\n") + "\nС уважением\n".encode()
    files, rest = cut_encoded(body, "utf-8")
    assert files == [("z.xml", XML)]
    assert rest.decode().strip() == "С уважением"


LOGIN = "Код: 200000003080\nПароль: весна\n\n".encode()
DECLARED = b'<?xml version="1.0"?>\n' + b"<!-- -->" * 20 + XML.partition(b"\n")[2]
LOST_HEADER = b'Content-Type: text/xml; name="z.xml"\nContent-Transfer-Encoding: base64\n\n'
IN_TEXT = {
    "uuencoded": (uuencoded("z.xml", DECLARED), [("z.xml", DECLARED)]),
    "yEnc": (in_yenc("z.xml", DECLARED), [("z.xml", DECLARED)]),
    "a part whose header was lost": (
        LOST_HEADER + base64.encodebytes(DECLARED),
        [("z.xml", DECLARED)],
    ),
    "base64 on one line": (base64.b64encode(DECLARED) + b"\n", [("", DECLARED)]),
    "signed in armour": (
        b"-----BEGIN PKCS7-----\n"
        + base64.encodebytes(signed(DECLARED))
        + b"-----END PKCS7-----\n",
        [("", DECLARED)],
    ),
    "BinHex, which is told": (BINHEX, []),
    "a word that only looks so": (b"begin 644\n=ybegin\nPD94bWwgdmVyc2lvbj0i\n", []),
    "another's signature": (
        b"-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n",
        [],
    ),
}


@pytest.mark.parametrize("way", ["text/plain", "text/html"])
@pytest.mark.parametrize("case", IN_TEXT)
def test_what_stands_encoded_in_a_text_is_a_file_and_the_rest_is_text(case: str, way: str) -> None:
    packed, files = IN_TEXT[case]
    if way == "text/html":
        packed = b"<pre>" + packed.replace(b"<", b"&lt;") + b"</pre>"
    head = f"Content-Type: {way}; charset=utf-8\n\n".encode()
    login = LOGIN.replace(b"\n", b"<br>") if way == "text/html" else LOGIN
    letter = read_letter(head + login + packed, Limits())
    if case == "yEnc" and way == "text/html":
        # Its bytes are no text, and HTML does not keep them.
        files = [("z.xml", letter.documents[0].content)]
    assert [(one.name, one.content) for one in letter.documents] == files
    assert [one.why for one in letter.attachments] == ["archive"] * ("BinHex" in case)
    if way == "text/plain":
        assert [one.password for one in letter.credentials] == ["весна"]


def wrapped(content: bytes, width: int = 76, ends: bytes = b"\n") -> bytes:
    packed = base64.b64encode(content)
    return ends.join(packed[at : at + width] for at in range(0, len(packed), width)) + ends


@pytest.mark.parametrize("kind", ["xml", "zip", "ole"])
@given(
    size=st.integers(0, 120),
    width=st.sampled_from([64, 72, 76]),
    ends=st.sampled_from([b"\n", b"\r\n"]),
    word=st.sampled_from(
        ["Regards", "Best", "Accountant", "Petrova", "PRIMER", "20261101", "12/34"]
    ),
)
@example(size=9, width=76, ends=b"\n", word="Regards")
def test_a_word_on_the_line_behind_bare_base64_is_text(
    kind: str, size: int, width: int, ends: bytes, word: str
) -> None:
    filler = bytes(ord("a") + at % 26 for at in range(size))
    content = {
        "xml": DECLARED + b"<!--" + filler + b"-->\n",
        "zip": zipped((f"{filler.decode()}.xml", XML)),
        "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016),
    }[kind]
    body = b"Hello" + ends + wrapped(content, width, ends) + word.encode() + ends
    files, rest = cut_encoded(body, "utf-8")
    assert files == [("", content)]
    assert rest.split() == [b"Hello", word.encode()]


def test_a_file_in_bare_base64_that_was_cut_off_is_a_file_all_the_same() -> None:
    cut = DECLARED[:-30]
    assert cut_encoded(wrapped(cut), "utf-8")[0] == [("", cut)]


def test_bare_base64_takes_its_name_from_its_own_header_only() -> None:
    second = b"username=ivanov\n" + wrapped(DECLARED)
    files, _ = cut_encoded(LOST_HEADER + wrapped(DECLARED) + b"\n" + second, "utf-8")
    assert [name for name, _ in files] == ["z.xml", ""]


@given(
    begin=st.sampled_from(
        [
            b"",
            b"H4sI",
            b"MII",
            b"iVBORw0KGgo",
            b"v=1; a=rsa-sha256; b=",
            b"https://l.example/?d=UEsDB",
        ]
    ),
    key=st.binary(min_size=300, max_size=600),
    width=st.sampled_from([64, 76, 1000]),
)
def test_keys_tokens_signatures_and_pictures_in_base64_stay_text(
    begin: bytes, key: bytes, width: int
) -> None:
    body = b"Hello\n" + begin + wrapped(key, width) + b"Regards\n"
    assert cut_encoded(body, "utf-8") == ([], body)
    assert encoded_in_html(b"<p>" + body + b"</p>", "utf-8") == []
    assert transferred(body, "7bit") == body


def test_a_web_archive_is_told_as_one() -> None:
    page = b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\nx"
    assert named(beside(DOCUMENT, ("p.mht", page, OCTETS))) == [("p.mht", "archived-page")]


ARMOURED = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Type: text/plain\n\n" + ARMOURED,
        b'Content-Type: application/octet-stream; name="encrypted.asc"\n\n' + ARMOURED,
        b'Content-Type: application/octet-stream; name="z.xlsx.gpg"\n\n\x85\1\x0c',
    ],
)
def test_what_only_its_recipient_can_read_is_told_to_be_encrypted(content: bytes) -> None:
    letter = read_letter(content, Limits())
    assert [one.code for one in letter.findings] == [Code.ENCRYPTED_DOCUMENT]


BASE64 = base64.encodebytes(DECLARED)


@pytest.mark.parametrize(
    ("stated", "content"),
    [("base64", DECLARED), ("", BASE64), ("7bit", BASE64), ("quoted-printable", BASE64)],
)
def test_a_false_transfer_encoding_is_not_believed(stated: str, content: bytes) -> None:
    head = f'Content-Type: text/xml; name="z.xml"\nContent-Transfer-Encoding: {stated}\n\n'
    letter = read_letter(head.encode() + content, Limits())
    assert [one.content for one in letter.documents] == [DECLARED]


LINKS = {
    "https://disk.yandex.ru/i/AbCdEf123": ["disk.yandex.ru"],
    "http://yadi.sk/d/AbCdEf": ["yadi.sk"],
    "https://cloud.mail.ru/stock/abcdef": ["cloud.mail.ru"],
    "https://firma-my.sharepoint.com/:x:/g/p": ["firma-my.sharepoint.com"],
    "https://drive.google.com/file/d/1/view": ["drive.google.com"],
    "https://disk.yandex.ru/": [],
    "https://mail.ru/android-app-page": [],
    "https://primer.example/disk.yandex.ru/file": [],
    "> https://disk.yandex.ru/i/AbCdEf123": [],
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("is_html", [False, True])
def test_a_link_to_a_storage_is_named_by_its_host_and_no_other_link(
    link: str, is_html: bool
) -> None:
    text = f"Здравствуйте!\nПоказания: {link}\n".replace("Показания: >", ">")
    if is_html:
        mark, _, url = link.rpartition(" ")
        anchor = f'<p>Показания: <a href="{url}">книга.xlsx</a></p>'
        text = f"<p>Да</p><blockquote>{anchor}</blockquote>" if mark else anchor
    kind = "text/html" if is_html else "text/plain"
    content = f"Content-Type: {kind}; charset=utf-8\n\n{text}".encode()
    letter = read_letter(content, Limits())
    told = [(one.name, one.why) for one in letter.attachments]
    assert told == [(name, Why.LINK.value) for name in LINKS[link]]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_document_encoded_in_the_text_is_read_and_the_text_around_it_too(ends: bytes) -> None:
    body = "Код: 200000003080\nПароль: весна\n\n".encode() + uuencoded("z.xml", XML)
    letter = read_letter(
        b"Content-Type: text/plain; charset=utf-8\n\n".replace(b"\n", ends)
        + body.replace(b"\n", ends),
        Limits(),
    )
    assert [(one.name, one.content) for one in letter.documents] == [("z.xml", XML)]
    assert [one.password for one in letter.credentials] == ["весна"]


@pytest.mark.parametrize(
    "body",
    [
        b"begin 644 x\n" * 30_000,
        b"begin 644 x\nM\nend\n" * 30_000,
        b"=ybegin name=x\n" * 30_000,
        b"=ybegin name=x\n" + b"=" * 400_000,
        b"-----BEGIN CMS-----\n" * 30_000,
        (BASE64[:70] + b"\n") * 30_000,
    ],
    ids=range(6),
)
def test_texts_of_nothing_but_beginnings_cost_little(body: bytes) -> None:
    files, rest = cut_encoded(body, "")
    assert len(files) in {0, 1, FILES_MOST}
    assert rest.count(b"begin") == body.count(b"begin") - (body.count(b"begin") and len(files))


def rtf(text: str) -> bytes:
    """RTF as Outlook writes it: letters beyond ASCII escaped, a paragraph a line."""
    signs = "".join(
        c if c.isascii() else f"\\'{c.encode('cp1251').hex()}" if n % 2 else f"\\u{ord(c)}?"
        for n, c in enumerate(text)
    )
    for sign in "{}":
        signs = signs.replace(sign, f"\\{sign}")
    return ("{\\rtf1\\ansi\\ansicpg1251 " + signs.replace("\n", "\\par\n") + "}").encode()


def winmail(body: bytes) -> bytes:
    """A winmail.dat with an RTF body and nothing else."""
    packed = struct.pack("<LL4sL", len(body) + 12, len(body), b"MELA", 0) + body
    data = struct.pack("<LLLL", 1, 0x10090102, 1, len(packed)) + packed + bytes(-len(packed) % 4)
    head = struct.pack("<LH", 0x223E9F78, 1)
    return head + struct.pack("<BHHL", 1, 0x9003, 6, len(data)) + data + bytes(2)


def test_code_password_and_document_in_an_rtf_body_are_found() -> None:
    text = f"Код: 200000003080\nПароль: весна\n{XML.decode()}\n"
    for file in (
        ("winmail.dat", winmail(rtf(text)), "application/ms-tnef"),
        ("", rtf(text), "text/rtf"),
    ):
        letter = beside(file)
        assert [one.password for one in letter.credentials] == ["весна"]
        assert len(letter.documents) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{\\rtf1", b"{\\rtf1 \\'zz\\u99999999999?}", b"{" * 100_000, b"\\bin999999999 x"]
)
def test_rtf_that_is_none_has_a_text_nevertheless(body: bytes) -> None:
    assert isinstance(rtf_text(body), bytes)


@given(st.binary(max_size=300))
def test_reading_rtf_is_total(body: bytes) -> None:
    assert isinstance(rtf_text(b"{\\rtf1" + body), bytes)


@pytest.mark.parametrize("name", ["папка\\a.xml", "папка/a.xml", "a.xml", "\\\\disk\\папка\\a.xml"])
def test_names_in_a_zip_may_be_parted_by_backslashes(name: str) -> None:
    letter = beside(("a.zip", zipped((name, XML), ("__MACOSX\\._a.xml", b"x")), OCTETS))
    assert [one.name for one in letter.documents] == ["a.xml"]


def test_a_workbook_whose_parts_are_named_with_backslashes_is_one_document() -> None:
    book = zipped(("[Content_Types].xml", b"<a/>"), ("xl\\workbook.xml", b"<a/>"))
    assert len(beside(("a.xlsx", book, OCTETS)).documents) == 1


def test_gzip_beyond_the_depth_is_named() -> None:
    content = XML
    for _ in range(6):
        content = gzip.compress(content)
    assert named(beside(DOCUMENT, ("a.xml.gz", content, OCTETS)))[0][1] == "too-deep"
