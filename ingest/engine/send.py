"""The outbox drained over one SMTP connection: replies sent, put off or given up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from ingest.engine.ports import Ledger
from ingest.replies.lighter import lighter
from ingest.transports.ports import (
    Deferred,
    OutboxUnavailable,
    Postman,
    RecipientRefused,
    TooLarge,
)
from storage.records.replies import OwedReply

log = structlog.get_logger()

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
LEASE = timedelta(seconds=60)

AT_ONCE = 8
"""Replies whose attempt is counted in one commit, and which one crash may send again."""


def drain(
    ledger: Ledger,
    postman: Postman,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    left: Callable[[], None] = lambda: None,
) -> None:
    """Send every reply that is due, one after the other.

    The attempt is committed before the reply is sent: after a crash between
    sending and the note of it, the reply goes out again under the same
    Message-ID, with one attempt more. That note is made for a few replies at once.

    Args:
        ledger: Has the outbox.
        postman: Hands replies to the server.
        clock: Now, aware.
        stop: Once it is true no further reply is sent.
        left: Called for each reply that left.

    Raises:
        OutboxUnavailable: the server is away; the replies wait.
        StoreUnavailable: the database is away.
    """
    sent: list[OwedReply] = []
    while True:
        # One commit notes what was sent and leases what comes next. After a power cut a reply
        # that was only leased is due again, as it is when its lease ends.
        with ledger.transaction(synced=bool(sent)) as store:
            for reply in sent:
                store.outbox.sent(reply.id, clock())
            leased = [] if stop() else store.outbox.lease(limit=AT_ONCE, lease=LEASE)
        if not leased:
            return
        sent = _deliver(ledger, postman, clock, leased, stop, left)


def _deliver(
    ledger: Ledger,
    postman: Postman,
    clock: Callable[[], datetime],
    leased: Sequence[OwedReply],
    stop: Callable[[], bool],
    left: Callable[[], None],
) -> list[OwedReply]:
    """Send replies: those sent, to be noted by the caller; others are put off or given up here."""
    sent: list[OwedReply] = []
    waiting = deque(leased)
    until = time.monotonic() + LEASE.total_seconds() / 2
    try:
        while waiting:
            reply = waiting.popleft()
            try:
                _send(postman, reply)
            except OutboxUnavailable:
                # The whole outbox waits, this one with the others.
                waiting.appendleft(reply)
                raise
            except (TooLarge, Deferred, RecipientRefused) as answer:
                smaller = lighter(reply.content) if isinstance(answer, TooLarge) else None
                if smaller is not None:
                    log.warning("reply.lightened", letter=reply.letter, reply=reply.id)
                    waiting.appendleft(replace(reply, content=smaller))
                    continue
                # What has left is noted first, so that no fault of this note repeats it.
                _settle(ledger, clock, sent)
                _not_taken(ledger, clock(), reply, answer)
            else:
                left()
                sent.append(reply)
            if stop() or time.monotonic() > until:
                break
    except BaseException:
        # Whatever it was is raised again: what has left must not leave twice.
        _settle(ledger, clock, sent, waiting)
        raise
    if waiting:
        # Stopped, or half of the lease is over.
        _settle(ledger, clock, sent, waiting)
    return sent


def _settle(
    ledger: Ledger,
    clock: Callable[[], datetime],
    sent: list[OwedReply],
    waiting: Sequence[OwedReply] = (),
) -> None:
    """Note what was sent and clear the list; what waits is due at once."""
    if not sent and not waiting:
        return
    with ledger.transaction() as store:
        for reply in sent:
            store.outbox.sent(reply.id, clock())
        if waiting:
            store.outbox.release([reply.id for reply in waiting])
    sent.clear()


def _send(postman: Postman, reply: OwedReply) -> None:
    started = time.monotonic()
    postman.send(reply)
    log.info(
        "reply.sent",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _not_taken(
    ledger: Ledger, now: datetime, reply: OwedReply, answer: Deferred | RecipientRefused
) -> None:
    """Put a reply off, or give it up: refused for good, or put off for three days."""
    if isinstance(answer, RecipientRefused):
        _give_up(ledger, now, reply, str(answer))
        return
    if reply.owed_at is not None and now - reply.owed_at >= GIVEN_UP_AFTER:
        _give_up(ledger, now, reply, f"after 3 days: {answer}")
        return
    rest = retry_delay(reply.attempts)
    with ledger.transaction() as store:
        store.outbox.deferred(reply.id, rest, str(answer))
    log.warning(
        "reply.deferred",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        error=str(answer),
        next_at=(now + rest).isoformat(),
    )


def _give_up(ledger: Ledger, now: datetime, reply: OwedReply, answer: str) -> None:
    with ledger.transaction() as store:
        store.outbox.undeliverable(reply.id, answer, now)
    log.error(
        "reply.undeliverable",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        error=answer,
    )


def retry_delay(attempts: int) -> timedelta:
    """The back-off after a reply's n-th attempt: 10 s, doubling to an hour."""
    return min(FIRST_RETRY * (1 << min(max(attempts - 1, 0), 12)), LONGEST_RETRY)
