"""parsedmarc on a mailbox: runs in the peers' own environment, prints what it took.

Run as `python dmarc.py HOST PORT USER PASSWORD`.
"""

import json
import sys
import time

from parsedmarc import get_dmarc_reports_from_mailbox
from parsedmarc.mail import IMAPConnection


def main() -> None:
    host, port, user, password = sys.argv[1:]
    connection = IMAPConnection(
        host=host, port=int(port), ssl=False, verify=False, user=user, password=password
    )
    started, cpu = time.monotonic(), time.process_time()
    found = get_dmarc_reports_from_mailbox(
        connection=connection,
        offline=True,
        strip_attachment_payloads=True,
        batch_size=0,
        create_folders=True,
    )
    written = json.dumps(found, default=str)
    reports = found["aggregate_reports"]
    told = {
        "letters": len(reports),
        "records": sum(len(report["records"]) for report in reports),
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
        "bytes": len(written),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
