"""Letters made to hurt their reader, each generated when it is wanted."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from layouts.findings import Code
from tests.hostile.quine import quine

MB = 1024 * 1024

CODE, PASSWORD, SENDER = "200000001234", "Zima-2026", "buh@primer.example"
LOGIN = f"Код: {CODE}\r\nПароль: {PASSWORD}\r\n".encode()


@dataclass(frozen=True)
class Hostile:
    """One letter and what may be told of it.

    Attributes:
        told: Codes of which one at least is a finding of the letter or of a document
            in it; empty: it is harmless, once it is read with care.
    """

    name: str
    make: Callable[[], bytes]
    told: frozenset[Code]

    def __str__(self) -> str:
        return self.name


CORPUS: list[Hostile] = []


def hostile(*told: Code) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Enter a letter into the corpus under its function's name."""

    def enter(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CORPUS.append(Hostile(make.__name__.replace("_", "-"), make, frozenset(told)))
        return make

    return enter


# Letters.


def header(subject: bytes = b"hostile", extra: bytes = b"", sender: str = SENDER) -> bytes:
    return (
        b"From: " + sender.encode() + b"\r\nTo: meters@retailer.example\r\nSubject: " + subject
        # Where there is none, the ledger and the replies need none either.
        + b"\r\nMIME-Version: 1.0\r\n" + extra
    )  # fmt: skip


def plain(body: bytes, kind: bytes = b"text/plain", subject: bytes = b"hostile") -> bytes:
    """A letter that is nothing but a body."""
    return (
        header(subject) + b"Content-Type: " + kind + b"; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + body
    )


def several(*parts: bytes, extra: bytes = b"") -> bytes:
    """A letter of parts that have their own headers."""
    inside = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    head = header(extra=extra) + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return head + inside + b"--b--\r\n"


BODY = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + LOGIN


def attached(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """A part that carries a file."""
    coded = base64.encodebytes(content)
    return (
        f'Content-Type: {kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + coded


def carrying(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """A letter with credentials and one file."""
    return several(BODY, attached(name, content, kind))


def ordinary(number: int = 0) -> bytes:
    """A letter as all should be, with a reading that no other one has."""
    instant = datetime(2026, 10, 1) + timedelta(hours=number)  # noqa: DTZ001 - local time
    document = (
        '<package class="52006" version="1" sender_code="200000001234" created="20261120091500">'
        '<meter number="07512345" point="200000001234-01"><reading channel="A+" zone="T1" '
        f'date_time="{instant:%Y%m%d%H}" value="12345.67"/></meter></package>'
    )
    return carrying("52006.xml", document.encode(), "text/xml")


# Archives.


def zipped(*files: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, how, 9)
    return packed.getvalue()


def deflated(pieces: Iterator[bytes]) -> tuple[bytes, int, int]:
    """A raw deflate stream, its CRC and how much it unpacks to; nothing is kept whole."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    crc = size = 0
    packed = bytearray()
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        packed += packer.compress(piece)
    packed += packer.flush()
    return bytes(packed), crc, size


def archive(*entries: tuple[str, bytes, int, int], copies: int = 1) -> bytes:
    """A zip of streams that are packed already; with copies every name shares one stream."""
    made, directory = bytearray(), bytearray()
    for name, packed, crc, size in entries:
        about = struct.pack("<5H3L", 20, 0, 8, 0, 33, crc, len(packed), size & 0xFFFFFFFF)
        at = len(made)
        made += b"PK\3\4" + about + struct.pack("<2H", len(name), 0) + name.encode() + packed
        for _ in range(copies):
            directory += b"PK\1\2" + struct.pack("<H", 20) + about
            directory += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, at) + name.encode()
    count = len(entries) * copies
    end = struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(made), 0)
    return bytes(made + directory + b"PK\5\6" + end)


def repeated(piece: bytes, times: int) -> tuple[bytes, int, int]:
    """The same for one piece again and again, packed only once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(piece, crc)
    return packed * times + packer.flush(), crc, len(piece) * times


def zeros(megabytes: int) -> tuple[bytes, int, int]:
    return repeated(bytes(MB), megabytes)


@hostile(Code.UNPACKS_TOO_LARGE)
def zip_bomb() -> bytes:
    return carrying("a.zip", archive(("a.xml", *zeros(400))))


@hostile(Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT)
def zip_bomb_that_states_ten_bytes() -> bytes:
    packed, crc, _ = zeros(400)
    return carrying("a.zip", archive(("a.xml", packed, crc, 10)))


@hostile(Code.UNPACKS_TOO_LARGE)
def zip_bomb_of_many_files() -> bytes:
    one = zeros(1)
    return carrying("a.zip", archive(*((f"{n}.txt", *one) for n in range(1900))))


@hostile()
def zip_nested_thirty_deep() -> bytes:
    content = zipped(("a.xml", b"<a/>"))
    for _ in range(30):
        content = zipped(("inner.zip", content))
    return carrying("a.zip", content)


@hostile(Code.UNPACKS_TOO_LARGE, Code.TOO_MANY_DOCUMENTS)
def zip_nested_sixteen_wide() -> bytes:
    """The shape of 42.zip: sixteen in each, down to files of zeros."""
    content = archive(("0.txt", *zeros(64)))
    for _ in range(5):
        content = zipped(*((f"{n}.zip", content) for n in range(16)))
    return carrying("42.zip", content)


@hostile(Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT)
def zip_of_overlapping_files() -> bytes:
    return carrying("a.zip", archive(("a.txt", *zeros(1)), copies=1900))


@hostile()
def zip_that_holds_itself() -> bytes:
    return carrying("a.zip", quine())


@hostile(Code.TOO_MANY_DOCUMENTS)
def zip_of_sixty_thousand_empty_files() -> bytes:
    return carrying("a.zip", archive(*((f"{n}", b"\3\0", 0, 0) for n in range(60_000))))


@hostile(Code.TOO_MANY_DOCUMENTS)
def zip_of_thousands_of_documents() -> bytes:
    return carrying("a.zip", zipped(*((f"{n}.xml", b"<a/>") for n in range(1900))))


@hostile(Code.TOO_MANY_DOCUMENTS, Code.UNREADABLE_DOCUMENT)
def zip_of_archives_with_long_directories() -> bytes:
    inner = archive(*((f"{n}", b"\3\0", 0, 0) for n in range(1900)))
    packed = repeated(inner, 1)
    return carrying("a.zip", archive(*((f"{n}.zip", *packed) for n in range(300))))


@hostile(Code.UNPACKS_TOO_LARGE)
def gzip_bomb() -> bytes:
    packed, crc, size = zeros(400)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return carrying("a.xml.gz", head + packed + struct.pack("<2L", crc, size))


@hostile(Code.UNPACKS_TOO_LARGE)
def gzip_in_gzip() -> bytes:
    packed, crc, size = zeros(400)
    content = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed + struct.pack("<2L", crc, size)
    return carrying("a.gz", gzip.compress(gzip.compress(content)))


@hostile(Code.UNREADABLE_DOCUMENT)
def gzip_of_a_million_members() -> bytes:
    return carrying("a.gz", gzip.compress(b"") * 700_000)


# XML.


def xml_of(text: str) -> bytes:
    return carrying("a.xml", text.encode())


@hostile(Code.FORBIDDEN_CONTENT)
def billion_laughs() -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return xml_of(f'<!DOCTYPE p [<!ENTITY l0 "ha">{lines}]><package class="52005">&l9;</package>')


@hostile(Code.FORBIDDEN_CONTENT)
def quadratic_blow_up() -> bytes:
    text = "a" * 100_000
    return xml_of(f'<!DOCTYPE p [<!ENTITY a "{text}">]><p>{"&a;" * 50_000}</p>')


@hostile(Code.FORBIDDEN_CONTENT)
def external_entity() -> bytes:
    return xml_of(
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        '<package class="52005" sender_name="x">&x;</package>'
    )


@hostile(Code.FORBIDDEN_CONTENT)
def external_dtd() -> bytes:
    return xml_of('<!DOCTYPE p SYSTEM "http://127.0.0.1:1/a.dtd"><package class="52005"/>')


@hostile(Code.FORBIDDEN_CONTENT)
def doctype_in_utf_16() -> bytes:
    text = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;</p>'
    return carrying("a.xml", text.encode("utf-16"))


@hostile(Code.UNREADABLE_DOCUMENT, Code.FORBIDDEN_CONTENT, Code.UNKNOWN_LAYOUT)
def doctype_in_utf_7() -> bytes:
    text = "+ADwAIQ-DOCTYPE p [+ADwAIQ-ENTITY x SYSTEM 'file:///etc/passwd'+AD4AXQA+"
    return carrying("a.xml", f"<?xml version='1.0' encoding='utf-7'?>{text}<p>&x;</p>".encode())


@hostile(Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT, Code.TOO_COSTLY)
def xml_of_a_million_attributes() -> bytes:
    attributes = " ".join(f'a{n}=""' for n in range(1_000_000))
    return xml_of(f'<package class="52005" {attributes}/>')


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_a_hundred_thousand_deep() -> bytes:
    return xml_of("<a>" * 100_000 + "</a>" * 100_000)


@hostile(Code.UNKNOWN_LAYOUT, Code.TOO_COSTLY)
def xml_of_a_million_elements() -> bytes:
    return xml_of("<a>" + "<b/>" * 2_500_000 + "</a>")


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY, Code.UNKNOWN_LAYOUT)
def xml_of_a_million_namespaces() -> bytes:
    names = "".join(f'<b xmlns:n{n}="u{n}"><n{n}:c/></b>' for n in range(200_000))
    return xml_of(f"<a>{names}</a>")


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_of_one_text_of_twelve_megabytes() -> bytes:
    return xml_of(f'<package class="52005">{"a" * (12 * MB - 100)}</package>')


@hostile(Code.TOO_COSTLY)
def xml_of_comments_never_closed() -> bytes:
    return xml_of("<package>" + "<!--" * 2_500_000)


@hostile(Code.TOO_COSTLY)
def xml_of_processing_instructions() -> bytes:
    return xml_of("<?a?>" * 2_000_000)


@hostile(Code.UNREADABLE_DOCUMENT)
def xml_declaration_of_blanks() -> bytes:
    return xml_of(" " * 5_000_000 + "<?xml " * 500_000)


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_of_unclosed_tags() -> bytes:
    return xml_of("<a " * 3_000_000)


@hostile(Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xml_of_undefined_entities() -> bytes:
    return xml_of("<a>" + "&x;" * 1_000_000 + "</a>")


@hostile(Code.UNPACKS_TOO_LARGE)
def xml_of_a_hundred_megabytes_in_a_zip() -> bytes:
    line = b'<consumption date_time="2026110100" energy="0"/>\n' * 21_000
    return carrying("a.zip", archive(("a.xml", *repeated(line, 95))))


def document(rows: str, about: str = "") -> bytes:
    return xml_of(
        f'<package class="52005" version="1" sender_code="{CODE}" created="20261120090000"'
        f" {about}>{rows}</package>"
    )


def hour(value: str, moment: str = "2026110100") -> str:
    return f'<consumption date_time="{moment}" energy="{value}"/>'


@hostile(Code.INVALID_NUMBER)
def gigantic_numbers() -> bytes:
    digits = "9" * 1_000_000
    values = ("1e999999999", "-1e999999999", "1e-999999999", digits, f"0.{digits}", "١٢٣", "NaN")
    return document("".join(map(hour, (*values, "inf", "1_000", "0x10", "1" * 5000))))


@hostile(Code.TOO_MANY_DIGITS, Code.TOO_COSTLY)
def fifty_thousand_gigantic_numbers() -> bytes:
    return document(hour("9" * 100) * 50_000)


@hostile(Code.INVALID_TIME, Code.INVALID_DATE)
def dates_far_away() -> bytes:
    moments = ("0000010100", "0001010100", "9999123123", "99991231235959", "2026023000", "9" * 99)
    return document("".join(hour("1", moment) for moment in moments), 'sender_name="x"')


@hostile(Code.MISSING_INTERVAL, Code.READING_IN_FUTURE, Code.INVALID_TIME, Code.TOO_COSTLY)
def an_hour_of_each_of_a_thousand_years() -> bytes:
    moments = (f"{year:04}010100" for year in range(1000, 3000))
    return document("".join(hour("1", moment) for moment in moments))


# Which of the two depends on what the child has read before.
@hostile(Code.TOO_COSTLY, Code.DUPLICATE_INTERVAL)
def one_hour_two_hundred_thousand_times() -> bytes:
    return document(hour("1") * 200_000)


@hostile(Code.TOO_COSTLY)
def twenty_thousand_points() -> bytes:
    day = "<period start='0000' end='0030'><value>1</value></period>"
    points = "".join(
        f"<measuringpoint code='{n}'><measuringchannel code='01'>{day}</measuringchannel>"
        "</measuringpoint>"
        for n in range(20_000)
    )
    return xml_of(
        "<message class='80020' version='2' number='1'><datetime><timestamp>20261120090000"
        "</timestamp><daylightsavingtime>0</daylightsavingtime><day>20261119</day></datetime>"
        "<sender><inn>3300000001</inn><name>x</name></sender><area timezone='1'>"
        f"<inn>3300000001</inn><name>x</name>{points}</area></message>"
    )


@hostile(Code.UNREADABLE_DOCUMENT)
def nul_bytes_in_xml() -> bytes:
    return carrying("a.xml", b"<package class='52005' sender_code='\0\0\0'>" + bytes(1000))


@hostile(Code.UNREADABLE_DOCUMENT)
def lone_surrogates_in_xml() -> bytes:
    half = "<package class='52005' sender_name='\ud800'/>".encode("utf-8", "surrogatepass")
    return carrying("a.xml", half + "<a>\udfff</a>".encode("utf-16-le", "surrogatepass"))


@hostile()
def bidi_controls_everywhere() -> bytes:
    turned = "\u202e\u2066gpj.\u200fxml\u202c"
    body = f'<package class="52005" version="1" sender_name="{turned}" sender_code="{turned}"/>'
    name = base64.b64encode(f"{turned}.xml".encode()).decode()
    return several(BODY, attached(f"=?utf-8?B?{name}?=", body.encode()))


# Workbooks.

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _types(*overrides: tuple[str, str]) -> bytes:
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    lines = "".join(
        f'<Override PartName="{name}" ContentType="{kinds}{kind}+xml"/>' for name, kind in overrides
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{lines}</Types>'
    ).encode()


def _relations(*targets: tuple[str, str], outside: str = "") -> bytes:
    lines = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}{outside}</Relationships>'.encode()
    )


def book(rows: Iterator[bytes], strings: Iterator[bytes] | None = None, outside: str = "") -> bytes:
    """An .xlsx of one sheet from pieces of its XML, packed as they come."""
    sheet = itertools.chain(
        [f'<worksheet xmlns="{_SHEET}"><sheetData>'.encode()], rows, [b"</sheetData></worksheet>"]
    )
    parts = {
        "[Content_Types].xml": iter([
            _types(
                ("/xl/workbook.xml", "sheet.main"),
                ("/xl/worksheets/sheet1.xml", "worksheet"),
                ("/xl/sharedStrings.xml", "sharedStrings"),
            )
        ]),
        "_rels/.rels": iter([_relations(("officeDocument", "xl/workbook.xml"))]),
        "xl/workbook.xml": iter([
            f'<workbook xmlns="{_SHEET}" xmlns:r="{_RELATED}"><sheets>'
            '<sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>'.encode()
        ]),
        "xl/_rels/workbook.xml.rels": iter([
            _relations(
                ("worksheet", "worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                outside=outside,
            )
        ]),
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": itertools.chain(
            [f'<sst xmlns="{_SHEET}">'.encode()], strings or (), [b"</sst>"]
        ),
    }  # fmt: skip
    return archive(*((name, *deflated(pieces)) for name, pieces in parts.items()))


def cell(place: str, inside: str, kind: str = "") -> str:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{place}"{kind}>{inside}</c></row>'


@hostile()
def workbook_of_the_largest_extent() -> bytes:
    rows = cell("A1", "<v>1</v>") + cell("XFD1048576", "<v>1</v>")
    return carrying("a.xlsx", book(iter([rows.encode()])))


# Far cells cost no more than near ones, so that these are read and are no form.
@hostile(Code.UNKNOWN_LAYOUT)
def workbook_of_the_widest_rows() -> bytes:
    rows = (cell(f"XFD{n}", "<v>1</v>").encode() for n in range(1, 5001))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def workbook_beyond_the_last_row() -> bytes:
    rows = cell("A99999999999", "<v>1</v>") + cell("ZZZZZZ1", "<v>1</v>") + cell("A0", "<v>1</v>")
    return carrying("a.xlsx", book(iter([rows.encode()])))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_cells() -> bytes:
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 1000)))


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def workbook_of_four_gigabytes_of_strings() -> bytes:
    piece = b"<si><t>" + b"a" * (MB - 20) + b"</t></si>"
    # A zip states sizes in 32 bits: this one seems small.
    packed = repeated(piece, 4100)
    content = book(iter([cell("A1", "<v>0</v>", ' t="s"').encode()]))
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        others = [
            (info.filename, *deflated(iter([old.read(info)])))
            for info in old.infolist()
            if info.filename != "xl/sharedStrings.xml"
        ]
    return carrying("a.xlsx", archive(*others, ("xl/sharedStrings.xml", *packed)))


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def workbook_of_sixty_megabytes_of_strings() -> bytes:
    strings = (b"<si><t>%d</t></si>" % n * 20 for n in range(120_000))
    return carrying("a.xlsx", book(iter([cell("A1", "<v>0</v>", ' t="s"').encode()]), strings))


@hostile()
def workbook_with_external_links() -> bytes:
    outside = (
        f'<Relationship Id="r8" Type="{_RELATED}/externalLink" '
        'Target="http://127.0.0.1:1/a.xlsx" TargetMode="External"/>'
        f'<Relationship Id="r9" Type="{_RELATED}/worksheet" '
        'Target="file:///etc/passwd" TargetMode="External"/>'
    )
    rows = cell("A1", "<f>[1]Sheet1!A1</f><v>1</v>") + cell("A2", "<f>WEBSERVICE(B1)</f>")
    return carrying("a.xlsx", book(iter([rows.encode()]), outside=outside))


@hostile(Code.FORBIDDEN_CONTENT)
def workbook_with_billion_laughs() -> bytes:
    entities = b'<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return carrying("a.xlsx", book(iter([]), iter([entities, b"<si><t>&b;</t></si>"])))


@hostile()
def workbook_of_formulas() -> bytes:
    formula = "=".join(["SUM(A1:XFD1048576)"] * 500)
    rows = (cell(f"A{n}", f"<f>{formula}</f>").encode() for n in range(1, 2000))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def workbook_of_merged_cells() -> bytes:
    merged = b"".join(b'<mergeCell ref="A%d:XFD1048576"/>' % n for n in range(1, 20_000))
    rows = cell("A1", "<v>1</v>").encode() + b"</sheetData><mergeCells>" + merged
    return carrying("a.xlsx", book(iter([rows + b"</mergeCells><sheetData>"])))


@hostile(Code.TOO_COSTLY)
def workbook_of_numbers_without_end() -> bytes:
    values = ("1e999999999", "9" * 100_000, "-1e308", "NaN", "1e308")
    rows = "".join(cell(f"A{n}", f"<v>{value}</v>") for n, value in enumerate(values, 1))
    return carrying("a.xlsx", book(iter([rows.encode()])))


@hostile(Code.INVALID_NUMBER, Code.INVALID_CODE)
def workbook_of_controls() -> bytes:
    """Signs that clear a terminal, turn a line, and end a text where they stand."""
    import xlwt

    signs = "\x1b[2J\u202e\x07\0\ufffe"
    rows = (
        ("Макет", "52006"),
        ("Код пользователя", CODE),
        ("Дата показаний", "20.11.2026"),
        ("Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"),
        (f"{CODE}-01", "07512345", "A+", "T1", f"12{signs}"),
        (f"{CODE}-01{signs}", f"07512345{signs}", "A+", "T2", 5),
    )
    made = xlwt.Workbook()
    sheet = made.add_sheet("1\u202e")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    packed = io.BytesIO()
    made.save(packed)
    return carrying("a.xls", packed.getvalue())


@hostile(Code.TOO_COSTLY)
def workbook_of_a_thousand_sheets() -> bytes:
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, 1001))
    content = book(iter([cell("A1", "<v>1</v>").encode()]))
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    files["xl/workbook.xml"] = (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_RELATED}"><sheets>{sheets}</sheets></workbook>'
    ).encode()
    return carrying("a.xlsx", zipped(*files.items()))


def ods(rows: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="1">'
        f"{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
        made.writestr("META-INF/manifest.xml", f'<m xmlns="{names}:manifest:1.0"/>')
    return packed.getvalue()


_ODS_CELL = '<table:table-cell office:value-type="float" office:value="1"{}/>'


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def ods_of_the_largest_extent() -> bytes:
    empty = '<table:table-cell table:number-columns-repeated="16383"/>'
    one = _ODS_CELL.format("")
    return carrying(
        "a.ods",
        ods(
            f"<table:table-row>{one}</table:table-row>"
            '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/>'
            f"</table:table-row><table:table-row>{empty}{one}</table:table-row>"
        ),
    )


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def ods_of_a_cell_repeated_for_ever() -> bytes:
    one = _ODS_CELL.format(' table:number-columns-repeated="999999999"')
    return carrying(
        "a.ods",
        ods(f'<table:table-row table:number-rows-repeated="999999999">{one}</table:table-row>'),
    )


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xls_of_the_largest_extent() -> bytes:
    import xlwt

    made = xlwt.Workbook()
    sheet = made.add_sheet("1")
    for row, column in ((0, 0), (65_535, 255)):
        sheet.write(row, column, 1)
    packed = io.BytesIO()
    made.save(packed)
    return carrying("a.xls", packed.getvalue())


def _record(kind: int, content: bytes) -> bytes:
    """One record of a binary workbook (MS-XLSB 2.1.4)."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(content)
    return (
        head + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + content
    )


def _wide(text: str) -> bytes:
    return struct.pack("<L", len(text)) + text.encode("utf-16-le")


def _xlsb() -> bytes:
    def row(number: int) -> bytes:
        return _record(0, struct.pack("<2LHBBBL", number, 0, 300, 0, 0, 0, 0))

    def number(column: int) -> bytes:
        return _record(5, struct.pack("<2Ld", column, 0, 1.0))

    extent = _record(148, struct.pack("<4L", 0, 1_048_575, 0, 16_383))
    rows = row(0) + number(0) + row(1_048_575) + number(16_383)
    sheet = _record(129, b"") + extent + _record(145, b"") + rows + _record(146, b"")
    listed = _record(156, struct.pack("<2L", 0, 1) + _wide("r1") + _wide("1"))
    files = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.bin")),
        "xl/workbook.bin": _record(131, b"") + _record(143, b"") + listed + _record(144, b"")
        + _record(132, b""),
        "xl/_rels/workbook.bin.rels": _relations(("worksheet", "worksheets/sheet1.bin")),
        "xl/worksheets/sheet1.bin": sheet + _record(130, b""),
    }  # fmt: skip
    return zipped(*files.items())


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xlsb_of_the_largest_extent() -> bytes:
    return carrying("a.xlsb", _xlsb())


def with_part(part: str, content: bytes) -> bytes:
    """A workbook of one cell with one more part, which its sheet or its book refers to."""
    kind = part.rpartition("/")[2].removesuffix(".xml")
    whole = book(iter([cell("A1", "<v>1</v>").encode()]))
    with zipfile.ZipFile(io.BytesIO(whole)) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    about = files["xl/_rels/workbook.xml.rels"].decode()
    line = f'<Relationship Id="r7" Type="{_RELATED}/{kind}" Target="{part}"/>'
    files["xl/_rels/workbook.xml.rels"] = about.replace("</R", line + "</R").encode()
    files[f"xl/{part}"] = content
    return zipped(*files.items())


def sheet_with(element: str, count: int, around: str) -> bytes:
    """A workbook whose sheet has so many elements in another one, behind its cells."""
    inside = f"</sheetData><{around}>".encode()
    many = itertools.repeat((element * 1000).encode(), count // 1000)
    end = f"</{around}><sheetData>".encode()
    return book(itertools.chain([cell("A1", "<v>1</v>").encode(), inside], many, [end]))


@hostile(Code.TOO_COSTLY)
def workbook_of_two_hundred_thousand_styles() -> bytes:
    styles = f'<styleSheet xmlns="{_SHEET}"><cellXfs>{"<xf/>" * 200_000}</cellXfs></styleSheet>'
    return carrying("a.xlsx", with_part("styles.xml", styles.encode()))


@hostile(Code.TOO_COSTLY)
def workbook_of_number_formats() -> bytes:
    one = '<numFmt numFmtId="{}" formatCode="{}"/>'
    formats = "".join(one.format(n, "[Red]0.0;" * 30) for n in range(100_000))
    styles = f'<styleSheet xmlns="{_SHEET}"><numFmts>{formats}</numFmts></styleSheet>'
    return carrying("a.xlsx", with_part("styles.xml", styles.encode()))


@hostile(Code.TOO_COSTLY)
def workbook_of_shared_texts() -> bytes:
    return carrying("a.xlsx", book(iter([]), itertools.repeat(b"<si><t>a</t></si>" * 1000, 300)))


@hostile(Code.TOO_COSTLY)
def workbook_of_conditional_formats() -> bytes:
    rule = '<cfRule type="expression" priority="1"><formula>A1</formula></cfRule>'
    return carrying("a.xlsx", sheet_with(rule, 200_000, "conditionalFormatting"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hyperlinks() -> bytes:
    link = '<hyperlink ref="A1" location="A1"/>'
    return carrying("a.xlsx", sheet_with(link, 200_000, "hyperlinks"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hidden_columns() -> bytes:
    column = '<col min="1" max="16384" hidden="1"/>'
    return carrying("a.xlsx", sheet_with(column, 300_000, "cols"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hidden_columns_over_many_cells() -> bytes:
    columns = b"".join(b'<col min="%d" max="%d" hidden="1"/>' % (n, n) for n in range(20_000))
    row = b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>"
    inside = (row * 2, b"</sheetData><cols>", columns, b"</cols><sheetData>")
    return carrying("a.xlsx", book(iter(inside)))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_empty_cells() -> bytes:
    row = b"<row>" + b"<c/>" * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 1000)))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_empty_rows() -> bytes:
    return carrying("a.xlsx", book(itertools.repeat(b"<row/>" * 1000, 1000)))


@hostile()
def workbook_of_words() -> bytes:
    row = b"<row>" + b'<c t="inlineStr"><is><t>abc</t></is></c>' * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 39)))


@hostile(Code.TOO_COSTLY)
def workbook_of_labels() -> bytes:
    """Every cell is the label of a column."""
    label = '<c t="inlineStr"><is><t>Показание</t></is></c>'
    meter = '<c t="inlineStr"><is><t>№ прибора учёта</t></is></c>'
    row = f"<row>{(label + meter) * 250}</row>".encode()
    return carrying("a.xlsx", book(itertools.repeat(row, 78)))


@hostile(Code.TOO_COSTLY)
def workbook_of_facts() -> bytes:
    """Every row states another day of the readings."""
    fact = (
        '<row><c t="inlineStr"><is><t>Дата показаний</t></is></c>'
        '<c t="inlineStr"><is><t>20.11.2026</t></is></c></row>'
    )
    return carrying("a.xlsx", book(itertools.repeat((fact * 100).encode(), 250)))


@hostile(Code.TOO_COSTLY)
def workbook_of_array_formulas() -> bytes:
    rows = (cell(f"A{n}", f'<f t="array" ref="A{n}:XFD1048576">1</f>').encode() for n in (1, 2, 3))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def zip_of_fifty_costly_workbooks() -> bytes:
    one = book(itertools.repeat(b"<row/>" * 1000, 49))
    return carrying("a.zip", zipped(*((f"{n}.xlsx", one + bytes(n)) for n in range(50))))


@hostile(Code.TOO_COSTLY)
def ods_of_many_rows() -> bytes:
    return carrying("a.ods", ods("<table:table-row/>" * 300_000))


@hostile(Code.TOO_COSTLY)
def ods_of_filtered_rows() -> bytes:
    row = f'<table:table-row table:visibility="filter">{_ODS_CELL.format("")}</table:table-row>'
    return carrying("a.ods", ods(row * 20_000))


@hostile(Code.TOO_COSTLY)
def ods_of_spans() -> bytes:
    spans = ' table:number-rows-spanned="1000000" table:number-columns-spanned="16000"'
    row = f"<table:table-row>{_ODS_CELL.format(spans) * 100}</table:table-row>"
    return carrying("a.ods", ods(row * 300))


@hostile(Code.TOO_COSTLY)
def xlsb_of_a_million_records() -> bytes:
    with zipfile.ZipFile(io.BytesIO(_xlsb())) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    files["xl/worksheets/sheet1.bin"] = _record(129, b"") + _record(1, b"") * 1_000_000
    return carrying("a.xlsb", zipped(*files.items()))


@hostile(Code.UNREADABLE_DOCUMENT)
def xls_whose_sectors_run_in_a_circle() -> bytes:
    import xlwt

    made = xlwt.Workbook()
    sheet = made.add_sheet("1")
    for row in range(2000):
        sheet.write(row, 0, "x" * 100 + str(row))
    packed = io.BytesIO()
    made.save(packed)
    content = bytearray(packed.getvalue())
    (table,) = struct.unpack_from("<L", content, 76)
    for at in range(512 * (table + 1), 512 * (table + 2), 4):
        struct.pack_into("<L", content, at, 1)
    return carrying("a.xls", bytes(content))


# More documents.


@hostile(Code.TOO_COSTLY)
def moments_that_are_none() -> bytes:
    return document(hour("1", "2026119900") * 140_000)


@hostile(Code.TOO_COSTLY)
def elements_that_nobody_knows() -> bytes:
    return document("".join(f"<x{n}/>" for n in range(140_000)))


@hostile(Code.TOO_COSTLY)
def a_meter_of_ninety_thousand_readings() -> bytes:
    one = '<reading channel="A+" zone="T1" date_time="2026111510" value="12345.67"/>'
    meter = f'<meter number="07512345" point="200000001234-01">{one * 90_000}</meter>'
    return xml_of(
        f'<package class="52006" version="1" sender_code="{CODE}" created="20261120091500">'
        f"{meter}</package>"
    )


@hostile()
def fifty_bodies_of_labels() -> bytes:
    part = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return several(*[part + "Код: 1\r\nПароль: x\r\n".encode() * 8000] * 50)


@hostile()
def a_name_of_encoded_words() -> bytes:
    name = "=?utf-8?B?0J/QsNGA0L7Qu9GM?= " * 10_000
    return several(BODY, attached(name + ".xml", b"<a/>"))


@hostile()
def names_in_pieces() -> bytes:
    pieces = b"".join(b"; filename*%d*=%%D0%%9F" % n for n in range(5_000))
    part = b"Content-Type: text/xml\r\nContent-Disposition: attachment" + pieces + b"\r\n\r\n<a/>"
    return several(BODY, *[part] * 40)


@hostile()
def message_of_outlook() -> bytes:
    return carrying("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 8 * MB)


# MIME.


@hostile(Code.TOO_MANY_DOCUMENTS)
def mime_of_a_hundred_thousand_parts() -> bytes:
    return several(BODY, *([b"\r\nx"] * 100_000))


@hostile(Code.TOO_MANY_DOCUMENTS)
def mime_of_thousands_of_documents() -> bytes:
    return several(BODY, *(attached(f"{n}.xml", b"<a/>") for n in range(5000)))


@hostile()
def mime_three_thousand_deep() -> bytes:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(3000)
    )
    return header() + parts + b"\r\n" + LOGIN


@hostile()
def letters_a_thousand_deep() -> bytes:
    head = b"Content-Type: message/rfc822\r\n\r\n"
    return header() + head * 20_000 + b"\r\n" + LOGIN


@hostile(Code.TOO_MANY_DOCUMENTS)
def letters_as_files_a_thousand_wide() -> bytes:
    inner = several(*(attached(f"{n}.eml", plain(b"x"), "message/rfc822") for n in range(300)))
    return several(*(attached(f"{n}.eml", inner, "message/rfc822") for n in range(50)))


@hostile()
def a_boundary_on_every_line() -> bytes:
    lines = b"--b-\r\n--bb\r\n-b\r\n" * 700_000
    return header() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + lines


@hostile()
def a_header_of_twenty_four_megabytes() -> bytes:
    line = b"X-Filler: " + b"y" * 900 + b"\r\n"
    return header(extra=line * (24 * MB // len(line))) + b"\r\n" + LOGIN


@hostile()
def one_header_line_of_twenty_four_megabytes() -> bytes:
    return header(extra=b"X-Filler: " + b"y" * (24 * MB) + b"\r\n") + b"\r\n" + LOGIN


@hostile(Code.LETTER_TOO_LARGE)
def a_header_over_the_limit() -> bytes:
    line = b"X-Filler: " + b"y" * 900 + b"\r\n"
    return header(extra=line * (26 * MB // len(line))) + b"\r\n" + LOGIN


@hostile()
def a_million_fields() -> bytes:
    return header(extra=b"A:b\r\n" * 1_000_000) + b"\r\n" + LOGIN


@hostile()
def a_field_folded_a_million_times() -> bytes:
    return header(extra=b"References: <a@b>\r\n" + b" <a@b>\r\n" * 1_000_000) + b"\r\n" + LOGIN


@hostile()
def a_subject_of_a_megabyte() -> bytes:
    return plain(LOGIN, subject=b"a" * MB)


@hostile()
def a_subject_of_encoded_words() -> bytes:
    return plain(LOGIN, subject=b"=?utf-8?B?0J/QsNGA0L7Qu9GM?=\r\n " * 30_000)


@hostile()
def a_subject_of_words_never_ended() -> bytes:
    return plain(LOGIN, subject=b"=?utf-8?Q?" * 100_000)


@hostile()
def a_sender_of_quotes_never_closed() -> bytes:
    quoted = '"' + "\\\\" * 100_000
    return header(sender=f"{quoted} <{SENDER}>") + b"\r\n" + LOGIN


@hostile()
def a_thousand_senders() -> bytes:
    return (
        header(sender=", ".join(f"<{n}@primer.example>" for n in range(100_000))) + b"\r\n" + LOGIN
    )


@hostile()
def a_type_of_parameters() -> bytes:
    pieces = b"".join(b"; name*%d*=utf-8''%%D0" % n for n in range(20_000))
    return header(extra=b"Content-Type: text/plain" + pieces + b"\r\n") + b"\r\n" + LOGIN


@hostile()
def a_parameter_of_backslashes() -> bytes:
    kind = b'Content-Type: text/plain; name="' + b'\\"' * 200_000
    return header(extra=kind + b"\r\n") + b"\r\n" + LOGIN


@hostile()
def nul_bytes_in_headers() -> bytes:
    return plain(LOGIN, subject=b"a\0b\0\r\n\0: x\r\nX\0Y: z")


@hostile()
def controls_and_surrogates_in_headers() -> bytes:
    word = base64.b64encode("\ud800\u202eтема\r\nBcc: a@b.example".encode("utf-8", "surrogatepass"))
    return plain(LOGIN, subject=b"=?utf-8?B?" + word + b"?= =?utf-7?Q?+2AA-?=")


# Bodies.


@hostile()
def a_body_of_labels() -> bytes:
    return plain("Пароль: ".encode() * 500_000)


@hostile()
def a_body_of_labels_on_lines() -> bytes:
    return plain("Код: 1\r\nПароль: x\r\n".encode() * 300_000)


@hostile()
def a_body_of_different_passwords() -> bytes:
    lines = (f"Код: {100000000000 + n}\r\nПароль: secret-{n}\r\n" for n in range(100_000))
    return plain("".join(lines).encode())


@hostile()
def a_body_of_tabs_and_labels() -> bytes:
    return plain("Код\t".encode() * 500_000 + b"\r\n" + b"1\t" * 500_000)


@hostile()
def a_body_of_quotes() -> bytes:
    return plain(b">" * 5 * MB + b"\r\n> > >" * 500_000)


@hostile()
def a_body_of_senders() -> bytes:
    return plain("От: а\r\n".encode() * 1_000_000)


@hostile()
def a_body_of_one_line_of_blanks() -> bytes:
    return plain(LOGIN + b" " * 10 * MB + b"x")


@hostile()
def a_body_of_no_break_blanks() -> bytes:
    return plain("Пароль".encode() + "\u00a0".encode() * 5_000_000 + b":x")


@hostile()
def a_body_of_dashes() -> bytes:
    return plain(b"-" * 5 * MB + b"\r\n" + b"-- " * 1_000_000)


@hostile()
def a_body_of_brackets() -> bytes:
    return plain("Пароль (".encode() * 300_000 + b"(" * 300_000)


@hostile()
def a_body_that_begins_documents() -> bytes:
    return plain(b"<a b" * 2_000_000 + b"\r\n<a =" * 500_000)


@hostile()
def html_of_tags_never_closed() -> bytes:
    return plain(b"<div><b><table><tr><td>" * 400_000 + LOGIN, b"text/html")


@hostile()
def html_of_quotes_in_quotes() -> bytes:
    return plain(b'<div class="gmail_quote"><blockquote>' * 100_000 + LOGIN, b"text/html")


@hostile()
def html_of_attributes() -> bytes:
    inside = b" ".join(b"a%d=%d" % (n, n) for n in range(500_000))
    return plain(b"<div " + inside + b">" + LOGIN, b"text/html")


@hostile()
def html_of_comments() -> bytes:
    return plain(LOGIN + b"<!--" * 1_000_000 + b"<![CDATA[" * 300_000, b"text/html")


@hostile()
def html_of_entities() -> bytes:
    return plain(b"&nbsp;&#1055;&#x110000;&amp" * 300_000 + LOGIN, b"text/html")


@hostile()
def html_of_a_style_without_end() -> bytes:
    return plain(LOGIN + b"<style><script>" + b"a{b:c}</style" * 500_000, b"text/html")


@hostile()
def html_of_a_thousand_bodies() -> bytes:
    part = b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 5000
    return several(BODY, *([part] * 900))


@hostile()
def quoted_printable_of_soft_breaks() -> bytes:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    return header(extra=head + b"\r\n") + b"\r\n" + b"=\r\n=D0=" * 2_000_000


@hostile()
def base64_of_a_million_bad_lines() -> bytes:
    head = b"Content-Type: text/xml; name=a.xml\r\nContent-Transfer-Encoding: base64"
    return header(extra=head + b"\r\n") + b"\r\n" + b"QUJD*\r\n" * 3_000_000


@hostile(Code.TOO_COSTLY)
def uuencode_without_end() -> bytes:
    head = b"Content-Type: text/xml; name=a.xml\r\nContent-Transfer-Encoding: x-uuencode"
    return header(extra=head + b"\r\n") + b"\r\nbegin 644 a\r\n" + b"M!!\r\n" * 3_000_000


# Other containers.


def tnef(*objects: tuple[int, int, bytes]) -> bytes:
    made = bytearray(struct.pack("<LH", 0x223E9F78, 1))
    for level, name, content in objects:
        head = struct.pack("<BLL", level, name, len(content))
        made += head + content + struct.pack("<H", sum(content) & 0xFFFF)
    return bytes(made)


@hostile(Code.UNREADABLE_DOCUMENT)
def winmail_of_a_hundred_thousand_objects() -> bytes:
    return carrying("winmail.dat", tnef(*([(2, 0x00069002, bytes(14))] * 100_000)))


@hostile()
def winmail_that_lies_about_lengths() -> bytes:
    lie = struct.pack("<BLL", 2, 0x0006800F, 0xFFFFFFFF) + b"x" * 100
    return carrying("winmail.dat", struct.pack("<LH", 0x223E9F78, 1) + lie * 1000)


@hostile()
def winmail_of_a_million_properties() -> bytes:
    properties = (
        struct.pack("<L", 0xFFFFFFFF) + struct.pack("<HHL", 0x1F, 0x3001, 0x7FFFFFFF) * 1000
    )
    return carrying("winmail.dat", tnef((1, 0x00069003, properties), (2, 0x00069005, properties)))


@hostile()
def winmail_cut_off() -> bytes:
    whole = tnef((2, 0x00069002, bytes(14)), (2, 0x0006800F, b"<a/>" * 1000))
    return several(BODY, *(attached(f"{n}.dat", whole[:n]) for n in range(6, 900, 7)))


@hostile()
def smime_of_open_ends() -> bytes:
    return carrying("smime.p7m", b"\x30\x80" * 2_000_000, "application/pkcs7-mime")


@hostile()
def smime_of_a_million_pieces() -> bytes:
    kind, data = (bytes.fromhex(f"06092a864886f70d01070{n}") for n in (2, 1))
    pieces = b"\x24\x80" + b"\x04\x01x" * 1_000_000 + b"\0\0"
    carried = b"\x30\x80" + data + b"\xa0\x80" + pieces + b"\0\0" * 2
    content = b"\x30\x80" + kind + b"\xa0\x80\x30\x80\x02\x01\x01\x31\0" + carried + bytes(6)
    return carrying("smime.p7m", content, "application/pkcs7-mime")


# Noise.


# Workbooks whose cells are few, and cost much.


def of_rows(rows: Iterator[bytes]) -> bytes:
    """A workbook of 52006 with more rows below its readings."""
    labels = ("Номер счётчика", "Канал", "Зона", "Дата", "Показание")
    title = b"<row>%s</row>" % b"".join(map(_text, labels))
    return carrying("a.xlsx", book(iter([title, *rows])))


def _text(text: str) -> bytes:
    return b'<c t="inlineStr"><is><t>%s</t></is></c>' % text.encode()


def _numbers(number: int) -> bytes:
    keys = b"".join(map(_text, ("07512345", "A+", "T1", "01.11.2026")))
    return b"<row>%s<c><v>%d</v></c></row>" % (keys, number)


@hostile()
def workbook_of_totals() -> bytes:
    total = b"<row>%s<c/><c/><c/><c><v>1</v></c></row>" % _text("Итого")
    return of_rows(row for number in range(1_000) for row in (_numbers(number), total))


@hostile(Code.TOO_COSTLY)
def workbook_of_long_texts() -> bytes:
    return of_rows(b"<row>%s</row>" % (_text("a: " + " " * 250 + "1") * 11) for _ in range(3_000))


@hostile()
def workbook_of_names_that_end_in_no_number() -> bytes:
    return of_rows(b"<row>%s</row>" % _text("№" * 90 + "y" * 90 + f"{n}x") for n in range(300))


# Many small parts, whose costs add up.


def parts(count: int, head: str, content: bytes = b"x") -> bytes:
    """Credentials and so many parts beside them."""
    return several(BODY, *[head.encode("latin-1") + b"\r\n\r\n" + content] * count)


def _directory(*names: bytes) -> bytes:
    """A zip that is nothing but a directory."""
    made = bytearray()
    for name in names:
        made += b"PK\1\2" + struct.pack("<6H3L", 20, 20, 0, 0, 0, 33, 0, 0, 0)
        made += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    head = b"PK\3\4" + bytes(26)
    end = struct.pack("<4H2LH", 0, 0, len(names), len(names), len(made), len(head), 0)
    return head + bytes(made) + b"PK\5\6" + end


@hostile(Code.TOO_MANY_DOCUMENTS)
def office_files_of_long_directories() -> bytes:
    packed = _directory(b"mimetype", *[b"%d" % number for number in range(1900)])
    return parts(150, "Content-Type: a/b; name=a.docx", packed)


@hostile(Code.TOO_MANY_DOCUMENTS)
def workbooks_of_long_directories() -> bytes:
    packed = _directory(b"xl/a", *[b"%d" % number for number in range(1900)])
    return parts(49, "Content-Type: a/b; name=a.xlsx", packed)


@hostile(Code.TOO_MANY_DOCUMENTS)
def gzips_of_members() -> bytes:
    return parts(900, "Content-Type: a/b; name=a.gz", gzip.compress(b"", mtime=0) * 1000)


@hostile()
def bodies_of_rtf() -> bytes:
    return parts(49, "Content-Type: text/rtf", b"{\\rtf1 " + b"{" * 120_000 + b"}" * 120_000 + b"}")


@hostile(Code.TOO_MANY_DOCUMENTS)
def names_in_no_charset() -> bytes:
    name = bytes(range(160, 255)).decode("latin-1") * 10
    return parts(900, f'Content-Type: a/b; name="{name}"')


@hostile(Code.TOO_MANY_DOCUMENTS)
def parameters_in_many_parts() -> bytes:
    return parts(900, "Content-Type: a/b" + ";name=a" * 3000)


@hostile(Code.TOO_MANY_DOCUMENTS)
def signed_files_of_pieces() -> bytes:
    kind = bytes.fromhex("06092a864886f70d010702")
    message = b"\x30\x80" + kind + b"\xa0\x80\x30\x80" + b"\x04\x00" * 4000
    return parts(900, "Content-Type: a/b; name=a.p7m", message)


@hostile()
def charsets_that_nobody_knows() -> bytes:
    fields = (
        b"List-Id: " + b" ".join(b"=?x%d-%d?q?=E0?=" % (n, m) for m in range(60)) + b"\r\n"
        for n in range(700)
    )
    return header(extra=b"".join(fields)) + b"\r\n" + LOGIN


@hostile()
def senders_at_long_domains() -> bytes:
    address = "a@" + "\u044f" * 60 + "." + "x" * 64
    field = b"Reply-To: " + ",".join([address] * 12).encode() + b"\r\n"
    return header(extra=field * 500) + b"\r\n" + LOGIN


@hostile()
def passwords_beside_shortened_names() -> bytes:
    logins = "".join(f"Код: {n}00000\nПароль: {n}" + '&"<' * 60 + "\n" for n in range(50))
    body = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + logins.encode()
    named = b"Content-Type: a/b; name=" + b"n" * 190 + "\u2026.bin".encode() + b"\r\n\r\nx"
    return several(body, *[named] * 900)


@hostile()
def a_report_of_blocks() -> bytes:
    status = b"Content-Type: message/delivery-status\r\n\r\n" + b"a: b\n\n" * 40_000
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in [status] * 90)
    kind = b'Content-Type: multipart/report; boundary="b"\r\n\r\n'
    return header(sender="mailer-daemon@x.example") + kind + body + b"--b--"


@hostile()
def files_in_a_text_far_below() -> bytes:
    return plain(b"x" * 4 * MB + b"\n" + b"begin 644 x\n#86)C\n" * 80_000)


@hostile()
def multiparts_of_one_another_and_lines_like_boundaries() -> bytes:
    inside = (b"--" + b"a" * 60 + b"\n") * 300_000
    for level in range(49):
        boundary = b"a" * 60 + b"%d" % level
        kind = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
        inside = kind + b"--" + boundary + b"\r\n" + inside + b"\r\n--" + boundary + b"--\r\n"
    return header() + inside


@hostile()
def declarations_of_nothing() -> bytes:
    return plain(b"<?xml?>\n" * 500_000)


@hostile()
def bodies_in_no_charset() -> bytes:
    return parts(49, "Content-Type: text/plain", bytes(range(128, 256)) * 1900)


@hostile()
def nothing_at_all() -> bytes:
    return b""


@hostile()
def nothing_but_nul_bytes() -> bytes:
    return bytes(5 * MB)


@hostile()
def every_byte_in_turn() -> bytes:
    return bytes(range(256)) * 20_000


@hostile()
def nothing_but_line_ends() -> bytes:
    return header() + b"\r\n" + b"\r\n" * 5_000_000


@hostile()
def html_of_nothing_but_line_ends() -> bytes:
    return plain(b"\n" * 10_000_000 + LOGIN, b"text/html")


@hostile()
def text_that_begins_many_files() -> bytes:
    return plain(b"begin 644 a\n" * 1_500_000)


@hostile()
def text_of_links_without_end() -> bytes:
    return plain(b"https://aa.aa.aa." * 900_000)


@hostile(Code.TOO_MANY_DOCUMENTS)
def letters_in_letters_in_base64() -> bytes:
    inside = b"x" * MB
    kind = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    while len(inside) < 16 * MB:
        inside = kind + base64.encodebytes(inside)
    return header() + inside
