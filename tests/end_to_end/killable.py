"""The real service, which kills or freezes itself at a named step.

Run as `python -m tests.end_to_end.killable STEP --config FILE run`; '' for no step, `poison`
for every letter with that word, `freeze STEP` to stop there until somebody wakes it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from ingest.engine import daemon, lease, trips, work
from ingest.engine import send as outbox
from ingest.engine.marks import Marker
from ingest.engine.work import Worker
from ingest.intake import attempt, receive
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.smtp import SmtpPostman
from ingest.wiring import service as wiring
from storage import arrivals
from storage.arrivals import Arrivals
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


# Those that letters meet on their way from one process to another.
STEPS_OF_TRIPS: dict[str, tuple[type, str, str]] = {
    "announcing": (Arrivals, "announce", "after"),
    "deferring": (Arrivals, "carry", "after"),
    "taking": (Arrivals, "take", "after"),
    "taken": (Worker, "look_up", "before"),
    "settling": (Arrivals, "settle", "after"),
    "putting-off": (Arrivals, "put_off", "before"),
    "forgetting": (Arrivals, "forget", "after"),
}


ALL_STEPS = STEPS | STEPS_OF_TRIPS | {MARKING: (Marker, "_complete", "before")}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def arm(step: str, deed: Callable[[], None] = die) -> None:
    owner, name, when = ALL_STEPS[step]
    whole: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(whole)
    def deadly(*args: Any, **options: Any) -> Any:
        if when == "before":
            deed()
        result = whole(*args, **options)
        # What found nothing is no step.
        if result != [] and when == "after":
            deed()
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


def freeze_once(step: str) -> None:
    """Stop at a step the first time it is come to; once woken, go on for good."""
    owner, name, _when = ALL_STEPS[step]
    whole = getattr(owner, name)

    def once() -> None:
        setattr(owner, name, whole)
        freeze()

    arm(step, once)


if __name__ == "__main__":
    from ingest.verbs.main import main

    # Replies that a dead process had leased are free again sooner than in life.
    outbox.LEASE = timedelta(seconds=1)
    # And replies whose workbook nobody marked any more.
    receive.MARKED_WITHIN = timedelta(seconds=2)
    daemon.DRAINED_EVERY_SECONDS = daemon.FILED_EVERY_SECONDS = 0.5
    # What a dead or frozen worker had is taken up sooner as well.
    daemon.SWEPT_EVERY_SECONDS = 1.0
    trips.AGAIN_SECONDS = 0.0
    step = sys.argv.pop(1)
    if os.environ.get("KILLABLE_SILENT"):
        from ingest.engine import spread

        spread.BEAT_SECONDS = lease.RENEWED_SECONDS = 1.0
        lease.LEASE_SECONDS = int(os.environ["KILLABLE_SILENT"])
        spread.SILENT_SECONDS = arrivals.SILENT_SECONDS = float(os.environ["KILLABLE_SILENT"])
    if network := os.environ.get("KILLABLE_NETWORK"):
        # Before there is another thread, which would stay behind.
        with Path("/run/netns", network).open() as there:
            assert ctypes.CDLL(None, use_errno=True).setns(there.fileno(), 0) == 0
    if ahead := int(os.environ.get("KILLABLE_CLOCK", "0")):
        # This host's clock is off by so many seconds; the database's is not.
        of_others = wiring.now
        wiring.now = lambda: of_others() + timedelta(seconds=ahead)
    # So many deaths on purpose are no letter's fault.
    attempt.MOST_ATTEMPTS = int(os.environ.get("KILLABLE_ATTEMPTS", attempt.MOST_ATTEMPTS))
    if step == "poison":
        arm_poison()
    elif step.startswith("freeze "):
        freeze_once(step.removeprefix("freeze "))
    elif step:
        arm(step)
    main()
