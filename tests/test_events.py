"""The log's events are an interface: each is documented, and nothing else is."""

import re
from pathlib import Path

from ingest.letters.terms import Outcome

ROOT = Path(__file__).parent.parent
EMITTED = re.compile(r"\.(?:debug|info|warning|error|critical|exception)\(\s*\"([a-z]+\.[a-z_]+)\"")


def emitted() -> set[str]:
    names = {f"letter.{outcome}" for outcome in Outcome} | {"library.message"}
    for room in ("ingest", "storage", "parsers", "config"):
        for path in (ROOT / room).rglob("*.py"):
            names.update(EMITTED.findall(path.read_text(encoding="utf-8")))
    return names


def documented() -> set[str]:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", text, flags=re.MULTILINE))


def test_every_event_of_the_code_is_documented_and_every_documented_one_is_in_the_code():
    assert emitted() == documented()
