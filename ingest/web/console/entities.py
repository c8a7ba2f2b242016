"""Legal entities with points, meters and changes; a new password by telephone."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.responses import Response

from ingest.operations.account.access import access, switch_user_off
from ingest.operations.locks import locks
from ingest.operations.registry import named, set_password, story
from ingest.web.site import CONSOLE, Visit, number_in

_SHOWN = 100
_CHANGES = 50


def listing(visit: Visit) -> Response:
    """Entities whose code, name, INN or address holds a text."""
    wanted = visit.asked("text").strip()[:200].casefold()
    after = visit.asked("after")[:100]
    found = [
        one
        for one in named(visit.service.ledger)
        if one.user_code > after
        and wanted in " ".join((one.user_code, one.name, one.inn, *one.addresses)).casefold()
    ]
    return visit.page(
        "console_entities.html",
        found=found[:_SHOWN],
        after=after,
        first=urlencode({"text": wanted}),
        next=urlencode({"text": wanted, "after": found[_SHOWN - 1].user_code})
        if len(found) > _SHOWN
        else None,
        text=visit.asked("text"),
        note=visit.asked("note"),
    )


def one(visit: Visit, made: str = "", note: str = "", status: int = 200) -> Response:
    """One entity, and what of it was changed by whom.

    Args:
        visit: Names the entity.
        made: A new password, shown this once.
        note: Key of what is said above.
        status: Of the answer.
    """
    since = visit.asked("users").strip().lower()[:320]
    told = story(visit.service.ledger, visit.part("code"))
    users = access(visit.service, told.entity.user_code, since)
    return visit.page(
        "console_entity.html",
        status,
        entity=told.entity,
        changes=told.changes[: -_CHANGES - 1 : -1],
        made=made,
        access=users,
        users_since=since,
        next_users=users.next_user and urlencode({"users": users.next_user}),
        locks=[
            lock
            for lock in locks(visit.service, visit.now)
            if lock.user_code == told.entity.user_code
        ],
        note=note,
    )


def new_password(visit: Visit) -> Response:
    """A password is made, and shown once; the one before holds no more."""
    return one(visit, set_password(visit.service, visit.part("code"), "", visit.me.actor))


def user_off(visit: Visit) -> Response:
    """A user of the entity's account is let in no more."""
    code, user = visit.part("code"), number_in(visit.text("user"))
    if not switch_user_off(visit.service, code, user, visit.me.actor, visit.now):
        return one(visit, note="done_before", status=409)
    return visit.go(f"{CONSOLE}/entities/{quote(code, safe='')}")
