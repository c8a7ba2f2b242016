"""The pages behind their real server: clients that are slow, or gone."""

import asyncio
import os
import signal
import socket
import threading
import urllib.request
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.verbs.main import renewed_pages
from ingest.web import server
from ingest.web.server import GRACE_SECONDS, configured, given, opened, serve
from ingest.wiring.service import Service, service_of
from tests.end_to_end.servers import free_port
from tests.ingest.office import CODE, PASSWORD, xml
from tests.ingest.reading.test_confine import in_child
from tests.ingest.web.serving import served


@pytest.fixture
def port(world):
    with served(world.pages.app) as port:
        yield port


def status_of(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.status


def begun(port: int, head: bytes) -> socket.socket:
    """A request that is not sent to its end."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(head)
    return client


UPLOAD = (
    b"POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n"
    b"Authorization: Basic %b\r\n\r\n%b"
    % (b64encode(f"{CODE}:{PASSWORD}".encode()), xml("0.067").encode())
)
"""A whole document, of which its sender said that it goes on."""


def test_slow_clients_keep_nobody_waiting(port):
    slow = [begun(port, head) for head in (b"GET / HTT", UPLOAD) for _ in range(25)]
    try:
        assert status_of(port) == 200
    finally:
        for client in slow:
            client.close()


def test_an_upload_that_is_cut_off_records_nothing(world):
    # The server's end waits for what it has in hand.
    with served(world.pages.app) as port:
        begun(port, UPLOAD).close()
        assert status_of(port) == 200

    with world.service.ledger.reading() as store:
        assert store.letters.find() == []


@pytest.fixture
def hangs_up():
    """SIGHUP means afterwards what it meant before."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda: os.kill(os.getpid(), signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)


def test_sighup_ends_serving_and_whoever_asks_meanwhile_is_answered_by_the_next(world, hangs_up):
    hung_up = threading.Event()

    def asked(port):
        status = status_of(port)
        hangs_up()
        return status

    with opened("127.0.0.1:0") as listening, ThreadPoolExecutor(1) as thread:
        port = listening.getsockname()[1]
        for _ in range(2):
            answer = thread.submit(asked, port)
            serve(world.pages.app, listening, hung_up, beside=False)
            assert (answer.result(), hung_up.is_set()) == (200, True)
            hung_up.clear()


def test_a_reload_takes_the_new_configuration_and_a_mistake_leaves_the_old_one(run):
    def written(more):
        address = f"127.0.0.1:{free_port()}"
        run.write("ingest.toml", f'[web]\nlisten = "{address}"\n{more}')
        return address

    config = run.folder / "ingest.toml"
    address = written("")
    service, listening = service_of(config), opened(address)
    written("lisen = 1")
    assert renewed_pages(config, service, listening) == (service, listening)
    run.write("ingest.toml", "")
    assert renewed_pages(config, service, listening) == (service, listening)
    another = written('[replies]\norganisation = "АО"')
    renewed, served_at = renewed_pages(config, service, listening)
    with served_at:
        assert renewed.signature.organisation == "АО"
        assert served_at.getsockname() == ("127.0.0.1", int(another.rpartition(":")[2]))
        assert listening.fileno() == -1
    renewed.ledger.close()


@pytest.mark.parametrize("is_given", [True, False])
def test_the_pages_are_served_where_run_listens_or_else_at_their_address(
    run, monkeypatch, is_given
):
    address = f"127.0.0.1:{free_port()}"
    run.write("ingest.toml", f'[web]\nlisten = "{address}"\n')
    listening = opened("127.0.0.1:0")
    told = f"127.0.0.1:{listening.getsockname()[1]}" if is_given else address
    asked, observed = [], []

    def served(_app, at, _hung_up, *, beside):
        host, port = at.getsockname()
        asked.append((f"{host}:{port}", beside))

    monkeypatch.setattr(server, "given", lambda: listening if is_given else None)
    monkeypatch.setattr(server, "serve", served)
    monkeypatch.setattr(Service, "log", lambda _self, *observer: observed.extend(observer))
    assert run("web").code == 0
    assert (asked, len(observed)) == ([(told, is_given)], int(is_given))
    listening.close()


def test_an_answer_waits_for_no_acknowledgement():
    """Nagle's algorithm holds a page's body back until the browser has told of its head."""
    taken: list[int] = []

    class Taken(asyncio.Protocol):
        def connection_made(self, transport):
            client = transport.get_extra_info("socket")
            taken.append(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def connect(listening):
        async with await asyncio.get_running_loop().create_server(Taken, sock=listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            await reader.read()
            writer.close()

    # In a thread of its own: a browser's tests leave an event loop running in this one.
    with opened("127.0.0.1:0") as listening, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(connect(listening))).result()
    assert taken == [1]


def test_the_server_tells_nothing_of_itself_and_trusts_no_header():
    given = configured(lambda *_: None)
    assert (given.proxy_headers, given.server_header, given.date_header) == (False, False, True)
    assert (given.access_log, given.log_config, given.lifespan) == (False, None, "off")
    assert given.timeout_graceful_shutdown == GRACE_SECONDS
    assert given.h11_max_incomplete_event_size == 2**15


@pytest.mark.parametrize(
    ("address", "family"), [("127.0.0.1:0", socket.AF_INET), ("[::1]:0", socket.AF_INET6)]
)
def test_an_address_is_listened_on_again_at_once(address, family):
    with opened(address) as listening:
        assert listening.family == family
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        taken = address.replace(":0", f":{listening.getsockname()[1]}")
        with pytest.raises(OSError, match="in use"):
            opened(taken)


def test_standard_input_is_taken_where_it_is_a_socket_that_listens():
    def given_of(number):
        def asked(_pipe):
            os.dup2(number, 0)
            found = given()
            return None if found is None else found.fileno()

        return in_child(asked)

    with opened("127.0.0.1:0") as listening, socket.socket() as other:
        assert given_of(listening.fileno()) == 0
        assert given_of(other.fileno()) is None
    nowhere = os.open(os.devnull, os.O_RDWR)
    assert given_of(nowhere) is None
    os.close(nowhere)
