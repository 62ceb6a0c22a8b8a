"""Where traces go: the collector that OpenTelemetry's own variables name."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.core.extras import require_extra
from harness.core.printable import printable

# OpenTelemetry specification, OTLP exporter: the first that is set holds.
ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
USUAL_ENDPOINT = "http://localhost:4318"


def check_collector() -> None:
    """Raises UsageError where what sends traces is not installed, or the variables name no collector."""
    require_extra("telemetry", "--telemetry")
    parts = urlsplit(_endpoint())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"--telemetry: the collector's address {collector()!r} is no URL for OTLP over HTTP",
            f"set {ENDPOINT_VARIABLES[-1]} to one such as {USUAL_ENDPOINT}",
        )


def collector() -> str:
    """Its address for people: without the password or the key that it may hold."""
    parts = urlsplit(_endpoint())
    return printable(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl())


def _endpoint() -> str:
    return next((os.environ[v] for v in ENDPOINT_VARIABLES if os.environ.get(v)), USUAL_ENDPOINT)
