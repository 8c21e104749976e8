"""A dispatch machine in virtual time, and the words in which its tests say what happens and what it commands."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from actors.recovery.retry import Retry
from actors.worker.protocol import OK, RAISED, Progress, WireResult
from supervisor.tasks import commands as do
from supervisor.tasks.crew import Route
from supervisor.tasks.machine import DispatchMachine
from supervisor.tasks.policy import Policy
from supervisor.tasks.settings import DispatchSettings
from supervisor.tasks.task import Callee, Task

BOOM = ValueError("boom")
AT_ONCE = Retry(attempts=3, backoff="constant", min_s=0.0, max_s=0.0)
RESTING = Retry(attempts=3, backoff="constant", min_s=0.5, max_s=0.5)
NEVER = Retry(unknown="never")


class Scene:
    """A machine with workers `w0`, `w1`, ..., the last `standbys` of them standing by."""

    def __init__(self, workers: int = 1, *, standbys: int = 0, measured: bool = True, **settings: Any) -> None:
        self.machine = DispatchMachine(DispatchSettings(**settings), Random(7), lambda _: BOOM)
        self.now = 10.0
        self.names = [f"w{number}" for number in range(workers)]
        self.standbys = standbys
        self.tasks: list[Task] = []
        if measured:
            self.measure()
        self.announce()

    def measure(self) -> None:
        """The usual function is known to be fast, so that its tasks travel together."""
        self.machine._pace.record("f", 1, 10)

    def task(self, function: str = "f", *, fallback: str | None = None, **policy: Any) -> Task:
        number = len(self.tasks) + 1
        made = Policy(**policy)
        task = Task(
            number=number,
            task_id=f"t{number}",
            key=None,
            callee=_callee(function),
            arguments=b"12345",
            refs=[],
            policy=made,
            deadline_at=None if made.deadline_s is None else self.now + made.deadline_s,
            fallback=None if fallback is None else _callee(fallback),
        )
        self.tasks.append(task)
        return task

    # -- events -----------------------------------------------------------------------------------------------------

    def announce(self, *names: str) -> list[do.Command]:
        names = names or tuple(self.names)
        active = len(names) - self.standbys
        return self.machine.routes_changed(
            [Route(name=name, role="active" if place < active else "standby") for place, name in enumerate(names)],
            self.now,
        )

    def submit(self, *tasks: Task) -> list[do.Command]:
        return [command for task in tasks for command in self.machine.submitted(task, self.now)]

    def reply(self, number: int, *results: WireResult, refs: Sequence[object] = ()) -> list[do.Command]:
        return self.machine.replied(number, results, refs, self.now)

    def recalled(
        self,
        number: int,
        *results: WireResult,
        withdrawn: tuple[int, ...] = (),
        running: int | None = None,
        **more: Any,
    ) -> list[do.Command]:
        told: dict[str, Any] = {"running_s": 0.0, "blocked": False, "waiting": False} | more
        return self.machine.recalled(number, Progress(list(results), [], withdrawn, running, **told), self.now)

    def lose(self, name: str, *, may_live: bool = False) -> list[do.Command]:
        return self.machine.worker_lost(name, self.now, may_live=may_live)

    def wait(self, seconds: float) -> list[do.Command]:
        """Time goes on; whatever is due on the way is decided when it is."""
        commands: list[do.Command] = []
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            commands += self.machine.timer(self.now)
        self.now = until
        return commands


def _callee(name: str) -> Callee:
    return Callee(digest=name.encode(), name=name)


def ok(number: int, run_us: int = 10, refs: tuple[int, int] | None = None) -> WireResult:
    return (number, OK, b"result", run_us, refs)


def bad(number: int, code: int = RAISED, payload: bytes = b"") -> WireResult:
    return (number, code, payload, 10, None)


def told(commands: Sequence[do.Command]) -> list[tuple[Any, ...]]:
    """The commands in short: `("send", batch, worker, task numbers)`, `("settle", number, kind)` and so on."""
    short: list[tuple[Any, ...]] = []
    for command in commands:
        match command:
            case do.SendBatch(batch=batch, entries=entries):
                short.append(("send", batch.number, batch.worker, [task.number for task, *_ in entries]))
            case do.SettleTasks(ended=ended):
                short += [("settle", task.number, outcome.kind) for task, outcome in ended]
            case do.TellBreaker(breaker=breaker, ticket=ticket):
                short.append(("tell", breaker, ticket))
            case do.RecordAttempt(task_id=task_id, attempt=attempt, outcome=outcome):
                short.append(("attempt", task_id, attempt, outcome.kind))
            case do.RecallBatch(worker=worker, number=number):
                short.append(("recall", worker, number))
            case do.KillWorker(worker=worker):
                short.append(("kill", worker))
            case do.ResendFunction(worker=worker, digest=digest):
                short.append(("resend", worker, digest))
            case do.TravelByValue(task=task, reason=reason):
                short.append(("by value", task.number, reason))
    return short
