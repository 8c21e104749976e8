"""What the degradation's owner looks at itself: breakers on its board, and the tasks in the log.

Health tells it what it sees, and each process what of its queues is full: both by `observe`, see `Sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from actors.breaker.parcels import BOARD_PREFIX, read_laid
from actors.degradation.openness import burn_of, openness_of
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import EventLogError, SupervisorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.degradation.rules import Signal
    from actors.degradation.settings import BudgetSettings, DegradationSettings
    from actors.service.node_board import NodeBoard

BOARD_S = 0.05

_BURN = (
    "SELECT coalesce(pool, '') AS pool, count(*) AS tasks, "
    "count(*) FILTER (state NOT IN ('done', 'cancelled')) AS failed FROM tasks "
    "WHERE ended_at > current_timestamp - to_microseconds(?::BIGINT) GROUP BY ALL"
)

Query = Callable[[str, tuple[Any, ...]], list[dict[str, Any]]]


class Observations(Protocol):
    """The port to one thing that is looked at.

    Attributes:
        every_s: How often it is looked at, seconds.
    """

    every_s: float

    def look(self) -> Mapping[Signal, float | None]:
        """What is seen now; None for what cannot be seen. It may block for as long as a disk does."""
        ...


class BreakerObservations:
    """The breakers that rules name, as they lie on this node's board.

    Args:
        names: Theirs.
        board: This node's.
    """

    every_s = BOARD_S

    def __init__(self, names: Iterable[str], board: NodeBoard) -> None:
        self._names = tuple(names)
        self._board = board

    def look(self) -> Mapping[Signal, float | None]:
        """See `Observations`."""
        self._board.open()
        return {("breaker_openness", name): self._openness(name) for name in self._names}

    def _openness(self, name: str) -> float | None:
        reader = self._board.reader
        if reader is None:
            return None
        try:
            found = reader.read(f"{BOARD_PREFIX}{name}")
            said = None if found is None else read_laid(name, found[1], SYSTEM_CLOCK.now_ns())
        except (SupervisorError, ValueError):
            return None
        return None if said is None else openness_of(said.published)


class BudgetObservations:
    """How fast the tasks of each pool use up what may fail of them, by the log. What has no tasks uses up nothing.

    Args:
        settings: What may fail.
        pools: Those that rules name; empty: all.
        query: Reads the log.
    """

    def __init__(self, settings: BudgetSettings, pools: Iterable[str], query: Query) -> None:
        self._settings = settings
        self._pools = set(pools)
        self._query = query
        self.every_s = settings.every_s

    def look(self) -> Mapping[Signal, float | None]:
        """See `Observations`."""
        try:
            rows = self._query(_BURN, (int(self._settings.window_s * 1e6),))
        except EventLogError:
            return {}
        burns = {row["pool"]: burn_of(row["tasks"], row["failed"], self._settings) for row in rows}
        idle: dict[str, float | None] = dict.fromkeys(self._pools - burns.keys(), 0.0)
        if "" in idle and None in burns.values():
            idle[""] = None  # too little is known of one of all
        self._pools |= burns.keys()
        return {("budget_burn", pool): burn for pool, burn in (idle | burns).items()}


def observed(settings: DegradationSettings, board: NodeBoard, query: Query) -> list[Observations]:
    """What the rules make worth looking at."""
    found: list[Observations] = []
    breakers = {rule.of for rule in settings.rules if rule.signal == "breaker_openness"}
    if breakers:
        found.append(BreakerObservations(sorted(breakers), board))
    pools = {rule.of for rule in settings.rules if rule.signal == "budget_burn"}
    if pools:
        found.append(BudgetObservations(settings.budget, pools, query))
    return found
