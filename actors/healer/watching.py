"""Where incidents come from by themselves: the supervisor's view, breakers that open, tasks that fail, sickness."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.healer import messages as m
from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from actors.healer.settings import HealerSettings
    from actors.healer.troubles import SeenChildren
    from actors.runtime.clock import Clock

BREAKERS = "circuit_breaker_state_history"
BREAKER_OPEN = "breaker open"
SICK = "sick"
TASKS_FAIL = "tasks fail"

_LOOK_S = 0.05
_TAIL_S = 5.0
_TASKS_EVERY_S = 1.0
_AGAIN_S = 0.5

FAILED_TASKS = (
    "SELECT name, count(*) AS failures, max(error_type) AS error FROM tasks WHERE state = 'failed' "
    "AND ended_at > make_timestamptz(?) GROUP BY name HAVING count(*) >= ?"
)


class Surroundings(Protocol):
    """What is looked at."""

    clock: Clock

    @property
    def view(self) -> Any:
        """The leader's latest view, or None."""
        ...

    @property
    def is_ending(self) -> threading.Event:
        """Set when this life ends in order."""
        ...

    def log_writer(self) -> Any | None:
        """The log's writer."""
        ...

    def query(self, sql: str, parameters: tuple[Any, ...] = (), *, patience_s: float = 5.0) -> list[dict[str, Any]]:
        """Rows of the log."""
        ...


class Watching:
    """One coordinator's eyes.

    Args:
        around: What is looked at.
        settings: What is an incident.
        children: What was seen of users' children.
        tell: Told of troubles, and of their ends.
        see: Told of each new view.
    """

    def __init__(
        self,
        around: Surroundings,
        settings: HealerSettings,
        children: SeenChildren,
        tell: Callable[..., None],
        see: Callable[[Any], None],
    ) -> None:
        self._around = around
        self._settings = settings
        self._children = children
        self._tell = tell
        self._see = see
        self._health_seen: tuple[int, int] | None = None

    def start(self) -> None:
        """Begin to look."""
        looks = [("healer-view", self._follow_view)]
        if self._settings.on_breaker_open is not None:
            looks.append(("healer-breakers", self._follow_breakers))
        if self._settings.task_failures:
            looks.append(("healer-tasks", self._follow_tasks))
        for name, look in looks:
            threading.Thread(target=look, name=name, daemon=True).start()

    def on_health(self, laid: tuple[Any, ...]) -> None:
        """The health monitor's latest changes, numbered; what it knew before this life began is no news."""
        seen = self._health_seen
        self._health_seen = laid[-1][:2] if laid else (0, 0)
        severity = self._settings.on_sick
        if severity is None:
            return
        for life, number, change in laid:
            if change.kind != "state" or (seen is not None and (life, number) <= seen):
                continue
            if change.after == "healthy":
                self._tell(m.TroubleEnded(component=change.component))
            elif change.after == "unhealthy" and not change.flapping and seen is not None:
                self._tell(
                    m.TroubleReported(
                        component=change.component,
                        failure=SICK,
                        severity=severity,
                        detail=change.detail,
                        source="health",
                        began_ago_s=change.silent_s,
                    )
                )

    # -- the supervisor's view ----------------------------------------------------------------------------------------

    def _follow_view(self) -> None:
        known: Any = None
        while not self._around.is_ending.wait(_LOOK_S):
            view = self._around.view
            if view is None or view is known:
                continue
            known = view
            self._see(view)
            nodes = {child.key: child.location.node_id for child in view.children if child.location is not None}
            events = self._children.see(view.children, nodes)
            if events:
                self._tell(*events)

    # -- breakers -----------------------------------------------------------------------------------------------------

    def _follow_breakers(self) -> None:
        cursor: int | None = None
        while not self._around.is_ending.is_set():
            page = self._page(cursor)
            if page is None:
                self._around.is_ending.wait(_AGAIN_S)
                continue
            cursor = page.cursor
            for row in page.events:
                self._on_breaker(row)

    def _page(self, cursor: int | None) -> Any | None:
        writer = self._around.log_writer()
        if writer is None:
            return None
        try:
            return ray.get(writer.tail.remote(cursor, [BREAKERS], 1000, _TAIL_S), timeout=2 * _TAIL_S)
        except (RayError, GetTimeoutError, SupervisorError):
            return None

    def _on_breaker(self, row: dict[str, Any]) -> None:
        severity = self._settings.on_breaker_open
        if row["event"] != "transition" or severity is None:
            return
        if row["to_state"] == "open":
            self._tell(
                m.TroubleReported(
                    component=row["breaker"],
                    failure=BREAKER_OPEN,
                    severity=severity,
                    detail=row["detail"] or "",
                    source="breaker",
                )
            )
        elif row["to_state"] == "closed":
            self._tell(m.TroubleEnded(component=row["breaker"]))

    # -- tasks --------------------------------------------------------------------------------------------------------

    def _follow_tasks(self) -> None:
        settings = self._settings
        while not self._around.is_ending.wait(_TASKS_EVERY_S):
            since_us = self._around.clock.wall_us() - round(settings.task_window_s * 1e6)
            try:
                found = self._around.query(FAILED_TASKS, (since_us, settings.task_failures))
            except SupervisorError:
                continue
            for row in found:
                detail = f"{row['failures']} failed in {settings.task_window_s:g} s, the latest by {row['error']}"
                self._tell(m.TroubleReported(component=row["name"], failure=TASKS_FAIL, detail=detail, source="task"))
