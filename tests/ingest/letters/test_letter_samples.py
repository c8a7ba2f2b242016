"""The sample letters, as far as reading them goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.letters.letter import read_letter
from ingest.letters.secrets import mask
from ingest.letters.terms import Letter, Limits
from layouts.document import Parsed
from layouts.layout import load
from parsers import parse

FOLDER = Path("samples/letters")
LETTERS = sorted(FOLDER.glob("*.eml"))
LAYOUTS = load()
KEPT = {f"88{sign}" for sign in "abcdefhij"}
"""Letters that `make_letters.py` puts a file of another folder into."""


def expected(path: Path) -> dict[str, object]:
    found = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def source(letter: Letter, parsed: list[Parsed]) -> str | None:
    """Where the credentials stood that count."""
    if any(document.header.password for document in parsed):
        return "document"
    return letter.credentials[0].source.value if letter.credentials else None


def test_there_are_sixty_letters_and_more_each_with_its_expectation() -> None:
    assert len(LETTERS) >= 60
    kept = {path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.json")}
    assert kept == {path.stem for path in LETTERS}


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: path.stem)
def test_a_sample_letter_gives_documents_and_credentials_and_tells_no_password(path: Path) -> None:
    wanted = expected(path)
    letter = read_letter(path.read_bytes(), Limits())
    parsed = [one for document in letter.documents for one in parse(document, LAYOUTS)]
    assert source(letter, parsed) == wanted["credentials"]
    if wanted["outcome"] not in {"refused", "ignored"}:
        assert isinstance(wanted["documents"], list)
        layouts = [one["layout"] for one in wanted["documents"]]
        assert [one.layout for one in parsed] == layouts
    told = {one.code.value for one in letter.findings}
    assert isinstance(wanted["findings"], list)
    assert not told - set(wanted["findings"])
    masked = repr(mask(letter, parsed))
    for secret in ("Zima-2026", "klyuch 7 mart", "Пароль№5", "Leto-2026"):
        assert secret not in masked


@pytest.mark.parametrize("path", [one for one in LETTERS if one.stem[:3] in KEPT])
def test_a_workbook_kept_as_a_sample_is_the_same_in_its_letter(path: Path) -> None:
    letter = read_letter(path.read_bytes(), Limits())
    kept = {one.read_bytes() for one in FOLDER.parent.glob("5200?/*")}
    assert {one.content for one in letter.documents} <= kept
