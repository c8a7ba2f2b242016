"""What an operator can do about a mail server that cannot be used."""

from __future__ import annotations

import socket
import ssl

LOGIN = (
    "check user and password; many providers want a password made for programs,"
    " or OAuth2, and IMAP switched on for the account"
)
"""After a refused login."""

OAUTH = (
    "the token must be of the mailbox's own account, or its application be granted this"
    " mailbox, with the scope for IMAP or SMTP"
)
"""After a refused access token."""

_ANYTHING = "check host, port, security, user and password"


def advice(error: BaseException) -> str:
    """One sentence about the likeliest cause of a fault, as precise as the fault is."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error)
    if isinstance(error, ssl.SSLError):
        return "port and security do not fit: `tls` is 993 or 465, `starttls` 143 or 587"
    if isinstance(error, socket.gaierror):
        return "check host: its name is not known to the name server"
    if isinstance(error, ConnectionRefusedError | TimeoutError):
        return "nothing answers there: check host, port and the firewall"
    return _of_text(reason(error).lower())


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    told = error.verify_message.lower()
    if "expired" in told:
        return "the server's certificate has ended: its administrator must renew it"
    if "not yet valid" in told:
        return "the certificate is not valid yet: check the clock of this machine"
    if "hostname" in told or "ip address" in told:
        return "set host to a name that stands in the server's certificate"
    return "nobody known vouches for the certificate: set ca_file to the authority that does"


def _of_text(told: str) -> str:
    if any(word in told for word in ("overquota", "quota", "no space", "disk full", "over limit")):
        return "the mailbox or the server's disk is full: archive filed letters, or get more room"
    if any(word in told for word in ("nonexistent", "trycreate", "invalid mailbox", "prefix")):
        return "name the folder as the server lists it, its prefix included"
    if any(word in told for word in ("read-only", "not writable", "noperm", "acl", "permission")):
        return "the account may not write to that folder: have the right granted"
    return _ANYTHING


def reason(error: BaseException) -> str:
    """An exception as the end of a sentence: its text, or its kind when it has none."""
    told = error.args[0] if error.args else ""
    if isinstance(told, bytes):
        return told.decode("utf-8", "replace").strip().rstrip(".")
    return str(error).strip().rstrip(".") or type(error).__name__
