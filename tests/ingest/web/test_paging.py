"""Lists that go on on another page, and pages that lead to the month beside."""

import html
import re
from datetime import UTC, datetime

import pytest

from storage.records.access import OperatorRole
from tests.ingest.office import CODE, mail, xml
from tests.ingest.web.conftest import OTHER
from tests.ingest.web.test_console import Crew


@pytest.fixture
def crew(world):
    return Crew(world)


def links(page, start):
    """Addresses of a page that begin so."""
    found = (html.unescape(one) for one in re.findall(r'href="([^"]*)"', page))
    return [one for one in found if one.startswith(start)]


def test_entities_are_paged_by_user_code_and_the_text_goes_along(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.entities._SHOWN", 1)
    anna = crew.enters()
    first = anna.get("/console/entities?text=ООО").text
    [onward] = links(first, "/console/entities?")
    second = anna.get(onward).text

    assert f'"/console/entities/{CODE}"' in first
    assert f'"/console/entities/{OTHER}"' not in first
    assert f'"/console/entities/{OTHER}"' in second
    assert f'"/console/entities/{CODE}"' not in second
    [back] = links(second, "/console/entities?")
    assert f'"/console/entities/{CODE}"' in anna.get(back).text
    one = anna.get("/console/entities?text=другое").text
    assert not links(one, "/console/entities?")


@pytest.mark.parametrize(
    ("text", "found"),
    [("", 2), (CODE, 1), ("пример", 1), ("3300000002", 1), ("OTHER@drugoe", 1), ("  ООО ", 2),
     ("nobody", 0)],
)  # fmt: skip
def test_entities_are_found_by_code_name_inn_and_address(crew, text, found):
    page = crew.enters().get("/console/entities", params={"text": text}).text
    assert len(set(links(page, "/console/entities/2"))) == found


def test_a_note_of_an_address_is_told_by_lists(crew):
    anna = crew.enters()
    for path in ("/console/entities?note=imported", "/console/suspects?note=accepted",
                 "/console/months/2026-10?note=reminded"):  # fmt: skip
        assert 'class="note good"' in anna.get(path).text, path


def test_changes_of_an_entity_are_the_latest_first_and_bounded(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.entities._CHANGES", 2)
    anna = crew.enters()
    for _ in range(3):
        anna.post(f"/console/entities/{CODE}/password")
    page = anna.get(f"/console/entities/{CODE}").text
    assert page.count("operator:anna") == 2
    assert "<code>" not in page.split("<main")[1].split("</main>")[0] or "password" in page
    assert anna.post("/console/entities/1/password").status_code == 404


def test_the_audit_is_asked_by_who_what_and_which_and_paged(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.history._A_PAGE", 2)
    anna = crew.enters()
    for _ in range(3):
        anna.post(f"/console/entities/{CODE}/password")
    question = "/console/audit?who=operator%3Aanna&what=password"
    first = anna.get(f"{question}&key={CODE}").text
    [older] = links(first, "/console/audit?")
    second = anna.get(older).text

    assert older.startswith(f"{question}&key={CODE}&before=")
    assert [page.count("<tr>") for page in (first, second)] == [3, 2]
    assert links(second, "/console/audit?") == [f"{question}&key={CODE}"]
    assert anna.get("/console/audit?who=nobody").text.count("<tr>") <= 1
    assert not links(anna.get(question.replace("anna", "boris")).text, "/console/audit?")
    sealed = anna.post("/console/audit/verify").text
    assert 'class="note good"' in sealed


@pytest.fixture
def suspects(crew):
    """Three doubtful values of one receipt."""
    crew.receives(mail(xml(*["1.5"] * 20)))
    with crew.world.service.ledger.transaction() as store:
        connection = store.session.connection
        series = connection.exec_driver_sql("SELECT id FROM interval_series").scalar()
        for hour in range(3):
            at = 1793480400 + hour * 3600
            connection.exec_driver_sql(
                "INSERT INTO suspicion (submission_id, code, series_id, channel, zone, start, end,"
                f" raised_at) VALUES (1, 'spike', {series}, 'A+', '', {at}, {at + 3600}, {at})"
            )
    return crew


def test_doubtful_values_are_paged_in_the_order_they_were_raised(suspects, monkeypatch):
    monkeypatch.setattr("ingest.web.console.suspects._SHOWN", 2)
    anna = suspects.enters()
    first = anna.get("/console/suspects").text
    [onward] = links(first, "/console/suspects?")
    second = anna.get(onward).text

    assert re.findall(r'name="suspect" value="(\d+)"', first) == ["1", "2"]
    assert re.findall(r'name="suspect" value="(\d+)"', second) == ["3"]
    assert not links(second, "/console/suspects?")
    assert 'action="/console/suspects/accept?after=2"' in second


def test_what_was_chosen_stays_chosen_without_a_reason_and_the_unknown_is_told(suspects):
    anna = suspects.enters()
    accept = "/console/suspects/accept"
    again = anna.post(accept, {"suspect": ["2", "3"]})
    assert again.status_code == 422
    chosen = re.findall(r'name="suspect" value="(\d+)"[^>]* checked', again.text)
    assert chosen == ["2", "3"]
    assert anna.post(accept, {"reason": "called"}).status_code == 422
    assert 'name="reason" value="called"' in anna.post(accept, {"reason": "called"}).text
    assert anna.post(accept, {"suspect": ["1", "77"], "reason": "called"}).status_code == 409
    assert anna.post(accept, {"suspect": "x", "reason": "called"}).status_code == 404
    assert anna.post(accept, {"suspect": "1", "reason": "called"}).status_code == 303
    # One that was accepted before does not keep another from it.
    assert anna.post(accept, {"suspect": ["1", "2"], "reason": "called"}).status_code == 303
    assert suspects.audit("suspicion") == [("operator:anna", "1"), ("operator:anna", "2")]


def test_a_month_is_paged_by_entity_and_told_whole_in_count(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.months._ENTITIES_A_PAGE", 1)
    anna = crew.enters()
    path = "/console/months/2026-10"
    first = anna.get(path).text
    [onward] = links(first, f"{path}?")
    second = anna.get(onward).text

    assert onward == f"{path}?after={CODE}"
    assert f"/console/entities/{CODE}" in first
    assert f"/console/entities/{OTHER}" not in first
    assert f"/console/entities/{OTHER}" in second
    assert not links(second, f"{path}?after")
    monkeypatch.setattr("ingest.web.console.months._ENTITIES_A_PAGE", 25)
    assert not links(anna.get(path).text, f"{path}?")


@pytest.mark.parametrize(
    ("most", "more", "own"), [(1, "2", "1"), (2, "1", None), (3, None, None), (500, None, None)]
)
def test_a_month_of_many_rows_says_how_many_more(crew, signed_in, monkeypatch, most, more, own):
    monkeypatch.setattr("ingest.web.console.months._ROWS_MOST", most)
    page = crew.enters().get("/console/months/2026-10").text
    shown = re.search(r"Ещё: (\d+)", page)
    assert (shown and shown[1]) == more
    monkeypatch.setattr("ingest.web.account.month._ROWS_MOST", most)
    shown = re.search(r"Ещё: (\d+)", signed_in.get("/?month=2026-10").text)
    assert (shown and shown[1]) == own


def test_pages_of_a_month_lead_to_the_months_beside_but_to_none_in_the_future(crew, signed_in):
    anna = crew.enters()
    for of, path in (
        (anna, "/console/months/{}"),
        (signed_in, "/?month={}"),
        (signed_in, "/readings?by=month&month={}"),
    ):
        for month, before, after in (
            ("2026-10", "2026-09", "2026-11"),
            ("2026-11", "2026-10", None),
            ("2027-01", "2026-12", None),
        ):
            pager = of.get(path.format(month)).text.split('class="pager"')[1].split("</nav>")[0]
            led = re.findall(r'href="[^"]*(\d{4}-\d\d)"', pager)
            assert led == [before, *([after] if after else [])], (path, month)


def test_the_month_that_is_due_is_the_one_before_this(crew):
    anna = crew.enters()
    assert anna.get("/console/months").headers["location"] == "/console/months/2026-10"
    crew.world.now = datetime(2026, 11, 30, 21, tzinfo=UTC)
    boris = crew.enters("boris")
    assert boris.get("/console/months").headers["location"] == "/console/months/2026-11"


def test_a_month_has_ended_with_its_last_moment(crew):
    crew.world.now = datetime(2026, 11, 30, 20, 59, tzinfo=UTC)
    path = "/console/months/2026-11"
    admin = crew.enters("anna", OperatorRole.ADMINISTERS)
    assert f'action="{path}/close"' not in admin.get(path).text
    crew.world.now = datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert f'action="{path}/close"' in admin.get(path).text
    assert admin.post(f"{path}/reopen").status_code == 409
