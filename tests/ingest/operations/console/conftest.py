"""A service over a database of its own, as the console's operations get it."""

import pytest

from tests.ingest.web.conftest import service_on


@pytest.fixture
def service(empty_database, tmp_path):
    path = tmp_path / "ingest.db"
    path.write_bytes(empty_database.read_bytes())
    made = service_on(f"sqlite:///{path}")
    yield made
    made.ledger.close()
