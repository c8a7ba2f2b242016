"""Bytes of an XML document to its tree, refused where it could do harm."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from layouts.findings import Code, Finding, Place, finding
from parsers.encodings import DECLARATION, Decoded, decode

MOST_BYTES = 12 * 2**20
"""A document larger than this is `too-costly`: a tree takes 15 times its text."""

MOST_TAGS = 150_000
"""Tags beyond which it is `too-costly`: a day of half-hours of 200 channels has 40,000."""

MOST_ATTRIBUTES = 160_000
"""Attributes, counted by `=`, beyond which it is `too-costly`: a month of hours of 100 points
has 149,000."""

_BEGINNING = re.compile("[\ufeff \t\r\n]{0,10000}<")

# From here on libxml2 keeps no exact line of an element.
_LINES_KNOWN = 65_535

Element = etree._Element  # noqa: SLF001 - lxml has no public name for this type


def decoded_text(content: bytes) -> Decoded | Finding:
    """The text of what begins like XML, or the finding that says why it is none."""
    if len(content) > MOST_BYTES:
        return finding(Code.TOO_COSTLY, limit=f"{MOST_BYTES // 2**20} MB")
    if not content.strip(b" \t\r\n\0"):
        return finding(Code.UNREADABLE_DOCUMENT, reason="empty")
    decoded = decode(content)
    if decoded is None:
        return finding(Code.UNREADABLE_DOCUMENT, reason="not-text")
    if not _BEGINNING.match(decoded.text):
        return finding(Code.UNREADABLE_DOCUMENT, reason="not-xml")
    for sign, most in (("<", MOST_TAGS), ("=", MOST_ATTRIBUTES)):
        if decoded.text.count(sign) > most:
            return finding(Code.TOO_COSTLY, limit=str(most))
    line = _doctype_line(decoded.text)
    if line is not None:
        return finding(Code.FORBIDDEN_CONTENT, Place(line=line), seen="<!DOCTYPE")
    return decoded


def _doctype_line(text: str) -> int | None:
    """Line of a DOCTYPE before the root element, None when there is none."""
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<?", at):
            close = text.find("?>", at)
        elif text.startswith("<!--", at):
            close = text.find("-->", at + 4)
        else:
            declares = text[at : at + 9].upper().startswith(("<!DOCTYPE", "<!ENTITY"))
            return text.count("\n", 0, at) + 1 if declares else None
        if close < 0:
            return None
        at = close
    return None


@dataclass(frozen=True, slots=True)
class Tree:
    """A well-formed document.

    Attributes:
        starts: Lines of all start tags in document order, where libxml2 cannot
            tell them all; else empty.
        order: Where elements that hold others stand in that order.
    """

    root: Element
    starts: Sequence[int] = ()
    order: Mapping[Element, int] = field(default_factory=dict)

    def line(self, element: Element) -> int:
        """The line on which an element's start tag stands."""
        return self.lines(element, [element])[0]

    def place(self, element: Element) -> Place:
        """That line as a place."""
        return Place(line=self.line(element))

    def lines(self, parent: Element, elements: Sequence[Element]) -> list[int]:
        """The lines of many elements at or below a parent."""
        if not self.starts:
            # The stubs know of elements made by hand, which have no line.
            return [element.sourceline for element in elements]  # type: ignore[misc]
        while parent not in self.order:
            above = parent.getparent()
            parent = self.root if above is None else above
        wanted = set(elements)
        at = {e: i for i, e in enumerate(parent.iter(), self.order[parent]) if e in wanted}
        return [self.starts[at[element]] for element in elements]


def tree_of(decoded: Decoded) -> Tree | Finding:
    """The tree of a decoded text, or the finding that says where it is damaged.

    Raises:
        MemoryError: the text is well formed, and too large for the child.
    """
    text = decoded.text.lstrip("\ufeff")
    declaration = DECLARATION.match(text)
    if declaration:
        # The text is decoded already: what it says of its encoding no longer counts,
        # and blanks in its place keep every line where it was.
        blanks = "\n".join(" " * len(line) for line in declaration[0].split("\n"))
        text = blanks + text[declaration.end() :]
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        # The stubs do not know the code of an error.
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:  # type: ignore[attr-defined]
            raise MemoryError from error
        return _damaged(error, text)
    if "}" in str(root.tag):
        _without_namespaces(root)
    if text.count("\n") < _LINES_KNOWN:
        return Tree(root)
    return Tree(root, array("L", _tag_lines(text)), _order(root))


def _damaged(error: etree.XMLSyntaxError, text: str) -> Finding:
    message = error.msg or ""
    reason = "damaged"
    if "EntityRef" in message or "Entity '" in message:
        reason = "ampersand"
    elif "Premature end" in message or not text.rstrip().endswith(">"):
        reason = "cut-off"
    return finding(Code.UNREADABLE_DOCUMENT, Place(line=error.lineno or 1), reason=reason)


def _without_namespaces(root: Element) -> None:
    for element in root.iter():
        element.tag = etree.QName(element).localname


_TAGS = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?=[^/!?])|\n", re.DOTALL)


def _order(root: Element) -> dict[Element, int]:
    """Where elements with children stand in document order.

    Those that hold nothing but a text's element are left out: a long document
    has hundreds of thousands of them, and nobody asks below them.
    """
    return {
        element: index
        for index, element in enumerate(root.iter())
        if element is root
        or len(element) > 1
        or (len(element) and (len(element[0]) or element[0].keys()))
    }


def _tag_lines(text: str) -> Iterator[int]:
    line = 1
    for token in _TAGS.finditer(text):
        if token[0] == "<":
            yield line
        else:
            line += token[0].count("\n")
