"""The console as operators walk it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.demo.year import CODE
from layouts.months import month_at, preceding
from tests.browser.test_account import text

MONTH = f"/console/months/{preceding(month_at(datetime.now(UTC))):%Y-%m}"
PAGES = (
    "/console", "/console/letters", "/console/letters/2", "/console/suspects", MONTH,
    f"{MONTH}/matrix", "/console/entities", f"/console/entities/{CODE}",
    f"/console/entities/{CODE}/enter", "/console/receipts/2/withdraw", "/console/import",
    "/console/export", "/console/audit", "/console/status", "/console/operators",
)  # fmt: skip


def test_no_page_has_barriers_complaints_or_a_second_scroll_bar(window):
    at = window()
    found = at.wrong_with("/console")
    at.enter_console()
    found += [told for path in PAGES for told in at.wrong_with(path)]

    assert found == []
    assert at.complaints == []


@pytest.mark.parametrize(("width", "scripts"), [(360, False), (1280, True)])
def test_a_reading_is_entered_and_its_receipt_withdrawn(window, width, scripts):
    at = window(width, scripts=scripts)
    at.enter_console()
    at.go(f"/console/entities/{CODE}/enter")
    at.page.select_option("#register", index=4)
    at.page.fill("#day", f"{datetime.now(UTC):%Y-%m-01}")
    at.page.select_option("#hour", "1")
    at.page.fill("#value", f"{45900 + width / 1000:.1f}")
    at.page.fill("#reason", "по телефону")
    at.page.click("main form button")
    assert "Пока ничего не записано" in text(at)
    at.page.click("main form button:has-text('Записать')")
    assert "Передача записана" in text(at)
    at.page.click("text=Отозвать эту квитанцию")
    at.page.fill("#reason", "ошибка")
    at.page.click("main form button")
    assert "Что изменится" in text(at)
    at.page.click("main form button:has-text('Отозвать')")
    assert "Квитанция отозвана" in text(at)
    assert at.complaints == []
