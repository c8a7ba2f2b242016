"""Operators: made, signed in with a second factor, switched off."""

from datetime import timedelta

import pyotp
import pytest

from ingest.operations.account.sessions import Attempt, visitor
from ingest.operations.console.operators import (
    BadName,
    NameTaken,
    StaysIn,
    add,
    every,
    operator_of,
    sign_in,
    switch_off,
    switch_off_another,
)
from ingest.operations.registry import WeakPassword
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, NOW


@pytest.fixture
def anna(service):
    return add(service, "anna", OperatorRole.WORKS, "root", NOW)


def code_of(added, at=NOW):
    return pyotp.parse_uri(added.second_factor).at(at)


def attempt(name, password, browser=""):
    return Attempt(name, password, "192.0.2.0/24", browser)


def enter(service, added, code, now=NOW, password=None):
    return sign_in(service, attempt(added.name, password or added.password), code, now)


def test_name_password_and_code_open_a_session_that_the_audit_tells(service, anna):
    key = enter(service, anna, code_of(anna))

    assert operator_of(service.ledger, key, NOW).name == "anna"
    with service.ledger.reading() as store:
        assert [(e.who, e.key) for e in store.audit.of("sign-in")] == [("operator:anna", "anna")]
        assert [(e.who, e.after["role"]) for e in store.audit.of("operator")] == [("root", "works")]


@pytest.mark.parametrize("code", ["", "000000", "12345", "１２３４５６", "\ud800"])
def test_no_password_is_enough_without_the_code(service, anna, code):
    assert enter(service, anna, code) is None


def test_a_wrong_password_is_not_mended_by_the_code(service, anna):
    assert enter(service, anna, code_of(anna), password="another one") is None


def test_a_code_is_taken_once_and_no_earlier_one_after_it(service, anna):
    before, now = code_of(anna, NOW - timedelta(seconds=30)), code_of(anna)

    assert enter(service, anna, now) is not None
    assert enter(service, anna, now) is None
    assert enter(service, anna, before) is None
    later = NOW + timedelta(seconds=60)
    assert enter(service, anna, code_of(anna, later), later) is not None


def test_a_code_holds_a_step_around_its_own_and_no_longer(service, anna):
    code = code_of(anna, NOW - timedelta(seconds=90))

    assert enter(service, anna, code) is None


def test_without_a_second_factor_none_is_asked_for(service):
    boris = add(service, "boris", OperatorRole.LOOKS, "root", NOW, second_factor=False)

    assert boris.second_factor is None
    assert enter(service, boris, "") is not None


def test_guesses_at_the_console_lock_it_and_nothing_else(service, anna):
    for _ in range(service.guard.max_failures):
        assert enter(service, anna, "000000") is None

    assert enter(service, anna, code_of(anna)) is None
    with service.ledger.reading() as store:
        assert store.senders.locked_until("anna", "stranger@192.0.2.0/24", NOW) is None


def test_who_is_switched_off_is_out_at_once(service, anna):
    key = enter(service, anna, code_of(anna))

    assert switch_off(service.ledger, "anna", "root", NOW)
    assert operator_of(service.ledger, key, NOW) is None
    later = NOW + timedelta(minutes=5)
    assert enter(service, anna, code_of(anna, later), later) is None
    assert not switch_off(service.ledger, "anna", "root", NOW)
    assert [(one.operator.active, one.signed_in_at) for one in every(service.ledger)] == [
        (False, NOW)
    ]


def test_two_who_switch_each_other_off_leave_one_to_administer(service):
    for name in ("anna", "boris"):
        add(service, name, OperatorRole.ADMINISTERS, "root", NOW)
    anna, boris = (one.operator for one in every(service.ledger))

    assert switch_off_another(service.ledger, "boris", anna, NOW)
    with pytest.raises(StaysIn):
        switch_off_another(service.ledger, "anna", boris, NOW)
    assert [one.operator.active for one in every(service.ledger)] == [True, False]


def test_one_who_is_let_in_is_made_anew_only_when_that_is_meant(service, anna):
    with pytest.raises(NameTaken):
        add(service, "anna", OperatorRole.LOOKS, "root", NOW, anew=False)
    assert enter(service, anna, code_of(anna)) is not None
    switch_off(service.ledger, "anna", "root", NOW)

    assert not add(service, "anna", OperatorRole.LOOKS, "root", NOW, anew=False).is_new


def test_everything_anew_ends_what_was_open(service, anna):
    key = enter(service, anna, code_of(anna))
    again = add(service, "anna", OperatorRole.ADMINISTERS, "root", NOW)

    assert not again.is_new
    assert operator_of(service.ledger, key, NOW) is None
    later = NOW + timedelta(minutes=5)
    assert enter(service, again, code_of(anna, later), later) is None
    assert enter(service, again, code_of(again, later), later) is not None


@pytest.mark.parametrize(("by", "is_in"), [(29, True), (31, False)])
def test_a_session_that_rests_half_an_hour_is_over(service, anna, by, is_in):
    key = enter(service, anna, code_of(anna))

    assert (operator_of(service.ledger, key, NOW + timedelta(minutes=by)) is not None) is is_in


def test_an_operators_session_is_no_accounts_session(service, anna):
    key = enter(service, anna, code_of(anna))
    assert visitor(service.ledger, key, NOW) is None
    # Shown to the account, it goes on in the console.
    assert operator_of(service.ledger, key, NOW).name == "anna"


@pytest.mark.parametrize("name", ["", " anna", "anna\n", "a" * 61, "a\u202eb"])
def test_a_name_that_cannot_be_told_is_refused(service, name):
    with pytest.raises(BadName):
        add(service, name, OperatorRole.LOOKS, "root", NOW)


def test_a_given_password_that_is_easy_to_guess_is_refused(service):
    with pytest.raises(WeakPassword):
        add(service, "anna", OperatorRole.LOOKS, "root", NOW, password="password")


def test_nobody_of_a_users_code_is_an_operator(service):
    assert sign_in(service, attempt(CODE, "x"), "", NOW) is None
