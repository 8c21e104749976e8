"""One run of the demo: start, submit, kill, wait, and collect the evidence for the report."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import OutcomeUnknownError, PoisonTaskError, SupervisorError, TaskTimeoutError
from experiments.demo.agreement import Agreement, compare
from experiments.demo.chaos import Chaos
from experiments.demo.charge import PaymentRejected, UpstreamUnavailable, charge
from experiments.demo.killing import plan_kills
from experiments.demo.upstream_process import UpstreamProcess
from experiments.demo.verdict import Failed, Paid, judge
from supervisor import Policy, Retry, Supervisor
from supervisor.cli.looking import SPANS_OF_TRACE

if TYPE_CHECKING:
    from experiments.demo.ledger import Report
    from experiments.demo.recovery import Kill
    from experiments.demo.stopping import StopRequest
    from experiments.demo.verdict import Ending, Verdict
    from supervisor import TaskFuture

NAME = "demo"
POOL_SIZE = 4
STANDBYS = 2
HEARTBEAT_S = 0.25
HANG_TIMEOUT_S = 1.0

STALL_S = 30.0
"""When no task has ended for so long, the rest is lost."""

RECOVER_S = 30.0
"""How long after the last task the last victim may still be without a successor."""

TICK_S = 0.02
AMOUNT_MIN, AMOUNT_MAX = 100, 50_000

POLICY = Policy(
    timeout_s=8.0,  # behind the request's own limit of 5 s: this one would cost the worker
    retry=Retry(attempts=12, on=(UpstreamUnavailable, ConnectionError, TimeoutError), min_s=0.02, max_s=0.5),
)

_TELLING = """
    select t.trace_id from tasks t join earlier_attempts e using (task_id) where t.client = ?
    group by t.trace_id, t.attempts
    order by count(*) filter (e.outcome in ('lost', 'unknown')) > 0 desc, t.attempts desc, t.trace_id limit 1
"""
"""The trace that shows most: of a task whose worker was lost, with the most attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is asked to do; `log` is the DuckDB file."""

    tasks: int
    seed: int
    chaos: bool
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far a run is; counts of tasks."""

    total: int
    done: int
    failed: int
    kills: int

    @property
    def ended(self) -> int:
        return self.done + self.failed


class Narrator(Protocol):
    """Who tells people what goes on; called from several threads."""

    def stage(self, text: str) -> None:
        """A new stage begins."""
        ...

    def progress(self, tally: Tally) -> None:
        """So far it is."""
        ...

    def killed(self, kill: Kill) -> None:
        """A kill was done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a run found out.

    Attributes:
        reasons: Failures by what their callers were told.
        retried: Tasks that needed more than one attempt.
        extra_attempts: Attempts beyond each task's first.
        problems: Whatever keeps the run from being a success, in plain words.
        trace_id: The task that shows most, if any was retried; `spans` are its rows.
        start_s: Until the supervisor was ready, seconds.
        tasks_s: From the first submit to the last ending, seconds.
        wall_s: All of it, the orderly end included, seconds.
    """

    order: Order
    verdict: Verdict
    upstream: Report
    reasons: Counter[str]
    agreement: Agreement
    retried: int
    extra_attempts: int
    kills: tuple[Kill, ...]
    problems: tuple[str, ...]
    trace_id: str | None
    spans: list[dict[str, Any]]
    start_s: float
    tasks_s: float
    wall_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the demo showed what it promises."""
        return not self.problems


@dataclass(slots=True)
class _Clerk:
    """Counts endings as they come, on whatever thread they come."""

    total: int
    done: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, future: TaskFuture[Any]) -> None:
        good = not future.cancelled() and future.exception() is None
        with self.lock:
            self.done += good
            self.failed += not good

    def progress(self) -> tuple[int, int]:
        return self.done + self.failed, self.total


def run(order: Order, *, stop: StopRequest, narrator: Narrator) -> Findings | None:
    """Run the demo; None when it was asked to stop. Whatever was started has ended when this returns.

    Raises:
        SupervisorError: The supervisor does not start, or its log does not answer; the message says what to do.
        RuntimeError: The upstream does not start.
    """
    began = SYSTEM_CLOCK.now()
    with UpstreamProcess(order.seed) as upstream:
        narrator.stage(f"upstream at {upstream.url}; starting Ray, {POOL_SIZE} workers, {STANDBYS} standbys, the log")
        with Supervisor.start(_config(order.log), name=NAME, address="local") as supervisor:
            stop.install()
            started = SYSTEM_CLOCK.now()
            narrator.stage(f"ready after {started - began:.1f} s; submitting {order.tasks} tasks")
            work = _Work(order, supervisor, upstream, narrator)
            try:
                finished = work.submit(stop) and work.wait(stop)
            finally:
                work.chaos.stop()
            if not finished:
                narrator.stage("asked to stop: ending everything")
                return None
            narrator.stage("reading the upstream's books and the log, then ending everything")
            found = work.findings(start_s=started - began)
    return replace(found, wall_s=SYSTEM_CLOCK.now() - began)


class _Work:
    """The tasks of one run and what kills their workers."""

    def __init__(self, order: Order, supervisor: Supervisor, upstream: UpstreamProcess, narrator: Narrator) -> None:
        self._order = order
        self._supervisor = supervisor
        self._upstream = upstream
        self._narrator = narrator
        self._rng = Random(order.seed)  # noqa: S311 - a schedule to repeat, not secrets
        self._clerk = _Clerk(order.tasks)
        self._futures: dict[str, TaskFuture[dict[str, Any]]] = {}
        self._began = self._ended = SYSTEM_CLOCK.now()
        plan = plan_kills(order.tasks, self._rng) if order.chaos else ()
        self.chaos = Chaos(supervisor, plan, rng=self._rng, progress=self._clerk.progress, on_kill=narrator.killed)

    def submit(self, stop: StopRequest) -> bool:
        """Hand all tasks in; False when asked to stop."""
        amounts = Random(self._order.seed + 1)  # noqa: S311 - the same amounts under the same seed
        self.chaos.start()
        for number in range(self._order.tasks):
            if stop.is_made:
                return False
            key, amount = f"order-{number:05d}", amounts.randint(AMOUNT_MIN, AMOUNT_MAX)
            submitter = self._supervisor.options(policy=POLICY, key=key, on_full="wait")
            future = self._futures[key] = submitter.submit(charge, self._upstream.url, amount, key)
            future.add_done_callback(self._clerk.note)  # pyright: ignore[reportArgumentType] - it is called with this future
        return True

    def wait(self, stop: StopRequest) -> bool:
        """Until all tasks have ended or stall, and all victims have successors; False when asked to stop."""
        moved_at, moved = SYSTEM_CLOCK.now(), 0
        while (ended := self._clerk.progress()[0]) < self._order.tasks:
            if ended > moved:
                moved_at, moved = SYSTEM_CLOCK.now(), ended
            if stop.is_made:
                return False
            if SYSTEM_CLOCK.now() - moved_at > STALL_S:
                break
            self._tell()
            sleep(TICK_S)
        self._ended = SYSTEM_CLOCK.now()
        self._tell()
        while not self.chaos.is_over and SYSTEM_CLOCK.now() - self._ended < RECOVER_S:
            if stop.is_made:
                return False
            sleep(TICK_S)
        return True

    def findings(self, *, start_s: float) -> Findings:
        """Read the books and the log, and judge."""
        ended = {key: future for key, future in self._futures.items() if future.done()}
        report = self._upstream.report()
        verdict = judge(
            submitted=self._futures, endings={key: _ending(future) for key, future in ended.items()}, report=report
        )
        try:
            agreement, (trace_id, spans) = self._agreement(ended), self._telling_trace()
        except SupervisorError as error:  # the tasks' own story is told all the same
            agreement, (trace_id, spans) = Agreement(states={}, problems=(str(error),)), (None, [])
        attempts = [future.attempts for future in ended.values()]
        return Findings(
            order=self._order,
            verdict=verdict,
            upstream=report,
            reasons=Counter(_reason(error) for future in ended.values() if (error := future.exception()) is not None),
            agreement=agreement,
            retried=sum(count > 1 for count in attempts),
            extra_attempts=sum(max(0, count - 1) for count in attempts),
            kills=self.chaos.kills,
            problems=(*verdict.problems, *agreement.problems, *self.chaos.problems()),
            trace_id=trace_id,
            spans=spans,
            start_s=start_s,
            tasks_s=self._ended - self._began,
        )

    def _agreement(self, ended: dict[str, TaskFuture[Any]]) -> Agreement:
        rows = self._supervisor.events.query("select key, state from tasks where client = ?", [self._client])
        return compare(
            logged=[(row["key"], row["state"]) for row in rows],
            seen={key: _state(future.exception()) for key, future in ended.items()},
        )

    def _telling_trace(self) -> tuple[str | None, list[dict[str, Any]]]:
        rows = self._supervisor.events.query(_TELLING, [self._client])
        if not rows:
            return None, []
        trace_id: str = rows[0]["trace_id"]
        return trace_id, self._supervisor.events.query(SPANS_OF_TRACE, [trace_id])

    @property
    def _client(self) -> str:
        """Who submitted: the log may hold earlier runs, too."""
        return next(iter(self._futures.values())).task_id.rpartition("-")[0]

    def _tell(self) -> None:
        clerk = self._clerk
        self._narrator.progress(
            Tally(total=clerk.total, done=clerk.done, failed=clerk.failed, kills=len(self.chaos.kills))
        )


def _config(log: str) -> dict[str, Any]:
    beats = {"heartbeat_s": HEARTBEAT_S, "hang_timeout_s": HANG_TIMEOUT_S}
    return {
        "pools": {"default": {"size": POOL_SIZE, "standbys": STANDBYS, **beats}},
        "services": beats,
        "log": {"path": log},
    }


def _ending(future: TaskFuture[dict[str, Any]]) -> Ending:
    error = future.exception()
    return Paid(future.result()["receipt"]) if error is None else Failed.of(error)


def _state(error: BaseException | None) -> str:
    """The state that the log should have for an ending."""
    match error:
        case None:
            return "done"
        case TaskTimeoutError():
            return "timeout"
        case PoisonTaskError():
            return "poison"
        case OutcomeUnknownError():
            return "unknown"
        case _:
            return "failed"


def _reason(error: BaseException) -> str:
    """What a failure was, in the upstream's words where it said some."""
    if isinstance(error, PaymentRejected | UpstreamUnavailable):
        return f"{type(error).__name__}: {error.reason}"
    return type(error).__name__
