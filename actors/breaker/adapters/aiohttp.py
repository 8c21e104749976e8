"""A breaker in front of aiohttp's client: `aiohttp.ClientSession(middlewares=[breaker_middleware(breaker)])`."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType

from actors.breaker.adapters.passing import pass_dependency_soon
from actors.breaker.adapters.responses import StatusRule, breaker_of, end_by_status, failed_status
from actors.breaker.handle import BreakerHandle
from actors.runtime.fault_points import ON


def breaker_middleware(
    breaker: BreakerHandle | Callable[[str], BreakerHandle], *, failed: StatusRule = failed_status
) -> ClientMiddlewareType:
    """Lets requests through a breaker; those refused raise CircuitOpenError and reach no network.

    Args:
        breaker: The breaker, or a function of the host ("example.com:443") that gives one.
        failed: Which statuses are failures.
    """

    async def through(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        host = request.url.authority.rpartition("@")[2]
        async with breaker_of(breaker, host) as permit:
            if ON:
                await pass_dependency_soon(host, aiohttp.ClientConnectionError)
            response = await handler(request)
            end_by_status(permit, response.status, failed)
        return response

    return through
