"""The degradation's owner: its shell. What is asked and observed goes to the machine, what it wants goes out.

Its state lies on every node's board with what has changed lately, so processes read it, and are told of changes,
whether this actor lives or not.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.degradation import messages as m
from actors.degradation.machine import DegradationMachine
from actors.degradation.observations import Observations, observed
from actors.degradation.recent import Recent
from actors.degradation.rows import LATEST, SNAPSHOTS, rows_of, snapshot
from actors.degradation.saying import STATE, Said, pack
from actors.degradation.settings import DegradationSettings, FeatureSettings, OverrideSettings
from actors.degradation.sources import Sources
from actors.runtime.errors import ConfigError, EventLogError
from actors.runtime.node import board_path
from actors.runtime.replicated import Replica
from actors.runtime.vital_threads import steady_thread, vital_thread
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.node_board import NodeBoard
from actors.service.writer import Writer, as_octets

if TYPE_CHECKING:
    from actors.degradation.rules import Signal
    from actors.degradation.statistics import DegradationStatistics
    from actors.service.ports import ServicePorts

SNAPSHOT_S = 1.0
"""A successor's row follows a declaration within so long, seconds: a thousand declarations are not a thousand rows."""

_OWN = "itself"
_TICK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradationView:
    """What people are told.

    Attributes:
        kept: The level, its reason, what was set by hand, the features as declared, and the statistics.
        levels: From the fullest to the poorest.
        why_off: For each feature that is off: "level", or the feature that it needs.
        limits: Per capability the most of it.
        signals: What is known of each signal.
    """

    kept: m.KeptDegradation
    levels: tuple[str, ...]
    why_off: Mapping[str, str]
    limits: Mapping[str, float | None]
    signals: Mapping[Signal, float]


class DegradationActor(ServiceActor):
    """Owns the level of service and the features.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads, and the settings.
    """

    hears_near = True

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        self._settings: DegradationSettings = ports.settings or DegradationSettings()
        self._writer = Writer(owner=self.identity.key, incarnation=self.identity.incarnation, era=ports.era)
        self._owned = threading.Lock()
        self._due = threading.Condition(self._owned)
        self._machine = DegradationMachine(self._settings, now=self.clock.now())
        self._sources = Sources()
        self._signals: dict[Signal, float] = {}
        self._recent = Recent()
        self._snapshot_at: float | None = None
        self.changes = {
            "feature": self._declare,
            "withdraw": self._withdraw,
            "tenant": self._override_tenant,
            "set_level": self._set_level,
            "auto": self._auto,
        }
        self.recorded = frozenset(("set_level", "auto"))
        self.questions = {"observe": self._observe, "statistics": self._statistics, "view": self._view}
        self.begin()

    # -- what people ask ----------------------------------------------------------------------------------------------

    def _declare(self, feature: FeatureSettings) -> Replica:
        return self._ask(m.FeatureDeclared(feature=feature))

    def _withdraw(self, name: str) -> Replica:
        return self._ask(m.FeatureWithdrawn(name=name))

    def _override_tenant(self, feature: str, tenant: str, on: bool | None) -> Replica:  # noqa: FBT001 - a message
        return self._ask(m.TenantOverridden(feature=feature, tenant=tenant, on=on))

    def _set_level(self, override: OverrideSettings) -> Replica:
        return self._ask(m.LevelSet(override=override))

    def _auto(self, who: str, reason: str) -> Replica:
        return self._ask(m.AutoRequested(who=who, reason=reason))

    def _ask(self, event: m.Event) -> Replica:
        """What holds then; who asked need not wait for its board.

        Raises:
            ConfigError: It cannot be.
        """
        commands = self._decide(lambda now: self._machine.handle(event, now))
        for command in commands:
            if isinstance(command, m.Refuse):
                raise ConfigError(f"degradation: {command.what} {command.name!r}", problems=command.problems)
        return self.current(STATE)

    def answer_again(self, what: str) -> Replica:
        """See `ServiceActor`: what holds by now."""
        del what
        return self.current(STATE)

    def _observe(self, source: str, signals: Mapping[Signal, float | None]) -> None:
        def act(now: float) -> list[m.Command]:
            self._sources.say(source, signals, now)
            return self._see(now)

        self._decide(act)
        self.post()

    def _statistics(self) -> DegradationStatistics:
        with self._owned:
            return self._machine.statistics(self.clock.now())

    def _view(self) -> DegradationView:
        with self._owned:
            resolved = self._machine.published.resolved
            return DegradationView(
                kept=self._machine.kept(self.clock.now()),
                levels=self._settings.levels,
                why_off=resolved.why_off,
                limits=resolved.limits,
                signals=dict(self._signals),
            )

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _decide(self, act: Callable[[float], list[m.Command]]) -> list[m.Command]:
        """Let the machine decide, and carry it out but for what is to be posted."""
        with self._owned:
            commands = act(self.clock.now())
            self._carry_out(commands)
            self._due.notify_all()
        return commands

    def _carry_out(self, commands: list[m.Command]) -> None:
        published, at_us = self._machine.published, self.clock.wall_us()
        for command in commands:
            self._recent.note(command, published.level)
            for table, row in rows_of(command, published, self._writer, at_us):
                self.records.emit(table, row)
        if any(isinstance(command, m.Publish) for command in commands):
            self._say()
            moved = any(isinstance(command, m.RecordLevel) for command in commands)
            if moved:
                self._record()
            elif self._snapshot_at is None:
                self._snapshot_at = self.clock.now() + SNAPSHOT_S

    def _say(self) -> None:
        self.lay(STATE, pack(Said(published=self._machine.published, changes=self._recent.all())))
        self.keep(pickle.dumps((self._machine.kept(self.clock.now()), self._recent.all())))

    def _record(self) -> None:
        """Write down what a successor in another cluster needs."""
        self._snapshot_at = None
        kept = self._machine.kept(self.clock.now())
        row = snapshot(kept, self._machine.published, pickle.dumps(kept), self._writer, self.clock.wall_us())
        self.records.emit(SNAPSHOTS, row)

    def _see(self, now: float) -> list[m.Command]:
        news = self._sources.news(now)
        if not news:
            return []
        for signal, value in news.items():
            if value is None:
                self._signals.pop(signal, None)
            else:
                self._signals[signal] = value
        return self._machine.handle(m.SignalsSeen(signals=news), now)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _keep_time(self) -> None:
        while not self.is_ending.is_set():
            with self._owned:
                wait_s = self._next_at() - self.clock.now()
                if wait_s > 0:
                    self._due.wait(wait_s)
            self._decide(self._pass_time)
            self.post()

    def _next_at(self) -> float:
        times = (self._machine.next_timer(), self._sources.next_at(), self._snapshot_at)
        return min((at for at in times if at is not None), default=self.clock.now() + _TICK_S)

    def _pass_time(self, now: float) -> list[m.Command]:
        if self._snapshot_at is not None and self._snapshot_at <= now:
            self._record()
        return [*self._see(now), *self._machine.handle(m.TimePassed(), now)]

    def _look_on(self, observations: Observations) -> None:
        source = f"{_OWN}: {type(observations).__name__}"
        while not self.is_ending.wait(observations.every_s):
            self._observe(source, observations.look())

    # -- taking over --------------------------------------------------------------------------------------------------

    def take_over(self, left: Left | None) -> None:
        """See `ServiceActor`."""
        if left is not None:
            kept, changes = pickle.loads(left.payload)  # noqa: S301 - our own former life made it
            self._resume(kept.aged(left.age_s), Recent(changes))
            self._hear_of_queues(kept)
        else:
            self._resume(self._in_log(), Recent())
        board = NodeBoard(partial(board_path, self.identity.supervisor))
        for each in observed(self._settings, board, self.query):
            steady_thread(self._look_on, each, name="degradation-look").start()
        vital_thread(self._keep_time, name="degradation-time").start()

    def _hear_of_queues(self, kept: m.KeptDegradation) -> None:
        """Queues that an earlier life was told of are full until they are told of here, or nobody does any more."""
        full: dict[Signal, float | None] = {
            (rule.signal, rule.of): rule.enter for rule, _ in kept.asking if rule.signal == "queue_pressure"
        }
        if full:
            with self._owned:
                self._sources.say(f"{_OWN}: an earlier life", full, self.clock.now())

    def _resume(self, kept: m.KeptDegradation | None, recent: Recent) -> None:
        with self._owned:
            self._recent = recent
            if kept is not None:
                self._carry_out(self._machine.handle(m.StateRecovered(kept=kept), self.clock.now()))
            self._say()

    def _in_log(self) -> m.KeptDegradation | None:
        """What another life of the cluster has left; None where there is none, or it cannot be read."""
        try:
            rows = self.query(LATEST, (self.identity.key,))
            if not rows:
                return None
            kept: m.KeptDegradation = pickle.loads(as_octets(rows[0]["kept"]))  # noqa: S301 - as above
            kept = replace(kept, asking=())  # what was seen of another life of the cluster says nothing of this one
        except EventLogError:
            return None
        except Exception:  # noqa: BLE001 - a record of another version says nothing: it begins anew
            return None
        return kept.aged(max(0.0, (self.clock.wall_us() - rows[0]["at_us"]) / 1e6))

    def vital_signs(self) -> dict[str, Any]:
        """Adds the level."""
        with self._owned:
            return {**super().vital_signs(), "level": self._machine.level}

    def on_stop(self) -> None:
        """What has not been written down yet is."""
        with self._owned:
            if self._snapshot_at is not None:
                self._record()
            self._due.notify_all()
        super().on_stop()


def degradation_actor() -> Any:
    """The Ray actor class of `DegradationActor`, with its concurrency groups."""
    return service_actor(DegradationActor)
