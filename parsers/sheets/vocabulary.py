"""What the words of a label mean in a form: its role, and what makes it more exact."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache, partial

from layouts.layout import Layout
from layouts.terms import CHANNELS
from layouts.workbook_form import WorkbookDefinition
from parsers.fields import (
    UNIT_PARTS,
    Fault,
    label,
    month_number,
    names_unit,
    read_moment,
    read_unit,
)
from parsers.grid import Cell
from parsers.grid_draft import Spent

HARMLESS = "harmless"
TOTAL = "total"
FIGURE = "figure:"

PREVIOUS, CURRENT = "previous", "current"

EXACT, COMPOSED, LESS_EXACT = 2, 1, 0

BOTH = "both"
"""Zone or channel of a label that names two, while it is read; direction likewise, for good."""

_LONGEST = 200
_MOST_KNOWN = 20_000
"""Texts whose meaning is kept; vocabularies live as long as their process."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one label says.

    Attributes:
        role: A column of the form, `figure:KIND`, `total` or `harmless`; None when its
            words only make another label more exact.
        exact: How exactly it says so.
        tense: `previous` or `current`.
        at: A day in it.
        month: A month in it, as (year or 0, month).
        quantity: `A` or `R` where its channel is that of a word without a direction.
        direction: `+` or `-` in words, until it stands beside a quantity.
        unit: What its values are counted in.
        known: Whether the form knows every word of it.
        said: Whether the form knows any word of it.
    """

    role: str | None = None
    exact: int = LESS_EXACT
    tense: str | None = None
    at: date | None = None
    month: tuple[int, int] | None = None
    zone: str | None = None
    channel: str | None = None
    quantity: str | None = None
    direction: str | None = None
    unit: str | None = None
    known: bool = False
    said: bool = False

    def below(self, upper: Meaning) -> Meaning:
        """This label's meaning under another one's."""
        decoration = upper.role is None and not upper.known
        if self.role in ("channel", "zone") and not (self.channel or self.quantity or self.zone):
            # A column that names channels or zones is of no one channel, nor of one zone.
            upper = replace(upper, zone=None, channel=None, quantity=None, direction=None)
        channel, quantity = _one_channel(
            (self.channel, self.quantity), (upper.channel, upper.quantity)
        )
        return Meaning(
            role=self.role or upper.role,
            exact=min(self.exact, COMPOSED) if self.role else min(upper.exact, COMPOSED),
            tense=self.tense or upper.tense,
            at=self.at or upper.at,
            month=self.month or upper.month,
            zone=self.zone or upper.zone,
            channel=None if channel == BOTH else channel,
            quantity=quantity,
            direction=_one(self.direction, upper.direction),
            unit=self.unit or upper.unit,
            known=self.known and (upper.known or decoration) and channel != BOTH,
            said=self.said or upper.said,
        ).directed()

    def directed(self) -> Meaning:
        """The same with the channel of its quantity in its direction, where it has both."""
        role = self.role or "value"
        if not (self.quantity and self.direction in _SIGNS):
            return self
        if role not in ("value", "channel") and not role.startswith(FIGURE):
            return self
        channel = f"{self.quantity}{self.direction}"
        return replace(self, channel=channel, quantity=None, direction=None)

    def whole(self) -> Meaning:
        """The same when nothing more stands above it: a direction alone is of no known energy."""
        return replace(self, known=False) if self.direction else self

    @property
    def is_label(self) -> bool:
        """Whether a column below it may be of the form."""
        return self.whole().known and any((self.role, self.zone, self.channel))


NOTHING = Meaning(known=True)
STRANGE = Meaning()


_SIGNS = ("+", "-")


def _one(first: str | None, second: str | None) -> str | None:
    """The one of two directions that is there; `both` where they differ."""
    return BOTH if first and second and first != second else first or second


_Channel = tuple[str | None, str | None]
"""A channel, and its quantity where no direction was named."""


def _one_channel(first: _Channel, second: _Channel) -> _Channel:
    """The one of two channels that is there, of «активная» and «A-» the sign; `both` else."""
    (mine, quantity), (other, others) = first, second
    if mine is None or (other is not None and not others and other[:1] == quantity):
        return second
    return first if other in (None, mine) or others == mine[:1] else (BOTH, None)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One entry of the vocabulary: what it adds to a meaning."""

    words: str
    kind: str
    value: str = ""
    exact: int = COMPOSED
    quantity: str | None = None


@dataclass(slots=True)
class _Said:
    """What the phrases of a text have said so far."""

    role: str | None = None
    exact: int = LESS_EXACT
    tense: str | None = None
    zone: str | None = None
    channel: str | None = None
    quantity: str | None = None
    direction: str | None = None

    def add(self, phrase: _Phrase) -> None:
        """Take one phrase more; the first role of a label is its own."""
        kind, value = phrase.kind, phrase.value
        if kind == "role":
            if self.role is None:
                self.role, self.exact = value, phrase.exact
            elif value == f"{FIGURE}scaled" and self.role == "value":
                self.role = value
        elif kind == "tense":
            self.tense = self.tense or value
        elif kind == "zone":
            if self.zone not in (None, value):
                # A sum of zones names them; «Тариф 1 (ночь)» is nothing that can be decided.
                value = "T0" if "T0" in (self.zone, value) else BOTH
            self.zone = value
        elif kind == "channel":
            mine = self.channel, self.quantity
            self.channel, self.quantity = _one_channel(mine, (value, phrase.quantity))
        elif kind == "direction":
            self.direction = _one(self.direction, value)

    def meaning(self, *, is_whole: bool) -> Meaning:
        """The same as a meaning, of which nothing is known yet; `is_whole`: of one phrase."""
        exact = self.exact if is_whole else min(self.exact, COMPOSED)
        return Meaning(
            role=self.role,
            exact=exact,
            tense=self.tense,
            zone=self.zone,
            channel=self.channel,
            quantity=self.quantity,
            direction=self.direction,
        )


class Vocabulary:
    """The labels of one form and the words around them, ready to be asked."""

    def __init__(self, layout: Layout, definition: WorkbookDefinition) -> None:
        phrases = list(_phrases(layout, definition))
        self._whole = {label(p.words): p for p in reversed(phrases) if p.kind in ("role", "zone")}
        # The longer phrase counts, of two as long the form's own label.
        order = ("role", "zone", "channel", "direction", "tense", "also")
        phrases.sort(key=lambda p: (-len(label(p.words).split()), order.index(p.kind)))
        # Each is compiled when a text has its first letters: all of them at once cost more
        # than reading a workbook.
        alike: defaultdict[str, list[tuple[str, _Phrase]]] = defaultdict(list)
        for phrase in phrases:
            for start in _starts(phrase.words):
                alike[start[0]].append((start, phrase))
        self._phrases: dict[str, list[tuple[str, _Phrase]]] = {
            letters: [pair for pair in pairs if letters.startswith(pair[0][:2])]
            for first, pairs in alike.items()
            for letters in {first, *(start[:2] for start, _ in pairs)}
        }
        self._stems: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        stems = {stem for phrase in phrases for stem in _stems(phrase.words)}
        for stem in stems | _MONTH_STEMS | UNIT_PARTS:
            self._stems[stem[:2]] += (stem,)
        self._totals = tuple(label(word) for word in definition.totals)
        self._doubtful = definition.words.doubtful
        self._channels = [phrase for phrase in phrases if phrase.kind == "channel"]
        self._directions = [phrase for phrase in phrases if phrase.kind == "direction"]
        self._known: dict[str, Meaning] = {}
        self._strange: set[str] = set()
        self._asked: set[str] = set()
        self._spent = Spent()

    def of_book(self, spent: Spent) -> Vocabulary:
        """The same for one workbook: the texts that it is asked for are counted in `spent`."""
        made = copy(self)
        made._strange, made._asked = set(), set()  # noqa: SLF001 - of its own class
        made._spent = spent  # noqa: SLF001
        return made

    def meaning(self, cell: Cell) -> Meaning:
        """What a cell means as a label; unknown when it is none.

        Raises:
            TooCostlyError: more texts were asked for than any form has labels.
        """
        if isinstance(cell, datetime | date):
            return Meaning(at=cell.date() if isinstance(cell, datetime) else cell, known=True)
        if not isinstance(cell, str):
            return STRANGE
        if cell not in self._asked:
            self._asked.add(cell)
            self._spent.word(len(cell))
        found = self._known.get(cell)
        if found is None:
            found = self._read(label(cell)) if len(cell) < _LONGEST else STRANGE
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            self._known[cell] = found
        return found

    def known(self, cell: Cell) -> Meaning:
        """As `meaning`; a code or a text with any word of no label costs little, means nothing."""
        if not isinstance(cell, str) or len(cell) >= _LONGEST:
            return self.meaning(cell)
        if cell in self._strange:
            return STRANGE
        words = _LONG_WORD.findall(label(cell))
        if not words and _CODE.search(cell):
            self._strange.add(cell)
            return STRANGE
        for word in words:
            stems = self._stems.get(word[:2], ())
            if not word.startswith(stems) and not word.startswith(self._stems.get(word[0], ())):
                self._strange.add(cell)
                return STRANGE
        return self.meaning(cell)

    def _read(self, text: str) -> Meaning:
        if not text:
            return NOTHING
        text, unit = _without_unit(text)
        said = _Said()
        whole = self._whole.get(text)
        if whole is not None:
            said.add(whole)
            return replace(said.meaning(is_whole=True), unit=unit, known=True, said=True)
        text, at, month = _without_dates(text)
        rest, last = "", 0
        roles: set[str] = set()
        for phrase, start, end in self._found(text):
            rest, last = f"{rest}{text[last:start]} ", end
            if phrase.kind == "role":
                roles.add(phrase.value)
            said.add(phrase)
        known = not re.search(r"\w", rest + text[last:])
        if HARMLESS in roles:
            # The name of a point is not its code; a note on a reading is no reading.
            known, said.role = known and "value" not in roles, HARMLESS
        says = bool(roles) or any((said.tense, said.zone, said.channel, said.direction))
        if said.zone == BOTH:
            known = known and said.role == "zone"
        if said.channel == BOTH:
            known, said.channel = known and said.role == "channel", None
        if said.channel and not said.quantity and said.channel[1:] == said.direction:
            # «A-, отдача» says it twice.
            said.direction = None
        zone = None if said.zone == BOTH else said.zone
        meaning = replace(
            said.meaning(is_whole=False),
            zone=zone,
            unit=unit,
            at=at,
            month=month,
            known=known,
            said=says,
        )
        return meaning.directed()

    def _found(self, text: str) -> Iterator[tuple[_Phrase, int, int]]:
        """The phrases in a text, one after another, with where each begins and ends."""
        last = 0
        for word in _WORD.finditer(text):
            at = word.start()
            if at < last:
                continue
            near = self._phrases.get(text[at : at + 2], self._phrases.get(text[at], []))
            for start, phrase in near:
                if text.startswith(start, at) and (match := _form(phrase.words).match(text, at)):
                    last = match.end()
                    yield phrase, at, last
                    break

    def begins_total(self, cell: Cell) -> bool:
        """Whether a text is that of a row of totals: its first words say so."""
        text = label(cell)
        return any(
            text == word or (text.startswith(word) and not text[len(word)].isalnum())
            for word in self._totals
        )

    def channel(self, text: str) -> str | None:
        """The channel that a cell names in words alone."""
        text = label(text)
        found = (p.value for p in self._channels if _form(p.words).fullmatch(text))
        return next(found, None)

    def channels_in(self, text: str) -> set[str]:
        """The channels that a text names anywhere, the longer names first."""
        text, found = without_firms(label(text)), set[_Phrase]()
        for phrase in self._channels:
            if any(start in text for start in _starts(phrase.words)):
                text, count = _form(phrase.words).subn(" ", text)
                found |= {phrase} if count else set()
        signs = {p.value for p in self._directions if _form(p.words).search(text)} if found else ()
        exact = {phrase.value[:1] for phrase in found if not phrase.quantity}
        return {
            channel
            for phrase in found
            # «Активная энергия A-» is of the sign.
            if signs or phrase.quantity not in exact
            for channel in (
                {f"{phrase.quantity}{sign}" for sign in signs}
                if phrase.quantity and signs
                else {phrase.value}
            )
        }

    def is_doubtful(self, text: str) -> bool:
        """Whether a text has words that a default may be wrong because of."""
        text = label(text)
        return any(_form(words).search(text) for words in self._doubtful)


_FIRM = re.compile(
    r"(?<!\w)(?:общество с ограниченной ответственностью|акционерное общество|"
    r"[опзн]?ао|ооо|ип|чп|кфх|(?:фг|г|м)?уп|(?:фг|г|м)?[кба]у|снт|тсж|тсн|жск)"
    r"\s*(?:[\"«“„][^\"»”“]*[\"»”“]|[\w-]+)"
)


def without_firms(text: str) -> str:
    """A lower-case text without names of firms: «Реактив» after «ООО» is no energy."""
    return _FIRM.sub(" ", text)


def vocabulary(layout: Layout, definition: WorkbookDefinition) -> Vocabulary:
    """The vocabulary of a form, made once."""
    made = _MADE.get(layout.number)
    if made is None or made[0] is not definition:
        made = _MADE[layout.number] = (definition, Vocabulary(layout, definition))
    return made[1]


_MADE: dict[str, tuple[WorkbookDefinition, Vocabulary]] = {}


def _phrases(layout: Layout, definition: WorkbookDefinition) -> Iterator[_Phrase]:
    words = definition.words
    for name, labels in definition.columns.items():
        yield from (_Phrase(text, "role", name, EXACT) for text in labels)
    for name, labels in definition.less_exact.items():
        yield from (_Phrase(text, "role", name, LESS_EXACT) for text in labels)
    for kind, labels in words.figures.items():
        yield from (_Phrase(text, "role", f"{FIGURE}{kind}") for text in labels)
    if definition.hours:
        yield from (_Phrase(text, "role", TOTAL) for text in definition.totals)
    yield from (_Phrase(text, "role", HARMLESS) for text in words.harmless)
    zones = {**definition.wide, **layout.zones, **words.zones} if layout.zones else {}
    yield from (_Phrase(text, "zone", z) for text, z in zones.items() if not text.isdigit())
    for text, channel in words.channels.items():
        yield _Phrase(text, "channel", channel, quantity=words.quantities.get(text))
    yield from (_Phrase(text, "direction", sign) for text, sign in words.directions.items())
    yield from (_Phrase(sign, "channel", sign) for sign in CHANNELS)
    yield from (_Phrase(text, "tense", PREVIOUS) for text in words.previous)
    yield from (_Phrase(text, "tense", CURRENT) for text in words.current)
    yield from (_Phrase(text, "also") for text in words.also)


# Latin letters of signs that are typed in Cyrillic as often as not.
_ALIKE = {"a": "aа", "r": "rр", "t": "tт"}


_SIGN = re.compile(r"([artART])([0-4]|[+-])")
_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"\d{5}")
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")


@cache
def _form(words: str) -> re.Pattern[str]:
    """The words of a phrase as whole words, whatever stands between them."""
    sign = _SIGN.fullmatch(words.strip())
    if sign:
        form = rf"[{_ALIKE[sign[1].lower()]}]\s?{re.escape(sign[2])}"
    else:
        form = r"\W+".join(part.replace("*", r"\w*") for part in _parts(words))
    return re.compile(rf"(?<!\w){form}(?!\w)")


@cache
def _starts(words: str) -> tuple[str, ...]:
    """The letters that a phrase begins with, in each of their alphabets."""
    sign = _SIGN.fullmatch(words.strip())
    return tuple(_ALIKE[sign[1].lower()]) if sign else (_parts(words)[0].rstrip("*"),)


def _stems(words: str) -> Iterator[str]:
    """What each longer word of a phrase begins with."""
    for part in _parts(words):
        yield from (w for w in _LETTERS.findall(part) if len(w) > 1 or part.endswith("*"))


def _parts(words: str) -> list[str]:
    parts: list[str] = re.findall(r"\w+\*?", label(words.replace("*", "\x00")).replace("\x00", "*"))
    return parts


def _without_unit(text: str) -> tuple[str, str | None]:
    """A label without the one unit in it, and that unit."""
    words = list(re.finditer(r"[^\W\d_]+", text)) if names_unit(text) else []
    for count in (4, 3, 2, 1):
        for first in range(len(words) - count + 1):
            run = words[first : first + count]
            piece = text[run[0].start() : run[-1].end()]
            unit = read_unit(piece)
            if isinstance(unit, str) and not re.search(r"\d", piece):
                rest = f"{text[: run[0].start()]} {text[run[-1].end() :]}"
                rest = label(re.sub(r"\(\s*\)|,\s*$|[,(]\s*(?=\s*$)", " ", rest.strip()))
                # A row of units below the labels may say it once more.
                again, other = _without_unit(rest)
                return again if other == unit else rest, unit
    return text, None


@lru_cache(maxsize=1024)
def units_in(text: str) -> tuple[str, ...]:
    """The units of energy that a title names, without those of an amount: `500 МВт·ч`."""
    words = list(re.finditer(r"[^\W\d_]+", text)) if names_unit(text) else []
    found, at = [], 0
    while at < len(words):
        run = next(
            (run for n in (4, 3, 2, 1) if (run := words[at : at + n]) and _is(text, run)), []
        )
        if run and not _is_amount(text, run):
            found.append(str(read_unit(text[run[0].start() : run[-1].end()])))
        at += len(run) or 1
    return tuple(found)


def _is(text: str, run: Sequence[re.Match[str]]) -> bool:
    """Whether words are a unit of energy; one of power is none."""
    piece = text[run[0].start() : run[-1].end()].casefold()
    energy = piece.endswith(("ч", "час", "h"))
    return energy and not re.search(r"\d", piece) and isinstance(read_unit(piece), str)


def _is_amount(text: str, run: Sequence[re.Match[str]]) -> bool:
    before, after = text[: run[0].start()], text[run[-1].end() :]
    return bool(re.search(r"\d\s*$", before) or re.match(r"\W*[:=–—-]\W*\d", after))


_DAY = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?!\d)|\d{4}-\d{2}-\d{2}|\d{1,2}\s+[а-я]{3,}\s+\d{4}"
)
_DAY_ALONE = re.compile(
    r"(?<![\w.,/-])(\d{1,2})(?:\.(0[1-9]|1[0-2])|\s+([а-я]{3,8}))(?![\w/-]|[.,]\d)\.?"
)
NO_YEAR = 4
"""Year of a label's day that is written without one; a leap year, for 29 February."""
_HOUR_TAIL = r"(?:\s*(\d{1,2})[:.]\d{2}(?:[:.]\d{2})?)?(?:\s*г(?:ода?)?(?!\w))?"
_HOUR_HEAD = r"(?:(?<![\d.:])(0?0|24)(?:[:.]00|\s*ч)(?:\s*ч)?(?:ас\w*)?\.?\s*)?"
DAY_IN_TITLE = re.compile(
    rf"(?<!\w)на\s+(?:0?0(?:[:.]00|\s*ч)(?:\s*ч)?(?:ас\w*)?\.?\s*)?"
    rf"((?:{_DAY.pattern})(?:\s+\d{{1,2}}:\d{{2}})?)"
)
"""The day of readings in a title, as labels are compared; one after «от» is the paper's."""
_MONTH_STEMS = frozenset(
    ("янв", "фев", "мар", "апр", "май", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
)
_MONTH = re.compile(
    rf"(?<!\w)((?:{'|'.join(sorted(_MONTH_STEMS))})[а-я]*)\s*(\d{{4}})?(?:\s*г(?:ода?)?)?(?!\w)"
)
_MONTHS = re.compile(
    r"(?:январ|феврал|март|апрел|ма[йя]|июн|июл|август|сентябр|октябр|ноябр|декабр)[а-я]{0,2}|"
    r"янв|фев|мар|апр|июн|июл|авг|сен|сент|окт|ноя|нояб|дек"
)


def _day_alone(days: list[date], match: re.Match[str]) -> str:
    """Keeps a day that is written without its year, and takes it out of the text."""
    month = int(match[2]) if match[2] else month_number(match[3]) or 0
    if match[3] and not _MONTHS.fullmatch(match[3]):
        return match[0]
    try:
        days.append(date(NO_YEAR, month, int(match[1])))
    except ValueError:
        return match[0]
    return " "


def _without_dates(text: str) -> tuple[str, date | None, tuple[int, int] | None]:
    """A label without the days and months in it; the one day or month, if it is one."""
    days: list[date] = []

    def day(match: re.Match[str]) -> str:
        moment = read_moment(match[2])
        if isinstance(moment, Fault):
            return match[0]
        # As meters are read: midnight at the end of a day is the next one's beginning.
        ends = "24" in (match[1], match[3])
        days.append(moment.date() + timedelta(days=ends))
        return " "

    text = re.sub(f"{_HOUR_HEAD}({_DAY.pattern}){_HOUR_TAIL}", day, text)
    text = _DAY_ALONE.sub(partial(_day_alone, days), text)
    months: list[tuple[int, int]] = []

    def month(match: re.Match[str]) -> str:
        if not _MONTHS.fullmatch(match[1]):
            return match[0]
        months.append((int(match[2] or 0), month_number(match[1]) or 0))
        return " "

    text = _MONTH.sub(month, text)
    return text, days[0] if len(days) == 1 else None, months[0] if len(months) == 1 else None
