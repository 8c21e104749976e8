"""When an actor that no leader speaks to any more ends itself. Pure.

    led --no heartbeat, Ray answers, nobody holds the root's name--> alone --timeout_s in all--> over
     ^                                                                 |
     +------------a heartbeat, or somebody holds the name--------------+

Time counts only between two looks that both found it alone: not while Ray's GCS is out of reach (then nobody could have
created a leader), and not while the process itself was stopped.
"""

from __future__ import annotations

from typing import Literal

Root = Literal["lives", "gone", "unknown"]
"""Whether a living incarnation of the root holds its name; unknown while Ray does not answer."""

_LOOKS = 20
_LOOK_S_MAX = 10.0
_SLACK = 2.0
"""Looks further apart than so many intervals count as so many: it was stopped, or waited for Ray."""


class Orphanhood:
    """One actor's count.

    Args:
        timeout_s: How long it goes on without a leader, seconds.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.alone_s = 0.0
        self._alone_at: float | None = None

    @property
    def look_s(self) -> float:
        """The time to let pass before the next look, seconds."""
        return min(_LOOK_S_MAX, self.timeout_s / _LOOKS)

    def heard(self) -> None:
        """A leader spoke since the last look."""
        self.alone_s, self._alone_at = 0.0, None

    def look(self, root: Root, now: float) -> bool:
        """Whether it is over, as no leader spoke since the last look.

        Args:
            root: What the look found.
            now: Monotonic seconds, after the look.
        """
        if root == "lives":
            self.heard()
            return False
        if root == "unknown":
            self._alone_at = None
            return False
        if self._alone_at is not None:
            self.alone_s += min(now - self._alone_at, _SLACK * self.look_s)
        self._alone_at = now
        return self.alone_s >= self.timeout_s
