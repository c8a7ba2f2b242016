"""The verbs: each calls one function and prints its result.

Exit codes: 0 done, 1 done with something to look at, 2 wrong use or configuration,
3 a server could not be reached.
"""

from __future__ import annotations

import getpass
import io
import json
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.wiring import App
    from storage.records import LetterSummary
    from storage.store import Store

DONE, LOOK, WRONG, UNREACHABLE = 0, 1, 2, 3

_PASSWORD_MOST = 200
"""Characters of the longest password that is looked for in a letter."""

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; default: $INGEST_CONFIG, else ingest.toml.",
)


class Call:
    """What every verb has: the configuration, read when first asked for."""

    def __init__(self, config: Path | None) -> None:
        self._config = config
        # Sees every event of the log, once the daemon has set it.
        self.observe: Any = None

    @cached_property
    def offline(self) -> App:
        """The wired parts, for a verb that logs nothing."""
        from config.settings import load
        from ingest.wiring import App

        return App(load(self._config))

    @cached_property
    def app(self) -> App:
        """The wired parts, logging where the settings say."""
        from config.log import set_up

        log = self.offline.settings.log
        # Who sits at a terminal and asked for no form wants to read.
        is_read = "format" not in log.model_fields_set and not log.file and sys.stderr.isatty()
        try:
            set_up("console" if is_read else log.format, log.level, log.file)
        except OSError as fault:
            raise click.UsageError(
                f"log.file: {log.file} cannot be opened: {fault.strerror}"
            ) from None
        return self.offline

    def reload(self) -> App:
        """The parts wired anew from the configuration as it is now."""
        for wired in ("offline", "app"):
            self.__dict__.pop(wired, None)
        return self.current()

    def current(self) -> App:
        """The parts, once the database has the schema that this program needs.

        A new SQLite file is given it at once; any other database waits for `migrate`.
        """
        app = self.app
        if app.is_new_database():
            app.ledger.migrate()
        elif not app.ledger.schema_is_current():
            raise click.UsageError(
                "the database has another schema than this program needs: run `ingest migrate`"
            )
        return app


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@_config
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="meter-ingest", message="%(version)s")
@click.pass_context
def cli(context: click.Context, config: Path | None, debug: bool) -> None:
    """Receives meter readings by e-mail: polls, authenticates, validates, keeps, replies."""
    context.obj = Call(config)
    if not debug:
        sys.excepthook = _one_sentence


def main() -> None:
    """Run a verb; every fault ends in one sentence and an exit code."""
    # Passwords go through this memory: it is never written to a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        code = cli.main(prog_name="ingest", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as fault:
        click.echo(fault.format_message(), err=True)
        sys.exit(WRONG)
    except click.ClickException as fault:
        _complain(fault.format_message())
        sys.exit(WRONG)
    except ConnectionError as fault:
        _complain(f"{fault} (`ingest doctor` tries everything and says what to do)")
        sys.exit(UNREACHABLE)
    except ValueError as fault:
        _complain_or_raise(fault)
        sys.exit(WRONG)
    except OSError as fault:
        _complain(f"{fault.filename or 'the system'}: {fault.strerror or fault}")
        sys.exit(WRONG)
    sys.exit(code if isinstance(code, int) else DONE)


def _complain(sentence: str) -> None:
    click.echo(f"ingest: {sentence}", err=True)


def _complain_or_raise(fault: ValueError) -> None:
    """A mistake in what we were given is one sentence; any other is ours to see."""
    from config.settings import SettingsError
    from ingest.operations.export import ExportError
    from ingest.transports.files import NoLettersError
    from layouts.layout import LayoutError

    if not isinstance(fault, SettingsError | LayoutError | NoLettersError | ExportError):
        raise fault
    _complain(str(fault))


@contextmanager
def _mistakes_told(file: Path) -> Iterator[None]:
    """Tells all mistakes of a registry file at once, each on its line."""
    try:
        yield
    except ValueError as mistakes:
        from ingest.operations.registry_file import RegistryMistakes

        if not isinstance(mistakes, RegistryMistakes):
            raise
        raise click.UsageError(f"{file} is not taken over:\n{mistakes}") from None


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
    _complain(f"an error of our own: {kind.__name__} at {where}; --debug shows more")


def _print(rows: Iterable[dict[str, Any]], as_json: bool, columns: dict[str, str]) -> None:
    """Rows as JSON lines, or as a table of the columns named."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    from ingest.verbs.show import table

    table(list(rows), columns)


class Instant(click.ParamType[datetime]):
    """An ISO date or moment; Moscow time unless it says otherwise."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware moment."""
        from zoneinfo import ZoneInfo

        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a moment like 2026-11-22 or 2026-11-22T12:00", param, ctx)
        if not _YEARS[0] <= moment.year <= _YEARS[1]:
            self.fail(f"{value} is not between the years {_YEARS[0]} and {_YEARS[1]}", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/Moscow"))


_YEARS = (1970, 2200)
"""Of a moment that anybody means; near the ends of the calendar no day has a next one."""


class Month(click.ParamType[date]):
    """A month such as 2026-11."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Its first day."""
        from layouts.months import parse_month

        if isinstance(value, date):
            return value
        try:
            return parse_month(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


_period = click.option("--period", type=Month(), required=True, help="The month.")


@cli.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Leave database and replies there.")  # fmt: skip
@click.option("--serve", is_flag=True, help="Go on running, for letters of your own.")
def demo(keep: Path | None, serve: bool) -> int:
    """The whole system on embedded servers, with the sample letters."""
    from ingest.demo.run import run_demo

    return DONE if run_demo(keep, serve=serve) else LOOK


@cli.command()
@click.pass_obj
def run(call: Call) -> int:
    """The daemon: polls every mailbox, wakes on IDLE, sends what is owed."""
    from ingest.engine import daemon
    from ingest.operations.letters import parts, state
    from ingest.web.monitor import Metrics, served

    settings = call.current().settings
    if not settings.mailbox:
        raise click.UsageError("there is no [[mailbox]] to read: add one to the configuration")
    call.observe = Metrics(lambda: state(call.app))
    with served(call.observe, settings.metrics.listen):
        daemon.run(lambda: parts(call.reload()))
    return DONE


@cli.command()
@click.pass_obj
def poll(call: Call) -> int:
    """One pass over every mailbox, the outbox drained, and out."""
    from ingest.operations.letters import poll_all

    return DONE if poll_all(call.current()) else LOOK


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path, dir_okay=False))  # fmt: skip  # noqa: E501
@click.option("--registry", type=click.Path(exists=True, path_type=Path), help="The register of points to check against.")  # fmt: skip  # noqa: E501
@click.option("--at", type=Instant(), help="The moment of receipt to assume.")
@click.option("--language", type=click.Choice(["ru", "en"]), help="Of the messages; default: [replies] language.")  # fmt: skip  # noqa: E501
@_json
@click.pass_obj
def check(
    call: Call,
    files: tuple[Path, ...],
    registry: Path | None,
    at: datetime | None,
    language: str | None,
    as_json: bool,
) -> int:
    """Read and check documents offline: XML, workbooks, zips of them, .eml letters.

    Exit 0: clean or warnings only; 1: errors found; 2: unreadable.
    """
    from ingest.operations.check import Rules, check_file
    from ingest.verbs.show import check_result
    from layouts.terms import Verdict

    app = call.offline
    entities = None
    if registry:
        from ingest.operations.registry_file import read_registry

        with _mistakes_told(registry):
            # Its passwords are passed over: nothing is stored here.
            entities = read_registry(registry.read_bytes(), with_passwords=True).entities
    memory_mb = app.settings.limits.memory_mb
    rules = Rules(app.layouts, app.parameters, app.limits, entities, at, memory_mb)
    told = language or app.settings.replies.language
    verdicts = set()
    for file in files:
        for result in check_file(file, rules):
            verdicts.add(result.checked.verdict)
            row = result.as_json(told)
            click.echo(json.dumps(row, ensure_ascii=False) if as_json else check_result(row))
    if Verdict.UNREADABLE in verdicts:
        return WRONG
    return LOOK if verdicts - {Verdict.ACCEPTED} else DONE


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--at", type=Instant(), help="Moment of receipt of letters that carry none.")
@click.option("--dry-run", is_flag=True, help="Roll everything back, and show the replies.")
@_json
@click.pass_obj
def process(
    call: Call, paths: tuple[Path, ...], at: datetime | None, dry_run: bool, as_json: bool
) -> int:
    """Run .eml files, folders of them, a Maildir or an mbox through the pipeline."""
    from ingest.operations.letters import process_paths
    from ingest.verbs.show import processed, reply_text

    language = call.app.settings.replies.language
    clean = True
    for item in process_paths(call.current(), paths, at, dry_run=dry_run):
        clean = clean and item.handled.outcome.value != "quarantined"
        row = item.as_json(language)
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else processed(row))
        if dry_run and item.handled.reply and not as_json:
            click.echo(reply_text(item.handled.reply.content))
    return DONE if clean else LOOK


@cli.group()
def registry() -> None:
    """Legal entities, metering points and meters."""


@registry.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--with-passwords", is_flag=True, help="Take a password column, for a demo.")
@_json
@click.pass_obj
def registry_import(
    call: Call, file: Path, dry_run: bool, with_passwords: bool, as_json: bool
) -> int:
    """Take a CSV or XLSX over, in one transaction."""
    from dataclasses import asdict

    from ingest.operations.letters import import_registry
    from ingest.verbs.show import import_report

    app = call.current()
    with _mistakes_told(file):
        report = import_registry(
            app, file.read_bytes(), _who(), with_passwords=with_passwords, dry_run=dry_run
        )
    row = asdict(report) | {"dry_run": dry_run}
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else import_report(report, dry_run))
    return DONE


@registry.command("export")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="A .csv or .xlsx; default: CSV to standard output.")  # fmt: skip
@click.pass_obj
def registry_export(call: Call, output: Path | None) -> int:
    """Everything in the register, in the form that `import` takes; no passwords."""
    from ingest.operations.registry_file import registry_csv, registry_xlsx

    with call.current().ledger.reading() as store:
        entities = store.registry.entities()
    if output is None:
        sys.stdout.buffer.write(registry_csv(entities))
    elif output.suffix.lower() == ".xlsx":
        output.write_bytes(registry_xlsx(entities))
    else:
        output.write_bytes(registry_csv(entities))
    return DONE


@registry.command("show")
@click.argument("code")
@_json
@click.pass_obj
def registry_show(call: Call, code: str, as_json: bool) -> int:
    """One legal entity with its points and meters, and what was changed when."""
    from ingest.verbs.show import entity_json, entity_text

    with call.current().ledger.reading() as store:
        entity = store.registry.entity(code)
        changes = store.audit.changes_of(entity) if entity else []
    if entity is None:
        raise click.UsageError(f"{code}: the register has no such user code")
    row = entity_json(entity, changes)
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else entity_text(row))
    return DONE


@cli.command()
@click.argument("code")
@click.pass_obj
def password(call: Call, code: str) -> int:
    """Give an entity a password: one line from a pipe, else a new one is made and shown."""
    from ingest.operations.letters import set_password

    given = _given_password()
    made = set_password(call.current(), code, given, _who())
    if made is None:
        raise click.UsageError(f"{code}: the register has no such user code")
    if not given:
        click.echo(made)
    return DONE


def _given_password() -> str:
    """The one line of a pipe, '' when there is none.

    A password that no letter could give is refused.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    content = sys.stdin.buffer.read(_PASSWORD_MOST * 8)
    try:
        line = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.UsageError("the password on standard input is not UTF-8 text") from None
    if content and not line:
        raise click.UsageError("the password on standard input is empty")
    if not line.isprintable() or line != line.strip() or len(line) > _PASSWORD_MOST:
        raise click.UsageError(
            "a password is one line without blanks around it, of at most"
            f" {_PASSWORD_MOST} characters: letters give it so"
        )
    return line


@cli.command()
@click.option("--state", help="claimed, done or quarantined; or an outcome such as rejected.")
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("--since", type=Instant(), help="Received then or later.")
@_json
@click.pass_obj
def letters(
    call: Call, state: str | None, entity: str | None, since: datetime | None, as_json: bool
) -> int:
    """What came, and what became of it."""
    from ingest.verbs.show import LETTER_COLUMNS, letter_json

    rows = _letters(call.current(), state, entity=entity, since=since)
    _print((letter_json(row) for row in rows), as_json, LETTER_COLUMNS)
    return DONE


def _letters(app: App, state: str | None, **wanted: Any) -> list[LetterSummary]:
    """Letters in a state, or with an outcome."""
    from ingest.letters.outcome import Outcome
    from storage.records import LetterState

    is_state = state in set(LetterState)
    if state is not None and not is_state and state not in set(Outcome):
        known = ", ".join(dict.fromkeys([*LetterState, *Outcome]))
        raise click.UsageError(f"--state {state}: it is none of {known}")
    with app.ledger.reading() as store:
        return store.letters.find(
            state=state if is_state else None, outcome=None if is_state else state, **wanted
        )


@cli.command()
@click.argument("numbers", nargs=-1, type=click.IntRange(1, 2**63 - 1), metavar="[ID]…")
@click.option("--state", help="Every letter in this state, or with this outcome.")
@_json
@click.pass_obj
def replay(call: Call, numbers: tuple[int, ...], state: str | None, as_json: bool) -> int:
    """Letters once more through the pipeline, from the folder they were filed in."""
    from dataclasses import asdict

    from ingest.operations.letters import poll_all
    from ingest.operations.letters import replay as put_back

    if bool(numbers) == bool(state):
        raise click.UsageError("name letters by their numbers, or a --state, not both")
    app = call.current()
    known = [row.id for row in _letters(app, state)]
    for number in set(numbers).difference(known):
        raise click.UsageError(f"{number}: there is no letter of this number")
    replayed = put_back(app, numbers or known)
    whole = poll_all(app) if replayed.put_back else True
    if as_json:
        click.echo(json.dumps(asdict(replayed)))
    else:
        click.echo(f"put back: {len(replayed.put_back)}")
        for number in replayed.not_found:
            click.echo(f"letter {number} is in no mailbox and keeps its verdict")
    return DONE if whole and not replayed.not_found else LOOK


@cli.command()
@click.option("--since", type=Instant(), required=True, help="The first day of receipt.")
@_json
@click.pass_obj
def backfill(call: Call, since: datetime, as_json: bool) -> int:
    """Read letters that were filed already once more; what is known is passed over."""
    from ingest.operations.letters import backfill as read_again

    outcomes = read_again(call.current(), since.date(), _progress())
    if as_json:
        click.echo(json.dumps(outcomes))
    else:
        told = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        click.echo(told or "no letters")
    return DONE


def _refuse_unknown_verdict(verdict: str) -> None:
    from ingest.letters.outcome import Outcome

    if verdict and verdict not in set(Outcome):
        raise click.UsageError(f"--verdict {verdict}: it is none of {', '.join(Outcome)}")


def _progress() -> Callable[[], None]:
    """Counts letters on a terminal; nothing is shown in a pipe."""
    count = 0

    def one_more() -> None:
        nonlocal count
        count += 1
        if sys.stderr.isatty():
            click.echo(f"\r{count} letters", nl=False, err=True)

    return one_more


@cli.command()
@click.argument("number", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@_json
@click.pass_obj
def show(call: Call, number: int, as_json: bool) -> int:
    """One letter with its findings, receipts and reply."""
    from ingest.verbs.show import whole_json, whole_text

    app = call.current()
    with app.ledger.reading() as store:
        whole = store.letters.details(number)
    if whole is None:
        raise click.UsageError(f"{number}: there is no letter of this number")
    row = whole_json(whole, app.settings.replies.language)
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else whole_text(row))
    return DONE


@cli.command()
@_json
@click.pass_obj
def status(call: Call, as_json: bool) -> int:
    """How the service stands; exit 1 when something needs a person."""
    from ingest.operations.letters import state
    from ingest.verbs.show import status_text

    row = state(call.current())
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else status_text(row))
    return LOOK if row["needs_a_person"] else DONE


@cli.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--entity", default="", metavar="CODE", help="Of one legal entity.")
@click.option("--verdict", default="", metavar="V", help="Letters with this verdict only.")
@click.option("-f", "--follow", is_flag=True, help="Wait for more.")
@_json
@click.pass_obj
def tail(
    call: Call, file: Path | None, entity: str, verdict: str, follow: bool, as_json: bool
) -> int:
    """The log, readable and filtered: of [log] file, of FILE, or of a pipe (-)."""
    from ingest.verbs import log as tailing

    path = file or Path(call.offline.settings.log.file or "-")
    if file is None and str(path) == "-" and sys.stdin.isatty():
        raise click.UsageError(
            "[log] file is not set: name a file, or pipe the log in"
            " (journalctl -u ingest -o cat | ingest tail -)"
        )
    _refuse_unknown_verdict(verdict)
    wanted = tailing.Filter(entity, verdict)
    if str(path) == "-":
        opened: Any = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    elif follow:
        opened = nullcontext(tailing.follow(path))
    else:
        opened = path.open(encoding="utf-8", errors="replace")
    with opened as source:
        for event, line in tailing.lines(source, wanted):
            click.echo(json.dumps(event, ensure_ascii=False) if as_json else line)
    return DONE


@cli.command()
@click.argument("layout", metavar="CLASS")
@click.option("--entity", metavar="CODE", help="Fill in its points and meters.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Default: CLASS_CODE.xlsx here.")  # fmt: skip
@click.pass_obj
def template(call: Call, layout: str, entity: str | None, output: Path | None) -> int:
    """A workbook to fill in and to mail."""
    from ingest.operations.letters import template as made

    app = call.current() if entity else call.app
    forms = sorted(name for name, form in app.layouts.items() if form.workbook is not None)
    if layout not in forms:
        raise click.UsageError(f"{layout}: there are workbooks of {', '.join(forms)}")
    content = made(app, layout, entity)
    if content is None:
        raise click.UsageError(f"{entity}: the register has no such user code")
    path = output or Path("_".join(filter(None, (layout, entity))) + ".xlsx")
    path.write_bytes(content)
    click.echo(str(path))
    return DONE


@cli.command()
@_json
@click.pass_obj
def doctor(call: Call, as_json: bool) -> int:
    """Try configuration, database, mailboxes, SMTP and clock; say what to do."""
    from ingest.operations.doctor import examine

    worst = DONE
    for result in examine(call.app):
        worst = max(worst, DONE if result.is_well else result.exit_code)
        row = result.as_json()
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else result.line())
    return worst


@cli.command()
@click.pass_obj
def migrate(call: Call) -> int:
    """Bring the database's schema to the version this program needs."""
    call.app.ledger.migrate()
    return DONE


@cli.command()
@_period
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="A .csv, .xlsx or .parquet; default: CSV to standard output.")  # fmt: skip
@click.option("--grain", type=click.Choice(["interval", "day", "month"]), default="interval",
              show_default=True, help="How finely profiles are told.")  # fmt: skip
@click.option("--history", is_flag=True, help="Also what was replaced, by whom and when.")
@_json
@click.pass_obj
def readings(
    call: Call,
    period: date,
    entity: str | None,
    output: Path | None,
    grain: str,
    history: bool,
    as_json: bool,
) -> int:
    """Accepted values for billing; docs/readings.md tells of every column."""
    from ingest.operations import export
    from storage.billing import Grain

    if history and grain != "interval":
        raise click.UsageError("--history tells single values: leave out --grain")
    if output is not None and as_json:
        raise click.UsageError("--json goes to standard output: leave out -o")
    if output is not None:
        export.check_path(output)
    with call.current().ledger.reading() as store:
        _known(store, entity)
        rows = store.billing.values(period, Grain(grain), entity, history=history)
        if output is not None:
            export.write_file(_counted(rows), output, history=history)
        elif as_json:
            export.write_json(rows, click.echo, history=history)
        else:
            out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
            export.write_csv(rows, out, history=history)
            out.detach()
    return DONE


def _counted(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows, counted on a terminal while they pass."""
    told = sys.stderr.isatty()
    for number, row in enumerate(rows, 1):
        if told and not number % 50_000:
            click.echo(f"\r{number} values", nl=False, err=True)
        yield row


def _known(store: Store, entity: str | None) -> None:
    if entity is not None and store.registry.entity(entity) is None:
        raise click.UsageError(f"{entity}: the register has no such user code")


@cli.command()
@_period
@click.option("--entity", metavar="CODE", help="Of one legal entity.")
@click.option("--remind", is_flag=True, help="Owe each of them a reminder, at most one a day.")
@_json
@click.pass_obj
def missing(call: Call, period: date, entity: str | None, remind: bool, as_json: bool) -> int:
    """Who has not reported a month, or not whole, by now; exit 1 when there is one."""
    from ingest.operations import periods

    app, now = call.current(), datetime.now(UTC)
    with app.ledger.reading() as store:
        _known(store, entity)
        closed = period in store.periods.closed()
    if remind and closed:
        raise click.UsageError(f"{period:%Y-%m} is closed: nobody could report it any more")
    every: Iterable[periods.Lacking] = periods.lacking(app.ledger, period, now, entity)
    if remind:
        desk = app.desk
        every = periods.remind(every, app.ledger, period, now, desk.replies, desk.layouts)
    rows = [row for one in every for row in periods.missing_json(one)]
    told = rows if as_json else [periods.missing_row(row) for row in rows]
    _print(told, as_json, periods.MISSING_COLUMNS)
    return LOOK if rows else DONE


@cli.group()
def period() -> None:
    """Months that are closed to further documents."""


@period.command("close")
@click.argument("month", type=Month())
@click.pass_obj
def period_close(call: Call, month: date) -> int:
    """Freeze a month: a later document for it gets `period-closed`."""
    from layouts.months import bounds

    now = datetime.now(UTC)
    with call.current().ledger.transaction() as store:
        done = store.periods.close(month, _who(), now)
    if not done:
        _complain(f"{month:%Y-%m} is closed already")
        return LOOK
    click.echo(f"{month:%Y-%m} is closed")
    if now < bounds(month)[1]:
        _complain(f"{month:%Y-%m} has not ended yet; `ingest period reopen` opens it again")
    return DONE


@period.command("reopen")
@click.argument("month", type=Month())
@click.pass_obj
def period_reopen(call: Call, month: date) -> int:
    """Let documents into a closed month again."""
    with call.current().ledger.transaction() as store:
        done = store.periods.reopen(month, _who(), datetime.now(UTC))
    if not done:
        _complain(f"{month:%Y-%m} is not closed")
        return LOOK
    click.echo(f"{month:%Y-%m} is open again")
    return DONE


@period.command("list")
@_json
@click.pass_obj
def period_list(call: Call, as_json: bool) -> int:
    """Every closing and reopening, with who and when."""
    from ingest.operations import periods

    with call.current().ledger.reading() as store:
        entries = store.audit.of("period")
    _print(periods.period_json(entries), as_json, periods.PERIOD_COLUMNS)
    return DONE


def _who() -> str:
    """The operator's login name, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
