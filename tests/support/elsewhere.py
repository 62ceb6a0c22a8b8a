"""What Python's library has on Linux and not on Windows or macOS: read in the stubs that mypy brings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import mypy

STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"
HERE = "linux"
ELSEWHERE = ("win32", "darwin")


@cache
def defined(module: str, platform: str) -> frozenset[str]:
    """A module's names on a platform, and `Class.member`; none for what is no module of the library."""
    for path in (STUBS / f"{module}.pyi", STUBS / module / "__init__.pyi"):
        if path.exists():
            return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body, platform))
    return frozenset()


@cache
def absent(module: str, platforms: Sequence[str] = ELSEWHERE) -> frozenset[str]:
    """Which of its names are missing on one of these platforms."""
    return frozenset().union(*(defined(module, HERE) - defined(module, there) for there in platforms))


@cache
def is_absent(module: str, platforms: Sequence[str] = ELSEWHERE) -> bool:
    """Whether the whole module is missing on one of them: nothing public stands in its stub."""

    def is_there(platform: str) -> bool:
        return any(not name.startswith("_") for name in defined(module, platform))

    return is_there(HERE) and not all(map(is_there, platforms))


def _names(statements: Sequence[ast.stmt], platform: str) -> Iterator[str]:
    for statement in statements:
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                yield from _names(body if _holds(test, platform) else orelse, platform)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=body):
                yield name
                yield from (f"{name}.{member}" for member in _names(body, platform))
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.asname for alias in names if alias.asname == alias.name)


def _holds(test: ast.expr, platform: str) -> bool:
    known = {"sys": SimpleNamespace(platform=platform, version_info=sys.version_info)}
    return bool(eval(compile(ast.Expression(test), "stub", "eval"), known | {"TYPE_CHECKING": True}))
