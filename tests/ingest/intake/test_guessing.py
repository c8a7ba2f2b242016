"""How often anybody may guess at a user code, and whom guessing cannot keep out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ingest.engine.collect import Collector
from ingest.engine.work import Worker
from ingest.intake.attempt import PolicyIntake
from ingest.intake.authenticate import (
    Claims,
    Guard,
    MustWait,
    Origin,
    Proof,
    Prover,
    authenticate,
)
from ingest.letters.terms import Outcome
from layouts.findings import Finding
from storage.records.letters import LetterState
from tests.direct_reader import DirectReader
from tests.fakes import FakeClock, FakeMailbox, age_leases
from tests.ingest.office import (
    ADDRESS,
    CODE,
    GUARD,
    HASH,
    LAYOUTS,
    NOW,
    PASSWORD,
    mail,
    office_with,
    xml,
)

HOUR = timedelta(hours=1)
WRONG = f"Код: {CODE}\nПароль: Leto-2026"


def guesses_of(store, addresses, hours=1.0, each=40, guard=GUARD):
    """How many of their guesses are looked at; spread evenly over the time."""
    looked_at = 0
    count = len(addresses) * each
    for number in range(count):
        origin = Origin(addresses[number % len(addresses)])
        proof = Proof(Claims((CODE,), (), ("Leto-2026",)), origin, HASH)
        try:
            found = authenticate(proof, store, NOW + HOUR * hours * number / count, guard)
        except MustWait:
            continue
        assert isinstance(found, Finding)
        looked_at += found.code.value == "credentials-wrong"
    return looked_at


@pytest.mark.parametrize(("addresses", "each"), [(1, 100), (100, 20), (10_000, 1)])
def test_strangers_have_one_budget_for_a_code_however_many_they_are(ledger, addresses, each):
    office = office_with(ledger)
    crowd = [f"somebody@domain{number}.example" for number in range(addresses)]
    with office.ledger.transaction() as store:
        looked_at = guesses_of(store, crowd, each=each)
    print(f"{addresses} addresses: {looked_at} guesses an hour")
    assert 0 < looked_at <= GUARD.guesses_per_hour


def test_the_budget_grows_with_the_addresses_that_are_known_and_with_nothing_else(ledger):
    office = office_with(ledger)
    guard = replace(GUARD, max_failures=1000)
    known = [f"worker{number}@primer.example" for number in range(3)]
    crowd = [f"a@domain{number}.example" for number in range(50)]
    with office.ledger.transaction() as store:
        for address in known:
            store.senders.succeeded(CODE, address, NOW)
        looked_at = guesses_of(store, [*known, *crowd], guard=guard)
    print(f"the bound of a code with {len(known)} known addresses: {looked_at} an hour")
    assert looked_at == (len(known) + 1) * guard.guesses_per_hour


def test_a_full_bucket_of_strangers_keeps_no_known_address_waiting(ledger):
    office = office_with(ledger)
    office.takes(mail(xml("1")))
    with office.ledger.transaction() as store:
        guesses_of(store, [f"a@domain{number}.example" for number in range(30)], hours=0.01)

    assert office.takes(mail(xml("2")), NOW + HOUR / 10).outcome is Outcome.ACCEPTED
    with pytest.raises(MustWait):
        office.takes(mail(xml("3"), sender="other@primer.example"), NOW + HOUR / 10)


def test_an_address_that_the_register_lists_is_known_before_its_first_letter(ledger):
    """Strangers of its own domain and the world's guesses keep it neither waiting nor locked."""
    office = office_with(ledger)
    crowd = [f"a{number}@primer.example" for number in range(10)]
    with office.ledger.transaction() as store:
        guesses_of(store, crowd + [f"a@domain{number}.example" for number in range(30)], hours=0.01)
        assert store.senders.locked_until(CODE, "new@primer.example", NOW) is not None

    assert office.takes(mail(xml("2"), sender=ADDRESS.upper()), NOW + HOUR / 60).outcome is (
        Outcome.ACCEPTED
    )


LOGIN = f"Код: {CODE}\nПароль: {{}}"
BY_INN = (
    "<message class='80020' version='2' number='1'><datetime><timestamp>20261120090000</timestamp>"
    "<daylightsavingtime>0</daylightsavingtime><day>20261114</day></datetime>"
    "<sender><inn>3300000001</inn><name>x</name></sender></message>"
)
SPELLINGS = {
    "as it is": ((), LOGIN),
    "zeros before it": ((), LOGIN.replace("2", "0002", 1)),
    "blanks in it": ((), LOGIN.replace(CODE, "2000 0000 1234")),
    "in a document": ((xml("1").replace("created", 'password="{}" created'),), ""),
    "the taxpayer number": ((BY_INN,), "Пароль: {}"),
    "documents of other codes": (
        (xml("1"), xml("1", code="200000003080"), xml("1", code="200000003081")),
        "Пароль: {}",
    ),
    "another code below it": ((), f"{LOGIN}\nКод: 200000003080\nПароль: x"),
    "six passwords": ((), LOGIN + "".join(f"\nПароль: guess-{n}" for n in range(5))),
}
STRANGERS = (
    *("a+1@x.example", "A+2@X.example", "a@пример.example", "a@xn--e1afmkfd.example"),
    *("buh+1@primer.example", "buh@рrimer.example", "buh", '"buh@primer.example"@x.example'),
)


def handed_in(spelling: str, password: str, sender: str) -> bytes:
    documents, body = SPELLINGS[spelling]
    filled = [one.replace("{}", password) for one in documents]
    return mail(*filled, body=body.replace("{}", password), sender=sender)


def test_no_spelling_of_the_code_or_of_an_address_gives_strangers_more_guesses(ledger):
    office = office_with(ledger)
    office.policy = replace(office.policy, guard=replace(GUARD, max_failures=1000))

    def guesses() -> int:
        asked = "SELECT user_code, bucket FROM sender_guess"
        with ledger.reading() as store:
            counted = list(store.session.connection.exec_driver_sql(asked))
        assert all(tuple(row) == (CODE, "") for row in counted)
        return len(counted)

    for number, (spelling, sender) in enumerate(zip(SPELLINGS, STRANGERS, strict=True)):
        found = office.takes(handed_in(spelling, "guess", sender))
        assert (spelling, found.outcome) == (spelling, Outcome.REFUSED)
        assert (spelling, guesses()) == (spelling, number + 1)

    left = GUARD.guesses_per_hour - len(SPELLINGS)
    with ledger.transaction() as store:
        assert guesses_of(store, [f"a@d{number}.example" for number in range(50)], 0.01) == left
    for spelling in SPELLINGS:
        for sender in STRANGERS:
            with pytest.raises(MustWait):
                office.takes(handed_in(spelling, PASSWORD, sender))


def test_the_bucket_has_room_again_as_the_hour_goes_by(ledger):
    office = office_with(ledger)
    with office.ledger.transaction() as store:
        guesses_of(store, [f"a@domain{number}.example" for number in range(30)])
        until = store.senders.waits_until(CODE, "new@x.example", NOW + HOUR / 2, 20)
        assert NOW + HOUR / 2 < until <= NOW + HOUR
        assert store.senders.waits_until(CODE, "new@x.example", until, 20) is None
        # Another code has a bucket of its own.
        assert store.senders.waits_until("200000003080", "new@x.example", NOW, 20) is None


class House:
    """A mailbox that is read with the real policy."""

    def __init__(self, ledger):
        self.clock = FakeClock(NOW)
        self.office = office_with(ledger)
        self.mailbox = FakeMailbox(received_at=NOW)
        policy = self.office.policy
        intake = PolicyIntake(policy, Prover(ledger, policy.guard, self.clock))
        self.worker = Worker(DirectReader(LAYOUTS), ledger, intake, self.clock)
        self.collector = Collector(self.mailbox, self.worker, ledger, self.clock)


def test_a_letter_over_the_budget_waits_unread_and_is_then_taken_as_of_its_arrival(ledger):
    house = House(ledger)
    with ledger.transaction() as store:
        guesses_of(store, [f"a@domain{number}.example" for number in range(30)], hours=0.01)
    house.mailbox.put(mail(xml("1"), sender="new@primer.example"))

    with capture_logs() as logged:
        passed = house.collector.once()

    assert passed.outcomes == {}
    assert passed.failed == 0
    (told,) = (event for event in logged if event["event"] == "letter.waits")
    assert (told["log_level"], told["user_code"]) == ("warning", CODE)
    with ledger.reading() as store:
        (letter,) = store.letters.find()
        assert (letter.state, letter.attempts) == (LetterState.CLAIMED, 0)
        # What `letters` tells of it meanwhile.
        assert (letter.sender, letter.claimed) == ("new@primer.example", CODE)
        assert letter.why == "too many wrong passwords for this user code"
        assert store.installation.status(house.clock()).waiting == 1
    house.mailbox.fetched.clear()
    for _ in range(5):
        # Its clock decides nothing.
        house.clock.advance(minutes=5)
        age_leases(ledger, 300)
        house.collector.once()
    assert house.mailbox.fetched == []

    house.clock.advance(minutes=40)
    assert house.collector.once().outcomes == {}
    age_leases(ledger, 2400)
    assert house.collector.once().outcomes == {Outcome.ACCEPTED: 1}
    with ledger.reading() as store:
        assert store.letters.find()[0].received_at == NOW
        assert store.installation.status(house.clock()).waiting == 0


def test_guessing_by_letters_is_counted_once_a_letter(ledger):
    house = House(ledger)
    house.office.policy.guard.passwords  # noqa: B018 - made before the clock counts
    letters = [mail(body=WRONG, sender=f"a@domain{n}.example") + b"%d" % n for n in range(25)]
    house.mailbox.put(*letters)

    passed = house.collector.once()

    assert passed.outcomes == {Outcome.REFUSED: GUARD.guesses_per_hour}
    with ledger.reading() as store:
        assert store.installation.status(house.clock()).waiting == 5


def test_the_address_of_the_customer_is_guarded_like_any_other(ledger):
    house = House(ledger)
    guard = Guard(GUARD.passwords, max_failures=1000)
    with ledger.transaction() as store:
        store.senders.succeeded(CODE, ADDRESS, NOW)
        assert guesses_of(store, [ADDRESS], each=100, guard=guard) == guard.guesses_per_hour
    assert house.collector.once().outcomes == {}
