"""How long a sender waits, what the service takes at rest, and in a large mailbox."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from benchmarks.letters import KINDS, Letter
from benchmarks.machine import Peak
from benchmarks.servers import AtOnce, Servers, wait_until
from benchmarks.service import Service

SINGLE = 200
FEW = 15
BURST = 2000
REST_SECONDS = 6.0
KIND = KINDS["registers-xml"]
LOOK_SECONDS = 0.3
"""For servers, Dovecot among them, that keep new mail to themselves for a while."""

SETTLED_SECONDS = 0.7
"""Longer than the half second in which Dovecot gathers news: no letter profits from the last."""


def measure(servers: Servers) -> str:
    """Single letters from two servers, rest, and a burst; letters and rest with short IDLEs."""
    told = []
    with (
        AtOnce() as mailbox,
        Service(servers, KIND, mailbox=mailbox) as service,
    ):
        service.take(KIND.letters(KIND.senders))
        told.append(f"a server that tells at once: {_single(service, SINGLE, 0)}")
    for look_seconds, count in ((0, SINGLE), (LOOK_SECONDS, FEW)):
        with Service(servers, KIND, look_seconds=look_seconds) as service:
            service.take(KIND.letters(KIND.senders))
            title = f"Dovecot, look_seconds = {look_seconds}"
            told += [
                f"{title}: {_single(service, count, SETTLED_SECONDS)}",
                f"{title}, {_rest(service)}",
            ]
            if not look_seconds:
                told.append(_burst(service))
    return "\n".join(told)


def _single(service: Service, count: int, settled_seconds: float) -> str:
    waits = []
    for letter in KIND.letters(count, KIND.senders):
        answered = service.servers.sink.count() + 1
        dropped = time.time()
        service.mailbox.drop(letter)
        wait_until(lambda: service.servers.sink.count() >= answered, 30, "an answer", 0.005)  # noqa: B023
        waits.append(service.servers.sink.mails()[-1][0] - dropped)
        # At no moment of the service's own rhythm.
        time.sleep(settled_seconds + random.random() * LOOK_SECONDS)
    return (
        f"{count} single letters, IDLE: median {statistics.median(waits) * 1000:.0f} ms, "
        f"slowest {max(waits) * 1000:.0f} ms, {sum(wait < 1 for wait in waits)} under 1 s"
    )


def _rest(service: Service) -> str:
    time.sleep(1)
    before = service.tree.cpu()
    with Peak(service.tree) as peak:
        time.sleep(0.5)
    time.sleep(REST_SECONDS - 0.5)
    share = (service.tree.cpu() - before) / REST_SECONDS
    return f"at rest: {peak.mb:.0f} MB, {share * 100:.2f} % of a core"


def _burst(service: Service) -> str:
    sink = service.servers.sink
    before = sink.count()
    letters = list(KIND.letters(BURST, KIND.senders + SINGLE))
    with Peak(service.tree) as peak:
        service.mailbox.fill(letters)
        started = time.time()
        wait_until(lambda: sink.count() >= before + BURST, 240, "answers to the burst", 0.1)
    moments = sorted(moment - started for moment, _ in sink.mails()[before:])
    return (
        f"burst of {BURST}: first reply after {moments[0]:.2f} s, half of them after "
        f"{moments[BURST // 2]:.1f} s, the last after {moments[-1]:.1f} s; peak {peak.mb:.0f} MB"
    )


def _small(count: int) -> Iterator[Letter]:
    """Letters that differ in one header only, made quickly."""
    models = list(KIND.letters(KIND.senders, KIND.senders))
    for number in range(count):
        model = models[number % len(models)]
        content = b"X-Number: %d\r\n" % number + model.content
        yield replace(
            model, content=content, received_at=model.received_at + timedelta(seconds=number)
        )


FIRST = 1000
"""Letters of a large mailbox that are measured."""


def large_mailbox(servers: Servers, count: int, runs: int) -> str:
    """The first thousand letters of a large mailbox beside mailboxes of as many.

    Each large one is measured between two small ones, against their mean, so that what else
    the machine does weighs on both.
    """
    small = _first_thousand(servers, FIRST)
    ratios = []
    for _ in range(runs):
        large, after = _first_thousand(servers, count), _first_thousand(servers, FIRST)
        ratios.append(large / ((small + after) / 2))
        small = after
    ratios.sort()
    least, middle, most = (
        (one - 1) * 100 for one in (ratios[0], statistics.median(ratios), ratios[-1])
    )
    return (
        f"first {FIRST:,} of {count:,}: {middle:+.1f} % of CPU against mailboxes of {FIRST:,}, "
        f"the middle of {runs} ({least:+.1f} to {most:+.1f} %)"
    )


def _first_thousand(servers: Servers, size: int) -> float:
    """Seconds of CPU for the first thousand letters of a mailbox."""
    with Service(servers, KIND) as service:
        service.take(KIND.letters(KIND.senders))
        before, seen = servers.sink.count(), service.tree.cpu()
        with Peak(service.tree) as peak:
            # What lies behind them is not read before the measurement ends.
            service.mailbox.fill(_small(min(size, 2 * FIRST)), more=max(0, size - 2 * FIRST))
            started = time.monotonic()
            wait_until(lambda: servers.sink.count() >= before + FIRST, 240, "answers")
            seconds = time.monotonic() - started
            cpu = service.tree.cpu() - seen
    cost = f"{seconds:.1f} s, {cpu:.2f} s of CPU, peak {peak.mb:.0f} MB"
    print(f"first {FIRST:,} of {size:,}: {cost}", file=sys.stderr, flush=True)
    return cpu
