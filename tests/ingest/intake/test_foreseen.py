"""What was worked out over a snapshot counts only where recording would come to the same."""

from dataclasses import replace
from functools import partial
from pkgutil import resolve_name

import pytest
from sqlalchemy import event

from ingest.intake.authenticate import ProofOutdated
from layouts.points import LegalEntity, MeteringPoint
from storage.ledger import Ledger
from tests.ingest.office import ADDRESS, CODE, GUARD, HASH, NOW, mail, office_with, xml
from tests.registering import register

OTHER = "200000009999"


def registers(office, *entities):
    with office.ledger.transaction() as store:
        register(store.registry, entities, "operator", NOW)


def entity(code=CODE, *, points=None, **more):
    points = points or (MeteringPoint(code, channels=("A+",)),)
    made = LegalEntity(code, "ООО «Пример»", "3300000001", (ADDRESS,), True, points, HASH)
    return replace(made, **more)


def closes_the_month(office):
    with office.ledger.transaction() as store:
        month = NOW.date().replace(day=1)
        store.periods.close(month, "operator", NOW)


MEANWHILE = {
    "nothing": lambda office: None,
    "the same hours": lambda office: office.takes(mail(xml("0.067", "0.066"), head="X: 1\r\n")),
    "other values of them": lambda office: office.takes(mail(xml("0.5", "0.6"))),
    "a newer version": lambda office: office.takes(mail(xml("0.7", created="20261115080000"))),
    "another's document, which takes the receipt's number": lambda office: office.takes(
        mail(xml("0.1", code=OTHER), body=f"Код: {OTHER}\nПароль: Zima-2026")
    ),
    "a smaller permitted power": lambda office: registers(
        office, entity(points=(MeteringPoint(CODE, max_power_kw=1, channels=("A+",)),))
    ),
    "another name": lambda office: registers(office, entity(name="АО «Иное»")),
    "another channel": lambda office: registers(
        office, entity(points=(MeteringPoint(CODE, channels=("R+",)),))
    ),
    "the month closed": closes_the_month,
}


def told(handled):
    """All that a letter came to."""
    return (
        handled.outcome,
        handled.entity,
        [(one.number, one.checked) for one in handled.receipts],
        handled.reply,
    )


@pytest.mark.parametrize("what", MEANWHILE)
def test_whatever_changes_meanwhile_a_letter_comes_to_what_it_would_have(
    ledger, empty_database, tmp_path, what
):
    path = tmp_path / "twin.db"
    path.write_bytes(empty_database.read_bytes())
    letter = mail(xml("0.067", "0.066", "1.5"), xml("0.8", created="20261114200000"))
    found = []
    for one, works_out in ((ledger, True), (Ledger(f"sqlite:///{path}"), False)):
        office = office_with(one)
        registers(office, entity(OTHER))
        meanwhile = partial(MEANWHILE[what], office)
        found.append(told(office.takes(letter, meanwhile=meanwhile, works_out=works_out)))
        one.close()
    assert found[0] == found[1]


@pytest.mark.parametrize("locked", [False, True])
def test_a_password_that_changes_meanwhile_is_proven_anew(ledger, locked):
    office = office_with(ledger)

    def changes():
        with ledger.transaction() as store:
            store.registry.set_password(CODE, "another hash", "operator", NOW)

    def guesses():
        for number in range(GUARD.max_failures):
            office.takes(mail(body=f"Код: {CODE}\nПароль: wrong {number}"))

    if locked:
        found = office.takes(mail(xml("0.067")), meanwhile=guesses)
        assert found.findings[0].code == "sender-locked"
    else:
        with pytest.raises(ProofOutdated):
            office.takes(mail(xml("0.067")), meanwhile=changes)


def test_nothing_is_asked_beside_what_is_noted(ledger):
    # What SQLAlchemy executes is not noted, and would be taken for unchanged.
    office, beside, found = office_with(ledger), [], []
    letters = mail(xml("0.067")), mail(xml("0.067"), head="X: 1\r\n"), mail(xml("0.5", "0.6"))
    for letter in letters:
        office.takes(letter)
    with ledger.reading() as store:
        engine = store.session.connection.engine
    event.listen(engine, "before_cursor_execute", lambda *told: beside.append(told[2]))
    for letter in letters:
        beside.clear()
        again = letter.replace(b"Subject:", b"X-Again: 1\r\nSubject:")
        office.takes(again, meanwhile=lambda: found.extend(beside))
    assert found == []


WRONG = f"Код: {CODE}\nПароль: wrong"
ONCE = {
    "readings": (mail(xml("0.067")), ["judge", "reply"]),
    # The second document is judged by what the first one changes: it is of the same hours.
    "two documents": (
        mail(xml("0.067"), xml("0.1", created="20261114200000")),
        ["judge", "judge", "reply", "judge", "reply"],
    ),
    "a wrong password": (mail(xml("0.067"), body=WRONG), ["refusal"]),
    "no password": (mail(xml("0.067"), body=""), ["refusal"]),
    "two user codes": (mail(xml("0.067", code="200000000077")), ["refusal"]),
    "a wish": (mail().replace(b"Subject: readings", b"Subject: status"), ["answer"]),
    "nothing": (mail(), ["reply"]),
    "a loop": (mail(xml("0.067"), head="Return-Path: <>\r\n"), []),
}


@pytest.mark.parametrize("what", ONCE)
def test_where_nothing_has_changed_rules_and_reply_are_made_once(ledger, monkeypatch, what):
    calls = []
    for name in ("judge", "answers.reply", "answers.refusal", "wishes.answer"):
        where = f"ingest.intake.receive.{name}"
        monkeypatch.setattr(where, counted(resolve_name(where), calls))
    letter, made = ONCE[what]
    office_with(ledger).takes(letter)
    assert calls == made


def counted(work, calls):
    def work_counted(*given, **named):
        calls.append(work.__name__)
        return work(*given, **named)

    return work_counted
