"""`ingest oauth NAME`: a person grants the mailbox, or the account is tried."""

import pytest

from tests.identity import identity_provider

SECRET = "client-secret-value"


@pytest.fixture
def provider():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def configured(bare, provider):
    """Write `[oauth.office]` with these keys."""

    def configure(grant, **keys):
        lines = [
            "[[mailbox]]", 'name = "main"', 'host = "127.0.0.1"', 'user = "meters@example.ru"',
            'auth = "oauth:office"', "[oauth.office]", f'grant = "{grant}"',
            f'token_url = "{provider.url}/token"', 'client_id = "client"',
            f'client_secret = "{SECRET}"', *(f'{key} = "{value}"' for key, value in keys.items()),
        ]  # fmt: skip
        (bare.folder / "ingest.toml").write_text("\n".join(lines), encoding="utf-8")

    return configure


def test_an_account_that_needs_no_person_is_tried(bare, configured, provider):
    configured("client_credentials")
    ran = bare("oauth", "office")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "oauth.office: the identity provider gives tokens\n"


def test_a_device_code_is_shown_and_the_token_is_kept(bare, configured, provider):
    kept = bare.folder / "token.json"
    configured("refresh_token", token_file=kept, device_url=f"{provider.url}/device")
    ran = bare("oauth", "office")
    assert ran.code == 0
    assert f"Open {provider.url}/agree and enter the code ABCD-EFGH" in ran.out
    assert "refresh-" not in ran.out + ran.err
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_pasted_code_is_exchanged(bare, configured, provider):
    kept = bare.folder / "token.json"
    configured("refresh_token", token_file=kept, authorize_url="https://login.example/authorize")
    ran = bare("oauth", "office", stdin=b"1234567\n")
    assert ran.code == 0
    assert "https://login.example/authorize?" in ran.out
    assert kept.exists()


def test_a_refusal_is_one_sentence_with_what_to_do(bare, configured, provider):
    configured("client_credentials")
    provider.answers = [(401, b'{"error": "invalid_client"}')]
    ran = bare("oauth", "office")
    assert ran.code == 3
    assert "invalid_client" in ran.complaint
    assert "check client_id" in ran.complaint
    assert SECRET not in ran.err


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"name": "other"}, "there is no table [oauth.other]; those there are: office"),
        ({"grant": "refresh_token"}, "token_file: a place for the refresh token is needed"),
        ({"grant": "service_account"}, "service_account_file: the JSON file"),
        ({"grant": "password"}, "oauth.office.grant"),
    ],
)
def test_a_configuration_that_cannot_be_is_told(bare, configured, keys, told):
    configured(keys.get("grant", "client_credentials"))
    ran = bare("oauth", keys.get("name", "office"))
    assert ran.code == 2
    assert told in ran.complaint


def test_a_mailbox_names_an_account_that_is_there(bare, configured):
    configured("client_credentials")
    file = bare.folder / "ingest.toml"
    file.write_text(file.read_text().replace('"oauth:office"', '"oauth:offfice"'))
    ran = bare("config", "check")
    assert ran.code == 2
    assert "there is no table [oauth.offfice]" in ran.complaint


def test_the_client_secret_is_hidden_in_the_configuration(bare, configured):
    configured("client_credentials")
    ran = bare("config", "check")
    assert "oauth.office.client_secret" in ran.out
    assert SECRET not in ran.out
