"""User code and password to a legal entity, in the same time whatever is wrong.

First `prove`, which is slow and has no transaction open; what it found is a value.
Then `authenticate`, inside the transaction that records: it decides, and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.intake.foreseen import NOTHING, Foreseen
from ingest.intake.passwords import Passwords
from ingest.intake.ports import Ledger, Store
from ingest.intake.provenance import Provenance, provenance
from ingest.letters.credentials import candidates
from ingest.letters.terms import Letter, Read
from layouts.document import Parsed
from layouts.findings import Code, Finding, finding
from layouts.points import LegalEntity
from storage.records.billing import Entry

MOST_PASSWORDS = 6
"""How many password candidates of one letter are tried; a letter with more guesses."""

_RECENT_FOR = timedelta(minutes=5)
"""How long a sender who was proven is not looked up again; `Passwords` caches for longer."""

_RECENT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Claims:
    """Who an arrival says it is from.

    Attributes:
        codes: User codes; two when documents and letter contradict one another.
        inns: Taxpayer numbers in its documents, which count where no code is given.
        passwords: Candidates, the likeliest first.
    """

    codes: tuple[str, ...] = ()
    inns: tuple[str, ...] = ()
    passwords: tuple[str, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """The code or number of the one who is claimed; '' when it is nobody, or two."""
        return next(iter(self.codes or self.inns), "") if len(self.codes) < 2 else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an arrival comes from; wrong passwords and locks are kept for it.

    Attributes:
        address: The address in From, as claimed.
        is_forged: Whether our mail server found it to be another's. Its failures are then
            counted apart, and neither lock nor unlock the address itself.
    """

    address: str
    is_forged: bool = False

    @property
    def counted_as(self) -> str:
        """The name under which the database counts."""
        return f"{self.address} (forged)" if self.is_forged else self.address


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of verifying the claimed passwords; `authenticate` decides by it.

    Attributes:
        against: The hash that they were tried against; None for a decoy, where nobody
            is claimed, where the one claimed is unknown, and where the origin is locked.
        is_right: Whether one of them fits.
        renewed: The hash of the one that fits, where `against` has an older profile.
    """

    claims: Claims
    origin: Origin
    against: str | None = field(default=None, repr=False)
    is_right: bool = False
    renewed: str | None = field(default=None, repr=False)

    @property
    def refusal(self) -> Finding:
        """Why it proves nobody, as far as that can be told without the database."""
        claims = self.claims
        if len(claims.codes) > 1:
            codes = [code for code in claims.codes if code not in claims.passwords]
            return finding(Code.CREDENTIALS_CONFLICT, seen=", ".join(codes))
        if not claims.passwords or not claims.name:
            return finding(Code.CREDENTIALS_MISSING)
        return finding(Code.CREDENTIALS_WRONG, seen=claims.name)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Whose user code and password an arrival has.

    Attributes:
        known: The addresses that the register lists for the entity, and those that
            authenticated with its code before this arrival, in lower case.
        refused: Why it may hand in nothing all the same; None when it may.
    """

    entity: LegalEntity
    known: frozenset[str]
    refused: Finding | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """An entity that is signed in, which takes the place of a proof.

    Attributes:
        user_code: The legal entity's.
        entry: The operator who hands in on its behalf, and why; None: the entity itself.
        overrides: Codes that the operator decides against.
    """

    user_code: str
    entry: Entry | None = None
    overrides: frozenset[Code] = frozenset()


class NoSuchEntity(ValueError):  # noqa: N818 - its name is what it is
    """The register has no such user code, or it is switched off."""


UNPROVEN = Proof(Claims(), Origin(""))
"""The proof of an arrival that is not recorded: nothing is verified."""


class ProofOutdated(Exception):  # noqa: N818 - a state of the proof
    """What a proof was made against has changed since; it must be made again."""


class MustWait(Exception):  # noqa: N818 - a state of the user code
    """A user code was guessed at too often; the letter is tried again later, not refused.

    Attributes:
        user_code: That was guessed at.
        until: When there is room for another guess.
    """

    def __init__(self, user_code: str, until: datetime) -> None:
        super().__init__("too many wrong passwords for this user code")
        self.user_code = user_code
        self.until = until


@dataclass(frozen=True, slots=True)
class Guard:
    """How senders are authenticated, and the bounds of guessing.

    Attributes:
        max_failures: Wrong passwords before a pair of code and address is locked.
        lockout: For how long at first; it doubles with every further failure.
        guesses_per_hour: Wrong passwords for a user code by all strangers together, and by
            each address that authenticated with it or is listed; beyond, letters wait.
        require_known_address: Only the addresses an entity lists may hand in.
        trusted_authserv_id: Whose Authentication-Results are believed; '' for nobody's.
    """

    passwords: Passwords = field(default_factory=Passwords)
    max_failures: int = 5
    lockout: timedelta = timedelta(minutes=15)
    guesses_per_hour: int = 20
    require_known_address: bool = False
    trusted_authserv_id: str = ""

    def origin_of(self, letter: Letter) -> Origin:
        """Where a letter comes from, and whether its From is found to be another's."""
        return Origin(letter.sender, self.provenance_of(letter) is Provenance.FAILED)

    def provenance_of(self, letter: Letter) -> Provenance:
        """What our own mail server says of a letter's From."""
        return provenance(letter, self.trusted_authserv_id)


class Prover:
    """Verifies passwords; several threads may call it.

    Args:
        ledger: Who is claimed is looked up in it.
        guard: Has the hashing of passwords.
        clock: Now, aware.
    """

    def __init__(self, ledger: Ledger[Store], guard: Guard, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._guard = guard
        self._clock = clock
        self._recent: dict[tuple[str, str], tuple[datetime, str]] = {}

    def prove(self, claims: Claims, origin: Origin, *, afresh: bool = False) -> Proof:
        """Whether one of the passwords is that of the entity claimed.

        Every failure costs the same: as many verifications as there are candidates and
        at least one, against a decoy where there is nothing to fit.

        Args:
            claims: Who, and with which passwords.
            origin: Whose lock holds.
            afresh: Look the entity up, though it was proven from there just now.

        Raises:
            StoreUnavailable: the database is away.
        """
        now = self._clock()
        known = None
        if claims.name and claims.passwords:
            key = claims.name, origin.counted_as
            until, known = self._recent.get(key, (now, None)) if not afresh else (now, None)
            if until <= now:
                known = self._known(claims, origin, now)
        passwords, tried = self._guard.passwords, claims.passwords or ("",)
        right = next((item for item in tried if passwords.verify(known, item, now)), None)
        if known is None or right is None:
            return Proof(claims, origin, known)
        if passwords.is_outdated(known):
            return Proof(claims, origin, known, is_right=True, renewed=passwords.hash(right))
        if len(self._recent) >= _RECENT_MOST:
            self._recent.clear()
        self._recent[claims.name, origin.counted_as] = now + _RECENT_FOR, known
        return Proof(claims, origin, known, is_right=True)

    def _known(self, claims: Claims, origin: Origin, now: datetime) -> str | None:
        """The hash to try the passwords against; None for an unknown entity or a locked origin."""
        with self._ledger.reading() as store:
            entity = entity_claimed(claims, store)
            if entity is None:
                return None
            named = entity.user_code
            is_listed = _is_listed(origin, entity)
            until = store.senders.locked_until(named, origin.counted_as, now, is_listed=is_listed)
            return entity.password_hash if until is None else None


def authenticate(
    proof: Proof, store: Store, now: datetime, guard: Guard, foreseen: Foreseen = NOTHING
) -> Authenticated | Finding:
    """The legal entity that a proof holds for, or the finding why there is none.

    Failures are counted for the entity, by whatever code or number it was named.

    Args:
        proof: What was proven before the transaction.
        store: Of the transaction in hand.
        now: The moment of it, aware.
        guard: The bounds of guessing.
        foreseen: Who is claimed, if that was looked up before.

    Raises:
        ProofOutdated: the password, or the lock, is not what it was at the proof.
        MustWait: the user code was guessed at too often.
    """
    claims, origin = proof.claims, proof.origin
    if not claims.passwords or not claims.name:
        return proof.refusal
    entity = foreseen.result("entity", store, lambda: entity_claimed(claims, store))
    named = entity.user_code if entity else claims.name
    whose, is_listed = origin.counted_as, _is_listed(origin, entity)
    if store.senders.locked_until(named, whose, now, is_listed=is_listed) is not None:
        return finding(Code.SENDER_LOCKED, seen=named)
    until = store.senders.waits_until(
        named, whose, now, guard.guesses_per_hour, is_listed=is_listed
    )
    if until is not None:
        raise MustWait(named, until)
    if proof.against != (entity.password_hash if entity else None):
        raise ProofOutdated
    if entity is None or not proof.is_right:
        store.senders.failed(
            named, whose, now, guard.max_failures, guard.lockout, is_listed=is_listed
        )
        return finding(Code.CREDENTIALS_WRONG, seen=named)
    known = frozenset((*entity.addresses, *store.senders.known_with(named)))
    if not origin.is_forged:
        store.senders.succeeded(named, origin.address, now)
    if proof.renewed is not None and proof.against is not None:
        store.registry.renew_hash(named, proof.against, proof.renewed)
    refused = None
    if guard.require_known_address and not is_listed:
        refused = finding(Code.ADDRESS_NOT_ALLOWED, seen=origin.address)
    return Authenticated(entity, known, refused)


def _is_listed(origin: Origin, entity: LegalEntity | None) -> bool:
    """Whether an arrival comes from an address that the register lists for the entity."""
    return entity is not None and origin.counted_as.lower() in entity.addresses


def entity_of(session: Session, store: Store) -> LegalEntity:
    """The legal entity that a session is of.

    Raises:
        NoSuchEntity: there is none, or not any more.
    """
    entity = store.registry.entity(session.user_code)
    if entity is None:
        raise NoSuchEntity(f"{session.user_code}: the register has no such user code")
    if not entity.active:
        raise NoSuchEntity(f"{session.user_code}: this legal entity is switched off")
    return entity


def why_not(why: Finding, claims: Claims, store: Store) -> str:
    """Why a sender was not proven, as operators may know and senders must not."""
    if why.code is not Code.CREDENTIALS_WRONG:
        return _TRUTHS.get(why.code, "")
    found = _named(claims, store)
    if found is None:
        return "no such user code"
    if not found.active:
        return "switched off"
    return "wrong password" if found.password_hash else "has no password yet"


_TRUTHS = {
    Code.SENDER_LOCKED: "locked after wrong passwords",
    Code.CREDENTIALS_MISSING: "no user code or no password",
    Code.CREDENTIALS_CONFLICT: "two user codes",
    Code.ADDRESS_NOT_ALLOWED: "right password, address not listed",
}


def claims_of(read: Read) -> Claims:
    """Who a letter and its documents say it is from, and the passwords to try."""
    letter, parsed = read.letter, read.parsed
    return Claims(_codes(letter, parsed), _inns(parsed), _passwords(letter, parsed))


def _codes(letter: Letter, parsed: Sequence[Parsed]) -> tuple[str, ...]:
    """The sender's user code; two when documents and letter contradict one another.

    Of several documents the one that agrees with the letter counts; the others
    then have another sender, which is a finding of theirs.
    """
    written = [c.user_code for c in letter.credentials if c.user_code]
    inside = _unique(document.header.sender_code for document in parsed)
    # Else it may be the password, written into the wrong field.
    inside = [code for code in inside if code.isdecimal()]
    if not written or not inside:
        return tuple((inside or written)[:1])
    if any(code.lstrip("0") == written[0].lstrip("0") for code in inside):
        return (written[0],)
    return (inside[0], written[0])


def _passwords(letter: Letter, parsed: Sequence[Parsed]) -> tuple[str, ...]:
    """Password candidates: the documents', then the body's, then the subject's."""
    inside = [
        form
        for document in parsed
        if document.header.password
        for form in candidates(document.header.password)
    ]
    written = [credential.password for credential in letter.credentials]
    return tuple(_unique([*inside, *written])[:MOST_PASSWORDS])


def _inns(parsed: Sequence[Parsed]) -> tuple[str, ...]:
    inns = _unique(document.header.sender_inn for document in parsed)
    return tuple(inn for inn in inns if inn.isdecimal())


def _unique(items: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(item for item in items if item))


def entity_claimed(claims: Claims, store: Store) -> LegalEntity | None:
    """The active entity that is claimed: by its code, or by its number where only one has it."""
    found = _named(claims, store)
    return found if found and found.active else None


def _named(claims: Claims, store: Store) -> LegalEntity | None:
    """The entity that is claimed, also one that is switched off."""
    if claims.codes:
        code = claims.codes[0]
        return store.registry.entity(code) or store.registry.entity_without_zeros(code)
    with_inn = store.registry.entities_by_inn(claims.inns[0])
    return with_inn[0] if len(with_inn) == 1 else None
