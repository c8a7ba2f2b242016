"""A database of its own for each test, as a copy of an empty one."""

import pytest

from storage.ledger import Ledger


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    ledger.close()
    return path


@pytest.fixture
def ledger(empty_database, tmp_path):
    path = tmp_path / "ingest.db"
    path.write_bytes(empty_database.read_bytes())
    ledger = Ledger(f"sqlite:///{path}")
    yield ledger
    ledger.close()
