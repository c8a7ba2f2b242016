"""What a letter that came back says: whose, for good or for now, and why. Pure and total.

Source: RFC 3464 and 6533 (delivery status), RFC 3462 (multipart/report), RFC 3463 (status
codes); without a delivery status, the texts of Exim, qmail and the Russian providers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from ingest.letters import mime
from ingest.letters.body import html_text
from ingest.letters.decoding import header_text, one_line, text_of
from ingest.letters.terms import Bounce

TEXT_MOST = 300
"""Characters of a server's answer that are kept."""

IDS_MOST = 20
BLOCKS_MOST = 50
"""Blocks of a delivery status: the first is of the letter, each other one of a recipient."""

LOOKED_MOST = 256 * 1024
"""Bytes that are looked at: the report stands before what is returned."""

_BOUNCER = re.compile(rb"(?i)(?:mailer-daemon|mail-daemon|postmaster)@|^\s*<>\s*$")
_QUOTED_ID = re.compile(
    r"(?i)(?<![\w-])(?:x-)?(?:original[- ])?(?:message[- ]id|идентификатор (?:сообщения|письма))"
    rf"[:\s>]{{0,20}}({mime.MESSAGE_ID.pattern})"
)
_RETURNED = re.compile(
    r"(?im)^[> \t]*(?:(?:return-path|received|dkim-signature|mime-version):"
    r"|-{3,} ?(?:this is a copy|below this line))"
)
"""Where the letter that came back begins, in a text that quotes it."""

_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])|(?<![\d.])([45]\d\d)[ -]")
_WARNING = re.compile(
    r"(?i)\b(?:delayed|warning only|will (?:be )?(?:retr|keep trying|continue)|not yet been"
    r"|you do not need to resend)|отложен|задерж|повторн\w* попыт|попыт[^.]{0,40} продолж"
)
_GIVEN_UP = re.compile(r"(?i)permanent error|given up|not going to try again|timeout exceeded")
_DELIVERY_STATUSES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})
_OTHER_REPORTS = (b"disposition-notification", b"feedback-report")


def bounce_in(content: bytes, fields: mime.Fields) -> Bounce | None:
    """What came back, when the letter is a report of a mail server; None: it is none.

    An automatic reply of a person's mailbox, a read receipt and a complaint are none.

    Args:
        content: The whole letter.
        fields: Its header.
    """
    kind = b" ".join(fields.get("content-type", ())).lower()
    is_report = b"multipart/report" in kind
    # Exim writes no report; its header names the recipient.
    is_bouncer = "x-failed-recipients" in fields or any(
        _BOUNCER.search(value) for value in fields.get("from", ())
    )
    if not (is_report or is_bouncer):
        return None
    enclosed: list[mime.Fields] = []
    try:
        parts = list(mime.walk(content, heard=enclosed.append))
    except mime.TooManyPartsError:
        return None
    status = _status(part for part in parts if part.content_type in _DELIVERY_STATUSES)
    if status is None and (not is_bouncer or any(other in kind for other in _OTHER_REPORTS)):
        return None
    if status is not None and _word(status["action"]) in _ARRIVED:
        return None
    read = _read(parts)
    # The letter that came back may say anything.
    told = _RETURNED.split("\n".join(text for part, text in read if _is_text(part)), maxsplit=1)[0]
    texts = [text for _, text in read]
    if status is not None:
        return _of_status(status, tuple(_ids(enclosed, texts, fields.get("in-reply-to", ()))), told)
    failed = fields.get("x-failed-recipients", ())
    return Bounce(
        tuple(_ids(enclosed, texts)),
        # Exim names them once it has given up.
        bool(failed) or _is_for_good(told),
        _code_in(told),
        _reason(told),
        header_text(failed[0], TEXT_MOST) if failed else "",
    )


def _read(parts: Iterable[mime.Part]) -> Sequence[tuple[mime.Part, str]]:
    """The parts that are of the report itself, and their texts."""
    found, room = [], LOOKED_MOST
    for part in parts:
        if part.enclosed == 0 and part.content_type.startswith(("text/", "message/")):
            content, read = part.content[:room], html_text if part.is_html else text_of
            found.append((part, read(content, part.charset)))
            room -= len(content)
    return found


def _is_text(part: mime.Part) -> bool:
    return part.content_type.startswith("text/") and part.content_type != "text/rfc822-headers"


def _ids(
    enclosed: Sequence[mime.Fields], texts: Iterable[str], answered: Sequence[bytes] = ()
) -> Iterable[str]:
    """Message-IDs of the letter that came back, the likeliest first.

    Args:
        enclosed: Headers of letters in the report.
        texts: Of its parts: headers as a part of their own, or quoted.
        answered: What the report says that it answers; Exchange may return no more.
    """
    found: dict[str, None] = {}
    for fields in enclosed[:1]:
        for value in fields.get("message-id", ())[:1]:
            found.update(dict.fromkeys(mime.MESSAGE_ID.findall(value.decode("latin-1"))))
    for text in texts:
        found.update(dict.fromkeys(_QUOTED_ID.findall(text)))
    for value in answered[:1]:
        found.update(dict.fromkeys(mime.MESSAGE_ID.findall(value.decode("latin-1"))))
    return list(found)[:IDS_MOST]


def _status(parts: Iterable[mime.Part]) -> Mapping[str, str] | None:
    """The fields of the first recipient that failed, else of the first that is named."""
    first: Mapping[str, str] | None = None
    for part in islice(parts, 1):
        # Blocks of fields: of the message, then of each recipient.
        looked = part.content[:LOOKED_MOST]
        for block in re.split(rb"\r?\n(?:[ \t]*+\r?\n)++", looked, maxsplit=BLOCKS_MOST)[
            :BLOCKS_MOST
        ]:
            fields, _ = mime.split_header(block.strip() + b"\n\n", 0, len(block) + 2)
            told = {name: header_text(values[0], 2000) for name, values in fields.items()}
            if "action" not in told:
                continue
            first = first or told
            if _word(told["action"]) == "failed":
                return told
    return first


def _of_status(status: Mapping[str, str], ids: tuple[str, ...], told: str) -> Bounce:
    answer = status.get("diagnostic-code", "") or _reason(told)
    code = _code_in(status.get("status", "")) or _code_in(answer)
    recipient = status.get("original-recipient") or status.get("final-recipient", "")
    return Bounce(
        ids,
        _word(status["action"]) == "failed",
        code,
        one_line(re.sub(r"(?i)^\s*(?:smtp|x-[\w-]+)\s*;\s*", "", answer))[:TEXT_MOST],
        one_line(recipient.rpartition(";")[2]).strip("<>")[:TEXT_MOST],
    )


def _word(text: str) -> str:
    return re.split(r"[\s(;]", text.strip().lower(), maxsplit=1)[0]


def _is_for_good(told: str) -> bool:
    """Whether a text without a delivery status says that the letter will never arrive."""
    is_late = _WARNING.search(told) or _code_in(told).startswith("4")
    return not is_late or bool(_GIVEN_UP.search(told))


def _code_in(text: str) -> str:
    """The first status code of RFC 3463, else of SMTP; '' without one."""
    found = list(_CODE.finditer(text))
    enhanced = next((match[1] for match in found if match[1]), "")
    return enhanced or next((match[2] for match in found if match[2]), "")


def _reason(told: str) -> str:
    """The line that has the server's answer, else what follows the recipient, else the first."""
    lines = [line for line in map(one_line, told.splitlines()) if line]
    coded = next((line for line in lines if _CODE.search(line)), "")
    if not coded:
        after = next((number for number, line in enumerate(lines, 1) if "@" in line), 0)
        coded = " ".join(lines[after : after + 3] or lines[-3:])
    return coded[:TEXT_MOST]
