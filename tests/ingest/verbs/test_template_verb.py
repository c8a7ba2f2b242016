"""`ingest template`: a workbook on disk, with an entity's own points."""

import openpyxl
import pytest


def cells(path):
    workbook = openpyxl.load_workbook(path)
    return {str(cell.value) for sheet in workbook for row in sheet for cell in row if cell.value}


def test_an_empty_form_needs_no_database(bare):
    bare.write("ingest.toml", "")
    ran = bare("template", "52006")
    assert (ran.code, ran.out) == (0, "52006.xlsx\n")
    assert "Показание" in " ".join(cells(bare.folder / "52006.xlsx"))
    assert not (bare.folder / "ingest.db").exists()


def test_a_form_for_an_entity_names_its_points_and_meters(service):
    ran = service("template", "52006", "--entity", "200000003080", "-o", "a.xlsx")
    assert ran.code == 0
    assert {"200000003080-01", "11223344", "200000003080-02", "11223355"} <= cells(
        service.folder / "a.xlsx"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("80020",), "workbooks of 52005, 52006"),
        (("99999",), "workbooks of 52005, 52006"),
        (("52006", "--entity", "1"), "no such user code"),
    ],
)
def test_what_there_is_no_form_for_is_said_in_one_sentence(run, words, told):
    ran = run("template", *words)
    assert ran.code == 2
    assert told in ran.complaint
