"""The request that a target wants before each call, such as creating a chat whose id goes with the offer."""

from __future__ import annotations

from dataclasses import replace

import httpx
from pydantic import SecretStr

from harness.config.target import Target
from harness.core.errors import UsageError
from harness.core.redaction import SHORTEST_SECRET
from harness.signaling.hook_request import HookFailedError, HookRequest

HOOK = "the before_call hook"


async def filled(target: Target, client: httpx.AsyncClient) -> Target:
    """The target with the fields that its hook's answer gives; itself where it has no hook.

    Nothing of the answer is recorded. Raises HookFailedError: then the relay must not be called.
    """
    hook = target.before_call
    if hook is None:
        return target
    request = HookRequest(
        HOOK, "the relay was not called", target, hook.method, hook.url, hook.timeout, hook.body
    )
    answer = await request.answer(client)
    plain = {name: request.at(answer, path, f"the field {name!r}") for name, path in hook.fields.items()}
    secret = {
        name: _secret(request.at(answer, path, f"the field {name!r}"), name)
        for name, path in hook.secret_fields.items()
    }
    try:
        return replace(target, fields={**target.fields, **plain, **secret})
    except UsageError as error:
        raise HookFailedError(f"{HOOK} filled a field that cannot be sent: {error}") from None


def _secret(value: object, name: str) -> SecretStr:
    if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
        raise HookFailedError(
            f"{HOOK} failed: the secret field {name!r} is not a text of {SHORTEST_SECRET} characters or more",
            "a shorter one, or another type, could not be kept out of reports",
        )
    return SecretStr(value)
