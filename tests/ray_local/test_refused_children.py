"""Children that cannot be: refused with what is wrong and what to do, at once, and nothing of them is left."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import ray

from supervisor import (
    AdministrationError,
    CheckpointMismatchError,
    ChildGoneError,
    ChildSpec,
    ChildStartError,
    ConfigError,
    Group,
    Supervisor,
)
from tests.ray_local import wards

ANSWER_S = 30.0

Eventually = Callable[..., None]


class Unloadable:
    """Travels, and cannot be loaded where it arrives."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, ()


def _load() -> None:
    raise ImportError("no module named 'scales', on this node")


class Later(wards.Ward):
    """The same state, by another class."""


class Renewed(wards.Ward):
    """Its state has another form from now on."""

    checkpoint_version = 2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"num_cpus": 1000}, r"no node has room for CPU: 1000 \(at most \d+\); ask for less"),
        ({"resources": {"scales": 1}}, r"no node has room for scales: 1 \(at most 0\)"),
        ({"node": "203.0.113.9"}, r"no living node is called '203.0.113.9'; there are: "),
        ({"args": (Unloadable(),)}, "no module named 'scales', on this node"),
    ],
)
def test_what_no_node_can_run_is_refused_and_leaves_nothing(group: Group, asked: dict[str, Any], says: str):
    with pytest.raises(ChildStartError, match=says):
        group.supervise(wards.Ward, name="a", **asked)
    assert group.children() == []


def test_a_node_that_cannot_give_what_is_asked_is_named(shared: Supervisor, group: Group):
    location = shared.status().leader_location
    assert location is not None
    with pytest.raises(ChildStartError, match=rf"node {location.node_id[:12]} has not room for GPU: 1 \(at most 0\)"):
        group.supervise(wards.Ward, name="a", node=location.node_id, num_gpus=1)


def test_a_pool_that_has_room_only_for_some_of_its_members_is_refused_with_the_numbers(group: Group):
    cpus = int(ray.cluster_resources()["CPU"])
    says = rf"room for {cpus} of {cpus + 1} \(with those that stand by\) that reserve CPU: 1 each; ask for less"
    with pytest.raises(ChildStartError, match=says):
        group.pool(wards.Ward, name="wards", size=cpus, standbys=1, num_cpus=1)
    assert group.children() == []


def test_numbers_that_the_cluster_has_no_room_for_change_nothing(group: Group):
    cpus = int(ray.cluster_resources()["CPU"])
    group.pool(wards.Ward, name="wards", size=1, num_cpus=1)
    group.supervise(wards.Ward, name="ward", num_cpus=0.5)
    for name, asked, count in (("wards", {"size": cpus + 1}, cpus + 1), ("ward", {"standbys": 2 * cpus}, 2 * cpus + 1)):
        with pytest.raises(AdministrationError, match=rf"no room \(.*of {count} .*ask for less.*nothing was changed"):
            group.resize(name, **asked)
    assert [group.spec(name)[what] for name, what in (("wards", "size"), ("ward", "standbys"))] == ["1", "0"]


def test_a_start_that_waits_for_what_others_have_says_so(group: Group):
    cpus = int(ray.cluster_resources()["CPU"])
    group.supervise(wards.Ward, name="taken", num_cpus=cpus)
    waits = r"did not answer within 1 s of its start: it waits for CPU: 1 \(at most 0 free on a node\)"
    with pytest.raises(ChildStartError, match=waits):
        group.supervise(wards.Ward, name="late", num_cpus=1, start_timeout_s=1.0)
    with pytest.raises(ChildStartError, match=waits):
        group.pool(wards.Ward, name="many", size=cpus, num_cpus=1, start_timeout_s=1.0)
    assert list(group.status().members) == [f"child/{group.path}.taken"]
    group.terminate("taken")
    late: Any = group.supervise(wards.Ward, name="late", num_cpus=1)
    assert late.add.remote().result(timeout=ANSWER_S) == 1


def test_a_file_that_the_cluster_cannot_run_ends_nothing(shared: Supervisor):
    name = f"f{uuid4().hex[:8]}"
    assert not shared.apply({"children": [{"name": name, "cls": wards.Ward}]}).is_empty
    with pytest.raises(ConfigError) as caught:
        shared.apply({"children": [{"name": "lost", "cls": wards.Ward, "node": "203.0.113.9"}]})
    assert [problem.partition(";")[0] for problem in caught.value.problems] == [
        "lost: no living node is called '203.0.113.9'"
    ]
    child: Any = shared.child(name)
    assert child.add.remote().result(timeout=ANSWER_S) == 1
    shared.apply({})


def test_start_crash_is_an_error_of_whoever_asked(group: Group):
    with pytest.raises(ChildStartError, match=r"(process|died|exit).* \(tests.ray_local.wards.Stillborn"):
        group.supervise(wards.Stillborn, name="a")
    assert group.children() == []


def test_significance_without_effect_is_refused_wherever_it_is_asked_for(shared: Supervisor, group: Group):
    ends: dict[str, Any] = {"name": "ends", "cls": wards.Ward, "restart": "transient", "significant": True}
    with pytest.raises(
        AdministrationError, match=rf"child/{group.path}\.ends: ends nothing .*; choose any_significant"
    ):
        group.supervise(**ends)
    with pytest.raises(AdministrationError, match=rf"its group {group.path} is never"):
        group.start(ChildSpec(**ends))
    with pytest.raises(AdministrationError, match="everything's own group never ends so") as caught:
        shared.supervise(**ends)
    assert caught.value.problem == "ends_nothing"
    assert group.children() == []


def test_the_names_of_a_pools_members_are_not_given_to_others(group: Group):
    group.pool(wards.Ward, name="wards", size=0)
    with pytest.raises(AdministrationError, match=rf"members of the pool {group.path}\.wards are called so"):
        group.supervise(wards.Ward, name="wards-3")
    assert [member.status for member in group.children()] == ["running"]


def test_a_name_that_is_too_long_with_its_groups_is_refused_one_by_one(group: Group):
    deep = group.group("g" * 50)
    for put in (
        lambda: deep.supervise(wards.Ward, name="c" * 12),
        lambda: deep.pool(wards.Ward, name="p", size=1),
        lambda: deep.group("h" * 12),
        lambda: deep.start(ChildSpec(name="c" * 12, cls=wards.Ward)),
    ):
        with pytest.raises(ConfigError, match=rf"name: with its groups it is '{group.path}\.g+\.\w+', \d+ characters"):
            put()
    assert deep.children() == []


@pytest.mark.parametrize("other", [Later, Renewed])
def test_a_checkpoint_of_another_class_or_version_is_refused_by_name(group: Group, tmp_path: Path, other: type[Any]):
    kept: dict[str, Any] = {"checkpoint": 3600.0, "checkpoint_path": str(tmp_path)}
    first: Any = group.supervise(wards.Ward, name="kept", **kept)
    assert first.add.remote(3).result(timeout=ANSWER_S) == 3
    group.terminate("kept")
    group.delete("kept")
    with pytest.raises(ChildStartError) as caught:
        group.supervise(other, name="kept", **kept)
    assert isinstance(caught.value.__cause__, CheckpointMismatchError)
    assert re.search(rf" \({other.__module__}.{other.__qualname__} on node [0-9a-f]{{12}}\)$", caught.value.reason)
    assert group.children() == []
    again: Any = group.supervise(wards.Ward, name="kept", **kept)
    assert again.seen.remote().result(timeout=ANSWER_S) == 3, "and the state is still there"


def test_the_kill_over_the_intensity_ends_the_pool_and_its_group_decides(
    shared: Supervisor, group: Group, eventually: Eventually
):
    pool: Any = group.pool(wards.Ward, name="wards", size=2, intensity=1, period_s=60)
    before = {key: ward.pid.remote().result(timeout=ANSWER_S) for key, ward in pool.all_members().items()}
    os.kill(before[f"child/{group.path}.wards-0"], signal.SIGKILL)
    eventually(
        lambda: _pids(pool).get(f"child/{group.path}.wards-0") not in (None, before), "the right one's next life"
    )
    assert _pids(pool)[f"child/{group.path}.wards-1"] == before[f"child/{group.path}.wards-1"], "and no other's"
    os.kill(before[f"child/{group.path}.wards-1"], signal.SIGKILL)
    given_up = "select child from children where event = 'given_up' and child like ? order by child"
    told = [{"child": f"child/{group.path}.wards-{number}"} for number in (0, 1)]
    eventually(lambda: shared.events.query(given_up, [f"child/{group.path}.%"]) == told, "the end of the whole pool")
    eventually(lambda: len(_pids(pool)) == 2, "the pool as a whole again")
    assert not set(_pids(pool).values()) & set(before.values())


def _pids(pool: Any) -> dict[str, int]:
    """Those of the members that are there; one may be given up between the look and the call."""
    found: dict[str, int] = {}
    for key, ward in pool.all_members().items():
        with suppress(ChildGoneError):
            found[key] = ward.pid.remote().result(timeout=ANSWER_S)
    return found
