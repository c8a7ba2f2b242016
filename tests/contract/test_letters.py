"""The ledger: a letter is its bytes, wherever they lie, and is recorded once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from layouts.findings import Code, Place, finding
from storage.faults import SettledElsewhere
from storage.records.letters import LetterFacts, LetterState, Location
from storage.records.replies import OwedReply, ReplyState
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    document,
    hand_in_to,
    hours,
    import_all,
    known_of,
    new_letter,
)

SHA = "ab" * 32
PLACE = Location("main", "INBOX", 7, 1)
FACTS = LetterFacts("buh@primer.example", "Показания за ноябрь", "<1@primer.example>")


def claim(ledger, place=PLACE, sha=SHA, at=NOW):
    with ledger.transaction() as store:
        return store.letters.claim(place, sha, 1000, at, at)


def test_each_claim_counts_an_attempt_of_one_letter(ledger):
    later = NOW + timedelta(hours=1)
    first, second = claim(ledger), claim(ledger, at=later)

    assert first.letter == second.letter
    assert second.received_at == NOW
    with ledger.reading() as store:
        assert store.letters.details(first.letter).claimed_at == later
    assert (first.attempts, second.attempts) == (1, 2)
    assert first.state is LetterState.CLAIMED
    assert first.outcome is None


def test_an_attempt_can_be_taken_back_but_never_below_none(ledger):
    number = claim(ledger).letter

    for _ in range(3):
        with ledger.transaction() as store:
            store.letters.unclaim(number)

    assert claim(ledger).attempts == 1


def test_the_same_bytes_in_another_place_are_the_same_letter(ledger):
    moved = replace(PLACE, uidvalidity=8, uid=99)
    first = claim(ledger)

    again = claim(ledger, moved, at=NOW + timedelta(hours=3))

    assert again.letter == first.letter
    assert again.received_at == NOW
    with ledger.reading() as store:
        assert set(store.letters.details(first.letter).locations) == {PLACE, moved}


def test_the_bytes_count_when_a_server_gives_one_uid_twice(ledger):
    first = claim(ledger)
    second = claim(ledger, sha="cd" * 32)

    assert second.letter != first.letter
    with ledger.reading() as store:
        assert store.letters.known("main", "INBOX", 7, [1])[1].letter == second.letter


def test_a_settled_letter_is_told_with_its_verdict_and_not_counted_again(ledger):
    number = claim(ledger).letter
    with ledger.transaction() as store:
        store.letters.settle(number, "refused", FACTS, None, NOW)

    again = claim(ledger)

    assert again.state is LetterState.DONE
    assert again.outcome == "refused"
    assert again.attempts == 1


def test_only_known_uids_of_this_folder_and_validity_are_told(ledger):
    claim(ledger)
    claim(ledger, replace(PLACE, uid=2), "01" * 32)
    claim(ledger, replace(PLACE, folder="Archive", uid=3), "02" * 32)
    claim(ledger, replace(PLACE, uidvalidity=8, uid=4), "03" * 32)

    with ledger.reading() as store:
        known = store.letters.known("main", "INBOX", 7, range(1, 20_000))

    assert sorted(known) == [1, 2]
    assert known[1].attempts == 1


def test_two_claims_at_once_make_one_letter_and_count_both(ledger):
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda uid: claim(ledger, replace(PLACE, uid=uid)), range(8)))

    assert len({one.letter for one in claims}) == 1
    assert sorted(one.attempts for one in claims) == list(range(1, 9))


def test_a_quarantined_letter_stays_so_until_it_has_a_verdict(ledger):
    number = claim(ledger).letter
    with ledger.transaction() as store:
        store.letters.quarantine(number, "KeyError in rules", NOW)

    again = claim(ledger)
    assert again.state is LetterState.QUARANTINED
    assert again.outcome == "quarantined"
    with ledger.reading() as store:
        assert store.letters.details(number).summary.error == "KeyError in rules"

    with ledger.transaction() as store:
        store.letters.settle(number, "accepted", FACTS, None, NOW)
    with ledger.reading() as store:
        assert store.letters.details(number).summary.error is None


def test_a_letter_is_settled_by_the_process_that_is_quicker(ledger):
    number = claim(ledger).letter
    with ledger.transaction() as store:
        store.letters.settle(number, "accepted", FACTS, None, NOW)
    with pytest.raises(SettledElsewhere), ledger.transaction() as store:
        store.letters.settle(number, "refused", FACTS, None, NOW)
    with ledger.reading() as store:
        assert store.letters.details(number).summary.outcome == "accepted"


def test_a_settled_letter_can_be_reopened_once_and_keeps_its_moment_of_receipt(ledger):
    first = claim(ledger)
    with ledger.transaction() as store:
        assert not store.letters.reopen(first.letter)
        store.letters.settle(first.letter, "rejected", FACTS, None, NOW)
        assert store.letters.reopen(first.letter)
        assert not store.letters.reopen(first.letter)

    again = claim(ledger)
    assert again.letter == first.letter
    assert again.state is LetterState.CLAIMED
    assert again.outcome is None
    assert again.attempts == 1
    assert again.run == first.run + 1
    assert again.received_at == first.received_at


def test_what_a_failed_transaction_did_is_gone(ledger):
    def fail():
        with ledger.transaction() as store:
            store.letters.claim(PLACE, SHA, 1, NOW, NOW)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    with ledger.reading() as store:
        assert store.letters.find() == []


def test_a_letter_is_told_whole(ledger):
    import_all(ledger)
    place = Place("z.xml", line=14)
    wrong = finding(
        Code.INVALID_NUMBER, place, seen="0,0б7", point="1", start=MONTH, count=3, field="energy"
    )
    with ledger.transaction() as store:
        receipt = hand_in_to(store, document(hours(1, 2, 3), part="Лист1"))
        number = store.letters.find()[0].id
        facts = replace(FACTS, findings=(wrong,))
        entity = store.registry.entity(ENTITY.user_code)
        store.letters.settle(number, "accepted", facts, entity, NOW)
        store.outbox.owe(OwedReply(number, "buh@primer.example", "Принято", "<a@b>", b"mail"), NOW)

    with ledger.reading() as store:
        whole = store.letters.details(number)
        assert store.letters.find() == [whole.summary]

    assert whole.summary.state is LetterState.DONE
    assert whole.summary.entity == ENTITY.user_code
    assert whole.summary.subject == FACTS.subject
    assert (whole.summary.documents, whole.summary.values, whole.summary.reply) == (
        1,
        3,
        ReplyState.OWED,
    )
    assert whole.message_id == FACTS.message_id
    assert whole.findings == (wrong,)
    submission = whole.submissions[0]
    assert (submission.receipt, submission.part, submission.values) == (receipt.number, "Лист1", 3)
    assert whole.replies[0].content == b"mail"


def test_there_is_no_letter_of_an_unknown_number(ledger):
    with ledger.reading() as store:
        assert store.letters.details(1) is None


def test_findings_of_a_document_come_back_in_their_order(ledger):
    import_all(ledger)
    foreign = hours(1, point="000000004711")
    with ledger.transaction() as store:
        receipt = hand_in_to(store, document(hours(1, 2), foreign))
        number = store.letters.find()[0].id

    with ledger.reading() as store:
        told = store.letters.details(number).submissions[0]

    assert told.findings == receipt.checked.findings
    assert told.findings[0].code is Code.FOREIGN_POINT
    assert told.verdict == "partly_accepted"


def test_letters_are_listed_by_state_outcome_entity_and_day(ledger):
    import_all(ledger)
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        first = new_letter(store)
        store.letters.settle(first, "accepted", FACTS, entity, NOW)
        second = new_letter(store, NOW + timedelta(days=1))
        store.letters.settle(second, "refused", FACTS, None, NOW)
        third = new_letter(store, NOW + timedelta(days=2))

    with ledger.reading() as store:
        assert [row.id for row in store.letters.find()] == [first, second, third]
        assert [row.id for row in store.letters.find(state="claimed")] == [third]
        assert [row.id for row in store.letters.find(outcome="refused")] == [second]
        assert [row.id for row in store.letters.find(entity=ENTITY.user_code)] == [first]
        since = store.letters.find(since=NOW + timedelta(days=1))
        assert [row.id for row in since] == [second, third]


def test_text_that_no_database_takes_is_cleaned_and_kept(ledger):
    number = claim(ledger).letter
    hostile = LetterFacts(
        "a\0b@c.example",
        "тема \ud800 \0",
        "<\0>",
        (
            finding(
                Code.INVALID_CODE, Place("\0.xml", sheet="\udfff", cell="A1"), seen="\0", field="\0"
            ),
        ),
    )

    with ledger.transaction() as store:
        store.letters.settle(number, "refused", hostile, None, NOW)
        assert store.registry.entity("\0") is None
        assert store.registry.entity_without_zeros("\0") is None
        assert store.registry.entities_by_inn("\ud800") == []
        assert not store.outbox.is_ours("<\0>")

    with ledger.reading() as store:
        whole = store.letters.details(number)
    assert "\0" not in whole.summary.subject + whole.summary.sender
    assert whole.summary.subject.startswith("тема")
    assert whole.findings[0].detail == {"field": "\ufffd"}


def test_a_version_number_of_any_size_is_taken(ledger):
    import_all(ledger)
    huge = document(
        hours(*[1] * 24, point="332070000107101", area="3300000001"),
        layout="80020",
        number=10**30,
    )
    with ledger.transaction() as store:
        receipt = hand_in_to(store, huge)

    assert receipt.checked.values == 24
    assert known_of(ledger, huge).duplicate_of == (receipt.number, NOW)
