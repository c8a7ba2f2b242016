"""A service over a database of its own, as the console's operations get it."""

import pytest

from tests.ingest.web.conftest import registered, service_of  # noqa: F401 - a fixture


@pytest.fixture
def service(registered, tmp_path):  # noqa: F811
    path = tmp_path / "ingest.db"
    path.write_bytes(registered.read_bytes())
    made = service_of(f"sqlite:///{path}")
    yield made
    made.ledger.close()
