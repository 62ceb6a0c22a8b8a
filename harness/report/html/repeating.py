"""The command that makes one call again, or judges one requirement again: to copy into a shell."""

from __future__ import annotations

import shlex

from harness.run.model import CallEntry, Run


def repeat_call(run: Run, call: CallEntry) -> str:
    """Empty where pytest did not make the call."""
    return shlex.join(["pytest", call.node, *run.repeat]) if call.node else ""


def repeat_requirement(run: Run, call: CallEntry, requirement: str) -> str:
    """One test; the whole call where the requirement is no test of its scenario, but lies behind one."""
    if call.node and requirement in call.judged:
        return shlex.join(["pytest", f"{call.node}::{requirement}", *run.repeat])
    return repeat_call(run, call)
