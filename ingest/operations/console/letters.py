"""Letters found page by page, in bounded time however many there are."""

from __future__ import annotations

from typing import Any

from ingest.operations.ports import Ledger
from storage.records import LetterPage


def page(ledger: Ledger, before: int | None, limit: int, **wanted: Any) -> LetterPage:
    """Letters by what is asked, the latest first; see `storage.letters.Letters.page`.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return store.letters.page(before, limit, **wanted)
