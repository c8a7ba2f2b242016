"""What a figure beside a reading must be, and when that cannot be told."""

from decimal import Decimal

import pytest

from layouts.figures import FigureKind, agrees, same

READING, DIFFERENCE, RATIO = Decimal("12345.67"), Decimal("1345.17"), Decimal(40)
KNOWN = (READING, DIFFERENCE, RATIO)


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        (FigureKind.PREVIOUS, ["11000.50"]),
        (FigureKind.DIFFERENCE, ["1345.17", "1345", "1345.2"]),
        (FigureKind.CONSUMPTION, ["53806.8", "53807"]),
        (FigureKind.USAGE, ["1345.17", "53806.8"]),
        (FigureKind.SCALED, ["493826.8", "53806.8"]),
        (FigureKind.RATIO, ["40", "40.00"]),
    ],
)
def test_a_figure_agrees_with_what_it_stands_for_and_no_other_does(
    kind: FigureKind, right: list[str]
) -> None:
    assert all(agrees(kind, Decimal(text), *KNOWN) for text in right)
    assert agrees(kind, Decimal("1354.17"), *KNOWN) is False


@pytest.mark.parametrize("kind", [k for k in FigureKind if k is not FigureKind.RATIO])
def test_without_the_last_reading_and_the_ratio_nothing_is_refuted(kind: FigureKind) -> None:
    assert agrees(kind, Decimal(1), READING, None, None) is None


def test_what_may_be_either_is_refuted_only_when_both_are_known() -> None:
    assert agrees(FigureKind.USAGE, DIFFERENCE, READING, DIFFERENCE, None) is True
    assert agrees(FigureKind.USAGE, Decimal(7), READING, DIFFERENCE, None) is None
    assert agrees(FigureKind.SCALED, Decimal("493826.8"), READING, None, RATIO) is True


def test_noise_of_binary_floats_is_no_difference() -> None:
    assert same(Decimal("345.500000000002"), Decimal("345.5"))
    assert not same(Decimal("345.50001"), Decimal("345.5"))
