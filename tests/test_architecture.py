"""The house as the README draws it: which room may import which, and no circles."""

import ast
import inspect
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from layouts.rules import ORDER, RESOLVED

ROOT = Path(__file__).parent.parent
PACKAGES = ("ingest", "parsers", "layouts", "storage", "config")
FILES_MOST = 24
"""Python files in one room."""

FILE_LINES_MOST = 620
"""Lines of one module."""

TABLES = {"storage.columns", "storage.session", "storage.statements", "storage.tables"}
"""What each part of the store is made of."""

# From a room to the rooms, or to the modules of rooms, that it may import.
ARROWS = {
    "ingest.__main__": {"ingest.verbs"},
    "ingest.verbs": {"ingest.web", "ingest.demo", "ingest.operations", "ingest.wiring", "config"},
    "ingest.web.console": {"ingest.web", "ingest.web.account", "ingest.operations"},
    "ingest.web": {
        "ingest.web.console",
        "ingest.operations", "ingest.intake.passwords", "ingest.replies.view",
        "ingest.replies.wording",
    },
    "ingest.demo": {"ingest.operations", "ingest.wiring"},
    "ingest.operations": {
        "ingest.intake", "ingest.reading", "ingest.replies", "ingest.letters", "parsers", "storage",
        "ingest.operations.register",
    },
    "ingest.operations.account": {
        "ingest.operations", "ingest.intake", "ingest.reading", "ingest.replies",
        "ingest.letters", "storage",
    },
    "ingest.operations.register": {"ingest.operations.output", "ingest.replies", "storage"},
    "ingest.operations.console": {
        "ingest.operations", "ingest.operations.account", "ingest.intake", "ingest.reading",
        "ingest.replies", "ingest.letters", "storage",
    },
    "ingest.wiring": {
        "ingest.engine", "ingest.transports", "ingest.reading", "ingest.intake", "ingest.replies",
        "storage.ledger", "config",
    },
    "ingest.engine": {
        "ingest.intake", "ingest.reading", "ingest.replies", "ingest.letters",
        "ingest.transports.ports",
    },
    "ingest.transports": {"config.addresses"},
    "ingest.intake": {"ingest.reading", "ingest.replies", "ingest.letters", "layouts.rules"},
    "ingest.reading": {
        "ingest.letters", "ingest.replies.marked", "ingest.replies.own",
        "ingest.replies.wording", "parsers",
    },
    "ingest.replies": {"ingest.letters"},
    "ingest.letters": {"parsers"},
    "parsers": {"parsers.sheets.book"},
    "parsers.sheets": {"parsers"},
    "layouts": set(),
    "layouts.rules": {"layouts"},
    "storage": {"storage.points", "storage.readings", "storage.billed", "storage.tables"},
    "storage.records": set(),
    "storage.tables": {"storage.columns"},
    "storage.points": {"storage.audit", *TABLES},
    "storage.readings": TABLES,
    "storage.billed": {"storage.audit", "storage.submissions", "storage.readings", *TABLES},
    "config": set(),
}  # fmt: skip
VALUES = ("layouts", "ingest.letters.terms", "storage.records")
"""What every room may import beside its arrows: the values that travel."""

NOT_VALUES = ("layouts.rules",)

# One library, one room.
ONLY_IN = {
    "imapclient": {"ingest.transports.imap"},
    "smtplib": {"ingest.transports.smtp", "ingest.demo"},
    "sqlmodel": {"storage"},
    "alembic": {"storage"},
    "lxml": {"parsers", "ingest.letters.body", "ingest.replies"},
    "msgspec": {"ingest.reading", "config"},
    "apscheduler": {"ingest.engine"},
    "click": {"ingest.verbs"},
    "argon2": {"ingest.intake.passwords"},
    "pyotp": {"ingest.operations.console"},
    "procrastinate": {"ingest.engine.spread"},
    "starlette": {"ingest.web"},
    "uvicorn": {"ingest.web"},
    "prometheus_client": {"ingest.web"},
}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax; several tests ask for it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """All of a tree, which several tests ask for, at a third of what `ast.walk` costs."""
    found = [tree]
    for node in found:
        for part in vars(node).values():
            if isinstance(part, list):
                found += [one for one in part if isinstance(one, ast.AST)]
            elif isinstance(part, ast.AST) and not isinstance(part, ast.expr_context):
                found.append(part)
    return tuple(found)


def name_of(called: ast.expr) -> str:
    """The last part of a dotted name; '' of anything else."""
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def is_in(module: str, places) -> bool:
    """Whether a module is one of these, or lies in one of these packages."""
    return any(f"{module}.".startswith(f"{place}.") for place in places)


@cache
def room_of(module: str) -> str:
    """The innermost room that a module lies in."""
    return max((room for room in ARROWS if is_in(module, [room])), key=len, default=module)


@cache
def imports(path: Path) -> list[str]:
    """Dotted names of the modules that a module imports, wherever in it."""
    found: list[str] = []
    for node in nodes(parsed(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if name in MODULES else node.module for name in names]
    return found


def may_import(module: str, other: str) -> bool:
    """Whether an import of one of our modules follows an arrow, or is of a value."""
    room = room_of(module)
    if other == "storage.ledger" and is_in(module, ["ingest"]) and room != "ingest.wiring":
        return False
    if is_in(other, [room]) and room_of(other) == room:
        return True
    if is_in(other, ARROWS.get(room, ())):
        return True
    return is_in(other, VALUES) and not is_in(other, NOT_VALUES)


def wrong() -> set[tuple[str, str]]:
    """Every import that the table does not allow."""
    found = set()
    for module, path in MODULES.items():
        for other in imports(path):
            ours = other.split(".")[0] in PACKAGES
            if ours and not may_import(module, other):
                found.add((module, other))
            library = ONLY_IN.get(other.split(".")[0])
            if library is not None and not is_in(module, library):
                found.add((module, other))
    return found


def test_a_room_is_entered_only_along_an_arrow_and_a_library_is_known_to_one_room():
    assert sorted(wrong()) == []


def test_the_database_is_used_below_the_verbs_and_pages():
    for module, path in MODULES.items():
        if is_in(module, ["ingest.verbs", "ingest.web"]):
            told = path.read_text(encoding="utf-8")
            assert not re.search(r"\.(reading|transaction|rehearsal)\(\)", told), module


def test_the_table_names_rooms_that_exist():
    for room, others in ARROWS.items():
        for name in (room, *others):
            assert is_in(name, MODULES) or name in MODULES, name


def test_the_core_knows_the_standard_library_only():
    known = {"layouts", *sys.stdlib_module_names}
    core = {module: path for module, path in MODULES.items() if is_in(module, ["layouts"])}
    foreign = {m: [n for n in imports(p) if n.split(".")[0] not in known] for m, p in core.items()}
    assert core
    assert not any(foreign.values()), foreign


def names_of_settings(path: Path) -> set[str]:
    """What a module takes from `config`, other than addresses and the log."""
    return {
        alias.name
        for node in nodes(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module in {"config.load", "config.settings"}
        for alias in node.names
    }


def readers_of_settings() -> set[str]:
    """Modules outside `config` and `ingest.wiring` that load settings or look into them."""
    found = set()
    for module, path in MODULES.items():
        if is_in(module, ["config", "ingest.wiring"]):
            continue
        # The fault of a configuration is told by the verbs.
        names = names_of_settings(path) - {"SettingsError"}
        if names or ".settings." in path.read_text(encoding="utf-8").replace("config.settings", ""):
            found.add(module)
    return found


def test_settings_are_read_by_the_composition_root_only():
    assert sorted(readers_of_settings()) == []


def test_letters_ask_the_parsers_what_a_file_is_and_which_charset():
    asked = {
        alias.name
        for module in MODULES
        if is_in(module, ["ingest.letters"])
        for node in nodes(parsed(MODULES[module]))
        if isinstance(node, ast.ImportFrom) and is_in(node.module or "", ["parsers"])
        for alias in node.names
    }
    assert asked == {"looks_like_document", "pretended", "likeliest"}


MAY_END_A_FAULT = ("ingest.intake.attempt", "ingest.reading.child")
"""Where an exception of any kind may end: what became of a letter, and a child's edge."""


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it takes exceptions of every kind."""
    kinds = ast.walk(handler.type) if handler.type else []
    names = {node.id for node in kinds if isinstance(node, ast.Name)}
    return handler.type is None or bool(names & {"Exception", "BaseException"})


def ends_faults(tree: ast.Module) -> Iterator[int]:
    """Lines at which an exception of any kind ends without being raised again."""
    for node in nodes(tree):
        if isinstance(node, ast.ExceptHandler) and is_broad(node):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno
        elif isinstance(node, ast.Call) and name_of(node.func) == "suppress":
            named = {ast.unparse(kind) for kind in node.args}
            yield from [node.lineno] if named & {"Exception", "BaseException"} else []


def test_an_exception_of_any_kind_ends_in_two_places_only_and_is_raised_again_elsewhere():
    found = {
        f"{module}:{line}"
        for module, path in MODULES.items()
        if module not in MAY_END_A_FAULT
        for line in ends_faults(parsed(path))
    }
    assert not found
    for module in MAY_END_A_FAULT:
        assert len(list(ends_faults(parsed(MODULES[module])))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "try: a()\nexcept Exception: b()",
        "try: a()\nexcept: pass",
        "try: a()\nexcept (OSError, BaseException) as fault: note(fault)",
        "with suppress(Exception): a()",
        "with contextlib.suppress(BaseException): a()",
    ],
)
def test_a_fault_that_is_swallowed_is_found(text):
    assert list(ends_faults(ast.parse(text)))


def test_a_file_has_about_six_hundred_lines_at_most():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MOST} == {}


def test_a_room_has_at_most_two_dozen_files():
    files = Counter(room_of(module) for module in MODULES if "migrations" not in module)
    assert {room: count for room, count in files.items() if count > FILES_MOST} == {}


def test_ingest_itself_holds_its_entrance_only():
    assert {path.name for path in (ROOT / "ingest").glob("*.py")} == {
        "__init__.py", "__main__.py",
    }  # fmt: skip


CODE = {
    **MODULES,
    **{
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for place in ("tests", "benchmarks")
        for path in sorted((ROOT / place).rglob("*.py"))
        if "\nclass " in path.read_text(encoding="utf-8")
    },
}
"""Our modules, and those of tests and benchmarks that have classes of their own."""


class Kind:
    """A class as its source draws it."""

    def __init__(self, module: str, node: ast.ClassDef) -> None:
        self.module, self.name = module, node.name
        self.bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
        self.is_protocol = "Protocol" in self.bases
        self.own = {
            part.attr
            for part in nodes(node)
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
            if ast.unparse(part.value) == "self"
        }
        for part in node.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                self.own.add(part.name)
            elif isinstance(part, ast.AnnAssign | ast.Assign):
                targets = [part.target] if isinstance(part, ast.AnnAssign) else part.targets
                self.own |= {ast.unparse(target) for target in targets}

    @property
    def is_of_tests(self) -> bool:
        return self.module not in MODULES

    def members(self, kinds: "Mapping[str, list[Kind]]") -> set[str]:
        """Its own and those of its bases, which are looked for beside it first."""
        found = set(self.own)
        for base in self.bases:
            named = [kind for kind in kinds.get(base, ()) if kind is not self]
            near = [kind for kind in named if room_of(kind.module) == room_of(self.module)]
            seen = [kind for kind in near or named if not self.is_protocol or kind.is_protocol]
            found |= seen[0].members(kinds) if seen else set()
        return found


def kinds_of(code: dict[str, ast.Module]) -> list[Kind]:
    """The classes of these modules, but for those inside of functions."""
    return [
        Kind(module, node)
        for module, tree in code.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    ]


def importers(code: dict[str, ast.Module]) -> Mapping[tuple[str, str], set[str]]:
    """By module and name, which of our modules import it."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for module in code.keys() & MODULES.keys():
        for node in code[module].body:
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    found[node.module, alias.name].add(module)
    return found


def needless_protocols(code: dict[str, ast.Module]) -> Iterator[str]:
    """Protocols for which a class could be named, or that say what another one says.

    One is needed by two implementations, by a fake, or where no arrow leads to the class.
    """
    kinds = kinds_of(code)
    named: dict[str, list[Kind]] = defaultdict(list)
    for kind in kinds:
        named[kind.name].append(kind)
    members = {kind: kind.members(named) for kind in kinds}
    imported = importers(code)
    seen: dict[frozenset[str], Kind] = {}
    for protocol in kinds:
        if not protocol.is_protocol or protocol.is_of_tests:
            continue
        wanted = members[protocol]
        made = [k for k in kinds if not k.is_protocol and wanted <= members[k]]
        real = [kind for kind in made if not kind.is_of_tests]
        users = {protocol.module, *imported[protocol.module, protocol.name]}
        is_used = len(made) > 1 or any(not may_import(u, k.module) for u in users for k in real)
        if not wanted or not real or not is_used:
            yield f"{protocol.module}.{protocol.name}"
        other = seen.setdefault(frozenset(wanted), protocol)
        if other is not protocol:
            yield f"{protocol.module}.{protocol.name} is {other.module}.{other.name}"


def test_a_protocol_has_two_implementations_or_a_fake_or_no_arrow_leads_to_its_class():
    assert list(needless_protocols({name: parsed(path) for name, path in CODE.items()})) == []


PORT = "class Port(Protocol):\n    def go(self): ...\n"
REAL = "class Real:\n    def go(self): ...\n"


@pytest.mark.parametrize(
    ("code", "needless"),
    [
        ({"ingest.engine.work": PORT + REAL}, 1),
        ({"ingest.engine.work": PORT, "ingest.intake.judge": REAL}, 1),
        ({"ingest.engine.work": PORT}, 1),
        ({"ingest.engine.work": PORT, "tests.fakes": REAL}, 1),
        ({"ingest.engine.work": PORT, "storage.ledger": REAL}, 0),
        ({"ingest.engine.work": PORT + REAL, "tests.fakes": REAL}, 0),
        ({"ingest.engine.work": PORT + REAL + "class Other(Real): ..."}, 0),
        ({"ingest.engine.work": PORT, "ingest.engine.send": PORT, "storage.ledger": REAL}, 1),
    ],
)
def test_a_protocol_for_which_a_class_could_be_named_is_found(code, needless):
    trees = {name: ast.parse(text) for name, text in code.items()}
    assert len(list(needless_protocols(trees))) == needless


def holds_anything(annotation: ast.AST | None) -> bool:
    """Whether it is of a dict or mapping whose values may be anything."""
    text = ast.unparse(annotation) if annotation is not None else ""
    return bool(re.search(r"\b(dict|Mapping)\[str, (Any|object)\]", text))


def told_by(node: ast.stmt) -> Iterator[ast.expr | None]:
    """The annotations of a public function, of a class's public methods, of its fields."""
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            yield from told_by(part)
    elif isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
        yield node.returns
        yield from (one.annotation for one in (*node.args.args, *node.args.kwonlyargs))
        if (more := node.args.kwarg) and ast.unparse(more.annotation or more) == "Any":
            yield ast.parse("dict[str, Any]", mode="eval").body


def loose_names(tree: ast.Module) -> Iterator[str]:
    """Public functions and classes of a module that take, give or hold such a dict."""
    for node in tree.body:
        is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
        if is_public and any(holds_anything(one) for one in told_by(node)):
            yield node.name


def is_only_logged(tree: ast.Module, name: str) -> bool:
    """Whether a module takes a function's dict as fields of a log event, and for nothing else."""
    logged = [
        keyword.value
        for call in nodes(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log.")
        for keyword in call.keywords
        if keyword.arg is None and ast.unparse(keyword.value).startswith(f"{name}(")
    ]
    used = [node for node in nodes(tree) if isinstance(node, ast.Name) and node.id == name]
    return len(used) == len(logged)


def floor_of(module: str) -> str:
    """A room with those inside of it: `storage`, `ingest.web`."""
    return ".".join(module.split(".")[: 2 if is_in(module, ["ingest"]) else 1])


def loose_between_rooms() -> Iterator[str]:
    trees = {module: parsed(path) for module, path in MODULES.items()}
    imported = importers(trees)
    for module, tree in trees.items():
        for name in loose_names(tree):
            users = {user for user in imported[module, name] if floor_of(user) != floor_of(module)}
            yield from (
                f"{module}.{name} in {user}"
                for user in users
                if not is_only_logged(trees[user], name)
            )


def test_no_dict_of_anything_goes_from_a_room_to_another():
    assert sorted(loose_between_rooms()) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f() -> dict[str, Any]: ...",
        "def f(told: Mapping[str, object] | None): ...",
        "class C:\n    told: list[dict[str, Any]]",
        "class C:\n    def f(self, *, told: dict[str, Any]): ...",
        "def f(**told: Any): ...",
    ],
)
def test_a_dict_of_anything_is_found(text):
    assert list(loose_names(ast.parse(text)))


def test_a_dict_that_is_more_than_logged_is_found():
    assert is_only_logged(ast.parse("log.info('a', **f(1))"), "f")
    assert not is_only_logged(ast.parse("log.info('a', **f(1))\nx = f(2)"), "f")


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


BUILDERS = {"create_engine", "load", "Settings", "Ledger", "Service", "App", "getLogger", "set_up"}


def calls_at_import(path: Path) -> Iterator[str]:
    """What a module calls at its top level for the effect, or to build a part of the service."""
    for node in parsed(path).body:
        if not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign):
            continue
        call = node.value
        if not isinstance(call, ast.Call):
            continue
        name = name_of(call.func)
        if isinstance(node, ast.Expr) or name in BUILDERS:
            yield f"{path.name}:{node.lineno} {name}"


def test_no_part_of_the_service_is_built_when_a_module_is_imported():
    paths = [path for module, path in MODULES.items() if "migrations" not in module]
    assert [call for path in paths for call in calls_at_import(path)] == []


def test_a_part_that_is_built_when_a_module_is_imported_is_found(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("engine = create_engine('sqlite://')\nlogging.basicConfig()\nTERMS = load_it()")
    assert list(calls_at_import(path)) == ["a.py:1 create_engine", "a.py:2 basicConfig"]


def walk() -> list[tuple[str, str]]:
    """The pairs of files that the README's walk names."""
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    text = told.partition("**A walk")[2].partition("A crash at any line")[0]
    pairs = re.findall(r"`([\w/]+\.py)`\s+→(?=\s+`([\w/]+\.py)`)", text)
    return [(one, other) for one, other in pairs]


@pytest.mark.parametrize(("one", "other"), walk())
def test_the_walk_in_the_readme_follows_imports(one, other):
    names = {
        ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__") for file in [other]
    }
    assert names & set(imports(ROOT / one)), f"{one} does not import {other}"


def test_the_walk_is_one():
    assert len(walk()) > 12


def test_the_files_of_likely_changes_exist():
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:ingest|layouts|parsers|storage|config)/[\w/.]+)`", told)
    assert [name for name in named if not (ROOT / name).exists()] == []


RULES = [*(rule for _, rules in ORDER for rule in rules), *RESOLVED]


def test_every_rule_names_its_source():
    named = re.compile(r"^Source: \S", re.MULTILINE)
    assert [r.__name__ for r in RULES if not named.search(inspect.getdoc(r) or "")] == []


@pytest.mark.parametrize("path", sorted((ROOT / "layouts").glob("*.toml")), ids=lambda p: p.name)
def test_every_layout_names_its_source(path):
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "#"]
    assert any(line.startswith("# Source: ") for line in comments)


LINES_MOST = 45
"""Of a function, without its docstring."""


def long_functions(tree: ast.Module) -> Iterator[str]:
    """Functions of too many lines."""
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
            if (node.end_lineno or 0) - node.lineno + 1 - told > LINES_MOST:
                yield node.name


def test_no_function_is_longer_than_a_page():
    # A migration is history, and never changed.
    found = {
        f"{module}.{name}"
        for module, path in MODULES.items()
        if "versions" not in path.parts
        for name in long_functions(parsed(path))
    }
    assert not found


@pytest.mark.parametrize("lines", [LINES_MOST, LINES_MOST + 1])
def test_a_long_function_is_found_whatever_its_docstring(lines):
    text = 'def f():\n    """Told.\n\n    At length.\n    """\n' + "    x = 1\n" * (lines - 1)
    assert bool(list(long_functions(ast.parse(text)))) is (lines > LINES_MOST)


def without_args(tree: ast.Module) -> Iterator[str]:
    """Public functions and methods of many parameters whose docstring leaves them out.

    One that says no more than where it is told (See `X`) leaves them to that docstring.
    """
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            told = node.args
            names = [a.arg for a in (*told.posonlyargs, *told.args, *told.kwonlyargs)]
            many = len([name for name in names if name not in {"self", "cls"}]) >= 4
            docstring = ast.get_docstring(node)
            elsewhere = docstring and re.match(r"See `[\w.]+`", docstring)
            if many and docstring and not elsewhere and "Args:" not in docstring:
                yield node.name


def own_raises(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each public function raises itself, by its name, and does not tell.

    What is raised within a `try` may be caught there, and is left out.
    """
    for node in nodes(tree):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        docstring = ast.get_docstring(node)
        parts: list[ast.AST] = list(node.body)
        while parts and docstring and "Raises:" not in docstring:
            part = parts.pop()
            if isinstance(part, ast.FunctionDef | ast.ClassDef | ast.Lambda):
                continue
            if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
                name = ast.unparse(part.exc.func)
                if re.fullmatch("[A-Z][A-Za-z]+", name):
                    yield node.name, name
            left_out = part.body if isinstance(part, ast.Try) else []
            parts += [child for child in ast.iter_child_nodes(part) if child not in left_out]


@pytest.mark.parametrize("room", PACKAGES)
def test_what_a_function_raises_itself_is_told(room):
    found = {
        (module, *raised)
        for module, path in MODULES.items()
        # A verb's faults are sentences of its own, and a page's are answers.
        if is_in(module, [room]) and not is_in(module, ["ingest.verbs", "ingest.web"])
        for raised in own_raises(parsed(path))
    }
    assert not found


def test_a_fault_that_is_not_told_is_found():
    text = (
        'def f():\n    """Told."""\n'
        "    try:\n        raise First()\n    except First:\n        raise Other()\n"
    )
    assert list(own_raises(ast.parse(text))) == [("f", "Other")]
    assert not list(own_raises(ast.parse(text.replace("Told.", "Told.\n\n    Raises:\n"))))


@pytest.mark.parametrize("room", PACKAGES)
def test_many_parameters_are_described(room):
    found = {
        f"{module}.{name}"
        for module, path in MODULES.items()
        # The parameters of a verb are told by its --help.
        if is_in(module, [room]) and not is_in(module, ["ingest.verbs"])
        for name in without_args(parsed(path))
    }
    assert not found


def test_the_queue_s_library_is_imported_by_nothing_but_the_wiring_of_several_processes():
    importers = {
        module for module, path in MODULES.items() if "ingest.engine.spread" in set(imports(path))
    }
    assert importers == {"ingest.wiring.service"}
    # Every part of the service on one machine, in a process of its own.
    code = (
        "import sys, ingest.engine.daemon, ingest.engine.passes, ingest.verbs.main,"
        " ingest.wiring.service, ingest.wiring.daemon,"
        " ingest.operations.status, ingest.web.pages;"
        " sys.exit('procrastinate' in sys.modules or 'ingest.engine.spread' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
