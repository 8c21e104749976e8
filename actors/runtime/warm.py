"""How many warm worker processes each node should hold, and when to ask for more. Pure.

```
 node joins ----> asked for -----> warm ---(used)---> one is missing --(refill_after_s)--> asked for
                     ^               |
                     +--(renewed before its keep-alive ends; the old ones then end by themselves)
 refused: asked again later, each time after twice the pause
```

Ray tells nobody how many of its idle processes would fit an actor, so this is bookkeeping, and it corrects itself: an
actor that started cold although the stock should have been warm means that others took the stock, and all of it is
asked for again. The other way round it never asks for more than `per_node` beyond what it knows to be used.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSettings:
    """What is kept warm.

    Attributes:
        per_node: Processes that stand ready on each node. Each costs about 90 MiB of memory, half of it shared.
        keep_alive_s: How long Ray keeps an unused one, whole seconds: what a supervisor that ended leaves behind lasts
            at most as long.
        renew_before_s: How long before that they are replaced.
        refill_after_s: How long after a use the next one is started: it would take CPU from the actor that needed it.
        settle_s: How long a process that was asked for may take to be warm.
        pause_s: The pause after a node's first refusal; it doubles up to `pause_max_s`.
        pause_max_s: The longest pause.
    """

    per_node: int = 2
    keep_alive_s: int = 600
    renew_before_s: float = 30.0
    refill_after_s: float = 1.0
    settle_s: float = 3.0
    pause_s: float = 2.0
    pause_max_s: float = 120.0

    def __post_init__(self) -> None:
        if self.per_node < 0 or self.keep_alive_s <= self.renew_before_s:
            raise ValueError("per_node must be at least 0, and keep_alive_s longer than renew_before_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWarm:
    """Ask a node's raylet for `count` processes that it keeps for `keep_alive_s`."""

    node_id: str
    count: int
    keep_alive_s: int


@dataclass(slots=True)
class _Batch:
    count: int
    asked_at: float
    renew_at: float


@dataclass(slots=True)
class _Shelf:
    """One node's stock."""

    batches: list[_Batch] = field(default_factory=list[_Batch])
    due_at: float | None = None
    refusals: int = 0

    def held(self) -> int:
        return sum(batch.count for batch in self.batches)


class WarmStock:
    """The stock of all nodes.

    Args:
        settings: What is kept.
        inherits: Whether a predecessor kept a stock: the nodes seen first then count as full, so that a supervisor
            that fails over again and again does not pile up processes.
    """

    def __init__(self, settings: WarmSettings, *, inherits: bool = False) -> None:
        self._settings = settings
        self._inherits = inherits
        self._shelves: dict[str, _Shelf] = {}

    def nodes_seen(self, node_ids: Collection[str], now: float) -> None:
        """Note which nodes should hold a stock; the others are forgotten."""
        for gone in self._shelves.keys() - set(node_ids):
            del self._shelves[gone]
        for node_id in node_ids:
            if node_id not in self._shelves:
                shelf = self._shelves[node_id] = _Shelf(due_at=now)
                if self._inherits:
                    half_s = self._settings.keep_alive_s / 2
                    shelf.batches.append(_Batch(self._settings.per_node, now - self._settings.settle_s, now + half_s))
        self._inherits = False

    def used(self, node_id: str, *, warm: bool, now: float) -> None:
        """Note that an actor started on a node.

        Args:
            node_id: Where.
            warm: Its process had been started before it was asked for.
            now: Monotonic seconds.
        """
        shelf = self._shelves.get(node_id)
        if shelf is None:
            return
        if warm:
            _take_one(shelf)
        else:
            # It found none that was ready; those still starting are not lost by that.
            settled = now - self._settings.settle_s
            shelf.batches = [batch for batch in shelf.batches if batch.asked_at > settled]
        if shelf.due_at is None:
            shelf.due_at = now + self._settings.refill_after_s

    def refused(self, node_id: str, now: float) -> None:
        """Note that a node did not take the last request: what was asked for is not there."""
        shelf = self._shelves.get(node_id)
        if shelf is None:
            return
        if shelf.batches:
            shelf.batches.pop()
        pause_s = min(self._settings.pause_max_s, self._settings.pause_s * 2**shelf.refusals)
        shelf.refusals += 1
        shelf.due_at = now + pause_s

    def accepted(self, node_id: str) -> None:
        """Note that a node took the last request."""
        shelf = self._shelves.get(node_id)
        if shelf is not None:
            shelf.refusals = 0

    def decide(self, now: float) -> list[StartWarm]:
        """What to ask for at `now`; what is returned counts as asked for until it is `refused`."""
        asked: list[StartWarm] = []
        for node_id, shelf in self._shelves.items():
            if (due := self._due(shelf)) is None or due > now:
                continue
            shelf.batches = [batch for batch in shelf.batches if batch.renew_at > now]
            missing = self._settings.per_node - shelf.held()
            shelf.due_at = None
            if missing > 0:
                keep_s = self._settings.keep_alive_s
                shelf.batches.append(_Batch(missing, now, now + keep_s - self._settings.renew_before_s))
                asked.append(StartWarm(node_id=node_id, count=missing, keep_alive_s=keep_s))
        return asked

    def next_timer(self) -> float | None:
        """When `decide` has something to do next, monotonic seconds; None while there is nothing to wait for."""
        times = [due for shelf in self._shelves.values() if (due := self._due(shelf)) is not None]
        return min(times, default=None)

    def held(self, node_id: str) -> int:
        """How many processes a node is believed to hold or to be starting."""
        shelf = self._shelves.get(node_id)
        return 0 if shelf is None else shelf.held()

    @staticmethod
    def _due(shelf: _Shelf) -> float | None:
        """A node that refused is left alone until its pause is over, whatever ends meanwhile."""
        if shelf.refusals and shelf.due_at is not None:
            return shelf.due_at
        times = [batch.renew_at for batch in shelf.batches]
        if shelf.due_at is not None:
            times.append(shelf.due_at)
        return min(times, default=None)


def was_warm(age_s: float | None, *, waited_s: float) -> bool:
    """Whether a process stood ready before it was asked for.

    Args:
        age_s: Its age when it answered, seconds (`process.age_s` on its own host); None when unknown.
        waited_s: How long the answer was waited for, seconds. Both are durations: no clock crosses a host.
    """
    return age_s is not None and age_s > waited_s


def _take_one(shelf: _Shelf) -> None:
    """Which one Ray took is not known: count it off the oldest."""
    if shelf.batches:
        shelf.batches[0].count -= 1
        if shelf.batches[0].count == 0:
            del shelf.batches[0]
