"""What the verbs do, with the parts that the composition root wires."""

from __future__ import annotations

import queue
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingest.intake.outcome import Handled
from ingest.intake.wishes import workbook
from ingest.letters.terms import RawLetter
from ingest.operations.process import Processed
from ingest.operations.registry_file import RegistryMistakes, read_registry
from ingest.verbs.show import MOSCOW, status_json
from ingest.wiring import App
from layouts.terms import LegalEntity
from storage.records import Claim, ImportReport, LetterDetails


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def state(app: App) -> dict[str, Any]:
    """How the service stands, as `status --json` tells it.

    Raises:
        ConnectionError: the database is away.
    """
    with app.ledger.reading() as store:
        known = store.installation.status(now().astimezone(MOSCOW))
    return status_json(known, [mailbox.name for mailbox in app.settings.mailbox], now())


def replay(app: App, numbers: Sequence[int]) -> Replayed:
    """Put letters back to where they arrived, so that the next pass reads them anew.

    A running daemon notices at once. A letter that no mailbox has any more, one
    from a file for instance, keeps its verdict.

    Raises:
        ConnectionError: a mailbox or the database is away.
    """
    letters = [whole for number in numbers if (whole := _whole(app, number))]
    by_outcome: dict[str, dict[str, LetterDetails]] = defaultdict(dict)
    for whole in letters:
        if whole.summary.outcome:
            by_outcome[whole.summary.outcome][whole.sha256] = whole
    done: set[int] = set()
    for outcome, several in by_outcome.items():
        done |= _put_back(app, outcome, several)
    return Replayed(tuple(sorted(done)), tuple(n for n in numbers if n not in done))


def _put_back(app: App, outcome: str, letters: Mapping[str, LetterDetails]) -> set[int]:
    def reopen(there: Collection[str]) -> None:
        # Before they are moved: a daemon would file what has its verdict at once.
        with app.ledger.transaction() as store:
            for sha256 in there:
                store.letters.reopen(letters[sha256].summary.id)

    wanted = {sha: (whole.size, whole.summary.received_at) for sha, whole in letters.items()}
    return {letters[sha256].summary.id for sha256 in app.put_back(outcome, wanted, reopen)}


@dataclass(frozen=True, slots=True)
class Replayed:
    """Numbers of letters that will be read anew, and of those that no mailbox has."""

    put_back: tuple[int, ...]
    not_found: tuple[int, ...]


def template(app: App, number: str, code: str | None) -> bytes | None:
    """A workbook to fill in, with the points of an entity; None: no such user code.

    Raises:
        ValueError: the layout has no workbook.
    """
    layout, today = app.layouts[number], now().astimezone(MOSCOW).date()
    language = app.settings.replies.language
    if code is None:
        return workbook(layout, None, None, language, today)
    with app.ledger.reading() as store:
        entity = store.registry.entity(code)
        return workbook(layout, entity, store, language, today) if entity else None


def _whole(app: App, number: int) -> LetterDetails | None:
    with app.ledger.reading() as store:
        return store.letters.details(number)


def backfill(app: App, since: date, tell: Callable[[], None]) -> Mapping[str, int]:
    """Read the letters filed since a day once more; those the ledger knows are passed over.

    Args:
        app: The wired parts.
        since: By the mail server's calendar.
        tell: Called after each letter, for progress.

    Returns:
        How many letters had which outcome.

    Raises:
        ConnectionError: a mailbox or the database is away.
    """
    outcomes: Counter[str] = Counter()

    def told(raw: RawLetter, claim: Claim, handled: Handled) -> None:  # noqa: ARG001
        outcomes[handled.outcome.value] += 1
        tell()

    app.read_filed(since, told)
    return dict(outcomes)


def process_paths(
    app: App, paths: Sequence[Path], at: datetime | None, *, dry_run: bool
) -> Iterator[Processed]:
    """Every letter under the paths with its verdict, as it is committed.

    Raises:
        NoLettersError: a path holds none; said before the first letter is read.
    """

    def work(tell: Callable[[Processed], None]) -> None:
        app.process(paths, at, lambda *letter: tell(Processed(*letter)), dry_run=dry_run)

    yield from _as_they_come(work)


def _as_they_come(work: Callable[[Callable[[Processed], None]], None]) -> Iterator[Processed]:
    """What the work tells, while it goes on; a fault of it is raised here at its end."""
    told: queue.SimpleQueue[Processed | BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            work(told.put)
        except BaseException as fault:  # noqa: BLE001 - raised again in the caller's thread
            told.put(fault)
        else:
            told.put(None)

    threading.Thread(target=run, name="process", daemon=True).start()
    while (item := told.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def import_registry(
    app: App, content: bytes, who: str, *, with_passwords: bool, dry_run: bool
) -> ImportReport:
    """Take a registry file over, whole or not at all.

    Raises:
        RegistryMistakes: the file has mistakes, or contradicts what is recorded;
            nothing is imported.
    """
    registry = read_registry(content, with_passwords=with_passwords)
    passwords = app.guard.passwords

    def hashed(entity: LegalEntity) -> LegalEntity:
        given = registry.passwords.get(entity.user_code)
        return replace(entity, password_hash=passwords.hash(given)) if given else entity

    entities = [hashed(entity) for entity in registry.entities]
    opened = app.ledger.rehearsal() if dry_run else nullcontext(app.ledger)
    with opened as ledger, ledger.transaction() as store:
        wrong = registry.contradictions(store.registry.read_outside(entities))
        if wrong:
            raise RegistryMistakes(wrong)
        return store.registry.import_entities(entities, who, now())


def set_password(app: App, code: str, password: str, who: str) -> str | None:
    """Give an entity this password, or a new one when it is ''; None: no such entity."""
    password = password or secrets.token_urlsafe(9)
    hashed = app.guard.passwords.hash(password)
    with app.ledger.transaction() as store:
        done = store.registry.set_password(code, hashed, who, now())
    return password if done else None
