"""Every key of the configuration, with its default and its range.

Only `ingest/wiring/` reads a `Settings`; every part gets the few values it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from config.addresses import is_loopback
from layouts.calendar import CalendarError, load_calendar, load_peak_hours
from layouts.parameters import Parameters
from layouts.terms import Language

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0, le=600)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Text = Annotated[str, Meta(min_length=1)]
Listen = Annotated[str, Meta(pattern=r"^(|[^:\s]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5})\Z")]
PerhapsUrl = Annotated[str, Meta(pattern=r"^(\Z|https?://\S)")]


class SettingsError(ValueError):
    """One sentence about a setting that cannot be used: key, file and line."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file: each key by itself is what its type says, see `config.load`."""

    _origins: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """No values: some are secrets."""
        return f"{type(self).__name__}()"

    @classmethod
    def known_keys(cls) -> dict[str, msgspec.structs.FieldInfo]:
        """Its keys, in their order, with types and defaults."""
        told = msgspec.structs.fields(cls)
        return {each.name: each for each in told if not each.name.startswith("_")}

    @classmethod
    def secrets(cls) -> list[str]:
        """The keys that may also be given as a file."""
        names = cls.__struct_fields__
        return [name for name in names if f"{name}_file" in names]

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """What else is wrong: a key, or '' for the whole table, with a sentence."""
        for key in self.secrets():
            if self.origin(key) != "default" and getattr(self, key) and self.file_of(key):
                yield "", f"give {key} or {key}_file, not both"

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
            return str(getattr(self, key))
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
            where = self.origin(name)
            raise SettingsError(f"{where}: {name}: {path} cannot be read: {reason}") from None


class Database(Section, frozen=True, kw_only=True):
    """Where the ledger, the register of points and the readings are kept."""

    url: str = "sqlite:///ingest.db"
    url_file: str = ""

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        yield from super().mistakes()
        if not _DATABASE.match(self.url):
            yield "url", _DATABASE_FORM

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


class Connection(Section, frozen=True, kw_only=True):
    """A server we speak to; without a `user` there is no login."""

    host: str = ""
    port: Port
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    password: str = ""
    password_file: str = ""
    auth: Annotated[str, Meta(pattern=r"^(password|oauth:[\w-]+)\Z")] = "password"
    ca_file: str = ""

    @property
    def oauth(self) -> str:
        """The name of the `[oauth.…]` table that it signs in by; '' for a password."""
        return self.auth.removeprefix("oauth:") if self.auth != "password" else ""

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        yield from super().mistakes()
        if self.security == "none" and self.host and not is_loopback(self.host):
            yield "", f'security = "none" is for loopback only, and {self.host} is not: use "tls"'


class MailboxSettings(Connection, frozen=True, kw_only=True):
    """One IMAP folder that letters arrive in, and the folders they are filed in."""

    name: Text
    host: Text
    port: Port = 993
    folder: str = "INBOX"
    processed: str = "Processed"
    ignored: str = "Ignored"
    quarantine: str = "Quarantine"
    timeout_seconds: Seconds = 30


class Smtp(Connection, frozen=True, kw_only=True):
    """The server that replies leave through."""

    port: Port = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    sender: str = ""
    timeout_seconds: Seconds = 30

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        yield from super().mistakes()
        if self.host and "@" not in _address(self.sender):
            yield "", "sender must hold an e-mail address: replies leave in its name"


def _address(name: str) -> str:
    """The address alone of `Name <address>`; '' for none."""
    # Late: it brings a dozen modules that a verb without mail does not need.
    from email.utils import parseaddr

    return parseaddr(name)[1]


class OAuth(Section, frozen=True, kw_only=True):
    """An account at an identity provider, by which mailboxes and SMTP are signed in to."""

    grant: Literal["client_credentials", "service_account", "refresh_token"]
    token_url: Annotated[str, Meta(pattern=r"^https?://\S")]
    client_id: str = ""
    client_secret: str = ""
    client_secret_file: str = ""
    certificate_file: str = ""
    service_account_file: str = ""
    scope: str = ""
    token_file: str = ""
    device_url: PerhapsUrl = ""
    authorize_url: PerhapsUrl = ""
    redirect_uri: str = ""
    expires: date | None = None
    silence_days: Annotated[int, Meta(ge=2)] = 90

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        yield from super().mistakes()
        if self.grant == "service_account" and not self.service_account_file:
            yield "", "service_account_file: the JSON file of the service account is needed"
        if self.grant == "refresh_token" and not self.token_file:
            yield "", "token_file: a place for the refresh token is needed"


class Poll(Section, frozen=True, kw_only=True):
    """How often and in what portions mailboxes are read."""

    every_seconds: Annotated[float, Meta(ge=1)] = 60
    batch: Annotated[int, Meta(ge=1, le=1000)] = 50
    batch_mb: Positive = 32
    idle: bool = True
    look_seconds: NotNegative = 0
    list_id: tuple[str, ...] = ()
    workers: Annotated[int, Meta(ge=1, le=32)] = 2
    waiting_mb: Positive = 1024


class Authentication(Section, frozen=True, kw_only=True):
    """Who may hand in readings, and when guessing is stopped."""

    max_failures: Count = 5
    lockout_minutes: Positive = 15
    guesses_per_hour: Count = 20
    require_known_address: bool = False
    trusted_authserv_id: str = ""


class Replies(Section, frozen=True, kw_only=True):
    """How senders are answered."""

    language: Language = Language.RUSSIAN
    organisation: str = ""
    phone: str = ""
    hours: str = ""
    signature_file: str = ""
    texts: str = ""
    answer_unknown_senders: bool = True
    strangers_per_hour: Count = 200
    per_address_per_day: Count = 50


class Limits(Section, frozen=True, kw_only=True):
    """What one letter may cost."""

    letter_mb: Positive = 25
    documents: Count = 50
    unpacked_mb: Positive = 100
    memory_mb: Annotated[int, Meta(ge=32)] = 160
    seconds: Positive = 20
    require_confinement: bool = False

    @property
    def letter_bytes(self) -> int:
        """Size of the largest letter, or document, that is read."""
        return int(self.letter_mb * 1024 * 1024)


class LayoutFolder(Section, frozen=True, kw_only=True):
    """The retailer's own definitions, read after the built-in ones."""

    path: str = ""


class Log(Section, frozen=True, kw_only=True):
    """Where and how events are logged; without a file they go to standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: str = ""


class Alarms(Section, frozen=True, kw_only=True):
    """When something needs a person, and who is mailed."""

    mail: str = ""
    mailbox_minutes: Positive = 5
    reply_minutes: Positive = 30
    ending_days: NotNegative = 30
    free_mb: Annotated[int, Meta(ge=0)] = 256

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        if self.mail and not re.fullmatch(r"[^\s<>,;@]+@[^\s<>,;@]+", self.mail):
            yield "mail", "an e-mail address by itself is needed, like operators@example.ru"


class Metrics(Section, frozen=True, kw_only=True):
    """Where figures for monitoring are served; empty: nowhere."""

    listen: Listen = ""


class Web(Section, frozen=True, kw_only=True):
    """Where the pages are served; empty: nowhere."""

    listen: Listen = ""
    public_url: Annotated[str, Meta(pattern=r"^(|https?://[^/\s@]+/?)\Z")] = ""
    trusted_proxies: tuple[str, ...] = ()

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        host = self.listen.rpartition(":")[0]
        if host and not is_loopback(host):
            yield (
                "listen",
                (
                    f"pages are served over plain HTTP, on loopback only, and {host} is not:"
                    " listen on 127.0.0.1 and put a proxy with TLS in front (docs/install.md)"
                ),
            )
        name = urlsplit(self.public_url).hostname or ""
        if self.public_url.startswith("http:") and not is_loopback(name):
            yield "public_url", "passwords are typed there: it must begin with https://"
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                yield "trusted_proxies", f"{proxy} is neither an address nor a network"


class RuleFiles(Section, frozen=True, kw_only=True):
    """Files that replace the built-in calendar of working days and the peak hours."""

    holidays: str = ""
    peak_hours: str = ""


if TYPE_CHECKING:
    Rules = RuleFiles
else:
    _types = get_type_hints(Parameters)
    # Each bound once, with its default and its range: in `layouts.parameters`.
    Rules = msgspec.defstruct(
        "Rules",
        [
            (bound.name, _types[bound.name], bound.default)
            for bound in fields(Parameters)
            if bound.default is not MISSING
        ],
        bases=(RuleFiles,),
        namespace={
            "__doc__": "The bounds by which readings are judged; `docs/rules.md` has their ranges."
        },
        frozen=True,
        kw_only=True,
    )


class Drop(Section, frozen=True, kw_only=True):
    """A folder that files are put into."""

    name: Text
    path: Text
    entity: str = ""


class Settings(Section, frozen=True, kw_only=True):
    """Everything that may vary, with its defaults; see `config/example.toml`."""

    database: Database = Database()
    mailbox: list[MailboxSettings] = []
    drop: list[Drop] = []
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
    _file: Path | None = None

    def _secret_files(self) -> Iterator[str]:
        """Every file with a secret that is named: passwords, tokens, private keys."""
        for section in (self.database, self.smtp, *self.mailbox, *self.oauth.values()):
            yield from (path for key in section.secrets() if (path := section.file_of(key)))
        for account in self.oauth.values():
            keys = (account.certificate_file, account.service_account_file, account.token_file)
            yield from filter(None, keys)

    def private_files(self) -> list[Path]:
        """Configuration, SQLite database, log and secrets, as far as they are files that exist."""
        named = (self.file, self.database.sqlite_file(), Path(self.log.file))
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
        return frozenset(_address(name).lower() for name in named if "@" in name)

    def parameters(self) -> Parameters:
        """The bounds by which readings are judged.

        Raises:
            SettingsError: a bound is out of its range, or a file of the rules has mistakes.
        """
        bounds = {key: getattr(self.rules, key) for key in self.rules.known_keys()}
        holidays, peak_hours = bounds.pop("holidays"), bounds.pop("peak_hours")
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

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """See `Section`."""
        if _has_two([mailbox.name for mailbox in self.mailbox]):
            yield "mailbox", "two mailboxes have the same name"
        for what in ("name", "path"):
            if _has_two([getattr(drop, what) for drop in self.drop]):
                yield "drop", f"two drops have the same {what}"
        if self.alarms.mail and not self.smtp.host:
            yield "", "[alarms] mail needs [smtp] host: the mail leaves through it"
        for each in (*self.mailbox, self.smtp):
            if each.oauth and each.oauth not in self.oauth:
                yield "", f'auth = "{each.auth}": there is no table [oauth.{each.oauth}]'
            elif each.oauth and not each.user:
                yield "", f'auth = "{each.auth}" needs a user: the mailbox\'s address'


def _has_two(values: Sequence[str]) -> bool:
    """Whether two of them are the same."""
    return len(set(values)) < len(values)
