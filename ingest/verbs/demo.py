"""The verb that shows the whole system on embedded servers."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.verbs.types import DONE, LOOK, cli, complain

if TYPE_CHECKING:
    from ingest.demo.run import Result, Running


@cli.command(cls=click.Command)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Leave database and replies there.")  # fmt: skip
@click.option("--serve", is_flag=True, help="Go on running, for letters of your own.")
def demo(keep: Path | None, serve: bool) -> int:
    """The whole system on embedded servers, with the sample letters."""
    from ingest.demo.run import run_demo

    is_expected = run_demo(keep, _tell, _serve if serve else None)
    if not serve:
        click.echo(
            "\nThe account of a legal entity and the operators' console, with invented readings"
            " of two years:  ingest demo --serve"
        )
    return DONE if is_expected else LOOK


def _tell(result: Result) -> None:
    from ingest.operations.told import reply_text
    from ingest.verbs.printing import tell
    from ingest.verbs.show import DEMO

    tell(result.lines, False, DEMO)
    if result.example:
        name, reply = result.example
        click.echo(f"\nThe reply to {name}:\n")
        click.echo(reply_text(reply))
    good = sum(line.is_expected for line in result.lines)
    click.echo(
        f"\n{good} of {len(result.lines)} letters as expected, {result.replies} replies received,"
        f" in {result.seconds:.1f} s"
    )
    if not result.whole:
        complain("some letters had no verdict when the time was up")


def _serve(running: Running) -> None:
    from ingest.demo import year
    from ingest.demo.servers import HOST, PASSWORD, USER

    click.echo(
        f"""
Still running. The account of an invented legal entity, with readings of two years:

  http://{HOST}:{running.web_port}/
  code {year.CODE}, password {year.PASSWORD}

The operators' console:

  http://{HOST}:{running.web_port}/console
  name {year.OPERATOR}, password {year.OPERATOR_PASSWORD}

Send a letter of your own:

  curl smtp://{HOST}:{running.smtp_port} --mail-from you@example.org --mail-rcpt {USER} \\
       --crlf --upload-file letter.eml

or set a mail program's outgoing server to {HOST}, port {running.smtp_port}, no encryption, and
write to {USER}. Replies appear in {running.folder}; the mailbox is at
{HOST}:{running.imap_port} (IMAP, user {USER}, password {PASSWORD}).
Operators' view:  ingest --config {running.folder}/ingest.toml letters
Ctrl-C ends it."""
    )
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
