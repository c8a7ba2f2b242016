"""Moves letters into another folder, with or without MOVE and UIDPLUS."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from imapclient import IMAPClient

from ingest.transports.imap.commands import search

TRIAL = (
    b"From: doctor@localhost\r\nSubject: trial of filing, removed at once\r\n"
    b"Auto-Submitted: auto-generated\r\n\r\n"
)
"""Put into a folder to see that letters can be filed there."""

FILED = "$MeterFiled"
"""Keyword of a letter that was copied to its folder and cannot be removed safely."""


def holds_letters(client: IMAPClient, name: str) -> bool:
    """Whether the folder exists, and not as a mere level of the hierarchy."""
    for flags, _, _ in client.list_folders("", name):
        if not {b"\\noselect", b"\\nonexistent"} & {flag.lower() for flag in flags}:
            return True
    return False


def with_prefix(client: IMAPClient, folder: str) -> str:
    """The name with the prefix that some servers ask of every personal folder."""
    if not client.has_capability("NAMESPACE"):
        return folder
    personal = client.namespace().personal
    prefix = str(personal[0][0]) if personal else ""
    return folder if folder.startswith(prefix) else prefix + folder


def keeps_apart(client: IMAPClient) -> bool:
    """Whether the server can neither move nor remove single letters."""
    return not (client.has_capability("MOVE") or client.has_capability("UIDPLUS"))


def move(client: IMAPClient, uids: Sequence[int], folder: str, *, keeps_keywords: bool) -> None:
    """Move letters of the selected folder: by MOVE, by UIDPLUS, else as far as it is safe.

    Args:
        client: A connection.
        uids: Of the letters.
        folder: Full name of another one, which exists.
        keeps_keywords: Whether the selected folder keeps keywords of ours.
    """
    if client.has_capability("MOVE"):
        client.move(uids, folder)
    elif client.has_capability("UIDPLUS"):
        client.copy(uids, folder)
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        client.uid_expunge(uids)
    else:
        _copy_away(client, uids, folder, keeps_keywords=keeps_keywords)


def _copy_away(
    client: IMAPClient, uids: Sequence[int], folder: str, *, keeps_keywords: bool
) -> None:
    """Without MOVE and UIDPLUS: copy, then remove, or keep apart by a keyword.

    A plain EXPUNGE also removes what others have marked deleted; where there is
    such a letter, ours stays and gets a keyword, and is not listed any more.
    """
    ours = set(uids)
    others = set(search(client, "DELETED")) - ours
    if others and not keeps_keywords:
        raise imaplib.IMAP4.error(
            "the server knows neither MOVE nor UIDPLUS nor keywords, and other letters in"
            " the folder are marked deleted"
        )
    client.copy(uids, folder)
    if not others:
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        others = set(search(client, "DELETED")) - ours
        if not others:
            client.expunge()
            return
        client.remove_flags(uids, [b"\\Deleted"], silent=True)
    client.add_flags(uids, [FILED.encode()], silent=True)


def try_filing(client: IMAPClient, folder: str) -> datetime | None:
    """File a letter into the selected folder and remove it again; its INTERNALDATE.

    Without UIDPLUS none is filed where removing it could remove the letters of others.
    """
    has_uids = client.has_capability("UIDPLUS")
    if not has_uids and search(client, "DELETED"):
        return None
    answer = client.append(folder, TRIAL, [b"\\Seen", b"\\Deleted"])
    told = re.search(rb"APPENDUID \d+ (\d+)", answer or b"")
    uids = [int(told[1])] if told else [] if has_uids else search(client, "DELETED")
    if len(uids) != 1:
        return None
    arrived = client.fetch(uids, ["INTERNALDATE"]).get(uids[0], {}).get(b"INTERNALDATE")
    if has_uids:
        client.uid_expunge(uids)
    else:
        client.expunge()
    return arrived.astimezone(UTC) if isinstance(arrived, datetime) else None
