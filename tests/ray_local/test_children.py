"""Supervised children on a real Ray: real kills, stops and failures, by the rules that OTP has for them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from supervisor import (
    AdministrationError,
    ChildChange,
    ChildGoneError,
    ChildStartError,
    ConfigError,
    Group,
    Supervisor,
)
from tests.ray_local import wards

BEAT: Any = {"heartbeat_s": 0.3, "hang_timeout_s": 1.5}
ANSWER_S = 30.0

Eventually = Callable[..., None]


def named(shared: Supervisor, **settings: Any) -> Group:
    return shared.group(f"g{uuid4().hex[:8]}", **settings)


def pid(child: Any) -> int:
    return int(child.pid.remote().result(timeout=ANSWER_S))


def view(sup: Supervisor, key: str) -> Any:
    return next((child for child in sup.status().tree if child.key == key), None)


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


# -- any class --------------------------------------------------------------------------------------------------------


def test_any_class_is_a_child_as_it_is(group: Group):
    ward: Any = group.supervise(wards.Ward, name="plain", args=(5,))
    assert [ward.add.remote(n).result(timeout=ANSWER_S) for n in (1, 2)] == [6, 8]
    assert list(ward.letters.remote("abc")) == ["a", "b", "c"]
    with pytest.raises(KeyError, match="nothing of that name"):
        ward.fail.remote().result(timeout=ANSWER_S)
    with pytest.raises(AttributeError, match="did you mean 'add'"):
        _ = ward.adds
    bound: Any = group.supervise(wards.Ledgered, name="bound")
    assert [bound.put.remote(n).result(timeout=ANSWER_S) for n in (1, 2)] == [1, 3]


async def test_a_class_with_coroutines_lives_on_a_loop(group: Group):
    ward: Any = await asyncio.to_thread(group.supervise, wards.AsyncWard, name="loop", max_concurrency=10)
    assert await asyncio.gather(*(ward.echo.remote(n) for n in range(20))) == list(range(20))
    assert [letter async for letter in ward.letters.remote("ab")] == ["a", "b"]


def test_a_handle_travels_to_tasks_and_other_children(shared: Supervisor, group: Group):
    ward: Any = group.supervise(wards.Ward, name="shared")
    caller: Any = group.supervise(wards.Caller, name="caller", args=(ward,))
    assert caller.ask.remote().result(timeout=ANSWER_S) == 1
    assert shared.submit(wards.ask, ward).result(timeout=ANSWER_S) == 2
    assert shared.child(f"{group.path}.shared").add.remote().result(timeout=ANSWER_S) == 3


# -- starting ---------------------------------------------------------------------------------------------------------


def test_start_error_leaves_no_spec_and_tells_the_cause(group: Group, tmp_path: Path):
    with pytest.raises(ChildStartError, match="no such luck") as caught:
        group.supervise(wards.Doomed, name="doomed", args=(str(tmp_path / "never"),))
    assert isinstance(caught.value.__cause__, ValueError)
    assert group.count().specs == 0


def test_start_ignore_keeps_the_spec_without_a_process(shared: Supervisor, group: Group):
    idle: Any = group.supervise(wards.Idle, name="idle")
    counts = group.count()
    assert (counts.specs, counts.active) == (1, 0)
    assert view(shared, f"child/{group.path}.idle").status == "ignored"
    with pytest.raises(AttributeError):
        _ = idle.anything
    group.supervise(wards.Idle, name="passing", restart="temporary")
    assert group.count().specs == 1, "a temporary one that is ignored is not kept"


def test_faulty_specs_name_every_field_before_anything_starts(group: Group):
    with pytest.raises(ConfigError) as caught:
        group.supervise(wards.Ward, name="no name", restart="sometimes", standbys=-1, checkpoint="often")  # pyright: ignore[reportArgumentType]
    told = str(caught.value)
    assert all(field in told for field in ("name", "restart", "standbys", "checkpoint"))
    assert group.count().specs == 0


def test_administration_errors_are_clear(group: Group):
    group.supervise(wards.Ward, name="ward")
    problems: list[str] = []
    for refused in (
        lambda: group.supervise(wards.Ward, name="ward"),
        lambda: group.restart("ward"),
        lambda: group.delete("ward"),
        lambda: group.terminate("nobody"),
    ):
        with pytest.raises(AdministrationError) as caught:
            refused()
        problems.append(caught.value.problem)
    assert problems == ["already_started", "running", "running", "not_found"]
    group.terminate("ward")
    with pytest.raises(AdministrationError, match="already present"):
        group.supervise(wards.Ward, name="ward")
    group.restart("ward")
    group.terminate("ward")
    group.delete("ward")
    assert group.count().specs == 0


def test_a_child_that_was_ended_says_so_to_its_callers(group: Group):
    ward: Any = group.supervise(wards.Ward, name="gone")
    group.terminate("gone")
    with pytest.raises(ChildGoneError):
        ward.add.remote().result(timeout=ANSWER_S)


# -- pools and loops ---------------------------------------------------------------------------------------------------


def test_a_pool_loses_no_call_with_a_member(shared: Supervisor, group: Group, eventually: Eventually):
    pool: Any = group.pool(wards.Ward, name="crew", size=2, standbys=1)
    pids = {pid(pool) for _ in range(10)}
    assert len(pids) == 2
    calls = [pool.add.remote() for _ in range(200)]
    kill(next(iter(pids)))
    assert all(call.result(timeout=ANSWER_S) > 0 for call in calls)
    group.resize("crew", size=3)
    eventually(lambda: len({pid(pool) for _ in range(12)}) == 3, "a third member")
    group.resize("crew", size=1, standbys=0)
    eventually(lambda: len({pid(pool) for _ in range(12)}) == 1, "one member")


def test_a_restart_loop_that_never_succeeds_can_be_ended(shared: Supervisor, tmp_path: Path, eventually: Eventually):
    luck = tmp_path / "luck"
    luck.touch()
    group = named(shared, intensity=1000, period_s=60)
    child: Any = group.supervise(wards.Doomed, name="doomed", args=(str(luck),))
    luck.unlink()
    kill(pid(child))
    key = f"child/{group.path}.doomed"
    eventually(lambda: view(shared, key).restarts >= 2, "restarts that fail")
    assert group.count().specs == 1
    group.terminate("doomed")
    eventually(lambda: view(shared, key).status == "stopped", "its end")
    shared.root.terminate(group.path)
    shared.root.delete(group.path)


# -- hanging, failing, standing by ------------------------------------------------------------------------------------


def test_a_hung_child_is_fenced_and_replaced(shared: Supervisor, group: Group, is_alive: Any, eventually: Eventually):
    ward: Any = group.supervise(wards.Ward, name="hung", **BEAT)
    before = pid(ward)
    os.kill(before, signal.SIGSTOP)
    assert pid(ward) != before, "the call waits for the next life"
    eventually(lambda: not is_alive(before), "the end of the hung process")
    ends = shared.events.query("select exit_class from restarts where child = ?", [f"child/{group.path}.hung"])
    assert [row["exit_class"] for row in ends] == ["hung"]


def test_a_child_that_says_it_is_unhealthy_is_replaced(group: Group, eventually: Eventually):
    ward: Any = group.supervise(wards.Sickly, name="sick", **BEAT)
    before = pid(ward)
    ward.sicken.remote().result(timeout=ANSWER_S)
    eventually(lambda: pid(ward) != before, "its next life")


def test_a_standby_takes_over_with_every_acknowledged_call(shared: Supervisor, group: Group, eventually: Eventually):
    ward: Any = group.supervise(wards.Ward, name="cart", standbys=1, checkpoint="each_call")
    key, expected = f"child/{group.path}.cart", 0
    for _ in range(3):
        eventually(lambda: len(view(shared, key).standbys) == 1, "a standby")
        for _ in range(5):
            expected += 1
            assert ward.add.remote().result(timeout=ANSWER_S) == expected
        kill(pid(ward))
        expected += 1
        assert ward.add.remote().result(timeout=ANSWER_S) == expected
    count = "select count(*) as n from children where child = ? and event = 'promoted'"
    eventually(lambda: shared.events.query(count, [key]) == [{"n": 3}], "a row for each")


def test_the_number_of_standbys_is_changed_live(shared: Supervisor, group: Group, eventually: Eventually):
    ward: Any = group.supervise(wards.Ward, name="cart")
    key, before = f"child/{group.path}.cart", pid(ward)
    group.resize("cart", standbys=2)
    eventually(lambda: len(view(shared, key).standbys) == 2, "two standbys")
    group.resize("cart", standbys=0)
    eventually(lambda: view(shared, key).standbys == (), "no standby")
    assert pid(ward) == before


def test_calls_of_a_handle_stay_in_order_over_failovers(group: Group):
    ward: Any = group.supervise(wards.Ward, name="cart", standbys=1, checkpoint="each_call")
    calls = [ward.add.remote() for _ in range(100)]
    kill(pid(ward))
    calls += [ward.add.remote() for _ in range(100)]
    assert [call.result(timeout=60) for call in calls] == list(range(1, 201))


def test_a_checkpoint_outlives_its_process_and_a_corrupt_one_is_passed_over(
    shared: Supervisor, group: Group, tmp_path: Path, eventually: Eventually
):
    ward: Any = group.supervise(
        wards.Ward, name="kept", checkpoint="each_call", checkpoint_path=str(tmp_path / "states")
    )
    assert [ward.add.remote().result(timeout=ANSWER_S) for _ in range(3)] == [1, 2, 3]
    newest = max((path for path in (tmp_path / "states").rglob("*") if path.is_file()), key=lambda path: path.name)
    before = pid(ward)
    newest = max((path for path in (tmp_path / "states").rglob("*") if path.is_file()), key=lambda path: path.name)
    newest.write_bytes(newest.read_bytes()[:-7])
    kill(before)
    assert ward.seen.remote().result(timeout=ANSWER_S) in (2, 3)
    key = f"child/{group.path}.kept"
    eventually(
        lambda: shared.events.query("select 1 from children where child = ? and event = 'checkpoint_skipped'", [key]),
        "a word about the corrupt one",
    )


def test_what_was_deleted_leaves_nothing_to_the_next_of_its_name(group: Group):
    for _ in range(2):
        ward: Any = group.supervise(wards.Ward, name="once", checkpoint="each_call")
        assert [ward.add.remote().result(timeout=ANSWER_S) for _ in range(3)] == [1, 2, 3]
        group.terminate("once")
        group.delete("once")


# -- notifications ----------------------------------------------------------------------------------------------------


async def test_changes_of_state_are_told_sync_and_async(shared: Supervisor, group: Group):
    ward: Any = await asyncio.to_thread(group.supervise, wards.Ward, name="watched")
    key = f"child/{group.path}.watched"
    with shared.subscribe(keys=[key]) as told, shared.subscribe(keys=[key], kinds=["died"]) as ends:
        kill(await asyncio.to_thread(pid, ward))
        first = await asyncio.to_thread(next, iter(told))
        async for change in ends:
            assert isinstance(change, ChildChange)
            assert (change.key, change.event, change.exit_class) == (key, "died", "killed")
            break
    assert (first.key, first.event) == (key, "died")


# -- subtrees ---------------------------------------------------------------------------------------------------------


def test_a_subtree_is_a_supervisor_of_its_own(shared: Supervisor, eventually: Eventually, is_alive: Any):
    far = named(shared, supervisor=True, intensity=10)
    ward: Any = far.supervise(wards.Ward, name="ward")
    key, before = f"supervisor/{far.path}", pid(ward)
    where = view(shared, key).location
    kill(where.process.pid)
    eventually(lambda: view(shared, key).status == "running" and view(shared, key).incarnation == 2, "its next life")
    assert pid(ward) == before, "its children are adopted"
    kill(before)
    eventually(lambda: pid(ward) != before, "a restart by the new supervisor")
    late: Any = far.supervise(wards.Ward, name="late")
    pids = [pid(ward), pid(late)]
    shared.root.terminate(far.path)
    eventually(lambda: not any(map(is_alive, pids)), "the end of all below it")
    shared.root.delete(far.path)


def test_what_a_dead_subtree_leaves_is_ended_and_its_path_is_free(
    shared: Supervisor, group: Group, eventually: Eventually, is_alive: Any
):
    far = group.group("far", supervisor=True, restart="temporary")
    ward: Any = far.supervise(wards.Ward, name="ward")
    left = pid(ward)
    kill(view(shared, f"supervisor/{far.path}").location.process.pid)
    eventually(lambda: not is_alive(left), "the end of what no supervisor will adopt")
    again = group.group("far", supervisor=True)
    eventually(lambda: view(shared, f"supervisor/{again.path}").status == "running", "another one of the name")
    assert view(shared, "child/" + f"{again.path}.ward") is None
    assert again.children() == []
