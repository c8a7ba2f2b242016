"""The charset guesser, and the text of an XML document whose declaration may be wrong."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

DECLARATION = re.compile(r"\s*<\?xml\b[^>]*?\?>")
_DECLARED = re.compile(rb"^\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))

CYRILLIC = ("cp1251", "koi8-r", "cp866")
"""The one-byte encodings that senders use, the most frequent first."""

# Their bytes all mean something in each of them, so that decoding never fails
# and only the letters can tell.
_ONE_BYTE = frozenset(codecs.lookup(name).name for name in (*CYRILLIC, "latin-1", "cp1252"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a document.

    Attributes:
        encoding: What it was read in.
        declared: What it says it is in, '' when it says nothing.
        guessed: Whether `encoding` was found from the letters alone.
    """

    text: str
    encoding: str
    declared: str
    guessed: bool


def decode(content: bytes) -> Decoded | None:
    """The text of an XML document; None when its bytes are no text at all.

    A byte order mark decides before the declaration, the declaration before the
    letters, unless bytes or letters contradict it.
    """
    marked = _marked(content)
    if marked is not None:
        return _decoded(_text(content, marked), marked, "", guessed=False)
    declared = _declared(content)
    if content.isascii():
        return _decoded(_text(content, "ascii"), "ascii", declared, guessed=False)
    stated = _codec(declared) or ("" if declared else "utf-8")
    for name in _candidates(content, stated):
        text = _text(content, name)
        if text is not None:
            return _decoded(text, name, declared, guessed=name != stated)
    return None


def _text(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except UnicodeError:
        return None


def _decoded(text: str | None, name: str, declared: str, *, guessed: bool) -> Decoded | None:
    if text is None:
        return None
    # Programs that write in blocks leave zeros or Ctrl-Z behind the end.
    text = text.rstrip("\0\x1a \t\r\n") + "\n"
    if "\0" in text:
        return None
    return Decoded(text, "windows-1251" if name == "cp1251" else name, declared, guessed)


def _marked(content: bytes) -> str | None:
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    start = content[:64].lstrip(b" \t\r\n")[:2]
    return next((name for mark, name in _UNMARKED if start == mark), None)


def _declared(content: bytes) -> str:
    found = _DECLARED.match(content[:1024])
    return found[1].decode("ascii", "replace").strip() if found else ""


def _codec(name: str) -> str:
    """Python's name of an encoding of text that ASCII is part of; '' for others."""
    try:
        codec = codecs.lookup(name)
        fits = "<?xml".encode(codec.name) == b"<?xml"
    except (LookupError, ValueError, UnicodeError):
        return ""
    return codec.name if fits else ""


def _candidates(content: bytes, stated: str) -> Iterator[str]:
    """Encodings that bytes beyond ASCII may be in, the likeliest first."""
    # Text in one byte a letter is never UTF-8 by chance.
    yield "utf-8"
    if stated and stated not in _ONE_BYTE:
        yield stated
        stated = ""
    yield from likeliest(content, CYRILLIC, stated)


_SAMPLE = 4096
_FAVOUR = 11
"""Of a stated encoding: 'ТП' or 'МУП' alone look as Russian in two of them."""


def likeliest(
    content: bytes, among: Sequence[str], stated: str = "", sample: int = _SAMPLE
) -> list[str]:
    """One-byte encodings, the one in which the bytes look most like Russian first.

    Args:
        content: Text that is not plain ASCII; of equals in it the earlier of `among` wins.
        among: The encodings.
        stated: One that stands unless another is clearly better; '' for none.
        sample: Bytes that are looked at.
    """
    words = _sample(content, sample)
    likeness = {name: _likeness(words, name) for name in among}
    if stated:
        # The fewer letters there are, the less they tell.
        favour = 0.5 + _FAVOUR / sum(map(len, words))
        likeness[stated] = _likeness(words, stated) + favour
    return sorted(likeness, key=lambda name: likeness[name], reverse=True)


_BEYOND = re.compile(rb"[\x80-\xff]+")
_HEAD = 32_768
_WORD_MOST = 100


def _sample(content: bytes, most: int) -> list[bytes]:
    """Words beyond ASCII, each once, up to a bounded number of bytes."""
    words: dict[bytes, None] = {}
    size = 0
    # Names of senders and areas come first; what follows them is mostly numbers.
    head = content[:_HEAD]
    if head.isascii() and (first := _BEYOND.search(content)):
        head = content[first.start() : first.start() + _HEAD]
    # The same few words stand in every line.
    for word in dict.fromkeys(_BEYOND.findall(head)):
        piece = word[:_WORD_MOST]
        if piece not in words:
            words[piece] = None
            size += len(piece)
            if size > most:
                break
    return list(words)


# How often a letter stands in Russian text, in per mille.
_RUSSIAN = (
    "о110 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16 б16 ч14 "
    "й12 х10 ж9 ш7 ю6 ц5 щ4 э3 ф3 ъ1 ё3"
)
_OFTEN = {item[0]: int(item[1:]) / 10 for item in _RUSSIAN.split()}
_SIGNS = frozenset("№«»–—… ·°")


def _likeness(words: list[bytes], name: str) -> float:
    """How much words look like Russian in an encoding; by letter, higher is better."""
    total = length = 0.0
    for raw in words:
        word = raw.decode(name, "replace")
        length += len(word)
        total += sum(map(_WEIGHTS.__getitem__, word))
        # A capital after a small letter is the mark of the wrong encoding.
        if not (word[1:].islower() or word.isupper()):
            total -= 12 * sum(a.islower() and b.isupper() for a, b in pairwise(word))
    return total / length if length else 0.0


class _Weights(dict[str, float]):
    """What each letter says for the encoding it was read in, worked out once."""

    def __missing__(self, letter: str) -> float:
        weight = _OFTEN.get(letter.lower(), 0.0 if letter in _SIGNS else -12.0)
        self[letter] = weight
        return weight


_WEIGHTS = _Weights()
