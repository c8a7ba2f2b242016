"""The register of points taken over from a file, and passwords given."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingest.intake.strength import Weakness, weakness
from ingest.operations.ports import Service
from ingest.operations.registry_file import RegistryMistakes, read_registry
from layouts.months import following, month_at
from layouts.terms import LegalEntity
from storage.records import ImportReport, Number


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        weak: User codes whose given passwords are too easy to guess; they were taken.
    """

    report: ImportReport
    weak: tuple[str, ...] = ()


class WeakPassword(ValueError):  # noqa: N818 - its name is what it is
    """A given password is too easy to guess; its text says why."""

    def __init__(self, reason: Weakness) -> None:
        super().__init__(f"the password is too easy to guess: {reason.value}")


class ClosedMonthsChange(ValueError):  # noqa: N818 - its name is what it holds
    """An import would change what was billed; its text says where, and what to do."""

    def __init__(self, changes: Sequence[str]) -> None:
        told = "\n".join(changes[:_TOLD])
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

    Raises:
        ClosedMonthsChange: the consumption of a closed month would change.
        RegistryMistakes: the file has mistakes, or contradicts what is recorded;
            nothing is imported.
    """
    registry = read_registry(content, with_passwords=with_passwords)
    passwords = service.guard.passwords

    def hashed(entity: LegalEntity) -> LegalEntity:
        given = registry.passwords.get(entity.user_code)
        return replace(entity, password_hash=passwords.hash(given)) if given else entity

    entities = [hashed(entity) for entity in registry.entities]
    opened = service.ledger.rehearsal() if dry_run else nullcontext(service.ledger)
    with opened as ledger, ledger.transaction() as store:
        wrong = registry.contradictions(store.registry.read_outside(entities))
        if wrong:
            raise RegistryMistakes(wrong)
        now, closed = datetime.now(UTC), sorted(store.periods.closed())
        before = {month: _billed(store.numbers.of(month)) for month in closed}
        since = following(closed[-1]) if closed else month_at(now)
        report = store.registry.import_entities(
            entities, who, now, since=None if correct else since, correct=correct
        )
        changes = [
            f"{month:%Y-%m}: {name}"
            for month in closed
            for name in _changed(before[month], _billed(store.numbers.of(month)))
        ]
        if changes:
            raise ClosedMonthsChange(changes)
    given = registry.passwords
    weak = (e.user_code for e in entities if weakness_of(e, given.get(e.user_code, "")))
    return Imported(report, tuple(weak))


def _billed(numbers: Iterable[Number]) -> dict[str, tuple[str, int]]:
    """Holder and consumption by point, channel and zone, of all that has any."""
    return {
        f"point {n.point}, {n.channel} {n.zone}": (n.entity, n.energy)
        for n in numbers
        if n.energy is not None
    }


def _changed(
    before: Mapping[str, tuple[str, int]], after: Mapping[str, tuple[str, int]]
) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def set_password(service: Service, code: str, password: str, who: str) -> str | None:
    """Give an entity this password, or a new one when it is ''; None: no such entity.

    Raises:
        WeakPassword: this one is too easy to guess.
    """
    with service.ledger.reading() as store:
        entity = store.registry.entity(code)
    if entity is None:
        return None
    if reason := weakness_of(entity, password):
        raise WeakPassword(reason)
    password = password or secrets.token_urlsafe(9)
    hashed = service.guard.passwords.hash(password)
    with service.ledger.transaction() as store:
        done = store.registry.set_password(code, hashed, who, datetime.now(UTC))
    return password if done else None
