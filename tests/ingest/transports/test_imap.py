"""What is said to an IMAP server, word by word, and what is made of its answers."""

import base64
import hashlib
import imaplib
import math
import re
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ingest.transports.imap import commands, connect, filing
from ingest.transports.imap import mailbox as mailboxes
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.login import Token
from ingest.transports.ports import MailboxUnavailable
from storage.records.letters import Location
from tests.end_to_end.scripted import DATE, RefusedError, ScriptedImap, literal

AT = datetime(2026, 11, 10, 6, 15, tzinfo=UTC)


@pytest.fixture
def serving():
    servers, boxes = [], []

    def serve(
        answers=None,
        capabilities=b"IMAP4rev1 MOVE UIDPLUS",
        hello=b"* OK ready\r\n",
        **options,
    ):
        servers.append(ScriptedImap(answers, lambda: iter([hello]), capabilities))
        boxes.append(ImapMailbox(servers[-1].config(**options)))
        return servers[-1], boxes[-1]

    yield serve
    for one in (*boxes, *servers):
        one.close()


def lines(*answers):
    return lambda _rest: iter(answers)


def refused(told):
    def refuse(_rest):
        raise RefusedError(told)

    return refuse


def selected(exists=1, validity=7, uidnext=12, flags=b"\\Deleted \\*"):
    yield b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] x\r\n" % (exists, validity)
    if uidnext is not None:
        yield b"* OK [UIDNEXT %d] x\r\n" % uidnext
    yield b"* OK [PERMANENTFLAGS (" + flags + b")] x\r\n"


class Letters:
    """Answers SEARCH and FETCH for letters (bytes by UID); a size may be a lie."""

    def __init__(self, letters, sizes=()):
        self.letters, self.sizes = letters, dict(sizes)
        self.answers = {"SELECT": lambda _: selected(len(letters)), "UID SEARCH": self._search,
                        "UID FETCH": self.fetch}  # fmt: skip

    def _search(self, _rest):
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in self.letters) + b"\r\n"

    def fetch(self, rest):
        for at, uid in enumerate(uids_in(rest.split()[2]), 1):
            content = self.letters.get(uid)
            if uid not in self.letters:
                continue
            if "BODY" in rest:
                part = re.search(r"BODY.PEEK(\[.*?\])(?:<0\.(\d+)>)?", rest)
                told = b"BODY" + part[1].encode() + (b"<0>" if part[2] else b"")
                most = int(part[2] or 10**9)
                held = b"NIL" if content is None else literal(content[:most])
                yield b"* %d FETCH (UID %d %b %b)\r\n" % (at, uid, told, held)
            else:
                size = self.sizes.get(uid, len(content or b""))
                dated = b" INTERNALDATE " + DATE if "INTERNALDATE" in rest else b""
                yield b"* %d FETCH (UID %d RFC822.SIZE %d%b)\r\n" % (at, uid, size, dated)


def uids_in(text):
    for part in text.split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


def said(server, word):
    return [one for one in server.commands if one.startswith(word)]


def read(mailbox):
    _, uids = mailbox.uids()
    return list(mailbox.fetch(uids))


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)


# Signing in.


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.parametrize(
    ("capabilities", "name"),
    [(b"IMAP4rev1 MOVE", "XOAUTH2"), (b"IMAP4rev1 MOVE AUTH=OAUTHBEARER", "OAUTHBEARER")],
)
def test_a_token_signs_in_by_the_mechanism_that_the_server_has(
    serving, capabilities, name, is_refused
):
    def answer(_rest):
        if is_refused:
            yield b"+ e30=\r\n"
            raise RefusedError("NO [AUTHENTICATIONFAILED] no")

    answers = {"AUTHENTICATE": answer}
    asked = []

    def token(user):
        asked.append(user)
        return Token("secret", math.inf)

    server, mailbox = serving(answers, capabilities, token=token, user="m=a,b")
    if is_refused:
        with pytest.raises(MailboxUnavailable, match="refused the token of m=a,b"):
            mailbox.uids()
        # The challenge that tells why is answered, with nothing or with one sign.
        until(lambda: server.commands[-1] == ("AQ==" if name == "OAUTHBEARER" else ""))
    else:
        assert mailbox.uids() == (7, [11])
    (line,) = said(server, "AUTHENTICATE")
    told = base64.b64decode(line.split()[2]).decode()
    assert line.split()[1] == name
    assert "auth=Bearer secret\x01\x01" in told
    assert ("n,a=m=3Da=2Cb,\x01host=127.0.0.1" in told) is (name == "OAUTHBEARER")
    assert ("user=m=a,b\x01" in told) is (name == "XOAUTH2")
    assert asked == ["m=a,b"]


@pytest.mark.parametrize(
    ("user", "password", "word"),
    [("m", "s", "LOGIN"), ("m", "пароль", "AUTHENTICATE"), ("метры", "s", "AUTHENTICATE"),
     ("", "", None)],
)  # fmt: skip
def test_a_password_signs_in_and_one_beyond_ascii_too(serving, user, password, word):
    hello = b"* OK ready\r\n" if user else b"* PREAUTH ready\r\n"
    server, mailbox = serving({}, b"IMAP4rev1 MOVE AUTH=PLAIN", hello, user=user, password=password)
    assert mailbox.uids() == (7, [11])
    named = [one.split()[0] for one in server.commands]
    assert [one for one in named if one in {"LOGIN", "AUTHENTICATE"}] == ([word] if word else [])
    if word == "AUTHENTICATE":
        (line,) = said(server, word)
        assert base64.b64decode(line.split()[2]).decode() == f"\0{user}\0{password}"


@pytest.mark.parametrize(("rested", "words"), [(30.0, []), (30.1, ["NOOP"])])
def test_a_connection_that_rested_is_tried_before_it_is_relied_upon(
    serving, monkeypatch, rested, words
):
    now = [1000.0]
    monkeypatch.setattr(mailboxes.time, "monotonic", lambda: now[0])
    server, mailbox = serving()
    mailbox.uids()
    server.commands.clear()
    now[0] += rested
    mailbox.uids()
    assert [one for one in server.commands if one == "NOOP"] == words
    assert said(server, "LOGIN") == []


@pytest.mark.parametrize(("later", "logins"), [(5.0, 1), (5.1, 2)])
def test_a_connection_whose_token_ended_is_made_anew(serving, monkeypatch, later, logins):
    now = [1000.0]
    monkeypatch.setattr(mailboxes.time, "monotonic", lambda: now[0])
    server, mailbox = serving({"AUTHENTICATE": lines()}, token=lambda _: Token("t", 1005.0))
    mailbox.uids()
    now[0] += later
    mailbox.uids()
    assert len(said(server, "AUTHENTICATE")) == logins


@pytest.mark.parametrize("place", ["list", "wait"])
@pytest.mark.parametrize(("lived", "is_fault"), [(59.9, True), (60.0, False)])
def test_an_old_session_may_be_ended_by_its_server(serving, monkeypatch, place, lived, is_fault):
    now, ended = [1000.0], []
    monkeypatch.setattr(mailboxes.time, "monotonic", lambda: now[0])

    def ending(_rest):
        if len(ended) == 1:
            ended.append(1)
            yield b"* BYE enough\r\n"
            raise OSError
        ended.append(1)
        yield from selected()

    _, mailbox = serving({"SELECT": ending})
    mailbox.uids()
    now[0] += lived
    if place == "wait":
        monkeypatch.setattr(mailbox, "_select", lambda _client: None)
        monkeypatch.setattr(mailbox, "_uidnext", mailbox._uidnext)
        monkeypatch.setattr(mailbox._client, "has_capability", lambda _name: True)

        def broken(*_given):
            raise imaplib.IMAP4.abort("gone")

        monkeypatch.setattr(mailbox, "_idle", broken)
    act = mailbox.uids if place == "list" else lambda: mailbox.wait(1)
    if is_fault:
        with pytest.raises(MailboxUnavailable):
            act()
    else:
        assert act() == ((7, [11]) if place == "list" else True)


@pytest.mark.parametrize(
    ("outcome", "folder"),
    [("ignored", "I"), ("quarantined", "Q"), ("accepted", "P"), ("refused", "P")],
)
def test_each_outcome_has_its_folder(outcome, folder):
    config = connect.ImapConfig("m", "localhost", processed="P", ignored="I", quarantine="Q")
    assert config.folder_for(outcome) == folder


# Listing.


@pytest.mark.parametrize(
    ("exists", "files", "asked"),
    [
        (0, True, []), (1, True, ["ALL"]), (10, True, ["ALL"]), (11, True, ["1:10"]),
        (20, False, ["1:10", "11:20"]), (21, False, ["1:10", "11:20", "21:21"]),
    ],
)  # fmt: skip
def test_a_folder_is_listed_in_pieces(serving, monkeypatch, exists, files, asked):
    monkeypatch.setattr(mailboxes, "SEARCHED", 10)

    def found(rest):
        within = rest.split()[2]
        uids = uids_in(f"1:{exists}" if within == "ALL" else within)
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"

    answers = {"SELECT": lambda _: selected(exists), "UID SEARCH": found}
    server, mailbox = serving(answers, files=files)
    _, uids = mailbox.uids()
    assert list(uids) == [*range(1, min(exists, 10 if files else exists) + 1)]
    assert [one.split()[2] for one in said(server, "UID SEARCH")] == asked


def test_letters_from_before_a_day_are_not_listed(serving):
    server, mailbox = serving({}, b"IMAP4rev1", since=datetime(2026, 11, 1, tzinfo=UTC).date())
    mailbox.uids()
    assert said(server, "UID SEARCH") == ["UID SEARCH ALL SINCE 01-Nov-2026 UNKEYWORD $MeterFiled"]


@pytest.mark.parametrize(("exists", "is_listed"), [(50_000_000, True), (50_000_001, False)])
def test_a_folder_of_more_letters_than_any_has_is_not_believed(
    serving, monkeypatch, exists, is_listed
):
    monkeypatch.setattr(mailboxes, "SEARCHED", 50_000_000)
    _, mailbox = serving({"SELECT": lambda _: selected(exists)})
    if is_listed:
        assert mailbox.uids()[1] == [11]
    else:
        with pytest.raises(MailboxUnavailable, match=f"the server claims {exists} letters"):
            mailbox.uids()


def test_uids_name_nothing_after_their_validity_changed(serving):
    validities = iter([7, 8, 8, 8])
    server, mailbox = serving({"SELECT": lambda _: selected(validity=next(validities))})
    assert mailbox.uids() == (7, [11])
    mailbox._drop()
    with pytest.raises(MailboxUnavailable, match="UIDVALIDITY has changed"):
        mailbox.file([11], "accepted")
    assert said(server, "UID MOVE") == []
    assert mailbox.uids() == (8, [11])
    mailbox.file([11], "accepted")
    assert said(server, "UID MOVE") == ['UID MOVE 11 "Processed"']


# Fetching.


def contents(batches):
    return [[raw.content for raw in batch] for batch in batches]


@pytest.mark.parametrize(
    ("lengths", "batch", "batch_bytes", "found"),
    [
        ([5, 5, 5], 50, 20, [2, 1]), ([5, 6, 5], 50, 20, [1, 1, 1]), ([5, 5, 5], 50, 21, [2, 1]),
        ([1, 1, 1, 1], 2, 100, [2, 2]), ([1, 1, 1], 1, 100, [1, 1, 1]),
        ([30, 1, 1], 50, 20, [1, 2]),
        ([5, 5, 5, 5], 50, 40, [4]), ([9, 1, 9, 1], 50, 20, [2, 2]), ([1], 50, 0, [1]),
    ],
)  # fmt: skip
def test_letters_come_in_batches_of_so_many_and_so_large(
    serving, lengths, batch, batch_bytes, found
):
    letters = Letters({uid: b"x" * length for uid, length in enumerate(lengths, 11)})
    _, mailbox = serving(letters.answers, batch=batch, batch_bytes=batch_bytes)
    batches = read(mailbox)
    assert [len(one) for one in batches] == found
    assert [len(raw.content) for one in batches for raw in one] == lengths


@pytest.mark.parametrize(
    ("length", "stated", "header_only", "kept"),
    [
        (100, 100, False, 100), (101, 101, True, 101), (101, 100, True, 101), (99, 500, True, 99),
        (300_000, 300_000, True, 256 * 1024), (0, 0, False, 0),
    ],
)  # fmt: skip
def test_of_a_letter_over_the_limit_only_the_header_comes(
    serving, length, stated, header_only, kept
):
    letters = Letters({11: b"x" * length}, {11: stated})
    server, mailbox = serving(letters.answers, letter_bytes=100)
    ((raw,),) = read(mailbox)
    assert (raw.header_only, len(raw.content), raw.missing) == (header_only, kept, False)
    assert raw.size == max(length if stated <= 100 else 0, stated)
    part = "[HEADER]<0.262144>" if stated > 100 else "[]<0.101>"
    assert said(server, "UID FETCH 11 (BODY") == [f"UID FETCH 11 (BODY.PEEK{part})"]


@pytest.mark.parametrize("stated", [10, 5000])
def test_a_letter_without_bytes_is_missing(serving, stated):
    letters = Letters({11: None, 12: b"x"}, {11: stated})
    _, mailbox = serving(letters.answers, letter_bytes=100)
    found = {raw.arrival.key: raw for batch in read(mailbox) for raw in batch}
    (gone, there) = found.values()
    assert (gone.content, gone.missing, gone.header_only) == (b"", True, stated > 100)
    assert (there.content, there.missing) == (b"x", False)
    assert gone.received_at == AT
    assert Location.of("main", gone.arrival.key).uid == 11


def test_a_letter_that_breaks_the_connection_comes_last_and_in_the_end_without_bytes(serving):
    letters = Letters({uid: b"%d" % uid for uid in (11, 12, 13)})

    def fetch(rest):
        if "BODY" in rest and 12 in uids_in(rest.split()[2]):
            raise OSError
        return letters.fetch(rest)

    _, mailbox = serving(letters.answers | {"UID FETCH": fetch}, batch=1)
    given = []
    for _ in range(6):
        try:
            for batch in mailbox.fetch([11, 12, 13]):
                given += [(raw.content, raw.missing) for raw in batch]
        except MailboxUnavailable:
            given.append("broken")
        _, uids = mailbox.uids()
        assert uids == [11, 12, 13]
    whole = [(b"11", False), (b"13", False)]
    assert given == [
        whole[0], "broken", *[*whole, "broken"] * 3, *whole, (b"", True), *whole, (b"", True),
    ]  # fmt: skip


def test_who_letters_are_from_is_asked_in_chunks_of_500(serving):
    letters = Letters({uid: b"From: a%d@x\r\n\r\n" % uid for uid in range(1, 502)})
    server, mailbox = serving(letters.answers)
    _, uids = mailbox.uids()
    found = dict(mailbox.headers(uids))
    assert found == {uid: b"From: a%d@x\r\n\r\n" % uid for uid in uids}
    asked = [sum(1 for _ in uids_in(one.split()[2])) for one in said(server, "UID FETCH")]
    assert asked == [500, 1]
    server.commands.clear()
    mailbox.file(uids, "accepted")
    moved = [sum(1 for _ in uids_in(one.split()[2])) for one in said(server, "UID MOVE")]
    assert moved == [500, 1]


def test_a_letter_whose_date_is_none_does_not_hide_the_dates_of_others():
    def fetch(uids, what):
        if "INTERNALDATE" in what and 12 in uids:
            raise AttributeError
        dated = {b"INTERNALDATE": AT} if "INTERNALDATE" in what else {}
        return {uid: {b"RFC822.SIZE": uid, **dated} for uid in uids if uid != 13}

    found = commands.facts_of(SimpleNamespace(fetch=fetch), [11, 12, 13, 14])
    assert {uid: (one[b"RFC822.SIZE"], b"INTERNALDATE" in one) for uid, one in found.items()} == {
        11: (11, True), 12: (12, False), 14: (14, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("responses", "has"),
    [
        ([], False), ([(1, b"EXISTS")], True), ([(1, b"EXPUNGE")], False), ([(b"OK",)], False),
        ([(b"OK", b"x"), (2, b"EXISTS", b"x")], True), ([()], False),
    ],
)  # fmt: skip
def test_news_of_mail_are_told_from_other_news(responses, has):
    assert commands.has_mail(responses) is has


@pytest.mark.parametrize("held", [None, b"other", b"found"])
def test_a_letter_is_found_by_its_size_and_its_bytes(held):
    def fetch(uids, what):
        if what == ["RFC822.SIZE"]:
            return {11: {b"RFC822.SIZE": 4}, 12: {b"RFC822.SIZE": 5}, 13: {b"RFC822.SIZE": 5}}
        return {12: {b"BODY[]": held}} if uids == [12] else {}

    client = SimpleNamespace(
        _imap=SimpleNamespace(uid=lambda *_: ("OK", [b"11 12 13 14"])), fetch=fetch
    )
    found = commands.find(client, hashlib.sha256(b"found").hexdigest(), 5, AT)
    assert found == ((12, b"found") if held == b"found" else None)


def test_a_search_that_is_refused_is_a_fault():
    imap = SimpleNamespace(uid=lambda *_: ("NO", [b"no"]))
    with pytest.raises(imaplib.IMAP4.error, match="no"):
        commands.search(SimpleNamespace(_imap=imap), "ALL")


@pytest.mark.parametrize("least", [1000, 200_000])
def test_a_command_may_be_answered_with_four_letters_or_so_many_bytes(serving, monkeypatch, least):
    monkeypatch.setattr(connect, "ANSWER_BYTES", least)
    greedy = lines(b"* 1 FETCH (UID 11 BODY[] {200001}\r\n")
    _, mailbox = serving({"UID FETCH": greedy}, letter_bytes=20_100)
    with pytest.raises(MailboxUnavailable, match=f"longer than {max(least, 80_400)} bytes"):
        read(mailbox)


# Filing.


def test_with_uidplus_alone_letters_are_copied_and_expunged_by_their_uids(serving):
    server, mailbox = serving({}, b"IMAP4rev1 UIDPLUS")
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    assert [one for one in server.commands if one.startswith("UID ")][1:] == [
        'UID COPY 11 "Processed"', "UID STORE 11 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 11",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "keeps"),
    [(b"\\*", True), (b"$MeterFiled", True), (b"\\Deleted", False), (b"", False)],
)
def test_a_folder_keeps_our_keyword_when_it_says_so(serving, flags, keeps):
    answers = {
        "SELECT": lambda _: selected(flags=flags),
        "UID SEARCH": lambda rest: iter(
            [b"* SEARCH %b\r\n" % (b"12" if "DELETED" in rest else b"11")]
        ),
    }
    server, mailbox = serving(answers, b"IMAP4rev1")
    _, uids = mailbox.uids()
    if keeps:
        mailbox.file(uids, "accepted")
        assert said(server, "UID STORE") == ["UID STORE 11 +FLAGS.SILENT ($MeterFiled)"]
    else:
        with pytest.raises(MailboxUnavailable, match="nor keywords"):
            mailbox.file(uids, "accepted")
        assert said(server, "UID COPY") == []


def test_a_letter_that_others_expunge_with_meanwhile_loses_its_mark_again(serving):
    deleted = iter([b"", b"11 12"])
    answers = {
        "UID SEARCH": lambda rest: iter(
            [b"* SEARCH %b\r\n" % (next(deleted) if "DELETED" in rest else b"11")]
        )
    }
    server, mailbox = serving(answers, b"IMAP4rev1")
    _, uids = mailbox.uids()
    mailbox.file(uids, "accepted")
    assert said(server, "UID STORE") == [
        "UID STORE 11 +FLAGS.SILENT (\\Deleted)", "UID STORE 11 -FLAGS.SILENT (\\Deleted)",
        "UID STORE 11 +FLAGS.SILENT ($MeterFiled)",
    ]  # fmt: skip
    assert said(server, "EXPUNGE") == []


@pytest.mark.parametrize(
    ("appended", "clock"),
    [("OK [APPENDUID 7 12] done", AT), ("OK done", None), ("OK [APPENDUID 7] done", None)],
)
def test_a_letter_filed_for_trial_is_dated_and_removed_by_its_uid(serving, appended, clock):
    letters = Letters({12: b"x"})
    server, mailbox = serving(letters.answers | {"APPEND": refused(appended)})
    found = mailbox.examine()
    assert (found.clock, found.letters, found.keeps_apart) == (clock, 1, False)
    assert found.folders == ("Processed", "Ignored", "Quarantine")
    assert found.certificate_ends is None
    assert said(server, "UID EXPUNGE") == ["UID EXPUNGE 12"] * (3 if clock else 0)
    assert len(said(server, "APPEND")) == 3
    assert all("(\\Seen \\Deleted)" in one for one in said(server, "APPEND"))
    assert said(server, "EXPUNGE") == []


@pytest.mark.parametrize(("date", "clock"), [(DATE, AT), (b"NIL", None), (b'"32-Nov-2026"', None)])
def test_the_server_s_clock_is_that_of_a_trial_that_it_dated(serving, date, clock):
    appended = iter(["OK [APPENDUID 7 12] done", "OK done", "OK done"])

    def dated(_rest):
        yield b"* 1 FETCH (UID 12 INTERNALDATE " + date + b")\r\n"

    def append(_rest):
        raise RefusedError(next(appended))

    _, mailbox = serving({"APPEND": append, "UID FETCH": dated})
    assert mailbox.examine().clock == clock


@pytest.mark.parametrize(
    ("letters", "exists", "told"), [(9, 9, 9), (10, 10, 10), (10, 25, 25), (3, 5, 3)]
)
def test_examining_tells_how_many_letters_there_are(serving, monkeypatch, letters, exists, told):
    monkeypatch.setattr(mailboxes, "SEARCHED", 10)
    listed = b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(letters)) + b"\r\n"
    answers = {"SELECT": lambda _: selected(exists), "UID SEARCH": lines(listed)}
    _, mailbox = serving(answers)
    assert mailbox.examine().letters == told


@pytest.mark.parametrize(
    ("space", "folder", "named"),
    [
        (b'(("INBOX." "."))', "Meters", "INBOX.Meters"), (b'(("" "/"))', "Meters", "Meters"),
        (b'(("INBOX." "."))', "INBOX.Meters", "INBOX.Meters"), (b"NIL", "Meters", "Meters"),
        (b'(("INBOX." "."))', "Inbox", "Inbox"), (b'(("INBOX." "."))', "Old", "Old"),
    ],
)  # fmt: skip
def test_a_folder_is_named_as_the_server_lists_it(serving, space, folder, named):
    def listed(rest):
        name = rest.split('"')[-2]
        return iter(
            [] if name in {"Meters", "Inbox"} else [b'* LIST () "." "%b"\r\n' % name.encode()]
        )

    answers = {"NAMESPACE": lines(b"* NAMESPACE " + space + b" NIL NIL\r\n"), "LIST": listed}
    server, mailbox = serving(answers, b"IMAP4rev1 MOVE NAMESPACE", folder=folder)
    mailbox.uids()
    assert said(server, "SELECT") == [f'SELECT "{named}"']
    _, other = serving(answers, b"IMAP4rev1 MOVE", folder=folder)
    other.uids()


@pytest.mark.parametrize(
    ("personal", "folder", "named"),
    [
        ([("INBOX.", ".")], "Meters", "INBOX.Meters"), ([("", "/")], "Meters", "Meters"),
        ([("INBOX.", ".")], "INBOX.Meters", "INBOX.Meters"), (None, "Meters", "Meters"),
        ([], "Meters", "Meters"), ([("a.", "."), ("b.", ".")], "b.x", "a.b.x"),
    ],
)  # fmt: skip
def test_a_name_has_the_prefix_of_personal_folders_once(personal, folder, named):
    client = SimpleNamespace(
        has_capability=lambda name: name == "NAMESPACE",
        namespace=lambda: SimpleNamespace(personal=personal),
    )
    assert filing.with_prefix(client, folder) == named
    assert filing.with_prefix(SimpleNamespace(has_capability=lambda _: False), folder) == folder


@pytest.mark.parametrize(
    ("capabilities", "apart"),
    [(b"MOVE", False), (b"UIDPLUS", False), (b"MOVE UIDPLUS", False), (b"", True)],
)
def test_letters_are_kept_apart_where_they_can_neither_be_moved_nor_removed(capabilities, apart):
    client = SimpleNamespace(has_capability=lambda name: name.encode() in capabilities.split())
    assert filing.keeps_apart(client) is apart


def test_where_nothing_is_filed_nothing_is_asked_for(serving):
    server, mailbox = serving(files=False)
    _, uids = mailbox.uids()
    server.commands.clear()
    mailbox.file(uids, "accepted")
    assert server.commands == []


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_cannot_be_opened_is_made_when_it_is_missing(serving, exists):
    opened = []

    def select(_rest):
        opened.append(1)
        if len(opened) == 1:
            raise RefusedError("NO no such folder")
        return selected()

    listed = [b'* LIST () "/" "INBOX"\r\n'] if exists else []
    server, mailbox = serving({"SELECT": select, "LIST": lines(*listed)})
    if exists:
        with pytest.raises(MailboxUnavailable):
            mailbox.uids()
    else:
        assert mailbox.uids() == (7, [11])
    assert said(server, "CREATE") == ['CREATE "INBOX"'] * (not exists)


# Waiting.


class Idling:
    """A client whose clock goes on by itself: each look takes as long as it may, or less.

    Attributes:
        seen: What each look gives, and how long it took; nothing more comes after.
        rest: What comes with the end of IDLE.
        noops: What each NOOP gives.
    """

    def __init__(self, now, seen=(), rest=(), noops=()):
        self.now, self.seen, self.rest, self.noops = now, list(seen), rest, list(noops)
        self.looks = []
        self.idles = 0

    def idle(self):
        self.idles += 1

    def idle_check(self, timeout):
        found, took = self.seen.pop(0) if self.seen else ([], timeout)
        self.looks.append(timeout)
        self.now[0] += took
        return found

    def idle_done(self):
        return b"OK", list(self.rest)

    def noop(self):
        return b"OK", self.noops.pop(0) if self.noops else []


MAIL = [(2, b"EXISTS")]


@pytest.fixture
def idling(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(mailboxes.time, "monotonic", lambda: now[0])

    def make(look_seconds=0.0, **given):
        mailbox = ImapMailbox(connect.ImapConfig("m", "localhost", look_seconds=look_seconds))
        mailbox.opened = 0

        def select(_client):
            mailbox.opened += 1

        monkeypatch.setattr(mailbox, "_select", select)
        return mailbox, Idling(now, **given)

    return make


@pytest.mark.parametrize(
    ("given", "came", "looks"),
    [
        ({}, False, [1.0, 1.0, 0.5]), ({"seen": [(MAIL, 0.2)]}, True, [1.0]),
        ({"seen": [([(1, b"EXPUNGE")], 1.0), (MAIL, 0.5)]}, True, [1.0, 1.0]),
        ({"seen": [([(1, b"EXPUNGE")], 0.1), (MAIL, 0.5)]}, True, [1.0, 1.0]),
        ({"rest": MAIL}, True, [1.0, 1.0, 0.5]),
        ({"rest": [(1, b"EXPUNGE")]}, False, [1.0, 1.0, 0.5]),
    ],
)  # fmt: skip
def test_a_wait_ends_with_mail_or_its_time(idling, given, came, looks):
    mailbox, client = idling(**given)
    assert mailbox._idle(client, 2.5) is came
    assert client.looks == looks
    assert (mailbox.opened, client.idles) == (int(came), 1)
    assert mailbox._used_at == client.now[0]


@pytest.mark.parametrize(("took", "looks"), [(0.49, 1), (0.5, 2)])
def test_a_look_that_wakes_early_without_news_ends_the_idle(idling, took, looks):
    mailbox, client = idling(seen=[([], took)])
    mailbox._idle_once(client, 1.5)
    assert len(client.looks) == looks


@pytest.mark.parametrize(
    ("noops", "came", "idles"), [([[], []], False, 3), ([[], MAIL], True, 2), ([MAIL], True, 1)]
)
def test_a_server_that_holds_its_news_back_is_asked_between_two_looks(idling, noops, came, idles):
    mailbox, client = idling(look_seconds=2.0, noops=noops)
    assert mailbox._idle(client, 5.0) is came
    assert (client.idles, mailbox.opened) == (idles, int(came))
    # Mail that IDLE itself tells needs no question.
    mailbox, client = idling(look_seconds=2.0, seen=[(MAIL, 0.0)], noops=[[]])
    assert mailbox._idle(client, 5.0)
    assert client.noops == [[]]


def test_a_closed_mailbox_waits_no_more(idling):
    mailbox, client = idling()
    mailbox.close()
    assert not mailbox._idle(client, 5.0)
    assert not mailbox._idle_once(client, 5.0)
    assert client.looks == []


@pytest.mark.parametrize(("asked", "seconds"), [(10.0, 10.0), (3600.0, 540.0)])
def test_no_wait_is_longer_than_nine_minutes(serving, monkeypatch, asked, seconds):
    _, mailbox = serving({}, b"IMAP4rev1 MOVE IDLE")
    mailbox.uids()
    waited = []
    monkeypatch.setattr(mailbox, "_idle", lambda _client, left: waited.append(left) or False)
    assert mailbox.wait(asked) is False
    assert waited == [seconds]


@pytest.mark.parametrize(
    ("before", "after", "came"),
    [(12, 13, True), (12, 12, False), (None, None, False), (12, None, True)],
)
def test_mail_between_two_waits_is_known_by_the_next_uid(serving, before, after, came):
    nexts = iter([before, after])
    _, mailbox = serving({"SELECT": lambda _: selected(uidnext=next(nexts))})
    mailbox.uids()
    assert mailbox.wait(0.0) is came
