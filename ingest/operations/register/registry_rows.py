"""What is true of points and meters from a date, put together from a registry file's lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import TypeVar

from ingest.replies.texts import phrase
from ingest.replies.wording import Wording, wording
from layouts.points import Meter, MeteringPoint, MeterRow, PointRow

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in one line (from 1) of a registry file.

    Attributes:
        what: A key of the words' group `mistake`.
        about: What its sentence tells, by name; `expected` is a key of the group of that name.
    """

    line: int
    what: str
    about: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, line: int, what: str, **about: object) -> Mistake:
        """A mistake with what its sentence tells; control characters are escaped."""
        return cls(line, what, tuple((name, _printable(str(about[name]))) for name in about))

    def told(self, words: Wording) -> str:
        """Its sentence."""
        about = dict(self.about)
        if "expected" in about:
            about["expected"] = phrase(words, "expected", about["expected"], **about)
        text = phrase(words, "mistake", self.what, **about)
        return phrase(words, "mistake", "in_line", line=self.line, text=text)

    def __str__(self) -> str:
        return self.told(wording("en"))


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says of a point, and of a meter at it.

    Attributes:
        holder: User code in the line.
        point: Without meters and rows.
        valid_from: From when it is so; None where the line does not say.
    """

    line: int
    holder: str
    point: MeteringPoint
    meter: Meter | None
    valid_from: date | None


@dataclass(slots=True)
class _Device:
    """One meter: its lines, each with the day from which it is true."""

    lines: list[tuple[date | None, Said, Meter]]

    def meter(self) -> Meter:
        newest, first = self.lines[-1][2], self.lines[0][2]
        rows = tuple(MeterRow(d, m.number, m.ratio, m.digits, m.decimals) for d, _, m in self.lines)
        plain = len(rows) == 1 and rows[0].valid_from is None
        return replace(newest, installed=first.installed, rows=() if plain else rows)


def points_of(said: Sequence[Said], mistakes: list[Mistake]) -> Iterator[tuple[str, MeteringPoint]]:
    """Each point with its newest holder, in the order of the file.

    Lines of one code are one point whose area changed, unless two areas stand at the
    same `valid_from`; lines at one point with the same `installed` are one meter whose
    number changed, unless two numbers do. A meter that is installed on the day on which
    it was removed was there all the time: its transformers were exchanged.

    Args:
        said: All lines about points.
        mistakes: What is wrong with them is added here.
    """
    placed: dict[tuple[str, str], list[tuple[int, Meter]]] = {}
    for lines in _by_point(said):
        ordered = sorted(lines, key=lambda one: _first_day(one.valid_from))
        holders: dict[date | None, str] = {}
        for one in lines:
            if holders.setdefault(one.valid_from, one.holder) != one.holder:
                about = {"point": one.point.code, "holder": holders[one.valid_from]}
                mistakes.append(Mistake.of(one.line, "other_holder", **about))
        owner = ordered[-1].holder
        meters = []
        for device in _devices(ordered):
            mistakes += _said_twice(device)
            meters.append((device.lines[0][1].line, device.meter()))
            for number in {meter.number for _, _, meter in device.lines}:
                placed.setdefault((owner, number), []).append(meters[-1])
        yield owner, _point(ordered, tuple(meter for _, meter in sorted(meters, key=itemgetter(0))))
    mistakes += _in_two_places(placed)


def _point(ordered: Sequence[Said], meters: tuple[Meter, ...]) -> MeteringPoint:
    by_day = {one.valid_from: one for one in reversed(ordered)}
    days = sorted(by_day.values(), key=lambda one: _first_day(one.valid_from))
    rows = tuple(
        PointRow(
            one.valid_from, one.holder, one.point.area, one.point.max_power_kw,
            source=one.point.source,
        )
        for one in days
    )  # fmt: skip
    channels = [one.point.channels for one in ordered if one.point.channels]
    plain = len(rows) == 1 and rows[0].valid_from is None
    return replace(
        days[-1].point,
        channels=channels[-1] if channels else (),
        meters=meters,
        rows=() if plain else rows,
    )


def _by_point(said: Iterable[Said]) -> Iterator[list[Said]]:
    by_code: dict[str, list[Said]] = {}
    for one in said:
        by_code.setdefault(one.point.code, []).append(one)
    for lines in by_code.values():
        yield from _apart(lines, lambda one: (one.valid_from, one.point.area or ""))


def _devices(lines: Sequence[Said]) -> list[_Device]:
    """The meters at a point; `lines` in the order of their days."""
    read = [(one.valid_from, one, one.meter) for one in lines if one.meter is not None]
    by_day: dict[date | None, list[tuple[date | None, Said, Meter]]] = {}
    for entry in read:
        by_day.setdefault(entry[2].installed, []).append(entry)
    devices: list[_Device] = []
    for installed, entries in sorted(by_day.items(), key=lambda item: _first_day(item[0])):
        for found in _apart(entries, lambda entry: (entry[0], entry[2].number)):
            earlier = next((d for d in devices if _goes_on(d, found[0][2])), None)
            if earlier is None:
                devices.append(_Device(found))
            else:
                earlier.lines += [(day or installed, one, meter) for day, one, meter in found]
    return devices


def _goes_on(device: _Device, meter: Meter) -> bool:
    last = device.lines[-1][2]
    return last.number == meter.number and last.removed == meter.installed is not None


def _apart(lines: list[_T], named: Callable[[_T], tuple[date | None, str]]) -> list[list[_T]]:
    """The lines by their names where two stand at one day, else all of them together.

    Args:
        lines: About what may be one or several things.
        named: Day and name in a line.
    """
    names: dict[str, list[_T]] = {}
    on_day: dict[date | None, str] = {}
    differ = False
    for line in lines:
        day, name = named(line)
        names.setdefault(name, []).append(line)
        differ = differ or on_day.setdefault(day, name) != name
    return list(names.values()) if differ else [lines]


def _said_twice(device: _Device) -> Iterator[Mistake]:
    """Lines of a meter that are true from one day."""
    first: dict[date | None, int] = {}
    for day, said, meter in device.lines:
        if day in first:
            about = {"meter": meter.number, "other": first[day], "day": day}
            what = "meter_twice" if day is None else "meter_twice_from"
            yield Mistake.of(said.line, what, **about)
        first.setdefault(day, said.line)


def _in_two_places(placed: Mapping[tuple[str, str], list[tuple[int, Meter]]]) -> Iterator[Mistake]:
    """One meter of an entity is in one place at a time."""
    for (_, number), meters in placed.items():
        for index, (line, meter) in enumerate(meters):
            for earlier, other in meters[:index]:
                if meter.overlaps(other):
                    yield Mistake.of(line, "meter_twice", meter=number, other=earlier)


def _first_day(day: date | None) -> date:
    return day or date.min
