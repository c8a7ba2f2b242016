"""The register of points written as the file that `registry_file` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from ingest.operations.output import plain_cell
from ingest.operations.register.registry_file import COLUMNS
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow


def registry_csv(entities: Iterable[LegalEntity]) -> bytes:
    """The register of points as CSV, in UTF-8 with a mark that Excel understands."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(plain_cell, row) for row in _written(entities))
    return out.getvalue().encode("utf-8-sig")


def registry_xlsx(entities: Iterable[LegalEntity]) -> bytes:
    """The register of points as a workbook; every cell is text, so that zeros stay."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(COLUMNS)
    for row in _written(entities):
        sheet.append(row)
    for cells in sheet.iter_rows():
        for cell in cells:
            # A name may begin with the sign that begins a formula.
            cell.data_type, cell.number_format = "s", "@"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _written(entities: Iterable[LegalEntity]) -> Iterator[list[str]]:
    every = list(entities)
    lines: dict[str, list[dict[str, str]]] = {}
    for entity in every:
        for point in entity.points:
            for holder, cells in _lines_of(point, entity.user_code):
                lines.setdefault(holder, []).append(cells)
    for entity in every:
        own = {
            "user_code": entity.user_code,
            "name": entity.name,
            "inn": entity.inn,
            "addresses": " ".join(entity.addresses),
            "active": str(int(entity.active)),
        }
        for more in lines.get(entity.user_code, [{}]):
            cells = own | more
            yield [cells.get(column, "") for column in COLUMNS]


def _lines_of(point: MeteringPoint, holder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """User code and cells of each line; what was true when has a line for each date."""
    plain = PointRow(None, holder, point.area, point.max_power_kw, point.active, point.source)
    rows = point.rows or (plain,)

    def line(row: PointRow, day: date | None, more: dict[str, str]) -> tuple[str, dict[str, str]]:
        return row.holder or holder, {
            "point": point.code,
            "point_name": point.name,
            "area": row.area or "",
            "max_power_kw": _plain(row.max_power_kw),
            "valid_from": _day(day),
            "source": row.source,
            "load": point.load,
            **more,
        }

    if point.channels or not point.meters or len(rows) > 1:
        for row in rows:
            yield line(row, row.valid_from, {"channels": " ".join(point.channels)})
    for meter in point.meters:
        as_now = MeterRow(None, meter.number, meter.ratio, meter.digits, meter.decimals)
        for true_then in meter.rows or (as_now,):
            day = true_then.valid_from
            begun = [r for r in rows if (r.valid_from or date.min) <= (day or date.min)]
            yield line((begun or rows[:1])[-1], day, _written_meter(meter, true_then))


def _written_meter(meter: Meter, row: MeterRow) -> dict[str, str]:
    return {
        "meter": row.number,
        "digits": "" if row.digits is None else str(row.digits),
        "decimals": "" if row.decimals is None else str(row.decimals),
        "ratio": _plain(row.ratio),
        "installed": _day(meter.installed),
        "removed": _day(meter.removed),
        "channels": " ".join(meter.channels),
        "zones": " ".join(meter.zones),
    }


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _plain(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")
