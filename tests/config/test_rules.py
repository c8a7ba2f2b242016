"""The bounds of the rules, as the configuration gives them."""

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from config.load import load
from config.settings import Rules, SettingsError
from ingest.wiring.service import Service
from layouts.parameters import Parameters


def app(tmp_path: Path, text: str) -> Service:
    file = tmp_path / "ingest.toml"
    file.write_text(text, encoding="utf-8")
    return Service(load(file))


def test_the_configurations_defaults_are_those_of_the_rules():
    own = {item.name: getattr(Parameters(), item.name) for item in fields(Parameters)}
    told = {key: getattr(Rules(), key) for key in Rules.known_keys()}
    assert (told.pop("holidays"), told.pop("peak_hours")) == ("", "")
    assert told == {name: value for name, value in own.items() if name in told}
    assert set(own) - set(told) == {"calendar", "peak_hours"}


def test_a_bound_of_the_configuration_reaches_the_rules(tmp_path):
    parameters = app(tmp_path, "[rules]\nspike_factor = 5\nlow_factor = 0.3\n").parameters
    assert parameters.spike_factor == 5
    assert parameters.low_factor == Decimal("0.3")


def test_a_bound_out_of_its_range_is_told_with_file_key_and_range(tmp_path):
    with pytest.raises(SettingsError, match=r"ingest\.toml: rules\.flat_hours .*2 and 744.*0"):
        _ = app(tmp_path, "[rules]\nflat_hours = 0\n").parameters


def test_a_calendar_that_cannot_be_read_is_told_with_its_file(tmp_path):
    with pytest.raises(SettingsError, match="nowhere"):
        _ = app(tmp_path, '[rules]\nholidays = "/nowhere/holidays.toml"\n').parameters


def test_a_retailers_own_calendar_replaces_the_built_in_one(tmp_path):
    own = tmp_path / "days.toml"
    own.write_text('holidays = ["01-01"]\n', encoding="utf-8")
    parameters = app(tmp_path, f'[rules]\nholidays = "{own}"\n').parameters
    assert parameters.calendar != Parameters().calendar


def test_without_a_file_a_bound_of_the_environment_is_told_as_of_the_settings(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGEST_CONFIG", raising=False)
    monkeypatch.setattr("config.load.PLACES", ())
    monkeypatch.setenv("INGEST_RULES__FLAT_HOURS", "0")
    with pytest.raises(SettingsError, match=r"^settings: rules\.flat_hours "):
        load().parameters()
