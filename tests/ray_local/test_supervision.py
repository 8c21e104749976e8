"""Supervision on a real Ray: processes are killed and stopped for real, and what was promised of it is looked at."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
import ray

import supervisor.creating
from actors.event_log.offline import query_file
from actors.runtime.ids import NAMESPACE
from actors.runtime.node import board_path
from actors.runtime.shell import as_actor
from supervisor import (
    Policy,
    RestartIntensityError,
    Retry,
    Supervisor,
    SupervisorExistsError,
    SupervisorNotFoundError,
)
from supervisor.actor import SupervisorActor
from supervisor.election import find_leader, inventory
from supervisor.leading import GROUPS
from supervisor.link import wait_until
from supervisor.version import package_version

STEADFAST = Policy(retry=Retry(attempts=20))


def square(number: int) -> int:
    return number * number


def slow_square(number: int) -> int:
    time.sleep(0.002)
    return number * number


def pid_of_worker(seconds: float = 0.0) -> int:
    time.sleep(seconds)
    return os.getpid()


def stop_first_runner(path: str) -> int:
    """The first run stops its own process as SIGSTOP from outside would; later ones answer."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    os.close(descriptor)
    with open(path, encoding="utf-8") as file:
        if len(file.readlines()) == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
            threading.Event().wait()  # the kernel stops this thread only when another one has taken the signal
    return os.getpid()


def hold_the_interpreter(times: int) -> int:
    """One C call that never lets another Python thread run."""
    return sum(range(times))


def incarnation_of(name: str) -> int:
    return int(name.rpartition("#")[2])


# -- workers -----------------------------------------------------------------------------------------------------------


def test_a_supervisor_of_another_version_is_told_with_both(sup: Supervisor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("supervisor.starting.package_version", lambda: "99.0")
    with pytest.raises(SupervisorNotFoundError, match=rf"runs ray-supervisor {package_version()}, this process 99\.0"):
        Supervisor.connect(sup.name)


def test_a_killed_worker_has_a_successor_and_a_standby_steps_in(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "three workers")
    before = {key: family.child(key) for key in family.workers()}
    victim = next(child for child in before.values() if child.role == "active")
    heir = next(child for child in before.values() if child.role == "standby")
    family.signal(victim.key)
    eventually(lambda: family.child(heir.key).role == "active", "the standby's promotion")
    eventually(lambda: family.restored(after={"": victim.location.process.pid}), "a successor")
    after = family.child(victim.key)
    assert incarnation_of(after.name) == incarnation_of(victim.name) + 1
    assert (after.role, after.restarts) == ("standby", 1)
    rows = sup.events.query("select child, from_incarnation as f, to_incarnation as t, exit_class as c from restarts")
    assert rows == [{"child": victim.key, "f": 1, "t": 2, "c": "killed"}]


def test_a_stopped_worker_is_fenced_killed_and_its_task_answered_elsewhere(
    sup: Supervisor, family: Any, marks: Any, eventually: Any, is_alive: Any
):
    future = sup.options(policy=STEADFAST).submit(stop_first_runner, marks.path)
    others = [sup.submit(square, n) for n in range(200)]
    answered_by = future.result(timeout=30)
    stopped = int(marks.lines()[0])
    assert answered_by != stopped
    assert [other.result(timeout=30) for other in others] == [n * n for n in range(200)]
    eventually(lambda: not is_alive(stopped), "the end of the stopped process")
    eventually(family.restored, "a successor")
    ends = "select exit_class as c, count(*) as n from restarts group by all"
    eventually(lambda: sup.events.query(ends) == [{"c": "hung", "n": 1}], "a row of its end")
    assert stopped not in family.workers().values()


@pytest.mark.parametrize("burn", ["sum", pytest.param("regex", marks=pytest.mark.soak)])
def test_a_worker_that_holds_its_interpreter_is_not_taken_for_hung(
    sup: Supervisor, family: Any, burn: str, eventually: Any
):
    eventually(family.restored, "three workers")
    before = family.workers()
    if burn == "sum":
        future = sup.options(policy=STEADFAST).submit(hold_the_interpreter, 150_000_000)
    else:
        future = sup.options(policy=STEADFAST).submit(re.match, r"(a+)+$", "a" * 27 + "b")
    began = time.monotonic()
    future.result(timeout=100)
    assert time.monotonic() - began > 1.0, "it was over before its silence could be noticed"
    assert future.attempts == 1
    assert sup.events.query("from restarts") == []
    assert family.workers() == before


# -- the supervisor itself ---------------------------------------------------------------------------------------------


def test_a_killed_supervisor_is_succeeded_and_its_children_live_on(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "everything")
    before = family.pids()
    first = [sup.submit(slow_square, n) for n in range(200)]
    os.kill(family.leader_pid(), signal.SIGKILL)
    meanwhile = [sup.submit(slow_square, n) for n in range(200)]
    assert [future.result(timeout=30) for future in (*first, *meanwhile)] == [n * n for n in range(200)] * 2
    eventually(lambda: sup.status().incarnation > 1, "the next incarnation")
    eventually(family.restored, "the adoption of all children")
    assert family.pids() == before
    assert sup.events.query("from restarts") == []
    found = find_leader(sup.name)
    assert found is not None
    assert found[0] == sup.status().incarnation
    assert all(future.attempts == 1 for future in (*first, *meanwhile))


def test_supervisor_and_worker_killed_together(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "everything")
    before = family.pids()
    victim = next(key for key in family.workers() if family.child(key).role == "active")
    futures = [sup.options(policy=STEADFAST).submit(slow_square, n) for n in range(300)]
    os.kill(family.leader_pid(), signal.SIGKILL)
    os.kill(before[victim], signal.SIGKILL)
    assert [future.result(timeout=30) for future in futures] == [n * n for n in range(300)]
    eventually(lambda: sup.status().incarnation > 1, "the next incarnation")
    eventually(lambda: family.restored(after={"": before[victim]}), "a successor of the worker")
    after = family.pids()
    assert {key: pid for key, pid in after.items() if key != victim} == {
        key: pid for key, pid in before.items() if key != victim
    }
    ends = "select from_incarnation, to_incarnation from restarts where child = ?"
    eventually(lambda: sup.events.query(ends, [victim]) != [], "a row for the restart that no leader saw")
    assert sup.events.query(ends, [victim]) == [{"from_incarnation": 1, "to_incarnation": 2}]
    assert family.child(victim).restarts == 1


@pytest.mark.soak  # `test_leader_failover.py` kills leaders one after the other by default
def test_a_supervisor_killed_again_and_again(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "everything")
    before = family.pids()
    for _ in range(4):
        futures = [sup.submit(square, n) for n in range(100)]
        incarnation = sup.status().incarnation
        os.kill(family.leader_pid(), signal.SIGKILL)
        eventually(lambda n=incarnation: sup.status().incarnation > n, "the next incarnation")
        assert [future.result(timeout=30) for future in futures] == [n * n for n in range(100)]
        eventually(family.restored, "the adoption of all children")
    assert family.pids() == before


# -- the services ------------------------------------------------------------------------------------------------------


def test_a_killed_node_agent_is_replaced_and_the_board_goes_on(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "everything")
    agent = next(key for key in family.pids() if key.startswith("node_agent/"))
    pid = family.signal(agent)
    assert [sup.submit(square, n).result(timeout=30) for n in range(100)] == [n * n for n in range(100)]
    eventually(lambda: family.restored(after={"": pid}), "the agent's successor")
    victim = next(key for key in family.workers())
    killed = family.signal(victim)
    eventually(lambda: family.restored(after={"": killed}), "news that came by the board")
    other = Supervisor.connect(sup.name)
    eventually(other._link._open_boards, "a fresh reader of the board")
    other.close()


@pytest.mark.soak  # `test_event_log_actor.py` kills one in the middle by default
def test_a_log_writer_killed_in_the_middle_loses_and_doubles_no_row(sup: Supervisor, family: Any, eventually: Any):
    eventually(family.restored, "everything")
    over = threading.Event()
    killed: list[int] = []

    def hail() -> None:
        while not over.is_set():
            with suppress(StopIteration, AssertionError, ProcessLookupError):
                pid = family.pid("event_log/writer")
                if pid not in killed and family.child("event_log/writer").status == "running":
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            over.wait(0.5)

    killer = threading.Thread(target=hail)
    killer.start()
    try:
        futures = [sup.submit(slow_square, n) for n in range(5000)]
        assert [future.result(timeout=60) for future in futures] == [n * n for n in range(5000)]
        assert wait_until(lambda: len(killed) >= 2, 30), "too few kills"
    finally:
        over.set()
        killer.join()
    eventually(family.restored, "the writer's successor")
    rows = sup.events.query("select count(*) as n, count(distinct task_id) as d, max(state) as s from tasks")
    assert rows == [{"n": 5000, "d": 5000, "s": "done"}]
    assert sup.status().log.dropped_rows == 0


# -- several, taken, failing, gone -------------------------------------------------------------------------------------


@pytest.mark.soak  # `test_reaping.py` has two side by side by default
def test_two_supervisors_side_by_side_do_not_touch_each_other(start: Any, family_of: Any, eventually: Any):
    one, two = start(pool={"standbys": 0}), start(pool={"standbys": 0})
    eventually(family_of(one).restored, "all of the first")
    eventually(family_of(two).restored, "all of the second")
    other = family_of(two).pids()
    os.kill(family_of(one).leader_pid(), signal.SIGKILL)
    family_of(one).signal(next(iter(family_of(one).workers())))
    assert [future.result(timeout=30) for future in [one.submit(square, n) for n in range(50)]]
    assert two.submit(square, 5).result(timeout=30) == 25
    eventually(lambda: one.status().incarnation > 1, "the next incarnation")
    one.shutdown()
    assert (two.status().incarnation, family_of(two).pids()) == (1, other)
    assert two.submit(square, 6).result(timeout=30) == 36
    assert two.events.query("select distinct split_part(worker, '/', 1) as s from tasks") == [{"s": two.name}]


def test_a_taken_name_is_refused_and_an_unknown_one_not_found(sup: Supervisor, start: Any):
    with pytest.raises(SupervisorExistsError, match=rf"{sup.name}/supervisor/root#1"):
        start(name=sup.name)
    assert sup.submit(square, 2).result(timeout=30) == 4
    with pytest.raises(SupervisorNotFoundError, match=rf"running there: .*{sup.name}"):
        Supervisor.connect("nobody")


def with_broken_workers(reason: str) -> Any:
    """A supervisor's actor class whose workers raise in their constructor; local classes travel by value."""

    class BrokenWorker:
        def __init__(self, *_: object) -> None:
            raise ModuleNotFoundError(reason)

        def describe(self, *_: object) -> None: ...

    class OfBrokenWorkers(SupervisorActor):
        def __init__(self, *args: Any, **more: Any) -> None:
            supervisor.creating.worker_actor = lambda: ray.remote(BrokenWorker)
            super().__init__(*args, **more)

    return lambda: as_actor(OfBrokenWorkers, extra_groups=GROUPS)


def test_workers_that_die_at_their_start_are_given_up_with_the_reason(
    start: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any
):
    monkeypatch.setattr("supervisor.actor.supervisor_actor", with_broken_workers("No module named 'torch'"))
    name = "doomed"
    with pytest.raises(RestartIntensityError, match=r"pool default.*No module named 'torch'"):
        start(name=name, pool={"intensity": 2})
    assert find_leader(name) is None
    eventually(lambda: not [actor for actor in inventory(name) if actor.alive], "the end of every actor")


def test_nothing_is_left_after_shutdown(start: Any, family_of: Any, eventually: Any, is_alive: Any):
    sup = start()
    family = family_of(sup)
    eventually(family.restored, "everything")
    pids = [*family.pids().values(), family.leader_pid()]
    board = board_path(sup.name)
    assert board.exists()
    keys = {child.key for child in sup.status().tree}
    sup.shutdown()
    eventually(lambda: not any(map(is_alive, pids)), "the end of every process")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")
    told = query_file(sup.config.log.path, "select child from children where event = 'stopped'")
    # Its own end is the one thing that the log cannot hear of: a life is written down as stopped when it is over.
    assert {row["child"] for row in told} == keys - {"event_log/writer"}
    assert find_leader(sup.name) is None
    assert not board.exists()
    with pytest.raises(SupervisorNotFoundError):
        Supervisor.connect(sup.name)
    named: Any = ray.util.list_named_actors(all_namespaces=True)
    assert not [entry for entry in named if entry["namespace"] == NAMESPACE and entry["name"].startswith(sup.name)]


def test_shutdown_while_tasks_run_and_children_hang_is_bounded(
    start: Any, family_of: Any, eventually: Any, is_alive: Any
):
    sup = start(pool={"shutdown_s": 1.0})
    family = family_of(sup)
    eventually(family.restored, "everything")
    pids = [*family.pids().values(), family.leader_pid()]
    running = [sup.submit(pid_of_worker, 60.0) for _ in range(2)]
    os.kill(next(iter(family.workers().values())), signal.SIGSTOP)
    sup.shutdown()
    assert all(future.done() for future in running)
    eventually(lambda: not any(map(is_alive, pids)), "the end of every process")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")


def test_shutdown_gets_past_a_hung_leader(start: Any, family_of: Any, eventually: Any, is_alive: Any):
    sup = start()
    family = family_of(sup)
    eventually(family.restored, "everything")
    pids = [*family.pids().values(), family.leader_pid()]
    os.kill(family.leader_pid(), signal.SIGSTOP)
    sup.shutdown()
    eventually(lambda: not any(map(is_alive, pids)), "the end of every process")
    eventually(lambda: family.living_actors() == [], "their end in Ray's table, which learns of it later")


def test_a_worker_that_hangs_while_nobody_leads_is_found_by_the_next_leader(
    sup: Supervisor, family: Any, eventually: Any, is_alive: Any
):
    """Its place comes from Ray's table and the board: the next leader never had an answer of it."""
    eventually(family.restored, "everything")
    before = family.workers()
    victim = family.signal("worker/default-0", signal.SIGSTOP)
    os.kill(family.leader_pid(), signal.SIGKILL)
    eventually(lambda: not is_alive(victim), "the hung worker's end")
    eventually(lambda: family.restored(after={"worker/default-0": victim}), "its successor")
    kept = {key: pid for key, pid in before.items() if pid != victim}
    assert kept.items() <= family.workers().items()
