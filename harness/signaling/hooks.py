"""The request that a target wants before each call, such as creating a chat whose id goes with the offer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
from pydantic import SecretStr

from harness.config.hooks import BeforeCall
from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.core.errors import HarnessError, UsageError
from harness.core.redaction import SHORTEST_SECRET
from harness.signaling.failures import classify, innermost

HOOK = "the before_call hook"
LONGEST_EXCERPT = 200  # characters of an error's body


class HookFailedError(HarnessError):
    """The relay was not called, since what should come before could not be had: it is not to blame."""


async def filled(target: Target, client: httpx.AsyncClient) -> Target:
    """The target with the fields that its hook's answer gives; itself where it has no hook.

    Credentials go along to the target's own origin only. Nothing of the answer is recorded. Raises
    HookFailedError.
    """
    hook = target.before_call
    if hook is None:
        return target
    shown = target.redactor().text(f"{hook.method} {hook.url}")
    answer = _parsed(await _ask(hook, target, client, shown), shown)
    plain = {name: _at(answer, path, name, shown) for name, path in hook.fields.items()}
    secret = {
        name: _secret(_at(answer, path, name, shown), name) for name, path in hook.secret_fields.items()
    }
    try:
        return replace(target, fields={**target.fields, **plain, **secret})
    except UsageError as error:
        raise HookFailedError(f"{HOOK} filled a field that cannot be sent: {error}") from None


async def _ask(hook: BeforeCall, target: Target, client: httpx.AsyncClient, shown: str) -> str:
    ours = same_origin(hook.url, target.url)
    headers = [("Accept", "application/json"), *(target.request_headers() if ours else [])]
    content = None
    if hook.body is not None:
        headers.append(("Content-Type", "application/json"))
        content = json.dumps(hook.body).encode()
    try:
        async with asyncio.timeout(hook.timeout):
            response = await client.request(hook.method, hook.url, content=content, headers=headers)
    except TimeoutError:
        raise HookFailedError(
            f"{HOOK} failed: {shown} gave no whole answer within {hook.timeout:g} s",
            "the relay was not called; look at this endpoint, or give it more time with timeout_s",
        ) from None
    except httpx.HTTPError as error:
        reason = target.redactor().text(innermost(error))
        raise HookFailedError(
            f"{HOOK} failed: {shown}: {classify(error)}: {reason}",
            "the relay was not called; is the hook's URL right, and does anything listen there?",
        ) from None
    if not response.is_success:
        said = target.redactor().text(" ".join(response.text.split()))[:LONGEST_EXCERPT]
        raise HookFailedError(
            f"{HOOK} failed: {shown} answered {response.status_code}: {said or 'nothing'}",
            "the relay was not called; look at this endpoint and the credentials that it wants",
        )
    return response.text


def _parsed(text: str, shown: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise HookFailedError(
            f"{HOOK} failed: {shown} answered no JSON", "the relay was not called; look at this endpoint"
        ) from None


def _at(answer: Any, path: str, name: str, shown: str) -> object:
    """The value at a dotted path; a number picks from a list."""
    value = answer
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise HookFailedError(
                f"{HOOK} failed: the answer of {shown} has nothing at {path!r} for the field {name!r}",
                "the relay was not called; compare the path in harness.toml with what the endpoint answers",
            )
    return value


def _secret(value: object, name: str) -> SecretStr:
    if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
        raise HookFailedError(
            f"{HOOK} failed: the secret field {name!r} is no text of {SHORTEST_SECRET} characters or more",
            "what is shorter, or no text, could not be kept out of reports",
        )
    return SecretStr(value)
