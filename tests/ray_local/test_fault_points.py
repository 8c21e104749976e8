"""Faults in real processes of ours: put by the actor's name, met by whoever calls, counted there, and over in time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError

from actors.runtime.actor_table import actor_rows
from actors.runtime.fault_points import CHILD_CALL, EVENT_LOG_APPEND, SUPERVISOR_CALL, InjectedFaultError
from actors.runtime.ids import ActorName
from supervisor import Policy, Retry, Supervisor
from supervisor.election import actor_by_name
from supervisor.messages import ChildView
from tests.ray_local.child_workload import Cart, SoonCart
from tests.ray_local.conftest import unique_name
from tests.ray_local.workload import EAGER, mark

PATIENCE_S = 60.0
LEASE_S = 60.0
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
        ray.get(self.actor.fault_take.remote(put), timeout=PATIENCE_S)

    def seen(self, fault_id: str) -> int:
        return ray.get(self.actor.fault_seen.remote(), timeout=PATIENCE_S)[fault_id]


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


@pytest.fixture(params=[Cart, SoonCart])
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
    with pytest.raises(ActorDiedError):
        ray.get(process.actor.fault_exit.remote(), timeout=PATIENCE_S)
    assert cart.handle.all.options(retry=EAGER).remote().result(timeout=PATIENCE_S) == []
    assert cart.view.incarnation == before.incarnation + 1


@pytest.mark.parametrize("kind", ["lost_request", "lost_reply"])
def test_every_task_is_answered_when_a_workers_calls_are_lost(
    shared: Supervisor, crew: list[Process], marks: Any, kind: str
):
    faults = [each.put(kind, CHILD_CALL, "worker/*", share=0.5) for each in crew]
    futures = [shared.options(policy=STUBBORN).submit(mark, marks.path, str(n)) for n in range(40)]
    assert all(future.result(timeout=PATIENCE_S) for future in futures)
    assert sum(each.seen(fault) for each, fault in zip(crew, faults, strict=True)) > 0
    effects = Counter(marks.lines())
    assert effects.keys() == {str(n) for n in range(40)}
    if kind == "lost_request":
        assert set(effects.values()) == {1}, "what never arrived has not run"


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
    log = Process(next(str(name) for name in _living(shared) if name.concern == "event_log"))
    leader = Process(shared.status().leader)
    appended = log.put("unavailable", EVENT_LOG_APPEND, "event_log", left_s=1.0)
    wished = leader.put("unavailable", SUPERVISOR_CALL, "supervisor", left_s=1.0)
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (shared.supervise(Cart, name="late"), done.set()), daemon=True)
    waiting.start()
    eventually(lambda: log.seen(appended) > 0 and leader.seen(wished) > 0, "both act")
    assert done.wait(PATIENCE_S), "the wish is granted once the fault is over"
    shared.root.terminate("late")
    assert shared.events.query("select count(*) as n from children where child = 'child/late'")[0]["n"] > 0


def _living(sup: Supervisor) -> list[ActorName]:
    return [row.name for row in actor_rows() if row.state == "ALIVE" and row.name.supervisor == sup.name]
