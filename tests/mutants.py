"""Small changes made at random to a room's code: which of them do its tests notice?

`python -m tests.mutants layouts/rules --tests tests/layouts --count 40` copies the project to a
folder of its own, changes one place of one file at a time there, and runs the tests until the
first failure. What they did not notice is printed with its line; equivalent changes (a log
text, a faster path) are for a reader to tell apart. Tests that start `ingest` as a program run the
installed one and cannot notice anything.
"""

from __future__ import annotations

import argparse
import ast
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult}


@dataclass(frozen=True)
class Change:
    """One place of a file, with the text that goes there instead."""

    path: Path
    node: ast.expr
    text: str

    def made(self, source: str) -> str:
        """The file's text with the change."""
        lines = source.encode().splitlines(keepends=True)
        node = self.node
        before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
        rest = lines[node.end_lineno - 1][node.end_col_offset :]
        after = rest + b"".join(lines[node.end_lineno :])
        return (before + self.text.encode() + after).decode()

    def told(self, source: str) -> str:
        """`file:line: before -> after`."""
        was = ast.get_source_segment(source, self.node)
        return f"{self.path}:{self.node.lineno}: {was} -> {self.text}"


def changes(path: Path) -> Iterator[Change]:
    """Every change that could be made to a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        for changed in _changed(node):
            yield Change(path, node, f"({ast.unparse(changed)})")


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    """What could stand in an expression's place."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        ops = [COMPARED[type(node.ops[0])](), *node.ops[1:]]
        yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)


def notices(folder: Path, tests: list[str]) -> bool:
    """Whether the tests fail in a folder."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", "0"]
    try:
        ran = subprocess.run(
            [*command, *tests], cwd=folder, capture_output=True, check=False, timeout=900
        )
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("room", help="a package or a file, such as layouts/rules")
    parser.add_argument("--tests", default="", help="default: the folder that mirrors the room")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tests = given.tests.split() or [f"tests/{given.room}"]
    room = ROOT / given.room
    paths = sorted(room.rglob("*.py")) if room.is_dir() else [room]
    every = [change for path in paths for change in changes(path.relative_to(ROOT))]
    chosen = random.Random(given.seed).sample(every, min(given.count, len(every)))
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name) / "project"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.db"))
        if notices(folder, tests):
            print("the tests fail without any change")
            return 2
        missed = []
        for change in chosen:
            file = folder / change.path
            source = file.read_text(encoding="utf-8")
            file.write_text(change.made(source), encoding="utf-8")
            if not notices(folder, tests):
                missed.append(change)
                print(f"not noticed: {change.told(source)}", flush=True)
            file.write_text(source, encoding="utf-8")
    share = 100 * (len(chosen) - len(missed)) // max(len(chosen), 1)
    print(f"{given.room}: {len(chosen) - len(missed)} of {len(chosen)} noticed, {share} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
