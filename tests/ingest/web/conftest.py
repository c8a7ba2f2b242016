"""The pages over a database of their own, asked as browsers ask."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import pytest
from starlette.testclient import TestClient

from config.settings import Database, Replies, Settings
from ingest.web.pages import Pages
from ingest.wiring.service import Service
from layouts.points import LegalEntity, Meter, MeteringPoint
from tests.direct_reader import DirectReader
from tests.ingest.office import CODE, GUARD, HASH, NOW, PASSWORD
from tests.registering import register

OTHER = "200000009999"
OTHER_PASSWORD = "Leto-2026-x"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
HOSTILE = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>"


@lru_cache(maxsize=1)
def _other_hash() -> str:
    return GUARD.passwords.hash(OTHER_PASSWORD)


@dataclass
class World:
    """The pages, their service, and the time that they see."""

    service: Service
    now: datetime = NOW
    pages: Pages = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Pages(lambda: self.service, lambda: self.now)

    def browser(self, host: str = "192.0.2.7", **headers: str) -> Browser:
        """A new browser at an address."""
        client = TestClient(
            self.pages.app,
            base_url="http://localhost",
            follow_redirects=False,
            client=(host, 5000),
            raise_server_exceptions=False,
            headers=headers or {"Sec-Fetch-Site": "same-origin"},
        )
        return Browser(client)

    def later(self, **by: int) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@dataclass
class Browser:
    """One browser with its cookies."""

    client: TestClient

    def get(self, path: str, **options):
        """Ask for a page."""
        return self.client.get(path, **options)

    def post(self, path: str, data=None, **options):
        """Send a form."""
        return self.client.post(path, data=data or {}, **options)

    def sign_in(self, name: str = CODE, password: str = PASSWORD, **more: str):
        """Send the sign-in form."""
        return self.post("/sign-in", {"name": name, "password": password, **more})

    def is_in(self) -> bool:
        """Whether somebody is signed in."""
        return "/sign-out" in self.get("/").text


def walked(browser: Browser, path: str, by: str, pattern: str) -> list[list[str]]:
    """What a pattern finds on each page of the list that a parameter pages."""
    pages = []
    while path:
        text = html.unescape(browser.get(path).text)
        pages.append(re.findall(pattern, text))
        following = re.search(rf'href="([^"]*\?{by}=[^"]*)" rel="next"', text)
        path = following[1] if following else ""
    return pages


def points_of(code: str) -> tuple[MeteringPoint, ...]:
    """A profile, and a meter of two zones."""
    meter = Meter("12345678", 6, 3, Decimal(40), channels=("A+",), zones=("T1", "T2"))
    return (
        MeteringPoint(code, "Цех № 1", channels=("A+",)),
        MeteringPoint(f"{code[:-1]}5", f"Контора {HOSTILE}", meters=(meter,)),
    )


def service_of(url: str) -> Service:
    """A service over a database as it is."""
    replies = Replies(organisation="АО «Энергосбыт»", phone="8 800 000-00-00")
    return Service(Settings(database=Database(url=url), replies=replies))


def service_on(url: str) -> Service:
    """A service with two entities in its register of points, which it is given."""
    service = service_of(url)
    with service.ledger.transaction() as store:
        register(store.registry, [
                LegalEntity(CODE, "ООО «Пример»", "3300000001", ("buh@primer.example",), True,
                            points_of(CODE), HASH),
                LegalEntity(OTHER, "ООО «Другое»", "3300000002", ("other@drugoe.example",), True,
                            (MeteringPoint(OTHER, channels=("A+",)),), _other_hash()),
            ],
            "operator",
            NOW,
        )  # fmt: skip
    return service


@pytest.fixture(scope="session")
def registered(empty_database, tmp_path_factory):
    """A database file with two entities in its register, that each test gets a copy of."""
    path = tmp_path_factory.mktemp("registered") / "ingest.db"
    path.write_bytes(empty_database.read_bytes())
    service_on(f"sqlite:///{path}").ledger.close()
    return path


@pytest.fixture
def world(registered, tmp_path):
    """The pages over SQLite."""
    path = tmp_path / "ingest.db"
    path.write_bytes(registered.read_bytes())
    service = service_of(f"sqlite:///{path}")
    made = World(service)
    # Children cost a second each; tests/browser has them.
    service.reader = lambda: DirectReader(service.layouts)
    yield made
    made.pages.close()
    service.ledger.close()


@pytest.fixture
def browser(world):
    """A browser that is not signed in."""
    return world.browser()


@pytest.fixture
def signed_in(browser):
    """A browser of the entity's owner."""
    assert browser.sign_in().status_code == 303
    return browser
