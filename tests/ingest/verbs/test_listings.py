"""Listings on a terminal of 80 columns, whatever stands in them."""

from datetime import UTC, datetime

import pytest

from ingest.operations.periods import MISSING_COLUMNS, PERIOD_COLUMNS
from ingest.verbs.show import LETTER_COLUMNS, letter_json, letter_row, table_lines
from storage.records import LetterState, LetterSummary, ReplyState

LONG = "Показания за ноябрь, договор № 12345/67 от 01.02.2003, " * 4
LETTER = LetterSummary(
    id=1234567,
    received_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    state=LetterState.DONE,
    outcome="partly_accepted",
    entity="200000001234",
    sender="a-long-name.of-somebody@department.of.a.company.example",
    subject=LONG,
    documents=50,
    values=1234567,
    reply=ReplyState.UNDELIVERABLE,
    attempts=3,
    error="KeyError at storage/letters.py:123 " + LONG,
)
CONFIG = {"key": "key", "value": "value", "origin": "from"}


def filled(columns):
    return {key: f"{key} {LONG}" for key in columns}


LISTINGS = {
    "letters": (letter_row(letter_json(LETTER)), LETTER_COLUMNS),
    "letters, all long": (filled(LETTER_COLUMNS), LETTER_COLUMNS),
    "missing": (filled(MISSING_COLUMNS), MISSING_COLUMNS),
    "period list": (filled(PERIOD_COLUMNS), PERIOD_COLUMNS),
    "config check": (filled(CONFIG), CONFIG),
}


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_a_row_is_two_lines_at_most(name, width):
    row, columns = LISTINGS[name]
    lines = list(table_lines([row, row], columns, width))
    assert max(map(len, lines)) <= width
    assert len(lines) <= 6
    assert not any(line != line.rstrip() for line in lines)


def test_at_80_columns_a_letter_is_found_by_number_moment_outcome_and_entity():
    row, columns = LISTINGS["letters"]
    _, _, first, second = table_lines([row], columns, 80)
    for told in ("1234567", "2026-11-22 12:00", "partly_accepted", "200000001234"):
        assert told in first
    assert second.startswith("    ")
    assert second.endswith("…")


def test_in_a_pipe_a_row_is_one_line_and_nothing_is_cut():
    row, columns = LISTINGS["letters"]
    head, line = table_lines([row], columns, None)
    assert head.startswith("id ")
    assert LONG.strip() in line


def test_signs_that_steer_a_terminal_are_replaced():
    lines = table_lines([{"a": "x\x1b[31m\ny"}], {"a": "a"}, 80)
    assert list(lines)[1] == "x\ufffd[31m y"
