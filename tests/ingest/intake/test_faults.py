"""Whose a fault is, and what of it may be told."""

import errno

import pytest

from ingest.intake.faults import LetterMissing, NoVerdict, described, is_of_time
from ingest.reading import ReaderFailed


@pytest.mark.parametrize(
    ("error", "of_time"),
    [
        (ConnectionResetError("gone"), True),
        *((OSError(number, "out of it"), True) for number in (errno.ENOSPC, errno.EMFILE)),
        (OSError(errno.EACCES, "not ours"), False),
        (OSError("no number"), False),
        (ValueError("ours"), False),
    ],
)
def test_a_server_away_or_a_machine_out_of_something_is_of_time(error, of_time):
    assert is_of_time(error) is of_time


def raised(error):
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [ReaderFailed, LetterMissing, NoVerdict])
def test_what_the_service_says_of_itself_is_told_in_its_own_words(kind):
    assert described(raised(kind("in a.py:7")))["error"] == "in a.py:7"


def test_of_any_other_fault_kind_and_place_are_told_and_never_its_text():
    told = described(raised(ValueError("Zima-2026")))
    (frame,) = told["frames"]
    assert frame.startswith("intake/test_faults.py:")
    assert told["error"] == f"ValueError at {frame}"
    assert described(ValueError("Zima-2026")) == {"error": "ValueError", "frames": []}
