"""What operations refuse, and the look-ups that several of them begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Every complaint of a verb brings this module, also of one without a database.
    from ingest.operations.ports import Ledger
    from layouts.points import LegalEntity
    from storage.store import Store


class Refused(ValueError):  # noqa: N818 - a state of the request
    """What was asked for cannot be done; the text says why, in a sentence for people."""


class NotThere(Refused):
    """What was named, a user code or the number of a letter, is nobody's or nothing's."""


def check_entity(store: Store, entity: str | None) -> None:
    """See that a user code is somebody's: an empty listing would look like good news.

    Raises:
        NotThere: the register has no such user code.
    """
    if entity is not None and store.registry.bare(entity) is None:
        raise no_entity(entity)


def check_code(ledger: Ledger, entity: str) -> None:
    """See that a user code is somebody's.

    Raises:
        NotThere: the register has no such user code.
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        check_entity(store, entity)


def entity_named(store: Store, code: str) -> LegalEntity:
    """The legal entity of a user code, with its points.

    Raises:
        NotThere: the register has no such user code.
    """
    entity = store.registry.entity(code)
    if entity is None:
        raise no_entity(code)
    return entity


def no_entity(code: str) -> NotThere:
    """The refusal of a user code that is nobody's."""
    return NotThere(f"{code}: the register has no such user code")
