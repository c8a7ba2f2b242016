"""How one language writes numbers, moments, periods, counts and places."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from gettext import c2py
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest.replies.cells import lines_told, ranges_told
from layouts.findings import Place
from layouts.terms import LANGUAGES

MOSCOW = ZoneInfo("Europe/Moscow")
TEMPLATES = Path(__file__).parent / "templates"

_NO_BREAK = "\u00a0"
_PLACES_MOST = 8


Catalogue = Mapping[str, Mapping[str, Any]]
"""A TOML file of texts: by group and name."""


@dataclass(frozen=True)
class Wording:
    """One language's words and habits of writing.

    Attributes:
        zone: Time zone that every moment is told in.
    """

    language: str
    words: Catalogue
    zone: ZoneInfo = MOSCOW

    def say(self, key: str, **values: object) -> str:
        """The phrase `key` with its values filled in."""
        return str(self.words["say"][key]).format(**values)

    def word(self, group: str, key: str) -> str:
        """The word `key` of a group such as `unit` or `verdict`."""
        return str(self.words[group][key])

    @cached_property
    def _signs(self) -> dict[int, str]:
        """What stands for the comma and the point of an English number."""
        signs = self.word("writing", "thousands"), self.word("writing", "decimal")
        return dict(zip(map(ord, ",."), signs, strict=True))

    @cached_property
    def _form_of(self) -> Callable[[int], int]:
        """Which form of a noun a number takes, as gettext catalogues write it."""
        form_of: Callable[[int], int] = c2py(self.word("writing", "plural"))
        return form_of

    def number(self, value: Decimal | int) -> str:
        """An exact number with its thousands set apart: `1 066,500`."""
        text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
        return text.translate(self._signs)

    def energy(self, watt_hours: int) -> str:
        """Watt-hours (or var-hours) written in thousands of them, exactly."""
        return self.number(Decimal(watt_hours).scaleb(-3))

    def day(self, moment: datetime) -> str:
        """The calendar day of a moment."""
        return _written(moment, self.zone, self.word("writing", "day"))

    def moment(self, moment: datetime) -> str:
        """Day and time of a moment, to the minute."""
        return _written(moment, self.zone, f"{self.word('writing', 'day')} %H:%M")

    def month(self, moment: datetime) -> str:
        """The month of a moment, by its name."""
        local = moment.astimezone(self.zone)
        return self.word("month", str(local.month)).format(year=local.year)

    def end(self, moment: datetime) -> tuple[str, str]:
        """Day and time of an end: midnight belongs to the day that it ends, as 24:00."""
        return _end(moment, self.zone, self.word("writing", "day"))

    def until(self, moment: datetime) -> str:
        """A deadline, or the moment of a reading: what was used until then is in it."""
        return " ".join(self.end(moment))

    def period(self, start: datetime, end: datetime | None) -> str:
        """A half-open period, or one moment when it has no length."""
        if end is None or end <= start:
            return self.until(start)
        day, time = self.end(end)
        if day == self.day(start):
            return f"{self.moment(start)}–{time}"
        return f"{self.moment(start)} – {day} {time}"

    def count(self, number: int, noun: str) -> str:
        """A number with its noun in the right form: `5 интервалов`."""
        form = self.words["plural"][noun][self._form_of(number)]
        return f"{self.number(number)}{_NO_BREAK}{form}"

    def quoted(self, text: str) -> str:
        """Text as it was seen, in the language's quotes."""
        return self.say("quoted", text=text)

    def listed(self, items: Sequence[str], most: int, sign: str = ", ") -> str:
        """Items one after another; those beyond `most` are counted."""
        told = sign.join(items[:most])
        more = len(items) - most
        return f"{told} {self.say('and_more', count=more)}" if more > 0 else told

    def places(self, places: Iterable[Place]) -> str:
        """Where things stand, neighbours told as ranges; '' when nothing is known."""
        lines: list[int] = []
        cells: dict[str, list[str]] = {}
        for place in places:
            if place.sheet is not None:
                cells.setdefault(place.sheet, []).extend([place.cell] if place.cell else [])
            elif place.line is not None:
                lines.append(place.line)
        told = [self._several("line", lines_told(lines))] if lines else []
        told += [self._sheet(sheet, names) for sheet, names in cells.items()]
        return "; ".join(told)

    def _sheet(self, sheet: str, names: list[str]) -> str:
        if not names:
            return self.say("sheet", sheet=sheet)
        return self._several("cell", ranges_told(names), sheet=sheet)

    def _several(self, noun: str, ranges: list[str], **about: str) -> str:
        single = len(ranges) == 1 and not any(sign in ranges[0] for sign in "–:")
        key = noun if single else f"{noun}s"
        return self.say(key, at=self.listed(ranges, _PLACES_MOST), **about)


@lru_cache(maxsize=1024)
def _written(moment: datetime, zone: ZoneInfo, form: str) -> str:
    """A moment in a zone; the same few stand in every row of a reply."""
    return moment.astimezone(zone).strftime(form)


@lru_cache(maxsize=1024)
def _end(moment: datetime, zone: ZoneInfo, form: str) -> tuple[str, str]:
    local = moment.astimezone(zone)
    if local.hour == local.minute == 0:
        return (local - timedelta(minutes=1)).strftime(form), "24:00"
    return local.strftime(form), f"{local:%H:%M}"


@lru_cache(maxsize=8)
def wording(language: str, zone: ZoneInfo = MOSCOW) -> Wording:
    """The words of a language.

    Raises:
        ValueError: there is no catalogue for it.
    """
    return Wording(language, catalogue("words", language), zone)


Texts = Mapping[tuple[str, str], Catalogue]
"""Texts that replace built-in ones, by catalogue and language."""

CATALOGUES = ("findings", "words")
_replaced: Texts = {}


def use_texts(replaced: Texts) -> None:
    """Have the retailer's own texts told from now on, in this process."""
    global _replaced  # noqa: PLW0603 - one retailer a process, like the log
    _replaced = replaced
    catalogue.cache_clear()
    wording.cache_clear()


@lru_cache(maxsize=8)
def catalogue(name: str, language: str) -> Catalogue:
    """A text catalogue as data, the retailer's own texts in it.

    Args:
        name: One of `CATALOGUES`.
        language: One of `LANGUAGES`.

    Raises:
        ValueError: there is none in that language.
    """
    own = _replaced.get((name, language), {})
    ours = built_in(name, language)
    return {**ours, **{group: {**ours[group], **texts} for group, texts in own.items()}}


@lru_cache(maxsize=8)
def built_in(name: str, language: str) -> Catalogue:
    """A text catalogue as it comes with the program.

    Raises:
        ValueError: there is no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: there are {', '.join(LANGUAGES)}")
    return tomllib.loads((TEMPLATES / f"{name}.{language}.toml").read_text(encoding="utf-8"))
