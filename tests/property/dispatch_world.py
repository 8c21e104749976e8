"""A world for the dispatch machine: workers with the real worker machine, a network, a supervisor, one virtual clock.

Worker processes run their batches one at a time, each task as long as its plan says; calls and their answers take a
random time, so that a recall may overtake the batch it names. Processes die, hang, become unreachable; the supervisor
announces whom it accepts, late and in any order with what the caller sees itself.
"""

from __future__ import annotations

import heapq
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from actors.recovery.retry import Retry
from actors.runtime.errors import SupervisorError
from actors.worker.machine import WorkerMachine
from actors.worker.protocol import NEEDS_FUNCTION, OK, RAISED, Result
from supervisor.tasks import commands as do
from supervisor.tasks.crew import Route
from supervisor.tasks.machine import DispatchMachine
from supervisor.tasks.policy import Policy
from supervisor.tasks.settings import DispatchSettings
from supervisor.tasks.task import Callee, Outcome, Task

CLIENT = "caller"
LATENCY_S = 0.002
STANDBYS = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a task does when it runs."""

    run_s: float = 0.0
    does: str = "ok"  # ok, raise, kill (its worker), hang (for ever, answers looks), hold (for ever, answers nothing)
    times: int = 0  # how often it misbehaves before it is ok; 0: always
    function: str = "f"
    policy: Policy = field(default_factory=Policy)
    fallback: bool = False


@dataclass
class Process:
    """One worker process."""

    name: str
    machine: WorkerMachine = field(default_factory=WorkerMachine)
    functions: set[bytes] = field(default_factory=set)
    queue: list[tuple[Any, ...]] = field(default_factory=list)
    busy: tuple[Any, ...] | None = None
    alive: bool = True
    reachable: bool = True
    deaf: bool = False
    running: int | None = None


@dataclass
class History:
    """What happened to one task."""

    task: Task
    plan: Plan
    settled: list[Outcome] = field(default_factory=list)
    begun: list[tuple[float, str, int]] = field(default_factory=list)
    ended: int = 0
    unknown: int = 0
    charged_max: int = 0
    killed: list[str] = field(default_factory=list)


class World:
    """Everything around one dispatch machine."""

    def __init__(self, seed: int, workers: int = 2, **settings: Any) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.machine = DispatchMachine(DispatchSettings(**settings), self.rng, pickle.loads)
        self.active = workers
        self.histories: dict[int, History] = {}
        self.processes: dict[str, Process] = {}
        self.accepted: list[str] = []
        self.broken: list[str] = []
        self.given_up: set[str] = set()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers, self._task_numbers, self._incarnations = count(), count(1), count(1)
        self.sent: set[tuple[str, bytes]] = set()
        self._versions, self._version = count(1), 0
        self.supervisor_s = 0.0
        self.lose_kills = 0
        self.forget_functions = False
        for _ in range(workers + STANDBYS):
            self.start_worker()
        self.announce()
        self.advance(0.1)

    # -- what the caller and the cluster do --------------------------------------------------------------------------

    def submit(self, plan: Plan) -> Task:
        number = next(self._task_numbers)
        deadline_s = plan.policy.deadline_s
        task = Task(
            number=number,
            task_id=f"t{number}",
            key=None,
            callee=Callee(digest=plan.function.encode(), name=plan.function),
            arguments=b"x" * 10,
            refs=[],
            policy=plan.policy,
            deadline_at=None if deadline_s is None else self.now + deadline_s,
            fallback=Callee(digest=b"fallback", name="fallback") if plan.fallback else None,
        )
        self.histories[number] = History(task, plan)
        self.obey(self.machine.submitted(task, self.now))
        return task

    def cancel(self, number: int) -> None:
        self.obey(self.machine.cancelled(self.histories[number].task))

    def start_worker(self) -> None:
        name = f"w#{next(self._incarnations)}"
        self.processes[name] = Process(name)
        self.accepted.append(name)

    def announce(self, delay_s: float = 0.0) -> None:
        """The supervisor's list as it is now, arriving later."""
        roles = [
            Route(name=name, role="active" if index < self.active else "standby")
            for index, name in enumerate(self.accepted)
        ]
        version = next(self._versions)

        def arrive() -> None:
            if version > self._version:  # older news that comes late is dropped by whoever follows the supervisor
                self._version = version
                self.obey(self.machine.routes_changed(roles, self.now))

        self.later(delay_s, arrive)

    def kill(self, name: str) -> None:
        """The process ends; the caller's calls at it fail soon, and the supervisor replaces it."""
        process = self.processes[name]
        if not process.alive:
            return
        process.alive = False
        if process.running is not None:
            self.histories[process.running].unknown += 1
            self.histories[process.running].killed.append(name)
        self.later(self.rng.random() * 0.02, lambda: self.lost(name, may_live=False))
        self.later(self.supervisor_s + self.rng.random() * 0.05, lambda: self.replace(name))

    def replace(self, name: str) -> None:
        if name in self.accepted:
            self.accepted.remove(name)
            self.given_up.add(name)
            self.start_worker()
            self.announce(self.rng.random() * 0.01)

    def fence(self, name: str) -> None:
        """The supervisor takes a living process for hung: no more accepted, and killed a little later."""
        self.replace(name)
        self.later(0.1, lambda: self.kill(name))

    def lose_sight(self, name: str) -> None:
        """Calls at a living process fail; it can be reached again later, and is announced again."""
        process = self.processes[name]
        if not process.alive or not process.reachable:
            return
        process.reachable = False
        self.later(self.rng.random() * 0.02, lambda: self.lost(name, may_live=True))

        def find() -> None:
            process.reachable = True
            if process.alive and name in self.accepted:
                self.announce()

        self.later(0.3, find)

    def lost(self, name: str, *, may_live: bool) -> None:
        self.given_up.add(name)
        self.obey(self.machine.worker_lost(name, self.now, may_live=may_live))

    def fail_pool(self, error: SupervisorError) -> None:
        self.obey(self.machine.pool_failed(error))

    # -- time --------------------------------------------------------------------------------------------------------

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay_s, next(self._numbers), act))

    def advance(self, seconds: float, steps: int = 200_000) -> None:
        until = self.now + seconds
        for _ in range(steps):
            due = self.machine.next_timer()
            event_at = self._events[0][0] if self._events else None
            at = min((when for when in (due, event_at) if when is not None), default=None)
            if at is None or at > until:
                self.now = until
                return
            self.now = max(self.now, at)
            if event_at is not None and event_at <= self.now:
                heapq.heappop(self._events)[2]()
            else:
                self.obey(self.machine.timer(self.now))
        raise AssertionError("the world does not come to rest")

    def settle_down(self) -> None:
        """Nothing happens to workers any more; everything has time to end."""
        self.lose_kills, self.forget_functions = 0, False
        for _ in range(60):
            self.advance(2.0)
            if self.machine.unfinished == 0:
                break
        self.advance(100.0)

    # -- the dispatcher ----------------------------------------------------------------------------------------------

    def obey(self, commands: list[do.Command]) -> None:
        for command in commands:
            match command:
                case do.SettleTasks(ended=ended):
                    for task, outcome in ended:
                        self.histories[task.number].settled.append(outcome)
                case do.SendBatch():
                    self._send(command)
                case do.RecallBatch(worker=worker, number=number):
                    self._recall(worker, number)
                case do.KillWorker(worker=worker):
                    self._order_end(worker)
                case do.ResendFunction(worker=worker, digest=digest):
                    self.sent.discard((worker, digest))
                case do.RecordAttempt() | do.TravelByValue() | do.TellBreaker():
                    pass  # rows are not looked at here, no function is unproven, and none is behind a breaker

    def _order_end(self, name: str) -> None:
        if self.lose_kills:
            self.lose_kills -= 1
        else:
            self.later(LATENCY_S, lambda: self.kill(name))

    def _send(self, command: do.SendBatch) -> None:
        batch = command.batch
        if batch.worker not in self.machine._crew._workers:
            self.broken.append(f"a batch was sent to {batch.worker}, which is not accepted")
        entries: list[Any] = []
        functions: set[bytes] = set()
        for task, limit_s, remaining_s in command.entries:
            history = self.histories[task.number]
            history.charged_max = max(history.charged_max, task.charged)
            if task.deadline_at is not None and self.now >= task.deadline_at:
                self.broken.append(f"{task.task_id} was sent after its deadline")
            if (batch.worker, task.callee.digest) not in self.sent:
                functions.add(task.callee.digest)
                self.sent.add((batch.worker, task.callee.digest))
            context = (task.task_id, None, task.attempt, remaining_s, 1, 1)
            entries.append((task.number, task.callee.digest, task.arguments, None, limit_s, context))
        process = self.processes[batch.worker]

        def arrive() -> None:
            if not process.alive or not process.reachable:
                self.lost(process.name, may_live=process.alive)
                return
            process.functions |= functions
            if self.forget_functions:
                process.functions.clear()
            process.machine.open((CLIENT, batch.number), entries, self.now)
            process.queue.append((CLIENT, batch.number))
            self._work(process)

        self.later(self.rng.random() * LATENCY_S, arrive)

    def _recall(self, name: str, number: int) -> None:
        process = self.processes[name]

        def ask() -> None:
            if not process.alive:
                self.lost(name, may_live=False)
            elif not process.deaf:
                progress = process.machine.recall((CLIENT, number), self.now)
                self._answer(process, lambda: self.machine.recalled(number, progress, self.now))

        self.later(self.rng.random() * LATENCY_S, ask)

    def _answer(self, process: Process, event: Callable[[], list[do.Command]]) -> None:
        """An answer under way arrives, also from a process that died since; out of reach, the call fails instead."""
        if process.reachable:
            self.later(self.rng.random() * LATENCY_S, lambda: self.obey(event()))
        else:
            self.later(LATENCY_S, lambda: self.lost(process.name, may_live=True))

    # -- a worker process --------------------------------------------------------------------------------------------

    def _work(self, process: Process) -> None:
        if process.busy is None and process.queue:
            process.busy = process.queue.pop(0)
            self._next(process)

    def _next(self, process: Process) -> None:
        key = process.busy
        assert key is not None
        entry = process.machine.next(key, self.now)
        if entry is None:
            results, refs = process.machine.close(key)
            process.busy = None
            self._answer(process, lambda: self.machine.replied(key[1], results, refs, self.now))
            self._work(process)
            return
        if entry.digest not in process.functions:
            process.machine.finish(key, Result(entry.number, NEEDS_FUNCTION, b"", 0, None))
            self.later(0.0001, lambda: self._next(process))
            return
        self._begin(process, key, entry.number, fallback=entry.digest == b"fallback")

    def _begin(self, process: Process, key: Any, number: int, *, fallback: bool) -> None:
        history = self.histories[number]
        plan, task = history.plan, history.task
        history.begun.append((self.now, process.name, task.attempt))
        twins = [other.name for other in self.processes.values() if other.alive and other.running == number]
        if {process.name, *twins}.isdisjoint(self.given_up) and twins:
            self.broken.append(f"{task.task_id} began on {process.name} while it ran on {twins}")
        process.running = number
        if task.deadline_at is not None and self.now >= task.deadline_at + 2 * LATENCY_S:
            self.broken.append(f"{task.task_id} began after its deadline")
        does = plan.does if not plan.times or len(history.begun) <= plan.times else "ok"
        if fallback:
            does = "ok"
        if does == "kill":
            self.later(plan.run_s, lambda: self.kill(process.name))
        elif does in ("hang", "hold"):
            process.deaf = does == "hold"
        else:
            self.later(plan.run_s, lambda: self._end(process, key, number, failed=does == "raise"))

    def _end(self, process: Process, key: Any, number: int, *, failed: bool) -> None:
        if not process.alive:
            return
        process.running = None
        history = self.histories[number]
        history.ended += 1
        code, payload = (RAISED, pickle.dumps(ValueError("no"))) if failed else (OK, b"result")
        result = Result(number, code, payload, int(history.plan.run_s * 1e6), None)
        process.machine.finish(key, result)
        self._next(process)

    # -- what must hold ----------------------------------------------------------------------------------------------

    def check_always(self) -> None:
        assert self.broken == []
        for history in self.histories.values():
            task = history.task
            assert len(history.settled) <= 1, f"{task.task_id} settled twice: {history.settled}"
            assert history.charged_max <= task.retry.attempts, f"{task.task_id} was charged too often"
            if task.retry.unknown == "never":
                assert history.unknown == 0 or history.begun[-1][1] == history.killed[-1], f"{task.task_id} ran again"

    def check_at_rest(self) -> None:
        self.check_always()
        unsettled = [history.task.task_id for history in self.histories.values() if not history.settled]
        assert unsettled == []
        assert self.machine.unfinished == 0
        assert self.machine._batches == {}
        assert len(self.machine._waiting) == 0
        assert list(self.machine._timers) == []
        assert all(worker.batches == {} for worker in self.machine._crew)

    def kinds(self) -> Counter[str]:
        return Counter(history.settled[0].kind for history in self.histories.values())


def never() -> Policy:
    return Policy(retry=Retry(unknown="never"))
