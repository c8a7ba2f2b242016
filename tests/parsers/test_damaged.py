"""Whatever happens to a document on its way, reading it never raises."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.document import Document
from layouts.layout import load
from parsers import looks_like_document, parse

LAYOUTS = load()
SAMPLES = Path(__file__).parents[2] / "samples"

# The older containers are read by a library that can end its process, which is
# why documents are read in a child process; these are read by safe ones.
FILES = [
    "52005/points.xml",
    "52006/mistakes.xml",
    "80020/other-channels.xml",
    "80020/changeover.xml",
    "52006/wide.xlsx",
]


@pytest.mark.parametrize("file", FILES)
@given(
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=8)), max_size=6
    ),
)
@settings(max_examples=40, deadline=None)
def test_a_damaged_document_is_read_or_refused(
    file: str, cuts: list[tuple[float, int, bytes]]
) -> None:
    content = (SAMPLES / file).read_bytes()
    for at, length, put in cuts:
        start = int(at * len(content))
        content = content[:start] + put + content[start + length :]

    looks_like_document(file, content)
    found = parse(Document(file, content), LAYOUTS)

    assert found
    assert all(parsed.series or parsed.findings for parsed in found)


@given(content=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(content: bytes) -> None:
    (parsed,) = parse(Document("", content), LAYOUTS)

    assert parsed.layout is None
    assert parsed.findings
