"""One table of a definition file, read with errors that name the file and the key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any


class LayoutError(ValueError):
    """A definition with a mistake: names the file, the key and what was expected."""

    def __init__(self, file: Path, key: str, expected: str) -> None:
        super().__init__(f"{file}: {key}: {expected}")
        self.file = file
        self.key = key
        self.expected = expected


class Section:
    """One table of a definition, with the set of its keys that were asked for."""

    def __init__(self, file: Path, name: str, data: Mapping[str, Any]) -> None:
        self.file = file
        self._name = name
        self._data = data
        self._known: set[str] = set()

    def key(self, name: str) -> str:
        """The full name of a key, for messages."""
        return f"{self._name}.{name}" if self._name else name

    def wrong(self, name: str, expected: str) -> LayoutError:
        """The error that a key does not hold what was expected."""
        return LayoutError(self.file, self.key(name), f"expected {expected}")

    def _get(self, name: str, kind: type, expected: str, default: Any) -> Any:
        self._known.add(name)
        value = self._data.get(name, default)
        if value is _REQUIRED:
            raise self.wrong(name, f"{expected}, but it is missing")
        # A boolean is an integer to Python, but not to the writer of a definition.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(name, expected)
        return value

    def text(self, name: str, default: Any = None, among: Collection[str] = ()) -> str:
        """A text; one of `among` where these are given.

        Raises:
            LayoutError: it is missing, no text, or none of `among`.
        """
        expected = f"one of {', '.join(among)}" if among else "a text"
        value: str = self._get(name, str, expected, _REQUIRED if default is None else default)
        if among and value not in among and value != default:
            raise self.wrong(name, expected)
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 to `most`."""
        value: int = self._get(name, int, f"a number from 0 to {most}", default)
        if not 0 <= value <= most:
            raise self.wrong(name, f"a number from 0 to {most}")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false when it is absent."""
        value: bool = self._get(name, bool, "true or false", False)
        return value

    def items(self, name: str, kind: type = str, among: Collection[str] = ()) -> tuple[Any, ...]:
        """A list of texts or numbers."""
        expected = f"a list of {'numbers' if kind is int else 'texts'}"
        expected += f", each one of {', '.join(among)}" if among else ""
        values = self._get(name, list, expected, [])
        if not all(type(value) is kind and (not among or value in among) for value in values):
            raise self.wrong(name, expected)
        return tuple(values)

    def section(self, name: str) -> Section:
        """A table within this one; empty when it is not there."""
        return Section(self.file, self.key(name), self._get(name, dict, "a table", {}))

    def sections(self, name: str) -> list[Section]:
        """A list of tables."""
        found = self._get(name, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in found):
            raise self.wrong(name, "a list of tables")
        return [Section(self.file, f"{self.key(name)}[{i}]", item) for i, item in enumerate(found)]

    def has(self, name: str) -> bool:
        """Whether the key is there."""
        return name in self._data

    def names(self, among: Collection[str] = ()) -> Iterable[str]:
        """The keys that are there, each one of `among`.

        Raises:
            LayoutError: a key is none of `among`.
        """
        for name in self._data:
            if among and name not in among:
                raise LayoutError(self.file, self.key(name), f"expected one of {', '.join(among)}")
            yield name

    def mapping(self, among: Collection[str]) -> dict[str, str]:
        """Every key with its text, which is one of `among`."""
        return {name: self.text(name, among=among) for name in self._data}

    def done(self) -> None:
        """Refuse keys that nothing has asked for.

        Raises:
            LayoutError: there is one.
        """
        for name in self._data:
            if name not in self._known:
                known = ", ".join(sorted(self._known))
                raise LayoutError(self.file, self.key(name), f"is not known here; known: {known}")


_REQUIRED = object()
