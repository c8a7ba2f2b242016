"""`ingest doctor` on servers that are well, and on one that is not."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from tests.end_to_end.installation import Installation
from tests.end_to_end.scripted import RefusedError, ScriptedImap, ScriptedSmtp


@pytest.fixture
def installation(tmp_path, imap, smtp_server):
    made = Installation(tmp_path, f"sqlite:///{tmp_path}/ingest.db", imap, smtp_server.port)
    yield made
    made.ledger.close()


@pytest.fixture
def doctor(bare, installation):
    def examined() -> tuple[int, dict[str, dict]]:
        told = bare("--config", installation.config, "doctor", "--json")
        return told.code, {item["what"]: item for item in told.rows}

    return examined


def test_everything_is_well_and_the_folders_are_made(installation, doctor, imap):
    installation.config.chmod(0o600)
    _, found = doctor()
    # A warning until the mail server's results are believed.
    assert [what for what, item in found.items() if not item["well"]] == ["forged senders"]
    with installation.config.open("a", encoding="utf-8") as text:
        text.write('\n[authentication]\ntrusted_authserv_id = "mx.retailer.example"\n')
    code, found = doctor()

    assert [item for item in found.values() if not item["well"]] == []
    assert code == 0
    assert {"configuration", "database", "mailbox main", "smtp 127.0.0.1", "clock"} <= set(found)
    imap.append(b"Subject: x\r\n\r\n", folder="Quarantine")
    assert imap.count("Quarantine") == 1


# Each fault of a mail server, and what `doctor` advises.


def refusing(command: str, told: str) -> ScriptedImap:
    def refused(_rest: str) -> Iterator[bytes]:
        raise RefusedError(told)
        yield

    return ScriptedImap({command: refused, "LIST": lambda _rest: iter(())})


def certified(authority: trustme.CA, name: str = "localhost", **about: object) -> ScriptedImap:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **about).configure_cert(context)
    return ScriptedImap(context=context)


def read_only(_rest: str) -> Iterator[bytes]:
    yield b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [READ-ONLY] x\r\n"


NAMESPACE = "NO [NONEXISTENT] Client tried to access nonexistent namespace"
OURS = {"security": "tls", "ca_file": "ca.pem"}
FAULTS: dict[str, tuple[Callable[[trustme.CA], ScriptedImap], dict[str, str], str]] = {
    "password": (
        lambda _: refusing("LOGIN", "NO [AUTHENTICATIONFAILED] no"),
        {},
        "check user and password; many providers want a password made for programs",
    ),
    "certificate of nobody": (certified, {"security": "tls"}, "set ca_file to the authority"),
    "certificate that has ended": (
        lambda ca: certified(ca, not_after=datetime(2026, 1, 1, tzinfo=UTC)),
        OURS,
        "the server's certificate has ended: its administrator must renew it",
    ),
    "certificate of tomorrow": (
        lambda ca: certified(ca, not_before=datetime.now(UTC) + timedelta(days=1)),
        OURS,
        "check the clock of this machine",
    ),
    "certificate of another name": (
        lambda ca: certified(ca, "imap.retailer.example"),
        OURS,
        "set host to a name that stands in the server's certificate",
    ),
    "no TLS": (lambda _: ScriptedImap(), {"security": "tls"}, "port and security do not fit"),
    "prefix": (
        lambda _: refusing("CREATE", NAMESPACE),
        {},
        "name the folder as the server lists it, its prefix included",
    ),
    "full disk": (
        lambda _: refusing("APPEND", "NO [OVERQUOTA] Quota exceeded"),
        {},
        "the mailbox or the server's disk is full",
    ),
    "right to write": (
        lambda _: refusing("APPEND", "NO [NOPERM] Permission denied"),
        {},
        "the account may not write to that folder",
    ),
    "read-only": (
        lambda _: ScriptedImap({"SELECT": read_only}),
        {},
        "the account may not write to that folder",
    ),
}


@pytest.fixture
def faulty(tmp_path):
    """Mailboxes on servers of their own, each with its fault, and an SMTP server with one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    servers: dict[str, ScriptedImap | ScriptedSmtp] = {
        name: make(authority) for name, (make, _, _) in FAULTS.items()
    }
    tables = []
    for name, (_, options, _) in FAULTS.items():
        about = {"name": name, "host": "localhost", "user": "u", "password": "p"}
        about |= {"security": "none"} | options
        lines = "".join(f'{key} = "{value}"\n' for key, value in about.items())
        tables.append(f"[[mailbox]]\n{lines}port = {servers[name].port}\n")
    replies = {"": b"220 x\r\n", "EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 no\r\n"}
    servers["smtp"] = ScriptedSmtp(lambda word: iter([replies.get(word, b"250 fine\r\n")]))
    smtp = (
        'host = "localhost"\nsecurity = "none"\nsender = "a@b.example"\nuser = "u"\npassword = "p"'
    )
    tables.append(f"[smtp]\n{smtp}\nport = {servers['smtp'].port}\n")
    tables.append('[database]\nurl = "sqlite:///ingest.db"\n')
    yield "\n".join(tables)
    for server in servers.values():
        server.close()


def test_the_advice_fits_each_fault_and_one_does_not_keep_the_others_from_being_tried(run, faulty):
    run.write("ingest.toml", faulty)

    told = run("doctor", "--json")

    assert told.code == 3
    found = {item["what"]: item for item in told.rows}
    advised = {name: found[f"mailbox {name}"]["advice"] for name in FAULTS}
    assert {name for name, (_, _, advice) in FAULTS.items() if advice not in advised[name]} == set()
    assert "check user and password" in found["smtp localhost"]["advice"]
    assert found["database"]["well"]
