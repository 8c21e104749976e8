"""The health monitor's actor: its machine decides, it runs checks, tells and writes.

    desk:    registrations and questions
    beats:   heartbeats of components that are judged by them
    monitor: a thread of its own, which hands the ends of checks and the time to the machine

One lock guards the machine. Neither users' functions nor Ray are called under it: probes run on threads and on a loop
of their own (see `running`), in the agents of nodes and in the processes of children.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Any

import ray

from actors.health import messages as m
from actors.health.alarm import BlindAlarm
from actors.health.answers import Answer
from actors.health.errors import UnknownComponentError
from actors.health.machine import MonitorMachine
from actors.health.outward import Outward
from actors.health.packing import ProbeShelf
from actors.health.posts import Posts
from actors.health.probes.place import Here
from actors.health.published import CHANGES, STANDING, HealthStanding, LatestChanges
from actors.health.report import Check, ComponentHealth, Look, SystemHealth
from actors.health.rows import Writer, rows_of
from actors.health.running import ProbeRunner, RunnerStatistics
from actors.health.saving import Saved, SavedPacker, unpack_saved
from actors.health.settings import HealthRecipe, ProbeKind, ProbeSettings
from actors.health.telling import change_of
from actors.health.wards import has_healer
from actors.runtime.actor_table import ended_at_us
from actors.runtime.errors import ConfigError
from actors.runtime.ids import ActorName
from actors.runtime.scrub import Scrubber
from actors.runtime.vital_threads import vital_thread
from actors.runtime.wire import PROTOCOL
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.ports import ServicePorts

GROUPS = {"beats": 1, "looks": 8}

KEEP_S = 0.25
"""How long what was counted may wait until it is kept for a successor, seconds; registrations do not wait."""

TELL_S = 0.02
"""How long a change may wait for others until the boards have it, seconds."""

TELL_RESTS = 4
"""It rests so many times as long as telling took: of thousands of components it is not all that the monitor does."""

TURN_S = 0.005
"""How soon the monitor takes its next turn, seconds: what is due by then and what has ended is taken together."""

LOOK_S = 0.5
"""How often the monitor looks at who is there, seconds."""

ROOM_BYTES = 2 << 20
"""What all packed probes may take together: they lie on every node's board, for the monitor's next life."""

TAKEN_MAX = 1_000
"""Ends of checks that are taken in at once."""

_LOG = logging.getLogger("supervisor.health")
_NEVER = float("inf")


class HealthActor(ServiceActor):
    """Watches what was registered.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads; their settings are a `HealthRecipe`.
    """

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        self._recipe: HealthRecipe = ports.settings
        self._settings = self._recipe.settings
        clean = Scrubber(self._recipe.scrub).clean
        self._writer = Writer(incarnation=self.identity.incarnation, snapshot_s=self._settings.snapshot_s)
        self._guard = threading.Lock()
        self._turned = threading.Condition(self._guard)
        self._machine = MonitorMachine(self._settings, now=self.clock.now())
        self._latest = LatestChanges(self.identity.incarnation)
        self._packed: dict[tuple[str, ProbeKind], bytes] = {}
        self._packer = SavedPacker()
        self._shelf = ProbeShelf()
        self._happened: SimpleQueue[m.Event | None] = SimpleQueue()
        self._runner = ProbeRunner(self._on_end, clock=self.clock, clean=clean)
        self._ways = Posts(self.identity.supervisor, self._on_end, self.clock, clean)
        self._seen: Any = None
        self._children = m.ChildrenSeen(lives={})
        self._alarm = BlindAlarm(self.identity.key)
        self._outward = Outward(self.identity, ports, self._alarm, self._standing, self._runs)
        self._keep_at = self._tell_at = _NEVER
        self._tell_rest_s = TELL_S
        self._has_changes = False
        self._turned_at = 0.0
        self.changes = {"register": self._register, "unregister": self._unregister, "switch": self._switch}
        self.questions = {
            "report": self._report,
            "component": self._component,
            "history": self._history,
            "statistics": self._statistics,
        }
        self.begin()

    def take_over(self, left: Left | None) -> None:
        now = self.clock.now()
        commands: list[m.Command] = []
        with self._guard:
            self._machine = MonitorMachine(self._settings, now=now)
            if left is not None:
                saved = unpack_saved(left.payload)
                self._packed = dict(saved.probes)
                self._latest = LatestChanges(self.identity.incarnation, saved.changes)
                away_s = min(self._away_s(left.age_s), left.age_s)
                resumed = m.MonitorResumed(kept=saved.kept, away_s=away_s, kept_ago_s=left.age_s)
                commands = self._machine.handle(resumed, now)
            self._settle(commands, keep=True, tell=True)
        self._act(commands)
        vital_thread(self._monitor, name="health-monitor").start()

    # -- what people ask ----------------------------------------------------------------------------------------------

    def _register(self, wanted: tuple[tuple[ProbeSettings, bytes], ...]) -> None:
        """Watch these; each that cannot be is named, and the others are watched."""
        source = f"health.register({wanted[0][0].component!r})" if len(wanted) == 1 else "health.registering()"
        with self._guard:
            self._refuse_too_much(source, wanted)
            events = [m.ProbeRegistered(settings=settings) for settings, _ in wanted]
            commands = self._machine.handle_all(events, self.clock.now())
            refused = {(each.component, each.kind): each for each in commands if isinstance(each, m.RefuseRegistration)}
            for settings, data in wanted:
                if (settings.component, settings.kind) not in refused:
                    self._packed[settings.component, settings.kind] = data
            self._settle(commands, keep=True)
        self._act(commands)
        self._happened.put(None)  # the monitor may be due before it thought
        if refused:
            problems = (problem for each in refused.values() for problem in _named(each, len(wanted)))
            raise ConfigError(source, problems=tuple(problems))

    def _refuse_too_much(self, source: str, wanted: tuple[tuple[ProbeSettings, bytes], ...]) -> None:
        packed = self._packed | {(settings.component, settings.kind): data for settings, data in wanted}
        size = sum(map(len, packed.values()))
        if size > ROOM_BYTES:
            problem = f"probe: all probes together take {size} bytes and may take {ROOM_BYTES}; unregister some"
            raise ConfigError(source, problems=(problem,))

    def _unregister(self, component: str, kind: ProbeKind | None = None) -> bool:
        with self._guard:
            gone = [each for each in self._packed if each[0] == component and kind in (None, each[1])]
            for each in gone:
                del self._packed[each]
            commands = self._machine.handle(m.ProbeUnregistered(component=component, kind=kind), self.clock.now())
            self._settle(commands, keep=True)
        self._act(commands)
        return bool(gone)

    def _switch(self, *, stopped: bool) -> None:
        with self._guard:
            commands = self._machine.handle(m.MonitorSwitched(stopped=stopped), self.clock.now())
            self._settle(commands, keep=True)
        self._act(commands)

    def _report(self) -> SystemHealth:
        with self._guard:
            return self._machine.report(self.clock.now())

    def _component(self, name: str) -> ComponentHealth:
        with self._guard:
            found = self._machine.component(name, self.clock.now())
            known = tuple({component for component, _ in self._packed})
        if found is None:
            raise UnknownComponentError(name, known=known)
        return found

    def _history(self, name: str, since_s: float | None = None) -> tuple[Check, ...]:
        self._component(name)
        with self._guard:
            return self._machine.history(name, self.clock.now(), since_s=since_s)

    def _statistics(self) -> RunnerStatistics:
        return self._runner.statistics()

    def _standing(self) -> HealthStanding:
        with self._guard:
            return self._machine.standing()

    def _runs(self, key: str) -> bool:
        view = self.view
        return view is not None and any(child.key == key and child.status == "running" for child in view.children)

    @ray.method(concurrency_group="beats")
    def beat(self, component: str) -> None:
        """A component says that it lives."""
        self._happened.put(m.HeartbeatHeard(component=component))

    @ray.method(concurrency_group="looks")
    def look(self, component: str, within_s: float) -> Look | None:
        """Look at a component now; None: nobody has registered it.

        Args:
            component: Which.
            within_s: How long its checks are waited for, seconds.
        """
        now = self.clock.now()
        with self._guard:
            commands = self._machine.handle(m.LookWanted(component=component), now)
            begun = self._machine.flights_of(component)
            self._settle(commands)
        self._act(commands)
        self._happened.put(None)
        with self._turned:
            self._turned.wait_for(lambda: not begun & self._machine.flights_of(component), within_s)
            return self._machine.look(component, self.clock.now(), since=now, begun=len(begun))

    def vital_signs(self) -> dict[str, Any]:
        """Adds how many probes it has."""
        return {**super().vital_signs(), "probes": len(self._packed)}

    def on_stop(self) -> None:
        super().on_stop()
        self._happened.put(None)
        self._runner.close()
        self._ways.close()
        self._outward.close()

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _on_end(self, number: int, answer: Answer, duration_s: float) -> None:
        self._happened.put(
            m.ProbeEnded(
                number=number,
                outcome=answer.outcome,
                duration_s=duration_s,
                detail=answer.detail,
                score=answer.score,
                table=answer.table,
            )
        )

    def _monitor(self) -> None:
        while not self.is_ending.is_set():
            happened = self._wait() or [m.TimePassed()]
            now = self.clock.now()
            with self._guard:
                commands = self._machine.handle_all(happened, now)
                self._settle(commands)
                self._turned.notify_all()
            self._act(commands)
            self.post()

    def _wait(self) -> list[m.Event]:
        """What has happened, once something has, or it is time."""
        with self._guard:
            due = min(self._machine.next_timer(), self._keep_at, self._tell_at)
        now = self.clock.now()
        happened: list[m.Event] = self._look_around()
        rest_s = self._turned_at + TURN_S - now
        if rest_s > 0:
            self.is_ending.wait(rest_s)
        wait_s = 0.0 if happened else max(0.0, min(due - self.clock.now(), LOOK_S))
        try:
            while len(happened) < TAKEN_MAX:
                event = self._happened.get(timeout=wait_s) if wait_s > 0 else self._happened.get_nowait()
                wait_s = 0.0
                if event is not None:
                    happened.append(event)
        except Empty:
            pass
        self._turned_at = self.clock.now()
        return happened

    def _look_around(self) -> list[m.Event]:
        """Which nodes and children there are, if that is news."""
        view = self.view
        if view is None or view is self._seen:
            return []
        self._seen = view
        running = {child.key: child for child in view.children if child.status == "running"}
        self._ways.see(view.agents, {key: child.actor for key, child in running.items()})
        news: list[m.Event] = [m.NodesChanged(nodes=tuple(sorted(view.agents)))]
        lives = {key: child.incarnation for key, child in running.items()}
        healed = self._recipe.heals_sick and has_healer({child.key: child.status for child in view.children})
        children = m.ChildrenSeen(lives=lives, healed=healed)
        if children != self._children:
            self._children = children
            news.append(children)
        return news

    def _settle(self, commands: Iterable[m.Command], *, keep: bool = False, tell: bool = False) -> None:
        """Put it on record, and lay what is due, or wanted at once; under the lock."""
        at_us, now = self.clock.wall_us(), self.clock.now()
        for command in commands:
            for table, row in rows_of(command, self._writer, at_us):
                self.records.emit(table, row)
            change = change_of(command, at_us)
            self._alarm.note(command)
            if change is not None:
                self._latest.add(change)
                self._has_changes = True
            if change is not None or isinstance(command, m.TellScore):
                self._tell_at = min(self._tell_at, now + self._tell_rest_s)
            if change is not None or isinstance(command, m.Keep):
                self._keep_at = min(self._keep_at, now + KEEP_S)
        if keep:  # somebody changed what is watched
            self._tell_at = min(self._tell_at, now + self._tell_rest_s)
        if tell or self._tell_at <= now:
            self._tell_at = _NEVER
            self.lay(STANDING, pickle.dumps(self._machine.standing(), PROTOCOL))
            if self._has_changes or tell:
                self._has_changes = False
                self.lay(CHANGES, pickle.dumps(self._latest.all(), PROTOCOL))
            self._tell_rest_s = max(TELL_S, TELL_RESTS * (self.clock.now() - now))
        if keep or self._keep_at <= now:
            self._keep_at = _NEVER
            saved = Saved(kept=self._machine.kept(), probes=self._packed, changes=self._latest.all())
            self.keep(self._packer.pack(saved))

    # -- doing --------------------------------------------------------------------------------------------------------

    def _act(self, commands: Iterable[m.Command]) -> None:
        is_news = False
        for command in commands:
            match command:
                case m.RunProbe():
                    self._run(command)
                case m.AbandonProbe():
                    self._runner.abandon(command.number)
                case m.ReplaceChild():
                    self._outward.replace(command)
                case m.TellScore() | m.TellChange():
                    is_news = True
                    if isinstance(command, m.TellScore):
                        self._outward.stand_by()
                case m.AlarmBlindness():
                    _LOG.warning("%s did not see (%s): %s", self.identity, command.cause, command.detail)
                case _:
                    pass
        if is_news:
            self._outward.tell_scores()
        self._outward.tell_people()

    def _run(self, command: m.RunProbe) -> None:
        name = f"{command.component} ({command.kind})"
        data = self._packed.get((command.component, command.kind))
        if data is None:
            gone = Answer(outcome="unreachable", detail="it was unregistered")
            self._on_end(command.number, gone, 0.0)
        elif command.place:
            self._ways.send(command.number, name, command.place, data, command.timeout_s)
        else:
            here = Here(supervisor=self.identity.supervisor, timeout_s=command.timeout_s)
            self._runner.run(command.number, name, self._shelf.probe(name, data), here=here)

    def _away_s(self, age_s: float) -> float:
        """How long nobody looked: since the last life ended, as far as Ray knows; else since it has left something."""
        former = ActorName(
            self.identity.supervisor, self.identity.concern, self.identity.child, self.identity.incarnation - 1
        )
        ended_us = ended_at_us(former)
        return age_s if ended_us is None else max(0.0, (self.clock.wall_us() - ended_us) / 1e6)


def _named(refused: m.RefuseRegistration, count: int) -> tuple[str, ...]:
    """Its problems, after its name where it is one of many."""
    of = f"{refused.component} ({refused.kind}): " if count > 1 else ""
    return tuple(f"{of}{problem}" for problem in refused.problems)


def health_actor() -> Any:
    """The Ray actor class of `HealthActor`, with its concurrency groups."""
    return service_actor(HealthActor, extra_groups=GROUPS)
