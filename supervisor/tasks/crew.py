"""The workers that a dispatcher may send to, and what each has in hand. Pure bookkeeping of the dispatch machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from supervisor.tasks.task import Callee, Task

BATCHES_PER_WORKER = 2
"""One that runs and one that waits at the worker, so that it never idles for a round trip."""

BATCHES_HELD_MAX = 16
"""Blocked ones included: each holds one of the worker's 32 threads, and the tasks they wait for need some too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A worker as the supervisor announces it."""

    name: str
    role: Literal["active", "standby"]


@dataclass(slots=True)
class Batch:
    """Tasks that travelled in one call. `tasks` shrinks as results come in.

    An orphan's call failed though its worker may live: its tasks were given up, and yet one may still run there.
    """

    number: int
    worker: str
    tasks: dict[int, Task]
    sent_at: float
    expected_s: float
    solo: bool
    recalling: bool = False
    closed: bool = False
    orphan: bool = False
    blocked: bool = False
    asked_at: float = 0.0
    guarded: bool = False
    look_s: float = 0.0
    limits_s: dict[int, float] = field(default_factory=dict)

    @property
    def may_run(self) -> bool:
        """Whether something of it may run, now or later."""
        return not self.closed and (bool(self.tasks) or self.orphan)


@dataclass(slots=True)
class Worker:
    """A worker and its batches, in the order sent."""

    name: str
    role: Literal["active", "standby"]
    batches: dict[int, Batch] = field(default_factory=dict)
    killing: bool = False
    culprit: int | None = None
    slow: bool = False

    @property
    def load(self) -> int:
        """Batches that hold or wait for the slot."""
        return sum(not batch.blocked for batch in self.batches.values())

    @property
    def running(self) -> Batch | None:
        """The batch that has the slot, as far as is known: the first that is not over and waits for no other task."""
        holding = [batch for batch in self.batches.values() if batch.may_run]
        return next((batch for batch in holding if not batch.blocked), holding[0] if holding else None)

    @property
    def suspect(self) -> Task | None:
        """The task to blame when the worker dies: the one that runs, if nothing else can have run in its call."""
        batch = self.running
        alone = batch is not None and len(batch.tasks) == 1 and not batch.orphan
        return next(iter(batch.tasks.values())) if batch is not None and alone else None


class Crew:
    """All known workers; finds one with room in constant time for the common sizes."""

    def __init__(self, prefetch_s: float) -> None:
        self._prefetch_s = prefetch_s
        self._workers: dict[str, Worker] = {}
        self._gone: set[str] = set()
        self._away: dict[str, Worker] = {}
        self._doubted: dict[str, tuple[Task, Callee]] = {}
        self._idle: dict[str, None] = {}
        self._half: dict[str, None] = {}

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers.values())

    def __len__(self) -> int:
        return len(self._workers)

    def __getitem__(self, name: str) -> Worker:
        return self._workers[name]

    def get(self, name: str) -> Worker | None:
        """The worker, or None when it was lost or never known."""
        return self._workers.get(name)

    @property
    def has_idle(self) -> bool:
        """Whether a worker has nothing in hand."""
        return bool(self._idle)

    def with_room(self, *, alone: bool = False) -> Worker | None:
        """The worker to send to next: an idle one, else one whose batch will end soon; None when all are full.

        Args:
            alone: The task must not wait behind another, so that its worker's death can be laid to it.
        """
        for name in self._idle:
            return self._workers[name]
        for name in () if alone else self._half:
            return self._workers[name]
        return None

    def settle_place(self, worker: Worker) -> None:
        """Refile a worker after its batches changed."""
        name = worker.name
        self._idle.pop(name, None)
        self._half.pop(name, None)
        if name not in self._workers or worker.role != "active" or worker.killing:
            return
        if len(worker.batches) >= BATCHES_HELD_MAX:
            return
        load = worker.load
        if load == 0:
            self._idle[name] = None
        elif load < BATCHES_PER_WORKER and not worker.slow and self._ends_soon(worker):
            self._half[name] = None

    def _ends_soon(self, worker: Worker) -> bool:
        return all(
            batch.expected_s <= self._prefetch_s and not batch.solo
            for batch in worker.batches.values()
            if not batch.blocked
        )

    def update(self, routes: Sequence[Route]) -> tuple[list[Worker], list[Worker]]:
        """Take the supervisor's announcement; returns the workers that are no longer accepted, and those that are back.

        A worker that was seen to die stays gone, whatever an older announcement says.
        """
        announced = {route.name: route for route in routes}
        removed = [worker for name, worker in self._workers.items() if name not in announced]
        for worker in removed:
            self.remove(worker.name)
        self._gone.intersection_update(announced)
        self._away = {name: worker for name, worker in self._away.items() if name in announced}
        back: list[Worker] = []
        for route in routes:
            if route.name in self._gone:
                continue
            worker = self._workers.get(route.name)
            if worker is None:
                worker = self._away.pop(route.name, None)
                if worker is None:
                    worker = Worker(route.name, route.role)
                else:
                    back.append(worker)
                    self._doubted.pop(route.name, None)
                self._workers[route.name] = worker
            worker.role = route.role
            self.settle_place(worker)
        return removed, back

    def remove(self, name: str, *, forgivable: bool = False) -> Worker | None:
        """The worker is gone; a standby, if there is one, becomes active in its place at once.

        Args:
            name: The worker.
            forgivable: It may only be out of reach: the next announcement that names it brings it back.
        """
        worker = self._workers.pop(name, None)
        if not forgivable:
            self._gone.add(name)
            self._away.pop(name, None)
        if worker is None:
            return None
        if forgivable:
            self._away[name] = worker
        self._idle.pop(name, None)
        self._half.pop(name, None)
        if worker.role == "active":
            self._promote_one()
        return worker

    def doubt(self, name: str, suspect: Task) -> None:
        """A worker was given up that may live: if it turns out to have died, `suspect` is to blame."""
        self._doubted = {worker: doubted for worker, doubted in self._doubted.items() if not doubted[0].settled}
        self._doubted[name] = (suspect, suspect.callee)

    def blamed(self, name: str) -> Task | None:
        """Now it is known that the worker died: the task to blame, unless that has ended or calls its fallback now."""
        task, callee = self._doubted.pop(name, (None, None))
        return task if task is not None and not task.settled and task.callee is callee else None

    def _promote_one(self) -> None:
        for worker in self._workers.values():
            if worker.role == "standby":
                worker.role = "active"
                self.settle_place(worker)
                return
