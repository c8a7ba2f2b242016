"""The tests themselves: each asserts something, and nothing that holds of nothing found."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ASSERTING = {"raises", "warns", "fail", "assertValid"}
"""Calls that fail a test by themselves."""


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Every file of the tests, read by the one worker that looks at them."""
    return {
        str(path.relative_to(TESTS)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(TESTS.rglob("*.py"))
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Every function, methods included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def called(function: ast.FunctionDef) -> set[str]:
    """Names of what a function calls, without what they are looked up in."""
    nodes = ast.walk(function)
    return {ast.unparse(node.func).split(".")[-1] for node in nodes if isinstance(node, ast.Call)}


def without_assertion(trees: dict[str, ast.Module]) -> list[str]:
    """Tests that assert nothing, neither themselves nor by a helper of the tests."""
    every = [(file, function) for file, tree in trees.items() for function in functions(tree)]
    asserting = ASSERTING | {
        function.name
        for _, function in every
        if any(isinstance(node, ast.Assert) for node in ast.walk(function))
    }
    grown = True
    while grown:
        more = {function.name for _, function in every if called(function) & asserting}
        grown = not more <= asserting
        asserting |= more
    return [
        f"{file}: {function.name}"
        for file, function in every
        if function.name.startswith("test") and function.name not in asserting
    ]


def true_of_nothing(tree: ast.Module) -> Iterator[int]:
    """Lines of assertions `found <= {A, B}`, or of a constant: they hold when nothing is found."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        test = node.test
        if isinstance(test, ast.Constant | ast.Tuple):
            yield node.lineno
        elif isinstance(test, ast.Compare) and isinstance(test.ops[-1], ast.LtE):
            bounds = test.comparators[-1]
            is_set = isinstance(bounds, ast.Set) or (
                isinstance(bounds, ast.Call) and ast.unparse(bounds.func) in {"set", "frozenset"}
            )
            if is_set and not isinstance(test.left, ast.Set):
                yield node.lineno


def test_every_test_asserts_something(trees):
    assert without_assertion(trees) == []


def test_no_assertion_holds_of_nothing_found(trees):
    assert [f"{file}:{at}" for file, tree in trees.items() for at in true_of_nothing(tree)] == []


@pytest.mark.parametrize(
    "text", ["codes <= {1, 2}", "set(codes) <= {1}", "told <= set(wanted)", "True", "(a, 'text')"]
)
def test_an_assertion_that_holds_of_nothing_is_found(text):
    assert list(true_of_nothing(ast.parse(f"assert {text}"))) == [1]


@pytest.mark.parametrize("text", ["{1, 2} <= set(codes)", "codes == {1}", "count <= 3"])
def test_an_assertion_that_asks_for_something_is_not(text):
    assert list(true_of_nothing(ast.parse(f"assert {text}"))) == []


def test_a_test_without_an_assertion_is_found_whatever_helpers_it_has():
    text = "def helper(): work()\ndef test_a(): helper()\n"
    text += "def sure(): assert x\ndef test_b(): sure()"
    assert without_assertion({"a.py": ast.parse(text)}) == ["a.py: test_a"]
