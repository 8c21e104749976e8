"""What the monitor lays on every board: how things stand, and the latest changes. Pure.

Every process reads it locally, also while no monitor runs.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.score import ComponentState

STANDING = "standing"
CHANGES = "changes"
"""The topics."""

CHANGES_MAX = 200
"""Changes that lie on the boards: a subscriber that looks seldom misses none of so many."""


DETAIL_MAX = 200
"""As much of what a check said goes onto the boards with how things stand, characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SickNote:
    """What is known of an unhealthy component.

    Attributes:
        detail: What its latest bad check said, or the beginning of it.
        silent_s: How long the trouble had lasted when it was told, seconds.
        child: The key of the supervised child that it is, if it is one.
    """

    detail: str = ""
    silent_s: float = 0.0
    child: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthStanding:
    """How things stand, in short.

    Attributes:
        score: The system's, 0 to 100; None while nothing is known.
        trend: Where it is going: improving, stable or declining.
        components: Each component's state.
        scores: Each component's score, where something is known of it.
        flapping: The components that change all the time.
        sick: What is known of each unhealthy one.
        depends_on: What each component depends on, of those that depend on any.
        sick_nodes: The nodes on which a startup or liveness probe that runs there is failing: their ids, or the
            beginnings of those.
        blind: Why the monitor does not see what it should; empty if it does.
        samples: How often its life has taken the score: while this grows, it lives.
        stale_after_s: What is older says nothing of now, seconds: the monitor is dead, stopped or out of reach.
        age_s: How long ago it was said when it was read, seconds.
    """

    score: float | None
    trend: str = "stable"
    components: Mapping[str, ComponentState] = field(default_factory=dict[str, "ComponentState"])
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    flapping: tuple[str, ...] = ()
    sick: Mapping[str, SickNote] = field(default_factory=dict[str, SickNote])
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    sick_nodes: tuple[str, ...] = ()
    blind: str = ""
    samples: int = 0
    stale_after_s: float = inf
    age_s: float = 0.0

    def aged(self, age_s: float) -> HealthStanding:
        """The same, so old; blind if it says nothing of now."""
        blind = self.blind
        if age_s > self.stale_after_s and not blind:
            blind = f"nobody has said for {age_s:.0f} s how things stand: the monitor is dead, stopped or out of reach"
        return replace(self, age_s=age_s, blind=blind)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """One change, as subscribers are told.

    Attributes:
        kind: "state": a component changed. "blind": the monitor did not see, and took nobody for sick. "seeing": it
            sees again what it should.
        component: Which; empty where it is about the monitor.
        before: Its state until then.
        after: Its state from then on.
        flapping: Whether it changes all the time: the next turns are not told.
        caused_by: The dependencies that are down, where that began.
        detail: What its latest check said, or what the monitor did not see.
        silent_s: How long the trouble had lasted when it was told, or the monitor had not seen, seconds.
        at_us: When, microseconds since the Unix epoch.
    """

    kind: Literal["state", "blind", "seeing"]
    component: str = ""
    before: ComponentState = "unknown"
    after: ComponentState = "unknown"
    flapping: bool = False
    caused_by: tuple[str, ...] = ()
    detail: str = ""
    silent_s: float = 0.0
    at_us: int = 0


Numbered = tuple[int, int, HealthChange]
"""The life of the monitor, the number of the change in it, and the change."""


class LatestChanges:
    """The latest changes of one life of the monitor, with those of the life before.

    Args:
        incarnation: The life.
        before: What the life before had laid.
    """

    def __init__(self, incarnation: int, before: tuple[Numbered, ...] = ()) -> None:
        self._incarnation = incarnation
        self._number = 0
        self._changes: deque[Numbered] = deque(before, maxlen=CHANGES_MAX)

    def add(self, change: HealthChange) -> None:
        """It happened."""
        self._number += 1
        self._changes.append((self._incarnation, self._number, change))

    def all(self) -> tuple[Numbered, ...]:
        """Those that lie on the boards, the latest last."""
        return tuple(self._changes)


class ChangesSeen:
    """What one subscriber has seen.

    Attributes:
        missed: Changes that were gone before it looked, as far as that can be told.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._last: tuple[int, int] | None = None

    def begin(self, laid: tuple[Numbered, ...]) -> None:
        """Only what comes after these is wanted."""
        self._last = laid[-1][:2] if laid else (0, 0)

    def take(self, laid: tuple[Numbered, ...]) -> list[HealthChange]:
        """Those that are new."""
        last = self._last
        if last is None:
            self.begin(laid)
            return []
        fresh = [each for each in laid if each[:2] > last]
        if fresh:
            first = fresh[0]
            if first[0] == last[0]:
                self.missed += first[1] - last[1] - 1
            self._last = fresh[-1][:2]
        return [change for _, _, change in fresh]
