"""One life of a breakers' owner, as one process deals with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from actors.breaker.correspondence import Correspondence

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

    def wants_line(self, now: float) -> bool:
        """Whether a new one is to be tried: the owner is elsewhere, or this process did not read for too long."""
        if (self.near is not None and self.near.is_open) or now < self._line_again_at:
            return False
        self._line_again_at = now + LINE_AGAIN_S
        return True
