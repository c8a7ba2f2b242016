"""How the service stands, and what of it needs a person."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from ingest.operations.ports import Ending, Watched
from ingest.operations.told import Keys, minute
from layouts.months import MOSCOW
from storage.records.running import (
    CONFIGURATION,
    OUTBOX,
    Process,
    ServerState,
    StoreStatus,
    Waiting,
    mailbox_named,
)

_HELD_SECONDS = 1.0
"""How long the trial write waits for SQLite's writer: a scrape waits for the answer."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person.

    Attributes:
        kind: A key of the group `alarm` of the words of replies, or `outbox`.
        told: A sentence about it.
        since: Since when a server fails; None of what needs a person at once.
    """

    kind: str
    told: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What several processes do together.

    Attributes:
        arrivals: What `fetch` has brought and no worker has given a verdict.
        processes: Those with a heartbeat within a day.
    """

    arrivals: Waiting
    processes: tuple[Process, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A mail server's, as the service saw it at its last connect; an `Ending`."""

    account: str
    at: datetime

    what: ClassVar[str] = "server's certificate"

    @property
    def owner(self) -> str:
        """The server."""
        return self.account


ALONE = Cluster(Waiting(0, 0, None, 0), ())
"""Of an installation of one process."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `status`, `/metrics` and `/healthz` tell.

    Attributes:
        known: What the database holds.
        stale: Mailboxes that were not read through lately.
        mailboxes: When each was last read through; None: never.
        servers: How each mailbox and the outbox fare, and their last faults.
        endings: When secrets, certificates, also of mail servers, and unused refresh tokens end.
        faults: What of the servers, the database and the disks is not as it should be, one
            sentence each.
        needs: Why somebody has to look, those faults included; empty when all is well.
        cluster: Of an installation that has several processes.
    """

    KEYS: ClassVar[Keys] = {
        **{name: name for name in ("stale", "mailboxes", "servers")},
        **{
            name: f"known.{name}"
            for name in (
                "verdicts_today", "queue", "quarantined", "owed", "undeliverable", "bounced",
                "waiting", "asking", "oldest_unanswered",
            )
        },
        **{name: name for name in ("cluster", "needs_a_person")},
    }  # fmt: skip

    known: StoreStatus
    stale: tuple[str, ...]
    mailboxes: Mapping[str, datetime | None]
    servers: tuple[ServerState, ...]
    endings: tuple[Ending, ...]
    faults: tuple[str, ...]
    needs: tuple[Need, ...]
    cluster: Cluster = ALONE

    @property
    def needs_a_person(self) -> tuple[str, ...]:
        """Every need in a sentence."""
        return tuple(need.told for need in self.needs)


def status(service: Watched, now: datetime) -> Status:
    """How the service stands.

    Raises:
        ConnectionError: the database is away.
    """
    with service.ledger.reading() as store:
        known = store.installation.status(now.astimezone(MOSCOW))
        cluster = Cluster(store.arrivals.waiting(), tuple(store.arrivals.processes()))
    at_home = (*_full(service), *_unwritable(service, known, now))
    return judged(known, service, now, at_home, cluster)


def _full(service: Watched) -> Iterator[Need]:
    """Disks without room: the database cannot keep that fault itself."""
    for folder in service.folders:
        with suppress(OSError):
            free = shutil.disk_usage(folder).free
            if free < service.least_free_bytes:
                told = f"{folder}: {free / 2**20:.0f} MB free - make room: nothing is read then"
                yield Need("disk", told)


def _unwritable(service: Watched, known: StoreStatus, now: datetime) -> Iterator[Need]:
    """Whether the database cannot be written to, tried and undone."""
    try:
        with service.ledger.rehearsal(_HELD_SECONDS) as ledger, ledger.transaction() as store:
            store.installation.server_works("status", now)
    except ConnectionError as fault:
        with service.ledger.reading() as store:
            if store.installation.status(now.astimezone(MOSCOW)) != known:
                # SQLite has one writer at a time, and it is at work.
                return
        last = max(known.passes.values(), default=None)
        since = f"; the last pass was {minute(last)}" if last else ""
        advice = "see that its disk has room and that nobody holds it locked"
        yield Need("database", f"the database cannot be written to: {fault}{since} - {advice}")


def judged(
    known: StoreStatus,
    service: Watched,
    now: datetime,
    at_home: Sequence[Need] = (),
    cluster: Cluster = ALONE,
) -> Status:
    """What the database holds, with what of it needs a person.

    Args:
        known: What the database holds.
        service: The wired parts.
        now: When.
        at_home: Faults of this machine's disks and of the database, found already.
        cluster: What several processes do together.
    """
    mailboxes, late = service.mailbox_names, service.mailbox_late_after
    drops = [f"drop {name}" for name, _ in service.drop_folders]
    watched = [*map(mailbox_named, mailboxes), *drops, OUTBOX]
    servers = tuple(server for server in known.servers if server.name in watched)
    stale = [name for name in mailboxes if _is_stale(name, known, now, late)]
    faults = (*at_home, *_faults(servers, stale, late))
    endings = (
        *service.transports.endings(),
        *(Certificate(s.name, s.certificate_ends) for s in servers if s.certificate_ends),
    )
    return Status(
        known=known,
        stale=tuple(stale),
        mailboxes={name: known.passes.get(name) for name in mailboxes},
        servers=servers,
        endings=endings,
        faults=tuple(need.told for need in faults),
        needs=(
            *faults,
            *_refused(known.servers),
            *_reasons(known, now, service.reply_late_after),
            *_stalled(cluster),
            *_endings(endings, now, service.ending_within),
        ),
        cluster=cluster,
    )


def _is_stale(mailbox: str, known: StoreStatus, now: datetime, late: timedelta) -> bool:
    """Whether nothing shows that a mailbox is read: neither a pass nor a part of a long one."""
    moments = [known.passes.get(mailbox)]
    moments += [s.worked_at for s in known.servers if s.name == mailbox_named(mailbox)]
    # After the clock was set back, moments may lie ahead of it.
    return not any(moment and abs(now - moment) <= late for moment in moments)


def _faults(
    servers: Sequence[ServerState], stale: Sequence[str], late: timedelta
) -> Iterator[Need]:
    names = set()
    for server in servers:
        if server.failing_since is None:
            continue
        names.add(server.name)
        kind = "outbox" if server.name == OUTBOX else "mailbox"
        yield Need(kind, _last_fault(server, server.failing_since), server.failing_since)
    for name in stale:
        if mailbox_named(name) not in names:
            yield Need(
                "mailbox",
                f"mailbox {name} was not read through for"
                f" {round(late.total_seconds() / 60, 1):g} minutes"
                " - is `ingest run` running?",
            )


def _last_fault(server: ServerState, since: datetime) -> str:
    advice = f" - {server.advice}" if server.advice else ""
    return f"{server.name} fails since {minute(since)}: {server.error}{advice}"


def _refused(servers: Sequence[ServerState]) -> Iterator[Need]:
    """A reload that was refused: no fault of the service, which goes on as before."""
    for server in servers:
        if server.name == CONFIGURATION and server.failing_since is not None:
            yield Need("configuration", _last_fault(server, server.failing_since))


def _reasons(known: StoreStatus, now: datetime, late: timedelta) -> Iterator[Need]:
    oldest = known.oldest_unanswered
    if oldest is not None and now - oldest > late:
        yield Need("unanswered", f"a letter waits for its reply since {minute(oldest)}")
    if known.quarantined:
        yield Need("quarantine", f"letters in quarantine: {known.quarantined}")
    if known.undeliverable:
        yield Need(
            "undeliverable", f"undeliverable replies: {known.undeliverable} - see `ingest bounces`"
        )
    if known.bounced:
        yield Need("bounced", f"replies that came back: {known.bounced} - see `ingest bounces`")
    if known.marked:
        yield Need(
            "address",
            f"addresses that replies keep coming back from: {known.marked} - correct them",
        )
    if known.asking:
        yield Need(
            "access", f"requests for access: {known.asking} - answer them by mail or telephone"
        )
    if known.waiting:
        yield Need("waiting", f"letters waiting, as somebody guesses passwords: {known.waiting}")


def _stalled(cluster: Cluster) -> Iterator[Need]:
    arrivals = cluster.arrivals
    if arrivals.stalled:
        yield Need(
            "stalled",
            f"{arrivals.stalled} trips are in the hands of a silent process"
            " - is another `ingest work` running?",
        )
    elif arrivals.letters and not any(
        one.is_alive and one.role == "work" for one in cluster.processes
    ):
        since = f" since {minute(arrivals.oldest)}" if arrivals.oldest else ""
        yield Need("stalled", f"letters wait{since} and no `ingest work` is running")


def _endings(endings: Iterable[Ending], now: datetime, within: timedelta) -> Iterator[Need]:
    for ending in endings:
        if ending.at - now <= within:
            ends = "ends" if ending.at > now else "has ended"
            day = f"{ending.at.astimezone(MOSCOW):%Y-%m-%d}"
            when = minute(ending.at) if abs(ending.at - now) < timedelta(days=1) else day
            told = f"{ending.owner}: its {ending.what} {ends}: {when} - have it renewed"
            yield Need("secret", told)
