"""What every document has in common, of whichever container."""

import hashlib

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import Spent, looks_like_document, parse, parsed_of
from tests.books import workbook
from tests.parsers.test_xml_reader import hour, package

LAYOUTS = load()


@pytest.mark.parametrize("content", [b"", b"x", package(hour("2026110100")).encode()])
def test_a_document_has_its_name_size_digest_and_archive(content):
    document = Document("имя.xml", content, "архив.zip")
    (parsed,) = parse(document, LAYOUTS)
    for one in (parsed, parsed_of(document)):
        assert (one.name, one.size, one.container) == ("имя.xml", len(content), "архив.zip")
        assert one.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("version", "told"),
    [("7", "7"), ("7" * 40, "7" * 40), ("7" * 41, "7" * 40), ("7\x85\u202e", "7\x85\u202e")],
)
def test_a_version_is_short_and_printable(version, told):
    (parsed,) = parse(Document("x.xml", package("", version=version).encode()), LAYOUTS)
    assert parsed.header.version == told.replace("\x85", " ").replace("\u202e", "\ufffd")
    assert [one.code for one in parsed.findings] == [Code.UNSUPPORTED_VERSION]


def test_the_name_of_a_sheet_is_printable_and_what_it_costs_is_counted():
    def name(book):
        book.active.title = "Лист\u202e1"

    spent = Spent()
    rows = [["Макет", 52006], ["Код пользователя", "12"], ["Дата показаний", "01.11.2026"],
            ["№ ПУ", "Показание"], ["07512345", 7]]  # fmt: skip
    content = workbook(rows, rows, change=name)
    found = parse(Document("x.xlsx", content), LAYOUTS, spent)
    assert [one.part for one in found] == ["Лист\ufffd1", "Лист2"]
    assert spent.cells == 20
    (bare,) = parse(Document("x.xml", package("").encode()), LAYOUTS)
    assert bare.part is None


def test_what_pretends_to_be_a_document_is_told_and_read_no_further():
    (found,) = parse(Document("x.xls", b"%PDF-1.4"), LAYOUTS)
    assert [(one.code, one.detail["reason"]) for one in found.findings] == [
        (Code.UNREADABLE_DOCUMENT, "pdf")
    ]


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b"<a" + b" " * 4093 + b">", True), (b" " * 4093 + b"<a>", True),
        (b" " * 4094 + b"<a>", True), (b" " * 4095 + b"<a>", False), (b"<?xml", True),
        (b"<?xml version='1.0'", True), (b"<?xm", True), (b"<!-- <a>", True), (b"<", False),
        (b"<html>", False), (b"<HTML/>", False), (b"<htmlx>", True), (b"<!doctype svg>", False),
        (b"<!doctype a>", True), (b"<?x?><!-- --><body>", False), (b"<?x?><!-- --><doc>", True),
        (b"\xfe\xff\0<\0a\0>", True), (b"", False), (b"x<a>", False),
    ],
)  # fmt: skip
def test_a_file_is_taken_for_a_document_by_its_first_tag(content, is_one):
    assert looks_like_document("letter.dat", content) is is_one
    for ending in (".xml", ".XLSX", ".xlsm", ".xls", ".xlsb", ".ods", ".xml "):
        assert looks_like_document(f"a{ending}", content)
