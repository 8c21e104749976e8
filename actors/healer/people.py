"""Having people told, by one thread and in order: what cannot be handed over now is, as soon as it can be."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayError

from actors.healer import messages as m
from actors.healer.telling import alert_key, alert_of, is_of_incident, wants_people
from actors.runtime.errors import ConfigError, SupervisorError
from actors.runtime.vital_threads import steady_thread

AGAIN_S = 1.0
"""What could not be handed over is tried again after so long, seconds."""

_LOG = logging.getLogger("supervisor.healer")

Call = Callable[[Any], object]


class People:
    """One life's way to the notifier.

    Args:
        notifier: Gives the client of it.
        tells: Whether there are channels; else nothing is done.
        limit: Calls that wait; the oldest give way.
    """

    def __init__(self, notifier: Callable[[], Any], *, tells: bool, limit: int) -> None:
        self._notifier = notifier
        self._tells = tells
        self._waiting: deque[Call] = deque(maxlen=limit)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def note(self, command: m.TellPhase | m.EndAlert) -> None:
        """What the healer's machine wants people to know."""
        if isinstance(command, m.EndAlert):
            key = alert_key(command.incident_id)
            self._tell(lambda notifier: notifier.change("resolve", key, command.detail, command.how))
        elif wants_people(command.incident):
            alert = alert_of(command.incident)
            self._tell(lambda notifier: notifier.change("raise", alert))

    def look_back(self, take: Callable[[m.AlertsFound], object]) -> None:
        """Have this life know, before it has anything told, of which incidents earlier ones have had people told."""

        def look(notifier: Any) -> None:
            lasting = [each.alert for each in notifier.ask("lasting")]
            found = tuple(alert.incident_id for alert in lasting if is_of_incident(alert))
            if found:
                take(m.AlertsFound(incidents=found))

        self._tell(look)

    def stop(self) -> None:
        """Nothing more is told; the next life looks back."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _tell(self, call: Call) -> None:
        if not self._tells:
            return
        with self._changed:
            self._waiting.append(call)
            if self._thread is None and not self._stopped:
                self._thread = steady_thread(self._work, name="healer-people")
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            try:
                call(self._notifier())
            except ConfigError as error:
                _LOG.warning("people cannot be told: %s", error)
            except (SupervisorError, RayError, RuntimeError) as error:
                _LOG.warning("people could not be told now: %s", error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, AGAIN_S)
                continue
            with self._changed:
                if self._waiting and self._waiting[0] is call:
                    self._waiting.popleft()

    def _next(self) -> Call | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            return None if self._stopped else self._waiting[0]
