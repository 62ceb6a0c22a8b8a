"""The request that a target wants before each call, such as creating a chat whose id goes with the offer."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
from pydantic import SecretStr

from harness.config.target import Target
from harness.core.errors import UsageError
from harness.core.redaction import SHORTEST_SECRET
from harness.signaling.hook_request import HookFailedError, HookRequest

_IN_BRACES = re.compile(r"\{([^{}]+)\}")
HOOK = "the before_call hook"


async def filled(target: Target, client: httpx.AsyncClient) -> Target:
    """The target with the fields and headers that its hook's answer gives; itself where it has no hook.

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
    headers: list[tuple[str, str | SecretStr]] = [
        (name, _header(request, answer, text, name)) for name, text in hook.headers.items()
    ]
    headers += [
        (name, _secret(_header(request, answer, text, name), name))
        for name, text in hook.secret_headers.items()
    ]
    inner = [
        SecretStr(str(request.at(answer, path, f"the header {name!r}")))
        for name, text in hook.secret_headers.items()
        for path in _IN_BRACES.findall(text)
    ]
    filled_names = {name.lower() for name, _ in headers}
    kept = [each for each in target.headers if each[0].lower() not in filled_names]
    try:
        fields = {**target.fields, **plain, **secret}
        bearer = None if "authorization" in filled_names else target.bearer
        return replace(
            target,
            fields=fields,
            headers=(*kept, *headers),
            bearer=bearer,
            query_secrets=(*target.query_secrets, *inner),
        )
    except UsageError as error:
        raise HookFailedError(f"{HOOK} filled something that cannot be sent: {error}") from None


def _header(request: HookRequest, answer: object, text: str, name: str) -> str:
    """A header's value: what is at the path, or a text with paths in braces."""
    what = f"the header {name!r}"
    if "{" not in text:
        return str(request.at(answer, text, what))
    return _IN_BRACES.sub(lambda found: str(request.at(answer, found[1], what)), text)


def _secret(value: object, name: str) -> SecretStr:
    if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
        raise HookFailedError(
            f"{HOOK} failed: the secret field {name!r} is not a text of {SHORTEST_SECRET} characters or more",
            "a shorter one, or another type, could not be kept out of reports",
        )
    return SecretStr(value)
