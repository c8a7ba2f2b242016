"""Old texts are dropped; what letters and replies are known by, and all that counts, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest.operations import purge as operation
from ingest.operations.purge import Purged, purge
from storage.append_only import APPEND_ONLY
from storage.records.letters import LetterFacts, Location
from storage.records.replies import OwedReply
from tests.contract.documents import NOW, rows

DAY = timedelta(days=1)
CUT = NOW + 100 * DAY
FACTS = LetterFacts("buh@primer.example", "Показания", "<1@primer.example>")


def letter(ledger, number: int, at, *, is_done: bool = True) -> int:
    with ledger.transaction() as store:
        place = Location("main", "INBOX", 7, number)
        claimed = store.letters.claim(place, f"{number:064x}", 1000, at, at)
        if is_done:
            store.letters.settle(claimed.letter, "accepted", FACTS, None, at)
        return claimed.letter


def reply(ledger, number: int, at, state: str = "sent") -> None:
    with ledger.transaction() as store:
        one = OwedReply(None, f"a{number}@b.example", "Принято", f"<{number}@meters>", b"whole")
        store.outbox.owe(one, at)
        if state == "owed":
            return
        [leased] = [r for r in store.outbox.lease(limit=9) if r.message_id == one.message_id]
        if state == "undeliverable":
            store.outbox.undeliverable(leased.id, "no such user", at)
        else:
            store.outbox.sent(leased.id, at)


def purged(ledger, *, dry_run: bool = False) -> Purged:
    return purge(ledger, CUT, "petrova", CUT, dry_run=dry_run)


def test_letters_forget_who_wrote_and_what_and_are_still_known_again(ledger):
    old = letter(ledger, 1, NOW)
    young = letter(ledger, 2, CUT + DAY)
    waiting = letter(ledger, 3, NOW, is_done=False)

    assert purged(ledger).letters == 1

    with ledger.reading() as store:
        told = {n: store.letters.details(n) for n in (old, young, waiting)}
    assert (told[old].summary.sender, told[old].summary.subject, told[old].message_id) == ("",) * 3
    assert (told[old].summary.outcome, told[old].sha256) == ("accepted", f"{1:064x}")
    assert told[young].summary.subject == "Показания"
    assert letter(ledger, 1, NOW, is_done=False) == old


def test_replies_lose_their_text_and_are_still_known_when_they_come_back(ledger):
    reply(ledger, 1, NOW)
    reply(ledger, 2, CUT + DAY)

    assert purged(ledger) == Purged(0, 1, len(b"whole"), dry_run=False)

    found = rows(ledger, "SELECT subject, content FROM reply ORDER BY id")
    assert [(s, bytes(c)) for s, c in found] == [("", b""), ("Принято", b"whole")]
    with ledger.transaction() as store:
        assert store.outbox.is_ours("<1@meters>")
        store.outbox.owe(OwedReply(None, "x@y.example", "again", "<1@meters>", b"again"), CUT)
    assert len(rows(ledger, "SELECT id FROM reply")) == 2


@pytest.mark.parametrize("state", ["owed", "undeliverable"])
def test_a_reply_that_has_not_arrived_keeps_its_text_until_it_is_settled(ledger, state):
    reply(ledger, 1, NOW, state)

    assert purged(ledger).replies == 0

    with ledger.transaction() as store:
        store.outbox.seen("a1@b.example", CUT)
    assert purged(ledger).replies == (1 if state == "undeliverable" else 0)


def test_a_dry_run_counts_and_changes_nothing(ledger):
    letter(ledger, 1, NOW)
    reply(ledger, 1, NOW)

    assert purged(ledger, dry_run=True) == Purged(1, 1, 5, dry_run=True)
    assert purged(ledger) == Purged(1, 1, 5, dry_run=False)
    assert purged(ledger, dry_run=True) == Purged(0, 0, 0, dry_run=True)


def test_more_than_one_transaction_takes_is_dropped_whole_and_the_audit_says_who(
    ledger, monkeypatch
):
    monkeypatch.setattr(operation, "_AT_ONCE", 2)
    for number in range(5):
        letter(ledger, number, NOW)

    assert purged(ledger).letters == 5

    with ledger.reading() as store:
        [entry] = store.audit.of("purge")
    assert (entry.who, entry.after["letters"]) == ("petrova", 5)


def test_only_letters_and_replies_are_touched(ledger):
    """What is only added to would refuse; the texts lie elsewhere."""
    letter(ledger, 1, NOW)
    reply(ledger, 1, NOW)
    before = {table: rows(ledger, f"SELECT count(*) FROM {table}") for table in APPEND_ONLY}
    purged(ledger)
    after = {table: rows(ledger, f"SELECT count(*) FROM {table}") for table in APPEND_ONLY}
    assert {t for t in before if before[t] != after[t]} == {"audit"}
