"""Tools that OpenAI itself calls, at an MCP server that the session names."""

from __future__ import annotations

from harness.core.fields import text
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

LISTING, CALLING = "mcp_list_tools", "response.mcp_call"
ENDS = (f"{LISTING}.completed", f"{LISTING}.failed", f"{CALLING}.completed", f"{CALLING}.failed")


def _none_there(timeline: Timeline) -> NotApplicable | None:
    return (
        None if timeline.server_events(*ENDS) else NotApplicable("the session has no tools at an MCP server")
    )


@requirement(
    "turns.remote-tools",
    "Tools at an MCP server can be listed and called",
    stage=CallStage.REPLY,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    sees=("events",),
    source=Source(
        "OpenAI API reference, mcp_list_tools.failed and response.mcp_call.failed",
        "OpenAI's servers ask the MCP server for its tools when the session begins, and call them: the model "
        "has none of those that could not be listed.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events",
    ),
    needs=("session.created",),
    when=(Condition("the session has tools at an MCP server", _none_there),),
    causes={
        "tools-not-listed": Cause(
            "OpenAI could not list an MCP server's tools, so the model has none of them",
            "check server_url and authorization of the session's tool of type mcp: OpenAI calls it, not the "
            "relay, so it must answer over HTTPS in public; its log shows the request",
        ),
        "remote-call-failed": Cause(
            "the call of a tool at an MCP server failed",
            "look at the MCP server's log of this moment; let it answer what goes wrong as a result, which "
            "the model can tell the caller",
        ),
    },
)
def remote_tools(timeline: Timeline) -> Finding:
    """Neither listing nor calling fails."""
    for kind, cause in ((LISTING, "tools-not-listed"), (CALLING, "remote-call-failed")):
        failed = timeline.server_events(f"{kind}.failed")
        if failed:
            often = f", {len(failed)} times" if len(failed) > 1 else ""
            seen = f"{kind}.failed for {excerpt(text(failed[0].event, 'item_id'), 60)}{often}"
            return Violation(cause, seen, tuple(Evidence(e.at, e.type) for e in failed[:3]))
    return None
