"""What the pages say, from a catalogue for each language; numbers as replies write them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest.replies.wording import Wording, wording
from layouts.terms import LANGUAGES

TEMPLATES = Path(__file__).parent / "templates"


class Words:
    """One language's texts; called with `section.key`.

    Attributes:
        writing: How the language writes numbers, moments and counts.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.writing: Wording = wording(language)
        content = (TEMPLATES / f"pages.{language}.toml").read_text(encoding="utf-8")
        self.texts: Mapping[str, Mapping[str, Any]] = tomllib.loads(content)

    def __call__(self, name: str, **values: object) -> str:
        """The text of that name, with its values filled in."""
        section, _, key = name.partition(".")
        text = str(self.texts[section][key])
        return text.format(**values) if values else text

    def what(self, kind: str) -> str:
        """What the audit calls a kind of thing, in this language where there is a word."""
        return str(self.texts["console_what"].get(kind, kind))

    def reason(self, text: str) -> str:
        """What the ledger says of a letter, in this language; '' for what has no words here."""
        known = self.texts["console_reason"]
        longest = max((key for key in known if text.startswith(key)), key=len, default="")
        return str(known[longest]) if longest else ""


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> Words:
    """The texts of a language, read once."""
    return Words(language)
