"""Files that operators take away: private, whole, and without a formula in a cell."""

import csv
import io
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ingest.operations.output import cell_text, plain_cell, private_file
from ingest.operations.register.registry_written import registry_csv, registry_xlsx
from layouts.points import LegalEntity, Meter, MeteringPoint
from tests.registering import read_registry

BEGINNINGS = ("=", "+", "-", "@", "\t=", " =", "＝", "＠", "'", "'=")
SEPARATORS = (";", ",", "|", "\t", "\n", "; ")
HOSTILE = [f"{sign}HYPERLINK(A1)" for sign in BEGINNINGS]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_would_begin_a_formula_does_not_and_comes_back(text):
    assert plain_cell(text).startswith("'")
    assert cell_text(plain_cell(text)) == text


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_formula_begins_where_another_separator_would_cut_a_text(text, separator):
    whole = f"Лист1{separator}{text}{separator}{text}"
    pieces = re.split("[;,|\t\r\n]", plain_cell(whole))
    assert [one for one in pieces if one.strip()[:1] in set("=+-@＝＋－＠")] == []
    assert cell_text(plain_cell(whole)) == whole


@given(st.text(max_size=20) | st.text(" ;,\t\n'=+", max_size=9))
def test_any_text_comes_back_and_begins_no_formula(text):
    assert cell_text(plain_cell(text)) == text
    assert plain_cell(text).lstrip()[:1] not in {"=", "+", "-", "@", "＝", "＋", "－", "＠"}


def hostile_register(name):
    meter = Meter("-07", channels=("A+",), zones=("T0",))
    point = MeteringPoint("+7", name=name, meters=(meter,))
    return [LegalEntity("1", name, "3300000001", ("+a@b.example",), True, (point,))]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(A1)", "-1+1", "+ООО «Пример»"])
def test_an_exported_register_begins_no_cell_with_a_formula_and_can_be_imported(name):
    entities = hostile_register(name)
    content = registry_csv(entities)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [cell for row in rows for cell in row if cell[:1] in set("=+-@")] == []
    sheet = load_workbook(io.BytesIO(registry_xlsx(entities))).worksheets[0]
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value}
    assert kinds == {"s"}
    for taken in (content, registry_xlsx(entities)):
        [entity] = read_registry(taken).entities
        [point] = entity.points
        told = (entity.user_code, entity.name, point.code, point.meters[0].number)
        assert told == ("1", name, "+7", "-07")


def test_a_file_is_its_owners_alone_even_when_others_could_read_the_one_before(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o644)
    with private_file(path) as unfinished:
        unfinished.write_text("new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_fails_leaves_the_one_before(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), private_file(path):
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_what_is_no_ordinary_file_is_not_replaced(tmp_path, make):
    path = tmp_path / "out.csv"
    make(path)
    kind = path.stat().st_mode
    with pytest.raises(OSError, match="no ordinary file"), private_file(path):
        pass
    assert path.stat().st_mode == kind


def test_a_second_name_of_a_file_leaves_that_file_as_it_was(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "out.csv"
    victim.write_text("old")
    path.hardlink_to(victim)
    with private_file(path) as unfinished:
        unfinished.write_text("new")
    assert (victim.read_text(), path.read_text()) == ("old", "new")


@pytest.mark.parametrize("there", [True, False])
def test_no_link_is_followed(tmp_path, there):
    victim = tmp_path / "victim"
    if there:
        victim.write_text("old")
    link = tmp_path / "out.csv"
    link.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"), private_file(link):
        pass
    assert victim.exists() is there
