"""`process`: letters from files through the real pipeline and database."""

import json
import mailbox
import os
import sqlite3
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from storage.ledger import Ledger
from tests.ingest.invocation import SAMPLES

LETTERS = SAMPLES / "letters"
FIRST = LETTERS / "00-52005-xml.eml"
CODE = "200000001234"
RECEIVED = "2026-11-22T12:00"
"""A week after the sample letters were written."""
DELIVERED = datetime(2026, 11, 15, 6, 15, tzinfo=UTC)


def content():
    """Everything in the database, as statements."""
    connection = sqlite3.connect("ingest.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def without_passes(statements):
    """All but the moment at which the last pass ended."""
    return [one for one in statements if 'INTO "mailbox_pass"' not in one]


def codes(findings):
    return [found["code"] for found in findings]


def test_each_sample_letter_has_its_documented_outcome_and_a_second_run_stores_nothing(service):
    ran = service("process", LETTERS, "--json", "--at", RECEIVED)
    assert ran.code == 0
    told = {row["source"]: row for row in ran.rows}
    assert set(told) == {path.name for path in LETTERS.glob("*.eml")}
    for source, row in told.items():
        expected = json.loads((LETTERS / source).with_suffix(".expected.json").read_text())
        assert (row["outcome"], row["entity"]) == (expected["outcome"], expected["entity"]), source
        assert codes(row["findings"]) == expected["findings"], source
        assert [
            (item["layout"], item["verdict"], sorted(codes(item["findings"])))
            for item in row["documents"]
        ] == [(d["layout"], d["verdict"], sorted(d["findings"])) for d in expected["documents"]], (
            source
        )

    before = content()
    again = service("process", LETTERS, "--json", "--at", RECEIVED)
    assert again.code == 0
    for row in again.rows:
        assert row["outcome"] == "duplicate"
        assert (row["documents"], row["reply"]) == ([], None)
        assert row["letter"] == told[row["source"]]["letter"]
    assert without_passes(content()) == without_passes(before)


@pytest.mark.parametrize(
    ("form", "code", "password", "values"),
    [
        ("52006/form-libreoffice.xlsx", "000000004711", "Пароль№5", 1),
        ("52006/form-libreoffice.ods", "200000003080", "klyuch 7 mart", 5),
        ("52005/form-libreoffice.xls", "200000003080", "klyuch 7 mart", 744),
    ],
)
def test_our_form_filled_in_and_saved_by_libreoffice_is_accepted_without_a_finding(
    service, form, code, password, values
):
    letter = EmailMessage()
    letter["From"] = "buh@primer.example"
    letter.set_content(f"Код: {code}\nПароль: {password}\n")
    letter.add_attachment((SAMPLES / form).read_bytes(), "application", "octet-stream")
    path = service.write("letter.eml", letter.as_bytes())
    [row] = service("process", path, "--json", "--at", "2026-11-02T23:59").rows
    assert (row["outcome"], row["findings"]) == ("accepted", [])
    [document] = row["documents"]
    assert (document["findings"], document["values"]) == ([], values)


def test_a_row_has_the_documented_keys_in_their_order(service):
    [row] = service("process", FIRST, "--json", "--at", "2026-11-15").rows
    assert list(row) == [
        "source", "letter", "outcome", "entity", "findings", "documents", "reply",
    ]  # fmt: skip
    assert (row["source"], row["outcome"], row["entity"]) == (FIRST.name, "accepted", CODE)
    [document] = row["documents"]
    assert list(document) == [
        "name", "layout", "verdict", "receipt", "status", "values", "findings",
    ]  # fmt: skip
    assert document["values"] > 300
    assert document["status"] in (0, 1)
    assert list(row["reply"]) == ["to", "subject", "message_id"]
    assert row["reply"]["message_id"].startswith("<")


def test_a_refused_letter_has_no_entity_and_no_documents(service):
    [row] = service("process", LETTERS / "07-wrong-password.eml", "--json").rows
    assert (row["outcome"], row["entity"], row["documents"]) == ("refused", None, [])
    assert codes(row["findings"]) == ["credentials-wrong"]
    assert row["reply"]


def test_an_ignored_letter_is_owed_nothing(service):
    [row] = service("process", LETTERS / "11-auto-reply.eml", "--json").rows
    assert (row["outcome"], row["reply"]) == ("ignored", None)


def test_a_letter_in_the_same_run_twice_is_a_duplicate(service):
    rows = service("process", FIRST, FIRST, "--json", "--at", RECEIVED).rows
    assert [row["outcome"] for row in rows] == ["accepted", "duplicate"]
    assert rows[0]["letter"] == rows[1]["letter"]


def test_a_dry_run_tells_the_same_and_leaves_the_database_as_it_was(service):
    before = content()
    # The resend finds what the first one would have recorded.
    paths = [FIRST, LETTERS / "08-52005-resend-with-changes.eml", FIRST]
    rehearsed = service("process", *paths, "--json", "--dry-run", "--at", RECEIVED)
    assert content() == before
    assert rehearsed.code == 0
    real = service("process", *paths, "--json", "--at", RECEIVED)

    def told(ran):
        return [
            (row["outcome"], row["entity"], [codes(d["findings"]) for d in row["documents"]])
            for row in ran.rows
        ]

    assert told(rehearsed) == told(real)
    assert [row["outcome"] for row in rehearsed.rows] == ["accepted", "accepted", "duplicate"]


def test_a_dry_run_shows_people_the_reply(service):
    ran = service("process", FIRST, "--dry-run", "--at", RECEIVED)
    assert f"{FIRST.name}: accepted" in ran.out
    assert "Subject: " in ran.out
    assert "receipt 1, " in ran.out


def test_a_letter_is_late_or_not_by_the_moment_we_are_told(service):
    words = ["process", FIRST, "--json", "--dry-run", "--at"]
    [soon] = service(*words, "2026-11-15T09:00").rows
    [late] = service(*words, "2026-12-20").rows
    [old] = service(*words, "2027-12-01").rows
    assert "late-submission" not in codes(soon["documents"][0]["findings"])
    assert "late-submission" in codes(late["documents"][0]["findings"])
    assert old["outcome"] == "rejected"


def received(service):
    return {row["received_at"] for row in service("letters", "--json").rows}


@pytest.mark.parametrize("given", ["", "ключ 7 марта №5"], ids=["made", "from a pipe"])
def test_a_new_password_opens_and_the_old_one_does_not(service, given):
    ran = service("password", CODE, stdin=given.encode())
    password = given or ran.out.strip()
    words = ["process", "--json", "--dry-run", "--at", RECEIVED]
    assert service(*words, FIRST).rows[0]["outcome"] == "refused"
    service.write("new.eml", FIRST.read_bytes().replace(b"Zima-2026", password.encode()))
    assert service(*words, "new.eml").rows[0]["outcome"] == "accepted"


def test_a_maildirs_delivery_time_is_the_moment_of_receipt(service):
    box = mailbox.Maildir("Maildir")
    key = box.add(mailbox.MaildirMessage(FIRST.read_bytes()))
    os.utime(service.folder / "Maildir" / "new" / key, (0, DELIVERED.timestamp()))
    [row] = service("process", "Maildir", "--json", "--at", "2027-12-01").rows
    assert row["outcome"] == "accepted"
    assert received(service) == {"2026-11-15T09:15:00+03:00"}


def test_an_mboxs_delivery_time_is_the_moment_of_receipt(service):
    line = b"From buh@primer.example Sun Nov 15 06:15:00 2026\n"
    service.write("inbox", line + FIRST.read_bytes() + b"\n")
    [row] = service("process", "inbox", "--json", "--at", "2027-12-01").rows
    assert (row["source"], row["outcome"]) == ("inbox#1", "accepted")
    assert received(service) == {"2026-11-15T09:15:00+03:00"}


def test_without_a_server_replies_stay_owed(service):
    service("process", FIRST)
    assert service("status", "--json").rows[0]["owed"] == 1
    [row] = service("show", 1, "--json").rows
    [reply] = row["replies"]
    assert reply["state"] == "owed"
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.reading() as store:
        whole = store.letters.details(1)
    ledger.close()
    mail = message_from_bytes(whole.replies[0].content, policy=policy.default)
    assert mail["To"] == "buh@primer.example"
    assert mail["Auto-Submitted"] == "auto-replied"


JUNK = {
    "empty": b"",
    "noise": bytes(range(256)) * 100,
    "cut off": FIRST.read_bytes()[:700],
    "no header": b"\r\n\r\nonly text",
    "hostile header": b"Content-Type: text/plain; name*\r\nFrom: a@b.example\r\n\r\nx",
    "large": b"From: a@b.example\r\n\r\n" + b"x" * 30_000_000,
}


def test_no_letter_whatever_its_bytes_is_a_fault(service):
    (service.folder / "junk").mkdir()
    for name, junk in JUNK.items():
        service.write(f"junk/{name}.eml", junk)
    ran = service("process", "junk", "--json")
    assert ran.code == 0
    assert "Traceback" not in ran.err
    outcomes = {row["source"].removesuffix(".eml"): row["outcome"] for row in ran.rows}
    assert set(outcomes) == set(JUNK)
    assert set(outcomes.values()) == {"refused"}
    large = next(row for row in ran.rows if row["source"] == "large.eml")
    assert codes(large["findings"])[-1] == "letter-too-large"


def test_a_wrong_path_is_said_before_the_first_letter_is_read(service):
    before = content()
    ran = service("process", FIRST, "absent")
    assert (ran.code, ran.complaint) == (2, "absent: there is no such file or folder")
    assert content() == before


@pytest.mark.parametrize("answer", [True, False])
def test_strangers_are_answered_only_when_that_is_wished(service, answer):
    service.write("ingest.toml", f"[replies]\nanswer_unknown_senders = {str(answer).lower()}")
    [row] = service("process", LETTERS / "07-wrong-password.eml", "--json").rows
    assert (row["outcome"], row["reply"] is not None) == ("refused", answer)


def test_replies_to_one_address_end_at_the_days_bound(service):
    service.write("ingest.toml", "[replies]\nper_address_per_day = 2")
    for number in range(4):
        service.write(f"{number}.eml", b"From: a@b.example\r\n\r\n%d" % number)
    rows = service("process", ".", "--json").rows
    assert [row["reply"] is not None for row in rows] == [True, True, False, False]
    assert {row["outcome"] for row in rows} == {"refused"}


def known_only(service):
    service.write(
        "ingest.toml",
        "[authentication]\nrequire_known_address = true\n"
        'trusted_authserv_id = "mx.retailer.example"\n',
    )


def test_only_listed_addresses_hand_in_when_that_is_asked_for(service):
    known_only(service)
    other = FIRST.read_bytes().replace(b"<buh@primer.example>", b"<zam@primer.example>")
    service.write("other.eml", other)
    rows = service("process", FIRST, "other.eml", "--json", "--at", RECEIVED).rows
    assert [row["outcome"] for row in rows] == ["accepted", "refused"]
    assert codes(rows[1]["findings"]) == ["address-not-allowed"]
    # It knows the password: it may know why.
    assert rows[1]["reply"]["to"] == "zam@primer.example"


def test_a_listed_address_that_our_server_disproves_does_not_hand_in(service):
    known_only(service)
    forged = b"Authentication-Results: mx.retailer.example; spf=fail; dmarc=fail (p=reject)\r\n"
    honest = b"Authentication-Results: mx.retailer.example; dmarc=pass\r\n" + forged
    service.write("forged.eml", forged + FIRST.read_bytes())
    service.write("honest.eml", honest + FIRST.read_bytes())
    rows = service("process", "forged.eml", "honest.eml", "--json", "--at", RECEIVED).rows
    assert [row["outcome"] for row in rows] == ["refused", "accepted"]
    assert codes(rows[0]["findings"]) == ["address-not-allowed"]


def test_results_of_a_server_that_nobody_trusts_change_nothing(service):
    service.write("ingest.toml", "[authentication]\nrequire_known_address = true")
    forged = b"Authentication-Results: mx.retailer.example; dmarc=fail\r\n"
    service.write("forged.eml", forged + FIRST.read_bytes())
    [row] = service("process", "forged.eml", "--json", "--at", RECEIVED).rows
    assert row["outcome"] == "accepted"


@pytest.mark.parametrize("answer", [True, False])
def test_who_may_not_hand_in_is_told_so_even_where_strangers_are_told_nothing(service, answer):
    known_only(service)
    with (service.folder / "ingest.toml").open("a") as settings:
        settings.write(f"[replies]\nanswer_unknown_senders = {str(answer).lower()}")
    content = FIRST.read_bytes().replace(b"<buh@primer.example>", b"<zam@primer.example>")
    service.write("right.eml", content)
    service.write("wrong.eml", content.replace(b"Zima-2026", b"Leto-2026"))
    rows = service("process", "right.eml", "wrong.eml", "--json", "--at", RECEIVED).rows
    assert [row["outcome"] for row in rows] == ["refused", "refused"]
    assert [row["reply"] is not None for row in rows] == [True, answer]


def test_a_stranger_is_answered_five_times_an_hour_and_a_sender_as_often_as_it_writes(service):
    for folder in "ab":
        (service.folder / folder).mkdir()
    for number in range(7):
        service.write(f"a/{number}.eml", b"From: a@b.example\r\n\r\n%d" % number)
        sender = b"From: buh@primer.example\r\n\r\n%d" % number
        service.write(f"b/{number}.eml", sender)
    rows = service("process", "a", FIRST, "b", "--json", "--at", RECEIVED).rows
    answered = [row["reply"] is not None for row in rows]
    assert answered == [True] * 5 + [False] * 2 + [True] + [True] * 7


def test_an_address_is_locked_with_one_text_for_right_and_wrong(service):
    content = FIRST.read_bytes()
    for number in range(6):
        wrong = content.replace(b"Zima-2026", b"Leto-%04d" % number)
        service.write(f"{number}.eml", wrong.replace(b"Message-ID: <", b"Message-ID: <%d" % number))
    service.write("9.eml", content)
    rows = service("process", ".", "--json", "--at", RECEIVED).rows
    told = [codes(row["findings"]) for row in rows]
    assert told == [["credentials-wrong"]] * 5 + [["sender-locked"]] * 2
    assert len({row["reply"]["subject"] for row in rows[:5]}) == 1


def test_a_letter_through_the_group_that_the_configuration_names_is_recorded(service):
    through = b"List-Id: Meters <meters.retailer.example>\r\n" + FIRST.read_bytes()
    at = ("--json", "--at", "2026-11-15")
    [row] = service("process", service.write("a.eml", through), *at).rows
    assert (row["outcome"], row["reply"]) == ("ignored", None)
    service.write("ingest.toml", '[poll]\nlist_id = "<Meters.Retailer.Example>"\n')
    again = service.write("b.eml", b"X-Again: 1\r\n" + through)
    [row] = service("process", again, *at).rows
    assert row["outcome"] == "accepted"
    assert row["reply"]["to"]
