"""Access tokens from an identity provider that may be slow, wrong, gone or lying."""

import contextlib
import errno
import json
import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from trustme import CA, KeyType

from ingest.transports import oauth
from ingest.transports.oauth import OAuthAccount, OAuthConfig
from ingest.transports.ports import TokenUnavailable
from tests.identity import identity_provider

USER = "meters@example.ru"
SECRET = "client-secret-value"


@pytest.fixture
def provider():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def kept(tmp_path):
    """A token file, as `ingest oauth` leaves it."""
    path = tmp_path / "token.json"
    path.write_text(json.dumps({"refresh_token": "refresh-0", "refreshed_at": time.time()}))
    path.chmod(0o600)
    return path


def account(provider, **options):
    given = {
        "name": "office",
        "grant": "client_credentials",
        "token_url": f"{provider.url}/token",
        "client_id": "client",
        "client_secret": SECRET,
        "scope": "https://mail.example/.default",
    }
    return OAuthAccount(OAuthConfig(**(given | options)))


def refreshing(provider, path, **options):
    return account(provider, grant="refresh_token", token_file=str(path), **options)


def refresh_token(path):
    return json.loads(path.read_text())["refresh_token"]


def test_client_credentials_ask_with_the_secret_in_the_body(provider):
    assert account(provider).token(USER).value == "access-1"
    assert provider.asked == [{
        "grant_type": "client_credentials", "client_id": "client", "client_secret": SECRET,
        "scope": "https://mail.example/.default",
    }]  # fmt: skip


@pytest.fixture
def certificate(tmp_path):
    """A PEM file with key and certificate, and the moment at which it ends."""
    ends = datetime(2027, 3, 1, 12, tzinfo=UTC)
    issued = CA().issue_cert("meters.example", not_after=ends, key_type=KeyType.RSA)
    path = tmp_path / "certificate.pem"
    path.write_bytes(issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes())
    path.chmod(0o600)
    return path, ends


def test_a_certificate_signs_in_place_of_a_secret(provider, certificate):
    path, _ = certificate
    account(provider, client_secret="", certificate=str(path)).token(USER)
    (asked,) = provider.asked
    assert "client_secret" not in asked
    key = RSAKey.import_key(path.read_bytes())
    told = jwt.decode(asked["client_assertion"], key, algorithms=["PS256"])
    assert told.claims["iss"] == told.claims["sub"] == "client"
    assert told.claims["aud"] == f"{provider.url}/token"
    assert len(told.header["x5t#S256"]) == 43


def test_a_service_account_signs_for_the_mailbox(provider, tmp_path):
    key = RSAKey.generate_key(2048)
    path = tmp_path / "service.json"
    path.write_text(json.dumps({
        "client_email": "robot@project.example", "private_key_id": "7",
        "private_key": key.as_pem(private=True).decode(),
    }))  # fmt: skip
    path.chmod(0o600)
    account(provider, grant="service_account", service_account=str(path)).token(USER)
    told = jwt.decode(provider.asked[0]["assertion"], key, algorithms=["RS256"])
    assert told.claims["sub"] == USER
    assert told.claims["iss"] == "robot@project.example"
    assert told.claims["scope"] == "https://mail.example/.default"


def test_a_rotated_refresh_token_is_the_one_that_is_used_next(provider, kept):
    office = refreshing(provider, kept)
    for expected in ("refresh-1", "refresh-2", "refresh-3"):
        office.token(USER)
        assert refresh_token(kept) == expected
    assert [asked["refresh_token"] for asked in provider.asked] == [
        "refresh-0", "refresh-1", "refresh-2",
    ]  # fmt: skip
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_not_rotated_stays(provider, kept):
    provider.rotates = False
    provider.good = {"refresh-0"}
    refreshing(provider, kept).token(USER)
    assert refresh_token(kept) == "refresh-0"


def test_no_token_is_given_before_the_rotated_one_is_kept(provider, kept, monkeypatch):
    def full(_file):
        raise OSError(errno.ENOSPC, "No space left on device", str(kept))

    monkeypatch.setattr(oauth.os, "fsync", full)
    office = refreshing(provider, kept)
    with pytest.raises(TokenUnavailable, match="No space left"):
        office.token(USER)
    # As after a crash there: what was kept before is tried again.
    monkeypatch.undo()
    assert refresh_token(kept) == "refresh-0"
    assert office.token(USER).value == "access-2"
    assert [path.name for path in kept.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        ({"access_token": 7, "refresh_token": "refresh-9"}, "refresh-9"),
        ({"access_token": "access", "refresh_token": ""}, "refresh-0"),
        ({"access_token": "access", "refresh_token": {"new": "refresh-9"}}, "refresh-0"),
    ],
)
def test_a_rotated_token_is_kept_whatever_came_with_it(provider, kept, answer, then):
    provider.answers = [(200, json.dumps(answer | {"token_type": "Bearer"}).encode())]
    with contextlib.suppress(TokenUnavailable):
        refreshing(provider, kept).token(USER)
    assert refresh_token(kept) == then


def test_a_new_process_goes_on_with_what_the_one_before_kept(provider, kept):
    refreshing(provider, kept).token(USER)
    refreshing(provider, kept).token(USER)
    assert refresh_token(kept) == "refresh-2"


def test_threads_that_want_a_token_at_once_never_use_one_twice(provider, kept):
    offices = [refreshing(provider, kept) for _ in range(4)]
    threads = [threading.Thread(target=office.token, args=[USER]) for office in offices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = [asked["refresh_token"] for asked in provider.asked]
    assert used == ["refresh-0", "refresh-1", "refresh-2", "refresh-3"]


def test_a_refresh_token_is_used_daily_without_need(provider, kept):
    office = refreshing(provider, kept)
    office.keep_alive()
    assert provider.asked == []
    told = json.loads(kept.read_text())
    kept.write_text(json.dumps(told | {"refreshed_at": time.time() - 90_000}))
    office.keep_alive()
    office.keep_alive()
    assert len(provider.asked) == 1
    # Noted before the clock was set back by a year.
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"refreshed_at": time.time() + 3e7}))
    office.keep_alive()
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("claimed", "least", "most"),
    [(3600, 3590, 3600), ("1800", 1790, 1800), (0, 50, 60), (-5, 50, 60), (10**12, 86000, 86400),
     (None, 3590, 3600)]
)  # fmt: skip
def test_a_token_is_relied_upon_for_a_minute_to_a_day(provider, claimed, least, most):
    provider.expires_in = claimed
    token = account(provider).token(USER)
    assert least <= token.ends - time.monotonic() <= most


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        (400, b'{"error": "invalid_grant"}', "refuses: invalid_grant"),
        (401, b'{"error": "invalid_client", "error_description": "x"}', "invalid_client"),
        (500, b"<html>oops</html>", "oauth.office"),
        (503, b"", "oauth.office"),
        (200, b"{}", "oauth.office"),
        (200, b"[1]", "oauth.office"),
        (200, b'{"access_token": 7}', "oauth.office"),
        (200, b'{"access_token": "two\\r\\nlines"}', "oauth.office"),
        (200, b"\xff\xfe", "oauth.office"),
        (200, b"x" * 300_000, "too long"),
        (302, b"", "oauth.office"),
        (200, b'{"access_token": "x", "expires_in": "soon"}', "oauth.office"),
        (200, b'{"access_token": "x", "expires_in": [1]}', "oauth.office"),
        (200, b'{"access_token": "x", "expires_in": NaN}', "oauth.office"),
    ],
)
def test_whatever_a_provider_answers_is_a_fault_of_time_in_one_sentence(
    provider, kept, status, content, told
):
    for office in (account(provider), refreshing(provider, kept)):
        provider.answers = [(status, content)]
        with pytest.raises(TokenUnavailable, match=told) as raised:
            office.token(USER)
        assert SECRET not in str(raised.value) + raised.value.advice
        assert "refresh-0" not in str(raised.value)
        assert raised.value.advice
    assert refresh_token(kept) == "refresh-0"


def test_a_provider_that_drips_is_not_waited_for(provider, monkeypatch):
    monkeypatch.setattr(oauth, "ANSWER_SECONDS", 0.3)
    provider.drips = 0.05
    with pytest.raises(TokenUnavailable, match="too long"):
        account(provider).token(USER)


def test_a_provider_that_is_away_is_told(provider):
    with identity_provider() as gone:
        pass
    with pytest.raises(TokenUnavailable, match="cannot be reached"):
        account(gone).token(USER)


def test_a_file_that_everybody_may_read_is_not_used(provider, kept, certificate):
    path, _ = certificate
    kept.chmod(0o644)
    path.chmod(0o604)
    for office in (
        refreshing(provider, kept),
        account(provider, client_secret="", certificate=str(path)),
    ):
        with pytest.raises(TokenUnavailable, match="others may read it: chmod 600"):
            office.token(USER)
    assert provider.asked == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"refresh_token": "x"}', "\0"])
def test_a_token_file_that_is_damaged_or_missing_is_told(provider, kept, content):
    kept.write_text(content)
    with pytest.raises(TokenUnavailable, match="no token can be had"):
        refreshing(provider, kept).token(USER)
    kept.unlink()
    with pytest.raises(TokenUnavailable, match="cannot be used: No such file") as raised:
        refreshing(provider, kept).token(USER)
    assert "ingest oauth office" in raised.value.advice


def test_only_https_is_spoken_beyond_this_machine():
    with pytest.raises(ValueError, match="is not https"):
        OAuthConfig("office", "refresh_token", "http://login.example/token", token_file="x")


def test_a_grant_without_its_proof_is_refused():
    with pytest.raises(ValueError, match="client_secret_file or certificate_file"):
        OAuthConfig("office", "client_credentials", "https://login.example/token")


def test_what_ends_is_known(provider, kept, certificate):
    path, ends = certificate
    office = account(provider, certificate=str(path), expires=date(2027, 1, 31))
    assert [(e.what, e.at) for e in office.endings()] == [
        ("client secret", datetime(2027, 1, 31, tzinfo=UTC)),
        ("certificate", ends),
    ]
    (silence,) = refreshing(provider, kept, silence_days=90).endings()
    left = silence.at - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    kept.unlink()
    assert list(refreshing(provider, kept).endings()) == []


def test_a_person_is_shown_the_page_that_the_provider_has(provider, kept):
    page = f"{provider.url}/page"
    for options in ({}, {"device_url": page}, {"authorize_url": page}):
        office = refreshing(provider, kept, **options)
        assert office.has_device_page is ("device_url" in options)
        assert office.has_code_page is ("authorize_url" in options)
        of_no_person = account(provider, **options)
        assert not of_no_person.has_device_page
        assert not of_no_person.has_code_page


def test_a_person_agrees_by_a_device_code(provider, tmp_path):
    path = tmp_path / "token.json"
    office = refreshing(provider, path, device_url=f"{provider.url}/device")
    prompt = office.ask_device()
    assert (prompt.address, prompt.code) == (f"{provider.url}/agree", "ABCD-EFGH")
    assert "device-secret" not in repr(prompt)
    provider.pending = 2
    slept = []
    office.wait_for_device(prompt, slept.append)
    assert slept == [1, 1, 1]
    assert path.stat().st_mode & 0o777 == 0o600
    office.token(USER)


def test_a_person_who_refuses_is_told(provider, tmp_path):
    office = refreshing(provider, tmp_path / "token.json", device_url=f"{provider.url}/device")
    prompt = office.ask_device()
    provider.answers = [(400, b'{"error": "access_denied"}')]
    with pytest.raises(TokenUnavailable, match="access_denied"):
        office.wait_for_device(prompt, lambda _seconds: None)


@pytest.mark.parametrize(
    "pasted",
    [" 1234567 \n", "https://localhost/?state=x&code=1234567", "https://login/?code=1234567"],
)
def test_a_person_pastes_the_code_that_a_page_shows(provider, tmp_path, pasted):
    path = tmp_path / "token.json"
    office = refreshing(
        provider, path, authorize_url="https://login.example/authorize",
        redirect_uri="https://login.example/code",
    )  # fmt: skip
    address = office.address_for_code()
    assert address.startswith("https://login.example/authorize?")
    assert "redirect_uri=https%3A%2F%2Flogin.example%2Fcode" in address
    office.take_code(pasted)
    assert provider.asked[0]["code"] == "1234567"
    assert refresh_token(path) == "refresh-1"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, 7), ("x", 7), ([1], 7), (float("nan"), 7), ("nan", 7), (1.9, 2), (2, 2), (2.1, 2.1),
        ("8.9", 8.9), (9, 9), (9.1, 9), (float("inf"), 9), (-1, 2), (True, 2),
    ],
)  # fmt: skip
def test_a_number_of_a_provider_s_is_held_within_its_bounds(told, seconds):
    assert oauth._bounded(told, 7, 2, 9) == seconds


@pytest.fixture
def still(monkeypatch):
    """Both clocks, which stand at the same second."""
    now = [1_000_000.0]
    monkeypatch.setattr(oauth.time, "time", lambda: now[0])
    monkeypatch.setattr(oauth.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("age", "is_used"), [(-1, True), (0, False), (86_400, False), (86_401, True)]
)
def test_a_refresh_token_is_used_after_a_day_or_before_it_was_written(
    provider, kept, still, age, is_used
):
    kept.write_text(json.dumps({"refresh_token": "refresh-0", "refreshed_at": still[0] - age}))
    refreshing(provider, kept).keep_alive()
    account(provider).keep_alive()
    assert len(provider.asked) == is_used


@pytest.mark.parametrize(("written", "counts_from"), [(-5, -5), (0, 0), (9000, 0)])
def test_silence_is_counted_from_the_last_use_and_from_no_day_to_come(
    provider, kept, still, written, counts_from
):
    kept.write_text(json.dumps({"refresh_token": "x", "refreshed_at": still[0] + written}))
    (found,) = refreshing(provider, kept, silence_days=30).endings()
    assert found.at.timestamp() == still[0] + counts_from + 30 * 86_400
    assert (found.what, found.owner) == ("unused refresh token", "oauth office")


@pytest.mark.parametrize(
    ("more", "interval", "ends"),
    [
        ({}, 5, 600), ({"interval": 0, "expires_in": 59}, 1, 60),
        ({"interval": 61, "expires_in": 3601}, 60, 3600),
        ({"interval": 7, "expires_in": 70}, 7, 70),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["verification_uri", "verification_url"])
def test_what_a_person_is_shown_lasts_as_long_as_the_provider_says(
    provider, kept, still, more, interval, ends, name
):
    told = {name: "https://a", "user_code": "AB", "device_code": "d"} | more
    provider.answers = [(200, json.dumps(told).encode())]
    office = refreshing(provider, kept, device_url=f"{provider.url}/device", scope="mail")
    prompt = office.ask_device()
    assert (prompt.address, prompt.interval_seconds) == ("https://a", interval)
    assert prompt.ends == still[0] + ends
    assert provider.asked == [{"client_id": "client", "scope": "mail"}]


def test_a_provider_that_is_asked_too_often_is_asked_more_slowly(provider, tmp_path, still):
    office = refreshing(provider, tmp_path / "t", device_url=f"{provider.url}/device")
    prompt = office.ask_device()
    provider.answers = [
        (400, json.dumps({"error": error}).encode())
        for error in ("slow_down", "authorization_pending", "slow_down")
    ]
    slept = []
    office.wait_for_device(prompt, slept.append)
    assert slept == [1, 6, 6, 11]
    assert refresh_token(tmp_path / "t").startswith("refresh-")


@pytest.mark.parametrize(("left", "asked"), [(0, 0), (1, 1), (2, 2)])
def test_a_person_is_waited_for_until_the_prompt_ends(provider, tmp_path, still, left, asked):
    office = refreshing(provider, tmp_path / "t", device_url=f"{provider.url}/device")
    prompt = office.ask_device()
    provider.asked.clear()
    provider.pending = 99
    still[0] = prompt.ends - left

    def sleep(seconds):
        still[0] += seconds

    with pytest.raises(TokenUnavailable, match="nobody agreed in time"):
        office.wait_for_device(prompt, sleep)
    assert len(provider.asked) == asked


def test_a_device_page_that_refuses_is_told(provider, tmp_path):
    office = refreshing(provider, tmp_path / "t", device_url=f"{provider.url}/device")
    provider.answers = [(400, b'{"error": "invalid_client", "error_description": "x"}')]
    with pytest.raises(TokenUnavailable, match="refuses: invalid_client") as raised:
        office.ask_device()
    assert "check client_id" in raised.value.advice


@pytest.mark.parametrize("given", [{}, {"refresh_token": ""}])
def test_a_grant_without_a_refresh_token_is_none(provider, tmp_path, given):
    office = refreshing(provider, tmp_path / "t", authorize_url="https://a/b")
    provider.answers = [(200, json.dumps({"access_token": "a"} | given).encode())]
    with pytest.raises(TokenUnavailable, match="gave no refresh token"):
        office.take_code("1")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({"client_secret": "", "scope": ""}, {"client_id": "client"}),
        ({"client_secret": ""}, {"client_id": "client"}),
        ({"scope": ""}, {"client_id": "client", "client_secret": SECRET}),
    ],
)
def test_a_client_without_a_secret_names_itself_alone(provider, kept, more, asked):
    refreshing(provider, kept, **more).token(USER)
    (form,) = provider.asked
    named = {name: form[name] for name in form if name.startswith("client_")}
    assert named == asked


@pytest.mark.parametrize(("size", "is_read"), [(0, True), (1, False)])
def test_an_answer_is_read_to_its_bound(provider, size, is_read):
    told = b'{"access_token": "x"}'
    provider.answers = [(200, told + b" " * (256 * 1024 - len(told) + size))]
    if is_read:
        assert account(provider).token(USER).value == "x"
    else:
        with pytest.raises(TokenUnavailable, match="too long"):
            account(provider).token(USER)


@pytest.mark.parametrize("value", ["x\u0436", "x\ny", 7, None])
def test_what_is_no_token_is_not_sent_to_a_server(provider, value):
    provider.answers = [(200, json.dumps({"access_token": value}).encode())]
    with pytest.raises(TokenUnavailable):
        account(provider).token(USER)


def test_a_token_file_that_another_process_holds_is_told(provider, kept, monkeypatch):
    monkeypatch.setattr(oauth, "LOCK_SECONDS", 0.0)
    lock = kept.with_name(f"{kept.name}.lock")
    with lock.open("w") as held:
        oauth.fcntl.flock(held, oauth.fcntl.LOCK_EX)
        with pytest.raises(TokenUnavailable, match=f"another process holds {lock}"):
            refreshing(provider, kept).token(USER)
    lock.unlink()
    refreshing(provider, kept).token(USER)
    assert lock.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("mode", "is_used"),
    [(0o600, True), (0o640, True), (0o670, True), (0o601, False), (0o602, False), (0o604, False)],
)
def test_a_file_is_used_while_nobody_but_its_group_may_touch_it(provider, kept, mode, is_used):
    kept.chmod(mode)
    if is_used:
        assert refreshing(provider, kept).token(USER).value == "access-1"
    else:
        with pytest.raises(TokenUnavailable, match="others may read it"):
            refreshing(provider, kept).token(USER)


@pytest.mark.parametrize("length", [100, 101, 300])
def test_what_a_provider_calls_its_refusal_is_told_to_a_bound(provider, length):
    provider.answers = [(400, json.dumps({"error": "e" * length}).encode())]
    with pytest.raises(TokenUnavailable) as raised:
        account(provider).token(USER)
    assert str(raised.value).endswith("refuses: " + "e" * 100)
    assert raised.value.advice == "look at the account at the identity provider"


@pytest.mark.parametrize("url", ["token_url", "device_url", "authorize_url"])
def test_each_address_of_a_provider_is_https_or_of_this_machine(url):
    given = {"name": "o", "grant": "refresh_token", "token_url": "https://a/t"}
    for address in ("https://a/b", "http://127.0.0.1:80/b", "http://localhost/b"):
        assert getattr(OAuthConfig(**(given | {url: address})), url) == address
    with pytest.raises(ValueError, match="http://a/b is not https"):
        OAuthConfig(**(given | {url: "http://a/b"}))


@pytest.mark.parametrize("proof", [{"client_secret": "x"}, {"certificate": "x"}])
def test_only_client_credentials_need_a_proof(proof):
    assert OAuthConfig("o", "refresh_token", "https://a/t").grant == "refresh_token"
    assert OAuthConfig("o", "client_credentials", "https://a/t", **proof).grant != "refresh_token"
