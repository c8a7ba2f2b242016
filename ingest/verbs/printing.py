"""The one printer: results as JSON lines, as a table, or as texts."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from ingest.operations.told import as_json, attribute, minute
from layouts.findings import printable

Columns = Mapping[str, str | Callable[[Any], object]]
"""By heading: an attribute of a row, as a dotted path, or a function of it."""


def tell(
    results: Iterable[Any],
    is_json: bool,
    human: Columns | Callable[[Any], str],
    language: str = "ru",
) -> None:
    """Print results as they come, one JSON object a line; or all of them for people.

    Args:
        results: Dataclasses, as operations return them.
        is_json: For scripts.
        human: The columns of a table of all results, or the text of each; '' prints nothing.
        language: Of the findings' messages.
    """
    if is_json:
        for result in results:
            click.echo(json.dumps(as_json(result, language), ensure_ascii=False))
    elif callable(human):
        for result in results:
            if text := human(result):
                click.echo(text)
    else:
        click.echo("\n".join(table_lines(list(results), human, _width())))


def _width() -> int | None:
    """Of the terminal; None in a pipe, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_lines(rows: Sequence[Any], columns: Columns, width: int | None = None) -> Iterator[str]:
    """The lines of a table. Columns that do not fit go to a second line of each row.

    Only what does not fit on that line either is cut, and ends in `…`.
    """
    sources = columns.values()
    cells = [tuple(columns)]
    cells += [tuple(_cell(attribute(row, source)) for source in sources) for row in rows]
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        longest = [min(each, width // 2) for each in longest]
    first, used = len(longest), 0
    for number, each in enumerate(longest):
        used += each + (2 if number else 0)
        if width is not None and used > width:
            first = number
            break
    for row in cells:
        together = zip(row[:first], longest, strict=False)
        yield "  ".join(_cut(cell, each).ljust(each) for cell, each in together).rstrip()
        rest = "    " + "  ".join(cell for cell in row[first:] if cell)
        if rest.strip():
            yield _cut(rest, width or len(rest)).rstrip()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return minute(value)
        case tuple() | list():
            return " ".join(map(_cell, value))
    return printable(str(value))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
