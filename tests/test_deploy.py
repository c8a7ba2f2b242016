"""What is in deploy/ and in the image names keys, verbs and files that there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import MailboxSettings, Settings

ROOT = Path(__file__).parent.parent
IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy" / "compose.yml").read_text(encoding="utf-8")


def test_variables_of_image_and_compose_are_keys_of_the_configuration():
    named = re.findall(r"INGEST_([A-Z]+)__(?:0__)?([A-Z_]+)", IMAGE + COMPOSE)
    assert len(named) == 4
    for section, key in named:
        fields = MailboxSettings if section == "MAILBOX" else Settings.known_keys()[section.lower()]
        model = fields if section == "MAILBOX" else type(fields.default)
        assert key.lower() in model.known_keys()


def test_the_image_is_based_on_bytes_that_are_named():
    bases = re.findall(r"^(?:ARG PYTHON=|FROM )(\S+)", IMAGE, re.MULTILINE)
    assert len(bases) == 3
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) or base == "${PYTHON}" for base in bases)


def test_a_mail_server_s_outage_does_not_make_the_image_unhealthy():
    [check] = re.findall(r"CMD (\[.*urlopen.*\])", IMAGE)
    assert "/metrics" in check
    assert "healthz" not in check


UNIT = (ROOT / "deploy" / "ingest.service").read_text(encoding="utf-8")
PART = (ROOT / "deploy" / "ingest@.service").read_text(encoding="utf-8")


def confinement(unit):
    """What a unit may not do, from its memory on."""
    return unit[unit.index("LimitCORE=") : unit.index("[Install]")]


def test_a_part_of_the_service_is_confined_as_the_whole_is():
    assert confinement(PART) == confinement(UNIT)


def test_parts_with_a_folder_of_their_own_are_verbs_and_its_variables_are_keys():
    from ingest.verbs.main import cli

    folders = sorted((ROOT / "deploy").glob("ingest@*.service.d"))
    parts = [re.fullmatch(r"ingest@(\w+)\.service\.d", folder.name)[1] for folder in folders]
    assert parts == ["fetch", "send", "web"]
    assert {*parts, "work"} <= cli.commands.keys()
    told = "".join((folder / "part.conf").read_text(encoding="utf-8") for folder in folders)
    assert re.findall(r"INGEST_\w+", told) == [
        "INGEST_MAILBOX__0__PASSWORD_FILE", "INGEST_SMTP__PASSWORD_FILE",
    ]  # fmt: skip
    assert "password_file" in MailboxSettings.known_keys()
    assert "password_file" in type(Settings.known_keys()["smtp"].default).known_keys()


def test_every_secret_of_the_compose_file_is_a_file_of_its_own():
    used = set(re.findall(r"/run/secrets/(\w+)", COMPOSE))
    given = set(re.findall(r"^  (\w+): {file: /etc/ingest/[\w-]+\.secret}", COMPOSE, re.MULTILINE))
    assert used == given


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_documented_completions_are_made(shell):
    told = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert f"_INGEST_COMPLETE={shell}_source ingest" in told


def test_a_shell_is_told_the_verbs():
    asked = {"COMP_WORDS": "ingest pur", "COMP_CWORD": "1", "_INGEST_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", "from ingest.verbs.main import main; main()"],
        env=os.environ | asked, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["plain,purge"]
