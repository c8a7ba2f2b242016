"""How letters are judged by what children answer, with children that answer as a test says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pytest

from ingest.letters.terms import Letter, Marked, Marks, Read
from ingest.reading import ReaderFailed
from ingest.reading import sandbox as sandbox_module
from ingest.reading.child import SandboxConfig
from ingest.reading.children import Fate, ReaderUnavailable
from ingest.reading.sandbox import MARK_SECONDS, WALL, Sandbox
from ingest.reading.wire import Failed, ReadFile, ReadHeader, ReadLetters, Ready, Table
from layouts.findings import Code, finding
from tests.fakes import raw_letter

CONTENT = b"From: a@b.example\r\n\r\nA"
RAW = raw_letter(CONTENT)
OURS = Read(Letter(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), sender="a@b.example"))
LIES = (
    replace(OURS, letter=replace(OURS.letter, sha256="0" * 64)),
    replace(OURS, letter=replace(OURS.letter, size=len(CONTENT) + 1)),
    {},
)
CONFIG = SandboxConfig(workers=1, seconds=7.0)
DIED, COSTLY, EXHAUSTED = Fate.DIED, Fate.COSTLY, Fate.EXHAUSTED


@dataclass(eq=False)
class FakeChild:
    """Gives its answers one after the other; without any it cannot be started."""

    answers: list
    missing: list[str] = field(default_factory=list)
    orphan: bool = False
    trips: int = 0
    closed: bool = False
    asked: list = field(default_factory=list)
    given: list = field(default_factory=list)
    clock: float = 1.0

    def ready(self):
        if not self.answers and not self.trips:
            raise ReaderUnavailable("no child process can be started")
        return Ready(1, self.missing)

    def ask(self, request, wall):
        self.trips += 1
        self.asked.append((type(request), wall))

    def answer(self, seconds, wall, most=0):
        self.given.append((seconds, wall))
        self.clock += 0.5
        return self.answers.pop(0)

    def cpu(self):
        return self.clock

    def is_orphan(self):
        return self.orphan

    def close(self):
        self.closed = True


class FakeSource:
    keeps_one = False

    def __init__(self, *children):
        self.children = list(children)
        self.started = []

    def start(self):
        self.started.append(self.children.pop(0))
        return self.started[-1]

    def close(self):
        """Nothing is left to end."""


def sandbox_of(*answers, config=CONFIG):
    """A sandbox whose first child gives the first answers, and so on."""
    source = FakeSource(
        *(one if isinstance(one, FakeChild) else FakeChild(list(one)) for one in answers)
    )
    return Sandbox(config, source), source.started


def told(read):
    return [found.code for found in read.letter.findings]


@pytest.mark.parametrize("first", [*LIES, DIED, EXHAUSTED])
def test_what_is_no_answer_to_a_letter_is_judged_by_a_fresh_child(first):
    sandbox, started = sandbox_of([first], [OURS])
    (read,) = sandbox.read([RAW])
    assert read == replace(OURS, cpu_seconds=7.0)
    assert [child.closed for child in started] == [True, False]
    assert started[1].asked == [(ReadLetters, 7.0 * WALL)]
    assert started[1].given == [(7.0, 7.0 * WALL)]


@pytest.mark.parametrize("again", [*LIES, DIED, EXHAUSTED, COSTLY])
def test_a_letter_that_harms_a_fresh_child_too_is_too_costly(again):
    sandbox, started = sandbox_of([DIED], [again], [OURS])
    (read,) = sandbox.read([RAW])
    assert told(read) == [Code.TOO_COSTLY]
    assert read.letter.findings[0].detail == {"limit": "7"}
    assert read.letter.sender == "a@b.example"
    assert started[-1].asked == [(ReadHeader, 7.0 * WALL)]


@pytest.mark.parametrize("header", [*LIES, DIED, COSTLY, Failed("x")])
def test_of_a_letter_without_a_header_only_its_bytes_are_known(header):
    sandbox, _ = sandbox_of([COSTLY], [header])
    (read,) = sandbox.read([RAW])
    assert told(read) == [Code.TOO_COSTLY]
    assert (read.letter.sha256, read.letter.size) == (OURS.letter.sha256, len(CONTENT))
    assert read.letter.sender == ""


def test_a_letter_that_took_all_its_time_is_not_read_again():
    sandbox, started = sandbox_of([COSTLY], [OURS])
    (read,) = sandbox.read([RAW])
    assert told(read) == [Code.TOO_COSTLY]
    assert [kind for kind, _ in started[1].asked] == [ReadHeader]


def test_a_file_has_no_header_to_ask_for():
    sandbox, started = sandbox_of([DIED], [DIED])
    (read,) = sandbox.read([replace(RAW, file_name="a.xlsx")])
    assert told(read) == [Code.TOO_COSTLY]
    assert len(started) == 2


def test_a_fault_of_ours_is_that_of_its_letter_alone():
    sandbox, _ = sandbox_of([Failed("in a.py:1"), OURS])
    failed, read = sandbox.read([RAW, RAW])
    assert isinstance(failed, ReaderFailed)
    assert str(failed) == "in a.py:1"
    assert read.letter == OURS.letter
    sandbox, _ = sandbox_of([DIED], [Failed("in a.py:2")])
    (failed,) = sandbox.read([RAW])
    assert str(failed) == "in a.py:2"


def test_what_each_letter_costs_is_told_by_the_childs_clock():
    sandbox, _ = sandbox_of([OURS, OURS])
    assert [read.cpu_seconds for read in sandbox.read([RAW, RAW])] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [([[OURS]], 1), ([[DIED], [OURS]], 2), ([[EXHAUSTED], [OURS]], 2)],
)
def test_a_file_is_read_once_more_when_its_child_died(answers, kinds):
    sandbox, started = sandbox_of(*answers)
    assert sandbox.read_file("a.eml", CONTENT) == OURS
    assert [kind for child in started for kind, _ in child.asked] == [ReadFile] * kinds


@pytest.mark.parametrize("answers", [[[COSTLY]], [[DIED], [EXHAUSTED]], [[{}]]])
def test_a_file_that_cannot_be_read_is_known_by_its_bytes(answers):
    sandbox, _ = sandbox_of(*answers)
    read = sandbox.read_file("a.eml", CONTENT)
    assert told(read) == [Code.TOO_COSTLY]
    assert (read.letter.sha256, read.letter.size) == (OURS.letter.sha256, len(CONTENT))


def test_a_file_that_our_code_fails_on_is_told():
    sandbox, _ = sandbox_of([Failed("in a.py:1")])
    with pytest.raises(ReaderFailed, match=r"in a\.py:1"):
        sandbox.read_file("a.eml", CONTENT)


@pytest.mark.parametrize(
    ("answer", "why"),
    [(COSTLY, COSTLY.value), (Failed("in a.py:1"), "in a.py:1"), (OURS, "nonsense")],
)
def test_what_is_not_marked_is_told_with_its_cause(answer, why):
    sandbox, started = sandbox_of([answer])
    assert sandbox.mark(RAW, Marks({}, set(), "ru")) == ({}, why)
    assert started[0].given == [(7.0, MARK_SECONDS)]


def test_marked_workbooks_are_taken_from_a_child():
    sandbox, _ = sandbox_of([{"ab": Marked(b"PK")}])
    assert sandbox.mark(RAW, Marks({}, set(), "ru")) == ({"ab": Marked(b"PK")}, "")


@pytest.mark.parametrize(
    ("answers", "got"),
    [
        ([Table([(1, ["a"])])], [(1, ["a"])]),
        ([Table(found=finding(Code.UNREADABLE_DOCUMENT))], finding(Code.UNREADABLE_DOCUMENT)),
        ([COSTLY], finding(Code.TOO_COSTLY, limit="7")),
        ([DIED, DIED], finding(Code.TOO_COSTLY, limit="7")),
        ([DIED, Table([])], []),
        ([OURS], finding(Code.TOO_COSTLY, limit="7")),
    ],
)
def test_a_sheet_is_taken_from_a_child_or_a_finding_says_why_not(answers, got):
    sandbox, _ = sandbox_of(*([one] for one in answers))
    assert sandbox.table(CONTENT) == got


def test_children_that_died_with_their_fork_server_are_nobodys_fault_once():
    sandbox, _ = sandbox_of(FakeChild([DIED], orphan=True), [OURS])
    assert sandbox.read_file("a", CONTENT) == OURS
    for answer in (OURS, COSTLY):
        sandbox, started = sandbox_of(FakeChild([answer], orphan=True), [DIED])
        assert sandbox.read_file("a", CONTENT).letter.sha256 == OURS.letter.sha256
        assert len(started) == 1
    lost = [FakeChild([DIED], orphan=True) for _ in range(4)]
    sandbox, started = sandbox_of(*lost)
    assert told(sandbox.read_file("a", CONTENT)) == [Code.TOO_COSTLY]
    assert len(started) == 4


def test_a_child_that_cannot_be_started_is_tried_for_twice():
    sandbox, _ = sandbox_of([], [OURS])
    assert sandbox.read_file("a", CONTENT) == OURS
    sandbox, started = sandbox_of([], [], [OURS])
    with pytest.raises(ReaderUnavailable):
        sandbox.read_file("a", CONTENT)
    assert all(child.closed for child in started)


@pytest.mark.parametrize("required", [True, False])
def test_a_child_that_is_not_confined_reads_only_where_that_is_allowed(required):
    config = replace(CONFIG, require_confinement=required)
    sandbox, _ = sandbox_of(FakeChild([OURS], missing=["landlock"]), config=config)
    assert sandbox.missing() == ["landlock"]
    if required:
        with pytest.raises(ReaderUnavailable, match="lacks landlock"):
            sandbox.read_file("a", CONTENT)
    else:
        assert sandbox.read_file("a", CONTENT) == OURS


def test_a_child_is_kept_until_it_has_read_enough(monkeypatch):
    monkeypatch.setattr(sandbox_module, "TRIPS", 3)
    sandbox, started = sandbox_of([OURS] * 3, [OURS])
    for _ in range(4):
        sandbox.read_file("a", CONTENT)
    assert [(child.trips, child.closed) for child in started] == [(3, True), (1, False)]


def test_no_more_children_wait_than_read_and_one():
    sandbox, started = sandbox_of(*([OURS] for _ in range(4)))
    taken = [sandbox._taken() for _ in range(4)]
    for child in taken:
        child.trips = 1
        sandbox._given_back(child)
    assert [child.closed for child in started] == [False, False, True, True]


def test_who_is_judged_gets_a_child_that_has_read_nothing_and_others_one_that_has():
    used, fresh = FakeChild([OURS, DIED], trips=1), FakeChild([OURS])
    sandbox, _ = sandbox_of(used, fresh)
    for child in [sandbox._taken(), sandbox._taken()]:
        sandbox._given_back(child)
    assert sandbox.read_file("a", CONTENT) == OURS
    assert (used.trips, fresh.trips) == (2, 0)
    # Its child dies, and the one that waits has read nothing.
    assert sandbox.read_file("a", CONTENT) == OURS
    assert (used.trips, fresh.trips) == (3, 1)


def test_one_that_was_closed_starts_and_keeps_nobody():
    sandbox, started = sandbox_of([OURS, OURS], [OURS])
    sandbox.read_file("a", CONTENT)
    sandbox.close()
    assert started[0].closed
    with pytest.raises(ReaderUnavailable, match="ended"):
        sandbox.read_file("a", CONTENT)


@pytest.mark.parametrize(("letters", "is_kept"), [(1, True), (2, False)])
def test_a_child_that_would_read_what_nobody_wants_any_more_is_ended(letters, is_kept):
    sandbox, started = sandbox_of([OURS] * letters)
    read = sandbox.read([RAW] * letters)
    next(read)
    read.close()
    assert started[0].closed is not is_kept


def test_a_letter_s_cost_is_never_below_nothing():
    child = FakeChild([OURS])
    child.cpu = iter((5.0, 1.0)).__next__
    sandbox, _ = sandbox_of(child)
    assert [one.cpu_seconds for one in sandbox.read([RAW])] == [0]


def test_a_letter_that_ended_its_child_took_all_the_time_it_may():
    sandbox, _ = sandbox_of([COSTLY], [OURS])
    assert [one.cpu_seconds for one in sandbox.read([RAW])] == [CONFIG.seconds]


@pytest.mark.parametrize("lie", LIES)
def test_a_header_of_another_letter_is_not_taken_for_this_one_s(lie):
    sandbox, started = sandbox_of([COSTLY], [lie])
    [read] = sandbox.read([RAW])
    assert (read.letter.sender, told(read)) == ("", [Code.TOO_COSTLY])
    assert read.letter.sha256 == OURS.letter.sha256
    assert len(started) == 2


def test_a_header_is_read_by_a_child_that_has_read_nothing():
    used, costly, fresh = FakeChild([OURS, OURS]), FakeChild([COSTLY]), FakeChild([OURS])
    sandbox, _ = sandbox_of(used, costly, fresh)
    # Two at the same time: the first waits, used, when the second is judged.
    first = sandbox.read([RAW])
    next(first)
    second = sandbox.read([RAW])
    taken = next(second)
    first.close()
    assert told(taken) == [Code.TOO_COSTLY]
    assert ReadHeader in [kind for kind, _ in fresh.asked]
