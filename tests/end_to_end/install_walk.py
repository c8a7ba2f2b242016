"""docs/install.md walked from an empty machine to the first reply: `make install-walk`.

The commands are taken from the document, as it tells them, and run as root in a copy of this
machine's file system that vanishes afterwards (a mount namespace with an overlay), in which
nothing of the service is installed. Dovecot and an SMTP server run on loopback. What a person
types is given by `TYPED`; what an init system does (`systemctl`, `systemd-run`), by a small
stand-in that reads the unit file, as none runs in a namespace. Needs root, and exits 1 at the
first command that fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from ingest.demo.servers import SmtpServer
from tests.end_to_end.installation import ROOT
from tests.end_to_end.servers import Account, Dovecot
from tests.hostile.corpus import ordinary

DOCUMENT = ROOT / "docs" / "install.md"
SECTION = "From nothing to a running unit"
CODE = "200000001234"
SENDER = "buh@primer.example"

STAND_IN = Path(__file__).with_name("init_stand_in.py")

PREPARE = """
set -e
mount -t tmpfs none {base}
mkdir {base}/upper {base}/work {base}/root
mount -t overlay overlay -o lowerdir=/,upperdir={base}/upper,workdir={base}/work {base}/root
for each in proc dev sys; do mount --rbind /$each {base}/root/$each; done
mount -t tmpfs none {base}/root/run
mkdir -p {base}/root/walk {base}/root/run/credentials
cp -a {source}/. {base}/root/walk
for name in systemctl systemd-run; do
  install -m 755 {stand_in} {base}/root/usr/local/bin/$name
done
cp {script} {base}/root/script
exec chroot {base}/root /bin/bash /script
"""


def commands(section: str) -> list[str]:
    """What the console blocks of a section tell root to run, comments left out."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"## {section}\n")[2]
    text = re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]
    found: list[str] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        joined = block.replace("\\\n", " ")
        found += [re.sub(r"\s{2,}#.*$", "", line[2:]) for line in joined.splitlines()]
    return found


def settings() -> str:
    """What the section says belongs into the configuration."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"## {SECTION}\n")[2]
    return re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0]


def configuration(account: Account, smtp_port: int) -> str:
    """The document's own keys, with this walk's servers."""
    told = tomllib.loads(settings())
    [mailbox] = told["mailbox"]
    return f"""
[database]
url = "{told["database"]["url"]}"
[[mailbox]]
name = "main"
host = "127.0.0.1"
port = {account.port}
security = "none"
user = "{account.user}"
password_file = "{mailbox["password_file"]}"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "meters@retailer.example"
[log]
file = "{told["log"]["file"]}"
"""


def typed(command: str, account: Account, smtp_port: int) -> str:
    """The command, with what a person would type into it."""
    if command.startswith("editor "):
        file = shlex.split(command)[1]
        return f"cat > {file} <<'END'\n{configuration(account, smtp_port)}\nEND"
    if "cat > /etc/ingest/" in command:
        return f"{command} <<'END'\n{account.password}\nEND"
    return f"{{ {command}; }} < /dev/null"


def script(account: Account, smtp_port: int) -> str:
    """Every command, told before it is run; the first that fails ends it."""
    lines = ["cd /walk", "shopt -s expand_aliases", "export LC_ALL=C.UTF-8"]
    for command in commands(SECTION):
        # Exit 1: done, with something to look at, such as a forged From that is not told.
        may_look = re.search(r"ingest(-as)? (doctor|status)", command)
        lines += [
            f"echo; printf '%s\\n' {shlex.quote('# ' + command)}",
            f"{typed(command, account, smtp_port)}",
            f'code=$?; [ $code -le {1 if may_look else 0} ] || {{ echo "exit $code"; exit 1; }}',
        ]
    lines += ["echo WALKED", "read -r _", "systemctl stop ingest"]
    return "\n".join(lines) + "\n"


def letter(password: str) -> bytes:
    """A letter with a reading, from the entity of the registry."""
    mail = message_from_bytes(ordinary(), policy=default)
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, "meters@retailer.example", "Показания"
    made["Message-ID"] = "<first@primer.example>"
    made.set_content(f"Код: {CODE}\nПароль: {password}\n")
    [document] = [part for part in mail.walk() if part.get_filename()]
    content = document.get_payload(decode=True)
    assert isinstance(content, bytes)
    made.add_attachment(content, maintype="text", subtype="xml", filename="52006.xml")
    return made.as_bytes()


@contextlib.contextmanager
def unpacked() -> Iterator[Path]:
    """The project as it is committed, and a registry without passwords."""
    with tempfile.TemporaryDirectory(prefix="ingest-source-") as folder:
        archive = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        rows = (ROOT / "samples" / "registry.csv").read_text(encoding="utf-8").splitlines()
        at = rows[0].split(";").index("password")
        kept = (";".join(c for n, c in enumerate(row.split(";")) if n != at) for row in rows)
        Path(folder, "registry.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
        Path(folder).chmod(0o755)
        yield Path(folder)


def walk(account: Account, smtp_port: int, replies: list[bytes]) -> int:
    """The whole way; 0 when the first reply came."""
    with (
        unpacked() as source,
        tempfile.TemporaryDirectory(prefix="ingest-walk-") as base,
        tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as steps,
    ):
        steps.write(script(account, smtp_port))
        steps.flush()
        prepare = PREPARE.format(base=base, source=source, stand_in=STAND_IN, script=steps.name)
        process = subprocess.Popen(
            ["unshare", "--mount", "--fork", "bash", "-c", prepare],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        told: list[str] = []
        for line in process.stdout:
            print(line, end="", flush=True)
            told.append(line.strip())
            if told[-1] == "WALKED":
                break
        came = told[-1:] == ["WALKED"] and answered(told, account, replies)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write("\n")
            process.stdin.close()
        print(process.stdout.read(), end="")
        return 0 if not process.wait(timeout=90) and came else 1


def answered(told: list[str], account: Account, replies: list[bytes]) -> bool:
    """Whether the letter of somebody who was given a password is answered."""
    at = next(n for n, line in enumerate(told) if line.startswith("# ingest-as password"))
    password = told[at + 1].split()[-1]
    account.append(letter(password))
    begun = time.monotonic()
    while not replies and time.monotonic() - begun < 60:
        time.sleep(0.1)
    for content in replies:
        reply = message_from_bytes(content, policy=default)
        print(f"\nthe first reply, {time.monotonic() - begun:.1f} s after the letter:")
        print(f"To: {reply['To']}\nSubject: {reply['Subject']}")
        text = reply.get_body(("plain",))
        print(text.get_content() if text else "")
        return "принят" in str(reply["Subject"]).lower()
    print("no reply within a minute")
    return False


def main() -> int:
    if os.getuid() != 0:
        print("it needs root, for a file system of its own")
        return 1
    replies: list[bytes] = []
    dovecot = Dovecot()
    try:
        dovecot.start()
        with SmtpServer(lambda _to, content: replies.append(content)) as smtp:
            return walk(dovecot.account(), smtp.port, replies)
    finally:
        dovecot.close()


if __name__ == "__main__":
    sys.exit(main())
