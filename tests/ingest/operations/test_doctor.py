"""`doctor` tries everything once, and says what is wrong and what to do."""

import shutil
import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from trustme import CA

from ingest.operations.doctor import _other_clock, try_drop, try_mailbox
from storage.ledger import Ledger


@pytest.fixture
def closed_port():
    """A port of this machine on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def wired(service, closed_port):
    """A service whose mail servers are away."""
    service.write(
        "ingest.toml",
        f"""
[[mailbox]]
name = "main"
host = "127.0.0.1"
port = {closed_port}
security = "none"
[smtp]
host = "127.0.0.1"
port = {closed_port}
security = "none"
sender = "meters@retailer.example"
[log]
file = "ingest.log"
""",
    )
    return service


def found(ran):
    return {row["what"]: row for row in ran.rows}


def test_each_result_is_one_object_a_line(wired):
    ran = wired("doctor", "--json")
    for row in ran.rows:
        assert list(row) == ["what", "well", "found", "advice"]
        assert row["well"] == (row["advice"] is None)


def test_servers_that_are_away_are_named_and_exit_3(wired):
    ran = wired("doctor", "--json")
    assert ran.code == 3
    told = found(ran)
    assert "Traceback" not in ran.err
    for what in ("mailbox main", "smtp 127.0.0.1"):
        assert told[what]["well"] is False
        assert "check host, port" in told[what]["advice"]
    for what in ("configuration", "layouts", "database", "clock", "log"):
        assert told[what]["well"] is True, told[what]
    assert "3 legal entities" in told["database"]["found"]


def test_people_are_told_in_lines(wired):
    ran = wired("doctor")
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert any(line.startswith("ok    database: ") for line in lines)
    assert any(line.startswith("WRONG mailbox main: ") for line in lines)


def test_what_is_not_configured_is_something_to_look_at(service):
    ran = service("doctor", "--json")
    assert ran.code == 1
    told = found(ran)
    assert "[[mailbox]]" in told["mailboxes"]["advice"]
    assert "[smtp] host" in told["smtp"]["advice"]


def test_a_database_that_does_not_exist_yet_is_said_and_not_made(bare):
    run = bare
    run.write("ingest.toml", "")
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert found(ran)["database"]["advice"] == "run `ingest migrate`"
    assert not (run.folder / "ingest.db").exists()


def test_an_older_schema_is_said(run):
    run.write("ingest.db", b"")
    sqlite3.connect("ingest.db").execute("CREATE TABLE a (b)").connection.close()
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert found(ran)["database"]["advice"] == "run `ingest migrate`"


def test_a_database_that_is_away_is_exit_3(run):
    run.write("ingest.toml", '[database]\nurl = "postgresql://nobody@127.0.0.1:1/none"')
    ran = run("doctor", "--json")
    assert ran.code == 3
    assert found(ran)["database"]["advice"] == "check [database] url and its server"


def test_an_empty_register_and_missing_passwords_are_said(run, service):
    service("migrate")
    text = "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;"
    text += "digits;decimals;ratio;installed;removed;channels;zones\n7;А;1;;1;p;;;;;;;;;;;\n"
    service.write("more.csv", text)
    assert service("registry", "import", "more.csv").code == 0
    register = found(service("doctor", "--json"))["register of points"]
    assert register["found"] == "1 entities have no password"
    (run.folder / "ingest.db").unlink()
    assert run("migrate").code == 0
    assert found(run("doctor", "--json"))["register of points"]["found"] == "empty"


@pytest.mark.parametrize("name", ["ingest.toml", "ingest.log", "ingest.db"])
def test_a_file_that_others_may_use_is_said_with_what_to_do(wired, name):
    wired("doctor", "--json")
    files = [wired.folder / one for one in ("ingest.toml", "ingest.log", "ingest.db")]
    for file in files:
        file.touch()
        file.chmod(0o640)
    assert found(wired("doctor", "--json"))["modes"]["well"]
    (wired.folder / name).chmod(0o644)
    told = found(wired("doctor", "--json"))["modes"]
    assert name in told["found"]
    assert "chmod" in told["advice"]


def test_until_a_server_is_trusted_forged_senders_are_warned_of(wired):
    told = found(wired("doctor", "--json"))["forged senders"]
    assert "trusted_authserv_id" in told["advice"]
    with (wired.folder / "ingest.toml").open("a") as text:
        text.write('[authentication]\ntrusted_authserv_id = "mx.retailer.example"\n')
    assert found(wired("doctor", "--json"))["forged senders"]["well"]


def test_a_clock_that_went_back_is_said(service):
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.transaction() as store:
        store.mailboxes.passed("main", datetime.now(UTC) + timedelta(hours=3))
    ledger.close()
    clock = found(service("doctor", "--json"))["clock"]
    assert clock["well"] is False
    assert "NTP" in clock["advice"]


def test_a_wrong_configuration_ends_it_with_one_sentence(run):
    run.write("ingest.toml", "[poll]\nbatsh = 1")
    ran = run("doctor")
    assert (ran.code, "poll.batsh" in ran.complaint) == (2, True)


def test_poll_ends_with_3_and_names_every_server_that_cannot_be_reached(wired):
    letters = Path(__file__).parents[3] / "samples" / "letters"
    assert wired("process", str(letters / "07-wrong-password.eml")).code == 0
    ran = wired("poll")
    assert ran.code == 3
    assert "mailbox main" in ran.complaint
    assert "SMTP server 127.0.0.1" in ran.complaint
    assert "Traceback" not in (wired.folder / "ingest.log").read_text()


def test_the_database_is_written_to_and_nothing_stays(service):
    assert "can be written to" in found(service("doctor", "--json"))["database"]["found"]
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.reading() as store:
        assert store.installation.status(datetime.now(UTC)).servers == ()
    ledger.close()


def test_a_disk_that_is_nearly_full_is_said(service, monkeypatch):
    assert found(service("doctor", "--json"))["disk"]["well"] is True
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    disk = found(service("doctor", "--json"))["disk"]
    assert (disk["well"], "0.0 GiB free" in disk["found"]) == (False, True)


@pytest.mark.parametrize(("days", "well"), [(31, True), (29, False), (-1, False)])
def test_an_authority_that_ends_soon_is_told_by_doctor_and_status(wired, days, well):
    ends = datetime.now(UTC) + timedelta(days=days)
    issued = CA().issue_cert("localhost", not_after=ends)
    issued.cert_chain_pems[0].write_to_path("authority.pem")
    configured = (wired.folder / "ingest.toml").read_text()
    wired.write("ingest.toml", configured.replace("[smtp]", '[smtp]\nca_file = "authority.pem"'))
    told = found(wired("doctor", "--json"))["authority (ca_file) of smtp"]
    assert (told["well"], f"{ends:%Y-%m-%d}" in told["found"]) == (well, True)
    assert ("authority" in wired("status").out) is not well


def test_a_secret_s_file_that_others_may_read_is_said(wired):
    (wired.folder / "smtp.secret").write_text("x")
    configured = (wired.folder / "ingest.toml").read_text()
    named = configured.replace("[smtp]", '[smtp]\npassword_file = "smtp.secret"')
    wired.write("ingest.toml", named)
    (wired.folder / "smtp.secret").chmod(0o644)
    assert "smtp.secret" in found(wired("doctor", "--json"))["modes"]["found"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(119, "agrees"), (-119, "agrees"), (121, "121 s ahead"), (-500, "500 s behind")],
)
def test_a_clock_apart_from_this_machine_s_is_told(seconds, told):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    [found] = _other_clock("the database", now + timedelta(seconds=seconds), now)
    assert told in found.found
    assert found.is_well is ("agrees" in told)


@dataclass
class FakeMailbox:
    """A mailbox that was tried and found so."""

    keeps_apart: bool
    name: str = "main"
    folder: str = "INBOX"
    letters: int = 3
    folders: Sequence[str] = ("Processed",)
    certificate_ends: None = None
    clock: None = None
    is_closed: bool = False

    def examine(self):
        return self

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize("keeps_apart", [True, False])
def test_a_filed_letter_that_may_stay_with_a_keyword_is_said(keeps_apart):
    mailbox = FakeMailbox(keeps_apart)
    told, _ = try_mailbox(mailbox)
    assert "3 letters in INBOX; files into Processed" in told
    assert ("with a keyword" in told) == keeps_apart
    assert mailbox.is_closed


def test_a_drop_folder_is_tried_with_a_file_that_is_taken_away_again(service, tmp_path):
    folder, missing, plain = tmp_path / "in", tmp_path / "missing", tmp_path / "plain"
    folder.mkdir()
    plain.write_bytes(b"")
    (folder / "readings.xml").write_bytes(b"<message/>")
    drops = {"well": folder, "missing": missing, "plain": plain}
    service.write(
        "ingest.toml",
        "".join(f'[[drop]]\nname = "{name}"\npath = "{at}"\n' for name, at in drops.items()),
    )
    told = found(service("doctor", "--json"))
    assert told["drop well"]["well"] is True
    assert "1 files" in told["drop well"]["found"]
    for name in ("missing", "plain"):
        assert "is no folder" in told[f"drop {name}"]["found"]
        assert told[f"drop {name}"]["advice"]
    assert [each.name for each in folder.iterdir()] == ["readings.xml"]


def test_a_drop_folder_that_cannot_be_written_to_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    # The user of tests may be root, whom no mode refuses.
    monkeypatch.setattr("ingest.operations.doctor.tempfile.TemporaryDirectory", refuse)
    told = try_drop("in", folder)
    assert (told.is_well, told.found) == (False, f"{folder}: Permission denied")
