"""`config/example.toml` is the settings' documentation: whole and true."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

import config
from config.load import load
from config.settings import Drop, MailboxSettings, OAuth, Section, Settings

EXAMPLE = Path(config.__file__).with_name("example.toml")
TEXT = EXAMPLE.read_text(encoding="utf-8")
TREE = tomllib.loads(TEXT)
SECTIONS = {
    name: {"mailbox": MailboxSettings, "drop": Drop, "oauth": OAuth}.get(name, type(field.default))
    for name, field in Settings.known_keys().items()
}
MADE_UP = {
    ("mailbox", "name"),
    ("mailbox", "host"),
    ("drop", "name"),
    ("drop", "path"),
    ("oauth", "grant"),
    ("oauth", "token_url"),
}
"""Keys without a default; their comment says so."""


def section(name):
    found = TREE[name]
    if name == "oauth":
        # TOML has no way to write that a date is not given.
        return {**found["office"], "expires": None}
    return found[0] if isinstance(found, list) else found


def as_toml(value):
    if isinstance(value, tuple):
        return list(value)
    return float(value) if isinstance(value, Decimal) else value


def block(name):
    """The lines of one table."""
    found = re.search(rf"(?ms)^\[+{name}(?:\.\w+)?\]+\n(.*?)(?=^\[|\Z)", TEXT)
    return found[1].splitlines()


def test_every_section_is_there_and_no_other():
    assert set(TREE) == set(Settings.known_keys())


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_there_and_no_other(name):
    assert issubclass(SECTIONS[name], Section)
    assert set(section(name)) == set(SECTIONS[name].known_keys())


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_stands_with_its_true_default(name):
    fields = SECTIONS[name].known_keys()
    made_up = {key for key in fields if (name, key) in MADE_UP}
    assert {key for key, field in fields.items() if field.required} >= made_up
    true = {key: as_toml(field.default) for key, field in fields.items() if key not in made_up}
    assert {key: section(name)[key] for key in true} == true


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_has_a_comment_above_it(name):
    lines = block(name)
    bare = [line.removeprefix("# ") for line in lines]
    for key in SECTIONS[name].known_keys():
        at = next(i for i, line in enumerate(bare) if line.startswith(f"{key} = "))
        assert at, f"{name}.{key} stands first, without a comment"
        assert lines[at - 1].startswith("# "), f"{name}.{key} has no comment above it"
        if (name, key) in MADE_UP:
            assert "No default" in "".join(lines[max(0, at - 2) : at]), f"{name}.{key}"


def test_the_example_is_a_configuration_that_loads(monkeypatch):
    monkeypatch.delenv("INGEST_CONFIG", raising=False)
    assert load(EXAMPLE).mailbox[0].folder == "INBOX"
