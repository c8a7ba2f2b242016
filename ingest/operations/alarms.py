"""What needs a person, mailed by ourselves: for retailers without a monitor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

import structlog

from ingest.operations.ports import Service
from ingest.operations.status import Status, status
from ingest.replies.alarm import alarm, digest, kind_of

log = structlog.get_logger()

BETWEEN = timedelta(hours=1)
"""At least, between two mails of a kind."""

AGAIN_AFTER = timedelta(days=1)
"""An unchanged need is mailed again after this."""


def owe_alarms(service: Service, now: datetime) -> int:
    """Owe a mail for each kind of need that is due one: how many.

    What was mailed before is looked up in the outbox, so that a restart repeats none.

    Raises:
        ConnectionError: the database is away.
    """
    address = service.alarms_to
    if not address:
        return 0
    owed = 0
    for kind, told in _due(status(service, now), service.mailbox_late_after, now):
        mail = alarm(kind, told, address, now, service.policy.replies)
        with service.ledger.transaction() as store:
            last = store.outbox.last_of(kind_of(kind), address, now - AGAIN_AFTER, now + BETWEEN)
            if last is not None:
                is_same = f"<{kind_of(kind)}.{digest(told)}" in last.message_id
                if is_same or now - last.owed_at < BETWEEN:
                    continue
            store.outbox.owe(mail, now)
        log.info("alarm.owed", kind=kind, needs=len(told))
        owed += 1
    return owed


def _due(state: Status, late: timedelta, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """The sentences of each kind that is mailed.

    A fault of a server is mailed once it has lasted for `late`; one of the outbox is not, as
    no mail leaves then.
    """
    due = [
        need
        for need in state.needs
        if need.kind != "outbox" and (need.since is None or now - need.since > late)
    ]
    for name, needs in groupby(sorted(due, key=attrgetter("kind")), attrgetter("kind")):
        yield name, [need.told for need in needs]
