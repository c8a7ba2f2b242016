"""What operators tell the running service."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import threading
import urllib.error
import urllib.request

import pytest

from ingest.demo.servers import SmtpServer
from storage.records.running import CONFIGURATION
from tests.end_to_end.installation import SAMPLES, Installation
from tests.end_to_end.servers import free_port

LETTER = (SAMPLES / "letters" / "01-52006-xml.eml").read_bytes()
OTHER = (SAMPLES / "letters" / "00-52005-xml.eml").read_bytes()


@pytest.fixture
def installation(tmp_path, pymap_server, smtp_server, loaded):
    url = f"sqlite:///{tmp_path}/ingest.db"
    made = Installation(tmp_path, url, pymap_server, smtp_server.port, loaded=loaded)
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
        good = installation.config.read_text(encoding="utf-8")
        installation.config.write_text(f"{good}\n[pool]\nsize = 3\n", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        installation.wait_until(lambda: "pool: there is no such key" in refusal(installation))
        pymap_server.append(LETTER)
        installation.wait_until(lambda: pymap_server.count("Processed") == 1)
        installation.config.write_text(good, encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        installation.wait_until(lambda: not refusal(installation))
    assert process.returncode == 0


def refusal(installation):
    """Why the last new configuration was refused; '' once one is in force."""
    servers = installation.status().servers
    return next((s.error for s in servers if s.name == CONFIGURATION and s.failing_since), "")


@pytest.mark.timeout(120)
def test_the_first_signal_waits_for_the_outbox_and_the_second_does_not(
    tmp_path, pymap_server, loaded
):
    came, go_on = threading.Event(), threading.Event()

    def deliver(_recipient, _content):
        came.set()
        go_on.wait(60)

    with SmtpServer(deliver) as smtp:
        url = f"sqlite:///{tmp_path}/ingest.db"
        installation = Installation(tmp_path, url, pymap_server, smtp.port, loaded=loaded)
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


def page(port, path):
    """Status and text of a page of the daemon's; None while nothing is served there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()
    except OSError:
        return None


@pytest.fixture
def monitored(installation):
    """An installation with figures served, and the port they are at."""
    installation.port = free_port()
    with installation.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[metrics]\nlisten = "127.0.0.1:{installation.port}"\n')
    return installation


def healthy(installation):
    return page(installation.port, "/healthz") == (200, "ok\n")


def changed(installation, old, new):
    text = installation.config.read_text(encoding="utf-8")
    assert old in text
    installation.config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.timeout(120)
def test_a_scrape_counts_events_and_values_of_the_running_daemon(monitored, pymap_server):
    with monitored.running():
        pymap_server.append(LETTER)
        monitored.wait_until(lambda: pymap_server.count("Processed") == 1)
        _, told = page(monitored.port, "/metrics")
    assert 'ingest_events_total{event="letter.accepted"} 1.0' in told
    assert "ingest_letter_seconds_count 1.0" in told
    values = next(line for line in told.splitlines() if line.startswith("ingest_values_total "))
    assert float(values.split()[1]) > 0


@pytest.mark.timeout(240)
def test_refused_reloads_keep_the_old_service_and_green_health(monitored, pymap_server, tmp_path):
    (tmp_path / "other.db").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken, monitored.running() as process:
        monitored.wait_until(lambda: healthy(monitored))
        good = monitored.config.read_text(encoding="utf-8")
        port = f"127.0.0.1:{monitored.port}"
        faults = (
            ("[poll]", "[poll]\nunknown = 1"),
            (str(monitored.log), f"{tmp_path}/absent/ingest.log"),
            (monitored.url, f"sqlite:///{tmp_path}/other.db"),
            (port, f"127.0.0.1:{taken.getsockname()[1]}"),
        )
        for number, (old, new) in enumerate(faults, 1):
            monitored.config.write_text(good, encoding="utf-8")
            changed(monitored, old, new)
            process.send_signal(signal.SIGHUP)
            monitored.wait_until(lambda: refused(monitored) == number)  # noqa: B023
            assert healthy(monitored)
        pymap_server.append(LETTER)
        monitored.wait_until(lambda: pymap_server.count("Processed") == 1)
        assert 'event="letter.accepted"} 1.0' in page(monitored.port, "/metrics")[1]
    assert process.returncode == 0


def refused(installation):
    """How many new configurations the daemon refused."""
    told = installation.log.read_text(encoding="utf-8") if installation.log.exists() else ""
    return told.count("service.reload_refused")


@pytest.mark.timeout(120)
def test_health_is_answered_while_slow_clients_hold_connections(monitored):
    with monitored.running(), contextlib.ExitStack() as slow:
        monitored.wait_until(lambda: healthy(monitored))
        for _ in range(5):
            client = slow.enter_context(socket.create_connection(("127.0.0.1", monitored.port)))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        assert healthy(monitored)


@pytest.mark.timeout(120)
def test_a_changed_address_of_the_figures_is_taken_over(monitored):
    before, after = monitored.port, free_port()
    with monitored.running() as process:
        monitored.wait_until(lambda: healthy(monitored))
        changed(monitored, f"127.0.0.1:{before}", f"127.0.0.1:{after}")
        process.send_signal(signal.SIGHUP)
        monitored.port = after
        monitored.wait_until(lambda: healthy(monitored))
        assert page(before, "/healthz") is None


PAGES_SECONDS = 240.0
"""Pages give way to all else: beside busy workers their process takes minutes to begin."""


@pytest.mark.timeout(3 * PAGES_SECONDS)
def test_pages_follow_the_configuration_and_end_with_the_service(installation):
    port = free_port()
    with installation.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[web]\nlisten = "127.0.0.1:{port}"\n[replies]\norganisation = "A-sbyt"\n')

    def tells(organisation):
        return organisation in (page(port, "/") or "  ")[1]

    with installation.running() as process:
        installation.wait_until(lambda: tells("A-sbyt"), PAGES_SECONDS)
        changed(installation, "A-sbyt", "B-sbyt")
        process.send_signal(signal.SIGHUP)
        installation.wait_until(lambda: tells("B-sbyt"), PAGES_SECONDS)
        process.kill()
        process.wait(timeout=10)
        installation.process = None
        installation.wait_until(lambda: is_refused(port))


def is_refused(port):
    """Whether nobody listens there; a page that is slow is there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
