"""The task that the demo submits: one real HTTP request under an idempotency key."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

REQUEST_TIMEOUT_S = 5.0
"""Longer than the upstream's slowest answer: what passes it is a fault of ours, not of the schedule."""

_OK = 200
_REFUSED = 422
_UNAVAILABLE = 503


class UpstreamUnavailable(Exception):  # noqa: N818 - named for what the upstream said
    """The upstream answered 503; the same request may succeed later.

    Args:
        key: The idempotency key of the request.
        reason: The upstream's own words.
    """

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(key, reason)

    def __str__(self) -> str:
        return f"charge {self.key!r}: the upstream is unavailable ({self.reason}); try again under the same key"


class PaymentRejected(Exception):  # noqa: N818 - named for what the upstream said
    """The upstream refused the charge for good (422); trying again changes nothing.

    Args:
        key: The idempotency key of the request.
        reason: The upstream's own words.
    """

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(key, reason)

    def __str__(self) -> str:
        return f"charge {self.key!r} was rejected by the upstream: {self.reason}; it will not be accepted later either"


def charge(url: str, amount: int, key: str) -> dict[str, Any]:
    """Charge `amount` under `key` and return the upstream's receipt.

    Args:
        url: The upstream, as `http://host:port`.
        amount: In cents.
        key: The idempotency key: the same on every attempt, so that the upstream applies the charge once.
    Returns: `{"receipt": ..., "key": ..., "amount": ...}`, the same for every attempt.
    Raises:
        PaymentRejected: The upstream refuses this key for good.
        UpstreamUnavailable: It answered 503.
        ConnectionError: The connection broke before the answer; the charge may or may not have been applied.
        TimeoutError: No answer within `REQUEST_TIMEOUT_S`.
    """
    status, answer = _post(url, amount, key)
    if status == _OK:
        return answer
    reason = str(answer.get("reason", f"HTTP {status}"))
    if status == _UNAVAILABLE:
        raise UpstreamUnavailable(key, reason)
    if status == _REFUSED:
        raise PaymentRejected(key, reason)
    message = f"charge {key!r}: the upstream answered HTTP {status} ({reason}), which this client does not expect"
    raise RuntimeError(message)


def _post(url: str, amount: int, key: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=REQUEST_TIMEOUT_S)
    try:
        connection.request(
            "POST",
            "/charge",
            body=json.dumps({"amount": amount}),
            headers={"Idempotency-Key": key, "Content-Type": "application/json", "Connection": "close"},
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except http.client.RemoteDisconnected:
        raise
    except (http.client.HTTPException, json.JSONDecodeError) as error:
        message = f"charge {key!r}: the answer of {url} broke off ({type(error).__name__}: {error})"
        raise ConnectionError(message) from error
    finally:
        connection.close()
