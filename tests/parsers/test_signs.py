"""Channels and zones: what a form's own codes mean goes before the common signs."""

from dataclasses import replace

import pytest

from layouts.layout import load
from parsers.signs import channel_of, zone_of

FORM = replace(
    load()["52006"],
    channels={"01": "A+", "A-": "R-", "п": "R+"},
    zones={"1": "T1", "Ночь": "T2", "T3": "T1"},
    default_zone="T0",
)


@pytest.mark.parametrize(
    ("raw", "channel"),
    [
        ("01", "A+"), (" 0 1 ", "A+"), ("1", None), ("A-", "R-"), ("а -", "R-"), ("п", "R+"),
        ("П", None), ("A+", "A+"), ("а +", "A+"), ("R–", "R-"), ("x", None), ("", None),
    ],
)  # fmt: skip
def test_a_channel_is_the_form_s_code_or_a_sign(raw, channel):
    assert channel_of(raw, FORM) == channel


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        (None, "T0"), ("", "T0"), (" ", "T0"), ("1", "T1"), ("ночь", "T2"), (" НОЧЬ ", "T2"),
        ("т2", "T2"), ("T3", "T3"), ("T4", "T4"), ("T5", None), ("5", None), ("день", None),
    ],
)  # fmt: skip
def test_a_zone_is_a_sign_or_the_form_s_label(raw, zone):
    assert zone_of(raw, FORM) == zone
