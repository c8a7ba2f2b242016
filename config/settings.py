"""Settings: one TOML file, the environment over it, and files for the secrets.

Only `ingest/wiring.py` reads a `Settings`; every part gets the few values it needs.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

DEFAULT_FILE = Path("ingest.toml")
_PREFIX = "INGEST_"


class SettingsError(ValueError):
    """One sentence about a setting that cannot be used: key, file and line."""


class Section(BaseModel):
    """A table of the file: unknown keys are errors, defaults are checked too."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any) -> Any:
        """Replace each `…_file` by what its file holds, without the line end."""
        if not isinstance(data, Mapping):
            return data
        values = dict(data)
        for key in cls.model_fields:
            name = f"{key}_file"
            if name not in cls.model_fields or not values.get(name):
                continue
            if values.get(key):
                raise ValueError(f"give {key} or {name}, not both")
            values[key] = _secret(name, str(values[name]))
        return values


def _secret(key: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{key}: {path} cannot be read: {reason}") from None


class Database(Section):
    """Where the ledger, the register of points and the readings are kept."""

    url: SecretStr = SecretStr("sqlite:///ingest.db")
    url_file: str = ""

    @field_validator("url")
    @classmethod
    def _is_one_we_can_use(cls, url: SecretStr) -> SecretStr:
        if not _DATABASE.match(url.get_secret_value()):
            raise ValueError("write sqlite:///file or postgresql+psycopg://user@host/name")
        return url


# What stands before the host may hold a password, with any sign in it.
_DATABASE = re.compile(
    r"sqlite:///. | postgresql (\+psycopg)? :// ([^:/@]* (:[^@]*)? @)?"
    r" (\[[^\]]*\] | [^/@:?\s]*) (:\d+)? ([/?] | $)",
    re.VERBOSE,
)


class Connection(Section):
    """A server we speak to; without a `user` there is no login."""

    host: str = ""
    port: int = Field(ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: str = ""

    @model_validator(mode="after")
    def _in_the_clear_only_at_home(self) -> Self:
        if self.security == "none" and self.host and not _is_loopback(self.host):
            raise ValueError(
                f'security = "none" is for loopback only, and {self.host} is not: use "tls"'
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class MailboxSettings(Connection):
    """One IMAP folder that letters arrive in, and the folders they are filed in."""

    name: str = Field(min_length=1)
    host: str = Field(min_length=1)
    port: int = Field(993, ge=1, le=65535)
    folder: str = "INBOX"
    processed: str = "Processed"
    ignored: str = "Ignored"
    quarantine: str = "Quarantine"
    timeout_seconds: float = Field(30, gt=0, le=600)


class Smtp(Connection):
    """The server that replies leave through."""

    port: int = Field(587, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "starttls"
    sender: str = ""
    timeout_seconds: float = Field(30, gt=0, le=600)

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if self.host and "@" not in parseaddr(self.sender)[1]:
            raise ValueError("sender must hold an e-mail address: replies leave in its name")
        return self


class Poll(Section):
    """How often and in what portions mailboxes are read."""

    every_seconds: float = Field(60, ge=1)
    batch: int = Field(50, ge=1, le=1000)
    batch_mb: float = Field(32, gt=0)
    idle: bool = True
    look_seconds: float = Field(0, ge=0)
    workers: int = Field(2, ge=1, le=32)


class Authentication(Section):
    """Who may hand in readings, and when guessing is stopped."""

    max_failures: int = Field(5, ge=1)
    lockout_minutes: float = Field(15, gt=0)
    require_known_address: bool = False
    trusted_authserv_id: str = ""


class Replies(Section):
    """How senders are answered."""

    language: Literal["ru", "en"] = "ru"
    answer_unknown_senders: bool = True
    per_address_per_day: int = Field(50, ge=1)


class Limits(Section):
    """What one letter may cost."""

    letter_mb: float = Field(25, gt=0)
    documents: int = Field(50, ge=1)
    unpacked_mb: float = Field(100, gt=0)
    memory_mb: int = Field(384, ge=64)
    seconds: float = Field(20, gt=0)


class LayoutFolder(Section):
    """The retailer's own definitions, read after the built-in ones."""

    path: str = ""


class Log(Section):
    """Where and how events are logged; without a file they go to standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: str = ""


class Metrics(Section):
    """Where figures for monitoring are served; empty: nowhere."""

    listen: str = Field("", pattern=r"^$|^[^:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")


class Rules(Section):
    """The bounds by which readings are judged, and files that replace the built-in ones.

    Their ranges are the rules' own; `docs/rules.md` has them.
    """

    created_ahead_hours: int = 24
    oldest_days: int = 92
    register_deadline_day: int = 2
    profile_deadline_day: int = 2
    daily_deadline_working_days: int = 3
    permitted_power_factor: Decimal = Decimal("1.1")
    maximum_power_factor: Decimal = Decimal(3)
    register_power_factor: Decimal = Decimal("1.1")
    spike_factor: int = 8
    flat_hours: int = 24
    resolution_units: int = 20
    low_factor: Decimal = Decimal("0.2")
    high_factor: Decimal = Decimal(5)
    peak_drop_share: Decimal = Decimal("0.10")
    profile_register_share: Decimal = Decimal("0.01")
    holidays: str = ""
    peak_hours: str = ""


def _as_list(value: Any) -> Any:
    """Numbered tables, as the environment gives them, as the list they stand for."""
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value, key=lambda k: int(k) if k.isdecimal() else -1)]
    return value


class Settings(Section):
    """Everything that may vary, with its defaults; see `config/example.toml`."""

    database: Database = Database()
    mailbox: Annotated[list[MailboxSettings], BeforeValidator(_as_list)] = []
    smtp: Smtp = Smtp()
    poll: Poll = Poll()
    authentication: Authentication = Authentication()
    replies: Replies = Replies()
    limits: Limits = Limits()
    layouts: LayoutFolder = LayoutFolder()
    rules: Rules = Rules()
    log: Log = Log()
    metrics: Metrics = Metrics()
    _file: Path = PrivateAttr(DEFAULT_FILE)

    @property
    def file(self) -> Path:
        """The file they were read from, or would have been."""
        return self._file

    @field_validator("mailbox")
    @classmethod
    def _have_own_names(cls, mailboxes: list[MailboxSettings]) -> list[MailboxSettings]:
        names = [mailbox.name for mailbox in mailboxes]
        if len(set(names)) < len(names):
            raise ValueError("two mailboxes have the same name")
        return mailboxes


def load(file: Path | None = None) -> Settings:
    """The settings of a file, of `INGEST_CONFIG`, or of `ingest.toml` if it exists.

    The environment outranks the file: `INGEST_POLL__BATCH`, and for the keys of a
    list `INGEST_MAILBOX__0__HOST`.

    Raises:
        SettingsError: the file is missing or not TOML, a key is unknown, a value is
            of the wrong type or out of range, or a secret's file cannot be read.
    """
    named = file or (Path(os.environ["INGEST_CONFIG"]) if os.environ.get("INGEST_CONFIG") else None)
    path = named or DEFAULT_FILE
    text = _read(path, required=named is not None)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"{path}: {fault}") from None
    variables = _variables()
    try:
        settings = Settings.model_validate(_overlaid(_numbered(tree), variables))
        settings._file = path  # noqa: SLF001 - only known here
        return settings
    except ValidationError as fault:
        raise SettingsError(_sentence(fault, path, text, variables)) from None


def _read(path: Path, *, required: bool) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if not required:
            return ""
        raise SettingsError(f"{path}: there is no such file") from None
    except OSError as fault:
        raise SettingsError(f"{path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text") from None


def _numbered(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with lists of tables numbered, so that the environment can reach in."""
    tables = tree.get("mailbox")
    if isinstance(tables, list):
        return {**tree, "mailbox": {str(index): table for index, table in enumerate(tables)}}
    return tree


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


def _sentence(
    fault: ValidationError, path: Path, text: str, variables: Mapping[tuple[str, ...], str]
) -> str:
    """One sentence for the first mistake: file, line, key, and what is expected."""
    errors = fault.errors(include_input=False, include_url=False)
    # A misspelt key is the reason why the right one is missing.
    error = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    keys = tuple(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "there is no such key"
    # A variable can also be the reason why its whole table is refused.
    name = next((name for at, name in variables.items() if keys and at[: len(keys)] == keys), None)
    where = _line([*keys], text)
    if name:
        source = f"environment variable {name}"
    else:
        source = f"{path}, line {where}" if where else str(path)
    return f"{source}: {'.'.join(keys) or 'settings'}: {message}"


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
