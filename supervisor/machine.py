"""The supervisor's decisions: events in, commands out. Pure: it knows neither Ray nor a clock.

A child:

    waiting -> starting --ready--> running --died, hung--> restarting --delay--> starting (next incarnation)
                  |                   |                        |
                  +--start failed-----|------------------------+
                                      +--over the intensity--> given_up

Every life of a child has an incarnation of its own; news of any other one is ignored. A silent child is only suspect:
the kernel's evidence decides whether it is hung (`supervisor.suspicion`). A hung child is fenced first: the view
without it is announced, then it is killed, then its successor starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from actors.recovery.backoff import restart_delay_s
from actors.runtime.timers import Timer, Timers
from supervisor import messages as m
from supervisor.adoption import sort_survivors
from supervisor.intensity import record_restart
from supervisor.orders import kill_of, kill_unlocated, record_of, records_of_found_dead, stop_of
from supervisor.suspicion import answered, begin_look, weigh
from supervisor.tree import (
    Child,
    ChildSpec,
    ExitClass,
    Group,
    GroupSpec,
    Pool,
    learn_of_members,
    leave_place,
    take_place,
)
from supervisor.view import build_view

if TYPE_CHECKING:
    from random import Random

TimerKind = Literal["heartbeat", "suspect", "start", "late", "adopt"]

UNCOUNTED: tuple[ExitClass, ...] = ("task_limit", "node_lost", "shutdown")
"""Ends that say nothing against the child: they count neither against its group's intensity nor in its backoff."""

_NODE_KEY_DIGITS = 12


class SupervisorMachine:
    """One supervisor incarnation's tree."""

    def __init__(
        self,
        *,
        supervisor: str,
        incarnation: int,
        specs: Sequence[ChildSpec],
        groups: Sequence[GroupSpec],
        pools: Sequence[Pool],
        rng: Random,
    ) -> None:
        self._supervisor = supervisor
        self._incarnation = incarnation
        self._rng = rng
        self._groups = {spec.name: Group(spec) for spec in groups}
        self._pools = {pool.name: pool for pool in pools}
        self._children = {spec.key: Child(spec) for spec in specs}
        self._timers: Timers[TimerKind, tuple[str, int]] = Timers(self._has_child)
        self._last_incarnation: dict[str, int] = {}
        self._adopting: set[str] = set()
        self._blind_s = min((spec.look_s for spec in specs), default=ChildSpec(key="").look_s)
        self._stopping = False

    def handle(self, event: m.Event, now: float) -> list[m.Command]:  # noqa: C901, PLR0911 - one branch per event, closed
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        match event:
            case m.LeaderStarted():
                return self._on_started(event, now)
            case m.ChildReady():
                return self._on_ready(event, now)
            case m.ChildStartFailed():
                return self._on_start_failed(event, now)
            case m.ChildDied():
                return self._on_died(event, now)
            case m.HeartbeatAnswered():
                return self._on_heartbeat(event, now)
            case m.EvidenceFound():
                return self._on_evidence(event, now)
            case m.ExitAnnounced():
                return self._on_exit_announced(event)
            case m.NodesSeen():
                return self._on_nodes(event, now)
            case m.ShutdownRequested():
                return self._on_shutdown()
            case m.TimePassed():
                return self._on_time(now)
            case _:
                assert_never(event)

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        return self._timers.next_at()

    # -- starting and adopting --------------------------------------------------------------------------------------

    def _on_started(self, event: m.LeaderStarted, now: float) -> list[m.Command]:
        survivors = sort_survivors(event.actors)
        alive = dict(survivors.alive)
        self._last_incarnation.update(survivors.last)
        commands: list[m.Command] = [kill_unlocated(actor) for actor in survivors.fenced]
        learn_of_members(self._pools.values(), self._children, alive)
        commands.extend(self._on_nodes(m.NodesSeen(nodes=event.nodes), now, start=False))
        for child in self._children.values():
            survivor = alive.pop(child.spec.key, None)
            if survivor is not None:
                commands.append(self._adopt(child, survivor, now))
                continue
            child.restarts = survivors.last.get(child.spec.key, 0) if event.succeeds else 0
            commands.extend((*records_of_found_dead(child, child.restarts), self._start(child, now)))
        commands.extend(kill_unlocated(actor) for actor in alive.values())
        return commands

    def _adopt(self, child: Child, survivor: m.KnownActor, now: float) -> m.AdoptChild:
        spec = child.spec
        child.incarnation, child.restarts, child.status = survivor.incarnation, survivor.incarnation - 1, "starting"
        self._set_timer(now + spec.start_timeout_s, "late", child)
        # A child that hung while nobody led is found by its silence, like any other.
        child.location, child.answered_at, child.asked = survivor.location, now, True
        self._set_timer(now + spec.hang_timeout_s, "suspect", child)
        if spec.pool is not None:
            self._adopting.add(spec.key)
            self._set_timer(now + spec.hang_timeout_s, "adopt", child)
        return m.AdoptChild(key=spec.key, incarnation=child.incarnation)

    def _start(self, child: Child, now: float) -> m.StartChild:
        key = child.spec.key
        child.incarnation = self._last_incarnation[key] = self._last_incarnation.get(key, 0) + 1
        child.status, child.location, child.role = "starting", None, "service"
        child.asked, child.evidence, child.expected_exit = False, None, None
        self._set_timer(now + child.spec.start_timeout_s, "late", child)
        return m.StartChild(key=key, incarnation=child.incarnation)

    def _current(self, key: str, incarnation: int) -> Child | None:
        """The child, if `incarnation` is the accepted one: news of any other life is not applied."""
        child = self._children.get(key)
        return child if child is not None and child.incarnation == incarnation else None

    def _on_ready(self, event: m.ChildReady, now: float) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is None or child.status != "starting":
            return []
        child.status, child.location, child.asked = "running", event.location, False
        child.ready_at = child.answered_at = now
        if child.spec.pool is not None:
            take_place(self._pools[child.spec.pool], child)
        spread_s = child.spec.heartbeat_s * self._rng.random()
        self._set_timer(now + spread_s, "heartbeat", child)
        self._adopting.discard(event.key)
        return [record_of(child, "ready"), *self._publish()]

    def _publish(self) -> list[m.Command]:
        """Announce the view, but not while workers are being adopted: a view without them would fence them."""
        return [] if self._adopting else [m.Publish()]

    def _leave_pool(self, child: Child) -> list[m.Command]:
        if child.spec.pool is None:
            return []
        heir = leave_place(self._pools[child.spec.pool], child)
        if heir is None:
            return []
        self._children[heir].role = "active"
        return [record_of(self._children[heir], "promoted")]

    # -- heartbeats and hangs ---------------------------------------------------------------------------------------

    def _on_heartbeat(self, event: m.HeartbeatAnswered, now: float) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is None or child.status not in ("starting", "running"):
            return []
        answered(child, now)
        if child.status == "starting":  # being adopted: it lives, and is watched until it is ready
            self._set_timer(now + child.spec.hang_timeout_s, "suspect", child)
        elif child.asked:  # a suspect is asked more than once, and may answer as often
            child.asked = False
            self._set_timer(now + child.spec.heartbeat_s, "heartbeat", child)
        return []

    def _on_evidence(self, event: m.EvidenceFound, now: float) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is None or child.status not in ("starting", "running") or not child.asked:
            return []
        ended = weigh(child, event.evidence, now)
        return [] if ended is None else self._end(child, *ended, now, fence=True)

    def _on_time(self, now: float) -> list[m.Command]:
        due = self._timers.next_at()
        blind = due is not None and now - due > self._blind_s
        commands: list[m.Command] = self._listen_anew(now) if blind else []
        while (timer := self._timers.take_due(now)) is not None:
            child = self._current(*timer.subject)
            if child is not None:
                commands.extend(self._on_timer(timer.kind, child, now))
        return commands

    def _on_timer(self, kind: TimerKind, child: Child, now: float) -> list[m.Command]:
        match kind:
            case "start":
                return [self._start(child, now)] if child.status == "restarting" else []
            case "late":
                waited = f"did not answer within {child.spec.start_timeout_s:g} s of its start"
                return self._end(child, "crash", waited, now, fence=True) if child.status == "starting" else []
            case "adopt":
                return self._cease_waiting(child)
            case "heartbeat":
                return self._ask(child)
            case "suspect":
                return self._look(child, now)
            case _:
                assert_never(kind)

    def _cease_waiting(self, child: Child) -> list[m.Command]:
        """A worker that stays silent holds the announcement of the others up no longer."""
        if child.spec.key not in self._adopting:
            return []
        self._adopting.remove(child.spec.key)
        return self._publish()

    def _listen_anew(self, now: float) -> list[m.Command]:
        """This supervisor was stopped or starved: it asks again, and waits for the answers as long as ever."""
        commands: list[m.Command] = []
        for child in self._children.values():
            if child.status not in ("starting", "running"):
                continue
            answered(child, now)
            if child.asked:
                self._set_timer(now + child.spec.hang_timeout_s, "suspect", child)
                commands.append(m.AskHeartbeat(key=child.spec.key, incarnation=child.incarnation))
        return commands

    def _ask(self, child: Child) -> list[m.Command]:
        if child.status != "running":
            return []
        child.asked = True
        self._set_timer(child.answered_at + child.spec.hang_timeout_s, "suspect", child)
        return [m.AskHeartbeat(key=child.spec.key, incarnation=child.incarnation)]

    def _look(self, child: Child, now: float) -> list[m.Command]:
        """Silence is a reason to look, and to ask again: the question or its answer may have been lost."""
        if child.status not in ("starting", "running") or child.location is None or not child.asked:
            return []
        if not begin_look(child, now):
            return []
        self._set_timer(child.look_at, "suspect", child)
        key, incarnation, where = child.spec.key, child.incarnation, child.location
        return [
            m.AskHeartbeat(key=key, incarnation=incarnation),
            m.LookAtProcess(key=key, incarnation=incarnation, process=where.process, node_id=where.node_id),
        ]

    # -- ends and restarts ------------------------------------------------------------------------------------------

    def _on_exit_announced(self, event: m.ExitAnnounced) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is not None:
            child.expected_exit = event.exit_class
        return []

    def _on_died(self, event: m.ChildDied, now: float) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is None or child.status not in ("starting", "running"):
            return []
        return self._end(child, child.expected_exit or event.exit_class, event.detail, now, fence=False)

    def _on_start_failed(self, event: m.ChildStartFailed, now: float) -> list[m.Command]:
        child = self._current(event.key, event.incarnation)
        if child is None or child.status != "starting":
            return []
        return self._end(child, "crash", event.error, now, fence=True)

    def _end(self, child: Child, exit_class: ExitClass, detail: str, now: float, *, fence: bool) -> list[m.Command]:
        """A child's life is over: announce that first, kill what may still run, then see about the next one."""
        was_running = child.status == "running"
        commands: list[m.Command] = [record_of(child, "fenced" if fence else "died", f"{exit_class}: {detail}")]
        child.status, child.last_error = "restarting", detail
        self._adopting.discard(child.spec.key)
        if was_running:
            commands.extend(self._leave_pool(child))
            if now - child.ready_at >= self._groups[child.spec.group].spec.reset_after_s:
                child.restarts_in_a_row = 0
        commands.extend(self._publish())
        if fence:
            commands.append(kill_of(child))
        commands.extend(self._restart(child, exit_class, detail, now))
        return commands

    def _restart(self, child: Child, exit_class: ExitClass, reason: str, now: float) -> list[m.Command]:
        group = self._groups[child.spec.group]
        spec = group.spec
        if child.spec.node_id is not None and exit_class == "node_lost":
            child.status = "stopped"
            return self._publish()
        delay_s = 0.0
        if exit_class not in UNCOUNTED:
            group.restarted_at, allowed = record_restart(
                group.restarted_at, now=now, intensity=spec.intensity, period_s=spec.period_s
            )
            if not allowed:
                return self._give_up(group, f"{child.spec.key}: {reason}")
            delay_s = restart_delay_s(
                restarts=child.restarts_in_a_row,
                min_s=spec.backoff_min_s,
                max_s=spec.backoff_max_s,
                jitter=spec.backoff_jitter,
                rng=self._rng,
            )
            child.restarts_in_a_row += 1
        child.restarts += 1
        record = m.RecordRestart(
            key=child.spec.key,
            from_incarnation=child.incarnation,
            to_incarnation=self._last_incarnation[child.spec.key] + 1,
            exit_class=exit_class,
            reason=reason,
            group=spec.name,
            delay_ms=int(delay_s * 1000),
        )
        if delay_s > 0:
            self._set_timer(now + delay_s, "start", child)
            return [record]
        return [self._start(child, now), record]

    def _give_up(self, group: Group, reason: str) -> list[m.Command]:
        """Over the intensity: the group ends, and whoever asks is told why. The root stays up to tell it."""
        group.failure = reason
        members = [child for child in reversed(self._children.values()) if child.spec.group == group.spec.name]
        kills = [kill_of(child) for child in members if child.status in ("starting", "running")]
        records = [record_of(child, "given_up", reason) for child in members]
        for child in members:
            child.status, child.role = "given_up", "service"
            self._adopting.discard(child.spec.key)
        return [*records, *self._publish(), *kills]

    # -- nodes and the end ------------------------------------------------------------------------------------------

    def _on_nodes(self, event: m.NodesSeen, now: float, *, start: bool = True) -> list[m.Command]:
        """Every living node has an agent; a lost node's agent is not waited for."""
        if self._stopping:
            return []
        keys = {f"node_agent/{node[:_NODE_KEY_DIGITS]}": node for node in event.nodes}
        commands: list[m.Command] = []
        for key, node in keys.items():
            child = self._children.get(key)
            if child is None:
                child = self._children[key] = Child(ChildSpec(key=key, node_id=node))
            elif child.status != "stopped":
                continue
            child.status = "waiting" if self._groups[child.spec.group].failure is None else "given_up"
            if start and child.status == "waiting":
                commands.append(self._start(child, now))
        for child in self._children.values():
            gone = child.spec.node_id is not None and child.spec.key not in keys
            if gone and child.status in ("starting", "running", "restarting"):
                commands.extend(self._end(child, "node_lost", "its node left the cluster", now, fence=True))
        return commands

    def _on_shutdown(self) -> list[m.Command]:
        """Everything ends in reverse order of its start; the log outlives the rest, so that it hears of their end."""
        self._stopping = True
        living = [child for child in reversed(self._children.values()) if child.status in ("starting", "running")]
        logs = [child for child in living if child.spec.concern == "event_log"]
        others = [child for child in living if child not in logs]
        commands: list[m.Command] = [m.Publish(), *(record_of(child, "stopped") for child in living)]
        commands.extend(stop_of(child) for child in others)
        commands.append(m.AwaitStops())
        commands.extend(stop_of(child) for child in logs)
        for child in self._children.values():
            child.status = "given_up" if child.status == "given_up" else "stopped"
        return commands

    # -- what others see --------------------------------------------------------------------------------------------

    def view(self) -> m.ClusterView:
        """What callers are told."""
        return build_view(
            self._supervisor,
            self._incarnation,
            children=self._children,
            groups=self._groups,
            pools=self._pools,
            stopping=self._stopping,
        )

    def _set_timer(self, when: float, kind: TimerKind, child: Child) -> None:
        self._timers.set(when, kind, (child.spec.key, child.incarnation))

    def _has_child(self, timer: Timer[TimerKind, tuple[str, int]]) -> bool:
        return self._current(*timer.subject) is not None
