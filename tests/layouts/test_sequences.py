"""Runs of successive numbers, and pieces of a bounded size."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from layouts.sequences import pieces, runs


@given(st.sets(st.integers(-50, 50)))
def test_runs_cover_exactly_the_numbers_and_none_touches_the_next(numbers):
    found = list(runs(sorted(numbers)))
    assert [n for first, last in found for n in range(first, last + 1)] == sorted(numbers)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


@given(st.lists(st.integers()), st.integers(1, 7))
def test_pieces_joined_are_the_whole_and_all_but_the_last_are_full(items, size):
    cut = list(pieces(iter(items), size))
    assert list(chain.from_iterable(cut)) == items
    assert all(len(piece) == size for piece in cut[:-1])
    assert all(1 <= len(piece) <= size for piece in cut[-1:])
