"""What `doctor` advises fits the fault that a mail server was tried with."""

from __future__ import annotations

import socket
import ssl

import pytest

from ingest.transports.advice import advice, reason


def uncertified(told: str) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed")
    fault.verify_message = told
    return fault


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (uncertified("certificate has expired"), "has ended"),
        (uncertified("certificate is not yet valid"), "clock of this machine"),
        (uncertified("Hostname mismatch, certificate is not valid for 'a'"), "set host to a name"),
        (uncertified("self-signed certificate"), "set ca_file"),
        (uncertified("IP address mismatch"), "set host to a name"),
        (ssl.SSLError(1, "wrong version number"), "port and security do not fit"),
        (socket.gaierror(-2, "Name or service not known"), "not known to the name server"),
        (ConnectionRefusedError(111, "refused"), "check host, port and the firewall"),
        (TimeoutError("timed out"), "check host, port and the firewall"),
        (OSError("[OVERQUOTA] Quota exceeded"), "disk is full"),
        (OSError("[SERVERBUG] No space left on device"), "disk is full"),
        (OSError("[NONEXISTENT] Unknown Mailbox: Processed"), "its prefix included"),
        (OSError(b"NO Invalid mailbox name, prefix is INBOX."), "its prefix included"),
        (OSError("[NOPERM] Permission denied"), "may not write to that folder"),
        (OSError("what nobody has seen yet"), "check host, port, security, user and password"),
    ],
)
def test_the_advice_fits_the_fault(fault: BaseException, told: str) -> None:
    assert told in advice(fault)


FULL, PREFIX, RIGHTS = "disk is full", "its prefix included", "may not write to that folder"
WORDS = {
    FULL: ("OverQuota", "quota", "no space", "disk full", "over limit"),
    PREFIX: ("nonexistent", "TryCreate", "invalid mailbox", "prefix"),
    RIGHTS: ("read-only", "not writable", "noperm", "acl", "permission"),
    "check host, port, security": ("", "anything", "disk", "limit", "mailbox"),
}


@pytest.mark.parametrize(("told", "word"), [(told, word) for told in WORDS for word in WORDS[told]])
def test_a_server_s_words_are_known(told, word):
    assert told in advice(OSError(f"NO {word}"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(), "OSError"), (OSError(""), "OSError"), (ValueError(" no. "), "no"),
        (ValueError(b" no. "), "no"), (OSError(5, "Input"), "[Errno 5] Input"),
        (ValueError(b"\xff"), "\ufffd"),
    ],
)  # fmt: skip
def test_a_fault_ends_a_sentence(error, told):
    assert reason(error) == told
