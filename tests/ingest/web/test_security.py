"""What a request is counted for, and whether it comes from a page of our own."""

import pytest
from starlette.requests import Request

from ingest.web.security import fits_secret, is_our_own, network_of, token_of


def request(client=("192.0.2.7", 5000), **headers):
    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "scheme": "https",
             "server": ("meters.example", 443), "client": client, "headers": named}  # fmt: skip
    return Request(scope)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_attempts_are_counted_for_a_network(host, network):
    assert network_of(request((host, 5000))) == network


def test_a_request_of_nobody_is_counted_with_the_unknown():
    assert network_of(request(None)) == "unknown"


@pytest.mark.parametrize(
    ("headers", "public_url", "is_own"),
    [
        ({}, "", None),
        ({"sec_fetch_site": "same-origin"}, "", True),
        ({"sec_fetch_site": "same-site"}, "", False),
        ({"sec_fetch_site": "cross-site", "origin": "https://meters.example"}, "", False),
        ({"sec_fetch_site": "none"}, "", False),
        ({"origin": "https://meters.example"}, "", True),
        ({"origin": "http://meters.example"}, "", False),
        ({"origin": "https://meters.example.evil"}, "", False),
        ({"origin": "null"}, "", False),
        ({"origin": "://"}, "", False),
        ({"origin": "https://public.example"}, "https://public.example/x", True),
        ({"origin": "https://meters.example"}, "https://public.example/x", True),
        ({"origin": "https://public.example"}, "", False),
    ],
)
def test_a_form_is_our_own_as_the_browser_says(headers, public_url, is_own):
    assert is_our_own(request(**headers), public_url) is is_own


def test_a_token_is_of_one_secret():
    token = token_of("secret")
    assert fits_secret(token, "secret")
    assert not fits_secret(token, "another")
    assert not fits_secret(token + "0", "secret")
    assert not fits_secret(token_of(""), "")
    assert not fits_secret(None, "secret")
    assert not fits_secret("\ud800", "secret")
