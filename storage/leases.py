"""Leases: locks on what one process at a time may do; they end by the database's clock."""

from __future__ import annotations

from collections.abc import Callable

from storage.session import Part

SECONDS = 15
"""For how long a lease lasts without being renewed."""


def _nobody_is_gone(_holder: str) -> bool:
    return False


class Leases(Part):
    """Leases by name. No clock but the database's decides when one has run out."""

    matter = "leases"

    def take(
        self,
        name: str,
        holder: str,
        *,
        seconds: float = SECONDS,
        is_gone: Callable[[str], bool] = _nobody_is_gone,
    ) -> str:
        """Who has a lease now: `holder`, when it was free or its own, or another.

        Args:
            name: Of the lease, such as `seal`.
            holder: Names the process, such as `host:pid:start`; taking what one
                holds already renews it.
            seconds: For how long without being renewed.
            is_gone: Whether a holder is known to have ended; then its lease is free.
        """
        asked = {"name": name, "holder": holder, "seconds": int(seconds)}
        self._sql.change("take", **asked)
        present = str(self._sql.value("holder", name=name))
        if present == holder or not is_gone(present):
            return present
        self.release(name, present)
        self._sql.change("take", **asked)
        return holder

    def release(self, name: str, holder: str) -> None:
        """Release a lease; a no-op when another process holds it by now."""
        self._sql.change("release", name=name, holder=holder)
