"""A rehearsal goes like the real thing, and leaves nothing behind."""

import pytest

from storage.ledger import StoreUnavailable
from tests.contract.documents import ENTITY, NOW, OTHER
from tests.registering import register


def test_what_a_rehearsal_does_is_seen_in_it_and_never_after_it(ledger):
    with ledger.rehearsal() as rehearsed:
        with rehearsed.transaction() as store:
            register(store.registry, [ENTITY], "operator", NOW)
        with rehearsed.reading() as store:
            assert store.registry.entity(ENTITY.user_code) == ENTITY
    with ledger.reading() as store:
        assert store.registry.entity(ENTITY.user_code) is None


def imports_and_fails(ledger, entity, fault):
    with ledger.transaction() as store:
        register(store.registry, [entity], "operator", NOW)
        raise fault


def test_a_transaction_that_fails_in_a_rehearsal_leaves_the_others_whole(ledger):
    with ledger.rehearsal() as rehearsed:
        with rehearsed.transaction() as store:
            register(store.registry, [ENTITY], "operator", NOW)
        with pytest.raises(KeyError):
            imports_and_fails(rehearsed, OTHER, KeyError())
        with rehearsed.transaction() as store:
            assert store.registry.entity(OTHER.user_code) is None
            assert store.registry.entity(ENTITY.user_code) == ENTITY


def test_a_rehearsal_that_fails_leaves_nothing_either(ledger):
    with pytest.raises(StoreUnavailable), ledger.rehearsal() as rehearsed:
        imports_and_fails(rehearsed, ENTITY, StoreUnavailable("away"))
    with ledger.transaction() as store:
        assert store.registry.entity(ENTITY.user_code) is None
        assert register(store.registry, [ENTITY], "operator", NOW).added == (ENTITY.user_code,)
