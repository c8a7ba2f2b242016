"""Whatever a letter is made of, it is read or refused within the limits; the next one is read.

`make hostile` gives the same letters to the running service, and measures.
"""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from ingest.letters.terms import RawLetter
from ingest.reading.pool import SandboxConfig, SandboxReader
from layouts.findings import Code
from tests.fakes import raw_letter
from tests.hostile.corpus import CORPUS, ordinary
from tests.hostile.quine import quine
from tests.readers import begun

RECEIVED_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def raw(content: bytes) -> RawLetter:
    return raw_letter(content, received_at=RECEIVED_AT)


@pytest.fixture(scope="module")
def reader():
    reader = SandboxReader(SandboxConfig())
    yield reader
    reader.close()


def told(read) -> set[Code]:
    """The codes of all findings, whose texts can be shown anywhere."""
    findings = [
        *read.letter.findings,
        *(found for parsed in read.parsed for found in parsed.findings),
    ]
    for found in findings:
        texts = (found.seen, found.point, found.meter, found.channel, found.place.sheet)
        assert all(text is None or text.isprintable() for text in texts)
    return {found.code for found in findings}


def test_the_archive_that_holds_itself_is_one():
    whole = quine()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        [name] = archive.namelist()
        assert archive.read(name) == whole


@pytest.mark.timeout(240)
@pytest.mark.parametrize("letter", CORPUS, ids=str)
def test_a_hostile_letter_is_told_what_it_is_and_hurts_nobody(reader, letter):
    content = letter.make()
    read = begun(reader, raw(content)).result()
    found = told(read)
    assert read.letter.size == len(content)
    assert found & letter.told or not letter.told
    # Only what is meant to be is too costly: all else ends long before its limits.
    assert Code.TOO_COSTLY not in found - letter.told
    after = begun(reader, raw(ordinary())).result()
    assert [parsed.layout for parsed in after.parsed] == ["52006"]
    assert told(after) == set()
    assert after.letter.credentials[0].password
