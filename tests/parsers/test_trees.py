"""Bytes of an XML document to its tree: bounds, what stands before it, lines, damages."""

import pytest

from layouts.findings import Code, Finding
from parsers import trees
from parsers.encodings import Decoded
from parsers.trees import decoded_text, tree_of


def tree(text: str):
    return tree_of(Decoded(text, "utf-8", "", guessed=False))


def refused(content: bytes) -> tuple | None:
    found = decoded_text(content)
    if not isinstance(found, Finding):
        return None
    return found.code, found.place.line, found.detail.get("reason") or found.detail.get("limit")


@pytest.mark.parametrize(("size", "code"), [(3 * 2**20, None), (3 * 2**20 + 1, Code.TOO_COSTLY)])
def test_bytes_are_bounded_and_the_bound_is_told_in_megabytes(size, code, monkeypatch):
    monkeypatch.setattr(trees, "MOST_BYTES", 3 * 2**20)
    found = refused(b"<a/>".ljust(size))
    assert found == (code and (code, None, "3 MB"))


@pytest.mark.parametrize(("sign", "name"), [("<", "MOST_TAGS"), ("=", "MOST_ATTRIBUTES")])
def test_tags_and_attributes_are_counted_before_the_tree_is_made(sign, name, monkeypatch):
    monkeypatch.setattr(trees, name, 3)
    text = "<a/>" if sign == "=" else "<a>"
    assert refused((text + sign * (3 - text.count(sign))).encode()) is None
    assert refused((text + sign * (4 - text.count(sign))).encode()) == (Code.TOO_COSTLY, None, "3")


NO_XML = Code.UNREADABLE_DOCUMENT, None, "not-xml"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", (Code.UNREADABLE_DOCUMENT, None, "empty")),
        (b" \t\r\n\0", (Code.UNREADABLE_DOCUMENT, None, "empty")),
        (b"\xff\xfe<\0\xff", (Code.UNREADABLE_DOCUMENT, None, "not-text")),
        (b"x<a/>", NO_XML), (b" \r\n\t<a/>", None), ("\ufeff \ufeff<a/>".encode(), None),
        (b" " * 10_000 + b"<a/>", None), (b" " * 10_001 + b"<a/>", NO_XML),
    ],
)  # fmt: skip
def test_a_document_begins_with_a_tag(content, found):
    assert refused(content) == found


FORBIDDEN = Code.FORBIDDEN_CONTENT


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<!DOCTYPE a><a/>", 1), ("\n\n<!doctype a><a/>", 3), ("<!ENTITY a 'b'><a/>", 1),
        ("<?x\n?>\n<!DOCTYPE a>", 3), ("<!-- \n <!DOCTYPE b> --><!DOCTYPE a>", 2),
        ("<!--><a>-->\n<!DOCTYPE a>", 2), ("<?x <!DOCTYPE a> ?><a/>", None),
        ("<!-- <!DOCTYPE a> --><a/>", None), ("<a><!DOCTYPE a></a>", None),
        ("<!---><!DOCTYPE a>", None), ("<?x <!DOCTYPE a>", None),
        ("<![CDATA[<!DOCTYPE a>]]>", None),
        ("<!DOCTYP a>", None), ("<?x?>", None), ("<!----><!DOCTYPE a>\n<!-- -->", 1),
    ],
)  # fmt: skip
def test_a_declaration_before_the_root_is_refused_where_it_stands(text, line):
    assert refused(text.encode()) == (line and (FORBIDDEN, line, None))


# As many lines as libxml2 knows of each element, and more.
@pytest.mark.parametrize("blanks", [0, 65_000, 65_530, 65_531, 65_532, 65_540])
def test_lines_are_those_of_the_tags_however_far_down(blanks):
    text = (
        "<?xml version='1.0'\n?>"
        + "\n" * blanks
        + "<!--\n<x/>\n--><a><?y\n<z/>?>\n<b><c><d/>\n<e/>"
        "</c></b><![CDATA[\n<f/>]]>\n<b\nx='1'><c/></b>\n</a>"
    )
    made = tree(text)
    at = blanks + 2
    first, second = made.root.findall("b")
    assert made.line(made.root) == at + 2
    assert made.lines(made.root, [first, second]) == [at + 4, made.line(second)]
    # Beyond what libxml2 knows the line is that of the tag's end or of its beginning.
    assert made.line(second) in (at + 7, at + 8)
    inner = list(first[0])
    assert made.lines(first[0], inner) == [at + 4, at + 5]
    assert made.lines(first, inner) == made.lines(made.root, inner) == [at + 4, at + 5]
    assert [made.line(one) for one in inner] == [at + 4, at + 5]
    assert made.place(inner[1]).line == at + 5


@pytest.mark.parametrize("line", range(65_532, 65_540))
def test_the_last_line_is_known_about_the_number_that_libxml2_ends_at(line):
    made = tree("<a>" + "\n" * (line - 1) + "<b/></a>")
    assert (made.line(made.root), made.line(made.root[0])) == (1, line)


@pytest.mark.parametrize("blanks", [0, 70_000])
def test_lines_are_found_below_elements_that_hold_a_text_s_element_alone(blanks):
    rows = "".join(f"<p n='{n}'>\n<v>{n}</v>\n</p>" for n in range(4))
    made = tree("\n" * blanks + f"<a>\n<m>{rows}</m>\n<m><v/></m></a>")
    points = made.root[0]
    assert made.lines(points, list(points)) == [blanks + 2 + 2 * n for n in range(4)]
    values = [one[0] for one in points]
    assert [made.line(one) for one in values] == [blanks + 3 + 2 * n for n in range(4)]
    assert made.line(made.root[1][0]) == blanks + 2 + 2 * 4 + 1


@pytest.mark.parametrize(
    ("text", "tag"),
    [("<a/>", "a"), ("<a xmlns='u'><b/></a>", "a"), ("<x:a xmlns:x='u'><x:b/><b/></x:a>", "a")],
)
def test_a_root_s_namespace_is_none_of_the_names(text, tag):
    root = tree(text).root
    assert [one.tag for one in root.iter()] == [tag, *["b"] * (len(root))]


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("<a>\n<b c='1 & 2'/></a>", "ampersand", 2), ("<a>&nbsp;</a>", "ampersand", 1),
        ("<a>&nbsp</a>", "ampersand", 1), ("<a><b>", "cut-off", 1), ("<a><b", "cut-off", 1),
        ("<a>\n</b>", "damaged", 2), ("<a></a>x", "cut-off", 1), ("<a/><b/>", "damaged", 1),
        ("<a b='1' b='2'/>", "damaged", 1), ("<a><b c='1'></a>", "damaged", 1),
    ],
)  # fmt: skip
def test_a_damage_has_its_reason_and_its_line(text, reason, line):
    found = tree(text)
    assert (found.code, found.detail["reason"], found.place.line) == (
        Code.UNREADABLE_DOCUMENT, reason, line
    )  # fmt: skip


def test_what_a_text_says_of_its_encoding_no_longer_counts():
    for declaration in ("<?xml version='1.0' encoding='koi8-r'?>", "\n<?xml\nversion='1.0'\n?>\n"):
        made = tree(f"\ufeff{declaration}<a>я</a>")
        assert (made.root.text, made.line(made.root)) == ("я", 1 + declaration.count("\n"))


@pytest.mark.parametrize("inner", ["<!ENTITY b 'c'>", "<!ENTITY b SYSTEM '{file}'>"])
def test_no_entity_is_put_in_and_no_file_is_read_whatever_comes_so_far(inner, tmp_path):
    file = tmp_path / "c.txt"
    file.write_text("c", encoding="utf-8")
    made = tree(f"<!DOCTYPE a [{inner.format(file=file)}]><a>&b;</a>")
    assert "c" not in "".join(map(str, made.root.itertext()))
    beside = tmp_path / "a.dtd"
    # Whoever looked into it would find it damaged.
    beside.write_text("<!ELEMENT", encoding="utf-8")
    assert tree(f"<!DOCTYPE a SYSTEM '{beside}'><a/>").root.tag == "a"
