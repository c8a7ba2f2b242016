"""What only pretends to be a workbook is told by its own name, never "damaged XML"."""

import pytest

from ingest.replies.texts import sentence
from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from parsers.pretenders import container_of, is_workbook, other_kind, pretended

LAYOUTS = load()
CELLS = "<tr><td>Макет</td><td>52006</td></tr>"
PRETENDERS = {
    "web-page": [
        f"<html><body><table>{CELLS}</table></body></html>",
        f"<!DOCTYPE html>\n<html><table>{CELLS}</table></html>",
        f"<?xml version='1.0'?><!-- 1C --><HTML xmlns='http://www.w3.org/1999/xhtml'>{CELLS}</HTML>",
        f"\r\n<table border=1>{CELLS}</table>",
        f"<meta http-equiv='Content-Type' content='text/html'><table>{CELLS}</table>",
        "<html xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'><td>1</td></html>",
    ],
    "archived-page": [
        f"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n{CELLS}",
        f"From: Excel\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n{CELLS}",
    ],
    "table-2003": [
        "<?xml version='1.0'?><?mso-application progid=\"Excel.Sheet\"?><Workbook/>",
        "<Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'><Worksheet/></Workbook>",
    ],
    "flat-ods": ["<?xml version='1.0'?><office:document xmlns:office='urn:x'/>"],
    "separated-values": [
        "Макет;52006\nКод;200000001234\nПрибор;Показание\n07512345;12345,67\n",
        "Макет\t52006\nПрибор\tПоказание\n07512345\t12345,67\n",
    ],
}
KINDS = [(reason, text) for reason, texts in PRETENDERS.items() for text in texts]


def told(content: bytes):
    """The one finding of a file named like a workbook."""
    (parsed,) = parse(Document("Показания.xls", content), LAYOUTS)
    assert not parsed.series
    (found,) = parsed.findings
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize(("reason", "text"), KINDS)
def test_a_pretender_is_told_what_it_is_and_what_to_save_it_as(reason, text, encoding):
    found = told(text.encode(encoding))
    assert (found.code, found.detail["reason"]) == (Code.UNREADABLE_DOCUMENT, reason)
    for language in ("ru", "en"):
        said = sentence(found, language)
        assert ".xlsx" in said
        assert "повреж" not in said
        assert "damaged" not in said


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("archive", b"Rar!\x1a\x07\x01\0" + bytes(40)),
        ("archive", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)),
        ("pdf", b"%PDF-1.4\n%%EOF"),
        ("picture", b"\xff\xd8\xff\xe0" + bytes(40)),
        ("lock", b"\6Ivanov" + b" " * 48 + b"\6\0I\0v\0a\0n\0o\0v\0" + b" \0" * 48),
        ("lock", b"\6Ivanov" + bytes(158)),
        ("lock", b"\x36" + b"x" * 54 + bytes(110)),
    ],
)
def test_a_file_of_another_kind_named_like_a_workbook_is_told_what_it_is(reason, content):
    if reason == "lock":
        content = content[:165].ljust(165, b"\0")
    found = told(content)
    assert (found.code, found.detail["reason"]) == (Code.UNREADABLE_DOCUMENT, reason)


@pytest.mark.parametrize(
    "content",
    [
        b"\6Ivanov" + bytes(157),
        b"\6Ivanov" + b"x" * 158,
        bytes(165),
        b"\x37" + b"x" * 54 + bytes(110),
    ],
)
def test_what_is_not_quite_a_lock_is_no_lock(content):
    assert told(content).detail.get("reason") != "lock"


@pytest.mark.parametrize(
    "text",
    [
        "Добрый день! Показания во вложении; код: 1.\nС уважением, бухгалтер",
        "<pack class='52006'><!-- <html> --></pack>",
        "<note>urn:schemas</note>",
    ],
)
def test_what_pretends_nothing_is_told_as_before(text):
    assert told(text.encode()).detail.get("reason") in {None, "not-xml", "damaged"}


def test_a_damaged_workbook_is_not_called_damaged_xml():
    found = told(b"PK\3\4" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 99)
    assert found.detail["reason"] == "damaged-workbook"
    assert "XML" not in sentence(found, "ru").rpartition(":")[2]


@pytest.mark.parametrize(
    ("streams", "kind"),
    [
        (["Workbook"], "xls"),
        (["Book"], "xls"),
        ([], None),
        (["WordDocument"], None),
        (["Workbook", "WordDocument"], None),
        (["Workbook", "PowerPoint Document"], None),
        (["Workbook", "EncryptedPackage"], "encrypted"),
    ],
)
def test_an_old_container_is_what_its_streams_say(streams, kind):
    names = b"".join(name.encode("utf-16-le") + bytes(4) for name in streams)
    assert container_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names) == kind


KIND_STARTS = {
    "archive": [
        b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"BZh", b"MSCF", b"\x60\xea",
        b"\x28\xb5\x2f\xfd", b"\x1f\x9d", b"\x1f\xa0",
        b"(This file must be converted with BinHex",
    ],
    "pdf": [b"%PDF"],
    "picture": [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "start"), [(kind, one) for kind, starts in KIND_STARTS.items() for one in starts]
)
def test_a_file_without_readings_is_known_by_its_first_bytes(kind, start):
    assert other_kind(start) == pretended(start + b" 4.0") == kind
    assert other_kind(start[:-1]) is None
    assert other_kind(b" " + start) is None
    assert not is_workbook(start)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a;b\nc;d\ne;f", "separated-values"), ("a;b\nc;d", None), ("a;b\n\n \nc;d", None),
        ("a\tb\nc\td\ne\tf", "separated-values"), ("a,b\nc,d\ne", "separated-values"),
        ("a,b\nc,d\ne\nf", None), ("a;b\nc,d\ne\tf", None), ("a\nb\nc", None),
        ("a;b\r\nc;d\r\ne;f\r\ng\r\nh", "separated-values"), ("", None),
        ("Content-Type: text/html\n\nx", "archived-page"),
        ("content-type:multipart/related\n\nx", None),
        ("MIME-Version: 1.0\nCONTENT-TYPE:  Multipart/Related; x\n", "archived-page"),
        ("x\nContent-Type: text/html\n", None), ("MIME-Version: 1.0\nX: text/html\n", None),
        ("<office:document office:x='y'>", "flat-ods"), ("<office:document>", "flat-ods"),
        ("<office:document-content>", None), ("<a/>", None), ("<htmlx>", None),
        ("<Workbook progid='Excel.Sheet'>", "table-2003"), ('<a progid="Excel.Sheet"/>',
         "table-2003"),
    ],
)  # fmt: skip
def test_what_bytes_pretend_is_told_by_their_form(text, reason):
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert pretended(content) == reason


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\3\4" + b"\0" * 26 + b"[Content_Types].xml", "damaged"),
        (b"PK\3\4" + b"\0" * 41 + b"[Content_Types].xml", "damaged"),
        (b"PK\3\4" + b"\0" * 42 + b"[Content_Types].xml", None), (b"PK\3\4", None),
        (b"PK\5\6" + b"\0" * 18, None), (b"[Content_Types].xml", None), (b"", None),
    ],
)  # fmt: skip
def test_a_cut_off_zip_is_a_workbook_by_the_name_of_its_first_part(content, kind):
    assert container_of(content) == kind
    assert is_workbook(content) is (kind is not None)


@pytest.mark.parametrize("size", [54, 55, 56, 164, 165, 166])
@pytest.mark.parametrize("length", [0, 1, 53, 54, 55])
def test_a_lock_has_one_of_two_sizes_and_a_name_of_its_length(size, length):
    content = (bytes([length]) + b"x" * min(length, 54)).ljust(size, b" ")[:size]
    is_lock = size in (55, 165) and 0 < length < 55
    assert (pretended(content) == "lock") is is_lock
    if is_lock and length < 54:
        named = content[: 1 + length] + b"y" + content[2 + length :]
        assert pretended(named) != "lock"
