"""A process's way to a service's actor on its own node: what is changed there is heard in 0.1 ms.

What is said here is said through Ray, too, under the same number: whichever comes first is carried out, and the answer
comes from there. So nothing depends on it, and nobody waits for it; who finds no socket of the actor has lost a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from actors.service.near import NearCalls, NearLine


class NearWay:
    """One process's, to one service.

    Args:
        address_of: Gives the address of an actor by its full name.
    """

    def __init__(self, address_of: Callable[[str], bytes]) -> None:
        self._address_of = address_of
        self._lock = threading.Lock()
        self._calls = NearCalls()
        self._actor = ""
        self._line: NearLine | None = None

    def say(self, actor: str, data: bytes) -> bool:
        """Have an actor hear this, if it is near; returns at once, whether it was sent."""
        with self._lock:
            if actor != self._actor:
                self._actor, self._line = actor, self._calls.connect(self._address_of(actor))
            line = self._line
        return line is not None and line.ask(data, _nobody_waits)

    def close(self) -> None:
        """Say no more."""
        self._calls.close()


def _nobody_waits(answer: bytes | ConnectionError) -> None:
    del answer
