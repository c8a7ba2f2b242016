"""Readings that somebody typed, as a document of ours: layout 52006."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from xml.sax.saxutils import quoteattr

from ingest.operations.hand_in import File
from layouts.findings import printable
from layouts.months import MOSCOW


@dataclass(frozen=True, slots=True)
class TypedReading:
    """One reading of a register.

    Attributes:
        at: Aware; a whole hour of Moscow time, which is all that the layout can tell.
        value: As it was typed: what is no number is found by reading the document.
        point: Needed only where the number alone does not tell the meter.
    """

    meter: str
    at: datetime
    value: str
    channel: str = "A+"
    zone: str = "T0"
    point: str = ""


class NotAWholeHour(ValueError):  # noqa: N818 - its name is what it is
    """A reading's moment is not a whole hour."""


def typed_document(readings: Sequence[TypedReading], user_code: str, created: datetime) -> File:
    """The document that hands the readings in; the same bytes for the same arguments.

    Args:
        readings: In any order.
        user_code: Of the legal entity.
        created: When they were typed: later documents replace earlier ones.

    Raises:
        NotAWholeHour: one of the moments is none.
    """
    made = f"{created.astimezone(MOSCOW):%Y%m%d%H%M%S}"
    head = {"class": "52006", "version": "1", "sender_code": user_code, "created": made}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<package{_attributes(head)}>"]
    ordered = sorted(readings, key=attrgetter("point", "meter", "at", "channel", "zone"))
    for (point, meter), group in groupby(ordered, attrgetter("point", "meter")):
        names = {"number": meter, "point": point} if point else {"number": meter}
        lines.append(f"  <meter{_attributes(names)}>")
        lines += [f"    <reading{_attributes(_told(reading))}/>" for reading in group]
        lines.append("  </meter>")
    text = "\n".join([*lines, "</package>", ""])
    return File(f"z52006{user_code}{made}.xml", text.encode())


def _told(reading: TypedReading) -> dict[str, str]:
    moment = reading.at.astimezone(MOSCOW)
    if moment != moment.replace(minute=0, second=0, microsecond=0):
        raise NotAWholeHour(f"{moment:%Y-%m-%d %H:%M} is not a whole hour of Moscow time")
    return {
        "date_time": f"{moment:%Y%m%d%H}",
        "channel": reading.channel,
        "zone": reading.zone,
        "value": reading.value,
    }


def _attributes(named: dict[str, str]) -> str:
    # Whatever was typed: signs that XML refuses are replaced.
    told = ((name, quoteattr(printable(value))) for name, value in named.items())
    return "".join(f" {name}={value}" for name, value in told)
