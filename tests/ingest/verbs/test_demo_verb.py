"""The demo's verb: what it tells, and with which code it ends."""

import pytest

from ingest.demo.run import Line, Result, Sample

GOOD = Line(Sample("a.eml", b"", "accepted"), "accepted", "accepted 1 of 1")
BAD = Line(Sample("b.eml", b"", "rejected"), "accepted", "")
REPLY = b"Subject: Re\r\n\r\nWell received.\r\n"


@pytest.mark.parametrize(
    ("result", "code", "told", "untold"),
    [
        (
            Result((GOOD, BAD), ("a.eml", REPLY), 1, 2.345, whole=True),
            1,
            ["expected rejected", "as expected", "Well received.", "The reply to a.eml:",
             "1 of 2 letters as expected, 1 replies received, in 2.3 s"],
            ["no verdict when the time was up"],
        ),
        (
            Result((GOOD,), None, 0, 1.0, whole=False),
            0,
            ["1 of 1 letters as expected", "some letters had no verdict when the time was up"],
            ["The reply to"],
        ),
    ],
)  # fmt: skip
def test_letters_are_told_with_what_was_expected(bare, monkeypatch, result, code, told, untold):
    def run(keep, tell, serve):
        assert (keep, serve) == (None, None)
        tell(result)
        return all(line.is_expected for line in result.lines)

    monkeypatch.setattr("ingest.demo.run.run_demo", run)
    ran = bare("demo")
    assert ran.code == code
    assert all(text in ran.out + ran.err for text in [*told, "ingest demo --serve"])
    assert not any(text in ran.out + ran.err for text in untold)


def test_served_it_goes_on_and_says_where(bare, monkeypatch):
    given = []

    def run(keep, _tell, serve):
        given.append((str(keep), serve is not None))
        return True

    monkeypatch.setattr("ingest.demo.run.run_demo", run)
    ran = bare("demo", "--serve", "--keep", "kept")
    assert (ran.code, "ingest demo --serve" in ran.out) == (0, False)
    assert given == [("kept", True)]
