"""How people write user codes and passwords, and how they are masked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.letters.body import html_text, own_text, plain_text
from ingest.letters.credentials import candidates, find_credentials
from ingest.letters.letter import read_letter
from ingest.letters.secrets import MASK, Masker, mask
from ingest.letters.terms import Attachment, Bounce, Credential, Letter, Limits, Source
from layouts.document import Document, Header, Parsed, Series
from layouts.findings import Code, Place, finding
from layouts.terms import Kind

CODE = "200000003080"
AT = datetime(2026, 11, 1, tzinfo=UTC)


def pairs(text: str) -> list[tuple[str | None, str | None]]:
    return [(one.user_code, one.password) for one in find_credentials(text, Source.BODY)]


@pytest.mark.parametrize(
    "text",
    [
        f"Код: {CODE}\nПароль: klyuch 7 mart",
        f"код пользователя = {CODE}\nпароль = klyuch 7 mart",
        f"КОД ПОЛЬЗОВАТЕЛЯ:{CODE}\nПАРОЛЬ:klyuch 7 mart",
        f"Логин - {CODE}\nПароль - klyuch 7 mart",
        f"Логин — {CODE}\nПароль — klyuch 7 mart",
        f"Code: {CODE}\nPassword: klyuch 7 mart",
        f"User : {CODE}\nPassword : klyuch 7 mart",
        f"user name={CODE}\npassword=klyuch 7 mart",
        f"Пароль: klyuch 7 mart\nКод: {CODE}",
        f"Пароль: klyuch 7 mart Код: {CODE}",
        f"Код: {CODE} Пароль: klyuch 7 mart",
        f"Здравствуйте! Наш код: {CODE}; пароль: klyuch 7 mart",
        f"Код пользователя:\n{CODE}\nПароль:\nklyuch 7 mart",
        f"Код пользователя\n{CODE}\nПароль\nklyuch 7 mart",
        f"Код пользователя\t{CODE}\nПароль\tklyuch 7 mart",
        f"Код пользователя:\t{CODE}\t\nПароль:\tklyuch 7 mart\tне сообщать",
        f"Код\tПароль\n{CODE}\tklyuch 7 mart",
        f"Пароль\tКод\nklyuch 7 mart\t{CODE}",
        f"Код: {CODE}\nПароль: klyuch 7 mart\n________________",
        f"*Код:* {CODE}\n*Пароль:* klyuch 7 mart",
        f"Код пользователя (логин): {CODE}\nПароль (от ЛК): klyuch 7 mart",
        f"Код пользователя в кабинете: {CODE}\nПароль от личного кабинета: klyuch 7 mart",
        f"1. Код: {CODE}\n2. Пароль: klyuch 7 mart   ",
        "Код: 2000 0000 3080\nПароль: klyuch 7 mart",
    ],
)
def test_a_code_and_a_password_are_found_however_they_are_written(text: str) -> None:
    assert pairs(text) == [(CODE, "klyuch 7 mart")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Zima-2026", ["Zima-2026"]),
        ("Пароль№5", ["Пароль№5"]),
        ("ключ от 7 марта", ["ключ от 7 марта"]),
        ('"Zima-2026"', ['"Zima-2026"', "Zima-2026"]),
        ("«ключ 7»", ["«ключ 7»", "ключ 7"]),
        ("„ключ“", ["„ключ“", "ключ"]),
        ("Zima-2026.", ["Zima-2026.", "Zima-2026"]),
        ('"Zima-2026",', ['"Zima-2026",', '"Zima-2026"', "Zima-2026"]),
        ("a=b:c", ["a=b:c"]),
        ("код-замок", ["код-замок"]),
        ("p:q; r", ["p:q; r"]),
        ('"', ['"']),
    ],
)
def test_a_password_runs_to_the_end_of_its_line(written: str, meant: list[str]) -> None:
    assert [one for _, one in pairs(f"Код: {CODE}\nПароль: {written}\nС уважением")] == meant
    assert list(candidates(written)) == meant


def test_a_sign_between_a_password_and_the_next_label_may_be_left_out() -> None:
    assert pairs(f"Пароль: Zima-2026, Код: {CODE}") == [
        (CODE, "Zima-2026,"),
        (CODE, "Zima-2026"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Почтовый код: 600000",
        "QR-код: 200000003080",
        "Штрих-код: 200000003080",
        "Промокод: 2026",
        "Код: не знаю",
        "Кодекс: 123456",
        "Пароль:",
        "Пароль прежний, вы его знаете",
        "Пароль: " + "x" * 300,
    ],
)
def test_what_only_looks_like_a_label_gives_nothing(text: str) -> None:
    assert pairs(text) == []


def test_two_pairs_stay_pairs() -> None:
    text = "Код: 200000003080 Пароль: один\nКод: 200000001234 Пароль: два"
    assert pairs(text) == [("200000003080", "один"), ("200000001234", "два")]


def test_the_same_pair_twice_counts_once() -> None:
    assert pairs(f"Код: {CODE} Пароль: один\n" * 3) == [(CODE, "один")]


def test_an_html_table_with_bold_labels_and_no_break_blanks_is_read() -> None:
    markup = (
        "<html><head><style>p{}</style></head><body><p>Добрый день!</p><table>"
        f"<tr><td><b>Код&nbsp;пользователя:</b></td><td>&nbsp;{CODE}</td></tr>"
        "<tr><td><p><b>Пароль</b></p></td><td><p>klyuch&nbsp;7 mart</p></td></tr></table>"
        "<blockquote>Пароль: старый</blockquote></body></html>"
    )
    text = own_text(html_text(markup.encode("cp1251"), "windows-1251"))
    assert pairs(text) == [(CODE, "klyuch 7 mart")]


@pytest.mark.parametrize("kind", ["text/enriched", "text/richtext"])
def test_text_with_a_few_tags_is_read_without_them(kind: str) -> None:
    text = f"<bold>Код: {CODE}\n\n</bold><bold>Пароль: klyuch7</bold>\n"
    letter = read_letter(f"Content-Type: {kind}; charset=utf-8\n\n{text}".encode(), Limits())
    assert [(one.user_code, one.password) for one in letter.credentials] == [(CODE, "klyuch7")]


def test_labels_with_their_values_in_the_next_html_line_are_read() -> None:
    markup = f"<div>Код:<br>{CODE}</div><div><span>Пароль:</span></div><div>klyuch 7 mart</div>"
    assert pairs(html_text(markup.encode(), "")) == [(CODE, "klyuch 7 mart")]


@pytest.mark.parametrize(
    "quoted",
    [
        "> Код: 1111111\n> Пароль: старый",
        "-----Original Message-----\nПароль: старый",
        "-------- Исходное сообщение --------\nПароль: старый",
        "От: Приём <m@r.example>\nОтправлено: 1 ноября\nКому: buh\nТема: RE\n\nПароль: старый",
        "From: m@r.example\nSent: Monday\nTo: buh\nSubject: RE\nПароль: старый",
        "________________________________\nОт: m@r.example\nДата: 1 ноября\nКому: buh\nПароль: x",
        "---------- Forwarded message ---------\nОт: x\nПароль: старый",
    ],
)
def test_the_quoted_part_of_an_earlier_letter_gives_no_credentials(quoted: str) -> None:
    text = own_text(
        plain_text(f"Добрый день, показания во вложении.\n\n{quoted}".encode(), "utf-8")
    )
    assert pairs(text) == []
    text = own_text(plain_text(f"Код: {CODE}\nПароль: новый\n\n{quoted}".encode(), "utf-8"))
    assert pairs(text) == [(CODE, "новый")]


@pytest.mark.parametrize(
    "text",
    [
        f"> Код: {CODE}\n> Пароль: klyuch 7 mart",
        f"-----Original Message-----\nFrom: buh\nКод: {CODE}\nПароль: klyuch 7 mart",
    ],
)
def test_a_quoted_part_counts_when_it_is_the_only_text(text: str) -> None:
    assert pairs(own_text(text)) == [(CODE, "klyuch 7 mart")]


@pytest.mark.parametrize(
    "text",
    [
        "код " * 500_000,
        "Пароль" + " " * 500_000,
        "Код: 1 " * 100_000,
        "*" * 500_000,
        "Пароль:\n" * 9999,
        "Код (" * 100_000,
        "1 " * 500_000 + "код",
        "<" * 500_000,
        "От:" * 100_000,
    ],
)
def test_a_hostile_text_costs_time_in_proportion_to_its_length(text: str) -> None:
    found = find_credentials(own_text(text[:262_144]), Source.BODY)
    assert CODE not in {one.user_code for one in found}


_SIGNS = st.characters(categories=("L", "N", "P", "S"), include_characters=" ")


@given(st.text(_SIGNS, min_size=1, max_size=60).map(str.strip).filter(bool))
def test_whatever_a_password_is_made_of_it_is_tried_as_written(password: str) -> None:
    assume(not re.search("(?i)код|парол|логин|польз|code|user|log|pass|pwd|[\\*_]", password))
    found = [one for _, one in pairs(f"Код: {CODE}\nПароль: {password}\nС уважением")]
    assert found[0] == password


@given(st.text(max_size=300))
def test_whatever_the_text_nothing_is_raised(text: str) -> None:
    assert isinstance(find_credentials(own_text(text), Source.BODY), tuple)
    labelled = text.replace("a", "Пароль:").replace("b", "Код\t")
    assert isinstance(find_credentials(labelled, Source.SUBJECT), tuple)


def letter(**about: object) -> Letter:
    return replace(Letter(sha256="", size=0), **about)  # type: ignore[arg-type]


def test_every_password_candidate_is_masked_wherever_it_is_told() -> None:
    read = letter(
        subject="Код: 1 Пароль: Zima-2026",
        headers={"subject": ("Код: 1 Пароль: Zima-2026",), "x-note": ("Zima-2026!",)},
        credentials=(Credential(Source.SUBJECT, "1", "Zima-2026"),),
        attachments=(Attachment("Zima-2026.pdf", "application/pdf", 1),),
        findings=(
            finding(Code.UNREADABLE_DOCUMENT, Place(file="Zima-2026.zip"), entry="Zima-2026"),
        ),
    )
    document = Parsed(
        name="d-a&b<c.xml",
        sha256="",
        size=0,
        header=Header(password="a&b<c"),
        findings=(
            finding(Code.INVALID_NUMBER, seen='password="a&amp;b&lt;c" value="x"'),
            finding(Code.INVALID_DATE, seen="x" * 75 + "Zima-2026"),
        ),
    )
    masked, (parsed,) = mask(read, [document])
    told = repr((masked, parsed))
    for secret in ("Zima-2026", "a&b<c", "a&amp;b&lt;c", "Zima"):
        assert secret not in told
    assert masked.subject == f"Код: 1 Пароль: {MASK}"
    assert parsed.findings[0].seen == f'password="{MASK}" value="x"'
    assert masked.credentials == read.credentials
    assert parsed.header.password == document.header.password


def test_a_short_candidate_is_masked_only_as_a_word_of_its_own() -> None:
    read = letter(
        subject="12 показаний за 12.2026", credentials=(Credential(Source.BODY, None, "12"),)
    )
    assert mask(read, [])[0].subject == f"{MASK} показаний за 12.2026"


def test_a_letter_without_passwords_stays_as_it_is() -> None:
    read = letter(subject="Показания")
    assert mask(read, [])[0] is read


LABELS = ("Код", "Код пользователя", "Логин", "Code", "Пароль", "Password", "Пароль (секретный)")
LAYS = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4)


@given(LAYS, LAYS, st.sampled_from(["\t", "\t\t", " \t ", ":\t"]))
def test_a_label_is_never_taken_for_a_password(
    above: list[str], below: list[str], between: str
) -> None:
    text = f"{between.join(above)}\n{between.join(below)}\n"
    assert [one.password for one in find_credentials(text, Source.BODY) if one.password] == []


@pytest.mark.parametrize("hyphen", "\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
def test_a_password_is_tried_as_written_and_then_with_plain_hyphens(hyphen: str) -> None:
    text = f"Код: 200000001234\nПароль: Zima{hyphen}2026"
    told = [one.password for one in find_credentials(text, Source.BODY)]
    assert told == [f"Zima{hyphen}2026", "Zima-2026"]


def test_a_quoted_sign_may_be_meant_without_its_quotes_and_quotes_alone_may_not() -> None:
    assert candidates('"x"') == ('"x"', "x")
    assert candidates('""') == ('""',)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Код: 1234\nПароль: a1\nКод: 1234", [("1234", "a1")]),
        ("Код: 1234 Код: 5678 Пароль: a1", [("1234", None), ("5678", "a1")]),
        ("Пароль: a1\nПароль: b2", [(None, "a1"), (None, "b2")]),
        ("Пароль:\n\na1", [(None, "a1")]), ("Пароль:\n\n\na1", []),
        ("Пароль:\n \na1", [(None, "a1")]),
        ("Код:\n\n1234", [("1234", None)]), ("Код:\n\n\n1234", []), ("Код: x\n1234", []),
        ("Пароль: Код: 1234\na1", [("1234", None)]), ("Пароль:\nКод: 1234", [("1234", None)]),
        ("Пароль:\n* Код: 1234", [("1234", None)]), ("мой пароль\na1", []),
        ("- пароль\na1", [(None, "a1")]), ("мой пароль:\na1", [(None, "a1")]),
        ("Zip code: 600000", []), ("мой-код: 600000", []), ("Мой код: 600000", [("600000", None)]),
        ("Код\tПароль\n1234\ta1\n5678\tb2", [("1234", "a1")]), ("Код\tx\n1234\ta1", []),
        ("Код\tПароль\n12x\ta1", [(None, "a1")]), ("Код\tПароль\nПароль\ta1", [(None, "a1")]),
        ("Код\tПароль\n\na1", []), ("Код\tКод", []), ("Пароль: a1\tb2", [(None, "a1")]),
        ("Пароль: .", [(None, ".")]), ("Пароль: a1 .", [(None, "a1 ."), (None, "a1")]),
    ],
)  # fmt: skip
def test_labels_and_values_go_together_by_where_they_stand(
    text: str, found: list[tuple[str | None, str | None]]
) -> None:
    assert pairs(text) == found


@pytest.mark.parametrize(("length", "is_read"), [(199, True), (200, True), (201, False)])
def test_a_password_has_as_many_signs_as_are_tried(length: int, is_read: bool) -> None:
    for text in (f"Пароль: {'x' * length}", f"Пароль:\n{'x' * length}"):
        assert pairs(text) == [(None, "x" * length)] * is_read


@pytest.mark.parametrize(("cut", "password"), [(0, "ab"), (1, "a")])
def test_a_line_is_read_to_its_bound(cut: int, password: str) -> None:
    label = "Пароль: "
    assert pairs(" " * (2000 - len(label) - 2 + cut) + label + "ab") == [(None, password)]
    assert pairs(label + "\n" + " " * (2000 - 2 + cut) + "ab") == [(None, password)]


@pytest.mark.parametrize(("named", "kept"), [(51, 51), (52, 52), (53, 52), (90, 52)])
def test_so_many_credentials_of_a_text_are_tried(named: int, kept: int) -> None:
    text = "\n".join(f"Код: {1000 + number}" for number in range(named))
    assert len(pairs(text)) == kept


def test_what_a_masked_letter_tells_has_no_password_and_what_its_server_said_stays() -> None:
    read = letter(
        headers={
            "authentication-results": ("mx; dmarc=fail Zima-2026",),
            "list-id": ("Zima-2026",),
        },
        credentials=(Credential(Source.BODY, "1", "Zima-2026"),),
        documents=(Document("Zima-2026.xml", b"", "Zima-2026.zip"), Document("a.xml", b"")),
        attachments=(Attachment("a", "x/y", 1, container="Zima-2026.zip"),),
        bounce=Bounce(("<1@x>",), True, "550", "550 Zima-2026 unknown", "a@b.example"),
    )
    masked, _ = mask(read, [])
    assert masked.headers == {
        "authentication-results": ("mx; dmarc=fail Zima-2026",),
        "list-id": (MASK,),
    }
    assert [(one.name, one.container) for one in masked.documents] == [
        (f"{MASK}.xml", f"{MASK}.zip"),
        ("a.xml", None),
    ]
    assert [one.container for one in masked.attachments] == [f"{MASK}.zip"]
    assert masked.bounce == replace(read.bounce, told=f"550 {MASK} unknown")
    assert mask(replace(read, bounce=None), [])[0].bounce is None


@pytest.mark.parametrize("name", ["area", "point", "meter"])
def test_the_names_of_a_series_are_masked_and_one_without_secrets_is_itself(name: str) -> None:
    plain = Series(Kind.REGISTER, "a", "b", "c", "A+", None, AT, 0, ())
    named = replace(plain, **{name: "a1 Zima"})
    masker = Masker(["Zima"])
    assert masker.series(named) == replace(plain, **{name: f"a1 {MASK}"})
    assert Masker(["Leto"]).series(named) is named
