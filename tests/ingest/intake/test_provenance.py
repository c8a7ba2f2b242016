"""Whose From is believed, by what the own mail server wrote above the letter."""

import pytest

from ingest.intake.provenance import Provenance, provenance
from ingest.letters.letter import read_letter
from ingest.letters.secrets import mask
from ingest.letters.terms import Letter, Limits

OURS = "mx.retailer.example"


def letter(*results: str, sender: str = "buh@primer.example", body: str = "") -> Letter:
    head = "".join(f"Authentication-Results: {value}\r\n" for value in results)
    return read_letter(f"{head}From: {sender}\r\n\r\n{body}".encode(), Limits())


def disproved(*results: str, **more: str) -> bool:
    return found(*results, **more) is Provenance.FAILED


def found(*results: str, **more: str) -> Provenance:
    return provenance(letter(*results, **more), OURS)


@pytest.mark.parametrize(
    "results",
    [
        "dmarc=fail header.from=primer.example",
        "dmarc=fail (p=none dis=none) header.from=primer.example; spf=pass; dkim=pass",
        "spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=primer.example; dmarc=FAIL",
        "spf=fail smtp.mailfrom=primer.example",
        "spf=softfail (who: is 1.2.3.4) smtp.mailfrom=buh@primer.example; dkim=none",
        "spf=fail; dkim=fail header.d=primer.example",
        "spf=fail; dkim=pass header.d=evil.example",
        "spf=fail; dkim=pass header.d=example",
        "spf=fail; dkim=pass header.d=notprimer.example",
        "spf=fail; dkim=pass",
        "spf=fail; dmarc=none",
        "spf=fail; dmarc=temperror header.from=primer.example",
        "dmarc=pass header.from=evil.example",
    ],
)
def test_a_from_that_fails_is_disproved(results):
    assert disproved(f"{OURS}; {results}")


@pytest.mark.parametrize(
    "results",
    [
        "none",
        "dmarc=pass header.from=primer.example",
        "dmarc=pass (p=reject) header.from=PRIMER.example; spf=fail",
        "dmarc=pass action=none header.from=primer.example; compauth=pass reason=100",
        "dmarc=none header.from=primer.example; spf=none; dkim=none",
        "spf=pass smtp.mailfrom=elsewhere.example",
        "spf=neutral",
        "dkim=fail header.d=primer.example",
        "spf=fail; dkim=pass header.d=primer.example header.s=2026",
        "spf=softfail; dkim=fail header.d=primer.example; dkim=pass header.i=@Mail.Primer.example",
    ],
)
def test_a_from_that_does_not_fail_is_believed(results):
    assert not disproved(f"{OURS}; {results}")


@pytest.mark.parametrize(
    ("results", "passes"),
    [
        ("dmarc=pass header.from=primer.example", True),
        ("spf=pass smtp.mailfrom=buh@primer.example", True),
        ("spf=pass smtp.mailfrom=bounces.primer.example", True),
        ("dkim=pass header.d=primer.example", True),
        ("dkim=fail header.d=primer.example; dkim=pass header.i=@mail.primer.example", True),
        ("none", False),
        ("spf=pass", False),
        ("spf=pass smtp.mailfrom=elsewhere.example", False),
        ("spf=pass smtp.helo=primer.example", False),
        ("spf=neutral smtp.mailfrom=primer.example", False),
        ("auth=pass smtp.mailfrom=buh@primer.example", False),
        ("iprev=pass smtp.mailfrom=primer.example", False),
        ("dkim=pass smtp.mailfrom=primer.example", False),
        ("spf=pass header.d=primer.example", False),
        ("dkim=permerror header.d=primer.example", False),
        ("dkim=pass header.d=elsewhere.example", False),
        ("dkim=pass header.d=example", False),
        ("dkim=none; spf=none; dmarc=none", False),
        ("dmarc=fail header.from=primer.example; dkim=pass header.d=primer.example", False),
        ("dmarc=pass header.from=elsewhere.example", False),
    ],
)
def test_a_from_passes_by_dmarc_or_by_what_is_aligned_with_it_only(results, passes):
    assert (found(f"{OURS}; {results}") is Provenance.PASSED) is passes


def test_a_signature_of_the_domain_above_counts():
    results = f"{OURS}; spf=fail; dkim=pass header.d=primer.example"
    assert not disproved(results, sender="buh@office.primer.example")


def test_only_the_trusted_servers_words_count():
    fails = "dmarc=fail header.from=primer.example"
    assert not disproved(f"mx.elsewhere.example; {fails}")
    assert not disproved(f"{OURS}.evil.example; {fails}")
    assert not disproved(fails)
    assert disproved("mx.elsewhere.example; dmarc=pass", f"{OURS.upper()} 1; {fails}")
    assert disproved(f'"{OURS}"; {fails}') or disproved(f"{OURS} (by us); {fails}")


def test_nobody_is_believed_when_nobody_is_trusted():
    assert provenance(letter(f"{OURS}; dmarc=fail"), "") is Provenance.UNKNOWN
    assert provenance(letter("; dmarc=fail"), "") is Provenance.UNKNOWN


def test_of_several_only_the_topmost_counts():
    passes, fails = f"{OURS}; dmarc=pass header.from=primer.example", f"{OURS}; dmarc=fail"
    assert disproved(fails, passes)
    assert not disproved(passes, fails)


def test_a_letter_without_results_is_believed():
    assert not disproved()


@pytest.mark.parametrize(
    "results",
    [
        "",
        ";",
        "; dmarc",
        " 2; dmarc=pass",
        "; dmarc=pass header.from=primer.example (",
        "; spf=pass " + "(" * 3000,
        "; spf=pass " + "(" * 1500 + ")" * 1500,
        "; spf=pass smtp.mailfrom=(@evil.example; dmarc=fail",
        "; none; dmarc=fail",
    ],
)
def test_what_our_server_wrote_and_cannot_be_read_proves_nothing(results):
    assert disproved(f"{OURS}{results}")


def test_an_encoded_word_in_an_address_writes_no_results():
    hidden = "=?us-ascii?q?=28?=@evil.example"
    assert disproved(f"{OURS}; spf=pass smtp.mailfrom={hidden}; dmarc=fail header.from=x.example")
    closing = "=?us-ascii?q?a;dmarc=3Dpass?="
    assert disproved(f"{OURS}; spf=fail smtp.mailfrom={closing}")


def test_many_signatures_do_not_push_the_verdict_out():
    signatures = " ".join(f"dkim=pass header.d=evil.example header.b={n:08};" for n in range(100))
    assert disproved(f"{OURS}; {signatures} dmarc=fail header.from=primer.example")
    too_many = " ".join(f"dkim=pass header.d=evil.example header.b={n:08};" for n in range(10_000))
    assert disproved(f"{OURS}; {too_many} dmarc=fail header.from=primer.example")


def test_a_password_that_is_named_like_a_verdict_blanks_none():
    told = letter(f"{OURS}; dmarc=fail", body="Код: 200000001234\r\nПароль: dmarc=fail")
    masked, _ = mask(told, ())
    assert provenance(masked, OURS) is Provenance.FAILED


def test_signs_outside_ascii_are_no_fault():
    assert disproved(f"{OURS}; dmarc=fail smtp.mailfrom=бухгалтер@президент.рф")
    assert not disproved(f"{OURS}; spf=pass smtp.mailfrom=бухгалтер@президент.рф")


@pytest.mark.parametrize("sender", ["", "undisclosed"])
def test_without_a_from_the_verdict_counts_all_the_same(sender):
    assert disproved(f"{OURS}; dmarc=fail", sender=sender)
    assert not disproved(f"{OURS}; none", sender=sender)


@pytest.mark.parametrize("noise", ["a" * 8000, '"' * 8000, "\\" * 8000, "(a" * 4000, ";" * 8000])
def test_no_value_takes_long(noise):
    assert disproved(f"{OURS}; spf=pass reason={noise}")


KNOWN, OTHER = "buh@primer.example", "x@evil.example"
HIDDEN = f"=?utf-8?q?{KNOWN.replace('@', '=40')}?="
SPF = f"{OURS}; spf=pass smtp.mailfrom={OTHER}"
"""What our server says where it checks no DMARC, and the forger's own domain is in order."""

OPENING = [
    "",
    "Бухгалтерия ",
    '"Иванова, М." ',
    '"a (b" ',
    "(x) ",
    '(") ',
    "=?utf-8?q?=22?= ",
    '"a\\" ',
]
BETWEEN = [", ", "; ", "\r\nFrom: ", " ", ', "b" ', ' (") ', " =?utf-8?q?=22?=, "]
FORGED = [
    *(f"{o}<{KNOWN}>{b}<{OTHER}>" for o in OPENING for b in BETWEEN),
    *(f"{o}<{OTHER}>{b}<{KNOWN}>" for o in OPENING for b in BETWEEN),
    *(f"{a}{b}{c}" for a, c in ((KNOWN, OTHER), (OTHER, KNOWN)) for b in (",", ";", "\r\nFrom: ")),
    *(f"=?utf-8?q?=3C{KNOWN}=3E?= {o}<{OTHER}>" for o in OPENING),
    f"группа: {KNOWN}, {OTHER};",
    f"{KNOWN}, группа: {OTHER};",
    f'{KNOWN} <"x"@evil.example>',
    f'"x"@evil.example, {KNOWN}',
    f"(<{KNOWN}>) {OTHER}",
    f"{OTHER} (<{KNOWN}>)",
    f"{KNOWN}, x@злой.рф",
    HIDDEN,
    f"{HIDDEN}, {OTHER}",
    f"<{HIDDEN}>",
    f"{KNOWN}{' ' * 5000}, {OTHER}",
    f"{KNOWN}, {', '.join(['x'] * 3000)}, {OTHER}",
    *(f"buh@{twin}.example" for twin in ("рrimer", "ｐrimer", "pri\u00admer", "pri\u200bmer")),
    *(
        "buh@primer。example",
        "buh@primer．example",
        "BUH@PRİMER.EXAMPLE",
        "buh\u200b@primer.example",
    ),
]


@pytest.mark.parametrize("results", [[], [SPF]], ids=["nothing said", "SPF"])
def test_a_from_that_may_be_read_as_two_is_nobodys(results):
    """Neither another address in it nor a twin of the known one makes it the known one's."""
    for sender in FORGED:
        told = letter(*results, sender=sender)
        assert told.sender != KNOWN or provenance(told, OURS) is Provenance.FAILED, sender
        assert told.sender != KNOWN or provenance(told, "") is Provenance.FAILED, sender


@pytest.mark.parametrize(
    "sender",
    [
        *(f"{o}<{KNOWN}>" for o in OPENING),
        *(KNOWN, f"{KNOWN} (Иванова М., тел. 1)", f"{KNOWN} <{KNOWN}>", f'"{KNOWN}" <{KNOWN}>'),
        *(f'"<{OTHER}>" <{KNOWN}>', f'"Иванова <{OTHER}>, {OTHER}" <{KNOWN}>'),
        *(f"=?utf-8?q?=3C{OTHER}=3E?= <{KNOWN}>", f"{OTHER} <{KNOWN}>"),
        *(f'ООО "Ромашка" <{KNOWN}>', f'ООО "Ромашка <{KNOWN}>', f'"ООО \\"Ромашка\\"" <{KNOWN}>'),
        *(f"Иванова, Мария <{KNOWN}>", f"группа: {KNOWN};", f"<{KNOWN}>\r\nFrom: {KNOWN.upper()}"),
        *(f"(а (б) в) {KNOWN}", f"Отдел :( <{KNOWN}>", f"Иванова @ Ромашка <{KNOWN}>"),
    ],
)
def test_an_honest_from_is_its_one_address(sender):
    told = letter(SPF, sender=sender)
    assert (told.sender, told.is_sender_certain) == (KNOWN, True)
    assert provenance(told, OURS) is Provenance.UNKNOWN


def test_a_domain_in_cyrillic_is_the_one_that_it_is():
    told = letter(f"{OURS}; dmarc=pass", sender="Иванова <buh@ПРИМЕР.рф>")
    assert (told.sender, told.is_sender_certain) == ("buh@xn--e1afmkfd.xn--p1ai", True)
