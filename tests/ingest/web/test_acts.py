"""What operators do for an entity in the console: enter, withdraw, import, take a letter."""

import email
import html
import re
from pathlib import Path

import openpyxl
import pytest

from ingest.operations import status
from ingest.operations.console.operators import add
from ingest.reading.child import SandboxConfig
from ingest.reading.pool import SandboxReader
from ingest.web.words import words
from storage.records.access import OperatorRole, Role
from tests.books import workbook
from tests.hostile.corpus import books
from tests.ingest.office import CODE, NOW, mail, xml
from tests.ingest.web.conftest import HIDDEN, HOSTILE
from tests.ingest.web.test_console import Crew

ENTER = f"/console/entities/{CODE}/enter"
REASON = {"reason": "by telephone"}
SIGN_IN = {"name": "anna", "password": "Zima-2026-xyzzy"}
HEAD = "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;digits;decimals;ratio;installed;removed;channels;zones"  # noqa: E501

ROW = f"{CODE};ООО «Новое»;3300000001;buh@primer.example;1;{CODE};Цех;;900;;;;;;;A+;"
REGISTER = f"{HEAD}\n{ROW}\n".encode()


@pytest.fixture
def crew(world):
    return Crew(world)


def hidden(page, name):
    """The value of a hidden field of a page."""
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page.text)[1])


def file(content, name="a.xml"):
    return {"file": (name, content)}


def letters(crew):
    with crew.world.service.ledger.reading() as store:
        return store.letters.find()


def test_a_document_is_checked_then_entered_under_name_and_reason(crew):
    anna = crew.enters()
    checked = anna.post(ENTER, REASON, files=file(xml("1.5")))

    assert "by telephone" in checked.text
    assert letters(crew) == []
    form = {"digest": hidden(checked, "digest"), **REASON}
    done = anna.post(f"{ENTER}/record", form)
    assert done.status_code == 303
    assert "Передача записана" in anna.get(done.headers["location"]).text
    assert crew.audit("entry") == [("operator:anna", "1")]
    assert [one.sender for one in letters(crew)] == ["operator:anna"]
    # By two clicks: the same bytes are there already, and nothing is added.
    assert anna.post(f"{ENTER}/record", form).headers["location"].endswith("note=known")
    assert len(letters(crew)) == 1


def test_what_is_refused_between_check_and_record_is_not_told_as_done(crew):
    anna = crew.enters()
    checked = anna.post(ENTER, REASON, files=file(xml("many")))
    done = anna.post(f"{ENTER}/record", {"digest": hidden(checked, "digest"), **REASON})

    told = anna.get(done.headers["location"]).text
    assert "принято не всё" in told
    assert 'class="note good"' not in told


def test_a_reading_is_entered_by_its_register(crew):
    anna = crew.enters()
    page = anna.get(ENTER).text
    register = re.search(r'<option value="(\d+\.A\+\.T1)"', page)[1]
    form = {"register": register, "day": "2026-10-31", "hour": "24", "value": "1234,5", **REASON}
    checked = anna.post(ENTER, form)
    done = anna.post(f"{ENTER}/record", {"digest": hidden(checked, "digest"), **REASON})

    story = anna.get(done.headers["location"]).text
    assert "1\u202f234,5" in story or "1\u00a0234,5" in story


@pytest.mark.parametrize(
    ("form", "files", "told"),
    [
        ({"reason": " "}, file(xml("1.5")), "Напишите причину"),
        (REASON, {}, "Выберите файл или впишите"),
        (REASON, file(b""), "Файл пуст"),
        ({**REASON, "value": "1", "day": "yesterday"}, {}, "День указан не так"),
        (
            {**REASON, "value": "1", "day": "2026-10-31", "register": HOSTILE},
            {},
            "прибора здесь нет",
        ),
    ],
)
def test_a_form_that_lacks_something_comes_back_and_says_what(crew, form, files, told):
    answer = crew.enters().post(ENTER, form, files=files)

    assert answer.status_code == 422
    assert told in answer.text
    assert "<script>alert" not in answer.text


def test_rules_are_decided_against_by_name_and_no_others(crew):
    anna = crew.enters()
    old = xml("1.5", created="20261114193232")
    form = {**REASON, "override": ["too-old", "closed-month", HOSTILE]}
    checked = anna.post(ENTER, form, files=file(old))

    chosen = checked.text.split('class="actions"')[0]
    assert re.findall(r'name="override" value="([^"]*)"', chosen) == ["too-old"]


def test_an_entry_for_nobody_and_by_who_only_looks_is_none(crew):
    assert crew.enters().get("/console/entities/1/enter").status_code == 404
    looks = crew.enters("boris", OperatorRole.LOOKS)
    for path in (ENTER, f"{ENTER}/record", "/console/receipts/1/withdraw",
                 "/console/import", "/console/letters/1/source"):  # fmt: skip
        assert looks.post(path, REASON).status_code == 403, path


def test_what_was_typed_into_the_console_outlives_the_session(crew):
    anna = crew.enters()
    crew.world.later(hours=13)
    over = anna.post(ENTER, {**REASON, "value": "77", "day": "2026-10-31"})

    assert over.status_code == 403
    assert 'name="kept.value" value="77"' in over.text
    assert 'name="kept.reason" value="by telephone"' in over.text


def signed_in_again(browser, over):
    """The form that waits behind the sign-in, sent: what it shows."""
    assert over.status_code == 403
    answer = browser.post("/console/sign-in", dict(HIDDEN.findall(over.text)) | SIGN_IN)
    path = html.unescape(re.search(r'action="([^"]+)" class="card"', answer.text)[1])
    return browser.post(path, dict(HIDDEN.findall(answer.text)))


@pytest.fixture
def administers(crew):
    """A browser of an operator who needs no second factor."""
    add(
        crew.world.service, SIGN_IN["name"], OperatorRole.ADMINISTERS, "root", NOW,
        password=SIGN_IN["password"], second_factor=False,
    )  # fmt: skip
    browser = crew.world.browser()
    assert browser.post("/console/sign-in", SIGN_IN).status_code == 303
    return browser


def test_what_was_checked_in_the_console_outlives_the_session_and_is_checked_again(
    crew, administers
):
    told = administers.post(ENTER, REASON, files=file(xml("1.5")))
    crew.world.later(minutes=31)
    form = {**REASON, "digest": hidden(told, "digest")}
    again = signed_in_again(administers, administers.post(f"{ENTER}/record", form))
    assert "Пока ничего не записано" in again.text
    assert crew.audit("entry") == []
    form = {**REASON, "digest": hidden(again, "digest")}
    assert "/console/letters/" in administers.post(f"{ENTER}/record", form).headers["location"]

    told = administers.post("/console/import", files=file(REGISTER, "r.csv"))
    crew.world.later(minutes=31)
    form = {name: hidden(told, name) for name in ("digest", "mark")}
    again = signed_in_again(administers, administers.post("/console/import/apply", form))
    form = {name: hidden(again, name) for name in ("digest", "mark")}
    answer = administers.post("/console/import/apply", form)
    assert answer.headers["location"] == "/console/entities?note=imported"


def test_a_withdrawal_tells_what_changes_and_a_second_sending_withdraws(crew):
    crew.receives()
    anna, boris = crew.enters("anna"), crew.enters("boris")
    path = "/console/receipts/1/withdraw"
    assert anna.post(path, {"reason": " "}).status_code == 422
    told = anna.post(path, REASON)
    mark = hidden(told, "mark")

    assert "Что изменится" in told.text
    assert crew.audit("withdrawal") == []
    assert anna.post(path, {**REASON, "mark": "old"}).status_code == 422
    done = anna.post(path, {**REASON, "mark": mark})
    assert "Квитанция отозвана" in anna.get(done.headers["location"]).text
    assert boris.post(path, {**REASON, "mark": mark}).status_code == 409
    owner = crew.world.browser()
    owner.sign_in()
    assert "Отзыв" in owner.get("/receipts").text
    assert "by telephone" in owner.get("/receipts/2").text
    assert owner.get("/receipts/2/80021.xml").status_code == 404
    assert anna.get("/console/receipts/77/withdraw").status_code == 404


def test_a_month_closed_between_form_and_button_stays_as_it_was(crew):
    crew.receives()
    crew.world.later(days=20)
    anna = crew.enters("anna", OperatorRole.ADMINISTERS)
    path = "/console/receipts/1/withdraw"
    mark = hidden(anna.post(path, REASON), "mark")
    closing = anna.post("/console/months/2026-11/close")
    anna.post("/console/months/2026-11/close", {"mark": hidden(closing, "mark")})
    answer = anna.post(path, {**REASON, "mark": mark})

    assert answer.status_code == 409
    assert "Отозвать нельзя" in answer.text
    checked = anna.post(ENTER, REASON, files=file(xml("2.5", created="20261115000000")))
    assert "закрыт" in checked.text


def test_the_register_is_taken_over_after_its_changes_were_told(crew):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    told = admin.post("/console/import", files=file(REGISTER, "r.csv"))
    form = {"digest": hidden(told, "digest"), "mark": hidden(told, "mark"), "reason": ""}

    assert (told.status_code, "900" in told.text) == (200, True)
    assert crew.audit("entity")[-1][0] == "operator"
    assert admin.post("/console/import/apply", form | {"mark": "old"}).status_code == 422
    assert admin.post("/console/import/apply", form).headers["location"].endswith("note=imported")
    assert crew.audit("entity")[-1] == ("operator:anna", CODE)


def sheet_of(make):
    """The workbook in a letter of the hostile corpus."""
    return email.message_from_bytes(make()).get_payload()[1].get_payload(decode=True)


BOMBS = [
    (books.workbook_with_billion_laughs, "книга не читается"),
    (books.workbook_of_four_gigabytes_of_strings, "книга не читается"),
    (books.workbook_of_the_widest_rows, "книга слишком велика; сохраните её как CSV"),
    (books.workbook_of_facts, "нет столбца «meter»"),
]


@pytest.mark.parametrize(("make", "told"), BOMBS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_workbook_that_hurts_its_reader_is_a_mistake_and_hurts_no_page(
    crew, monkeypatch, make, told
):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    bomb = sheet_of(make)

    def opened(*_args, **_more):
        raise AssertionError("a workbook is opened outside of a child")

    # A child is a process of its own, which this does not reach.
    monkeypatch.setattr(crew.world.service, "reader", lambda: SandboxReader(SandboxConfig()))
    monkeypatch.setattr(openpyxl, "load_workbook", opened)
    answer = admin.post("/console/import", files=file(bomb, "r.xlsx"))

    assert answer.status_code == 422
    assert f"строка 1: {told}" in html.unescape(answer.text)
    row = f"{CODE};ООО «Новое»;3300000001;buh@primer.example;1;{CODE};Цех;;900;;;;;;;A+;"
    rows = [line.split(";") for line in (HEAD, row)]
    after = admin.post("/console/import", files=file(workbook(rows), "r.xlsx"))
    assert after.status_code == 200
    assert "900" in after.text


def test_a_register_with_mistakes_tells_them_and_changes_nothing(crew):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    answer = admin.post("/console/import", files=file(f"{HEAD}\n{HOSTILE};x\n".encode(), "r.csv"))

    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "строка 2: user_code: «&lt;script&gt;" in answer.text
    assert "», а ожидается число из одних цифр</li>" in answer.text
    assert admin.post("/console/import", {}).status_code == 422
    assert crew.enters("works").get("/console/import").status_code == 403


def test_a_letter_is_taken_whole_or_in_parts_and_the_audit_tells_by_whom(crew):
    content = mail(xml("1.5"))
    number = crew.receives(content)
    crew.world.service.transports.content_of = lambda *_: content
    anna = crew.enters()
    whole = anna.post(f"/console/letters/{number}/source")
    listed = anna.post(f"/console/letters/{number}/parts")
    part = anna.post(f"/console/letters/{number}/source", {"part": "2"})

    assert whole.content == content
    assert part.content == xml("1.5").encode()
    for answer in (whole, part):
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
    assert "0.xml" in listed.text
    assert crew.audit("letter-source") == [("operator:anna", str(number))] * 3
    crew.world.service.transports.content_of = lambda *_: None
    assert anna.post(f"/console/letters/{number}/source").status_code == 409


def test_the_matrix_tells_every_point_and_pages_by_user_code(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.months._ENTITIES_A_PAGE", 1)
    crew.receives(mail(xml(*["1.5"] * 24)))
    anna = crew.enters()
    first = anna.get("/console/months/2026-11/matrix").text
    second = anna.get(f"/console/months/2026-11/matrix?after={CODE}").text

    assert f"{CODE}: частично" in first
    assert "200000009999: ничего" in second
    assert "200000009999:" not in first
    assert f"{CODE}:" not in second


def test_an_operator_switches_a_user_off_and_opens_a_lock_at_the_entity(crew):
    with crew.world.service.ledger.transaction() as store:
        user = store.accounts.invite(CODE, "ivan@primer.example", Role.SENDS, crew.world.now)
    for guess in range(6):
        crew.receives(mail(xml("1.5"), body=f"Код: {CODE}\nПароль: {guess}nonsense"))
    anna = crew.enters()
    page = anna.get(f"/console/entities/{CODE}").text
    path = f"/console/entities/{CODE}/user-off"

    assert "ivan@primer.example" in page
    assert "/console/unlock" in page
    assert anna.post(path, {"user": str(user)}).status_code == 303
    assert anna.post(path, {"user": str(user)}).status_code == 409
    assert crew.audit("user") == [("operator:anna", str(user))]
    assert crew.enters("boris", OperatorRole.LOOKS).post(path, {"user": "1"}).status_code == 403


def test_what_needs_a_person_is_told_in_russian_with_status_words_beside_it(crew):
    with crew.world.service.ledger.transaction() as store:
        store.installation.server_failed("outbox", "no route to host", "", crew.world.now)
    anna = crew.enters()

    for path in ("/console", "/console/status"):
        page = anna.get(path).text
        assert "Ответы не уходят" in page
        assert '<p lang="en">outbox fails since' in page


def test_every_kind_of_need_has_its_words():
    kinds = set(re.findall(r'Need\(\s*"(\w+)"', Path(status.__file__).read_text(encoding="utf-8")))
    kinds |= {"mailbox", "outbox"}

    assert kinds - words("ru").texts["console_need"].keys() == set()


def test_a_month_closed_anew_tells_what_is_another_number(crew):
    crew.world.later(days=20)
    anna = crew.enters("anna", OperatorRole.ADMINISTERS)
    boris = crew.enters("boris", OperatorRole.ADMINISTERS)
    path = "/console/months/2026-11"
    crew.receives(mail(xml(*["1.5"] * 24)))
    anna.post(f"{path}/close", {"mark": hidden(anna.post(f"{path}/close"), "mark")})
    boris.post(f"{path}/reopen")
    crew.receives(mail(xml(*["2.5"] * 24, created="20261114193233")))
    told = anna.post(f"{path}/close", {"mark": hidden(anna.post(f"{path}/close"), "mark")})

    assert told.status_code == 200
    assert "Чем отличается от прежнего закрытия" in told.text
    assert "36" in told.text
    assert "60" in told.text
