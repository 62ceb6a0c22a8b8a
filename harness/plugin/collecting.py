"""Which files pytest looks into beside those that `python_files` names: scenarios that were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

LARGEST = 200_000  # bytes: a scenario has a dozen lines


def is_asked_for(path: Path, config: pytest.Config) -> bool:
    """Whether the file is a scenario, in a folder that the command line names.

    `pytest` alone in somebody's repository must not make calls, which may cost money: there, and from the
    root as a whole, only what `python_files` names is collected.
    """
    if path.suffix != ".py" or config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    return is_below_an_argument(path, config) and holds_a_scenario(path)


def is_below_an_argument(path: Path, config: pytest.Config) -> bool:
    """Whether an argument, and not the root as a whole, leads to it; a package may be one (`--pyargs`)."""
    for argument in config.args:
        name = argument.partition("::")[0]
        folder = (config.invocation_params.dir / name).resolve()
        if config.option.pyargs and not folder.exists():
            if path.resolve().as_posix().find(f"/{name.replace('.', '/')}/") >= 0:
                return True
        elif folder != config.rootpath.resolve() and folder in path.resolve().parents:
            return True
    return False


def holds_a_scenario(path: Path) -> bool:
    """By its text: importing every file to find out would run what nobody asked for."""
    try:
        if path.stat().st_size > LARGEST:
            return False
        text = path.read_bytes()
    except OSError:
        return False
    return b"@scenario" in text and b"harness" in text
