"""Findings: every fault the service can tell a sender about, as values.

The codes are a contract (`docs/findings.md`); their texts, which differ by
language, live with the replies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum


class Severity(StrEnum):
    """How much a finding weighs: only an error keeps readings out."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Stage(IntEnum):
    """The order of checking; a point that fails one stage skips the later ones."""

    LETTER = 0
    FORMAT = 1
    ASSIGNMENT = 2
    OBJECT = 3
    PLAUSIBILITY = 4


class Status(IntEnum):
    """The receipt's `status`, as the field's own form 80021 counts it."""

    ACCEPTED = 0
    REMARKS = 1
    UNKNOWN_OBJECTS = 2
    DATA_ERRORS = 3
    UNREADABLE = 4


class Code(StrEnum):
    """The stable name of a finding."""

    # The letter.
    NO_DOCUMENTS = "no-documents"
    CREDENTIALS_MISSING = "credentials-missing"
    CREDENTIALS_WRONG = "credentials-wrong"
    CREDENTIALS_CONFLICT = "credentials-conflict"
    SENDER_LOCKED = "sender-locked"
    ADDRESS_NOT_ALLOWED = "address-not-allowed"
    LETTER_TOO_LARGE = "letter-too-large"
    TOO_MANY_DOCUMENTS = "too-many-documents"
    UNPACKS_TOO_LARGE = "unpacks-too-large"
    # The document.
    ATTACHMENT_NOT_READ = "attachment-not-read"
    NOT_READ = "not-read"
    AMBIGUOUS_COLUMN = "ambiguous-column"
    HIDDEN_CONTENT = "hidden-content"
    TOTAL_DIFFERS = "total-differs"
    PREVIOUS_DIFFERS = "previous-differs"
    CONSUMPTION_DIFFERS = "consumption-differs"
    RATIO_DIFFERS = "ratio-differs"
    UNREADABLE_DOCUMENT = "unreadable-document"
    ENCRYPTED_DOCUMENT = "encrypted-document"
    FORBIDDEN_CONTENT = "forbidden-content"
    TOO_COSTLY = "too-costly"
    UNKNOWN_LAYOUT = "unknown-layout"
    AMBIGUOUS_LAYOUT = "ambiguous-layout"
    UNSUPPORTED_VERSION = "unsupported-version"
    MISSING_FIELD = "missing-field"
    INVALID_CODE = "invalid-code"
    INVALID_DATE = "invalid-date"
    INVALID_NUMBER = "invalid-number"
    INVALID_TIME = "invalid-time"
    DECIMAL_COMMA = "decimal-comma"
    ENCODING_GUESSED = "encoding-guessed"
    LEADING_ZEROS_LOST = "leading-zeros-lost"
    NAME_MISMATCH = "name-mismatch"
    FORMULA_WITHOUT_VALUE = "formula-without-value"
    SENDER_MISMATCH = "sender-mismatch"
    DUPLICATE_DOCUMENT = "duplicate-document"
    OLDER_VERSION = "older-version"
    VALUES_ZEROED = "values-zeroed"
    SKIPPED_ELEMENT = "skipped-element"
    NOTHING_TO_RECORD = "nothing-to-record"
    # The period.
    READING_IN_FUTURE = "reading-in-future"
    PERIOD_CLOSED = "period-closed"
    READING_BEFORE_ITS_MOMENT = "reading-before-its-moment"
    TOO_OLD = "too-old"
    SUSPICIOUS_VERSION = "suspicious-version"
    LATE_SUBMISSION = "late-submission"
    # The register of points.
    UNKNOWN_POINT = "unknown-point"
    FOREIGN_POINT = "foreign-point"
    UNKNOWN_METER = "unknown-meter"
    METER_NOT_AT_POINT = "meter-not-at-point"
    UNKNOWN_CHANNEL = "unknown-channel"
    ZONES_MISSING = "zones-missing"
    POINT_MISSING = "point-missing"
    # Interval series.
    DUPLICATE_INTERVAL = "duplicate-interval"
    MISSING_INTERVAL = "missing-interval"
    WRONG_STEP = "wrong-step"
    OVERLAP = "overlap"
    NEGATIVE_VALUE = "negative-value"
    TOO_MANY_DECIMALS = "too-many-decimals"
    TOO_MANY_DIGITS = "too-many-digits"
    ABOVE_PERMITTED_POWER = "above-permitted-power"
    ABOVE_MAXIMUM_POWER = "above-maximum-power"
    NOT_COMMERCIAL = "not-commercial"
    UNIT_SUSPECT = "unit-suspect"
    SPIKE = "spike"
    FLAT_PROFILE = "flat-profile"
    REPEATED_DAY = "repeated-day"
    ALL_ZERO = "all-zero"
    HIGH_LOW = "high-low"
    PEAK_DROP = "peak-drop"
    # Register readings.
    READING_WENT_BACK = "reading-went-back"
    REGISTER_ROLLOVER = "register-rollover"
    REGISTER_HIGH_LOW = "register-high-low"
    REPLACEMENT_INCOMPLETE = "replacement-incomplete"
    HELD_BY_OPERATOR = "held-by-operator"
    HELD_BY_HOLDER = "held-by-holder"
    ZONE_SUM_MISMATCH = "zone-sum-mismatch"
    NO_CONSUMPTION = "no-consumption"
    DUPLICATE_READING = "duplicate-reading"
    # Both.
    PROFILE_REGISTER_MISMATCH = "profile-register-mismatch"
    VALUE_CHANGED = "value-changed"


_WARNINGS = frozenset(
    {
        Code.ATTACHMENT_NOT_READ,
        Code.NOT_READ,
        Code.HIDDEN_CONTENT,
        Code.TOTAL_DIFFERS,
        Code.PREVIOUS_DIFFERS,
        Code.CONSUMPTION_DIFFERS,
        Code.RATIO_DIFFERS,
        Code.DECIMAL_COMMA,
        Code.ENCODING_GUESSED,
        Code.LEADING_ZEROS_LOST,
        Code.NAME_MISMATCH,
        Code.VALUES_ZEROED,
        Code.SKIPPED_ELEMENT,
        Code.READING_BEFORE_ITS_MOMENT,
        Code.SUSPICIOUS_VERSION,
        Code.LATE_SUBMISSION,
        Code.ZONES_MISSING,
        Code.POINT_MISSING,
        Code.ABOVE_PERMITTED_POWER,
        Code.NOT_COMMERCIAL,
        Code.UNIT_SUSPECT,
        Code.SPIKE,
        Code.FLAT_PROFILE,
        Code.REPEATED_DAY,
        Code.ALL_ZERO,
        Code.HIGH_LOW,
        Code.PEAK_DROP,
        Code.REGISTER_ROLLOVER,
        Code.REGISTER_HIGH_LOW,
        Code.REPLACEMENT_INCOMPLETE,
        Code.HELD_BY_OPERATOR,
        Code.HELD_BY_HOLDER,
        Code.NO_CONSUMPTION,
        Code.PROFILE_REGISTER_MISMATCH,
    }
)
_NOTES = frozenset({Code.DUPLICATE_DOCUMENT, Code.VALUE_CHANGED})

SUSPECT = frozenset(
    {
        Code.ABOVE_PERMITTED_POWER,
        Code.UNIT_SUSPECT,
        Code.SPIKE,
        Code.FLAT_PROFILE,
        Code.REPEATED_DAY,
        Code.ALL_ZERO,
        Code.HIGH_LOW,
        Code.PEAK_DROP,
        Code.REGISTER_ROLLOVER,
        Code.REGISTER_HIGH_LOW,
        Code.NO_CONSUMPTION,
        Code.PROFILE_REGISTER_MISMATCH,
        Code.ZONE_SUM_MISMATCH,
        Code.TOTAL_DIFFERS,
        Code.PREVIOUS_DIFFERS,
        Code.CONSUMPTION_DIFFERS,
        Code.RATIO_DIFFERS,
        Code.VALUES_ZEROED,
        Code.SUSPICIOUS_VERSION,
    }
)
"""Codes that make the values they are about suspect; remarks of form never do."""

COMPUTED = frozenset(
    {
        Code.ABOVE_PERMITTED_POWER,
        Code.ABOVE_MAXIMUM_POWER,
        Code.UNIT_SUSPECT,
        Code.SPIKE,
        Code.FLAT_PROFILE,
        Code.HIGH_LOW,
        Code.PEAK_DROP,
        Code.READING_WENT_BACK,
        Code.REGISTER_ROLLOVER,
        Code.REGISTER_HIGH_LOW,
        Code.HELD_BY_OPERATOR,
        Code.HELD_BY_HOLDER,
        Code.ZONE_SUM_MISMATCH,
        Code.NO_CONSUMPTION,
        Code.DUPLICATE_READING,
    }
)
"""Codes whose `seen` is an amount that a rule made out, not text of the document."""

HELD = frozenset({Code.HELD_BY_OPERATOR, Code.HELD_BY_HOLDER})
"""Codes of what differs from a value that holds: queued, while what is in force stays valid."""

UNREADABLE = frozenset(
    {
        Code.UNREADABLE_DOCUMENT,
        Code.ENCRYPTED_DOCUMENT,
        Code.FORBIDDEN_CONTENT,
        Code.TOO_COSTLY,
        Code.UNKNOWN_LAYOUT,
        Code.AMBIGUOUS_LAYOUT,
        Code.UNSUPPORTED_VERSION,
    }
)
"""Codes after which there is no document to speak of: receipt status 4."""

UNKNOWN_OBJECTS = frozenset(
    {
        Code.UNKNOWN_POINT,
        Code.FOREIGN_POINT,
        Code.UNKNOWN_METER,
        Code.METER_NOT_AT_POINT,
        Code.UNKNOWN_CHANNEL,
    }
)
"""Codes of things the register does not know for this sender: receipt status 2."""

OVERRIDABLE = frozenset(
    {
        Code.TOO_OLD,
        Code.ABOVE_PERMITTED_POWER,
        Code.ABOVE_MAXIMUM_POWER,
        Code.READING_WENT_BACK,
        Code.SUSPICIOUS_VERSION,
    }
)
"""Codes that an operator may decide against, by name; a closed month never."""

_PUBLIC = {Code.FOREIGN_POINT: Code.UNKNOWN_POINT}


def severity_of(code: Code) -> Severity:
    """The severity a code has unless its rule says otherwise."""
    if code in _WARNINGS:
        return Severity.WARNING
    return Severity.NOTE if code in _NOTES else Severity.ERROR


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a document something stands; every part may be unknown.

    Attributes:
        file: The document's name, as the sender gave it.
        line: Line of an XML text, from 1.
        sheet: Name of a workbook's sheet.
        cell: Cell of that sheet, like `C14`.
    """

    file: str | None = None
    line: int | None = None
    sheet: str | None = None
    cell: str | None = None

    def __str__(self) -> str:
        """The place without the file, in English, as `check --json` tells it."""
        if self.cell is not None:
            return f"sheet {self.sheet!r}, cell {self.cell}"
        if self.sheet is not None:
            return f"sheet {self.sheet!r}"
        return f"line {self.line}" if self.line is not None else ""


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, with its place and the text seen.

    Attributes:
        point: Code of the metering point it concerns; None for the document.
            An error without a point rejects the whole document.
        channel: None with a point: all channels of the point are concerned.
        start: First instant (UTC) of the intervals concerned, or the instant
            of a register reading.
        end: End (UTC, excluded) of the last interval concerned.
        count: How many values it stands for; runs are told as one finding.
        seen: The text found, shortened to 80 characters; never a password.
        detail: Named values for the sentence told to the sender, such as
            `expected`, `limit`, `field`; already text, the same in every language.
    """

    code: Code
    severity: Severity
    place: Place = NOWHERE
    area: str | None = None
    point: str | None = None
    meter: str | None = None
    channel: str | None = None
    zone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    count: int = 1
    seen: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether it keeps readings out."""
        return self.severity is Severity.ERROR

    @property
    def is_overridden(self) -> bool:
        """Whether an operator decided against it."""
        return "overridden" in self.detail

    def overridden(self) -> Finding:
        """The same, as an operator decided against it: it is told, and keeps nothing out."""
        told = Severity.WARNING if self.is_error else self.severity
        return replace(self, severity=told, detail={**self.detail, "overridden": "operator"})

    @property
    def public_code(self) -> Code:
        """The code that a sender may see: whose a foreign point is stays ours.

        A foreign meter that was named without a point is an unknown meter.
        """
        if self.code is Code.FOREIGN_POINT and self.point is None and self.meter is not None:
            return Code.UNKNOWN_METER
        return _PUBLIC.get(self.code, self.code)


SEEN_MOST = 80


def finding(
    code: Code, place: Place = NOWHERE, *, seen: str | None = None, **about: object
) -> Finding:
    """A finding with its code's own severity, a bounded `seen`, and `printable` texts.

    Keyword arguments that are fields of `Finding` fill them; all others become
    `detail`, as text.
    """
    fields = {k: _told(v) for k, v in about.items() if k in _FIELDS}
    detail = {k: printable(str(v)) for k, v in about.items() if k not in _FIELDS}
    fields.setdefault("severity", severity_of(code))
    if seen is not None:
        seen = seen if len(seen) <= SEEN_MOST else seen[: SEEN_MOST - 1] + "…"
        seen = printable(seen)
    if place.sheet is not None:
        place = replace(place, sheet=printable(place.sheet))
    return Finding(code=code, place=place, seen=seen, detail=detail, **fields)  # type: ignore[arg-type]


def printable(text: str) -> str:
    """`text` with a � for each sign that is invisible or steers what shows it.

    Such signs turn the direction of a line, clear a terminal, and are refused by XML
    and by PostgreSQL. Every blank becomes an ordinary one.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def _told(value: object) -> object:
    return printable(value) if type(value) is str else value


_FIELDS = frozenset(
    {"severity", "area", "point", "meter", "channel", "zone", "start", "end", "count"}
)


class Findings:
    """Collects findings, at most `most` of one code; the rest is counted.

    Of totals that differ, which refuse nothing, a tenth of the default is enough.

    The last finding kept of a code that overflowed carries the number of those
    left out in its detail, as `more`.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = defaultdict(lambda: most, {Code.TOTAL_DIFFERS: min(most, 100)})
        self._kept: list[Finding] = []
        self._seen: Counter[Code] = Counter()

    def add(self, item: Finding) -> None:
        """Keep one more, or count it."""
        self._seen[item.code] += 1
        if self._seen[item.code] <= self._most[item.code]:
            self._kept.append(item)

    def is_counted(self, code: Code) -> bool:
        """Whether one more of a code would only be counted, and now is: it need not be made."""
        if self._seen[code] < self._most[code]:
            return False
        self._seen[code] += 1
        return True

    def extend(self, items: Iterable[Finding]) -> None:
        """Keep several more, or count them."""
        for item in items:
            self.add(item)

    @property
    def total(self) -> int:
        """How many there are, those that were only counted included."""
        return self._seen.total()

    def __iter__(self) -> Iterator[Finding]:
        last = {item.code: index for index, item in enumerate(self._kept)}
        for index, item in enumerate(self._kept):
            more = self._seen[item.code] - self._most[item.code]
            if more > 0 and last[item.code] == index:
                yield replace(item, detail={**item.detail, "more": str(more)})
            else:
                yield item

    def __len__(self) -> int:
        return len(self._kept)

    def __bool__(self) -> bool:
        return bool(self._kept)
