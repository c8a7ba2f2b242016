"""What a letter that came back says, in a delivery status or in words."""

import pytest

from ingest.letters import bounce, mime
from ingest.letters.bounce import LOOKED_MOST, TEXT_MOST, bounce_in

ID = "<1@ours.example>"


def read(content: str | bytes):
    raw = content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode()
    return bounce_in(raw, mime.split_header(raw, 0, len(raw))[0])


def words(text: str, head="From: MAILER-DAEMON@mx.example"):
    return read(f"{head}\nContent-Type: text/plain\n\n{text}")


def report(*blocks: str, text="", head="From: postmaster@mx.example", kind="delivery-status"):
    status = "\n\n".join(("Reporting-MTA: dns; mx.example", *blocks))
    part = f"--b\nContent-Type: message/{kind}\n\n{status}\n"
    about = 'multipart/report; report-type=delivery-status; boundary="b"'
    return read(f"{head}\nContent-Type: {about}\n\n--b\n\n{text}\n{part}--b--\n")


def recipient(action: str, **more: str) -> str:
    fields = {"Final-Recipient": "rfc822; a@b.example", "Action": action, "Status": "5.1.1"}
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return "\n".join(f"{name}: {value}" for name, value in (fields | named).items() if value)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        ("From: MAILER-DAEMON@mx.example", True), ("From: Mail Daemon <mail-daemon@x>", True),
        ("From: Postmaster@x", True), ("From: <>", True), ("From: a@b", False),
        ("From: a@b\nX-Failed-Recipients: c@d.example", True),
    ],
)  # fmt: skip
def test_words_are_a_report_when_a_mail_server_wrote_them(head, is_one):
    assert (words("550 5.1.1 unknown", head) is not None) is is_one


@pytest.mark.parametrize(
    ("actions", "failed"),
    [
        (["failed"], True), (["FAILED (really)"], True), (["delayed"], False),
        (["delayed", "failed"], True), (["failed", "delayed"], True), (["delivered"], None),
        (["relayed"], None), (["expanded"], None), (["delivered", "failed"], True), ([], None),
    ],
)  # fmt: skip
def test_a_status_says_whether_a_letter_failed_for_good(actions, failed):
    found = report(*map(recipient, actions), head="From: a@b")
    assert (found and found.is_for_good) == failed


@pytest.mark.parametrize(
    ("more", "code", "told", "whom"),
    [
        ({}, "5.1.1", "", "a@b.example"), ({"Status": ""}, "", "", "a@b.example"),
        ({"Status": "", "Diagnostic_Code": "smtp; 550 no"}, "550", "550 no", "a@b.example"),
        ({"Diagnostic_Code": "X-Unix; 5.7.1 no"}, "5.1.1", "5.7.1 no", "a@b.example"),
        ({"Original_Recipient": "rfc822;<c@d.example>"}, "5.1.1", "", "c@d.example"),
        ({"Diagnostic_Code": "smtp; " + "x" * 400}, "5.1.1", "x" * TEXT_MOST, "a@b.example"),
    ],
)  # fmt: skip
def test_a_status_says_why_and_of_whom(more, code, told, whom):
    found = report(recipient("failed", **more))
    assert (found.code, found.told, found.recipient) == (code, told, whom)


def test_of_a_status_without_an_answer_the_text_tells_it():
    found = report(recipient("failed", Status=""), text="Sorry.\n550 5.2.2 mailbox full")
    assert (found.code, found.told) == ("5.2.2", "550 5.2.2 mailbox full")
    given = report(recipient("failed", Diagnostic_Code="smtp; 554 no"), text="550 other")
    assert (given.code, given.told) == ("5.1.1", "554 no")


@pytest.mark.parametrize(
    ("text", "for_good"),
    [
        ("550 5.1.1 unknown", True), ("delayed", False), ("Warning only", False),
        ("451 4.7.1 later", False), ("451 4.7.1 later, given up", True),
        ("delayed: permanent error", True), ("доставка отложена", False), ("something", True),
    ],
)  # fmt: skip
def test_words_say_whether_a_letter_failed_for_good(text, for_good):
    assert words(text).is_for_good is for_good


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 no", "550"), ("550-no", "550"), ("550", ""), ("450 5.1.1", "5.1.1"), ("3.1.1", ""),
        ("250 ok", ""), ("15.1.1", ""), ("5.1.1.1", ""), ("1.550 no", ""), ("5.1234.1", ""),
        ("421 a 550 b", "421"), ("5.1.1 and 5.2.2", "5.1.1"),
    ],
)  # fmt: skip
def test_a_code_is_the_first_of_its_kind(text, code):
    assert words(text).code == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello\n550 no\nmore", "550 no"),
        ("Hello\n<a@b>\nfull\nreally\nyes\nno", "full really yes"),
        ("one\ntwo\nthree\nfour", "one two three"),
        ("one\ntwo\nthree\na@b", "two three a@b"), ("one", "one"),
        ("550 " + "x" * 400, "550 " + "x" * 296),
        ("550 no\n\nReturn-Path: <a>\n551 yes", "550 no"), ("Return-Path: <a>\n551 yes", ""),
        ("a@b\n--- This is a copy\n551 yes", "a@b"),
    ],
)  # fmt: skip
def test_a_reason_is_the_server_s_line_or_what_follows_the_recipient(text, told):
    assert words(text).told == told


def test_who_failed_stands_in_the_header_and_is_for_good():
    found = words("delayed", "From: a@b\nX-Failed-Recipients: c@d.example, e@f.example")
    assert (found.is_for_good, found.recipient) == (True, "c@d.example, e@f.example")


@pytest.mark.parametrize(
    "text", [f"Message-ID: {ID}", f"> X-Original-Message-ID: {ID}", f"Идентификатор письма: {ID}"]
)
def test_the_letter_that_came_back_is_known_by_its_id(text):
    assert words(f"550 no\n{text}").message_ids == (ID,)
    assert words(f"550 no\nmy{text.lstrip('> ')}").message_ids == ()


def test_ids_are_those_of_the_first_enclosed_letter_then_of_texts_then_what_is_answered():
    inner = "--b\nContent-Type: message/rfc822\n\nMessage-ID: <{}@x>\n\nbody\n"
    status = f"--b\nContent-Type: message/delivery-status\n\nA: b\n\n{recipient('failed')}\n"
    quoted = "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <3@x>\n"
    about = 'multipart/report; boundary="b"'
    found = read(
        f"From: a@b\nIn-Reply-To: <4@x>\nContent-Type: {about}\n\n"
        f"{status}{inner.format(1)}{inner.format(2)}{quoted}--b--\n"
    )
    assert found.message_ids == ("<1@x>", "<3@x>", "<4@x>")


def test_ids_are_bounded(monkeypatch):
    monkeypatch.setattr(bounce, "IDS_MOST", 2)
    assert words("\n".join(f"Message-ID: <{n}@x>" for n in range(3))).message_ids == (
        "<0@x>",
        "<1@x>",
    )


@pytest.mark.parametrize(("blocks", "failed"), [(2, False), (3, True)])
def test_of_a_status_the_first_blocks_are_looked_at(blocks, failed, monkeypatch):
    # The first block is of the letter itself.
    monkeypatch.setattr(bounce, "BLOCKS_MOST", blocks)
    assert report(recipient("delayed"), recipient("failed")).is_for_good is failed


@pytest.mark.parametrize(("before", "code"), [(0, "550"), (2, "550"), (3, "")])
def test_of_a_text_as_much_is_looked_at_as_stands_before_what_is_returned(before, code):
    line = "550 no"
    text = "x" * (LOOKED_MOST - len(line) - 1 + before) + "\n" + line
    raw = f"From: <>\r\nContent-Type: text/plain\r\n\r\n{text}".encode()
    assert read(raw).code == code


@pytest.mark.parametrize("kind", ["disposition-notification", "feedback-report"])
def test_a_receipt_or_a_complaint_is_no_bounce(kind):
    about = f"multipart/report; report-type={kind}; boundary=b"
    head = f"From: postmaster@x\nContent-Type: {about}"
    assert read(f"{head}\n\n--b\n\n550 no\n--b--\n") is None


def test_a_status_of_another_alphabet_is_one():
    assert report(recipient("failed"), kind="global-delivery-status").is_for_good


def test_of_two_ids_of_the_letter_that_came_back_the_first_counts():
    inner = "--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@x>\nMessage-ID: <2@x>\n\nbody\n"
    status = f"--b\nContent-Type: message/delivery-status\n\nA: b\n\n{recipient('failed')}\n"
    about = 'multipart/report; boundary="b"'
    found = read(f"From: a@b\nContent-Type: {about}\n\n{status}{inner}--b--\n")
    assert found.message_ids == ("<1@x>",)


def test_what_the_letter_that_came_back_says_is_no_reason():
    inner = "--b\nContent-Type: message/rfc822\n\nSubject: x\n\n550 5.1.1 mine\n"
    text = "--b\nContent-Type: text/plain\n\nSorry\n"
    about = 'multipart/mixed; boundary="b"'
    found = read(f"From: <>\nContent-Type: {about}\n\n{text}{inner}--b--\n")
    assert (found.code, found.told) == ("", "Sorry")


def mixed(*parts: str, head="From: <>"):
    made = "".join(f"--b\nContent-Type: {part}\n" for part in parts)
    return read(f'{head}\nContent-Type: multipart/mixed; boundary="b"\n\n{made}--b--\n')


@pytest.mark.parametrize(
    ("kind", "is_said"),
    [
        ("text/plain", True), ("message/x", True), ("application/json", False), ("image/x", False),
        ("text/rfc822-headers", True),
    ],
)  # fmt: skip
def test_ids_are_looked_for_in_texts_alone(kind, is_said):
    found = mixed("text/plain\n\nSorry", f"{kind}\n\nMessage-ID: {ID}")
    assert found.message_ids == ((ID,) if is_said else ())


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/x", "application/json"])
def test_the_reason_stands_in_a_text(kind):
    assert mixed(f"{kind}\n\n550 mine", "text/plain\n\nSorry").told == "Sorry"
    assert mixed("text/html\n\n<p>550 no</p><p>x</p>", f"{kind}\n\n551 mine").told == "550 no"


@pytest.mark.parametrize(("most", "code"), [(7, "550"), (6, ""), (3, ""), (2, "")])
def test_as_much_of_all_texts_together_is_looked_at(most, code, monkeypatch):
    monkeypatch.setattr(bounce, "LOOKED_MOST", most)
    assert mixed("text/plain\n\nabc", "text/plain\n\n550 no").code == code


def test_of_two_statuses_the_first_counts():
    status = "message/delivery-status\n\nA: b\n\n"
    for first, second in (("delayed", "failed"), ("failed", "delayed")):
        found = mixed(status + recipient(first), status + recipient(second))
        assert found.is_for_good is (first == "failed")


@pytest.mark.parametrize("blank", ["", " ", "\t \n"])
def test_blocks_of_a_status_are_parted_by_blank_lines(blank):
    status = f"message/delivery-status\n\nA: b\n{blank}\n{recipient('delayed')}\n{blank}\n"
    found = mixed(status + recipient("failed", Status="5.2.2"))
    assert (found.is_for_good, found.code, found.recipient) == (True, "5.2.2", "a@b.example")


@pytest.mark.parametrize("ids", [20, 21])
def test_so_many_ids_are_kept(ids):
    text = "\n".join(f"Message-ID: <{n}@x>" for n in range(ids))
    assert len(words(text).message_ids) == 20


def test_a_report_of_more_parts_than_any_server_makes_is_none(monkeypatch):
    monkeypatch.setattr(mime, "PARTS_MOST", 2)
    assert mixed("text/plain\n\n550 no") is not None
    assert mixed("text/plain\n\n550 no", "text/plain\n\nx") is None
