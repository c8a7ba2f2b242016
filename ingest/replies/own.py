"""The retailer's own: what stands under every reply, and texts that replace the built-in ones."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.replies.texts import ALWAYS_KNOWN, KINDS
from ingest.replies.wording import CATALOGUES, Texts, Wording, built_in
from layouts.terms import LANGUAGES

_SIGNATURE_MOST = 1000
_TEXT_MOST = {"verdict": 150}
"""Signs of a text of a group: a verdict is a subject, and mails to strangers are short."""
_OTHERS_MOST = 2000
_FIXED = {"writing", "unit", "plural", "marks", "template"}
"""Groups of words that workbooks and numbers are made of; they are no texts."""


class OwnTextsError(ValueError):
    """Mistakes in the retailer's own texts, one a line."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands under every reply to a known sender, and under every page.

    Attributes:
        organisation: The retailer's name.
        phone: Where senders get help.
        hours: When.
        text: Further lines.
    """

    organisation: str = ""
    phone: str = ""
    hours: str = ""
    text: str = ""

    def lines(self, words: Wording) -> tuple[str, ...]:
        """One after the other, in the reply's language; none when nothing is configured."""
        phone = words.say("phone", phone=self.phone) if self.phone else ""
        support = ", ".join(part for part in (phone, self.hours) if part)
        return tuple(line for line in (self.organisation, support, *self.text.splitlines()) if line)


def read_signature(path: Path) -> str:
    """The further lines of a signature.

    Raises:
        OwnTextsError: the file cannot be read, or holds too much.
    """
    text = _read(path).strip()
    if len(text) > _SIGNATURE_MOST:
        raise OwnTextsError(
            f"{path}: {len(text)} characters; {_SIGNATURE_MOST} may stand under a reply"
        )
    if not all(sign.isprintable() or sign == "\n" for sign in text):
        raise OwnTextsError(f"{path}: it holds control characters")
    return text


def read_texts(folder: Path) -> Texts:
    """The texts that a folder replaces, by catalogue and language.

    Its files are called like the built-in ones, such as `words.ru.toml`, and hold only
    the texts that are to be other ones.

    Raises:
        OwnTextsError: all mistakes in all files.
    """
    mistakes: list[str] = []
    found: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}
    known = {f"{name}.{lang}.toml": (name, lang) for name in CATALOGUES for lang in LANGUAGES}
    try:
        files = sorted(folder.iterdir())
    except OSError as fault:
        raise OwnTextsError(f"{folder} cannot be read: {fault.strerror}") from None
    for file in files:
        if file.suffix != ".toml":
            continue
        if file.name not in known:
            mistakes.append(f"{file}: unknown; there are {', '.join(known)}")
            continue
        try:
            tree = tomllib.loads(_read(file))
        except OwnTextsError as fault:
            mistakes.append(str(fault))
        except tomllib.TOMLDecodeError as fault:
            mistakes.append(f"{file}: {fault}")
        else:
            mistakes += (f"{file}: {told}" for told in _mistakes(tree, *known[file.name]))
            found[known[file.name]] = tree
    if mistakes:
        raise OwnTextsError("\n".join(mistakes))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as fault:
        raise OwnTextsError(f"{path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise OwnTextsError(f"{path} is not UTF-8 text") from None


def _mistakes(tree: Mapping[str, Any], name: str, language: str) -> Iterator[str]:
    ours = built_in(name, language)
    for group, texts in tree.items():
        if not isinstance(ours.get(group), Mapping) or not isinstance(texts, Mapping):
            yield f"[{group}]: there is no such group of texts"
        elif group in _FIXED:
            yield f"[{group}]: these are no texts, and cannot be replaced"
        else:
            for key, text in texts.items():
                if fault := _fault(text, ours[group].get(key), name, group):
                    yield f"[{group}] {key}: {fault}"


def _fault(text: object, ours: object, name: str, group: str) -> str:
    """What is wrong with one text; '' for nothing."""
    if ours is None:
        return "there is no such text"
    if not isinstance(text, str) or not text.strip():
        return "a text is needed"
    most = _TEXT_MOST.get(group, _OTHERS_MOST)
    if len(text) > most:
        return f"{len(text)} characters; {most} are allowed"
    lines = text.split("\n") if "\n" in str(ours) else [text]
    if not all(line.isprintable() for line in lines):
        return "it must be one line, without control characters"
    try:
        fields, known = set(_fields(text)), set(_fields(str(ours)))
    except ValueError:
        return "braces stand around the names of values only, like {name}"
    if name == "findings":
        # Any value of a finding may be told, in any of the ways there are.
        names = {field for field, _ in known} | ALWAYS_KNOWN
        known |= {(field, kind) for field in names for kind in ("", "energy", *KINDS)}
        if text.count("[") != text.count("]"):
            return "a bracket is open: [ ] stand around what is left out when it is unknown"
    wrong = sorted(field for field, _ in fields - known)
    if wrong:
        told = ", ".join(sorted({f"{{{field}}}" for field, _ in known})) or "none"
        return f"{{{wrong[0]}}} is no value of it; there are: {told}"
    return ""


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The values that a text names, each with how it is written.

    Raises:
        ValueError: a brace has no partner.
    """
    for _, field, form, conversion in string.Formatter().parse(text):
        if field is not None:
            yield field, (form or "") + (f"!{conversion}" if conversion else "")
