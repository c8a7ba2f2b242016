"""Archives and other containers, bounded by what really comes out of them."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

import pytest

from ingest.letters.decoding import NAME_MOST, file_name
from ingest.letters.letter import read_letter
from ingest.letters.signed import signed_content
from ingest.letters.terms import Letter, Limits
from layouts.findings import Code

XML = b'<?xml version="1.0"?>\n<package class="52005"/>'

LIMITS = Limits()
DAMAGED = (Code.UNREADABLE_DOCUMENT, "damaged-file")


def zipped(*files: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return packed.getvalue()


def letter(
    content: bytes,
    name: str = "a.zip",
    limits: Limits = LIMITS,
    kind: str = "application/octet-stream",
) -> Letter:
    head = f'From: a@b.example\r\nContent-Type: {kind}; name="{name}"\r\n'
    return read_letter(
        head.encode() + b"Content-Transfer-Encoding: binary\r\n\r\n" + content, limits
    )


def names(read: Letter) -> list[tuple[str, str | None]]:
    return [(one.name, one.container) for one in read.documents]


def codes(read: Letter) -> list[Code]:
    return [one.code for one in read.findings]


def test_a_zip_gives_its_documents_and_passes_over_the_rest() -> None:
    read = letter(
        zipped(
            ("в/a.xml", XML), ("b.xml", XML), ("logo.png", b"\x89PNG"), ("__MACOSX/._a.xml", b"x")
        )
    )
    assert names(read) == [("a.xml", "a.zip"), ("b.xml", "a.zip")]
    assert [one.name for one in read.attachments] == ["logo.png"]
    assert codes(read) == []


@pytest.mark.parametrize("charset", ["cp866", "cp1251", "utf-8"])
def test_a_name_in_a_zip_is_read_in_the_charset_it_was_written_in(charset: str) -> None:
    name = "показания за ноябрь.xml"
    raw = name.encode(charset)
    stand_in = b"x" * len(raw)
    content = zipped((stand_in.decode(), XML)).replace(stand_in, raw)
    assert names(letter(content)) == [(name, "a.zip")]


def test_a_file_without_a_name_in_a_zip_is_a_file() -> None:
    assert names(letter(zipped(("", XML)))) == [("", "a.zip")]


def test_a_zip_in_a_zip_is_opened() -> None:
    assert names(letter(zipped(("b.zip", zipped(("a.xml", XML)))))) == [("a.xml", "b.zip")]


def test_a_zip_that_goes_on_for_ever_ends() -> None:
    content = zipped(("a.xml", XML))
    for _ in range(30):
        content = zipped(("deep.zip", content))
    read = letter(content)
    assert read.documents == ()
    assert [one.name for one in read.attachments] == ["deep.zip"]


def test_a_bomb_is_stopped_by_the_bytes_that_come_out() -> None:
    content = zipped(*((f"{n}.xml", bytes(2_000_000)) for n in range(30)))
    read = letter(content, limits=Limits(unpacked_bytes=10_000_000))
    assert codes(read) == [Code.UNPACKS_TOO_LARGE]
    assert read.documents == ()


def test_a_zip_that_lies_about_its_sizes_is_unreadable_or_counted() -> None:
    content = zipped(("a.xml", bytes(3_000_000)))
    lied = content.replace(struct.pack("<L", 3_000_000), struct.pack("<L", 10))
    read = letter(lied, limits=Limits(unpacked_bytes=1_000_000))
    assert set(codes(read)) in ({Code.UNPACKS_TOO_LARGE}, {Code.UNREADABLE_DOCUMENT})


def test_overlapping_entries_are_counted_each_time() -> None:
    content = zipped(("a.xml", XML + bytes(100_000)))
    at = content.index(b"PK\x01\x02")
    directory = content[at : content.index(b"PK\x05\x06")]
    many = 200
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, many, many, len(directory) * many, at, 0)
    read = letter(content[:at] + directory * many + end, limits=Limits(unpacked_bytes=1_000_000))
    assert set(codes(read)) in ({Code.UNPACKS_TOO_LARGE}, {Code.UNREADABLE_DOCUMENT})


def test_an_archive_of_thousands_of_files_is_too_many() -> None:
    read = letter(zipped(*((f"{n}.txt", b"x") for n in range(3000))))
    assert codes(read) == [Code.TOO_MANY_DOCUMENTS]


def test_the_files_of_all_archives_are_counted_together() -> None:
    inner = zipped(*((f"{n}.txt", b"x") for n in range(900)))
    read = letter(zipped(*((f"{n}.zip", inner) for n in range(3))))
    assert codes(read) == [Code.TOO_MANY_DOCUMENTS]


def test_of_a_letter_of_many_bodies_the_first_ones_are_read() -> None:
    body = b"--b\r\nContent-Type: text/plain\r\n\r\n"
    login = body + "Код: 200000003080\r\nПароль: весна\r\n".encode()
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    first = read_letter(head + login + body * 200, LIMITS)
    assert [one.password for one in first.credentials] == ["весна"]
    assert read_letter(head + body * 200 + login, LIMITS).credentials == ()


def test_too_many_documents_are_taken_not_at_all() -> None:
    read = letter(zipped(*((f"{n}.xml", XML) for n in range(51))))
    assert codes(read) == [Code.TOO_MANY_DOCUMENTS]
    assert read.documents == ()
    assert read.findings[0].detail == {"limit": "50"}


def encrypted() -> bytes:
    content = bytearray(zipped(("a.xml", XML), ("b.xml", XML)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (found := content.find(mark, start)) >= 0:
            content[found + at] |= 1
            start = found + 4
    return bytes(content)


def test_an_encrypted_zip_says_so() -> None:
    read = letter(encrypted(), "тайна.zip")
    assert codes(read) == [Code.ENCRYPTED_DOCUMENT]
    assert read.findings[0].place.file == "тайна.zip"


def test_each_encrypted_zip_is_told_once() -> None:
    read = letter(zipped(("1.zip", encrypted()), ("2.zip", encrypted())))
    assert codes(read) == [Code.ENCRYPTED_DOCUMENT] * 2
    assert {found.place.file for found in read.findings} == {"1.zip", "2.zip"}


def test_what_is_not_read_in_an_archive_is_told_with_the_archive() -> None:
    read = letter(zipped(("a.xml", XML), ("b.pdf", b"%PDF-1.4")), "оба.zip")
    (found,) = read.findings
    assert (found.detail["name"], found.detail["container"]) == ("b.pdf", "оба.zip")


@pytest.mark.parametrize("keep", [10, 40, 100])
def test_a_damaged_zip_is_unreadable(keep: int) -> None:
    read = letter(zipped(("a.xml", XML * 50))[:keep])
    assert [(one.code, one.detail["reason"]) for one in read.findings] == [DAMAGED]


def test_a_damaged_entry_is_unreadable() -> None:
    content = zipped(("a.xml", XML), how=zipfile.ZIP_STORED)
    assert codes(letter(content.replace(b"52005", b"52006"))) == [Code.UNREADABLE_DOCUMENT]


def test_a_method_that_cannot_be_bounded_is_unreadable() -> None:
    (found,) = letter(zipped(("a.xml", XML), how=zipfile.ZIP_LZMA)).findings
    assert (found.code, found.detail["reason"]) == (Code.UNREADABLE_DOCUMENT, "packing")


def test_a_workbook_is_a_document_and_a_text_file_of_word_is_not() -> None:
    workbook = zipped(("[Content_Types].xml", b"<a/>"), ("xl/workbook.xml", b"<a/>"))
    assert names(letter(workbook, "a.xls")) == [("a.xls", None)]
    text = zipped(("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>"))
    read = letter(text, "a.docx")
    assert (read.documents, [one.name for one in read.attachments]) == ((), ["a.docx"])


SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("is_last", [False, True])
def test_an_ods_is_told_by_what_its_mimetype_says(how: int, is_last: bool) -> None:
    parts = [("mimetype", SPREADSHEET), ("content.xml", b"<a/>")]
    packed = zipped(*(reversed(parts) if is_last else parts), how=how)
    assert names(letter(packed, "a.ods")) == [("a.ods", None)]
    text = zipped(("mimetype", SPREADSHEET.replace(b"spreadsheet", b"text")), parts[1], how=how)
    assert names(letter(text, "a.odt")) == []


def test_a_workbook_cut_off_in_the_middle_goes_to_the_parsers() -> None:
    workbook = zipped(("[Content_Types].xml", b"<a/>" * 100), ("xl/workbook.xml", b"<a/>"))
    assert names(letter(workbook[:80], "a.xlsx")) == [("a.xlsx", None)]


@pytest.mark.parametrize("end", [b"", bytes(512), b"rubbish"])
@pytest.mark.parametrize("size", [7, 40, 1000])
def test_a_gzip_gives_its_document_also_in_several_members(size: int, end: bytes) -> None:
    pieces = [XML[at : at + size] for at in range(0, len(XML), size)]
    read = letter(b"".join(map(gzip.compress, pieces)) + end, "a.xml.gz")
    assert names(read) == [("a.xml", "a.xml.gz")]
    assert read.documents[0].content == XML


def test_a_gzip_bomb_is_stopped_and_a_damaged_one_unreadable() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert codes(letter(bomb, "a.gz", Limits(unpacked_bytes=1_000_000))) == [Code.UNPACKS_TOO_LARGE]
    assert codes(letter(gzip.compress(XML)[:-12], "a.gz")) == [Code.UNREADABLE_DOCUMENT]
    assert codes(letter(b"\x1f\x8b" + bytes(50), "a.gz")) == [Code.UNREADABLE_DOCUMENT]


def tnef_object(level: int, name: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("<BHHL", level, name, kind, len(data))
    return head + data + struct.pack("<H", sum(data) & 0xFFFF)


def winmail(*files: tuple[bytes, bytes], body: bytes = b"") -> bytes:
    """An Outlook winmail.dat with the objects that Exchange writes for plain files."""
    made = struct.pack("<LH", 0x223E9F78, 1)
    made += tnef_object(1, 0x9006, 8, struct.pack("<L", 0x10000))
    made += tnef_object(1, 0x9007, 6, struct.pack("<LL", 1251, 0))
    if body:
        made += tnef_object(1, 0x800C, 2, body)
    for name, content in files:
        made += tnef_object(2, 0x9002, 6, bytes(14))
        made += tnef_object(2, 0x8010, 1, name + b"\0")
        made += tnef_object(2, 0x800F, 6, content)
    return made


def test_a_winmail_dat_gives_its_document_and_its_body() -> None:
    body = "Код: 200000003080\r\nПароль: весна".encode("cp1251")
    read = letter(winmail((b"a.xml", XML), body=body), "winmail.dat", kind="application/ms-tnef")
    assert names(read) == [("a.xml", None)]
    assert [one.password for one in read.credentials] == ["весна"]


def test_a_damaged_winmail_dat_is_unreadable() -> None:
    content = winmail((b"a.xml", XML))
    assert codes(letter(content[:6] + b"\x02" + content[7:40], "winmail.dat")) in (
        [Code.UNREADABLE_DOCUMENT],
        [],
    )
    many = content[:6] + tnef_object(1, 0x8004, 1, b"") * 5000
    assert codes(letter(many, "winmail.dat")) == [Code.UNREADABLE_DOCUMENT]


def ber(tag: int, *inside: bytes, open_end: bool = False) -> bytes:
    content = b"".join(inside)
    if open_end:
        return bytes([tag, 0x80]) + content + b"\0\0"
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x83" + size.to_bytes(3, "big")
    return bytes([tag]) + length + content


def signed(content: bytes, *, open_end: bool = False, kind: str = "2a864886f70d010702") -> bytes:
    octets = ber(0x24, ber(4, content[:9]), ber(4, content[9:])) if open_end else ber(4, content)
    data = bytes.fromhex("06092a864886f70d010701")
    carried = ber(0x30, data, ber(0xA0, octets, open_end=open_end), open_end=open_end)
    inside = ber(0x30, b"\x02\x01\x01", ber(0x31), carried, ber(0x31), open_end=open_end)
    return ber(0x30, ber(6, bytes.fromhex(kind)), ber(0xA0, inside, open_end=open_end))


@pytest.mark.parametrize("open_end", [False, True])
def test_an_opaque_signature_is_opened(open_end: bool) -> None:
    inner = b"Content-Type: application/xml; name=a.xml\r\n\r\n" + XML
    read = letter(signed(inner, open_end=open_end), "smime.p7m", kind="application/pkcs7-mime")
    assert names(read) == [("a.xml", None)]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"0", b"0\x80" * 1000, b"\x30\x84\xff\xff\xff\xff", signed(XML)[:40]),
        *(signed(XML, open_end=True)[:cut] for cut in range(2, 40)),
    ],
)
def test_what_is_no_signature_is_set_aside(content: bytes) -> None:
    assert signed_content(content) is None
    assert signed_content(signed(XML, kind="2a864886f70d010703")) is None
    read = letter(content, "smime.p7m", kind="application/pkcs7-mime")
    assert [one.name for one in read.attachments] == ["smime.p7m"]


def test_an_enveloped_letter_is_encrypted() -> None:
    content = signed(XML, kind="2a864886f70d010703")
    read = letter(content, "smime.p7m", kind="application/x-pkcs7-mime")
    assert codes(read) == [Code.ENCRYPTED_DOCUMENT]


def test_a_letter_saved_as_a_file_is_read_like_a_forwarded_one() -> None:
    inner = b"Subject: x\r\nContent-Type: text/xml; name=a.xml\r\n\r\n" + XML
    assert names(letter(inner, "письмо.eml")) == [("a.xml", None)]
    assert names(letter(zipped(("b.eml", inner)))) == [("a.xml", None)]


def test_a_deflate_stream_that_is_cut_is_unreadable() -> None:
    content = zipped(("a.xml", bytes(1000)))
    cut = content.replace(zlib.compress(bytes(1000))[2:-4], b"\xff" * 9)
    assert codes(letter(cut)) == [Code.UNREADABLE_DOCUMENT]


@pytest.mark.parametrize(
    ("ending", "is_kept"), [(".xml", True), (".abcdefghijk", True), (".abcdefghijkl", False)]
)
def test_a_long_name_is_cut_before_its_ending(ending: str, is_kept: bool) -> None:
    told = file_name("x" * NAME_MOST + ending)
    assert len(told) == NAME_MOST
    assert told.endswith(f"x…{ending}" if is_kept else "x…")
    assert file_name("x" * (NAME_MOST - 4) + ".xml") == "x" * (NAME_MOST - 4) + ".xml"
