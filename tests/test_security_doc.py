"""docs/security.md claims nothing that no test shows."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_tests_that_the_threat_model_names_are_there() -> None:
    assert NAMED
    assert [path for path, _ in NAMED if not (ROOT / path).is_file()] == []
    assert [name for path, name in NAMED if name and name not in named_in(path)] == []


def rows_of_claims() -> list[str]:
    """Every row of a table that has a column for the test."""
    rows: list[str] = []
    is_claim = False
    for line in TEXT.splitlines():
        if not line.startswith("|"):
            is_claim = False
        elif line.endswith("| shown by |"):
            is_claim = True
        elif is_claim and not line.startswith("|---"):
            rows.append(line)
    return rows


def test_every_claim_names_a_test() -> None:
    rows = rows_of_claims()
    assert len(rows) > 30
    last = [row.rstrip(" |").rpartition("|")[2] for row in rows]
    assert [cell for cell in last if "`tests/" not in cell and "the same" not in cell] == []
