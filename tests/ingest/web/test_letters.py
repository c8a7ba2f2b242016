"""Letters that an operator looks for, and numbers in addresses."""

import html
import re
from datetime import datetime
from types import SimpleNamespace

import pytest
from starlette.exceptions import HTTPException

from ingest.web.console.letters import STATES, _day, _seen, _sought
from ingest.web.site import number_in
from layouts.months import MOSCOW
from storage.records.letters import Sought
from tests.ingest.office import mail, xml
from tests.ingest.web.test_account import field, registers
from tests.ingest.web.test_console import Crew

NOTHING = dict.fromkeys(
    ("state", "entity", "claimed", "sender", "subject", "receipt", "since", "until"), ""
)


@pytest.fixture
def crew(world):
    return Crew(world)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("0000000007", 7), ("2147483647", 2**31 - 1), ("2147483648", None),
     ("00000000007", None), ("-1", None), ("+1", None), ("1.0", None), ("", None), (" 1", None),
     ("１", None), ("²", None)],
)  # fmt: skip
def test_a_number_in_an_address_is_one_that_the_database_knows(text, number):
    if number is None:
        with pytest.raises(HTTPException) as told:
            number_in(text)
        assert told.value.status_code == 404
    else:
        assert number_in(text) == number


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, {}),
        ({"state": "claimed"}, {"state": "claimed"}),
        ({"state": "quarantined"}, {"state": "quarantined"}),
        ({"state": "accepted"}, {"outcome": "accepted"}),
        ({"entity": "47", "claimed": "48"}, {"entity": "47", "claimed": "48"}),
        ({"sender": "a", "subject": "b"}, {"sender": "a", "subject": "b"}),
        ({"receipt": "17"}, {"receipt": 17}),
        ({"receipt": "№ 17"}, {"receipt": 17}),
        ({"receipt": "123456789"}, {"receipt": 123456789}),
        ({"since": "2026-11-15"}, {"since": datetime(2026, 11, 15, tzinfo=MOSCOW)}),
        ({"until": "2026-11-30"}, {"until": datetime(2026, 12, 1, tzinfo=MOSCOW)}),
    ],
)
def test_what_is_asked_is_what_the_store_is_asked(asked, wanted):
    assert _sought(NOTHING | asked) == Sought(**wanted)


@pytest.mark.parametrize(
    "asked",
    [{"state": "fine"}, {"receipt": "№"}, {"receipt": "1234567890"}, {"receipt": "１７"},
     {"receipt": "-1"}, {"since": "yesterday"}, {"until": "2026-02-30"}, {"until": "0001-01-01"}],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_an_error(asked):
    with pytest.raises(ValueError):  # noqa: PT011 - the page tells the same of each
        _sought(NOTHING | asked)


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [("1989-12-31", False), ("1990-01-01", True), ("2200-12-31", True), ("2201-01-01", False)],
)
def test_days_are_of_two_centuries(text, is_taken):
    if is_taken:
        assert f"{_day(text):%Y-%m-%d}" == text
    else:
        with pytest.raises(ValueError, match=text):
            _day(text)


def test_a_form_is_made_of_a_letters_state_and_of_when_it_got_it():
    def seen(state, settled_at):
        return _seen(SimpleNamespace(summary=SimpleNamespace(state=state), settled_at=settled_at))

    day = datetime(2026, 11, 15, tzinfo=MOSCOW)
    each = [seen("settled", day), seen("settled", day.replace(hour=1)), seen("claimed", None)]
    assert len(set(each)) == 3
    assert seen("settled", day) == each[0]


def links(page, start):
    """Addresses of a page that begin so."""
    found = (html.unescape(piece.split('"')[0]) for piece in page.split('href="')[1:])
    return [one for one in found if one.startswith(start)]


def test_letters_are_paged_and_every_question_goes_along(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.console.letters._A_PAGE", 2)
    numbers = [crew.receives(mail(xml("1.5", created=f"2026111419323{n}"))) for n in range(3)]
    anna = crew.enters()
    first = anna.get("/console/letters?subject=read").text
    [older] = links(first, "/console/letters?subject=read&before=")
    second = anna.get(older).text

    for number, page in zip(numbers, (second, first, first), strict=True):
        assert f'"/console/letters/{number}"' in page
        assert f'"/console/letters/{number}"' not in (first + second).replace(page, "")
    assert links(first, "/console/letters?") == [older]
    assert links(second, "/console/letters?") == ["/console/letters?subject=read"]


def test_every_state_may_be_asked_for(crew):
    anna = crew.enters()
    for state in STATES:
        assert anna.get(f"/console/letters?state={state}").status_code == 200, state


def test_what_was_put_back_is_told_and_nothing_chosen_too(crew):
    anna = crew.enters()
    told = anna.get("/console/letters?put_back=3&kept=2").text
    assert "3" in told.split('role="status"')[1].split("</div>")[0]
    none = anna.post("/console/letters/replay", {})
    assert none.status_code == 422
    assert anna.post("/console/letters/replay", {"letter": "77"}).status_code == 404


@pytest.mark.parametrize("put_back", [True, False])
def test_a_letter_put_back_or_not_is_told_as_that(crew, put_back):
    number = crew.receives()
    crew.world.service.transports.put_back = lambda outcome, wanted, reopen: (
        reopen(set(wanted)) or set(wanted) if put_back else set()
    )
    anna = crew.enters()
    page = anna.get(f"/console/letters/{number}").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    answer = anna.post(f"/console/letters/{number}/replay", {"seen": seen})
    assert answer.headers["location"].endswith("note=put_back" if put_back else "note=kept")
    assert anna.get(answer.headers["location"]).text.count('class="note') == 1


def test_files_of_a_reply_are_counted_from_one(crew):
    number = crew.receives()
    anna = crew.enters()
    [eml] = links(
        anna.get(f"/console/letters/{number}").text, f"/console/letters/{number}/replies/"
    )[:1]
    folder = eml.removesuffix(".eml")
    owner = crew.world.browser()
    owner.sign_in()
    [*listed] = links(owner.get("/receipts/1").text, "/receipts/1/files/")

    assert len(listed) > 0
    for path in (folder, "/receipts/1/files"):
        of = anna if path == folder else owner
        files = [of.get(f"{path}/{at}") for at in range(len(listed) + 2)]
        assert [one.status_code for one in files] == [404, *[200] * len(listed), 404]
        assert b"80021" in files[1].content
        assert files[1].headers["content-type"] == "application/octet-stream"
    reply = folder.rsplit("/", 1)[1]
    other = int(reply) + 1
    assert anna.get(f"/console/letters/{number}/replies/{other}.eml").status_code == 404
    assert anna.get(f"/console/letters/{number}/replies/{other}/1").status_code == 404
    assert anna.get("/console/letters/77").status_code == 404


def test_the_list_of_receipts_ends_where_there_are_no_more(crew, monkeypatch):
    monkeypatch.setattr("ingest.web.account.receipts._LETTERS_A_PAGE", 2)
    owner = crew.world.browser()
    owner.sign_in()
    crew.receives(mail(xml("1.5")))
    assert not links(owner.get("/receipts").text, "/receipts?")
    crew.receives(mail(xml("1.6", created="20261114193233")))
    crew.receives(mail(xml("1.7", created="20261114193234")))
    [older] = links(owner.get("/receipts").text, "/receipts?")
    last = owner.get(older).text
    assert links(last, "/receipts/") == ["/receipts/1"]
    assert "/receipts" in links(last.split('class="pager"')[1], "/receipts")
    assert not links(last, "/receipts?")


@pytest.mark.parametrize(("most", "more"), [(1, "1"), (2, None), (300, None)])
def test_a_receipt_of_many_values_says_how_many_more(signed_in, monkeypatch, most, more):
    monkeypatch.setattr("ingest.web.account.receipts._CARRIED_MOST", most)
    page = signed_in.get("/readings/enter").text
    form = {"day": "2026-11-14", "hour": "10", "step": "check"}
    form |= dict(zip(registers(page), ("1000", "2000"), strict=True))
    form |= {
        "checked": field(signed_in.post("/readings/enter", form).text, "checked"),
        "step": "send",
    }
    signed_in.post("/readings/enter", form)
    told = signed_in.get("/receipts/1").text
    assert re.findall(r"Показаны не все строки\. Ещё: (\d+)\.", told) == ([more] if more else [])
    assert told.count('<td data-label="Сейчас">') == min(most, 2)
