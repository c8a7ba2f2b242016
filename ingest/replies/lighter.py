"""A reply without its workbooks, for a mail server that refused it as too large (552)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from functools import cache
from html import escape

from ingest.replies.wording import wording
from layouts.terms import LANGUAGES

_BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_POLICY = policy.compat32.clone(linesep="\r\n", max_line_length=0)
_NOTE = (
    "Книга не приложена: почтовый сервер не принимает письма такого размера. "
    "The workbook is not attached: the mail server takes no letter of this size."
)


def lighter(content: bytes) -> bytes | None:
    """The same mail without its workbooks, which says so; None when it has none.

    Headers stay byte for byte, the Message-ID among them.
    """
    head, blank, _ = content.partition(b"\r\n\r\n")
    mail = message_from_bytes(content)
    parts = mail.get_payload()
    if not isinstance(parts, list):
        return None
    whole = [part for part in parts if isinstance(part, Message)]
    kept = [part for part in whole if part.get_content_type() != _BOOK]
    if len(kept) == len(whole):
        return None
    parts[:] = kept
    for part in mail.walk():
        _say(part)
    return head + blank + mail.as_bytes(policy=_POLICY).partition(b"\r\n\r\n")[2]


def _say(part: Message) -> None:
    """Say in a text that is shown what is not attached; others are left as they are."""
    kind = part.get_content_type()
    if kind not in {"text/plain", "text/html"} or part.get_filename():
        return
    content = part.get_payload(decode=True)
    text = content.decode("utf-8") if isinstance(content, bytes) else ""
    text = _promises().sub("", text)
    if kind == "text/plain":
        text += f"\r\n{_NOTE}\r\n"
    else:
        end = text.rfind("</body>")
        end = len(text) if end < 0 else end
        text = f"{text[:end]}<p>{escape(_NOTE)}</p>{text[end:]}"
    del part["Content-Transfer-Encoding"]
    part.set_payload(text, "utf-8")


@cache
def _promises() -> re.Pattern[str]:
    """Lines, and paragraphs, that tell of an attached workbook."""
    told = "|".join(re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)) for text in _told())
    return re.compile(rf"^(?:<p[^>]*>)?(?:{told})(?:</p>)?\r?\n", re.MULTILINE)


def _told() -> Iterator[str]:
    for language in LANGUAGES:
        words = wording(language)
        yield from (words.word("say", key) for key in ("attached_marked", "lost", "attached_form"))
        yield words.word("lead", "form")
