"""Tasks on a real Ray: what is promised of their results, limits, retries, nesting and keys."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError
from concurrent.futures import wait as wait_for_all
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from supervisor import (
    Fallback,
    Policy,
    QueueFullError,
    Retry,
    Supervisor,
    SupervisorClosedError,
    TaskTimeoutError,
    current_task,
)
from tests.ray_local.workload import (
    EAGER,
    ONCE,
    Gate,
    describe,
    double,
    endless,
    endless_coroutine,
    fail_until,
    gentle,
    mark,
    mark_then_wait,
    missing_key,
    pid_of_worker,
    runtime_env_here,
    wait_for_file,
)

# -- the usual ways ----------------------------------------------------------------------------------------------------


def test_submit_map_options_and_executor_give_results(shared: Supervisor):
    assert shared.submit(double, 21).result(timeout=30) == 42
    assert shared.submit(describe, 1, b=2).result(timeout=30) == "(1,) [('b', 2)]"
    assert list(shared.map(double, range(500))) == [2 * n for n in range(500)]
    assert list(shared.map(describe, "ab", [1, 2])) == ["('a', 1) []", "('b', 2) []"]
    assert list(shared.options(priority=3).map(double, [4])) == [8]
    with shared.executor(timeout_s=20) as executor:
        futures = [executor.submit(double, n) for n in range(50)]
        assert sum(executor.map(double, range(10))) == 90
    assert [future.result(timeout=0) for future in futures] == [2 * n for n in range(50)]
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(double, 1)


async def test_futures_can_be_awaited_and_coroutine_functions_run(shared: Supervisor):
    futures = [shared.submit(gentle, n) for n in range(20)]
    assert await asyncio.gather(*futures) == list(range(20))
    with pytest.raises(KeyError):
        await shared.options(policy=Policy(retry=ONCE)).submit(missing_key, "lost")


def test_a_lambda_and_a_bound_method_travel(shared: Supervisor):
    offset = 5
    assert shared.submit(lambda n: n + offset, 1).result(timeout=30) == 6
    assert shared.submit("abc".upper).result(timeout=30) == "ABC"


def test_an_exception_keeps_its_type_and_shows_the_workers_traceback(shared: Supervisor):
    with pytest.raises(KeyError, match="lost") as caught:
        shared.options(policy=Policy(retry=ONCE)).submit(missing_key, "lost").result(timeout=30)
    assert any("in missing_key" in note for note in caught.value.__notes__)


def test_results_and_arguments_of_ten_megabytes(shared: Supervisor):
    big = os.urandom(10_000_000)
    futures = [shared.submit(bytes.__add__, big, bytes([n])) for n in range(3)]
    assert [future.result(timeout=60) for future in futures] == [big + bytes([n]) for n in range(3)]


# -- retries and limits ------------------------------------------------------------------------------------------------


def test_a_failing_task_is_tried_again_and_each_attempt_is_in_the_log(shared: Supervisor, marks: Any):
    future = shared.options(policy=Policy(retry=EAGER)).submit(fail_until, marks.path, 3)
    assert (future.result(timeout=30), future.attempts) == (3, 3)
    rows = shared.events.query(
        "select attempt, outcome from task_attempts where task_id = ? order by attempt", [future.task_id]
    )
    assert [(row["attempt"], row["outcome"]) for row in rows] == [(1, "failed"), (2, "failed"), (3, "done")]


def test_retries_end_with_the_attempts_and_spare_other_exceptions(shared: Supervisor, marks: Any):
    weary = shared.options(policy=Policy(retry=Retry(attempts=2, min_s=0.01))).submit(fail_until, marks.path, 9)
    with pytest.raises(ConnectionError, match="run 2"):
        weary.result(timeout=30)
    choosy = Policy(retry=Retry(attempts=5, on=(ValueError,)))
    with pytest.raises(ConnectionError, match="run 3"):
        shared.options(policy=choosy).submit(fail_until, marks.path, 9).result(timeout=30)
    assert len(marks.lines()) == 3


def test_a_sync_function_past_its_limit_costs_its_worker_and_no_other_task(
    shared: Supervisor, family_of: Any, eventually: Any
):
    pids = set(family_of(shared).workers().values())
    slow = shared.options(policy=Policy(timeout_s=0.3, retry=ONCE)).submit(endless)
    others = [shared.submit(pid_of_worker) for _ in range(200)]
    with pytest.raises(TaskTimeoutError, match=slow.task_id) as caught:
        slow.result(timeout=30)
    assert caught.value.limit_s == pytest.approx(0.3)
    assert not wait_for_all(others, timeout=30).not_done
    assert all(future.result(timeout=0) for future in others)
    eventually(lambda: set(family_of(shared).workers().values()) != pids, "a successor of the worker")
    ends = "select exit_class from restarts where child like 'worker/%'"
    eventually(lambda: len(shared.events.query(ends)) > 0, "a row for the restart")
    assert {row["exit_class"] for row in shared.events.query(ends)} == {"task_limit"}


def test_a_coroutine_past_its_limit_costs_nothing(shared: Supervisor, family_of: Any, eventually: Any):
    eventually(family_of(shared).restored, "a full pool")
    before = family_of(shared).workers()
    futures = [shared.options(policy=Policy(timeout_s=0.2, retry=ONCE)).submit(endless_coroutine) for _ in range(3)]
    for future in futures:
        with pytest.raises(TaskTimeoutError):
            _ = future.result(timeout=30)
    assert shared.submit(double, 1).result(timeout=30) == 2
    assert family_of(shared).workers() == before


def test_a_timeout_is_tried_again(shared: Supervisor, marks: Any):
    def slow_once(path: str) -> int:
        runs = mark(path)
        if runs == 1:
            endless()
        return runs

    future = shared.options(policy=Policy(timeout_s=0.3, retry=EAGER)).submit(slow_once, marks.path)
    runs = future.result(timeout=30)
    assert (runs, future.attempts) == (2, 2), shared.events.query(
        "from task_attempts where task_id = ?", [future.task_id]
    )


def test_a_deadline_ends_retries_and_what_still_waits(shared: Supervisor, gate: Gate, marks: Any):
    retrying = Policy(deadline_s=1.0, retry=Retry(attempts=1000, backoff="constant", min_s=0.05))
    with pytest.raises((TaskTimeoutError, ConnectionError)):
        shared.options(policy=retrying).submit(fail_until, marks.path, 10_000).result(timeout=30)
    assert 1 <= len(marks.lines()) <= 30
    blockers = [shared.submit(wait_for_file, gate.path) for _ in range(4)]
    waiting = shared.options(policy=Policy(deadline_s=0.3)).submit(mark, marks.path, "too late")
    with pytest.raises(TaskTimeoutError, match="deadline_s") as caught:
        waiting.result(timeout=30)
    assert caught.value.what == "deadline_s"
    gate.open()
    for blocker in blockers:
        blocker.result(timeout=30)
    assert shared.submit(double, 1).result(timeout=30) == 2
    assert "too late" not in marks.lines(), "it started after its deadline"


def test_a_fallback_answers_with_the_tasks_own_arguments(shared: Supervisor):
    policy = Policy(retry=Retry(attempts=2, min_s=0.01), fallback=Fallback(describe))
    future = shared.options(policy=policy).submit(missing_key, "x")
    assert (future.result(timeout=30), future.attempts) == ("('x',) []", 3)
    slow = Policy(timeout_s=0.2, retry=ONCE, fallback=Fallback(describe))
    assert shared.options(policy=slow).submit(endless_coroutine).result(timeout=30) == "() []"


# -- nesting and traces ------------------------------------------------------------------------------------------------


def nested_sum(name: str, depth: int) -> int:
    if depth == 0:
        return 1
    inner = Supervisor.connect(name)
    return 1 + sum(future.result(timeout=60) for future in [inner.submit(nested_sum, name, depth - 1) for _ in "ab"])


def test_a_worker_watches_the_raylet_that_started_it(shared: Supervisor):
    names = shared.submit(lambda: [thread.name for thread in threading.enumerate()]).result(timeout=30)
    assert "supervisor-raylet" in names


def test_workers_are_plain_processes_also_under_uv_run_with_ray_imported_first(shared: Supervisor):
    """Ray's hook would upload the folder and start each through uv; here conftest has imported Ray first."""
    assert shared.submit(runtime_env_here).result(timeout=30) == {}


def test_a_full_pool_of_tasks_that_wait_for_others_does_not_deadlock(shared: Supervisor):
    futures = [shared.submit(nested_sum, shared.name, 3) for _ in range(6)]
    assert [future.result(timeout=90) for future in futures] == [15] * 6


def nested_context(name: str) -> dict[str, Any]:
    context = current_task()
    assert context is not None
    future = Supervisor.connect(name).submit(double, 1)
    future.result(timeout=30)
    return {"trace": context.trace_id, "span": context.span_id, "inner": future.task_id, "inner_trace": future.trace_id}


def test_spans_hang_together_from_the_callers_span_to_a_nested_task(shared: Supervisor, eventually: Any):
    with TracerProvider().get_tracer("test").start_as_current_span("outer") as caller:
        future = shared.submit(nested_context, shared.name)
    seen = future.result(timeout=30)
    context = caller.get_span_context()
    assert (future.trace_id, seen["inner_trace"]) == (f"{context.trace_id:032x}",) * 2

    def recorded() -> dict[str, dict[str, Any]]:
        rows = shared.events.query("select * from tasks where trace_id = ?", [future.trace_id])
        return {row["task_id"]: row for row in rows}

    eventually(lambda: len(recorded()) == 2, "both tasks in the log")
    outer, inner = recorded()[future.task_id], recorded()[seen["inner"]]
    assert outer["parent_span_id"] == f"{context.span_id:016x}"
    assert outer["attempt_span_id"] == f"{seen['span']:016x}"
    assert inner["parent_span_id"] == outer["attempt_span_id"]
    spans = shared.events.query("select span_id, parent_span_id from spans where trace_id = ?", [future.trace_id])
    known = {row["span_id"] for row in spans}
    assert len(spans) == 4
    assert [row["parent_span_id"] for row in spans if row["parent_span_id"] not in known] == [f"{context.span_id:016x}"]


def remaining() -> float | None:
    context = current_task()
    assert context is not None
    return context.remaining_s


def nested_remaining(name: str) -> float | None:
    return Supervisor.connect(name).submit(remaining).result(timeout=30)


def test_a_nested_submit_inherits_the_deadline(shared: Supervisor):
    left_s = shared.options(policy=Policy(deadline_s=20)).submit(nested_remaining, shared.name).result(timeout=30)
    assert left_s is not None
    assert 0 < left_s <= 20
    assert shared.submit(nested_remaining, shared.name).result(timeout=30) is None


# -- keys, priorities, cancelling, bounds ------------------------------------------------------------------------------


def my_key() -> str | None:
    context = current_task()
    assert context is not None
    return context.key


def test_a_key_has_one_task_and_the_task_knows_it(shared: Supervisor, marks: Any):
    first = shared.options(key="order-1").submit(mark, marks.path)
    second = shared.options(key="order-1").submit(mark, marks.path)
    assert second is first
    assert first.result(timeout=30) == 1
    assert shared.options(key="order-1").submit(mark, marks.path).result(timeout=30) == 1
    assert shared.options(key="who").submit(my_key).result(timeout=30) == "who"
    assert shared.submit(my_key).result(timeout=30) is None
    assert len(marks.lines()) == 1


def test_a_name_is_what_the_log_and_the_spans_call_the_task(shared: Supervisor, eventually: Any):
    named = shared.options(name="nightly bill").submit(double, 1)
    assert named.result(timeout=30) == 2
    rows = (
        "select name from tasks where task_id = ? union all select name from spans where trace_id = ? and kind = 'task'"
    )
    eventually(lambda: len(shared.events.query(rows, [named.task_id, named.trace_id])) == 2, "its row and its span")
    assert {row["name"] for row in shared.events.query(rows, [named.task_id, named.trace_id])} == {"nightly bill"}


def test_a_key_that_failed_may_be_submitted_again(shared: Supervisor):
    once = Policy(retry=ONCE)
    with pytest.raises(KeyError):
        shared.options(key="again", policy=once).submit(missing_key, "x").result(timeout=30)
    assert shared.options(key="again").submit(double, 3).result(timeout=30) == 6


def test_a_higher_priority_goes_first_and_a_cancelled_task_never_runs(
    start: Any, gate: Gate, marks: Any, eventually: Any
):
    """On one worker, so that the order of the effects is the order of the turns."""
    sup = start(pool={"size": 1, "standbys": 0})
    blocker = sup.submit(mark_then_wait, marks.path, "blocker", gate.path)
    eventually(lambda: marks.lines() == ["blocker"], "the slot taken")
    low = [sup.options(priority=-1).submit(mark, marks.path, "low") for _ in range(10)]
    dropped = [sup.submit(mark, marks.path, "dropped") for _ in range(10)]
    high = [sup.options(priority=9).submit(mark, marks.path, "high") for _ in range(10)]
    assert all(future.cancel() for future in dropped)
    machine = sup._dispatchers["default"]._machine
    eventually(lambda: sum(not each.settled for each in [*machine._waiting]) == 20, "what was sent ahead taken back")
    gate.open()
    for future in (blocker, *low, *high):
        future.result(timeout=30)
    assert marks.lines()[1:] == ["high"] * 10 + ["low"] * 10
    for future in dropped:
        with pytest.raises(CancelledError):
            future.result(timeout=0)


def test_a_full_queue_refuses_or_waits_and_a_closed_handle_says_so(start: Any, gate: Gate):
    sup = start(tasks={"queue_limit": 4})
    blockers = [sup.submit(wait_for_file, gate.path) for _ in range(4)]
    with pytest.raises(QueueFullError, match="4 tasks already wait") as caught:
        sup.submit(double, 1)
    assert caught.value.limit == 4
    waiting: list[Any] = []
    patient = threading.Thread(target=lambda: waiting.append(sup.options(on_full="wait").submit(double, 4)))
    patient.start()
    gate.open()
    patient.join(timeout=30)
    assert waiting[0].result(timeout=30) == 8
    assert [blocker.result(timeout=30) for blocker in blockers] == [gate.path] * 4
    stuck = sup.submit(wait_for_file, f"{gate.path}-never")
    sup.shutdown()
    with pytest.raises(SupervisorClosedError):
        stuck.result(timeout=5)
    with pytest.raises(SupervisorClosedError, match=sup.name):
        sup.submit(double, 1)
    with pytest.raises(SupervisorClosedError, match=sup.name):
        sup.events.query("from tasks")
    with pytest.raises(SupervisorClosedError, match=sup.name):
        sup.status()
