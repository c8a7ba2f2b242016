"""Writes the sample documents and the result expected of each.

    python samples/make.py

The expected results are counted here from the values themselves, never by the
parsers: whatever a reader says of a sample, it must say what this file says.
"""

from __future__ import annotations

import json

from making_52005 import make_52005, make_workbooks_52005
from making_52006 import READINGS, as_series, make_52006, make_workbooks_52006
from making_80020 import make_80020
from making_expected import HERE, PRIMER, result


def keep_expected_of_others() -> None:
    """LibreOffice saved these from samples above; what they say is the same."""
    for path, source in (("52005/hours", "hours.xlsx"), ("52006/readings", "readings.xlsx")):
        for suffix in (".xlsx", ".ods", ".xls"):
            file = HERE / f"{path}-libreoffice{suffix}"
            beside = (file.with_name(f"{source}.expected.json")).read_text("utf-8")
            text = beside.replace(f'"{source}"', f'"{file.name}"')
            file.with_name(f"{file.name}.expected.json").write_text(text, "utf-8")
    # Saving counts the formula.
    grid = [[*READINGS[0][:4], "12345.67"], READINGS[1]]
    counted = result("52006", "accepted", PRIMER, None, as_series(grid, numbers=True))
    name = "formula-libreoffice.ods"
    text = json.dumps([{"file": name, **counted}], ensure_ascii=False, indent=1)
    (HERE / f"52006/{name}.expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    make_52005()
    make_52006()
    make_80020()
    make_workbooks_52005()
    make_workbooks_52006()
    keep_expected_of_others()
