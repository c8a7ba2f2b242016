"""What an import of the register of points did, for people."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.operations.registry import Imported
from ingest.operations.told import fact_told
from storage.records.registry import RowDifference


def import_report(imported: Imported) -> str:
    """What an import changed, or would change, and what it takes each difference for."""
    head = "would be " if imported.is_dry_run else ""
    report = imported.report
    lines = [
        f"{head}{verb}: {len(items)}" + (f" ({', '.join(items)})" if items else "")
        for verb, items in (
            ("added", report.added),
            ("changed", report.changed),
            ("left alone, not mentioned", report.untouched),
        )
    ]
    lines += [f"point {p}: meter {old} is meter {new} now" for p, old, new in report.renumbered]
    lines += _first(map(_difference, report.differences))
    told = [f"{one}: {_billed(one.before)} -> {_billed(one.after)}" for one in imported.recomputed]
    if told:
        lines.append(f"{head}another consumption of open months: {len(told)}")
    return "\n".join([*lines, *_first(told)])


_MOST_TOLD = 40


def _first(lines: Iterable[str]) -> list[str]:
    """The first of many lines, and how many there are more."""
    told = list(lines)
    more = [f"and {len(told) - _MOST_TOLD} more, see --json"] if len(told) > _MOST_TOLD else []
    return told[:_MOST_TOLD] + more


def _difference(one: RowDifference) -> str:
    what = f"point {one.point}" + (f", meter {one.meter}" if one.meter else "")
    facts = ", ".join(
        f"{name} {fact_told(was)} -> {fact_told(now)}" for name, was, now in one.facts
    )
    kind = "correction" if one.is_correction else "change"
    begins = one.valid_from.isoformat() if one.valid_from else "the beginning"
    return f"{what}: {facts}: a {kind} from {begins}"


def _billed(found: tuple[str, int] | None) -> str:
    return "nothing" if found is None else f"{found[1]} Wh of {found[0]}"
