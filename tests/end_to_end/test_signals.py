"""What operators tell the running service."""

from __future__ import annotations

import signal
import threading

import pytest

from ingest.demo.servers import SmtpServer
from tests.end_to_end.installation import SAMPLES, Installation

LETTER = (SAMPLES / "letters" / "01-52006-xml.eml").read_bytes()
OTHER = (SAMPLES / "letters" / "00-52005-xml.eml").read_bytes()


@pytest.fixture
def installation(tmp_path, pymap_server, smtp_server):
    url = f"sqlite:///{tmp_path}/ingest.db"
    made = Installation(tmp_path, url, pymap_server, smtp_server.port)
    yield made
    made.ledger.close()


def logged(installation, event):
    return installation.log.exists() and event in installation.log.read_text(encoding="utf-8")


@pytest.mark.timeout(120)
def test_hang_up_reads_the_configuration_again(installation, pymap_server):
    with installation.running() as process:
        pymap_server.append(LETTER)
        installation.wait_until(lambda: pymap_server.count("Processed") == 1)
        text = installation.config.read_text(encoding="utf-8")
        changed = text.replace('name = "main"\n', 'name = "main"\nprocessed = "Принятые"\n')
        installation.config.write_text(changed, encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        installation.wait_until(lambda: logged(installation, "service.reloaded"))
        pymap_server.append(OTHER)
        installation.wait_until(lambda: pymap_server.count("Принятые") == 1)
    assert process.returncode == 0


@pytest.mark.timeout(120)
def test_a_mistake_in_the_new_configuration_leaves_the_old_one_in_force(installation, pymap_server):
    with installation.running() as process:
        installation.wait_until(lambda: logged(installation, "service.started"))
        with installation.config.open("a", encoding="utf-8") as file:
            file.write("\n[pool]\nsize = 3\n")
        process.send_signal(signal.SIGHUP)
        installation.wait_until(lambda: logged(installation, "service.reload_refused"))
        pymap_server.append(LETTER)
        installation.wait_until(lambda: pymap_server.count("Processed") == 1)
    assert process.returncode == 0


@pytest.mark.timeout(120)
def test_the_first_signal_waits_for_the_outbox_and_the_second_does_not(tmp_path, pymap_server):
    came, go_on = threading.Event(), threading.Event()

    def deliver(_recipient, _content):
        came.set()
        go_on.wait(60)

    with SmtpServer(deliver) as smtp:
        url = f"sqlite:///{tmp_path}/ingest.db"
        installation = Installation(tmp_path, url, pymap_server, smtp.port)
        process = installation.start()
        pymap_server.append(LETTER)
        assert came.wait(60)
        process.send_signal(signal.SIGTERM)
        installation.wait_until(lambda: logged(installation, "service.stopping"))
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        go_on.set()
        installation.ledger.close()
