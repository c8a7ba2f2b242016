"""Pictures of the account and the console for the documentation, of invented readings.

`make pictures` writes them anew into docs/pictures.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from playwright.sync_api import Page, sync_playwright

from config.settings import Database, Replies, Settings, Web
from ingest.demo.year import CODE, PASSWORD, hand_in_years
from ingest.operations.console.operators import Added, add
from ingest.web.pages import Pages
from ingest.wiring.service import Service
from layouts.months import month_at, preceding
from storage.records.access import OperatorRole
from tests.browser.conftest import CHROMIUM
from tests.end_to_end.servers import free_port
from tests.ingest.web.serving import served

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
DESK, PHONE = 1000, 360
_HEIGHT = 800
_WRONG = (
    f'<package class="52005" version="1" sender_code="{CODE}" created="20261114193232">'
    '<consumption date_time="2026110100" energy="0,067"/>'
    '<consumption date_time="2026110101" energy="много"/></package>'
)


def main() -> None:
    """Make every picture."""
    logging.disable(logging.INFO)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{free_port()}"
        settings = Settings(
            database=Database(url=f"sqlite:///{folder}/ingest.db"),
            replies=Replies(organisation="АО «Примерэнергосбыт»", phone="8 800 000-00-00"),
            web=Web(public_url=url),
        )
        service = Service(settings)
        service.ledger.migrate()
        hand_in_years(service, datetime.now(UTC))
        who = add(service, "anna", OperatorRole.ADMINISTERS, "demo", datetime.now(UTC))
        pages = Pages(lambda: service)
        with closing(pages), served(pages.app, url.removeprefix("http://")):
            _take(url, who)
        service.ledger.close()


def _take(url: str, operator: Added) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, suffix in ((DESK, ""), (PHONE, "-phone")):
            page = browser.new_context(
                viewport={"width": width, "height": _HEIGHT}, locale="ru-RU"
            ).new_page()
            _visit(page, url, suffix)
        page = browser.new_context(
            viewport={"width": DESK, "height": _HEIGHT}, locale="ru-RU"
        ).new_page()
        _visit_console(page, url, operator)
        browser.close()


def _visit(page: Page, url: str, suffix: str) -> None:
    def keep(name: str) -> None:
        page.screenshot(path=FOLDER / f"{name}{suffix}.png", full_page=True)

    page.goto(url)
    keep("sign-in")
    page.fill("#name", CODE)
    page.fill("#password", PASSWORD)
    page.click("main form button")
    keep("month")
    if suffix:
        return
    page.goto(f"{url}/readings/enter")
    for number, field in enumerate(page.locator("input.number").all()):
        field.fill(("38816,40", "1", "", "", "45500")[number])
    page.click("button[value=check]")
    keep("enter")
    page.goto(f"{url}/documents")
    content = _WRONG.encode()
    page.set_input_files("#file", {"name": "ноябрь.xml", "mimeType": "text/xml", "buffer": content})
    page.click("main form button")
    keep("checked")
    for name, path in (
        ("receipt", "/receipts/2"), ("readings", "/readings"), ("people", "/people"),
        ("registration", "/registration"),
    ):  # fmt: skip
        page.goto(url + path)
        keep(name)


def _visit_console(page: Page, url: str, operator: Added) -> None:
    page.goto(f"{url}/console")
    page.fill("#name", operator.name)
    page.fill("#password", operator.password)
    page.fill("#code", pyotp.parse_uri(operator.second_factor or "").now())
    page.click("main form button")
    last = preceding(month_at(datetime.now(UTC)))
    for name, path in (
        ("console", ""), ("console-letters", "/letters"), ("console-letter", "/letters/2"),
        ("console-month", f"/months/{last:%Y-%m}"), ("console-entity", f"/entities/{CODE}"),
        ("console-matrix", f"/months/{last:%Y-%m}/matrix"), ("console-audit", "/audit"),
        ("console-enter", f"/entities/{CODE}/enter"), ("console-export", "/export"),
        ("console-import", "/import"), ("console-status", "/status"),
        ("console-operators", "/operators"),
    ):  # fmt: skip
        page.goto(f"{url}/console{path}")
        # A list of letters is one line after the other.
        page.screenshot(path=FOLDER / f"{name}.png", full_page=name != "console-letters")
    page.goto(f"{url}/console/receipts/2/withdraw")
    page.fill("#reason", "По телефону: прибор прочитан с ошибкой")
    page.click("main form button")
    page.screenshot(path=FOLDER / "console-withdraw.png", full_page=True)


if __name__ == "__main__":
    main()
