"""The account as it is served, with two years of readings, in the system's Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Database, Replies, Settings, Web
from ingest.demo.year import CODE, PASSWORD, hand_in_years
from ingest.operations.console.operators import add
from ingest.operations.hand_in import File, Sender, Way, hand_in
from ingest.operations.registry import import_registry
from ingest.web.pages import Pages
from ingest.wiring.service import Service
from storage.records.access import OperatorRole
from tests.end_to_end.servers import free_port
from tests.ingest.web.serving import served

CHROMIUM = shutil.which("chromium")
OPERATOR, OPERATORS = "anna", "Zimniy-les-2026"
"""Name and password; a code is taken once, and windows sign in side by side."""

HELPED = "200000008800"
"""User code of an entity that nobody else is signed in as."""

WIDTHS = (360, 1280)
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 150)}`))"""
"""Every barrier with its place; what passed is thousands of nodes, and stays in the browser."""


def pytest_ignore_collect(collection_path):
    # The end of the run says what was left out.
    return True if CHROMIUM is None and collection_path.suffix == ".py" else None


def _hand_in_doubtful(service: Service, now: datetime) -> None:
    """Hours of far more than the point's power, of an entity of its own."""
    head = (
        "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;"
        "meter;digits;decimals;ratio;installed;removed;channels;zones"
    )
    row = f"{HELPED};ООО «Пример»;3300000088;;1;{HELPED};Склад;;20;;;;;;;A+;"
    import_registry(
        service, f"{head}\n{row}\n".encode(), "test", with_passwords=False, dry_run=False
    )
    day = now - timedelta(days=2)
    hours = "".join(
        f'<consumption date_time="{day:%Y%m%d}{hour:02}" energy="{energy}"/>'
        for hour, energy in enumerate(("0.010", "0.025", "0.010", "0.010", "0.025", "0.010"))
    )
    made = f"{now:%Y%m%d%H%M%S}"
    head = f'<package class="52005" version="1" sender_code="{HELPED}" created="{made}">'
    file = File("doubtful.xml", f"{head}{hours}</package>".encode())
    with closing(service.reader()) as reader:
        sender = Sender(Way.API, HELPED, "test")
        hand_in(file, sender, service.ledger, service.policy, reader, now)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Where the pages are served; each file of tests has readings of its own."""
    path = tmp_path_factory.mktemp("pages") / "ingest.db"
    url = f"http://127.0.0.1:{free_port()}"
    settings = Settings(
        database=Database(url=f"sqlite:///{path}"),
        replies=Replies(organisation="АО «Примерэнергосбыт»", phone="8 800 000-00-00"),
        web=Web(public_url=url),
    )
    service = Service(settings)
    service.ledger.migrate()
    hand_in_years(service, datetime.now(UTC))
    _hand_in_doubtful(service, datetime.now(UTC))
    add(
        service, OPERATOR, OperatorRole.ADMINISTERS, "test", datetime.now(UTC),
        password=OPERATORS, second_factor=False,
    )  # fmt: skip
    with closing(Pages(lambda: service)) as pages, served(pages.app, url.removeprefix("http://")):
        yield url
    service.ledger.close()


@pytest.fixture(scope="module")
def chromium():
    # Not for the session: its event loop would run beside the tests that come after.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Window:
    """One page in one window, and what the browser complained of."""

    page: object
    address: str
    complaints: list[str]

    def go(self, path: str):
        return self.page.goto(self.address + path)

    def sign_in(self) -> None:
        self.go("/")
        self.page.fill("#name", CODE)
        self.page.fill("#password", PASSWORD)
        self.page.click("main form button")

    def enter_console(self) -> None:
        self.go("/console")
        self.page.fill("#name", OPERATOR)
        self.page.fill("#password", OPERATORS)
        self.page.click("main form button")

    def barriers(self) -> list[str]:
        """What axe finds; evaluated by the debugger, which the policy does not bind."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        return self.page.evaluate(RUN)

    def is_wider_than_the_window(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")

    def wrong_with(self, path: str) -> list[str]:
        """What is wrong with a page on a telephone and on a desk."""
        self.go(path)
        found = []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 800})
            found += [f"{path} at {width}: {barrier}" for barrier in self.barriers()]
            found += [f"{path} at {width}: too wide"] if self.is_wider_than_the_window() else []
        return found


@pytest.fixture
def window(chromium, address):
    """Opens a window of a width, with or without scripts."""
    contexts = []

    def opened(width: int = 1280, *, scripts: bool = True) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            locale="ru-RU",
            reduced_motion="reduce",
        )
        contexts.append(context)
        made = Window(context.new_page(), address, [])
        made.page.set_default_timeout(15_000)
        made.page.on("console", lambda message: made.complaints.append(message.text))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        return made

    yield opened
    for context in contexts:
        context.close()
