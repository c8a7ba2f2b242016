"""What a child answers to each kind of request, and how its process is asked and watched."""

import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from hashlib import sha256

import msgspec
import pytest

from ingest.letters.terms import Letter, Limits, Marks, Read
from ingest.reading import child as child_module
from ingest.reading import children
from ingest.reading.child import Loaded, SandboxConfig, _answers, _guarded, read_given, where_of
from ingest.reading.children import Child, Fate, Forks, ForkServer, ReaderUnavailable
from ingest.reading.wire import (
    HEAD_BYTES,
    Done,
    Exhausted,
    Failed,
    Given,
    MarkWorkbooks,
    ReadFile,
    ReadHeader,
    ReadLetters,
    ReadTable,
    Ready,
    Table,
    Workbooks,
    answer_of,
    encoded,
    request_of,
)
from layouts.findings import Code, finding
from layouts.layout import load
from tests.books import workbook
from tests.fakes import mail
from tests.ingest.office import mail as letter_with
from tests.ingest.office import xml

LAYOUTS = load()
LETTER = letter_with(xml("1.5"))


@pytest.fixture(scope="module")
def loaded():
    return Loaded(SandboxConfig(), LAYOUTS)


def answers(request, loaded):
    return [answer_of(frame[HEAD_BYTES:]) for frame in _answers(request, loaded)]


def test_each_request_has_its_answer(loaded):
    short = Given(LETTER, len(LETTER))
    first, second = answers(ReadLetters([short, Given(b"x", 1)]), loaded)
    assert (first.letter.sha256, second.letter.sha256) == (
        sha256(LETTER).hexdigest(), sha256(b"x").hexdigest()
    )  # fmt: skip
    assert [one.layout for one in first.parsed] == ["52005"]
    [header] = answers(ReadHeader(short), loaded)
    assert (header.letter.sender, header.parsed) == ("buh@primer.example", ())
    [file] = answers(ReadFile("z.xml", xml("1.5").encode()), loaded)
    assert [one.layout for one in file.parsed] == ["52005"]
    assert answers(MarkWorkbooks(LETTER, Marks({}, set(), "ru")), loaded) == [{}]
    assert answers(ReadTable(workbook([("a", 1), (), ("b",)])), loaded) == [
        Table([(1, ["a", "1"]), (3, ["b"])])
    ]
    assert answers(ReadTable(b"PK"), loaded) == [Table(found=finding(Code.UNREADABLE_DOCUMENT))]


@pytest.mark.parametrize(
    ("given", "parsed", "codes"),
    [
        (Given(LETTER, len(LETTER)), 1, []),
        (Given(LETTER, 7, header_only=True), 0, ["letter-too-large"]),
        (Given(LETTER, len(LETTER), words_only=True), 0, []),
        (Given(xml("1.5").encode(), 1, file_name="z.xml"), 1, []),
        (Given(LETTER, 7, header_only=True, file_name="z.xml"), 0, ["letter-too-large"]),
    ],
)
def test_a_letter_is_read_by_as_much_of_it_as_was_fetched(given, parsed, codes):
    read = read_given(given, Limits(), LAYOUTS)
    assert len(read.parsed) == parsed
    assert [str(found.code) for found in read.letter.findings] == codes


@pytest.mark.parametrize(
    ("fault", "answer"),
    [(MemoryError(), Exhausted), (RecursionError(), Exhausted), (KeyError("secret"), Failed),
     (OSError("secret"), Failed)],
)  # fmt: skip
def test_what_reading_raises_is_told_without_a_secret(fault, answer):
    def work():
        raise fault

    told = answer_of(_guarded(work)[HEAD_BYTES:])
    assert isinstance(told, answer)
    assert "secret" not in str(told)


def test_a_fault_is_told_by_its_kind_and_its_innermost_place():
    def inner():
        raise KeyError("secret")

    with pytest.raises(KeyError) as fault:
        inner()
    line = inner.__code__.co_firstlineno + 1
    assert where_of(fault.value) == f"KeyError at reading/test_child.py:{line} inner"


def test_definitions_of_the_retailers_own_are_loaded_and_may_be_read(tmp_path):
    own = Loaded(SandboxConfig(layouts_path=str(tmp_path)))
    assert own.layouts.keys() == LAYOUTS.keys()
    assert tmp_path.resolve() in own.readable
    assert own.work is read_given
    assert Loaded(SandboxConfig(), {}).layouts == {}
    assert Loaded(SandboxConfig(work="tests.readers:obey"), {}).work.__name__ == "obey"


@contextmanager
def talking(say=None, home=None):
    """A child that is a thread of this process and writes what a test says."""
    ours, theirs = socket.socketpair()
    if say is not None:
        thread = threading.Thread(target=say, args=[theirs], daemon=True)
        thread.start()
    child = Child(ours, home)
    try:
        yield child, theirs
    finally:
        child.close()
        theirs.close()


DONE = encoded(Done(Read(Letter("0" * 64, 1))))
BODY = len(DONE) - HEAD_BYTES


@pytest.mark.parametrize(
    ("frame", "fate"),
    [
        (DONE, None),
        (encoded(Failed("here")), None),
        (encoded(Workbooks({})), None),
        (encoded(Exhausted()), Fate.EXHAUSTED),
        (struct.pack("<Q", 3) + b"abc", Fate.DIED),
        (struct.pack("<Q", 0), Fate.DIED),
        (struct.pack("<Q", 2**63), Fate.EXHAUSTED),
    ],
    ids=range(7),
)
def test_a_frame_is_an_answer_or_a_fate(frame, fate):
    with talking() as (child, theirs):
        theirs.sendall(frame)
        got = child.answer(5, 5)
        assert (got is fate) if fate else not isinstance(got, Fate)


@pytest.mark.parametrize(
    ("most", "is_taken"), [(len(DONE), True), (len(DONE) - 1, False), (BODY, False)]
)
def test_an_answer_is_as_long_as_it_may_be(most, is_taken):
    with talking() as (child, theirs):
        theirs.sendall(DONE)
        assert isinstance(child.answer(5, 5, most), Read) is is_taken


def test_an_answer_comes_in_pieces_and_the_next_stays_in_the_pipe():
    def say(pipe):
        for at in range(len(DONE)):
            pipe.sendall(DONE[at : at + 1])
        pipe.sendall(DONE)

    with talking(say) as (child, _):
        assert isinstance(child.answer(5, 5), Read)
        assert isinstance(child.answer(5, 5), Read)


@pytest.mark.parametrize("said", [b"", DONE[:3], DONE[:-1]])
def test_a_child_that_ends_in_the_midst_has_died(said):
    with talking() as (child, theirs):
        theirs.sendall(said)
        theirs.close()
        assert child.answer(5, 5) is Fate.DIED


def test_a_child_that_says_nothing_is_costly_by_either_clock(monkeypatch):
    monkeypatch.setattr(children, "LOOK_SECONDS", 0.01)
    with talking() as (child, _):
        assert child.answer(seconds=60, wall=0.02) is Fate.COSTLY
        spent = iter((1.0, 5.9, 6.0, 6.1))
        monkeypatch.setattr(child, "cpu", lambda: next(spent))
        assert child.answer(seconds=5, wall=60) is Fate.COSTLY
        assert next(spent, None) is None


def test_a_request_that_is_not_taken_tells_how_the_child_ended():
    given = ReadFile("a", bytes(2**22))
    with talking() as (child, theirs):
        assert child.ask(given, 0.05) is Fate.COSTLY
        theirs.close()
        assert child.ask(given, 5) is Fate.DIED
        assert child.trips == 2


def test_a_request_arrives_as_it_was():
    given = ReadLetters([Given(b"x", 1, header_only=True)])
    with talking() as (child, theirs):
        assert child.ask(given, 5) is None
        got = theirs.recv(10_000)
        assert request_of(got[HEAD_BYTES:]) == given


@pytest.mark.parametrize(
    "said", [b"", struct.pack("<Q", 2) + b"no", encoded(Ready(2**22 + 1, [])), encoded(Exhausted())]
)
def test_what_is_not_ready_is_no_child(said):
    with talking() as (child, theirs):
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ReaderUnavailable, match="no child process can be started"):
            child.ready()
        assert child.cpu() == 0


def test_a_ready_child_has_a_clock_and_is_asked_once():
    with talking() as (child, theirs):
        assert child.cpu() == 0
        theirs.sendall(encoded(Ready(os.getpid(), ["landlock"])))
        assert child.ready() is child.ready()
        assert child.ready().missing == ["landlock"]
        before = child.cpu()
        assert before > 0
        sum(range(10**6))
        assert child.cpu() > before
        # It is this very process, which is not to be killed.
        os.close(child._process)
        child._process = None


def test_an_orphan_is_one_whose_fork_server_ended():
    with talking() as (child, _):
        assert not child.is_orphan()
    home = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with talking(home=home) as (child, _):
            assert not child.is_orphan()
            home.kill()
            assert child.is_orphan()
    finally:
        home.kill()
        home.wait()


def test_a_fork_of_this_process_reads_confined_and_ends_with_its_pipe():
    forks = Forks(SandboxConfig(seconds=5), LAYOUTS)
    child = forks.start()
    try:
        ready = child.ready()
        assert (ready.missing, ready.pid != os.getpid()) == ([], True)
        assert child.ask(ReadLetters([Given(mail("one"), 3), Given(mail("two"), 3)]), 10) is None
        subjects = [child.answer(5, 10).letter.subject for _ in range(2)]
        assert subjects == ["one", "two"]
        assert child.trips == 1
        assert not child.is_orphan()
    finally:
        child.close()
    assert child._process is None
    _, status = os.waitpid(ready.pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    forks.close()


@pytest.mark.parametrize("kind", [Forks, ForkServer])
def test_without_room_for_a_process_there_is_no_child(kind, monkeypatch):
    def none(*_args, **_options):
        raise BlockingIOError(11, "no more processes")

    monkeypatch.setattr(children, "_forked", none)
    monkeypatch.setattr(subprocess, "Popen", none)
    monkeypatch.setattr(children, "keep_memory_private", lambda: None)
    config = SandboxConfig()
    source = kind(config, {}) if kind is Forks else kind(config)
    with pytest.raises(ReaderUnavailable, match="no more processes"):
        source.start()
    source.close()


def test_a_child_asks_for_the_cpu_time_of_all_its_trips(monkeypatch):
    asked = []

    def confined(readable, memory, cpu):
        asked.append((readable, memory, cpu))
        return ["seccomp"]

    said = []
    monkeypatch.setattr(child_module, "signal", type("S", (), {
        "SIGINT": 2, "SIGHUP": 1, "SIGTERM": 15, "SIG_IGN": 1,
        "signal": staticmethod(lambda number, what: said.append((number, what))),
    }))  # fmt: skip
    monkeypatch.setattr(child_module, "close_all_but", lambda pipe: pipe)
    monkeypatch.setattr(child_module, "confine", confined)
    monkeypatch.setattr(child_module, "gc", type("G", (), {"freeze": staticmethod(lambda: None)}))
    config = SandboxConfig(memory_mb=3, seconds=0.5)
    loaded = Loaded(config, {})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(encoded(ReadFile("a.txt", b"x")))
        ours.shutdown(socket.SHUT_WR)
        child_module._serve(theirs.fileno(), loaded)
        got = ours.recv(100_000)
    ready = encoded(Ready(os.getpid(), ["seccomp"]))
    assert got.startswith(ready)
    assert isinstance(answer_of(got[len(ready) + HEAD_BYTES :]), Read)
    assert asked == [(loaded.readable, 3 * 2**20, 101)]
    assert said == [(2, 1), (1, 1), (15, 1)]
    assert msgspec.msgpack.decode(got[HEAD_BYTES : len(ready)])["pid"] == os.getpid()
