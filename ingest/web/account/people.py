"""Who and what may use an account: users, programs, sessions, reminders, the password."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from ingest.operations.account.access import (
    access,
    change_password,
    change_user,
    end_token,
    invite,
    make_token,
    set_reminders,
)
from ingest.operations.account.sessions import Attempt, end_others, sessions_of
from ingest.operations.registry import WeakPassword
from ingest.web.site import Visit, number_in
from storage.records.access import Role

_DAYS = (30, 90, 365)
_ROLES = (Role.SENDS, Role.READS)
_FIELDS = ("user", "address", "role", "active", "name", "days")
_SESSIONS_MOST = 50


def people(visit: Visit, status: int = 200, *, note: str = "", secret: str = "") -> Response:
    """All of it; what only the owner decides is shown to the owner alone.

    Args:
        visit: The request.
        status: Of the answer, an HTTP status.
        note: A key of the words: what is told above the page; '' for nothing.
        secret: A token that was just made, shown once.
    """
    since = visit.asked("users").strip().lower()[:320]
    before = visit.asked_number("tokens")
    told = access(visit.service, visit.who.entity, since, before)
    sessions = sessions_of(visit.service.ledger, visit.who, visit.now)
    is_done = note in {"invited", "token"}
    return visit.page(
        "people.html",
        status,
        note=note,
        secret=secret,
        typed={name: "" if is_done else visit.text(name) for name in _FIELDS},
        addresses=told.addresses,
        users=told.users,
        users_since=since,
        next_users=told.next_user and urlencode({"users": told.next_user}),
        here=f"?{urlencode({'users': since})}" if since else "",
        tokens=told.tokens,
        tokens_before=before,
        next_token=told.next_token,
        reminders=told.reminders,
        sessions=sessions[:_SESSIONS_MOST],
        more_sessions=max(0, len(sessions) - _SESSIONS_MOST),
        roles=_ROLES,
        days=_DAYS,
    )


def invited(visit: Visit) -> Response:
    """Invite a user, or change one."""
    role = _role(visit.text("role"))
    if not visit.text("user"):
        done = invite(visit.service, visit.who, visit.text("address"), role, visit.now)
        return people(visit, 200 if done else 422, note="invited" if done else "no_address")
    change_user(
        visit.service,
        visit.who,
        number_in(visit.text("user")),
        role=role,
        active=bool(visit.text("active")),
        now=visit.now,
    )
    page = urlencode({"users": visit.asked("users")}) if visit.asked("users") else ""
    return visit.go(f"/people?{page}#users" if page else "/people#users")


def token(visit: Visit) -> Response:
    """Make a token, or end one."""
    if visit.text("token"):
        end_token(visit.service, visit.who, number_in(visit.text("token")), visit.now)
        return visit.go("/people#programs")
    chosen = visit.text("days")
    days = int(chosen) if chosen in map(str, _DAYS) else _DAYS[0]
    secret = make_token(visit.service, visit.who, visit.text("name"), days, visit.now)
    return people(visit, note="token", secret=secret)


def sessions(visit: Visit) -> Response:
    """End the other sessions."""
    end_others(visit.service.ledger, visit.who)
    return visit.go("/people#sessions")


def reminders(visit: Visit) -> Response:
    """Remind, or not."""
    set_reminders(visit.service, visit.who.entity, wanted=bool(visit.text("reminders")))
    return visit.go("/people#reminders")


def password(visit: Visit) -> Response:
    """Another password; every session ends with the old one, this one too."""
    if visit.text("password") != visit.text("again") or not visit.text("password"):
        return people(visit, 422, note="differ")
    attempt = Attempt(
        visit.who.account.address or visit.who.entity,
        visit.text("old"),
        visit.network,
        visit.browser,
    )
    try:
        done = change_password(visit.service, visit.who, attempt, visit.text("password"), visit.now)
    except WeakPassword as weak:
        return people(visit, 422, note=f"weak_{weak.reason.name.lower()}")
    if not done:
        return people(visit, 422, note="old_wrong")
    return visit.go("/?note=changed")


def _role(text: str) -> Role:
    return Role(text) if text in {role.value for role in _ROLES} else Role.READS
