"""A breaker in front of urllib3: `BreakerPool(breaker)` in place of `urllib3.PoolManager()`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import MaxRetryError, ProtocolError

from actors.breaker.adapters.passing import pass_dependency
from actors.breaker.adapters.responses import StatusRule, breaker_of, end_by_status, failed_status
from actors.breaker.handle import BreakerHandle
from actors.runtime.fault_points import ON


class BreakerPool(urllib3.PoolManager):
    """Lets requests through a breaker; those refused raise CircuitOpenError and reach no network.

    A request with all its retries and redirects is one call.

    Args:
        breaker: The breaker, or a function of the host ("example.com:443") that gives one.
        failed: Which statuses are failures.
        options: Those of `urllib3.PoolManager`.
    """

    def __init__(
        self,
        breaker: BreakerHandle | Callable[[str], BreakerHandle],
        *,
        failed: StatusRule = failed_status,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._breaker = breaker
        self._failed = failed

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """See urllib3."""
        host = urlsplit(url).netloc.rpartition("@")[2]
        with breaker_of(self._breaker, host) as permit:
            if ON:
                pass_dependency(host, partial(self._unreachable, url))
            response = super().request(method, url, *args, **kwargs)
            end_by_status(permit, response.status, self._failed)
        return response

    def _unreachable(self, url: str, why: str) -> Exception:
        return MaxRetryError(self.connection_from_url(url), url, ProtocolError(why))
