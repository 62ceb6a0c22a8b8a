"""What Locust fires, and what we do then: options in; the generator's health and the objectives out."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from typing import Any, cast

import gevent
from locust import events
from locust.env import Environment
from locust.runners import STATE_STOPPED, STATE_STOPPING, LocalRunner, MasterRunner, Runner, WorkerRunner
from locust.stats import CSV_STATS_INTERVAL_SEC

from harness.core.errors import HarnessError, UsageError
from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, USAGE, VIOLATING
from harness.core.printable import make_logs_printable
from harness.load.analysis.health import Health
from harness.load.analysis.rows import CALL, OFFER
from harness.load.analysis.slo import FAILURES
from harness.load.locust_side.exposing import PATH, MetricsServer, scraped
from harness.load.locust_side.firing import REQUEST_TYPE
from harness.load.locust_side.generator import Generator
from harness.load.locust_side.options import add_options, check_options, read_values, slos_of
from harness.load.locust_side.users import OfferCaller
from harness.load.locust_side.voice_tab import add_voice_tab
from harness.report.prometheus import CONTENT_TYPE

CALLS_POLL_SECONDS = 0.25
CSV_INTERVALS = 1.5

logger = logging.getLogger(__name__)

_workers: dict[str, dict[str, Any]] = {}  # on a master: each worker's latest report
_broke: dict[str, str] = {}  # likewise: why a worker lost its calls


def _check(environment: Environment, **_: Any) -> None:
    """Refuse before the first call what no call could be made with."""
    make_logs_printable()
    options = _options(environment)
    try:
        check_options(options)
    except UsageError as error:
        logger.error("%s", error)  # noqa: TRY400  (a message for people; a traceback would bury it)
        sys.exit(USAGE)
    if not isinstance(environment.runner, WorkerRunner):
        if not options.user_classes:  # whose choice it is has asked for calls
            environment.user_classes = [c for c in environment.user_classes if c is not OfferCaller]
        logger.info("seed %s (repeat the same callers with --seed)", options.seed)
    if environment.web_ui is not None and environment.web_ui.app is not None:
        app = environment.web_ui.app
        add_voice_tab(app, environment, lambda: _health(environment))
        app.add_url_rule(PATH, "metrics", lambda: (_scraped(environment), {"Content-Type": CONTENT_TYPE}))
    if not isinstance(environment.runner, WorkerRunner):  # whose master has what all of them measured
        _serve_metrics(environment, options)


def _scraped(environment: Environment) -> str:
    return scraped(environment, _health(environment))


def _serve_metrics(environment: Environment, options: Namespace) -> None:
    bind_to = read_values(options)["metrics"]
    if bind_to is None:
        return
    try:
        server = MetricsServer(lambda: _scraped(environment), *bind_to)
    except UsageError as error:
        logger.error("%s", error)  # noqa: TRY400  (a message for people)
        sys.exit(USAGE)
    environment.events.quit.add_listener(lambda **_: server.stop())


def _begin(environment: Environment, **_: Any) -> None:
    _workers.clear()
    _broke.clear()
    options = _options(environment)
    values = read_values(options)
    if isinstance(environment.runner, MasterRunner) and values["budget"] is not None:
        # Sent to the workers with the options: together they cannot spend more than was allowed.
        options.budget_share = values["budget"] / max(1, environment.runner.worker_count)
    Generator.of(environment).reset()
    if values["fake_openai"] and not isinstance(environment.runner, MasterRunner):
        _check_fake(environment, options)
    if values["calls"] is not None and not isinstance(environment.runner, WorkerRunner):
        gevent.spawn(_end_after, environment, values["calls"])


def _check_fake(environment: Environment, options: Namespace) -> None:
    """Before the first call: whether the fake that was named is there. The call process says so."""
    try:
        Generator.of(environment).calls(environment.host).start()
    except HarnessError as error:
        logger.error("%s", error)  # noqa: TRY400  (a message for people)
        if options.headless:
            sys.exit(INCONCLUSIVE)


def _end_after(environment: Environment, calls: int) -> None:
    """End the test when so many calls have been made."""
    runner = cast("Runner", environment.runner)
    while environment.stats.get(CALL, REQUEST_TYPE).num_requests < calls:
        gevent.sleep(CALLS_POLL_SECONDS)
        if runner.state in (STATE_STOPPING, STATE_STOPPED):
            return
    runner.stop()
    if _options(environment).csv_prefix is not None:
        # Locust writes its rows at an interval and not at the end: what came since would be in no file.
        gevent.sleep(CSV_INTERVALS * CSV_STATS_INTERVAL_SEC)
    if _options(environment).headless:
        runner.quit()


def _tell_master(data: dict[str, Any], **_: Any) -> None:
    for environment in Generator.environments():
        generator = Generator.of(environment)
        data["generator"] = generator.whole_health().as_report()
        if generator.broke:
            data["broke"] = generator.broke


def _hear_worker(client_id: str, data: dict[str, Any], **_: Any) -> None:
    if "generator" in data:
        _workers[client_id] = data["generator"]
    if "broke" in data:
        _broke[client_id] = data["broke"]


def _end(environment: Environment, **_: Any) -> None:
    """Stop our processes, and say whether the figures can be trusted and the objectives were kept."""
    if isinstance(environment.runner, LocalRunner):  # at Ctrl-C its callers are still there
        environment.runner.stop()
    Generator.of(environment).stop()
    if isinstance(environment.runner, WorkerRunner):
        return
    if not environment.stats.entries:
        if slos_of(_options(environment)):
            logger.error("nothing was measured, so no objective can be told; run for longer (-t)")
            environment.process_exit_code = INCONCLUSIVE
        return
    health = _health(environment)
    logger.info("%s", health)
    kept = _kept_slos(environment)
    if broke := Generator.of(environment).broke or next(iter(_broke.values()), ""):
        logger.error("inconclusive: %s", broke)
        environment.process_exit_code = INCONCLUSIVE
    elif health.saturated:
        logger.warning("%s", health.verdict())
        environment.process_exit_code = INCONCLUSIVE
    elif slos_of(_options(environment)):
        environment.process_exit_code = (
            VIOLATING if False in kept else INCONCLUSIVE if None in kept else CONFORMING
        )


def _options(environment: Environment) -> Namespace:
    """Ours are there as soon as Locust has read its command line."""
    return cast("Namespace", environment.parsed_options)


def _health(environment: Environment) -> Health:
    return Health.of_workers(_workers.values()) if _workers else Generator.of(environment).whole_health()


def _kept_slos(environment: Environment) -> list[bool | None]:
    """Whether each of --slo was kept by Locust's statistics (two digits of a response time); says each.

    None: nothing was measured.
    """
    told = []
    for slo in slos_of(_options(environment)):
        if slo.row == FAILURES:
            counted = [environment.stats.get(row, REQUEST_TYPE) for row in (CALL, OFFER)]
            made = sum(entry.num_requests for entry in counted)
            value = 100 * sum(entry.num_failures for entry in counted) / made if made else None
        else:
            entry = environment.stats.get(slo.row, REQUEST_TYPE)
            value = entry.get_response_time_percentile(slo.q / 100) if entry.response_times else None
        kept = None if value is None else value < slo.limit
        logger.log(
            logging.INFO if kept else logging.ERROR,
            "%s %s: %s",
            {True: "kept", False: "BROKEN", None: "inconclusive"}[kept],
            slo.text,
            slo.show(value),
        )
        told.append(kept)
    return told


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(_check)
events.test_start.add_listener(_begin)
events.report_to_master.add_listener(_tell_master)
events.worker_report.add_listener(_hear_worker)
events.quitting.add_listener(_end)
