"""The register of points taken over from a file, and passwords given."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import ClassVar

from ingest.intake.strength import Weakness, weakness
from ingest.operations.ports import Ledger, Service
from ingest.operations.refused import Refused, no_entity
from ingest.operations.register.registry_contradictions import contradictions
from ingest.operations.register.registry_file import RegistryMistakes, read_registry
from ingest.operations.told import MERGED, Keys
from layouts.months import following, month_at
from layouts.terms import LegalEntity
from storage.records import AuditEntry, ImportReport
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        weak: User codes whose given passwords are too easy to guess; they were taken.
        recomputed: Consumption of open months that is another one by it.
        is_dry_run: Whether everything was undone.
    """

    KEYS: ClassVar[Keys] = {
        MERGED: "report",
        "recomputed": "recomputed",
        "dry_run": "is_dry_run",
    }

    report: ImportReport
    weak: tuple[str, ...] = ()
    recomputed: tuple[Recomputed, ...] = ()
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Consumption of a month that an import changes.

    Attributes:
        before: User code of the holder and energy; None where there was none.
        after: The same afterwards.
    """

    KEYS: ClassVar[Keys] = {
        "period": lambda one: f"{one.month:%Y-%m}",
        "point": "point",
        "channel": "channel",
        "zone": "zone",
        "before": "before",
        "after": "after",
    }

    month: date
    point: str
    channel: str
    zone: str
    before: tuple[str, int] | None
    after: tuple[str, int] | None

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: point {self.point}, {self.channel} {self.zone}"


class WeakPassword(Refused):
    """A given password is too easy to guess; its text says why."""

    def __init__(self, reason: Weakness) -> None:
        self.reason = reason
        super().__init__(f"the password is too easy to guess: {reason.value}")


class ClosedMonthsChange(ValueError):  # noqa: N818 - its name is what it holds
    """An import would change what was billed; its text says where, and what to do."""

    def __init__(self, changes: Sequence[Recomputed]) -> None:
        told = "\n".join(map(str, changes[:_TOLD]))
        more = f"\nand {len(changes) - _TOLD} more" if len(changes) > _TOLD else ""
        super().__init__(
            f"it would change the consumption of closed months:\n{told}{more}\n"
            "reopen them first, or let the change be true from a later day"
        )


_TOLD = 20


def weakness_of(entity: LegalEntity, password: str) -> Weakness | None:
    """Why an entity's given password is too easy to guess; None when it is not, or is ''."""
    return weakness(password, entity.user_code, entity.inn) if password else None


def import_registry(
    service: Service,
    content: bytes,
    who: str,
    *,
    with_passwords: bool,
    dry_run: bool,
    correct: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Imported:
    """Take a registry file over, whole or not at all.

    Args:
        service: Has the ledger.
        content: Of the file, CSV or XLSX.
        who: Kept in the audit.
        with_passwords: Take its password column, too.
        dry_run: Undo everything at the end.
        correct: Why what is on record was wrong from its beginning; None: a difference
            is a change, true from the first month that is still open.
        tell: Called with what is done next, for progress.

    Raises:
        ClosedMonthsChange: the consumption of a closed month would change.
        RegistryMistakes: the file has mistakes, or contradicts what is recorded;
            nothing is imported.
    """
    tell("reading the file")
    registry = read_registry(content, with_passwords=with_passwords)
    passwords = service.guard.passwords

    def hashed(entity: LegalEntity) -> LegalEntity:
        given = registry.passwords.get(entity.user_code)
        return replace(entity, password_hash=passwords.hash(given)) if given else entity

    entities = [hashed(entity) for entity in registry.entities]
    opened = service.ledger.rehearsal() if dry_run else nullcontext(service.ledger)
    with opened as ledger, ledger.transaction() as store:
        now, closed = datetime.now(UTC), sorted(store.periods.closed())
        since = following(closed[-1]) if closed else month_at(now)
        tell("comparing with the register")
        plan = store.registry.plan(entities, since=since, correct=correct, silent=registry.silent)
        mistakes = contradictions(registry, plan, store)
        if mistakes:
            raise RegistryMistakes(mistakes)
        touched = plan.touched()
        tell("working out the months before it")
        before = _billed(store, touched, closed)
        tell("writing")
        report = store.registry.apply(plan, entities, who, now)
        tell("working out the months after it")
        changes = _changed(before, _billed(store, touched, closed))
        refused = [change for change in changes if change.month in closed]
        if refused:
            raise ClosedMonthsChange(refused)
    given = registry.passwords
    weak = (e.user_code for e in entities if weakness_of(e, given.get(e.user_code, "")))
    return Imported(report, tuple(weak), tuple(changes), dry_run)


_Billed = dict[tuple[date, str, int, str, str], tuple[str, int]]
"""Holder and consumption by month, point (also by its id), channel and zone."""


def _billed(store: Store, touched: Mapping[int, date], closed: Sequence[date]) -> _Billed:
    """What is billed of the points that an import touches, from the first day of it."""
    found: _Billed = {}
    if not touched:
        return found
    for month in sorted({*store.numbers.months(sorted(touched)), *closed}):
        points = [point for point, day in touched.items() if day < following(month)]
        for n in store.numbers.of(month, points=points) if points else []:
            if n.energy is not None:
                found[month, n.point, n.point_id, n.channel, n.zone] = n.entity, n.energy
    return found


def _changed(before: _Billed, after: _Billed) -> list[Recomputed]:
    keys = sorted(before.keys() | after.keys())
    return [
        Recomputed(key[0], key[1], *key[3:], before.get(key), after.get(key))
        for key in keys
        if before.get(key) != after.get(key)
    ]


@dataclass(frozen=True, slots=True)
class EntityStory:
    """A legal entity, and what of it was changed by whom."""

    KEYS: ClassVar[Keys] = {MERGED: "entity", "changes": "changes"}

    entity: LegalEntity
    changes: tuple[AuditEntry, ...]


def story(ledger: Ledger, code: str) -> EntityStory:
    """A legal entity with its points and meters, and its changes, the first one first.

    Raises:
        Refused: the register has no such user code.
    """
    with ledger.reading() as store:
        entity = store.registry.entity(code)
        if entity is None:
            raise no_entity(code)
        return EntityStory(entity, tuple(store.audit.changes_of(entity)))


def registered(ledger: Ledger) -> list[LegalEntity]:
    """Every legal entity, by user code."""
    with ledger.reading() as store:
        return store.registry.entities()


def set_password(service: Service, code: str, password: str, who: str) -> str:
    """Give an entity this password, or a new one when it is ''.

    Args:
        service: The wired parts.
        code: The user code.
        password: '' for one that is made.
        who: The operator, as the audit names it.

    Raises:
        Refused: the register has no such user code.
        WeakPassword: this one is too easy to guess.
    """
    with service.ledger.reading() as store:
        entity = store.registry.entity(code)
    if entity is None:
        raise no_entity(code)
    if reason := weakness_of(entity, password):
        raise WeakPassword(reason)
    password = password or secrets.token_urlsafe(9)
    hashed = service.guard.passwords.hash(password)
    with service.ledger.transaction() as store:
        if not store.registry.set_password(code, hashed, who, datetime.now(UTC)):
            raise no_entity(code)
    return password
