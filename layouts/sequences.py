"""Sequences cut into runs, and into pieces of a bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import add
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


def columns(values: Sequence[T], each: int) -> list[Sequence[T]]:
    """The first of each so many, the second of each, and so on."""
    return [values[at::each] for at in range(each)]


def sums(values: Sequence[int], each: int) -> list[int]:
    """The sums of each so many, all of them there."""
    first, *others = columns(values, each)
    found = list(first)
    for other in others:
        found = list(map(add, found, other))
    return found
