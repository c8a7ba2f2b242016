"""What every verb shares: the group, the configuration, types of options, exit codes."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from ingest.operations.output import private_file

if TYPE_CHECKING:
    from ingest.wiring.service import Service

DONE, LOOK, WRONG, UNREACHABLE = 0, 1, 2, 3
"""Done; done with something to look at; wrong use or configuration; no server."""

json_option = click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")


class Call:
    """What every verb has: the configuration, read when first asked for."""

    def __init__(self) -> None:
        self.config: Path | None = None

    @cached_property
    def offline(self) -> Service:
        """The wired parts, for a verb that needs no database; without a configuration, too.

        They are closed when the verb ends.
        """
        from ingest.wiring.service import service_of

        service = service_of(self.config)
        click.get_current_context().call_on_close(service.close)
        return service

    @cached_property
    def configured(self) -> Service:
        """The wired parts, for a verb that logs nothing.

        Raises:
            SettingsError: there is no configuration.
        """
        self.offline.check_configured()
        return self.offline

    @cached_property
    def app(self) -> Service:
        """The wired parts, logging where the settings say."""
        self.configured.log()
        return self.configured

    def current(self) -> Service:
        """The service, once the database is there with the schema that this program needs."""
        self.app.check_database()
        return self.app


def _name_config(context: click.Context, _option: click.Parameter, config: Path | None) -> None:
    if config is not None:
        context.ensure_object(Call).config = config


_config: dict[str, Any] = {
    "type": click.Path(path_type=Path, dir_okay=False),
    "expose_value": False,
    "callback": _name_config,
    "help": "The configuration file; default: $INGEST_CONFIG, ingest.toml, or the one in"
    " /etc/ingest.",
}


class Verb(click.Command):
    """A verb that takes `--config`, as groups do: it may stand before or behind each of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(click.Option(["--config"], **_config))


class Verbs(Verb, click.Group):
    """A group of verbs."""

    command_class = Verb
    group_class = type


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="meter-ingest", message="%(version)s")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Receives meter readings by e-mail: polls, authenticates, validates, keeps, replies."""
    context.ensure_object(Call)
    if not debug:
        sys.excepthook = _one_sentence


_YEARS = (1970, 2200)
"""Of a moment that anybody means; near the ends of the calendar no day has a next one."""


class Instant(click.ParamType[datetime]):
    """An ISO date or moment; Moscow time unless it says otherwise."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware moment."""
        from layouts.months import MOSCOW

        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a moment like 2026-11-22 or 2026-11-22T12:00", param, ctx)
        if not _YEARS[0] <= moment.year <= _YEARS[1]:
            self.fail(f"{value} is not between the years {_YEARS[0]} and {_YEARS[1]}", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=MOSCOW)


class Month(click.ParamType[date]):
    """A month such as 2026-11."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Its first day."""
        from layouts.months import parse_month

        try:
            return parse_month(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


period_option = click.option("--period", type=Month(), required=True, help="The month.")


def complain(sentence: str) -> None:
    """Print one sentence on standard error."""
    click.echo(f"ingest: {sentence}", err=True)


def _one_sentence(
    kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> None:
    # Its text might hold what a letter held.
    del fault
    where = ""
    while trace is not None:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    if issubclass(kind, KeyboardInterrupt):
        return
    complain(f"an error of our own: {kind.__name__} at {where}; --debug shows more")


def who() -> str:
    """The operator's login name, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def progress() -> Callable[[], None]:
    """Counts letters on a terminal; nothing is shown in a pipe."""
    count = 0

    def one_more() -> None:
        nonlocal count
        count += 1
        if sys.stderr.isatty():
            click.echo(f"\r{count} letters", nl=False, err=True)

    return one_more


def steps() -> Callable[[str], None]:
    """Tells on a terminal what is done next; nothing is shown in a pipe."""

    def step(what: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"{what} ...", err=True)

    return step


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, through no symbolic link; `-` is the output.

    Raises:
        OSError: it cannot be written, or a link stands there.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return
    with private_file(path) as unfinished:
        unfinished.write_bytes(content)
