"""Acts on an entity's behalf: documents or a reading handed in, a receipt withdrawn."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.letters.terms import Outcome
from ingest.operations.account.desk import keep, kept
from ingest.operations.account.registers import registers
from ingest.operations.console.letters import page
from ingest.operations.hand_in import File, NoSuchEntity, Sender, Way
from ingest.operations.refused import check_code
from ingest.operations.told import title
from ingest.operations.typed import TypedReading, typed_document
from ingest.operations.withdraw import (
    CannotWithdraw,
    MonthChange,
    Order,
    Withdrawal,
    consequence,
    subject_of,
    withdraw,
)
from ingest.web.account.documents import BadFile, about, file_of, views
from ingest.web.account.entering import hour_of, moment_of, number_of
from ingest.web.site import CONSOLE, Visit, fingerprint
from layouts.findings import OVERRIDABLE, Code
from storage.records.billing import Number
from storage.records.letters import Sought

REASON_MOST = 1000
_FIELD_MOST = 100


def reason_of(visit: Visit) -> str:
    """Why, as it was typed; '' when nothing was."""
    return visit.text("reason").strip()[:REASON_MOST]


def form(visit: Visit, note: str = "", status: int = 200) -> Response:
    """A document or one reading, the reason, and the rules decided against."""
    code = _entity(visit)
    overrides = _overrides(visit)
    known = registers(visit.service.ledger, code, visit.now)
    return visit.page(
        "console_enter.html",
        status,
        code=code,
        note=note,
        reason=reason_of(visit),
        registers=known,
        chosen=visit.text("register"),
        day=visit.text("day")[:_FIELD_MOST],
        hour=hour_of(visit.text("hour")),
        value=visit.text("value")[:_FIELD_MOST],
        rules=[
            (one, title(one, visit.language), one in overrides)
            for one in sorted(OVERRIDABLE, key=str)
        ],
    )


def check(visit: Visit) -> Response:
    """What would become of it; nothing is recorded."""
    code = _entity(visit)
    if not reason_of(visit):
        return form(visit, "reason_told", 422)
    try:
        file = _file(visit, code)
    except ValueError as fault:
        return form(visit, str(fault), 422)
    keep(visit.service, visit.desk, file, visit.now)
    return _told(visit, code, file, dry_run=True)


def record(visit: Visit) -> Response:
    """Record what was checked."""
    code = _entity(visit)
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    if file is None:
        return form(visit, "gone", 422)
    if not reason_of(visit):
        return form(visit, "reason_told", 422)
    return _told(visit, code, file, dry_run=False)


def again(visit: Visit) -> Response:
    """The check once more, before a button that the end of a session made useless."""
    code = _entity(visit)
    file = kept(visit.service, visit.desk, visit.text("digest"), visit.now)
    return form(visit, "gone", 422) if file is None else _told(visit, code, file, dry_run=True)


def _told(visit: Visit, code: str, file: File, *, dry_run: bool) -> Response:
    reason, overrides = reason_of(visit), _overrides(visit)
    sender = Sender(Way.OPERATOR, code, visit.me.actor, reason, overrides, mail_to=None)
    try:
        done = visit.site.desk.take_from(sender, file, visit.now, dry_run=dry_run)
    except NoSuchEntity:
        return form(visit, "switched_off", 409)
    if not dry_run:
        is_whole = done.handled.outcome in {Outcome.ACCEPTED, Outcome.DUPLICATE}
        note = "known" if done.is_known else "entered" if is_whole else "not_whole"
        return visit.go(f"{CONSOLE}/letters/{done.letter}?note={note}")
    return visit.page(
        "console_entered.html",
        code=code,
        file=file,
        digest=file.sha256,
        reason=reason,
        rules=[(one, title(one, visit.language)) for one in sorted(overrides, key=str)],
        documents=views(visit, done),
        about=about(visit, done),
        outcome=done.handled.outcome.value,
    )


def _entity(visit: Visit) -> str:
    code = visit.part("code")
    check_code(visit.service.ledger, code)
    return code


def _overrides(visit: Visit) -> frozenset[Code]:
    named = set(map(str, OVERRIDABLE))
    chosen = (value for value in visit.fields.getlist("override") if value in named)
    return frozenset(Code(str(value)) for value in chosen)


def _file(visit: Visit, code: str) -> File:
    """The file of the form, or the document of the reading that was typed.

    Raises:
        ValueError: a note of the form says what is wrong with it.
    """
    try:
        return file_of(visit)
    except BadFile as bad:
        if bad.note != "no_file":
            raise
    value = visit.text("value").strip()
    if not value:
        raise ValueError("nothing_given")
    at = moment_of(visit.text("day").strip()[:_FIELD_MOST], hour_of(visit.text("hour")))
    if at is None:
        raise ValueError("no_day")
    for one in registers(visit.service.ledger, code, at):
        if one.key == visit.text("register"):
            reading = TypedReading(
                one.meter, at, number_of(value[:_FIELD_MOST]), one.channel, one.zone, one.point
            )
            return typed_document([reading], code, visit.now)
    raise ValueError("no_register")


def withdrawal(
    visit: Visit, note: str = "", status: int = 200, told: Withdrawal | None = None
) -> Response:
    """The receipt, the point and the reason; then what would change.

    Args:
        visit: The request.
        note: A key of the words: what is told above the page; '' for nothing.
        status: Of the answer, an HTTP status.
        told: What would change, once it was asked.
    """
    number = visit.number()
    try:
        subject = subject_of(visit.service.ledger, number)
    except CannotWithdraw:
        raise HTTPException(404) from None
    return visit.page(
        "console_withdraw.html",
        status,
        subject=subject,
        points=sorted({code for _, _, code in subject.points}),
        point=visit.text("point") or visit.asked("point"),
        reason=reason_of(visit),
        told=told,
        shown=_energies(told) if told else [],
        mark=_mark(told) if told else "",
        note=note,
    )


_CHANGES_MOST = 200


def _energies(told: Withdrawal) -> list[MonthChange]:
    """Changes of a consumption; of others only what is thought of it is different."""

    def energy(number: Number | None) -> int | None:
        return number.energy if number else None

    changes = (one for one in told.changes if energy(one.change.before) != energy(one.change.after))
    return list(changes)[:_CHANGES_MOST]


def withdrawn(visit: Visit) -> Response:
    """The consequence is told; the second sending of that very list withdraws."""
    number = visit.number()
    reason, service = reason_of(visit), visit.service
    if not reason:
        return withdrawal(visit, "reason_told", 422)
    order = Order(number, visit.me.actor, reason, visit.text("point") or None)
    try:
        told = consequence(order, service.ledger, service.policy, visit.now)
        seen = visit.text("mark")
        if _mark(told) != seen:
            return withdrawal(visit, "changed_list" if seen else "", 422 if seen else 200, told)
        done = withdraw(
            Order(number, order.who, reason, order.point, anyway=True),
            service.ledger, service.policy, visit.now,
        )  # fmt: skip
    except CannotWithdraw:
        return withdrawal(visit, "cannot_withdraw", 409)
    receipt = done.done.receipt if done.done else number
    letter = page(service.ledger, None, 1, Sought(receipt=receipt)).letters[0].id
    return visit.go(f"{CONSOLE}/letters/{letter}?note=withdrawn")


def _mark(told: Withdrawal) -> str:
    removed = told.done and told.done.removed
    return fingerprint((told.changes, removed))
