"""IMAP commands that IMAPClient lacks, or that fail on some servers' answers."""

from __future__ import annotations

import hashlib
import imaplib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from imapclient import IMAPClient
from imapclient.datetime_util import format_criteria_date
from imapclient.response_parser import parse_message_list

from layouts.sequences import pieces

CHUNK = 500
"""UIDs named in one command; some servers refuse thousands."""


def search(client: IMAPClient, *criteria: str) -> list[int]:
    """UIDs that fit, whether the server tells them on one line or on several.

    IMAPClient takes one line only.
    """
    imap = client._imap  # noqa: SLF001
    kind, lines = imap.uid("SEARCH", *criteria)
    if kind != "OK":
        raise imaplib.IMAP4.error(f"SEARCH: {lines!r}"[:200])
    return [uid for line in lines if line for uid in parse_message_list([line])]


def facts_of(client: IMAPClient, uids: Sequence[int]) -> Mapping[int, Mapping[bytes, Any]]:
    """RFC822.SIZE and INTERNALDATE of letters; without a date that IMAPClient fails on."""
    try:
        found: Mapping[int, Mapping[bytes, Any]] = client.fetch(
            uids, ["RFC822.SIZE", "INTERNALDATE"]
        )
    except (AttributeError, TypeError):
        if len(uids) == 1:
            return dict(client.fetch(uids, ["RFC822.SIZE"]))
        return {uid: facts for one in uids for uid, facts in facts_of(client, [one]).items()}
    return found


def find(
    client: IMAPClient, sha256: str, size: int, received_at: datetime
) -> tuple[int, bytes] | None:
    """UID and bytes of a letter in the selected folder; None when it is not there.

    Args:
        client: A connection.
        sha256: Of the bytes.
        size: Of them.
        received_at: When it arrived; servers' days are their own.
    """
    day = timedelta(days=1)
    since, before = (
        format_criteria_date(moment.date()).decode()
        for moment in (received_at - day, received_at + 2 * day)
    )
    for chunk in pieces(search(client, f"SINCE {since} BEFORE {before}"), CHUNK):
        sizes = client.fetch(chunk, ["RFC822.SIZE"])
        for uid in chunk:
            if sizes.get(uid, {}).get(b"RFC822.SIZE") != size:
                continue
            content = client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {}).get(b"BODY[]") or b""
            if hashlib.sha256(content).hexdigest() == sha256:
                return uid, content
    return None


def has_mail(responses: Sequence[Any]) -> bool:
    """Whether untagged responses tell of letters in the folder."""
    return any(len(item) > 1 and item[1] == b"EXISTS" for item in responses)
