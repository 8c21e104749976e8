"""Each HTTP client through a breaker, against a real server: its status or its silence opens the breaker."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import local_breaker
from tests.unit.adapters.server import Server, serving
from tests.unit.breaker.scene import fast
from tests.unit.breaker.town import Town


def with_httpx(breaker: Any) -> Callable[[str], int]:
    httpx = pytest.importorskip("httpx")
    from actors.breaker.adapters.httpx import BreakerTransport  # noqa: PLC0415 - only where the library is

    def get(url: str) -> int:
        with httpx.Client(transport=BreakerTransport(breaker)) as client:
            return client.get(url).status_code

    return get


def with_async_httpx(breaker: Any) -> Callable[[str], int]:
    httpx = pytest.importorskip("httpx")
    from actors.breaker.adapters.httpx import AsyncBreakerTransport  # noqa: PLC0415 - only where the library is

    async def get(url: str) -> int:
        async with httpx.AsyncClient(transport=AsyncBreakerTransport(breaker)) as client:
            return (await client.get(url)).status_code

    return lambda url: asyncio.run(get(url))


def with_requests(breaker: Any) -> Callable[[str], int]:
    requests = pytest.importorskip("requests")
    from actors.breaker.adapters.requests import BreakerAdapter  # noqa: PLC0415 - only where the library is

    def get(url: str) -> int:
        with requests.Session() as session:
            session.mount("http://", BreakerAdapter(breaker))
            return session.get(url, timeout=10).status_code

    return get


def with_urllib3(breaker: Any) -> Callable[[str], int]:
    pytest.importorskip("urllib3")
    from actors.breaker.adapters.urllib3 import BreakerPool  # noqa: PLC0415 - only where the library is

    pool = BreakerPool(breaker, retries=False)
    return lambda url: pool.request("GET", url).status


def with_aiohttp(breaker: Any) -> Callable[[str], int]:
    aiohttp = pytest.importorskip("aiohttp")
    from actors.breaker.adapters.aiohttp import breaker_middleware  # noqa: PLC0415 - only where the library is

    async def get(url: str) -> int:
        async with aiohttp.ClientSession(middlewares=[breaker_middleware(breaker)]) as session:
            async with session.get(url) as response:
                return response.status

    return lambda url: asyncio.run(get(url))


CLIENTS = [with_httpx, with_async_httpx, with_requests, with_urllib3, with_aiohttp]


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


@pytest.mark.parametrize("client", CLIENTS)
def test_failed_statuses_open_it_and_what_is_refused_reaches_no_server(client: Any, server: Server):
    town = Town(window_calls=8, minimum_calls=4)
    get = client(town.breaker)
    assert [get(server.url(status)) for status in (200, 404, 503, 500)] == [200, 404, 503, 500]
    reached = server.reached
    with pytest.raises(CircuitOpenError):
        get(server.url(200))
    assert server.reached == reached
    assert [call.error for call in town.breaker.explain().calls] == ["HTTP 503", "HTTP 500"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_is_not_there_opens_the_breaker_of_its_host_alone(client: Any, server: Server):
    town = Town()
    get = client(lambda host: town.handle(host, town.settings))
    with serving() as other:
        gone = other.url(200)
        host = other.host
    for _ in range(2):
        with suppress(Exception):
            get(gone)
    assert town.handle(host).state == "open"
    with pytest.raises(CircuitOpenError) as refused:
        get(gone)
    assert refused.value.name == host
    assert get(server.url(200)) == 200


def test_a_session_of_requests_that_travels_has_its_breaker_with_it(server: Server):
    requests = pytest.importorskip("requests")
    from actors.breaker.adapters.requests import BreakerAdapter  # noqa: PLC0415 - only where the library is

    breaker = local_breaker("requests-travels", fast(window_calls=2))
    with requests.Session() as session:
        session.mount("http://", BreakerAdapter(breaker))
        arrived = pickle.loads(pickle.dumps(session))
    with arrived:
        assert [arrived.get(server.url(503), timeout=10).status_code for _ in range(2)] == [503, 503]
        with pytest.raises(CircuitOpenError):
            arrived.get(server.url(200), timeout=10)
