"""The service as it is, but that its children do what letters say.

It is the way in to the running service's confinement that only tests have: no setting and
no option gives children other work.
"""

from dataclasses import replace

from ingest.__main__ import main
from ingest.reading import fork_server
from tests.readers import OBEY

command = fork_server.command


if __name__ == "__main__":
    fork_server.command = lambda config: command(replace(config, work=OBEY))
    main()
