"""Settings out of one TOML file and the environment over it, or all mistakes in them."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from config.settings import MailboxSettings, OAuth, Section, Settings, SettingsError

PLACES = (Path("ingest.toml"), Path("/etc/ingest/ingest.toml"))
"""Where the configuration is looked for when none is named: the first that is there."""

_PREFIX = "INGEST_"


def load(file: Path | None = None) -> Settings:
    """The settings of a file, of `INGEST_CONFIG`, or of the first of `PLACES` that exists.

    The environment outranks the file: `INGEST_POLL__BATCH`, and for the keys of a
    list `INGEST_MAILBOX__0__HOST`.

    Raises:
        SettingsError: a named file is missing, the file is not TOML, a key is unknown,
            or a value is of the wrong type or out of range; all such mistakes at once,
            one a line.
    """
    named = file or (Path(os.environ["INGEST_CONFIG"]) if os.environ.get("INGEST_CONFIG") else None)
    path = named or next((place for place in PLACES if place.exists()), None)
    text = _read(path) if path else ""
    try:
        tree = _numbered(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"{path}: {fault}") from None
    source = _Source(path, text, _variables())
    settings = source.section(Settings, _overlaid(tree, source.variables), (), _file=path)
    if settings is None:
        raise SettingsError("\n".join(source.mistakes))
    return settings


def require_database(settings: Settings) -> None:
    """Refuse to go on where nobody chose a database.

    Raises:
        SettingsError: there is neither a configuration file nor a URL in the environment.
    """
    named = {settings.database.origin(key) for key in ("url", "url_file")} - {"default"}
    if settings.file is None and not named:
        places = " and no ".join(map(str, PLACES))
        raise SettingsError(
            f"there is no configuration: no {places}, no --config,"
            " no INGEST_CONFIG and no INGEST_DATABASE__URL (docs/install.md begins with one)"
        )


class Described(NamedTuple):
    """A key of the configuration: its value as text, a secret hidden, and where it is from."""

    key: str
    value: str
    origin: str


def described(settings: Settings) -> Iterator[Described]:
    """Every key with its value, secrets hidden, and where it is from."""
    for name in settings.known_keys():
        for at, table in _tables(getattr(settings, name), name):
            prefix = ".".join(at)
            secrets = table.secrets()
            for key in table.known_keys():
                value = getattr(table, key)
                if key in secrets:
                    value = "(hidden)" if value and table.origin(key) != "default" else ""
                yield Described(f"{prefix}.{key}", str(value), table.origin(key))


def _tables(
    part: Section | list[MailboxSettings] | dict[str, OAuth], name: str
) -> Iterator[tuple[tuple[str, ...], Section]]:
    """The tables of one part of the settings, each with its path."""
    if isinstance(part, Section):
        yield (name,), part
    elif isinstance(part, dict):
        yield from (((name, key), table) for key, table in part.items())
    else:
        yield from (((name, str(number)), table) for number, table in enumerate(part))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file") from None
    except OSError as fault:
        raise SettingsError(f"{path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text") from None


def _numbered(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with lists of tables numbered, so that the environment can reach in."""
    numbered = {
        name: {str(index): table for index, table in enumerate(tables)}
        for name in ("mailbox", "drop")
        if isinstance(tables := tree.get(name), list)
    }
    return tree | numbered


def _variables() -> dict[tuple[str, ...], str]:
    """What the environment sets: the path of each key, and the variable's name."""
    return {
        tuple(name.removeprefix(_PREFIX).lower().split("__")): name
        for name in os.environ
        if name.startswith(_PREFIX) and name != f"{_PREFIX}CONFIG"
    }


def _overlaid(tree: dict[str, Any], variables: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    """The tree with what the environment sets in its place."""
    whole = dict(tree)
    for path, name in variables.items():
        table = whole
        for key in path[:-1]:
            inner = table.get(key, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"environment variable {name}: {key} is no table")
            table[key] = table = dict(inner)
        table[path[-1]] = os.environ[name]
    return whole


@dataclass(frozen=True, slots=True)
class _Source:
    """The file and the environment that settings are made of, to say where each is from."""

    path: Path | None
    text: str
    variables: Mapping[tuple[str, ...], str]
    mistakes: dict[str, None] = field(default_factory=dict)
    """Sentences with where the mistake is, the key and what is expected; each once."""

    def of(self, keys: tuple[str, ...]) -> str:
        """File and line of a key or of its table, or the variable that sets it."""
        # A variable can also be the reason why its whole table is refused.
        name = next(
            (n for at, n in self.variables.items() if keys and at[: len(keys)] == keys), None
        )
        if name:
            return f"environment variable {name}"
        where = _line([*keys], self.text)
        return f"{self.path}, line {where}" if where else str(self.path or "settings")

    def section(
        self, kind: type[Table], given: object, at: tuple[str, ...], **more: object
    ) -> Table | None:
        """A table out of what is given for it; None when there are mistakes, which are noted.

        Args:
            kind: Of table.
            given: What the file and the environment hold in its place.
            at: The keys that lead to it.
            more: Facts of the table that are no keys of it.
        """
        before = len(self.mistakes)
        if not isinstance(given, Mapping):
            self._note(at, "a table is needed")
            return None
        known = kind.known_keys()
        values = {
            key: self._value(known[key].type, value, (*at, key))
            for key, value in given.items()
            if key in known
        }
        wrong = [key for key in given if key not in known]
        for key in wrong:
            self._note((*at, key), f"there is no such key{_meant(key, known)}")
        for key, each in known.items():
            # A misspelt key is the reason why the right one is missing.
            if each.required and key not in given and not wrong:
                self._note((*at, key), "a value is needed")
        if len(self.mistakes) > before:
            return None
        origins = {key: self.of((*at, key)) for key in values}
        made = kind(**values, **more, _origins=origins)
        for key, sentence in made.mistakes():
            self._note((*at, key) if key else at, sentence)
        return made if len(self.mistakes) == before else None

    def _value(self, kind: Any, given: object, at: tuple[str, ...]) -> object:
        """A value, a table or several; what is wrong with it is noted."""
        inner = (get_args(kind) or (kind,))[-1]
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            if kind is bool and isinstance(given, str):
                given = _SWITCH.get(given.lower(), given)
            elif get_origin(kind) is tuple and isinstance(given, str):
                given = given.replace(",", " ").split()
            try:
                return msgspec.convert(given, kind, strict=False)
            except msgspec.ValidationError as fault:
                self._note(at, _choices(kind) or str(fault))
                return None
        if inner is kind:
            return self.section(inner, given, at)
        if not isinstance(given, Mapping):
            self._note(at, "tables are needed")
            return None
        if get_origin(kind) is list:
            names = sorted(given, key=lambda name: (len(name), name))
            return [self.section(inner, given[name], (*at, name)) for name in names]
        return {name: self.section(inner, table, (*at, name)) for name, table in given.items()}

    def _note(self, keys: tuple[str, ...], message: str) -> None:
        self.mistakes[f"{self.of(keys)}: {'.'.join(keys) or 'settings'}: {message}"] = None


Table = TypeVar("Table", bound=Section)

_SWITCH = {"yes": True, "on": True, "no": False, "off": False}
"""What people write into the environment beside true, false, 1 and 0."""


def _choices(kind: Any) -> str:
    """What may stand there, where it is one of a few words."""
    words = get_args(kind) if get_origin(kind) is Literal else ()
    if isinstance(kind, type) and issubclass(kind, Enum):
        words = tuple(each.value for each in kind)
    return f"one of {', '.join(words)} is needed" if words else ""


def _meant(key: str, known: Iterable[str]) -> str:
    """The key whose name is nearest, such as an older version's new one."""
    from difflib import get_close_matches

    near = get_close_matches(key, known)
    return f": {near[0]} is one" if near else ""


def _line(keys: list[str], text: str) -> int | None:
    """The line on which a key stands, or its table's when the key is absent."""
    table: list[str] = []
    seen: dict[str, int] = {}
    best = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[(\[?)\s*([\w.-]+)\s*\]", line):
            table = header[2].split(".")
            if header[1]:
                seen[header[2]] = seen.get(header[2], -1) + 1
                table.append(str(seen[header[2]]))
            path = table
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            path = [*table, key[1]]
        else:
            continue
        if path == keys:
            return number
        if path == keys[:-1]:
            best = number
    return best
