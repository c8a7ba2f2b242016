"""Servers that take a connection and then say nothing, or nonsense, for ever."""

from __future__ import annotations

import socket
import threading

import pytest

from ingest.transports.imap.connect import ImapConfig
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.ports import MailboxUnavailable, OutboxUnavailable
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.records.replies import OwedReply
from tests.end_to_end.servers import HOST


@pytest.fixture
def says():
    """A server that greets with these bytes and then is silent."""
    listeners, connections = [], []

    def serve(greeting: bytes) -> int:
        listener = socket.create_server((HOST, 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                connection.sendall(greeting)

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for end in (*listeners, *connections):
        end.close()


@pytest.mark.parametrize(
    "greeting", [b"", b"* OK ready\r\n", b"220 not an IMAP server\r\n", b"\0" * 5000, b"* BYE\r\n"]
)
@pytest.mark.timeout(20)
def test_an_imap_server_that_is_silent_or_mad_ends_the_pass(says, greeting):
    port = says(greeting)
    mailbox = ImapMailbox(
        ImapConfig("main", HOST, port, security="none", user="u", password="p", timeout_seconds=0.5)
    )
    with pytest.raises(MailboxUnavailable, match=f"mailbox main: {HOST}:{port}"):
        mailbox.uids()
    mailbox.close()


@pytest.mark.parametrize(
    "greeting", [b"", b"220 ready\r\n", b"* OK IMAP\r\n", b"\0" * 5000, b"554 go away\r\n"]
)
@pytest.mark.timeout(20)
def test_an_smtp_server_that_is_silent_or_mad_ends_the_drain(says, greeting):
    port = says(greeting)
    postman = SmtpPostman(SmtpConfig(HOST, port, security="none", timeout_seconds=0.5))
    with pytest.raises(OutboxUnavailable, match=f"SMTP server {HOST}:{port}"):
        postman.send(OwedReply(1, "a@b.example", "s", "<1@x>", b"Subject: s\r\n\r\n"))
    postman.close()
