"""Asks OpenAI for its models with every client that Python has here, and tells who was answered, as JSON."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import subprocess
import sys
import traceback
import urllib.request
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

URL = "https://api.openai.com/v1/models"
KEY = {"Authorization": "Bearer sk-test"}
REALTIME = "wss://api.openai.com/v1/realtime?model=gpt-realtime"


def by_urllib() -> Any:
    with urllib.request.urlopen(urllib.request.Request(URL, headers=KEY)) as response:
        return json.load(response)["object"]


def by_http_client() -> Any:
    connection = http.client.HTTPSConnection("api.openai.com")
    connection.request("GET", "/v1/models", headers=KEY)
    return json.loads(connection.getresponse().read())["object"]


def by_requests() -> Any:
    import requests

    return requests.get(URL, headers=KEY, timeout=10).json()["object"]


def by_urllib3() -> Any:
    import urllib3

    return urllib3.PoolManager().request("GET", URL, headers=KEY).json()["object"]


def by_httpx() -> Any:
    import httpx

    return httpx.get(URL, headers=KEY).json()["object"]


async def by_httpx_async() -> Any:
    import httpx

    async with httpx.AsyncClient() as client:
        return (await client.get(URL, headers=KEY)).json()["object"]


async def by_aiohttp() -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(URL, headers=KEY) as response:
        return (await response.json())["object"]


def by_openai() -> Any:
    import openai

    return openai.OpenAI(api_key="sk-test").models.list().object


async def by_openai_async() -> Any:
    import openai

    async with openai.AsyncOpenAI(api_key="sk-test") as client:
        return (await client.models.list()).object


async def by_websockets() -> Any:
    from websockets.asyncio.client import connect

    async with connect(REALTIME, additional_headers=KEY) as ws:
        return json.loads(await ws.recv())["type"]


def by_websockets_sync() -> Any:
    from websockets.sync.client import connect

    with connect(REALTIME, additional_headers=KEY) as ws:
        return json.loads(ws.recv())["type"]


def in_a_child() -> Any:
    return subprocess.run([sys.executable, __file__, "one"], capture_output=True, text=True).stdout.strip()


def to_another_host() -> Any:
    try:
        with socket.create_connection(("127.0.0.1", 9), 1) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="example.com")
    except OSError as error:
        return type(error).__name__


def attempt(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ImportError:
        return "not installed"
    except Exception:
        return traceback.format_exc()


def on_asyncio(ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(ask())


def on_uvloop(ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    import uvloop

    return uvloop.run(ask())


def main() -> None:
    plain = (by_urllib, by_http_client, by_requests, by_urllib3, by_httpx, by_openai, by_websockets_sync)
    told = {ask.__name__: attempt(ask) for ask in (*plain, in_a_child, to_another_host)}
    for ask in (by_httpx_async, by_aiohttp, by_openai_async, by_websockets):
        told[ask.__name__] = attempt(partial(on_asyncio, ask))
        told[f"{ask.__name__} on uvloop"] = attempt(partial(on_uvloop, ask))
    sys.stdout.write(json.dumps(told))


if sys.argv[1:] == ["one"]:
    sys.stdout.write(by_urllib())
else:
    main()
