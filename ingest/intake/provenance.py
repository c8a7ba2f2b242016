"""Whether the own mail server found a letter's From to be another's. Pure.

Source: RFC 8601, section 5 (which results may be believed); RFC 7489, section 3.1
(alignment).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import authres

from ingest.letters.letter import RESULTS_MOST, Letter

_READER = authres.all_features()


def is_disproved(letter: Letter, authserv_id: str) -> bool:
    """Whether the server of that authserv-id says that the From is not its sender's.

    Only the topmost of its results counts: a sender can write the same further down.
    One that cannot be read, or that is about another From, proves nothing and counts
    as a failure: it is ours, and who made it unreadable is the sender. Without any
    result nothing is disproved. No server is believed when `authserv_id` is ''.
    """
    values = letter.headers.get("authentication-results", ())
    topmost = next((v for v in values if authserv_id and _writer(v) == authserv_id.lower()), None)
    if topmost is None:
        return False
    results = _results(topmost)
    if results is None:
        return True
    domain = letter.sender.rpartition("@")[2]
    return _is_about_another(results, domain) or _fails(results, domain)


def _results(value: str) -> list[authres.AuthenticationResult] | None:
    """What a value says; None when it cannot be read whole."""
    # The reader passes over a comment without an end, and what it swallowed.
    if len(value) >= RESULTS_MOST or value.count("(") != value.count(")"):
        return None
    try:
        results: list[authres.AuthenticationResult] = _READER.parse_value(value).results
    except (authres.AuthResError, RecursionError):
        return None
    return results


def _writer(value: str) -> str:
    return re.split(r"[\s;(]", value.strip(), maxsplit=1)[0].strip('"').lower()


def _fails(results: Iterable[authres.AuthenticationResult], domain: str) -> bool:
    """DMARC's verdict, or without one that neither SPF nor a signature of the domain holds."""
    found = [(result.method.lower(), result.result.lower()) for result in results]
    if ("dmarc", "fail") in found:
        return True
    if ("dmarc", "pass") in found:
        return False
    is_signed = any(
        _is_aligned(_domain_of(result, "d", "i"), domain)
        for result in results
        if (result.method.lower(), result.result.lower()) == ("dkim", "pass")
    )
    return not is_signed and not {("spf", "fail"), ("spf", "softfail")}.isdisjoint(found)


def _is_about_another(results: Iterable[authres.AuthenticationResult], domain: str) -> bool:
    """Whether the server looked at a second From, or at another address in it."""
    looked_at = (_domain_of(r, "from") for r in results if r.method.lower() == "dmarc")
    return any(one and one != domain for one in looked_at)


def _domain_of(result: authres.AuthenticationResult, *names: str) -> str:
    """The domain in the first of these `header.` properties that the result has."""
    stated = {p.name.lower(): p.value for p in result.properties if p.type.lower() == "header"}
    value = next((stated[name] for name in names if stated.get(name)), "")
    return value.rpartition("@")[2].rstrip(".").lower()


def _is_aligned(signer: str, domain: str) -> bool:
    """Whether one domain is the other or lies in it; a whole top level signs for nobody."""
    shorter, longer = sorted((signer, domain), key=len)
    return "." in shorter and f".{longer}".endswith(f".{shorter}")
