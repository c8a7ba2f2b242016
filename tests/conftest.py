"""Tiers of tests, and what the end of a run says about those that were left out.

`--quick` runs the tests in `QUICK` but those in `SLOW`; one that opens a socket, starts a
process or sleeps fails there. Without it everything runs that this machine can run: nothing is
skipped or deselected.
"""

import gc
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ingest.intake import passwords

# No test asserts a time; by default Hypothesis does, of each example.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

HERE = Path(__file__).parent
QUICK = ("config", "ingest/intake", "ingest/letters", "ingest/replies", "layouts", "parsers",
         "test_architecture.py", "test_events.py")  # fmt: skip
SLOW = (
    # Letters over a database, each with its password.
    "ingest/intake/test_secrets.py", "ingest/intake/test_odd_secrets.py",
    "ingest/intake/test_injection.py",
    "ingest/intake/test_loops.py", "ingest/intake/test_receive.py",
    "ingest/intake/test_authenticate.py", "ingest/intake/test_guessing.py",
    "ingest/intake/test_bounces.py", "ingest/intake/test_truth.py",
    "ingest/intake/test_foreseen.py",
    # Many generated inputs, or one that is large on purpose.
    "ingest/replies/test_books.py",
    "ingest/replies/test_marked.py",
    "ingest/letters/test_letter.py::test_a_hostile_letter", "::test_whatever_",
    "ingest/letters/test_unread.py", "ingest/letters/test_unpack.py::test_a_bomb",
    "ingest/letters/test_unpack.py::test_the_files_of_all", "63-zip-bomb",
    "ingest/replies/test_replies.py::test_fifty_documents",
    "::test_a_mail_to_a_stranger_is_text_under", "::test_what_costs_openpyxl_much",
    "::test_all_mistakes_of_a_row_are", "::test_of_a_text_as_much_is_looked_at",
    "::test_a_body_may_end_in_the_middle", "config/test_own_words.py",
    "::test_a_damaged_", "ingest/replies/test_blank.py", "parsers/test_workbook_bounds.py",
    "parsers/test_cost.py", "ingest/letters/test_cost.py",
    "ingest/intake/test_strength.py::test_nothing_under", "parsers/test_sheets_property.py",
    "parsers/test_grid.py::test_each_cell",
    "ingest/replies/test_clerk.py::test_there_is_one_re",
    "ingest/letters/test_letter.py::test_malformed_html",
    "ingest/letters/test_letter_samples.py",
    "::test_parts_that_unpack_too_large", "::test_a_cut_off_workbook",
    "layouts/rules/test_year.py", "layouts/rules/test_two_years.py",
    "layouts/rules/test_versions.py::test_in_any_order", "layouts/rules/test_gaps.py",
    "layouts/rules/test_any_document.py", "layouts/rules/test_codes_through_process.py",
    # Imports the service in a process of its own.
    "test_architecture.py::test_the_queue_s_library",
)  # fmt: skip
"""Files, and parts of the names of tests, that take a second or more."""


def pytest_addoption(parser) -> None:
    parser.addoption("--quick", action="store_true", help="no socket, process or sleep; under 30 s")


def pytest_ignore_collect(collection_path, config):
    if not config.getoption("--quick") or collection_path == HERE:
        return None
    at = collection_path.relative_to(HERE).as_posix()
    is_wanted = any(f"{at}/".startswith(f"{q}/") or f"{q}/".startswith(f"{at}/") for q in QUICK)
    return None if is_wanted and at not in SLOW else True


PROFILE = (passwords._TIMES, passwords._KIB)
"""What a hash of a password costs in the program: 16 ms and 19 MB. Tests make thousands."""

SYNCHRONOUS: list[str] = []
"""When the program's SQLite calls something written. Tests may lose theirs in a power cut."""


def pytest_configure() -> None:
    passwords._TIMES, passwords._KIB = 1, 8
    gc.disable()


def pytest_collection_finish() -> None:
    # Imported for this alone, it would cost runs of a few tests half a second.
    if ledger := sys.modules.get("storage.ledger"):
        SYNCHRONOUS.append(ledger._SYNCHRONOUS)
        ledger._SYNCHRONOUS = "OFF"
    # Thousands of tests and their modules stay to the end: no collection need look at them.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.fixture
def owasp_profile(monkeypatch):
    """Hashes of passwords cost what they do in the program."""
    monkeypatch.setattr(passwords, "_TIMES", PROFILE[0])
    monkeypatch.setattr(passwords, "_KIB", PROFILE[1])


@pytest.fixture
def outlasting_power_cuts(monkeypatch):
    """Databases are written as in the program."""
    monkeypatch.setattr("storage.ledger._SYNCHRONOUS", SYNCHRONOUS[0])


FIRST = (
    "end_to_end/test_kill.py",
    "end_to_end/test_dovecot_cluster.py",
    "end_to_end/test_signals.py",
    "browser/test_account.py",
    "browser/test_console.py",
    "ingest/verbs/test_cli.py",
    "layouts/rules/test_year.py",
    "layouts/rules/test_codes_through_process.py",
    "contract/test_acts.py",
    "contract/test_versions.py",
    "end_to_end/test_mailbox.py",
    "end_to_end/test_odd_servers.py",
    "contract/test_seals.py",
    "hostile/test_confined.py",
    "parsers/test_sheets_property.py",
    "test_package.py",
)
"""The longest files, those that wait most before the others, in the order of their beginning.

Begun last, they would be waited for by workers with nothing left to do.
"""


def pytest_collection_modifyitems(config, items) -> None:
    if config.getoption("--quick"):
        items[:] = [item for item in items if not is_one_of(SLOW, item)]
        return
    items.sort(key=place)
    if os.environ.get("NOTHING_LEFT_OUT") and (missing := left_out()):
        raise pytest.UsageError("would be left out: " + "; ".join(missing))


def is_one_of(parts: tuple[str, ...], item: pytest.Item) -> bool:
    # Each look at its name makes it anew, which thousands of tests would pay.
    name = item.nodeid
    return any(part in name for part in parts)


def place(item: pytest.Item) -> int:
    """Where in `FIRST` a test's file stands; the others keep their order behind it."""
    name = item.nodeid
    return next((at for at, file in enumerate(FIRST) if file in name), len(FIRST))


def left_out() -> list[str]:
    """What this machine cannot run, each with the package that would allow it."""
    from tests.end_to_end.servers import DOVECOT

    packages = {
        "tests on Dovecot (tests/end_to_end)": ("dovecot-imapd, 2.3", DOVECOT),
        "tests of alarms (deploy/prometheus-rules.yml)": (
            "prometheus, for promtool",
            shutil.which("promtool"),
        ),
        "tests of pages (tests/browser)": (
            "chromium",
            not (HERE / "browser").is_dir() or shutil.which("chromium"),
        ),
    }
    return [
        f"{what}: {package} allows them" for what, (package, has) in packages.items() if not has
    ]


def pytest_terminal_summary(terminalreporter, config) -> None:
    if not config.getoption("--quick") and (missing := left_out()):
        terminalreporter.write_sep("-", "left out")
        for line in missing:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _by_itself(request, monkeypatch):
    """In the quick tier a test that reaches outside of its process, or waits, fails."""
    if not request.config.getoption("--quick"):
        return

    def refuse(*_args, **_options):
        raise AssertionError("a quick test uses no socket, process or sleep: see SLOW in conftest")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "fork", refuse)
    monkeypatch.setattr(time, "sleep", refuse)


@pytest.fixture(autouse=True)
def _ledgers_are_closed(monkeypatch):
    """Each test closes the databases that it opened: Python 3.13 tells of those left over."""
    made: list[Any] = []
    # A test that loads no database has none to close.
    if module := sys.modules.get("storage.ledger"):
        init = module.Ledger.__init__

        def noted(self, *arguments, **named):
            init(self, *arguments, **named)
            made.append(self)

        monkeypatch.setattr(module.Ledger, "__init__", noted)
    yield
    for ledger in made:
        ledger.close()


@pytest.fixture(scope="session")
def fork_servers():
    """What readers get their children from, of each configuration one for all tests.

    To start one takes half a second, and so do forks of the process of all tests. A retailer's
    own definitions and texts, which a test may change, are loaded by one of the test's own.
    """
    from ingest.reading.children import Forks, ForkServer

    class Kept(ForkServer):
        def close(self):
            """It goes on when its reader ends."""

    kept = {}

    def source_of(config, layouts=None):
        if config.layouts_path or config.texts_path:
            return ForkServer(config) if layouts is None else Forks(config, layouts)
        return kept.setdefault(config, Kept(config))

    yield source_of
    for server in kept.values():
        ForkServer.close(server)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A migrated database file that each test gets a copy of."""
    from storage.ledger import Ledger

    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    ledger.close()
    return path
