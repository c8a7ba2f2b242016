"""Every key of the configuration, with its default and its range.

Only `ingest/wiring/` reads a `Settings`; every part gets the few values it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import date
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_type_hints
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    create_model,
    field_validator,
    model_validator,
)

from config.addresses import is_loopback
from layouts.calendar import CalendarError, load_calendar, load_peak_hours
from layouts.parameters import Parameters
from layouts.terms import Language


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

    def sqlite_file(self) -> Path | None:
        """The file of an SQLite database; None for a server's.

        Raises:
            SettingsError: as `location`.
        """
        kind, _, path = self.location().partition(":///")
        return Path(path) if kind == "sqlite" else None


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

    @property
    def letter_bytes(self) -> int:
        """Size of the largest letter, or document, that is read."""
        return int(self.letter_mb * 1024 * 1024)


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

    def _secret_files(self) -> Iterator[str]:
        """Every file with a secret that is named: passwords, tokens, private keys."""
        for section in (self.database, self.smtp, *self.mailbox, *self.oauth.values()):
            yield from (path for key in _secrets(type(section)) if (path := section.file_of(key)))
        for account in self.oauth.values():
            keys = (account.certificate_file, account.service_account_file, account.token_file)
            yield from filter(None, keys)

    def private_files(self) -> list[Path]:
        """Configuration, SQLite database, log and secrets, as far as they are files that exist."""
        named = (self.file, self.database.sqlite_file(), Path(self.log.file or "."))
        secrets = map(Path, self._secret_files())
        return [path for path in (*named, *secrets) if path is not None and path.is_file()]

    def folders(self) -> list[Path]:
        """Of this machine that are written to: of an SQLite database, of the log, drop folders."""
        files = (self.database.sqlite_file(), Path(self.log.file) if self.log.file else None)
        drops = (Path(drop.path) for drop in self.drop)
        return list(dict.fromkeys((*(file.parent for file in files if file), *drops)))

    def own_addresses(self) -> frozenset[str]:
        """Of the service, in lower case: what it sends as, and who it signs in as."""
        named = (self.smtp.sender, *(each.user for each in (self.smtp, *self.mailbox)))
        return frozenset(parseaddr(name)[1].lower() for name in named if "@" in name)

    def parameters(self) -> Parameters:
        """The bounds by which readings are judged.

        Raises:
            SettingsError: a bound is out of its range, or a file of the rules has mistakes.
        """
        bounds = self.rules.model_dump(exclude={"holidays", "peak_hours"})
        holidays, peak_hours = self.rules.holidays, self.rules.peak_hours
        try:
            if holidays:
                bounds["calendar"] = load_calendar(Path(holidays))
            if peak_hours:
                bounds["peak_hours"] = load_peak_hours(Path(peak_hours))
            return Parameters(**bounds)
        except CalendarError as fault:
            raise SettingsError(str(fault)) from None
        except ValueError as fault:
            raise SettingsError(f"{self.file or 'settings'}: rules.{fault}") from None

    @property
    def file(self) -> Path | None:
        """The file they were read from; None when there is none."""
        return self._file

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
