"""Whether a password that a person chooses can be guessed within the bounds of online guessing.

Source: NIST SP 800-63B, section 5.1.1.2: a least length, no composition rules, and a
comparison with what is known of the account and with commonly used passwords.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

LEAST_SIGNS = 10


class Weakness(StrEnum):
    """Why a password is too easy to guess."""

    SHORT = f"it has fewer than {LEAST_SIGNS} signs"
    OF_THE_SENDER = "it is the user code or the taxpayer number"
    COMMON = "it is one of the commonly used passwords"


def weakness(password: str, user_code: str, inn: str | None) -> Weakness | None:
    """The first thing that makes a password easy to guess; None when nothing does."""
    bare = password.strip().casefold()
    if len(password.strip()) < LEAST_SIGNS:
        return Weakness.SHORT
    if bare.lstrip("0") in {name.lstrip("0") for name in (user_code, inn) if name}:
        return Weakness.OF_THE_SENDER
    if bare in _common() or len(set(bare)) == 1:
        return Weakness.COMMON
    return None


@cache
def _common() -> frozenset[str]:
    # Late: the lists take a quarter of a second to load, and only new passwords need them.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
