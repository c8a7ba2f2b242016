"""The database inside one transaction: its parts, and what needs several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from layouts.document import Parsed
from layouts.known import Assigned, Checked, Known, Receipt, Version, Wants
from layouts.layout import Layout
from layouts.points import LegalEntity
from layouts.terms import Kind, Verdict
from storage.accounts import Accounts
from storage.append_only import AppendOnly
from storage.arrivals import Arrivals
from storage.audit import Audit
from storage.billed.held import Held
from storage.billed.months import Months
from storage.billed.numbers import Numbers
from storage.billed.periods import Periods
from storage.billed.suspicions import Suspicions
from storage.billed.withdrawals import Withdrawals
from storage.columns import INTEGER_MOST, epoch
from storage.driver import Asked
from storage.findings import Findings
from storage.installation import Installation, Mailboxes
from storage.leases import Leases
from storage.letters import Letters
from storage.operators import Operators
from storage.outbox import Outbox
from storage.points.registry import Registry
from storage.readings.day_sums import DaySums
from storage.readings.history import History
from storage.readings.in_force import InForce
from storage.readings.values import Values
from storage.readings.versions import Versions
from storage.records.billing import Entry
from storage.seals import Seals
from storage.senders import Costs, Senders
from storage.session import Session
from storage.submissions import Submissions


class Store:
    """One part a matter, all in one transaction; made by `Ledger`.

    Attributes:
        letters: Claimed, settled, quarantined, listed.
        submissions: Receipts, and what became of the values they carry.
        registry: Legal entities, points and meters.
        outbox: Replies owed, leased, sent.
        values: What documents change.
        versions: What is in force, and which documents carry it.
        history: Sums over what is in force.
        months: A month's state for those who ask what is missing.
        billing: Values in force as billing reads them.
        numbers: The consumption of each point, channel, zone and month.
        periods: Months closed and opened again, and their snapshots.
        suspicions: Doubtful values.
        withdrawals: Submissions taken out of force.
        senders: Failures and lockouts of addresses.
        mailboxes: When each was last read through.
        accounts: Sessions, users, tokens, mailed links and requests for access.
        operators: Who may use the console.
        installation: Its key and its status.
        audit: Who changed what.
        append_only: Whether the database refuses to change rows.
        seals: The hash chain by which a changed row is found.
        leases: Locks on what only one process may do.
        costs: CPU time by payer.
        arrivals: Letters that wait for a worker, and the processes there are.
    """

    def __init__(self, connection: Connection, layouts: Mapping[str, Layout]) -> None:
        self.session = Session(connection)
        self._layouts = layouts

    # A part is made when it is first asked for: no transaction needs half of them.
    _findings = cached_property(lambda self: Findings(self.session))
    _in_force = cached_property(lambda self: InForce(self.session))
    _day_sums = cached_property(lambda self: DaySums(self.session))
    audit = cached_property(lambda self: Audit(self.session))
    append_only = cached_property(lambda self: AppendOnly(self.session))
    seals = cached_property(lambda self: Seals(self.session))
    leases = cached_property(lambda self: Leases(self.session))
    costs = cached_property(lambda self: Costs(self.session))
    arrivals = cached_property(lambda self: Arrivals(self.session))
    submissions = cached_property(lambda self: Submissions(self.session, self._findings))
    letters = cached_property(lambda self: Letters(self.session, self._findings, self.submissions))
    registry = cached_property(lambda self: Registry(self.session, self.audit))
    outbox = cached_property(lambda self: Outbox(self.session))
    values = cached_property(lambda self: Values(self.session, self._in_force, self._day_sums))
    versions = cached_property(lambda self: Versions(self.session, self._in_force))
    history = cached_property(lambda self: History(self.session, self._in_force, self._day_sums))
    months = cached_property(lambda self: Months(self.session, self._day_sums))
    billing = cached_property(lambda self: Held(self.session))
    numbers = cached_property(lambda self: Numbers(self.session))
    periods = cached_property(lambda self: Periods(self.session, self.audit, self.numbers))
    suspicions = cached_property(lambda self: Suspicions(self.session, self._in_force, self.audit))
    withdrawals = cached_property(
        lambda self: Withdrawals(self.session, self.submissions, self._day_sums, self.audit)
    )
    senders = cached_property(lambda self: Senders(self.session))
    accounts = cached_property(lambda self: Accounts(self.session))
    operators = cached_property(lambda self: Operators(self.session))
    mailboxes = cached_property(lambda self: Mailboxes(self.session))
    installation = cached_property(lambda self: Installation(self.session))

    def noting(self) -> AbstractContextManager[Asked]:
        """The named statements that are asked meanwhile, with their rows, for `still_so`."""
        # Else series in its cache would not be among them.
        self._in_force.forget()
        return self.session.driver.noting()

    def still_so(self, asked: Asked) -> bool:
        """Whether every statement that was noted has the rows that it had."""
        return self.session.driver.still_so(asked)

    def next_receipt(self) -> int:
        """The number that the next submission gets, unless somebody else records one first."""
        return self.submissions.next_number()

    def know(self, wants: Wants) -> Known:
        """What is on record beside a document, as the rules ask for it.

        On PostgreSQL other documents of the entity wait until this transaction ends:
        what is known must still be so when the document is recorded.

        Raises:
            ValueError: the entity is not a stored one.
        """
        entity = wants.entity
        if entity is None or entity.id is None or wants.version is None:
            raise ValueError("only the documents of a stored entity are known")
        self._hold_back_others(entity.id)
        duplicate = self.versions.duplicate_of(entity.id, wants)
        if duplicate is not None:
            return Known(duplicate_of=duplicate)
        return Known(
            foreign=self.registry.foreign(entity.id, wants.unknown),
            closed=self.periods.closed(),
            highest=self.versions.highest(entity.id, wants),
            **self._values_around(wants, wants.version),
        )

    def _values_around(self, wants: Wants, version: Version) -> dict[str, Any]:
        """What is in force for a document's series, and around them."""
        held = [item for item in wants.assigned if item.point is not None]
        if not held:
            return {}
        version = _bounded(version._replace(submission=INTEGER_MOST))
        intervals = [item for item in held if item.series.kind is Kind.INTERVAL]
        readings = [item for item in held if item.series.kind is Kind.REGISTER]
        registers = self.history.registers(wants.registers) if wants.registers else {}
        fields = {
            "intervals": self.versions.recorded_intervals(intervals, wants.layout, version),
            "readings": self.versions.recorded_readings(readings, wants.layout, version),
            "history": self.history.before(intervals, wants.history_days, ZoneInfo(wants.zone)),
            "registers": registers,
        }
        if self._may_be_compared(registers, readings):
            fields["profiles"] = self.history.profiles(wants.sums, registers)
        return fields

    def _may_be_compared(self, around: Sized, registers: Sequence[Assigned]) -> bool:
        """Whether a document's points may have both a profile and registers."""
        if not registers:
            return bool(around)
        points = {item.point.id or 0 for item in registers if item.point is not None}
        return bool(self._in_force.series_at(points))

    def _hold_back_others(self, entity_id: int) -> None:
        if not self.session.connection.get_execution_options().get("writes"):
            return
        # SQLite has one writer at a time, and needs no lock.
        if self.session.driver.is_postgresql:
            self.submissions.hold_back_others(entity_id)

    def record(
        self,
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
        entry: Entry | None = None,
    ) -> Receipt:
        """Keep a submission, its findings and the values its changes carry.

        Of a duplicate only the fact is kept; its receipt is the first one.

        Args:
            letter: Number of the arrival it came with.
            parsed: The document.
            checked: The rules' verdict on it.
            entity: Whose it is.
            received_at: When it arrived.
            now: When it is recorded.
            entry: The operator who hands it in on the entity's behalf; None: the entity.
        """
        facts = self._facts(letter, parsed, checked, entity, received_at, now)
        if entry is not None:
            facts |= {"operator": entry.operator, "reason": entry.reason}
        number = self.submissions.add(facts, checked.findings)
        if checked.verdict is Verdict.DUPLICATE and checked.duplicate_of is not None:
            return Receipt(checked.duplicate_of[0], received_at, parsed, checked)
        self.values.apply(checked.changes, number, now)
        self.suspicions.raise_of(checked.findings, checked.changes, number, now)
        return Receipt(number, received_at, parsed, checked)

    @staticmethod
    def _facts(
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
    ) -> dict[str, Any]:
        version = _bounded(checked.version or Version(0, 0, epoch(received_at), 0))
        return {
            "letter_id": letter,
            "entity_id": entity.id,
            "name": parsed.name,
            "container": parsed.container,
            "part": parsed.part,
            "sha256": parsed.sha256,
            "size": parsed.size,
            "layout": parsed.layout,
            "form_version": parsed.header.version,
            "created_at": parsed.header.created,
            "version_first": version.first,
            "version_second": version.second,
            "received_at": received_at,
            "recorded_at": now,
            "verdict": checked.verdict,
            "status": int(checked.status),
            "accepted_values": checked.values,
            "duplicate_of": checked.duplicate_of[0] if checked.duplicate_of else None,
        }


def _bounded(version: Version) -> Version:
    """A document may claim any number; the columns hold 64 bits."""
    first, second = (max(-INTEGER_MOST, min(key, INTEGER_MOST)) for key in version[:2])
    return version._replace(first=first, second=second)
