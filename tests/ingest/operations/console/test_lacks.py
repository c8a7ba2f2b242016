"""What months lack, kept between pages, is what the database says, whatever happened since."""

from dataclasses import replace
from datetime import date, timedelta

from ingest.operations.console.lacks import Lacks
from ingest.operations.hand_in import File, Sender, Way, hand_in
from ingest.operations.periods import lacking
from ingest.operations.withdraw import Order, withdraw
from storage.ledger import Ledger
from tests.direct_reader import DirectReader
from tests.ingest.office import CODE, NOW, xml
from tests.ingest.web.conftest import OTHER
from tests.registering import register

NOVEMBER = date(2026, 11, 1)


def sends(service, code, *energies):
    """A document of an entity."""
    file = File("a.xml", xml(*energies, code=code).encode())
    done = hand_in(
        file, Sender(Way.API, code, code), service.ledger, service.policy,
        DirectReader(service.layouts), NOW,
    )  # fmt: skip
    return done.handled.receipts


def imports(service, code, since=None, **facts):
    """The register of points has an entity otherwise."""
    with service.ledger.transaction() as store:
        entity = replace(store.registry.entity(code), **facts)
        register(store.registry, [entity], "anna", NOW, since=since)


def test_what_is_kept_is_what_the_database_says_after_every_act(service):
    lacks, now = Lacks(), NOW

    def told():
        found = list(lacks.of(service.ledger, NOVEMBER, now))
        assert found == lacking(service.ledger, NOVEMBER, now)
        return [(one.entity.user_code, one.lacks) for one in found]

    seen = [told()]
    (receipt,) = sends(service, CODE, "1.5", "1.5")
    seen.append(told())
    sends(service, OTHER, "2", "2", "2")
    seen.append(told())
    withdraw(Order(receipt.number, "anna", "by mistake"), service.ledger, service.policy, NOW)
    seen.append(told())
    sends(service, CODE, "7")
    seen.append(told())
    now += timedelta(days=1)
    seen.append(told())
    # The point that is the other's from the tenth on was written to by this one before.
    with service.ledger.reading() as store:
        moved = store.registry.entity(CODE).points[0]
    imports(service, OTHER, since=date(2026, 11, 10), points=(moved,))
    seen.append(told())
    sends(service, CODE, *["3"] * 24)
    seen.append(told())
    imports(service, OTHER, active=False)
    seen.append(told())

    assert len({repr(one) for one in seen}) >= 6


def test_another_database_after_a_reload_is_not_taken_for_the_one_before(service, empty_database):
    lacks = Lacks()
    sends(service, CODE, "1.5", "1.5")
    before = list(lacks.of(service.ledger, NOVEMBER, NOW))
    empty = Ledger(f"sqlite:///{empty_database}")

    assert before
    assert list(lacks.of(empty, NOVEMBER, NOW)) == []
    assert list(lacks.of(service.ledger, NOVEMBER, NOW)) == before
    empty.close()
