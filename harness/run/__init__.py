"""One engine for every front door: settings and scenarios in, calls and verdicts out, told as it happens."""
