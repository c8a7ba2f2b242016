"""What `ingest check` of a workbook of 500 rows costs, beside openpyxl's plain reading."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import openpyxl

ROWS = 500
RUNS = 5
WORSE = 1.25
"""More than this, measured against the recorded ratio, is too much."""

_FLOOR = """
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True)
print(sum(value is not None for sheet in book for row in sheet.values for value in row))
"""


def ratio() -> float:
    """CPU seconds of the verb against those of the floor, the middle of some runs."""
    with tempfile.TemporaryDirectory() as folder:
        path, registry = Path(folder, "readings.xlsx"), Path(folder, "registry.csv")
        _write(path, registry)
        check = [sys.executable, "-m", "ingest", "check", str(path), "--registry", str(registry)]
        check += ["--at", "2026-11-01T12:00+03", "--json"]
        floor = [sys.executable, "-c", _FLOOR, str(path)]
        # In turns, so that what else the machine does falls on both.
        pairs = [(_cpu(check), _cpu(floor)) for _ in range(RUNS)]
    return statistics.median(own / least for own, least in pairs)


def _write(path: Path, registry: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    block = [["Макет", 52006], ["Код пользователя", "200000001234"], ["Пароль", "Zima-2026"]]
    for row in (*block, ["Дата показаний", date(2026, 11, 1)], []):
        sheet.append(row)
    sheet.append(["№ п/п", "Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"])
    columns = (
        "user_code;password;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;"
        "digits;decimals;ratio;installed;removed;channels;zones"
    )
    rows = [columns]
    for number in range(1, ROWS + 1):
        point, meter = f"200000001234-{number:03d}", f"0751{number:04d}"
        sheet.append([number, point, meter, "A+", "T1", 12345.67 + number])
        secret = "Zima-2026" if number == 1 else ""
        whose = f"200000001234;{secret};ООО «Пример»;3300000001;buh@primer.example;1"
        rows.append(f"{whose};{point};Ввод;;;{meter};6;2;40;;;A+;T1")
    book.save(path)
    registry.write_text("\n".join(rows), encoding="utf-8")


def _cpu(command: list[str]) -> float:
    """CPU seconds of a process and all of its children.

    Raises:
        RuntimeError: it does not end well; the verb accepts all rows.
    """
    before = _children()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = _children() - before
    if done.returncode:
        raise RuntimeError(done.stderr or done.stdout)
    return spent


def _children() -> float:
    used = os.times()
    return used.children_user + used.children_system
