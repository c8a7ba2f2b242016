"""A database of its own for each test, as a copy of an empty one; verbs in a folder."""

import logging
import sys
from pathlib import Path

import pytest
import structlog

from storage.ledger import Ledger
from tests.ingest.invocation import SAMPLES, Verbs


@pytest.fixture
def ledger(empty_database, tmp_path):
    path = tmp_path / "ingest.db"
    path.write_bytes(empty_database.read_bytes())
    ledger = Ledger(f"sqlite:///{path}")
    yield ledger
    ledger.close()


@pytest.fixture
def bare(tmp_path, monkeypatch, capfd, fork_servers):
    """Calls verbs in an empty folder, without a configuration of the machine."""
    monkeypatch.setattr("ingest.reading.pool.ForkServer", fork_servers)
    monkeypatch.setattr("ingest.reading.children.Forks", fork_servers)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGEST_CONFIG", raising=False)
    monkeypatch.setattr("config.load.PLACES", (Path("ingest.toml"), Path("etc/ingest.toml")))
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
def run(bare, empty_database):
    """The same with an empty configuration and an empty database."""
    bare.write("ingest.toml", "")
    bare.write("ingest.db", empty_database.read_bytes())
    return bare


@pytest.fixture
def service(run):
    """The same with the sample register of points in the database."""
    registry = (SAMPLES / "registry.csv").read_bytes()
    run.write("registry.csv", registry)
    assert run("registry", "import", "registry.csv", "--with-passwords").code == 0
    return run
