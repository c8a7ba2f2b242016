"""The composition root: settings in, wired parts out; each made when first needed."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parseaddr
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from config import settings as settings_module
from config.settings import Described, MailboxSettings, Settings, SettingsError, described
from config.settings import load as load_settings
from layouts.layout import Layout, load

if TYPE_CHECKING:
    from ssl import SSLContext

    from structlog.typing import Processor

    from ingest.engine.daemon import Parts
    from ingest.engine.drop import Drops
    from ingest.engine.spread import SpreadQueue
    from ingest.engine.work import Told
    from ingest.intake.attempt import PolicyIntake
    from ingest.intake.authenticate import Guard
    from ingest.intake.outcome import Handled
    from ingest.intake.policy import Policy
    from ingest.letters.terms import Limits, RawLetter
    from ingest.reading.child import SandboxConfig
    from ingest.reading.pool import SandboxReader
    from ingest.reading.sandbox import Sandbox
    from ingest.replies.own import Signature
    from ingest.replies.wording import Texts
    from ingest.transports.drop import DropFolder
    from ingest.transports.imap import ImapMailbox
    from ingest.transports.login import Ending
    from ingest.transports.oauth import OAuthAccount
    from ingest.transports.smtp import SmtpPostman
    from layouts.parameters import Parameters
    from storage.ledger import Ledger, Within
    from storage.records.letters import Claim


IDLE_SECONDS = 60.0
"""After so long PostgreSQL ends a transaction that a frozen `fetch`, `work` or `send` has open."""


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def service_of(config: Path | None) -> Service:
    """The service of a configuration file; None: of the place where it is looked for.

    Raises:
        SettingsError: the configuration has mistakes; all of them.
    """
    service = Service(load_settings(config))
    service.tell_in_own_words()
    return service


class Service:
    """Every part of the service, wired as the settings say.

    Imports stand inside the methods, so that a verb loads only what it uses.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """The built-in layouts and the retailer's own."""
        path = self.settings.layouts.path
        return load(Path(path) if path else None)

    @cached_property
    def ledger(self) -> Ledger:
        """The database; no connection is opened yet."""
        from storage.ledger import Ledger

        return Ledger(self.settings.database.location(), self.layouts)

    def is_new_database(self) -> bool:
        """Whether the database is an SQLite file that does not exist yet, or is empty."""
        url = self.settings.database.location()
        path = Path(url.partition(":///")[2])
        return url.startswith("sqlite") and not (path.is_file() and path.stat().st_size)

    @property
    def database_folder(self) -> Path | None:
        """Where an SQLite database lies; None for a server's."""
        url = self.settings.database.location()
        return Path(url.partition(":///")[2]).parent if url.startswith("sqlite") else None

    @cached_property
    def parameters(self) -> Parameters:
        """The bounds by which readings are judged.

        Raises:
            SettingsError: a bound is out of its range.
        """
        from layouts.calendar import CalendarError, load_calendar, load_peak_hours
        from layouts.parameters import Parameters

        bounds = self.settings.rules.model_dump(exclude={"holidays", "peak_hours"})
        holidays, peak_hours = self.settings.rules.holidays, self.settings.rules.peak_hours
        try:
            if holidays:
                bounds["calendar"] = load_calendar(Path(holidays))
            if peak_hours:
                bounds["peak_hours"] = load_peak_hours(Path(peak_hours))
            return Parameters(**bounds)
        except CalendarError as fault:
            raise SettingsError(str(fault)) from None
        except ValueError as fault:
            raise SettingsError(f"{self.settings.file or 'settings'}: rules.{fault}") from None

    @cached_property
    def limits(self) -> Limits:
        """What one letter may cost to unpack."""
        from ingest.letters.terms import Limits

        limits = self.settings.limits
        return Limits(
            letter_bytes=int(limits.letter_mb * 1024 * 1024),
            documents=limits.documents,
            unpacked_bytes=int(limits.unpacked_mb * 1024 * 1024),
        )

    @cached_property
    def intake(self) -> PolicyIntake:
        """What is done with each letter."""
        return self._intake_by(self.policy)

    def _intake_by(self, policy: Policy) -> PolicyIntake:
        from ingest.intake.attempt import PolicyIntake
        from ingest.intake.authenticate import Prover

        return PolicyIntake(policy, Prover(self.ledger, self.guard, now))

    @cached_property
    def policy(self) -> Policy:
        """The forms, the rules, and who is answered."""
        return self._policy_in(self.ledger)

    def _policy_in(self, ledger: Ledger | Within) -> Policy:
        """The same, with the key that a ledger keeps; one made for a rehearsal is dropped."""
        from ingest.intake.policy import Policy
        from ingest.replies.message import ReplySettings
        from layouts.deadlines import deadlines

        settings = self.settings
        with ledger.transaction() as store:
            key = store.installation.key()
        return Policy(
            layouts=self.layouts,
            parameters=self.parameters,
            replies=ReplySettings(
                sender=settings.smtp.sender or "meters@localhost",
                language=settings.replies.language,
                key=key,
                deadline_of=deadlines(self.layouts, self.parameters),
                register_deadline_day=self.parameters.register_deadline_day,
                public_url=self.public_url,
                signature=self.signature,
            ),
            guard=self.guard,
            own_addresses=self._own_addresses(),
            groups=frozenset(name.strip("<> ").lower() for name in settings.poll.list_id),
            answer_unknown_senders=settings.replies.answer_unknown_senders,
            strangers_per_hour=settings.replies.strangers_per_hour,
            per_address_per_day=settings.replies.per_address_per_day,
        )

    @cached_property
    def signature(self) -> Signature:
        """What stands under every reply to a known sender, and under every page.

        Raises:
            SettingsError: its file cannot be read, or holds too much.
        """
        from ingest.replies.own import OwnTextsError, Signature, read_signature

        replies = self.settings.replies
        path = replies.signature_file
        try:
            text = read_signature(Path(path)) if path else ""
        except OwnTextsError as fault:
            raise SettingsError(f"replies.signature_file: {fault}") from None
        return Signature(replies.organisation, replies.phone, replies.hours, text)

    @cached_property
    def texts(self) -> Texts:
        """The texts that the retailer has replaced.

        Raises:
            SettingsError: all mistakes in them.
        """
        from ingest.replies.own import OwnTextsError, read_texts

        path = self.settings.replies.texts
        try:
            return read_texts(Path(path)) if path else {}
        except OwnTextsError as fault:
            raise SettingsError(f"replies.texts: {fault}") from None

    def tell_in_own_words(self) -> None:
        """Have replies and findings told in the retailer's own texts from now on.

        Raises:
            SettingsError: all mistakes in them; nothing has changed then.
        """
        from ingest.replies.wording import use_texts

        use_texts(self.texts)

    @cached_property
    def guard(self) -> Guard:
        """How senders are proven, and when guessing is stopped."""
        from ingest.intake.authenticate import Guard

        authentication = self.settings.authentication
        return Guard(
            max_failures=authentication.max_failures,
            lockout=timedelta(minutes=authentication.lockout_minutes),
            guesses_per_hour=authentication.guesses_per_hour,
            require_known_address=authentication.require_known_address,
            trusted_authserv_id=authentication.trusted_authserv_id,
        )

    def _own_addresses(self) -> frozenset[str]:
        named = [self.settings.smtp.sender, self.settings.smtp.user]
        named += [mailbox.user for mailbox in self.settings.mailbox]
        return frozenset(parseaddr(name)[1].lower() for name in named if "@" in name)

    def reader(self) -> SandboxReader:
        """Reads letters in confined child processes."""
        from ingest.reading.pool import SandboxReader

        return SandboxReader(self._sandbox_config)

    def _started_reader(self) -> SandboxReader:
        """A reader that has said in the log how its children are confined.

        Raises:
            SettingsError: a part is lacking, and `[limits] require_confinement` is set.
        """
        from ingest.reading.pool import ReaderUnavailable

        reader = self.reader()
        try:
            reader.start()
        except ReaderUnavailable as fault:
            # Any other reason is a fault of time: each pass tries, and tells, anew.
            if self.settings.limits.require_confinement:
                reader.close()
                raise SettingsError(f"limits.require_confinement: {fault}") from None
        return reader

    def sandbox(self) -> Sandbox:
        """The same one by one, for a short-lived process: children are its own forks."""
        from ingest.reading.children import Forks
        from ingest.reading.sandbox import Sandbox

        config = self._sandbox_config
        return Sandbox(config, Forks(config, self.layouts))

    @property
    def _sandbox_config(self) -> SandboxConfig:
        from ingest.reading.child import SandboxConfig

        limits = self.settings.limits
        return SandboxConfig(
            workers=self.settings.poll.workers,
            memory_mb=limits.memory_mb,
            seconds=limits.seconds,
            limits=self.limits,
            layouts_path=self.settings.layouts.path,
            texts_path=self.settings.replies.texts,
            require_confinement=limits.require_confinement,
        )

    def filed(self, since: date) -> list[ImapMailbox]:
        """Every folder that letters were filed in since a day; they stay there."""
        return [
            self._mailbox(settings, folder=folder, since=since, files=False)
            for settings in self.settings.mailbox
            for folder in dict.fromkeys((settings.processed, settings.quarantine))
        ]

    def mailboxes(self) -> list[ImapMailbox]:
        """Every mailbox of the settings; no connection is opened yet."""
        return [self._mailbox(settings) for settings in self.settings.mailbox]

    def _mailbox(self, settings: MailboxSettings, **otherwise: Any) -> ImapMailbox:
        from ingest.transports.imap import ImapConfig, ImapMailbox

        config = ImapConfig(
            name=settings.name,
            host=settings.host,
            port=settings.port,
            security=settings.security,
            user=settings.user,
            password="" if settings.oauth else settings.secret("password"),
            token=self.account(settings.oauth).token if settings.oauth else None,
            folder=settings.folder,
            processed=settings.processed,
            ignored=settings.ignored,
            quarantine=settings.quarantine,
            timeout_seconds=settings.timeout_seconds,
            look_seconds=self.settings.poll.look_seconds,
            batch=self.settings.poll.batch,
            batch_bytes=int(self.settings.poll.batch_mb * 1024 * 1024),
            letter_bytes=self.limits.letter_bytes,
        )
        context = self._trusting(settings.ca_file, f"mailbox {settings.name}")
        return ImapMailbox(replace(config, **otherwise), context)

    @staticmethod
    def _trusting(ca_file: str, section: str) -> SSLContext | None:
        from ingest.transports.login import trusting

        try:
            return trusting(ca_file, section) if ca_file else None
        except ValueError as fault:
            raise SettingsError(str(fault)) from None

    def drops(self) -> Drops:
        """Every folder that files are put into."""
        from ingest.engine.drop import Drops

        return Drops(self._drop_folders(), self.language)

    def _drop_folders(self) -> list[tuple[DropFolder, str]]:
        """Each with the user code of the entity whose files lie there, or ''."""
        from ingest.transports.drop import DropFolder

        size = self.limits.letter_bytes
        return [
            (DropFolder(drop.name, Path(drop.path), size, are_letters=not drop.entity), drop.entity)
            for drop in self.settings.drop
        ]

    def postman(self) -> SmtpPostman | None:
        """Sends replies; None when no SMTP server is configured."""
        from ingest.transports.smtp import SmtpConfig, SmtpPostman

        smtp = self.settings.smtp
        if not smtp.host:
            return None
        return SmtpPostman(
            SmtpConfig(
                host=smtp.host,
                port=smtp.port,
                security=smtp.security,
                user=smtp.user,
                password="" if smtp.oauth else smtp.secret("password"),
                token=self.account(smtp.oauth).token if smtp.oauth else None,
                sender=parseaddr(smtp.sender)[1],
                timeout_seconds=smtp.timeout_seconds,
            ),
            self._trusting(smtp.ca_file, "smtp"),
        )

    def accounts(self) -> list[OAuthAccount]:
        """Every account at an identity provider.

        Raises:
            SettingsError: a secret cannot be read.
        """
        return [self.account(name) for name in self.settings.oauth]

    def endings(self) -> list[Ending]:
        """When secrets, certificates and unused refresh tokens end; what is unreadable is not told.

        Operators who may not read the service's secrets still have their `status`.
        """
        from ingest.transports.login import authority_ends

        found: list[Ending] = []
        for name in self.settings.oauth:
            with suppress(SettingsError):
                found += self.account(name).endings()
        with_files = [
            ("mailbox", mailbox.name, mailbox.ca_file) for mailbox in self.settings.mailbox
        ]
        for kind, name, ca_file in (*with_files, ("smtp", "", self.settings.smtp.ca_file)):
            if ca_file:
                found += authority_ends(ca_file, kind, name)
        return found

    def user_of(self, account: str) -> str:
        """The first user who signs in by an account; '' when nobody does."""
        signing_in = (*self.settings.mailbox, self.settings.smtp)
        return next((each.user for each in signing_in if each.oauth == account), "")

    def account(self, name: str) -> OAuthAccount:
        """The account at an identity provider that the settings call so.

        Raises:
            SettingsError: there is none, or its secret cannot be read.
        """
        from ingest.transports.oauth import OAuthAccount, OAuthConfig

        settings = self.settings.oauth.get(name)
        if settings is None:
            known = ", ".join(self.settings.oauth) or "none"
            raise SettingsError(f"there is no table [oauth.{name}]; those there are: {known}")
        try:
            config = OAuthConfig(
                name=name,
                grant=settings.grant,
                token_url=settings.token_url,
                client_id=settings.client_id,
                client_secret=settings.secret("client_secret"),
                certificate=settings.certificate_file,
                service_account=settings.service_account_file,
                scope=settings.scope,
                token_file=settings.token_file,
                device_url=settings.device_url,
                authorize_url=settings.authorize_url,
                redirect_uri=settings.redirect_uri,
                expires=settings.expires,
                silence_days=settings.silence_days,
            )
        except ValueError as fault:
            raise SettingsError(str(fault)) from None
        return OAuthAccount(config)

    @property
    def _recorders(self) -> int:
        return self.settings.poll.workers if self.ledger.many_write else 1

    def parts(self) -> Parts:
        """What the daemon runs with."""
        from ingest.engine.daemon import Parts

        # All that may be refused comes before the children are started.
        _ = self.texts
        mailboxes, intake, postman = self.mailboxes(), self.intake, self.postman()
        accounts = self.accounts()
        return Parts(
            mailboxes=mailboxes,
            bells=self.mailboxes() if self.settings.poll.idle else (),
            reader=self._started_reader(),
            ledger=self.ledger,
            intake=intake,
            postman=postman,
            accounts=accounts,
            clock=now,
            every_seconds=self.settings.poll.every_seconds,
            close=self.ledger.close,
            recorders=self._recorders,
            drops=self.drops(),
        )

    def queue(self) -> SpreadQueue:
        """The queue between `fetch` and `work`; no connection is opened yet.

        Raises:
            SettingsError: the database is not PostgreSQL, or the extra is not installed.
        """
        if not self.ledger.many_write:
            raise SettingsError(
                "several processes need PostgreSQL, and database.url is SQLite's: `ingest run` is"
                " all of the service on one machine (docs/install.md)"
            )
        try:
            from ingest.engine.spread import SpreadQueue
        except ModuleNotFoundError as fault:
            raise SettingsError(
                f"several processes need {fault.name}: pip install 'meter-ingest[cluster]'"
            ) from None
        return SpreadQueue(self.ledger.libpq_url)

    def parts_of(self, role: str) -> Parts:
        """What a process of this role runs with: `run` is all of them.

        Raises:
            SettingsError: it cannot be one, or a newer version works on the same database.
        """
        if role == "run":
            return self.parts()
        queue = self.queue()
        from ingest.engine.daemon import FETCH, SEND, Parts, Share
        from ingest.engine.drop import NO_DROPS
        from ingest.engine.spread import QueueMissing
        from ingest.engine.trips import Outdated, Present

        self.ledger.give_up_idle(IDLE_SECONDS)
        version = importlib.metadata.version("meter-ingest")
        try:
            queue.check()
            Present(self.ledger, role, version).beat()
        except (QueueMissing, Outdated) as fault:
            raise SettingsError(str(fault)) from None
        _ = self.texts
        is_fetching, is_sending = role == FETCH, role == SEND
        share = Share(
            role,
            version,
            None if is_sending else queue,
            int(self.settings.poll.waiting_mb * 1024 * 1024),
            self.settings.poll.workers,
        )
        return Parts(
            mailboxes=self.mailboxes() if is_fetching else (),
            bells=self.mailboxes() if is_fetching and self.settings.poll.idle else (),
            reader=self.reader() if is_sending else self._started_reader(),
            ledger=self.ledger,
            intake=self.intake,
            postman=self.postman() if is_sending else None,
            accounts=self.accounts() if is_fetching or is_sending else (),
            clock=now,
            every_seconds=self.settings.poll.every_seconds,
            close=self.ledger.close,
            recorders=self._recorders,
            drops=self.drops() if is_fetching else NO_DROPS,
            share=share,
        )

    def poll_all(self) -> bool:
        """One pass over every mailbox, then the outbox; False when a letter had no verdict.

        Raises:
            ConnectionError: names every server that could not be reached; the others
                were still served.
        """
        from ingest.engine.passes import poll_all

        reader = self.reader()
        try:
            return poll_all(
                self.mailboxes(),
                self.postman(),
                reader,
                self.ledger,
                self.intake,
                now,
                self._recorders,
                self.drops(),
            )
        finally:
            reader.close()

    def read_filed(self, since: date, told: Told, *, replies: bool) -> None:
        """Read the letters filed since a day once more; those the ledger knows are passed over.

        Args:
            since: By the mail server's calendar.
            told: Called of each letter.
            replies: Whether they are answered, as if they had come now.

        Raises:
            ConnectionError: a mailbox or the database is away.
        """
        from ingest.engine.passes import read_through

        reader = self.reader()
        intake = self._intake_by(replace(self.policy, is_silent=not replies))
        try:
            read_through(self.filed(since), reader, self.ledger, intake, now, told)
        finally:
            reader.close()

    def process(
        self,
        paths: Sequence[Path],
        at: datetime | None,
        told: Callable[[str, int, Handled], None],
        *,
        dry_run: bool,
    ) -> None:
        """Every letter under the paths to its verdict, its reply complete.

        Args:
            paths: Files and folders of letters.
            at: Moment of receipt of letters that carry none; None: now.
            told: Hears of each: its name, its number in the ledger, what became of it.
            dry_run: Undo everything at the end.

        Raises:
            NoLettersError: a path holds none; said before the first letter is read.
            ConnectionError: the database is away, or no child can be had.
        """
        from ingest.engine.files import process, rehearse
        from ingest.transports.files import LettersInFiles

        sources = [LettersInFiles(path, at, self.limits.letter_bytes) for path in paths]
        names = {key: source.name_of(key) for source in sources for key in source.all_keys}

        def tell(raw: RawLetter, claim: Claim, handled: Handled) -> None:
            told(names[raw.arrival.key], claim.letter, handled)

        reader = self.reader()
        try:
            if not dry_run:
                process(sources, reader, self.ledger, self.intake, now, tell)
                return
            with self.ledger.rehearsal() as ledger:
                intake = self._intake_by(self._policy_in(ledger))
            rehearse(sources, reader, self.ledger, intake, now, tell)
        finally:
            reader.close()

    def put_back(
        self,
        outcome: str,
        wanted: Mapping[str, tuple[int, datetime]],
        reopen: Callable[[Collection[str]], None],
    ) -> set[str]:
        """Letters moved back to where they arrived, from the folders for an outcome.

        Args:
            outcome: Theirs.
            wanted: Size and moment of receipt by SHA-256.
            reopen: Called with the SHA-256 of those that were found, before they are moved.

        Raises:
            ConnectionError: a mailbox is away.
        """
        done: set[str] = set()
        for mailbox in self.mailboxes():
            try:
                done |= set(mailbox.put_back(outcome, wanted, reopen))
            finally:
                mailbox.close()
        return done

    def put_back_dropped(
        self, source: str, keys: Collection[str], reopen: Callable[[Collection[str]], None]
    ) -> set[str]:
        """Files that a drop folder still has, to be taken once more: their keys.

        Args:
            source: `drop NAME`.
            keys: Of the files.
            reopen: Called with the keys of those that were found, before their verdicts go.

        Raises:
            ConnectionError: the folder is away.
        """
        named = [folder for folder, _ in self._drop_folders() if folder.source == source]
        return {key for folder in named for key in folder.put_back(keys, reopen)}

    def content_of(
        self, outcome: str | None, sha256: str, size: int, received_at: datetime
    ) -> bytes | None:
        """A letter's bytes from the mail server that has it; None when none has.

        Args:
            outcome: What it was filed as; None of one that is not filed yet.
            sha256: Of the bytes.
            size: Of them.
            received_at: When it arrived.

        Raises:
            ConnectionError: a mailbox is away.
        """
        for mailbox in self.mailboxes():
            with closing(mailbox):
                found = mailbox.content_of(outcome, sha256, size, received_at)
            if found is not None:
                return found
        return None

    def check_configured(self) -> None:
        """Refuse to go on where nobody chose a database.

        Raises:
            SettingsError: there is neither a configuration file nor a URL in the environment.
        """
        if not self.settings.names_a_database:
            places = " and no ".join(map(str, settings_module.PLACES))
            raise SettingsError(
                f"there is no configuration: no {places}, no --config,"
                " no INGEST_CONFIG and no INGEST_DATABASE__URL (docs/install.md begins with one)"
            )

    def configuration(self) -> Iterator[Described]:
        """Every key with its value, secrets hidden, and where it is from."""
        return described(self.settings)

    @property
    def language(self) -> str:
        """Of replies, and of findings unless asked otherwise."""
        return self.settings.replies.language

    @property
    def log_file(self) -> str:
        """Where events are logged; '' for standard error."""
        return self.settings.log.file

    def private_files(self) -> list[Path]:
        """Configuration, SQLite database, log and secrets, as far as they are files that exist."""
        url, log = self.settings.database.location(), self.settings.log.file
        database = Path(url.partition(":///")[2]) if url.startswith("sqlite") else None
        named = (self.settings.file, database, Path(log) if log else None)
        secrets = map(Path, self.settings.secret_files())
        return [path for path in (*named, *secrets) if path is not None and path.is_file()]

    @property
    def smtp_host(self) -> str:
        """Of the server that sends replies; '' when there is none."""
        return self.settings.smtp.host

    @property
    def trusted_authserv_id(self) -> str:
        """Whose Authentication-Results count; '' for nobody's."""
        return self.settings.authentication.trusted_authserv_id

    @property
    def mailbox_names(self) -> list[str]:
        """Names of the mailboxes, in the order of the settings."""
        return [mailbox.name for mailbox in self.settings.mailbox]

    @property
    def drop_folders(self) -> list[tuple[str, Path]]:
        """Names and paths of the drop folders, in the order of the settings."""
        return [(drop.name, Path(drop.path)) for drop in self.settings.drop]

    @property
    def drop_names(self) -> list[str]:
        """Names of the drop folders, in the order of the settings."""
        return [drop.name for drop in self.settings.drop]

    @property
    def has_sources(self) -> bool:
        """Whether there is anything that letters or files come by."""
        return bool(self.settings.mailbox or self.settings.drop)

    @property
    def mailbox_late_after(self) -> timedelta:
        """How long ago a mailbox may have been read through, its pause of polling included."""
        minutes = timedelta(minutes=self.settings.alarms.mailbox_minutes)
        return minutes + timedelta(seconds=self.settings.poll.every_seconds)

    @property
    def reply_late_after(self) -> timedelta:
        """How long a letter may wait for its reply."""
        return timedelta(minutes=self.settings.alarms.reply_minutes)

    @property
    def ending_within(self) -> timedelta:
        """How long before a certificate or secret ends it is told."""
        return timedelta(days=self.settings.alarms.ending_days)

    @property
    def folders(self) -> list[Path]:
        """Of this machine that are written to: of an SQLite database, of the log."""
        log = Path(self.log_file).parent if self.log_file else None
        return [folder for folder in dict.fromkeys((self.database_folder, log)) if folder]

    @property
    def least_free_bytes(self) -> int:
        """Below so much room on their disks it is told."""
        return self.settings.alarms.free_mb * 2**20

    @property
    def alarms_to(self) -> str:
        """Who is mailed what needs a person; '' for nobody."""
        return self.settings.alarms.mail

    @property
    def listen(self) -> str:
        """Where figures for monitoring are served; '' for nowhere."""
        return self.settings.metrics.listen

    @property
    def web_listen(self) -> str:
        """Where the pages are served; '' for nowhere."""
        return self.settings.web.listen

    @property
    def public_url(self) -> str:
        """How people reach the pages, without a slash at its end; '' when nobody said."""
        return self.settings.web.public_url

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Addresses and networks whose `X-Forwarded-` headers count."""
        return self.settings.web.trusted_proxies

    @property
    def upload_bytes(self) -> int:
        """Size of the largest document that the pages take."""
        return self.limits.letter_bytes

    def log(self, observe: Processor | None = None) -> None:
        """Have the log written where the settings say; nothing is changed when that fails.

        Args:
            observe: Sees every event of ours.

        Raises:
            SettingsError: the file cannot be opened.
        """
        from config.log import set_up

        log = self.settings.log
        # Who sits at a terminal and asked for no form wants to read.
        is_read = "format" not in log.model_fields_set and not log.file and sys.stderr.isatty()
        try:
            set_up("console" if is_read else log.format, log.level, log.file, observe)
        except OSError as fault:
            raise SettingsError(
                f"log.file: {log.file} cannot be opened: {fault.strerror}"
            ) from None

    def check_database(self) -> None:
        """See that the database is there, with the schema that this program needs.

        Raises:
            SettingsError: only `migrate` makes a database or changes its schema.
            ConnectionError: it is away.
        """
        if self.is_new_database():
            raise SettingsError(f"{self.ledger.name} does not exist yet: run `ingest migrate`")
        if not self.ledger.schema_is_current():
            raise SettingsError(
                "the database has another schema than this program needs: run `ingest migrate`"
            )


class Listening(Protocol):
    """Something that is served: figures for monitoring, or the pages."""

    address: str

    def listen(self, address: str) -> None:
        """Serve there, by the configuration as it is now; an `OSError` leaves what was before."""


class Daemon:
    """The service that runs, swapped whole at SIGHUP or not at all.

    Attributes:
        service: The one in force.
    """

    def __init__(self, service: Service, config: Path | None, role: str = "run") -> None:
        self.service = service
        self._config = config
        self._role = role

    def addresses(self, service: Service) -> tuple[str, str]:
        """Where figures and pages are served by a configuration; '' for nowhere."""
        return service.listen, service.web_listen if self._role == "run" else ""

    def run(
        self,
        observe: Processor,
        served: Sequence[Listening],
        alarm: Callable[[Service], object],
    ) -> None:
        """Serve until SIGTERM or SIGINT.

        Args:
            observe: Sees every event of the log.
            served: Figures and pages; they follow the configuration.
            alarm: Owes mails about what needs a person, where somebody is to be mailed.
        """
        from ingest.engine import daemon

        parts = self.service.parts_of(self._role)
        self.service.log(observe)

        def alarming(parts: Parts, service: Service) -> Parts:
            is_told = service.alarms_to and self._role in {"run", "send"}
            return replace(parts, alarm=partial(alarm, service)) if is_told else parts

        def renewed() -> Parts:
            parts = self._renew(observe, served)
            return alarming(parts, self.service)

        daemon.run(alarming(parts, self.service), renewed)

    def _renew(self, observe: Processor, served: Sequence[Listening]) -> Parts:
        """The parts of the configuration as it is now; nothing has changed when it raises."""
        service = Service(load_settings(self._config))
        if self._role in {"run", "fetch"} and not service.has_sources:
            raise SettingsError("there is no [[mailbox]] and no [[drop]] to read")
        service.check_database()
        parts = service.parts_of(self._role)
        before = [one.address for one in served]
        try:
            for one, address in zip(served, self.addresses(service), strict=True):
                one.listen(address)
            service.log(observe)
        except (SettingsError, OSError):
            for one, address in zip(served, before, strict=True):
                one.listen(address)
            service.ledger.close()
            raise
        service.tell_in_own_words()
        self.service = service
        return parts
