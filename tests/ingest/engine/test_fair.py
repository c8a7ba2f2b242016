"""Who has cost the most waits behind the others; nobody else waits longer than a minute.

Time is simulated: a letter is read when the one before it was recorded, and the clock goes
on by what reading it costs.
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from random import Random

import pytest

from ingest.engine.collect import Collector
from ingest.engine.fair import HEAVY_AT_ONCE, HEAVY_SECONDS, Turns, in_turn
from ingest.engine.work import Worker
from ingest.intake.authenticate import UNPROVEN, Claims, Guard, Origin, Proof
from ingest.letters.terms import Read
from ingest.transports.ports import CLAIM_BYTES
from layouts.points import LegalEntity
from tests.fakes import FakeClock, FakeIntake, FakeMailbox, letter_of, mail, raw_letter

CODE = "200000003079"
MINUTE = 60.0


class Simulated:
    """A reader with one child, an intake, and the clock that their work moves.

    Attributes:
        costs: CPU seconds by sender's domain; 0.01 of the others.
        done: Subject and moment of each letter that was recorded, in that order.
        looked: Subjects of letters whose words alone were read.
        arriving: Letters that come once so many were recorded.
        flood: Makes one more letter, as many as `per_second` of the clock.
    """

    def __init__(self, ledger, costs, recorders=1):
        self.ledger = ledger
        self.costs = costs
        self.clock = FakeClock()
        self.seconds = 0.0
        self.done: list[tuple[str, float]] = []
        self.looked: list[str] = []
        self.arriving: dict[int, bytes] = {}
        self.flood = None
        self.per_second = 0.0
        self.sent = 0
        self.mailbox = FakeMailbox()
        self.intake = _Intake(self)
        self.turn = threading.Condition()
        self.queue: list[_Reading] = []
        self.worker = Worker(self, ledger, self.intake, self.clock, recorders=recorders)
        self.collector = Collector(self.mailbox, self.worker, ledger, self.clock)

    def cost(self, content):
        return self.costs.get(letter_of(content).sender.partition("@")[2], 0.01)

    def read_together(self, letters):
        return [self._read(raw) for raw in letters]

    def _read(self, raw):
        if raw.words_only:
            letter = letter_of(raw.content)
            self.looked.append(letter.subject)
            self.seconds += 0.01
            future: Future[Read] = Future()
            future.set_result(Read(letter, (), 0.01))
            return future
        reading = _Reading(self, raw.content)
        self.queue.append(reading)
        return reading

    def recorded(self, subject):
        with self.turn:
            self.done.append((subject, self.seconds))
            self.queue = [one for one in self.queue if one.subject != subject]
            self.turn.notify_all()
        if letter := self.arriving.pop(len(self.done), None):
            self.mailbox.put(letter)
        while self.flood and self.sent < self.seconds * self.per_second:
            self.sent += 1
            self.mailbox.put(self.flood(self.sent))

    def until(self, subject):
        """Work until this letter has its verdict: how long that took."""
        while subject not in dict(self.done):
            before = len(self.done)
            self.collector.once(lambda: any(done == subject for done, _ in self.done))
            assert len(self.done) > before
        return dict(self.done)[subject]

    def order(self):
        return [subject for subject, _ in self.done]


class _Reading(Future):
    """Read in its turn, which moves the clock."""

    def __init__(self, house, content):
        super().__init__()
        self.house, self.content = house, content
        self.subject = letter_of(content).subject

    def cancel(self):
        """All that is under way is given back at once, in no time."""
        with self.house.turn:
            for each in self.house.queue:
                Future.cancel(each)
            self.house.queue.clear()
            self.house.turn.notify_all()
        return self.cancelled()

    def result(self, timeout=None):
        with self.house.turn:
            while not self.done() and self.house.queue[0] is not self:
                assert self.house.turn.wait(20)
            if self.cancelled():
                raise CancelledError
            if not self.done():
                cost = self.house.cost(self.content)
                self.house.seconds += cost
                self.set_result(Read(letter_of(self.content), (), cost))
        return super().result(timeout)


class _Intake(FakeIntake):
    """Proves who says so in the subject, and tells when a letter is recorded."""

    def __init__(self, house):
        super().__init__()
        self.house = house
        self.proves: dict[str, str] = {}

    def prove(self, read, *, afresh=False):
        code = self.proves.get(read.letter.subject)
        if code is None:
            return UNPROVEN
        claims = Claims((code,), (), ("a password",))
        is_right = "guess" not in read.letter.subject
        return Proof(claims, Origin(read.letter.sender), is_right=is_right)

    def receive(self, arrival, read, proof, store, now, foreseen=None):
        handled = super().receive(arrival, read, proof, store, now)
        self.house.recorded(read.letter.subject)
        if proof.is_right:
            entity = store.registry.entity(proof.claims.name)
            handled = replace(handled, entity=entity)
        return handled


def by(sender, count, name="letter"):
    return [mail(f"{name} {number} of {sender}", sender) for number in range(count)]


@pytest.fixture
def house(ledger):
    return Simulated(ledger, {"crowd.example": 0.2, "costly.example": 10.0})


HONEST = mail("honest", "buh@honest.example")


@pytest.mark.parametrize("recorders", [1, 3])
@pytest.mark.parametrize("sender", ["a@crowd.example", "a@costly.example"])
def test_an_honest_letter_behind_a_thousand_of_one_sender_waits_a_minute_at_most(
    ledger, sender, recorders
):
    house = Simulated(ledger, {"crowd.example": 0.2, "costly.example": 10.0}, recorders)
    house.mailbox.put(*by(sender, 1000), HONEST)
    waited = house.until("honest")
    print(f"behind a thousand of {sender}: {waited:.1f} s of simulated time")
    assert waited <= MINUTE
    with ledger.reading() as store:
        assert store.costs.heavy(HEAVY_SECONDS)


def test_one_that_comes_while_costly_letters_are_read_is_next(house):
    house.mailbox.put(*by("a@costly.example", 12))
    house.arriving = {6: HONEST}
    house.collector.once()
    order = house.order()
    assert len(order) == 13
    at = dict(house.done)
    assert at["honest"] - at[order[5]] <= 2 * 10.0 + 0.1


def test_who_cost_more_waits_behind_who_cost_less_and_each_in_their_order(house, ledger):
    turns = Turns(ledger)
    turns.charge("", "a@most.example", 200.0)
    turns.charge("", "a@more.example", 50.0)
    turns.save()
    house.mailbox.put(*by("a@most.example", 2), *by("a@more.example", 2), *by("a@new.example", 2))
    house.collector.once()
    assert [subject.rpartition("@")[2] for subject in house.order()] == [
        "new.example", "new.example", "more.example", "more.example", "most.example", "most.example"
    ]  # fmt: skip
    assert house.order()[0].startswith("letter 0")


def test_of_equals_the_oldest_and_the_newest_come_in_turn():
    for letters, ordered in (("", ""), ("a", "a"), ("ab", "ab"), ("abc", "acb"), ("abcd", "adbc")):
        ranks = dict.fromkeys(letters, 2) | {"light": 1}
        assert in_turn([*letters, "light"], ranks) == ["light", *ordered]


def test_what_one_process_counted_holds_in_another_and_for_every_mailbox(house, ledger):
    house.mailbox.put(*by("a@costly.example", 3))
    house.collector.once()
    other = Simulated(ledger, {})
    other.mailbox.name = "second"
    other.mailbox.put(*by("b@costly.example", 3, "more"), HONEST)
    other.collector.once()
    assert other.order()[0] == "honest"


def test_a_letter_that_failed_is_tried_once_a_pass_however_often_the_mailbox_is_listed(
    house, ledger
):
    turns = Turns(ledger)
    turns.charge("", "a@costly.example", 200.0)
    turns.save()

    def fail():
        house.recorded("bad")
        raise ValueError

    house.intake.on["bad"] = fail
    house.mailbox.put(mail("bad"), *by("a@costly.example", 3 * HEAVY_AT_ONCE))
    house.collector.once()
    assert house.order().count("bad") == 1
    assert len(house.order()) == 3 * HEAVY_AT_ONCE + 1


def registered(ledger, code=CODE, name="ООО Пример"):
    with ledger.transaction() as store:
        store.registry.replace([LegalEntity(0, code, name)])
        return store.registry.entity(code)


def test_who_forges_a_domain_does_not_push_back_whose_own_words_prove_him(house):
    house.costs["owner.example"] = 10.0
    forged = [mail(f"forged {number}", f"thief{number}@owner.example") for number in range(1000)]
    house.mailbox.put(*forged, mail("proven", "buh@owner.example"))
    house.intake.proves["proven"] = CODE
    assert house.until("proven") <= MINUTE
    assert "proven" in house.looked


@pytest.mark.parametrize("count", range(1, 2 * HEAVY_AT_ONCE + 1))
def test_letters_of_a_heavy_sender_that_are_all_in_hand_at_once_are_read_once(house, ledger, count):
    turns = Turns(ledger)
    turns.charge("", "a@costly.example", 200.0)
    turns.save()
    house.mailbox.put(*by("a@costly.example", count))
    house.collector.once()
    assert len(house.order()) == count
    # Of more it is looked who each of them proves to be.
    assert len(house.looked) == (count if count > HEAVY_AT_ONCE else 0)


def test_a_wrong_password_proves_nobody(house):
    house.intake.proves = {"a guess": CODE, "proven": CODE}
    codes = [
        house.worker.code_proven_by_words(raw_letter(mail(of)))[0] for of in house.intake.proves
    ]
    assert codes == ["", CODE]


def test_who_forges_a_domain_does_not_push_back_an_address_that_has_proven_itself(house, ledger):
    with ledger.transaction() as store:
        store.senders.succeeded(CODE, "buh@owner.example", house.clock())
    house.costs["owner.example"] = 10.0
    house.mailbox.put(*by("thief@owner.example", 50), mail("known", "buh@owner.example"))
    assert house.until("known") <= MINUTE


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("more", [0, 30])
def test_behind_a_forger_of_his_own_address_an_owner_waits_a_minute_at_most(
    house, ledger, is_known, more
):
    # No word of his letter proves him: it looks as the forger's do, of which more may come.
    sender = "buh@owner.example"
    if is_known:
        with ledger.transaction() as store:
            store.senders.succeeded(CODE, sender, house.clock())
    house.costs["owner.example"] = 10.0
    house.mailbox.put(*by(sender, 300, "forged"))
    later = by(sender, more, "later")
    house.arriving = {10: mail("owner's", sender)} | {
        11 + 3 * n: one for n, one in enumerate(later)
    }
    waited = house.until("owner's") - house.done[9][1]
    print(f"an owner whose address is forged, {more} more to come: {waited:.1f} s")
    assert waited <= MINUTE
    # Nor does the one that waits longest wait for ever.
    assert f"forged 5 of {sender}" in house.order()


@pytest.mark.parametrize("before", [0, CLAIM_BYTES - 40, CLAIM_BYTES, 3 * CLAIM_BYTES])
def test_a_from_that_stands_far_below_hides_nobody(house, before):
    padding = b"X-Padding: " + b"x" * before + b"\r\n"
    house.costs["costly.example"] = house.costs[""] = 10.0
    house.mailbox.put(*(padding + one for one in by("a@costly.example", 100)), HONEST)
    assert house.until("honest") <= MINUTE


OURS = "Authentication-Results: mx.ours; "
DISPROVED = [
    f"{OURS}dmarc=fail header.from=owner.example",
    f"{OURS}spf=softfail smtp.mailfrom=buh@owner.example; dkim=pass header.d=thief.example",
    f"{OURS}dmarc=pass header.from=thief.example",
    f"{OURS}spf=fail\r\n{OURS}dmarc=pass header.from=owner.example",
]
BELIEVED = ["Authentication-Results: mx.theirs; dmarc=fail", f"{OURS}dmarc=pass", f"{OURS}none"]


def checked(results, letter):
    """A letter as our mail server hands it on, with what it says of the sender."""
    return f"{results}\r\n".encode() + letter


@pytest.mark.parametrize("seed", range(8))
def test_who_forges_what_our_mail_server_disproves_keeps_its_owner_back_no_longer_than_others(
    ledger, seed
):
    # Whatever the forger sends, however fast, under the owner's address or another of his domain.
    chance = Random(seed)
    house = Simulated(ledger, {"owner.example": chance.choice([0.2, 3.0, 10.0])})
    house.intake.guard = Guard(trusted_authserv_id="mx.ours")
    of_one, is_known = chance.random() < 0.5, chance.random() < 0.5
    if is_known:
        with ledger.transaction() as store:
            store.senders.succeeded(CODE, "buh@owner.example", house.clock())

    def forged(number):
        sender = "buh" if of_one else f"thief{number}"
        letter = mail(f"forged {number}", f"{sender}@owner.example")
        return checked(chance.choice(DISPROVED), letter)

    house.flood, house.per_second = forged, chance.choice([0.1, 1.0, 10.0])
    house.mailbox.put(*(forged(number) for number in range(-300, 0)))
    honest = checked(chance.choice(BELIEVED), mail("owner's", "buh@owner.example"))
    came = chance.choice([5, 20, 80])
    house.arriving = {came: honest}
    waited = house.until("owner's") - house.done[came - 1][1]
    print(f"{house.costs}, {house.per_second} a second, {of_one=}, {is_known=}: {waited:.1f} s")
    assert waited <= MINUTE


def test_what_an_entity_costs_is_not_counted_against_others_of_its_domain(house, ledger):
    turns = Turns(ledger)
    turns.charge(CODE, "heavy@mail.example", 500.0)
    turns.save()
    assert turns.refresh()
    senders = {"1": "heavy@mail.example", "2": "other@mail.example", "3": "heavy@mail.example"}
    ranks = turns.ranks(senders, {"3": "0" + CODE, "1": ""})
    assert (ranks["2"], ranks["3"] > 0) == (0, True)


def test_costs_are_forgotten_after_an_hour(ledger):
    turns = Turns(ledger)
    turns.charge("", "a@heavy.example", 100.0)
    turns.save()
    with ledger.transaction() as store:
        store.session.driver.execute("UPDATE cost SET minute = minute - 59")
    assert turns.refresh()
    with ledger.transaction() as store:
        store.session.driver.execute("UPDATE cost SET minute = minute - 1")
    assert not turns.refresh()


def test_every_letter_gets_its_verdict_in_one_pass_however_heavy(house):
    house.mailbox.put(
        *by("a@costly.example", 30), *by("b@x.example", 30), *by("a@crowd.example", 30)
    )
    passed = house.collector.once()
    assert sum(passed.outcomes.values()) == len(set(house.order())) == len(house.order()) == 90
    assert passed.whole
    assert house.mailbox.letters == {}
