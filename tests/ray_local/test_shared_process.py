"""Children that share a process on a real Ray: what ends one of them, and what ends the process with all in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import ray

from supervisor import AdministrationError, ChildExitedError, ChildStartError, Group, Supervisor
from supervisor.census import look_around
from tests.ray_local import wards
from tests.ray_local.conftest import StartSupervisor

ANSWER_S = 30.0
BEAT: Any = {"heartbeat_s": 0.3, "hang_timeout_s": 1.5}
SHARED: Any = {"share_process": True, **BEAT}

Eventually = Callable[..., None]


@pytest.fixture
def group(shared: Supervisor) -> Any:
    """A group of this test's own with the settings that a user gets who says nothing."""
    name = f"g{uuid4().hex[:8]}"
    made = shared.group(name)
    yield made
    shared.root.terminate(name)
    shared.root.delete(name)


def pid(child: Any) -> int:
    return int(child.pid.remote().result(timeout=ANSWER_S))


def view(sup: Supervisor, key: str) -> Any:
    return next(child for child in sup.status().tree if child.key == key)


def sibling_of(group: Group) -> tuple[Any, int]:
    """Another child of the same process, which has counted to 1."""
    made: Any = group.supervise(wards.Ward, name="sibling", **SHARED)
    assert made.add.remote().result(timeout=ANSWER_S) == 1
    return made, pid(made)


def assert_untouched(sibling: tuple[Any, int]) -> None:
    child, process = sibling
    assert (pid(child), child.seen.remote().result(timeout=ANSWER_S)) == (process, 1), "the same object, not a new one"


# -- what ends one alone ----------------------------------------------------------------------------------------------


def test_a_failed_constructor_an_ignored_child_and_a_late_start_end_nobody_else(group: Group, tmp_path: Path):
    sibling = sibling_of(group)
    with pytest.raises(ChildStartError, match="no such luck"):
        group.supervise(wards.Doomed, name="doomed", args=(str(tmp_path / "never"),), **SHARED)
    assert_untouched(sibling)
    group.supervise(wards.Idle, name="idle", **SHARED)
    assert_untouched(sibling)
    with pytest.raises(ChildStartError, match="did not answer within"):
        group.supervise(wards.Waiting, name="late", args=(str(tmp_path / "gate"),), start_timeout_s=1.0, **SHARED)
    assert_untouched(sibling)
    another: Any = group.supervise(wards.Ward, name="another", **SHARED)
    assert pid(another) == sibling[1], "who still waits in its constructor holds nobody else's start up"
    (tmp_path / "gate").touch()


@pytest.mark.soak  # `unit/supervision/test_matrix_shared.py` has it in virtual time
def test_a_restart_loop_ends_nobody_else(shared: Supervisor, eventually: Eventually, tmp_path: Path):
    group = shared.group(f"g{uuid4().hex[:8]}", intensity=1000, period_s=60)
    luck = tmp_path / "luck"
    luck.touch()
    sibling = sibling_of(group)
    doomed: Any = group.supervise(wards.DoomedWard, name="doomed", args=(str(luck),), **SHARED)
    luck.unlink()
    with pytest.raises(ChildExitedError):
        doomed.leave.remote(3).result(timeout=ANSWER_S)
    key = f"child/{group.path}.doomed"
    eventually(lambda: view(shared, key).restarts >= 3, "restarts that fail")
    assert_untouched(sibling)
    luck.touch()
    assert pid(doomed) == sibling[1]
    shared.root.terminate(group.path)
    shared.root.delete(group.path)


def test_an_unhealthy_child_is_replaced_alone(shared: Supervisor, group: Group, eventually: Eventually):
    sibling = sibling_of(group)
    sickly: Any = group.supervise(wards.Sickly, name="sickly", **SHARED)
    sickly.sicken.remote().result(timeout=ANSWER_S)
    eventually(lambda: view(shared, f"child/{group.path}.sickly").incarnation == 2, "its next life")
    assert pid(sickly) == sibling[1]
    assert_untouched(sibling)


@pytest.mark.parametrize("shutdown_s", [0.5, pytest.param("brutal_kill", marks=pytest.mark.soak)])
def test_a_child_that_does_not_stop_is_cut_off_and_the_others_live_on(group: Group, tmp_path: Path, shutdown_s: Any):
    sibling = sibling_of(group)
    naughty: Any = group.supervise(
        wards.Stubborn, name="naughty", args=(str(tmp_path / "mark"), 600.0), shutdown_s=shutdown_s, **SHARED
    )
    group.terminate("naughty")
    assert group.count().active == 1
    assert_untouched(sibling)
    group.restart("naughty")
    assert naughty.add.remote().result(timeout=ANSWER_S) == 1, "a new object"
    assert_untouched(sibling)


def test_one_is_terminated_restarted_and_deleted_while_the_others_live(group: Group):
    sibling = sibling_of(group)
    child: Any = group.supervise(wards.Ward, name="child", **SHARED)
    child.add.remote(5).result(timeout=ANSWER_S)
    group.terminate("child")
    group.restart("child")
    assert (child.add.remote().result(timeout=ANSWER_S), pid(child)) == (1, sibling[1])
    group.terminate("child")
    group.delete("child")
    assert_untouched(sibling)
    again: Any = group.supervise(wards.Ward, name="child", **SHARED)
    assert again.add.remote().result(timeout=ANSWER_S) == 1


def test_standbys_cannot_share_a_process(group: Group):
    group.supervise(wards.Ward, name="child", **SHARED)
    with pytest.raises(AdministrationError, match="process") as caught:
        group.resize("child", standbys=1)
    assert caught.value.problem == "shares_process"


def test_one_process_is_on_one_node(group: Group):
    sibling = sibling_of(group)
    node: str = ray.nodes()[0]["NodeID"]
    with pytest.raises(AdministrationError, match=f"on node any, not {node}") as caught:
        group.supervise(wards.Ward, name="child", node=node, **SHARED)
    assert caught.value.problem == "shares_elsewhere"
    assert_untouched(sibling)


# -- what ends the process --------------------------------------------------------------------------------------------


def test_one_death_of_the_process_is_one_restart(shared: Supervisor, group: Group, eventually: Eventually):
    children: list[Any] = [group.supervise(wards.Ward, name=name, **SHARED) for name in ("one", "two", "three")]
    before = pid(children[0])
    os.kill(before, signal.SIGKILL)
    after = {pid(child) for child in children}
    assert (len(after), before in after) == (1, False), "together again, in a new process"
    assert group.status().status == "running"
    assert {view(shared, f"child/{group.path}.{name}").restarts for name in ("one", "two", "three")} == {1}


def test_a_hung_process_is_replaced_once(shared: Supervisor, group: Group, is_alive: Any, eventually: Eventually):
    children: list[Any] = [group.supervise(wards.Ward, name=name, **SHARED) for name in ("one", "two")]
    before = pid(children[0])
    os.kill(before, signal.SIGSTOP)
    assert before not in {pid(child) for child in children}
    eventually(lambda: not is_alive(before), "the end of the hung process")
    assert group.status().status == "running"


def test_a_death_with_a_call_that_never_ends(group: Group, tmp_path: Path):
    sibling = sibling_of(group)
    stuck: Any = group.supervise(wards.Waiter, name="stuck", **SHARED)
    waiting = stuck.wait_for.remote(str(tmp_path / "gate"))
    os.kill(sibling[1], signal.SIGKILL)
    assert pid(sibling[0]) != sibling[1]
    (tmp_path / "gate").touch()
    assert waiting.result(timeout=ANSWER_S) == pid(sibling[0]), "it ran again, in the new process"


@pytest.mark.parametrize("checkpoint", ["each_call", pytest.param(0.1, marks=pytest.mark.soak)])
def test_their_states_outlive_the_process(group: Group, eventually: Eventually, checkpoint: Any):
    children: list[Any] = [
        group.supervise(wards.Saving, name=name, checkpoint=checkpoint, **SHARED) for name in ("one", "two")
    ]
    for number, child in enumerate(children, 5):
        child.add.remote(number).result(timeout=ANSWER_S)
    if checkpoint != "each_call":
        saved = [child.saved.remote().result(timeout=ANSWER_S) for child in children]
        eventually(
            lambda: all(
                child.saved.remote().result(timeout=ANSWER_S) > before + 2
                for child, before in zip(children, saved, strict=True)
            ),
            "a checkpoint after the call",
        )
    os.kill(pid(children[0]), signal.SIGKILL)
    assert [child.seen.remote().result(timeout=ANSWER_S) for child in children] == [5, 6]


def test_the_last_one_to_leave_is_heard_and_its_process_ends(
    shared: Supervisor, group: Group, is_alive: Any, eventually: Eventually
):
    child: Any = group.supervise(wards.Ward, name="child", restart="transient", **SHARED)
    process = pid(child)
    with pytest.raises(ChildExitedError):
        child.leave.remote(0).result(timeout=ANSWER_S)
    eventually(lambda: not is_alive(process), "the end of a process in which nobody lives")
    assert view(shared, f"child/{group.path}.child").status == "stopped"


def test_a_process_in_which_nobody_lives_ends_and_is_not_listed(
    shared: Supervisor, group: Group, is_alive: Any, eventually: Eventually
):
    children: list[Any] = [group.supervise(wards.Saving, name=name, checkpoint=60.0, **SHARED) for name in "ab"]
    process = pid(children[0])
    children[0].add.remote(7).result(timeout=ANSWER_S)
    for name in "ab":
        group.terminate(name)
    eventually(lambda: not is_alive(process), "the end of a process in which nobody lives")
    eventually(lambda: all(each.standing == "owned" for each in look_around(supervisor=shared.name)), "no leftovers")
    group.restart("a")
    assert pid(children[0]) != process
    assert children[0].seen.remote().result(timeout=ANSWER_S) == 7, "its last words were waited for"


# -- a new leader -----------------------------------------------------------------------------------------------------


@pytest.mark.soak  # in virtual time by default
def test_a_new_leader_adopts_who_lives_in_a_process_that_does_not_answer(
    start: StartSupervisor, family_of: Any, eventually: Eventually
):
    sup = start(standby=False)
    group = sup.group("g")
    slow: Any = {"share_process": True, "heartbeat_s": 1.0, "hang_timeout_s": 60.0}
    children: list[Any] = [group.supervise(wards.Ward, name=name, **slow) for name in ("one", "two")]
    before = pid(children[0])
    children[1].add.remote().result(timeout=ANSWER_S)
    family = family_of(sup)
    leader = sup.status().leader
    os.kill(before, signal.SIGSTOP)
    try:
        os.kill(family.leader_pid(), signal.SIGKILL)
        eventually(lambda: sup.status().leader != leader, "another leader")
        eventually(lambda: view(sup, "child/g.one").status == "starting", "it is being adopted")
    finally:
        os.kill(before, signal.SIGCONT)
    eventually(family.restored, "all of them adopted")
    assert [pid(child) for child in children] == [before, before]
    assert children[1].seen.remote().result(timeout=ANSWER_S) == 1
    assert {view(sup, f"child/g.{name}").incarnation for name in ("one", "two")} == {1}
