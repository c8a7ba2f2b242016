"""The confinement of a child: Landlock, seccomp and limits, for good, before the first letter.

No-new-privileges, Landlock (files, TCP, signals), seccomp (system calls) and limits.
A part that the kernel lacks is named, and the others hold.

Source: Linux `include/uapi/linux/landlock.h` and `Documentation/userspace-api/landlock.rst`;
`prctl(2)`; libseccomp's `seccomp.h`. The packages for it are pre-releases (`landlock`) or
have had no release for years (`pyseccomp`), and are no longer than what is needed of them.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

DESCRIPTORS = 64
"""How many files a child may have open: late imports need one or two."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class LackingError(OSError):
    """The kernel lacks a part, or another sandbox forbids its use."""


def keep_memory_private() -> None:
    """Forbid processes of the same user to trace this one, or to read its memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends; at once if it has."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def close_all_but(pipe: int) -> int:
    """Close every descriptor but one, which is moved to 3; 0 to 2 are /dev/null."""
    kept = os.dup2(pipe, 3, inheritable=False) if pipe != 3 else 3
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return kept


def readable_paths(layouts_path: str = "") -> list[Path]:
    """What a child may read: the interpreter's library, packages and definitions.

    A folder on `sys.path` is not among them: an editable installation's holds the
    configuration and the database, too; of it only our own packages are.
    """
    named = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {Path(sysconfig.get_path(name)) for name in named}
    paths |= {Path(entry) for entry in sys.path if entry.endswith("-packages")}
    for package in ("ingest", "parsers", "layouts", "storage"):
        spec = find_spec(package)
        paths |= {Path(folder) for folder in (spec and spec.submodule_search_locations) or ()}
    paths.add(Path("/usr/share/zoneinfo"))
    if layouts_path:
        paths.add(Path(layouts_path))
    return sorted(path.resolve() for path in paths if path.exists())


def confine(readable: Iterable[Path], memory_bytes: int, cpu_seconds: int) -> list[str]:
    """Confine this process; the names of parts that the kernel lacks.

    Args:
        readable: Files and folders that may be read; nothing may be written.
        memory_bytes: Address space beyond what the process has now: a child of `check`, or of a
            test, is forked of a larger process than the service's are.
        cpu_seconds: Of the whole process; the parent counts each letter's.
    """
    # While /proc can still be read.
    memory_bytes += _address_space()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    missing = []
    try:
        library: ctypes.CDLL | None = load_seccomp()
    except OSError:
        library = None
    try:
        _landlock(readable)
    except (OSError, AttributeError):
        missing.append("landlock")
    # Before the calls that set limits are taken away.
    _limit(memory_bytes, cpu_seconds)
    if library is None or not _seccomp(library):
        missing.append("seccomp")
    return missing


def _address_space() -> int:
    """Bytes that the process has mapped."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Limits that cannot be raised again: the hard ones are as low as the soft ones."""
    for which, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        # Nothing for root, for whom seccomp forbids it.
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        _, hard = resource.getrlimit(which)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (limit, limit))


# Landlock: which files, ports and processes.

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many kinds of access to files each version of the interface knows, from the first.
_FILE_RIGHTS = (13, 14, 15, 15, 16)
_TCP_SINCE, _SCOPES_SINCE = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _landlock(readable: Iterable[Path]) -> None:
    version = _syscall(_CREATE_RULESET, None, 0, 1)
    rights = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]) - 1
    handled = _Ruleset(rights, 0b11, 0b11)
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    ruleset = _syscall(_CREATE_RULESET, ctypes.byref(handled), size, 0)
    for path in readable:
        at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = _READ_FILE | _READ_DIR if path.is_dir() else _READ_FILE
        rule = _PathBeneath(allowed, at)
        _syscall(_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
        os.close(at)
    _syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


# Seccomp: which system calls.

_FREE = """
read readv pread64 write writev close fstat stat lstat newfstatat statx lseek access faccessat
faccessat2 readlink readlinkat getdents64 getcwd mmap munmap mprotect mremap brk futex
sched_yield sched_getaffinity getpid gettid getppid getuid geteuid getgid getegid getrandom
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage sysinfo
uname poll ppoll select pselect6 rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack exit
exit_group restart_syscall
"""
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
_LESS, _EQUAL, _MASKED = 2, 4, 7
_HARMFUL_ADVICE = 100
"""MADV_HWPOISON and above: root would take memory from the whole machine."""

_READING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Argument(ctypes.Structure):
    _fields_ = (
        ("index", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def load_seccomp() -> ctypes.CDLL:
    """The library that writes the filter, loaded while files may still be opened.

    Raises:
        OSError: it is not installed.
    """
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Argument),
    ]
    return library


def _rules() -> Iterator[tuple[str, tuple[_Argument, ...]]]:
    """System calls, and what their arguments must be: all others are refused."""
    for name in _FREE.split():
        yield name, ()
    # To open is to read.
    yield "open", (_Argument(1, _MASKED, _READING, os.O_RDONLY),)
    yield "openat", (_Argument(2, _MASKED, _READING, os.O_RDONLY),)
    # F_GETFD, F_SETFD and F_GETFL only: F_SETOWN would have other processes signalled.
    for command in range(1, 4):
        yield "fcntl", (_Argument(1, _EQUAL, command, 0),)
    yield "madvise", (_Argument(2, _LESS, _HARMFUL_ADVICE, 0),)
    # `abort` is a signal to oneself.
    for name in ("kill", "tgkill"):
        yield name, (_Argument(0, _EQUAL, os.getpid(), 0),)
    # To ask for a limit; none is set here.
    yield "prlimit64", (_Argument(2, _EQUAL, 0, 0),)


def _seccomp(library: ctypes.CDLL) -> bool:
    """Whether all system calls but those of `_rules` are refused from now on."""
    filter_ = library.seccomp_init(_REFUSE)
    if not filter_:
        return False
    for name, arguments in _rules():
        number = library.seccomp_syscall_resolve_name(name.encode())
        # Not every architecture has all of them.
        if number >= 0:
            array = (_Argument * len(arguments))(*arguments)
            if library.seccomp_rule_add_array(filter_, _ALLOW, number, len(arguments), array) < 0:
                return False
    loaded: int = library.seccomp_load(filter_)
    library.seccomp_release(filter_)
    return loaded == 0


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) < 0:
        raise LackingError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _syscall(number: int, *arguments: object) -> int:
    typed = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *typed)
    if result < 0:
        raise LackingError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
