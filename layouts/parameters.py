"""What the retailer may set about the rules, with the defaults of the field."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from layouts.calendar import Calendar, PeakHours, load_calendar, load_peak_hours

_RANGES: dict[str, tuple[Decimal, Decimal]] = {
    "created_ahead_hours": (Decimal(0), Decimal(168)),
    "oldest_days": (Decimal(1), Decimal(3660)),
    "register_deadline_day": (Decimal(1), Decimal(28)),
    "profile_deadline_day": (Decimal(1), Decimal(28)),
    "daily_deadline_working_days": (Decimal(1), Decimal(20)),
    "permitted_power_factor": (Decimal(1), Decimal(10)),
    "maximum_power_factor": (Decimal(1), Decimal(100)),
    "register_power_factor": (Decimal(1), Decimal(10)),
    "spike_factor": (Decimal(2), Decimal(1000)),
    "spike_power_share": (Decimal(0), Decimal(1)),
    "spike_least_kwh": (Decimal(0), Decimal(10**6)),
    "flat_hours": (Decimal(2), Decimal(744)),
    "resolution_units": (Decimal(1), Decimal(10000)),
    "repeat_values": (Decimal(2), Decimal(96)),
    "low_factor": (Decimal(0), Decimal(1)),
    "high_factor": (Decimal(1), Decimal(1000)),
    "peak_drop_share": (Decimal("0.01"), Decimal(1)),
    "profile_register_share": (Decimal(0), Decimal(1)),
    "number_ahead": (Decimal(1), Decimal(10**9)),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The bounds by which readings are judged.

    Attributes:
        created_ahead_hours: How far `created` may lie after the receipt.
        oldest_days: A series whose last value is older is `too-old`.
        register_deadline_day: Day of the next month by whose end register
            readings are due.
        profile_deadline_day: The same for a monthly profile.
        daily_deadline_working_days: Working days after a day by whose end its
            daily profile is due.
        permitted_power_factor: Over permitted power x this: a warning.
        maximum_power_factor: Over permitted power x this: an error.
        register_power_factor: The same for the consumption between two
            register readings.
        spike_factor: Times the series' 95th percentile.
        spike_power_share: No spike is less than this share of the permitted power.
        spike_least_kwh: The same where the permitted power is not known, in kWh or kvarh.
        flat_hours: Hours of equal values in a row.
        resolution_units: Smaller values, counted in the smallest step that the
            series shows, are too coarse to be called flat.
        repeat_values: A day with fewer different values may repeat.
        low_factor: A day below this share of its weekday's history is low, and so is
            a register below this share of its own.
        high_factor: What is over this multiple of it is high.
        peak_drop_share: How far the share of the peak hours may fall under
            history, as a share of that share.
        profile_register_share: How far profile and registers may differ, as a
            share of what the registers say.
        number_ahead: A document's number further over the highest one is suspicious.
        calendar: Working days.
        peak_hours: The published peak hours of each month.
    """

    created_ahead_hours: int = 24
    oldest_days: int = 92
    register_deadline_day: int = 2
    profile_deadline_day: int = 2
    daily_deadline_working_days: int = 3
    permitted_power_factor: Decimal = Decimal("1.1")
    maximum_power_factor: Decimal = Decimal(3)
    register_power_factor: Decimal = Decimal("1.1")
    spike_factor: int = 8
    spike_power_share: Decimal = Decimal("0.05")
    spike_least_kwh: Decimal = Decimal(20)
    flat_hours: int = 24
    resolution_units: int = 20
    repeat_values: int = 12
    low_factor: Decimal = Decimal("0.2")
    high_factor: Decimal = Decimal(5)
    peak_drop_share: Decimal = Decimal("0.10")
    profile_register_share: Decimal = Decimal("0.01")
    number_ahead: int = 1000
    calendar: Calendar = field(default_factory=load_calendar, repr=False)
    peak_hours: PeakHours = field(default_factory=load_peak_hours, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no retailer can mean.

        Raises:
            ValueError: a parameter out of its range, with its name and range.
        """
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            exact = type(value) in {int, Decimal} and Decimal(value).is_finite()
            if not (exact and low <= value <= high):
                raise ValueError(f"{name} must be between {low} and {high}, not {value}")
        if self.maximum_power_factor < self.permitted_power_factor:
            raise ValueError("maximum_power_factor must not be below permitted_power_factor")
