"""The house as the README draws it: who may import whom, and no cycles."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("ingest", "parsers", "layouts", "storage", "config")
ARROWS = {
    "ingest": {"parsers", "layouts", "storage", "config"},
    "parsers": {"layouts"},
    "storage": {"layouts"},
    "layouts": set(),
    "config": set(),
}
# What belongs to one adapter stays there.
ONLY_IN = {
    "imapclient": {"ingest.transports.imap", "ingest.demo"},
    "smtplib": {"ingest.transports.smtp", "ingest.demo"},
    "sqlmodel": {"storage"},
    "alembic": {"storage"},
    "lxml": {"parsers", "ingest.letters.body", "ingest.replies"},
    "pebble": {"ingest.reading.pool"},
    "apscheduler": {"ingest.engine.daemon"},
    "click": {"ingest.verbs", "ingest.demo"},
}


def modules() -> dict[str, Path]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(path: Path, *, at_load: bool = False) -> Iterator[str]:
    """Dotted names that a module imports; with `at_load` only those of its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if at_load else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


@pytest.mark.parametrize("module", MODULES)
def test_a_room_is_entered_only_along_an_arrow(module):
    room = module.split(".")[0]
    for name in imports(MODULES[module]):
        other = name.split(".")[0]
        if other in ROOMS and other != room:
            assert other in ARROWS[room], f"{module} imports {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("layouts")])
def test_the_core_knows_the_standard_library_only(module):
    for name in imports(MODULES[module]):
        top = name.split(".")[0]
        assert top == "layouts" or top in sys.stdlib_module_names, f"{module} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_known_only_to_its_adapter(module):
    for name in imports(MODULES[module]):
        allowed = ONLY_IN.get(name.split(".")[0])
        if allowed is not None:
            assert any(f"{module}.".startswith(f"{a}.") for a in allowed), (
                f"{module} imports {name}"
            )


@pytest.mark.parametrize("module", [m for m in MODULES if m.split(".")[0] != "ingest"])
def test_settings_are_read_by_the_composition_root_only(module):
    if module.startswith("config"):
        return
    assert not [name for name in imports(MODULES[module]) if name.startswith("config")]


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("ingest")])
def test_in_ingest_only_the_composition_root_and_the_verbs_read_settings(module):
    if module in ("ingest.wiring", "ingest.verbs.main", "ingest.demo.run"):
        return
    assert "config.settings" not in set(imports(MODULES[module]))


def test_no_modules_import_one_another_in_a_circle():
    edges = {
        module: {name for name in imports(path) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for other in edges[module]:
                visit(other, (*trail, module))
            done.add(module)

    for module in edges:
        visit(module, ())


BUILDERS = {"create_engine", "load", "Settings", "Ledger", "App", "getLogger", "set_up"}


def calls_at_import(path: Path) -> Iterator[str]:
    """What a module calls at its top level for the effect, or to build a part of the service."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign):
            continue
        call = node.value
        if not isinstance(call, ast.Call):
            continue
        name = (
            call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        )
        if isinstance(node, ast.Expr) or name in BUILDERS:
            yield f"{path.name}:{node.lineno} {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if "migrations" not in m])
def test_no_part_of_the_service_is_built_when_a_module_is_imported(module):
    assert list(calls_at_import(MODULES[module])) == []
