"""Local times of a document to instants in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from layouts.layout import TimeFormat

DAY_SECONDS = 86_400

YEARS = range(1990, 2101)
"""Years that a document may mean; any other one is a typing mistake."""

# Some months' worth; a document of nonsense dates must not fill the memory.
_DAYS_KEPT = 4_000

_HOURS = {f"{hour:02d}": hour * 3600 for hour in range(24)}
_MINUTES = {
    f"{hour:02d}{minute:02d}": hour * 60 + minute for hour in range(24) for minute in range(60)
}
# Some producers close the day with 2400 where the form says 0000.
_CLOSING = {**_MINUTES, "2400": 1440}


class Clock:
    """One time zone: local times in, epoch seconds out."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._midnights: dict[date, int | None] = {}

    def epoch(self, local: datetime, *, later: bool = False) -> int | None:
        """A local time's instant; None when clocks skip it.

        Args:
            local: Naive, as written.
            later: Which of the two instants is meant, of a time that occurs twice.
        """
        aware = local.replace(tzinfo=self.zone, fold=int(later))
        try:
            instant = aware.astimezone(UTC)
            exists = instant.astimezone(self.zone).replace(tzinfo=None) == local
        except OverflowError:
            return None
        return int(instant.timestamp()) if exists else None

    def local(self, epoch: int) -> datetime:
        """The local time at an instant, aware."""
        return datetime.fromtimestamp(epoch, self.zone)

    def midnight(self, day: date) -> int | None:
        """The instant at which a local day begins."""
        if day not in self._midnights:
            if len(self._midnights) > _DAYS_KEPT:
                self._midnights.clear()
            local = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, as written
            self._midnights[day] = self.epoch(local)
        return self._midnights[day]

    def month(self, day: date) -> tuple[int, int] | None:
        """Start and end of the local month that a day lies in."""
        first = day.replace(day=1)
        try:
            following = (first + timedelta(days=32)).replace(day=1)
        except OverflowError:
            return None
        start, end = self.midnight(first), self.midnight(following)
        return None if start is None or end is None else (start, end)

    def plain_midnight(self, day: date) -> int | None:
        """The instant at which a local day of 24 hours begins; None where clocks change on it."""
        try:
            start, end = self.midnight(day), self.midnight(day + timedelta(days=1))
        except OverflowError:
            return None
        return start if start is not None and end == start + DAY_SECONDS else None

    def hours(self, day: date | None, hours: Sequence[int]) -> list[int | None]:
        """The epochs of local hours of a day; None for each of no day."""
        if day is None:
            return [None] * len(hours)
        midnight = self.plain_midnight(day)
        if midnight is not None:
            return [midnight + 3600 * hour for hour in hours]
        midnight_local = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, as written
        return self.epochs([midnight_local + timedelta(hours=hour) for hour in hours])

    def epochs(
        self, locals_: Sequence[datetime | None], summers: Sequence[bool] | None = None
    ) -> list[int | None]:
        """Instants of local times in document order; None where there is none.

        Of an hour that occurs twice, the first one written is the earlier one,
        unless the document marks summer time (the earlier one) itself.
        """
        told: set[datetime] = set()
        marks = summers if summers and any(summers) else None
        instants: list[int | None] = []
        for index, local in enumerate(locals_):
            if local is None:
                instants.append(None)
                continue
            later = local in told if marks is None else not marks[index]
            told.add(local)
            instants.append(self.epoch(local, later=later))
        return instants


@cache
def clock(zone: str) -> Clock:
    """The clock of a time zone; made once."""
    return Clock(zone)


def hours_at_once(texts: Sequence[str | None], form: TimeFormat, clock_: Clock) -> list[int] | None:
    """Instants of a whole column of `YYYYMMDDHH`; None when it takes a closer look."""
    if form.text != "YYYYMMDDHH":
        return None
    try:
        days = {text[:8] for text in texts}  # type: ignore[index]
        starts = {day: _plain_midnight(day, clock_) for day in days}
        return [starts[text[:8]] + _HOURS[text[8:]] for text in texts]  # type: ignore[index]
    except (TypeError, ValueError, KeyError):
        return None


def _plain_midnight(text: str, clock_: Clock) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    start = clock_.plain_midnight(date.fromisoformat(text))
    if start is None:
        raise ValueError(text)
    return start


def minutes_at_once(
    texts: Sequence[str | None], form: TimeFormat, *, closing: bool = False
) -> list[int] | None:
    """Minutes of the day of a whole column of `HHMM`; None when one is none.

    Args:
        texts: As written.
        form: Their form.
        closing: Whether they are ends, where 2400 is a time, too.
    """
    if form.text != "HHMM":
        return None
    table = _CLOSING if closing else _MINUTES
    try:
        return [table[text] for text in texts]  # type: ignore[index]
    except KeyError:
        return None


def read_local(
    text: str, form: TimeFormat, day: date | None = None, *, closing: bool = False
) -> datetime | None:
    """One local time, naive; None when the text is no such time.

    Args:
        text: As written, blanks around it allowed.
        form: Its form.
        day: The day of a form that names none.
        closing: Whether it is an end, where 24:00 is a time, too.
    """
    parts = _parts(text.strip(), form)
    if parts is None:
        return None
    numbers = {name: int(part) for name, part in parts.items()}
    if "year" not in numbers:
        if day is None:
            return None
        numbers.update(year=day.year, month=day.month, day=day.day)
    ends = closing and numbers.get("hour") == 24 and not numbers.get("minute")
    if ends:
        numbers["hour"] = 0
    if numbers["year"] not in YEARS:
        return None
    try:
        return datetime(**numbers) + timedelta(days=int(ends))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def _parts(text: str, form: TimeFormat) -> dict[str, str] | None:
    """The digits of each part of a time; None when the text has another form."""
    if form.has_date and len(text) == date_length(form):
        # A date without an hour means its 00:00.
        rest = form.text[len(text) :]
        text += "".join("0" if sign in "HMS" else sign for sign in rest)
    if len(text) != len(form.text) or not text.isascii() or not _same_signs(text, form):
        return None
    parts = {name: text[place] for name, place in form.parts.items()}
    return parts if all(part.isdigit() for part in parts.values()) else None


def date_length(form: TimeFormat) -> int:
    """How long the date is that a form begins with."""
    stops: list[int] = [form.parts[name].stop for name in ("year", "month", "day")]
    return max(stops)


def _same_signs(text: str, form: TimeFormat) -> bool:
    held = {index for place in form.parts.values() for index in range(place.start, place.stop)}
    return all(
        text[index] == sign or (sign == "T" and text[index] == " ")
        for index, sign in enumerate(form.text)
        if index not in held
    )
