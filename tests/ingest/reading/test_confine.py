"""What a confined process may do and may not, and the parts of its confinement one by one."""

import ctypes
import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest

import ingest
from ingest.reading import confine as confining
from ingest.reading.children import _forked
from ingest.reading.confine import (
    DESCRIPTORS,
    LackingError,
    close_all_but,
    confine,
    end_with_parent,
    keep_memory_private,
    readable_paths,
)
from tests.readers import ACTS, _is_refused

GET_DEATH_SIGNAL, GET_DUMPABLE = 2, 3
NOWHERE = Path(os.devnull).stat().st_rdev


def in_child(work):
    """What work gives in a fork of this process, given a pipe's end: anything of JSON.

    A fault in it leaves nothing to tell. It may have moved the pipe to 3.
    """
    ours, theirs = os.pipe()
    process = _forked()
    if process == 0:
        try:
            told = json.dumps(work(theirs)).encode()
            os.write(getattr(work, "pipe", theirs), told)
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as source:
        told = source.read()
    os.waitpid(process, 0)
    return json.loads(told)


def _works(act):
    try:
        act()
    except (OSError, MemoryError) as fault:
        return f"{type(fault).__name__}"
    return True


ALLOWED = {
    "read a module": lambda: Path(os.__file__).read_bytes(),
    "list a package": lambda: [*Path(ingest.__file__).parent.iterdir()],
    "stat": lambda: Path(ingest.__file__).stat(),
    "sleep": lambda: time.sleep(0.001),
    "ask for a limit": lambda: resource.getrlimit(resource.RLIMIT_AS),
    "have 16 MB more": lambda: bytearray(16 * 2**20),
}
"""What reading needs."""


def _tried(pipe):
    kept = close_all_but(pipe)
    _tried.pipe = kept
    missing = confine(readable_paths(), 64 * 2**20, 77)
    del ACTS["find an environment"]
    return {
        "kept": kept,
        "missing": missing,
        "done": [name for name, act in ACTS.items() if not _is_refused(act)],
        "refused": [name for name, act in ALLOWED.items() if not _works(act)],
        "too much": _works(lambda: bytearray(2**30)),
        "standard": [os.fstat(number).st_rdev == NOWHERE for number in range(3)],
        "limits": [
            resource.getrlimit(which)
            for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC,
                          resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE,
                          resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)
        ],
    }  # fmt: skip


def test_a_confined_process_reads_its_own_modules_and_can_do_nothing_else():
    told = in_child(_tried)
    assert told == {
        "kept": 3,
        "missing": [],
        "done": [],
        "refused": [],
        "too much": "MemoryError",
        "standard": [True] * 3,
        "limits": [[most, most] for most in (0, 0, 0, 0, 0, DESCRIPTORS, 77)],
    }


def test_a_process_aborts_itself_though_it_can_signal_no_other():
    process = _forked()
    if process == 0:
        confine(readable_paths(), 64 * 2**20, 5)
        os.abort()
    _, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGABRT


@pytest.mark.parametrize(
    ("version", "rights", "size"),
    [(1, 13, 8), (2, 14, 8), (3, 15, 8), (4, 15, 16), (5, 16, 16), (6, 16, 24), (9, 16, 24)],
)
def test_every_right_that_the_kernel_knows_is_taken_away(
    monkeypatch, tmp_path, version, rights, size
):
    (tmp_path / "file").write_bytes(b"")
    asked = []

    def called(number, *arguments):
        told = [getattr(one, "_obj", one) for one in arguments]
        if number == 444 and told[0] is not None:
            told[0] = (told[0].files, told[0].ports, told[0].scopes)
        elif number == 445:
            place = str(Path(f"/proc/self/fd/{told[2].parent}").readlink())
            told[2] = (told[2].allowed, place)
        asked.append((number, *told))
        return version if told[0] is None else os.open(os.devnull, os.O_RDONLY)

    monkeypatch.setattr(confining, "_syscall", called)
    before = len([*Path("/proc/self/fd").iterdir()])
    confining._landlock([tmp_path, tmp_path / "file"])
    ruleset = asked[2][1]
    assert asked == [
        (444, None, 0, 1),
        (444, (2**rights - 1, 0b11, 0b11), size, 0),
        (445, ruleset, 1, (0b1100, str(tmp_path)), 0),
        (445, ruleset, 1, (0b0100, str(tmp_path / "file")), 0),
        (446, ruleset, 0),
    ]
    # Those of the two paths and of the ruleset are closed; the fake one's of each rule are not.
    assert len([*Path("/proc/self/fd").iterdir()]) == before + 3


@pytest.mark.parametrize(
    ("hard", "limit"), [(resource.RLIM_INFINITY, 1000), (2000, 1000), (1000, 1000), (500, 500)]
)
def test_a_limit_is_never_above_the_one_there_is(monkeypatch, hard, limit):
    set_ = {}
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (7, hard))
    monkeypatch.setattr(resource, "setrlimit", set_.__setitem__)
    confining._limit(1000, 1000)
    assert set_[resource.RLIMIT_AS] == set_[resource.RLIMIT_CPU] == (limit, limit)
    assert set_[resource.RLIMIT_NOFILE] == (64, 64)
    zero = {which for which, most in set_.items() if most == (0, 0)}
    assert zero == {
        resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC,
        resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE,
    }  # fmt: skip


class Library:
    """A libseccomp that fails where it is told to."""

    def __init__(self, *, filter_=1, number=0, added=0, loaded=0):
        self._filter, self._number, self._added, self._loaded = filter_, number, added, loaded
        self.rules, self.released = [], []

    def seccomp_init(self, otherwise):
        self.otherwise = otherwise
        return self._filter

    def seccomp_syscall_resolve_name(self, name):
        return -1 if name == b"time" else self._number

    def seccomp_rule_add_array(self, _filter, action, _number, count, array):
        arguments = [(one.index, one.operator, one.first, one.second) for one in array]
        assert len(arguments) == count
        self.rules.append((action, arguments))
        return self._added

    def seccomp_load(self, _filter):
        return self._loaded

    def seccomp_release(self, filter_):
        self.released.append(filter_)


@pytest.mark.parametrize(
    ("failing", "holds"),
    [({}, True), ({"number": 5}, True), ({"filter_": None}, False), ({"added": -1}, False),
     ({"loaded": -1}, False), ({"loaded": 1}, False)],
)  # fmt: skip
def test_a_filter_holds_when_each_of_its_rules_does(failing, holds):
    library = Library(**failing)
    assert confining._seccomp(library) is holds
    if holds:
        names = [name for name, _ in confining._rules()]
        assert len(library.rules) == len(names) - 1
        assert {action for action, _ in library.rules} == {0x7FFF0000}
        assert library.otherwise == 0x00050001
        assert library.released == [1]


def test_of_calls_that_may_do_more_only_the_harmless_uses_are_allowed():
    reading = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    less, equal, masked = 2, 4, 7
    bounded = [
        (name, [(one.index, one.operator, one.first, one.second) for one in arguments])
        for name, arguments in confining._rules()
        if arguments
    ]
    assert bounded == [
        ("open", [(1, masked, reading, os.O_RDONLY)]),
        ("openat", [(2, masked, reading, os.O_RDONLY)]),
        ("fcntl", [(1, equal, 1, 0)]),
        ("fcntl", [(1, equal, 2, 0)]),
        ("fcntl", [(1, equal, 3, 0)]),
        ("madvise", [(2, less, 100, 0)]),
        ("kill", [(0, equal, os.getpid(), 0)]),
        ("tgkill", [(0, equal, os.getpid(), 0)]),
        ("prlimit64", [(2, equal, 0, 0)]),
    ]


@pytest.mark.parametrize(
    ("lacks_library", "lacks_landlock", "filter_holds", "missing"),
    [
        (False, False, True, []),
        (True, False, True, ["seccomp"]),
        (False, True, True, ["landlock"]),
        (False, False, False, ["seccomp"]),
        (True, True, True, ["landlock", "seccomp"]),
    ],
)
def test_what_the_kernel_lacks_is_named_and_the_rest_holds(
    monkeypatch, lacks_library, lacks_landlock, filter_holds, missing
):
    done = []

    def part(name, answer, *, lacks):
        def act(*given):
            if lacks:
                raise LackingError(38, "no such call")
            done.append((name, *given))
            return answer

        return act

    library = object()
    monkeypatch.setattr(confining, "_prctl", part("prctl", None, lacks=False))
    monkeypatch.setattr(confining, "_address_space", lambda: 1000)
    monkeypatch.setattr(confining, "load_seccomp", part("load", library, lacks=lacks_library))
    monkeypatch.setattr(confining, "_landlock", part("landlock", None, lacks=lacks_landlock))
    monkeypatch.setattr(confining, "_limit", part("limit", None, lacks=False))
    monkeypatch.setattr(confining, "_seccomp", part("seccomp", filter_holds, lacks=False))
    assert confine(["path"], 7, 8) == missing
    expected = [("prctl", 38, 1), ("load",), ("landlock", ["path"]), ("limit", 1007, 8),
                ("seccomp", library)]  # fmt: skip
    left_out = {"load", "seccomp"} if lacks_library else set()
    left_out |= {"landlock"} if lacks_landlock else set()
    assert done == [one for one in expected if one[0] not in left_out]


def _prctl_of(option):
    told = ctypes.c_int(-1)
    got = ctypes.CDLL(None).prctl(option, ctypes.byref(told), 0, 0, 0)
    return got if option == GET_DUMPABLE else told.value


def test_memory_is_kept_from_other_processes_of_the_user():
    def kept(_pipe):
        keep_memory_private()
        return _prctl_of(GET_DUMPABLE)

    assert in_child(kept) == 0


def test_a_child_ends_with_its_parent_and_at_once_where_that_has_ended():
    def ends(_pipe):
        end_with_parent(os.getppid())
        return _prctl_of(GET_DEATH_SIGNAL)

    assert in_child(ends) == signal.SIGKILL
    process = _forked()
    if process == 0:
        end_with_parent(1 if os.getppid() != 1 else 2)
        os._exit(7)
    assert os.waitpid(process, 0)[1] == 0


def test_a_call_that_the_kernel_refuses_is_a_fault_with_its_number():
    with pytest.raises(LackingError) as fault:
        confining._syscall(-1)
    assert fault.value.errno == 38
    with pytest.raises(LackingError) as fault:
        confining._prctl(-1, 0)
    assert fault.value.errno == 22


@pytest.mark.parametrize("at", [3, 9])
def test_only_the_pipe_is_kept_open_wherever_it_is(at):
    def kept(pipe):
        os.dup2(pipe, at)
        os.dup2(pipe, 12)
        if at == 3:
            os.set_inheritable(3, True)
        kept_at = close_all_but(at)
        still = []
        for number in range(4, 64):
            try:
                os.fstat(number)
            except OSError:
                continue
            still.append(number)
        kept.pipe = kept_at
        return [kept_at, still]

    kept.pipe = 3
    assert in_child(kept) == [3, []]


def test_readable_are_libraries_and_our_packages_and_nothing_beside_them(tmp_path):
    paths = readable_paths()
    ours = Path(ingest.__file__).parent
    assert {ours, ours.parent / "layouts", ours.parent / "parsers", ours.parent / "storage"} <= {
        *paths
    }
    assert Path(os.__file__).parent.resolve() in paths
    assert ours.parent not in paths
    assert not any(path in (ours.parent / "config").parents for path in paths)
    assert paths == sorted(path.resolve() for path in paths)
    assert set(readable_paths(str(tmp_path))) - set(paths) == {tmp_path.resolve()}
    assert readable_paths(str(tmp_path / "absent")) == paths


def test_the_address_space_is_what_is_mapped():
    mapped = confining._address_space()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    told = int(status.split("VmSize:")[1].split()[0]) * 1024
    assert abs(mapped - told) < 2**24
