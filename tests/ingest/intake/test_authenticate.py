"""Who a letter is from: proven by user code and password, or not at all.

Time is never measured: what costs it, an Argon2 verification, is counted.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock

import pytest
from argon2 import PasswordHasher, extract_parameters

from ingest.intake.authenticate import (
    MOST_PASSWORDS,
    Guard,
    Origin,
    ProofOutdated,
    Prover,
    authenticate,
    claims_of,
)
from ingest.intake.passwords import Passwords
from ingest.letters.terms import Credential, Letter, Read, Source
from ingest.replies.answers import refusal
from ingest.replies.message import ReplySettings
from layouts.document import Header, Parsed
from layouts.findings import Code, Finding
from layouts.points import LegalEntity
from tests.registering import register

NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
CODE, PASSWORD = "200000001234", "Zima-2026"
OTHER = "000000004711"
ADDRESS = "buh@primer.example"


class CountingHasher:
    """Counts verifications; as cheap as they come."""

    def __init__(self):
        self.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = []

    def hash(self, password):
        return self.hasher.hash(password)

    def verify(self, known, password):
        self.verified.append(known)
        return self.hasher.verify(known, password)

    def check_needs_rehash(self, known):
        return self.hasher.check_needs_rehash(known)


class CountingPasswords(Passwords):
    """Passwords whose Argon2 verifications can be counted."""

    def __init__(self, **more):
        super().__init__(**more)
        self._hasher = CountingHasher()
        self._decoy = self._hasher.hash("nobody has this")

    @property
    def verifications(self):
        return len(self._hasher.verified)

    def costing(self, work):
        before = self.verifications
        result = work()
        return result, self.verifications - before


@pytest.fixture
def passwords():
    return CountingPasswords()


@pytest.fixture
def guard(passwords):
    return Guard(passwords, max_failures=3, lockout=timedelta(minutes=10))


@pytest.fixture
def store(ledger, passwords):
    """Two entities with a password, one without, one switched off; rolled back."""
    entities = [
        LegalEntity(CODE, "ООО «Пример»", "3300000001", (ADDRESS,)),
        LegalEntity(OTHER, "ИП Соколова", "330000000003"),
        LegalEntity("200000000999", "Новый", "3300000009"),
        LegalEntity("200000000888", "Ушедший", "3300000008", active=False),
        LegalEntity("300000000001", "Один", "3300000005"),
        LegalEntity("300000000002", "Два", "3300000005"),
    ]
    hashed = {CODE: PASSWORD, OTHER: "Пароль№5", "200000000888": PASSWORD}
    with ledger.reading() as store:
        register(
            store.registry,
            [
                replace(
                    entity,
                    password_hash=passwords.hash(hashed[entity.user_code])
                    if entity.user_code in hashed
                    else None,
                )
                for entity in entities
            ],
            "operator",
            NOW,
        )
        yield store


class Looking:
    """Looks with the transaction that a test has open; counts how often."""

    def __init__(self, store):
        self.store = store
        self.looked = 0

    @contextmanager
    def reading(self):
        self.looked += 1
        yield self.store


@dataclass
class Sender:
    """Writes letters and hands them in."""

    store: object
    guard: Guard
    address: str = ADDRESS
    now: datetime = NOW
    documents: tuple = field(default=())

    def tries(self, code=None, password=None, *more, **about):
        written = [Credential(Source.BODY, code, password), *more]
        letter = Letter(
            sha256="0" * 64,
            size=100,
            sender=about.get("address", self.address),
            reply_to=about.get("address", self.address),
            headers=about.get("headers", {}),
            credentials=tuple(c for c in written if c.user_code or c.password),
        )
        now = about.get("now", self.now)
        claims = claims_of(Read(letter, tuple(about.get("documents", self.documents))))
        prover = Prover(Looking(self.store), self.guard, lambda: now)
        proof = prover.prove(claims, self.guard.origin_of(letter))
        found = authenticate(proof, self.store, now, self.guard)
        return found if isinstance(found, Finding) else found.refused or found.entity


@pytest.fixture
def sender(store, guard):
    return Sender(store, guard)


def document(code=None, password=None, inn=None):
    header = Header(sender_code=code, sender_inn=inn, password=password)
    return Parsed(name="z.xml", sha256="1" * 64, size=10, header=header)


def why(result):
    return result if isinstance(result, LegalEntity) else result.code


def test_the_right_pair_proves_the_entity(sender):
    assert sender.tries(CODE, PASSWORD).user_code == CODE


@pytest.mark.parametrize(
    "documents",
    [
        (document(CODE, PASSWORD),),
        (document(), document(CODE, PASSWORD)),
    ],
)
def test_the_pair_may_stand_in_a_document(sender, documents):
    assert sender.tries(documents=documents).user_code == CODE


def test_the_code_may_stand_in_the_document_and_the_password_in_the_letter(sender):
    assert sender.tries(None, PASSWORD, documents=(document(CODE),)).user_code == CODE
    assert sender.tries(CODE, documents=(document(None, PASSWORD),)).user_code == CODE


def test_every_candidate_counts_up_to_a_bound(sender, passwords):
    def candidates(*words):
        return [Credential(Source.BODY, None, word) for word in words]

    wrong = [f"wrong {n}" for n in range(MOST_PASSWORDS - 1)]
    assert sender.tries(CODE, None, *candidates(*wrong, PASSWORD)).user_code == CODE
    told, cost = passwords.costing(
        lambda: sender.tries(CODE, None, *candidates("another", *wrong, PASSWORD))
    )
    assert told.code is Code.CREDENTIALS_WRONG
    assert cost == MOST_PASSWORDS


@pytest.mark.parametrize(
    ("code", "password", "expected"),
    [
        (CODE, "wrong", Code.CREDENTIALS_WRONG),
        ("200000009999", PASSWORD, Code.CREDENTIALS_WRONG),
        ("200000000999", PASSWORD, Code.CREDENTIALS_WRONG),
        ("200000000888", PASSWORD, Code.CREDENTIALS_WRONG),
        (CODE, None, Code.CREDENTIALS_MISSING),
        (None, PASSWORD, Code.CREDENTIALS_MISSING),
        (None, None, Code.CREDENTIALS_MISSING),
    ],
    ids=["wrong", "unknown", "no password yet", "switched off", "no password", "no code", "none"],
)
def test_every_failure_costs_one_verification(sender, passwords, code, password, expected):
    told, cost = passwords.costing(lambda: sender.tries(code, password))
    assert told.code is expected
    assert cost == 1


def failures(sender):
    """Every way to fail, each with a number of password candidates."""
    locked = "locked@elsewhere.example"
    for _ in range(3):
        sender.tries(CODE, "wrong", address=locked)
    return {
        "wrong": lambda *more: sender.tries(CODE, "wrong", *more),
        "unknown code": lambda *more: sender.tries("200000009999", PASSWORD, *more),
        "no password yet": lambda *more: sender.tries("200000000999", PASSWORD, *more),
        "switched off": lambda *more: sender.tries("200000000888", PASSWORD, *more),
        "no code": lambda *more: sender.tries(None, PASSWORD, *more),
        "locked": lambda *more: sender.tries(CODE, PASSWORD, *more, address=locked),
        "conflict": lambda *more: sender.tries(CODE, "x", *more, documents=(document(OTHER),)),
        "number of two": lambda *more: sender.tries(
            None, PASSWORD, *more, documents=(document(inn="3300000005"),)
        ),
    }


def test_the_work_of_every_failure_has_the_same_distribution(sender, passwords):
    ways, spent = failures(sender), {}
    # Nobody but the one who is locked already.
    sender.guard = replace(sender.guard, max_failures=1000)
    for name, tried in ways.items():
        work = []
        for candidates in range(1, MOST_PASSWORDS + 3):
            more = [Credential(Source.BODY, None, f"wrong {n}") for n in range(1, candidates)]
            told, cost = passwords.costing(lambda tried=tried, more=more: tried(*more))
            assert not isinstance(told, LegalEntity)
            work.append(cost)
        spent[name] = work
    expected = [min(n, MOST_PASSWORDS) for n in range(1, MOST_PASSWORDS + 3)]
    assert spent == dict.fromkeys(ways, expected)


def test_what_nobody_has_as_password_is_as_slow_to_find_out_as_any_password():
    passwords = Passwords()
    decoy, real = (extract_parameters(one) for one in (passwords._decoy, passwords.hash(PASSWORD)))
    assert decoy == real
    assert not passwords.verify(None, PASSWORD, NOW)
    assert Passwords()._decoy != passwords._decoy


class OneInHand:
    """A hasher in which two must meet before either goes on; tells how many were in it."""

    def __init__(self, meeting):
        self.meeting = Barrier(meeting)
        self.lock = Lock()
        self.inside = self.most = 0

    def verify(self, known, password):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.meeting.wait(10)
        with self.lock:
            self.inside -= 1
        return True


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_verifications_run_side_by_side_than_there_is_memory_for(at_once):
    passwords = Passwords(at_once=at_once)
    passwords._hasher = OneInHand(at_once)
    with ThreadPoolExecutor(8) as pool:
        told = pool.map(lambda n: passwords.verify("hash", f"{n}", NOW), range(16))
        assert all(told)
    assert passwords._hasher.most == at_once


def test_a_verification_that_fails_gives_its_place_back():
    passwords = CountingPasswords(at_once=1)
    for _ in range(3):
        assert not passwords.verify("plain text", "wrong", NOW)
        assert not passwords.verify(None, "wrong", NOW)


def test_a_locked_pair_costs_as_much_with_the_right_password_as_with_a_wrong_one(sender, passwords):
    for _ in range(3):
        sender.tries(CODE, "wrong")
    for password in (PASSWORD, "wrong"):
        told, cost = passwords.costing(lambda given=password: sender.tries(CODE, given))
        assert told.code is Code.SENDER_LOCKED
        assert cost == 1


def test_a_conflict_costs_as_much_as_any_failure(sender, passwords):
    told, cost = passwords.costing(
        lambda: sender.tries(CODE, PASSWORD, documents=(document(OTHER),))
    )
    assert told.code is Code.CREDENTIALS_CONFLICT
    assert cost == 1


def test_two_candidates_cost_two_whoever_is_named(sender, passwords):
    second = Credential(Source.SUBJECT, None, "wrong too")
    for code in (CODE, "200000009999"):
        _, cost = passwords.costing(lambda named=code: sender.tries(named, "wrong", second))
        assert cost == 2


def test_missing_wrong_unknown_and_locked_are_told_in_the_same_words(sender):
    findings = [
        sender.tries(CODE, None),
        sender.tries(CODE, "wrong"),
        sender.tries("200000009999", "wrong"),
        sender.tries("200000000888", PASSWORD),
    ]
    for _ in range(3):
        sender.tries(CODE, "wrong")
    findings.append(sender.tries(CODE, PASSWORD))
    assert len({found.code for found in findings}) == 3
    letter = Letter(sha256="0" * 64, size=1, sender=ADDRESS, reply_to=ADDRESS)
    settings = ReplySettings(sender="meters@retailer.example", key=b"k" * 32)
    told = {refusal(letter, (found,), NOW, settings, letter_number=1).content for found in findings}
    assert len(told) == 1


def test_codes_of_document_and_letter_that_differ_are_a_conflict(sender):
    told = sender.tries(CODE, PASSWORD, documents=(document(OTHER),))
    assert told.code is Code.CREDENTIALS_CONFLICT
    assert told.seen == f"{OTHER}, {CODE}"


def test_of_several_documents_the_one_that_agrees_with_the_letter_counts(sender):
    documents = (document(OTHER), document(CODE))
    assert sender.tries(CODE, PASSWORD, documents=documents).user_code == CODE


def test_of_several_documents_the_first_counts_when_the_letter_names_nobody(sender):
    documents = (document(OTHER), document(CODE))
    assert sender.tries(None, "Пароль№5", documents=documents).user_code == OTHER
    assert why(sender.tries(None, PASSWORD, documents=documents)) is Code.CREDENTIALS_WRONG


@pytest.mark.parametrize("written", ["4711", "04711"])
def test_a_code_that_lost_its_leading_zeros_is_found(sender, written):
    assert sender.tries(written, "Пароль№5").user_code == OTHER
    assert sender.tries(None, "Пароль№5", documents=(document(written),)).user_code == OTHER


def test_a_code_without_its_zeros_in_one_place_is_no_conflict(sender):
    for inside, written in ((OTHER, "4711"), ("4711", OTHER)):
        told = sender.tries(written, "Пароль№5", documents=(document(inside),))
        assert told.user_code == OTHER


def test_without_a_code_a_taxpayer_number_that_one_entity_has_counts(sender):
    assert sender.tries(None, PASSWORD, documents=(document(inn="3300000001"),)).user_code == CODE
    for inn in ("3300000005", "3300000007"):
        told = sender.tries(None, PASSWORD, documents=(document(inn=inn),))
        assert told.code is Code.CREDENTIALS_WRONG


def test_a_code_goes_before_a_taxpayer_number(sender):
    told = sender.tries(CODE, PASSWORD, documents=(document(inn="330000000003"),))
    assert told.user_code == CODE


def test_the_pair_of_code_and_address_is_locked_after_so_many_failures(sender):
    told = [why(sender.tries(CODE, "wrong")) for _ in range(4)]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]
    assert why(sender.tries(CODE, PASSWORD)) is Code.SENDER_LOCKED
    assert sender.tries(CODE, PASSWORD, address="buh@other.example").user_code == CODE
    assert sender.tries(OTHER, "Пароль№5").user_code == OTHER


def test_strangers_of_a_domain_lock_their_domain_and_nobody_who_is_known(sender):
    big = "@mail.example"
    assert sender.tries(CODE, PASSWORD, address=f"known{big}").user_code == CODE
    told = [why(sender.tries(CODE, "wrong", address=f"stranger{n}{big}")) for n in range(4)]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]
    assert why(sender.tries(CODE, PASSWORD, address=f"new{big}")) is Code.SENDER_LOCKED
    assert sender.tries(CODE, PASSWORD, address=f"known{big}").user_code == CODE
    assert sender.tries(CODE, PASSWORD, address="new@elsewhere.example").user_code == CODE
    # The domain is locked for that code only.
    assert sender.tries(OTHER, "Пароль№5", address=f"new{big}").user_code == OTHER


def test_whoever_is_known_is_locked_by_failures_of_its_own(sender):
    assert sender.tries(CODE, PASSWORD).user_code == CODE
    told = [why(sender.tries(CODE, "wrong")) for _ in range(4)]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]
    assert sender.tries(CODE, PASSWORD, address="zam@primer.example").user_code == CODE


def test_unknown_codes_lock_a_domain_like_known_ones(sender):
    told = [
        why(sender.tries("200000009999", "wrong", address=f"{n}@mail.example")) for n in range(4)
    ]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]


FORGED = {"authentication-results": ("mx.ours.example; dmarc=fail",)}


@pytest.fixture
def believing(sender):
    """A sender whose letters pass a server that is believed."""
    sender.guard = replace(sender.guard, trusted_authserv_id="mx.ours.example")
    return sender


def test_a_forged_from_locks_nobody_but_forgers(believing):
    assert believing.tries(CODE, PASSWORD).user_code == CODE
    told = [why(believing.tries(CODE, "wrong", headers=FORGED)) for _ in range(4)]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]
    assert why(believing.tries(CODE, PASSWORD, headers=FORGED)) is Code.SENDER_LOCKED
    assert believing.tries(CODE, PASSWORD).user_code == CODE
    assert believing.tries(CODE, PASSWORD, address="new@primer.example").user_code == CODE


def test_forgers_of_a_domain_are_counted_together(believing):
    for n in range(3):
        believing.tries(CODE, "wrong", address=f"{n}@mail.example", headers=FORGED)
    told = believing.tries(CODE, PASSWORD, address="3@mail.example", headers=FORGED)
    assert told.code is Code.SENDER_LOCKED


def test_a_forged_from_that_knows_the_password_makes_its_address_no_known_one(believing, store):
    assert believing.tries(CODE, PASSWORD, headers=FORGED).user_code == CODE
    assert not store.senders.has_authenticated(ADDRESS)
    assert believing.tries(CODE, PASSWORD).user_code == CODE
    assert store.senders.has_authenticated(ADDRESS)


def test_a_forged_from_is_on_nobodys_list(believing):
    believing.guard = replace(believing.guard, require_known_address=True)
    told = believing.tries(CODE, PASSWORD, headers=FORGED)
    assert told.code is Code.ADDRESS_NOT_ALLOWED
    assert believing.tries(CODE, PASSWORD).user_code == CODE


def test_every_further_failure_locks_for_twice_as_long(sender):
    for _ in range(3):
        sender.tries(CODE, "wrong")
    moment = NOW
    for minutes in (10, 20, 40):
        just_before = moment + timedelta(minutes=minutes, seconds=-1)
        assert why(sender.tries(CODE, PASSWORD, now=just_before)) is Code.SENDER_LOCKED
        moment += timedelta(minutes=minutes)
        assert why(sender.tries(CODE, "wrong", now=moment)) is Code.CREDENTIALS_WRONG
    moment += timedelta(minutes=80)
    assert sender.tries(CODE, PASSWORD, now=moment).user_code == CODE


def test_success_forgets_the_failures_before_it(sender):
    for _ in range(3):
        for _ in range(2):
            sender.tries(CODE, "wrong")
        assert sender.tries(CODE, PASSWORD).user_code == CODE


def test_an_unknown_code_is_locked_like_a_known_one(sender):
    told = [why(sender.tries("200000009999", "wrong")) for _ in range(4)]
    assert told[-1] is Code.SENDER_LOCKED


def test_guessing_goes_on_no_longer_when_the_entity_is_named_in_other_ways(sender):
    ways = [
        {"code": OTHER},
        {"code": "4711"},
        {"code": "04711"},
        {"documents": (document(inn="330000000003"),)},
    ]
    told = [
        why(sender.tries(way.get("code"), "wrong", documents=way.get("documents", ())))
        for way in ways
    ]
    assert told == [Code.CREDENTIALS_WRONG] * 3 + [Code.SENDER_LOCKED]


def test_only_listed_addresses_hand_in_when_that_is_asked_for(sender):
    sender.guard = replace(sender.guard, require_known_address=True)
    assert sender.tries(CODE, PASSWORD, address="BUH@primer.example").user_code == CODE
    told = sender.tries(CODE, PASSWORD, address="zam@primer.example")
    assert told.code is Code.ADDRESS_NOT_ALLOWED
    assert why(sender.tries(CODE, "wrong", address="zam@x.example")) is Code.CREDENTIALS_WRONG


def test_a_pair_that_was_right_is_verified_once_for_a_while(sender, passwords):
    for _ in range(3):
        assert sender.tries(CODE, PASSWORD).user_code == CODE
    assert passwords.verifications == 1
    later = NOW + timedelta(minutes=11)
    assert sender.tries(CODE, PASSWORD, now=later).user_code == CODE
    assert passwords.verifications == 2


def test_a_remembered_pair_is_forgotten_when_the_password_changes(sender, passwords, store):
    sender.tries(CODE, PASSWORD)
    store.registry.set_password(CODE, passwords.hash("Vesna-2027"), "operator", NOW)
    assert why(sender.tries(CODE, PASSWORD)) is Code.CREDENTIALS_WRONG
    assert sender.tries(CODE, "Vesna-2027").user_code == CODE


def test_a_password_is_remembered_for_one_entity_only(sender, passwords):
    sender.tries(CODE, PASSWORD)
    assert why(sender.tries(OTHER, PASSWORD)) is Code.CREDENTIALS_WRONG
    assert passwords.verifications == 2


def test_a_wrong_password_is_verified_each_time(sender, passwords):
    for _ in range(2):
        sender.tries(CODE, "wrong")
    assert passwords.verifications == 2


def test_the_memory_of_pairs_is_bounded():
    passwords = CountingPasswords(most=2)
    hashes = {word: passwords.hash(word) for word in ("a", "b", "c")}
    for word, known in hashes.items():
        assert passwords.verify(known, word, NOW)
    assert passwords.verify(hashes["c"], "c", NOW)
    assert passwords.verifications == 3
    assert passwords.verify(hashes["a"], "a", NOW)
    assert passwords.verifications == 4


def test_nothing_in_memory_holds_a_password(passwords):
    known = passwords.hash(PASSWORD)
    assert passwords.verify(known, PASSWORD, NOW)
    assert PASSWORD not in repr(vars(passwords))
    assert PASSWORD not in known


@pytest.mark.parametrize("password", ["", "\udc80", "\0", "х" * 100_000])
def test_any_text_can_be_tried(passwords, password):
    assert not passwords.verify(None, password, NOW)
    assert not passwords.verify(passwords.hash(PASSWORD), password, NOW)


def test_a_hash_that_is_none_fits_nothing(passwords):
    assert not passwords.verify("plain text", "plain text", NOW)


@pytest.mark.usefixtures("owasp_profile")
def test_passwords_are_kept_with_the_profile_that_owasp_names():
    assert Passwords().hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_no_repr_tells_a_password():
    credential = Credential(Source.BODY, CODE, PASSWORD)
    letter = Letter(sha256="0" * 64, size=1, credentials=(credential,))
    entity = LegalEntity(CODE, password_hash="$argon2id$secret")
    parsed = document(CODE, PASSWORD)
    for thing in (credential, letter, parsed, parsed.header):
        assert PASSWORD not in f"{thing!r}{thing}"
    assert "$argon2id" not in f"{entity!r}{entity}"


# A proof is a value: made once, decided on in the transaction that records.


@pytest.fixture
def looking(store):
    return Looking(store)


@pytest.fixture
def prover(looking, guard):
    return Prover(looking, guard, lambda: NOW)


def claims(code=CODE, password=PASSWORD):
    credentials = (Credential(Source.BODY, code, password),)
    return claims_of(Read(Letter(sha256="0" * 64, size=1, credentials=credentials)))


def test_deciding_on_a_proof_costs_no_verification(prover, store, guard, passwords):
    proof = prover.prove(claims(), Origin(ADDRESS))
    told, cost = passwords.costing(lambda: authenticate(proof, store, NOW, guard))
    assert (told.entity.user_code, cost) == (CODE, 0)


def test_a_hash_of_an_older_profile_is_renewed_by_the_right_password(prover, looking, store, guard):
    older = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    store.registry.set_password(CODE, older, "operator", NOW)
    wrong = prover.prove(claims(password="Leto-2026"), Origin(ADDRESS))
    authenticate(wrong, store, NOW, guard)
    assert store.registry.entity(CODE).password_hash == older

    right = prover.prove(claims(), Origin(ADDRESS))
    assert right.renewed not in repr(right)
    assert authenticate(right, store, NOW, guard).entity.user_code == CODE
    renewed = store.registry.entity(CODE).password_hash
    assert renewed == right.renewed
    assert not guard.passwords.is_outdated(renewed)
    # Whoever is proven from now on is proven by the new hash, and renews nothing.
    again = prover.prove(claims(), Origin(ADDRESS))
    assert (again.is_right, again.renewed, again.against) == (True, None, renewed)


def test_a_password_that_is_changed_meanwhile_is_not_changed_back_by_renewing(store, passwords):
    newer = passwords.hash("Vesna-2027")
    store.registry.set_password(CODE, newer, "operator", NOW)
    store.registry.renew_hash(CODE, "another", passwords.hash(PASSWORD))
    assert store.registry.entity(CODE).password_hash == newer


def test_a_proof_tells_no_password(prover):
    proof = prover.prove(claims(password="tell-nobody"), Origin(ADDRESS))
    assert "tell-nobody" not in repr(proof)
    assert "argon2" not in repr(proof)


def test_a_sender_proven_just_now_is_not_looked_up_and_a_stranger_always_is(prover, looking):
    for _ in range(3):
        prover.prove(claims(), Origin(ADDRESS))
    assert looking.looked == 1
    for _ in range(2):
        prover.prove(claims(), Origin("other@elsewhere.example"))
        prover.prove(claims(), Origin(ADDRESS, is_forged=True))
    assert looking.looked == 3
    prover.prove(claims(password="wrong"), Origin("third@elsewhere.example"))
    prover.prove(claims(password="wrong"), Origin("third@elsewhere.example"))
    assert looking.looked == 5


def test_a_password_that_was_changed_after_the_proof_is_proven_anew(
    prover, store, guard, passwords
):
    proof = prover.prove(claims(), Origin(ADDRESS))
    store.registry.set_password(CODE, passwords.hash("Leto-2027"), "operator", NOW)
    with pytest.raises(ProofOutdated):
        authenticate(proof, store, NOW, guard)
    again = prover.prove(claims(), Origin(ADDRESS), afresh=True)
    assert authenticate(again, store, NOW, guard).code is Code.CREDENTIALS_WRONG
    renewed = prover.prove(claims(password="Leto-2027"), Origin(ADDRESS), afresh=True)
    assert authenticate(renewed, store, NOW, guard).entity.user_code == CODE


def test_a_lock_that_came_after_the_proof_holds(prover, store, guard):
    proof = prover.prove(claims(), Origin(ADDRESS))
    wrong = prover.prove(claims(password="wrong"), Origin(ADDRESS))
    for _ in range(3):
        authenticate(wrong, store, NOW, guard)
    assert authenticate(proof, store, NOW, guard).code is Code.SENDER_LOCKED


def test_a_lock_that_ran_out_after_the_proof_makes_it_be_proven_anew(looking, store, guard):
    clock = [NOW]
    prover = Prover(looking, guard, lambda: clock[0])
    wrong = prover.prove(claims(password="wrong"), Origin(ADDRESS))
    for _ in range(3):
        authenticate(wrong, store, NOW, guard)
    locked = prover.prove(claims(), Origin(ADDRESS))
    later = clock[0] = NOW + timedelta(days=1)
    with pytest.raises(ProofOutdated):
        authenticate(locked, store, later, guard)
    again = prover.prove(claims(), Origin(ADDRESS), afresh=True)
    assert authenticate(again, store, later, guard).entity.user_code == CODE


def test_a_locked_sender_who_has_the_right_password_is_not_answered_faster_the_second_time(
    prover, store, guard, passwords
):
    wrong = prover.prove(claims(password="wrong"), Origin(ADDRESS))
    for _ in range(3):
        authenticate(wrong, store, NOW, guard)
    for _ in range(2):
        proof, cost = passwords.costing(lambda: prover.prove(claims(), Origin(ADDRESS)))
        assert cost == 1
        assert authenticate(proof, store, NOW, guard).code is Code.SENDER_LOCKED
