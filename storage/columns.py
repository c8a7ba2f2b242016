"""Column types that keep a value exactly as it came, on every database.

SQLite makes binary floats of decimals and forgets time zones; PostgreSQL
refuses NUL characters. What goes through here comes back equal.
"""

# SQLAlchemy prescribes the methods' arguments, the dialect among them.
# ruff: noqa: ARG002

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from layouts.exact import MICRO, decimal

INTEGER_MOST = 2**63 - 1


def epoch(instant: datetime) -> int:
    """Whole seconds since 1970 in UTC of an aware instant.

    Raises:
        ValueError: it has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone names no moment")
    return int(instant.timestamp())


def instant(seconds: int) -> datetime:
    """The UTC instant so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def micro(value: Decimal) -> int:
    """A decimal as an integer of 10^-6 units.

    Raises:
        ValueError: it has more than six decimals, or no place in 64 bits.
    """
    if not abs(value) < INTEGER_MOST // MICRO:
        raise ValueError(f"{value} has no place among 64 bits of millionths")
    units = int(value * MICRO)
    # Comparing decimals is exact where multiplying them may round.
    if Decimal(units).scaleb(-6) != value:
        raise ValueError(f"{value} cannot be kept exactly in millionths")
    return units


def clean(text: str) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    # Nearly every text is printable, and nothing of that has to be replaced.
    if text.isprintable():
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as epoch seconds; fractions of a second are cut off."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Epoch seconds."""
        return None if value is None else epoch(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """An aware instant in UTC."""
        return None if value is None else instant(value)


class Micro(TypeDecorator[Decimal]):
    """A decimal of at most six places, kept as an integer of millionths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Millionths."""
        return None if value is None else micro(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """An exact decimal."""
        return None if value is None else decimal(value)


class Words(TypeDecorator[tuple[str, ...]]):
    """A few words without blanks in them, kept as one line."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """The words, one blank between them."""
        return None if value is None else " ".join(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        """The words in their order."""
        return None if value is None else tuple(value.split())


class Clean(TypeDecorator[str]):
    """Text from outside, in which some databases refuse some characters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Text without what cannot be stored."""
        return None if value is None else clean(value)


class OpenDate(TypeDecorator[date]):
    """A date or None, where None must count in a unique constraint.

    SQL holds any two NULLs for different; year 1 stands for "not known".
    """

    impl = Date
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> date:
        """The date, or the first one there is."""
        return value or date.min

    def process_result_value(self, value: Any | None, dialect: Dialect) -> date | None:
        """The date, or None."""
        return None if value is None or value == date.min else value
