"""What is counted before it costs: a letter is read as far as an honest one goes."""

import base64
import binascii
import html
import io
import re
import struct
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.letters import mime
from ingest.letters.body import LINES_MOST
from ingest.letters.encoded import TRIES_MOST
from ingest.letters.letter import read_letter
from ingest.letters.signed import ELEMENTS_MOST, signed_content
from ingest.letters.terms import Limits
from ingest.letters.unpack import BODY_BYTES_MOST, BODY_LINES_MOST, TAGS_MOST, Unpacker
from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.hostile.corpus import DECLARATION, carrying, header, ordinary, plain, several

PASSWORD = "Пароль: Zima-2026".encode()


def passwords(content: bytes) -> list[str | None]:
    return [one.password for one in read_letter(content, Limits()).credentials]


def in_pieces(size: int, count: int) -> bytes:
    """A CMS message whose content comes in pieces, as Outlook sends it."""
    kind, data = (bytes.fromhex(f"06092a864886f70d01070{n}") for n in (2, 1))
    piece = b"\x04\x82" + struct.pack(">H", size) + b"x" * size
    carried = b"\x30\x80" + data + b"\xa0\x80\x24\x80" + piece * count + bytes(6)
    inside = b"\x30\x80\x02\x01\x01\x31\0" + carried + bytes(2)
    return b"\x30\x80" + kind + b"\xa0\x80" + inside + bytes(4)


def test_a_signed_file_of_25_mb_in_pieces_of_1000_bytes_is_read_whole():
    assert signed_content(in_pieces(1000, 25_000)) == b"x" * 25_000_000


def test_a_signed_file_in_small_pieces_is_read_whole():
    assert signed_content(in_pieces(256, 10_000)) == b"x" * 2_560_000


def test_a_signed_file_of_more_pieces_than_anybody_sends_is_none():
    assert signed_content(in_pieces(1, 2_000)) is None
    assert signed_content(in_pieces(300, ELEMENTS_MOST // 7 + 1)) is None


@pytest.mark.parametrize("kind", [b"text/plain", b"text/html"])
@pytest.mark.parametrize("bodies", [1, 5])
def test_credentials_are_searched_for_in_so_many_lines_of_all_bodies(kind, bodies):
    end = b"<br>\n" if kind == b"text/html" else b"\n"
    filler = (b"a" + end) * ((LINES_MOST - 1) // bodies)

    def letter(before: bytes) -> bytes:
        head = b"Content-Type: " + kind + b"; charset=utf-8\r\n\r\n"
        return several(*[head + filler] * (bodies - 1), head + filler + before + PASSWORD)

    assert passwords(letter(b"")) == ["Zima-2026"]
    assert passwords(letter((b"a" + end) * bodies * 2)) == []


@pytest.mark.parametrize("bodies", [1, 3, 40])
def test_so_many_tags_of_all_bodies_are_read(bodies):
    head = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    part = head + PASSWORD + b"<p>x" * (4 * TAGS_MOST // bodies)
    unpacker = Unpacker(Limits())
    unpacker.letter(several(*[part] * bodies))
    assert sum(text.content.count(b"<") for text in unpacker.texts) == TAGS_MOST
    assert passwords(several(*[part] * bodies)) == ["Zima-2026"]


def test_a_body_after_megabytes_of_others_is_not_read():
    large = b"Content-Type: text/plain\r\n\r\n" + b"a\n" * (BODY_BYTES_MOST // 6 + 10)
    unpacker = Unpacker(Limits())
    unpacker.letter(several(*[large] * 6))
    assert len(unpacker.texts) == 3


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [10, mime.HEADER_MOST - 1, mime.HEADER_MOST, 3 * mime.HEADER_MOST])
def test_the_body_after_a_long_header_is_found(ends, size):
    made = header(extra=b"X-Filler: " + b"y" * size + b"\r\n").replace(b"\r\n", ends)
    content = made + ends + b"body" + ends * 2 + b"more"
    assert content[mime.split_header(content, 0, len(content))[1] :].startswith(b"body")


def test_boundaries_that_are_none_make_no_parts():
    lines = b"--b-\r\n--bb\r\n-b\r\n x--b\r\n"
    whole = header() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    part = b"--b \t\r\n\r\n" + lines + PASSWORD + b"\r\n"
    [one, two] = mime.walk(whole + part + part + b"--b-- \r\n" + part)
    assert one.content == two.content == lines + PASSWORD


_PIECES = st.sampled_from(
    ["--", "-", "b", "bb", "--b", "--b--", " ", "\t", "\r", "\n", "\r\n", "x"]
)


@given(
    text=st.lists(_PIECES, max_size=60).map("".join),
    boundary=st.sampled_from(["b", "bb", "-", "--", "--b", "b--", "b b"]),
    most=st.integers(0, 3),
)
def test_delimiters_are_the_same_however_many_lines_only_look_like_one(text, boundary, most):
    node = mime._Node(text.encode(), 0, len(text), 0, 0)
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for bound in (most, 1000):
            patch.setattr(mime, "_LOOKALIKES_MOST", bound)
            found.append([*mime._delimiters(node, boundary.encode())])
    assert found[0] == found[1]
    for start, end, is_last in found[0]:
        line = text[start:end]
        assert start == 0 or text[start - 1] in "\r\n"
        assert end == len(text) or line.endswith("\n")
        told = f"--{boundary}--" if is_last else f"--{boundary}"
        assert line.rstrip() == told.rstrip()


def test_a_zip_that_states_too_much_is_refused_before_it_is_unpacked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", b"<a/>")
    content = bytearray(packed.getvalue())
    struct.pack_into("<L", content, content.index(b"PK\1\2") + 24, 200 * 2**20)
    found = read_letter(carrying("a.zip", bytes(content)), Limits()).findings
    assert [one.code for one in found] == [Code.UNPACKS_TOO_LARGE]


def test_a_plain_letter_of_many_lines_is_read():
    assert passwords(plain(PASSWORD + b"\r\n" + b"text\r\n" * 100_000)) == ["Zima-2026"]


@pytest.mark.parametrize("bodies", [1, 5])
def test_so_many_lines_of_all_bodies_are_read(bodies):
    part = b"Content-Type: text/plain\r\n\r\n" + PASSWORD + b"\n" * (2 * BODY_LINES_MOST // bodies)
    unpacker = Unpacker(Limits())
    unpacker.letter(several(*[part] * bodies))
    assert sum(text.content.count(b"\n") for text in unpacker.texts) == BODY_LINES_MOST
    assert passwords(several(*[part] * bodies)) == ["Zima-2026"]


def test_a_file_behind_many_lines_that_only_begin_like_one_is_found():
    begins = b"begin 644 a\nend\n"
    file = b"begin 644 a.xml\n" + binascii.b2a_uu(b'<package class="52005"/>') + b"end\n"
    assert len(read_letter(plain(begins * (TRIES_MOST - 1) + file), Limits()).documents) == 1
    assert not read_letter(plain(begins * TRIES_MOST + file), Limits()).documents


@pytest.mark.parametrize("before", [b"", b"text\r\n"])
def test_a_boundary_that_no_header_names_is_the_first_line_like_one(before):
    lines = before + b"--b \r\n\r\n" + PASSWORD + b"\r\n--b--"
    whole = header() + b"Content-Type: multipart/mixed\r\n\r\n" + lines
    assert [one.content for one in mime.walk(whole)] == [PASSWORD]
    assert [one.content for one in mime.walk(b"Content-Type: multipart/mixed\n\n" + lines)] == [
        PASSWORD
    ]


def test_a_letter_of_15_mb_is_read_out_of_a_letter_in_base64():
    inner = several(b"Content-Type: a/b; name=a.bin\r\n\r\n" + b"x" * 15_000_000)
    kind = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    letter = read_letter(header() + kind + base64.encodebytes(inner), Limits())
    assert [one.size for one in letter.attachments] == [15_000_000]
    assert not letter.findings


@pytest.mark.parametrize("kind", [b"text/plain", b"text/html"])
def test_so_many_documents_pasted_into_a_body_are_read(kind):
    document = DECLARATION + b'<package class="52005"/>\n'
    if kind == b"text/html":
        document = html.escape(document.decode()).encode().replace(b"\n", b"<br>")
    most = Limits().documents
    read = read_letter(plain(document * most, kind), Limits())
    assert (len(read.documents), read.findings) == (most, ())
    read = read_letter(plain(document * (most + 1), kind), Limits())
    assert [found.code for found in read.findings] == [Code.TOO_MANY_DOCUMENTS]
    assert not read.documents


def test_a_file_that_stands_in_html_behind_many_entities_is_found():
    file = b"begin 644 a.xml\n" + binascii.b2a_uu(b'<package class="52005"/>') + b"`\nend\n"
    escaped = html.escape(file.decode()).encode().replace(b"\n", b"<br>")
    before = b"&amp;amp;lt;&nbsp;&CounterClockwiseContourIntegral;<br>" * 5_000
    (document,) = read_letter(plain(before + escaped, b"text/html"), Limits()).documents
    assert document.content.startswith(b"<package")


def test_a_document_written_in_references_to_its_signs_is_the_same():
    def read(content: bytes) -> Parsed:
        (parsed,) = parse(Document("a.xml", content), load())
        return replace(parsed, sha256="", size=0)

    plainly = next(one.content for one in mime.walk(ordinary()) if one.name)
    signs = re.sub(
        rb'(?<=")\w+(?=")', lambda text: b"".join(b"&#%d;" % one for one in text[0]), plainly
    )
    assert signs.count(b"&#") > 50
    assert read(signs) == read(plainly)
    assert not read(plainly).findings
