"""Figures for monitoring, read over HTTP as a monitor would."""

import re
import socket
import threading
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest.operations.status import Status
from ingest.web.monitor import Figures, Metrics
from storage.records.running import ServerState, StoreStatus
from tests.end_to_end.servers import free_port

STATE = Status(
    known=StoreStatus(
        verdicts_today={},
        queue=3,
        quarantined=1,
        owed=2,
        undeliverable=0,
        oldest_unanswered=None,
        passes={},
    ),
    stale=(),
    servers=(),
    faults=(),
    mailboxes={"main": datetime(2026, 11, 22, 9, tzinfo=UTC), "new": None},
    endings=(),
    needs=(),
)


@contextmanager
def served(metrics, address):
    with closing(Figures(metrics)) as figures:
        figures.listen(address)
        yield figures


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def away() -> dict[str, object]:
    raise ConnectionError("the database does not answer")


def test_events_of_the_log_are_counted_by_name():
    metrics = Metrics(lambda: STATE)
    event = {"event": "letter.accepted", "values": 48, "duration_ms": 20}
    assert metrics(None, "info", event) is event
    metrics(None, "info", {"event": "reply.sent"})
    with served(metrics, "127.0.0.1:0") as pages:
        status, page = get(pages.port, "/metrics")
    assert status == 200
    assert 'ingest_events_total{event="letter.accepted"} 1.0' in page
    assert 'ingest_events_total{event="reply.sent"} 1.0' in page
    assert "ingest_values_total 48.0" in page
    assert 'ingest_letter_seconds_bucket{le="0.03"} 1.0' in page


def test_the_databases_figures_are_gauges():
    with served(Metrics(lambda: STATE), "127.0.0.1:0") as pages:
        page = get(pages.port, "/metrics")[1]
    assert "ingest_queue 3.0" in page
    assert "ingest_quarantined 1.0" in page
    assert 'ingest_last_pass_timestamp_seconds{mailbox="main"} 1.795338e+09' in page
    assert 'mailbox="new"' not in page


def test_each_server_has_a_gauge_of_its_own_fault():
    since = datetime(2026, 11, 22, 9, tzinfo=UTC)
    servers = (
        ServerState("mailbox main", since, since, "refused us", "check the password", None),
        ServerState("outbox", None, since, "was away", "", since),
    )
    with served(Metrics(lambda: replace(STATE, servers=servers)), "127.0.0.1:0") as pages:
        page = get(pages.port, "/metrics")[1]
    assert 'ingest_server_failing{server="mailbox main"} 1.0' in page
    assert 'ingest_server_failing{server="outbox"} 0.0' in page
    since_when = 'ingest_server_failing_since_timestamp_seconds{server="mailbox main"} 1.795338e+09'
    assert since_when in page


def test_metrics_are_served_while_the_database_is_away():
    with served(Metrics(away), "127.0.0.1:0") as pages:
        status, page = get(pages.port, "/metrics")
    assert status == 200
    assert "\ningest_queue " not in page


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (lambda: STATE, (200, "ok\n")),
        (lambda: replace(STATE, faults=("mailbox main fails",)), (503, "mailbox main fails\n")),
        (away, (503, "the database does not answer\n")),
    ],
)
def test_health_is_bad_while_a_mailbox_or_the_database_is(state, expected):
    with served(Metrics(state), "127.0.0.1:0") as pages:
        assert get(pages.port, "/healthz") == expected


def test_any_other_path_is_not_found():
    with served(Metrics(lambda: STATE), "127.0.0.1:0") as pages:
        assert get(pages.port, "/")[0] == 404


def test_nothing_is_served_without_an_address():
    with served(Metrics(lambda: STATE), "") as pages:
        assert pages.port == 0


def test_health_is_told_while_a_slow_client_holds_a_connection():
    with (
        served(Metrics(lambda: STATE), "127.0.0.1:0") as pages,
        socket.create_connection(("127.0.0.1", pages.port)) as slow,
    ):
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert get(pages.port, "/healthz") == (200, "ok\n")


def test_another_address_is_taken_over_and_one_that_cannot_be_leaves_the_old_one():
    with served(Metrics(lambda: STATE), "127.0.0.1:0") as pages:
        before = pages.port
        pages.listen(f"127.0.0.1:{free_port()}")
        assert pages.port != before
        assert get(pages.port, "/healthz")[0] == 200
        with pytest.raises(OSError, match="refused"):
            get(before, "/healthz")
        taken, kept = socket.create_server(("127.0.0.1", 0)), pages.port
        with taken, pytest.raises(OSError, match="in use"):
            pages.listen(f"127.0.0.1:{taken.getsockname()[1]}")
        assert (pages.port, get(kept, "/healthz")[0]) == (kept, 200)


def page_of(state):
    """What `/metrics` tells, asked without a socket."""
    return asked(Metrics(lambda: state), "/metrics")[1]


def asked(metrics, path):
    told = []
    body = metrics.application(
        {"PATH_INFO": path, "REQUEST_METHOD": "GET"}, lambda *a: told.append(a)
    )
    return told[0][0], b"".join(body).decode()


def test_every_figure_is_a_gauge_of_its_own():
    figures = {name: number for number, name in enumerate(
        ("queue", "quarantined", "owed", "undeliverable", "bounced", "asking", "waiting"), 11
    )}  # fmt: skip
    page = page_of(replace(STATE, known=replace(STATE.known, **figures), faults=("a", "b")))
    for name, number in figures.items():
        assert f"\ningest_{name} {number}.0\n" in page
    assert "\ningest_faults 2.0\n" in page


def test_the_age_of_the_oldest_letter_without_an_answer_is_told():
    def age(state):
        return float(page_of(state).split("\ningest_oldest_unanswered_seconds ")[1].split()[0])

    assert age(STATE) == 0
    since = datetime.now(UTC) - timedelta(hours=2)
    assert 7200 <= age(replace(STATE, known=replace(STATE.known, oldest_unanswered=since))) < 7500


def test_what_ends_is_told_by_account():
    at = datetime(2026, 12, 1, tzinfo=UTC)
    page = page_of(
        replace(STATE, endings=(SimpleNamespace(account="office", what="secret", at=at),))
    )
    line = 'ingest_oauth_ends_timestamp_seconds{account="office",what="secret"} '
    assert float(page.split(line)[1].split()[0]) == at.timestamp()


def test_letters_are_counted_in_these_times_and_by_values():
    metrics = Metrics(lambda: STATE)
    metrics(None, "info", {"event": "letter.refused"})
    metrics(None, "info", {"event": "other.event", "values": 7, "duration_ms": 1})
    metrics(None, "info", {"event": "letter.accepted", "values": 0, "duration_ms": 10})
    metrics(None, "info", {"event": "letter.accepted", "values": 5, "duration_ms": 60_001})
    page = asked(metrics, "/metrics")[1]
    bounds = re.findall(r'ingest_letter_seconds_bucket\{le="([^"]+)"\} (\S+)', page)
    assert [bound for bound, _ in bounds] == [
        "0.01", "0.03", "0.1", "0.3", "1.0", "3.0", "10.0", "30.0", "60.0", "+Inf"
    ]  # fmt: skip
    assert [float(count) for _, count in bounds] == [1] * 9 + [2]
    assert "\ningest_values_total 5.0\n" in page


def test_an_alarming_event_has_a_series_before_it_happens():
    page = page_of(STATE)
    zeros = re.findall(r'ingest_events_total\{event="([^"]+)"\} 0\.0', page)
    assert "letter.quarantined" in zeros


@pytest.mark.parametrize(("path", "status"), [("/metrics", 200), ("/healthz", 200), ("/x", 404)])
def test_a_page_is_told_by_its_status(path, status):
    assert asked(Metrics(lambda: STATE), path)[0].startswith(f"{status} ")


def test_figures_go_on_where_they_are_when_the_address_is_the_same(monkeypatch):
    with served(Metrics(lambda: STATE), "127.0.0.1:0") as pages:
        server = pages._server
        pages.listen("127.0.0.1:0")
        assert pages._server is server
        # None of them keeps the program from ending.
        assert server.daemon_threads
        assert [one.daemon for one in threading.enumerate() if one.name == "metrics"] == [True]
        pages.close()
        assert (pages.port, pages.address) == (0, "")
        pages.close()


def test_an_address_of_ipv6_is_written_in_brackets():
    with served(Metrics(lambda: STATE), "[::1]:0") as pages:
        assert pages.port > 0
