"""`ingest template`: a workbook on disk, with an entity's own points."""

import openpyxl
import pytest

from ingest.operations.refused import Refused
from ingest.verbs import main as cli
from tests.end_to_end.installation import SAMPLES


def run(*words: str) -> int:
    return cli.cli.main(list(words), standalone_mode=False)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ingest.toml"
    file.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/ingest.db"\n', encoding="utf-8")
    return file


def cells(path):
    workbook = openpyxl.load_workbook(path)
    return {str(cell.value) for sheet in workbook for row in sheet for cell in row if cell.value}


def test_an_empty_form_needs_no_database(config, tmp_path, capsys):
    assert run("--config", str(config), "template", "52006") == 0
    assert capsys.readouterr().out == "52006.xlsx\n"
    assert "Показание" in " ".join(cells(tmp_path / "52006.xlsx"))
    assert not (tmp_path / "ingest.db").exists()


def test_a_form_for_an_entity_names_its_points_and_meters(config, tmp_path):
    registry = str(SAMPLES / "registry.csv")
    run("--config", str(config), "migrate")
    run("--config", str(config), "registry", "import", "--with-passwords", registry)
    run("--config", str(config), "template", "52006", "--entity", "200000003080", "-o", "a.xlsx")
    assert {"200000003080-01", "11223344", "200000003080-02", "11223355"} <= cells(
        tmp_path / "a.xlsx"
    )


@pytest.mark.parametrize("words", [("80020",), ("99999",), ("52006", "--entity", "1")])
def test_what_there_is_no_form_for_is_said_in_one_sentence(config, words):
    run("--config", str(config), "migrate")
    with pytest.raises(Refused, match=r"workbooks of 52005, 52006|no such user code"):
        run("--config", str(config), "template", *words)
