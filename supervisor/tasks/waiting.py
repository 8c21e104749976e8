"""The tasks that wait for a worker, by priority, and how many of them fit into one batch. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.tasks.task import Task

_PACE_WEIGHT = 0.3
SWEEP_FROM = 1024


class PaceBook:
    """Measured run time by function: an exponentially weighted mean per name, microseconds."""

    def __init__(self) -> None:
        self._mean_us: dict[str, float] = {}

    def record(self, name: str, ran: int, ran_us: int) -> None:
        """Note that `ran` tasks of this function took `ran_us` together."""
        if not ran:
            return
        known, run_us = self._mean_us.get(name), ran_us / ran
        self._mean_us[name] = run_us if known is None else known + _PACE_WEIGHT * (run_us - known)

    def expected_s(self, name: str) -> float | None:
        """The expected run time in seconds, or None for a function that never ended."""
        mean_us = self._mean_us.get(name)
        return None if mean_us is None else mean_us / 1e6


class WaitingTasks:
    """First in, first out within a priority; higher priorities first. Settled (cancelled) tasks are passed over."""

    def __init__(self) -> None:
        self._by_priority: dict[int, deque[Task]] = {}
        self._order: list[int] = []
        self._count = 0
        self._sweep_at = SWEEP_FROM

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Task]:
        for priority in self._order:
            yield from self._by_priority[priority]

    def append(self, task: Task) -> None:
        """A new task waits behind the others of its priority."""
        self._queue(task).append(task)
        self._count += 1
        if self._count >= self._sweep_at:
            self._sweep()

    def put_back(self, task: Task) -> None:
        """A task that had its turn already waits in front of the others of its priority."""
        self._queue(task).appendleft(task)
        self._count += 1

    def peek(self) -> Task | None:
        """The task whose turn it is."""
        for priority in self._order:
            queue = self._by_priority[priority]
            while queue:
                if not queue[0].settled:
                    return queue[0]
                queue.popleft()
                self._count -= 1
        return None

    def pop(self) -> Task | None:
        """Take the task whose turn it is."""
        task = self.peek()
        if task is not None:
            self._by_priority[task.policy.priority].popleft()
            self._count -= 1
        return task

    def withdraw(self, task: Task) -> bool:
        """Take this one out, if it waits here."""
        queue = self._by_priority.get(task.policy.priority)
        if queue is None or task not in queue:
            return False
        queue.remove(task)
        self._count -= 1
        return True

    def drain(self) -> list[Task]:
        """Take all."""
        taken = [task for task in self if not task.settled]
        self._by_priority.clear()
        self._order.clear()
        self._count = 0
        return taken

    def _sweep(self) -> None:
        """Forget those that settled while they waited, so that they do not pile up behind others."""
        for priority, queue in self._by_priority.items():
            self._by_priority[priority] = deque(task for task in queue if not task.settled)
        self._count = sum(map(len, self._by_priority.values()))
        self._sweep_at = max(SWEEP_FROM, 2 * self._count)

    def _queue(self, task: Task) -> deque[Task]:
        priority = task.policy.priority
        queue = self._by_priority.get(priority)
        if queue is None:
            queue = self._by_priority[priority] = deque()
            self._order = sorted(self._by_priority, reverse=True)
        return queue


def take_batch(
    waiting: WaitingTasks, pace: PaceBook, *, target_s: float, size_max: int, bytes_max: int
) -> tuple[list[Task], float]:
    """The tasks to send in one call, and how long they are expected to run, in seconds.

    A function that was never measured, a task that must travel alone, and a task longer than `target_s` make a batch
    of one each. Otherwise tasks are taken while their expected run times stay within `target_s`.
    """
    batch: list[Task] = []
    expected_total_s, size_bytes = 0.0, 0
    while len(batch) < size_max:
        task = waiting.peek()
        if task is None:
            break
        expected_s = pace.expected_s(task.callee.name)
        cost_s = target_s if expected_s is None else expected_s
        fits = expected_total_s + cost_s <= target_s and size_bytes + len(task.arguments) <= bytes_max
        alone = task.solo or expected_s is None
        if batch and (alone or not fits):
            break
        waiting.pop()
        batch.append(task)
        expected_total_s += cost_s
        size_bytes += len(task.arguments)
        if alone:
            break
    return batch, expected_total_s
