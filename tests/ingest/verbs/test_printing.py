"""The printer at its edges, and what every verb shares."""

import getpass
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace as Some

import click
import pytest

from ingest.verbs import printing, types
from ingest.verbs.billing import Since, _counted
from ingest.verbs.entries import Reason
from ingest.verbs.printing import table_lines, tell
from ingest.verbs.registry import given_password
from ingest.verbs.types import Instant, Month
from layouts.months import MOSCOW

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def table(rows, width=None):
    names = "abc"[: len(rows[0])]
    return list(
        table_lines(
            [Some(**dict(zip(names, row, strict=True))) for row in rows],
            {name: name for name in names},
            width,
        )
    )


def test_columns_are_as_wide_as_their_longest_cell():
    assert table([("1", "22", "333"), ("123", "123", "1")]) == [
        "a    b    c", "1    22   333", "123  123  1"
    ]  # fmt: skip


def test_what_does_not_fit_goes_to_a_second_line():
    row = [("1", "22", "333")]
    assert table(row, 10) == ["a  b   c", "1  22  333"]
    assert table(row, 9) == ["a  b", "    c", "1  22", "    333"]
    assert table([("1", "22", "")], 6) == ["a  b", "    c", "1  22"]


def test_what_does_not_fit_on_the_second_line_either_is_cut():
    assert table([("1", "x" * 20, "y" * 20)], 20) == [
        "a  b", "    c", "1  xxxxxxxxx…", "    " + "y" * 15 + "…"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (0, "0"),
        (AT, "2026-11-22 12:00"),
        (("a", None, AT), "a  2026-11-22 12:00"),
        ([1, 2], "1 2"),
        ("a\tb", "a b"),
    ],
)
def test_a_cell_is_a_text_on_one_line(value, cell):
    assert printing._cell(value) == cell


@pytest.mark.parametrize(("length", "told"), [(4, "xxxx"), (5, "xxxxx"), (6, "xxxx…")])
def test_a_text_is_cut_to_its_most(length, told):
    assert printing._cut("x" * length, 5) == told


def test_results_are_lines_of_json_texts_or_a_table(capsys):
    tell([{"a": "ё"}, {"a": None}], True, str)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"a": "ё"}, {"a": None}
    ]  # fmt: skip
    tell([{"a": "ё"}], True, str)
    assert "ё" in capsys.readouterr().out
    tell(["one", "", "two"], False, str)
    assert capsys.readouterr().out == "one\ntwo\n"
    tell([Some(a=1)], False, {"x": "a"})
    assert capsys.readouterr().out == "x\n1\n"


@pytest.mark.parametrize(("is_terminal", "width"), [(True, 40), (False, None)])
def test_a_table_is_as_wide_as_the_terminal(is_terminal, width, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "40")
    assert printing._width() == width


def convert(kind, text):
    return kind().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=MOSCOW)),
        ("2026-11-22T12:00", datetime(2026, 11, 22, 12, tzinfo=MOSCOW)),
        ("2026-11-22T12:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=MOSCOW)),
        ("2200-12-31", datetime(2200, 12, 31, tzinfo=MOSCOW)),
        ("1969-12-31", None),
        ("2201-01-01", None),
        ("yesterday", None),
    ],
)
def test_a_moment_is_of_moscow_and_of_these_centuries(text, moment):
    if moment is None:
        with pytest.raises(click.BadParameter):
            convert(Instant, text)
    else:
        assert convert(Instant, text) == moment
        assert convert(Instant, text).tzinfo is not None


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("7", 7),
        ("1234567", 1234567),
        ("20261122", datetime(2026, 11, 22, tzinfo=MOSCOW)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=MOSCOW)),
        ("２", None),
        ("-1", None),
    ],
)
def test_since_is_the_number_of_an_export_or_a_moment(text, since):
    if since is None:
        with pytest.raises(click.BadParameter):
            convert(Since, text)
    else:
        assert convert(Since, text) == since


def test_a_month_is_its_first_day_and_a_reason_says_something():
    assert convert(Month, "2026-11") == date(2026, 11, 1)
    assert convert(Reason, " why ") == "why"
    for kind, text in ((Month, "2026-13"), (Month, "x"), (Reason, " \n")):
        with pytest.raises(click.BadParameter):
            convert(kind, text)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_alone(is_terminal, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    count = types.progress()
    count()
    count()
    types.steps()("read")
    shown = "\r1 letters\r2 lettersread ...\n" if is_terminal else ""
    assert capsys.readouterr().err == shown


@pytest.mark.parametrize(
    ("is_terminal", "rows", "told"),
    [(True, 49_999, ""), (True, 100_001, "\r50000 values\r100000 values"), (False, 100_001, "")],
)
def test_rows_are_counted_while_they_pass(is_terminal, rows, told, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    assert sum(1 for _ in _counted(range(rows))) == rows
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (KeyError, "ingest: an error of our own: KeyError at test_printing.py:"),
        (KeyboardInterrupt, ""),
    ],
)
def test_a_fault_of_our_own_is_told_by_kind_and_place(kind, told, capsys):
    with pytest.raises(kind) as caught:
        raise kind("what a letter held")
    types._one_sentence(kind, caught.value, caught.tb)
    err = capsys.readouterr().err
    assert err.startswith(told)
    assert bool(err) is bool(told)
    assert "what a letter held" not in err


def test_who_acts_is_the_login_name(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    assert types.who() == "anna"
    for fault in (KeyError("uid"), OSError("no login")):

        def nobody(fault=fault):
            raise fault

        monkeypatch.setattr(getpass, "getuser", nobody)
        assert types.who() == "unknown"


def test_a_file_is_for_its_owner_and_a_minus_is_the_output(tmp_path, capfdbinary):
    types.write_private(tmp_path / "a", b"content")
    assert (tmp_path / "a").read_bytes() == b"content"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    types.write_private(Path("-"), b"bytes\xff")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"bytes\xff"


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"", ""),
        (b"Zima-2026", "Zima-2026"),
        (b"Zima-2026\r\n", "Zima-2026"),
        ("пароль с пробелом\n".encode(), "пароль с пробелом"),
        (b"x" * 200, "x" * 200),
        (b"x" * 201, None),
        (b"\n", None),
        (b" x", None),
        (b"x ", None),
        (b"x\ny\n", None),
        (b"x\x00", None),
        (b"\xff", None),
        (b"x" * 2000, None),
    ],
)
def test_a_password_is_one_line_of_a_pipe(content, password, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    if password is None:
        with pytest.raises(click.UsageError):
            given_password()
    else:
        assert given_password() == password


def test_from_a_terminal_or_nowhere_no_password_is_read(monkeypatch):
    for stdin in (Some(isatty=lambda: True, buffer=io.BytesIO(b"typed")), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert given_password() == ""
