"""How long each kind of refused sender takes: nobody may learn by it which code exists.

`python -m benchmarks.refusals` prints, for each kind, the median and the ninth decile of
the time of `prove` and `authenticate`, in turns, so that a machine that drifts drifts for
all of them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.settings import Database, Settings
from ingest.intake.authenticate import Prover, authenticate, claims_of
from ingest.letters.terms import Credential, Letter, Read, Source
from ingest.operations.registry import import_registry
from ingest.wiring.service import Service

REGISTRY = Path(__file__).parent.parent / "samples" / "registry.csv"
ROUNDS = 60
KINDS = {
    "wrong password": Credential(Source.BODY, "200000001234", "wrong-1"),
    "unknown code": Credential(Source.BODY, "299999999999", "wrong-1"),
    "missing password": Credential(Source.BODY, "200000001234", None),
    "locked": Credential(Source.BODY, "200000003080", "wrong-1"),
}


def main() -> None:
    """Print one line for each kind."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ingest.db"
        app = Service(Settings(database=Database(url=url)))
        app.ledger.migrate()
        import_registry(app, REGISTRY.read_bytes(), "bench", with_passwords=True, dry_run=False)
        told: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(app.guard.max_failures):
            _milliseconds(app, "locked", 0)
        for number in range(1, ROUNDS + 1):
            for kind in KINDS:
                told[kind].append(_milliseconds(app, kind, 0 if kind == "locked" else number))
        for kind, times in told.items():
            ninth = statistics.quantiles(times, n=10)[8]
            print(f"{kind:18} median {statistics.median(times):.1f} ms, 90 % {ninth:.1f} ms")
        app.ledger.close()


def _milliseconds(app: Service, kind: str, sender: int) -> float:
    """One refusal, by a sender of its own unless it is to be locked."""
    address = f"s@stranger{sender}.example"
    letter = Letter(sha256="", size=0, sender=address, credentials=(KINDS[kind],))
    now = datetime.now(UTC) + timedelta(seconds=sender)
    prover = Prover(app.ledger, app.guard, lambda: now)
    started = time.perf_counter()
    proof = prover.prove(claims_of(Read(letter)), app.guard.origin_of(letter))
    with app.ledger.transaction() as store:
        authenticate(proof, store, now, app.guard)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
