"""What in `harness.toml` looks like a secret: it would be committed with the file, and so be none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.config.target import is_secret_parameter
from harness.config.toml_lines import KeyPath
from harness.core.redaction import SECRET_HEADERS, leaked_key

# Keys of a target's table that hold a credential wherever they are met.
_CREDENTIALS = frozenset({"bearer", "cookies"}) | SECRET_HEADERS
# Tables whose keys are named by the target, and hold no secret: paths into an answer, and numbers.
_HARMLESS_TABLES = frozenset({"limits", "secret_fields", "secret_headers", "caller_chooses"})
_OUR_KEYS = frozenset({"auth"})
_HOOKS = frozenset({"before_call", "usage"})

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")  # RFC 7519
_SCHEME = re.compile(r"(?:bearer|basic) \S+", re.IGNORECASE)  # RFC 7235
_REMEDIES = {
    "bearer": 'bearer_env = "STAGING_TOKEN"',
    "authorization": 'bearer_env = "STAGING_TOKEN"',
    "cookie": 'cookies_env = { session = "STAGING_SESSION" }',
    "credential": 'credential_env = "TURN_CREDENTIAL"',
}
_BY_TABLE = {"headers": "headers_env", "cookies": "cookies_env", "fields": "fields_env"}


def secrets_in(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each place that looks like a secret, with what to write instead; the value itself is not given."""
    if isinstance(data, dict):
        for key, value in data.items():
            if not _is_exempt(key, path):
                yield from secrets_in(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from secrets_in(value, (*path, number))
    elif isinstance(data, str) and data and (_is_secret_name(path) or _looks_secret(data)):
        yield path, _instead(path)


def _is_exempt(key: str, path: KeyPath) -> bool:
    """What names a variable is checked by its model; what `before_call.fields` holds are paths."""
    is_answer_path = "before_call" in path and path[-1] in ("fields", "headers")
    return key.endswith("_env") or key in _HARMLESS_TABLES or is_answer_path


def _is_secret_name(path: KeyPath) -> bool:
    # A table that is called `token` holds none: it says how one is minted.
    names = [name for n, name in enumerate(path[2:]) if isinstance(name, str) and (n, name) != (0, "token")]
    if not names:
        return False
    name = names[-1].lower()
    return any(n.lower() in _CREDENTIALS for n in names) or (
        name not in _OUR_KEYS and is_secret_parameter(name)
    )


def _looks_secret(value: str) -> bool:
    if leaked_key(value) or _JWT.search(value) or _SCHEME.fullmatch(value.strip()):
        return True
    try:
        query = parse_qsl(urlsplit(value).query) if "://" in value or value.startswith("/") else []
    except ValueError:
        return False  # no URL after all; its own check says so
    return any(is_secret_parameter(name) for name, _ in query)


def _instead(path: KeyPath) -> str:
    names = [name for name in path if isinstance(name, str)]
    last = names[-1].lower() if names else ""
    known = next((text for key, text in _REMEDIES.items() if last.startswith(key)), None)
    if known:
        return known
    table = next((_BY_TABLE[name] for name in names if name in _BY_TABLE), None)
    if table:
        return f'{table} = {{ {names[-1]} = "{_variable(names[-1])}" }}'
    if last.endswith("url") and not _HOOKS & set(names):  # hooks are sent the headers alone
        return 'query_env = { key = "STAGING_KEY" }, without it in the URL'
    return 'bearer_env, headers_env, cookies_env, fields_env or query_env = { NAME = "VARIABLE" }'


def _variable(name: str) -> str:
    return "STAGING_" + re.sub(r"[^A-Z0-9]+", "_", name.upper())
