"""Definitions of layouts: what a good one gives, and how a mistake in one is told."""

import pickle
import re
from pathlib import Path

import pytest

from layouts.layout import load
from layouts.section import LayoutError
from layouts.terms import Kind

BUILT_IN = Path(__file__).parents[2] / "layouts"


def changed(folder: Path, number: str, old: str, new: str) -> Path:
    """A folder with one built-in definition, one text of it replaced."""
    text = (BUILT_IN / f"{number}.toml").read_text("utf-8")
    assert old in text
    file = folder / f"{number}.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def test_the_built_in_layouts_are_the_three_agreed_ones() -> None:
    layouts = load()

    assert list(layouts) == ["52005", "52006", "80020"]
    assert layouts["80020"].aliases == ("80040",)
    assert layouts["52006"].kind is Kind.REGISTER
    assert layouts["52005"].step_minutes == (60,)
    assert layouts["80020"].step_minutes == (30, 60)
    assert {layout.zone for layout in layouts.values()} == {"Europe/Moscow"}
    assert [layout.order for layout in layouts.values()] == [
        ("created",),
        ("created",),
        ("number", "created"),
    ]


def test_every_definition_has_a_schema_beside_it_and_quotes_a_line_of_its_form() -> None:
    for layout in load().values():
        assert (BUILT_IN / f"{layout.number}.xsd").exists()
        assert layout.example.startswith("<")


def test_a_layout_can_be_sent_to_a_reader_process() -> None:
    layouts = load()

    assert pickle.loads(pickle.dumps(layouts)) == layouts


def test_the_own_folder_replaces_a_built_in_layout(tmp_path: Path) -> None:
    changed(tmp_path, "52005", 'deadline = "monthly"', 'deadline = "daily"')

    layouts = load(tmp_path)

    assert layouts["52005"].deadline == "daily"
    assert layouts["52006"].deadline == "register"


MISTAKES = [
    ("52005", 'class = "52005"', "class = 52005", "class", "a text"),
    ("52005", 'class = "52005"', 'class = "A1"', "class", "digits"),
    ("52005", 'kind = "interval"', 'kind = "hours"', "kind", "interval, register"),
    ("52005", 'kind = "interval"\n', "", "kind", "missing"),
    ("52005", "Europe/Moscow", "Europe/Vladimir", "zone", "time zone"),
    ("52005", "Europe/Moscow", "Asia/Kolkata", "zone", "whole hours"),
    ("52005", 'order = ["created"]', 'order = ["size"]', "order", "created, number"),
    ("52005", 'unit = "MWh"', 'unit = "GWh"', "values.unit", "kWh"),
    ("52005", "decimals = 6", "decimals = 7", "values.decimals", "from 0 to 6"),
    ("52005", "decimals = 6", "decimals = true", "values.decimals", "from 0 to 6"),
    ("52005", "step_minutes = [60]", "step_minutes = [7]", "values.step_minutes", "divide a day"),
    ("52005", "step_minutes = [60]", "", "values.step_minutes", "divide a day"),
    ("52005", "future_zero = true", 'future_zero = "yes"', "values.future_zero", "true or false"),
    ("52005", "future_zero = true", "future_zeros = true", "values.future_zeros", "not known"),
    ("52005", '"01" = "A+"', '"01" = "P+"', "channels.codes.01", "A+, A-, R+, R-"),
    ("52005", 'root = "package"\n', "", "xml.root", "missing"),
    ("52005", 'row = "consumption"', 'row = "a:b"', "xml.form[0].row", "a name of XML"),
    ("52005", 'element = "point"', 'element = "1"', "xml.form[1].level[0].element", "a name"),
    ("52005", 'path = "@version"', 'path = "//version"', "xml.header.version.path", "a path"),
    ("52005", "[xml.header.created]", "[xml.header.made]", "xml.header.made", "one of"),
    ("52005", '"YYYYMMDDHHMMSS"', '"DDMMYY"', "xml.header.created.format", "YYYYMMDDHH"),
    ("52005", 'row = "consumption"', 'rows = "x"', "xml.form[0].row", "missing"),
    ("52005", ', value = "@energy" }', " }", "xml.form[0].columns.value", "missing"),
    ("52005", 'required = ["point"]', 'required = ["pt"]', "xml.form[1].level[0].required", "area"),
    ("52005", "z(?P<class>", "z(?P<class>(", "file_name.pattern", "regular expression"),
    ("52005", "?P<class>", "?P<klass>", "file_name.pattern", "groups named"),
    ("52006", "[zones]", "[zones]\nNight = 2", "zones.Night", "T0, T1"),
    (
        "52006",
        'unit = "kWh"',
        'unit = "kWh"\nstep_minutes = [60]',
        "values.step_minutes",
        "nothing",
    ),
    ("80020", 'end_format = "HHMM"\n', "", "xml.form[0].end_format", "exactly when"),
    ("80020", 'errors = ["sender_inn"', 'errors = ["inn"', "file_name.errors", "sender_inn"),
]


@pytest.mark.parametrize(("number", "old", "new", "key", "expected"), MISTAKES)
def test_a_mistake_is_told_with_its_file_its_key_and_what_was_expected(
    tmp_path: Path, number: str, old: str, new: str, key: str, expected: str
) -> None:
    file = changed(tmp_path, number, old, new)

    with pytest.raises(LayoutError, match=re.escape(expected)) as caught:
        load(tmp_path)

    assert (caught.value.file, caught.value.key) == (file, key)
    assert str(file) in str(caught.value)
    assert key in str(caught.value)


def test_a_definition_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "51070.toml").write_text('class = "51070"\nkind: interval\n', "utf-8")

    with pytest.raises(LayoutError, match="line 2"):
        load(tmp_path)


def test_one_class_defined_twice_in_a_folder_is_a_mistake(tmp_path: Path) -> None:
    text = (BUILT_IN / "52005.toml").read_text("utf-8")
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(text, "utf-8")

    with pytest.raises(LayoutError, match=r"b\.toml: class: 52005 is defined twice"):
        load(tmp_path)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="expected a folder"):
        load(tmp_path / "missing")


OWN_WORDS = {
    "previous": 'previous = ["прежде"]', "current": 'current = ["ныне"]', "also": 'also = ["кВт"]',
    "harmless": 'harmless = ["пломба"]', "doubtful": 'doubtful = ["реактив"]',
    "channels": '[workbook.words.channels]\n"туда" = "A+"',
    "quantities": '[workbook.words.quantities]\n"мощь" = "R"',
    "directions": '[workbook.words.directions]\n"вспять" = "-"',
    "zones": '[workbook.words.zones]\n"полночь" = "T2"',
    "figures": '[workbook.words.figures]\nratio = ["множитель"]',
}  # fmt: skip
MEANT = {
    "previous": ("прежде",), "current": ("ныне",), "also": ("кВт",), "harmless": ("пломба",),
    "doubtful": ("реактив",), "channels": {"туда": "A+"}, "quantities": {"мощь": "R"},
    "directions": {"вспять": "-"}, "zones": {"полночь": "T2"},
}  # fmt: skip


@pytest.mark.parametrize("own", OWN_WORDS)
def test_a_list_of_own_words_stands_in_the_place_of_the_common_one(own: str, tmp_path: Path):
    text = (BUILT_IN / "52006.toml").read_text("utf-8")
    (tmp_path / "52006.toml").write_text(f"{text}\n[workbook.words]\n{OWN_WORDS[own]}\n", "utf-8")
    common, made = (layouts["52006"].workbook.words for layouts in (load(), load(tmp_path)))
    for name in OWN_WORDS:
        was = getattr(common, name)
        assert was
        if name == own == "figures":
            assert made.figures == {**was, "ratio": ("множитель",)} != was
        else:
            assert getattr(made, name) == (MEANT[name] if name == own else was)
