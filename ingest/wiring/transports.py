"""Mail servers, identity providers and drop folders, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import MailboxSettings, Settings, SettingsError

if TYPE_CHECKING:
    from ssl import SSLContext

    from ingest.engine.drop import Drops
    from ingest.transports.drop import DropFolder
    from ingest.transports.imap.mailbox import ImapMailbox
    from ingest.transports.login import Ending
    from ingest.transports.oauth import OAuthAccount
    from ingest.transports.smtp import SmtpPostman


class Transports:
    """Ways in and out; no connection is opened before it is used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def filed(self, since: date) -> list[ImapMailbox]:
        """Every folder that letters were filed in since a day; they stay there."""
        return [
            self._mailbox(settings, folder=folder, since=since, files=False)
            for settings in self._settings.mailbox
            for folder in dict.fromkeys((settings.processed, settings.quarantine))
        ]

    def mailboxes(self) -> list[ImapMailbox]:
        """Every mailbox of the settings; no connection is opened yet."""
        return [self._mailbox(settings) for settings in self._settings.mailbox]

    def _mailbox(self, settings: MailboxSettings, **otherwise: Any) -> ImapMailbox:
        from ingest.transports.imap.connect import ImapConfig
        from ingest.transports.imap.mailbox import ImapMailbox

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
            look_seconds=self._settings.poll.look_seconds,
            batch=self._settings.poll.batch,
            batch_bytes=int(self._settings.poll.batch_mb * 1024 * 1024),
            letter_bytes=self._settings.limits.letter_bytes,
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

        return Drops(self._drop_folders(), self._settings.replies.language)

    def _drop_folders(self) -> list[tuple[DropFolder, str]]:
        """Each with the user code of the entity whose files lie there, or ''."""
        from ingest.transports.drop import DropFolder

        size = self._settings.limits.letter_bytes
        return [
            (DropFolder(drop.name, Path(drop.path), size, are_letters=not drop.entity), drop.entity)
            for drop in self._settings.drop
        ]

    def postman(self) -> SmtpPostman | None:
        """Sends replies; None when no SMTP server is configured."""
        from ingest.transports.smtp import SmtpConfig, SmtpPostman

        smtp = self._settings.smtp
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
        return [self.account(name) for name in self._settings.oauth]

    def endings(self) -> list[Ending]:
        """When secrets, certificates and unused refresh tokens end.

        Files that cannot be read are left out: operators who may not read the service's
        secrets run `status` as well.
        """
        from ingest.transports.login import authority_ends

        found: list[Ending] = []
        for name in self._settings.oauth:
            with suppress(SettingsError):
                found += self.account(name).endings()
        with_files = [
            ("mailbox", mailbox.name, mailbox.ca_file) for mailbox in self._settings.mailbox
        ]
        for kind, name, ca_file in (*with_files, ("smtp", "", self._settings.smtp.ca_file)):
            if ca_file:
                found += authority_ends(ca_file, kind, name)
        return found

    def user_of(self, account: str) -> str:
        """The first user who signs in by an account; '' when nobody does."""
        signing_in = (*self._settings.mailbox, self._settings.smtp)
        return next((each.user for each in signing_in if each.oauth == account), "")

    def account(self, name: str) -> OAuthAccount:
        """The account at an identity provider that the settings call so.

        Raises:
            SettingsError: there is none, or its secret cannot be read.
        """
        from ingest.transports.oauth import OAuthAccount, OAuthConfig

        settings = self._settings.oauth.get(name)
        if settings is None:
            known = ", ".join(self._settings.oauth) or "none"
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

    def put_back(
        self,
        outcome: str,
        wanted: Mapping[str, tuple[int, datetime]],
        reopen: Callable[[Collection[str]], None],
    ) -> set[str]:
        """See `operations.ports.Transports`."""
        done: set[str] = set()
        for mailbox in self.mailboxes():
            with closing(mailbox):
                done |= mailbox.put_back(outcome, wanted, reopen)
        return done

    def put_back_dropped(
        self, source: str, keys: Collection[str], reopen: Callable[[Collection[str]], None]
    ) -> set[str]:
        """See `operations.ports.Transports`."""
        named = [folder for folder, _ in self._drop_folders() if folder.source == source]
        return {key for folder in named for key in folder.put_back(keys, reopen)}

    def content_of(
        self, outcome: str | None, sha256: str, size: int, received_at: datetime
    ) -> bytes | None:
        """See `operations.ports.Transports`."""
        for mailbox in self.mailboxes():
            with closing(mailbox):
                found = mailbox.content_of(outcome, sha256, size, received_at)
            if found is not None:
                return found
        return None
