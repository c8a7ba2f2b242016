#!/usr/bin/python3
"""`systemctl` and `systemd-run` where no systemd runs, as far as docs/install.md uses them.

A unit's user, command, credentials, folder and readiness are taken from its file; its
confinement is not.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUNNING = Path("/run/unit-pids")


def credentials(unit, user, named):
    """Copies that only the unit's user may read, as LoadCredential makes them."""
    folder = Path("/run/credentials") / f"{unit}.service"
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in (item.split(":", 1) for item in named):
        shutil.copy(path, folder / name)
        shutil.chown(folder / name, user)
        (folder / name).chmod(0o400)
    shutil.chown(folder, user)
    folder.chmod(0o500)


def start(unit):
    """Start a unit and wait until it says that it is ready."""
    text = (UNITS / f"{unit}.service").read_text()
    keys = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    credentials(unit, keys["User"], re.findall(r"^LoadCredential=(.*)$", text, re.MULTILINE))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        address = "/run/notify"
        Path(address).unlink(missing_ok=True)
        ready.bind(address)
        Path(address).chmod(0o666)
        process = subprocess.Popen(
            keys["ExecStart"].split(),
            user=keys["User"],
            group=keys["Group"],
            extra_groups=[],
            cwd=keys["WorkingDirectory"],
            umask=int(keys["UMask"], 8),
            env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": address, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        ready.settimeout(90)
        while b"READY=1" not in ready.recv(4096):
            pass
    RUNNING.mkdir(exist_ok=True)
    (RUNNING / unit).write_text(str(process.pid))


def stop(unit):
    os.kill(int((RUNNING / unit).read_text()), signal.SIGTERM)


def systemctl(words):
    verb, unit = words[0], words[-1]
    if verb in ("start", "enable"):
        start(unit)
    elif verb == "stop":
        stop(unit)
    elif verb != "daemon-reload":
        sys.exit(f"systemctl {verb}: not known to the stand-in")


def systemd_run(words):
    """A command as a unit's user, with its credentials."""
    unit, user, named, environment = "run", "root", [], {}
    words = list(words)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("--pipe", "--wait"):
            continue
        value = words.pop(0)
        key, _, rest = value.partition("=")
        if option == "--unit":
            unit = value
        elif option == "-E":
            environment[key] = rest
        elif (option, key) == ("-p", "User"):
            user = rest
        elif (option, key) == ("-p", "LoadCredential"):
            named.append(rest)
        else:
            sys.exit(f"systemd-run {option} {value}: not known to the stand-in")
    credentials(unit, user, named)
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(
        words,
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        env=env,
        cwd="/",
        check=False,
    ).returncode


if __name__ == "__main__":
    name = Path(sys.argv[0]).name
    sys.exit({"systemctl": systemctl, "systemd-run": systemd_run}[name](sys.argv[1:]))
