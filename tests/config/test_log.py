"""The log: one JSON object an event, also those of libraries."""

import io
import json
import logging
import stat
import sys

import pytest
import structlog

from config.log import _PrivateFile, set_up


@pytest.fixture(autouse=True)
def _restored():
    """Logging as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ingest.log"


def events(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_an_event_is_one_json_line_with_level_and_moment(file):
    set_up("json", "info", str(file))
    structlog.get_logger().info("letter.accepted", letter=17, entity="000000004711", text="а\nб")
    [event] = events(file)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "letter.accepted",
        "level": "info",
        "letter": 17,
        "entity": "000000004711",
        "text": "а\nб",
    }


def test_a_new_file_is_for_its_owner_only_and_one_that_is_there_keeps_its_mode(file):
    set_up("json", "info", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    set_up("json", "info", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_librarys_sentence_is_an_event_of_one_name(file):
    set_up("json", "info", str(file))
    logging.getLogger("somebody").warning("%s went wrong", "it")
    [event] = events(file)
    assert (event["event"], event["library"], event["text"]) == (
        "library.message",
        "somebody",
        "it went wrong",
    )


def test_a_traceback_stays_on_its_events_line(file):
    set_up("json", "info", str(file))
    try:
        {}["x"]
    except KeyError:
        structlog.get_logger().exception("pass.failed")
    [event] = events(file)
    assert "KeyError" in event["exception"]


def test_the_level_leaves_out_what_weighs_less(file):
    set_up("json", "warning", str(file))
    structlog.get_logger().info("mailbox.progress")
    structlog.get_logger().warning("mailbox.held")
    logging.getLogger("apscheduler.scheduler").info("ran a job")
    assert [event["event"] for event in events(file)] == ["mailbox.held"]


def test_without_a_file_events_go_to_standard_error(capsys):
    set_up()
    structlog.get_logger().info("daemon.started")
    told = capsys.readouterr()
    assert told.out == ""
    assert json.loads(told.err)["event"] == "daemon.started"


def test_the_console_form_is_a_readable_line(capsys):
    set_up("console")
    structlog.get_logger().info("letter.accepted", letter=17)
    assert "letter.accepted" in capsys.readouterr().err


def test_a_second_set_up_replaces_the_first(file, tmp_path):
    set_up(file=str(file))
    other = tmp_path / "other.log"
    set_up(file=str(other))
    structlog.get_logger().info("daemon.started")
    assert not events(file)
    assert len(events(other)) == 1


def test_a_file_that_could_not_be_opened_for_a_moment_is_opened_later(
    file, tmp_path, monkeypatch, capsys
):
    set_up(file=str(file))
    log = structlog.get_logger()
    log.info("one")
    file.rename(tmp_path / "old.log")
    with monkeypatch.context() as broken:

        def fail(self):
            raise OSError(24, "too many open files")

        broken.setattr(_PrivateFile, "_open", fail)
        log.info("two")
    log.info("three")
    assert [event["event"] for event in events(file)] == ["three"]
    told = capsys.readouterr().err
    assert f"ingest: the log, {file}: too many open files" in told
    assert told.count("\n") == 1


def test_a_full_disk_is_said_once_and_no_traceback_whoever_logs(capsys):
    set_up(file="/dev/full")
    for _ in range(3):
        structlog.get_logger().info("one")
        logging.getLogger("somebody").warning("two")
    set_up()
    told = capsys.readouterr().err
    assert told.startswith("ingest: the log, /dev/full: No space left on device")
    assert told.count("\n") == 1


def test_a_file_moved_away_by_logrotate_is_opened_anew(file, tmp_path):
    set_up(file=str(file))
    log = structlog.get_logger()
    log.info("daemon.started")
    file.rename(tmp_path / "ingest.log.1")
    log.info("daemon.stopped")
    assert [event["event"] for event in events(file)] == ["daemon.stopped"]
    assert [event["event"] for event in events(tmp_path / "ingest.log.1")] == ["daemon.started"]


def test_a_file_that_cannot_be_opened_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        set_up(file=str(tmp_path / "absent" / "ingest.log"))


def test_a_standard_error_that_was_replaced_and_closed_is_left(monkeypatch):
    before, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", before)
    set_up()
    monkeypatch.setattr(sys, "stderr", now)
    before.close()
    structlog.get_logger().info("service.started")
    logging.getLogger("x").warning("from a library")
    assert [json.loads(line)["event"] for line in now.getvalue().splitlines()] == [
        "service.started",
        "library.message",
    ]
