"""Listings on a terminal of 80 columns, whatever stands in them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from config.load import Described
from ingest.demo.run import Line, Sample
from ingest.operations.console.operators import Listed
from ingest.operations.periods import MissingSeries, PeriodChange, Reminded, Span
from ingest.verbs import show
from ingest.verbs.main import cli
from ingest.verbs.printing import table_lines
from layouts.completeness import Lack
from storage.records.access import Lock, Operator, OperatorRole
from storage.records.billing import NumberChange, SeenValue, Suspect
from storage.records.letters import LetterState, LetterSummary
from storage.records.replies import ReplyState, Undelivered

LONG = "Показания за ноябрь, договор № 12345/67 от 01.02.2003, " * 4
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
CODE = "200000001234"
LETTER = LetterSummary(
    id=1234567,
    received_at=AT,
    state=LetterState.DONE,
    outcome="partly_accepted",
    entity=CODE,
    sender="a-long-name.of-somebody@department.of.a.company.example",
    subject=LONG,
    documents=50,
    values=1234567,
    reply=ReplyState.UNDELIVERABLE,
    attempts=3,
    error="KeyError at storage/letters.py:123 " + LONG,
)
MISSING = MissingSeries(
    entity=CODE, name=LONG, area=CODE, point="0123456789ABCDEF", meter=LONG, channel="A+",
    zones=("T1", "T2", "T3"), kind=Lack.FIRST_READING, reported="part",
    spans=(Span(AT, AT),) * 9, reminder=Reminded.TODAY,
)  # fmt: skip
NUMBER = SimpleNamespace(
    entity=CODE, point=LONG, channel="A+", zone="T0", energy=10**12, quality="not-commercial"
)
SUSPECT = Suspect(
    id=1234567, code="consumption-jump", entity=CODE, area=None, point=LONG, meter=LONG,
    channel="A+", zone="T1", start=AT, end=AT, receipt=1234567, raised_at=AT,
)  # fmt: skip
LISTINGS = {
    "LETTERS": LETTER,
    "BOUNCES": Undelivered(LONG, 3, 1, AT, LONG, (1234567,) * 5),
    "LOCKS": Lock(CODE, LONG, 5, AT, AT, "too many guesses this hour"),
    "PERIODS": PeriodChange("2026-11", True, LONG, AT),
    "SUSPECTS": SUSPECT,
    "SEEN_VALUES": SeenValue(AT, 10**12, 1234567, 1234568),
    "DIFFERENCES": NumberChange(NUMBER, NUMBER),
    "OPERATORS": Listed(Operator(1, LONG, OperatorRole.ADMINISTERS, "", None, True, LONG, AT), AT),
    "CONFIGURATION": Described("authentication.trusted_authserv_id", LONG, LONG),
    "MISSING": MISSING,
    "DEMO": Line(Sample(LONG, b"", "accepted"), "partly_accepted", LONG),
}


def test_every_table_is_tried_here():
    tables = {
        name for name, told in vars(show).items() if name.isupper() and isinstance(told, Mapping)
    }
    assert tables == LISTINGS.keys()


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_a_row_is_two_lines_at_most(name, width):
    row, columns = LISTINGS[name], getattr(show, name)
    lines = list(table_lines([row, row], columns, width))
    assert max(map(len, lines)) <= width
    assert 3 <= len(lines) <= 6
    assert not any(line != line.rstrip() for line in lines)


def test_at_80_columns_a_letter_is_found_by_number_moment_outcome_and_entity():
    _, _, first, second = table_lines([LETTER], show.LETTERS, 80)
    for told in ("1234567", "2026-11-22 12:00", "partly_accepted", CODE):
        assert told in first
    assert second.startswith("    ")
    assert second.endswith("…")


def test_in_a_pipe_a_row_is_one_line_and_nothing_is_cut():
    head, line = table_lines([LETTER], show.LETTERS)
    assert head.startswith("id ")
    assert LONG.strip() in line


def test_of_many_gaps_the_first_five_are_told_and_how_many_there_are_more():
    _, line = table_lines([MISSING], show.MISSING)
    assert line.count("2026-11-22 12:00 - 2026-11-22 12:00") == 5
    assert "and 4 more" in line
    assert "first-reading, in part" in line


def test_signs_that_steer_a_terminal_are_replaced():
    lines = table_lines([SimpleNamespace(a="x\x1b[31m\ny")], {"a": "a"}, 80)
    assert list(lines)[1] == "x\ufffd[31m y"


WITH_ENTITY = {
    ("letters",): (), ("tail",): (), ("missing",): ("--period", "2026-11"), ("suspects",): (),
    ("readings",): ("--period", "2026-11"), ("template",): ("52006",),
    ("enter",): ("--meter", "1", "--at", "2026-11-01", "--value", "1", "--reason", "x"),
}  # fmt: skip
"""Verbs that take `--entity`, with what else they need."""


def entity_verbs(group, words=()):
    for name, command in group.commands.items():
        yield from entity_verbs(command, (*words, name)) if hasattr(command, "commands") else ()
        if any("--entity" in option.opts for option in command.params):
            yield (*words, name)


def test_every_verb_that_takes_an_entity_is_tried_here():
    assert set(entity_verbs(cli)) == set(WITH_ENTITY)


@pytest.mark.parametrize("verb", WITH_ENTITY)
def test_an_unknown_entity_is_an_error_and_no_empty_answer(service, verb):
    service.write("ingest.log", "")
    service.write("ingest.toml", '[log]\nfile = "ingest.log"\n')
    ran = service(*verb, *WITH_ENTITY[verb], "--entity", "999999999999")
    assert (ran.code, ran.out) == (2, "")
    assert "999999999999" in ran.complaint
