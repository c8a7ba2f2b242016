"""What children do in tests of the sandbox; importable by them. And how tests ask them."""

from __future__ import annotations

import _thread
import ctypes
import errno
import fcntl
import os
import pickle
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

import msgspec

from ingest.letters.terms import Limits, RawLetter, Read
from ingest.reading import Reader
from ingest.reading.child import read_given
from ingest.reading.confine import load_seccomp
from ingest.reading.documents import read_bytes
from ingest.reading.wire import Done, Given, encoded, put
from layouts.layout import Layout

OBEY = "tests.readers:obey"
"""`SandboxConfig.work` of children that do what letters say."""


def begun(reader: Reader, letter: RawLetter) -> Future[Read]:
    """Begin to read one letter."""
    return reader.read_together([letter])[0]


def obey(given: Given, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """Do what the letter's subject says, under the child's own guard."""
    for name, act in ACTS.items():
        if f"please {name}.".encode() in given.content:
            act()
    for word, deed in _DEEDS.items():
        if word in given.content:
            deed(given)
    return read_given(given, limits, layouts)


def _spin(_given: Given) -> None:
    while True:
        pass


def _sleep(_given: Given) -> None:
    time.sleep(3600)


def _eat(_given: Given) -> None:
    eaten = []
    while True:
        eaten.append(bytearray(8 * 1024 * 1024))


def _recurse(given: Given) -> None:
    _recurse(given)


def _nap(_given: Given) -> None:
    time.sleep(0.5)


def _die(_given: Given) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _fail(_given: Given) -> None:
    raise KeyError("password 12345")


def _answer(body: bytes, announced: int | None = None) -> None:
    """Write a frame of one's own choice into the pipe to the service."""
    length = len(body) if announced is None else announced
    put(3, length.to_bytes(8, "little") + body)


def _garbage(_given: Given) -> None:
    _answer(bytes(range(256)) * 4)


def _pickle(_given: Given) -> None:
    _answer(pickle.dumps(_Harmful()))


def _drip(_given: Given) -> None:
    put(3, (1000).to_bytes(8, "little"))
    while True:
        put(3, b"x")
        time.sleep(0.05)


def _answer_of_another(given: Given) -> None:
    """A whole answer, of a letter that has another content of the same size."""
    other = msgspec.structs.replace(given, content=given.content.replace(b"another", b"ANOTHER"))
    put(3, encoded(Done(read_bytes(other.content, Limits(), {}))))
    time.sleep(0.2)


def _gigabyte(_given: Given) -> None:
    _answer(bytes(1024), announced=2**30)
    while True:
        put(3, bytes(2**20))


class _Harmful:
    """What runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return os._exit, (3,)


# What a child must not be able to do, by the name of the act.


def _trace() -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _raise_limit() -> None:
    most = 2**40
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except ValueError as error:
        # Python's way to say EPERM here.
        raise PermissionError from error


def _use_another_descriptor() -> None:
    found = []
    for number in range(4, 64):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    if not found:
        raise PermissionError


def _find_environment() -> None:
    if not set(os.environ) - {"LC_CTYPE"}:
        raise PermissionError


_LIBC = ctypes.CDLL(None, use_errno=True)
# Resolved before the child is confined.
_RESOLVE = load_seccomp().seccomp_syscall_resolve_name
_PAGE = ctypes.create_string_buffer(4096)

# System calls that get past files and sockets, with arguments that the kernel itself would take
# or refuse by another error than EPERM.
CALLS: dict[str, tuple[object, ...]] = {
    "io_uring_setup": (1, _PAGE),
    "io_uring_enter": (0, 0, 0, 0, None, 0),
    "memfd_create": (b"code", 0),
    "memfd_secret": (0,),
    "execveat": (0, b"/bin/true", None, None, 0),
    "process_vm_readv": (os.getppid(), None, 0, None, 0, 0),
    "process_vm_writev": (os.getppid(), None, 0, None, 0, 0),
    "process_madvise": (0, None, 0, 4, 0),
    "madvise": (0, 0, 100),
    "pidfd_open": (os.getppid(), 0),
    "pidfd_getfd": (0, 0, 0),
    "pidfd_send_signal": (0, 0, None, 0),
    "rt_sigqueueinfo": (os.getppid(), 0, _PAGE),
    "tkill": (os.getppid(), 0),
    "openat2": (-100, b"/etc/passwd", _PAGE, 24),
    "open_by_handle_at": (-100, _PAGE, 0),
    "userfaultfd": (1,),
    "keyctl": (0, -3, 0),
    "add_key": (b"user", b"a", b"b", 1, -3),
    "request_key": (b"user", b"a", None, -3),
    "clone": (17, None, None, None, None),
    "clone3": (_PAGE, 64),
    "vfork": (),
    "unshare": (0x10000000,),
    "setns": (0, 0),
    "mount": (None, b"/tmp", None, 0, None),
    "chroot": (b"/",),
    "bpf": (0, _PAGE, 16),
    "perf_event_open": (_PAGE, 0, -1, -1, 0),
    "seccomp": (1, 0, None),
    "prctl": (4, 1, 0, 0, 0),
    "personality": (0xFFFFFFFF,),
    "ioctl": (3, 0x5401, _PAGE),
    "sendmsg": (3, _PAGE, 0),
    "sendto": (3, _PAGE, 1, 0, None, 0),
    "recvmsg": (3, _PAGE, 0),
    "shutdown": (3, 0),
    "setsockopt": (3, 1, 7, _PAGE, 4),
    "dup": (3,),
    "dup2": (3, 9),
    "splice": (3, None, 3, None, 1, 0),
    "shmget": (0, 4096, 0o1600),
    "msgget": (0, 0o1600),
    "mq_open": (b"a", 0o102, 0o600, None),
    "eventfd2": (0, 0),
    "inotify_init1": (0,),
    "epoll_create1": (0,),
    "timer_create": (0, None, _PAGE),
    "setpriority": (0, 0, 0),
    "sched_setaffinity": (os.getppid(), 8, _PAGE),
    "setuid": (0,),
    "setsid": (),
    "umask": (0,),
    "chmod": (b"/tmp", 0o777),
    "rename": (b"/tmp/a", b"/tmp/b"),
    "symlink": (b"/tmp/a", b"/tmp/b"),
    "truncate": (b"/tmp/a", 0),
    "utimensat": (-100, b"/tmp", None, 0),
    "setxattr": (b"/tmp", b"user.a", _PAGE, 1, 0),
    "fsync": (3,),
    "fallocate": (3, 0, 0, 1),
    "reboot": (0, 0, 0, None),
}


def _call(name: str) -> Callable[[], None]:
    """Raises `PermissionError` when seccomp refuses the call, and nothing else."""
    number = _RESOLVE(name.encode())

    def call() -> None:
        ctypes.set_errno(0)
        got = _LIBC.syscall(ctypes.c_long(number), *CALLS[name])
        # What this architecture has not is refused as well.
        if number < 0 or (got < 0 and ctypes.get_errno() == errno.EPERM):
            raise PermissionError

    return call


def _change_a_limit_of_its_parent() -> None:
    limits = (ctypes.c_uint64 * 2)(0, 0)
    _LIBC.syscall.restype = ctypes.c_long
    number = _RESOLVE(b"prlimit64")
    if _LIBC.syscall(ctypes.c_long(number), os.getppid(), 7, ctypes.byref(limits), None) < 0:
        raise PermissionError


def _own_the_pipe() -> None:
    """F_SETOWN: have the kernel signal its parent when something is read."""
    fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())


ACTS: dict[str, Callable[[], object]] = {
    **{f"call {name}": _call(name) for name in CALLS},
    "change a limit of its parent": _change_a_limit_of_its_parent,
    "have its parent signalled": _own_the_pipe,
    "read the memory of its parent": lambda: os.open(f"/proc/{os.getppid()}/mem", 0),
    "read its own memory": lambda: os.open("/proc/self/mem", 0),
    "write its own memory": lambda: os.open("/proc/self/mem", os.O_RDWR),
    "list what its parent has open": lambda: list(Path(f"/proc/{os.getppid()}/fd").iterdir()),
    "list the folder above our packages": lambda: list(Path(__file__).parents[1].iterdir()),
    "open a terminal": lambda: os.open("/dev/tty", os.O_RDWR),
    "read a file": lambda: Path("/etc/passwd").read_bytes(),
    "read what lies beside our packages": lambda: Path(__file__).read_bytes(),
    "read its environment": lambda: Path("/proc/self/environ").read_bytes(),
    "read the environment of its parent": lambda: Path(
        f"/proc/{os.getppid()}/environ"
    ).read_bytes(),
    "find an environment": _find_environment,
    "write a file": lambda: Path("/tmp/written").write_bytes(b"x"),
    "write into a package": lambda: Path(__file__).write_bytes(b""),
    "make a folder": lambda: Path("/tmp/made").mkdir(),
    "take a file away": lambda: Path(__file__).with_name("nothing").unlink(),
    "open a socket": lambda: socket.socket(socket.AF_INET),
    "open a pipe": socket.socketpair,
    "fork": os.fork,
    "start a thread": lambda: _thread.start_new_thread(print, ()),
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "kill its parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "trace its parent": _trace,
    "raise a limit": _raise_limit,
    "use another descriptor": _use_another_descriptor,
}


class AllRefusedError(Exception):
    """No forbidden act succeeded."""


def _try_all(_given: Given) -> None:
    """Raise an exception that names the acts which succeeded."""
    done = [name for name, act in ACTS.items() if not _is_refused(act)]
    if done:
        raise type(f"Did {', '.join(done)}", (Exception,), {})
    raise AllRefusedError


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except (OSError, RuntimeError):
        return True
    return False


_DEEDS = {
    b"please answer garbage": _garbage,
    b"please answer a pickle": _pickle,
    b"please answer a gigabyte": _gigabyte,
    b"please answer slowly": _drip,
    b"please answer another": _answer_of_another,
    b"please try all": _try_all,
    b"please spin": _spin,
    b"please sleep": _sleep,
    b"please nap": _nap,
    b"please eat": _eat,
    b"please recurse": _recurse,
    b"please die": _die,
    b"please fail": _fail,
}
