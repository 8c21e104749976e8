"""A supervisor machine in virtual time, and the words in which its tests say what it commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from supervisor import messages as m
from supervisor.machine import SupervisorMachine
from supervisor.tree import ROOT, ChildSpec, ExitClass, GroupSpec, Location, Pool

NODE = "n" * 56
AGENT = f"node_agent/{NODE[:12]}"
LOG = "event_log/writer"
W0, W1, W2 = "worker/p-0", "worker/p-1", "worker/p-2"
WHERE = Location(process=ProcessIdentity(7, 70), node_id=NODE, host="h")
SLEEPING, STOPPED, GONE = (ProcessEvidence(state, 5, seen_at=0.0) for state in ("S", "T", ""))


class Steady(Random):
    """A chance that always falls in the middle."""

    def random(self) -> float:
        return 0.5


class Scene:
    """A machine, its clock, and what it commanded."""

    def __init__(
        self, *keys: str, size: int = 2, nodes: tuple[str, ...] = (), heartbeat_s: float = 1.0, **group: Any
    ) -> None:
        members = [key for key in keys if key.startswith("worker/")]
        limits: dict[str, Any] = {"intensity": 3, "period_s": 5.0, "backoff_jitter": 0.0} | group
        self.machine = SupervisorMachine(
            supervisor="s",
            incarnation=2,
            specs=[_spec(key, heartbeat_s) for key in keys],
            groups=[GroupSpec(name=ROOT, **limits), GroupSpec(name="pool:p", **limits)],
            pools=[Pool("p", size, members)],
            rng=Steady(),
        )
        self.nodes = nodes
        self.now = 100.0

    def tell(self, event: m.Event) -> list[m.Command]:
        return self.machine.handle(event, self.now)

    def lead(self, *actors: m.KnownActor, succeeds: bool = False) -> list[m.Command]:
        return self.tell(m.LeaderStarted(actors=actors, nodes=self.nodes, succeeds=succeeds))

    def ready(self, key: str, incarnation: int = 1) -> list[m.Command]:
        return self.tell(m.ChildReady(key=key, incarnation=incarnation, location=WHERE))

    def died(self, key: str, incarnation: int = 1, exit_class: ExitClass = "killed") -> list[m.Command]:
        return self.tell(m.ChildDied(key=key, incarnation=incarnation, exit_class=exit_class, detail="gone"))

    def failed(self, key: str, incarnation: int = 1, error: str = "no") -> list[m.Command]:
        return self.tell(m.ChildStartFailed(key=key, incarnation=incarnation, error=error))

    def answered(self, key: str, incarnation: int = 1) -> list[m.Command]:
        return self.tell(m.HeartbeatAnswered(key=key, incarnation=incarnation))

    def evidence(self, key: str, evidence: ProcessEvidence, incarnation: int = 1) -> list[m.Command]:
        """That evidence, found just now."""
        seen = replace(evidence, seen_at=self.now)
        return self.tell(m.EvidenceFound(key=key, incarnation=incarnation, evidence=seen))

    def wait(self, seconds: float) -> list[m.Command]:
        """Time goes on; whatever is due on the way is decided when it is."""
        commands: list[m.Command] = []
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            commands += self.tell(m.TimePassed())
        self.now = until
        return commands

    def be_away(self, seconds: float) -> list[m.Command]:
        """Time goes on without the machine: its process is stopped, or gets no processor."""
        self.now += seconds
        commands: list[m.Command] = []
        while (due := self.machine.next_timer()) is not None and due <= self.now:
            commands += self.tell(m.TimePassed())
        return commands

    def child(self, key: str) -> m.ChildView:
        return next(child for child in self.machine.view().children if child.key == key)

    def statuses(self) -> dict[str, str]:
        return {child.key: child.status for child in self.machine.view().children}

    def serving(self) -> dict[str, str]:
        return {worker.name: worker.role for worker in self.machine.view().pools["p"].workers}


def running(*keys: str, **settings: Any) -> Scene:
    """A scene whose children all run."""
    scene = Scene(*keys, **settings)
    scene.lead()
    for key in keys:
        scene.ready(key)
    return scene


def _spec(key: str, heartbeat_s: float) -> ChildSpec:
    if key.startswith("worker/"):
        return ChildSpec(key=key, group="pool:p", pool="p", heartbeat_s=heartbeat_s)
    return ChildSpec(key=key, shutdown_s=30.0, heartbeat_s=heartbeat_s)


def actor(key: str, incarnation: int, *, alive: bool = True) -> m.KnownActor:
    return m.KnownActor(key=key, incarnation=incarnation, alive=alive)


def record(
    key: str, event: str, detail: str = "", incarnation: int = 1, role: str = "active", **more: Any
) -> m.RecordChild:
    location = more.get("location", WHERE)
    return m.RecordChild(key=key, incarnation=incarnation, event=event, role=role, location=location, detail=detail)


def restart(key: str, exit_class: ExitClass, reason: str, start: int = 2, delay_ms: int = 0) -> m.RecordRestart:
    return m.RecordRestart(
        key=key,
        from_incarnation=start - 1,
        to_incarnation=start,
        exit_class=exit_class,
        reason=reason,
        group="pool:p",
        delay_ms=delay_ms,
    )


def start(key: str, incarnation: int = 1) -> m.StartChild:
    return m.StartChild(key=key, incarnation=incarnation)


def kill(key: str, incarnation: int = 1, *, located: bool = True) -> m.KillChild:
    process, node_id = (WHERE.process, NODE) if located else (None, None)
    return m.KillChild(key=key, incarnation=incarnation, process=process, node_id=node_id)


def ask(key: str, incarnation: int = 1) -> m.AskHeartbeat:
    return m.AskHeartbeat(key=key, incarnation=incarnation)


def look(key: str, incarnation: int = 1) -> m.LookAtProcess:
    return m.LookAtProcess(key=key, incarnation=incarnation, process=WHERE.process, node_id=NODE)


def only(commands: Iterable[m.Command], *kinds: type) -> list[m.Command]:
    return [command for command in commands if isinstance(command, kinds)]
