"""The report as one HTML file that opens offline: all that it shows is in it, and only our own script runs.

Whatever a target said is hostile. Three walls: the templates escape by default, the page's Content Security
Policy lets run only the one script of this hash, and it lets nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.core.errors import UsageError
from harness.core.printable import printable
from harness.report.comparison import TEST, Comparison
from harness.report.history import PastRun
from harness.report.html import calls, measures, reliability, views, words
from harness.report.html.load import load_view
from harness.report.html.trend import draw_trend
from harness.report.plot import plot_css
from harness.requirements.model import Outcome
from harness.run.model import Run, RunVerdict
from harness.speech.clip import Clip

FILE = "report.html"


def write_html(
    run: Run,
    directory: Path,
    clips: Mapping[str, Clip],
    *,
    past: Sequence[PastRun] = (),
    comparison: Comparison | None = None,
) -> Path:
    """Write the report beside results.json; `clips` are those that the caller spoke.

    `past` are runs like this one, which is the last of them; `comparison` is with the baseline.
    Raises UsageError when the directory cannot be written.
    """
    return _written(directory / FILE, as_html(run, clips, past=past, comparison=comparison))


def write_load_html(path: Path, document: Mapping[str, Any], plot: Markup, repeat: str) -> Path:
    """Write the page of a capacity or a soak run: its JSON, the plot of its stages, the command to repeat it.

    Raises UsageError when the file cannot be written.
    """
    template = _environment().get_template("load.html.j2")
    return _written(path, template.render(**load_view(document, plot, repeat), **_assets()))


def as_watch_html(*, word: str, **shown: Any) -> str:
    """The page of `harness watch`: what holds now, and the last looks."""
    signs: dict[str, str] = {
        "paused": "‖",
        **{verdict.value: sign for verdict, sign in words.VERDICT_SIGNS.items()},
    }
    tones = {
        RunVerdict.CONFORMING: Outcome.PASSED.value,
        RunVerdict.VIOLATING: Outcome.FAILED.value,
        RunVerdict.UNREACHABLE: Outcome.ERROR.value,
        RunVerdict.INCONCLUSIVE: Outcome.INCONCLUSIVE.value,
    }
    template = _environment().get_template("watch.html.j2")
    page = template.render(word=word, sign=signs[word], tones=tones, **shown, **_assets())
    return printable(page, lines=True)


def _written(path: Path, page: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(printable(page, lines=True), encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"the report cannot be written: {error}", "choose another --reports DIR") from error
    return path


def as_html(
    run: Run,
    clips: Mapping[str, Clip],
    *,
    past: Sequence[PastRun] = (),
    comparison: Comparison | None = None,
) -> str:
    """The whole page."""
    impairment = run.conditions.get("impairment", "none")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            impairment="" if impairment == "none" else impairment,
            headline=views.headline(run),
            findings=views.findings(run),
            areas=views.areas(run),
            calls=calls.calls(run, clips),
            groups=measures.groups(run),
            trend=draw_trend(past),
            comparison=comparison,
            test=TEST,
            facts=reliability.facts(run),
            **_assets(),
        )
    )


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": calls.anchor,
        "counted": words.counted,
        "number": words.number,
        "sign": views.sign,
        "spoken": words.spoken,
        "ticked": words.ticked,
    }
    environment.globals["LONGEST_BODY"] = calls.LONGEST_BODY
    return environment


@lru_cache
def _assets() -> dict[str, str]:
    folder = resources.files("harness.report.html") / "templates"
    # As plain text: text that is added to Markup would be escaped.
    style = (folder / "style.css").read_text(encoding="utf-8") + str(plot_css())
    script = (folder / "script.js").read_text(encoding="utf-8")
    return {
        "style": Markup(style),  # noqa: S704  (our own file)
        "script": Markup(script),  # noqa: S704  (our own file)
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }


def _hash(text: str) -> str:
    """As a Content Security Policy names it (CSP 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
