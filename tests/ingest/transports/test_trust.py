"""An authority of one's own is believed beside the system's, and a bad file is told."""

import socket
import ssl
import threading

import pytest
from trustme import CA

from ingest.transports.login import trusting


def greeted(context, certificate):
    """Whether a TLS server with that certificate is believed to be localhost."""
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
        return True
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
