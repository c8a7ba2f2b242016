"""Seals: a chain of hashes over rows that are never changed, so that a change is found.

A seal covers the rows that came since the one before it, kind by kind in the order of
their ids: audit, findings, snapshots with their rows, and submissions with the spans,
readings and suspicions that came with them. Its hash is over the hash before it and every
column of every row. Columns without a value are left out, so that a later schema may add
some; it may neither rename nor drop one, nor give old rows a value.

No writer waits for a seal: what is sealed are rows up to a fence, once nobody who was
writing when the fence was set is writing any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from typing import Any

from storage.columns import instant
from storage.records.audit import Fence, Head, SealCheck
from storage.session import Part

_WITH: Mapping[str, tuple[tuple[str, str], ...]] = {
    "audit": (),
    "finding": (),
    "snapshot": (("snapshot_row", "snapshot_id"),),
    "submission": (
        ("submission_reading", "submission_id"),
        ("submission_span", "submission_id"),
        ("suspicion", "submission_id"),
    ),
}
"""What is sealed: the kinds, each with the tables whose rows came with it."""

_MOST = 1000
"""Rows of a kind under one seal."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A seal that is not written yet; `before` is the number of the one before it."""

    before: int
    at: int
    upto: str
    rows: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Sealed:
    """Rows of one kind: each one's id and the hash over its columns."""

    kind: str
    upto: int
    hashes: Mapping[int, str]


class Seals(Part):
    """The hash chain over append-only rows: appended to by one process, verified by any."""

    matter = "seals"

    def fence(self) -> Fence:
        """The rows there are; read first, and then a transaction's number is asked for.

        On PostgreSQL an id is given to a row only after its transaction has a number
        (migration 0013), so rows up to the fence have smaller numbers than it.
        """
        upto = self._newest()
        return Fence(upto, self._sql.value("transaction") if self._on_postgresql else None)

    def is_final(self, fence: Fence) -> bool:
        """Whether nobody can add rows up to the fence any more."""
        if fence.transaction is None:
            return True
        return int(self._sql.value("oldest_open") or 0) > fence.transaction

    def draft(self, fence: Fence) -> Draft | None:
        """The next seal up to a fence; None when all rows up to it are sealed."""
        last = self._sql.row("last")
        upto = _upto(last)
        parts = [
            self._sealed(kind, upto[kind], fence.upto.get(kind, 0), most=_MOST)
            for kind in _WITH
            if fence.upto.get(kind, 0) > upto[kind]
        ]
        if not parts:
            return None
        for part in parts:
            upto[part.kind] = part.upto
        number, before = (0, "") if last is None else (last.number, last.sha256)
        at = int(self._sql.value("now") or 0)
        given = json.dumps(upto), _marks(parts)
        return Draft(number, at, *given, _chained(before, number + 1, at, *given, parts))

    def append(self, draft: Draft) -> bool:
        """Write a seal behind the one it was drafted for; False when another came first."""
        written = self._sql.change(
            "append",
            before=draft.before,
            number=draft.before + 1,
            at=draft.at,
            upto=draft.upto,
            rows=draft.rows,
            sha256=draft.sha256,
        )
        if not written:
            return False
        self._sql.change("keep_head", number=draft.before + 1, sha256=draft.sha256)
        return True

    def head(self) -> Head | None:
        """The last seal; None before the first."""
        last = self._sql.row("last")
        return None if last is None else Head(last.number, last.sha256, instant(last.at))

    def has(self, head: Head) -> bool:
        """Whether a seal that was there is still in the chain."""
        return self._sql.value("hash_of", number=head.number) == head.sha256

    def unsealed(self) -> dict[str, int]:
        """How many rows of each kind are not sealed yet; those that have none are left out."""
        upto = _upto(self._sql.row("last"))
        counts = {k: int(self._sql.value(f"count_{k}", after=upto[k]) or 0) for k in _WITH}
        return {kind: count for kind, count in counts.items() if count}

    def check(self, known: Sequence[Head] = (), last: int | None = None) -> SealCheck:
        """Whether the rows are those that were sealed, up to the first break.

        Args:
            known: Seals that were there once, as the log tells: one that is not in the
                chain is a break.
            last: Only so many seals, the last ones; None: all.
        """
        head = self.head()
        first = 1 if last is None or head is None else max(1, head.number - last + 1)
        before = self._sql.row("seal", number=first - 1) if first > 1 else None
        count = rows = 0
        broken = None
        for seal in self._chain(first - 1):
            broken, found = self._checked(seal, before)
            if broken is not None:
                break
            count, rows, before = count + 1, rows + found, seal
        broken = broken or self._end_of(head) or self._lost(known)
        return SealCheck(count, rows, head, self.unsealed(), broken)

    def _chain(self, after: int) -> Iterator[Any]:
        while seals := self._sql.rows("chain", after=after, most=_AT_ONCE):
            yield from seals
            after = seals[-1].number

    def _checked(self, seal: Any, before: Any) -> tuple[str | None, int]:
        """What is wrong with a seal or its rows, None when nothing is; how many rows it has."""
        number = 1 if before is None else before.number + 1
        if seal.number != number:
            return f"seal {number} is gone", 0
        name = f"seal {number} of {instant(seal.at).isoformat()}"
        start, end = _upto(before), _upto(seal)
        parts = [self._sealed(k, start[k], end[k]) for k in _WITH if end[k] > start[k]]
        given = "" if before is None else before.sha256, number, seal.at, seal.upto
        marks = _marks(parts)
        if _chained(*given, marks, parts) != seal.sha256:
            wrong = _first_difference(parts, _json(seal.rows))
            return f"{wrong} ({name})" if wrong else f"{name} was changed", 0
        if marks != seal.rows:
            return f"{name} was changed", 0
        return None, sum(len(part.hashes) for part in parts)

    def _end_of(self, head: Head | None) -> str | None:
        """What is wrong with the end of the chain; its head is kept apart as well."""
        kept = self._sql.row("head")
        if head is None:
            return None if kept is None else f"seals 1 to {kept.number} are gone"
        if kept is None:
            return "the head of the chain is gone"
        if kept.number > head.number:
            return f"seals {head.number + 1} to {kept.number} are gone"
        if (kept.number, kept.sha256) != (head.number, head.sha256):
            return f"seal {head.number} is not the one that was written"
        return None

    def _lost(self, known: Sequence[Head]) -> str | None:
        lost = (one.number for one in known if not self.has(one))
        return next((f"seal {n} is not the one that the log tells" for n in lost), None)

    def _newest(self) -> dict[str, int]:
        return {kind: int(self._sql.value(f"newest_{kind}") or 0) for kind in _WITH}

    def _sealed(self, kind: str, after: int, upto: int, most: int | None = None) -> _Sealed:
        """Rows of a kind behind one id, with all that came with them."""
        hashes: dict[int, str] = {}
        here = after
        while most is None or len(hashes) < most:
            # Somebody may have put a row before the first one.
            behind = here or (0 if hashes else -inf)
            rows = self._sql.rows(f"of_{kind}", after=behind, upto=upto, most=_AT_ONCE)
            hashes |= self._hashed(kind, rows)
            if len(rows) < _AT_ONCE:
                return _Sealed(kind, upto, hashes)
            here = rows[-1].id
        return _Sealed(kind, here, hashes)

    def _hashed(self, kind: str, rows: Sequence[Any]) -> Iterator[tuple[int, str]]:
        numbers = [row.id for row in rows]
        came: dict[int, dict[str, list[Any]]] = {number: {} for number in numbers}
        for table, owner in _WITH[kind] if numbers else ():
            for row in self._sql.rows(f"with_{table}", keys=numbers):
                came[getattr(row, owner)].setdefault(table, []).append(_facts(row))
        for row in rows:
            text = json.dumps([kind, _facts(row), came[row.id]], sort_keys=True)
            yield row.id, sha256(text.encode()).hexdigest()


def _facts(row: Any) -> dict[str, Any]:
    # SQLite has no booleans.
    return {
        name: int(value) if value is True or value is False else value
        for name, value in row._asdict().items()
        if value is not None
    }


def _chained(
    before: str, number: int, at: int, upto: str, rows: str, parts: Sequence[_Sealed]
) -> str:
    """The hash of a seal: over the one before it, its own facts, and each row's hash."""
    digests = [[part.kind, *part.hashes.values()] for part in parts]
    return sha256(json.dumps([before, number, at, upto, rows, digests]).encode()).hexdigest()


def _marks(parts: Sequence[_Sealed]) -> str:
    """What a seal keeps of each row, to name it when it was changed."""
    return json.dumps(
        {
            part.kind: " ".join(f"{number}:{digest[:8]}" for number, digest in part.hashes.items())
            for part in parts
        }
    )


def _first_difference(parts: Sequence[_Sealed], marks: Mapping[str, Any]) -> str | None:
    """The first row that is not the one that was sealed."""
    for part in parts:
        told = str(marks.get(part.kind, "")).split()
        sealed = dict(mark.split(":", 1) for mark in told if ":" in mark)
        present = {str(number): digest[:8] for number, digest in part.hashes.items()}
        for number in sorted(sealed.keys() | present.keys(), key=lambda text: (len(text), text)):
            if number not in present:
                return f"{part.kind} {number} is gone"
            if number not in sealed:
                return f"{part.kind} {number} was added"
            if sealed[number] != present[number]:
                return f"{part.kind} {number} was changed"
    return None


def _upto(seal: Any) -> dict[str, int]:
    """How far a seal reaches; what it does not tell, or tells wrongly, is 0."""
    told = {} if seal is None else _json(seal.upto)
    known = {kind: told.get(kind, 0) for kind in _WITH}
    return {kind: upto if isinstance(upto, int) else 0 for kind, upto in known.items()}


def _json(text: Any) -> dict[str, Any]:
    """An object; empty where somebody has made something else of it."""
    try:
        told = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
