"""Faults in real processes of ours: put by the actor's name, met by whoever calls, counted there, and over in time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from actors.runtime.actor_table import actor_rows
from actors.runtime.fault_control import fault_put, fault_take
from actors.runtime.fault_points import (
    BREAKER_REPORT,
    CHILD_CALL,
    CLOCK,
    EVENT_LOG_APPEND,
    SERVICE_CALL,
    SUPERVISOR_CALL,
    InjectedFaultError,
)
from actors.runtime.ids import ActorName
from supervisor import BreakerSettings, CircuitOpenError, Policy, Retry, Supervisor, TaskTimeoutError
from supervisor.election import actor_by_name
from supervisor.link import wait_until
from supervisor.messages import ChildView
from tests.ray_local.child_workload import Cart, SoonCart
from tests.ray_local.conftest import unique_name
from tests.ray_local.workload import EAGER, endless, mark

PATIENCE_S = 60.0
LEASE_S = 60.0
HOUR_S = 3_600.0
STUBBORN = Policy(retry=Retry(attempts=50, min_s=0.001, max_s=0.05))


class Process:
    """One actor's process, and the faults that a test puts there."""

    def __init__(self, name: str) -> None:
        self.actor: Any = actor_by_name(name)
        assert self.actor is not None, name
        self._put: list[str] = []

    def put(self, kind: str, point: str, subject: str, *, left_s: float = LEASE_S, **how: Any) -> str:
        fault_id = f"{unique_name()}-{kind}"
        order = {"fault_id": fault_id, "run": "r", "point": point, "subject": subject, "kind": kind, "left_s": left_s}
        assert ray.get(self.actor.fault_put.remote([{**order, **how}]), timeout=PATIENCE_S) == [fault_id]
        self._put.append(fault_id)
        return fault_id

    def take(self) -> None:
        put, self._put = self._put, []
        assert wait_until(lambda: self._took(put), PATIENCE_S), f"{self.actor} is neither dead nor there"

    def _took(self, put: list[str]) -> bool:
        try:
            ray.get(self.actor.fault_take.remote(put), timeout=PATIENCE_S)
        except ActorDiedError:  # and what was put there with it
            return True
        except ActorUnavailableError:  # no death yet: a worker that is ended with its task may be on its way to it
            return False
        return True

    def seen(self, fault_id: str) -> int:
        seen: dict[str, int] = ray.get(self.actor.fault_seen.remote(), timeout=PATIENCE_S)
        return seen[fault_id]


@dataclass(frozen=True)
class Child:
    """A child of this test's own."""

    sup: Supervisor
    key: str
    handle: Any

    @property
    def view(self) -> ChildView:
        return next(child for child in self.sup.status().tree if child.key == self.key)

    @property
    def process(self) -> Process:
        return Process(self.view.host or self.view.name)


@pytest.fixture(params=[Cart, pytest.param(SoonCart, marks=pytest.mark.soak)])
def cart(request: Any, shared: Supervisor) -> Iterator[Child]:
    name = unique_name()
    yield Child(shared, f"child/{name}", shared.supervise(request.param, name=name))
    shared.root.terminate(name)
    shared.root.delete(name)


@pytest.fixture
def crew(shared: Supervisor) -> Iterator[list[Process]]:
    """The processes of the pool; what is put there is taken away."""
    names = [child.name for child in shared.status().tree if child.key.startswith("worker/")]
    made = [Process(name) for name in names]
    yield made
    for each in made:
        each.take()


def test_a_child_out_of_reach_is_asked_again_and_its_effects_are_once(cart: Child, eventually: Any):
    assert cart.handle.add.remote(0).result(timeout=PATIENCE_S) == 1
    process = cart.process
    for number, kind in enumerate(("unavailable", "lost_request", "lost_reply"), start=1):
        fault = process.put(kind, CHILD_CALL, cart.key)
        answer = cart.handle.add.remote(number)
        eventually(lambda fault=fault: process.seen(fault) > 1, f"{kind} acts, and the call is made again")
        assert not answer.done()
        process.take()
        assert answer.result(timeout=PATIENCE_S) == number + 1
    assert cart.handle.all.remote().result(timeout=PATIENCE_S) == [0, 1, 2, 3]


def test_a_childs_call_fails_hangs_and_goes_on_and_its_process_ends(cart: Child, eventually: Any):
    before, process = cart.view, cart.process
    process.put("error", CHILD_CALL, cart.key, error="builtins:ConnectionError", message="no route")
    with pytest.raises(ConnectionError, match="no route"):
        cart.handle.add.options(retry=Retry(attempts=1)).remote(1).result(timeout=PATIENCE_S)
    process.take()
    hang = process.put("hang", CHILD_CALL, cart.key)
    hung = cart.handle.add.remote(2)
    eventually(lambda: process.seen(hang) == 1, "it hangs, and its process still answers us")
    assert not hung.done()
    process.take()
    assert hung.result(timeout=PATIENCE_S) == 1
    with pytest.raises((ActorDiedError, ActorUnavailableError)):
        ray.get(process.actor.fault_exit.remote(), timeout=PATIENCE_S)
    assert cart.handle.all.options(retry=EAGER).remote().result(timeout=PATIENCE_S) == []
    assert cart.view.incarnation == before.incarnation + 1


@pytest.mark.parametrize("kind", ["lost_request", "lost_reply"])
def test_every_task_is_answered_when_a_workers_calls_are_lost(
    shared: Supervisor, crew: list[Process], marks: Any, eventually: Any, kind: str
):
    faults = [each.put(kind, CHILD_CALL, "worker/*", share=0.5) for each in crew]
    asked: set[str] = set()

    def a_call_was_lost() -> bool:
        """Whether one was, after forty more tasks: they may travel in so few calls that a share of half spares all."""
        wave = {str(len(asked) + n) for n in range(40)}
        asked.update(wave)
        futures = [shared.options(policy=STUBBORN).submit(mark, marks.path, each) for each in wave]
        assert all(future.result(timeout=PATIENCE_S) for future in futures)
        return any(each.seen(fault) for each, fault in zip(crew, faults, strict=True))

    eventually(a_call_was_lost, "a call is lost")
    assert set(marks.lines()) == asked


def test_tasks_fail_and_are_tried_again(shared: Supervisor, crew: list[Process]):
    for each in crew:
        each.put("error", CHILD_CALL, "worker/*", share=0.3)
    futures = [shared.options(policy=STUBBORN).submit(pow, 2, n) for n in range(40)]
    assert [future.result(timeout=PATIENCE_S) for future in futures] == [2**n for n in range(40)]
    for each in crew:
        each.take()
        each.put("error", CHILD_CALL, "worker/*", message="just so")
    with pytest.raises(InjectedFaultError, match="just so"):
        shared.options(policy=Policy(retry=Retry(attempts=1))).submit(pow, 2, 2).result(timeout=PATIENCE_S)


def test_every_actor_of_ours_answers(shared: Supervisor, eventually: Any):
    shared.supervise(SoonCart, name="answering")
    shared.breaker("payments").call(pow, 2, 2)
    wanted = {"supervisor", "event_log", "worker", "child", "node_agent", "breaker"}
    eventually(lambda: wanted <= {name.concern for name in _living(shared)}, "one of each is there")
    handles = [handle for name in _living(shared) if (handle := actor_by_name(name)) is not None]
    asked = [handle.fault_seen.remote() for handle in handles]
    assert all(isinstance(seen, dict) for seen in ray.get(asked, timeout=PATIENCE_S))


def test_a_fault_is_over_at_its_end_and_the_log_and_the_leader_are_asked_again(shared: Supervisor, eventually: Any):
    log = Process(_one(shared, "event_log"))
    leader = Process(shared.status().leader)
    appended = log.put("unavailable", EVENT_LOG_APPEND, "event_log", left_s=5.0)
    assert shared.submit(pow, 2, 3).result(timeout=PATIENCE_S) == 8  # the wish writes no row before it is granted
    wished = leader.put("unavailable", SUPERVISOR_CALL, "supervisor", left_s=5.0)
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (shared.supervise(Cart, name="late"), done.set()), daemon=True)
    waiting.start()
    eventually(lambda: log.seen(appended) > 0 and leader.seen(wished) > 0, "both act")
    assert done.wait(PATIENCE_S), "the wish is granted once the fault is over"
    shared.root.terminate("late")
    rows = "select count(*) as n from children where child = 'child/late'"
    eventually(lambda: shared.events.query(rows)[0]["n"] > 0, "its rows, which are sent again")


@pytest.mark.soak  # it starts a service and waits for its owner
def test_a_service_is_asked_again_and_a_breakers_owner_hears_what_comes_later(shared: Supervisor, eventually: Any):
    shared.degradation.feature("search", lowest="reduced")
    service = Process(_one(shared, "degradation"))
    lost = service.put("lost_reply", SERVICE_CALL, "degradation", left_s=0.5)
    shared.degradation.set_level("minimal", reason="a drill")
    assert service.seen(lost) >= 1
    assert not shared.degradation.enabled("search")
    billing = shared.breaker("billing", BreakerSettings(window_calls=4, minimum_calls=2, open_s=1.0))
    assert billing.call(pow, 2, 2) == 4
    eventually(lambda: any(name.key == "breaker/billing" for name in _living(shared)), "it has an owner")
    owner = Process(next(str(name) for name in _living(shared) if name.key == "breaker/billing"))
    refused = owner.put("unavailable", BREAKER_REPORT, "breaker/billing", left_s=2.0)

    def is_open_after_another_failure() -> bool:
        with pytest.raises((ZeroDivisionError, CircuitOpenError)):
            billing.call(divmod, 1, 0)
        return shared.status().breakers.get("billing") == "open"

    assert not any(is_open_after_another_failure() for _ in range(4))
    eventually(lambda: owner.seen(refused) >= 1, "what it is told does not arrive, and is gone")
    eventually(is_open_after_another_failure, "what it is told afterwards does, and it opens")


def test_a_wall_clock_that_is_an_hour_off_breaks_no_promise(shared: Supervisor, eventually: Any):
    """Everywhere: here, in the leader, in the log, in children and workers; the rows tell that it was."""
    cart = shared.supervise(Cart, name="skewed")
    assert cart.add.remote(0).result(timeout=PATIENCE_S) == 1
    lives = _lives(shared)
    processes = [Process(str(name)) for name in _living(shared)]
    skew = {"run": "r", "point": CLOCK, "subject": "clock", "kind": "skew", "left_s": LEASE_S, "skew_s": HOUR_S}
    here = fault_put([{"fault_id": "here", **skew}])
    try:
        for process in processes:
            process.put("skew", CLOCK, "clock", skew_s=HOUR_S)
        quick = Policy(timeout_s=0.3, retry=Retry(attempts=1))
        with pytest.raises(TaskTimeoutError):
            shared.options(policy=quick).submit(endless).result(timeout=PATIENCE_S)
        assert shared.submit(pow, 2, 3).result(timeout=PATIENCE_S) == 8
        assert cart.add.remote(1).result(timeout=PATIENCE_S) == 2
    finally:
        fault_take(here)
        for process in processes:
            process.take()
    assert _lives(shared) == lives, "nobody was taken for dead"
    ahead = "select count(*) as n from tasks where submitted_at > now() + interval 30 minute"
    eventually(lambda: shared.events.query(ahead)[0]["n"] >= 2, "the rows say so")
    shared.root.terminate("skewed")


def _one(sup: Supervisor, concern: str) -> str:
    return next(str(name) for name in _living(sup) if name.concern == concern)


def _living(sup: Supervisor) -> list[ActorName]:
    return [row.name for row in actor_rows() if row.state == "ALIVE" and row.name.supervisor == sup.name]


def _lives(sup: Supervisor) -> dict[str, int]:
    """Everybody's incarnation; workers are left out, whom their tasks' timeouts may cost their lives."""
    return {child.key: child.incarnation for child in sup.status().tree if not child.key.startswith("worker/")}
