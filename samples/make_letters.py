"""Makes the letters under `samples/letters`, byte for byte the same each time.

Run from the repository's root: `python samples/make_letters.py`. The letters are
read in the order of their names into one database with `samples/registry.csv`, on
2026-11-22 at 12:00 Moscow time; each expectation is the one in that order.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from making_demo import demo_accepted, demo_mistakes, demo_others
from making_documents import documents, later
from making_kinds import kinds
from making_mime import charsets, containers, names, structure
from making_senders import credentials, never_answered, told_or_opened

FOLDER = Path(__file__).parent / "letters"


def main() -> None:
    """Write every letter and its expectation."""
    FOLDER.mkdir(exist_ok=True)
    for sample in chain(
        demo_accepted(),
        demo_mistakes(),
        demo_others(),
        charsets(),
        names(),
        structure(),
        containers(),
        credentials(),
        documents(),
        later(),
        never_answered(),
        told_or_opened(),
        kinds(),
    ):
        (FOLDER / f"{sample.name}.eml").write_bytes(sample.content)
        text = json.dumps(sample.expected, ensure_ascii=False, indent=1)
        (FOLDER / f"{sample.name}.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
