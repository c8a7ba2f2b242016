"""Mail servers as they are: odd, wrong, endless. None may stop the service or fill it."""

from __future__ import annotations

import hashlib
import itertools
import re
import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.transports.imap import mailbox as mailbox_module
from ingest.transports.imap.filing import FILED
from ingest.transports.imap.mailbox import SEARCHED, ImapMailbox
from ingest.transports.ports import Deferred, MailboxUnavailable, OutboxUnavailable
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.records.replies import OwedReply
from tests.end_to_end.scripted import (
    LETTER,
    PlainImap,
    ScriptedImap,
    ScriptedSmtp,
    fetched,
    literal,
)
from tests.fakes import mail


@pytest.fixture
def serving():
    servers = []

    def serve(answers=None, **options) -> ScriptedImap:
        servers.append(ScriptedImap(answers, **options))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


def read(mailbox):
    try:
        _, uids = mailbox.uids()
        return [raw for batch in mailbox.fetch(uids) for raw in batch]
    finally:
        mailbox.close()


def lines(*answers):
    return lambda _rest: iter(answers)


def test_an_ordinary_server_is_read(serving):
    (raw,) = read(ImapMailbox(serving().config()))
    assert raw.content == LETTER
    assert raw.received_at == datetime(2026, 11, 10, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        b'"32-Nov-2026 09:15:00 +0300"',
        b'"10-Nov-2026 29:15:00 +0300"',
        b'""',
        b"NIL",
        b'"31-Dec-9999 23:00:00 -1400"',
        b'"yesterday"',
        b"12",
        b"(1 2)",
    ],
)
def test_a_letter_without_a_date_of_receipt_gets_the_moment_it_was_first_seen(serving, date):
    server = serving({"UID FETCH": lambda rest: fetched(rest, date)})
    mailbox = ImapMailbox(server.config())
    try:
        _, uids = mailbox.uids()
        with capture_logs() as logs:
            (first,) = [raw for batch in mailbox.fetch(uids) for raw in batch]
            (again,) = [raw for batch in mailbox.fetch(uids) for raw in batch]
    finally:
        mailbox.close()
    # Said once, with the letter that it is about.
    assert [(line["event"], line["uid"]) for line in logs] == [("letter.undated", uids[0])]
    assert first.content == LETTER
    assert datetime.now(UTC) - first.received_at < timedelta(seconds=30)
    assert again.received_at == first.received_at


def test_a_letter_without_any_date_is_read_all_the_same(serving):
    def without_date(rest):
        if "BODY.PEEK" in rest:
            yield from fetched(rest)
        else:
            yield b"* 1 FETCH (UID 11 RFC822.SIZE %d)\r\n" % len(LETTER)

    (raw,) = read(ImapMailbox(serving({"UID FETCH": without_date}).config()))
    assert raw.content == LETTER


@pytest.mark.parametrize(
    "answers",
    [
        [b"* SEARCH 11\r\n", b"* SEARCH 12 13\r\n"],
        [b"* SEARCH\r\n", b"* SEARCH 13 12\r\n", b"* SEARCH 11\r\n"],
        [b"* SEARCH 11 12 13 (MODSEQ 917)\r\n"],
    ],
)
def test_a_search_may_be_answered_on_several_lines(serving, answers):
    mailbox = ImapMailbox(serving({"UID SEARCH": lines(*answers)}).config())
    assert mailbox.uids()[1] == [11, 12, 13]
    mailbox.close()


def test_a_letter_larger_than_its_size_says_is_cut(serving):
    def larger(rest):
        if "BODY.PEEK" in rest:
            yield b"* 1 FETCH (UID 11 BODY[] " + literal(b"A: b\r\n\r\n" + b"x" * 5000) + b")\r\n"
        else:
            yield from fetched(rest)

    (raw,) = read(ImapMailbox(serving({"UID FETCH": larger}).config(letter_bytes=2000)))
    assert raw.header_only
    assert raw.size == 5008


@pytest.mark.parametrize("flags", [b"\\Noselect", b"\\NonExistent", b"\\NoSelect \\HasChildren"])
def test_a_folder_that_cannot_hold_letters_is_made_one(serving, flags):
    listed = b'* LIST (%b) "/" "Processed"\r\n' % flags
    server = serving({"LIST": lines(listed)})
    mailbox = ImapMailbox(server.config())
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    mailbox.close()
    assert 'CREATE "Processed"' in server.commands


def test_below_a_prefix_the_folder_of_arrival_is_named_like_the_others(serving):
    server = serving(
        {
            "NAMESPACE": lines(b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\n'),
            "LIST": lambda rest: iter([b'* LIST () "." "INBOX.x"\r\n'] if "INBOX." in rest else []),
        },
        capabilities=b"IMAP4rev1 MOVE NAMESPACE",
    )
    mailbox = ImapMailbox(server.config(folder="Meters"))
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    mailbox.close()
    selected = {command for command in server.commands if command.startswith("SELECT")}
    assert selected == {'SELECT "INBOX.Meters"'}
    assert 'UID MOVE 11 "INBOX.Processed"' in server.commands


def test_a_letter_kept_apart_by_a_keyword_is_searched_for_by_its_absence(serving):
    server = serving(capabilities=b"IMAP4rev1")
    mailbox = ImapMailbox(server.config())
    mailbox.uids()
    mailbox.close()
    assert f"UID SEARCH ALL UNKEYWORD {FILED}" in server.commands


# A server that knows neither MOVE nor UIDPLUS.


@pytest.fixture
def plain():
    servers = []

    def serve(*letters, **options) -> tuple[PlainImap, ImapMailbox, Sequence[int]]:
        servers.append(PlainImap(*letters, **options))
        mailbox = ImapMailbox(servers[-1].config())
        return servers[-1], mailbox, mailbox.uids()[1]

    yield serve
    for server in servers:
        server.close()


FIRST, SECOND, THIRD = (mail(word) for word in ("first", "second", "third"))


def test_on_a_plain_server_letters_are_copied_and_expunged(plain):
    server, mailbox, uids = plain(FIRST, SECOND, THIRD)
    mailbox.file([uids[0], uids[2]], "accepted")
    assert server.contents("Processed") == [FIRST, THIRD]
    assert server.contents("INBOX") == [SECOND]
    assert mailbox.uids()[1] == [uids[1]]
    mailbox.close()


@pytest.mark.parametrize(
    ("days", "is_found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_filed_letter_is_known_by_its_bytes_within_a_day_of_its_arrival(plain, days, is_found):
    _, mailbox, uids = plain(FIRST, THIRD)
    mailbox.file(uids, "accepted")
    received_at = datetime(2026, 11, 10, 6, 15, tzinfo=UTC) + timedelta(days=days)
    sha256 = hashlib.sha256(THIRD).hexdigest()

    size = len(THIRD)
    found = mailbox.content_of("accepted", sha256, size, received_at)
    assert found == (THIRD if is_found else None)
    for outcome, digest, length in (
        ("accepted", "0" * 64, size), ("accepted", sha256, size + 1), (None, sha256, size)
    ):  # fmt: skip
        assert mailbox.content_of(outcome, digest, length, received_at) is None
    told = []
    there = mailbox.put_back("accepted", {sha256: (len(THIRD), received_at)}, told.extend)
    assert there == set(told) == ({sha256} if is_found else set())
    assert (len(mailbox.uids()[1]) == 1) is is_found
    mailbox.close()


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_where_an_expunge_would_remove_the_letters_of_others_ours_are_kept_apart(plain, when):
    server, mailbox, uids = plain(FIRST, SECOND, THIRD)
    others = server.folders["INBOX"][uids[1]][1]
    if when == "before":
        others.add("\\Deleted")
    else:
        server.copied = lambda: others.add("\\Deleted")

    mailbox.file(uids[:1], "accepted")

    assert server.contents("Processed") == [FIRST]
    assert server.contents("INBOX") == [FIRST, SECOND, THIRD]
    assert server.folders["INBOX"][uids[0]][1] == {FILED}
    # It has its verdict and its copy: it is not read again.
    assert mailbox.uids()[1] == uids[1:]
    assert mailbox.examine().keeps_apart
    mailbox.close()


def test_without_keywords_either_nothing_is_copied_again_and_again(plain):
    server, mailbox, uids = plain(FIRST, SECOND, keeps_keywords=False)
    server.folders["INBOX"][uids[1]][1].add("\\Deleted")
    with pytest.raises(MailboxUnavailable, match="neither MOVE nor UIDPLUS nor keywords"):
        mailbox.file(uids[:1], "accepted")
    assert server.contents("Processed") == []
    assert server.contents("INBOX") == [FIRST, SECOND]


@pytest.mark.parametrize("has_deleted", [True, False])
def test_examining_a_plain_server_files_for_trial_where_no_other_letter_can_go(plain, has_deleted):
    server, mailbox, _ = plain(FIRST)
    held = {11: (SECOND, {"\\Deleted"})} if has_deleted else {}
    server.folders["Processed"] = dict(held)
    assert mailbox.examine().letters == 1
    mailbox.close()
    tried = [command.split('"')[1] for command in server.commands if command.startswith("APPEND")]
    assert tried == ["Processed", "Ignored", "Quarantine"][has_deleted:]
    assert server.folders["Processed"] == held
    assert server.contents("Ignored") == server.contents("Quarantine") == []


# Lies.


def endless(line):
    return lambda *_rest: itertools.repeat(line)


def slowly(piece):
    def trickle(*_rest):
        for _ in range(100):
            time.sleep(0.2)
            yield piece

    return trickle


def breaking_off(_rest):
    yield b"* 1 FETCH (UID 11 BODY[] {500}\r\nabc"
    raise ConnectionAbortedError


LIES = {
    "a literal of ten gigabytes": {
        "UID FETCH": lines(b"* 1 FETCH (UID 11 BODY[] {10000000000}\r\n", b"x" * 100_000)
    },
    "a literal longer than any number": {
        "UID FETCH": lines(b"* 1 FETCH (UID 11 BODY[] {" + b"9" * 5000 + b"}\r\n")
    },
    "lines without end": {"UID SEARCH": endless(b"* SEARCH 1 2 3\r\n" * 500)},
    "a line without end": {"UID SEARCH": endless(b"* SEARCH" + b" 11" * 10_000)},
    "untagged status without end": {"SELECT": endless(b"* OK [ALERT] pay\r\n" * 500)},
    "more letters than there are": {
        "SELECT": lines(b"* 999999999999999 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n")
    },
    "deep parentheses": {"UID FETCH": lines(b"* 1 FETCH " + b"(" * 200_000 + b"\r\n")},
    "a folder without UIDVALIDITY": {"SELECT": lines(b"* 1 EXISTS\r\n")},
    "a UIDVALIDITY that is a list": {
        "SELECT": lines(b"* 1 EXISTS\r\n* OK [UIDVALIDITY (7 8)] x\r\n")
    },
    "a search for words": {"UID SEARCH": lines(b"* SEARCH eleven\r\n")},
    "a fetch of nothing": {"UID FETCH": lines(b"* 1 FETCH\r\n")},
    "a fetch of NIL": {"UID FETCH": lines(b"* 1 FETCH NIL\r\n")},
    "a size that is a word": {
        "UID FETCH": lines(b"* 1 FETCH (UID 11 RFC822.SIZE big INTERNALDATE NIL)\r\n")
    },
    "a connection that ends within a literal": {"UID FETCH": breaking_off},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_costs_its_mailbox_one_pass_and_nobody_memory(serving, lie, monkeypatch):
    monkeypatch.setattr("ingest.transports.imap.connect.ANSWER_BYTES", 20 * 2**20)
    mailbox = ImapMailbox(serving(LIES[lie]).config(timeout_seconds=2.0, letter_bytes=2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MailboxUnavailable, match=r"mailbox main: 127\.0\.0\.1"):
        read(mailbox)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80 * 1024


def test_of_two_million_letters_the_oldest_are_listed_until_they_are_gone(serving):
    asked, gone = [], 0

    def found(rest):
        first, last = map(int, re.search(r"(\d+):(\d+)", rest).groups())
        asked.append((first, last))
        uids = range(gone + first, gone + last + 1)
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"

    def opened(_rest):
        yield b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" % (2_000_000 - gone)

    mailbox = ImapMailbox(serving({"SELECT": opened, "UID SEARCH": found}).config())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        _, uids = mailbox.uids()
        assert (len(uids), uids[0], uids[-1]) == (SEARCHED, gone + 1, gone + SEARCHED)
        gone += SEARCHED
    mailbox.close()
    assert asked == [(1, SEARCHED)] * 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024


def test_filed_letters_of_a_day_are_all_listed_however_many(serving, monkeypatch):
    monkeypatch.setattr(mailbox_module, "SEARCHED", 10)
    asked = []

    def found(rest):
        asked.append(tuple(map(int, re.search(r"(\d+):(\d+)", rest).groups())))
        yield b"* SEARCH " + b" ".join(b"%d" % n for n in range(asked[-1][0], asked[-1][1] + 1))
        yield b"\r\n"

    many = lines(b"* 25 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n")
    server = serving({"SELECT": many, "UID SEARCH": found})
    mailbox = ImapMailbox(server.config(files=False))
    _, uids = mailbox.uids()
    mailbox.close()
    assert list(uids) == [*range(1, 26)]
    assert asked == [(1, 10), (11, 20), (21, 25)]


@pytest.mark.parametrize("is_old", [True, False])
def test_a_session_that_the_server_ends_is_a_fault_only_of_a_young_one(
    serving, monkeypatch, is_old
):
    selected = []

    def opened(_rest):
        selected.append(1)
        if len(selected) == 2:
            yield b"* BYE the token has expired\r\n"
            raise OSError
        yield b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"

    monkeypatch.setattr(mailbox_module, "LIVED_SECONDS", 0.0 if is_old else 3600.0)
    mailbox = ImapMailbox(serving({"SELECT": opened}).config())
    mailbox.uids()
    if is_old:
        assert mailbox.uids() == (7, [11])
    else:
        with pytest.raises(MailboxUnavailable):
            mailbox.uids()
    mailbox.close()


@pytest.mark.parametrize("piece", [b"*", b"* OK still here\r\n"])
def test_a_server_that_trickles_is_left_when_the_commands_time_is_over(serving, piece):
    server = serving({"UID SEARCH": slowly(piece)})
    mailbox = ImapMailbox(server.config(command_seconds=1.0))
    with pytest.raises(MailboxUnavailable, match="took longer than 1 seconds"):
        read(mailbox)


@pytest.mark.parametrize(
    "greeting",
    [endless(b"* hello\r\n"), endless(b"x" * 10_000), lines(b""), lines(b"220 smtp\r\n")],
)
def test_a_greeting_is_bounded_like_every_answer(serving, greeting):
    server = serving(greeting=lambda: greeting(""))
    mailbox = ImapMailbox(server.config(timeout_seconds=1.0, command_seconds=2.0))
    with pytest.raises(MailboxUnavailable):
        read(mailbox)


TOKENS = st.sampled_from(
    [b"(", b")", b"NIL", b"11", b"UID", b'"a"', b"{3}\r\nabc", b"BODY[]", b"\\Seen", b"-1",
     b"RFC822.SIZE", b"INTERNALDATE", b"{", b'"', b"[", b"]", b"\xff", b"FLAGS", b"99999999999999"]
)  # fmt: skip
COMMANDS = st.sampled_from(["UID FETCH", "UID SEARCH", "SELECT", "LIST", "CAPABILITY"])
KINDS = st.sampled_from(
    [b"1 FETCH", b"SEARCH", b"1 EXISTS", b"OK [UIDVALIDITY", b"LIST", b"CAPABILITY", b"BYE", b"x"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(command=COMMANDS, kind=KINDS, tokens=st.lists(TOKENS, max_size=12))
def test_nonsense_of_any_shape_is_a_fault_of_time_or_a_letter_without_bytes(command, kind, tokens):
    line = b"* " + kind + b" " + b" ".join(tokens) + b"\r\n"
    server = ScriptedImap({command: lines(line)})
    try:
        for raw in read(ImapMailbox(server.config(timeout_seconds=0.3))):
            assert isinstance(raw.content, bytes)
    except MailboxUnavailable:
        pass
    finally:
        server.close()


def answering(word, answer):
    usual = {"": b"220 ready\r\n", "DATA": b"354 go on\r\n"}
    known = {"", "EHLO", "MAIL", "RCPT", "DATA", ".", "NOOP", "RSET", "QUIT"}

    def answers(said):
        if said == word:
            yield from answer()
        elif said in known:
            yield usual.get(said, b"250 fine\r\n")

    return answers


SMTP_LIES = {
    "lines without end": lambda: itertools.repeat(b"250-more\r\n" * 1000),
    "a line without end": lambda: itertools.repeat(b"250 " + b"x" * 100_000),
    "no number": lambda: iter([b"hello\r\n"]),
    "not even text": lambda: iter([b"\xff\xfe\x00\x01\r\n"]),
    "a number in other digits": lambda: iter(["\u0662\u0665 x\r\n".encode()]),
    "nothing": lambda: iter([b""]),
}


@pytest.mark.parametrize("word", ["", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("lie", SMTP_LIES)
def test_an_smtp_server_that_lies_leaves_the_reply_owed_and_costs_no_memory(lie, word):
    server = ScriptedSmtp(answering(word, SMTP_LIES[lie]))
    postman = SmtpPostman(
        SmtpConfig("127.0.0.1", server.port, "none", sender="a@b.example", timeout_seconds=0.5)
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with pytest.raises((OutboxUnavailable, Deferred)):
            postman.send(
                OwedReply(1, "c@d.example", "Hi", "<1@b.example>", b"Subject: Hi\n\nOne\n")
            )
    finally:
        postman.close()
        server.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_an_smtp_server_that_trickles_is_left_when_its_time_is_over():
    server = ScriptedSmtp(answering("EHLO", slowly(b"250-still\r\n")))
    postman = SmtpPostman(
        SmtpConfig("127.0.0.1", server.port, "none", sender="a@b.example", answer_seconds=1.0)
    )
    with pytest.raises(OutboxUnavailable, match="took longer than 1 seconds"):
        postman.greet()
    server.close()
