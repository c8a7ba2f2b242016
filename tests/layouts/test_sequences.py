"""Runs of successive numbers, pieces of a bounded size, and sums of each so many."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from layouts.sequences import columns, pieces, runs, sums


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


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.lists(st.lists(st.integers(), min_size=n, max_size=n), min_size=1)
    )
)
def test_sums_and_columns_are_of_each_so_many(parts):
    values, each = list(chain.from_iterable(parts)), len(parts[0])
    assert sums(values, each) == [sum(part) for part in parts]
    assert [list(column) for column in columns(values, each)] == [
        list(c) for c in zip(*parts, strict=True)
    ]
