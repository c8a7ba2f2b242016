"""User code and password to a legal entity, in the same time whatever is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ingest.intake.ports import Store
from ingest.intake.provenance import is_disproved
from ingest.letters.credentials import candidates
from ingest.letters.letter import Letter
from layouts.findings import Code, Finding, finding
from layouts.terms import LegalEntity, Parsed

_TIMES, _KIB = 2, 19456
# The OWASP profile; the library's default costs five times as much.

MOST_PASSWORDS = 6
"""How many password candidates of one letter are tried; a letter with more guesses."""


class Passwords:
    """Argon2id hashes, and a short memory of the pairs that were right.

    The memory holds keyed digests only, never leaves the process, and forgets
    after `remember`; it spares a sender of hundreds of letters 16 ms for each.

    All mailboxes share one: `at_once` bounds how many verifications of 19 MB each
    run side by side.
    """

    def __init__(
        self,
        remember: timedelta = timedelta(minutes=10),
        most: int = 10_000,
        at_once: int = 2,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=_TIMES, memory_cost=_KIB, parallelism=1)
        self._turns = BoundedSemaphore(at_once)
        self._decoy = _decoy()
        self._key = secrets.token_bytes(32)
        self._remember = remember
        self._most = most
        self._right: OrderedDict[bytes, datetime] = OrderedDict()
        self._wrong_ahead: set[bytes] = set()

    def hash(self, password: str) -> str:
        """The Argon2id hash to keep for a password."""
        with self._turns:
            return self._hasher.hash(_bytes(password))

    def verify(self, known: str | None, password: str, now: datetime) -> bool:
        """Whether a password fits its hash; as slow when there is no hash at all."""
        digest = self._digest(known or "", password)
        if digest in self._wrong_ahead:
            self._wrong_ahead.discard(digest)
            return False
        if self._right.get(digest, datetime.min.replace(tzinfo=now.tzinfo)) > now:
            return True
        try:
            with self._turns:
                self._hasher.verify(known or self._decoy, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        if known is None:
            return False
        self._right[digest] = now + self._remember
        while len(self._right) > self._most:
            self._right.popitem(last=False)
        return True

    def verify_ahead(self, known: str | None, password: str, now: datetime) -> bool:
        """The same; the next `verify` of the pair takes no time, whatever the answer was."""
        is_right = self.verify(known, password, now)
        if not is_right:
            if len(self._wrong_ahead) >= self._most:
                self._wrong_ahead.clear()
            self._wrong_ahead.add(self._digest(known or "", password))
        return is_right

    def _digest(self, known: str, password: str) -> bytes:
        return hmac.new(self._key, _bytes(f"{known}\0{password}"), hashlib.sha256).digest()


def _decoy() -> str:
    """A hash that no password has, as slow to find out as any; made without Argon2's work."""
    salt, digest = (base64.b64encode(secrets.token_bytes(n)).decode("ascii") for n in (16, 32))
    salt, digest = salt.rstrip("="), digest.rstrip("=")
    return f"$argon2id$v=19$m={_KIB},t={_TIMES},p=1${salt}${digest}"


def _bytes(text: str) -> bytes:
    # A letter's text may hold half of a surrogate pair, which is no reason to fail.
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Guard:
    """What authentication is allowed to do.

    Attributes:
        max_failures: Wrong passwords before a pair of code and address is locked.
        lockout: For how long at first; it doubles with every further failure.
        require_known_address: Only the addresses an entity lists may hand in.
        trusted_authserv_id: Whose Authentication-Results are believed; '' for nobody's.
    """

    passwords: Passwords = field(default_factory=Passwords)
    max_failures: int = 5
    lockout: timedelta = timedelta(minutes=15)
    require_known_address: bool = False
    trusted_authserv_id: str = ""

    def disbelieves(self, letter: Letter) -> bool:
        """Whether the From of a letter is found to be another's, who is then a stranger."""
        return is_disproved(letter, self.trusted_authserv_id)

    def counted_as(self, letter: Letter) -> str:
        """The address that a letter's failures are counted for; a forger's is like no other."""
        return f"{letter.sender} (forged)" if self.disbelieves(letter) else letter.sender


def authenticate(
    letter: Letter, parsed: Sequence[Parsed], store: Store, now: datetime, guard: Guard
) -> LegalEntity | Finding:
    """The legal entity that a letter proves to be from, or the finding why not.

    Every failure costs the same: as many verifications as the letter has password
    candidates and at least one, against a decoy where there is nothing to fit.
    Failures are counted for the entity, by whatever code or number it was named.
    A letter whose From is another's counts for a stranger of its own, so that it
    can neither lock nor open anything for the address that it claims.
    """
    codes = _codes(letter, parsed)
    passwords = _passwords(letter, parsed)
    if len(codes) > 1:
        _is_proven(None, passwords, guard, now)
        return finding(Code.CREDENTIALS_CONFLICT, seen=", ".join(codes))
    names = codes or _inns(parsed)
    if not passwords or not names:
        _is_proven(None, passwords, guard, now)
        return finding(Code.CREDENTIALS_MISSING)
    entity = _entity(codes, parsed, store)
    named = entity.user_code if entity else names[0]
    address = guard.counted_as(letter)
    is_locked = store.senders.locked_until(named, address, now) is not None
    proven = _is_proven(None if is_locked else entity, passwords, guard, now)
    if entity is None or not proven:
        if is_locked:
            return finding(Code.SENDER_LOCKED, seen=named)
        store.senders.failed(named, address, now, guard.max_failures, guard.lockout)
        return finding(Code.CREDENTIALS_WRONG, seen=named)
    if address == letter.sender:
        store.senders.succeeded(named, address, now)
    if guard.require_known_address and address.lower() not in entity.addresses:
        return finding(Code.ADDRESS_NOT_ALLOWED, seen=letter.sender)
    return entity


def candidates_of(letter: Letter, parsed: Sequence[Parsed]) -> tuple[str, list[str]]:
    """Who a letter says it is from, and the passwords to try; '' when it is not clear who."""
    codes = _codes(letter, parsed)
    names = codes or _inns(parsed)
    return (names[0] if names and len(codes) <= 1 else ""), _passwords(letter, parsed)


def claimed_entity(
    letter: Letter, parsed: Sequence[Parsed], store: Store, now: datetime, guard: Guard
) -> LegalEntity | None:
    """The entity that a letter says it is from, proven or not; None for a locked sender.

    The letter must name somebody: see `candidates_of`.
    """
    codes = _codes(letter, parsed)
    entity = _entity(codes, parsed, store)
    named = entity.user_code if entity else (codes or _inns(parsed))[0]
    is_locked = store.senders.locked_until(named, guard.counted_as(letter), now) is not None
    return None if is_locked else entity


def _codes(letter: Letter, parsed: Sequence[Parsed]) -> list[str]:
    """The sender's user code; two when documents and letter contradict one another.

    Of several documents the one that agrees with the letter counts; the others
    then have another sender, which is a finding of theirs.
    """
    written = [c.user_code for c in letter.credentials if c.user_code]
    inside = _unique(document.header.sender_code for document in parsed)
    if not written or not inside:
        return (inside or written)[:1]
    if any(code.lstrip("0") == written[0].lstrip("0") for code in inside):
        return written[:1]
    return [inside[0], written[0]]


def _passwords(letter: Letter, parsed: Sequence[Parsed]) -> list[str]:
    """Password candidates: the documents', then the body's, then the subject's."""
    inside = [
        form
        for document in parsed
        if document.header.password
        for form in candidates(document.header.password)
    ]
    written = [credential.password for credential in letter.credentials]
    return _unique([*inside, *written])[:MOST_PASSWORDS]


def _inns(parsed: Sequence[Parsed]) -> list[str]:
    return _unique(document.header.sender_inn for document in parsed)


def _unique(items: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(item for item in items if item))


def _entity(codes: list[str], parsed: Sequence[Parsed], store: Store) -> LegalEntity | None:
    if codes:
        found = store.registry.entity(codes[0]) or store.registry.entity_without_zeros(codes[0])
        return found if found and found.active else None
    with_inn = store.registry.entities_by_inn(_inns(parsed)[0])
    return with_inn[0] if len(with_inn) == 1 else None


def _is_proven(
    entity: LegalEntity | None, passwords: list[str], guard: Guard, now: datetime
) -> bool:
    """Whether one of the passwords is the entity's; never, and as slowly, without one."""
    known = entity.password_hash if entity else None
    return any(guard.passwords.verify(known, item, now) for item in passwords or [""])
