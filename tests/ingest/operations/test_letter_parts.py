"""Parts of a letter by their numbers, whatever became of its MIME tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.operations.letters import part
from ingest.operations.refused import Refused

MAIL = (
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\n\r\nbody\r\n"
    b'--b\r\nContent-Disposition: attachment; filename="a\x1b[2J.xml"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nPGEvPg==\r\n--b--\r\n"
)


def test_a_part_comes_with_its_transfer_encoding_undone() -> None:
    assert part(MAIL, 2) == b"<a/>"


def test_a_number_too_high_is_told_with_the_parts_there_are_and_no_control_sign() -> None:
    with pytest.raises(Refused, match="the letter has 2: 1 text/plain; 2 ") as fault:
        part(MAIL, 3)
    assert "\x1b" not in str(fault.value)


@given(st.binary(max_size=300), st.integers(1, 5))
def test_any_bytes_have_a_part_or_are_told_to_have_none(content: bytes, number: int) -> None:
    try:
        assert isinstance(part(content, number), bytes)
    except Refused:
        return
