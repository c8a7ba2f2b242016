"""Operators see why a sender was refused and whom it claimed to be; the sender does not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from layouts.points import LegalEntity
from tests.ingest.office import CODE, NOW, PASSWORD, mail, office_with, xml
from tests.registering import register

OFF, NEW = "200000005678", "200000009999"


@pytest.fixture
def office(ledger):
    made = office_with(ledger)
    with ledger.transaction() as store:
        others = [
            LegalEntity(OFF, "ООО «Прежний»", "3300000002", (), False, (), "$argon2id$x"),
            LegalEntity(NEW, "ООО «Новый»", "3300000003", (), True, (), None),
        ]
        register(store.registry, others, "operator", NOW)
    return made


def letter(code, password, sender="a"):
    body = f"Код: {code}\nПароль: {password}"
    return mail(xml("0.067", code=code), body=body, sender=f"{sender}{code}@primer.example")


CASES = {
    "no such user code": ("200000000000", PASSWORD),
    "wrong password": (CODE, "Leto-2027"),
    "switched off": (OFF, PASSWORD),
    "has no password yet": (NEW, PASSWORD),
}


@pytest.mark.parametrize("truth", CASES)
def test_the_true_reason_and_the_claimed_code_are_for_operators_alone(office, truth):
    code, password = CASES[truth]
    handled = office.takes(letter(code, password))
    assert (handled.truth, handled.claimed) == (truth, code)
    assert handled.reason == "credentials-wrong"
    # Who is refused learns the same in each case.
    texts = {office.takes(letter(*case, "b")).reply.subject for case in CASES.values()}
    assert len(texts) == 1


def test_a_locked_sender_is_told_as_one(office):
    for attempt in range(6):
        now = NOW + timedelta(seconds=attempt)
        content = letter(CODE, f"Leto-{attempt}")
        handled = office.takes(content, now)
    assert handled.truth == "locked after wrong passwords"


def test_a_right_password_from_an_address_that_is_not_listed_is_told_as_that(office):
    guard = replace(office.policy.guard, require_known_address=True)
    office.policy = replace(office.policy, guard=guard)
    assert office.takes(letter(CODE, PASSWORD)).truth == "right password, address not listed"
