"""Lines and cells told as ranges, so that hundreds of them stay readable."""

from __future__ import annotations

import re
from collections.abc import Iterable

from layouts.document import cell_name
from layouts.sequences import runs

_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def lines_told(lines: Iterable[int]) -> list[str]:
    """Line numbers as `14–37`, `40`, ascending, each once."""
    return [str(a) if a == b else f"{a}–{b}" for a, b in runs(sorted(set(lines)))]


def ranges_told(names: Iterable[str]) -> list[str]:
    """Cells as `C14`, `C15:Z20`: runs in a row, then equal runs of neighbouring rows."""
    by_row: dict[int, list[int]] = {}
    odd: list[str] = []
    for name in dict.fromkeys(names):
        position = cell_position(name)
        if position is None:
            odd.append(name)
        else:
            by_row.setdefault(position[0], []).append(position[1])
    rows_of: dict[tuple[int, int], list[int]] = {}
    for row in sorted(by_row):
        for run in runs(sorted(by_row[row])):
            rows_of.setdefault(run, []).append(row)
    blocks = sorted(
        (top, left, bottom, right)
        for (left, right), rows in rows_of.items()
        for top, bottom in runs(rows)
    )
    return [_block(*block) for block in blocks] + odd


def cell_position(name: str) -> tuple[int, int] | None:
    """Row and column of a cell, both from 1; None when that is no cell's name."""
    match = _CELL.fullmatch(name)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


def _block(top: int, left: int, bottom: int, right: int) -> str:
    first, last = cell_name(top, left), cell_name(bottom, right)
    return first if first == last else f"{first}:{last}"
