"""Whether a letter is recorded and answered: loops, bounces, lists, machines. Pure.

Source: RFC 3834, sections 2 and 5; RFC 3464; `X-Auto-Response-Suppress` of
Microsoft Exchange; the list in `docs/letters.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ingest.letters.letter import LIST_FIELDS
from ingest.letters.terms import Letter


@dataclass(frozen=True, slots=True)
class Gate:
    """What may be done with a letter.

    Attributes:
        record: False: it is ignored, whatever it holds.
        answer: Whether a reply may go out at all.
        only_authenticated: A machine sent it: it gets an answer when it proves
            its sender, and no refusal otherwise.
        reason: Why it is not an ordinary letter, for the log; '' when it is one.
    """

    record: bool
    answer: bool
    only_authenticated: bool = False
    reason: str = ""


def may_answer(
    letter: Letter,
    has_document: bool,
    own_addresses: Collection[str],
    own_ids: Callable[[str], bool],
    groups: Collection[str] = (),
) -> Gate:
    """Whether a letter is recorded and answered.

    Args:
        letter: As read; nothing in it is trusted.
        has_document: Whether anything in it may be a layout.
        own_addresses: Ours, in lower case.
        own_ids: Whether a Message-ID is of a letter that we sent.
        groups: List-Ids, in lower case, of the groups through which our mail comes.
    """
    group = _list_id(letter)
    if group and group not in groups:
        return Gate(record=False, answer=False, reason="mailing list")
    if reason := _never(letter, own_addresses, own_ids, through_group=bool(group)):
        return Gate(record=False, answer=False, reason=reason)
    reason = f"group: {group}" if group else _by_machine(letter)
    if reason and not has_document:
        return Gate(record=False, answer=False, reason=reason)
    if not letter.reply_to or is_own(letter.reply_to, own_addresses):
        return Gate(record=True, answer=False, reason="no address to answer to")
    return Gate(record=True, answer=True, only_authenticated=bool(reason), reason=reason)


def is_own(address: str, own_addresses: Collection[str]) -> bool:
    """Whether an address is one of ours, whatever its +tag."""
    name, at, domain = address.partition("@")
    return not {address, name.partition("+")[0] + at + domain}.isdisjoint(own_addresses)


def _list_id(letter: Letter) -> str:
    """The identifier of the list that passed a letter on, in lower case; '' without one.

    Source: RFC 2919, section 3: it stands in angle brackets behind a description.
    """
    for value in _values(letter, "list-id"):
        bracketed = re.search(r"<([^<>]*)>\s*$", value)
        return (bracketed[1] if bracketed else value).strip().lower() or "?"
    return ""


def _never(
    letter: Letter,
    own_addresses: Collection[str],
    own_ids: Callable[[str], bool],
    *,
    through_group: bool,
) -> str:
    """Why a letter is ignored even with a document, '' when it is not."""
    submitted = _words(letter, "auto-submitted")
    if submitted - {"no", "auto-generated"}:
        return "auto-submitted: auto-replied"
    if letter.return_path == "":
        return "null return path"
    if any("multipart/report" in value.lower() for value in _values(letter, "content-type")):
        return "multipart/report"
    # A group writes its own address into From, and the sender's into Reply-To.
    sender = letter.reply_to if through_group else letter.sender
    if is_own(sender, own_addresses) or is_own(letter.return_path or "", own_addresses):
        return "our own address"
    if letter.message_id and own_ids(letter.message_id):
        return "our own letter"
    if _BOUNCER.match(letter.sender) or _values(letter, "x-failed-recipients"):
        return "bounce"
    return "automatic reply" if any(_values(letter, name) for name in _AUTOREPLIES) else ""


_AUTOREPLIES = ("x-autoreply", "x-autorespond", "x-autoresponder")
_BOUNCER = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon)@")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_OUT_OF_OFFICE = re.compile(
    r"(?i)\s*(?:автоответ|автоматический ответ|auto(?:matic)?[ -]?(?:response|reply)"
    r"|out of (?:the )?office)\b"
)


def _by_machine(letter: Letter) -> str:
    """Why a letter counts as a machine's, '' when a person may have written it."""
    if "auto-generated" in _words(letter, "auto-submitted"):
        return "auto-submitted: auto-generated"
    if bulk := _words(letter, "precedence") & _BULK:
        return f"precedence: {min(bulk)}"
    if any(_values(letter, name) for name in LIST_FIELDS):
        return "mailing list without List-Id"
    if _words(letter, "x-auto-response-suppress") - {"none"}:
        return "x-auto-response-suppress"
    return "automatic reply" if _OUT_OF_OFFICE.match(letter.subject) else ""


def _values(letter: Letter, name: str) -> tuple[str, ...]:
    return tuple(value for value in letter.headers.get(name, ()) if value)


def _words(letter: Letter, name: str) -> set[str]:
    """The first words of a header's values, in lower case, without comments."""
    words = (
        re.split(r"[;,(\s]", value.strip().lower(), maxsplit=1)[0]
        for value in _values(letter, name)
    )
    return {word for word in words if word}
