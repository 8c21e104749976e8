"""Where incidents come from by themselves: children and groups given up, breakers, tasks that fail, sickness."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.healer.failing import ENDED_TASKS, FAILED_TASKS, FailingTasks, verdict_of
from actors.healer.sickness import Sickness
from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from actors.healer import messages as m
    from actors.healer.settings import HealerSettings
    from actors.healer.troubles import Troubles
    from actors.health.published import HealthStanding
    from actors.runtime.clock import Clock

_CHILD = "child/"
_LOOK_S = 0.05
_TAIL_S = 5.0
_TASKS_EVERY_S = 1.0
_AGAIN_S = 0.5


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
        self._failing = FailingTasks(settings)

    def start(self, cursor: int | None, failing: Iterable[str] = ()) -> None:
        """Begin to look.

        Args:
            cursor: Rows of the log after this one are news; None: those that come from now on.
            failing: Functions of which an earlier life has told that their tasks fail.
        """
        self._failing.resume(failing)
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
            now_us = self._around.clock.wall_us()
            events = [event for row in page.events for event in self._troubles.of(row, now_us)]
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

    def tasks_since(self, function: str, since_us: int) -> tuple[m.Verdict, str]:
        """Whether the tasks of a function that were begun since then are well, and in words."""
        (ended,) = self._around.query(ENDED_TASKS, (function, since_us))
        return verdict_of(ended, self._settings.task_failures)

    def mended(self, function: str) -> None:
        """The trouble with a function's tasks is over: what has failed until now counts no more."""
        self._failing.mended(function, self._around.clock.wall_us())

    def _follow_tasks(self) -> None:
        clock = self._around.clock
        while not self._around.is_ending.wait(_TASKS_EVERY_S):
            now_us = clock.wall_us()
            try:
                rows = self._failed(now_us - round(self._settings.task_window_s * 1e6))
            except SupervisorError:
                continue
            events = self._failing.of(rows, clock.now(), now_us)
            if events:
                self._tell(*events)

    def _failed(self, window_us: int) -> list[dict[str, Any]]:
        rows = self._around.query(FAILED_TASKS, (window_us, self._settings.task_failures, self._failing.names))
        for row in rows:
            since_us = self._failing.since_us(row["name"], window_us)
            if since_us > window_us:
                (ended,) = self._around.query(ENDED_TASKS, (row["name"], since_us))
                row["failures"] = ended["failures"]
        return rows
