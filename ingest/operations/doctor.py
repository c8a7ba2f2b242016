"""What is wrong with an installation, and what to do: every server tried once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from ingest.operations import ports
from ingest.operations.audit import verify
from ingest.operations.told import Keys
from ingest.operations.twins import twins
from ingest.reading.sandbox import Sandbox
from layouts.months import MOSCOW

_SEALS_LOOKED_AT = 1000
"""All of them: `audit verify`."""
_OTHERS = 0o007
_ROOM_LEAST, _ROOM_SHARE = 2**30, 0.05
"""Bytes, and the share of the disk, below which there is too little room."""

_CLOCK_MOST = timedelta(minutes=2)

_T = TypeVar("_T")


class Examined(Protocol):
    """What a mailbox was found like."""

    @property
    def letters(self) -> int:
        """In the folder that letters arrive in."""

    @property
    def folders(self) -> Sequence[str]:
        """That letters are filed in; each was tried."""

    @property
    def keeps_apart(self) -> bool:
        """Whether filed letters may stay in the folder, marked by a keyword."""

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does; None without TLS."""

    @property
    def clock(self) -> datetime | None:
        """The server's, just now; None when it cannot be told."""


class Mailbox(Protocol):
    """A mailbox, as far as it is tried."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def folder(self) -> str:
        """The folder that letters arrive in."""

    def examine(self) -> Examined:
        """Open the folder, and try to file a letter into each folder of outcomes."""

    def close(self) -> None:
        """Log out."""


class Postman(Protocol):
    """The SMTP server, as far as it is tried."""

    def greet(self) -> str:
        """Connect and log in, and send nothing: what the server was found to be."""

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does, as it was at the last connect; None without TLS."""

    def close(self) -> None:
        """Log out."""


class Transports(ports.Transports, Protocol):
    """Mail servers, as far as they are tried."""

    def mailboxes(self) -> Sequence[Mailbox]:
        """Every mailbox, not connected yet."""

    def postman(self) -> Postman | None:
        """None without an SMTP server."""


class Installation(ports.Service, Protocol):
    """The wired service, as far as it is tried."""

    @property
    def transports(self) -> Transports:
        """The mail servers."""

    @property
    def smtp_host(self) -> str:
        """'' when there is none."""

    @property
    def trusted_authserv_id(self) -> str:
        """Whose Authentication-Results count; '' for nobody's."""

    @property
    def log_file(self) -> str:
        """'' for standard error."""

    def private_files(self) -> Sequence[Path]:
        """Those of configuration, database and log that exist."""

    def is_new_database(self) -> bool:
        """Whether it does not exist yet."""

    def sandbox(self) -> Sandbox:
        """Children that read letters; none is started yet."""


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was tried.

    Attributes:
        advice: What to do; '' when it is well.
        exit_code: 1 for something to look at, 3 when a server cannot be reached.
    """

    KEYS: ClassVar[Keys] = {
        "what": "what",
        "well": "is_well",
        "found": "found",
        "advice": lambda result: result.advice or None,
    }

    what: str
    found: str
    advice: str = ""
    exit_code: int = 0

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.advice


def examine(app: Installation) -> Iterator[Result]:
    """Configuration, layouts, database, clock, every mailbox and the SMTP server, in turn."""
    yield Result("configuration", f"{len(app.mailbox_names)} mailboxes, all keys known")
    yield Result("layouts", ", ".join(sorted(app.layouts)))
    yield Result("rules", f"not older than {app.parameters.oldest_days} days, and so on: in range")
    yield from _database(app)
    if not app.mailbox_names:
        advice = "add a [[mailbox]] table, or letters can only be given to `process`"
        yield Result("mailboxes", "none", advice, 1)
    try:
        for mailbox in app.transports.mailboxes():
            what = f"mailbox {mailbox.name}"
            result, found = _reached(what, partial(try_mailbox, mailbox))
            yield result
            if found is not None:
                yield from _certificate(app, what, found.certificate_ends)
                yield from _other_clock(what, found.clock, datetime.now(UTC))
    except ValueError as fault:
        advice = "correct it, or run `doctor` as the user who may read it (docs/install.md)"
        yield Result("mailboxes", str(fault), advice, 1)
    if app.smtp_host:
        what = f"smtp {app.smtp_host}"
        result, ends = _reached(what, lambda: _smtp(app))
        yield result
        yield from _certificate(app, what, ends)
    else:
        yield Result("smtp", "no host", "set [smtp] host, or replies stay in the outbox", 1)
    for ending in app.transports.endings():
        yield _ends(app, f"{ending.what} of {ending.owner}", ending.at, "renew it (docs/oauth.md)")
    yield from (try_drop(name, folder) for name, folder in app.drop_folders)
    yield _trust(app.trusted_authserv_id)
    yield _confined(app)
    yield _private(app.private_files())
    yield _clock(app)
    yield from map(_room, filter(Path.is_dir, app.folders))
    yield _log(app.log_file)


def _reached(what: str, attempt: Callable[[], tuple[str, _T]]) -> tuple[Result, _T | None]:
    """What trying a server gave: a sentence, and what else it was found like."""
    try:
        told, found = attempt()
        return Result(what, told), found
    except ConnectionError as fault:
        told = getattr(fault, "advice", "") or "check host, port, security, user and password"
        return Result(what, str(fault), told, 3), None
    except ValueError as fault:
        return Result(what, str(fault), "correct the configuration", 1), None


def try_drop(name: str, folder: Path) -> Result:
    """Whether verdicts can be laid into a drop folder: a file is written, renamed and removed."""
    what = f"drop {name}"
    if not folder.is_dir():
        return Result(what, f"{folder} is no folder", "make it, or correct `path`", 1)
    try:
        waiting = sum(1 for each in folder.iterdir() if each.is_file())
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as apart:
            (Path(apart) / "verdict").write_bytes(b"")
            (Path(apart) / "verdict").rename(folder / f"{Path(apart).name}.tmp")
            (folder / f"{Path(apart).name}.tmp").unlink()
    except OSError as fault:
        told = f"{folder}: {fault.strerror}"
        return Result(what, told, "give the service's user read and write access", 1)
    return Result(what, f"{folder}: {waiting} files; verdicts can be laid beside them")


def _written(app: Installation, entities: int) -> Result:
    """Whether the database can be written to, tried and rolled back."""
    told = f"schema is current, {entities} legal entities"
    try:
        with app.ledger.rehearsal() as ledger, ledger.transaction() as store:
            store.installation.server_works("doctor", datetime.now(UTC))
        return Result("database", f"{told}; can be written to")
    except ConnectionError as fault:
        advice = "see that its disk has room, and that its files are this user's"
        return Result("database", f"{told}; cannot be written to: {fault}", advice, 1)


def _room(folder: Path) -> Result:
    """Whether a folder's disk has room for the weeks to come."""
    usage = shutil.disk_usage(folder)
    told = f"{folder.resolve()}: {usage.free / 2**30:.1f} GiB free"
    if usage.free < _ROOM_LEAST or usage.free < usage.total * _ROOM_SHARE:
        return Result("disk", told, "make room before it is full: nothing is read then", 1)
    return Result("disk", told)


def _database(app: Installation) -> Iterator[Result]:
    try:
        if app.is_new_database():
            yield Result("database", "does not exist yet", "run `ingest migrate`", 1)
            return
        if forbidden := _forbidden(app):
            advice = "run deploy/postgresql-grants.sql as the owner, after every `migrate`"
            told = f"this user may not read or add to {', '.join(forbidden)}"
            yield Result("database", told, advice, 1)
            return
        if not app.ledger.schema_is_current():
            yield Result("database", "its schema is another one", "run `ingest migrate`", 1)
            return
        with app.ledger.reading() as store:
            entities = store.registry.entities()
            clock = store.installation.clock()
        doubled = twins(app.ledger)
    except ConnectionError as fault:
        yield Result("database", str(fault), "check [database] url and its server", 3)
        return
    without = sum(1 for entity in entities if entity.active and entity.password_hash is None)
    yield _written(app, len(entities))
    yield from _other_clock("the database", clock, datetime.now(UTC))
    yield _sealed(app)
    if not entities:
        yield Result("register of points", "empty", "run `ingest registry import FILE`", 1)
    elif without:
        advice = "give them one with `ingest password CODE`"
        yield Result("register of points", f"{without} entities have no password", advice, 1)
    for twin in doubled:
        yield Result("register of points", twin.found, twin.advice, 1)


def _forbidden(app: Installation) -> list[str]:
    """Tables of a migration that nothing was granted on afterwards: they are the owner's."""
    with app.ledger.reading() as store:
        return store.append_only.not_granted()


def _sealed(app: Installation) -> Result:
    """Whether the latest sealed rows are as they were, and changes are still refused."""
    try:
        done = verify(app.ledger, last=_SEALS_LOOKED_AT)
    except ConnectionError as fault:
        return Result("audit", str(fault), "check [database] url and its server", 3)
    if not done.is_whole:
        off = f"triggers that refuse nothing any more: {', '.join(done.off)}" if done.off else ""
        found = done.broken or off or f"on our tables, and not ours: {', '.join(done.foreign)}"
        advice = (
            "somebody has changed the database by hand: `ingest audit verify` (docs/security.md)"
        )
        return Result("audit", found, advice, 1)
    told = f"{done.rows} rows under the last {done.seals} seals are as they were"
    waiting = sum(done.unsealed.values())
    return Result("audit", told + (f", {waiting} not sealed yet" if waiting else ""))


def _certificate(app: Installation, what: str, ends: datetime | None) -> Iterator[Result]:
    """How long a server's certificate is good for, where it has one."""
    if ends is not None:
        advice = "have its administrator renew it: beyond that moment nothing is read or sent"
        yield _ends(app, f"certificate of {what}", ends, advice)


def _ends(app: Installation, what: str, at: datetime, advice: str) -> Result:
    told = f"ends {at:%Y-%m-%d %H:%M} UTC"
    if at - datetime.now(UTC) > app.ending_within:
        return Result(what, told)
    return Result(what, told, advice, 1)


def _other_clock(what: str, clock: datetime | None, now: datetime) -> Iterator[Result]:
    """Whether another clock agrees with this machine's."""
    if clock is None:
        return
    apart = abs(now - clock)
    if apart <= _CLOCK_MOST:
        yield Result(f"clock of {what}", "agrees with this machine's")
        return
    ahead = "ahead of" if clock > now else "behind"
    seconds = round(apart.total_seconds())
    advice = "set both by NTP: deadlines are judged by the moments that it gives"
    yield Result(f"clock of {what}", f"{seconds} s {ahead} this machine's", advice, 1)


def try_mailbox(mailbox: Mailbox) -> tuple[str, Examined]:
    """What a mailbox was found like; a letter is filed into each folder on trial.

    Raises:
        MailboxUnavailable: it cannot be reached, or refused us.
    """
    try:
        found = mailbox.examine()
        told = f"{found.letters} letters in {mailbox.folder}; files into {', '.join(found.folders)}"
        if found.keeps_apart:
            told += (
                "; the server knows neither MOVE nor UIDPLUS, so a filed letter may stay in"
                f" {mailbox.folder} as well, with a keyword"
            )
        return told, found
    finally:
        mailbox.close()


def _smtp(app: Installation) -> tuple[str, datetime | None]:
    postman = app.transports.postman()
    if postman is None:
        return "not configured", None
    try:
        return postman.greet(), postman.certificate_ends()
    finally:
        postman.close()


def _trust(authserv_id: str) -> Result:
    """Whether a forged From can be recognised."""
    if authserv_id:
        return Result("forged senders", f"told by the Authentication-Results of {authserv_id}")
    advice = (
        "set [authentication] trusted_authserv_id when the mail server writes"
        " Authentication-Results: until then a forged From is answered like an honest one"
    )
    return Result("forged senders", "not told from honest ones", advice, 1)


def _confined(app: Installation) -> Result:
    """Whether a child that reads letters is confined whole, tried in one."""
    sandbox = app.sandbox()
    try:
        missing = sandbox.missing()
    except ConnectionError as fault:
        return Result("confinement", str(fault), "see that there is room for processes", 3)
    finally:
        sandbox.close()
    if missing:
        told = f"children that read letters are confined without {' and '.join(missing)}"
        advice = "Linux 5.13 with landlock among its `lsm=`, and libseccomp (docs/install.md)"
        return Result("confinement", told, advice, 1)
    return Result("confinement", "children that read letters can do nothing else")


def _private(files: Sequence[Path]) -> Result:
    """Whether configuration, database and log are kept from the machine's other users."""
    open_ones = [str(path) for path in files if path.stat().st_mode & _OTHERS]
    if open_ones:
        advice = f"chmod o-rwx {' '.join(open_ones)}: they hold passwords and letters' facts"
        return Result("modes", f"others may use {', '.join(open_ones)}", advice, 1)
    return Result("modes", f"no other user may read {', '.join(map(str, files)) or 'anything'}")


def _clock(app: Installation) -> Result:
    """Whether the clock is behind moments that it gave before."""
    now = datetime.now(UTC)
    newest = max(_passes(app, now), default=now)
    told = now.astimezone(MOSCOW).isoformat(timespec="seconds")
    if newest - now > _CLOCK_MOST:
        advice = "set it by NTP: moments of receipt and retries depend on it"
        return Result("clock", f"{told}, but a pass ended at {newest.isoformat()}", advice, 1)
    return Result("clock", told)


def _passes(app: Installation, now: datetime) -> list[datetime]:
    """When each mailbox was last read through, as far as the database can tell."""
    try:
        if app.is_new_database() or not app.ledger.schema_is_current():
            return []
        with app.ledger.reading() as store:
            return list(store.installation.status(now).passes.values())
    except ConnectionError:
        return []


def _log(file: str) -> Result:
    if not file:
        return Result("log", "goes to standard error")
    folder = Path(file).parent
    if not os.access(folder, os.W_OK):
        return Result("log", f"{folder} cannot be written to", "change [log] file", 1)
    return Result("log", file)
