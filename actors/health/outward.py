"""What the monitor has others do: the leader replaces a child, the degradation hears of scores, people of blindness.

Nothing here holds the monitor up: each goes on a thread of its own kind, and what cannot be told now is told later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError

from actors.health import messages as m
from actors.health.telling import Signals, signals_of
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName

if TYPE_CHECKING:
    from actors.health.alarm import BlindAlarm
    from actors.health.published import HealthStanding
    from actors.health.settings import HealthRecipe
    from actors.service.ports import ServicePorts

DEGRADATION = "degradation/main"
NOTIFIER = "notifier/main"

OBSERVE_S = 0.5
"""How long the degradation's owner may take to hear of the scores, seconds."""

_HANDS = 3
_LOG = logging.getLogger("supervisor.health")


class Outward:
    """One life's ways to others.

    Args:
        me: The monitor's actor.
        ports: The ways to whoever leads and to the services; their settings are a `HealthRecipe`.
        alarm: What people are to be told.
        standing: Tells how things stand.
        runs: Whether a child or service of that key runs, as far as is known.
    """

    def __init__(
        self,
        me: ActorName,
        ports: ServicePorts,
        alarm: BlindAlarm,
        standing: Callable[[], HealthStanding],
        runs: Callable[[str], bool],
    ) -> None:
        self._me = me
        self._ports = ports
        self._recipe: HealthRecipe = ports.settings
        self._alarm = alarm
        self._standing = standing
        self._runs = runs
        self._hands = ThreadPoolExecutor(_HANDS, "health-hand")
        self._told: Signals = {}
        self._scoring = threading.Lock()
        self._telling = threading.Lock()
        self._scores_due = False

    def replace(self, wish: m.ReplaceChild) -> None:
        """Have a child replaced."""
        self._hands.submit(self._report_sick, wish)

    def tell_scores(self) -> None:
        """Scores may have changed: whoever goes by them is told, once for all that change meanwhile."""
        if self._recipe.scores_of and not self._scores_due and self._runs(DEGRADATION):
            self._scores_due = True
            self._hands.submit(self._tell_degradation)

    def tell_people(self) -> None:
        """People are told what there is to be told, where there are channels."""
        if self._recipe.tells and self._alarm.first() is not None and not self._telling.locked():
            self._hands.submit(self._tell_people)

    def stand_by(self) -> None:
        """See to it that people can be told, before that is needed: without Ray's table nobody is found or started."""
        if self._recipe.tells and not self._telling.locked():
            self._hands.submit(self._find_notifier)

    def close(self) -> None:
        """Do nothing more."""
        self._hands.shutdown(wait=False, cancel_futures=True)

    def _report_sick(self, wish: m.ReplaceChild) -> None:
        concern, _, child = wish.key.partition("/")
        name = ActorName(self._me.supervisor, concern, child, wish.incarnation)
        if not self._ports.report_sick(str(name), f"the health of {wish.component}: {wish.detail}"):
            _LOG.warning("%s is sick and could not be replaced now: nobody leads", name)

    def _tell_degradation(self) -> None:
        with self._scoring:
            self._scores_due = False
            signals = signals_of(self._standing(), self._told, self._recipe.scores_of)
            try:
                self._service(DEGRADATION).ask("observe", "health", signals, start=False, timeout_s=OBSERVE_S)
            except SupervisorError:
                return  # it dies, or is dead: it is told again with the next score
            self._told = signals

    def _tell_people(self) -> None:
        with self._telling:
            while (telling := self._alarm.first()) is not None:
                try:
                    self._service(NOTIFIER).change(telling.what, *telling.arguments)
                except (SupervisorError, RayError, RuntimeError) as error:
                    _LOG.warning("%s could not have people told: %s", self._me, error)
                    return
                self._alarm.told(telling)

    def _find_notifier(self) -> None:
        with self._telling:
            notifier = self._service(NOTIFIER)
            try:
                if not notifier.is_at_hand():
                    notifier.ask("waiting")
            except (SupervisorError, RayError, RuntimeError) as error:
                _LOG.info("%s has not found the notifier: %s", self._me, error)

    def _service(self, key: str) -> Any:
        return self._ports.service(key)
