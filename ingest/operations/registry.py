"""The register of points taken over from a file, and passwords given."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import ClassVar

from ingest.intake.strength import Weakness, weakness
from ingest.operations.ports import Ledger, Service
from ingest.operations.refused import Refused, entity_named, no_entity
from ingest.operations.register.registry_contradictions import contradictions
from ingest.operations.register.registry_file import RegistryMistakes, read_registry
from ingest.operations.told import MERGED, Keys
from ingest.replies.texts import phrase
from ingest.replies.wording import Wording, wording
from layouts.months import following, month_at
from layouts.points import LegalEntity
from layouts.sequences import pieces
from storage.records.audit import AuditEntry
from storage.records.billing import Number
from storage.records.registry import ImportReport, Touched
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        weak: User codes whose given passwords are too easy to guess; they were taken.
        recomputed: Consumption of open months that it changes.
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

    def told(self, words: Wording) -> str:
        """Month, point, channel and zone."""
        about = asdict(self) | {"month": f"{self.month:%Y-%m}"}
        return phrase(words, "mistake", "closed_change", **about)

    def __str__(self) -> str:
        return self.told(wording("en"))


class WeakPassword(Refused):
    """A given password is too easy to guess; its text says why."""

    def __init__(self, reason: Weakness) -> None:
        self.reason = reason
        super().__init__(f"the password is too easy to guess: {reason.value}")


class ClosedMonthsChange(ValueError):  # noqa: N818 - its name is what it holds
    """An import would change what was billed; its text says where, and what to do."""

    def __init__(self, changes: Sequence[Recomputed]) -> None:
        """Take the first changes of each closed month that has any."""
        by_month = {
            month: list(theirs) for month, theirs in groupby(changes, lambda change: change.month)
        }
        each = max(_TOLD // len(by_month), 1)
        self.months = tuple(by_month)
        self.first = [one for theirs in by_month.values() for one in theirs[:each]]
        super().__init__("\n".join(self.told(wording("en"))))

    def told(self, words: Wording) -> list[str]:
        """Which months, the first of what would change in each, and what to do."""
        months = ", ".join(f"{month:%Y-%m}" for month in self.months)
        return [
            phrase(words, "mistake", "closed_months", months=months),
            *(one.told(words) for one in self.first),
            words.word("mistake", "closed_advice"),
        ]


_TOLD = 20
_AT_ONCE = 500
"""Points whose months are worked out at once."""


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
    registry = read_registry(content, service.table, with_passwords=with_passwords)
    passwords = service.guard.passwords

    def hashed(entity: LegalEntity) -> LegalEntity:
        given = registry.passwords.get(entity.user_code)
        return replace(entity, password_hash=passwords.hash(given)) if given else entity

    entities = [hashed(entity) for entity in registry.entities]
    opened = service.ledger.rehearsal() if dry_run else nullcontext(service.ledger)
    # `was` sees the snapshot from before the import.
    with opened as ledger, service.ledger.reading() as was, ledger.transaction() as store:
        now, closed = datetime.now(UTC), sorted(was.periods.closed())
        since = following(closed[-1]) if closed else month_at(now)
        tell("comparing with the register")
        plan = store.registry.plan(entities, since=since, correct=correct, silent=registry.silent)
        mistakes = contradictions(registry, plan, store)
        if mistakes:
            raise RegistryMistakes(mistakes)
        tell("writing")
        report = store.registry.apply(plan, entities, who, now)
        changes = _recomputed(was, store, plan.touched(), closed, tell)
    given = registry.passwords
    weak = (e.user_code for e in entities if weakness_of(e, given.get(e.user_code, "")))
    return Imported(report, tuple(weak), tuple(changes), dry_run)


def _recomputed(
    was: Store,
    store: Store,
    touched: Mapping[int, Touched],
    closed: Collection[date],
    tell: Callable[[str], None],
) -> list[Recomputed]:
    """The consumption of open months that an import changes.

    Args:
        was: The database before the import.
        store: The database with it.
        touched: Points by their ids.
        closed: Months; each is searched up to the first piece of points with a change.
        tell: Called with what is done next.

    Raises:
        ClosedMonthsChange: the consumption of a closed month would change.
    """
    found: dict[bool, list[Recomputed]] = {True: [], False: []}
    months = store.numbers.months(sorted(touched))
    for month in sorted(months, key=lambda month: (month not in closed, month)):
        is_closed = month in closed
        if found[True] and not is_closed:
            break
        tell(f"working out {month:%Y-%m} before and after it")
        concerned = [point for point, one in touched.items() if one.day < following(month)]
        for piece in pieces(sorted(concerned), _AT_ONCE):
            points = store.numbers.affected(month, {p: touched[p].steps for p in piece})
            changes = _changes(was, store, month, points, is_closed=is_closed)
            found[is_closed] += changes
            if is_closed and changes:
                break
    if found[True]:
        raise ClosedMonthsChange(found[True])
    return found[False]


def _changes(
    was: Store, store: Store, month: date, points: list[int], *, is_closed: bool
) -> list[Recomputed]:
    """How the consumption of points changes; of a closed month also what does not count for them.

    A register beside a profile is its proof, and was when the month was closed.
    """
    for all_of in (None, "register", "profile") if is_closed else (None,):
        before, after = (
            one.numbers.of(month, points=points, all_of=all_of) for one in (was, store)
        )
        if changes := _changed(before, after, month):
            return changes
    return []


def _changed(before: Iterable[Number], after: Iterable[Number], month: date) -> list[Recomputed]:
    old, new = _billed(before), _billed(after)
    return [
        Recomputed(month, key[0], *key[2:], old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _billed(numbers: Iterable[Number]) -> dict[tuple[str, int, str, str], tuple[str, int]]:
    """Holder and consumption by point (also by its id), channel and zone."""
    return {
        (n.point, n.point_id, n.channel, n.zone): (n.entity, n.energy)
        for n in numbers
        if n.energy is not None
    }


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
        entity = entity_named(store, code)
        return EntityStory(entity, tuple(store.audit.changes_of(entity)))


def registered(ledger: Ledger) -> list[LegalEntity]:
    """Every legal entity, by user code."""
    with ledger.reading() as store:
        return store.registry.entities()


def named(ledger: Ledger) -> list[LegalEntity]:
    """Every legal entity by user code, without its points."""
    with ledger.reading() as store:
        return store.registry.named()


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
        entity = entity_named(store, code)
    if reason := weakness_of(entity, password):
        raise WeakPassword(reason)
    password = password or secrets.token_urlsafe(9)
    hashed = service.guard.passwords.hash(password)
    with service.ledger.transaction() as store:
        if not store.registry.set_password(code, hashed, who, datetime.now(UTC)):
            raise no_entity(code)
    return password
