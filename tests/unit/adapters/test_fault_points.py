"""A fault at a dependency's point hits the requests of the adapters behind their breaker, and no others."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from actors.breaker.adapters.httpx import AsyncBreakerTransport, BreakerTransport
from actors.breaker.adapters.responses import POINT
from actors.breaker.handle import local_breaker
from actors.breaker.settings import BreakerSettings
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.fault_points import ON, InjectedUnavailableError, PointFault, put


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    ON.clear()


def fault_on(subject: str) -> None:
    until = SYSTEM_CLOCK.now() + 60
    put(PointFault(fault_id="f", run="r", point=POINT, subject=subject, kind="unavailable", until=until))


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.path)


def test_requests_to_the_host_that_is_named_fail_and_others_pass() -> None:
    breaker = local_breaker("upstream", BreakerSettings())
    client = httpx.Client(transport=BreakerTransport(breaker, httpx.MockTransport(answer)))
    assert client.get("http://upstream/a").text == "/a"
    fault_on("upstream")
    with pytest.raises(InjectedUnavailableError, match="upstream: it is unavailable"):
        client.get("http://upstream/a")
    assert client.get("http://other/a").text == "/a"


async def test_coroutines_too() -> None:
    breaker = local_breaker("upstream-async", BreakerSettings())
    client = httpx.AsyncClient(transport=AsyncBreakerTransport(breaker, httpx.MockTransport(answer)))
    fault_on("up*")
    with pytest.raises(InjectedUnavailableError):
        await client.get("http://upstream/a")
