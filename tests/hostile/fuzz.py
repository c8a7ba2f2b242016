"""Coverage-guided fuzzing: `python -m tests.hostile.fuzz TARGET FOLDER [libFuzzer's options]`.

What a target raises is a find; libFuzzer keeps the bytes that led to it in FOLDER.
`make fuzz` runs all three.
"""

from __future__ import annotations

import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "parsers", "layouts", "tnefparse"]):
    from ingest.letters.letter import read_letter
    from ingest.letters.secrets import mask
    from ingest.letters.terms import Limits, Read
    from ingest.letters.unpack import OverLimitError, Unpacker
    from layouts.document import Document
    from layouts.layout import load
    from parsers import looks_like_document, parse

ROOT = Path(__file__).parents[2]
LAYOUTS = load()
LIMITS = Limits(letter_bytes=1 << 20, documents=10, unpacked_bytes=4 << 20)

# Seeds of the formats that are mutated part by part.
_READ_SAFELY = (".xml", ".xlsx", ".xlsm")


def letters(content: bytes) -> None:
    """Any bytes are a letter, and its documents are documents."""
    letter = read_letter(content, LIMITS)
    parsed = tuple(one for document in letter.documents for one in parse(document, LAYOUTS))
    told, parsed = mask(letter, parsed)
    _assert_can_be_told(Read(told, parsed))


def archives(content: bytes) -> None:
    """Any bytes are a file, attached under any name."""
    for name in ("a.zip", "winmail.dat", "a.gz", "a.p7m", "a.eml", "a.xlsx"):
        kind = "application/pkcs7-mime" if name.endswith("p7m") else "application/octet-stream"
        unpacker = Unpacker(LIMITS)
        with suppress(OverLimitError):
            unpacker.take(name, content, kind)
        assert sum(len(one.content) for one in unpacker.documents) <= LIMITS.unpacked_bytes * 2


def documents(content: bytes) -> None:
    """Any bytes are a document with readings or with findings."""
    looks_like_document("a.xml", content)
    found = parse(Document("a.xml", content), LAYOUTS)
    assert found
    for parsed in found:
        assert parsed.series or parsed.findings or parsed.layout
        for series in parsed.series:
            assert len(series.values) < 1_000_000


def _assert_can_be_told(read: Read) -> None:
    letter = read.letter
    values = (value for values in letter.headers.values() for value in values)
    for text in (letter.subject, letter.sender, letter.message_id, *values):
        text.encode("utf-8")
        assert not set(text) & set("\r\n\0")
    for parsed in read.parsed:
        for found in parsed.findings:
            (found.seen or "").encode("utf-8")


def repacked(content: bytes, size: int, seed: int) -> bytes:
    """A mutated workbook: one of its parts is changed, so that the zip stays whole."""
    chance = random.Random(seed)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - damaged before; any change will do
        return bytes(atheris.Mutate(content, size))
    if not parts or chance.random() < 0.1:
        return bytes(atheris.Mutate(content, size))
    name = chance.choice(sorted(parts))
    parts[name] = bytes(atheris.Mutate(parts[name], len(parts[name]) + 200))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def _mutated(content: bytes, size: int, seed: int) -> bytes:
    if content.startswith(b"PK\3\4"):
        return repacked(content, size, seed)
    return bytes(atheris.Mutate(content, size))


def _letters() -> Iterator[bytes]:
    yield from (path.read_bytes() for path in (ROOT / "samples" / "letters").glob("*.eml"))


def _files() -> Iterator[bytes]:
    for content in _letters():
        for part in read_letter(content, Limits()).documents:
            yield part.content
    for path in (ROOT / "samples").glob("*/*"):
        if path.suffix in {".xlsx", ".zip", ".gz", ".ods"}:
            yield path.read_bytes()


def _documents() -> Iterator[bytes]:
    for path in (ROOT / "samples").glob("*/*"):
        if path.suffix in _READ_SAFELY:
            yield path.read_bytes()


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "read_letter": (letters, _letters),
    "unpack": (archives, _files),
    "parse": (documents, _documents),
}


def main() -> None:
    target, folder, *options = sys.argv[1:]
    run, samples = TARGETS[target]
    corpus = Path(folder) / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(samples()):
        if len(content) < 100_000:
            (corpus / f"sample-{number:03}").write_bytes(content)
    arguments = [
        sys.argv[0],
        f"-artifact_prefix={folder}/{target}-",
        "-max_len=100000",
        "-timeout=20",
        "-rss_limit_mb=2048",
        *options,
        str(corpus),
    ]
    atheris.Setup(arguments, run, custom_mutator=_mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
