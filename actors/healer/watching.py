"""Where incidents come from by themselves: children and groups given up, breakers, tasks that fail, sickness."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.healer import messages as m
from actors.healer.sickness import Sickness
from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from actors.healer.settings import HealerSettings
    from actors.healer.troubles import Troubles
    from actors.health.published import HealthStanding
    from actors.runtime.clock import Clock

TASKS_FAIL = "tasks fail"

_CHILD = "child/"
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
        troubles: What rows of the log tell of.
        tell: Told of troubles, and of their ends.
        see: Told of each new view.
    """

    def __init__(
        self,
        around: Surroundings,
        settings: HealerSettings,
        troubles: Troubles,
        tell: Callable[..., None],
        see: Callable[[Any], None],
    ) -> None:
        self._around = around
        self._settings = settings
        self._troubles = troubles
        self._tell = tell
        self._see = see
        self._sickness = Sickness(settings.on_sick, self.node_of)

    def start(self, cursor: int | None) -> None:
        """Begin to look.

        Args:
            cursor: Rows of the log after this one are news; None: those that come from now on.
        """
        looks: list[tuple[str, Callable[[], None]]] = [("healer-view", self._follow_view)]
        if self._troubles.kinds:
            looks.append(("healer-log", partial(self._follow_log, cursor)))
        if self._settings.task_failures:
            looks.append(("healer-tasks", self._follow_tasks))
        for name, look in looks:
            threading.Thread(target=look, name=name, daemon=True).start()

    def on_health(self, standing: HealthStanding) -> None:
        """The health monitor says how things stand."""
        events = self._sickness.of(standing, self._around.clock.now())
        if events:
            self._tell(*events)

    def node_of(self, component: str) -> str:
        """The node that a component runs on, if it is a supervised child; else empty."""
        view = self._around.view
        keys = (component, f"{_CHILD}{component}")
        children: tuple[Any, ...] = () if view is None else view.children
        found = next((child.location for child in children if child.key in keys), None)
        return "" if found is None else found.node_id

    # -- the supervisor's view ----------------------------------------------------------------------------------------

    def _follow_view(self) -> None:
        known: Any = None
        while not self._around.is_ending.wait(_LOOK_S):
            view = self._around.view
            if view is None or view is known:
                continue
            known = view
            self._see(view)

    # -- the log ------------------------------------------------------------------------------------------------------

    def _follow_log(self, cursor: int | None) -> None:
        while not self._around.is_ending.is_set():
            page = self._page(cursor)
            if page is None:
                self._around.is_ending.wait(_AGAIN_S)
                continue
            cursor = page.cursor
            events = [event for row in page.events for event in self._troubles.of(row)]
            if events:
                self._tell(*events)

    def _page(self, cursor: int | None) -> Any | None:
        writer = self._around.log_writer()
        if writer is None:
            return None
        try:
            return ray.get(writer.tail.remote(cursor, self._troubles.kinds, 1000, _TAIL_S), timeout=2 * _TAIL_S)
        except (RayError, GetTimeoutError, SupervisorError):
            return None

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
