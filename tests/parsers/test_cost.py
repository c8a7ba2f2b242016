"""What is counted before a document costs much; as much as an honest one has is read."""

import itertools

import pytest

from ingest.letters.terms import Limits
from ingest.reading.documents import DOCUMENTS_MOST, read_file
from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import assemble, parse
from parsers.assemble import MOST_MISTAKES, MOST_SERIES
from parsers.grid_draft import (
    MOST_CELLS,
    MOST_COVERED,
    MOST_ELEMENTS,
    MOST_LETTERS,
    MOST_LONE,
    MOST_MERGED,
    MOST_ROWS,
    MOST_SHEETS,
    MOST_SIGNS,
    MOST_WIDE,
    MOST_WORDS,
)
from parsers.sheets.header import MOST_FACTS
from parsers.sheets.tables import MOST_LABELS
from parsers.trees import MOST_ATTRIBUTES, MOST_TAGS
from parsers.xml_reader import MOST_STRANGE, MOST_TIMES
from tests.hostile.corpus import CODE, book, cell, ods, sheet_with, zipped

LAYOUTS = load()


def package(rows: str, number: str = "52005") -> bytes:
    return (
        f'<package class="{number}" version="1" sender_code="{CODE}" created="20261120090000">'
        f"{rows}</package>"
    ).encode()


def told(content: bytes, name: str = "a.xml") -> set[Code]:
    return {found.code for one in parse(Document(name, content), LAYOUTS) for found in one.findings}


def reading(meter: int) -> str:
    return (
        f'<meter number="{meter}" point="{meter}"><reading channel="A+" zone="T1" '
        'date_time="2026111510" value="1"/></meter>'
    )


def hour(moment: str, value: str) -> str:
    return f'<consumption date_time="{moment}" energy="{value}"/>'


XML = {
    "tags": (lambda n: package("<x/>" * n), MOST_TAGS - 2),
    "attributes": (lambda n: package("<x/>", " ".join(f'52005" a{i}="' for i in range(n))),
                   MOST_ATTRIBUTES - 4),
    "series": (lambda n: package("".join(map(reading, range(n))), "52006"), MOST_SERIES),
    "mistakes": (lambda n: package(hour("2026110100", "x") * n), MOST_MISTAKES),
    "moments": (lambda n: package(hour("2026119900", "1") * n), MOST_TIMES),
    "strange names": (lambda n: package("".join(f"<x{i}/>" for i in range(n))), MOST_STRANGE),
}  # fmt: skip


@pytest.mark.parametrize("kind", XML)
def test_xml_of_more_than_any_document_has_is_too_costly(kind):
    make, most = XML[kind]
    assert Code.TOO_COSTLY not in told(make(most))
    assert told(make(most + 1)) == {Code.TOO_COSTLY}


def rows(row: str, count: int) -> bytes:
    return book(itertools.repeat((row * 100).encode(), count // 100))


def text(word: str) -> str:
    return f'<c t="inlineStr"><is><t>{word}</t></is></c>'


BOOKS = {
    "cells": (lambda n: rows("<row>" + "<c><v>1</v></c>" * 100 + "</row>", n // 100), MOST_CELLS),
    "letters": (lambda n: rows("<row>" + text("x" * 100) * 100 + "</row>", n // 10_000),
                MOST_LETTERS),
    "rows": (lambda n: rows("<row/>", n), MOST_ELEMENTS - 1000),
    "filled rows": (lambda n: rows("<row><c><v>1</v></c><c><v>1</v></c></row>", n), MOST_ROWS),
    "rows of one cell": (lambda n: rows("<row><c><v>1</v></c></row>", n), MOST_LONE),
    "wide rows": (lambda n: book(iter([b"<row>" + b"<c><v>1</v></c>" * n + b"</row>"])), MOST_WIDE),
    "merged ranges": (lambda n: sheet_with('<mergeCell ref="A1:B1"/>', n, "mergeCells"),
                      MOST_MERGED),
    "tags": (lambda n: rows("<row>" + "<c/>" * 98 + "</row>", n // 100), MOST_SIGNS - 10_000),
    "links": (lambda n: sheet_with('<hyperlink ref="A1"/>', n, "hyperlinks"), MOST_ELEMENTS - 1000),
    "shared texts": (lambda n: book(iter([]), itertools.repeat(b"<si><t>a</t></si>" * 1000,
                                                               n // 1000)), MOST_CELLS),
    "facts": (lambda n: rows(f"<row>{text('Дата показаний')}{text('20.11.2026')}</row>", n),
              MOST_FACTS),
    # Both forms ask for each of them.
    "words": (lambda n: book(f"<row>{text(f'показание {i:020}')}</row>".encode()
                             for i in range(n // 64)), MOST_WORDS),
    "labels": (lambda n: rows(f"<row>{text('№ прибора учёта') * 100}</row><row/>", n // 100),
               MOST_LABELS // 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOOKS)
def test_a_workbook_of_more_than_any_form_has_is_too_costly(kind):
    make, most = BOOKS[kind]
    assert Code.TOO_COSTLY not in told(make(most))
    assert told(make(most * 2 + 10_000)) == {Code.TOO_COSTLY}


def test_cells_are_counted_before_the_first_one_is_read():
    damaged = b'<row r="1"><c r="A2"><v>1</v></c></row>'
    cells = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    assert told(book(iter([damaged, cells]))) == {Code.UNREADABLE_DOCUMENT}
    assert told(book(iter([damaged, cells * (MOST_CELLS // 1000)]))) == {Code.TOO_COSTLY}


def test_cells_below_merged_ones_are_counted():
    inside = "".join(cell(f"A{n}", "<v>1</v>") for n in range(1, 102)).encode()
    wide = b'</sheetData><mergeCells><mergeCell ref="A1:%s101"/></mergeCells><sheetData>'
    row = b"<row>" + b"<c><v>1</v></c>" * 1001 + b"</row>"
    assert MOST_COVERED < 101 * 1001
    assert told(book(iter([inside, row, wide % b"J"]))) == {Code.UNKNOWN_LAYOUT}
    assert told(book(iter([inside, row, wide % b"ZZZ"]))) == {Code.TOO_COSTLY}


def test_sheets_are_counted():
    sheets = '</table:table><table:table table:name="1">'
    assert told(ods(sheets * (MOST_SHEETS - 1))) == {Code.UNKNOWN_LAYOUT}
    assert told(ods(sheets * MOST_SHEETS)) == {Code.TOO_COSTLY}


def costs_of(documents: list[bytes]) -> list[Parsed]:
    packed = zipped(*((f"{n}.xlsx", content) for n, content in enumerate(documents)))
    return list(read_file("a.zip", packed, Limits(), LAYOUTS).parsed)


def test_the_documents_of_a_letter_cost_together_what_a_few_large_ones_do():
    share = 5
    one = rows("<row/>", MOST_ELEMENTS // share // 100 * 100)
    parsed = costs_of([one] * 45)
    opened = [Code.TOO_COSTLY not in {found.code for found in item.findings} for item in parsed]
    count = sum(opened)
    assert 0.8 * share * DOCUMENTS_MOST < count <= share * DOCUMENTS_MOST + 1
    assert opened == [True] * count + [False] * (45 - count)


def test_small_documents_are_all_opened():
    assert all(
        Code.TOO_COSTLY not in {found.code for found in item.findings}
        for item in costs_of([rows("<row><c><v>1</v></c></row>", 500)] * 50)
    )


WHOLE = text("1") + text("A+") + text("T1") + text("20.11.2026") + "<c><v>1</v></c>"
TABLES = {
    "rows without a value": (text("1"), "MOST_IDLE", 1),
    "totals": (text("Итого") + "<c/><c/><c/><c><v>1</v></c>", "MOST_IDLE", 1),
    "mistakes": (WHOLE.replace("T1", "T9").replace("20.11", "20.13"), "MOST_MISTAKES", 2),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_of_more_rows_than_any_form_has_is_too_costly(kind, monkeypatch):
    row, bound, each = TABLES[kind]
    monkeypatch.setattr(assemble, bound, 100)
    labels = map(text, ("Номер счётчика", "Канал", "Зона", "Дата", "Показание"))
    head = f"<row>{''.join(labels)}</row><row>{WHOLE}</row>"

    def table(count: int) -> set[Code]:
        return told(book(iter([(head + f"<row>{row}</row>" * count).encode()])))

    assert Code.TOO_COSTLY not in table(100 // each - 1)
    assert table(100 // each + 1) == {Code.TOO_COSTLY}
