"""A fault at a dependency's point hits what the adapters let through their breaker for that host, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from actors.breaker.adapters.httpx import AsyncBreakerTransport, BreakerTransport
from actors.breaker.handle import local_breaker
from actors.breaker.settings import BreakerSettings
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.fault_points import DEPENDENCY, ON, InjectedUnavailableError, Kind, PointFault, put
from tests.unit.breaker.town import Town


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    ON.clear()


def fault_on(subject: str, kind: Kind = "unavailable") -> None:
    until = SYSTEM_CLOCK.now() + 60
    put(PointFault(fault_id="f", run="r", point=DEPENDENCY, subject=subject, kind=kind, until=until, delay_s=0.05))


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.path)


def test_requests_to_the_host_that_is_named_fail_as_their_library_says_it_and_others_pass() -> None:
    breaker = local_breaker("upstream", BreakerSettings())
    client = httpx.Client(transport=BreakerTransport(breaker, httpx.MockTransport(answer)))
    assert client.get("http://upstream/a").text == "/a"
    fault_on("upstream")
    with pytest.raises(httpx.ConnectError, match="upstream: it is unavailable") as gone:
        client.get("http://upstream/a")
    assert isinstance(gone.value.__cause__, InjectedUnavailableError)
    assert client.get("http://other/a").text == "/a"


async def test_coroutines_too() -> None:
    breaker = local_breaker("upstream-async", BreakerSettings())
    client = httpx.AsyncClient(transport=AsyncBreakerTransport(breaker, httpx.MockTransport(answer)))
    fault_on("up*")
    with pytest.raises(httpx.ConnectError):
        await client.get("http://upstream/a")


def test_requests_and_urllib3_say_it_their_way() -> None:
    requests, urllib3 = pytest.importorskip("requests"), pytest.importorskip("urllib3")
    from actors.breaker.adapters.requests import BreakerAdapter  # noqa: PLC0415 - only where the library is
    from actors.breaker.adapters.urllib3 import BreakerPool  # noqa: PLC0415 - the same

    breaker = local_breaker("upstream-threads", BreakerSettings())
    session = requests.Session()
    session.mount("http://", BreakerAdapter(breaker))
    fault_on("upstream:81")
    with pytest.raises(requests.ConnectionError, match="upstream:81: it is unavailable"):
        session.get("http://upstream:81/a")
    with pytest.raises(urllib3.exceptions.MaxRetryError, match="upstream:81: it is unavailable"):
        BreakerPool(breaker).request("GET", "http://upstream:81/a")


async def test_aiohttp_says_it_its_way() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    from actors.breaker.adapters.aiohttp import breaker_middleware  # noqa: PLC0415 - only where the library is

    through = breaker_middleware(local_breaker("upstream-aiohttp", BreakerSettings()))
    fault_on("upstream:81")
    async with aiohttp.ClientSession(middlewares=[through]) as session:
        with pytest.raises(aiohttp.ClientConnectionError, match="upstream:81: it is unavailable"):
            await session.get("http://upstream:81/a")


def test_statements_to_a_database_too(tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from actors.breaker.adapters.sqlalchemy import guard_engine  # noqa: PLC0415 - only where the library is

    town = Town()
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
    guard_engine(engine, town.breaker)
    with engine.connect() as connection:
        fault_on("other")
        assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
        ON.clear()
        fault_on("*/shop.db")
        with pytest.raises(sqlalchemy.exc.OperationalError, match=r"shop\.db: it is unavailable"):
            connection.execute(sqlalchemy.text("select 1"))
    assert town.view.totals.failures == 1, "the breaker has judged it"
    engine.dispose()


async def test_an_asynchronous_engine_waits_without_holding_its_event_loop(tmp_path: Path) -> None:
    pytest.importorskip("aiosqlite")
    sqlalchemy_asyncio = pytest.importorskip("sqlalchemy.ext.asyncio")
    from sqlalchemy import text  # noqa: PLC0415 - only where the library is

    from actors.breaker.adapters.sqlalchemy import guard_engine  # noqa: PLC0415 - the same

    engine = sqlalchemy_asyncio.create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    guard_engine(engine, local_breaker("database-async", BreakerSettings()))
    async with engine.connect() as connection:
        fault_on("*/shop.db", "hang")
        asked = asyncio.ensure_future(connection.execute(text("select 1")))
        await asyncio.sleep(0)  # the loop goes round while it hangs
        assert not asked.done()
        ON.clear()
        assert (await asked).scalar() == 1
    await engine.dispose()
