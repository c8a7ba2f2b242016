"""A zipped workbook: which of its parts is which, and what keeps it from being read at all."""

import zipfile

import pytest

from layouts.findings import Code
from parsers import workbooks_zip
from parsers.grid_draft import Spent
from parsers.workbooks_zip import Package
from tests.hostile.corpus import zipped
from tests.parsers.pages import _relation, _relations

XLSX = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
XLSB = b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"
TYPES, SHEETS = "[Content_Types].xml", b"application/vnd.oasis.opendocument.spreadsheet"


def package(**parts) -> Package:
    return Package(zipped(*((name, part) for name, part in parts.items())))


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"mimetype": SHEETS, "content.xml": b""}, "ods"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b""}, None),
        ({"mimetype": SHEETS}, None), ({"content.xml": b""}, None),
        ({TYPES: XLSX}, "xlsx"), ({TYPES.upper(): XLSX}, "xlsx"), ({TYPES: XLSB}, "xlsb"),
        ({TYPES: XLSX.decode().encode("utf-16")}, "xlsx"),
        ({TYPES: b"spreadsheetml"}, None), ({TYPES: b"wordprocessingml.document.main+xml"}, None),
        ({TYPES: b"", "xl/workbook.bin": b""}, "xlsb"), ({"xl/workbook.xml": b""}, "xlsx"),
        ({"workbook.bin": b""}, "xlsb"), ({"\\XL\\Workbook.XML": b""}, "xlsx"),
        ({"workbook.xml": b""}, "xlsx"), ({"word/document.xml": b""}, None),
        ({"a/xl/workbook.xml": b""}, None),
    ],
)  # fmt: skip
def test_a_container_is_what_its_types_or_its_parts_say(parts, kind):
    assert package(**parts).container() == kind


@pytest.mark.parametrize(("size", "code"), [(3, None), (4, Code.TOO_COSTLY)])
def test_parts_are_measured_together_before_one_is_read(size, code, monkeypatch):
    monkeypatch.setattr(workbooks_zip, "MOST_UNPACKED", 3)
    found = package(**{"a.bin": b"x", "b.bin": b"x" * (size - 1)}).refusal()
    assert (found and found.code) is code


def test_the_bound_of_parts_is_told_in_megabytes(monkeypatch):
    monkeypatch.setattr(workbooks_zip, "MOST_UNPACKED", 3 * 2**20)
    assert package(a=b"x" * (3 * 2**20 + 1)).refusal().detail["limit"] == "3 MB"


@pytest.mark.parametrize(("flags", "code"), [(1, Code.ENCRYPTED_DOCUMENT), (0x0808, None)])
def test_a_part_that_is_encrypted_keeps_all_from_being_read(flags, code):
    made = package(**{"a.xml": b"<a/>", "b.xml": b"<b/>"})
    made._entries["b.xml"].flag_bits |= flags
    found = made.refusal()
    assert (found and found.code) is code


ENCRYPTED = b"<manifest:encryption-data/>"


@pytest.mark.parametrize(
    ("name", "part", "code"),
    [
        ("xl/a.xml", b"<!DOCTYPE a><a/>", Code.FORBIDDEN_CONTENT),
        ("xl/a.xml", b"<a/><!ENTITY b 'c'>", Code.FORBIDDEN_CONTENT),
        ("xl/_rels/A.RELS", b"<!DOCTYPE a><a/>", Code.FORBIDDEN_CONTENT),
        ("xl/a.xml", "<!DOCTYPE a><a/>".encode("utf-16"), Code.FORBIDDEN_CONTENT),
        ("xl/a.bin", b"<!DOCTYPE a><a/>", None), ("xl/a.xml", b"<a/>", None),
        ("META-INF/manifest.xml", ENCRYPTED, Code.ENCRYPTED_DOCUMENT),
        ("META-INF/manifest.xml", b"<manifest/>", None), ("a/manifest.xml", ENCRYPTED, None),
    ],
)  # fmt: skip
def test_declarations_and_encrypted_parts_are_refused(name, part, code):
    found = package(**{"a.xml": b"<a/>", name: part}).refusal()
    assert (found and found.code) is code


def related(*targets: str, more: str = "") -> bytes:
    items = "".join(_relation(f"r{n}", "officeDocument", one) for n, one in enumerate(targets))
    return _relations(items + more).encode()


@pytest.mark.parametrize(
    ("parts", "book"),
    [
        ({"_rels/.rels": related("my/book.xml"), "my/book.xml": b"", "xl/workbook.xml": b""},
         "my/book.xml"),
        ({"_rels/.rels": related("gone.xml", "my/book.xml"), "my/book.xml": b""}, "my/book.xml"),
        ({"_rels/.rels": related("gone.xml"), "xl/workbook.bin": b""}, "xl/workbook.bin"),
        ({"_rels/.rels": related("gone.xml").replace(b'/officeDocument"', b'/other"'),
          "gone.xml": b"", "workbook.xml": b""}, "workbook.xml"),
        ({"workbook.bin": b"", "xl/workbook.xml": b""}, "xl/workbook.xml"),
        ({"sheet.xml": b""}, None),
    ],
)  # fmt: skip
def test_the_book_is_what_is_referred_to_or_has_the_usual_name(parts, book):
    if book is None:
        with pytest.raises(KeyError, match="no workbook part"):
            package(**parts).book()
    else:
        assert package(**parts).book() == book


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("sheets/1.xml", "xl/sheets/1.xml"), ("/Sheets/1.xml", "sheets/1.xml"),
        ("../1.xml", "1.xml"), ("../../1.xml", "1.xml"), ("sheets\\1.xml", "xl/sheets/1.xml"),
        ("My%20sheet.xml", "xl/my sheet.xml"), ("./a/../1.xml", "xl/1.xml"), ("", "xl"),
    ],
)  # fmt: skip
def test_a_part_is_found_from_the_one_that_refers_to_it(target, path):
    made = package(**{"xl/_rels/workbook.xml.rels": related(target)})
    (found,) = made.relations("xl/workbook.xml").values()
    assert (found.kind, found.path) == ("officeDocument", path)
    assert made.relations("workbook.xml") == {}


def test_what_lies_outside_is_no_part():
    outside = '<Relationship Id="x" Type="a/link" Target="a.xml" TargetMode="External"/>'
    inside = '<Relationship Id="y" Type="a/link" Target="a.xml" TargetMode="Internal"/>'
    bare = '<Relationship Type="link"/>'
    made = package(**{"_rels/.rels": related(more=outside + inside + bare)})
    found = {name: (item.kind, item.path) for name, item in made.relations("").items()}
    assert found == {"y": ("link", "a.xml"), "": ("link", "")}


def test_elements_are_given_whole_in_any_namespace_and_counted():
    part = b"<a xmlns:x='u'><b n='1'><c/>t</b><x:b n='2'/><d><b n='3'/></d><!-- <b/> --></a>"
    made = Package(zipped(("a.xml", part)), Spent())
    found = [(one.get("n"), len(one), [c.tail for c in one]) for one in made.elements("a.xml", "b")]
    assert found == [("1", 1, ["t"]), ("2", 0, []), ("3", 0, [])]
    assert (made.spent.elements, made.spent.signs, made.spent.texts) == (3, part.count(b"<"), 0)
    assert [one.get("n") for one in made.texts("a.xml", "b", "c")] == [None, "1", "2", "3"]
    assert (made.spent.elements, made.spent.texts) == (3, 4)


def test_an_element_s_turn_over_it_and_those_before_it_are_let_go():
    made = Package(zipped(("a.xml", b"<a>" + b"<d><c/></d><b><c/></b>" * 9 + b"</a>")))
    for number, one in enumerate(made.elements("a.xml", "b")):
        held = list(one.getparent())
        # The element itself, and what was read since the one before it.
        assert (held.index(one), len(one)) == (min(number, 1) + 1, 1), number


def test_an_attribute_that_names_a_relation_is_known_by_its_end():
    part = "<a xmlns:r='u' r:id='one'/>", "<a xmlns:q='v' q:id='one' id='two'/>", "<a id='two'/>"
    for text, name in zip(part, ("one", "one", ""), strict=True):
        element = next(Package(zipped(("a.xml", text.encode()))).elements("a.xml", "a"))
        assert workbooks_zip.relation_of(element) == name


def test_what_is_no_zip_is_none():
    with pytest.raises(zipfile.BadZipFile):
        Package(b"PK\3\4")
