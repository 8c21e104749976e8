"""A breaker in front of requests: `session.mount("https://", BreakerAdapter(breaker))`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from actors.breaker.adapters.passing import pass_dependency
from actors.breaker.adapters.responses import StatusRule, breaker_of, end_by_status, failed_status
from actors.breaker.handle import BreakerHandle
from actors.runtime.fault_points import ON


class BreakerAdapter(HTTPAdapter):
    """Lets requests through a breaker; those refused raise CircuitOpenError and reach no network. It pickles.

    Args:
        breaker: The breaker, or a function of the host ("example.com:443") that gives one.
        failed: Which statuses are failures.
        options: Those of `requests.adapters.HTTPAdapter`.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "_breaker", "_failed"]  # noqa: RUF012 - requests declares it so

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

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """See requests."""
        host = urlsplit(request.url or "").netloc.rpartition("@")[2]
        with breaker_of(self._breaker, str(host)) as permit:
            if ON:
                pass_dependency(str(host), partial(requests.ConnectionError, request=request))
            response = super().send(request, *args, **kwargs)
            end_by_status(permit, response.status_code, self._failed)
        return response
