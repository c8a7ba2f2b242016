"""Small changes made at random to a room's code: which of them do its tests notice?

`python -m tests.mutants layouts/rules --count 20 --seed 1` runs the tests of the room
once as they are, and then once for each change, in a fork of the process that has collected
them, until the first failure. The change is put into the functions that are loaded there, or
into the constants of the module: no file is written. Of a change in a function only the tests that
call it are run, short files first; all of them where none calls it in this process, as one may
in a fork of it. What they did not notice is printed with
its line; equivalent changes (a log text, a faster path) are for a reader to tell apart.
Processes that tests start have the code as it is, and cannot notice anything.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import gc
import os
import random
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parent.parent
COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
# Where the folder that mirrors a room is not what tests it: the quick tests where these suffice.
# Databases of other processes end with the first fork.
TESTS = {
    "layouts/rules": "tests/layouts --quick",
    "layouts": "tests/layouts --quick",
    "parsers": "tests/parsers --quick",
    "ingest/letters": "tests/ingest/letters tests/ingest/intake/test_bounces.py",
    "ingest/intake": "tests/ingest/intake tests/ingest/engine/test_work.py",
    "ingest/replies": "tests/ingest/replies tests/ingest/intake/test_wishes.py"
    " tests/ingest/engine/test_send.py tests/ingest/operations/test_told.py --quick",
    "ingest/transports": "tests/ingest/transports tests/ingest/engine/test_send.py"
    " tests/contract/test_drop.py tests/end_to_end/test_odd_servers.py"
    " tests/end_to_end/test_postman.py tests/end_to_end/test_postman_by_token.py"
    " tests/end_to_end/test_mailbox.py -k not(postgresql)and(not(dovecot))",
    "ingest/operations": "tests/ingest/operations tests/ingest/verbs tests/ingest/web"
    " tests/contract/test_billed.py tests/contract/test_hand_in.py tests/contract/test_purge.py"
    " -k not(postgresql)",
    "ingest/engine": "tests/ingest/engine tests/contract/test_trips.py tests/contract/test_drop.py"
    " tests/contract/test_workers.py -k not(postgresql)",
    "storage": "tests/storage tests/contract -k not(postgresql)",
}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult}


@dataclass(frozen=True)
class Change:
    """One expression of a file, in a function or a constant, with what goes there instead."""

    path: Path
    within: ast.stmt
    node: ast.expr
    instead: ast.expr

    def told(self) -> str:
        """`file:line: before -> after`."""
        return f"{self.path}:{self.node.lineno}: {_line(self.node)} -> {_line(self.instead)}"

    def make(self) -> bool:
        """Put it into this process; whether anything that is loaded has it now."""
        for cached in gc.get_objects():
            if isinstance(cached, functools._lru_cache_wrapper):
                cached.cache_clear()
        if isinstance(self.within, ast.FunctionDef):
            return self._make_in_functions()
        return self._make_in_constants()

    def _tree(self) -> ast.Module:
        tree = ast.parse((ROOT / self.path).read_text(encoding="utf-8"))
        return _Put(self.node, self.instead).visit(tree)

    def _make_in_functions(self) -> bool:
        changed = {
            (code.co_qualname, code.co_firstlineno): code
            for code in _codes(compile(self._tree(), str(ROOT / self.path), "exec"))
        }
        made = False
        for function in gc.get_objects():
            if isinstance(function, FunctionType):
                code = function.__code__
                other = changed.get((code.co_qualname, code.co_firstlineno))
                if code.co_filename == str(ROOT / self.path) and other:
                    if other.co_freevars != code.co_freevars:
                        return False
                    function.__code__ = other
                    made = True
        return made

    def _make_in_constants(self) -> bool:
        name = ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")
        module = sys.modules.get(name)
        if module is None:
            return False
        before = dict(vars(module))
        [statement] = [one for one in self._tree().body if one.lineno == self.within.lineno]
        exec(compile(ast.Module([statement], []), str(self.path), "exec"), vars(module))
        for constant, value in vars(module).items():
            was = before.get(constant)
            if value is not was:
                for other in list(sys.modules.values()):
                    with suppress(AttributeError):
                        if vars(other).get(constant) is was:
                            setattr(other, constant, value)
        return True


def _line(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) < 100 else f"{text[:100]} …"


class _Put(ast.NodeTransformer):
    """Puts an expression in another's place."""

    def __init__(self, node: ast.expr, instead: ast.expr) -> None:
        self._at = ast.dump(node), node.lineno, node.col_offset
        self._instead = instead

    def visit(self, node: ast.AST) -> Any:
        at = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if at == self._at[1:] and ast.dump(node) == self._at[0]:
            return ast.fix_missing_locations(ast.copy_location(copy.deepcopy(self._instead), node))
        return self.generic_visit(node)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def changes(path: Path) -> Iterator[Change]:
    """Every change that could be made to a file's functions and constants."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for within in _places(tree.body):
        parts = within.body if isinstance(within, ast.FunctionDef) else [within]
        for node in (node for part in parts for node in ast.walk(part)):
            for changed in _changed(node):
                yield Change(path, within, node, changed)


def _places(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.Assign | ast.AnnAssign):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from (one for one in _places(statement.body) if isinstance(one, ast.FunctionDef))


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


PASSED, FAILED, NOT_MADE = 0, 1, 2
Function = tuple[str, int]
"""File and first line."""


class Calls:
    """Which functions of a room each test calls, and how long it takes."""

    def __init__(self, paths: list[Path]) -> None:
        self._files = {str(path) for path in paths}
        self._by_test: dict[pytest.Item, set[Function]] = {}
        self._called: set[Function] = set()
        self.seconds: dict[pytest.Item, float] = {}

    def _see(self, frame: FrameType, _event: str, _argument: object) -> None:
        code = frame.f_code
        if code.co_filename in self._files:
            self._called.add((code.co_filename, code.co_firstlineno))

    def run(self, items: list[pytest.Item]) -> pytest.Item | None:
        """The first that fails; without one, what each called is known then."""
        # What one test left in a cache the next one calls too.
        cached = [
            one
            for one in gc.get_objects()
            if isinstance(one, functools._lru_cache_wrapper)
            and getattr(one.__wrapped__, "__code__", self._see.__code__).co_filename in self._files
        ]
        threading.settrace(self._see)
        for item, following in zip(items, [*items[1:], items[0]], strict=True):
            for one in cached:
                one.cache_clear()
            self._called = self._by_test.setdefault(item, set())
            began = time.process_time()
            sys.settrace(self._see)
            passed = _passes(item, following)
            sys.settrace(None)
            self.seconds[item] = time.process_time() - began
            if not passed:
                return item
        threading.settrace(None)
        return None

    def of(self, change: Change) -> list[pytest.Item]:
        """The tests that may notice it, file by file, the shortest file first."""
        items = list(self._by_test)
        if isinstance(change.within, ast.FunctionDef):
            first = min([change.within, *change.within.decorator_list], key=lambda one: one.lineno)
            lines = range(first.lineno, (change.within.end_lineno or 0) + 1)
            file = str(ROOT / change.path)
            items = [
                item
                for item, called in self._by_test.items()
                if any(at == file and line in lines for at, line in called)
            ] or items
        seconds: dict[Path, float] = {}
        for item in items:
            seconds[item.path] = seconds.get(item.path, 0) + self.seconds[item]
        return sorted(items, key=lambda item: (seconds[item.path], item.path))


class Trial:
    """A plugin of pytest: instead of one run, one for each change."""

    def __init__(self, changes: Iterator[Change], count: int, calls: Calls) -> None:
        self._changes = changes
        self._count = count
        self._calls = calls
        self.tried = 0
        self.missed: list[Change] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # Functions are looked for among all objects, the frozen ones too.
        gc.unfreeze()
        failed = self._calls.run(session.items)
        # A socket that a test has left, closed late, would fail one in each fork.
        with warnings.catch_warnings(action="ignore"):
            gc.collect()
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            if failed:
                print(f"without any change it fails: {failed.nodeid}")
                return True
            for change in self._changes:
                items = self._calls.of(change)
                seconds = int(sum(self._calls.seconds[item] for item in items))
                told = _tried(change, items, seconds) if items else PASSED
                # What the tests load no part of, or what would need another shape of a function.
                if told != NOT_MADE:
                    self.tried += 1
                if told == PASSED:
                    self.missed.append(change)
                    print(f"not noticed: {change.told()}", flush=True)
                if self.tried == self._count:
                    break
            # They pass in a fork: otherwise everything would seem to be noticed.
            seconds = int(sum(self._calls.seconds.values()))
            if not self.missed and _tried(None, session.items, seconds) != PASSED:
                print("so nothing is known")
                self.tried = 0
        return True


def _passes(item: pytest.Item, following: pytest.Item) -> bool:
    """Whether it passes; fixtures that the next one has too are kept."""
    return not any(one.failed for one in runtestprotocol(item, log=False, nextitem=following))


def _tried(change: Change | None, items: list[pytest.Item], seconds: int) -> int:
    """What came of the tests with a change; to take several times as long is to fail."""
    told = os.dup(1)
    process = os.fork()
    if process == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (30 + 3 * seconds,) * 2)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        code = FAILED
        try:
            items[0].session._setupstate.teardown_exact(items[0])
            if change is not None and not change.make():
                code = NOT_MADE
            else:
                following = iter([*items[1:], items[0]])
                failed = next((one for one in items if not _passes(one, next(following))), None)
                code = FAILED if failed else PASSED
                if failed and change is None:
                    os.write(told, f"it fails in a fork: {failed.nodeid}\n".encode())
        finally:
            os._exit(code)
    os.close(told)
    end = time.monotonic() + 300 + 10 * seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return status if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return FAILED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("room", help="a package or a file, such as layouts/rules")
    parser.add_argument("--tests", default="", help="default: those that TESTS names")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    room = ROOT / given.room
    paths = sorted(room.rglob("*.py")) if room.is_dir() else [room]
    every = [change for path in paths for change in changes(path.relative_to(ROOT))]
    random.Random(given.seed).shuffle(every)
    trial = Trial(iter(every), given.count, Calls(paths))
    tests = (given.tests or TESTS.get(given.room, f"tests/{given.room}")).split()
    pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", *tests], plugins=[trial])
    if not trial.tried:
        return 2
    noticed = trial.tried - len(trial.missed)
    share = 100 * noticed // trial.tried
    print(f"{given.room}: {noticed} of {trial.tried} noticed, {share} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
