"""Passwords verified ahead: once for each letter, and nothing is decided by it."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from ingest.intake.authenticate import Guard, Passwords, authenticate
from ingest.intake.prover import Prover
from ingest.letters.terms import Credential, Letter, Read, Source
from layouts.findings import Code
from layouts.terms import LegalEntity

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CODE = "200000001234"


class Hasher:
    """Counts what is really verified."""

    def __init__(self, hasher):
        self._hasher = hasher
        self.verified = 0

    def verify(self, known, password):
        self.verified += 1
        return self._hasher.verify(known, password)


class Store:
    """One entity; nobody is locked unless a test says so."""

    locked = None

    def __init__(self, passwords):
        self.registry = self.senders = self
        self.known = LegalEntity(CODE, "ООО «Пример»", password_hash=passwords.hash("Zima-2026"))

    def entity(self, code):
        return self.known if code == CODE else None

    def entity_without_zeros(self, code):
        return None

    def locked_until(self, code, address, now):
        return self.locked

    def failed(self, *about):
        pass

    def succeeded(self, *about):
        pass

    @contextmanager
    def reading(self):
        yield self


@pytest.fixture
def passwords():
    made = Passwords()
    made._hasher = Hasher(made._hasher)
    return made


@pytest.fixture
def store():
    return Store(Passwords())


def read(code=CODE, password="Zima-2026"):
    credentials = (Credential(Source.BODY, code, password),)
    return Read(Letter(sha256="0" * 64, size=1, sender="a@b.example", credentials=credentials))


def authenticated(letter, store, passwords, now=NOW):
    return authenticate(letter.letter, (), store, now, Guard(passwords))


def test_a_letter_proven_ahead_is_authenticated_without_another_verification(passwords, store):
    Prover(store, Guard(passwords), lambda: NOW)(read())
    assert passwords._hasher.verified == 1
    assert authenticated(read(), store, passwords) == store.known
    assert passwords._hasher.verified == 1


@pytest.mark.parametrize("letter", [read(), read(password="wrong"), read(code="999")])
def test_a_locked_sender_costs_one_verification_whatever_the_password(passwords, store, letter):
    store.locked = NOW + timedelta(minutes=15)
    prover = Prover(store, Guard(passwords), lambda: NOW)
    for times in (1, 2):
        prover(letter)
        assert authenticated(letter, store, passwords).code is Code.SENDER_LOCKED
        assert passwords._hasher.verified == times


@pytest.mark.parametrize("letter", [read(password="wrong"), read(code="999")])
def test_a_wrong_password_and_an_unknown_code_cost_one_verification_too(passwords, store, letter):
    Prover(store, Guard(passwords), lambda: NOW)(letter)
    assert authenticated(letter, store, passwords).code is Code.CREDENTIALS_WRONG
    assert passwords._hasher.verified == 1


def test_a_wrong_password_is_remembered_for_one_answer_only(passwords, store):
    Prover(store, Guard(passwords), lambda: NOW)(read(password="wrong"))
    authenticated(read(password="wrong"), store, passwords)
    authenticated(read(password="wrong"), store, passwords)
    assert passwords._hasher.verified == 2


def test_a_sender_proven_just_now_is_not_looked_up(passwords, store):
    prover = Prover(store, Guard(passwords), lambda: NOW)
    prover(read())
    store.reading = None
    prover(read())
    assert passwords._hasher.verified == 1


def test_a_password_that_was_changed_is_verified_anew(passwords, store):
    Prover(store, Guard(passwords), lambda: NOW)(read())
    store.known = Store(Passwords()).known
    assert authenticated(read(), store, passwords, NOW + timedelta(seconds=1)) == store.known
    assert passwords._hasher.verified == 2


def test_a_letter_without_a_password_is_left_alone(passwords, store):
    Prover(store, Guard(passwords), lambda: NOW)(read(password=None))
    assert passwords._hasher.verified == 0
