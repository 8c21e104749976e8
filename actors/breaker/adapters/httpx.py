"""A breaker in front of an httpx client: `httpx.Client(transport=BreakerTransport(breaker))`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx

from actors.breaker.adapters.passing import pass_dependency, pass_dependency_soon
from actors.breaker.adapters.responses import StatusRule, breaker_of, end_by_status, failed_status
from actors.breaker.handle import BreakerHandle
from actors.runtime.fault_points import ON


class BreakerTransport(httpx.BaseTransport):
    """Lets requests through a breaker; those refused raise CircuitOpenError and reach no network.

    Args:
        breaker: The breaker, or a function of the host ("example.com:443") that gives one.
        transport: What carries the requests; None: httpx's own.
        failed: Which statuses are failures.
    """

    def __init__(
        self,
        breaker: BreakerHandle | Callable[[str], BreakerHandle],
        transport: httpx.BaseTransport | None = None,
        *,
        failed: StatusRule = failed_status,
    ) -> None:
        self._breaker = breaker
        self._transport = transport if transport is not None else httpx.HTTPTransport()
        self._failed = failed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        with breaker_of(self._breaker, _host(request)) as permit:
            if ON:
                pass_dependency(_host(request), partial(httpx.ConnectError, request=request))
            response = self._transport.handle_request(request)
            end_by_status(permit, response.status_code, self._failed)
        return response

    def close(self) -> None:
        """See httpx."""
        self._transport.close()


class AsyncBreakerTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(
        self,
        breaker: BreakerHandle | Callable[[str], BreakerHandle],
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        failed: StatusRule = failed_status,
    ) -> None:
        self._breaker = breaker
        self._transport = transport if transport is not None else httpx.AsyncHTTPTransport()
        self._failed = failed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        async with breaker_of(self._breaker, _host(request)) as permit:
            if ON:
                await pass_dependency_soon(_host(request), partial(httpx.ConnectError, request=request))
            response = await self._transport.handle_async_request(request)
            end_by_status(permit, response.status_code, self._failed)
        return response

    async def aclose(self) -> None:
        """See httpx."""
        await self._transport.aclose()


def _host(request: httpx.Request) -> str:
    return request.url.netloc.decode("ascii")
