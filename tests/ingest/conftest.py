"""A database of its own for each test, as a copy of an empty one; verbs in a folder."""

import logging
import sys

import pytest
import structlog

from storage.ledger import Ledger
from tests.ingest.invocation import SAMPLES, Verbs


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


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Calls verbs in an empty folder, without a configuration of the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGEST_CONFIG", raising=False)
    hook = sys.excepthook
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Verbs(monkeypatch, capfd, tmp_path)
    sys.excepthook = hook
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def service(run, empty_database):
    """The same with a database that has the sample register of points."""
    run.write("ingest.db", empty_database.read_bytes())
    registry = (SAMPLES / "registry.csv").read_bytes()
    run.write("registry.csv", registry)
    assert run("registry", "import", "registry.csv", "--with-passwords").code == 0
    return run
