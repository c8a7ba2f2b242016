"""Every sample gives exactly what is written beside it, as far as reading goes."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from layouts.document import Document, Parsed, Series
from layouts.findings import UNREADABLE, Finding
from layouts.layout import load
from parsers import looks_like_document, parse

SAMPLES = Path(__file__).parents[2] / "samples"
LAYOUTS = load()
MOSCOW = ZoneInfo("Europe/Moscow")

# Found by the rules, which read values and not bytes.
BY_RULES = {"not-commercial"}


def documents() -> list[Path]:
    return sorted(
        file
        for number in LAYOUTS
        for file in (SAMPLES / number).iterdir()
        if not file.name.endswith(".expected.json")
    )


def expected_of(file: Path) -> list[dict[str, Any]]:
    beside = file.with_name(f"{file.name}.expected.json")
    assert beside.exists(), f"{file.name} has no expected result beside it"
    found: list[dict[str, Any]] = json.loads(beside.read_text("utf-8"))
    return found


def told(item: Finding) -> dict[str, Any]:
    return {
        "code": item.code.value,
        "severity": item.severity.value,
        "place": str(item.place),
        "point": item.point,
        "meter": item.meter,
        "channel": item.channel,
        "seen": item.seen,
    }


def series(item: Series) -> dict[str, Any]:
    return {
        "area": item.area,
        "point": item.point,
        "meter": item.meter,
        "channel": item.channel,
        "zone": item.zone,
        "kind": item.kind.value,
        "unit": item.unit,
        "start": item.start.astimezone(MOSCOW).isoformat(),
        "end": item.end.astimezone(MOSCOW).isoformat(),
        "step_minutes": item.step_minutes,
        "count": item.count,
        "total": str(item.total),
        "not_commercial": len(item.not_commercial),
    }


def read(parsed: Parsed) -> dict[str, Any]:
    created = parsed.header.created
    return {
        "file": parsed.name,
        "layout": parsed.layout,
        "sender": parsed.header.sender_code,
        "sender_inn": parsed.header.sender_inn,
        "created": created.astimezone(MOSCOW).isoformat() if created else None,
        "series": [series(item) for item in parsed.series],
        "findings": [told(item) for item in parsed.findings],
    }


@pytest.mark.parametrize("file", documents(), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_sample_reads_as_expected(file: Path) -> None:
    wanted = expected_of(file)
    for item in wanted:
        del item["verdict"]
        item["findings"] = [one for one in item["findings"] if one["code"] not in BY_RULES]

    got = parse(Document(file.name, file.read_bytes()), LAYOUTS)

    assert [read(parsed) for parsed in got] == wanted


@pytest.mark.parametrize("file", documents(), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_sample_is_taken_for_a_document(file: Path) -> None:
    assert looks_like_document(file.name, file.read_bytes())


def test_verdicts_agree_with_the_findings() -> None:
    unreadable = {code.value for code in UNREADABLE}
    for file in documents():
        for item in expected_of(file):
            codes = {found["code"] for found in item["findings"]}
            assert (item["verdict"] == "unreadable") == bool(codes & unreadable), file.name


def test_every_layout_has_accepted_and_faulty_samples_in_each_container() -> None:
    held = {
        (file.parent.name, file.suffix, item["verdict"] == "accepted")
        for file in documents()
        for item in expected_of(file)
    }
    for number in ("52005", "52006"):
        for suffix in (".xml", ".xlsx"):
            assert {(number, suffix, True), (number, suffix, False)} <= held
    assert {("80020", ".xml", True), ("80020", ".xml", False)} <= held
    assert {suffix for _, suffix, _ in held} == {".xml", ".xlsx", ".xls", ".xlsb", ".ods"}
