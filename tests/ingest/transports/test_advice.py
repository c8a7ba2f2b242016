"""What `doctor` advises fits the fault that a mail server was tried with."""

from __future__ import annotations

import socket
import ssl

import pytest

from ingest.transports.advice import advice


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
