"""glibc's malloc: one arena for all threads, and free memory trimmed when idle."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From malloc.h; other C libraries have neither the names nor the habits.
_ARENA_MAX = -8


def share_heap() -> None:
    """Have all threads share one malloc arena; to be called before a second one is made.

    glibc gives each thread its own, and returns nothing of what was free at their ends.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Trim the heap: return free memory to the system; to be called when idle.

    Not before: each password takes 19 MB for a moment, and getting them anew from the
    system takes half as long as verifying it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
