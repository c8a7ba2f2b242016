"""A letter's body as the text its sender wrote, without what they quoted."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from ingest.letters.decoding import text_of

TEXT_MOST = 262_144
"""Characters of one body that are read; credentials stand near its beginning."""

LINES_MOST = 5_000
"""Lines of all the bodies of one letter that are searched for credentials."""

_HTML_MOST = 1024 * 1024
_PASTED_MOST = 4 * 1024 * 1024

PASTED_FILES_MOST = 100
"""Documents that are cut out of one body; a letter may have half as many."""

_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt"),
        *("fieldset", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li"),
        *("main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr"),
        *("ul", "br"),
    }
)
_CELLS = frozenset({"td", "th"})
# Gmail, Yahoo and Thunderbird; the others use a blockquote.
_QUOTES = re.compile(r"gmail_quote|yahoo_quoted|moz-cite-prefix")
_QUOTE_MARK = "\n>"


_STORAGE = (
    r"https?://((?:[a-z0-9-]{1,63}\.){0,3}(?:disk\.yandex\.(?:ru|com|by|kz)|disk\.360\.yandex\.ru|yadi\.sk"
    r"|cloud\.mail\.ru|files\.mail\.ru|(?:drive|docs)\.google\.com|dropbox\.com|1drv\.ms"
    r"|onedrive\.live\.com|sharepoint\.com|we\.tl|wetransfer\.com|dropmefiles\.com|mega\.nz"
    r"|icloud\.com|files\.fm|fex\.net))/[\w%?=&.~/#!:-]{4}"
)
_STORAGE_LINK = re.compile(_STORAGE, re.IGNORECASE)
_STORAGE_SIGN = re.compile(_STORAGE.encode("ascii"), re.IGNORECASE)


def storages(content: bytes, charset: str, *, is_html: bool) -> list[str]:
    """Hosts that files are kept at, as the links that a body's sender wrote name them."""
    if not _STORAGE_SIGN.search(content, 0, _HTML_MOST):
        return []
    text = (html_text if is_html else plain_text)(content, charset)
    return [host.lower() for host in _STORAGE_LINK.findall(own_text(text))]


def html_text(content: bytes, charset: str) -> str:
    """The text of an HTML body: a line per block and table row, a tab per cell.

    Quoted parts come as lines that begin with `>`, as in a plain body.
    """
    markup = text_of(content[:_HTML_MOST], charset or _meta_charset(content))
    # The text is decoded already: a charset declared inside it no longer counts.
    markup = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", markup)
    parser = etree.HTMLParser(recover=True, encoding="utf-8", no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    return "" if root is None else _tidy("".join(_pieces(root)))


def _meta_charset(content: bytes) -> str:
    match = re.search(rb"charset=[\"']?([A-Za-z0-9_-]{3,20})", content[:2048])
    return match[1].decode("ascii") if match else ""


_BLANKS = re.compile(r"[ \t\r\n\f]+")


def _pieces(root: etree._Element) -> Iterator[str]:
    """Text and line ends in document order; no recursion, so depth costs nothing."""
    unseen = quoted = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        change = 1 if event == "start" else -1
        if event in {"start", "end"}:
            unseen += change * (tag in _UNSEEN)
            quoted += change * (_is_quote(element, tag))
            if tag in _BLOCKS:
                yield _QUOTE_MARK if quoted else "\n"
            if tag in _CELLS and event == "end":
                yield "\t"
            if tag == "a" and event == "start" and _STORAGE_LINK.match(element.get("href") or ""):
                # Its text is the file's name.
                yield f" {element.get('href')} "
        text = element.text if event == "start" else element.tail
        if text and not unseen:
            # A line end in the markup is a blank; a no-break blank is kept so far.
            yield _BLANKS.sub(" ", text)


def _is_quote(element: etree._Element, tag: str) -> bool:
    if tag == "blockquote":
        return True
    return tag == "div" and bool(_QUOTES.search(element.get("class") or ""))


_BLANK_SIGNS = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_NO_SIGNS = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def _tidy(text: str) -> str:
    """The text with ordinary blanks only, without invisible characters, cut to a bound."""
    text = _NO_SIGNS.sub("", _BLANK_SIGNS.sub(" ", text[:TEXT_MOST]))
    lines = (line.strip(" \r") for line in re.split(r"[\r\n\v\f\u2028\u2029]+", text))
    return "\n".join(line for line in lines if line.strip())


# What striprtf raises for what is no RTF, or a damaged one.
_NO_RTF = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def rtf_text(content: bytes) -> bytes:
    """The text of an RTF body in UTF-8, '' when it is none."""
    # Late, as few letters need it.
    from striprtf.striprtf import rtf_to_text

    # Letters beyond ASCII should be escaped; some programs write them as they are.
    markup = re.sub(rb"[\x80-\xff]", _escaped, content[:_HTML_MOST])
    with contextlib.suppress(*_NO_RTF):
        text = rtf_to_text(markup.decode("ascii"), "cp1251", "replace")  # type: ignore[no-untyped-call]
        return str(text).encode("utf-8", "replace")
    return b""


def _escaped(letter: re.Match[bytes]) -> bytes:
    return b"\\'%02x" % letter[0][0]


def plain_text(content: bytes, charset: str) -> str:
    """The text of a plain body, on tidy lines."""
    return _tidy(text_of(content[: TEXT_MOST * 4], charset))


_ORIGINAL = re.compile(
    r"(?i)^[-_ ]{2,}\s?(?:original message|forwarded message"
    r"|исходное сообщение|исходное письмо|пересланное сообщение|пересылаемое сообщение"
    r"|перенаправленное сообщение|пересланное письмо|конец пересланного сообщения"
    r"|завершение пересылаемого сообщения)\s?[-_ ]*$"
)
_FROM_LINE = re.compile(r"(?i)^\*?(?:от|from|от кого)\s{0,3}:\*?\s{0,3}\S")
_BLOCK_LINE = re.compile(
    r"(?i)^\*?(?:отправлено|дата|кому|тема|копия|sent|date|to|subject|cc|отправлен)\s{0,3}:"
)
_SEPARATOR = re.compile(r"^_{10,}$")


def own_text(text: str) -> str:
    """What the sender wrote; the quoted letter when nothing else is there.

    Quoted are lines behind `>`, everything after a line that announces the
    original or a forwarded message, and everything from a block of `От:`, `Кому:`,
    `Тема:` lines on.
    """
    lines = text.split("\n")
    own = [line for line in lines[: _quote_start(lines)] if not line.startswith((">", "|>"))]
    if any(any(c.isalnum() for c in line) for line in own):
        return "\n".join(own)
    return "\n".join(re.sub(r"^[>| ]{1,40}", "", line) for line in lines)


def _quote_start(lines: list[str]) -> int:
    """Number of the line that announces the quoted letter; all of them without one."""
    return next((n for n in range(len(lines)) if _begins_quote(lines, n)), len(lines))


def _begins_quote(lines: list[str], at: int) -> bool:
    line = lines[at].lstrip()
    if _ORIGINAL.match(line) or (_SEPARATOR.match(line) and _is_block(lines, at + 1)):
        return True
    return _is_block(lines, at)


def _is_block(lines: list[str], at: int) -> bool:
    """Whether a header block of an earlier letter begins here."""
    if at >= len(lines) or not _FROM_LINE.match(lines[at].lstrip()):
        return False
    following = [line.lstrip() for line in lines[at + 1 : at + 5]]
    return sum(bool(_BLOCK_LINE.match(line)) for line in following) >= 2


@dataclass(frozen=True, slots=True)
class Pasted:
    """The documents found in a body, and the text around them, in UTF-8."""

    documents: tuple[bytes, ...]
    rest: bytes


_XML = re.compile(
    r"^[ \t]*(?:<\?xml\b|<(?!(?:html|head|body|meta|div|p|span|table|tr|td|a|b|i|u|br|hr|font|img"
    r"|style|center|blockquote|ul|ol|li|h[1-6]|pre)\b)[A-Za-z][\w.-]{0,60}\s[^<>]{0,2000}=)",
    re.MULTILINE,
)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,60})[\s/>]")
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,300}\?>")
# Every declaration begins a document, whether or not the one before it is whole.
_BEGINNING = re.compile(r"^[ \t]*(?=<\?xml\b)", re.MULTILINE)


def cut_xml(content: bytes, charset: str, *, is_html: bool) -> Pasted | None:
    """The XML texts that were pasted into a body, None when there is none.

    A body that is one document and nothing else is kept byte for byte: its own
    declaration knows its encoding better than the mail's header. Cut out of a text, a
    document loses its declaration and becomes UTF-8.
    """
    if not is_html and _is_one_document(content.strip()):
        return Pasted((content,), b"")
    whole = content[:_PASTED_MOST]
    text = html_text(whole, charset) if is_html else text_of(whole, charset)
    spans = list(islice(_documents(text), PASTED_FILES_MOST))
    if not spans:
        return None
    ends = [0, *(end for _, end in spans)]
    begins = [*(begin for begin, _ in spans), len(text)]
    rest = "\n".join(text[end:begin] for end, begin in zip(ends, begins, strict=True))
    documents = tuple(_cut_out(text[begin:end]) for begin, end in spans)
    return Pasted(documents, rest.encode("utf-8", "replace"))


def _is_one_document(packed: bytes) -> bool:
    if not packed.startswith((b"<?xml", b"\xef\xbb\xbf<?xml")) or not packed.endswith(b">"):
        return False
    root = re.search(rb"<([A-Za-z_][\w.:-]{0,60})", packed)
    ends = packed.count(b"</%s>" % root[1]) if root else 0
    return packed.count(b"<?xml") == 1 and ends <= 1


def _documents(text: str) -> Iterator[tuple[int, int]]:
    """Where each document begins and ends, up to the quoted part of an earlier letter."""
    # A search for a sign or a word is many times faster than one that stops at each line.
    declared = _BEGINNING.finditer(text) if "<?xml" in text else iter(())
    starts = [0, *(match.start() for match in islice(declared, PASTED_FILES_MOST))]
    done = 0
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        at = start
        while span := _document(text, at, stop):
            if _is_in_quote(text[done : span[0]], is_below_own=done > 0):
                return
            yield span
            at = done = span[1]


def _document(text: str, at: int, stop: int) -> tuple[int, int] | None:
    sign = text.find("<", at, stop)
    line = max(at, text.rfind("\n", at, sign) + 1)
    begin = _XML.search(text, line, stop) if sign >= 0 else None
    root = _ROOT.search(text, begin.start(), stop) if begin else None
    if begin is None or root is None:
        return None
    closing = f"</{root[1]}>"
    end = text.find(closing, root.end(), stop)
    return begin.start(), end + len(closing) if end > 0 else stop


def _cut_out(text: str) -> bytes:
    # Mail programs indent with no-break blanks, which XML takes for text.
    declared = _DECLARATION.match(text)
    text = text[declared.end() :] if declared else text
    return _BLANK_SIGNS.sub(" ", text).encode("utf-8", "replace")


def _is_in_quote(before: str, *, is_below_own: bool) -> bool:
    """Whether what follows a text is the letter that it answers."""
    lines = _tidy(before).split("\n")
    start = _quote_start(lines)
    return start < len(lines) and (is_below_own or any(map(str.strip, lines[:start])))
