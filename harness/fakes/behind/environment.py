"""What a command's environment gets, so that Node.js and Python load our hooks: in it, and in all it starts.

Names and certificates could be forged instead. That would need another list of trusted authorities for each
client, which then holds for every host; a hook touches the hosts that it is told and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

HOOKS = Path(__file__).parent
NODE, PYTHON = HOOKS / "node.cjs", HOOKS / "python"
OPENAI = "api.openai.com"
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

# What each process that loaded a hook, and each connection that was led to the fake, is a line of.
LOADED, CONNECTED = "loaded", "connected"
PAST = "past"  # and each library that was loaded which the hooks do not reach


def hooked(environment: Mapping[str, str], *, fake: str, hosts: Sequence[str], seen: Path) -> dict[str, str]:
    """The environment with both hooks; what stood in its variables still does.

    `fake` is its base URL; `seen` a directory in which the hooks leave their lines.
    """
    node = f'--require "{_quoted(str(NODE))}"'
    return {
        **environment,
        **_past_proxies(environment, hosts),
        "NODE_OPTIONS": " ".join(filter(None, [environment.get("NODE_OPTIONS"), node])),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PYTHON), environment.get("PYTHONPATH")])),
        "HARNESS_BEHIND": fake,
        "HARNESS_BEHIND_HOSTS": ",".join(host.lower() for host in hosts),
        "HARNESS_BEHIND_SEEN": str(seen),
    }


def _past_proxies(environment: Mapping[str, str], hosts: Sequence[str]) -> dict[str, str]:
    """Where a proxy is named for all, the hosts are taken out: through it OpenAI itself would be reached."""
    if not any(environment.get(name) for name in PROXIES):
        return {}
    return {
        name: ",".join(filter(None, [environment.get(name), *hosts])) for name in ("NO_PROXY", "no_proxy")
    }


def _quoted(path: str) -> str:
    """As NODE_OPTIONS has it between double quotes."""
    return path.replace("\\", "\\\\").replace('"', '\\"')
