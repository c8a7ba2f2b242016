"""How a process that runs for years gives memory back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
# From malloc.h; other C libraries have neither the names nor the habits.

_LARGE_BYTES = 1 << 20
_ARENAS = 2


def give_back() -> None:
    """Have large blocks return to the system once they are freed, and threads share heaps.

    glibc takes the first large block that is freed for a habit, and keeps the next ones:
    after a few passwords, which take 19 MB each, every thread holds that much for good.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_ARENA_MAX, _ARENAS)
