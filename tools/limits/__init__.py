"""docs/limits.md, from a run: relays' own limits, found by us and by wrk. `python -m tools.limits`."""
