"""The real service, which kills itself with SIGKILL at a named step.

Run as `python -m tests.end_to_end.killable STEP --config FILE run`; '' for no step, `poison`
for every letter with that word.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ingest.engine import daemon, trips, work
from ingest.engine import send as outbox
from ingest.engine.marks import Marker
from ingest.engine.work import Worker
from ingest.intake import receive
from ingest.transports.imap import ImapMailbox
from ingest.transports.smtp import SmtpPostman
from storage.letters import Letters
from storage.outbox import Outbox

# (class, method, whether before or after it), in the order a letter meets them.
STEPS: dict[str, tuple[type, str, str]] = {
    "fetched": (ImapMailbox, "_bodies", "after"),
    "claiming": (Letters, "claim", "after"),
    "claimed": (Worker, "_claim", "after"),
    "read": (Worker, "_recorded", "before"),
    "recording": (Letters, "settle", "after"),
    "committed": (Worker, "_recorded", "after"),
    "filed": (ImapMailbox, "file", "after"),
    "leasing": (Outbox, "lease", "after"),
    "leased": (SmtpPostman, "send", "before"),
    "sent": (SmtpPostman, "send", "after"),
    "noted": (Outbox, "sent", "after"),
}


# Between the commit and the marks: only a letter with a workbook to mark comes there.
MARKING = "marking"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    owner, name, when = (STEPS | {MARKING: (Marker, "_complete", "before")})[step]
    whole: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(whole)
    def deadly(*args: Any, **options: Any) -> Any:
        if when == "before":
            die()
        result = whole(*args, **options)
        # A lease that found nothing is no step.
        if result != []:
            die()
        return result

    setattr(owner, name, deadly)


def arm_poison() -> None:
    """Have each letter with the word Poison kill whoever records it."""
    whole = work.record

    def deadly(letter: Any, *args: Any) -> Any:
        if b"Poison" in letter.raw.content:
            die()
        return whole(letter, *args)

    work.record = deadly


if __name__ == "__main__":
    from ingest.verbs.main import main

    # Replies that a dead process had leased are free again sooner than in life.
    outbox.LEASE = timedelta(seconds=1)
    # And replies whose workbook nobody marked any more.
    receive.MARKED_WITHIN = timedelta(seconds=2)
    daemon.DRAINED_EVERY_SECONDS = daemon.FILED_EVERY_SECONDS = 0.5
    # What a dead worker had is taken up sooner as well.
    daemon.SWEPT_EVERY_SECONDS = trips.AGAIN_SECONDS = 0.5
    step = sys.argv.pop(1)
    if step == "poison":
        arm_poison()
    elif step:
        arm(step)
    main()
