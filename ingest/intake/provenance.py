"""What our own mail server says of a letter's From. Pure.

Source: RFC 8601, section 5 (which results may be believed); RFC 7489, section 3.1
(alignment).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto
from functools import lru_cache

import authres

from ingest.letters.letter import RESULTS_MOST
from ingest.letters.terms import Letter

_READER = authres.all_features()


class Provenance(Enum):
    """What is known of a From."""

    PASSED = auto()
    FAILED = auto()
    UNKNOWN = auto()


def provenance(letter: Letter, authserv_id: str) -> Provenance:
    """What the server of that authserv-id says of a letter's From.

    Only the topmost of its results counts: a sender can write the same further down.
    One that cannot be read, or that is about another From, is a failure, as only the
    sender can have made it so. No server is believed when `authserv_id` is ''. A From
    that may name another address as well is a failure, whoever checked it.
    """
    if not letter.is_sender_certain:
        return Provenance.FAILED
    values = letter.headers.get("authentication-results", ())
    topmost = next((v for v in values if authserv_id and _writer(v) == authserv_id.lower()), None)
    if topmost is None:
        return Provenance.UNKNOWN
    results = _results(topmost)
    domain = letter.sender.rpartition("@")[2]
    if results is None or _is_about_another(results, domain):
        return Provenance.FAILED
    return _verdict(results, domain)


@lru_cache(maxsize=64)
def _results(value: str) -> list[authres.AuthenticationResult] | None:
    """What a value says; None when it cannot be read whole."""
    # The reader skips a comment without an end, and all that stands behind its beginning.
    if len(value) >= RESULTS_MOST or value.count("(") != value.count(")"):
        return None
    try:
        results: list[authres.AuthenticationResult] = _READER.parse_value(value).results
    except (authres.AuthResError, RecursionError):
        return None
    return results


def _writer(value: str) -> str:
    return re.split(r"[\s;(]", value.strip(), maxsplit=1)[0].strip('"').lower()


def _verdict(results: Iterable[authres.AuthenticationResult], domain: str) -> Provenance:
    """DMARC's verdict, or without one that of SPF and of signatures, aligned with the domain."""
    found = [(result.method.lower(), result.result.lower(), result) for result in results]
    told = {(method, result) for method, result, _ in found}
    if ("dmarc", "fail") in told:
        return Provenance.FAILED
    if ("dmarc", "pass") in told:
        return Provenance.PASSED
    vouching = [
        _domain_of(result, "header", "d", "i")
        if method == "dkim"
        else _domain_of(result, "smtp", "mailfrom")
        for method, verdict, result in found
        if verdict == "pass" and method in {"dkim", "spf"}
    ]
    if any(_is_aligned(one, domain) for one in vouching):
        return Provenance.PASSED
    is_failure = not {("spf", "fail"), ("spf", "softfail")}.isdisjoint(told)
    return Provenance.FAILED if is_failure else Provenance.UNKNOWN


def _is_about_another(results: Iterable[authres.AuthenticationResult], domain: str) -> bool:
    """Whether the server looked at a second From, or at another address in it."""
    looked_at = (_domain_of(r, "header", "from") for r in results if r.method.lower() == "dmarc")
    return any(one and one != domain for one in looked_at)


def _domain_of(result: authres.AuthenticationResult, kind: str, *names: str) -> str:
    """The domain in the first of these properties of a kind that the result has."""
    stated = {p.name.lower(): p.value for p in result.properties if p.type.lower() == kind}
    value = next((stated[name] for name in names if stated.get(name)), "")
    return value.rpartition("@")[2].rstrip(".").lower()


def _is_aligned(signer: str, domain: str) -> bool:
    """Whether one domain is the other or lies in it; a whole top level signs for nobody."""
    shorter, longer = sorted((signer, domain), key=len)
    return "." in shorter and f".{longer}".endswith(f".{shorter}")
