"""Every verb says what it did, or in one sentence why it did not."""

import json
import os
import pty
import re
import socket
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from storage.ledger import SCHEMA, Ledger
from storage.records.letters import LetterFacts
from storage.records.replies import OwedReply
from tests.ingest.invocation import SAMPLES

CODE = "200000001234"
NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


def content(path):
    """Everything in a database, as statements."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


# Wrong use.


def test_without_a_verb_the_verbs_are_listed(run):
    ran = run()
    assert ran.code == 2
    assert ran.err.startswith("Usage: ingest [OPTIONS]")
    assert "check" in ran.err


def test_help_is_no_mistake(run):
    assert run("--help").code == 0
    assert "Exit 0" in run("check", "--help").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bogus"], "No such command 'bogus'."),
        (["check"], "Missing argument 'FILES...'."),
        (["check", "absent.xml"], "absent.xml"),
        (["check", "--at", "yesterday", "."], "yesterday is not a moment like 2026-11-22"),
        (["check", "--colour", "x"], "No such option"),
        (["process", "absent"], "absent: there is no such file or folder"),
        (["process", "."], "there are no letters in it"),
        (["show", "17"], "17: there is no letter of this number"),
        (["show", "9" * 30], "is not in the range"),
        (["show", "seventeen"], "'seventeen' is not a valid integer"),
        (["letters", "--state", "lost"], "--state lost: it is none of claimed, done"),
        (["registry", "show", "1"], "1: the register has no such user code"),
        (["password", "1"], "1: the register has no such user code"),
        (["registry", "import", "absent.csv"], "absent.csv"),
        (["registry", "export", "-o", "absent/x.csv"], "absent/x.csv: No such file or directory"),
        (["tail", "absent.log"], "absent.log: No such file or directory"),
        (["tail", "absent.log", "-f"], "absent.log: No such file or directory"),
        (["--config", "absent.toml", "status"], "absent.toml: there is no such file"),
        (["run"], "there is no [[mailbox]] and no [[drop]] to read"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(run, words, sentence):
    ran = run(*words)
    assert ran.code == 2
    assert sentence in ran.complaint


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[poll]\nbatsh = 1", "ingest.toml, line 2: poll.batsh: there is no such key"),
        ("[poll]\nbatch = 'x'", "ingest.toml, line 2: poll.batch: Expected `int`"),
        ("[poll", "ingest.toml: "),
        ("[log]\nfile = '/absent/x.log'", "log.file: /absent/x.log cannot be opened"),
        ("[layouts]\npath = '/absent'", "/absent"),
    ],
)
def test_a_wrong_configuration_is_one_sentence_and_exit_2(run, text, sentence):
    run.write("ingest.toml", text)
    ran = run("process", run.write("a.eml", b""))
    assert ran.code == 2
    assert sentence in ran.complaint


def test_a_wrong_configuration_stops_check_too(run):
    run.write("ingest.toml", "[poll]\nbatsh = 1")
    assert "poll.batsh" in run("check", run.write("a.xml", "<a/>")).complaint


@pytest.mark.parametrize("verb", ["run", "poll"])
def test_a_parameter_of_the_rules_out_of_its_range_stops_the_start(run, verb):
    mailbox = "[[mailbox]]\nname = 'm'\nhost = '127.0.0.1'\nport = 1\nuser = 'u'\npassword = 'p'\n"
    sender = "[smtp]\nhost = '127.0.0.1'\nport = 1\nsender = 'meters@retailer.example'\n"
    run.write("ingest.toml", f"{mailbox}{sender}[rules]\nflat_hours = 0\n")
    ran = run(verb)
    assert ran.code == 2
    assert "rules.flat_hours must be between 2 and 744, not 0" in ran.complaint


def test_a_layout_with_a_mistake_names_file_and_key(run):
    (run.folder / "own").mkdir()
    run.write("own/51070.toml", "class = 51070")
    run.write("ingest.toml", "[layouts]\npath = 'own'")
    ran = run("check", run.write("a.xml", "<a/>"))
    assert ran.code == 2
    assert "51070.toml" in ran.complaint


# The database.


@pytest.mark.parametrize("verb", [["status"], ["letters"], ["migrate"], ["doctor"]])
def test_a_database_that_is_away_is_exit_3(run, verb):
    run.write("ingest.toml", '[database]\nurl = "postgresql://nobody@127.0.0.1:1/none"')
    ran = run(*verb)
    assert ran.code == 3
    assert "Traceback" not in ran.err + ran.out
    if verb != ["doctor"]:
        assert "127.0.0.1" in ran.complaint


def test_a_file_that_is_no_database_is_one_sentence(run):
    run.write("ingest.db", b"this is not a database, whatever its name says " * 100)
    ran = run("status")
    assert ran.code in (2, 3)
    assert "not a database" in ran.complaint


def test_an_older_schema_is_refused_until_migrate(run):
    run.write("ingest.db", b"")
    sqlite3.connect("ingest.db").execute("CREATE TABLE a (b)").connection.close()
    ran = run("status")
    assert (ran.code, "run `ingest migrate`" in ran.complaint) == (2, True)


NEEDS_A_DATABASE = [
    ["status"],
    ["letters"],
    ["show", "1"],
    ["run"],
    ["poll"],
    ["replay", "1"],
    ["backfill", "--since", "2026-11-01"],
    ["process", "a.eml"],
    ["process", "a.eml", "--dry-run"],
    ["registry", "import", "registry.csv"],
    ["registry", "export"],
    ["registry", "show", "1"],
    ["password", "1"],
    ["template", "52006", "--entity", "1"],
    ["readings", "--period", "2026-10"],
    ["missing", "--period", "2026-10"],
    ["period", "close", "2026-10"],
    ["period", "reopen", "2026-10"],
    ["period", "list"],
]


@pytest.mark.parametrize("words", [*NEEDS_A_DATABASE, ["migrate"], ["doctor"], ["tail", "a.log"]])
def test_without_a_configuration_a_verb_is_exit_2_and_makes_nothing(bare, words):
    for name in ("a.eml", "registry.csv", "a.log"):
        bare.write(name, "")
    ran = bare(*words)
    assert ran.code == 2
    assert "no ingest.toml and no etc/ingest.toml" in ran.complaint
    assert not (bare.folder / "ingest.db").exists()


@pytest.mark.parametrize("words", NEEDS_A_DATABASE)
def test_a_database_that_does_not_exist_is_made_by_no_verb_but_migrate(bare, words):
    for name in ("a.eml", "registry.csv", "ingest.toml"):
        bare.write(name, "")
    ran = bare(*words)
    assert ran.code == 2
    assert "sqlite:///ingest.db does not exist yet: run `ingest migrate`" in ran.complaint
    assert not (bare.folder / "ingest.db").exists()


def test_without_a_configuration_documents_are_checked_and_templates_made(bare):
    assert bare("check", SAMPLES / "52005" / "month-so-far.xml").code == 0
    assert bare("template", "52006").code == 0
    assert not (bare.folder / "ingest.db").exists()


def test_migrate_says_what_it_did(bare, monkeypatch):
    monkeypatch.setenv("INGEST_DATABASE__URL", "sqlite:///new.db")
    made = bare("migrate")
    assert (made.code, made.out) == (0, f"sqlite:///new.db: made, with schema {SCHEMA}\n")
    again = bare("migrate").out
    assert again == f"sqlite:///new.db: nothing to do, its schema is {SCHEMA} already\n"
    other = sqlite3.connect("other.db")
    other.execute("CREATE TABLE a (b)")
    other.close()
    monkeypatch.setenv("INGEST_DATABASE__URL", "sqlite:///other.db")
    assert bare("migrate").out == f"sqlite:///other.db: schema none -> {SCHEMA}\n"


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("words", [["status"], ["period", "list"], ["suspects"]])
def test_the_configuration_is_named_before_or_behind_the_verb(bare, words, behind):
    bare.write("own.toml", '[database]\nurl = "sqlite:///own.db"')
    option = ["--config", "own.toml"]
    assert bare(*option, "migrate").code == 0
    between = [*words[:1], *option, *words[1:]]
    assert bare(*(between if behind else [*option, *words])).code == 0
    assert bare(*words, *option).code == 0


def test_operators_verbs_need_no_secret_of_the_mail_servers(service):
    service.write(
        "ingest.toml",
        '[[mailbox]]\nname = "main"\nhost = "127.0.0.1"\npassword_file = "/absent/imap"\n'
        '[smtp]\nhost = "127.0.0.1"\nsender = "a@b.example"\npassword_file = "/absent/smtp"\n',
    )
    for words in (
        ["letters"],
        ["status", "--json"],
        ["registry", "show", CODE],
        ["period", "list"],
    ):
        assert service(*words).code in (0, 1)
    ran = service("poll")
    assert ran.code == 2
    assert "line 4: password_file: /absent/imap cannot be read" in ran.complaint
    told = service("doctor").out
    assert "/absent/imap cannot be read" in told
    assert "/absent/smtp cannot be read" in told


def test_a_second_run_names_key_and_port(service):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service.write(
            "ingest.toml",
            '[[mailbox]]\nname = "main"\nhost = "127.0.0.1"\n'
            f'[metrics]\nlisten = "127.0.0.1:{port}"\n',
        )
        ran = service("run")
    assert ran.code == 2
    assert f"metrics.listen: 127.0.0.1:{port} cannot be listened on" in ran.complaint
    assert "another `ingest run`" in ran.complaint


def test_a_full_disk_under_the_log_is_one_sentence(run):
    run.write("ingest.toml", '[log]\nfile = "/dev/full"')
    ran = program("process", SAMPLES / "letters" / "00-52005-xml.eml", folder=run.folder)
    assert ran.returncode == 0
    told = ran.stderr.decode()
    assert "Traceback" not in told
    assert told.count("\n") == 1
    assert "the log, /dev/full: No space left on device" in told


def test_check_makes_no_database(bare):
    bare("check", SAMPLES / "52005" / "month-so-far.xml")
    assert not (bare.folder / "ingest.db").exists()


# The register of points.


def test_the_register_comes_back_as_it_was_given(service):
    exported = service("registry", "export")
    assert exported.code == 0
    service.write("again.csv", exported.out)
    again = service("registry", "import", "again.csv", "--json")
    assert (again.code, len(again.rows)) == (0, 1)
    assert (
        again.rows[0]
        == {
            "added": [],
            "changed": [],
            "untouched": ["000000004711", "200000001234", "200000003080"],
            "dry_run": False,
        }
        or again.rows[0]["changed"] == []
    )


@pytest.mark.parametrize("name", ["all.csv", "all.xlsx"])
def test_the_register_is_exported_to_a_file_and_read_again(service, name):
    assert service("registry", "export", "-o", name).code == 0
    [row] = service("registry", "import", name, "--json").rows
    assert (row["added"], row["changed"]) == ([], [])


def test_no_export_tells_a_password_or_its_hash(service):
    exported = service("registry", "export").out
    shown = service("registry", "show", CODE, "--json").out
    for text in (exported, shown, service("registry", "show", CODE).out):
        assert "argon2" not in text
        assert "Zima" not in text


def test_an_entity_is_shown_with_points_meters_and_changes(service):
    [row] = service("registry", "show", CODE, "--json").rows
    assert row["has_password"] is True
    assert [point["code"] for point in row["points"]] == [CODE, f"{CODE}-01", "332070000107101"]
    [meter] = row["points"][1]["meters"]
    assert (meter["number"], meter["ratio"], meter["zones"]) == ("07512345", "40", ["T1", "T2"])
    assert row["changes"]
    assert "meter 07512345" in service("registry", "show", CODE).out


def test_a_dry_run_of_an_import_tells_what_would_change_and_changes_nothing(service):
    text = (SAMPLES / "registry.csv").read_text().replace("ООО «Пример»", "АО «Пример»")
    service.write("new.csv", text)
    before = content("ingest.db")
    words = ["registry", "import", "new.csv", "--with-passwords", "--dry-run"]
    [row] = service(*words, "--json").rows
    assert row["changed"] == [CODE]
    assert row["dry_run"] is True
    assert "would be changed: 1" in service(*words).out
    assert content("ingest.db") == before


def test_all_mistakes_of_a_register_are_told_at_once_with_their_lines(service):
    head = (SAMPLES / "registry.csv").read_text().splitlines()[0]
    rows = ["20000000000x;;А;1;;1;p1;;;;;;;;;;;", "200000000002;;Б;1;;1;p2;;;many;;;;;;;;"]
    service.write("wrong.csv", "\n".join([head, *rows]))
    before = content("ingest.db")
    ran = service("registry", "import", "wrong.csv", "--with-passwords")
    assert ran.code == 2
    assert ran.out == ""
    assert "line 2: " in ran.err
    assert "line 3: " in ran.err
    assert "wrong.csv" in ran.err
    assert content("ingest.db") == before


def test_a_password_column_is_refused_unless_asked_for(service):
    ran = service("registry", "import", "registry.csv")
    assert ran.code == 2
    assert "password" in ran.err
    assert "Zima" not in ran.err


@pytest.mark.parametrize(
    "junk", [b"", b"\0\1\2" * 1000, b"PK\x03\x04rest", b"\xff\xfe", b"a;b\n1;2"]
)
def test_a_file_that_is_no_register_is_said(service, junk):
    ran = service("registry", "import", service.write("junk.csv", junk))
    assert ran.code == 2
    assert "junk.csv" in ran.err
    assert "Traceback" not in ran.err


# Passwords.


def test_a_given_password_that_is_easy_to_guess_is_refused(service):
    before = content("ingest.db")
    for given in (b"Zima-2026", CODE.encode(), b"1234567890"):
        ran = service("password", CODE, stdin=given)
        assert ran.code == 2
        assert "the password is too easy to guess: it " in ran.complaint
    assert content("ingest.db") == before


def test_an_import_takes_weak_passwords_and_names_whose_they_are(run):
    run.write("registry.csv", (SAMPLES / "registry.csv").read_bytes())
    ran = run("registry", "import", "registry.csv", "--with-passwords")
    assert ran.code == 0
    assert f"ingest: {CODE}: the password given is too easy to guess" in ran.err
    assert "Zima" not in ran.err + ran.out


def test_a_password_is_made_and_shown_once(service):
    before = content("ingest.db")
    ran = service("password", CODE)
    assert ran.code == 0
    password = ran.out.strip()
    assert len(password) >= 12
    after = content("ingest.db")
    assert after != before
    assert password not in "".join(after)
    assert password not in ran.err


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_from_a_pipe_is_taken_and_not_shown(service, ending):
    ran = service("password", CODE, stdin=f"ключ 7 марта{ending}".encode())
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize(
    "given",
    [b"\n", b"two\nlines\n", b" blank ", b"\xff\xfe", b"tab\there", "х".encode() * 201],
)
def test_a_password_that_no_letter_could_give_is_refused_and_not_told(service, given):
    before = content("ingest.db")
    ran = service("password", CODE, stdin=given)
    assert ran.code == 2
    assert "password" in ran.complaint
    assert "lines" not in ran.complaint
    assert content("ingest.db") == before


# The configuration.


def test_the_configuration_is_shown_with_every_value_s_origin_and_no_secret(run, monkeypatch):
    run.write(
        "ingest.toml",
        '[database]\nurl = "postgresql://ingest:tikho@db/ingest"\n'
        '[[mailbox]]\nname = "main"\nhost = "127.0.0.1"\npassword = "tikho"\n',
    )
    monkeypatch.setenv("INGEST_POLL__BATCH", "7")
    ran = run("config", "check", "--json")
    assert ran.code == 0
    told = {row["key"]: (row["value"], row["origin"]) for row in ran.rows}
    assert told["mailbox.0.name"] == ("main", "ingest.toml, line 4")
    assert told["mailbox.0.password"] == ("(hidden)", "ingest.toml, line 6")
    assert told["poll.batch"] == ("7", "environment variable INGEST_POLL__BATCH")
    assert told["poll.workers"] == ("2", "default")
    assert "tikho" not in ran.out + run("config", "check").out


def test_all_mistakes_of_a_configuration_are_exit_2(run):
    run.write("ingest.toml", "[poll]\nbatch = 0\nbatsh = 1\n")
    ran = run("config", "check")
    assert ran.code == 2
    assert "line 2: poll.batch: " in ran.err
    assert "line 3: poll.batsh: " in ran.err


# Letters.


@pytest.fixture
def busy(service):
    """Three letters: accepted and answered, quarantined, and one that waits."""
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.transaction() as store:
        claims = [store.letters.claim(None, f"{n:064}", 100 + n, NOW, NOW) for n in range(3)]
        facts = LetterFacts("buh@primer.example", "Показания", "<1@primer.example>")
        entity = store.registry.entity(CODE)
        store.letters.settle(claims[0].letter, "accepted", facts, entity, NOW)
        mail = EmailMessage()
        mail["To"], mail["Subject"] = "buh@primer.example", "Приняты"
        mail.set_content("Показания приняты.")
        store.outbox.owe(
            OwedReply(
                claims[0].letter, "buh@primer.example", "Приняты", "<r@x.example>", bytes(mail)
            ),
            NOW,
        )
        store.letters.quarantine(claims[1].letter, "KeyError at store.py:1", NOW)
    ledger.close()
    return service


def test_letters_are_listed_one_object_a_line(busy):
    rows = busy("letters", "--json").rows
    assert {(row["id"], row["state"], row["outcome"]) for row in rows} == {
        (1, "done", "accepted"),
        (2, "quarantined", rows[[r["id"] for r in rows].index(2)]["outcome"]),
        (3, "claimed", None),
    }
    first = next(row for row in rows if row["id"] == 1)
    assert first["entity"] == CODE
    assert first["received_at"] == "2026-11-10T12:00:00+03:00"
    assert first["reply"] == "owed"


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["--state", "done"], {1}),
        (["--state", "accepted"], {1}),
        (["--state", "quarantined"], {2}),
        (["--state", "claimed"], {3}),
        (["--state", "rejected"], set()),
        (["--entity", CODE], {1}),
        (["--from", "BUH@primer"], {1}),
        (["--subject", "показания"], {1}),
        (["--subject", "счёт"], set()),
        (["--code", "decimal-comma"], set()),
        (["--receipt", "1"], set()),
        (["--until", "2026-11-10T12:00:00"], set()),
        (["--until", "2026-11-10T12:00:01"], {1, 2, 3}),
        (["--limit", "1"], {3}),
        (["--since", "2026-11-10"], {1, 2, 3}),
        (["--since", "2026-11-10T12:00:01"], set()),
        (["--since", "2026-11-10T09:00:00Z"], {1, 2, 3}),
        (["--since", "1970-01-01"], {1, 2, 3}),
        (["--since", "2200-12-31"], set()),
    ],
)
def test_letters_are_filtered(busy, words, numbers):
    ran = busy("letters", "--json", *words)
    assert ran.code == 0
    assert {row["id"] for row in ran.rows} == numbers


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["letters", "--entity", "1"], "1: the register has no such user code"),
        (["letters", "--code", "commas"], "--code commas: there is no such finding"),
        (["show", "1", "--reply"], "--part N and --reply need -o FILE"),
        (["show", "2", "--reply", "-o", "a.eml"], "2: the letter has no reply"),
    ],
)
def test_what_cannot_be_found_is_said(busy, words, sentence):
    ran = busy(*words)
    assert (ran.code, sentence in ran.complaint) == (2, True)


def test_a_reply_is_written_for_its_owner_only_and_through_no_link(busy):
    assert busy("show", 1, "--reply", "-o", "reply.eml").code == 0
    path = busy.folder / "reply.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"Subject: " in path.read_bytes()
    (busy.folder / "link.eml").symlink_to(path)
    before = path.read_bytes()
    assert busy("show", 1, "--reply", "-o", "link.eml").code == 2
    assert busy("registry", "export", "-o", "link.eml").code == 2
    assert path.read_bytes() == before


def test_letters_for_people_are_a_table(busy):
    out = busy("letters").out
    assert "received" in out.splitlines()[0]
    assert "Показания" in out


def test_a_letter_is_shown_whole(busy):
    [row] = busy("show", 1, "--json").rows
    assert row["outcome"] == "accepted"
    assert row["replies"][0]["state"] == "owed"
    assert "Показания приняты." in row["replies"][0]["text"]
    assert "Показания приняты." in busy("show", 1).out
    [row] = busy("show", 2, "--json").rows
    assert row["error"] == "KeyError at store.py:1"


# Status.


def test_a_quiet_service_needs_nobody(service):
    ran = service("status", "--json")
    assert ran.code == 0
    [row] = ran.rows
    assert row["needs_a_person"] == []
    assert (row["queue"], row["quarantined"], row["owed"]) == (0, 0, 0)


def test_a_quarantined_letter_needs_a_person(busy):
    ran = busy("status", "--json")
    assert ran.code == 1
    [row] = ran.rows
    assert row["needs_a_person"] == [
        "a letter waits for its reply since 2026-11-10 12:00",
        "letters in quarantine: 1",
    ]
    assert (row["queue"], row["quarantined"], row["owed"]) == (1, 1, 1)
    told = busy("status")
    assert (told.code, "needs a person: letters in quarantine: 1" in told.out) == (1, True)


def test_a_mailbox_that_is_not_read_needs_a_person(service):
    service.write("ingest.toml", '[[mailbox]]\nname = "main"\nhost = "imap.example.ru"')
    ran = service("status", "--json")
    assert ran.code == 1
    assert "mailbox main" in ran.rows[0]["needs_a_person"][0]
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.transaction() as store:
        store.mailboxes.passed("main", datetime.now(UTC))
    ledger.close()
    assert service("status").code == 0


# The log.

LOG = "\n".join(
    json.dumps(event)
    for event in (
        {"event": "letter.accepted", "entity": CODE, "letter": 1, "timestamp": NOW.isoformat()},
        {"event": "letter.rejected", "entity": CODE, "letter": 2},
        {"event": "letter.accepted", "entity": "000000004711", "letter": 3},
        {"event": "mailbox.progress"},
    )
)


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ([], [1, 2, 3, None]),
        (["--entity", CODE], [1, 2]),
        (["--verdict", "accepted"], [1, 3]),
        (["--entity", CODE, "--verdict", "rejected"], [2]),
    ],
)
def test_the_log_is_filtered(service, words, letters):
    service.write("ingest.log", LOG)
    service.write("ingest.toml", '[log]\nfile = "ingest.log"')
    assert [row.get("letter") for row in service("tail", "--json", *words).rows] == letters
    assert len(service("tail", *words).out.splitlines()) == len(letters)


def test_a_user_code_that_nobody_has_is_an_error_and_no_empty_log(service):
    service.write("ingest.log", LOG)
    ran = service("tail", "ingest.log", "--entity", "200000000000")
    assert (ran.code, "no such user code" in ran.complaint) == (2, True)


def test_locks_are_opened_by_an_operator_and_the_audit_keeps_it(service):
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.transaction() as store:
        for _ in range(5):
            now = datetime.now(UTC)
            store.senders.failed(CODE, "a@b.example", now, 5, timedelta(minutes=15))
    assert [row["address"] for row in service("locks", "--json").rows] == [
        "@b.example",
        "a@b.example",
    ]
    assert service("unlock", CODE, "--address", "a@b.example").out == "opened: 1\n"
    assert [row["address"] for row in service("locks", "--json").rows] == ["@b.example"]
    [told] = service("unlock", CODE, "--json").rows
    assert told["opened"] == 1
    assert service("locks", "--json").rows == []
    assert service("unlock", CODE).code == 2
    with ledger.reading() as store:
        assert [entry.key for entry in store.audit.of("unlock")] == [CODE, CODE]
    ledger.close()


def test_the_log_is_read_from_a_pipe_whatever_its_bytes(run):
    ran = run("tail", "-", "--verdict", "accepted", "--json", stdin=LOG.encode() + b"\n\xff\n")
    assert [row["letter"] for row in ran.rows] == [1, 3]
    assert run("tail", stdin=LOG.encode()).code == 0


# As a program.


def program(*words, folder, **more):
    return subprocess.run(
        [sys.executable, "-m", "ingest", *map(str, words)],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
        **more,
    )


SAMPLE = SAMPLES / "52005" / "month-so-far.xml"


def test_the_program_checks_without_loading_what_it_does_not_need(run):
    words = [sys.executable, "-X", "importtime", "-m", "ingest", "check", SAMPLE, "--json"]
    ran = subprocess.run(words, cwd=run.folder, capture_output=True, check=True, timeout=60)
    assert json.loads(ran.stdout)["verdict"] == "accepted"
    loaded = set(re.findall(r"\| +([\w.]+)$", ran.stderr.decode(), re.MULTILINE))
    assert "ingest.operations.check" in loaded
    late = {"sqlalchemy", "alembic", "imapclient", "structlog", "rich", "jinja2", "pydantic"}
    late |= {"argon2", "apscheduler", "storage", "parsers.sheets", "email.message"}
    late |= {"openpyxl", "tnefparse", "logging", "statistics"}
    assert not late & loaded


def test_a_reader_that_goes_away_is_no_fault_of_ours(run):
    log = run.write("long.log", (LOG + "\n") * 20_000)
    words = [sys.executable, "-m", "ingest", "tail", str(log)]
    with subprocess.Popen(
        words, cwd=run.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read().decode()
        process.wait(30)
    assert told == ""


def test_a_fault_of_our_own_is_one_sentence_unless_debugging(run, monkeypatch):
    code = (
        "import sys, ingest.wiring.service\n"
        "ingest.wiring.service.Service.limits = property(lambda self: {}['Zima-2026'])\n"
        "from ingest.verbs.main import main\n"
        f"sys.argv = ['ingest', *sys.argv[1:], 'check', {str(SAMPLE)!r}]\n"
        "main()\n"
    )

    def told(*words):
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=run.folder,
            capture_output=True,
            check=False,
            timeout=60,
            text=True,
        )

    quiet = told()
    assert quiet.returncode == 1
    assert quiet.stderr.count("\n") == 1
    assert "an error of our own: KeyError at " in quiet.stderr
    assert "Zima" not in quiet.stderr
    assert "Traceback" in told("--debug").stderr


def on_a_terminal(folder):
    """What `process` writes to standard error, when that is a terminal."""
    ours, theirs = pty.openpty()
    letter = SAMPLES / "letters" / "00-52005-xml.eml"
    words = [sys.executable, "-m", "ingest", "process", str(letter)]
    subprocess.run(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs, check=True, timeout=60
    )
    os.close(theirs)
    told = os.read(ours, 100_000).decode()
    os.close(ours)
    return told


def test_events_are_readable_on_a_terminal_unless_json_is_asked_for(run):
    told = on_a_terminal(run.folder)
    assert "letter.refused" in told
    assert "{" not in told
    run.write("ingest.toml", '[log]\nformat = "json"')
    assert json.loads(on_a_terminal(run.folder).splitlines()[-1])["verdict"] == "refused"
