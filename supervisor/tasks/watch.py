"""Batches that take long: when to look at one, and when to end its worker. Pure part of the dispatch machine.

A batch that takes longer than expected is recalled, then looked at ever more rarely. A task that passes its limit
costs its worker's life; a worker that answers no look at all (its interpreter is held) is ended once the limit must
have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from supervisor.tasks.commands import Command, KillWorker, RecallBatch
from supervisor.tasks.task import Task

if TYPE_CHECKING:
    from actors.runtime.timers import Timers
    from actors.worker.protocol import Progress
    from supervisor.tasks.crew import Batch, Crew, Worker
    from supervisor.tasks.settings import DispatchSettings

TimerKind = Literal["rest", "recall", "deadline", "overdue", "kill"]
Subject = Task | int | str
"""What a timer is about: a task, a batch by its number, or a worker by its name."""

_PATIENCE = 9
_LOOKS_PER_LIMIT = 4
_UNANSWERED_S = 1.0
"""How long past its limit a worker that answers no look is left alone, seconds."""


class Watch:
    """The looks at one dispatcher's batches."""

    def __init__(self, settings: DispatchSettings, crew: Crew, timers: Timers[TimerKind, Subject]) -> None:
        self._settings = settings
        self._crew = crew
        self._timers = timers

    def sent(self, batch: Batch) -> None:
        """A batch is on its way: the first look is due when it takes longer than expected."""
        self._timers.set(batch.sent_at + _expected_s(batch) + self._settings.recall_after_s, "recall", batch.number)

    def recall(self, batch: Batch, now: float) -> list[Command]:
        """It is time for a look; one at a time.

        A look takes back what has not started. While no worker is idle nothing is won by that, and a busy caller that
        only reads its replies late would see its batches torn: such a look waits until the results have waited
        `hold_s`.
        """
        if batch.recalling:
            return []
        held_until = batch.sent_at + _expected_s(batch) + self._settings.hold_s
        if len(batch.tasks) > 1 and now < held_until and not self._crew.has_idle:
            self._timers.set(min(held_until, now + self._settings.recall_after_s), "recall", batch.number)
            return []
        batch.recalling, batch.asked_at = True, now
        if batch.limits_s and not batch.guarded:
            batch.guarded = True
            self._timers.set(self._overdue_at(batch), "overdue", batch.number)
        return [RecallBatch(batch.worker, batch.number)]

    def looked(self, batch: Batch, progress: Progress, now: float) -> list[Command]:
        """A batch still runs: note what it does, guard its limit, look again later."""
        worker = self._crew[batch.worker]
        batch.blocked = progress.blocked
        worker.slow = progress.running is not None and not progress.blocked
        self._crew.settle_place(worker)
        wait_s = batch.look_s = min(self._settings.recall_max_s, 2 * (batch.look_s or self._settings.recall_after_s))
        limit_s = batch.limits_s.get(progress.running) if progress.running is not None else None
        if limit_s is not None:
            grace_s = self._settings.yield_grace_s if progress.yielding else self._settings.grace_s
            left_s = limit_s + grace_s - progress.running_s
            if left_s <= 0:
                return self._end_worker(worker, progress.running, "timeout_s passed", now)
            wait_s = min(wait_s, left_s)
        self._timers.set(now + wait_s, "recall", batch.number)
        return []

    def overdue(self, batch: Batch, due: float, now: float) -> list[Command]:
        """A worker that does not even answer a look is ended when its limit has passed.

        A batch that seems to wait at its worker behind another one has not begun, and its limit has not either; but
        calls may have overtaken each other, so the patience with that ends too. When this is asked long after it was
        due, the caller's own process was stopped, and the worker's answer may lie there unread.
        """
        worker = self._crew[batch.worker]
        batch.guarded = batch.recalling and batch.may_run and not worker.killing
        if not batch.guarded:
            return []
        away_s = now - due
        if away_s > _UNANSWERED_S:
            batch.asked_at += away_s + _UNANSWERED_S
        overdue_at, in_turn = self._overdue_at(batch), worker.running is batch
        if not in_turn:
            overdue_at += _PATIENCE * (overdue_at - batch.asked_at)
        if now < overdue_at:
            self._timers.set(overdue_at, "overdue", batch.number)
            return []
        culprit = next(iter(batch.tasks)) if in_turn and len(batch.tasks) == 1 else None
        return self._end_worker(worker, culprit, "timeout_s passed, and the worker does not answer", now)

    def returned(self, worker: Worker, now: float) -> list[Command]:
        """A worker that was out of reach is back: what it still runs of old holds its slot, and must keep its limit."""
        commands = self.insist(worker.name, now)
        for batch in worker.batches.values():
            batch.recalling = batch.guarded = False
            commands.extend(self.recall(batch, now))
        return commands

    def insist(self, name: str, now: float, reason: str = "it was to end and has not") -> list[Command]:
        """Order a worker's end until it is heard of: an order may be lost."""
        worker = self._crew.get(name)
        if worker is None or not worker.killing:
            return []
        self._timers.set(now + self._settings.recall_max_s, "kill", name)
        return [KillWorker(name, reason)]

    def _overdue_at(self, batch: Batch) -> float:
        return batch.asked_at + max(batch.limits_s.values()) + max(self._settings.grace_s, _UNANSWERED_S)

    def _end_worker(self, worker: Worker, culprit: int | None, reason: str, now: float) -> list[Command]:
        if worker.killing:
            return []
        worker.killing, worker.culprit = True, culprit
        self._crew.settle_place(worker)
        return self.insist(worker.name, now, reason)


def _expected_s(batch: Batch) -> float:
    """How long it is left alone at first: a limit is guarded in time, however long the function has taken so far."""
    return min([batch.expected_s, *(limit_s / _LOOKS_PER_LIMIT for limit_s in batch.limits_s.values())])
