"""A result as JSON: of `--json`, of the API, of the verdict that lies beside a file.

Every result is a frozen dataclass; `as_json` is the one place where any of them becomes JSON.
A dataclass is told field by field. Where its keys are not its fields, it has a `KEYS`, or, when
it belongs to a room below, a row in `NAMED`: each key with an attribute (a dotted path, null
from the first None on) or a function; the keys of `MERGED` are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, reduce
from types import NoneType
from typing import Any

from ingest.replies.cells import lines_told, ranges_told
from ingest.replies.texts import told_finding
from layouts.document import Places
from layouts.findings import Finding
from layouts.months import MOSCOW

Keys = Mapping[str, str | Callable[[Any], object]]

MERGED = "*"
"""The key of an object whose own keys stand in its place."""


def as_json(value: object, language: str = "ru") -> Any:
    """A result as what JSON knows: moments in Moscow time, exact numbers as text.

    Args:
        value: A dataclass, or what its fields hold.
        language: Of the findings' messages.

    Raises:
        TypeError: it holds something that has no form in JSON.
    """
    # Any: mypy takes a class for no key of a cache.
    kind: Any = type(value)
    if (written := _writer(kind)) is not None:
        return written(value, language)
    told: dict[str, Any] = {}
    for key, found in _items(value):
        if key == MERGED:
            told |= as_json(found, language)
        else:
            told[key] = as_json(found, language)
    return told


def _moment(value: datetime, _language: str) -> str | None:
    # A document's own moments stay in the zone that its layout names.
    return value.isoformat(timespec="seconds") if value.utcoffset() else local(value)


def _several(value: Any, language: str) -> Any:
    if hasattr(value, "_asdict"):
        return as_json(value._asdict(), language)
    return [as_json(item, language) for item in value]


_WRITTEN: Sequence[tuple[tuple[type, ...], Callable[[Any, str], Any]]] = (
    ((Enum,), lambda value, _: value.value),
    ((str, int, float, NoneType), lambda value, _: value),
    ((Decimal,), lambda value, _: f"{value:f}"),
    ((datetime,), _moment),
    ((date,), lambda value, _: value.isoformat()),
    ((Finding,), lambda value, language: as_json(told_finding(value, language), language)),
    ((Places,), lambda value, _: place_told(value)),
    (
        (Mapping,),
        lambda value, language: {str(key): as_json(one, language) for key, one in value.items()},
    ),
    ((list, tuple), _several),
)
"""By kind, the first one that fits; everything else is a dataclass."""


@cache
def _writer(kind: type) -> Callable[[Any, str], Any] | None:
    """What writes values of a kind; None for dataclasses."""
    for kinds, written in _WRITTEN:
        if issubclass(kind, kinds):
            return written
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} has no form in JSON")
    return None


@cache
def _keys(kind: type) -> Keys | None:
    """The keys of a dataclass that are not just its fields."""
    return getattr(kind, "KEYS", None) or NAMED.get(f"{kind.__module__}.{kind.__name__}")


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _items(value: Any) -> list[tuple[str, object]]:
    kind: Any = type(value)
    keys = _keys(kind)
    if keys is None:
        return [(name, getattr(value, name)) for name in _names(kind)]
    return [(key, attribute(value, source)) for key, source in keys.items()]


def attribute(value: object, source: str | Callable[[Any], object]) -> object:
    """What a dotted path leads to, None from the first None on; or what a function makes."""
    if callable(source):
        return source(value)
    return reduce(
        lambda found, name: None if found is None else getattr(found, name),
        source.split("."),
        value,
    )


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a letter with its receipt.

    Attributes:
        receipt: Its number; None where none is kept.
        status: Of the 80021.
        values: How many were accepted, changed or not.
    """

    name: str
    layout: str | None
    verdict: str
    receipt: int | None
    status: int
    values: int
    findings: tuple[Finding, ...]


def local(moment: datetime | None) -> str | None:
    """A moment in Moscow time, as ISO 8601."""
    return moment.astimezone(MOSCOW).isoformat(timespec="seconds") if moment else None


def place_told(places: Places | None) -> str | None:
    """Where a span's values stood: `lines 3–746`, `sheet 'A', cells C5:Z35`."""
    if places is None or not places.at:
        return None
    if places.sheet is None:
        lines = lines_told(places.at)
        return f"{'lines' if len(set(places.at)) > 1 else 'line'} {', '.join(lines)}"
    cells = ranges_told(str(places.place(n).cell) for n in range(len(places.at)))
    return f"sheet {places.sheet!r}, {'cells' if len(places.at) > 1 else 'cell'} {', '.join(cells)}"


def fact_told(fact: object) -> str:
    """A fact of the register: an exact number without idle zeros, `-` for none."""
    if fact is None or fact == "":
        return "-"
    return f"{fact.normalize():f}" if isinstance(fact, Decimal) else str(fact)


def reply_text(content: bytes) -> str:
    """The plain text of a reply, after its subject."""
    from email import message_from_bytes
    from email.message import EmailMessage
    from email.policy import default

    message = message_from_bytes(content, _class=EmailMessage, policy=default)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body else ""
    return f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text}".rstrip()


def _side(when: str) -> Keys:
    """What is told of a number before, or after."""
    return {
        f"energy_{when}": f"{when}.energy",
        f"quality_{when}": f"{when}.quality",
        f"suspicions_{when}": lambda change: getattr(getattr(change, when), "codes", ()),
        f"source_{when}": f"{when}.source",
        f"missing_{when}": f"{when}.missing",
        f"late_{when}": f"{when}.late",
    }


NAMED: Mapping[str, Keys] = {
    "storage.records.access.Lock": {
        "user_code": "user_code",
        "address": "whence",
        "failures": "failures",
        "since": "since",
        "until": "until",
        "why": "why",
    },
    "storage.records.replies.Undelivered": {
        "address": "address",
        "marked": "is_marked",
        "bounced": "bounced",
        "undeliverable": "undeliverable",
        "last_at": "last_at",
        "letters": "letters",
        "error": "last_error",
    },
    "storage.records.letters.LetterDetails": {
        MERGED: "summary",
        "sha256": "sha256",
        "size": "size",
        "message_id": "message_id",
        "settled_at": "settled_at",
        "locations": "locations",
        "findings": "findings",
        "submissions": "submissions",
        "replies": "replies",
    },
    "storage.records.letters.SubmissionDetails": {
        "receipt": "receipt",
        "name": "name",
        "container": "container",
        "sheet": "part",
        "sha256": "sha256",
        "size": "size",
        "layout": "layout",
        "created": "created_at",
        "verdict": "verdict",
        "status": "status",
        "values": "values",
        "findings": "findings",
        "carried": "carried",
    },
    "storage.records.letters.CarriedValues": {
        "kind": "kind",
        "area": "area",
        "point": "point",
        "meter": "meter",
        "channel": "channel",
        "zone": "zone",
        "start": "start",
        "end": "end",
        "place": "places",
        "value": "value",
        "value_before": "value_before",
        "in_force": "in_force",
        "replaced": "replaced",
        "replaced_since": "replaced_since",
        "replaced_at": "replaced_at",
    },
    "storage.records.replies.SentReply": {
        "to": "recipient",
        "subject": "subject",
        "message_id": "message_id",
        "state": "state",
        "attempts": "attempts",
        "owed_at": "owed_at",
        "settled_at": "settled_at",
        "error": "last_error",
        "returned_code": "returned_code",
        "returned": "returned_text",
        "text": lambda reply: reply_text(reply.content),
    },
    "storage.records.replies.OwedReply": {
        "to": "recipient",
        "subject": "subject",
        "message_id": "message_id",
    },
    "storage.records.running.ServerState": {
        "server": "name",
        "failing_since": "failing_since",
        "failed_at": "failed_at",
        "certificate_ends": "certificate_ends",
        "error": lambda server: server.error or None,
        "advice": lambda server: server.advice or None,
    },
    "storage.records.billing.NumberChange": {
        "entity": "named.entity",
        "area": "named.area",
        "point": "named.point",
        "channel": "named.channel",
        "zone": "named.zone",
        **_side("before"),
        **_side("after"),
    },
    "storage.records.registry.RowDifference": {
        "point": "point",
        "meter": "meter",
        "valid_from": "valid_from",
        "is_correction": "is_correction",
        "facts": lambda one: {
            name: [fact_told(was), fact_told(now)] for name, was, now in one.facts
        },
    },
    "layouts.points.LegalEntity": {
        "user_code": "user_code",
        "name": "name",
        "inn": "inn",
        "addresses": "addresses",
        "active": "active",
        "has_password": lambda entity: entity.password_hash is not None,
        "points": "points",
    },
    "layouts.points.MeteringPoint": {
        "code": "code",
        "name": "name",
        "area": "area",
        "max_power_kw": "max_power_kw",
        "channels": "channels",
        "meters": "meters",
    },
    "layouts.points.Meter": {
        "number": "number",
        "digits": "digits",
        "decimals": "decimals",
        "ratio": "ratio",
        "installed": "installed",
        "removed": "removed",
        "channels": "channels",
        "zones": "zones",
    },
    "storage.records.access.Operator": {
        "name": "name",
        "role": "role",
        "active": "active",
        "second_factor": lambda operator: operator.totp_secret is not None,
        "made_by": "made_by",
        "made_at": "made_at",
    },
}
"""By a class's full name: nobody who is told of one pays for importing all of them."""
