"""A marked workbook as it comes out of the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Marked:
    """A sender's workbook with the findings marked in it, as .xlsx.

    Attributes:
        lost: What could not be carried over, as keys of the words' `lost` group.
    """

    content: bytes = field(repr=False)
    lost: tuple[str, ...] = ()
