"""Registration and a new password: the same words whatever is true."""

from __future__ import annotations

from starlette.responses import Response

from ingest.operations.account.access import ask, choose, link_of
from ingest.operations.registry import WeakPassword
from ingest.web.site import Visit

_MOST = 320


def form(visit: Visit) -> Response:
    """Code and address."""
    return visit.page("registration.html", note="", code="", address="")


def send(visit: Visit) -> Response:
    """Somebody asks for a link."""
    code, address = visit.text("code").strip()[:_MOST], visit.text("address").strip()[:_MOST]
    if not code or "@" not in address:
        return visit.page("registration.html", 422, note="both", code=code, address=address)
    ask(visit.service, code, address, visit.network, visit.now)
    return visit.page("registration.html", note="sent", code=code, address=address)


def link(visit: Visit) -> Response:
    """The form behind a link that was mailed."""
    found = link_of(visit.service, visit.part("secret"), visit.now)
    return visit.page("password.html", 200 if found else 404, link=found, note="", chosen=None)


def set_password(visit: Visit) -> Response:
    """A password was chosen, or one is to be made."""
    secret = visit.part("secret")
    password = "" if visit.text("make") else visit.text("password")
    found = link_of(visit.service, secret, visit.now)
    note = ""
    if found is not None and not visit.text("make"):
        note = "empty" if not password else ""
        note = note or ("differ" if password != visit.text("again") else "")
    if found is None or note:
        status = 422 if found else 404
        return visit.page("password.html", status, link=found, note=note, chosen=None)
    try:
        chosen = choose(visit.service, secret, password, visit.now)
    except WeakPassword as weak:
        note = f"weak_{weak.reason.name.lower()}"
        return visit.page("password.html", 422, link=found, note=note, chosen=None)
    return visit.page("password.html", 200 if chosen else 404, link=None, note="", chosen=chosen)
