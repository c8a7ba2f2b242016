"""Which files of a letter are read, which are named, and how much of all is opened."""

import base64
import binascii
import gzip
import html
import re
import zipfile
from dataclasses import replace

import pytest

from ingest.letters import body, encoded, secrets, unpack
from ingest.letters import letter as letters
from ingest.letters.credentials import find_credentials
from ingest.letters.letter import read_letter
from ingest.letters.terms import Attachment, Limits, Source
from ingest.letters.unpack import OverLimitError, Unpacker
from ingest.letters.unread import LOGO_MOST_BYTES, Why, no_documents, why_unread
from layouts.findings import Code
from tests.ingest.letters.test_unpack import XML, signed, tnef_object, winmail, zipped

OLE = b"\xd0\xcf\x11\xe0"
STREAM = "__substg1.0_".encode("utf-16-le")
BINARY = "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "content", "kind", "inline", "why"),
    [
        ("a.rar", b"x", BINARY, False, Why.ARCHIVE), ("A.PDF", b"x", BINARY, False, Why.PDF),
        ("a.txt", b"%PDF-1", BINARY, False, Why.PDF),
        ("a.mxl", b"{\\rtf", BINARY, False, Why.OTHER_TABLE),
        ("a.txt", b"MOXCEL", BINARY, False, Why.OTHER_TABLE),
        ("a.x", b"{\\rtf", BINARY, False, Why.OFFICE),
        ("a.x", b"[InternetShortcut]", BINARY, False, Why.SHORTCUT),
        ("a.x", OLE, BINARY, False, Why.OFFICE),
        ("a.msg", OLE, BINARY, False, Why.OUTLOOK),
        ("a.x", OLE + STREAM, BINARY, False, Why.OUTLOOK),
        ("a.sig", b"x", BINARY, False, Why.SIGNATURE),
        ("smime.p7s", b"x", BINARY, False, Why.HARMLESS),
        ("a.x", b"x", "application/pgp-signature", False, Why.SIGNATURE),
        ("", b"x", "application/pgp-signature", False, Why.HARMLESS),
        ("", b"x", BINARY, False, Why.OTHER),
        ("a.sig", b"x", "application/pgp-signature", False, Why.SIGNATURE),
        ("a.x", b"\0" * 257 + b"ustar", BINARY, False, Why.ARCHIVE),
        ("a.x", b"\0" * 258 + b"ustar", BINARY, False, Why.OTHER),
        ("a.x", b"x", "image/x", False, Why.PICTURE),
        ("a.x", b"x", "message/partial", False, Why.PART),
        ("a.png", b"x" * 9, BINARY, False, Why.PICTURE),
        ("a.png", b"x" * 9, BINARY, True, Why.HARMLESS),
        ("a.png", b"x" * LOGO_MOST_BYTES, BINARY, True, Why.HARMLESS),
        ("a.png", b"x" * (LOGO_MOST_BYTES + 1), BINARY, True, Why.PICTURE),
        ("logo1.png", b"x" * 9, BINARY, False, Why.HARMLESS),
        ("image001.png", b"x", BINARY, False, Why.HARMLESS),
        ("", b"x" * 2000, "image/gif", False, Why.HARMLESS),
        ("", b"x" * 2001, "image/gif", False, Why.PICTURE),
        ("a.gif", b"x" * 2000, "image/gif", False, Why.PICTURE),
        ("a.x", b"x", "text/vcard", False, Why.HARMLESS),
        ("", b"x", "text/calendar", False, Why.HARMLESS),
        ("a.x", b"x", "text/calendar", False, Why.OTHER),
        ("ATT00001.txt", b"x" * 2000, BINARY, False, Why.HARMLESS),
        ("ATT00001.txt", b"x" * 2001, BINARY, False, Why.OTHER),
        ("", b" \n", BINARY, False, Why.HARMLESS),
        ("a.x", b" ", BINARY, False, Why.OTHER), ("logo.pdf", b"x", BINARY, False, Why.PDF),
        ("a.pdf", b"x", "text/vcard", False, Why.PDF),
        ("a.x", b"  L\0\0\0\x01\x14\x02\0", BINARY, False, Why.SHORTCUT),
    ],
)  # fmt: skip
def test_a_file_is_told_by_its_bytes_then_its_name_then_its_type(name, content, kind, inline, why):
    assert why_unread(name, content, kind, is_inline=inline) is why


def test_of_a_letter_without_documents_each_kind_is_told_once():
    read = read_letter(
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: application/pdf; name=b.pdf\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: message/partial\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: x/y\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
        Limits(),
    )
    assert [dict(one.detail) for one in no_documents(read.attachments)] == [
        {"reason": "pdf", "name": "a.pdf\nb.pdf"}, {"reason": "part"},
        {"reason": "other", "name": "x/y"},
    ]  # fmt: skip
    assert [one.detail for one in no_documents(())] == [{}]


LIMITS = Limits()
NESTED = zipped(("b.zip", zipped(("a.xml", XML))))


def taken(content, name="a.zip", limits=LIMITS):
    unpacker = Unpacker(limits)
    try:
        unpacker.take(name, content)
    except OverLimitError as over:
        return over.found.code, over.found.place.file
    return [(one.name, one.container) for one in unpacker.documents]


FOUND = [("a.xml", "b.zip")]
TOO_MANY = (Code.TOO_MANY_DOCUMENTS, "b.zip")


@pytest.mark.parametrize(
    ("bound", "most", "found"),
    [
        # Two archives, each with an entry, and a file.
        ("ENTRIES_MOST", 1, (Code.TOO_MANY_DOCUMENTS, "a.zip")),
        ("ENTRIES_MOST", 2, (Code.TOO_MANY_DOCUMENTS, "a.zip")),
        ("ENTRIES_MOST", 5, FOUND), ("ENTRIES_MOST", 4, TOO_MANY), ("CONTAINERS_MOST", 2, FOUND),
        ("CONTAINERS_MOST", 1, (Code.TOO_MANY_DOCUMENTS, "a.zip")), ("DEPTH_MOST", 2, FOUND),
        ("DEPTH_MOST", 1, []), ("FILE_MOST", len(zipped(("a.xml", XML))), FOUND),
        ("FILE_MOST", len(zipped(("a.xml", XML))) - 1, (Code.UNPACKS_TOO_LARGE, "a.zip")),
    ],
)  # fmt: skip
def test_archives_are_opened_to_their_bounds(bound, most, found, monkeypatch):
    monkeypatch.setattr(unpack, bound, most)
    assert taken(NESTED) == found


WRAPS = {
    "zip": lambda name, content: ("a.zip", zipped((name, content))),
    "gzip": lambda name, content: (f"{name}.gz", gzip.compress(content)),
    "signed": lambda name, content: (f"{name}.sig", signed(content)),
    "winmail": lambda name, content: ("winmail.dat", winmail((name.encode(), content))),
    "letter": lambda name, content: (
        "a.eml", f"Content-Type: x/y; name={name}\n\n".encode() + content
    ),
    "letter that is signed": lambda name, content: (
        "a.p7m", signed(f"Content-Type: x/y; name={name}\n\n".encode() + content)
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRAPS)
def test_containers_of_each_kind_are_opened_four_deep(kind):
    name, content = "a.xml", XML
    for depth in range(1, 7):
        name, content = WRAPS[kind](name, content)
        unpacker = Unpacker(LIMITS)
        unpacker.take(name, content)
        assert [one.content for one in unpacker.documents] == [XML] * (depth <= 4)
        assert [one.why for one in unpacker.attachments] == ["too-deep"] * (depth > 4)


@pytest.mark.parametrize("make", [lambda data: zipped(("a.xml", data)), gzip.compress])
def test_what_comes_out_is_counted(make):
    data = b"<a>" + b"x" * 200_000
    for most, is_taken in ((len(data), True), (len(data) - 1, False)):
        found = taken(make(data), "a.xml.gz", replace(LIMITS, unpacked_bytes=most))
        name = (Code.UNPACKS_TOO_LARGE, "a.xml.gz")
        assert found == ([("a.xml", "a.xml.gz")] if is_taken else name)


def test_documents_are_taken_to_their_bound():
    two = zipped(("a.xml", XML), ("b.xml", XML))
    assert len(taken(two, limits=replace(LIMITS, documents=2))) == 2
    assert taken(two, limits=replace(LIMITS, documents=1)) == (Code.TOO_MANY_DOCUMENTS, "a.zip")
    assert taken(XML, limits=replace(LIMITS, documents=0)) == (Code.TOO_MANY_DOCUMENTS, None)


@pytest.mark.parametrize(("members", "is_read"), [(1, True), (2, True), (3, False)])
def test_members_of_a_gzip_are_bounded(members, is_read, monkeypatch):
    monkeypatch.setattr(unpack, "_MEMBERS_MOST", 2)
    content = gzip.compress(XML) + gzip.compress(b" ") * (members - 1)
    assert bool(taken(content, "a.xml.gz")) is is_read
    assert bool(taken(content + b"garbage", "a.xml.gz")) is is_read


def test_the_name_of_a_file_in_nameless_archives_is_that_of_the_outer_one():
    assert taken(zipped(("", zipped(("a.xml", XML)))), "o.zip") == [("a.xml", "o.zip")]
    assert taken(zipped(("a.xml", XML)), "") == [("a.xml", "")]


def bodies(*texts: bytes, kind=b"text/plain"):
    made = b"".join(b"--b\r\nContent-Type: " + kind + b"\r\n\r\n" + t + b"\r\n" for t in texts)
    content = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + made + b"--b--"
    unpacker = Unpacker(LIMITS)
    unpacker.letter(content)
    return [part.content for part in unpacker.texts]


@pytest.mark.parametrize(
    ("bound", "most", "found"),
    [
        ("BODIES_MOST", 3, [b"12", b"34", b"56"]), ("BODIES_MOST", 2, [b"12", b"34"]),
        ("BODY_BYTES_MOST", 4, [b"12", b"34", b"56"]), ("BODY_BYTES_MOST", 3, [b"12", b"34"]),
    ],
)  # fmt: skip
def test_bodies_are_read_to_their_bounds(bound, most, found, monkeypatch):
    monkeypatch.setattr(unpack, bound, most)
    assert bodies(b"12", b"34", b"56") == found


@pytest.mark.parametrize(
    ("bound", "most", "texts", "kind", "found"),
    [
        ("BODY_LINES_MOST", 2, [b"1\n2\n3"], b"text/plain", [b"1\n2\n3"]),
        ("BODY_LINES_MOST", 1, [b"1\n2\n3", b"4\n5"], b"text/plain", [b"1\n2", b"4"]),
        ("TAGS_MOST", 2, [b"<i>1<b>2"], b"text/html", [b"<i>1<b>2"]),
        ("TAGS_MOST", 1, [b"<i>1<b>2", b"<u>3"], b"text/html", [b"<i>1", b""]),
        ("TAGS_MOST", 1, [b"<i>1<b>2"], b"text/plain", [b"<i>1<b>2"]),
    ],
)  # fmt: skip
def test_lines_and_tags_of_all_bodies_are_read_to_their_bounds(
    bound, most, texts, kind, found, monkeypatch
):
    monkeypatch.setattr(unpack, bound, most)
    assert bodies(*texts, kind=kind) == found


def credentials(plain: str, rich: str):
    made = "".join(
        f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n"
        for kind, text in (("plain", plain), ("html", rich))
        if text
    )
    head = "From: a@b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    read = read_letter(f"{head}{made}--b--".encode(), LIMITS)
    return [(one.user_code, one.password) for one in read.credentials]


CODE, PASSWORD = "Код: 123", "Пароль: a1"
BOTH = f"{CODE}\r\n{PASSWORD}"


@pytest.mark.parametrize(
    ("plain", "rich", "found"),
    [
        (BOTH, "Код: 456<br>Пароль: b2", [("123", "a1")]),
        ("x", BOTH.replace("\r", "<br>"), [("123", "a1")]),
        (CODE, "Код: 456<br>Пароль: b2", [("456", "b2")]), (CODE, "Код: 456", [("123", None)]),
        (CODE, "", [("123", None)]), ("x", "Код: 456", [("456", None)]),
        (PASSWORD, "Код: 456<br>Пароль: b2", [(None, "a1")]),
    ],
)  # fmt: skip
def test_the_plain_body_counts_unless_the_other_one_says_more(plain, rich, found):
    assert credentials(plain, rich) == found


@pytest.mark.parametrize(("lines", "found"), [(2, [("123", "a1")]), (1, [("123", None)])])
def test_lines_of_bodies_are_searched_to_their_bound(lines, found, monkeypatch):
    monkeypatch.setattr(letters, "LINES_MOST", lines)
    assert credentials(BOTH, "") == found


@pytest.mark.parametrize(
    ("values", "sender", "certain"),
    [
        (["a@b.ru"], "a@b.ru", True), (["<A@B.ru>"], "a@b.ru", True),
        (["x <a@b.ru>, c@d.ru"], "a@b.ru", False),
        (["c@d.ru <a@b.ru>"], "a@b.ru", True), (["a@b.ru", "a@b.ru"], "a@b.ru", True),
        (["a@b.ru", "c@d.ru"], "a@b.ru", False), (["a@b.ru"] * 4, "a@b.ru", False),
        (["a@b.ru (c@d.ru)"], "a@b.ru", True), (['"c@d.ru" <a@b.ru>'], "a@b.ru", True),
        ([""], "", True),
        (["=?utf-8?Q?a=40b.ru?="], "a@b.ru", False), (["a@b.ru" + " " * 3994], "a@b.ru", True),
        (["a@" + "я" * 190 + ".рф"], "", True), (["a@пример.рф"], "a@xn--e1afmkfd.xn--p1ai", True),
        (["x"], "", True), (['"c@d.ru" a@b.ru "'], "a@b.ru", False), (['a@b.ru "'], "a@b.ru", True),
        (['"c@d.ru" a@b.ru'], "a@b.ru", True), (['"x\\" c@d.ru" <a@b.ru>'], "a@b.ru", True),
        (['"(" c@d.ru ")" a@b.ru'], "c@d.ru", False), (['(" c@d.ru ") a@b.ru'], "a@b.ru", True),
        (['c@d.ru (" <a@b.ru>'], "a@b.ru", True), (["a@b.ru; c@d.ru"], "a@b.ru", False),
        (["<a@b.ru"], "a@b.ru", True), (["<c d> a@b.ru"], "a@b.ru", True),
        (['"x\\", c@d.ru" <a@b.ru>, "'], "a@b.ru", True), (["a@ｐrimer.рф"], "", True),
        (["a@и\u0306.рф"], "", True), (["a@b.ru"] * 3, "a@b.ru", True), (["@b.ru"], "", True),
        (["<a@b.ru> <c@d.ru>"], "a@b.ru", False), (["x:a@b.ru;"], "a@b.ru", True),
    ],
)  # fmt: skip
def test_a_sender_is_certain_when_every_program_finds_the_same(values, sender, certain):
    head = "".join(f"From: {value}\r\n" for value in values)
    read = read_letter(f"{head}\r\nx".encode(), LIMITS)
    assert (read.sender, read.is_sender_certain) == (sender, certain)


@pytest.mark.parametrize(
    ("stated", "path"),
    [(None, None), ("<>", ""), ("< >", ""), ("", ""), ("<a@b.ru>", "a@b.ru"), ("x", None)],
)
def test_only_an_envelope_that_is_stated_empty_is_nobody_s(stated, path):
    head = "" if stated is None else f"Return-Path: {stated}\r\n"
    assert read_letter(f"{head}From: a@b.ru\r\n\r\nx".encode(), LIMITS).return_path == path


@pytest.mark.parametrize(("size", "is_read"), [(0, True), (1, False)])
def test_a_letter_is_as_large_as_it_may_be(size, is_read):
    content = b"From: a@b.ru\r\n\r\nx"
    read = read_letter(content, replace(LIMITS, letter_bytes=len(content) - size))
    assert [one.code for one in read.findings] == [Code.LETTER_TOO_LARGE] * (not is_read)


def test_of_a_thread_the_last_ids_are_kept(monkeypatch):
    monkeypatch.setattr(letters, "_REFERENCES_MOST", 2)
    head = "References: <1@x> <2@x>\r\nIn-Reply-To: <3@x>\r\nMessage-ID: <4@x> <5@x>\r\n"
    read = read_letter(f"{head}\r\nx".encode(), LIMITS)
    assert (read.references, read.message_id) == (("<2@x>", "<3@x>"), "<4@x>")


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (zipped(("a", b"x")), True), (zipped(("a", b"x"))[:-1], False),
        (zipped(("a", b"x")) + b"x", False),
        (zipped(("a", b"x"))[:-2] + b"\2\0xx", True), (b"PK", False), (zipped(), True),
        (OLE + b"\0" * 508, True),
        (OLE + b"\0" * 507, False), (b"<a/>", True), (b"<a/>\r\n\0", True), (b"<a", False),
    ],
)  # fmt: skip
def test_a_file_is_whole_when_it_ends_as_its_kind_does(content, whole):
    assert encoded._is_whole(content) is whole


PACKED = base64.encodebytes(zipped(("a.xml", XML)) + b"")


@pytest.mark.parametrize(
    ("text", "name", "around"),
    [
        (b"=ybegin line=9 name=a.bin\r\nk\r\n=yend size=1\r\nrest", "a.bin", b"\nrest"),
        (b"=ybegin part=1 name=a.bin\r\n=ypart begin=1\r\nk", "a.bin", b""),
        (b"begin 644 a.bin\n#04)#\n`\nend\nrest", "a.bin", b"\nrest"),
        (b"begin 644 a.bin\n#04)#\n", "a.bin", b""),
        (b"begin-base64 644 a.bin\nQUJD\n====\nrest", "a.bin", b"\nrest"),
        (b'name="a.zip"\n\n' + PACKED + b"\nrest", "a.zip", b'name="a.zip"\n\n\nrest'),
        (PACKED + b"word\nrest", "", b"\nword\nrest"), (b"UEsDBBQA\nrest", None, b"UEsDBBQA\nrest"),
        (b"begin 644\nrest", None, b"begin 644\nrest"),
        (b"-----BEGIN CMS-----\nx\n-----END CMS-----\nrest", "", b"\nrest"),
        (b"-----BEGIN CMS-----\nx", "", b""),
    ],
)  # fmt: skip
def test_an_encoded_file_is_cut_out_of_its_text(text, name, around):
    files, rest = encoded.cut_encoded(b"before\n" + text, "")
    assert [one for one, _ in files] == ([] if name is None else [name])
    assert rest.replace(b"\r", b"") == b"before\n" + around


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (b"begin 644 a\n#04)#\nbegin 644 b\n#1$5&\n`\nend\n", [("a", b"ABC"), ("b", b"DEF")]),
        (b"begin 644 a\n#04)#\n`\nend\nbegin 644 b\n#1$5&\n", [("a", b"ABC"), ("b", b"DEF")]),
        (b"begin-base64 644 a\nQUJD\nbegin-base64 644 b\nREVG\n====\n",
         [("a", b"ABC"), ("b", b"DEF")]),
        (b"begin 644 a\nbegin 644 b\n#04)#\n`\nend\n", [("b", b"ABC")]),
        (b"=ybegin name=a\nk\n=yend x\n=ybegin name=b\nl\n=yend x", [("a", b"A"), ("b", b"B")]),
        (b"=ybegin name=a\nk\n=yend size=1", [("a", b"A")]),
        (b"=ybegin name=a\n=ypart x\nk\n", [("a", b"A")]),
        (b"-----BEGIN CMS-----\nx\n-----END CMS-----\n-----BEGIN CMS-----\ny",
         [("", b"-----BEGIN CMS-----\nx\n-----END CMS-----"), ("", b"-----BEGIN CMS-----\ny")]),
        (b"(This file must be converted with BinHex 4.0)\n:ab:\nx",
         [("", b"(This file must be converted with BinHex 4.0)\n:ab:")]),
        (b"(This file must be converted with BinHex 4.0)\n:ab",
         [("", b"(This file must be converted with BinHex 4.0)\n:ab")]),
    ],
)  # fmt: skip
def test_encoded_files_end_where_the_next_one_begins(text, files):
    assert encoded.cut_encoded(text, "")[0] == files


def test_files_of_one_text_are_taken_to_their_bound(monkeypatch):
    one = b"begin 644 a\n#04)#\n`\nend\n"
    for bound in ("FILES_MOST", "TRIES_MOST"):
        monkeypatch.setattr(encoded, bound, 2)
        assert [packed for _, packed in encoded.cut_encoded(one * 3, "")[0]] == [b"ABC"] * 2
        monkeypatch.setattr(encoded, bound, 100)


@pytest.mark.parametrize("blank", [" ", "&nbsp;"])
def test_a_file_in_html_is_read_whatever_of_its_signs_are_escaped(blank):
    content = bytes(range(256)) * 4
    lines = [binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45)]
    written = html.escape(b"".join(lines).decode()).replace(" ", blank).replace("\n", "<br>\n")
    assert {"&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"} <= set(re.findall(r"&[^;]+;", written))
    whole = f"<p>begin 644 a&amp;b.bin<br>\n{written}end".encode()
    assert encoded.encoded_in_html(whole, "") == [("a&b.bin", content)]


def test_an_html_body_that_is_one_document_is_cut_out_as_its_text():
    content = b'<?xml version="1.0"?><package class="52005"><a b="c"/></package>'
    assert body.cut_xml(content, "utf-8", is_html=False).documents == (content,)
    rich = body.cut_xml(content, "utf-8", is_html=True)
    assert rich is None or rich.documents != (content,)


@pytest.mark.parametrize(("length", "kept"), [(0, 8000), (1, 8000), (-1, 7999)])
def test_results_of_authentication_are_kept_to_their_bound(length, kept):
    value = "x" * (letters.RESULTS_MOST + length)
    read = read_letter(f"Authentication-Results: {value}\r\n\r\nx".encode(), LIMITS)
    assert read.headers["authentication-results"] == ("x" * kept,)


def test_a_cell_under_a_label_that_is_empty_names_no_password():
    found = find_credentials("Код\tПароль\n123\t \n", Source.BODY)
    assert [(one.user_code, one.password) for one in found] == [("123", None)]
    found = find_credentials("Код\tПароль\n123\ta1\n", Source.BODY)
    assert [(one.user_code, one.password) for one in found] == [("123", "a1")]


@pytest.mark.parametrize(("objects", "small"), [(1999, True), (2000, False)])
def test_a_winmail_dat_has_as_many_objects_as_outlook_writes(objects, small):
    one = tnef_object(1, 0x8004, 1, b"x" * 300)
    assert unpack._tnef_is_small(b"\0" * 6 + one * objects) is small


def test_a_winmail_dat_without_a_body_gives_its_files():
    unpacker = Unpacker(LIMITS)
    unpacker.take("winmail.dat", winmail((b"a.xml", XML)))
    assert [one.name for one in unpacker.documents] == ["a.xml"]
    assert (unpacker.texts, list(unpacker.findings)) == ([], [])


@pytest.mark.parametrize(("length", "certain"), [(4000, True), (4001, False)])
def test_a_sender_is_certain_while_the_header_is_looked_at_whole(length, certain):
    address = " <a@b.ru>"
    value = "x" * (length - len(address)) + address
    read = read_letter(f"From: {value}\r\n\r\nx".encode(), LIMITS)
    assert (read.is_sender_certain, read.sender) == (certain, "a@b.ru" if certain else read.sender)


@pytest.mark.parametrize(
    ("message_id", "kept"), [("<1@x>", "<1@x>"), ("<secret1@x>", ""), ("<%73ecret1@x>", "")]
)
def test_a_masked_letter_keeps_the_ids_that_hold_no_password(message_id, kept):
    raw = f"From: a@b.ru\r\nMessage-ID: {message_id}\r\nReferences: {message_id} <2@x>\r\n\r\n"
    read = read_letter(f"{raw}Пароль: secret1".encode(), LIMITS)
    masked, _ = secrets.mask(read, ())
    assert masked.message_id == kept
    assert masked.references == ((kept, "<2@x>") if kept else ("<2@x>",))


def test_of_a_header_what_the_gate_asks_for_is_kept_to_its_bound():
    head = (
        "List-Id: <a>\r\nX-Other: b\r\nTo: c\r\nSubject: " + "s" * 501 + "\r\n"
        "Precedence: " + "p" * 2001 + "\r\n" + "Auto-Submitted: no\r\n" * 21
        + "Authentication-Results: mx\r\n" * 21
    )  # fmt: skip
    read = read_letter(f"{head}\r\nx".encode(), LIMITS)
    assert read.headers == {
        "list-id": ("<a>",), "precedence": ("p" * 2000,), "auto-submitted": ("no",) * 20,
        "authentication-results": ("mx",) * 20,
    }  # fmt: skip
    assert read.subject == "s" * 500


def test_of_a_thread_fifty_ids_are_kept_of_twenty_values():
    head = "".join(f"References: <{n}@x>\r\n" for n in range(21))
    assert len(read_letter(f"{head}\r\nx".encode(), LIMITS).references) == 20
    head = "References: " + " ".join(f"<{n}@x>" for n in range(52)) + "\r\n"
    found = read_letter(f"{head}\r\nx".encode(), LIMITS).references
    assert (len(found), found[0], found[-1]) == (50, "<2@x>", "<51@x>")


def of_kinds(content, name="", kind="application/octet-stream"):
    unpacker = Unpacker(LIMITS)
    unpacker.take(name, content, kind)
    unpacker.tell_unread()
    told = [one.code for one in unpacker.findings]
    return "document" if unpacker.documents else [one.why for one in unpacker.attachments] or told


TYPES = ("[Content_Types].xml", b"<a/>")
BOOK = OLE + "Workbook".encode("utf-16-le")
PAGE_OF_XML = b"<?xml version='1.0'?><package class='52005'/>"


@pytest.mark.parametrize(
    ("name", "content", "kind", "found"),
    [
        ("a.numbers", zipped(("Index.zip", b"x")), "x/y", ["other-table"]),
        ("a.numbers", zipped(("Index/Document.iwa", b"x"), ("a.xml", XML)), "x/y", ["other-table"]),
        ("a.xlsx", zipped(TYPES, ("xl/workbook.xml", b"<a/>")), "x/y", "document"),
        ("a.docx", zipped(TYPES, ("word/document.xml", b"<a/>")), "x/y", ["office"]),
        ("a.odt", zipped(("mimetype", b"text"), ("a", b"<a/>")), "x/y", ["office"]),
        ("a.zip", zipped(("xl/a.xml", XML)), "x/y", "document"),
        ("a.xls", OLE, "x/y", "document"), ("a.XLSB", OLE, "x/y", "document"),
        ("a.doc", BOOK, "x/y", ["office"]), ("a.MSG", BOOK, "x/y", ["outlook"]),
        ("a", OLE, "x/y", ["office"]),
        ("~$a.xml", XML, "x/y", "document"), ("a.svg", PAGE_OF_XML, "x/y", ["picture"]),
        ("a.xml", PAGE_OF_XML, "image/svg+xml", ["picture"]),
        ("a.xml", XML, "image/png", "document"), ("a.xml", b"text", "image/png", ["picture"]),
        ("a.xml", b"\0\x05\x16\x07" + XML, "x/y", [""]), ("a.xml", XML, "x/y", "document"),
        ("a.eml", b"", "x/y", ["empty"]), ("", b"", "message/rfc822", [""]),
        ("a.eml", b"Content-Type: text/xml; name=a.xml\n\n" + XML, "x/y", "document"),
        ("a", b"Content-Type: text/xml; name=a.xml\n\n" + XML, "message/rfc822", "document"),
        ("a.bin", b"PK\1\2" * 3000, "x/y", ["other"]),
        ("a.pgp", b"x", "x/y", [Code.ENCRYPTED_DOCUMENT]),
        ("a.xml.gpg", b"x", "x/y", [Code.ENCRYPTED_DOCUMENT]),
    ],
)  # fmt: skip
def test_a_file_is_a_document_or_has_a_reason_why_it_is_none(name, content, kind, found):
    assert of_kinds(content, name, kind) == found


@pytest.mark.parametrize("stream", ["Workbook", "Book", "EncryptedPackage", "WordDocument"])
@pytest.mark.parametrize("name", ["a.XLS", "a.xlsb", "a.doc", "a.msg", "a", ""])
def test_a_workbook_of_old_is_told_by_its_name_else_by_its_streams(name, stream):
    file = unpack._File(name, OLE + stream.encode("utf-16-le"))
    is_one = name.startswith(("a.X", "a.x")) or ("." not in name and stream != "WordDocument")
    assert unpack._is_old_workbook(file) is is_one


def told(*files):
    unpacker = Unpacker(LIMITS)
    for name, content in files:
        unpacker.take(name, content)
    unpacker.tell_unread()
    return [(one.code, one.place.file, one.detail.get("name")) for one in unpacker.findings]


def test_only_the_lock_of_a_workbook_that_is_there_is_passed_over():
    lock = b"\x06Ivanov" + bytes(158)
    unread = Code.ATTACHMENT_NOT_READ
    assert told(("z.xml", XML), ("~$z.xml", lock)) == []
    assert told(("z.xml", XML), ("~$y.xml", lock)) == [(unread, None, "~$y.xml")]
    assert told(("z", XML), ("z", b"%PDF-1")) == [(unread, None, "z")]
    assert told(("z.xml", XML), ("logo.png", b"x")) == []
    assert told(("~$z.xml", lock), ("a.pdf", b"%PDF-1")) == []


def test_an_archive_is_told_to_be_encrypted_whatever_else_is_told_of_it():
    content = bytearray(zipped(("a.xml", XML), ("b.xml", XML), how=zipfile.ZIP_LZMA))
    at = content.rindex(b"PK\1\2")
    content[at + 8] |= 1
    for name in ("a.zip", ""):
        assert [one[:2] for one in told((name, bytes(content)))] == [
            (Code.UNREADABLE_DOCUMENT, name or None), (Code.ENCRYPTED_DOCUMENT, name or None),
        ]  # fmt: skip


@pytest.mark.parametrize(("files", "named"), [(99, 99), (100, 100), (101, 100)])
def test_so_many_files_that_are_none_are_named(files, named):
    unpacker = Unpacker(LIMITS)
    for number in range(files):
        unpacker.take(f"{number}.pdf", b"%PDF-1")
    assert len(unpacker.attachments) == named


@pytest.mark.parametrize("chunk", [2, 3, 7, 64])
def test_a_gzip_of_several_members_is_read_however_its_pieces_fall(chunk, monkeypatch):
    monkeypatch.setattr(unpack, "_CHUNK", chunk)
    content = b"".join(gzip.compress(XML[at : at + 5]) for at in range(0, len(XML), 5))
    for end in (b"", b"\0", b"rubbish"):
        unpacker = Unpacker(LIMITS)
        unpacker.take("a.xml.gz", content + end)
        assert [one.content for one in unpacker.documents] == [XML]


@pytest.mark.parametrize(
    ("most", "found"), [(20, [b"one", b"two"]), (19, [b"one", b"tw"]), (10, [b"one", b""])]
)
def test_rtf_of_all_bodies_is_read_to_its_bound(most, found, monkeypatch):
    monkeypatch.setattr(unpack, "RTF_MOST", most)
    assert bodies(b"{\\rtf1 one", b"{\\rtf1 two", kind=b"text/rtf") == found


@pytest.mark.parametrize(
    ("head", "is_body"),
    [
        (b"Content-Type: text/plain", True), (b"Content-Type: text/plain; name=a.txt", False),
        (b"Content-Type: text/html\r\nContent-Disposition: inline", True),
        (b"Content-Type: text/plain\r\nContent-Disposition: attachment", False),
        (b"Content-Type: text/css", False), (b"X: y", True),
    ],
)  # fmt: skip
def test_a_body_is_a_text_without_a_name_that_is_not_attached(head, is_body):
    unpacker = Unpacker(LIMITS)
    unpacker.letter(head + b"\r\n\r\ntext")
    assert [bool(unpacker.texts), not unpacker.attachments] == [is_body, is_body]


PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG" + bytes(3000)).decode()


@pytest.mark.parametrize(
    ("kind", "pictures", "found"),
    [("html", 1, 1), ("html", 20, 20), ("html", 21, 20), ("plain", 3, 0)],
)
def test_so_many_pictures_that_stand_in_markup_are_named(kind, pictures, found):
    text = f"Hello <img src='{PICTURE}'>" * pictures
    read = read_letter(f"Content-Type: text/{kind}\r\n\r\n{text}".encode(), LIMITS)
    assert [(one.content_type, one.size) for one in read.attachments] == [
        ("image/png", 3004)
    ] * found


def test_a_link_to_a_storage_is_an_attachment_without_bytes():
    links = "https://disk.yandex.ru/i/AbCd https://disk.yandex.ru/i/EfGh https://we.tl/t-AbCd"
    (first, second) = read_letter(f"\r\n{links}".encode(), LIMITS).attachments
    assert (first.name, first.size, first.content_type) == ("disk.yandex.ru", 0, "text/uri-list")
    assert second.name == "we.tl"


@pytest.mark.parametrize(("files", "names", "rest"), [(9, 9, None), (10, 10, None), (11, 10, "1")])
def test_ten_names_of_one_kind_are_told_and_the_rest_counted(files, names, rest):
    pdfs = [Attachment(f"{n}.pdf", "x/y", 1, Why.PDF.value) for n in range(files)]
    (found,) = no_documents(pdfs)
    assert len(found.detail["name"].split("\n")) == names
    assert found.detail.get("rest") == rest


@pytest.mark.parametrize(
    ("length", "names", "is_file"),
    [(198, "", False), (199, "", True), (199, 'name="a"', True), (198, 'name="a"', False)],
)
def test_bare_base64_is_a_file_from_two_hundred_signs_on(length, names, is_file):
    text = b"PD94bWwg" + b"QUJD" * 48
    body = f"{names}\n\n".encode() + text[:length] + b"A" * (length - len(text)) + b"\n"
    assert len(encoded.cut_encoded(body, "")[0]) == is_file


@pytest.mark.parametrize(("before", "name"), [(1000, "a.bin"), (1001, "")])
def test_the_name_of_bare_base64_stands_at_most_so_far_before_it(before, name):
    head = b"\nname=a.bin\n"
    body = head + b"x" * (before - len(head) - 1) + b"\n" + b"PD94bWwg" + b"QUJD" * 100
    assert [one for one, _ in encoded.cut_encoded(body, "")[0]] == [name]


def test_what_begins_like_gzip_is_a_file_only_with_a_name():
    body = b"H4sI" + b"QUJD" * 100 + b"\n"
    assert encoded.cut_encoded(body, "")[0] == []
    assert [one for one, _ in encoded.cut_encoded(b"name=a.gz\n\n" + body, "")[0]] == ["a.gz"]
