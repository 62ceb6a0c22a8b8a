"""What an installation brings along: declared where imported, and of licences that all can live with."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from typing import Any

from packaging.requirements import Requirement

from tests.test_house import ROOT, imported, modules

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# By their names in SPDX and in trove classifiers. MPL 2.0 asks for its own files' source alone.
PERMISSIVE = re.compile(
    r"0BSD|Apache[- ]2\.0|Apache (?:Software )?License.*|BSD(?:-\d-Clause)?(?: License)?|CC0-1\.0|ISC|"
    r"MIT(?:-0)?(?: License)?|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)|PSF-2\.0|"
    r"Python Software Foundation License|Unlicense|Zlib|ZPL-2\.1|Zope Public License"
)


def declared() -> set[str]:
    """Every distribution that the wheel names, its extras' too."""
    texts = [*PROJECT["dependencies"], *(r for e in PROJECT["optional-dependencies"].values() for r in e)]
    return {_normal(Requirement(text).name) for text in texts}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(names: set[str]) -> Iterator[Distribution]:
    """These and all that they need, as far as they are installed here."""
    seen: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = _normal(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:  # of another platform, or of an extra that is not installed
            continue
        yield found
        needs = map(Requirement, found.requires or ())
        waiting += [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]


def licences(found: Distribution) -> list[str]:
    """As its metadata tells: an SPDX expression, else classifiers, else a line of words."""
    said = found.metadata
    if "License-Expression" in said:
        return re.split(r"\s+(?:AND|OR)\s+|[()]", said["License-Expression"])
    classifiers = said.get_all("Classifier") or []
    named = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License ::")]
    return named or re.split(r"\s+(?:AND|OR)\s+", said["License"] if "License" in set(said) else "none")


def test_whatever_the_wheel_imports_is_declared() -> None:
    known, of_module = declared(), packages_distributions()
    missing = {
        f"{path}: {name}"
        for path, tree in modules("harness")
        for name in imported(tree) - set(sys.stdlib_module_names) - {"harness"}
        if not {_normal(d) for d in of_module.get(name, [])} & known
    }
    assert missing == set()


def test_licences_are_permissive() -> None:
    names = {_normal(Requirement(text).name) for text in PROJECT["dependencies"]}
    others = {
        found.metadata["Name"]: licences(found)
        for found in installed(names)
        if not any(PERMISSIVE.fullmatch(licence.strip()) for licence in licences(found))
    }
    assert others == {}


def test_what_is_installed_is_locked_by_its_hashes() -> None:
    """`make lock` writes the file: each pin, with the hashes of its files, and no host."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)[^\n]*\n((?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)*)",
        text,
        re.MULTILINE,
    )
    locked = {_normal(name): version for name, version, _ in entries}
    assert {name for name, _, hashes in entries if not hashes} == set()
    assert len(re.findall(r"^[\w.-]", text, re.MULTILINE)) == len(entries), "an entry of another form"
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split("\n")
    pinned = {_normal(pin.partition("==")[0]): pin.partition("==")[2] for pin in pins if pin}
    assert {name: locked.get(name) for name in pinned} == pinned, "run make lock"
