"""An authority of one's own is believed beside the system's, and a bad file is told."""

import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
from trustme import CA

from ingest.transports.login import authority_ends, certificate_ends, trusting


def greeted(context, certificate):
    """When a TLS server's certificate ends, if it is believed to be localhost; else False."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server_side)
    ours, theirs = socket.socketpair()

    def serve():
        try:
            with server_side.wrap_socket(theirs, server_side=True) as there:
                there.recv(1)
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with context.wrap_socket(ours, server_hostname="localhost") as here:
            here.send(b".")
            return certificate_ends(here)
    except ssl.SSLCertVerificationError:
        return False
    finally:
        ours.close()
        thread.join()


def test_only_the_authority_that_is_named_makes_its_server_believed(tmp_path):
    own, other = CA(), CA()
    file = tmp_path / "authority.pem"
    own.cert_pem.write_to_path(str(file))
    assert greeted(trusting(str(file), "smtp"), own.issue_cert("localhost"))
    assert not greeted(trusting(str(file), "smtp"), other.issue_cert("localhost"))
    assert not greeted(trusting("", "smtp"), own.issue_cert("localhost"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read: No such file"), ("no PEM", "holds no certificate"), ("", "holds no")],
)
def test_a_file_that_cannot_vouch_is_told_with_its_section(tmp_path, content, sentence):
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=f"mailbox main: ca_file: .*{sentence}"):
        trusting(str(file), "mailbox main")


ENDS = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_when_a_certificate_ends_is_known_of_tls_alone(tmp_path):
    authority = CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    issued = authority.issue_cert("localhost", not_after=ENDS)
    assert greeted(trusting(str(file), "smtp"), issued) == ENDS
    one, other = socket.socketpair()
    with one, other:
        assert certificate_ends(one) is None
    assert certificate_ends(None) is None


def test_of_an_authority_s_certificates_the_first_one_to_end_is_told(tmp_path):
    file = tmp_path / "authority.pem"
    ends = [ENDS, ENDS.replace(year=2029), ENDS.replace(year=2033)]
    file.write_bytes(
        b"".join(CA().issue_cert("a", not_after=at).cert_chain_pems[0].bytes() for at in ends)
    )
    (found,) = authority_ends(str(file), "mailbox", "main")
    assert (found.at, found.owner) == (ends[1], "mailbox main")
    (found,) = authority_ends(str(file), "smtp", "")
    assert (found.owner, found.what) == ("smtp", "authority (ca_file)")
    file.write_text("no PEM")
    assert list(authority_ends(str(file), "smtp", "")) == []
    assert list(authority_ends(str(tmp_path / "missing"), "smtp", "")) == []
