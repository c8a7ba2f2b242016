"""A letter's password stays out of log and database also where everything fails.

The paths that succeed are in `tests/ingest/intake/test_secrets.py`.
"""

import logging
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from sqlalchemy import make_url, text
from sqlalchemy.engine import create_engine

from config.load import load
from config.log import set_up
from ingest.engine.collect import Collector
from ingest.engine.work import Worker
from ingest.intake.faults import MOST_ATTEMPTS
from ingest.operations.registry import import_registry, set_password
from ingest.reading.child import SandboxConfig
from ingest.reading.pool import SandboxReader
from ingest.wiring.service import Service
from storage.records.letters import LetterState
from storage.tables import METADATA
from tests.fakes import FakeMailbox
from tests.ingest.intake.test_secrets import (
    CODE,
    RIGHT,
    WRONG,
    assert_unsaid,
    letter,
    parts,
    workbook,
    xml,
)
from tests.readers import OBEY

NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
REGISTRY = Path(__file__).parents[2] / "samples" / "registry.csv"


@pytest.fixture
def app(database_url, tmp_path):
    """A service whose readers do what a letter says, with everything it can log in a file."""
    path = tmp_path / "ingest.toml"
    path.write_text(
        f'[database]\nurl = "{database_url}"\n[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
        'sender = "meters@retailer.example"\n',
        encoding="utf-8",
    )
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    set_up("json", "debug", str(tmp_path / "ingest.log"))
    made = Service(load(path))
    import_registry(made, REGISTRY.read_bytes(), "test", with_passwords=True, dry_run=False)
    assert set_password(made, CODE, RIGHT, "test")
    yield made
    made.ledger.close()
    for handler in root.handlers[:]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def failing(receive):
    """As `receive`, with faults of ours that say what they should not."""

    def receive_or_fail(arrival, read, proof, store, now, foreseen):
        subject = read.letter.subject
        given = read.letter.credentials[0].password if read.letter.credentials else ""
        if "our fault" in subject:
            raise ValueError(f"cannot handle {given}")
        handled = receive(arrival, read, proof, store, now, foreseen)
        if "statement" in subject:
            wrong = text("INSERT INTO letter (id) VALUES (:given)")
            store.session.connection.execute(wrong, {"given": given})
        return handled

    return receive_or_fail


def hostile_letters(password):
    said = f"Код: {CODE}\nПароль: {password}"
    files = [(f"{password}.xml", xml(password, password)), ("a.xlsx", workbook(password, "x"))]
    for deed in ("our fault", "a statement", "please die", "please fail"):
        yield letter(
            password, subject=f"{deed}, код: {CODE} пароль: {password}", body=said, files=files
        )
        yield letter(password, subject=deed, body=said, files=files)


def everything_in(url):
    """Every row of every table, and a file's very bytes."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver))
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(table.select()):
                yield from (
                    value if isinstance(value, bytes) else str(value).encode() for value in row
                )
    engine.dispose()
    database = make_url(url).database or ""
    if url.startswith("sqlite"):
        yield from (file.read_bytes() for file in Path(database).parent.glob("ingest.db*"))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("password", [RIGHT, WRONG], ids=["right", "wrong"])
def test_failing_paths_tell_and_keep_no_password(app, database_url, tmp_path, password, capfd):
    mailbox = FakeMailbox(received_at=NOW)
    count = len(mailbox.put(*hostile_letters(password)))
    reader = SandboxReader(SandboxConfig(seconds=2.0, work=OBEY))
    app.intake.receive = failing(app.intake.receive)
    worker = Worker(reader, app.ledger, app.intake, lambda: NOW)
    collector = Collector(mailbox, worker, app.ledger, lambda: NOW)
    for _ in range(MOST_ATTEMPTS):
        collector.once()
    reader.close()

    with app.ledger.reading() as store:
        rows = store.letters.find()
        wholes = [store.letters.details(row.id) for row in rows]
    states = [row.state for row in rows]
    assert len(rows) == count
    assert states.count(LetterState.QUARANTINED) >= 4
    assert any(row.outcome in {"rejected", "refused"} for row in rows)
    told = capfd.readouterr()
    log = (tmp_path / "ingest.log").read_bytes()
    assert b"letter.quarantined" in log
    assert_unsaid(log, told.out.encode(), told.err.encode(), repr(wholes).encode())
    for whole in wholes:
        for reply in whole.replies:
            assert_unsaid(*parts(reply.content))
    kept = list(everything_in(database_url))
    assert len(kept) > count
    assert_unsaid(*kept)


def test_what_it_keeps_is_for_its_owner_only(app, database_url, tmp_path):
    app.ledger.close()
    with app.ledger.transaction():
        kept = [tmp_path / "ingest.log", *tmp_path.glob("ingest.db*")]
    assert len(kept) == (4 if database_url.startswith("sqlite") else 1)
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
