from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.intake.strength import Weakness, weakness

CODE, INN = "200000003080", "3300000001"


@pytest.mark.parametrize("password", ["", "123456789", "Zima-2026", "  Zima-2026   ", "пароль"])
def test_a_short_password_is_weak(password):
    assert weakness(password, CODE, INN) is Weakness.SHORT


@pytest.mark.parametrize("password", [CODE, INN, "0" + CODE, f" {INN} "])
def test_what_stands_in_every_letter_is_no_password(password):
    assert weakness(password, CODE, INN) is Weakness.OF_THE_SENDER


@pytest.mark.parametrize("password", ["1234567890", "QWERTYUIOP", "qwerty123456", "1111111111111"])
def test_a_common_password_is_weak_in_any_case(password):
    assert weakness(password, CODE, INN) is Weakness.COMMON


@pytest.mark.parametrize("password", ["Zima-2026-Vladimir", "ёлка у дома 7", "200000003081x"])
def test_a_longer_one_of_ones_own_is_not(password):
    assert weakness(password, CODE, INN) is None


@given(st.text(max_size=9), st.sampled_from([CODE, "1"]), st.sampled_from([INN, None]))
def test_nothing_under_ten_signs_passes(password, code, inn):
    assert weakness(password, code, inn) is not None
