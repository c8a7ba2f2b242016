"""The HTTP API, asked as programs ask."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jsonschema
import pytest
from msgspec.structs import replace

from ingest.operations.account.sessions import digest
from ingest.operations.withdraw import Order, withdraw
from ingest.web.account.api import DESCRIPTION
from ingest.web.account.pages import PAGES
from layouts.points import LegalEntity, MeteringPoint
from tests.ingest.office import CODE, PASSWORD, xml
from tests.ingest.web.conftest import OTHER, OTHER_PASSWORD
from tests.registering import register

API = "/api/v1"


def basic(name: str = CODE, password: str = PASSWORD) -> dict[str, str]:
    """The header of a name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def program(world):
    """A program: it is no browser. Each of its answers is held against the description."""
    client = world.browser().client
    del client.headers["Sec-Fetch-Site"]
    client.event_hooks = {"response": [fits_the_description]}
    return client


SPEC = json.loads(DESCRIPTION.read_text(encoding="utf-8"))


def fits_the_description(answer):
    """An answer is one that openapi.json has: status, type of content, and what is in it."""
    answer.read()
    path = answer.request.url.path
    found = [of for of in SPEC["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", of), path)]
    method = answer.request.method.lower()
    kind = answer.headers["content-type"].partition(";")[0]
    if found and method in SPEC["paths"][found[0]]:
        content = SPEC["paths"][found[0]][method]["responses"][str(answer.status_code)]
        content = content.get("content", {kind: {"schema": {}}})
    else:
        content = SPEC["paths"][f"{API}/documents"]["post"]["responses"]["400"]["content"]
    assert kind in content, (path, kind)
    if kind in {"application/json", "application/problem+json"}:
        schema = {"components": SPEC["components"], **content[kind]["schema"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


@pytest.fixture
def token(world):
    """The header of a token of the entity's."""
    with world.service.ledger.transaction() as store:
        ends = world.now + timedelta(days=30)
        store.accounts.make_token(CODE, "ASKUE", digest("secret"), "owner", world.now, ends)
    return {"Authorization": "Bearer secret"}


def post(program, content, headers, **query):
    return program.post(f"{API}/documents", content=content, headers=headers, params=query)


def test_a_document_in_the_body_gets_its_receipt(program, token):
    answer = post(program, xml("0.067", "0.066").encode(), token, name="z.xml")
    told = answer.json()

    assert (answer.status_code, answer.headers["location"]) == (201, "/api/v1/receipts/1")
    assert (told["receipt"], told["verdict"], told["layout"]) == (1, "accepted", "52005")
    assert told["file"] == "z.xml"
    assert told["series"][0]["total"] == "133000"


def test_a_document_in_a_form_and_a_password_do_as_well(program):
    files = {"file": ("z.xml", xml("0.067").encode())}
    answer = program.post(f"{API}/documents", files=files, headers=basic())

    assert answer.json()["receipt"] == 1


def test_sent_again_it_is_the_same_receipt(program, token):
    answers = [post(program, xml("0.067").encode(), token) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json()["receipt"] for answer in answers] == [1, 1]


def test_a_dry_run_records_nothing(world, program, token):
    told = post(program, xml("0.067", "much").encode(), token, dry_run=1).json()

    assert told["receipt"] is None
    assert told["findings"][0]["severity"] == "error"
    with world.service.ledger.reading() as store:
        assert store.letters.find() == []


def test_the_receipt_comes_as_80021_when_that_is_asked_for(program, token):
    answer = post(program, xml("0.067").encode(), {**token, "Accept": "application/xml"})

    assert answer.headers["content-type"] == "application/xml"
    assert b'class="80021"' in answer.content
    again = program.get(f"{API}/receipts/1", headers={**token, "Accept": "text/xml"})
    assert b'id="1"' in again.content


def test_receipts_months_and_readings_are_told(program, token):
    post(program, xml("0.067", "0.066").encode(), token)
    receipt = program.get(f"{API}/receipts/1", headers=token).json()
    month = program.get(f"{API}/months/2026-11", headers=token).json()
    lines = program.get(f"{API}/readings?period=2026-11", headers=token).text.splitlines()
    table = program.get(
        f"{API}/readings?period=2026-11&grain=day", headers={**token, "Accept": "text/csv"}
    )

    wrong = program.get(f"{API}/readings?grain=week", headers=token)

    assert (wrong.status_code, wrong.json()["code"]) == (400, "grain")
    assert receipt["carried"][0]["in_force"] == 2
    assert {one["state"] for one in month["asked"]} == {"part", "later"}
    assert [json.loads(line)["energy"] for line in lines] == [67000, 66000]
    assert table.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    "headers",
    [{}, basic(password="wrong"), basic("nobody"), {"Authorization": "Bearer wrong"},
     {"Authorization": "Basic !"}, {"Authorization": "Digest x"}, {"Authorization": "Bearer "}],
)  # fmt: skip
def test_who_proves_nothing_is_told_so_in_the_same_words(program, headers):
    answer = program.get(f"{API}/receipts/1", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Bearer" in answer.headers["www-authenticate"]
    assert answer.json()["code"] == "unauthorized"


def test_a_token_that_ended_is_none(world, program, token):
    assert program.get(f"{API}/months/2026-11", headers=token).status_code == 200
    world.later(days=31)

    assert program.get(f"{API}/months/2026-11", headers=token).status_code == 401


def test_another_entitys_receipt_is_not_there(world, program, token):
    post(program, xml("0.067").encode(), token)
    answer = program.get(f"{API}/receipts/1", headers=basic(OTHER, OTHER_PASSWORD))

    assert answer.status_code == 404
    assert answer.json()["code"] == "no-receipt"


def test_a_foreign_point_is_an_unknown_one_to_a_program(world, program, token):
    foreign = MeteringPoint("200000009999-01", channels=("A+",))
    with world.service.ledger.transaction() as store:
        points = (*store.registry.entity(OTHER).points, foreign)
        register(
            store.registry,
            [LegalEntity(OTHER, points=points, name="ООО «Другое»", inn="3300000002")],
            "operator", world.now,
        )  # fmt: skip
    told = [
        post(
            program,
            xml("0.067").replace("<consumption", f'<consumption point="{code}"').encode(),
            token,
            dry_run=1,
        ).json()
        for code in ("200000009999-01", "200000009999-99")
    ]

    codes = [{finding["code"] for finding in one["findings"]} for one in told]
    assert codes[0] == codes[1]
    assert "foreign-point" not in codes[0]


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04", b"<a/>"])
def test_what_is_no_document_is_told_as_that(program, token, content):
    answer = post(program, content, token)

    assert answer.status_code in {200, 201, 400}
    if answer.status_code == 400:
        assert answer.json()["code"] == "empty"
    else:
        assert answer.json()["verdict"] == "unreadable"


def test_two_hundred_megabytes_are_refused_before_they_are_kept(program, token):
    sent = 0

    def body():
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield bytes(2**20)

    answer = post(program, body(), token)

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_a_browser_of_another_site_cannot_use_a_password_that_it_knows(world):
    foreign = world.browser(Origin="https://evil.example").client

    assert post(foreign, xml("0.067").encode(), basic()).status_code == 403


def test_guesses_are_counted_as_on_the_sign_in_page(program):
    for _ in range(5):
        program.get(f"{API}/months/2026-11", headers=basic(password="wrong"))

    assert program.get(f"{API}/months/2026-11", headers=basic()).status_code == 401


def test_the_description_is_of_the_addresses_that_there_are(program):
    told = program.get(f"{API}/openapi.json").json()
    routes = {
        (page.path, method.lower())
        for page in PAGES
        for method in page.methods
        if page.path.startswith("/api/")
    }

    assert {(path, method) for path, of in told["paths"].items() for method in of} == routes
    assert json.loads(DESCRIPTION.read_text(encoding="utf-8"))["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "documents", 405, "method"),
        ("DELETE", "receipts/1", 405, "method"),
        ("POST", "months/2026-11", 405, "method"),
        ("POST", "openapi.json", 405, "method"),
        ("GET", "months/2026-13", 404, "no-month"),
        ("GET", "readings?period=yesterday", 404, "no-month"),
        ("GET", "receipts/one", 404, "missing"),
        ("GET", "receipts/99999999999999999999", 404, "missing"),
        ("GET", "receipts/77", 404, "no-receipt"),
        ("GET", "nowhere", 404, "missing"),
    ],
)
def test_what_is_asked_wrongly_is_told_as_what_it_is(program, token, method, path, status, code):
    answer = program.request(method, f"{API}/{path}", headers=token)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=a\r\n"),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
        ("application/x-www-form-urlencoded", b"file=1&file=2"),
    ],
)
def test_a_form_without_a_file_is_a_problem(program, token, kind, body):
    answer = post(program, body, {**token, "Content-Type": kind})

    assert (answer.status_code, answer.json()["code"] in {"no-file", "no-form"}) == (400, True)


def test_two_programs_that_send_the_same_bytes_at_once_get_one_receipt(world, token):
    def send(_):
        return post(world.browser().client, xml("0.067").encode(), token).json()["receipt"]

    with ThreadPoolExecutor(4) as threads:
        receipts = set(threads.map(send, range(4)))

    assert receipts == {1}
    with world.service.ledger.reading() as store:
        assert len(store.letters.find()) == 1


def test_the_description_names_the_address_that_is_known_or_this_one(world, program):
    assert program.get(f"{API}/openapi.json").json()["servers"] == [{"url": "/"}]
    web = replace(world.service.settings.web, public_url="https://meters.example/")
    world.service.settings = replace(world.service.settings, web=web)
    told = program.get(f"{API}/openapi.json").json()
    assert told["servers"] == [{"url": "https://meters.example"}]


def test_a_withdrawal_is_no_document_and_has_no_xml(world, program, token):
    post(program, xml("0.067").encode(), token)
    order = Order(1, "operator:anna", "asked for", None, anyway=True)
    withdraw(order, world.service.ledger, world.service.policy, world.now)
    assert program.get(f"{API}/receipts/2", headers=token).status_code == 200
    for number in (2, 3):
        answer = program.get(
            f"{API}/receipts/{number}", headers={**token, "Accept": "application/xml"}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "no-receipt")


@pytest.mark.parametrize(
    ("headers", "is_proven"),
    [
        ({"Authorization": "bearer secret"}, True),
        ({"Authorization": "BEARER  secret "}, True),
        ({"Authorization": "Token secret"}, False),
        ({"Authorization": "secret"}, False),
        ({"Authorization": basic()["Authorization"].replace("Basic", "basic")}, True),
        ({"Authorization": "Basic ****"}, False),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff:x").decode()}, False),
    ],
)
def test_a_scheme_is_written_in_any_case(program, token, headers, is_proven):
    assert token
    answer = program.get(f"{API}/months/2026-11", headers=headers)
    assert answer.status_code == (200 if is_proven else 401)


def test_without_a_period_values_are_of_this_month(program, token):
    post(program, xml("0.067").encode(), token)
    this = program.get(f"{API}/readings", headers=token)
    assert len(this.text.splitlines()) == 1
    assert program.get(f"{API}/readings?period=2026-10", headers=token).text == ""
    for grain in ("interval", "day", "month"):
        assert program.get(f"{API}/readings?grain={grain}", headers=token).status_code == 200
