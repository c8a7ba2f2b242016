"""Who may sign in: users, links, tokens, files in hand and operators, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.records.access import OperatorRole, Role, WebLink
from tests.contract.documents import ENTITY, NOW, OTHER, import_all

CODE = ENTITY.user_code
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def store(ledger):
    import_all(ledger)
    with ledger.transaction() as store:
        yield store


def test_an_address_is_a_user_of_one_entity_whatever_its_case(store):
    accounts = store.accounts
    anna = accounts.invite(CODE, " Anna@Primer.example ", Role.READS, NOW)
    assert accounts.user_by_address("ANNA@primer.example") == anna
    assert accounts.invite(CODE, "anna@primer.example", Role.SENDS, NOW + DAY) == anna
    assert accounts.invite(OTHER.user_code, "anna@primer.example", Role.SENDS, NOW) is None
    assert accounts.invite("nobody", "ivan@primer.example", Role.SENDS, NOW) is None
    accounts.set_user_password(anna, "hash")
    (user,) = accounts.users(CODE)
    assert (user.role, user.active, user.has_password, user.invited_at) == (
        *(Role.SENDS, True, True, NOW + DAY),
    )
    account = accounts.account("user", anna)
    assert (account.entity, account.address, account.password_hash, account.active) == (
        *(CODE, "anna@primer.example", "hash", True),
    )
    assert not accounts.change_user(OTHER.user_code, anna, role=Role.READS, active=False)
    assert accounts.account("user", anna).active
    assert accounts.change_user(CODE, anna, role=Role.READS, active=False)
    assert not accounts.account("user", anna).active
    assert accounts.account("user", anna + 1) is accounts.account("owner", 10**6) is None


def test_a_link_is_used_once_and_with_it_the_others_for_the_same_password(store):
    accounts = store.accounts
    anna = accounts.invite(CODE, "anna@primer.example", Role.READS, NOW)
    links = {"owner": None, "again": None, "anna": anna}
    for name, user in links.items():
        link = WebLink(CODE, user, "a@b.example", NOW, NOW + DAY, None)
        accounts.make_link(name, link)
    assert accounts.links_since(CODE, NOW) == 3
    assert accounts.links_since(CODE, NOW + SECOND) == 0
    assert accounts.links_since(OTHER.user_code, NOW) == 0
    assert accounts.link_of("owner", NOW + DAY - SECOND).user is None
    assert accounts.link_of("owner", NOW + DAY) is None
    assert accounts.link_of("anna", NOW).user == anna
    assert accounts.use_link("owner", NOW)
    assert not accounts.use_link("owner", NOW)
    assert not accounts.use_link("again", NOW)
    assert not accounts.use_link("nothing", NOW)
    assert accounts.link_of("again", NOW) is None
    assert accounts.use_link("anna", NOW)


def test_a_token_is_good_until_its_end_or_until_it_is_ended(ledger, store):
    accounts = store.accounts
    for name in ("first", "second"):
        accounts.make_token(CODE, name, name, "a@b.example", NOW, NOW + DAY)
    first, second = (accounts.token_of(name, NOW + DAY - SECOND) for name in ("first", "second"))
    assert (first.entity, first.name, first.used_at) == (CODE, "first", None)
    assert accounts.token_of("first", NOW + DAY) is accounts.token_of("none", NOW) is None
    accounts.use_token(first.id, NOW + SECOND)
    assert accounts.token_of("first", NOW).used_at == NOW + SECOND
    assert not accounts.end_token(OTHER.user_code, second.id, NOW)
    assert accounts.end_token(CODE, second.id, NOW)
    assert not accounts.end_token(CODE, second.id, NOW)
    assert accounts.token_of("second", NOW) is None
    told = [(token.name, token.used_at, token.ended_at) for token in accounts.tokens(CODE)]
    assert told == [("second", None, NOW), ("first", NOW + SECOND, None)]


def test_an_entity_that_is_switched_off_has_no_links_and_no_tokens(ledger):
    import_all(ledger)
    with ledger.transaction() as store:
        store.accounts.make_token(CODE, "t", "t", "a@b.example", NOW, NOW + DAY)
        store.accounts.make_link("l", WebLink(CODE, None, "a@b.example", NOW, NOW + DAY, None))
    import_all(ledger, replace(ENTITY, active=False))
    with ledger.reading() as store:
        assert store.accounts.token_of("t", NOW) is store.accounts.link_of("l", NOW) is None


def test_a_session_has_one_file_for_a_while(store):
    accounts = store.accounts
    for session, name in (("a", "old"), ("a", "new"), ("b", "b")):
        accounts.keep_upload(session, name, name, b"1", NOW, DAY)
    assert accounts.upload("a", "old", NOW - SECOND) is None
    assert accounts.upload("a", "new", NOW - SECOND) == ("new", b"1")
    assert accounts.upload("b", "new", NOW - SECOND) is accounts.upload("a", "new", NOW) is None
    accounts.keep_upload("c", "c", "c", b"1", NOW + DAY, DAY)
    assert accounts.upload("b", "b", NOW - SECOND) is None


def test_requests_wait_until_they_are_answered_once(store):
    accounts = store.accounts
    accounts.ask("1" * 200, "A@B.example", "192.0.2.0", NOW)
    accounts.ask(CODE, "c@d.example", "192.0.2.1", NOW, answered="a link")
    (request,) = accounts.requests()
    assert (request.user_code, request.address) == ("1" * 100, "a@b.example")
    assert accounts.asked_since(NOW) == 2
    assert accounts.asked_since(NOW, network="192.0.2.1") == 1
    assert accounts.asked_since(NOW + SECOND) == 0
    assert accounts.answer_request(request.id, "petrova", "called", NOW)
    assert not accounts.answer_request(request.id, "petrova", "called", NOW)
    assert accounts.requests() == []


def test_reminders_are_wanted_until_they_are_not(store):
    wanted = [store.accounts.reminders(CODE)]
    for choice in (False, True):
        store.accounts.set_reminders(CODE, wanted=choice)
        wanted.append(store.accounts.reminders(CODE))
    assert wanted == [True, False, True]


def test_an_operator_is_kept_switched_off_and_let_in_anew(store):
    operators = store.operators

    def keep(password, *, anew=False):
        role = OperatorRole.ADMINISTERS
        return operators.keep("petrova", role, password, "TOTP", "root", NOW, anew=anew)

    assert keep("first")
    assert not keep("second")
    made = operators.named("petrova")
    assert (made.password_hash, made.active, made.made_by) == ("first", True, "root")
    assert operators.use_code(made.id, 7)
    assert not operators.use_code(made.id, 7)
    assert operators.administering() == {"petrova"}
    assert operators.switch_off("petrova")
    assert not operators.switch_off("petrova")
    assert operators.administering() == set()
    assert not operators.numbered(made.id).active
    assert keep("second")
    # Another secret has its own codes.
    assert operators.use_code(made.id, 1)
    assert keep("third", anew=True)
    assert [one.password_hash for one in operators.all()] == ["third"]
    assert operators.named("ivanov") is operators.numbered(made.id + 1) is None


def test_lists_are_given_in_pages_that_miss_none_and_tell_none_twice(ledger, store):
    accounts, operators = store.accounts, store.operators
    for number in range(7):
        accounts.invite(CODE, f"anna{number}@primer.example", Role.READS, NOW)
        accounts.make_token(CODE, str(number), f"digest{number}", "owner", NOW, NOW + DAY)
        operators.keep(f"anna {number}", OperatorRole.LOOKS, "", None, "root", NOW, anew=False)

    addresses = [user.address for user in accounts.users(CODE)]
    assert [one.address for one in accounts.users(CODE, addresses[2], 3)] == addresses[2:5]
    assert [one.address for one in accounts.users(CODE, "anna6")] == addresses[6:]
    names = [one.name for one in operators.all()]
    assert [one.name for one in operators.all(names[2], 3)] == names[2:5]
    tokens = [token.id for token in accounts.tokens(CODE)]
    assert len(addresses) == len(names) == len(tokens) == 7
    assert [one.id for one in accounts.tokens(CODE, tokens[2], 3)] == tokens[3:6]
