"""The senders' guide names each remark that a comparison or a passed-over part may bring."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.replies.texts import title
from layouts.findings import Code

GUIDE = Path(__file__).parents[1] / "docs" / "senders-guide.ru.md"

# Of the letter, and of what a document has to be: nothing is compared, the second table of
# the guide explains them.
OF_FORM = {
    Code.NO_DOCUMENTS, Code.CREDENTIALS_MISSING, Code.CREDENTIALS_WRONG, Code.CREDENTIALS_CONFLICT,
    Code.SENDER_LOCKED, Code.ADDRESS_NOT_ALLOWED, Code.LETTER_TOO_LARGE, Code.TOO_MANY_DOCUMENTS,
    Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT, Code.ENCRYPTED_DOCUMENT,
    Code.FORBIDDEN_CONTENT, Code.TOO_COSTLY, Code.UNKNOWN_LAYOUT, Code.AMBIGUOUS_LAYOUT,
    Code.UNSUPPORTED_VERSION, Code.MISSING_FIELD, Code.INVALID_CODE, Code.INVALID_DATE,
    Code.INVALID_TIME, Code.DECIMAL_COMMA, Code.ENCODING_GUESSED, Code.NOTHING_TO_RECORD,
    Code.DUPLICATE_INTERVAL, Code.MISSING_INTERVAL, Code.WRONG_STEP, Code.NEGATIVE_VALUE,
    Code.TOO_MANY_DECIMALS, Code.TOO_MANY_DIGITS,
}  # fmt: skip


def told() -> set[str]:
    """What the last columns of the guide's tables of comparisons have in quotes."""
    text = GUIDE.read_text(encoding="utf-8")
    section = text.partition("## Что сверяется и о чём сообщается")[2].partition("\n## ")[0]
    rows = [line.rstrip(" |") for line in section.splitlines() if line.startswith("| ")]
    return {name for row in rows for name in re.findall("«([^»]+)»", row.rpartition("| ")[2])}


def test_every_remark_of_a_comparison_is_in_the_guide_and_no_other():
    assert told() == {title(code, "ru") for code in set(Code) - OF_FORM}


def test_remarks_of_form_are_in_the_guides_list_of_all():
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"| {title(code, 'ru')} |" in text for code in OF_FORM)
