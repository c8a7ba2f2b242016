"""Channels and tariff zones, however a sender writes them."""

from __future__ import annotations

from layouts.layout import Layout
from layouts.terms import CHANNELS, ZONES
from parsers.fields import normal_sign, plain


def channel_of(raw: str, layout: Layout) -> str | None:
    """The channel that a code or a sign means in a layout; None when it is unknown."""
    sign = normal_sign(raw)
    known = layout.channels.get(raw) or layout.channels.get(sign)
    if known is None and sign in CHANNELS:
        return sign
    return known


def zone_of(raw: str | None, layout: Layout) -> str | None:
    """The tariff zone that a label means in a layout; None when it is unknown."""
    if raw is None or not raw.strip():
        return layout.default_zone
    sign = normal_sign(raw)
    if sign in ZONES:
        return sign
    text = plain(raw).casefold()
    return next((zone for name, zone in layout.zones.items() if name.casefold() == text), None)
