"""`audit verify` and `doctor` find what was changed in the database by hand."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from storage.ledger import Ledger
from tests.ingest.verbs.test_closed_months import closed  # noqa: F401


@pytest.fixture
def sealed(closed):  # noqa: F811
    """A closed month with its letters, sealed."""
    ledger = Ledger(f"sqlite:///{closed.folder / 'ingest.db'}")
    assert ledger.seal(ledger.fence())
    ledger.close()
    return closed


def by_hand(run, *statements):
    """Statements in the database's own shell, no trigger in the way."""
    with closing(sqlite3.connect(run.folder / "ingest.db")) as database, database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = triggers.fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        for _, sql in triggers:
            database.execute(sql)


def verified(run, *more):
    ran = run("audit", "verify", "--json", *more)
    (row,) = ran.rows
    assert (ran.code == 0) == row["whole"]
    return row


def test_what_nobody_touched_is_whole_with_its_head(sealed):
    ran = sealed("audit", "verify")
    assert ran.code == 0
    assert ran.out.startswith("whole: ")
    row = verified(sealed)
    assert (row["broken"], row["off"], row["unsealed"]) == (None, [], {})
    assert row["sha256"] in ran.out


def test_nothing_sealed_is_no_break_and_is_told(closed):  # noqa: F811
    by_hand(closed, "DELETE FROM seal", "DELETE FROM seal_head")
    ran = closed("audit", "verify")
    assert ran.code == 0
    assert "nothing is sealed yet" in ran.out
    assert "not sealed yet: audit " in ran.out
    assert verified(closed)["unsealed"]["submission"] == 2


def test_a_receipt_that_was_changed_is_named_by_both_verbs(sealed):
    by_hand(sealed, "UPDATE submission SET accepted_values = 7 WHERE id = 2")

    ran = sealed("audit", "verify")
    assert ran.code == 1
    assert "BROKEN: submission 2 was changed (seal " in ran.out
    assert "submission 2 was changed" in sealed("doctor").out


def test_a_trigger_that_is_gone_is_named_by_both_verbs(sealed):
    with closing(sqlite3.connect(sealed.folder / "ingest.db")) as database:
        database.execute("DROP TRIGGER tr_audit_update")

    assert verified(sealed)["off"] == ["tr_audit_update"]
    assert "tr_audit_update" in sealed("doctor").out


def test_a_chain_made_anew_does_not_agree_with_the_log(sealed):
    row = verified(sealed)
    head = {"event": "audit.head", "number": row["number"], "sha256": row["sha256"]}
    lines = ["no json: audit.head", json.dumps(head), json.dumps(["audit.head"])]
    sealed.write("ingest.log", "\n".join(lines))
    assert verified(sealed, "--log", "ingest.log")["compared"] == 1

    by_hand(sealed, "UPDATE audit SET who = 'x'", "DELETE FROM seal", "DELETE FROM seal_head")
    ledger = Ledger(f"sqlite:///{sealed.folder / 'ingest.db'}")
    assert ledger.seal(ledger.fence())
    ledger.close()

    assert verified(sealed)["whole"]
    broken = verified(sealed, "--log", "ingest.log")
    assert broken["broken"] == f"seal {row['number']} is not the one that the log tells"
