"""Channels know what they measure and which way it goes."""

from __future__ import annotations

import pytest

from layouts.terms import CHANNELS, Channel, Direction, Quantity, quantity_of


def test_a_channel_is_every_quantity_in_every_direction_once() -> None:
    known = {(channel.quantity, channel.direction) for channel in Channel}
    assert known == {(q, d) for q in Quantity for d in Direction}
    assert len(known) == len(Channel) == len(CHANNELS)


@pytest.mark.parametrize(
    ("channel", "interval", "register"),
    [("A+", "Wh", "kWh"), ("A-", "Wh", "kWh"), ("R+", "varh", "kvarh"), ("R-", "varh", "kvarh")],
)
def test_a_channel_has_the_units_of_its_quantity(
    channel: str, interval: str, register: str
) -> None:
    assert quantity_of(channel).interval_unit == interval
    assert quantity_of(channel).register_unit == register


@pytest.mark.parametrize("channel", [None, "", "Rx", "11", "А+"])
def test_a_channel_that_nobody_knows_counts_as_active(channel: str | None) -> None:
    assert quantity_of(channel) is Quantity.ACTIVE
