"""Password hashes: made, and verified in the same time whether there is one or not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The OWASP profile; the library's default costs five times as much.
_TIMES, _KIB = 2, 19456


class Passwords:
    """Argon2id hashes, and a cache of the pairs that were right.

    The cache holds keyed digests only, never leaves the process, and drops an entry
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
        self._slots = BoundedSemaphore(at_once)
        self._decoy = _decoy()
        self._key = secrets.token_bytes(32)
        self._remember = remember
        self._most = most
        self._right: OrderedDict[bytes, datetime] = OrderedDict()

    def hash(self, password: str) -> str:
        """The Argon2id hash to keep for a password."""
        with self._slots:
            return self._hasher.hash(_bytes(password))

    def verify(self, known: str | None, password: str, now: datetime) -> bool:
        """Whether a password fits its hash; as slow when there is no hash at all."""
        digest = self._digest(known or "", password)
        if self._right.get(digest, datetime.min.replace(tzinfo=now.tzinfo)) > now:
            return True
        try:
            with self._slots:
                self._hasher.verify(known or self._decoy, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        if known is None:
            return False
        self._right[digest] = now + self._remember
        while len(self._right) > self._most:
            self._right.popitem(last=False)
        return True

    def is_outdated(self, known: str) -> bool:
        """Whether a hash that a password fits was made with another profile than today's."""
        return self._hasher.check_needs_rehash(known)

    def _digest(self, known: str, password: str) -> bytes:
        return hmac.new(self._key, _bytes(f"{known}\0{password}"), hashlib.sha256).digest()


def _decoy() -> str:
    """A random hash that no password has, as slow to verify as any; made without Argon2's work."""
    salt, digest = (base64.b64encode(secrets.token_bytes(n)).decode("ascii") for n in (16, 32))
    salt, digest = salt.rstrip("="), digest.rstrip("=")
    return f"$argon2id$v=19$m={_KIB},t={_TIMES},p=1${salt}${digest}"


def _bytes(text: str) -> bytes:
    # A letter's text may hold half of a surrogate pair, which is no reason to fail.
    return text.encode("utf-8", "surrogatepass")
