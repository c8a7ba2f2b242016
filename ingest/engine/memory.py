"""How a process that runs for years gives memory back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From malloc.h; other C libraries have neither the names nor the habits.
_ARENA_MAX = -8


def share_heap() -> None:
    """Have all threads share one heap, before there is another one.

    glibc gives each thread its own, and returns nothing of what was free at their ends.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Return what is free to the system, when there is nothing to do.

    Not before: each password takes 19 MB for a moment, and getting them anew from the
    system takes half as long as verifying it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
