"""What one command is answered with is bounded: the last that is read, the first that is not."""

import io

import pytest

from ingest.transports import bounds
from ingest.transports.bounds import LINE_BYTES, LINE_COSTS, Bounds, Exceeded, Meter


def buffer(content):
    return io.BufferedReader(io.BytesIO(content), 8192)


def metered(most, seconds=60.0):
    return Meter(Bounds(most, seconds))


def test_lines_are_read_one_by_one_and_counted_with_what_each_costs():
    there = buffer(b"one\r\ntwo\n\nlast")
    meter = metered(4 * LINE_COSTS + 14)
    assert [meter.line(there) for _ in range(4)] == [b"one\r\n", b"two\n", b"\n", b"last"]
    with pytest.raises(Exceeded, match=f"longer than {4 * LINE_COSTS + 14} bytes"):
        meter.line(there)


def test_the_last_byte_within_the_bound_is_read():
    assert metered(LINE_COSTS + 4).line(buffer(b"four")) == b"four"
    with pytest.raises(Exceeded):
        metered(LINE_COSTS + 3).line(buffer(b"four"))


def test_a_line_has_a_bound_of_its_own():
    assert LINE_BYTES == 1_000_000
    line = b"x" * (LINE_BYTES - 1) + b"\n"
    assert metered(10 * LINE_BYTES).line(buffer(line)) == line
    with pytest.raises(Exceeded, match="a line is longer"):
        metered(10 * LINE_BYTES).line(buffer(b"x" + line))


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 200_000])
def test_a_literal_is_read_whole_and_nothing_behind_it(size):
    there = buffer(b"x" * size + b" FLAGS ()")
    assert metered(size).literal(there, size) == b"x" * size
    assert there.read() == b" FLAGS ()"


def test_a_literal_is_counted_as_announced_and_read_as_far_as_it_came():
    assert metered(10).literal(buffer(b"few"), 10) == b"few"
    there = buffer(b"x" * 11)
    with pytest.raises(Exceeded):
        metered(10).literal(there, 11)
    assert len(there.read()) == 11


def test_each_command_begins_to_count_anew():
    meter, there = metered(10), buffer(b"x" * 20)
    for _ in range(2):
        meter.begin()
        assert len(meter.literal(there, 10)) == 10
    with pytest.raises(Exceeded):
        meter.literal(there, 1)


def test_an_answer_that_takes_too_long_is_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(bounds.time, "monotonic", lambda: now[0])
    meter = metered(1000, seconds=7.5)
    now[0] += 7.5
    assert meter.line(buffer(b"in time\n")) == b"in time\n"
    now[0] += 0.1
    with pytest.raises(Exceeded, match=r"longer than 7\.5 seconds"):
        meter.line(buffer(b"late\n"))
