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
    assert "а\\nб" in file.read_text(encoding="utf-8")
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


def test_an_observer_sees_what_the_level_leaves_out_of_the_log(file):
    seen = []

    def observe(_logger, method, event):
        seen.append((method, event["event"]))
        return event

    set_up("json", "warning", str(file), observe)
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert seen == [("debug", "a"), ("info", "b"), ("warning", "c"), ("error", "d")]
    assert [event["event"] for event in events(file)] == ["c", "d"]


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


@pytest.mark.parametrize(
    ("is_a_terminal", "to_a_file", "is_coloured"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_colours_are_for_a_terminal(is_a_terminal, to_a_file, is_coloured, file, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_a_terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("console", file=str(file) if to_a_file else "")
    structlog.get_logger().info("letter.accepted")
    written = file.read_text(encoding="utf-8") if to_a_file else stream.getvalue()
    assert "letter.accepted" in written
    assert ("\x1b[" in written) == is_coloured


def test_a_second_set_up_replaces_the_first_for_loggers_in_use_too(file, tmp_path):
    log = structlog.get_logger()
    set_up(file=str(file))
    log.info("daemon.started")
    other = tmp_path / "other.log"
    set_up(file=str(other))
    log.info("daemon.stopped")
    assert [event["event"] for event in events(file)] == ["daemon.started"]
    assert [event["event"] for event in events(other)] == ["daemon.stopped"]


def test_a_fault_without_an_error_number_is_said_too(file, capsys):
    set_up(file=str(file))
    [handler] = [one for one in logging.getLogger().handlers if isinstance(one, _PrivateFile)]
    handler.stream.close()
    structlog.get_logger().info("one")
    handler.stream = None
    assert f"ingest: the log, {file}: I/O operation on closed file" in capsys.readouterr().err


def test_half_a_character_does_not_lose_an_event(file, capsys):
    set_up(file=str(file))
    structlog.get_logger().info("letter.accepted", sender="a\ud800b")
    assert events(file)[0]["sender"] == "a\ud800b"
    assert not capsys.readouterr().err


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
