"""What needs a person, and the small acts that end it in place."""

from __future__ import annotations

from starlette.responses import Response

from ingest.operations.bounces import settle
from ingest.operations.console.needs import SUSPECTS_MOST, answer_request, needs
from ingest.operations.locks import unlock
from ingest.operations.status import status
from ingest.web.site import CONSOLE, Visit, number_in

_SHOWN = 25


def page(visit: Visit, note: str = "", code: int = 200) -> Response:
    """All that needs a person; the sign-in page for who is not signed in."""
    if visit.operator is None:
        return visit.sign_in_page()
    return visit.page(
        "console_needs.html",
        code,
        needs=needs(visit.service, visit.site.lacks, visit.now),
        suspects_most=SUSPECTS_MOST,
        note=note or visit.asked("note"),
        shown=_SHOWN,
    )


def status_page(visit: Visit) -> Response:
    """All that `status` tells: mail servers with their last faults, queues, what ends when."""
    return visit.page("console_status.html", s=status(visit.service, visit.now))


def settled(visit: Visit) -> Response:
    """What did not reach an address is settled."""
    done = settle(visit.service.ledger, visit.text("address"), visit.me.actor, visit.now)
    return visit.go(CONSOLE) if done else page(visit, "done_before", 409)


def opened(visit: Visit) -> Response:
    """The wrong passwords for a user code are forgotten."""
    done = unlock(
        visit.service, visit.text("code"), visit.text("address") or None, visit.me.actor, visit.now
    )
    return visit.go(CONSOLE) if done else page(visit, "done_before", 409)


def answered(visit: Visit) -> Response:
    """A request for access is dealt with."""
    answer = visit.text("answer").strip()
    if not answer:
        return page(visit, "say_what", 422)
    number = number_in(visit.text("number"))
    done = answer_request(visit.service.ledger, number, visit.me.actor, answer[:1000], visit.now)
    return visit.go(CONSOLE) if done else page(visit, "done_before", 409)
