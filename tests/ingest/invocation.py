"""Verbs as an operator calls them: arguments in; exit code and both streams out."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.verbs.main import main

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


@dataclass(frozen=True)
class Ran:
    """What a verb did."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its output as JSON, one object a line and nothing else."""
        rows = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(row, dict) for row in rows)
        return rows

    @property
    def complaint(self) -> str:
        """The one sentence on standard error, with nothing on the other."""
        assert self.out == ""
        [line] = [line for line in self.err.splitlines() if not line.startswith("{")]
        assert line.startswith("ingest: ")
        return line.removeprefix("ingest: ")


class Verbs:
    """Calls verbs in this process, in a folder of their own."""

    def __init__(self, monkeypatch, capfd, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        self.folder = folder

    def __call__(self, *words: object, stdin: bytes = b"") -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["ingest", *map(str, words)])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        self._capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = left.code
        told = self._capfd.readouterr()
        return Ran(code, told.out, told.err)

    def write(self, name: str, content: bytes | str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
