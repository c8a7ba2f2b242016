"""Whatever a letter does to its reader, the service goes on and can answer."""

import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.letters.terms import RawLetter
from ingest.reading import ReaderFailed
from ingest.reading import pool as sandbox
from ingest.reading.child import SandboxConfig
from ingest.reading.documents import DirectReader
from ingest.reading.pool import ReaderUnavailable, SandboxReader
from layouts.findings import Code
from layouts.layout import load
from storage.records import Location
from tests.fakes import mail
from tests.readers import obey


def raw(content: bytes, **options) -> RawLetter:
    place = Location("main", "INBOX", 1, 1)
    size = options.pop("size", len(content))
    return RawLetter(place, content, size, datetime(2026, 11, 10, tzinfo=UTC), **options)


@pytest.fixture(scope="module")
def reader():
    reader = SandboxReader(SandboxConfig(workers=2, memory_mb=256, seconds=1.0), work=obey)
    yield reader
    reader.close()


def codes(read):
    return [found.code for found in read.letter.findings]


def test_a_letter_is_read_in_a_child(reader):
    read = reader.read(raw(mail("Показания"))).result()
    assert read.letter.sender == "meter@example.ru"
    assert read.letter.sha256
    assert codes(read) == []


def test_a_child_reads_many_letters(reader):
    subjects = [reader.read(raw(mail(f"letter {n}"))).result().letter.subject for n in range(10)]
    assert subjects == [f"letter {n}" for n in range(10)]


@pytest.mark.parametrize("deed", ["spin", "sleep", "eat", "recurse", "die"])
def test_a_letter_that_is_too_costly_can_still_be_answered(reader, deed):
    content = mail(f"please {deed}")
    read = reader.read(raw(content)).result()
    assert codes(read) == [Code.TOO_COSTLY]
    assert read.letter.reply_to == "meter@example.ru"
    assert read.letter.message_id == f"<please-{deed}@example.ru>"
    assert read.letter.size == len(content)
    assert reader.read(raw(mail("next"))).result().letter.subject == "next"


def test_a_letter_whose_child_fell_with_another_is_read_again(reader, tmp_path):
    content = mail("please die once") + f"note={tmp_path / 'note'} \r\n".encode()
    read = reader.read(raw(content)).result()
    assert codes(read) == []
    assert read.letter.subject == "please die once"


def test_others_go_on_while_one_dies(reader):
    contents = [mail("please die" if n == 2 else f"letter {n}") for n in range(6)]
    futures = [reader.read(raw(content)) for content in contents]
    subjects = [future.result().letter.subject for future in futures]
    assert subjects == ["letter 0", "letter 1", "please die", "letter 3", "letter 4", "letter 5"]


def test_letters_that_go_together_are_read_by_one_child_at_once(reader, monkeypatch):
    monkeypatch.setattr(reader, "_read", None)
    futures = reader.read_together([raw(mail(f"letter {n}")) for n in range(3)])
    subjects = [future.result().letter.subject for future in futures]
    assert subjects == ["letter 0", "letter 1", "letter 2"]


@pytest.mark.parametrize("deed", ["spin", "sleep", "eat", "die"])
def test_what_harms_a_child_harms_no_letter_that_went_with_it(reader, monkeypatch, deed):
    monkeypatch.setattr(sandbox, "TRIP_SECONDS", 1.0)
    contents = [mail("first"), mail(f"please {deed}"), mail("third")]
    futures = reader.read_together([raw(content) for content in contents])
    assert [codes(future.result()) for future in futures] == [[], [Code.TOO_COSTLY], []]


@pytest.mark.parametrize("fault", [OSError(24, "too many open files"), TypeError("ours")])
def test_whatever_goes_wrong_with_a_trip_no_letter_is_waited_for_in_vain(monkeypatch, fault):
    reader = SandboxReader(SandboxConfig(workers=1), work=obey)

    def fail(_workers):
        raise fault

    monkeypatch.setattr(reader, "_new_pool", fail)
    futures = reader.read_together([raw(mail("first")), raw(mail("second"))])
    for future in futures:
        with pytest.raises(type(fault)):
            future.result(timeout=30)
    reader.close()


def test_our_own_fault_is_that_of_one_letter_among_others(reader):
    contents = [mail("first"), mail("please fail"), mail("third")]
    first, second, third = reader.read_together([raw(content) for content in contents])
    with pytest.raises(ReaderFailed, match="KeyError"):
        second.result()
    assert [one.result().letter.subject for one in (first, third)] == ["first", "third"]


def test_our_own_fault_is_raised_with_its_place_and_without_its_text(reader):
    with pytest.raises(ReaderFailed, match=r"KeyError at tests/readers.py:\d+") as told:
        reader.read(raw(mail("please fail"))).result()
    assert "12345" not in str(told.value)


def test_of_a_letter_over_the_limit_only_the_header_is_read(reader):
    header = mail("huge").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    read = reader.read(raw(header, size=40_000_000, header_only=True)).result()
    assert codes(read) == [Code.LETTER_TOO_LARGE]
    assert read.letter.size == 40_000_000
    assert read.letter.reply_to == "meter@example.ru"


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff\xfe" * 500, b"\r\n\r\n"])
def test_noise_is_a_letter_too(reader, content):
    assert reader.read(raw(content)).result().letter.size == len(content)


def test_without_children_it_is_a_fault_of_time():
    broken = SandboxReader(SandboxConfig(layouts_path="/nowhere/at/all", seconds=1.0))
    with pytest.raises(ReaderUnavailable):
        broken.read(raw(mail("first"))).result()
    broken.close()


def test_a_closed_reader_reads_no_more():
    reader = SandboxReader(SandboxConfig(workers=1, seconds=30.0), work=obey)
    future = reader.read(raw(mail("please sleep")))
    time.sleep(0.5)
    reader.close()
    with pytest.raises(ReaderUnavailable):
        future.result(timeout=30)


def faulty_workbook():
    """A letter whose workbook has a finding in one of its cells."""
    content = sample_letter("52006/formula-without-value.xlsx")
    read = DirectReader(load()).read(raw(content)).result()
    found = [item for parsed in read.parsed for item in parsed.findings]
    assert any(item.place.cell for item in found)
    return raw(content), {read.parsed[0].sha256: found}


def sample_letter(path):
    message = EmailMessage()
    message["From"] = "buh@primer.example"
    message["Subject"] = "Показания"
    message.set_content("Код: 200000001234\nПароль: Zima-2026\n")
    content = (Path("samples") / path).read_bytes()
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="a")
    return message.as_bytes(policy=SMTP)


def test_a_workbook_is_marked_in_a_child():
    letter, wanted = faulty_workbook()
    reader = SandboxReader(SandboxConfig(workers=1))
    try:
        marked = reader.mark(letter, wanted, "ru")
    finally:
        reader.close()
    assert set(marked) == set(wanted)
    assert next(iter(marked.values())).content.startswith(b"PK")


def test_a_workbook_that_takes_too_long_is_not_marked_and_the_next_letter_is_read(monkeypatch):
    monkeypatch.setattr(sandbox, "MARK_SECONDS", 0.001)
    letter, wanted = faulty_workbook()
    reader = SandboxReader(SandboxConfig(workers=1))
    try:
        with capture_logs() as logs:
            assert reader.mark(letter, wanted, "ru") == {}
        assert [line["event"] for line in logs] == ["workbook.not_marked"]
        assert reader.read(raw(mail("next"))).result().letter.subject == "next"
    finally:
        reader.close()
