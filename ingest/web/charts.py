"""Column charts as numbers for a template: missing looks missing, never like zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.operations.account.consumption import Amount

_WIDTH, _HEIGHT = 960, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 8, 16, 30
_STEPS = (1, 2, 5, 10)
_LINES = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        style: `bar`, `suspect`, `past` or `gap`.
    """

    x: float
    y: float
    width: float
    height: float
    style: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text at an axis."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template draws.

    Attributes:
        lines: Where the horizontal lines are, with what they stand for.
    """

    width: int
    height: int
    left: int
    right: int
    columns: tuple[Column, ...]
    lines: tuple[Label, ...]
    names: tuple[Label, ...]


def columns(
    amounts: Sequence[Amount], name: Callable[[Amount], str], write: Callable[[Decimal], str]
) -> Chart:
    """A column for each amount, with that of the year before beside it.

    Args:
        amounts: In their order.
        name: What stands below an amount.
        write: Thousands of Wh as text.
    """
    highest = max([a.energy or 0 for a in amounts] + [a.past or 0 for a in amounts], default=0)
    step = _step(highest)
    most = max(step, -(-highest // step) * step)
    wide = (_WIDTH - _LEFT - _RIGHT) / max(1, len(amounts))
    floor = _HEIGHT - _BOTTOM

    def height(energy: int) -> float:
        return round(max(0, energy) / most * (floor - _TOP), 1)

    drawn: list[Column] = []
    has_past = any(amount.past is not None for amount in amounts)
    for at, amount in enumerate(amounts):
        x, bar = _LEFT + at * wide, wide * (0.42 if has_past else 0.76)
        if has_past and amount.past is not None:
            tall = height(amount.past)
            drawn.append(
                Column(round(x + wide * 0.06, 1), floor - tall, round(bar, 1), tall, "past")
            )
        left = round(x + wide * (0.5 if has_past else 0.12), 1)
        is_whole = amount.energy is not None and not amount.missing
        if not is_whole and amount.has_begun:
            drawn.append(Column(left, _TOP, round(bar, 1), floor - _TOP, "gap"))
        if amount.energy is not None:
            tall = height(amount.energy)
            style = "suspect" if amount.is_suspect else "bar"
            drawn.append(Column(left, floor - tall, round(bar, 1), tall, style))
    lines = [
        Label(_LEFT, round(floor - at / most * (floor - _TOP), 1), write(_thousands(at)))
        for at in range(0, most + 1, step)
    ]
    every = max(1, round(44 / wide))
    names = [
        Label(round(_LEFT + (at + 0.5) * wide, 1), _HEIGHT - 9, name(amount))
        for at, amount in enumerate(amounts)
        if at % every == 0
    ]
    return Chart(_WIDTH, _HEIGHT, _LEFT, _WIDTH - _RIGHT, tuple(drawn), tuple(lines), tuple(names))


def _thousands(amount: int) -> Decimal:
    whole = Decimal(amount) / 1000
    return whole.quantize(Decimal(1)) if whole == whole.to_integral() else whole.normalize()


def _step(highest: int) -> int:
    """A round step with which a few lines reach the highest amount."""
    wanted = max(1, highest // _LINES)
    power = int(10 ** (len(str(wanted)) - 1))
    return next(step * power for step in _STEPS if step * power >= wanted)
