"""What senders are told, and what a reply may never contain."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from lxml import etree

from ingest.letters.letter import read_letter
from ingest.letters.secrets import mask
from ingest.letters.terms import Attachment, Credential, Letter, Limits, Marked, Source
from ingest.letters.unread import no_documents
from ingest.replies.answers import notice, refusal, reply
from ingest.replies.message import is_own_message_id, own_message_id, recipient
from ingest.replies.texts import advice
from ingest.replies.view import letter_groups
from ingest.replies.wording import wording
from layouts.findings import Code, Finding, Place, Status, finding
from layouts.known import Change, Receipt
from layouts.layout import load
from layouts.rules import check
from layouts.terms import Verdict
from parsers import parse
from tests.ingest.replies import cases
from tests.ingest.replies.cases import CASES, ENTITY, LETTER, NOW, settings
from tests.ingest.replies.renew import ROOT, body, expected, opened

LANGUAGES = ("ru", "en")
LAYOUTS = load()
OUR_HEADERS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("auto-submitted", "x-auto-response-suppress", "mime-version", "content-type"),
}


@pytest.mark.parametrize(
    ("path", "content"), [pytest.param(p, c, id=p.name) for p, c in expected()]
)
def test_golden_replies_and_documents_are_what_the_texts_make(
    path: Path, content: Callable[[], str]
) -> None:
    assert path.read_text(encoding="utf-8") == content(), (
        "run `python -m tests.ingest.replies.renew` and read the difference"
    )


def test_that_a_letter_has_no_document_is_told_once_and_each_kind_of_its_files() -> None:
    kinds = [
        Attachment("1.rar", "", 1, "archive"),
        Attachment("a.pdf", "", 1, "pdf"),
        Attachment("2.rar", "", 1, "archive"),
    ]
    (group,) = letter_groups(no_documents(kinds), wording("ru"))
    first, second = group.problems
    assert (first.mark, second.mark) == ("Ошибка", "Замечание")
    assert "не нашлось документа с показаниями; не прочитано: «1.rar», «2.rar» — " in first.sentence
    assert second.sentence == "Вложение не прочитано: «a.pdf» — из PDF показания не читаются."


def test_files_that_are_not_read_for_one_reason_are_told_once_with_their_names() -> None:
    def unread(name: str, reason: str) -> Finding:
        return finding(Code.ATTACHMENT_NOT_READ, name=name, reason=reason)

    found = [unread("1.jpg", "picture"), unread("a.pdf", "pdf"), unread("2.jpg", "picture")]
    (group,) = letter_groups(found, wording("ru"))
    assert [one.sentence for one in group.problems] == [
        f"Вложение не прочитано: {told}."
        for told in (
            "«1.jpg», «2.jpg» — это изображение, показания с изображений не читаются",
            "«a.pdf» — из PDF показания не читаются",
        )
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_the_same_letter_gives_the_same_bytes(case: str, language: str) -> None:
    assert CASES[case](language) == CASES[case](language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_text_and_html_say_the_same(case: str, language: str) -> None:
    message = opened(CASES[case](language))
    html = etree.HTML(body(message, "html"))
    seen = " ".join(html.find("body").itertext())
    for word in re.findall(r"\w{3,}", body(message, "plain")):
        assert word in seen


@pytest.mark.parametrize("case", CASES)
def test_no_reply_holds_a_line_longer_than_mail_allows(case: str) -> None:
    assert max(len(line) for line in CASES[case]("ru").content.split(b"\r\n")) <= 998


def test_each_receipt_is_linked_where_there_are_pages_and_nowhere_else() -> None:
    linked = replace(settings("ru"), public_url="https://meters.example.ru")
    receipts = (cases.accepted_receipt(), cases.rejected_receipt())
    for told, count in ((linked, 1), (settings("ru"), 0)):
        message = opened(reply(LETTER, ENTITY, receipts, NOW, told, letter_number=7))
        for number in (1024, 1027):
            url = f"https://meters.example.ru/receipts/{number}"
            assert body(message, "plain").count(url) == count
            assert body(message, "html").count(f'<a href="{url}">') == count


def test_the_first_line_tells_the_verdict_and_the_receipt() -> None:
    text = body(opened(CASES["accepted"]("ru")), "plain")
    assert text.splitlines()[0] == "Показания приняты, квитанция № 1024."


def test_a_document_beside_one_that_could_not_be_opened_is_not_all_that_was_sent() -> None:
    text = body(opened(CASES["accepted_beside_a_locked_archive"]("ru")), "plain")
    assert text.splitlines()[0] == "Показания приняты частично, квитанция № 1024."
    assert "Документ «52005.zip»\n  1. Ошибка: Файл защищён паролем" in text


def test_the_subject_tells_the_verdict_and_what_it_answers() -> None:
    subject = opened(CASES["accepted"]("ru"))["Subject"]
    assert subject == "Показания приняты, квитанция № 1024 — Re: Показания за октябрь"


def test_a_reply_hangs_below_its_letter() -> None:
    message = opened(CASES["accepted"]("ru"))
    assert message["In-Reply-To"] == "<abc@example.ru>"
    assert message["References"] == "<first@example.ru> <abc@example.ru>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["To"] == "meter@example.ru"


def test_references_are_bounded_and_keep_the_first() -> None:
    many = tuple(f"<{n}@example.ru>" for n in range(500))
    owed = notice(replace(LETTER, references=many), NOW, settings(), letter_number=17)
    told = opened(owed)["References"].split()
    assert (told[0], told[-1], len(told)) == ("<0@example.ru>", "<abc@example.ru>", 20)


def test_a_malformed_message_id_is_not_answered_to() -> None:
    letter = replace(LETTER, message_id="<a\r\nBcc: x@y.ru@z>")
    message = opened(notice(letter, NOW, settings(), letter_number=17))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "subject", ["Показания\r\nBcc: evil@example.org", "a\nTo: b@c.d", "x\u2028Cc: y@z.ru", "\udcff"]
)
def test_a_subject_cannot_add_a_header(subject: str) -> None:
    receipts = [cases.accepted_receipt()]
    owed = reply(
        replace(LETTER, subject=subject), ENTITY, receipts, NOW, settings(), letter_number=17
    )
    message = opened(owed)
    assert {name.lower() for name in message} == OUR_HEADERS
    assert message["To"] == "meter@example.ru"


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b\r\nBcc: c@d", "a b@c.d", "a@@b.ru", "a@b..ru", ".a@b.ru", "a,b@c.d", "@b"],
)
def test_no_mail_goes_to_what_is_no_address(address: str) -> None:
    assert recipient(address) is None
    owed = notice(replace(LETTER, reply_to=address), NOW, settings(), letter_number=17)
    assert (owed.recipient, owed.content) == ("", b"")


def test_a_cyrillic_domain_is_written_in_ascii() -> None:
    to = recipient("meter@почта.рф")
    assert to is not None
    assert to.addr_spec == "meter@xn--80a1acny.xn--p1ai"
    assert recipient("счёт@почта.рф") is None


def test_message_ids_are_fixed_and_known_as_our_own() -> None:
    first = own_message_id(17, "reply", settings())
    assert first == own_message_id(17, "reply", settings())
    assert first != own_message_id(17, "refusal", settings())
    assert is_own_message_id(first, settings())
    assert not is_own_message_id(first.replace(".17.", ".18."), settings())
    assert not is_own_message_id("<abc@example.ru>", settings())


@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_wrong_and_locked_get_the_same_reply(language: str) -> None:
    codes = (Code.CREDENTIALS_MISSING, Code.CREDENTIALS_WRONG, Code.SENDER_LOCKED)
    told = {
        refusal(LETTER, [finding(code)], NOW, settings(language), letter_number=17).content
        for code in codes
    }
    assert len(told) == 1


def test_a_refusal_carries_nothing_of_what_was_sent() -> None:
    letter = replace(LETTER, subject="Купите слона")
    found = finding(Code.CREDENTIALS_WRONG, seen="Купите слона")
    message = opened(refusal(letter, [found], NOW, settings(), letter_number=17))
    assert "слона" not in f"{message['Subject']} {body(message, 'plain')} {body(message, 'html')}"


@given(
    codes=st.lists(st.sampled_from(Code), min_size=1, max_size=12),
    language=st.sampled_from(LANGUAGES),
    local=st.text("ab.c", max_size=62).map(lambda text: f"a{text.strip('.').replace('..', '')}"),
    label=st.text("abc", min_size=1, max_size=60),
    message_id=st.text("abc", max_size=300).map(lambda text: f"<{text}@b>"),
)
@settings_of_hypothesis(max_examples=100, deadline=None)
def test_a_mail_to_a_stranger_is_text_under_a_kilobyte_and_a_half(
    codes: list[Code], language: str, local: str, label: str, message_id: str
) -> None:
    letter = replace(LETTER, reply_to=f"{local}@{label}.ru", message_id=message_id)
    findings = [finding(code) for code in codes]
    told = settings(language)
    for owed in (
        refusal(letter, findings, NOW, told, letter_number=17, is_to_stranger=True),
        notice(letter, NOW, told, letter_number=17, is_to_stranger=True),
    ):
        message = opened(owed)
        assert owed.is_to_stranger
        assert len(owed.content) < 1500
        assert message.get_content_type() == "text/plain"
        assert str(message["Subject"]) in message.get_content()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stranger_who_mistypes_is_told_what_to_do(language: str) -> None:
    found = [finding(Code.CREDENTIALS_WRONG)]
    owed = refusal(LETTER, found, NOW, settings(language), letter_number=17, is_to_stranger=True)
    assert advice(Code.CREDENTIALS_MISSING, language) in opened(owed).get_content()


def test_values_of_a_letter_are_escaped_in_html() -> None:
    attack = "<script>alert(1)</script>"
    found = finding(
        Code.INVALID_NUMBER, Place(sheet=attack, cell="A1"), seen=attack, point=attack, field=attack
    )
    document = replace(cases.parsed(), name=attack, part=attack, container=attack)
    receipts = [cases.receipt(1, document, Verdict.REJECTED, Status.DATA_ERRORS, (found,))]
    entity = replace(ENTITY, name=attack)
    owed = reply(
        replace(LETTER, subject=attack), entity, receipts, NOW, settings(), letter_number=17
    )
    assert "<script" not in body(opened(owed), "html")


def test_a_foreign_point_is_told_as_an_unknown_one_everywhere() -> None:
    message = opened(CASES["partly_accepted"]("ru"))
    parts = [str(p.get_content()) for p in message.walk() if p.get_content_maintype() == "text"]
    parts += [p.get_content().decode() for p in message.iter_attachments()]
    assert not any("foreign" in part for part in parts)
    assert any('code="unknown-point"' in part for part in parts)


def test_hundreds_of_findings_of_a_code_are_counted_not_listed() -> None:
    many = tuple(
        finding(Code.UNKNOWN_POINT, Place(line=n), point=f"{n:06}") for n in range(1, 1001)
    )
    receipts = [cases.receipt(1, cases.parsed(), Verdict.REJECTED, Status.UNKNOWN_OBJECTS, many)]
    message = opened(reply(LETTER, ENTITY, receipts, NOW, settings(), letter_number=17))
    text = body(message, "plain")
    assert text.count("Точка учёта не найдена\n") == 100
    assert "«Точка учёта не найдена»: здесь не показано ещё 900" in text
    receipt = etree.fromstring(next(message.iter_attachments()).get_content())
    assert len(receipt.findall("reply/finding")) == 100
    assert receipt.find("reply/more").attrib == {"code": "unknown-point", "count": "900"}


def test_every_receipt_follows_its_schema() -> None:
    schema = etree.XMLSchema(etree.parse(ROOT / "layouts" / "80021.xsd"))
    receipts = [
        part.get_content()
        for case in CASES.values()
        for part in opened(case("ru")).iter_attachments()
        if part.get_content_subtype() == "xml"
    ]
    assert len(receipts) == 10
    for receipt in receipts:
        schema.assertValid(etree.fromstring(receipt))


def test_receipts_that_share_a_number_are_files_of_their_own() -> None:
    receipts = [
        cases.receipt(number, cases.parsed(), Verdict.DUPLICATE, Status.ACCEPTED)
        for number in (7, 7, 8)
    ]
    message = opened(reply(LETTER, ENTITY, receipts, NOW, settings(), letter_number=17))
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == ["80021_7.xml", "80021_7_2.xml", "80021_8.xml"]


def test_a_receipt_survives_signs_that_xml_cannot_hold() -> None:
    found = finding(Code.INVALID_NUMBER, seen="\x00\ud800\uffff" + string.printable[:20])
    receipts = [cases.receipt(1, cases.parsed(), Verdict.REJECTED, Status.DATA_ERRORS, (found,))]
    letter = replace(LETTER, subject="\x0b")
    message = opened(reply(letter, ENTITY, receipts, NOW, settings(), letter_number=17))
    etree.fromstring(next(message.iter_attachments()).get_content())


def test_fifty_documents_full_of_findings_stay_under_five_megabytes() -> None:
    findings = tuple(
        finding(code, Place(line=n), seen="х" * 80, point=f"{n}", channel="A+")
        for code in Code
        for n in range(40)
    )
    series = cases.profile([1] * 24)
    changes = (Change(series, cases.PROFILE, replaced=(1,), stayed=1, kept=1),) * 300
    receipts = [
        cases.receipt(
            n, cases.parsed(), Verdict.PARTLY_ACCEPTED, Status.DATA_ERRORS, findings, changes
        )
        for n in range(1, 51)
    ]
    marked = {n: Marked(bytes(400_000)) for n in range(50)}
    owed = reply(LETTER, ENTITY, receipts, NOW, settings(), letter_number=17, marked=marked)
    assert len(owed.content) < 5_000_000
    assert len(list(opened(owed).iter_attachments())) > 50


@pytest.mark.parametrize("case", ["body", "subject", "document"])
def test_a_password_is_in_no_part_of_a_reply(case: str) -> None:
    password = "Крокодил-Гена-1966"
    told = f"Код: {ENTITY.user_code}\nПароль: {password}\n"
    attributes = f'password="{password}"' if case == "document" else ""
    document = (
        f'<package class="52006" version="1" sender_code="{ENTITY.user_code}" {attributes} '
        f'created="20261101091500"><meter number="{password}" point="{password}">'
        f'<reading date_time="{password}" value="{password}"/></meter></package>'
    )
    mail = EmailMessage()
    mail["From"] = f'"{password}" <meter@example.ru>'
    mail["Subject"] = told.replace("\n", " ") if case == "subject" else f"показания {password}"
    mail["Message-ID"] = "<a@example.ru>"
    mail.set_content(told if case == "body" else "без подписи")
    mail.add_attachment(
        document.encode(), maintype="text", subtype="xml", filename=f"{password}.xml"
    )
    letter = read_letter(mail.as_bytes(), Limits())
    parsed = [item for file in letter.documents for item in parse(file, LAYOUTS)]
    letter, documents = mask(letter, parsed)
    receipts = [
        Receipt(n, NOW, item, check(item, LAYOUTS.get(item.layout or "")))
        for n, item in enumerate(documents, 1)
    ]
    assert any(item.seen for receipt in receipts for item in receipt.checked.findings)
    findings = [finding(Code.CREDENTIALS_WRONG, seen=password)]
    answers = [
        reply(letter, ENTITY, receipts, NOW, settings(), letter_number=1),
        refusal(letter, findings, NOW, settings(), letter_number=1),
        notice(letter, NOW, settings(), letter_number=1),
    ]
    for answer in answers:
        assert password not in answer.subject
        message = opened(answer)
        for name, value in message.items():
            assert password not in str(value), name
        for part in message.walk():
            if not part.is_multipart():
                assert password not in (part.get_payload(decode=True) or b"").decode("utf-8")
                assert password not in (part.get_filename() or "")


any_text = st.text(st.characters(exclude_categories=()), max_size=40)


@given(data=st.data())
@settings_of_hypothesis(max_examples=60, deadline=None)
def test_whatever_a_letter_says_gives_a_mail_with_our_headers_only(data: st.DataObject) -> None:
    def draw() -> str:
        return data.draw(any_text)

    letter = Letter(
        sha256="",
        size=0,
        sender=draw(),
        reply_to="a@b.ru",
        subject=draw(),
        message_id=draw(),
        references=(draw(), "<a@b>"),
        attachments=(Attachment(draw(), draw(), 1),),
        credentials=(Credential(Source.BODY, draw(), draw()),),
    )
    found = finding(
        data.draw(st.sampled_from(Code)),
        Place(file=draw(), sheet=draw(), cell=draw()),
        seen=draw(),
        point=draw(),
        channel=draw(),
        meter=draw(),
        limit=draw(),
        expected=draw(),
        field=draw(),
        deadline="2026-11-01T00:00:00+03:00",
    )
    document = replace(cases.parsed(), name=draw(), part=draw(), container=draw(), layout=draw())
    receipts = [cases.receipt(1, document, Verdict.REJECTED, Status.DATA_ERRORS, (found,))]
    entity = replace(ENTITY, name=draw())
    for owed in (
        reply(letter, entity, receipts, NOW, settings(), letter_number=1),
        reply(replace(letter, findings=(found,)), entity, [], NOW, settings(), letter_number=1),
        refusal(letter, [found], NOW, settings(), letter_number=1),
    ):
        message = opened(owed)
        assert len(message.keys()) == len({name.lower() for name in message})
        assert message["To"] == "a@b.ru"
        assert {name.lower() for name in message} <= OUR_HEADERS
        assert body(message, "plain")
        assert body(message, "html")
