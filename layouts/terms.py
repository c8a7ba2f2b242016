"""The words of the field: languages, quantities, channels, zones, verdicts."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """What replies are written in; each has its catalogues beside the replies' templates."""

    RUSSIAN = "ru"
    ENGLISH = "en"


LANGUAGES = tuple(language.value for language in Language)


RETURNED_LIST_TITLES = ("Замечания к документу ", "Findings in the document ")
"""How the list of findings begins that a reply adds to a workbook; senders send it back."""


class Quantity(StrEnum):
    """What is measured; each has its unit."""

    ACTIVE = "active"
    REACTIVE = "reactive"

    @property
    def interval_unit(self) -> str:
        """Of interval energy, as it is kept."""
        return "Wh" if self is Quantity.ACTIVE else "varh"

    @property
    def register_unit(self) -> str:
        """Of a reading, as on the meter's face."""
        return f"k{self.interval_unit}"


class Direction(StrEnum):
    """Which way the energy goes, seen from the network's customer."""

    TAKEN = "taken"
    GIVEN = "given"


class Channel(StrEnum):
    """A quantity in one direction."""

    quantity: Quantity
    direction: Direction

    ACTIVE_TAKEN = "A+", Quantity.ACTIVE, Direction.TAKEN
    ACTIVE_GIVEN = "A-", Quantity.ACTIVE, Direction.GIVEN
    REACTIVE_TAKEN = "R+", Quantity.REACTIVE, Direction.TAKEN
    REACTIVE_GIVEN = "R-", Quantity.REACTIVE, Direction.GIVEN

    def __new__(cls, sign: str, quantity: Quantity, direction: Direction) -> Channel:
        """A member whose value is its sign."""
        member = str.__new__(cls, sign)
        member._value_ = sign
        member.quantity = quantity
        member.direction = direction
        return member


CHANNELS = tuple(channel.value for channel in Channel)
"""The signs of all channels."""

ACTIVE_CHANNELS = tuple(c.value for c in Channel if c.quantity is Quantity.ACTIVE)
"""The signs of those whose energy the permitted power bounds."""

STEADY_CHANNELS = ("A+", "R+", "R-")
"""Those whose days are like their weekday; what is given back is as the weather is."""

_QUANTITIES = {channel.value: channel.quantity for channel in Channel}


def quantity_of(channel: str | None) -> Quantity:
    """What a channel measures; active energy for an unknown one."""
    return _QUANTITIES.get(channel or "", Quantity.ACTIVE)


ZONES = ("T0", "T1", "T2", "T3", "T4")
"""T0 is the total; T1 to T4 are the tariff zones."""


class Kind(StrEnum):
    """What the values of a series are."""

    INTERVAL = "interval"
    REGISTER = "register"


class Verdict(StrEnum):
    """What became of one document."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
