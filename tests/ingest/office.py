"""A policy with its ledger, and letters brought to their verdicts from their bytes on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from ingest.intake.attempt import PolicyIntake
from ingest.intake.authenticate import Guard, Prover
from ingest.intake.outcome import Handled
from ingest.intake.passwords import Passwords
from ingest.intake.policy import Policy
from ingest.intake.receive import quarantine_notice
from ingest.letters.letter import read_letter
from ingest.letters.secrets import mask
from ingest.letters.terms import Arrival, Limits, Read
from ingest.replies.message import ReplySettings
from layouts.layout import load
from layouts.points import LegalEntity, MeteringPoint
from parsers import parse
from storage.ledger import Ledger
from storage.records.letters import Claim, LetterFacts
from tests.registering import register

LAYOUTS = load()
NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
CODE, PASSWORD, ADDRESS = "200000001234", "Zima-2026", "buh@primer.example"
GUARD = Guard(Passwords())
OURS = "meters@retailer.example"
HASH = GUARD.passwords.hash(PASSWORD)


def xml(*energies, created="20261114193232", code=CODE):
    """A document of 52005."""
    rows = "".join(
        f'<consumption date_time="20261101{hour:02}" energy="{energy}"/>'
        for hour, energy in enumerate(energies)
    )
    return (
        f'<package class="52005" version="1" sender_code="{code}" created="{created}">'
        f"{rows}</package>"
    )


def mail(*documents, body=f"Код: {CODE}\nПароль: {PASSWORD}", head="", sender=ADDRESS):
    """A letter with documents; `head` are further header lines."""
    parts = "".join(
        f'--b\r\nContent-Type: text/xml; name="{number}.xml"\r\n\r\n{document}\r\n'
        for number, document in enumerate(documents)
    )
    return (
        f"From: {sender}\r\nTo: {OURS}\r\nSubject: readings\r\nMessage-ID: <1@primer.example>\r\n"
        f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n{parts}--b--\r\n"
    ).encode()


def arrival_of(claim: Claim) -> Arrival:
    """An arrival as the ledger knows it."""
    return Arrival("main", "INBOX/1/1", claim.received_at, 1, number=claim.letter, run=claim.run)


@dataclass
class Office:
    """One policy with its ledger; each letter in a transaction."""

    ledger: Ledger
    policy: Policy

    def takes(
        self,
        content: bytes,
        now: datetime = NOW,
        meanwhile: Callable[[], object] = lambda: None,
        *,
        works_out: bool = True,
    ) -> Handled:
        """A letter to its verdict; `meanwhile` comes between working it out and recording it."""
        letter = read_letter(content, Limits())
        parsed = tuple(one for d in letter.documents for one in parse(d, LAYOUTS))
        read = Read(*mask(letter, parsed))
        prover = Prover(self.ledger, self.policy.guard, lambda: now)
        intake = PolicyIntake(self.policy, prover)
        proof = intake.prove(read)
        with self.ledger.transaction() as store:
            claim = store.letters.claim(None, sha256(content).hexdigest(), len(content), now, now)
        foreseen = None
        if works_out:
            with self.ledger.reading() as store:
                foreseen = intake.foresee(arrival_of(claim), read, proof, store, now, 0)
        meanwhile()
        with self.ledger.transaction() as store:
            handled = intake.receive(arrival_of(claim), read, proof, store, now, foreseen)
            facts = LetterFacts(
                letter.sender,
                read.letter.subject,
                letter.message_id,
                reason=handled.truth or handled.reason,
                claimed=handled.claimed,
            )
            store.letters.settle(claim.letter, handled.outcome, facts, handled.entity, now)
        return handled

    def notice(self, content: bytes, now: datetime = NOW):
        """What the sender of a quarantined letter is owed."""
        letter = read_letter(content, Limits())
        with self.ledger.transaction() as store:
            claim = store.letters.claim(None, sha256(content).hexdigest(), len(content), now, now)
            told = quarantine_notice(arrival_of(claim), letter, store, now, self.policy)
            if told is not None:
                store.outbox.owe(told, now)
        return told

    def owed(self) -> int:
        """How many replies wait."""
        with self.ledger.reading() as store:
            return store.installation.status(NOW).owed


def office_with(ledger: Ledger, ours: str = OURS) -> Office:
    """An office of that address, with one entity in its register."""
    points = (MeteringPoint(CODE, channels=("A+",)),)
    with ledger.transaction() as store:
        register(
            store.registry,
            [LegalEntity(CODE, "ООО «Пример»", "3300000001", (ADDRESS,), True, points, HASH)],
            "operator",
            NOW,
        )
    replies = ReplySettings(sender=ours, key=ours.encode().ljust(32))
    return Office(ledger, Policy(LAYOUTS, replies, GUARD, own_addresses=frozenset({ours})))
