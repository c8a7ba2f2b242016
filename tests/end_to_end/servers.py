"""Real mail servers for tests, on loopback, in a folder that goes with them."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import trustme
from imapclient import IMAPClient

from ingest.transports.imap.connect import ImapConfig

HOST = "127.0.0.1"


def _dovecot() -> str | None:
    """The program, when it is of the line whose configuration we write."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    program = shutil.which("dovecot", path=places)
    if program is None:
        return None
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return program if told.stdout.startswith("2.3.") else None


DOVECOT = _dovecot()
PASSWORD = "mailbox-password"


@dataclass
class Account:
    """One mail account on some server, with the means to look into it."""

    port: int
    user: str
    password: str = field(repr=False)
    host: str = HOST
    tls_port: int = 0
    certificate: Path | None = None

    def config(self, **options) -> ImapConfig:
        given = {
            "name": "main",
            "host": self.host,
            "port": self.port,
            "security": "none",
            "user": self.user,
            "password": self.password,
            "timeout_seconds": 10.0,
        }
        return ImapConfig(**(given | options))

    def append(self, *letters: bytes, folder: str = "INBOX", at: datetime | None = None) -> None:
        with self._client() as client:
            for content in letters:
                client.append(folder, content, msg_time=at or datetime.now(UTC))

    def contents(self, folder: str) -> list[bytes]:
        """Every letter of a folder, in the order of UIDs; none when there is no folder."""
        with self._client() as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    def move(self, folder: str, target: str) -> None:
        """Every letter of one folder into another, as a person would."""
        with self._client() as client:
            if not client.folder_exists(target):
                client.create_folder(target)
            client.select_folder(folder)
            client.move(client.search("ALL"), target)

    def count(self, folder: str) -> int:
        """How many letters a folder has; none when there is no folder."""
        with self._client() as client:
            if not client.folder_exists(folder):
                return 0
            return client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"]

    def tls_context(self) -> ssl.SSLContext:
        return trusting(self.certificate)

    @contextlib.contextmanager
    def _client(self) -> Iterator[IMAPClient]:
        client = IMAPClient(self.host, port=self.port, ssl=False, timeout=10)
        try:
            client.login(self.user, self.password)
            yield client
        finally:
            client.logout()


class Dovecot:
    """A Dovecot of our own: any user, one password, Maildirs that go at the end.

    Args:
        prefix: Of every folder.
        introspection: Where an identity provider tells whose a token is (RFC 7662): users
            sign in by tokens, too.
    """

    def __init__(self, prefix: str = "", introspection: str = "") -> None:
        self._prefix = prefix
        self._introspection = introspection
        self._base = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self._base.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.certificate = make_certificate(self._base)
        self._config = self._base / "dovecot.conf"
        self._config.write_text(self._text(), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._users = itertools.count(1)

    def start(self) -> None:
        command = [DOVECOT, "-F", "-c", str(self._config)]
        self._process = subprocess.Popen(command, start_new_session=True)
        wait_for_port(self.port, lambda: (self._base / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            # Processes that still serve a connection outlive their master.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._base, ignore_errors=True)

    def account(self) -> Account:
        return Account(
            port=self.port,
            user=f"user{next(self._users)}",
            password=PASSWORD,
            tls_port=self.tls_port,
            certificate=self.certificate,
        )

    def _text(self) -> str:
        base = self._base
        mail = base / "mail"
        mail.mkdir()
        # Dovecot opens no mail as root.
        owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        if os.getuid() == 0:
            os.chown(mail, owner.pw_uid, owner.pw_gid)
        (base / "oauth2.conf").write_text(_OAUTH.format(url=self._introspection), encoding="utf-8")
        return _CONFIG.format(
            mechanisms=" oauthbearer xoauth2" if self._introspection else "",
            oauth=_OAUTH_PASSDB.format(base=base) if self._introspection else "",
            base=base,
            mail=mail,
            port=self.port,
            prefix=self._prefix,
            tls_port=self.tls_port,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            password=PASSWORD,
            users="" if os.getuid() == 0 else _UNPRIVILEGED.format(user=owner.pw_name),
        )


_CONFIG = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/certificate.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login{mechanisms}
auth_cache_size = 0
auth_failure_delay = 0
mail_location = maildir:{mail}/%u
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = .
  prefix = {prefix}
}}
{oauth}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  # Else each refused login delays the next ones by up to 15 seconds.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_limit = 100
}}
{users}
"""

_OAUTH_PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {base}/oauth2.conf
}}
"""

_OAUTH = """
introspection_mode = post
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
force_introspection = yes
"""

_UNPRIVILEGED = """
default_internal_user = {user}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
"""


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.with_name("authority.pem")))


def make_certificate(folder: Path) -> Path:
    """A certificate for loopback; beside it `key.pem`, and `authority.pem` to trust it by."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", HOST)
    certificate = folder / "certificate.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return certificate


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, told, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    sys.stderr.write(told())
    raise TimeoutError(f"nothing listens on port {port} after {seconds:g} seconds")
