"""Letters and passwords never travel in the clear past this machine."""

import pytest

from config.addresses import is_loopback
from ingest.transports.imap.connect import ImapConfig
from ingest.transports.smtp import SmtpConfig


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_tls(host):
    assert is_loopback(host)
    ImapConfig(name="main", host=host, security="none")
    SmtpConfig(host=host, security="none")


@pytest.mark.parametrize("host", ["imap.example.ru", "10.0.0.1", "localhost.example.ru", ""])
def test_past_this_machine_none_is_a_mistake(host):
    with pytest.raises(ValueError, match='mailbox main: security = "none" is for loopback only'):
        ImapConfig(name="main", host=host, security="none")
    with pytest.raises(ValueError, match="smtp: security"):
        SmtpConfig(host=host, security="none")


def test_an_unknown_word_is_a_mistake():
    with pytest.raises(ValueError, match='security = "ssl" is not tls, starttls or none'):
        ImapConfig(name="main", host="127.0.0.1", security="ssl")


def test_passwords_are_not_shown():
    assert "s3cret" not in repr(ImapConfig(name="main", host="localhost", password="s3cret"))
    assert "s3cret" not in repr(SmtpConfig(host="localhost", password="s3cret"))
