"""Letters found, the story of one, and letters once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.operations.account.receipts import mailed_of
from ingest.operations.console.letters import page, parts_of, source_of
from ingest.operations.letters import details, replay
from ingest.operations.refused import Refused
from ingest.operations.told import ToldFinding, told_finding
from ingest.web.account.receipts import one_of
from ingest.web.site import CONSOLE, Visit, number_in
from layouts.findings import Finding
from layouts.months import MOSCOW
from storage.records.letters import LetterDetails, LetterState, Sought

_A_PAGE = 50
_FIELDS = ("state", "entity", "claimed", "sender", "subject", "receipt", "since", "until")
STATES = (
    "claimed", "quarantined", "accepted", "partly_accepted", "rejected", "refused", "duplicate",
    "ignored",
)  # fmt: skip
"""What letters are looked for by: those without a verdict, in quarantine, by verdict."""


def listing(visit: Visit, note: str = "", status: int = 200) -> Response:
    """Letters by what is asked, the latest first."""
    asked = {name: visit.asked(name).strip()[:200] for name in _FIELDS}
    problem = ""
    found, before = None, visit.asked_number("before")
    try:
        sought = _sought(asked)
    except ValueError:
        problem = "not_understood"
    else:
        found = page(visit.service.ledger, before, _A_PAGE, sought)
    query = {name: value for name, value in asked.items() if value}
    more = None
    if found is not None and found.before is not None:
        more = urlencode({**query, "before": found.before})
    return visit.page(
        "console_letters.html",
        422 if problem else status,
        asked=asked,
        found=found,
        first=urlencode(query) if before is not None else None,
        more=more,
        states=STATES,
        note=note or problem or visit.asked("note"),
        put_back=visit.asked("put_back"),
        stayed=visit.asked("kept"),
    )


def _sought(asked: dict[str, str]) -> Sought:
    """What the store is asked.

    Raises:
        ValueError: a day or a number is none.
    """
    state, receipt = asked["state"], asked["receipt"].removeprefix("№").strip()
    is_of_ledger = state in {LetterState.CLAIMED, LetterState.QUARANTINED}
    if state and not is_of_ledger and state not in STATES:
        raise ValueError(state)
    if asked["receipt"] and not (receipt.isascii() and receipt.isdecimal() and len(receipt) <= 9):
        raise ValueError(receipt)
    return Sought(
        state=state if is_of_ledger else None,
        outcome=(state or None) if not is_of_ledger else None,
        entity=asked["entity"] or None,
        claimed=asked["claimed"] or None,
        sender=asked["sender"],
        subject=asked["subject"],
        receipt=int(receipt) if receipt else None,
        since=_day(asked["since"]) if asked["since"] else None,
        until=_day(asked["until"]) + timedelta(days=1) if asked["until"] else None,
    )


def _day(text: str) -> datetime:
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=MOSCOW)
    if not 1990 <= day.year <= 2200:
        raise ValueError(text)
    return day


def story(visit: Visit, note: str = "", status: int = 200) -> Response:
    """All that is known of one letter."""
    whole = _whole(visit)
    return visit.page(
        "console_letter.html",
        status,
        whole=whole,
        findings=_told(visit, whole.findings),
        submissions=[(one, _told(visit, one.findings)) for one in whole.submissions],
        replies=[(one, mailed_of(one) if one.content else None) for one in whole.replies],
        seen=_seen(whole),
        note=note or visit.asked("note"),
    )


def _told(visit: Visit, findings: Sequence[Finding]) -> list[ToldFinding]:
    """Findings with their places in the visit's language."""
    return [
        replace(told_finding(item, visit.language), place=visit.words.writing.places([item.place]))
        for item in findings
    ]


def _whole(visit: Visit) -> LetterDetails:
    return details(visit.service.ledger, visit.number())


def _seen(whole: LetterDetails) -> str:
    """What a form was made of: another operator may act meanwhile."""
    settled = whole.settled_at
    return f"{whole.summary.state} {settled.timestamp() if settled else ''}"


def once_more(visit: Visit) -> Response:
    """One letter is put back, unless somebody acted on it since the page was made."""
    whole = _whole(visit)
    if visit.text("seen") != _seen(whole):
        return story(visit, "changed_meanwhile", 409)
    number = whole.summary.id
    done = replay(visit.service, [number], visit.me.actor, visit.now)
    name = "put_back" if done.put_back else "kept"
    return visit.go(f"{CONSOLE}/letters/{number}?note={name}")


def many_once_more(visit: Visit) -> Response:
    """Those that were chosen are put back."""
    chosen = [value for value in visit.fields.getlist("letter") if isinstance(value, str)]
    numbers = sorted({number_in(value) for value in chosen})[:_A_PAGE]
    if not numbers:
        return listing(visit, "choose", 422)
    done = replay(visit.service, numbers, visit.me.actor, visit.now)
    told = {"put_back": len(done.put_back), "kept": len(done.not_found)}
    return visit.go(f"{CONSOLE}/letters?{urlencode(told)}")


def reply(visit: Visit) -> Response:
    """A reply as it was mailed."""
    whole, number = _whole(visit), visit.number("reply")
    for one in whole.replies:
        if one.id == number:
            return visit.file(one.content, f"reply-{number}.eml", "application/octet-stream")
    raise HTTPException(404)


def attached(visit: Visit) -> Response:
    """A file of a reply."""
    whole, number = _whole(visit), visit.number("reply")
    return one_of(visit, [f for r in whole.replies if r.id == number for f in mailed_of(r).files])


def sources(visit: Visit) -> Response:
    """The parts of the letter as it lies on the mail server, to be taken one by one."""
    number = visit.number()
    try:
        found = parts_of(visit.service, number, visit.me.actor, visit.now)
    except Refused:
        return story(visit, "no_source", 409)
    return visit.page("console_parts_of.html", number=number, found=found[:_PARTS_MOST])


_PARTS_MOST = 200


def source(visit: Visit) -> Response:
    """The letter, or a part of it, as a download that no browser renders."""
    number = visit.number()
    at = number_in(visit.text("part")) if visit.text("part") else None
    try:
        content, name = source_of(visit.service, number, at, visit.me.actor, visit.now)
    except Refused:
        return story(visit, "no_source", 409)
    return visit.file(content, name, "application/octet-stream")
