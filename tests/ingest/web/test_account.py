"""The account's pages: what they show, and what handing in on them does."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime

import pytest
from openpyxl import load_workbook

from ingest.operations.account.sessions import Attempt, proven
from ingest.operations.billed import Asked, readings
from ingest.operations.closing import close
from tests.ingest.office import CODE, PASSWORD, xml
from tests.ingest.web.conftest import HIDDEN, HOSTILE, OTHER, OTHER_PASSWORD

FORM = {"name": CODE, "password": PASSWORD}

MONTH_END = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
METER = "12345678"


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    return re.search(rf'name="{re.escape(name)}" value="([^"]*)"', page)[1]


def upload(browser, content: str | bytes, name: str = "z.xml"):
    """Check a file."""
    content = content.encode() if isinstance(content, str) else content
    return browser.post("/documents", files={"file": (name, content, "text/xml")})


def hand_in(browser, content: str | bytes, name: str = "z.xml"):
    """Check a file and hand it in."""
    page = upload(browser, content, name).text
    return browser.post("/documents/hand-in", {"digest": field(page, "digest")})


def registers(page: str) -> list[str]:
    """The names of the fields for readings."""
    return re.findall(r'name="(v\.[^"]+)"', page)


def letters(world) -> int:
    with world.service.ledger.reading() as store:
        return len(store.letters.find())


@pytest.mark.parametrize(
    "path", ["/receipts", "/readings", "/readings/enter", "/documents", "/templates"]
)
def test_pages_are_for_who_is_signed_in_and_lead_back_behind_it(browser, path):
    answer = browser.get(f"{path}?month=2026-10")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/?next={path.replace('/', '%2F')}%3Fmonth%3D2026-10"


def test_this_month_says_what_is_there_and_what_is_missing_by_point_and_day(signed_in):
    assert hand_in(signed_in, xml("0.067")).status_code == 303
    page = signed_in.get("/?month=2026-11").text

    days = re.findall(r'<li class="(\w+)"><span>(\d+)</span>', page)
    assert days[:3] == [("part", "1"), ("missing", "2"), ("missing", "3")]
    assert days[14:16] == [("later", "15"), ("later", "16")]
    assert METER in page
    assert "Срок не наступил" in page


def test_the_days_until_the_deadline_are_counted(world, signed_in):
    assert "осталось" in signed_in.get("/?month=2026-11").text
    world.now = datetime(2026, 12, 2, 18, tzinfo=UTC)
    signed_in.sign_in()
    assert "Сегодня последний день" in signed_in.get("/?month=2026-11").text
    world.now = datetime(2026, 12, 5, 9, tzinfo=UTC)
    signed_in.sign_in()
    page = signed_in.get("/?month=2026-11").text
    assert "просрочено на" in page
    assert "3\u00a0дня" in page


@pytest.mark.parametrize("month", ["2026-13", "x", "0000-01", "2026-11-01"])
def test_a_month_that_is_none_is_no_page(signed_in, month):
    assert signed_in.get(f"/?month={month}").status_code == 404


def test_checking_a_file_records_nothing_and_tells_each_finding_at_its_place(world, signed_in):
    page = upload(signed_in, xml("0.067", "much")).text

    assert "Пока ничего не записано" in page
    assert "квитанция №" not in page
    assert "строка" in page
    assert "much" in page
    assert letters(world) == 0


def test_the_file_that_was_checked_is_handed_in_with_one_button(world, signed_in):
    answer = hand_in(signed_in, xml("0.067", "0.066"))

    assert answer.headers["location"] == "/receipts/1"
    page = signed_in.get("/receipts/1").text
    assert "Принят." in page
    assert "Действует: 2" in page
    assert "файл в кабинете" in page


def test_two_clicks_are_one_receipt(world, signed_in):
    page = upload(signed_in, xml("0.067")).text
    form = {"digest": field(page, "digest")}
    places = {signed_in.post("/documents/hand-in", form).headers["location"] for _ in range(3)}

    assert places == {"/receipts/1"}
    assert letters(world) == 1


def test_a_file_that_another_browser_checked_cannot_be_handed_in(world, signed_in):
    page = upload(signed_in, xml("0.067")).text
    form = {"digest": field(page, "digest")}
    other = world.browser()
    other.sign_in()
    assert other.post("/documents/hand-in", form).status_code == 422
    assert signed_in.post("/sign-out").status_code == 303
    signed_in.sign_in(OTHER, OTHER_PASSWORD)
    assert signed_in.post("/documents/hand-in", form).status_code == 422
    assert letters(world) == 0


def test_a_file_waits_for_an_hour(world, signed_in):
    page = upload(signed_in, xml("0.067")).text
    for _ in range(3):
        world.later(minutes=25)
        signed_in.get("/templates")

    answer = signed_in.post("/documents/hand-in", {"digest": field(page, "digest")})
    assert answer.status_code == 422
    assert "больше часа" in answer.text


@pytest.fixture
def filled_wrongly(signed_in):
    """The entity's own workbook with words for readings."""
    blank = signed_in.get("/templates/52006.xlsx")
    assert blank.headers["content-disposition"].startswith("attachment;")
    book = load_workbook(io.BytesIO(blank.content))
    sheet = book.worksheets[0]
    row = next(cell.row for line in sheet.iter_rows() for cell in line if cell.value == METER)
    for cell in sheet[row]:
        if cell.value is None:
            cell.value = "abc"
    changed = io.BytesIO()
    book.save(changed)
    return changed.getvalue()


def comments(answer):
    """Those in the cells of a workbook."""
    book = load_workbook(io.BytesIO(answer.content))
    return [cell.comment for sheet in book for line in sheet.iter_rows() for cell in line
            if cell.comment]  # fmt: skip


def test_a_workbook_comes_back_marked_at_once(world, signed_in, filled_wrongly):
    page = upload(signed_in, filled_wrongly, "показания.xlsx").text

    link = re.search(r'href="(/documents/marked/[^"]+)"', page)[1]
    assert comments(signed_in.get(link))
    assert letters(world) == 0


def test_a_marked_workbook_is_there_for_an_hour_and_said_to_be_gone_behind_it(
    world, signed_in, filled_wrongly
):
    page = upload(signed_in, filled_wrongly, "показания.xlsx").text
    link = re.search(r'href="(/documents/marked/[^"]+)"', page)[1]
    assert "в течение часа" in page
    place = signed_in.post("/documents/hand-in", {"digest": field(page, "digest")}).headers[
        "location"
    ]
    receipt = signed_in.get(place).text

    assert f'href="{link}"' in receipt
    assert "в течение часа" in receipt
    assert comments(signed_in.get(link))
    other = world.browser()
    other.sign_in()
    assert link not in other.get(place).text
    for _ in range(3):
        world.later(minutes=25)
        assert signed_in.get("/templates").status_code == 200
    gone = signed_in.get(link)
    assert gone.status_code == 404
    assert "прошло больше часа" in gone.text
    assert link not in signed_in.get(place).text


def test_a_file_sent_after_the_sessions_end_is_told_to_be_lost_and_leads_back(world, signed_in):
    world.later(minutes=31)
    over = upload(signed_in, xml("0.067"))

    assert over.status_code == 403
    assert "Файл не передан и не сохранён" in over.text
    answer = signed_in.post("/sign-in", dict(HIDDEN.findall(over.text)) | FORM)
    assert answer.headers["location"] == "/documents"
    assert letters(world) == 0


def test_a_checked_file_outlives_the_session_of_who_checked_it(world, signed_in):
    checked = upload(signed_in, xml("0.067")).text
    world.later(minutes=31)
    form = {"digest": field(checked, "digest"), "by_mail": "1"}
    over = signed_in.post("/documents/hand-in", form)
    assert "введённое сохранено" in over.text
    onward = signed_in.post("/sign-in", dict(HIDDEN.findall(over.text)) | FORM).text
    assert 'action="/documents/hand-in"' in onward
    again = signed_in.post("/documents/hand-in", dict(HIDDEN.findall(onward)))

    assert "Пока ничего не записано" in again.text
    assert letters(world) == 0
    assert re.search(r'name="by_mail" value="1" checked', again.text)
    answer = signed_in.post("/documents/hand-in", {"digest": field(again.text, "digest")})
    assert answer.headers["location"] == "/receipts/1"


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\x00\x01\x02", "x.bin"), (b"PK\x03\x04", "a.zip"), ("слова".encode(), "notes.txt"),
     (b"<package", "cut.xml"), (b"%PDF-1.4", "scan.pdf")],
)  # fmt: skip
def test_a_file_of_a_kind_that_we_do_not_know_is_told_as_that(signed_in, content, name):
    answer = upload(signed_in, content, name)

    assert answer.status_code == 200
    assert "показания приняты не будут" in answer.text
    assert "problems" in answer.text


def test_no_file_and_an_empty_one_are_told(signed_in):
    assert "Выберите файл" in signed_in.post("/documents").text
    assert "Файл пуст" in upload(signed_in, b"").text


def test_readings_typed_in_are_checked_then_recorded_as_a_document_of_ours(world, signed_in):
    world.now = MONTH_END
    signed_in.sign_in()
    page = signed_in.get("/readings/enter").text
    assert 'value="2026-11-30"' in page
    form = {"day": "2026-11-30", "hour": "24", "created": field(page, "created"), "step": "check"}
    form |= dict(zip(registers(page), ("1 000,5", "2000"), strict=True))
    checked = signed_in.post("/readings/enter", form).text
    assert "ещё ничего не записано" in checked
    assert letters(world) == 0

    form |= {"step": "send", "checked": field(checked, "checked")}
    answers = [signed_in.post("/readings/enter", form) for _ in range(2)]
    assert [answer.headers["location"] for answer in answers] == ["/receipts/1", "/receipts/1"]
    receipt = signed_in.get("/receipts/1").text
    assert "1\u00a0000,5" in receipt
    assert "52006" in receipt
    assert letters(world) == 1


def test_a_month_closed_between_the_check_and_the_button_keeps_what_was_billed(world, signed_in):
    world.now = MONTH_END
    signed_in.sign_in()
    page = signed_in.get("/readings/enter").text
    form = {"day": "2026-11-30", "hour": "24", "created": field(page, "created"), "step": "check"}
    form |= dict(zip(registers(page), ("1000,5", "2000"), strict=True))
    form |= {
        "step": "send",
        "checked": field(signed_in.post("/readings/enter", form).text, "checked"),
    }
    month = date(2026, 11, 1)
    assert close(world.service.ledger, month, "anna", world.now, anyway=True).is_closed

    answer = signed_in.post("/readings/enter", form)
    told = signed_in.get(answer.headers.get("location", "/")).text
    assert "закрыт" in answer.text + told
    for of in (month, date(2026, 12, 1)):
        with readings(world.service.ledger, Asked(of)) as recorded:
            assert list(recorded.rows) == []


def test_what_was_changed_behind_the_check_is_checked_again(world, signed_in):
    world.now = MONTH_END
    signed_in.sign_in()
    page = signed_in.get("/readings/enter").text
    form = {"day": "30.11.2026", "hour": "24", "created": field(page, "created"), "step": "check"}
    form |= dict.fromkeys(registers(page), "100")
    checked = signed_in.post("/readings/enter", form).text
    form |= {"step": "send", "checked": field(checked, "checked")}
    form |= dict.fromkeys(registers(page), "101")

    assert "ещё ничего не записано" in signed_in.post("/readings/enter", form).text
    assert letters(world) == 0


def test_a_mistake_is_told_at_its_field_and_what_was_typed_stays(signed_in):
    page = signed_in.get("/readings/enter").text
    names = registers(page)
    form = {"day": "2026-11-15", "hour": "10", "step": "check", names[0]: "12x", names[1]: "7"}
    told = signed_in.post("/readings/enter", form).text

    first, second = map(re.escape, names)
    assert re.search(rf'name="{first}" value="12x"[^>]*aria-invalid="true"', told)
    assert not re.search(rf'name="{second}" value="7"[^>]*aria-invalid', told)
    [problem] = re.findall(r'<p class="problem" id="problem-\d+">([^<]*)', told)
    assert problem == "Значение не число: смотрите ниже"
    # A keyboard and a screen reader begin at what was found, not at the top of the page.
    assert re.search(r'<div class="note bad"[^>]* tabindex="-1" autofocus>', told)


@pytest.mark.parametrize(
    "form",
    [{}, {"day": "tomorrow"}, {"day": "2026-02-30"}, {"day": "9999-12-31", "hour": "24"},
     {"day": "2026-11-15", "hour": "99"}, {"day": "2026-11-15", "created": "-1"}],
)  # fmt: skip
def test_a_form_that_says_nothing_is_shown_again(world, signed_in, form):
    assert signed_in.post("/readings/enter", form).status_code == 422
    assert letters(world) == 0


@pytest.mark.parametrize("headers", [{}, {"X-Old-Browser": "2015"}])
def test_what_was_typed_comes_back_when_the_session_ended_meanwhile(world, headers):
    browser = world.browser(**headers)
    browser.sign_in(csrf=field(browser.get("/").text, "csrf"))
    page = browser.get("/readings/enter").text
    name = registers(page)[0]
    world.later(hours=2)
    form = {"day": "2026-11-15", "hour": "10", "csrf": field(page, "csrf"), name: "4711"}
    over = browser.post("/readings/enter", form)
    assert over.status_code == 403
    assert "введённое сохранено" in over.text

    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', over.text))
    back = browser.sign_in(**hidden)
    assert back.status_code == 200
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', back.text))
    filled = browser.post("/readings/enter", kept).text
    assert f'name="{name}" value="4711"' in filled
    assert letters(world) == 0


def test_a_receipt_is_shown_to_its_own_entity_alone(world, signed_in):
    hand_in(signed_in, xml("0.067"))
    other = world.browser()
    other.sign_in(OTHER, OTHER_PASSWORD)

    for path in ("/receipts/1", "/receipts/1/80021.xml", "/receipts/1/files/1"):
        assert other.get(path).status_code == 404
        assert "ООО «Пример»" not in other.get(path).text
    assert "№ 1" not in other.get("/receipts").text
    assert signed_in.get("/receipts/1").status_code == 200


@pytest.mark.parametrize("number", ["0", "2", "-1", "1e3", "99999999999999999999", "x", "１"])
def test_a_receipt_that_is_none_is_no_page(signed_in, number):
    hand_in(signed_in, xml("0.067"))

    assert signed_in.get(f"/receipts/{number}").status_code == 404


def test_a_receipt_tells_which_one_replaced_its_values(world, signed_in):
    hand_in(signed_in, xml("0.067", "0.066"))
    hand_in(signed_in, xml("0.067", "0.099", created="20261114200000"))

    first, second = (signed_in.get(f"/receipts/{number}").text for number in (1, 2))
    assert 'заменено квитанцией <a href="/receipts/2">' in first
    assert "заменено прежних значений: 1" in second


def test_a_receipt_is_there_for_programs(signed_in):
    hand_in(signed_in, xml("0.067"))
    answer = signed_in.get("/receipts/1/80021.xml")

    assert answer.headers["content-type"] == "application/xml"
    assert b'class="80021"' in answer.content
    assert b'id="1"' in answer.content


def test_the_list_is_paged_by_the_letters_number(world, signed_in, monkeypatch):
    monkeypatch.setattr("ingest.web.account.receipts._LETTERS_A_PAGE", 2)
    for value in ("0.061", "0.062", "0.063"):
        world.later(minutes=1)
        hand_in(signed_in, xml(value, created=f"{world.now:%Y%m%d%H%M%S}"))

    first = signed_in.get("/receipts").text
    assert re.findall(r"№ (\d)</a>", first) == ["3", "2"]
    older = re.search(r'href="(/receipts\?before=\d+)"', first)[1]
    assert re.findall(r"№ (\d)</a>", signed_in.get(older).text) == ["1"]


def test_hostile_names_are_text_wherever_they_are_shown(signed_in):
    name = HOSTILE.replace("/", "∕") + ".xml"
    document = xml("0.067", HOSTILE.replace("<", "&lt;").replace('"', "&quot;"))
    pages = [
        upload(signed_in, document, name),
        hand_in(signed_in, document, name),
        *(signed_in.get(path) for path in (
            "/", "/receipts", "/receipts/1", "/readings", "/readings/enter",
        )),
    ]  # fmt: skip

    for page in pages:
        assert "<img" not in page.text
        assert "<script>" not in page.text
    assert "&lt;script&gt;" in pages[-1].text


def test_readings_are_told_by_month_and_day_and_missing_ones_are_not_zero(world, signed_in):
    hand_in(signed_in, xml("0.067", "0.066"))
    year = signed_in.get("/readings?month=2026-11").text
    days = signed_in.get("/readings?month=2026-11&by=day").text
    later = [signed_in.get(f"/readings?month={month}").text for month in ("2026-12", "2027-11")]
    told = [re.findall(r"<dt>([^<]*)</dt><dd>133,000 ", page) for page in later]

    assert told == [["Месяцем раньше"], ["Годом раньше"]]
    assert year.count('class="gap"') >= 12
    assert "133,000" in year or "133" in year
    assert days.count("<tr") >= 30
    assert "Данных нет" in days


def test_a_day_of_doubtful_values_is_told_as_that(world, signed_in):
    hand_in(signed_in, xml(*["0.0255"] * 24))
    with world.service.ledger.reading() as store:
        assert {one.code for one in store.suspicions.find()} == {"flat-profile"}
    days = signed_in.get("/readings?month=2026-11&by=day").text

    assert days.count("<td>Есть сомнительные значения</td>") == 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_readings_are_there_as_files(signed_in, kind):
    hand_in(signed_in, xml("0.067", "0.066"))
    answer = signed_in.get(f"/readings.{kind}?month=2026-11")

    assert answer.status_code == 200
    assert f'filename="{CODE}_2026-11.{kind}"' in answer.headers["content-disposition"]
    if kind == "csv":
        assert answer.text.count("\n") == 3
        assert "67" in answer.text


def test_another_entitys_point_is_no_choice(world, signed_in):
    with world.service.ledger.reading() as store:
        point = store.registry.entity(OTHER).points[0].id

    assert signed_in.get(f"/readings?of={point}.A%2B").status_code == 404


def test_letters_stand_beside_uploads(world, signed_in):
    hand_in(signed_in, xml("0.067"))
    attempt = Attempt(CODE, PASSWORD, "192.0.2.0/24")

    assert proven(world.service, attempt, world.now) is not None
    assert "z.xml" in signed_in.get("/receipts").text
