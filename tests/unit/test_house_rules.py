"""Rules of this house that no general linter knows, read from the syntax trees of all sources."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("contracts/src", "services", "deploy/federation/src")
    for path in (ROOT / folder).rglob("*.py")
)
MODULE_LINES = 300
FUNCTION_LINES = 40

CLOCKS = {
    "services/kernel/src/kernel/clock.py",
    "services/kernel/src/kernel/ids.py",
}
COMMITS = {
    "services/kernel/src/kernel/db.py",
    "services/kernel/src/kernel/relay_store.py",
    "services/kernel/src/kernel/consumer_store.py",
}
PUBLISHES = {
    "services/kernel/src/kernel/relay.py",
    "services/kernel/src/kernel/publishers.py",
}
OPENS_HTTP = {"services/kernel/src/kernel/http.py"}
FORBIDDEN_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid4",
    "uuid1",
}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
SCOPE_TYPES = {"Principal", "Scope", "Reach", "Reader"}
SCOPES = {"principal", "node", "organisation", "own_org", "scope", "owner"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node.lineno


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_run_by_people(path: Path) -> bool:
    """The command line and its parts on one machine, not a service."""
    return name_of(path).startswith("deploy/")


def is_migration(path: Path) -> bool:
    return "migrations" in path.parts


def offences(found: Callable[[Path, ast.Module], Iterator[str]]) -> list[str]:
    return [
        f"{name_of(path)}:{offence}" for path in SOURCES for offence in found(path, tree_of(path))
    ]


def test_only_the_clock_reads_the_time_and_only_the_id_source_draws() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        if name_of(path) in CLOCKS or is_run_by_people(path):
            return
        for call, line in calls(tree):
            if any(call == name or call.endswith(f".{name}") for name in FORBIDDEN_CALLS):
                yield f"{line} {call}"
        for module, line in imports(tree):
            if module.partition(".")[0] in {"random", "secrets"}:
                yield f"{line} import {module}"

    assert offences(found) == []


def test_only_the_database_module_and_the_stores_of_the_bus_commit() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        if name_of(path) in COMMITS:
            return
        for call, line in calls(tree):
            if call.endswith(".commit") and call != "git.commit":
                yield f"{line} {call}"

    assert offences(found) == []


def test_only_the_relay_publishes() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        if name_of(path) in PUBLISHES:
            return
        for call, line in calls(tree):
            receiver, _, method = call.rpartition(".")
            to_bus = receiver.rpartition(".")[2] in {"broker", "producer"}
            if method in {"publish_batch", "send_and_wait"} or (to_bus and method == "publish"):
                yield f"{line} {call}"

    assert offences(found) == []


def test_only_the_http_module_of_the_kernel_and_the_command_line_import_httpx() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        if name_of(path) in OPENS_HTTP or is_run_by_people(path):
            return
        for module, line in imports(tree):
            if module.partition(".")[0] in {"httpx", "requests", "aiohttp", "urllib3"}:
                yield f"{line} import {module}"

    assert offences(found) == []


def test_modules_and_functions_stay_short() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MODULE_LINES and not is_migration(path):
            yield f"1 {lines} lines"
        for function in functions(tree):
            length = lines_of(function)
            if length > FUNCTION_LINES and not is_migration(path):
                yield f"{function.lineno} {function.name} has {length} lines"

    assert offences(found) == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and without functions in it, which count alone."""
    inner = [node for node in function.body if isinstance(node, FUNCTION)]
    apart: list[ast.stmt] = [*inner, *function.body[: ast.get_docstring(function) is not None]]
    return length_of(function) - sum(length_of(node) for node in apart)


def length_of(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, FUNCTION) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return (node.end_lineno or node.lineno) - first + 1


def test_every_list_query_of_a_repository_takes_a_scope_or_says_why_not() -> None:
    def found(path: Path, tree: ast.Module) -> Iterator[str]:
        if path.name != "repository.py":
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        types = SCOPE_TYPES | filters_with_scope(tree)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("_") or not is_list_query(node) or takes_scope(node, types):
                continue
            about = lines[max(0, node.lineno - 2) : node.body[0].end_lineno]
            if not any(re.search(r"# unscoped: \S+", line) for line in about):
                yield f"{node.lineno} {node.name} takes no scope and gives no reason"

    assert offences(found) == []


def is_list_query(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """It selects, and what it returns is several rows."""
    selects = any(call.rpartition(".")[2] == "select" for call, _ in calls(function))
    returned = ast.unparse(function.returns) if function.returns else ""
    several = re.match(
        r"(Sequence|list|tuple|set|frozenset|dict|Mapping|AsyncIterator|Page)\b", returned
    )
    return selects and several is not None


def filters_with_scope(tree: ast.Module) -> set[str]:
    """Classes of the module that carry the caller's scope beside what is asked for."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(line, ast.AnnAssign) and dotted(line.target) in SCOPES for line in node.body
        )
    }


def takes_scope(function: ast.FunctionDef | ast.AsyncFunctionDef, types: set[str]) -> bool:
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return any(
        argument.arg in SCOPES
        or argument.arg.endswith(("_node", "_organisation", "_scope"))
        or (argument.annotation is not None and dotted(argument.annotation) in types)
        for argument in arguments
    )


def test_no_failure_is_swallowed_silently() -> None:
    def found(_: Path, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or dotted(node.type) in {"Exception", "BaseException"}
            if broad and all(isinstance(line, ast.Pass) for line in node.body):
                yield f"{node.lineno} swallows {dotted(node.type) if node.type else 'everything'}"

    assert offences(found) == []


def test_no_class_is_called_manager_helper_or_util() -> None:
    def found(_: Path, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and re.search(
                r"(Manager|Helper|Utils?|Impl)$", node.name
            ):
                yield f"{node.lineno} {node.name}"

    assert offences(found) == []


def test_migrations_are_named_by_their_date() -> None:
    versions = [path for path in SOURCES if path.parent.name == "versions"]
    assert versions
    wrong = [
        name_of(path)
        for path in versions
        if not re.fullmatch(r"\d{4}_\d{2}_\d{2}_\d{4}_[a-z0-9_]+\.py", path.name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "import datetime as d\nx = d.datetime.now()",
        "from datetime import datetime\nx = datetime.now(UTC)",
        "import uuid\nx = uuid.uuid4()",
    ],
)
def test_the_clock_rule_sees_every_spelling(source: str) -> None:
    found = [call for call, _ in calls(ast.parse(source))]
    assert any(
        call == name or call.endswith(f".{name}") for call in found for name in FORBIDDEN_CALLS
    )
