"""The command that makes one call again, or judges one requirement again: to copy into a shell."""

from __future__ import annotations

import shlex

from harness.core.events import OfferCreated
from harness.run.model import CallEntry, Run


def repeat_call(run: Run, call: CallEntry) -> str:
    """Empty where pytest did not make the call."""
    return _command(run, call, call.node) if call.node else ""


def repeat_requirement(run: Run, call: CallEntry, requirement: str) -> str:
    """One test; the whole call where the requirement is no test of its scenario, but lies behind one."""
    if call.node and requirement in call.judged:
        return _command(run, call, f"{call.node}::{requirement}")
    return repeat_call(run, call)


def _command(run: Run, call: CallEntry, node: str) -> str:
    """With the shape of this call's offer, which was its turn among others that are not made again."""
    created = call.timeline.first(OfferCreated)
    shape = ["--offer", created.shape] if created and created.shape and "--offer" not in run.repeat else []
    return shlex.join(["pytest", node, *run.repeat, *shape])
