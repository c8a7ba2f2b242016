"""nemreader on a NEM12 file: runs in the peers' own environment, prints what it took.

Run as `python nem12.py FOLDER SERIES DAYS`: so many series of so many days of half-hours.
"""

import json
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from nemreader import output_as_sqlite


def nem12(series: int, days: int) -> str:
    rows = ["100,NEM12,202601010000,BENCH,BENCH"]
    for number in range(series):
        rows.append(f"200,NMI{number:07d},E1,E1,E1,,METER{number},KWH,30,")
        for day in range(days):
            when = date(2025, 1, 1) + timedelta(days=day)
            values = ",".join(f"{1 + (i * 7 + day) % 50 / 10:.1f}" for i in range(48))
            rows.append(f"300,{when:%Y%m%d},{values},A,,,20260101000000,")
    return "\n".join([*rows, "900"]) + "\n"


def main() -> None:
    folder, series, days = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    source = folder / "meters.csv"
    source.write_text(nem12(series, days))
    started, cpu = time.monotonic(), time.process_time()
    output_as_sqlite(file_name=source, output_dir=folder)
    told = {
        "values": series * days * 48,
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
