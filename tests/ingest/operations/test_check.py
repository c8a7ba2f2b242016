"""`check`: documents read and judged offline, whatever the files are."""

import io
import os
import random
import signal
import zipfile

import pytest
import xlwt

from ingest.reading.children import Forks
from tests.books import workbook
from tests.ingest.invocation import ROOT, SAMPLES

MONTH = SAMPLES / "52005" / "month-so-far.xml"


def test_a_row_has_the_documented_keys_in_their_order(run):
    [row] = run("check", MONTH, "--json").rows
    assert list(row) == [
        "file", "layout", "verdict", "sender", "sender_inn", "created", "series", "findings",
    ]  # fmt: skip
    assert list(row["series"][0]) == [
        "area", "point", "meter", "channel", "zone", "kind", "unit", "start", "end",
        "step_minutes", "count", "total", "not_commercial",
    ]  # fmt: skip


def xml(*hours, energy="0.067", code="200000001234", created="20261114193232"):
    rows = "".join(f'\n<consumption date_time="{hour}" energy="{energy}"/>' for hour in hours)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<package class="52005" version="1" sender_code="{code}" created="{created}">'
        f"{rows}\n</package>"
    )


def test_a_finding_has_the_documented_keys_and_its_place(run):
    run.write("a.xml", xml("2026110100", energy="0,067"))
    ran = run("check", "a.xml", "--json")
    [found] = ran.rows[0]["findings"]
    assert list(found) == [
        "code", "severity", "place", "point", "meter", "channel", "seen", "message",
    ]  # fmt: skip
    assert (found["code"], found["severity"]) == ("decimal-comma", "warning")
    assert (found["place"], found["channel"], found["seen"]) == ("line 3", "A+", "0,067")
    assert (ran.code, ran.rows[0]["verdict"]) == (0, "accepted")


def test_messages_speak_the_language_asked_for(run):
    run.write("a.xml", xml("2026110100", energy="x"))
    told = {
        words: run("check", "a.xml", "--json", *words).rows[0]["findings"][0]["message"]
        for words in ((), ("--language", "ru"), ("--language", "en"))
    }
    assert told[()] == told["--language", "ru"]
    assert told["--language", "en"].isascii()
    run.write("ingest.toml", '[replies]\nlanguage = "en"')
    assert (
        run("check", "a.xml", "--json").rows[0]["findings"][0]["message"]
        == told["--language", "en"]
    )


def test_people_are_told_the_same_in_lines(run):
    run.write("a.xml", xml("2026110100", "2026110103"))
    ran = run("check", "a.xml")
    assert ran.code == 1
    assert ran.out.startswith("a.xml: rejected, layout 52005, sender 200000001234\n")
    assert "error missing-interval" in ran.out


JUNK = {
    "empty": b"",
    "blank": b" \n",
    "cut off": xml("2026110100").encode()[:-30],
    "noise": random.Random(1).randbytes(20_000),
    "nulls": bytes(10_000),
    "xml of another kind": b"<invoice><line/></invoice>",
    "html": b"<html><body>52005</body></html>",
    "text": "Показания за ноябрь: 12345".encode("cp1251"),
    "broken zip": b"PK\x03\x04" + random.Random(2).randbytes(500),
    "broken xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(3).randbytes(5000),
    "doctype": b'<!DOCTYPE package [<!ENTITY a "b">]><package class="52005"/>',
    "class of nobody": b'<package class="51070" version="1"/>',
    "utf-16 mark alone": b"\xff\xfe",
    "deep": b"<a>" * 100_000,
}


@pytest.mark.parametrize("content", JUNK.values(), ids=JUNK)
@pytest.mark.parametrize("name", ["a.xml", "a.xlsx", "a.xls", "a.zip", "noname"])
def test_what_is_no_document_is_unreadable_and_never_a_fault(run, content, name):
    run.write(name, content)
    ran = run("check", name, "--json")
    assert ran.code == 2
    assert ran.err == ""
    for row in ran.rows:
        assert row["file"] == name
        assert (row["verdict"], row["layout"], row["series"]) == ("unreadable", None, [])
        assert row["findings"]
    assert ran.rows
    assert run("check", name).code == 2


@pytest.mark.parametrize("content", JUNK.values(), ids=JUNK)
def test_what_is_no_letter_is_never_a_fault(run, content):
    run.write("a.eml", content)
    ran = run("check", "a.eml", "--json")
    assert ran.code in (1, 2)
    assert ran.err == ""
    assert ran.rows
    assert all(row["findings"] for row in ran.rows)


@pytest.mark.parametrize(
    "rows", [[], [["Счёт", 17]], [["Макет", "99999"], ["a", "b"]]], ids=["empty", "other", "class"]
)
def test_a_workbook_of_another_kind_is_unreadable(run, rows):
    run.write("a.xlsx", workbook(rows))
    ran = run("check", "a.xlsx", "--json")
    assert (ran.code, ran.rows[0]["verdict"]) == (2, "unreadable")


def test_a_workbook_cut_off_anywhere_is_no_fault(run):
    whole = (SAMPLES / "52006" / "readings-libreoffice.xlsx").read_bytes()
    for part in (10, 2, 1):
        run.write("a.xlsx", whole[: len(whole) - len(whole) // part // 2])
        ran = run("check", "a.xlsx", "--json")
        assert ran.code == 2
        assert ran.rows[0]["verdict"] == "unreadable"


def test_a_workbook_whose_cells_lie_far_apart_costs_no_more_than_its_cells(run):
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, "Макет")
    sheet.write(65_535, 255, 1)
    content = io.BytesIO()
    book.save(content)
    run.write("a.xls", content.getvalue())
    ran = run("check", "a.xls", "--json")
    assert (ran.code, codes(ran), ran.err) == (2, ["unknown-layout"], "")
    assert ran.rows[0]["verdict"] == "unreadable"


def dies(*_given):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_workbook_that_kills_its_reader_is_too_costly(run, monkeypatch):
    run.write("a.xlsx", workbook([["Макет", "52005"]]))
    monkeypatch.setattr("ingest.reading.documents.parse", dies)
    monkeypatch.setattr("ingest.reading.children.Forks", Forks)
    ran = run("check", "a.xlsx", "--json")
    assert (ran.code, codes(ran)) == (2, ["too-costly"])


@pytest.mark.parametrize("name", ["a.xml", "a.eml", "a.bin"])
@pytest.mark.parametrize("kind", ["zeros", "spaces in a document"])
def test_thirty_megabytes_are_answered(run, name, kind):
    if kind == "zeros":
        content = bytes(30 * 1024 * 1024)
    else:
        content = xml("2026110100").encode().replace(b"\n</pack", b" " * 30_000_000 + b"</pack")
    run.write(name, content)
    ran = run("check", name, "--json")
    assert ran.code in (0, 1, 2)
    assert ran.err == ""
    assert ran.rows


def test_every_document_of_an_archive_is_checked(run):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("one.xml", xml("2026110100"))
        archive.writestr("two.xml", xml("2026110100", energy="x"))
    run.write("both.zip", content.getvalue())
    ran = run("check", "both.zip", "--json")
    assert [(row["file"], row["verdict"]) for row in ran.rows] == [
        ("one.xml", "accepted"),
        ("two.xml", "rejected"),
    ]
    assert ran.code == 1


def test_every_document_of_a_letter_is_checked(run):
    ran = run("check", SAMPLES / "letters" / "17-two-documents.eml", "--json")
    assert len(ran.rows) == 2
    assert {row["verdict"] for row in ran.rows} == {"accepted"}


def test_several_files_are_told_in_their_order_and_the_worst_decides(run):
    run.write("good.xml", xml("2026110100"))
    run.write("bad.xml", xml("2026110100", energy="x"))
    run.write("none.xml", "")
    assert run("check", "good.xml", "bad.xml").code == 1
    ran = run("check", "none.xml", "good.xml", "bad.xml", "--json")
    assert [row["file"] for row in ran.rows] == ["none.xml", "good.xml", "bad.xml"]
    assert ran.code == 2


REGISTRY = SAMPLES / "registry.csv"


@pytest.fixture
def register(run):
    """The sample register of points as senders' programmers would have it."""
    head, *rows = REGISTRY.read_text().splitlines()
    cells = [row.split(";", 2) for row in (head, *rows)]
    return run.write("registry.csv", "\n".join(f"{code};{rest}" for code, _, rest in cells))


def codes(ran):
    return [found["code"] for row in ran.rows for found in row["findings"]]


def test_the_register_of_points_brings_its_rules_in(run, register):
    run.write("a.xml", xml("2026110100", code="200000009999"))
    assert codes(run("check", "a.xml", "--json")) == []
    ran = run("check", "a.xml", "--json", "--registry", register)
    assert (ran.code, codes(ran)) == (1, ["sender-mismatch"])
    run.write("b.xml", xml("2026110100"))
    assert run("check", "b.xml", "--registry", register).code == 0


def test_power_is_judged_by_the_register_of_points(run, register):
    run.write("a.xml", xml("2026110100", energy="9.9"))
    assert run("check", "a.xml").code == 0
    ran = run("check", "a.xml", "--json", "--registry", register)
    assert (ran.code, codes(ran)) == (1, ["above-maximum-power"])


def test_a_register_with_mistakes_is_told(run):
    run.write("wrong.csv", "a;b\n1;2\n")
    ran = run("check", MONTH, "--registry", "wrong.csv")
    assert ran.code == 2
    assert ran.err.startswith("ingest: wrong.csv ")
    assert "line 1: column 'user_code' is missing" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-15", []),
        ("2026-11-15T09:00", []),
        ("2026-12-05", ["late-submission"]),
        ("2027-06-01", ["too-old"]),
        ("2026-11-01T12:00+03:00", ["invalid-date"]),
    ],
)
def test_the_day_of_receipt_brings_its_rules_in(run, at, expected):
    ran = run("check", MONTH, "--json", "--at", at)
    assert set(codes(ran)) >= set(expected) if expected else codes(ran) == []
    assert ran.code == (1 if set(expected) - {"late-submission"} else 0)


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_day_of_receipt(run, at):
    ran = run("check", MONTH, "--at", at)
    assert ran.code == 2
    assert f"{at} is not between the years" in ran.complaint


def test_a_password_in_a_document_is_told_nowhere(run):
    text = xml("2026110100", energy="Neskazhu-42").replace(
        'version="1"', 'version="1" password="Neskazhu-42"'
    )
    run.write("Neskazhu-42.xml", text)
    for words in ([], ["--json"]):
        told = run("check", "Neskazhu-42.xml", *words)
        # The file's own name is the operator's.
        assert "Neskazhu" not in told.out.replace("Neskazhu-42.xml", "")


def test_check_reads_no_more_than_it_is_given(run):
    assert run("check", ROOT / "tests").code == 2
