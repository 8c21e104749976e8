"""Handing one message over: by apprise to email, Slack, PagerDuty and the rest, to an Alertmanager, to a webhook.

Secrets are read from the environment when a message is sent, and nothing that is told of a failure holds any. Nothing
here raises: how it ended is the answer. Each message has the channel's timeout, whatever its receiver does.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from actors.notifier import render
from actors.notifier.delivery import Delivery, of_status, secrets_in, told
from actors.notifier.messages import OutboxEntry
from actors.notifier.settings import ChannelSettings
from actors.runtime.clock import SYSTEM_CLOCK, Clock

APPRISE_MISSING = "apprise is not installed where the notifier runs: pip install 'ray-supervisor[notify]'"

_ALERTS = "/api/v2/alerts"
_AGENT = "ray-supervisor"
_LINES_MAX = 5


class Channels:
    """The ways to people, as one process takes them.

    Args:
        supervisor: Whose messages they are.
        environ: Where secrets are.
        clock: Where the time comes from.
    """

    def __init__(self, supervisor: str, environ: Mapping[str, str], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._supervisor = supervisor
        self._environ = environ
        self._clock = clock
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def deliver(self, channel: ChannelSettings, entry: OutboxEntry) -> Delivery:
        """Hand a message over; returns within the channel's timeout."""
        url, missing = channel.address(self._environ)
        key = self._environ.get(channel.secret_env, "")
        if channel.secret_env and not key:
            missing = (*missing, channel.secret_env)
        if missing:
            words = f"the environment has no {', '.join(missing)}; set it where the notifier runs"
            return Delivery(ok=False, permanent=True, detail=words)
        if channel.kind == "apprise":
            _load_apprise()
        secrets = secrets_in(url, (key, *(self._environ.get(name, "") for name in channel.variables)))
        send = {"apprise": self._by_apprise, "alertmanager": self._to_alertmanager, "webhook": self._to_webhook}
        return self._bounded(channel, secrets, lambda: send[channel.kind](channel, url, entry, secrets, key))

    def _bounded(self, channel: ChannelSettings, secrets: tuple[str, ...], send: Callable[[], Delivery]) -> Delivery:
        """One thread a channel: a receiver that hangs past the timeout has it until it answers."""
        with self._lock:
            if channel.name in self._busy:
                return Delivery(ok=False, detail="an earlier message still hangs in its receiver")
            self._busy.add(channel.name)
        answers: list[Delivery] = []
        ended = threading.Event()

        def work() -> None:
            try:
                answers.append(send())
            except Exception as error:  # noqa: BLE001 - a library may raise anything; the notifier goes on
                words = told(f"{type(error).__name__}: {error}", secrets)
                answers.append(Delivery(ok=False, permanent=isinstance(error, ValueError), detail=words))
            finally:
                with self._lock:
                    self._busy.discard(channel.name)
                ended.set()

        threading.Thread(target=work, name="notifier-send", daemon=True).start()
        if not ended.wait(channel.timeout_s):
            return Delivery(ok=False, detail=f"no answer within {channel.timeout_s:g} s")
        return answers[0]

    # -- apprise ------------------------------------------------------------------------------------------------------

    def _by_apprise(
        self, channel: ChannelSettings, url: str, entry: OutboxEntry, secrets: tuple[str, ...], _: str
    ) -> Delivery:
        try:
            import apprise  # noqa: PLC0415 - an optional extra, and a heavy import: with the first message
        except ImportError:
            return Delivery(ok=False, permanent=True, detail=APPRISE_MISSING)
        with _Heard("apprise") as heard:
            service: Any = apprise.Apprise.instantiate(url)
            if service is None:
                words = f"apprise knows no such address: {channel.shown_url!r}; see its list of services"
                return Delivery(ok=False, permanent=True, detail=words)
            service.socket_connect_timeout = service.socket_read_timeout = channel.timeout_s
            taken = all(
                service.notify(title=title, body=body, notify_type=_apprise_type(part))
                for part in self._parts(service, url, entry)
                for title, body in (render.text(part),)
            )
        if taken:
            return Delivery(ok=True, detail="taken")
        words = told("; ".join(heard.lines) or "apprise could not hand it over", secrets)
        return Delivery(ok=False, detail=words)

    def _parts(self, service: Any, url: str, entry: OutboxEntry) -> Iterator[OutboxEntry]:
        """One message; or one for each alert, where the service knows alerts by a key and ends them by it: PagerDuty.

        Of itself apprise would open another incident there to tell that one is over. What the address says goes before.
        """
        if not hasattr(service, "dedup") or service.dedup or "action" in parse_qs(urlsplit(url).query):
            yield entry
            return
        service.action, service.request_rate_per_sec = "map", 0  # the channel has a rate of its own
        for alert in entry.alerts:
            service.dedup = render.shared_key(self._supervisor, alert)
            yield replace(entry, alerts=(alert,))

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    def _to_alertmanager(
        self, channel: ChannelSettings, url: str, entry: OutboxEntry, secrets: tuple[str, ...], _: str
    ) -> Delivery:
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        address = urlunsplit(parts._replace(path=path if path.endswith(_ALERTS) else path + _ALERTS))
        body = json.dumps(render.alertmanager(entry, supervisor=self._supervisor)).encode()
        return self._post(channel, address, body, {}, secrets)

    def _to_webhook(
        self, channel: ChannelSettings, url: str, entry: OutboxEntry, secrets: tuple[str, ...], key: str
    ) -> Delivery:
        body = render.webhook(entry, supervisor=self._supervisor)
        headers = {render.ID_HEADER: entry.entry_id}
        if key:
            wall_s = self._clock.wall_us() / 1e6
            headers[render.SIGNATURE_HEADER] = render.sign(body, key=key.encode(), wall_s=wall_s)
        return self._post(channel, url, body, headers, secrets)

    def _post(
        self, channel: ChannelSettings, url: str, body: bytes, headers: dict[str, str], secrets: tuple[str, ...]
    ) -> Delivery:
        address, user = _without_user(url)
        sent = {"Content-Type": "application/json", "User-Agent": _AGENT, **user, **headers}
        if not address.startswith(("http://", "https://")):
            words = f"{channel.shown_url!r} does not begin with http:// or https://"
            return Delivery(ok=False, permanent=True, detail=words)
        request = urllib.request.Request(address, data=body, headers=sent, method="POST")  # noqa: S310 - looked at above
        try:
            with _OPENER.open(request, timeout=channel.timeout_s) as answer:
                return of_status(answer.status, reason=answer.reason)
        except urllib.error.HTTPError as error:
            with error:
                retry_after_s = self._retry_after_s(error.headers.get("Retry-After", ""))
                return of_status(error.code, reason=told(str(error.reason), secrets), retry_after_s=retry_after_s)
        except (OSError, HTTPException) as error:
            reason: object = getattr(error, "reason", error)
            return Delivery(ok=False, detail=told(f"{channel.shown_url}: {reason}", secrets))

    def _retry_after_s(self, value: str) -> float:
        """What a receiver says of when it may be asked again, seconds from now: a number, or a date."""
        if value.isascii() and value.isdigit():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - self._clock.wall_us() / 1e6)
        except (TypeError, ValueError):
            return 0.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed for one receiver is given to no other."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        del req, fp, code, msg, headers, newurl


_OPENER = urllib.request.build_opener(_NoRedirect)


class _Heard(logging.Handler):
    """What a library's logger says in this thread: it tells of failures in no other way."""

    def __init__(self, name: str) -> None:
        super().__init__(logging.WARNING)
        self._logger = logging.getLogger(name)
        self._thread = threading.get_ident()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < _LINES_MAX:
            self.lines.append(record.getMessage())

    def filter(self, record: logging.LogRecord) -> bool:
        """Channels send at the same time, each in a thread of its own."""
        return record.thread == self._thread

    def __enter__(self) -> _Heard:
        self._logger.addHandler(self)
        self._logger.propagate = False  # it may repeat the address that it was given
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)


def _load_apprise() -> None:
    """Its first import takes seconds on a busy machine: they are not the first message's."""
    with suppress(ImportError):
        import_module("apprise")


def _apprise_type(entry: OutboxEntry) -> Any:
    import apprise  # noqa: PLC0415 - see `_by_apprise`

    if all(alert.ended_s is not None for alert in entry.alerts):
        return apprise.NotifyType.SUCCESS
    severe = any(alert.severity in ("high", "critical") for alert in entry.alerts if alert.ended_s is None)
    return apprise.NotifyType.FAILURE if severe else apprise.NotifyType.WARNING


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """The address without user and password, and the header that carries them."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, {}
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return address, {"Authorization": f"Basic {base64.b64encode(named.encode()).decode()}"}
