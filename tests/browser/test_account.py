"""Each page's main way, walked as its user would."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from ingest.demo.year import CODE, PASSWORD

OPEN = ("/", "/registration", "/nowhere")
PAGES = (
    "/", "/readings/enter", "/documents", "/receipts", "/receipts/50", "/readings",
    "/readings?by=day&of=2.A%2B&month=2026-09", "/templates", "/people",
)  # fmt: skip
KINDS = pytest.mark.parametrize(
    ("width", "scripts"), [(360, True), (360, False), (1280, True), (1280, False)]
)


def text(window) -> str:
    return window.page.inner_text("main")


@KINDS
def test_readings_are_typed_checked_and_handed_in(window, width, scripts):
    at = window(width, scripts=scripts)
    at.sign_in()
    at.page.click("text=Ввести показания")
    field = at.page.locator("input.number").last
    last = re.sub(r"\s", "", at.page.locator("tbody tr td").nth(-3).inner_text().split("\n")[-2])
    # Each width and kind hands in a reading of its own.
    more = width + int(scripts)
    value = float(last.split(":")[-1].replace(",", ".")) + more / 10
    field.fill(f"{value:.1f}".replace(".", ","))
    if scripts:
        assert at.page.locator("output").last.inner_text() != "—"
    at.page.click("button:has-text('Проверить')")
    assert "ещё ничего не записано" in text(at)
    at.page.click("button[value=send]")
    assert re.search(r"/receipts/\d+$", at.page.url)
    assert "Квитанция №" in text(at)
    assert at.complaints == []


@pytest.mark.parametrize(("width", "scripts"), [(360, False), (1280, True)])
def test_a_file_is_checked_with_its_findings_then_handed_in(window, width, scripts, tmp_path):
    at = window(width, scripts=scripts)
    at.sign_in()
    file = tmp_path / "показания.xml"
    file.write_text(
        f'<package class="52005" version="1" sender_code="{CODE}" created="20261114193232">'
        f'<consumption date_time="2026110100" energy="much{width}{scripts}"/></package>',
        encoding="utf-8",
    )
    at.page.click("nav >> text=Передать файл")
    at.page.set_input_files("#file", file)
    at.page.click("button:has-text('Проверить')")
    assert "Пока ничего не записано" in text(at)
    assert f"much{width}{scripts}" in text(at)
    assert "строка" in text(at)
    at.page.click("button:has-text('Всё равно передать')")
    assert re.search(r"/receipts/\d+$", at.page.url)
    assert "Не принят" in text(at)
    assert at.complaints == []


def test_no_page_has_barriers_complaints_or_a_second_scroll_bar(window):
    at = window()
    found = [told for path in OPEN for told in at.wrong_with(path)]
    # That the last one is not there is what the browser complains of.
    assert [one for one in at.complaints if "404" not in one] == []
    at.sign_in()
    found += [told for path in PAGES for told in at.wrong_with(path)]
    assert found == []
    assert [one for one in at.complaints if "404" not in one] == []


def test_the_keyboard_alone_does(window):
    at = window()
    at.go("/")
    keys = at.page.keyboard
    at.page.focus("#name")
    keys.type(CODE)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    at.page.wait_for_selector("nav.main")
    keys.press("Tab")
    assert at.page.evaluate("document.activeElement.className") == "skip"
    keys.press("Enter")
    keys.press("Tab")
    assert at.page.evaluate("document.querySelector('main').contains(document.activeElement)")
    at.page.focus("nav.main a[href='/readings/enter']")
    keys.press("Enter")
    at.page.wait_for_selector("#enter")
    at.page.focus("#day")
    seen = set()
    for _ in range(30):
        keys.press("Tab")
        seen.add(at.page.evaluate("document.activeElement.name || document.activeElement.tagName"))
        if at.page.evaluate("document.activeElement.value") == "check":
            break
    else:
        pytest.fail(f"Tab never came to the button: {seen}")
    keys.press("Enter")
    at.page.wait_for_selector("[role=alert]")
    assert "не ввели ни одного" in text(at)


def test_a_page_that_was_left_open_keeps_what_was_typed(window):
    at = window(scripts=False)
    at.sign_in()
    at.go("/readings/enter")
    at.page.locator("input.number").first.fill("4711")
    at.page.context.clear_cookies(name="session")
    at.page.click("button:has-text('Проверить')")
    assert "введённое сохранено" in text(at)
    at.page.fill("#name", CODE)
    at.page.fill("#password", PASSWORD)
    at.page.click("main form button")
    at.page.click("text=Открыть заполненную форму")
    assert at.page.locator("input.number").first.input_value() == "4711"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_sent_or_confirmed_after_the_sessions_end_leads_back_to_where_one_was(
    window, scripts
):
    at = window(scripts=scripts)
    content = f'<package class="52005" version="1" sender_code="{CODE}"/>'.encode()
    file = {"name": "a.xml", "mimeType": "text/xml", "buffer": content}

    def sent_without_session(button: str) -> None:
        at.page.context.clear_cookies(name="session")
        at.page.click(button)

    def in_again() -> None:
        at.page.fill("#name", CODE)
        at.page.fill("#password", PASSWORD)
        at.page.click("main form button")

    at.sign_in()
    at.go("/documents")
    at.page.set_input_files("#file", file)
    sent_without_session("main form button")
    assert "Файл не передан и не сохранён" in text(at)
    in_again()
    assert at.page.url.endswith("/documents")
    at.page.set_input_files("#file", file)
    at.page.click("main form button")
    at.page.check("[name=by_mail]")
    sent_without_session("button:has-text('Всё равно передать')")
    assert "введённое сохранено" in text(at)
    in_again()
    at.page.click("text=Открыть заполненную форму")
    assert "Пока ничего не записано" in text(at)
    assert at.page.is_checked("[name=by_mail]")


def test_what_looks_for_barriers_is_the_file_that_is_named():
    folder = Path(__file__).parent / "axe"
    named = tomllib.loads((folder / "SOURCE.toml").read_text(encoding="utf-8"))

    assert hashlib.sha256((folder / "axe.min.js").read_bytes()).hexdigest() == named["sha256"]
    assert (folder / "LICENSE").is_file()
