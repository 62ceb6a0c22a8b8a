"""The wheel and the sdist, built, and an environment that has nothing else: `python -m tools.installed`.

An environment is filled by pip, as on a fresh machine, or for tests by links to what is installed here,
without the extras and without this checkout.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from harness.core.extras import EXTRAS

ROOT = Path(__file__).parents[1]
MOST_MB = 350
OURS = "voice-relay-harness"


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        (found,) = (self.folder / "lib").glob("python*/site-packages")
        return found

    def size_mb(self) -> float:
        """What all packages take, pip and setuptools aside, which come with any environment."""
        own = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
        files = (file for file in self.packages.rglob("*") if file.is_file() and not file.is_symlink())
        counted = (f for f in files if not f.relative_to(self.packages).parts[0].startswith(own))
        return sum(file.stat().st_size for file in counted) / 1_000_000


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    _run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], ROOT)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def by_pip(folder: Path, wheel: Path, extras: str = "") -> Environment:
    """A fresh environment in which pip has installed the wheel, with what it needs from the index."""
    venv.create(folder, with_pip=True)
    made = Environment(folder)
    wanted = f"{wheel}[{extras}]" if extras else str(wheel)
    pip = [str(made.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "-c", str(ROOT / "constraints.txt"), wanted], folder)
    return made


def by_links(folder: Path, wheel: Path, *, without: Iterable[str] = EXTRAS) -> Environment:
    """An environment with the wheel and links to what is installed here, but for some extras."""
    venv.create(folder, with_pip=False, symlinks=True)
    made = Environment(folder)
    hidden = {module for extra in without for module in EXTRAS[extra]}
    for found in distributions():
        name = found.metadata["Name"].lower().replace("_", "-")
        entries = {
            Path(str(file)).parts[0] for file in found.files or () if ".." not in Path(str(file)).parts
        }
        if name == OURS or entries & hidden:
            continue
        for entry in entries - {"__pycache__"}:
            here, there = Path(str(found.locate_file(entry))), made.packages / entry
            if here.exists() and not there.exists() and here.suffix != ".pth":
                there.symlink_to(here)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(made.packages)
    return made


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=600)  # noqa: S603  (our own)


def main() -> None:
    """What continuous integration does: build both, install the wheel, say how large it is, and run it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel, sdist = build(folder / "dist")
        made = by_pip(folder / "venv", wheel)
        size = made.size_mb()
        print(f"{wheel.name}, {sdist.name}: {size:.0f} MB installed, {MOST_MB} are allowed")  # noqa: T201
        _run([str(folder / "venv/bin/harness"), "init"], folder)
        _run([str(folder / "venv/bin/pytest"), "voice/", "-p", "no:cacheprovider"], folder)
        _run([str(folder / "venv/bin/pytest"), "--pyargs", "harness.scenarios", "--smoke"], folder)
        sys.exit(size > MOST_MB)


if __name__ == "__main__":
    main()
