"""The service as `run`, `fetch`, `work` or `send` have it: built again at SIGHUP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from config.load import load as load_settings
from config.settings import SettingsError
from ingest.wiring.service import Service

if TYPE_CHECKING:
    from structlog.typing import Processor

    from ingest.engine.daemon import Parts


class Listening(Protocol):
    """Something that is served: figures for monitoring, or the pages."""

    address: str

    def listen(self, address: str) -> None:
        """Serve there, by the configuration as it is now; an `OSError` leaves what was before."""


class Daemon:
    """The service that runs, swapped whole at SIGHUP or not at all.

    Attributes:
        service: The one in force.
    """

    def __init__(self, service: Service, config: Path | None, role: str = "run") -> None:
        self.service = service
        self._config = config
        self._role = role

    def addresses(self, service: Service) -> tuple[str, str]:
        """Where figures and pages are served by a configuration; '' for nowhere."""
        return service.listen, service.web_listen if self._role == "run" else ""

    def run(
        self,
        observe: Processor,
        served: Sequence[Listening],
        alarm: Callable[[Service], object],
    ) -> None:
        """Serve until SIGTERM or SIGINT.

        Args:
            observe: Sees every event of the log.
            served: Figures and pages; they follow the configuration.
            alarm: Owes mails about what needs a person, where somebody is to be mailed.
        """
        from ingest.engine import daemon

        parts = self.service.parts_of(self._role)
        self.service.log(observe)

        def alarming(parts: Parts, service: Service) -> Parts:
            is_told = service.alarms_to and self._role in {"run", "send"}
            return replace(parts, alarm=partial(alarm, service)) if is_told else parts

        def renewed() -> Parts:
            parts = self._renew(observe, served)
            return alarming(parts, self.service)

        daemon.run(alarming(parts, self.service), renewed)

    def _renew(self, observe: Processor, served: Sequence[Listening]) -> Parts:
        """The parts of the configuration as it is now; nothing has changed when it raises."""
        service = Service(load_settings(self._config))
        if self._role in {"run", "fetch"} and not service.has_sources:
            raise SettingsError("there is no [[mailbox]] and no [[drop]] to read")
        service.check_database()
        parts = service.parts_of(self._role)
        before = [one.address for one in served]
        try:
            for one, address in zip(served, self.addresses(service), strict=True):
                one.listen(address)
            service.log(observe)
        except (SettingsError, OSError):
            for one, address in zip(served, before, strict=True):
                one.listen(address)
            service.ledger.close()
            raise
        service.tell_in_own_words()
        self.service = service
        return parts
