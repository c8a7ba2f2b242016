"""The peers in the same run, each in an environment made for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from benchmarks.letters import Letter
from benchmarks.servers import ROOT, Servers

_PEERS = ROOT / "benchmarks" / "peers"
_HOME = ROOT / ".peers"
_SECONDS = 240


def environment() -> Path | None:
    """The interpreter that has the peers; None where they cannot be installed."""
    python = _HOME / "bin" / "python"
    wanted = (_PEERS / "requirements.txt").read_text()
    installed = _HOME / "installed.txt"
    if installed.exists() and installed.read_text() == wanted:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", str(_HOME)], check=True, timeout=120)
        subprocess.run(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "-r",
                str(_PEERS / "requirements.txt"),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (subprocess.SubprocessError, OSError) as error:
        told = getattr(error, "stderr", None) or ""
        print(f"The peers cannot be installed here, and are left out: {error}\n{told}")
        return None
    installed.write_text(wanted)
    return python


def dmarc(servers: Servers, python: Path, count: int, records: int) -> dict[str, Any]:
    """Parsedmarc on as many letters, each with as many records."""
    mailbox = servers.mailbox()
    mailbox.fill(_reports(count, records))
    account = mailbox.account
    arguments = [account.host, str(account.port), account.user, account.password]
    return _run(python, "dmarc.py", arguments)


def nem12(python: Path, values: int) -> dict[str, Any]:
    """Nemreader on as many values."""
    series = max(1, values // (48 * 31))
    with tempfile.TemporaryDirectory() as folder:
        return _run(python, "nem12.py", [folder, str(series), "31"])


def _run(python: Path, script: str, arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(_PEERS / script), *arguments],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        print(f"{script} failed:\n{done.stderr[-2000:]}")
        return {}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _reports(count: int, records: int) -> Iterator[Letter]:
    sent_at = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(count):
        mail = EmailMessage(policy=SMTP)
        mail["From"] = "reports@receiver.example"
        mail["To"] = "dmarc@retailer.example"
        mail["Subject"] = f"Report Domain: retailer.example Report-ID: <{number}>"
        mail["Date"] = sent_at
        mail["Message-ID"] = f"<{number}@receiver.example>"
        mail.set_content("This is an aggregate report.\n")
        mail.add_attachment(
            _report(number, records).encode(),
            maintype="text",
            subtype="xml",
            filename=f"receiver.example!retailer.example!{number}.xml",
        )
        yield Letter(mail.as_bytes(), sent_at)


def _report(number: int, records: int) -> str:
    rows = "".join(
        f"<record><row><source_ip>192.0.2.{index % 250 + 1}</source_ip><count>{index + 1}</count>"
        "<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>"
        "</policy_evaluated></row><identifiers><header_from>retailer.example</header_from>"
        "</identifiers><auth_results><dkim><domain>retailer.example</domain>"
        "<result>pass</result></dkim><spf><domain>retailer.example</domain>"
        "<result>pass</result></spf></auth_results></record>\n"
        for index in range(records)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feedback><version>1.0</version>'
        "<report_metadata><org_name>receiver.example</org_name>"
        f"<email>reports@receiver.example</email><report_id>{number}</report_id>"
        "<date_range><begin>1793491200</begin><end>1793577599</end></date_range>"
        "</report_metadata><policy_published><domain>retailer.example</domain><adkim>r</adkim>"
        "<aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>\n"
        f"{rows}</feedback>\n"
    )
