"""The operators' console: who gets in, what it shows, and what it does not let happen."""

import html
import re
import threading
from dataclasses import dataclass
from itertools import chain
from types import SimpleNamespace

import pyotp
import pytest

from ingest.demo import year
from ingest.operations.account.sessions import Attempt
from ingest.operations.console.operators import add, switch_off
from storage.faults import StoreUnavailable
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, NOW, Office, mail, xml
from tests.ingest.web.conftest import HOSTILE, World, walked


@dataclass
class Crew:
    """Operators over a world, each in a browser of its own."""

    world: World

    def enters(self, name="anna", role=OperatorRole.WORKS, **headers):
        """A browser of a new operator who has signed in."""
        made = add(self.world.service, name, role, "root", self.world.now)
        browser = self.world.browser(**headers)
        code = pyotp.parse_uri(made.second_factor).at(self.world.now)
        form = {"name": name, "password": made.password, "code": code}
        begun = browser.post("/console/sign-in", form)
        assert (begun.status_code, begun.headers["location"]) == (303, "/console")
        return browser

    def receives(self, content=None):
        """A letter comes in and has its verdict; its number."""
        service = self.world.service
        Office(service.ledger, service.policy).takes(content or mail(xml("1.5")), self.world.now)
        with service.ledger.reading() as store:
            return store.letters.page(None, 1).letters[0].id

    def audit(self, what):
        """Who did something, and to what."""
        with self.world.service.ledger.reading() as store:
            return [(entry.who, entry.key) for entry in store.audit.of(what)]


@pytest.fixture
def crew(world):
    return Crew(world)


def hostile_letter():
    """A letter whose sender, subject, code and file names are markup."""
    subject = f"Subject: {HOSTILE}"
    content = mail(xml("1.5"), body=f"Код: {HOSTILE}\nПароль: x", head="")
    return content.replace(b"Subject: readings", subject.encode()).replace(
        b'name="0.xml"', b'name="<img src=x onerror=alert(1)>.xml"'
    )


def test_nobody_sees_the_console_without_signing_in(world):
    browser = world.browser()

    assert "Вход для операторов" in browser.get("/console").text
    answer = browser.get("/console/letters?state=refused")
    assert answer.headers["location"] == "/console?next=%2Fconsole%2Fletters%3Fstate%3Drefused"
    assert browser.post("/console/letters/replay", {"letter": "1"}).status_code == 403


def test_an_accounts_session_is_none_of_the_consoles_and_the_other_way_round(signed_in, crew):
    assert "Вход для операторов" in signed_in.get("/console").text
    assert "Вход в личный кабинет" in crew.enters().get("/").text


def test_a_sign_in_without_the_code_is_refused_and_says_no_more_than_others(world):
    add(world.service, "anna", OperatorRole.WORKS, "root", NOW, password="Zima-2026-xyzzy")
    pages = [
        world.browser().post("/console/sign-in", {"name": name, "password": password})
        for name, password in (("anna", "Zima-2026-xyzzy"), ("anna", "x"), ("nobody", "x"))
    ]

    assert [page.status_code for page in pages] == [422] * 3
    told = [page.text.split('role="alert"')[1].split("</div>")[0] for page in pages]
    assert len(set(told)) == 1


def test_who_is_switched_off_is_out_with_the_next_click(crew):
    browser = crew.enters()
    switch_off(crew.world.service.ledger, "anna", "root", NOW)

    assert browser.get("/console/letters").status_code == 303


def test_signing_out_ends_the_session(crew):
    browser = crew.enters()
    browser.post("/console/sign-out")

    assert browser.get("/console/letters").status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_site_does_nothing(crew, site):
    browser = crew.enters()
    answer = browser.post(
        "/console/letters/replay", {"letter": crew.receives()}, headers={"Sec-Fetch-Site": site}
    )

    assert answer.status_code == 403
    assert crew.audit("replay") == []


def test_a_role_that_only_looks_is_offered_no_act_and_can_send_none(crew):
    number = crew.receives()
    browser = crew.enters(role=OperatorRole.LOOKS)

    assert "/replay" not in browser.get(f"/console/letters/{number}").text
    assert "/replay" not in browser.get("/console/letters").text
    for path in (f"/console/letters/{number}/replay", "/console/letters/replay", "/console/unlock",
                 "/console/bounces/settle", "/console/requests/answer"):  # fmt: skip
        assert browser.post(path, {"letter": number}).status_code == 403


def test_the_first_page_stands_although_a_part_of_it_cannot_be_read(crew, monkeypatch):
    browser = crew.enters()

    def away(self):
        raise StoreUnavailable("the disk is full")

    with crew.world.service.ledger.reading() as store:
        monkeypatch.setattr(type(store.installation), "status", lambda *_: away(None))
        monkeypatch.setattr(type(store.senders), "locks", lambda *_: away(None))
    answer = browser.get("/console")

    assert answer.status_code == 200
    assert answer.text.count("the disk is full") == 2


def test_with_the_database_away_the_console_says_what_to_do(crew, monkeypatch):
    browser = crew.enters()

    def away(self):
        raise StoreUnavailable("down")

    monkeypatch.setattr(type(crew.world.service.ledger), "reading", away)
    answer = browser.get("/console")

    assert answer.status_code == 503
    assert "ingest doctor" in answer.text


def test_letters_are_found_by_each_question(crew):
    number = crew.receives()
    browser = crew.enters()

    for found in ("sender=BUH%40primer", "subject=READ", f"entity={CODE}", "receipt=1",
                  "state=accepted", "since=2026-11-15&until=2026-11-15"):  # fmt: skip
        assert f"/console/letters/{number}" in browser.get(f"/console/letters?{found}").text, found
    for none in ("sender=nobody", "entity=1", "receipt=77", "state=refused", "since=2026-11-16"):
        page = browser.get(f"/console/letters?{none}")
        assert f"/console/letters/{number}" not in page.text, none


@pytest.mark.parametrize(
    "question", ["since=tomorrow", "receipt=x", "receipt=9999999999999", "state=fine",
                 "since=0001-01-01"]
)  # fmt: skip
def test_a_question_that_is_none_is_told(crew, question):
    assert crew.enters().get(f"/console/letters?{question}").status_code == 422


def test_pages_of_letters_miss_none_and_tell_none_twice(crew):
    for hour in range(7):
        crew.receives(mail(xml(*["1.5"] * (hour + 1), created=f"2026111419323{hour}")))
    with crew.world.service.ledger.reading() as store:
        before, told = None, []
        while True:
            page = store.letters.page(before, 3)
            told += [one.id for one in page.letters]
            before = page.before
            if before is None:
                break
        assert told == sorted(told, reverse=True)
        assert len(set(told)) == len(store.letters.find())


def test_the_story_of_a_letter_tells_verdict_documents_and_reply_and_gives_it(crew):
    number = crew.receives()
    browser = crew.enters()
    page = browser.get(f"/console/letters/{number}").text

    assert "Принято" in page
    path = page.split('href="')[1:]
    reply = next(p.split('"')[0] for p in path if p.split('"')[0].endswith(".eml"))
    answer = browser.get(reply)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert b"Subject:" in answer.content
    assert (
        browser.get(f"/console/letters/{number + 1}/replies/{reply.split('/')[-1]}").status_code
        == 404
    )


def test_a_finding_tells_its_place_in_the_language_of_the_page(crew):
    number, browser = crew.receives(mail(xml("many"))), crew.enters()

    assert "<span>строка 1</span>" in browser.get(f"/console/letters/{number}").text
    assert "<span>line 1</span>" in browser.get(f"/console/letters/{number}?lang=en").text


def test_a_refused_letter_tells_its_true_reason(crew):
    number = crew.receives(mail(xml("1.5"), body=f"Код: {CODE}\nПароль: nonsense"))
    page = crew.enters().get(f"/console/letters/{number}").text

    assert "неверный пароль" in page
    # What `show` says stands beside it.
    assert "wrong password" in page
    assert CODE in page


@pytest.mark.parametrize("path", ["/console", "/console/letters", "/console/letters/{}"])
def test_what_letters_say_is_never_markup(crew, path):
    number = crew.receives(hostile_letter())
    page = crew.enters().get(path.format(number)).text

    assert "<script>alert" not in page
    assert "<img" not in page


def test_a_letter_is_put_back_once_and_under_the_operators_name(crew):
    number = crew.receives()
    service = crew.world.service
    service.transports.put_back = lambda outcome, wanted, reopen: (
        reopen(set(wanted)),
        set(wanted),
    )[1]
    anna, boris = crew.enters("anna"), crew.enters("boris")
    form = {
        name: anna.get(f"/console/letters/{number}")
        .text.split(f'name="{name}" value="')[1]
        .split('"')[0]
        for name in ("seen",)
    }

    first = anna.post(f"/console/letters/{number}/replay", form)
    second = boris.post(f"/console/letters/{number}/replay", form)

    assert first.status_code == 303
    assert second.status_code == 409
    assert "другой оператор" in second.text
    assert crew.audit("replay") == [("operator:anna", str(number))]


def test_many_letters_are_put_back_together(crew):
    numbers = [crew.receives(mail(xml("1.5", created=f"2026111419323{n}"))) for n in range(3)]
    crew.world.service.transports.put_back = lambda outcome, wanted, reopen: (
        reopen(set(wanted)), set(wanted))[1]  # fmt: skip
    answer = crew.enters().post("/console/letters/replay", {"letter": [str(n) for n in numbers]})

    assert answer.headers["location"] == "/console/letters?put_back=3&kept=0"
    assert sorted(crew.audit("replay")) == sorted(("operator:anna", str(n)) for n in numbers)


def test_a_request_for_access_is_answered_once(crew):
    with crew.world.service.ledger.transaction() as store:
        store.accounts.ask(HOSTILE, "x@y.example", "192.0.2.0/24", NOW)
    anna, boris = crew.enters("anna"), crew.enters("boris")
    assert "<script>alert" not in anna.get("/console").text
    form = {"number": "1", "answer": "called back"}

    assert anna.post("/console/requests/answer", {"number": "1", "answer": " "}).status_code == 422
    assert anna.post("/console/requests/answer", form).status_code == 303
    assert boris.post("/console/requests/answer", form).status_code == 409
    assert crew.audit("access-request") == [("operator:anna", "1")]


def test_a_lock_is_opened_in_place(crew):
    for _ in range(6):
        crew.receives(mail(xml("1.5"), body=f"Код: {CODE}\nПароль: {_}nonsense"))
    browser = crew.enters()
    assert "/console/unlock" in browser.get("/console").text

    assert browser.post("/console/unlock", {"code": CODE}).status_code == 303
    assert crew.audit("unlock") == [("operator:anna", CODE)]
    assert browser.post("/console/unlock", {"code": CODE}).status_code == 409


def test_an_attempt_is_nothing_that_is_printed():
    assert "secret" not in repr(Attempt("anna", "secret", "192.0.2.0/24"))


def test_a_part_that_cannot_be_read_leaves_the_others(crew, monkeypatch):
    anna = crew.enters()
    for fault in (StoreUnavailable("down"), ValueError("what a letter held")):

        def broken(*_args, fault=fault, **_options):
            raise fault

        with monkeypatch.context() as while_it_lasts:
            while_it_lasts.setattr("storage.billed.suspicions.Suspicions.find", broken)
            page = anna.get("/console")
        assert (page.status_code, "не прочитать" in page.text) == (200, True)
        assert "what a letter held" not in page.text


def test_a_month_is_closed_at_the_second_asking_and_opened_by_another_person(crew):
    anna = crew.enters("anna", OperatorRole.ADMINISTERS)
    boris = crew.enters("boris", OperatorRole.ADMINISTERS)
    first = anna.post("/console/months/2026-10/close")
    assert first.status_code == 422
    assert CODE in first.text
    mark = first.text.split('name="mark" value="')[1].split('"')[0]

    assert anna.post("/console/months/2026-10/close", {"mark": "old"}).status_code == 422
    assert anna.post("/console/months/2026-10/close", {"mark": mark}).status_code == 303
    assert "не прочитать" not in anna.get("/console").text
    assert boris.post("/console/months/2026-10/close", {"mark": mark}).status_code == 409
    assert boris.post("/console/months/2026-10/remind").status_code == 409
    assert anna.post("/console/months/2026-10/reopen").status_code == 403
    assert boris.post("/console/months/2026-10/reopen").status_code == 303
    assert crew.audit("period") == [("operator:anna", "2026-10"), ("operator:boris", "2026-10")]


def test_a_month_that_has_not_ended_cannot_be_closed(crew):
    anna = crew.enters("anna", OperatorRole.ADMINISTERS)
    page = anna.get("/console/months/2026-11").text

    assert "/close" not in page
    assert "Месяц ещё не кончился" in page
    assert anna.post("/console/months/2026-11/close").status_code == 422
    assert crew.audit("period") == []


def test_months_are_closed_by_who_administers(crew):
    browser = crew.enters(role=OperatorRole.WORKS)

    assert "/close" not in browser.get("/console/months/2026-10").text
    assert browser.post("/console/months/2026-10/close").status_code == 403
    assert browser.get("/console/months/2026-13").status_code == 404


def test_who_lacks_something_is_reminded_once_a_day(crew):
    browser = crew.enters()
    for _ in range(2):
        assert browser.post("/console/months/2026-10/remind").status_code == 303

    with crew.world.service.ledger.reading() as store:
        assert store.installation.status(crew.world.now).owed == 2


def test_a_doubtful_value_is_looked_at_and_accepted_with_a_reason(crew):
    crew.receives(mail(xml(*["1.5"] * 20)))
    codes, words = ("of-another-version", "above-permitted-power"), "Выше разрешённой мощности"
    with crew.world.service.ledger.transaction() as store:
        series = store.session.connection.exec_driver_sql("SELECT id FROM interval_series").scalar()
        for code in codes:
            store.session.connection.exec_driver_sql(
                "INSERT INTO suspicion (submission_id, code, series_id, channel, zone, start, end,"
                f" raised_at) VALUES (1, '{code}', {series}, 'A+', '', 1793480400, 1793484000,"
                " 1793500000)"
            )
    browser = crew.enters()
    page = browser.get("/console/suspects/1").text

    assert "<svg" in page
    assert re.findall(r'class="num" data-label="[^"]*">([^<]*)', page) == ["1\xa0500,000"] * 2
    assert codes[0] in browser.get("/console/suspects").text
    # A code of another version has no words.
    assert words not in page
    assert words in browser.get("/console/suspects/2").text
    assert words in browser.get("/console/suspects").text
    form = {"suspect": "1", "reason": "called: the oven was on"}
    assert browser.post("/console/suspects/accept", {"suspect": "1"}).status_code == 422
    assert browser.post("/console/suspects/accept", form).status_code == 303
    assert browser.post("/console/suspects/accept", form).status_code == 409
    assert crew.audit("suspicion") == [("operator:anna", "1")]
    assert "/console/receipts/1/withdraw" not in browser.get("/console/suspects/1").text
    assert browser.get("/console/suspects/77").status_code == 404


def test_an_entity_is_found_and_told_and_gets_a_new_password_once_shown(crew):
    browser = crew.enters()
    assert CODE in browser.get("/console/entities?text=primer.example").text
    assert CODE not in browser.get("/console/entities?text=nobody").text.split("<main")[1]
    page = browser.get(f"/console/entities/{CODE}").text
    assert "12345678" in page
    assert "<script>alert" not in page
    assert browser.get("/console/entities/1").status_code == 404

    answer = browser.post(f"/console/entities/{CODE}/password").text
    made = answer.split("<code>")[1].split("</code>")[0]
    assert crew.world.browser().sign_in(password=made).status_code == 303
    assert ("operator:anna", CODE) in crew.audit("password")
    looks = crew.enters("boris", OperatorRole.LOOKS)
    assert looks.post(f"/console/entities/{CODE}/password").status_code == 403


def test_an_operator_is_added_shown_once_what_to_sign_in_with_and_switched_off(crew):
    admin, path = crew.enters("anna", OperatorRole.ADMINISTERS), "/console/operators"
    told = admin.post(path, {"name": HOSTILE, "role": "works"}).text
    password, key, factor = map(html.unescape, re.findall(r"<code>(.*?)</code>", told))
    code = pyotp.parse_uri(factor).at(NOW)
    other = crew.world.browser()
    form = {"name": HOSTILE, "password": password, "code": code}

    assert "<script>alert" not in told
    assert f"secret={key}&" in factor
    listed = admin.get(path).text
    assert "<script>alert" not in listed
    assert HOSTILE in html.unescape(listed)
    assert password not in listed
    assert other.post("/console/sign-in", form).status_code == 303
    assert other.get(path).status_code == 403
    assert path not in other.get("/console").text
    assert admin.post(path, {"name": HOSTILE, "role": "administers"}).status_code == 409
    assert admin.post(path, {"name": "a\u202eb", "role": "works"}).status_code == 422
    assert admin.post(f"{path}/off", {"name": HOSTILE}).headers["location"] == path
    assert other.get("/console/letters").status_code == 303
    assert admin.post(f"{path}/off", {"name": HOSTILE}).status_code == 409
    assert crew.audit("operator")[1:] == [("operator:anna", HOSTILE)] * 2


def test_hundreds_of_operators_are_told_page_by_page(crew):
    admin, path = crew.enters("anna", OperatorRole.ADMINISTERS), "/console/operators"
    names = ["anna", *(f"boris & {number:03}" for number in range(500))]
    with crew.world.service.ledger.transaction() as store:
        for name in names[1:]:
            store.operators.keep(name, OperatorRole.LOOKS, "", None, "root", NOW, anew=False)
    pages = walked(admin, path, "since", r'scope="row">([^<]+)')

    assert [*chain(*pages)] == names
    assert max(map(len, pages)) <= 50
    found = html.unescape(admin.get(f"{path}?since=boris+%26+4").text)
    assert re.findall(r'scope="row">([^<]+)', found)[0] == "boris & 400"


def test_nobody_is_switched_off_by_oneself(crew):
    admin = crew.enters("anna", OperatorRole.ADMINISTERS)

    assert "/console/operators/off" not in admin.get("/console/operators").text
    assert admin.post("/console/operators/off", {"name": "anna"}).status_code == 409
    assert admin.get("/console/letters").status_code == 200


def test_the_demos_operator_signs_in_as_it_says(world):
    year.make_operator(world.service, world.now)
    browser = world.browser()
    form = {"name": year.OPERATOR, "password": year.OPERATOR_PASSWORD}

    assert browser.post("/console/sign-in", form).status_code == 303
    assert "Ждёт человека" in browser.get("/console").text


def test_what_the_first_page_tells_is_worked_out_before_somebody_asks(world, monkeypatch):
    asked = threading.Event()
    monkeypatch.setattr("ingest.web.pages.needs", lambda *_: asked.set())
    monkeypatch.setattr("ingest.web.pages.gc", SimpleNamespace(get_freeze_count=lambda: 1))
    world.pages.look_ahead()
    assert asked.wait(30)
    [thread] = [one for one in threading.enumerate() if one.name == "look-ahead"]
    assert thread.daemon
    world.pages.close()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize(("frozen", "done"), [(0, ["collect", "freeze"]), (1, []), (1000, [])])
def test_what_is_loaded_is_frozen_once(world, monkeypatch, frozen, done):
    noted = []
    monkeypatch.setattr("ingest.web.pages.needs", lambda *_: None)
    monkeypatch.setattr(
        "ingest.web.pages.gc",
        SimpleNamespace(
            get_freeze_count=lambda: frozen,
            collect=lambda: noted.append("collect"),
            freeze=lambda: noted.append("freeze"),
        ),
    )
    world.pages._over.set()
    world.pages._look_ahead()
    assert noted == done
