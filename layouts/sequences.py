"""Sequences cut into runs, and into pieces of a bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def runs(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of successive numbers in ascending `indexes`."""
    first = last = None
    for index in indexes:
        if first is None or last is None:
            first = last = index
        elif index == last + 1:
            last = index
        else:
            yield first, last
            first = last = index
    if first is not None and last is not None:
        yield first, last


def pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`, read as they are taken."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
