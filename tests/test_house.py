"""The rules of the house that no other tool keeps: see CONTRIBUTING.md."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from harness.call.scenario import Scenario
from tests.support.elsewhere import absent, is_absent

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400  # lines: beyond, a file has more than one idea

# Written apart, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "|".join([r"/(?:ho" r"me|Us" r"ers)/\w+", r"/ro" r"ot/", r"/wo" r"rk/(?:main|shared)"])
)
REGISTRIES = re.compile(
    "|".join(
        [
            *(r"py" r"pi\.org", r"python" r"hosted", r"--(?:extra-)?index" r"-url"),
            *(r"npm" r"js\.org", r"\.npm" r"rc", r"deb\.deb" r"ian\.org"),
        ]
    )
)


def tracked(*suffixes: str) -> list[Path]:
    """Files that git knows, of these suffixes or all."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.exists() and (not suffixes or file.suffix in suffixes)]


@cache
def modules(package: str) -> list[tuple[str, ast.Module]]:
    """Each module of a package, by its path from the root, with its syntax tree."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of everything that a module imports, wherever it does."""
    names = [n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level]
    return {name.partition(".")[0] for name in names}


def test_a_file_imports_only_from_floors_below() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    kept = subprocess.run(
        [tool, "--no-logo"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=100
    )
    assert kept.returncode == 0, kept.stdout[-3000:] + kept.stderr[-1000:]


def test_every_package_stands_on_a_floor() -> None:
    """What the layers do not name would be free to import anything."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in configured if contract["id"] == "floors")
    named = {name.strip() for layer in floors["layers"] for name in layer.split("|")}
    assert named == {path.parent.name for path in (ROOT / "harness").glob("*/__init__.py")}
    assert floors["exhaustive"] is True


def test_no_file_is_too_long() -> None:
    lengths = {
        str(f.relative_to(ROOT)): len(f.read_text(encoding="utf-8").splitlines()) for f in tracked(".py")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    found = []
    for file in tracked():
        text = file.read_bytes().decode("utf-8", "ignore") if file.suffix != ".flac" else ""
        for pattern in (MACHINE_PATHS, REGISTRIES):
            found += [f"{file.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_no_file_names_where_this_checkout_is() -> None:
    if len(ROOT.parts) < 3:
        pytest.skip(f"{ROOT} could stand in a text for another reason")
    here = re.compile(re.escape(str(ROOT)) + r"(?![\w.-])")
    found = [f for f in tracked() if here.search(f.read_bytes().decode("utf-8", "ignore"))]
    assert found == []


def test_every_package_says_what_it_is() -> None:
    silent = [
        name
        for package in ("harness", "scenarios")
        for name, tree in modules(package)
        if name.endswith("__init__.py") and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_a_class_name_stands_for_one_thing() -> None:
    """Who meets it in another room, or searches for it, finds one meaning; private names stay in a file."""
    homes: dict[str, list[str]] = {}
    for name, tree in modules("harness"):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def test_every_scenario_file_holds_the_scenario_of_its_name_and_no_other() -> None:
    files = [file for file in sorted((ROOT / "scenarios").glob("*.py")) if file.stem != "__init__"]
    assert files
    for file in files:
        held = vars(importlib.import_module(f"scenarios.{file.stem}"))
        scenarios = {name: value for name, value in held.items() if isinstance(value, Scenario)}
        assert list(scenarios) == [file.stem], file.name
        assert scenarios[file.stem].name == file.stem


def test_the_architecture_names_every_package() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "harness").glob("*/__init__.py")}
    assert {name for name in packages if not re.search(rf"\b{name}\b", architecture)} == set()


def test_only_the_clock_asks_for_the_time() -> None:
    """Whatever has a clock of its own cannot be tested by hand, nor put on the scale of a timeline."""
    clocks = {"time", "datetime"}
    askers = {name for name, tree in modules("harness") if imported(tree) & clocks}
    assert askers == {"harness/core/clock.py"}


def test_requirements_import_nothing_that_could_do_more_than_look() -> None:
    allowed = set(sys.stdlib_module_names) | {"harness", "numpy", "msgspec"}
    doing = {
        "os",
        "io",
        "subprocess",
        "socket",
        "asyncio",
        "threading",
        "random",
        "pathlib",
        "urllib.request",
    }
    for package in ("harness/core", "harness/requirements"):
        for name, tree in modules(package):
            strangers = imported(tree) - allowed
            assert not strangers, name
            assert not imported(tree) & doing, name


def test_every_exception_from_a_rule_gives_its_reason() -> None:
    marks = re.compile(r"#\s*(?:type: ignore|noqa)\b(?:\[[\w, -]+\]|: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?(.*)")
    bare = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in tracked(".py")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        for mark in marks.finditer(line)
        if not re.search(r"[a-z]{3}", mark.group(1)) and file != Path(__file__)
    ]
    assert bare == []


# Each makes what it prints printable (`core/printable.py`), or prints nothing from outside.
PRINTERS = {
    "harness/cli/screen.py": {"click.echo", "Console"},
    "harness/plugin/terminal.py": {"reporter.write_line"},
    "harness/plugin/progress.py": {"Console", "self._reporter.write_line"},
    "harness/plugin/hooks.py": {"terminalreporter.write_line"},
    "harness/call/context.py": {"sys.stderr.write"},
    "harness/peer/native/__main__.py": {"sys.stdout.write"},
    "harness/load/terminal.py": {"sys.stdout.write", "sys.stderr.write"},
    "harness/fakes/commands.py": {"sys.stdout.write"},
    "harness/fakes/openai/workers/front.py": {"sys.stderr.write"},
    "harness/fakes/embedded_child.py": {"sys.stdout.buffer.write", "sys.stderr.write"},
}
PRINTING = re.compile(
    r"print|.*\bsecho|(click\.)?echo|(rich\.console\.)?Console|.*\bwrite_line|(sys\.)?std(out|err)(\.buffer)?\.write"
)


def test_whatever_prints_is_one_of_those_that_make_it_printable() -> None:
    printing: dict[str, set[str]] = {}
    for name, tree in modules("harness"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and PRINTING.fullmatch(called := ast.unparse(node.func)):
                printing.setdefault(name, set()).add(called)
    assert {name: sorted(found - PRINTERS.get(name, set())) for name, found in printing.items()} == {
        name: [] for name in printing
    }


# What the loops of Windows lack: the selector loop programs and pipes, the proactor loop sockets to watch.
LOOPS = re.compile(
    r"(add|remove)_(reader|writer|signal_handler)|(create_)?subprocess_(exec|shell)|connect_(read|write)_pipe"
    r"|create_unix_\w+|open_unix_connection|(new|get)_event_loop|uvloop"
)
# They are on a loop that tells when a socket can be read, or catch that it does not.
WATCHING = {
    "harness/peer/datagrams.py": {"add_writer", "remove_writer"},
    "harness/browser/detour.py": {"add_reader", "remove_reader"},
}


def only_on_some_systems(tree: ast.Module) -> set[str]:
    """What a module uses that Windows or macOS lacks, and where it asks which system this is."""
    methods = {name.rpartition(".")[2] for name in absent("_socket") if name.startswith("socket.")}
    found = {name for name in imported(tree) if is_absent(name) or name in ("uvloop", "msvcrt", "winreg")}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                found |= {alias.name for alias in names} & absent(module)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in absent(module):
                found.add(name)
            case ast.Attribute(attr=name) if name in methods or LOOPS.fullmatch(name):
                found.add(name)
            case ast.Call(args=[ast.Name(id=module), ast.Constant(value=str(name)), *_]) if name in absent(
                module
            ):
                found.add(name)
            case ast.keyword(arg="preexec_fn" | "pass_fds" | "start_new_session" | "process_group" as name):
                found.add(str(name))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.platform", "os.name"):
            found.add(ast.unparse(node))
    return found


def test_what_only_some_systems_have_is_used_in_one_place() -> None:
    found = {
        name: sorted(used - WATCHING.get(name, set()))
        for name, tree in modules("harness")
        if not name.startswith(("harness/platform/", "harness/fakes/behind/python/"))
        and (used := only_on_some_systems(tree))
    }
    assert {name: used for name, used in found.items() if used} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import fcntl",
        "import os; os.killpg(1, 9)",
        "from signal import SIGHUP",
        "import signal; getattr(signal, 'SIGHUP', None)",
        "import socket; socket.SO_REUSEPORT",
        "bound.recvmsg(1, 2)",
        "asyncio.create_subprocess_exec('true')",
        "loop.add_signal_handler(2, stop)",
        "import selectors; selectors.EpollSelector()",
        "subprocess.Popen(command, start_new_session=True)",
        "import sys; sys.platform == 'win32'",
    ],
)
def test_such_a_use_is_found(line: str) -> None:
    assert len(only_on_some_systems(ast.parse(line))) == 1


def test_stand_ins_are_called_fake_or_reference() -> None:
    named = [
        f"{name}: {node.name}"
        for package in ("harness", "tests", "scenarios")
        for name, tree in modules(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and re.match(r"_?(?:Mock|Stub|Dummy)", node.name)
    ]
    assert named == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+(?: ;.*)?", pin) for pin in pins if pin and pin[0] != "#")
    pinned = {normal(pin.partition("==")[0]) for pin in pins}
    declared = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    own = {normal(project["name"])}  # an extra that takes in others
    assert {normal(re.split(r"[<>=~!\[; ]", name)[0]) for name in declared} - pinned == own


def normal(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
