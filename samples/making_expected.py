"""What is expected of a sample document, and where both are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

Grid = list[list[Any]]

WARNINGS = (
    "decimal-comma",
    "encoding-guessed",
    "name-mismatch",
    "skipped-element",
    "not-commercial",
)
INN = "3300000001"
PRIMER, ZAVOD, IP = "200000001234", "200000003080", "000000004711"


def moscow(text: str) -> str:
    """`2026-11-14 19:32:32` as an instant."""
    return datetime.fromisoformat(f"{text}+03:00").isoformat()


def finding(code: str, place: str = "", seen: str | None = None, **about: Any) -> dict[str, Any]:
    """One finding as `check --json` tells it, without its sentence."""
    severity = "warning" if code in WARNINGS else "error"
    severity = about.get("severity", severity)
    point, channel = about.get("point"), about.get("channel")
    return {"code": code, "severity": severity, "place": place}  | {
        "point": point, "meter": about.get("meter"), "channel": channel, "seen": seen,
    }  # fmt: skip


def interval(
    point: str, start: str, minutes: int, values: Sequence[int | None], **about: Any
) -> dict[str, Any]:
    """An interval series of values in Wh."""
    channel = about.get("channel", "A+")
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes * len(values))
    present = [value for value in values if value is not None]
    return {
        "area": about.get("area"), "point": point, "meter": None, "channel": channel, "zone": None,
        "kind": "interval", "unit": "varh" if channel[0] == "R" else "Wh",
        "start": moscow(start), "end": about.get("end") or moscow(str(end)),
        "step_minutes": minutes, "count": len(present), "total": str(sum(present)),
        "not_commercial": about.get("not_commercial", 0),
    }  # fmt: skip


def reading(
    point: str | None, meter: str, value: str, zone: str = "T0", channel: str = "A+"
) -> dict[str, Any]:
    """A register reading of 1 November 2026."""
    at = moscow("2026-11-01 00:00:00")
    return {
        "area": None, "point": point, "meter": meter, "channel": channel, "zone": zone,
        "kind": "register", "unit": "kvarh" if channel[0] == "R" else "kWh",
        "start": at, "end": at, "step_minutes": 0, "count": 1, "total": value,
        "not_commercial": 0,
    }  # fmt: skip


def keep(path: str, content: bytes, *results: dict[str, Any]) -> None:
    """A sample and, beside it, what is expected of it."""
    file = HERE / path
    file.write_bytes(content)
    whole = [{"file": file.name, **result} for result in results]
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    file.with_name(f"{file.stem}{file.suffix}.expected.json").write_text(text + "\n", "utf-8")


def result(
    layout: str | None,
    verdict: str,
    sender: str | None = None,
    created: str | None = None,
    series: Sequence[dict[str, Any]] = (),
    findings: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What `check --json` says of one document, without its file."""
    return {
        "layout": layout, "verdict": verdict, "sender": sender,
        "sender_inn": INN if layout == "80020" else None,
        "created": moscow(created) if created else None,
        "series": list(series), "findings": list(findings),
    }  # fmt: skip


def unreadable(*findings: dict[str, Any], **about: Any) -> dict[str, Any]:
    """The result for what is no document."""
    return result(None, "unreadable", findings=findings, **about)
