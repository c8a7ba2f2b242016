"""Passwords taken out of whatever is stored, logged or sent: the only masker.

A letter's own texts lose every password candidate. Texts of ours lose the telling ones
only: a plain word or number that somebody wrote as the password is as likely a word of
the reply, or the code of a point.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from urllib.parse import unquote

from ingest.letters.credentials import candidates
from ingest.letters.terms import Letter
from layouts.document import Parsed, Series
from layouts.findings import Finding, Place, printable

MASK = "•••"

# Written by our own server: whoever names `dmarc=fail` as the password must not blank it.
_NOT_MASKED = {"authentication-results"}

# A shorter secret is masked only where it is a word of its own: it would blank half a text.
_ANYWHERE_FROM = 3
_TELLING_FROM = 6
_LETTER = re.compile(r"[^\W\d_]")
_OTHER = re.compile(r"[^\s\w]|[\d_]")


def mask(letter: Letter, parsed: Sequence[Parsed]) -> tuple[Letter, tuple[Parsed, ...]]:
    """The letter and its documents with every password candidate made unreadable.

    Masked are subject, headers, names and findings, which are stored, logged and
    sent; Message-IDs that hold one are left out. `credentials` and the documents' headers
    keep them for authentication.
    """
    secrets = secrets_of(letter, parsed)
    if not secrets:
        return letter, tuple(parsed)
    masker = Masker(secrets)
    masked = replace(
        letter,
        headers={
            name: values if name in _NOT_MASKED else tuple(map(masker.text, values))
            for name, values in letter.headers.items()
        },
        subject=masker.text(letter.subject),
        message_id=letter.message_id if masker.is_free(letter.message_id) else "",
        references=tuple(filter(masker.is_free, letter.references)),
        bounce=letter.bounce and replace(letter.bounce, told=masker.text(letter.bounce.told)),
        documents=tuple(
            replace(one, name=masker.text(one.name), container=masker.maybe(one.container))
            for one in letter.documents
        ),
        attachments=tuple(
            replace(one, name=masker.text(one.name), container=masker.maybe(one.container))
            for one in letter.attachments
        ),
        findings=tuple(map(masker.finding, letter.findings)),
    )
    return masked, tuple(map(masker.parsed, parsed))


def secrets_of(letter: Letter, parsed: Iterable[Parsed]) -> set[str]:
    """Every password candidate, right or wrong, in every form it may be seen in."""
    return _forms(_written(letter, parsed))


def telling_secrets(letter: Letter, parsed: Iterable[Parsed]) -> set[str]:
    """Of `secrets_of` those that nothing else in a text can be."""
    return _forms(filter(is_telling, _written(letter, parsed)))


def is_telling(secret: str) -> bool:
    """Whether a secret has letters together with digits or signs, and is no short one."""
    return bool(len(secret) >= _TELLING_FROM and _LETTER.search(secret) and _OTHER.search(secret))


def _written(letter: Letter, parsed: Iterable[Parsed]) -> set[str]:
    written = [one.password for one in letter.credentials]
    inside = [one.header.password for one in parsed]
    return {form for one in (*written, *inside) if one for form in (one, *candidates(one.strip()))}


def _forms(secrets: Iterable[str]) -> set[str]:
    # An XML document's raw text, seen in a finding, has them escaped; so have pages.
    plain = set(secrets)
    escaped = {html.escape(one) for one in plain}
    # As templates write the same signs.
    escaped |= {one.replace("&quot;", "&#34;").replace("&#x27;", "&#39;") for one in escaped}
    plain |= escaped | {html.escape(one, False) for one in plain}
    return plain | set(map(printable, plain))


class Masker:
    """Replaces secrets in texts and in values that hold texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = sorted(filter(None, secrets), key=len, reverse=True)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Compiled for the few letters that need it: each has a pattern of its own.
        return re.compile("|".join(map(self._form, self.secrets)))

    @staticmethod
    def _form(secret: str) -> str:
        escaped = re.escape(secret)
        return escaped if len(secret) >= _ANYWHERE_FROM else rf"(?<!\S){escaped}(?!\S)"

    def text(self, text: str) -> str:
        """`text` without secrets, also one that its shortening cut off."""
        if any(secret in text for secret in self.secrets):
            text = self._pattern.sub(MASK, text)
        if text.endswith("…"):
            text = self._without_beginning(text[:-1]) + "…"
        return text

    def holds(self, text: str | None) -> bool:
        """Whether a text has a secret in it."""
        return text is not None and self.text(text) != text

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(one[:length] for one in self.secrets for length in range(3, len(one)))

    def _without_beginning(self, text: str) -> str:
        longest = len(self.secrets[0]) - 1 if self.secrets else 0
        for length in range(min(longest, len(text)), 2, -1):
            if text[-length:] in self._beginnings:
                return text[:-length] + MASK
        return text

    def is_free(self, message_id: str) -> bool:
        """Whether no secret is in a Message-ID, which cannot be masked: it would be another."""
        return not any(
            one in form for one in self.secrets for form in (message_id, unquote(message_id))
        )

    def maybe(self, text: str | None) -> str | None:
        """The same for a text that may be missing."""
        return None if text is None else self.text(text)

    def place(self, place: Place) -> Place:
        """The same for the names in a place."""
        return replace(place, file=self.maybe(place.file), sheet=self.maybe(place.sheet))

    def finding(self, found: Finding) -> Finding:
        """The same for what a finding tells."""
        detail = {name: self.text(value) for name, value in found.detail.items()}
        return replace(
            found, place=self.place(found.place), seen=self.maybe(found.seen), detail=detail
        )

    def whole_finding(self, found: Finding) -> Finding:
        """The same, and for the names of what it concerns, which nothing is matched by any more."""
        return replace(
            self.finding(found),
            area=self.maybe(found.area),
            point=self.maybe(found.point),
            meter=self.maybe(found.meter),
            channel=self.maybe(found.channel),
            zone=self.maybe(found.zone),
        )

    def series(self, series: Series) -> Series:
        """The same for what names a series; itself when nothing has to be hidden."""
        named = (series.area, series.point, series.meter)
        hidden = tuple(map(self.maybe, named))
        if hidden == named:
            return series
        return replace(series, area=hidden[0], point=hidden[1], meter=hidden[2])

    def parsed(self, parsed: Parsed) -> Parsed:
        """The same for a document's names, its version and findings."""
        return replace(
            parsed,
            header=replace(parsed.header, version=self.maybe(parsed.header.version)),
            name=self.text(parsed.name),
            part=self.maybe(parsed.part),
            container=self.maybe(parsed.container),
            findings=tuple(map(self.finding, parsed.findings)),
        )
