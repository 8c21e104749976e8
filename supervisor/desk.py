"""The leader's desk: requests for changes of the tree come in on many threads, the machine answers on its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from actors.runtime.clock import SYSTEM_CLOCK
from supervisor import messages as m
from supervisor.requests import Request

WAIT_S_MAX = 20.0
"""How long one call waits for its answer, seconds; whoever wants to wait longer asks again."""


class Desk:
    """Hands requests to the machine and its answers back; the same request may be asked by several, and again.

    Args:
        post: Takes events for the machine.
    """

    def __init__(self, post: Callable[[m.Event], None]) -> None:
        self._post = post
        self._changed = threading.Condition()
        self._answers: dict[str, m.Answer] = {}
        self._asking: dict[str, int] = {}

    def ask(self, request: str, wish: Request, timeout_s: float) -> m.Answer | None:
        """Ask the machine; None when it has no answer within `timeout_s` (at most 20) seconds."""
        until = SYSTEM_CLOCK.now() + min(timeout_s, WAIT_S_MAX)
        with self._changed:
            self._asking[request] = self._asking.get(request, 0) + 1
        self._post(m.Administered(request=request, wish=wish))
        with self._changed:
            try:
                self._changed.wait_for(lambda: request in self._answers, max(0.0, until - SYSTEM_CLOCK.now()))
                return self._answers.get(request)
            finally:
                self._asking[request] -= 1
                if not self._asking[request]:
                    del self._asking[request]
                    self._answers.pop(request, None)

    def answer(self, answer: m.Answer) -> None:
        """The machine has answered; kept only while somebody waits, the machine remembers it itself."""
        with self._changed:
            if answer.request in self._asking:
                self._answers[answer.request] = answer
                self._changed.notify_all()
