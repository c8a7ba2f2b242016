"""Settings: one TOML file, the environment over it, and files for the secrets.

Only `ingest/wiring.py` reads a `Settings`; every part gets the few values it needs.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import date
from difflib import get_close_matches
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Self,
    get_args,
    get_type_hints,
)
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from config.addresses import is_loopback
from layouts.parameters import Parameters
from layouts.terms import Language

PLACES = (Path("ingest.toml"), Path("/etc/ingest/ingest.toml"))
"""Where the configuration is looked for when none is named: the first that is there."""

_PREFIX = "INGEST_"


class SettingsError(ValueError):
    """One sentence about a setting that cannot be used: key, file and line."""


class Section(BaseModel):
    """A table of the file: unknown keys are errors, defaults are checked too."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_source_for_a_secret(self) -> Self:
        for key in _secrets(type(self)):
            is_given = key in self.model_fields_set and getattr(self, key).get_secret_value()
            if is_given and getattr(self, f"{key}_file"):
                raise ValueError(f"give {key} or {key}_file, not both")
        return self

    def origin(self, key: str) -> str:
        """Where a key's value is from: file and line, an environment variable, or `default`."""
        return self._origins.get(key, "default")

    def file_of(self, key: str) -> str:
        """The file that a secret is read from; '' for none."""
        return str(getattr(self, f"{key}_file"))

    def secret(self, key: str) -> str:
        """A secret, read from its `…_file` now when one is named, without the line end.

        Not when the configuration is loaded: operators' verbs need no mail password, and
        with systemd's credentials only the service can read it.

        Raises:
            SettingsError: the file cannot be read.
        """
        name = f"{key}_file"
        path = getattr(self, name)
        if not path:
            value: str = getattr(self, key).get_secret_value()
            return value
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
            where = self.origin(name)
            raise SettingsError(f"{where}: {name}: {path} cannot be read: {reason}") from None


def _secrets(section: type[Section]) -> Iterator[str]:
    """The keys that may also be given as a file."""
    for key in section.model_fields:
        if f"{key}_file" in section.model_fields:
            yield key


class Database(Section):
    """Where the ledger, the register of points and the readings are kept."""

    url: SecretStr = SecretStr("sqlite:///ingest.db")
    url_file: str = ""

    @field_validator("url")
    @classmethod
    def _is_one_we_can_use(cls, url: SecretStr) -> SecretStr:
        if not _DATABASE.match(url.get_secret_value()):
            raise ValueError(_DATABASE_FORM)
        return url

    def location(self) -> str:
        """The URL, read from its file when one is named.

        Raises:
            SettingsError: the file cannot be read, or holds no URL that we can use.
        """
        url = self.secret("url")
        if not _DATABASE.match(url):
            where = self.origin("url_file")
            raise SettingsError(f"{where}: url_file: {self.url_file}: {_DATABASE_FORM}")
        return url


_DATABASE_FORM = "write sqlite:///file or postgresql+psycopg://user@host/name"
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
    auth: str = Field("password", pattern=r"^(password|oauth:[\w-]+)$")
    ca_file: str = ""

    @property
    def oauth(self) -> str:
        """The name of the `[oauth.…]` table that it signs in by; '' for a password."""
        return self.auth.removeprefix("oauth:") if self.auth != "password" else ""

    @model_validator(mode="after")
    def _in_the_clear_only_at_home(self) -> Self:
        if self.security == "none" and self.host and not is_loopback(self.host):
            raise ValueError(
                f'security = "none" is for loopback only, and {self.host} is not: use "tls"'
            )
        return self


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


class OAuth(Section):
    """An account at an identity provider, by which mailboxes and SMTP are signed in to."""

    grant: Literal["client_credentials", "service_account", "refresh_token"]
    token_url: str = Field(pattern=r"^https?://.")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    client_secret_file: str = ""
    certificate_file: str = ""
    service_account_file: str = ""
    scope: str = ""
    token_file: str = ""
    device_url: str = Field("", pattern=r"^$|^https?://.")
    authorize_url: str = Field("", pattern=r"^$|^https?://.")
    redirect_uri: str = ""
    expires: date | None = None
    silence_days: int = Field(90, ge=2)

    @model_validator(mode="after")
    def _has_what_its_grant_needs(self) -> Self:
        if self.grant == "service_account" and not self.service_account_file:
            raise ValueError("service_account_file: the JSON file of the service account is needed")
        if self.grant == "refresh_token" and not self.token_file:
            raise ValueError("token_file: a place for the refresh token is needed")
        return self


class Poll(Section):
    """How often and in what portions mailboxes are read."""

    every_seconds: float = Field(60, ge=1)
    batch: int = Field(50, ge=1, le=1000)
    batch_mb: float = Field(32, gt=0)
    idle: bool = True
    look_seconds: float = Field(0, ge=0)
    list_id: tuple[str, ...] = ()
    workers: int = Field(2, ge=1, le=32)
    waiting_mb: float = Field(1024, gt=0)


class Authentication(Section):
    """Who may hand in readings, and when guessing is stopped."""

    max_failures: int = Field(5, ge=1)
    lockout_minutes: float = Field(15, gt=0)
    guesses_per_hour: int = Field(20, ge=1)
    require_known_address: bool = False
    trusted_authserv_id: str = ""


class Replies(Section):
    """How senders are answered."""

    language: Language = Language.RUSSIAN
    organisation: str = ""
    phone: str = ""
    hours: str = ""
    signature_file: str = ""
    texts: str = ""
    answer_unknown_senders: bool = True
    strangers_per_hour: int = Field(200, ge=1)
    per_address_per_day: int = Field(50, ge=1)


class Limits(Section):
    """What one letter may cost."""

    letter_mb: float = Field(25, gt=0)
    documents: int = Field(50, ge=1)
    unpacked_mb: float = Field(100, gt=0)
    memory_mb: int = Field(160, ge=32)
    seconds: float = Field(20, gt=0)
    require_confinement: bool = False


class LayoutFolder(Section):
    """The retailer's own definitions, read after the built-in ones."""

    path: str = ""


class Log(Section):
    """Where and how events are logged; without a file they go to standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: str = ""


class Alarms(Section):
    """When something needs a person, and who is mailed."""

    mail: str = ""
    mailbox_minutes: float = Field(5, gt=0)
    reply_minutes: float = Field(30, gt=0)
    ending_days: float = Field(30, ge=0)
    free_mb: int = Field(256, ge=0)

    @field_validator("mail")
    @classmethod
    def _is_an_address(cls, mail: str) -> str:
        if mail and not re.fullmatch(r"[^\s<>,;@]+@[^\s<>,;@]+", mail):
            raise ValueError("an e-mail address by itself is needed, like operators@example.ru")
        return mail


class Metrics(Section):
    """Where figures for monitoring are served; empty: nowhere."""

    listen: str = Field("", pattern=r"^$|^[^:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")


class Web(Section):
    """Where the pages are served; empty: nowhere."""

    listen: str = Field("", pattern=r"^$|^[^:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")
    public_url: str = Field("", pattern=r"^$|^https?://[^/\s@]+/?$")
    trusted_proxies: tuple[str, ...] = ()

    @field_validator("listen")
    @classmethod
    def _in_the_clear_only_at_home(cls, listen: str) -> str:
        host = listen.rpartition(":")[0]
        if host and not is_loopback(host):
            raise ValueError(
                f"pages are served over plain HTTP, on loopback only, and {host} is not:"
                " listen on 127.0.0.1 and put a proxy with TLS in front (docs/install.md)"
            )
        return listen

    @field_validator("public_url")
    @classmethod
    def _is_of_tls(cls, url: str) -> str:
        name = urlsplit(url).hostname or ""
        if url.startswith("http:") and not is_loopback(name):
            raise ValueError("passwords are typed there: it must begin with https://")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy} is neither an address nor a network") from None
        return proxies


class RuleFiles(Section):
    """Files that replace the built-in calendar of working days and the peak hours."""

    holidays: str = ""
    peak_hours: str = ""


if TYPE_CHECKING:
    Rules = RuleFiles
else:
    _types = get_type_hints(Parameters)
    # Each bound once, with its default and its range: in `layouts.parameters`.
    Rules = create_model(
        "Rules",
        __base__=RuleFiles,
        __doc__="The bounds by which readings are judged; `docs/rules.md` has their ranges.",
        **{
            bound.name: (_types[bound.name], bound.default)
            for bound in fields(Parameters)
            if bound.default is not MISSING
        },
    )


def _as_list(value: Any) -> Any:
    """Numbered tables, as the environment gives them, as the list they stand for."""
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value, key=lambda k: int(k) if k.isdecimal() else -1)]
    return value


class Drop(Section):
    """A folder that files are put into."""

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    entity: str = ""


class Settings(Section):
    """Everything that may vary, with its defaults; see `config/example.toml`."""

    database: Database = Database()
    mailbox: Annotated[list[MailboxSettings], BeforeValidator(_as_list)] = []
    drop: Annotated[list[Drop], BeforeValidator(_as_list)] = []
    smtp: Smtp = Smtp()
    oauth: dict[str, OAuth] = {}
    poll: Poll = Poll()
    authentication: Authentication = Authentication()
    replies: Replies = Replies()
    limits: Limits = Limits()
    layouts: LayoutFolder = LayoutFolder()
    rules: Rules = Rules()
    log: Log = Log()
    alarms: Alarms = Alarms()
    metrics: Metrics = Metrics()
    web: Web = Web()
    _file: Path | None = PrivateAttr(None)

    def secret_files(self) -> Iterator[str]:
        """Every file with a secret that is named: passwords, tokens, private keys."""
        for section in (self.database, self.smtp, *self.mailbox, *self.oauth.values()):
            yield from (path for key in _secrets(type(section)) if (path := section.file_of(key)))
        for account in self.oauth.values():
            keys = (account.certificate_file, account.service_account_file, account.token_file)
            yield from filter(None, keys)

    @property
    def file(self) -> Path | None:
        """The file they were read from; None when there is none."""
        return self._file

    @property
    def names_a_database(self) -> bool:
        """Whether somebody chose a database: by a configuration file, or by the environment."""
        return self._file is not None or bool(self.database.model_fields_set & {"url", "url_file"})

    @field_validator("mailbox")
    @classmethod
    def _have_own_names(cls, mailboxes: list[MailboxSettings]) -> list[MailboxSettings]:
        names = [mailbox.name for mailbox in mailboxes]
        if len(set(names)) < len(names):
            raise ValueError("two mailboxes have the same name")
        return mailboxes

    @field_validator("drop")
    @classmethod
    def _are_folders_of_their_own(cls, drops: list[Drop]) -> list[Drop]:
        for what in ("name", "path"):
            if len({getattr(drop, what) for drop in drops}) < len(drops):
                raise ValueError(f"two drops have the same {what}")
        return drops

    @model_validator(mode="after")
    def _alarms_can_leave(self) -> Self:
        if self.alarms.mail and not self.smtp.host:
            raise ValueError("[alarms] mail needs [smtp] host: the mail leaves through it")
        return self

    @model_validator(mode="after")
    def _sign_in_by_accounts_that_are_there(self) -> Self:
        for each in (*self.mailbox, self.smtp):
            if each.oauth and each.oauth not in self.oauth:
                raise ValueError(f'auth = "{each.auth}": there is no table [oauth.{each.oauth}]')
            if each.oauth and not each.user:
                raise ValueError(f'auth = "{each.auth}" needs a user: the mailbox\'s address')
        return self


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
    try:
        settings = Settings.model_validate(_overlaid(tree, source.variables))
    except ValidationError as fault:
        raise SettingsError("\n".join(source.sentences(fault))) from None
    settings._file = path  # noqa: SLF001 - only known here
    for name in Settings.model_fields:
        for at, table in _tables(getattr(settings, name), name):
            table._origins = {  # noqa: SLF001 - only known here
                key: source.of((*at, key)) for key in table.model_fields_set
            }
    return settings


class Described(NamedTuple):
    """A key of the configuration: its value as text, a secret hidden, and where it is from."""

    key: str
    value: str
    origin: str


def described(settings: Settings) -> Iterator[Described]:
    """Every key with its value, secrets hidden, and where it is from."""
    for name in Settings.model_fields:
        for at, table in _tables(getattr(settings, name), name):
            prefix = ".".join(at)
            for key in type(table).model_fields:
                value = getattr(table, key)
                if isinstance(value, SecretStr):
                    value = "(hidden)" if value.get_secret_value() else ""
                    value = value if table.origin(key) != "default" else ""
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

    def of(self, keys: tuple[str, ...]) -> str:
        """File and line of a key or of its table, or the variable that sets it."""
        # A variable can also be the reason why its whole table is refused.
        name = next(
            (n for at, n in self.variables.items() if keys and at[: len(keys)] == keys), None
        )
        if name:
            return f"environment variable {name}"
        where = _line([*keys], self.text)
        return f"{self.path or 'settings'}, line {where}" if where else str(self.path or "settings")

    def sentences(self, fault: ValidationError) -> list[str]:
        """One sentence a mistake: where it is, the key, and what is expected."""
        errors = fault.errors(include_input=False, include_url=False)
        misspelt = {tuple(each["loc"][:-1]) for each in errors if each["type"] == "extra_forbidden"}
        # A misspelt key is the reason why the right one is missing.
        told = [
            each
            for each in errors
            if each["type"] != "missing" or tuple(each["loc"][:-1]) not in misspelt
        ]
        return list(dict.fromkeys(self._sentence(tuple(map(str, e["loc"])), e) for e in told))

    def _sentence(self, keys: tuple[str, ...], error: ErrorDetails) -> str:
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = f"there is no such key{_meant(keys)}"
        return f"{self.of(keys)}: {'.'.join(keys) or 'settings'}: {message}"


def _meant(keys: Sequence[str]) -> str:
    """The key of that table whose name is nearest, such as an older version's new one."""
    table: type[Section] = Settings
    for key in keys[:-1]:
        if key in table.model_fields:
            annotation: Any = table.model_fields[key].annotation
            inner = (get_args(annotation) or (annotation,))[-1]
            if not (isinstance(inner, type) and issubclass(inner, Section)):
                return ""
            table = inner
    near = get_close_matches(keys[-1], table.model_fields, 1, 0.6)
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
