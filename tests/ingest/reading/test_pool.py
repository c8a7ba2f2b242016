"""Whatever a letter does to its reader, the service goes on and can answer."""

import mmap
import os
import signal
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.letters.terms import Limits, Marks, RawLetter
from ingest.reading import ReaderFailed
from ingest.reading import sandbox as sandbox_module
from ingest.reading.child import SandboxConfig
from ingest.reading.children import Forks, ForkServer
from ingest.reading.documents import read_file
from ingest.reading.pool import ReaderUnavailable, SandboxReader
from ingest.reading.sandbox import Sandbox
from layouts.findings import Code
from layouts.layout import load
from tests.direct_reader import DirectReader
from tests.fakes import mail, raw_letter
from tests.readers import OBEY, begun


def raw(content: bytes, **options) -> RawLetter:
    return raw_letter(content, **options)


@pytest.fixture(scope="module")
def reader():
    reader = SandboxReader(SandboxConfig(workers=2, memory_mb=256, seconds=1.0, work=OBEY))
    yield reader
    reader.close()


def codes(read):
    return [found.code for found in read.letter.findings]


def test_a_letter_is_read_in_a_child(reader):
    read = begun(reader, raw(mail("Показания"))).result()
    assert read.letter.sender == "meter@example.ru"
    assert read.letter.sha256
    assert codes(read) == []


def test_a_child_reads_many_letters(reader):
    subjects = [begun(reader, raw(mail(f"letter {n}"))).result().letter.subject for n in range(10)]
    assert subjects == [f"letter {n}" for n in range(10)]


@pytest.mark.parametrize("deed", ["spin", "sleep", "eat", "recurse", "die"])
def test_a_letter_that_is_too_costly_can_still_be_answered(reader, deed):
    content = mail(f"please {deed}")
    read = begun(reader, raw(content)).result()
    assert codes(read) == [Code.TOO_COSTLY]
    assert read.letter.reply_to == "meter@example.ru"
    assert read.letter.message_id == f"<please-{deed}@example.ru>"
    assert read.letter.size == len(content)
    assert begun(reader, raw(mail("next"))).result().letter.subject == "next"


class Counted:
    """A source of children that counts them."""

    def __init__(self, source):
        self._source = source
        self.keeps_one = source.keeps_one
        self.started = 0

    def start(self):
        self.started += 1
        return self._source.start()

    def close(self):
        self._source.close()


def counting(config):
    source = Counted(ForkServer(config))
    return Sandbox(config, source), source


def test_letters_are_read_by_the_children_that_are_there():
    sandbox, source = counting(SandboxConfig(workers=1))
    for number in range(10):
        [read] = sandbox.read([raw(mail(f"letter {number}"))])
        assert read.letter.subject == f"letter {number}"
    sandbox.close()
    assert source.started == 2, "one that reads, and one that waits"


def test_a_short_lived_process_makes_no_child_that_it_does_not_need():
    source = Counted(Forks(SandboxConfig(), load()))
    sandbox = Sandbox(SandboxConfig(), source)
    for number in range(3):
        read = sandbox.read_file("a.eml", mail(f"letter {number}"))
        assert read.letter.subject == f"letter {number}"
    sandbox.close()
    assert source.started == 1


def test_a_child_that_has_read_enough_is_replaced(monkeypatch):
    monkeypatch.setattr(sandbox_module, "TRIPS", 2)
    sandbox, source = counting(SandboxConfig(workers=1))
    for number in range(6):
        [read] = sandbox.read([raw(mail(f"letter {number}"))])
        assert read.letter.subject == f"letter {number}"
    sandbox.close()
    assert source.started == 4


def test_the_one_that_harmed_a_child_is_judged_in_one_fresh_child_which_waits_already():
    sandbox, source = counting(SandboxConfig(workers=1, work=OBEY))
    assert [codes(read) for read in sandbox.read([raw(mail("please die"))])] == [[Code.TOO_COSTLY]]
    sandbox.close()
    # One that died, one that judged, one that read the header, and the next one.
    assert source.started == 4


def process_that_reads(reader):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for child in list(reader.sandbox._busy):
            if child._ready is not None and child.trips:
                return child._ready.pid
        time.sleep(0.01)
    raise AssertionError("nobody reads")


def test_a_letter_whose_child_is_taken_away_is_read_again(reader):
    future = begun(reader, raw(mail("please nap")))
    os.kill(process_that_reads(reader), signal.SIGKILL)
    read = future.result()
    assert codes(read) == []
    assert read.letter.subject == "please nap"


def test_a_letter_is_read_though_the_process_that_children_come_from_is_taken_away(reader):
    future = begun(reader, raw(mail("please nap")))
    process_that_reads(reader)
    reader.sandbox._source._running[0].kill()
    assert codes(future.result()) == []


def test_signals_that_stop_the_service_stop_no_letter(reader):
    future = begun(reader, raw(mail("please nap")))
    process = process_that_reads(reader)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(process, number)
    assert codes(future.result()) == []
    assert {child._ready.pid for child in reader.sandbox._idle if child._ready} >= {process}


def test_others_go_on_while_one_dies(reader):
    contents = [mail("please die" if n == 2 else f"letter {n}") for n in range(6)]
    futures = [begun(reader, raw(content)) for content in contents]
    subjects = [future.result().letter.subject for future in futures]
    assert subjects == ["letter 0", "letter 1", "please die", "letter 3", "letter 4", "letter 5"]


def test_letters_that_go_together_are_read_by_one_child_in_one_trip():
    sandbox, source = counting(SandboxConfig(workers=1))
    got = [*sandbox.read([raw(mail(f"letter {n}")) for n in range(3)])]
    assert [read.letter.subject for read in got] == ["letter 0", "letter 1", "letter 2"]
    assert [child.trips for child in sandbox._idle if child.trips] == [1]
    sandbox.close()
    assert source.started == 2


@pytest.mark.parametrize("deed", ["spin", "sleep", "eat", "die"])
def test_what_harms_a_child_harms_no_letter_that_went_with_it(reader, deed):
    contents = [mail("first"), mail(f"please {deed}"), mail("third")]
    futures = reader.read_together([raw(content) for content in contents])
    assert [codes(future.result()) for future in futures] == [[], [Code.TOO_COSTLY], []]


@pytest.mark.parametrize("fault", [OSError(24, "too many open files"), TypeError("ours")])
def test_whatever_goes_wrong_with_a_trip_no_letter_is_waited_for_in_vain(monkeypatch, fault):
    reader = SandboxReader(SandboxConfig(workers=1))

    def fail():
        raise fault

    monkeypatch.setattr(reader.sandbox._source, "start", fail)
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
        begun(reader, raw(mail("please fail"))).result()
    assert "12345" not in str(told.value)


def test_of_a_letter_over_the_limit_only_the_header_is_read(reader):
    header = mail("huge").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    read = begun(reader, raw(header, size=40_000_000, header_only=True)).result()
    assert codes(read) == [Code.LETTER_TOO_LARGE]
    assert read.letter.size == 40_000_000
    assert read.letter.reply_to == "meter@example.ru"


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff\xfe" * 500, b"\r\n\r\n"])
def test_noise_is_a_letter_too(reader, content):
    assert begun(reader, raw(content)).result().letter.size == len(content)


@pytest.mark.parametrize("lost", ["layouts_path", "texts_path"])
def test_without_children_it_is_a_fault_of_time(lost):
    """They need the retailer's own definitions and texts, and end without them."""
    broken = SandboxReader(SandboxConfig(**{lost: "/nowhere/at/all"}, seconds=1.0))
    with pytest.raises(ReaderUnavailable):
        begun(broken, raw(mail("first"))).result()
    broken.close()


def test_a_closed_reader_reads_no_more():
    reader = SandboxReader(SandboxConfig(workers=1, seconds=30.0, work=OBEY))
    future = begun(reader, raw(mail("please sleep")))
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
        marked = reader.mark(letter, Marks(wanted, set(), "ru"))
    finally:
        reader.close()
    assert set(marked) == set(wanted)
    assert next(iter(marked.values())).content.startswith(b"PK")


def test_a_workbook_that_takes_too_long_is_not_marked_and_the_next_letter_is_read(monkeypatch):
    monkeypatch.setattr(sandbox_module, "MARK_SECONDS", 0.001)
    letter, wanted = faulty_workbook()
    reader = SandboxReader(SandboxConfig(workers=1))
    try:
        with capture_logs() as logs:
            assert reader.mark(letter, Marks(wanted, set(), "ru")) == {}
        assert [line["event"] for line in logs] == ["workbook.not_marked"]
        assert begun(reader, raw(mail("next"))).result().letter.subject == "next"
    finally:
        reader.close()


FILES = [
    path
    for path in sorted(Path("samples").rglob("*"))
    if path.suffix in {".eml", ".xml", ".xlsx", ".xls", ".xlsb", ".ods"}
]


def test_a_confined_child_reads_every_sample_as_this_process_does():
    layouts, sandbox = load(), Sandbox(SandboxConfig(), ForkServer(SandboxConfig()))
    try:
        for path in FILES:
            content = path.read_bytes()
            told = sandbox.read_file(path.name, content)
            assert told == read_file(path.name, content, Limits(), layouts), path
    finally:
        sandbox.close()
    assert len(FILES) > 100


def test_a_child_of_a_large_process_has_as_much_room_as_any():
    # As `check` has them; each child's memory is counted from what was there when it was made.
    large = mmap.mmap(-1, 300 * 2**20)
    config = SandboxConfig(memory_mb=64)
    sandbox = Sandbox(config, Forks(config, load()))
    try:
        assert sandbox.missing() == []
        [read] = sandbox.read([raw(mail("Показания") + b"\r\n" + b"text " * 2**20)])
        assert codes(read) == []
    finally:
        sandbox.close()
        large.close()


def test_what_a_letter_costs_is_told_by_its_childs_clock(reader):
    read = begun(reader, raw(mail("Показания"))).result()
    assert 0 < read.cpu_seconds < 1
    assert begun(reader, raw(mail("please spin"))).result().cpu_seconds == 1.0


def test_a_child_that_nobody_waits_for_any_more_reads_no_further():
    sandbox, source = counting(SandboxConfig(workers=1))
    reading = sandbox.read([raw(mail(f"letter {number}")) for number in range(3)])
    assert next(reading).letter.subject == "letter 0"
    reading.close()
    [read] = sandbox.read([raw(mail("another"))])
    assert read.letter.subject == "another"
    sandbox.close()
    assert source.started == 3, "the one that was ended, and two as ever"


def test_a_letters_words_are_read_without_its_documents(reader):
    letter = EmailMessage()
    letter["Subject"], letter["From"] = "Показания", "buh@primer.example"
    letter.set_content("Код: 200000003079\nПароль: Zima-2026\n")
    letter.add_attachment(
        b"PK\x03\x04 no archive", maintype="application", subtype="zip", filename="x.zip"
    )
    words = raw(letter.as_bytes(policy=SMTP), words_only=True)
    for by in (reader, DirectReader(load())):
        read = by.read_together([words])[0].result()
        assert [one.user_code for one in read.letter.credentials] == ["200000003079"]
        assert read.letter.sender == "buh@primer.example"
        assert (read.letter.documents, read.letter.attachments, read.parsed) == ((), (), ())
