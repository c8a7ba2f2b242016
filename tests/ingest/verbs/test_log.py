"""The log for people: filtered, readable, and followed when it is rotated."""

import gzip
import json
import os
from datetime import UTC, datetime

import pytest

from ingest.verbs.log import Filter, follow, history, lines, piped, readable

ACCEPTED = {
    "event": "letter.accepted",
    "level": "info",
    "timestamp": "2026-11-10T09:00:00.000000Z",
    "letter": 17,
    "entity": "000000004711",
    "verdict": "accepted",
    "layouts": ["52005"],
    "values": 331,
    "reply": None,
}
REJECTED = ACCEPTED | {"event": "letter.rejected", "letter": 18, "verdict": "rejected"}
FOREIGN = ACCEPTED | {"entity": "200000001234", "letter": 19}
PASS = {"event": "mailbox.progress", "level": "info", "mailbox": "main", "done": 50, "of": 100}


def told(wanted, *events):
    return [event for event, _ in lines((json.dumps(e) for e in events), wanted)]


def test_everything_passes_without_a_filter():
    assert told(Filter(), ACCEPTED, PASS) == [ACCEPTED, PASS]


def test_an_entitys_events_pass():
    assert told(Filter(entity="000000004711"), ACCEPTED, FOREIGN, PASS) == [ACCEPTED]


def test_letters_with_a_verdict_pass():
    assert told(Filter(verdict="rejected"), ACCEPTED, REJECTED, PASS) == [REJECTED]


def test_both_filters_hold_together():
    wanted = Filter(entity="200000001234", verdict="rejected")
    assert told(wanted, ACCEPTED, REJECTED, FOREIGN) == []


def test_an_event_is_one_readable_line():
    line = readable(ACCEPTED)
    assert "letter.accepted" in line
    assert "letter=17 entity=000000004711" in line
    assert 'layouts=["52005"]' in line
    assert "reply" not in line
    assert "timestamp" not in line
    assert "\n" not in line


def test_values_with_blanks_are_quoted_and_signs_that_steer_a_terminal_are_harmless():
    line = readable({"event": "x", "name": "a b", "text": "one\ntwo\x1b[31m"})
    assert 'name="a b"' in line
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_traceback_follows_its_event():
    line = readable({"event": "pass.failed", "exception": "Traceback\n  KeyError"})
    assert line.endswith("\nTraceback\n  KeyError")


def test_an_event_of_odd_types_is_no_fault_of_ours():
    assert "None" in readable({"event": None, "level": None, "timestamp": 5})
    assert readable({"event": ["a"], "level": 3})


def test_what_is_no_event_passes_as_it_is_unless_something_is_filtered():
    source = ["Traceback (most recent call last):\n", "\n", "[1, 2]\n", '{"a": 1}\n']
    assert [line for _, line in lines(source, Filter())] == [
        "Traceback (most recent call last):",
        "[1, 2]",
        '{"a": 1}',
    ]
    assert not list(lines(source, Filter(verdict="rejected")))


def write(path, text):
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "ingest.log"
    path.write_text("one\n", encoding="utf-8")
    return path


@pytest.fixture
def followed(log, monkeypatch):
    """The lines that come; each pause does the next of the things to happen."""
    happens = []

    def pause(_seconds):
        if not happens:
            raise EndOfTestError
        happens.pop(0)()

    monkeypatch.setattr("ingest.verbs.log.time.sleep", pause)

    def after(*things):
        happens.extend(things)
        found = []
        with pytest.raises(EndOfTestError):
            found.extend(iter_into(found, follow(log)))
        return found

    return after


class EndOfTestError(Exception):
    """Nothing more happens."""


def iter_into(found, source):
    for line in source:
        found.append(line)
    return []


def test_what_is_written_later_is_told(followed, log):
    assert followed(lambda: write(log, "two\n")) == ["one\n", "two\n"]


def test_a_line_is_told_once_it_is_whole(followed, log):
    things = [lambda: write(log, "tw"), lambda: write(log, "o\n")]
    assert followed(*things) == ["one\n", "two\n"]


def test_a_log_that_was_moved_away_is_followed_in_its_new_file(followed, log):
    def rotate():
        write(log, "two\n")
        log.rename(log.with_suffix(".1"))

    assert followed(rotate, lambda: write(log, "three\n")) == ["one\n", "two\n", "three\n"]


def test_a_log_that_was_cut_off_is_followed_from_its_start(followed, log):
    def cut():
        log.write_text("2\n", encoding="utf-8")

    assert followed(cut) == ["one\n", "2\n"]


def test_the_last_line_of_a_log_is_told_though_it_was_never_ended(followed, log):
    def rotate():
        write(log, "cut o")
        log.rename(log.with_suffix(".1"))

    assert followed(rotate, lambda: write(log, "new\n")) == ["one\n", "cut o", "new\n"]


def test_following_needs_the_file_to_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(follow(tmp_path / "absent.log"))


def logged(path, *letters, day=10, packed=False):
    text = "".join(
        json.dumps(ACCEPTED | {"letter": n, "timestamp": f"2026-11-{day:02}T09:00:{n % 60:02}Z"})
        + "\n"
        for n in letters
    )
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    moment = datetime(2026, 11, day, 10, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))


@pytest.fixture
def rotated(tmp_path):
    """A log with two files that were rotated away, and others that are not its own."""
    path = tmp_path / "ingest.log"
    logged(tmp_path / "ingest.log.2.gz", 1, 2, day=8, packed=True)
    logged(tmp_path / "ingest.log-20261109", 3, 4, day=9)
    logged(path, 5, 6, day=10)
    logged(tmp_path / "ingest.logbook", 7, day=10)
    logged(tmp_path / "ingest.log.bak", 8, day=10)
    return path


def letters_of(path, most=None, **wanted):
    return [event["letter"] for event, _ in history(path, Filter(**wanted), most)]


def test_the_last_lines_are_found_in_rotated_files_too_in_their_order(rotated):
    assert letters_of(rotated) == [1, 2, 3, 4, 5, 6]
    assert letters_of(rotated, 1) == [6]
    assert letters_of(rotated, 3) == [4, 5, 6]
    assert letters_of(rotated, 5) == [2, 3, 4, 5, 6]


def test_lines_since_a_moment_are_shown(rotated):
    since = datetime(2026, 11, 9, 9, 0, 4, tzinfo=UTC)
    assert letters_of(rotated, since=since) == [4, 5, 6]


def test_lines_are_found_by_address_and_by_the_code_that_a_refused_letter_claims():
    refused = ACCEPTED | {"entity": None, "claimed": "000000004711", "sender": "Buh@Primer.example"}
    assert told(Filter(entity="000000004711"), refused, FOREIGN) == [refused]
    assert told(Filter(sender="buh@"), refused, FOREIGN) == [refused]


def test_moments_are_those_of_moscow():
    assert readable(ACCEPTED).startswith("2026-11-10 12:00:00 ")


def test_following_goes_on_where_the_shown_lines_end(log, followed):
    del followed
    source = follow(log, begin=log.stat().st_size)
    write(log, "two\n")
    assert next(source) == "two\n"


@pytest.mark.parametrize(
    ("timestamp", "passes"),
    [
        ("2026-11-10T09:00:00Z", True),
        ("2026-11-10T08:59:59Z", False),
        ("2026-11-10T12:00:00+03:00", True),
        # Without a zone it is UTC.
        ("2026-11-10T09:00:00", True),
        ("2026-11-10T08:59:59", False),
        ("soon", False),
        (None, False),
    ],
)
def test_an_event_of_that_moment_passes_and_one_without_a_moment_does_not(timestamp, passes):
    wanted = Filter(since=datetime(2026, 11, 10, 9, tzinfo=UTC))
    assert wanted.passes(ACCEPTED | {"timestamp": timestamp}) is passes
    assert not wanted.passes({"event": "x"})


def test_an_event_without_a_sender_passes_no_filter_of_senders():
    assert told(Filter(sender="none"), ACCEPTED) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "name=a"),
        ("a b", 'name="a b"'),
        ("ёж ёж", 'name="ёж ёж"'),
        ("ё\n", 'name="\\u0451\\n"'),
        (0, "name=0"),
        (False, "name=false"),
        ({"ключ": 1}, 'name="{\\"ключ\\": 1}"'),
    ],
)
def test_a_value_is_told_plainly_or_quoted(value, text):
    assert readable({"event": "x", "name": value}).endswith(f" {text}")


def test_a_line_has_moment_level_and_event_in_columns():
    event = {"event": "a.b", "level": "info", "timestamp": "2026-11-10T09:00:00Z", "z": 1}
    line = readable(event | {"letter": 2})
    assert line == f"2026-11-10 12:00:00 info    {'a.b':<24} letter=2 z=1"
    assert readable({"event": "a.b", "timestamp": "soon"}).startswith("soon ")


@pytest.mark.parametrize(
    ("most", "found"), [(None, [17, 18, 19]), (2, [18, 19]), (9, [17, 18, 19])]
)
def test_of_a_pipe_the_last_ones_are_told(most, found):
    source = [json.dumps(one) for one in (ACCEPTED, REJECTED, FOREIGN)]
    assert [event["letter"] for event, _ in piped(source, Filter(), most)] == found


def test_a_pipe_that_goes_on_is_told_as_it_comes():
    def endless():
        while True:
            yield json.dumps(ACCEPTED)

    assert next(iter(piped(endless(), Filter(), None)))[0]["letter"] == 17


def test_rotated_files_older_than_the_moment_are_not_opened(rotated):
    (rotated.parent / "ingest.log.2.gz").write_bytes(b"no gzip")
    moment = datetime(2026, 11, 8, 10, tzinfo=UTC).timestamp()
    os.utime(rotated.parent / "ingest.log.2.gz", (moment, moment))
    assert letters_of(rotated, since=datetime(2026, 11, 9, 11, tzinfo=UTC)) == [5, 6]
    assert letters_of(rotated, 4) == [3, 4, 5, 6]


def test_bytes_that_are_no_text_are_replaced_in_packed_files_too(tmp_path):
    path = tmp_path / "ingest.log"
    path.write_bytes(b"\xff one\n")
    (tmp_path / "ingest.log.1.gz").write_bytes(gzip.compress(b"\xfe two\n"))
    moment = path.stat().st_mtime - 10
    os.utime(tmp_path / "ingest.log.1.gz", (moment, moment))
    assert [line for _, line in history(path, Filter(), None)] == ["\ufffd two", "\ufffd one"]
