"""What do the tests catch? `python -m tools.mutation --number 100 --seed 1`.

Each mutation changes one operator, number or word in one function of the requirements or the core, in a copy
of this checkout, and runs their tests there until one fails: those nearest to it first, then all. What no
test notices is shown with its line: a test is missing, or the change makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = ("harness/requirements", "harness/core")
TESTS = ("tests/requirements", "tests/core", "tests/run", "--ignore=tests/requirements/test_scaling.py")
NEEDED = (
    "harness",
    "tests",
    "tools",
    "scenarios",
    "fixtures",
    "docs",
    "examples",
    "pyproject.toml",
    "README.md",
)
# What is held against a browser's word, where the module is used.
USED_IN = {"sdp_lines.py": ["tests/peer/test_answers.py", "-k", "not browser"]}
OLD = 1_600_000_000  # a time before any of this was written
NO_TESTS = 5  # pytest's exit code where none was selected
LONGEST = 240.0  # seconds for the tests of one mutation: one that hangs is noticed
OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OTHER_WORD = {"any": "all", "all": "any", "min": "max", "max": "min", "first": "last", "last": "first"}


@dataclass(frozen=True)
class Mutation:
    """`after` is the module's text with the change; `line` and `what` are for whoever reads of it."""

    path: Path
    line: int
    what: str
    after: str


def mutations_of(path: Path) -> Iterator[Mutation]:
    """Every mutation of a module, in its order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for number, node in enumerate(_in_functions(tree)):
        if (changed := _changed(node)) is None:
            continue
        what, new = changed
        whole = copy.deepcopy(tree)
        target = list(_in_functions(whole))[number]
        _replace(whole, target, new)
        line = getattr(node, "lineno", 0)
        yield Mutation(path, line, what, ast.unparse(ast.fix_missing_locations(whole)))


def _in_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """What functions do: not their decorators, annotations and docstrings, which are words for people."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                yield from ast.walk(statement)


def _changed(node: ast.AST) -> tuple[str, ast.AST] | None:
    """How a node could be otherwise; None where there is nothing to change."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare(ops=[op, *rest]) if type(op) in OTHER_COMPARISON:
            new.ops = [OTHER_COMPARISON[type(op)](), *rest]
        case ast.BoolOp(op=ast.And()):
            new.op = ast.Or()
        case ast.BoolOp(op=ast.Or()):
            new.op = ast.And()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            new = operand
        case ast.BinOp(op=ast.Add()):
            new.op = ast.Sub()
        case ast.BinOp(op=ast.Sub()):
            new.op = ast.Add()
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value) | float(value)):
            new.value = value + 1
        case ast.Call(func=ast.Name(id=name)) if name in OTHER_WORD:
            assert isinstance(new.func, ast.Name)
            new.func.id = OTHER_WORD[name]
        case ast.Call(func=ast.Attribute(attr=name)) if name in OTHER_WORD:
            assert isinstance(new.func, ast.Attribute)
            new.func.attr = OTHER_WORD[name]
        case ast.Continue():
            new = ast.Break()
        case ast.Return(value=value) if value is not None and not _is_none(value):
            new.value = ast.Constant(None)
        case _:
            return None
    return f"{ast.unparse(node)[:100]}  →  {ast.unparse(new)[:100]}", new


def _is_none(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _replace(tree: ast.AST, target: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is target for each in value):
                setattr(parent, name, [new if each is target else each for each in value])


def nearest(path: Path) -> list[str]:
    """Arguments of pytest for the tests nearest to a module: those that import it, and its area's causes."""
    within = path.relative_to(ROOT / "harness")
    dotted = ".".join(("harness", *within.with_suffix("").parts))
    importing = re.compile(
        rf"{re.escape(dotted)}\b|from {re.escape(dotted.rpartition('.')[0])} import [^\n]*\b{path.stem}\b"
    )
    found = [
        str(test.relative_to(ROOT))
        for place in ("tests/core", "tests/requirements", "tests/run")
        for test in sorted((ROOT / place).glob("test_*.py"))
        if test.name == f"test_{path.stem}.py" or importing.search(test.read_text(encoding="utf-8"))
    ]
    if within.parts[0] == "requirements":
        area = within.parts[1].removesuffix(".py")
        causes = ["tests/requirements/test_causes.py", "tests/requirements/test_light_records.py"]
        return [*dict.fromkeys((*found, *causes)), "-k", f"{area} or not test_causes"]
    return [*found, *USED_IN.get(path.name, [])]


def is_noticed(mutation: Mutation, copied: Path, number: int) -> bool:
    """Whether a test fails, or does not end, with it."""
    place = copied / mutation.path.relative_to(ROOT)
    before = place.read_text(encoding="utf-8")
    try:
        _write(place, mutation.after, 2 * number)
        near = nearest(mutation.path)
        return (bool(near) and _fails(near, copied)) or _fails(TESTS, copied)
    finally:
        _write(place, before, 2 * number + 1)


def _write(place: Path, text: str, moment: int) -> None:
    """Bytecode is kept, for there are a thousand modules: no two texts of one may have the same time."""
    place.write_text(text, encoding="utf-8")
    os.utime(place, (OLD + moment, OLD + moment))


def _fails(tests: Sequence[str], copied: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copied)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        ended = subprocess.run(  # noqa: S603  (our own tests)
            command, cwd=copied, env=environment, capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode not in (0, NO_TESTS)


def main() -> int:
    """1 where a mutation was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="so many of them were run before")
    asked = parser.parse_args()
    files = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    every = [mutation for path in files for mutation in mutations_of(path)]
    rng = random.Random(asked.seed)  # noqa: S311  (replayable on purpose)
    chosen = rng.sample(every, min(asked.number, len(every)))
    chosen = chosen[asked.skip :]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "checkout"
        copied.mkdir()
        for name in NEEDED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, copied / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
                )
            else:
                shutil.copy(source, copied / name)
        for number, mutation in enumerate(chosen, start=1 + asked.skip):
            noticed = is_noticed(mutation, copied, number)
            unnoticed += not noticed
            where = f"{mutation.path.relative_to(ROOT)}:{mutation.line}"
            sys.stdout.write(
                f"{number:4} {'noticed ' if noticed else 'UNNOTICED'} {where}  {mutation.what}\n"
            )
            sys.stdout.flush()
    sys.stdout.write(
        f"{len(chosen) - unnoticed} of {len(chosen)} mutations were noticed (of {len(every)} possible)\n"
    )
    return int(unnoticed > 0)


if __name__ == "__main__":
    sys.exit(main())
