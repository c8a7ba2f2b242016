"""The whole service out of its settings; each part is made when first needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from config.load import Described, described, require_database
from config.load import load as load_settings
from config.settings import Settings, SettingsError
from layouts.layout import Layout, load

if TYPE_CHECKING:
    from structlog.typing import Processor

    from ingest.engine.daemon import Parts, Share
    from ingest.engine.spread import SpreadQueue
    from ingest.engine.work import Told
    from ingest.intake.attempt import PolicyIntake
    from ingest.intake.authenticate import Guard
    from ingest.intake.outcome import Handled
    from ingest.intake.policy import Policy
    from ingest.letters.terms import Limits, Line, RawLetter
    from ingest.reading.child import SandboxConfig
    from ingest.reading.pool import SandboxReader
    from ingest.reading.sandbox import Sandbox
    from ingest.replies.own import Signature
    from ingest.replies.wording import Texts
    from ingest.wiring.transports import Transports
    from layouts.findings import Finding
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

    def close(self) -> None:
        """Close the database's connections, where it was used."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    @cached_property
    def transports(self) -> Transports:
        """Mail servers and folders, both ways."""
        from ingest.wiring.transports import Transports

        return Transports(self.settings)

    def is_new_database(self) -> bool:
        """Whether the database is an SQLite file that does not exist yet, or is empty."""
        file = self.settings.database.sqlite_file()
        return file is not None and not (file.is_file() and file.stat().st_size)

    @cached_property
    def parameters(self) -> Parameters:
        """The bounds by which readings are judged.

        Raises:
            SettingsError: a bound is out of its range.
        """
        return self.settings.parameters()

    @cached_property
    def limits(self) -> Limits:
        """What one letter may cost to unpack."""
        from ingest.letters.terms import Limits

        limits = self.settings.limits
        return Limits(
            letter_bytes=limits.letter_bytes,
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
        """The policy with the key in a ledger, made when missing: a rehearsal rolls it back."""
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
            own_addresses=self.settings.own_addresses(),
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
        """Use the retailer's own texts in replies and findings from now on.

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

    def reader(self) -> SandboxReader:
        """Reads letters in confined child processes."""
        from ingest.reading.pool import SandboxReader

        return SandboxReader(self._sandbox_config)

    def table(self, content: bytes) -> Sequence[Line] | Finding:
        """The first sheet of a workbook, read in a confined child; a finding if it cannot be."""
        with closing(self.reader()) as reader:
            return reader.table(content)

    def _started_reader(self) -> SandboxReader:
        """A reader whose first child is ready; how it is confined is logged.

        Raises:
            SettingsError: a part is lacking, and `[limits] require_confinement` is set.
        """
        from ingest.reading.pool import ReaderUnavailable

        reader = self.reader()
        try:
            reader.start()
        except ReaderUnavailable as fault:
            # Any other reason is a fault of time: each pass tries again, and logs it.
            if self.settings.limits.require_confinement:
                reader.close()
                raise SettingsError(f"limits.require_confinement: {fault}") from None
        return reader

    def sandbox(self) -> Sandbox:
        """Reads letters one by one, for a short-lived process: children are its own forks."""
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

    @property
    def _recorders(self) -> int:
        return self.settings.poll.workers if self.ledger.many_write else 1

    def parts_of(self, role: str) -> Parts:
        """What a process of this role runs with: `run` is all of them.

        Raises:
            SettingsError: it cannot be one, or a newer version works on the same database.
        """
        from ingest.engine.daemon import FETCH, SEND, Parts
        from ingest.engine.drop import NO_DROPS

        is_whole = role == "run"
        share = None if is_whole else self._share(role)
        # All that may be refused comes before the children are started.
        _ = self.texts
        fetches, sends, reads = is_whole or role == FETCH, is_whole or role == SEND, role != SEND
        ways, intake = self.transports, self.intake
        mailboxes, postman = ways.mailboxes() if fetches else (), ways.postman() if sends else None
        accounts = ways.accounts() if fetches or sends else ()
        return Parts(
            mailboxes=mailboxes,
            bells=ways.mailboxes() if fetches and self.settings.poll.idle else (),
            reader=self._started_reader() if reads else self.reader(),
            ledger=self.ledger,
            intake=intake,
            postman=postman,
            accounts=accounts,
            clock=now,
            every_seconds=self.settings.poll.every_seconds,
            close=self.ledger.close,
            recorders=self._recorders,
            drops=ways.drops() if fetches else NO_DROPS,
            share=share,
        )

    def _share(self, role: str) -> Share:
        """The part of a process beside others.

        Raises:
            SettingsError: the queue is not there, or a newer version works on the database.
        """
        queue = self.queue()
        from importlib.metadata import version as version_of

        from ingest.engine.daemon import SEND, Share
        from ingest.engine.spread import QueueMissing
        from ingest.engine.trips import Outdated, Present

        self.ledger.give_up_idle(IDLE_SECONDS)
        version = version_of("meter-ingest")
        try:
            queue.check()
            Present(self.ledger, role, version).beat()
        except (QueueMissing, Outdated) as fault:
            raise SettingsError(str(fault)) from None
        return Share(
            role,
            version,
            None if role == SEND else queue,
            int(self.settings.poll.waiting_mb * 1024 * 1024),
            self.settings.poll.workers,
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

    def poll_all(self) -> bool:
        """One pass over every mailbox, then the outbox; False when a letter had no verdict.

        Raises:
            ConnectionError: names every server that could not be reached; the others
                were still served.
        """
        from ingest.engine.passes import poll_all

        with closing(self.reader()) as reader:
            return poll_all(
                self.transports.mailboxes(),
                self.transports.postman(),
                reader,
                self.ledger,
                self.intake,
                now,
                self._recorders,
                self.transports.drops(),
            )

    def read_filed(self, since: date, told: Told, *, replies: bool) -> None:
        """See `operations.ports.Service`."""
        from ingest.engine.passes import read_through

        intake = self._intake_by(replace(self.policy, is_silent=not replies))
        with closing(self.reader()) as reader:
            read_through(self.transports.filed(since), reader, self.ledger, intake, now, told)

    def process(
        self,
        paths: Sequence[Path],
        at: datetime | None,
        told: Callable[[str, int, Handled], None],
        *,
        dry_run: bool,
    ) -> None:
        """See `operations.ports.Service`."""
        from ingest.engine.files import process, rehearse
        from ingest.transports.files import LettersInFiles

        sources = [LettersInFiles(path, at, self.limits.letter_bytes) for path in paths]
        names = {key: source.name_of(key) for source in sources for key in source.all_keys}

        def tell(raw: RawLetter, claim: Claim, handled: Handled) -> None:
            told(names[raw.arrival.key], claim.letter, handled)

        with closing(self.reader()) as reader:
            if not dry_run:
                process(sources, reader, self.ledger, self.intake, now, tell)
                return
            with self.ledger.rehearsal() as ledger:
                intake = self._intake_by(self._policy_in(ledger))
            rehearse(sources, reader, self.ledger, intake, now, tell)

    def check_configured(self) -> None:
        """Refuse to go on where nobody chose a database.

        Raises:
            SettingsError: there is neither a configuration file nor a URL in the environment.
        """
        require_database(self.settings)

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
        return self.settings.private_files()

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
        """Folders that the service writes to: of an SQLite database, of the log, drop folders."""
        return self.settings.folders()

    @property
    def least_free_bytes(self) -> int:
        """Less room than this on the disk of one of `folders` needs a person."""
        return self.settings.alarms.free_mb * 2**20

    @property
    def alarms_to(self) -> str:
        """The address that is mailed what needs a person; '' for none."""
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
        return self.settings.web.public_url.rstrip("/")

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
        # At a terminal, unless a format was asked for.
        is_read = log.origin("format") == "default" and not log.file and sys.stderr.isatty()
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
