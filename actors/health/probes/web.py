"""Of an HTTP server: its status, its body, and for how long its certificate is good."""

from __future__ import annotations

import ssl
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from actors.health.probes.place import ReadyProbe, Said, here
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.settings import PROBLEM

BODY_BYTES_MAX = 64 << 10
"""So much of a body is read."""

_DAY_S = 86_400.0
_STATUS_MIN, _STATUS_MAX = 100, 599


class HttpProbe(ReadyProbe):
    """Bad when the answer is not the one wanted; redirections are answers, and are not followed."""

    url: str = Field(max_length=4096, description="http:// or https://", repr=False)
    status: tuple[int, ...] = Field(
        default=(), max_length=100, description="Statuses that are well; empty: 200 to 399 are."
    )
    body: str | None = Field(default=None, min_length=1, description="What the first 64 KiB of the body must hold.")
    tls_days: float | None = Field(
        default=None, gt=0, description="For so many days the server's certificate must still be good; https only."
    )
    method: Literal["GET", "HEAD"] = Field(default="GET", description="How to ask.")
    headers: dict[str, str] = Field(default_factory=dict, description="What to send besides.", repr=False)
    ca_file: str | None = Field(default=None, description="Whose signatures are trusted; None: the system's.")

    @field_validator("status", mode="before")
    @classmethod
    def _one_is_enough(cls, status: object) -> object:
        return (status,) if isinstance(status, int) else status

    @field_validator("status")
    @classmethod
    def _statuses(cls, status: tuple[int, ...]) -> tuple[int, ...]:
        if any(not _STATUS_MIN <= each <= _STATUS_MAX for each in status):
            raise ValueError(f"a status is a number from {_STATUS_MIN} to {_STATUS_MAX}")
        return status

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("give http://host or https://host, with a port and a path if need be")
        if parts.username is not None:
            raise PydanticCustomError(PROBLEM, "holds a user or password, and would be shown; send it in headers")
        if parts.port == 0:  # what is no port at all, urlsplit refuses
            raise ValueError("a port is a number from 1 to 65535")
        return url

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        given: dict[str, Any] = dict(data) if isinstance(data, dict) else {}
        problems: list[str] = []
        if given.get("tls_days") is not None and not str(given.get("url", "")).startswith("https:"):
            problems.append("tls_days: only https:// has a certificate")
        if given.get("body") is not None and given.get("method") == "HEAD":
            problems.append("body: an answer to HEAD has none; ask by GET")
        return tuple(problems)

    def __call__(self) -> Said:
        parts = urlsplit(self.url)
        connection = self._connection(parts)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(self.method, path, headers={"User-Agent": "ray-supervisor", **self.headers})
            days = self._days_left(connection)
            with connection.getresponse() as answer:
                return self._judge(answer, days)
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        assert parts.hostname is not None
        timeout_s = here().timeout_s
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        context = ssl.create_default_context(cafile=self.ca_file)
        return HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=context)

    def _days_left(self, connection: HTTPConnection) -> float | None:
        if self.tls_days is None or not isinstance(connection.sock, ssl.SSLSocket):
            return None
        certificate: dict[str, Any] = connection.sock.getpeercert() or {}
        ends_at = parsedate_to_datetime(_as_mail_date(str(certificate["notAfter"]))).timestamp()
        return (ends_at - SYSTEM_CLOCK.wall_us() / 1e6) / _DAY_S

    def _judge(self, answer: HTTPResponse, days: float | None) -> Said:
        text = answer.read(BODY_BYTES_MAX).decode("utf-8", errors="replace")
        is_well = answer.status in self.status if self.status else 200 <= answer.status < 400  # noqa: PLR2004 - HTTP's classes
        told = [f"status {answer.status}"]
        if self.body is not None and self.body not in text:
            is_well = False
            told.append(f"the body does not hold {self.body[:60]!r}")
        if days is not None and self.tls_days is not None:
            is_well = is_well and days >= self.tls_days
            told.append(f"its certificate is good for {days:.1f} days, {self.tls_days:g} wanted")
        return is_well, "; ".join(told)


def _as_mail_date(text: str) -> str:
    """`Jan  5 09:34:43 2018 GMT`, as OpenSSL writes it, as mail does."""
    month, day, time, year, zone = text.split()
    return f"{day} {month} {year} {time} {zone}"
