"""One life of a breakers' owner, as one process deals with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError

from actors.breaker.correspondence import Correspondence
from actors.runtime.replies import when_answered

if TYPE_CHECKING:
    from actors.service.near import NearLine

UNANSWERED_MAX = 4
"""What cannot wait does, for the thread that may, when so many calls are unanswered: the socket could be full."""

LINE_AGAIN_S = 1.0


class KnownOwner:
    """One life of an owner, as this process deals with it."""

    def __init__(self, name: str, handle: Any, near: NearLine | None) -> None:
        self.name = name
        self.handle = handle
        self.near = near
        self.letters = Correspondence()
        self.sending = threading.Lock()
        """Held by whoever takes a letter until it is sent: they arrive in order."""
        self._line_again_at = 0.0
        self.known: tuple[int, int] = (0, 0)
        self.listening = False

    @property
    def takes_at_once(self) -> bool:
        """Whether it can be told without a wait."""
        return self.near is not None and self.near.is_open and self.near.unanswered < UNANSWERED_MAX

    def send(self, data: bytes, on_reply: Callable[[object], None]) -> None:
        """Tell it, by the socket if there is one; the answer, or why there is none, comes on another thread."""
        if self.near is not None and self.near.ask(data, on_reply):
            return
        try:
            ref = self.handle.exchange.remote(data)
        except (RayError, ValueError, AttributeError, RuntimeError) as error:
            on_reply(error)
            return
        when_answered(ref, on_reply)

    def wants_line(self, now: float) -> bool:
        """Whether a new one is to be tried: the owner is elsewhere, or this process did not read for too long."""
        if (self.near is not None and self.near.is_open) or now < self._line_again_at:
            return False
        self._line_again_at = now + LINE_AGAIN_S
        return True
