"""What an import of the register of points did, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ingest.operations.registry import Imported
from storage.records import RowDifference


def import_report(imported: Imported, *, dry_run: bool) -> str:
    """What an import changed, or would change, and what it takes each difference for."""
    head = "would be " if dry_run else ""
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
    facts = ", ".join(f"{name} {_fact(was)} -> {_fact(now)}" for name, was, now in one.facts)
    kind = "correction" if one.is_correction else "change"
    begins = one.valid_from.isoformat() if one.valid_from else "the beginning"
    return f"{what}: {facts}: a {kind} from {begins}"


def _fact(fact: object) -> str:
    if fact is None or fact == "":
        return "-"
    return format(fact.normalize(), "f") if isinstance(fact, Decimal) else str(fact)


def _billed(found: tuple[str, int] | None) -> str:
    return "nothing" if found is None else f"{found[1]} Wh of {found[0]}"


def imported_json(imported: Imported, *, dry_run: bool) -> dict[str, Any]:
    """The object of `registry import --json`."""
    report = imported.report
    return {
        "added": list(report.added),
        "changed": list(report.changed),
        "untouched": list(report.untouched),
        "renumbered": [list(one) for one in report.renumbered],
        "differences": [
            {
                "point": one.point,
                "meter": one.meter,
                "valid_from": one.valid_from.isoformat() if one.valid_from else None,
                "is_correction": one.is_correction,
                "facts": {name: [_fact(was), _fact(now)] for name, was, now in one.facts},
            }
            for one in report.differences
        ],
        "recomputed": [
            {
                "period": f"{one.month:%Y-%m}",
                "point": one.point,
                "channel": one.channel,
                "zone": one.zone,
                "before": list(one.before) if one.before else None,
                "after": list(one.after) if one.after else None,
            }
            for one in imported.recomputed
        ],
        "dry_run": dry_run,
    }
