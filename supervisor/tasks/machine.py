"""Where each task goes next: the dispatcher's decisions. Pure: time is an argument, chance a parameter.

A task:

    waiting --sent--> at a worker --reply ok--------------------------------> done
       ^                  |--reply error, attempts left--> resting --timer--+
       |                  |--withdrawn, worker lost, fenced------------+    |
       +------------------------------------------------------------- <+---<+
                          +--no attempts left, deadline, poison------------> failed

Tasks are sent at once while a worker has room; what waits meanwhile travels in one call when room appears, so there is
no timer on the way of a task. A batch that takes longer than expected is recalled: its finished results come early and
what has not started runs elsewhere, so a slow task never holds others. A batch that dies with its worker does not say
which task did it: its tasks run alone next, and one that kills its worker alone `poison_after` times is set aside.

Rejected: one Ray call per task (3 k/s at best), and streaming each result (each costs as much as a call).
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from actors.runtime.errors import SupervisorError, TaskTimeoutError
from actors.runtime.timers import Timer, Timers
from actors.worker.protocol import NEEDS_FUNCTION, OK, Result
from supervisor.tasks.commands import (
    Command,
    RecordAttempt,
    ResendFunction,
    SendBatch,
    SettleTasks,
    TravelByValue,
)
from supervisor.tasks.crew import Batch, Crew, Route, Worker
from supervisor.tasks.settings import DispatchSettings
from supervisor.tasks.task import Outcome, Task
from supervisor.tasks.verdict import (
    has_run_out,
    lacks_module,
    limits_s,
    next_wait_s,
    outcome_of_failure,
    outcome_of_loss,
    outcome_of_poison,
    told_of_end,
)
from supervisor.tasks.waiting import PaceBook, WaitingTasks, take_batch
from supervisor.tasks.watch import Subject, TimerKind, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from actors.worker.protocol import Progress, WireResult


class DispatchMachine:
    """The tasks of one caller in one pool.

    Args:
        settings: The bounds.
        rng: The source of jitter.
        decode: Turns a pickled exception into one; never raises.
    """

    def __init__(self, settings: DispatchSettings, rng: Random, decode: Callable[[bytes], BaseException]) -> None:
        self.settings = settings
        self._rng = rng
        self._decode = decode
        self._crew = Crew(settings.prefetch_s)
        self._waiting = WaitingTasks()
        self._pace = PaceBook()
        self._batches: dict[int, Batch] = {}
        self._batch_numbers = count(1)
        self._timers: Timers[TimerKind, Subject] = Timers(self._means_something)
        self._watch = Watch(settings, self._crew, self._timers)
        self._failure: SupervisorError | None = None
        self._farewell: SupervisorError | None = None
        self.unfinished = 0

    # -- events -----------------------------------------------------------------------------------------------------

    def submitted(self, task: Task, now: float) -> list[Command]:
        """A caller hands in a task."""
        self.unfinished += 1
        if self._failure is not None:
            return self._settle(task, Outcome("failed", error=self._failure))
        if task.deadline_at is not None:
            self._timers.set(task.deadline_at, "deadline", task)
        self._waiting.append(task)
        return self._send(now)

    def cancelled(self, task: Task) -> list[Command]:
        """The caller no longer wants the task; what already runs of it is not stopped, its result is dropped."""
        return [] if task.settled else self._settle(task, Outcome("cancelled"))

    def replied(self, number: int, results: Sequence[WireResult], refs: Sequence[object], now: float) -> list[Command]:
        """A batch's call returned: it is over at its worker."""
        batch = self._batches.get(number)
        if batch is None:
            return []
        commands = self._read(batch, results, refs, now)
        batch.closed = True
        if not batch.recalling:
            self._close(batch)
        commands.extend(self._send(now))
        return commands

    def recalled(self, number: int, progress: Progress, now: float) -> list[Command]:
        """A worker told how far a batch is, and gave back what it has not started."""
        batch = self._batches.get(number)
        if batch is None:
            return []
        batch.recalling = False
        commands = self._read(batch, progress.results, progress.refs, now)
        for task_number in reversed(progress.withdrawn):
            self._take_back(batch, task_number)
        if batch.closed or (batch.orphan and progress.running is None and not progress.waiting):
            self._close(batch)
        else:
            commands.extend(self._watch.looked(batch, progress, now))
        commands.extend(self._send(now))
        return commands

    def worker_lost(self, name: str, now: float, *, may_live: bool = False) -> list[Command]:
        """A worker died, was fenced, or cannot be reached (`may_live`)."""
        worker = self._crew.remove(name, forgivable=may_live)
        commands = [] if worker is None else self._lose_all(worker, now, may_live=may_live)
        if not may_live and (task := self._crew.blamed(name)) is not None:
            commands.extend(self._blame(task, name, now))
        commands.extend(self._send(now))
        return commands

    def routes_changed(self, routes: Sequence[Route], now: float) -> list[Command]:
        """The supervisor announces the pool's workers; whoever is not among them is fenced."""
        self._failure = self._farewell
        commands: list[Command] = []
        removed, back = self._crew.update(routes)
        for worker in removed:
            commands.extend(self._lose_all(worker, now, may_live=True))
        for worker in back:
            self._batches.update(worker.batches)
            commands.extend(self._watch.returned(worker, now))
        commands.extend(self._send(now))
        return commands

    def pool_failed(self, error: SupervisorError) -> list[Command]:
        """The supervisor gave the pool up: what waits, now or later, and what is handed in ends with `error`."""
        self._failure = error
        return self._end_waiting(error)

    def timer(self, now: float) -> list[Command]:
        """Time has passed; everything due is decided."""
        return self._send(now)

    def repickled(self, task: Task, now: float) -> list[Command]:
        """The task's function travels by value now; the refused attempt does not count."""
        self._requeue(task)
        return self._send(now)

    def ended(self, task: Task, outcome: Outcome) -> list[Command]:
        """The task ends for a reason of the caller's side."""
        return [] if task.settled else self._settle(task, outcome)

    def abandon(self, error: SupervisorError) -> list[Command]:
        """The caller leaves: whatever has not ended ends with `error`."""
        tasks = self._waiting.drain()
        tasks.extend(task for batch in self._batches.values() for task in batch.tasks.values())
        tasks.extend(timer.subject for timer in self._timers if isinstance(timer.subject, Task))
        self._failure = self._farewell = error
        return [
            command
            for task in tasks
            if not task.settled
            for command in self._settle(task, Outcome("failed", error=error))
        ]

    def next_timer(self) -> float | None:
        """When `timer` wants to be called, or None."""
        return self._timers.next_at()

    # -- sending ----------------------------------------------------------------------------------------------------

    def _send(self, now: float) -> list[Command]:
        """Decide what is due, so that nothing is sent whose deadline has passed, and give free workers what waits."""
        commands: list[Command] = []
        while (timer := self._timers.take_due(now)) is not None:
            commands.extend(self._on_timer(timer, now))
        if self._failure is not None:
            return [*commands, *self._end_waiting(self._failure)]
        while (task := self._waiting.peek()) is not None:
            worker = self._crew.with_room(alone=task.solo)
            if worker is None:
                break
            tasks, expected_s = take_batch(
                self._waiting,
                self._pace,
                target_s=self.settings.batch_target_s,
                size_max=self.settings.batch_max,
                bytes_max=self.settings.batch_bytes,
            )
            commands.append(self._batch(worker, tasks, expected_s, now))
        return commands

    def _batch(self, worker: Worker, tasks: list[Task], expected_s: float, now: float) -> SendBatch:
        number = next(self._batch_numbers)
        batch = Batch(number, worker.name, {task.number: task for task in tasks}, now, expected_s, tasks[0].solo)
        entries: list[tuple[Task, float | None, float | None]] = []
        for task in tasks:
            task.attempt += 1
            task.charged += 1
            limit_s, remaining_s = limits_s(task, now=now)
            if limit_s is not None:
                batch.limits_s[task.number] = limit_s
            entries.append((task, limit_s, remaining_s))
        self._batches[number] = worker.batches[number] = batch
        self._crew.settle_place(worker)
        self._watch.sent(batch)
        return SendBatch(batch, entries)

    # -- replies ----------------------------------------------------------------------------------------------------

    def _read(self, batch: Batch, results: Sequence[WireResult], refs: Sequence[object], now: float) -> list[Command]:
        """Settle what a batch brought; failures are decided one by one."""
        ended: list[tuple[Task, Outcome]] = []
        commands: list[Command] = []
        worker, name, ran, ran_us = batch.worker, "", 0, 0
        for wire in results:
            number, code, payload, run_us, held = wire
            task = batch.tasks.pop(number, None)
            if task is None:
                continue
            if task.settled:  # its caller was told of its deadline; it was not known then whether it had begun
                commands.extend(told_of_end(task) if has_run_out(Result(*wire)) else ())
                continue
            if code == OK:
                if task.callee.name != name:
                    self._pace.record(name, ran, ran_us)
                    name, ran, ran_us = task.callee.name, 0, 0
                ran += 1
                ran_us += run_us
                task.settled = True
                mine = () if held is None else tuple(refs[held[0] : held[0] + held[1]])
                ended.append((task, Outcome("done", payload, mine, None, run_us, worker)))
            else:
                commands.extend(self._on_failure(batch, task, Result(*wire), now))
        if ended:
            self.unfinished -= len(ended)
            self._pace.record(name, ran, ran_us)
            commands.insert(0, SettleTasks(ended))
        return commands

    def _on_failure(self, batch: Batch, task: Task, result: Result, now: float) -> list[Command]:
        if result.code == NEEDS_FUNCTION:
            self._requeue(task)
            return [ResendFunction(batch.worker, task.callee.digest)]
        if task.unproven and lacks_module(result):
            return [TravelByValue(task, result.payload.decode())]
        limit_s = batch.limits_s.get(task.number, 0.0)
        outcome, worthwhile = outcome_of_failure(
            task, result, worker=batch.worker, limit_s=limit_s, decode=self._decode
        )
        told = told_of_end(task) if has_run_out(result) else ()
        return [*told, *self._after(task, outcome, now, rest=True, worthwhile=worthwhile)]

    def _after(self, task: Task, outcome: Outcome, now: float, *, rest: bool, worthwhile: bool) -> list[Command]:
        """An attempt ended badly: another one, perhaps after a rest, or the end."""
        spans = (task.trace_id, task.attempt_span_id, task.span_id)
        record = RecordAttempt(task.task_id, task.attempt, outcome, task.attempt_us, *spans)
        wait_s = next_wait_s(task, now=now, rest=rest, worthwhile=worthwhile, rng=self._rng)
        if wait_s is None:
            return self._settle(task, outcome)
        if wait_s > 0:
            self._timers.set(now + wait_s, "rest", task)
        else:
            self._waiting.put_back(task)
        return [record]

    def _settle(self, task: Task, outcome: Outcome) -> list[Command]:
        task.settled = True
        self.unfinished -= 1
        return [SettleTasks([(task, outcome)])]

    def _end_waiting(self, error: SupervisorError) -> list[Command]:
        ended = [(task, Outcome("failed", error=error)) for task in self._waiting.drain()]
        for task, _ in ended:
            task.settled = True
        self.unfinished -= len(ended)
        return [SettleTasks(ended)] if ended else []

    def _requeue(self, task: Task) -> None:
        """The task has not run: it waits again, in front, and the attempt does not count."""
        if task.settled:
            return
        task.attempt -= 1
        task.charged -= 1
        self._waiting.put_back(task)

    # -- batches that take long -------------------------------------------------------------------------------------

    def _take_back(self, batch: Batch, task_number: int) -> None:
        task = batch.tasks.pop(task_number, None)
        if task is not None:
            self._requeue(task)

    def _on_timer(self, timer: Timer[TimerKind, Subject], now: float) -> list[Command]:
        subject = timer.subject
        if isinstance(subject, Task):
            if timer.kind == "deadline":
                return self._on_deadline(subject)
            if not subject.settled:
                self._waiting.put_back(subject)
            return []
        if isinstance(subject, str):
            return self._watch.insist(subject, now)
        batch = self._batches.get(subject)
        if batch is None or batch.closed:
            return []
        return self._watch.recall(batch, now) if timer.kind == "recall" else self._watch.overdue(batch, timer.at, now)

    def _means_something(self, timer: Timer[TimerKind, Subject]) -> bool:
        if isinstance(timer.subject, Task):
            return not timer.subject.settled
        return timer.subject in self._batches or timer.kind == "kill"

    def _on_deadline(self, task: Task) -> list[Command]:
        """A task whose deadline passed ends for its caller; a running attempt has the same limit at its worker."""
        if task.settled:
            return []
        limit_s = task.policy.deadline_s or 0.0
        return self._settle(
            task, Outcome("timeout", error=TaskTimeoutError(task.task_id, limit_s=limit_s, what="deadline_s"))
        )

    # -- lost workers -----------------------------------------------------------------------------------------------

    def _lose_all(self, worker: Worker, now: float, *, may_live: bool) -> list[Command]:
        """Decide for everything at a worker that is gone, last first, so that it waits in its old order."""
        commands: list[Command] = []
        suspect = None if worker.killing else worker.suspect
        if may_live and suspect is not None:
            self._crew.doubt(worker.name, suspect)
        for batch in reversed(list(worker.batches.values())):
            self._batches.pop(batch.number)
            for task in reversed(list(batch.tasks.values())):
                if worker.culprit == task.number:
                    commands.extend(told_of_end(task))
                if not task.settled:
                    limit_s = batch.limits_s.get(task.number, 0.0)
                    alone = task is suspect
                    commands.extend(self._lose(task, worker, now, limit_s=limit_s, alone=alone, may_live=may_live))
            batch.tasks.clear()
            batch.orphan = True
            if batch.closed:
                del worker.batches[batch.number]
        return commands

    def _lose(
        self, task: Task, worker: Worker, now: float, *, limit_s: float, alone: bool, may_live: bool
    ) -> list[Command]:
        never_again = task.retry.unknown == "never"
        if worker.culprit == task.number:
            late = TaskTimeoutError(task.task_id, limit_s=limit_s)
            outcome = Outcome("timeout", error=late, worker=worker.name)
            if never_again:
                return self._settle(task, outcome)
            return self._after(task, outcome, now, rest=True, worthwhile=task.retry.allows(late))
        if worker.culprit is not None and not never_again:
            self._requeue(task)
            return []
        outcome, again = outcome_of_loss(
            task, worker=worker.name, alone=alone, may_live=may_live, poison_after=self.settings.poison_after
        )
        if never_again:
            return self._settle(task, outcome)
        return self._after(task, outcome, now, rest=False, worthwhile=again)

    def _blame(self, task: Task, worker: str, now: float) -> list[Command]:
        """The news that a worker was given up overtook the news of its death; its task may run elsewhere by now."""
        task.deaths += 1
        if task.deaths < self.settings.poison_after or not self._waiting.withdraw(task):
            return []
        return self._after(task, outcome_of_poison(task, worker), now, rest=False, worthwhile=False)

    # -- bookkeeping ------------------------------------------------------------------------------------------------

    def _close(self, batch: Batch) -> None:
        """A batch is over; what neither ended nor was withdrawn has not run."""
        for task in reversed(list(batch.tasks.values())):
            self._requeue(task)
        batch.tasks.clear()
        del self._batches[batch.number]
        worker = self._crew[batch.worker]
        del worker.batches[batch.number]
        worker.slow = False
        self._crew.settle_place(worker)
