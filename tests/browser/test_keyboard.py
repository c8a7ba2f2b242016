"""Each page's main act by keyboard alone: Tab, Shift+Tab, Enter, Space, letters and arrows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.demo.year import CODE, PASSWORD
from layouts.months import month_at, preceding
from tests.browser.conftest import HELPED, OPERATOR, OPERATORS
from tests.browser.test_account import PAGES as ACCOUNT
from tests.browser.test_account import text
from tests.browser.test_console import PAGES as CONSOLE

TABS_MOST = 400
FOCUSED = """() => {
    const on = document.activeElement;
    if (on === null || on === document.body) return null;
    window.met ??= new Map();
    if (!met.has(on)) met.set(on, met.size);
    const box = on.getBoundingClientRect(), style = getComputedStyle(on);
    return {
        number: met.get(on), tag: on.tagName, told: on.outerHTML.slice(0, 120),
        top: box.top + scrollY, isVisible: box.width > 0 && box.height > 0
            && box.right > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
        isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    };
}"""
REACHABLE = """() => [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter(one => one.checkVisibility() && !one.disabled).length"""
IS_ON = "(selector) => document.activeElement?.matches(selector) ?? false"


class Keys:
    """What is done in a window with the keyboard."""

    def __init__(self, at):
        self.at, self.page, self.keys = at, at.page, at.page.keyboard

    def to(self, selector: str) -> None:
        """Tab on until an element has the focus."""
        for _ in range(TABS_MOST):
            if self.page.evaluate(IS_ON, selector):
                return
            self.keys.press("Tab")
        pytest.fail(f"Tab never came to {selector} on {self.page.url}")

    def press(self, selector: str, key: str = "Enter") -> None:
        """Go to a link or a button, and use it; waits for the page that it leads to."""
        self.to(selector)
        with self.page.expect_navigation():
            self.keys.press(key)

    def type(self, selector: str, told: str) -> None:
        """Go to a field and type in place of what it holds."""
        self.to(selector)
        self.keys.press("ControlOrMeta+a")
        self.keys.type(told)

    def section(self, path: str) -> None:
        """Go to a section by the navigation."""
        self.press(f"nav.main a[href='{path}']")

    def enter_console(self) -> None:
        """Sign in as an operator."""
        self.at.go("/console")
        self.type("#name", OPERATOR)
        self.type("#password", OPERATORS)
        self.press("main form button")

    def sign_in(self) -> None:
        """Sign in as the entity."""
        self.at.go("/")
        self.type("#name", CODE)
        self.type("#password", PASSWORD)
        self.press("main form button")

    def wrong_with(self, path: str) -> list[str]:
        """What is wrong with the way of Tab through a page and out of it."""
        self.at.go(path)
        # From the page's beginning, whatever field it puts the focus into.
        self.page.evaluate("document.body.tabIndex = -1; document.body.focus()")
        found, seen = [], []
        for _ in range(TABS_MOST):
            self.keys.press("Tab")
            on = self.page.evaluate(FOCUSED)
            # Past the last element the focus leaves the page.
            if on is None or (seen and on["number"] == 0):
                break
            if seen and on["number"] == seen[-1]:
                # Day, month and year of one field.
                continue
            if on["number"] < len(seen):
                return [f"{path}: Tab goes round at {on['told']}"]
            if not on["isVisible"]:
                found.append(f"{path}: focused out of sight: {on['told']}")
            if not on["isMarked"]:
                found.append(f"{path}: nothing shows the focus: {on['told']}")
            if not seen and "skip" not in on["told"]:
                found.append(f"{path}: begins with {on['told']}")
            seen.append(on["number"])
        else:
            found.append(f"{path}: Tab does not come out of it")
        missed = self.page.evaluate(REACHABLE) - len(seen)
        return [*found, f"{path}: {missed} out of reach"] if missed else found


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def keys(request, window) -> Keys:
    return Keys(window(scripts=request.param))


@pytest.fixture
def index(request) -> int:
    """Tells the runs with and without scripts apart: they act on one database."""
    return request.node.callspec.indices["keys"]


def test_tab_leads_through_every_element_of_every_page_and_out_again(window):
    keys = Keys(window())
    found = [told for path in ("/", "/registration", "/console") for told in keys.wrong_with(path)]
    keys.at.sign_in()
    found += [told for path in ACCOUNT for told in keys.wrong_with(path)]
    keys.at.enter_console()
    found += [told for path in CONSOLE for told in keys.wrong_with(path)]

    assert found == []


def test_the_first_key_skips_the_head_of_a_page(keys):
    keys.sign_in()
    keys.section("/receipts")
    keys.at.go("/receipts")
    keys.keys.press("Tab")
    assert keys.page.evaluate(IS_ON, ".skip")
    keys.keys.press("Enter")
    keys.keys.press("Tab")
    assert keys.page.evaluate(IS_ON, "main *")


def test_a_file_is_chosen_checked_and_its_findings_are_come_to(keys):
    keys.sign_in()
    keys.section("/documents")
    keys.to("#file")
    # The chooser itself is the system's.
    with keys.page.expect_file_chooser() as chooser:
        keys.keys.press("Space")
    content = b'<package class="52005" version="1" sender_code="1"/>'
    chooser.value.set_files({"name": "a.xml", "mimeType": "text/xml", "buffer": content})
    keys.press("main form button", "Space")
    assert "Пока ничего не записано" in text(keys.at)
    keys.press("main a[href='/documents']")
    assert keys.page.url.endswith("/documents")


def test_a_letter_is_found_opened_and_its_entity_too(keys):
    keys.enter_console()
    keys.section("/console/letters")
    keys.type("#receipt", "2")
    keys.keys.press("Enter")
    keys.page.wait_for_url("**receipt=2*")
    keys.press("main tbody a[href='/console/letters/2']")
    assert "Письмо № 2" in text(keys.at)
    keys.press(f"main a[href='/console/entities/{CODE}']")
    assert CODE in text(keys.at)


def test_a_reading_is_entered_and_its_receipt_withdrawn(keys, index):
    keys.enter_console()
    keys.at.go(f"/console/entities/{CODE}/enter")
    keys.to("#register")
    for _ in range(4):
        keys.keys.press("ArrowDown")
    keys.to("#day")
    keys.keys.type(f"{datetime.now(UTC):01%m%Y}")
    if keys.page.input_value("#day") != f"{datetime.now(UTC):%Y-%m-01}":
        # The browser's language has the month first.
        keys.keys.press("ArrowLeft")
        keys.keys.press("ArrowLeft")
        keys.keys.type(f"{datetime.now(UTC):%m01%Y}")
    assert keys.page.input_value("#day") == f"{datetime.now(UTC):%Y-%m-01}"
    keys.to("#hour")
    keys.keys.press("Home")
    keys.keys.press("ArrowDown")
    keys.type("#value", f"{45901 + index}")
    keys.type("#reason", "telephone")
    keys.press("main form .actions button")
    assert "Пока ничего не записано" in text(keys.at)
    keys.press("form[action$='/record'] button")
    keys.press("main a[href$='/withdraw']")
    keys.type("#reason", "a mistake")
    keys.press("main form button")
    assert "Что изменится" in text(keys.at)
    keys.press("main form button", "Space")
    assert "Квитанция отозвана" in text(keys.at)


def test_a_doubtful_value_is_looked_at_and_accepted(keys):
    keys.enter_console()
    keys.section("/console/suspects")
    box = "main [name=suspect]"
    number = keys.page.locator(box).first.get_attribute("value")
    keys.press(f"main a[href='/console/suspects/{number}']")
    assert HELPED in text(keys.at)
    keys.section("/console/suspects")
    keys.to(box)
    keys.keys.press("Space")
    keys.type("#reason", "read again")
    keys.press("main form .actions button")
    assert keys.page.locator(f"{box}[value='{number}']").count() == 0


def test_a_month_is_closed_at_the_second_asking_and_opened_by_another_person(keys, index):
    month = month_at(datetime.now(UTC))
    for _ in range(4 + index):
        month = preceding(month)
    keys.enter_console()
    keys.section("/console/months")
    for _ in range(3 + index):
        keys.press("main nav a")
    assert keys.page.url.endswith(f"{month:%Y-%m}")
    keys.press("main form[action$='/close'] button")
    assert "не хватает" in text(keys.at)
    keys.press("main form[action$='/close'] button", "Space")
    keys.press("main form[action$='/reopen'] button")
    assert "другой" in text(keys.at)


def test_an_operator_is_added_and_switched_off(keys, index):
    name = f"boris{index}"
    keys.enter_console()
    keys.section("/console/operators")
    keys.type("#name", name)
    keys.to("#role")
    keys.keys.press("ArrowDown")
    keys.press("form[action='/console/operators'] button")
    assert "Показано один раз" in text(keys.at)
    row = f"tr:has(th:text-is('{name}'))"
    summary = keys.page.locator(f"{row} summary")
    summary.evaluate("one => one.id = 'wanted'")
    keys.to("#wanted")
    keys.keys.press("Enter")
    keys.keys.press("Tab")
    with keys.page.expect_navigation():
        keys.keys.press("Space")
    assert "отключён" in keys.page.inner_text(row)


def test_a_customer_on_the_telephone_is_found_and_gets_a_password(keys):
    keys.enter_console()
    keys.section("/console/entities")
    keys.type("#text", HELPED[-4:])
    keys.press("main form button")
    keys.press(f"main a[href='/console/entities/{HELPED}']")
    keys.to("main summary")
    keys.keys.press("Enter")
    keys.press("form[action$='/password'] button")
    assert keys.page.locator("[role=status] code").inner_text()


def test_readings_are_typed_and_checked(keys):
    keys.sign_in()
    keys.section("/readings/enter")
    keys.type("input.number", "1")
    # Enter in a field checks, and records nothing.
    with keys.page.expect_navigation():
        keys.keys.press("Enter")
    assert "ещё ничего не записано" in text(keys.at)
