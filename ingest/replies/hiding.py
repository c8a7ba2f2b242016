"""The last stop before a password leaves in a reply.

Letters are masked when they are read; a password can still come back as what it
was mistaken for: the code of a point, say, that the document names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence

from ingest.letters.credentials import MASK
from ingest.letters.letter import Letter
from layouts.terms import Receipt

_LETTER = re.compile(r"[^\W\d_]")
_OTHER = re.compile(r"[^\s\w]|[\d_]")


def telling(secrets: Iterable[str | None]) -> list[str]:
    """The passwords that nothing else in a text can be, the longest first.

    Letters together with digits or signs: a plain word or number is as likely a
    word of the reply, or the code of a point.
    """
    found = {s for s in secrets if s and len(s) >= 6 and _LETTER.search(s) and _OTHER.search(s)}
    return sorted(found, key=len, reverse=True)


def hider(letter: Letter, receipts: Sequence[Receipt]) -> Callable[[str], str]:
    """What takes the telling passwords of a letter and its documents out of a text."""
    secrets = telling(
        [
            *(credential.password for credential in letter.credentials),
            *(receipt.parsed.header.password for receipt in receipts),
        ]
    )
    forms = dict.fromkeys(
        form for s in secrets for form in (s, html.escape(s), html.escape(s, False))
    )

    def hide(text: str) -> str:
        # Not one pattern of all of them: compiling that takes longer than these searches.
        for form in forms:
            text = text.replace(form, MASK)
        return text

    return hide
