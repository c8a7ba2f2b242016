"""Readings typed into a form: a document of ours, which goes the same way as any other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256

from starlette.responses import Response

from ingest.operations.account.registers import Register, registers
from ingest.operations.hand_in import HandedIn, Way
from ingest.operations.told import title
from ingest.operations.typed import TypedReading, typed_document
from ingest.web.account.documents import views
from ingest.web.site import Visit
from layouts.months import MOSCOW, following, month_at
from layouts.terms import Verdict

_DAY_FORMS = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", re.ASCII),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
)
_TURN_OF_MONTH = 10
_VALUE_MOST = 40
_WRITTEN_OUT = 12
_HOURS = range(25)
_VALUE = "v."


@dataclass(frozen=True, slots=True)
class Row:
    """One register in the form.

    Attributes:
        typed: As it was typed.
        consumed: Since the last reading, in kWh or kvarh; None where nothing can be said.
        problems: What is wrong with it, as the check found: severity and title, errors first.
    """

    register: Register
    typed: str = ""
    consumed: Decimal | None = None
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def field(self) -> str:
        """The name of its field."""
        return field_of(self.register)


def field_of(one: Register) -> str:
    """The name of a register's field."""
    return f"{_VALUE}{one.key}"


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent.

    Attributes:
        at: The moment of the readings; None when the day cannot be read.
        created: When the form was first shown: the same form twice is one document.
    """

    day: str
    hour: int
    at: datetime | None
    created: datetime
    rows: tuple[Row, ...]

    @property
    def readings(self) -> list[TypedReading]:
        """What was typed; empty fields are no readings."""
        if self.at is None:
            return []
        return [
            TypedReading(
                r.meter, self.at, number_of(row.typed), r.channel, r.zone, r.point
            )
            for row in self.rows
            if (r := row.register) and row.typed.strip()
        ]  # fmt: skip

    @property
    def digest(self) -> str:
        """Of what a check was of."""
        told = "\0".join([self.day, str(self.hour), *(f"{r.field}={r.typed}" for r in self.rows)])
        return sha256(told.encode("utf-8", "replace")).hexdigest()


def form(visit: Visit) -> Response:
    """The form with the entity's meters and the last reading of each."""
    day, hour = _usual_moment(visit.now)
    return _page(visit, _typed(visit, f"{day:%Y-%m-%d}", hour, visit.now))


def send(visit: Visit) -> Response:
    """Check what was typed; record it when that was checked before."""
    typed = _sent(visit)
    if typed.at is None:
        return _page(visit, typed, 422, note="no_day")
    if not typed.readings:
        return _page(visit, typed, 422, note="nothing_typed")
    is_checked = visit.text("step") == "send" and visit.text("checked") == typed.digest
    file = typed_document(typed.readings, visit.who.entity, typed.created)
    done = visit.site.desk.take(
        file,
        Way.PAGE,
        visit.who,
        visit.now,
        dry_run=not is_checked,
        by_mail=bool(visit.text("by_mail")),
    )
    if is_checked and done.handled.receipts:
        return visit.go(f"/receipts/{done.handled.receipts[0].number}")
    return _page(visit, _with_problems(typed, done, visit.language), done=done)


def again(visit: Visit) -> Response:
    """The form as it was sent; nothing is checked."""
    return _page(visit, _sent(visit))


def _sent(visit: Visit) -> Typed:
    return _typed(
        visit,
        visit.text("day").strip()[:_VALUE_MOST],
        hour_of(visit.text("hour")),
        _created(visit.text("created"), visit.now),
    )


def _page(
    visit: Visit, typed: Typed, status: int = 200, *, note: str = "", done: HandedIn | None = None
) -> Response:
    verdicts = {receipt.checked.verdict for receipt in done.handled.receipts} if done else set()
    return visit.checked_page(
        "enter.html",
        status,
        typed=typed,
        note=note,
        done=done,
        documents=views(visit, done) if done else [],
        is_well=verdicts == {Verdict.ACCEPTED},
        by_mail=bool(visit.text("by_mail")),
        hours=_HOURS,
    )


def _typed(visit: Visit, day: str, hour: int, created: datetime) -> Typed:
    at = moment_of(day, hour)
    known = registers(visit.service.ledger, visit.who.entity, at or visit.now)
    rows = []
    for register in known:
        text = visit.text(field_of(register))[:_VALUE_MOST]
        rows.append(Row(register, text, _consumed(register, text)))
    return Typed(day, hour, at, created, tuple(rows))


def _consumed(register: Register, text: str) -> Decimal | None:
    if register.last is None:
        return None
    try:
        value = Decimal(number_of(text))
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > _WRITTEN_OUT or value < register.last:
        return None
    return (value - register.last) * register.ratio


def _with_problems(typed: Typed, done: HandedIn, language: str) -> Typed:
    """The form with each mistake at its field."""
    found = [x for receipt in done.handled.receipts for x in receipt.checked.findings]
    of_register = defaultdict(list)
    for item in sorted(found, key=lambda item: not item.is_error):
        of_register[item.meter, item.channel].append(item)

    def of(row: Row) -> Iterator[tuple[str, str]]:
        one = row.register
        for item in of_register[one.meter, one.channel]:
            if item.zone in {one.zone, None} and (item.is_error or item.zone):
                yield item.severity.value, title(item.public_code, language)

    rows = tuple(replace(row, problems=tuple(of(row))) for row in typed.rows)
    return replace(typed, rows=rows)


def number_of(text: str) -> str:
    """What was typed with a point for its comma and without blanks between thousands."""
    return "".join(text.split()).replace("\u00a0", "").replace(",", ".")


def _usual_moment(now: datetime) -> tuple[date, int]:
    """The end of the month that people read their meters for, or this hour within it."""
    local, month = now.astimezone(MOSCOW), month_at(now)
    if local.day <= _TURN_OF_MONTH:
        return month - timedelta(days=1), 24
    is_last = local.date() == following(month) - timedelta(days=1)
    return local.date(), 24 if is_last else local.hour


def moment_of(day: str, hour: int) -> datetime | None:
    """Midnight behind a day is written as its 24:00."""
    for written in _DAY_FORMS:
        if match := written.fullmatch(day):
            try:
                named = date(int(match["y"]), int(match["m"]), int(match["d"]))
                return datetime.combine(named, time(), MOSCOW) + timedelta(hours=hour)
            except (ValueError, OverflowError):
                return None
    return None


def hour_of(text: str) -> int:
    """An hour of a form's list; 24 for anything else."""
    return int(text) if text in map(str, _HOURS) else 24


def _created(text: str, now: datetime) -> datetime:
    """When the form was first shown; a moment that cannot be is now."""
    try:
        created = datetime.fromtimestamp(int(text[:12]), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return created if now - timedelta(days=1) < created <= now else now
