"""Our options beside Locust's own, and what a run is told by them."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from harness.config.arrival_rows import check_connections
from harness.config.asking import settings_of
from harness.config.option import Option, blaming
from harness.config.option_texts import given, read_options
from harness.config.options import HIGHEST_SEED, options_of
from harness.config.settings import Settings
from harness.load.analysis.rows import CALL, OFFER, ROWS
from harness.load.analysis.slo import Slo, read_slo, read_slos
from harness.load.messages import LoadSettings

DOOR: Final = "locust"


def add_options(parser: Any) -> None:
    """Add them to Locust's parser; each has a variable too, as HARNESS_… has for everything."""
    for option in options_of(DOOR):
        variable = option.variable if _has_variable(option) else ""
        declared: dict[str, Any] = {
            "dest": option.field,
            "help": option.help_at(DOOR).replace("%", "%%") + (f" [{variable}]" if variable else ""),
            "include_in_web_ui": option.web,
        }
        if option.is_flag:
            declared["action"] = "store_true"
        else:
            declared["metavar"] = option.metavar
            declared |= {"action": "append"} if option.many else {}
            # Locust's page shows what is in force, so there it must be known.
            declared["default"] = (
                os.environ.get(option.variable) or option.default_at(DOOR) if option.web else None
            )
        parser.add_argument(f"--{option.name}", **declared)


def read_values(options: Namespace | None) -> dict[str, Any]:
    """Each option's value by its field. Raises UsageError."""
    return read_options(DOOR, _texts(options))


def load_settings(options: Namespace | None, host: str | None) -> LoadSettings:
    """What the call process is told. Raises UsageError for what no run can be made with."""
    texts, values = given(DOOR, _texts(options)), read_values(options)
    # A worker has a share of the budget: the master divides it among them.
    budget = getattr(options, "budget_share", None) or values["budget"]
    if budget is not None:
        texts["limits"] = [*_listed(texts.get("limits")), f"cost_per_run_usd={budget!r}"]
        values = read_options(DOOR, texts)
    settings = settings_of(DOOR, values, target=host or None)
    return LoadSettings(
        host=host or "",
        texts=texts,
        limits=settings.limits,
        seed=settings.seed,
        turns=values["turns"],
        decode_share=values["decode_share"],
    )


def check_options(options: Namespace) -> None:
    """Raises UsageError for one that cannot be used; draws the seed where none was given."""
    values = read_values(options)
    check_connections(values)
    if values["seed"] is None:
        options.seed = str(secrets.randbelow(HIGHEST_SEED))
    slos_of(options)
    load_settings(options, options.host)


def slos_of(options: Namespace | None) -> tuple[Slo, ...]:
    """The objectives that were given. Raises UsageError that names the option."""
    with blaming("slo"):
        return tuple(read_slo(text, (*ROWS, CALL, OFFER)) for text in read_values(options)["slos"])


def checked_slos(texts: Sequence[str], *, or_default: bool = False) -> tuple[Slo, ...]:
    """Of calls, of their texts; `or_default`: the usual ones where there is none."""
    with blaming("slo"):
        return read_slos(texts) if or_default else tuple(map(read_slo, texts))


def _has_variable(option: Option) -> bool:
    """Whether it is read here; what `Settings` has is read with them, and weighs less than a named target."""
    return not option.is_flag and option.field not in Settings.model_fields


def _texts(options: Namespace | None) -> dict[str, Any]:
    """What was given, with what the environment says in place of what was not."""
    found = {option.field: getattr(options, option.field, None) for option in options_of(DOOR)}
    for option in options_of(DOOR):
        said = os.environ.get(option.variable, "")
        if said and not found[option.field] and _has_variable(option):
            found[option.field] = [said] if option.many else said
    return found


def _listed(said: object) -> list[str]:
    return [str(each) for each in said] if isinstance(said, list | tuple) else [str(said)] if said else []
