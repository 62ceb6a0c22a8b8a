"""A tab of Locust's page with the stages in the order of a call, and a banner while we are too slow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request
from locust.env import Environment

from harness.core.printable import printable
from harness.load.analysis.health import Health
from harness.load.analysis.rows import CALL, OFFER, ROWS
from harness.load.locust_side.exposing import failures_of
from harness.load.locust_side.firing import REQUEST_TYPE

TAB = "voice"
LEAST_FOR_P95 = 20  # values: of fewer it is the worst, rounded
COLUMNS = (
    ("stage", "Stage, in the order of a call"),
    ("made", "Made"),
    ("failed", "Failed"),
    ("median", "Median (ms)"),
    ("p95", "95 % (ms)"),
    ("worst", "Worst (ms)"),
    ("cause", "Most frequent cause of failure"),
)
BANNER = """
const shown = document.createElement("div");
shown.setAttribute("role", "alert");
shown.style.cssText = "display:none;position:sticky;top:0;z-index:2000;padding:.75rem 1rem;" +
  "background:#8a1c1c;color:#fff;font:500 1rem/1.4 system-ui,sans-serif;overflow-wrap:anywhere";
document.body.prepend(shown);
async function look() {
  try {
    const { saturated, carried } = await (await fetch("./generator")).json();
    shown.style.display = saturated ? "block" : "none";
    shown.textContent = saturated && `The generator is saturated: ${saturated}. These figures say nothing ` +
      `of the target. This machine carried ${carried} calls on time: make fewer, or add workers.`;
  } catch { /* Locust has ended */ }
}
look();
setInterval(look, 2000);
"""


def add_voice_tab(app: Flask, environment: Environment, health: Callable[[], Health]) -> None:
    """To the page of this environment, whose generator is asked for at `/generator`."""
    web_ui = environment.web_ui
    assert web_ui is not None  # noqa: S101  (its app is here)
    web_ui.template_args["extendedTabs"] = [{"title": "Voice", "key": TAB}]
    structure = [{"key": key, "title": title} for key, title in COLUMNS]
    web_ui.template_args["extendedTables"] = [{"key": TAB, "structure": structure}]
    update = web_ui.update_template_args

    def without_host_warning() -> None:
        update()  # type: ignore[no-untyped-call]  # Locust says no types for it
        web_ui.template_args["missing_host_warning"] = False  # without one the embedded pair is called

    web_ui.update_template_args = without_host_warning  # type: ignore[method-assign]  # no other way in
    app.add_url_rule("/generator", "generator", lambda: health().as_json())
    app.add_url_rule("/voice-banner.js", "banner", lambda: Response(BANNER, mimetype="text/javascript"))

    @app.after_request
    def extended(response: Response) -> Response:
        if response.status_code != 200 or response.is_streamed:
            return response
        if request.path == "/stats/requests":
            told = {**response.get_json(), "extendedStats": [{"key": TAB, "data": stage_rows(environment)}]}
            response.set_data(json.dumps(told))
        elif request.path == "/":
            script = b'<script type="module" src="./voice-banner.js"></script></body>'
            response.set_data(response.get_data().replace(b"</body>", script, 1))
        return response


def stage_rows(environment: Environment) -> list[Mapping[str, Any]]:
    """What Locust measured so far: each stage that was reached, the whole call, and offers alone."""
    causes: dict[str, tuple[int, str]] = {}
    for (stage, cause), count in failures_of(environment).items():
        causes[stage] = max(causes.get(stage, (0, "")), (count, cause))
    rows: list[Mapping[str, Any]] = []
    for name in (*ROWS, CALL, OFFER):
        entry = environment.stats.entries.get((name, REQUEST_TYPE))
        if entry is None or not entry.num_requests:
            continue
        measured, enough = bool(entry.response_times), entry.num_requests >= LEAST_FOR_P95
        count, cause = causes.get(name, (0, ""))
        rows.append(
            {
                "stage": name,
                "made": entry.num_requests,
                "failed": entry.num_failures,
                "median": round(entry.median_response_time) if measured else "–",
                "p95": round(entry.get_response_time_percentile(0.95)) if measured and enough else "–",
                "worst": round(entry.max_response_time) if measured else "–",
                "cause": printable(f"{cause} ({count})") if cause else "",
            }
        )
    return rows
