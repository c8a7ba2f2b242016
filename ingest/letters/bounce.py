"""What a letter that came back says: whose, for good or for now, and why. Pure and total.

Source: RFC 3464 (delivery status), RFC 3462 (multipart/report), RFC 3463 (status codes);
without a delivery status, the texts of Exim, qmail and the Russian providers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ingest.letters import mime
from ingest.letters.decoding import header_text, one_line, text_of
from ingest.letters.terms import Bounce

TEXT_MOST = 300
"""Characters of a server's answer that are kept."""

IDS_MOST = 20
LOOKED_MOST = 256 * 1024
"""Bytes of one part that are looked at: the report stands before what is returned."""

_BOUNCER = re.compile(rb"(?i)(?:mailer-daemon|mail-daemon|postmaster)@|^\s*<>\s*$")
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,500}>")
_QUOTED_ID = re.compile(
    rb"(?im)^[> \t]*(?:original-|x-original-)?message-id:\s*(<[!-;=?-~]{1,500}>)"
)
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])|(?<![\d.])([45]\d\d)[ -]")
_WARNING = re.compile(
    r"(?i)\b(?:delayed|warning only|will (?:be )?(?:retr|keep trying|continue)|not yet been"
    r"|you do not need to resend)|отложен|задерж|повторн\w* попыт"
)
_DELIVERY_STATUS = "message/delivery-status"


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
    status = _status(part for part in parts if part.content_type == _DELIVERY_STATUS)
    own = [part for part in parts if part.enclosed == 0]
    if status is None and (not is_bouncer or b"disposition-notification" in kind):
        return None
    texts = [text_of(part.content[:LOOKED_MOST], part.charset) for part in own if _is_text(part)]
    ids = tuple(_ids(enclosed, own))
    if status is not None:
        return _of_status(status, ids)
    told = "\n".join(texts)
    return Bounce(ids, _is_for_good(told), _code_in(told), _reason(told), _failed(fields))


def _is_text(part: mime.Part) -> bool:
    return part.content_type.startswith("text/") and part.content_type != "text/rfc822-headers"


def _ids(enclosed: Sequence[mime.Fields], parts: Sequence[mime.Part]) -> Iterable[str]:
    """Message-IDs of the letter that came back, the likeliest first."""
    found: dict[bytes, None] = {}
    for fields in enclosed[:1]:
        for value in fields.get("message-id", ())[:1]:
            found.update(dict.fromkeys(_MESSAGE_ID.findall(value)))
    for part in parts:
        # Headers as a part of their own, or quoted in the text.
        found.update(dict.fromkeys(_QUOTED_ID.findall(part.content[:LOOKED_MOST])))
    return (one.decode("ascii") for one in list(found)[:IDS_MOST])


def _status(parts: Iterable[mime.Part]) -> Mapping[str, str] | None:
    """The fields of the first recipient that failed, else of the first that is named."""
    first: Mapping[str, str] | None = None
    for part in parts:
        # Blocks of fields: of the message, then of each recipient.
        for block in re.split(rb"\r?\n(?:[ \t]*\r?\n)+", part.content[:LOOKED_MOST]):
            fields, _ = mime.split_header(block.strip() + b"\n\n", 0, len(block) + 2)
            told = {name: header_text(values[0], 2000) for name, values in fields.items()}
            if "action" not in told:
                continue
            first = first or told
            if _word(told["action"]) == "failed":
                return told
    return first


def _of_status(status: Mapping[str, str], ids: tuple[str, ...]) -> Bounce:
    answer = status.get("diagnostic-code", "")
    code = _code_in(status.get("status", "")) or _code_in(answer)
    recipient = status.get("original-recipient") or status.get("final-recipient", "")
    return Bounce(
        ids,
        _word(status["action"]) == "failed",
        code,
        one_line(re.sub(r"(?i)^\s*(?:smtp|x-[\w-]+)\s*;\s*", "", answer))[:TEXT_MOST],
        one_line(recipient.rpartition(";")[2])[:TEXT_MOST],
    )


def _word(text: str) -> str:
    return re.split(r"[\s(;]", text.strip().lower(), maxsplit=1)[0]


def _is_for_good(told: str) -> bool:
    """Whether a text without a delivery status says that the letter will never arrive."""
    return not _WARNING.search(told) and not _code_in(told).startswith("4")


def _code_in(text: str) -> str:
    """The first status code of RFC 3463, else of SMTP; '' without one."""
    found = list(_CODE.finditer(text))
    enhanced = next((match[1] for match in found if match[1]), "")
    return enhanced or next((match[2] for match in found if match[2]), "")


def _reason(told: str) -> str:
    """The line that has the server's answer, else the first ones of the text."""
    lines = [line for line in map(one_line, told.splitlines()) if line]
    coded = next((line for line in lines if _CODE.search(line)), "")
    return (coded or " ".join(lines[:3]))[:TEXT_MOST]


def _failed(fields: mime.Fields) -> str:
    values = fields.get("x-failed-recipients", [b""])
    return header_text(values[0], TEXT_MOST)
