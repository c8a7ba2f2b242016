"""The verbs of the service itself, and what every one ends with: one sentence and a code."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

import click

# Each adds its verbs to the group.
from ingest.verbs import (  # noqa: F401
    audit,
    billing,
    demo,
    entries,
    letters,
    operators,
    registry,
    senders,
)
from ingest.verbs.types import (
    DONE,
    LOOK,
    UNREACHABLE,
    WRONG,
    Call,
    cli,
    complain,
    json_option,
)

if TYPE_CHECKING:
    from ingest.wiring.service import Service


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
        complain(fault.format_message())
        sys.exit(WRONG)
    except ConnectionError as fault:
        told = (
            getattr(fault, "advice", "") or "`ingest doctor` tries everything and says what to do"
        )
        complain(f"{fault} ({told})")
        sys.exit(UNREACHABLE)
    except ValueError as fault:
        _complain_or_raise(fault)
        sys.exit(WRONG)
    except OSError as fault:
        complain(f"{fault.filename or 'the system'}: {fault.strerror or fault}")
        sys.exit(WRONG)
    sys.exit(code if isinstance(code, int) else DONE)


def _complain_or_raise(fault: ValueError) -> None:
    """Print a user's mistake as one sentence; raise any other fault again."""
    from config.settings import SettingsError
    from ingest.letters.terms import NoLettersError
    from ingest.operations.refused import Refused
    from layouts.section import LayoutError

    if not isinstance(fault, SettingsError | LayoutError | NoLettersError | Refused):
        raise fault
    complain(str(fault))


@cli.command()
@click.pass_obj
def run(call: Call) -> int:
    """The daemon: polls every mailbox, wakes on IDLE, sends what is owed."""
    if not call.current().has_sources:
        raise click.UsageError(_NO_SOURCES)
    return _serve(call, "run")


_NO_SOURCES = "there is no [[mailbox]] and no [[drop]] to read: add one to the configuration"


def _serve(call: Call, role: str) -> int:
    """The service, or the part of it that a role names, until a signal ends it."""
    from ingest.operations.alarms import owe_alarms
    from ingest.operations.status import status
    from ingest.web.beside import Beside
    from ingest.web.monitor import Figures, Metrics
    from ingest.wiring.daemon import Daemon

    daemon = Daemon(call.app, call.config, role)
    metrics = Metrics(lambda: status(daemon.service, datetime.now(UTC)))
    command = [sys.executable, "-m", "ingest"]
    command += ["--config", str(call.config)] if call.config else []
    pages = Beside([*command, "web"], lambda event: metrics(None, "", {"event": event}))
    with closing(Figures(metrics)) as figures, closing(pages):
        at, pages_at = daemon.addresses(daemon.service)
        with _listening("metrics", at):
            figures.listen(at)
        with _listening("web", pages_at):
            pages.listen(pages_at)
        daemon.run(
            metrics, (figures, pages), lambda service: owe_alarms(service, datetime.now(UTC))
        )
    return DONE


@contextmanager
def _listening(section: str, address: str) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise click.UsageError(
            f"{section}.listen: {address} cannot be listened on: {fault.strerror}"
            " (is another `ingest run` running?)"
        ) from None


@cli.command()
@click.pass_obj
def web(call: Call) -> int:
    """The pages alone, at `[web] listen`; `run` serves them as well.

    SIGHUP reads the configuration again.
    """
    from ingest.web import server
    from ingest.web.pages import Pages

    service = call.current()
    _check_address(service)
    given = server.given()
    if given is not None:
        service.log(_tell_event)
    with _listening("web", service.web_listen):
        listening = given or server.opened(service.web_listen)
    hung_up = threading.Event()
    while True:
        with closing(Pages(partial(_itself, service))) as pages:
            pages.look_ahead()
            server.serve(pages.app, listening, hung_up, beside=given is not None)
        if not hung_up.is_set():
            listening.close()
            return DONE
        hung_up.clear()
        service, listening = renewed_pages(call.config, service, listening)


def _itself(service: Service) -> Service:
    return service


def _check_address(service: Service) -> None:
    if not service.web_listen:
        raise click.UsageError('web.listen is empty: write an address such as "127.0.0.1:8080"')


def renewed_pages(
    config: Path | None, before: Service, listening: socket
) -> tuple[Service, socket]:
    """The service by the configuration as it is now, and where its pages are served.

    With a mistake in the configuration both are those before.
    """
    import structlog

    from ingest.web import server
    from ingest.wiring.service import service_of

    log = structlog.get_logger()
    try:
        service = service_of(config)
        _check_address(service)
        service.check_database()
        if service.web_listen != before.web_listen:
            listening, old = server.opened(service.web_listen), listening
            old.close()
        service.log()
    except (click.UsageError, ValueError, OSError) as error:
        log.warning("service.reload_refused", error=str(error))
        return before, listening
    before.ledger.close()
    log.info("service.reloaded")
    return service, listening


def _tell_event(_logger: object, _method: str, event: Any) -> Any:
    """Write an event's name for the `ingest run` that counts it, and pass it on as it is."""
    with suppress(OSError):
        print(event["event"], flush=True)
    return event


@cli.command()
@click.pass_obj
def fetch(call: Call) -> int:
    """Brings letters from the mailboxes to workers, and files them; on PostgreSQL."""
    if not call.current().has_sources:
        raise click.UsageError(_NO_SOURCES)
    return _serve(call, "fetch")


@cli.command()
@click.pass_obj
def work(call: Call) -> int:
    """Brings letters that `fetch` has brought to their verdicts; as many as are wanted."""
    call.current()
    return _serve(call, "work")


@cli.command()
@click.pass_obj
def send(call: Call) -> int:
    """Sends what is owed; beside `fetch` and `work`."""
    if not call.current().smtp_host:
        raise click.UsageError("there is no [smtp] host to send by: add one to the configuration")
    return _serve(call, "send")


@cli.command()
@click.pass_obj
def poll(call: Call) -> int:
    """One pass over every mailbox, the outbox drained, and out."""
    return DONE if call.current().poll_all() else LOOK


@cli.command()
@json_option
@click.pass_obj
def doctor(call: Call, is_json: bool) -> int:
    """Try configuration, database, mailboxes, SMTP and clock; say what to do."""
    from ingest.operations.doctor import Result, examine
    from ingest.verbs import show
    from ingest.verbs.printing import tell

    results: list[Result] = []

    def noted() -> Iterator[Result]:
        for result in examine(call.app):
            results.append(result)
            yield result

    tell(noted(), is_json, show.tried)
    return max(DONE if result.is_well else result.exit_code for result in results)


@cli.command()
@click.argument("name")
@click.pass_obj
def oauth(call: Call, name: str) -> int:
    """Obtain the token of the account [oauth.NAME], or try the one it has."""
    account = call.configured.transports.account(name)
    if account.has_device_page:
        prompt = account.ask_device()
        click.echo(
            f"Open {prompt.address} and enter the code {prompt.code}, signed in as the mailbox"
        )
        account.wait_for_device(prompt)
    elif account.has_code_page:
        click.echo(f"Open {account.address_for_code()} signed in as the mailbox, and agree")
        account.take_code(click.prompt("The code that you are shown"))
    else:
        account.token(call.configured.transports.user_of(name))
        click.echo(f"oauth.{name}: the identity provider gives tokens")
        return DONE
    click.echo(f"oauth.{name}: the token is kept; `ingest doctor` tries it on the mail servers")
    return DONE


@cli.command()
@click.option("--cluster", is_flag=True, help="Also make the queue for `fetch` and `work`.")
@click.pass_obj
def migrate(call: Call, cluster: bool) -> int:
    """Bring the database's schema to the version this program needs."""
    from ingest.operations.twins import twins

    app = call.app
    is_new = app.is_new_database()
    done = app.ledger.migrate()
    if done.before == done.after:
        click.echo(f"{app.ledger.name}: nothing to do, its schema is {done.after} already")
    elif is_new:
        click.echo(f"{app.ledger.name}: made, with schema {done.after}")
    else:
        click.echo(f"{app.ledger.name}: schema {done.before or 'none'} -> {done.after}")
    for twin in twins(app.ledger):
        complain(str(twin))
    if cluster:
        is_made = app.queue().prepare()
        click.echo(f"queue for `fetch` and `work`: {'made' if is_made else 'there already'}")
    return DONE


@cli.group()
def config() -> None:
    """The configuration."""


@config.command("check")
@json_option
@click.pass_obj
def config_check(call: Call, is_json: bool) -> int:
    """Every value with where it is from, secrets hidden; exit 2 with all mistakes."""
    from ingest.verbs.printing import tell
    from ingest.verbs.show import CONFIGURATION

    tell(call.configured.configuration(), is_json, CONFIGURATION)
    return DONE
