"""The time columns of XML rows: at once, or one by one when it must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from layouts.findings import Code, Findings, Place, finding
from layouts.layout import Layout, TimeFormat, XmlForm
from parsers.clock import Clock, clock, date_length, hours_at_once, minutes_at_once, read_local
from parsers.fields import plain

Cells = Mapping[str, Sequence[str | None]]
"""The texts of rows, column by column."""

Epochs = list[int | None]
"""Instants in epoch seconds; None where one could not be read."""


class Moments(NamedTuple):
    """Starts (or instants), ends where the form has them, and the rows of no hour.

    Attributes:
        skipped: Indexes of times that clocks skip; nothing has been told of them.
    """

    starts: Epochs
    ends: Epochs | None
    skipped: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class RowTimes:
    """Reads the times of one series' rows.

    Attributes:
        day: The day that the document is for, of a form whose rows name none.
        cells: The rows' texts.
        lines: The rows' lines.
        keys: What a finding says of the series.
        findings: Where mistakes are told.
    """

    layout: Layout
    form: XmlForm
    day: date | None
    cells: Cells
    lines: Sequence[int]
    keys: Mapping[str, str]
    findings: Findings

    def read(self) -> Moments:
        """The instants of all rows."""
        form, start_format = self.form, self.form.start_format
        if start_format.has_date and form.end_format is None:
            quick = hours_at_once(self._moments, start_format, self._clock)
            if quick is not None:
                return Moments(list(quick), None)
        elif form.end_format is not None and self.day is not None:
            both = self._day_at_once(form.end_format, self.day)
            if both is not None:
                return both
        return self._one_by_one()

    @property
    def _clock(self) -> Clock:
        return clock(self.layout.zone)

    @property
    def _moment(self) -> str:
        return "start" if "start" in self.cells else "instant"

    @property
    def _moments(self) -> Sequence[str | None]:
        return self.cells[self._moment]

    def _day_at_once(self, end_format: TimeFormat, day: date) -> Moments | None:
        starts = minutes_at_once(self._moments, self.form.start_format)
        ends = minutes_at_once(self.cells["end"], end_format, closing=True)
        midnight = self._clock.plain_midnight(day)
        if starts is None or ends is None or midnight is None:
            return None
        return Moments(
            [midnight + 60 * start for start in starts],
            # Midnight, written 0000, ends the day that it follows.
            [
                midnight + 60 * (end if end > start else end + 1440)
                for start, end in zip(starts, ends, strict=True)
            ],
        )

    def _one_by_one(self) -> Moments:
        summers = [(text or "0").strip() == "1" for text in self.cells.get("summer", ())] or None
        locals_ = self._locals(self._moment, self.form.start_format, closing=False)
        starts = self._clock.epochs(locals_, summers)
        both = enumerate(zip(locals_, starts, strict=True))
        skipped = [i for i, (local, start) in both if local is not None and start is None]
        form = self.form.end_format
        if form is None:
            return Moments(starts, None, skipped)
        closings = self._locals("end", form, closing=True)
        ends = [self._end(*item) for item in zip(starts, locals_, closings, strict=True)]
        return Moments(starts, ends, skipped)

    def tell_skipped(self, indexes: Sequence[int]) -> None:
        """Tell that clocks skip the times of these rows."""
        for index in indexes:
            self._tell(Code.INVALID_TIME, self._moment, index, "")

    def _locals(self, name: str, form: TimeFormat, *, closing: bool) -> list[datetime | None]:
        found: list[datetime | None] = []
        for index, text in enumerate(self.cells[name]):
            local = read_local(text or "", form, self.day, closing=closing)
            # Without a day of the document no time can be read, which is told already.
            if local is None and (form.has_date or self.day is not None):
                self._tell(_fault((text or "").strip(), form), name, index, form.text)
            found.append(local)
        return found

    def _tell(self, code: Code, name: str, index: int, expected: str) -> None:
        if self.findings.is_counted(code):
            return
        keys = self.keys
        self.findings.add(
            finding(
                code,
                Place(line=self.lines[index]),
                seen=plain(self.cells[name][index] or "") or None,
                area=keys.get("area"),
                point=keys.get("point"),
                meter=keys.get("meter"),
                channel=keys.get("channel"),
                field=name,
                expected=expected,
            )
        )

    def _end(
        self, start: int | None, local: datetime | None, closing: datetime | None
    ) -> int | None:
        """End of an interval, written in the time of its start or in the new one."""
        if start is None or local is None or closing is None:
            return None
        if closing <= local:
            closing += timedelta(days=1)
        length = int((closing - local).total_seconds())
        permitted = {60 * step for step in self.layout.step_minutes}
        if length not in permitted:
            for later in (False, True):
                other = self._clock.epoch(closing, later=later)
                if other is not None and other - start in permitted:
                    return other
        return start + length


def _fault(text: str, form: TimeFormat) -> Code:
    """What is wrong with a text that is no time of this form."""
    if not text:
        return Code.MISSING_FIELD
    if form.has_date and read_local(text[: date_length(form)], form) is None:
        return Code.INVALID_DATE
    return Code.INVALID_TIME
