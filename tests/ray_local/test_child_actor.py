"""Users' classes as children on Ray: called, streamed, ended by their own code, killed, and taken over."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator

import pytest
import ray
from ray.exceptions import RayActorError

from actors.child.protocol import BUILT, IGNORED, STALE, STALE_NOT_RUN, STANDBY
from actors.runtime.errors import ChildExitError, ChildStartError
from actors.runtime.wire import loads
from tests.ray_local.child_ports import FilePorts
from tests.ray_local.child_scene import LEADER, PATIENCE_S, Family, Life, recipe_for, value_of
from tests.ray_local.child_workload import Cart, Ledger, Sick, SoonCart
from tests.ray_local.conftest import unique_name


@pytest.fixture
def family(ray_session, tmp_path) -> Iterator[Family]:
    made = Family(unique_name(), FilePorts(tmp_path))
    yield made
    made.end()


def is_gone(life: Life) -> bool:
    try:
        ray.get(life.actor.describe.remote(), timeout=PATIENCE_S)
    except RayActorError:
        return True
    return False


@pytest.mark.parametrize("cls", [Cart, SoonCart])
def test_methods_streams_and_repeats(family, cls):
    life = family.child(recipe_for(cls))
    assert [life.value("add", item) for item in (5, 6)] == [1, 2]
    assert value_of(life.packed("all")) == [5, 6]
    assert [value_of(ray.get(ref)) for ref in life.stream("each")] == [5, 6]
    header = life.header("add")
    refs = [life.send("add", 7, header=header) for _ in range(3)]
    assert [value_of(answer) for answer in life.get(refs)] == [3, 3, 3]
    assert life.answer("nothing")[0] == "error"


@pytest.mark.parametrize(("cls", "at_once"), [(Cart, 1), (Cart, 4), (SoonCart, 1), (SoonCart, 4)])
def test_calls_of_one_client_start_in_the_order_made(family, cls, at_once):
    """Ray hands them to several threads, and to coroutines, out of order."""
    life = family.child(recipe_for(cls, max_concurrency=at_once))
    life.settles = False
    answers = life.get([life.send("add", item) for item in range(300)])
    assert {answer[0] for answer in answers} == {"ok"}
    items = life.value("all")
    assert sorted(items) == list(range(300))
    assert items == list(range(300)) or (cls, at_once) == (Cart, 4), "threads race behind the gate"


def test_object_refs_travel_both_ways(family):
    life = family.child(recipe_for(Cart))
    kind, payload, refs = life.answer("reference")
    assert kind == "ok"
    (reference,) = loads(payload, refs)
    assert ray.get(reference) == "referenced"
    assert life.value("fetch", [ray.put("sent")]) == "sent"


@pytest.mark.parametrize("cls", [Cart, SoonCart])
def test_control_answers_while_the_user_s_code_blocks(family, cls, tmp_path):
    life = family.child(recipe_for(cls))
    gate = tmp_path / "gate"
    running = life.send("wait_for", str(gate))
    assert life.heartbeat()["members"]["child/cart"]["phase"] == "active"
    assert life.get(life.actor.recipe_of.remote("child/cart")) == life.recipe
    life.get(life.actor.fence.remote(LEADER, "child/cart"))
    gate.touch()
    assert life.get(running) == STALE


@pytest.mark.parametrize("cls", [Cart, SoonCart])
def test_a_stream_that_is_cancelled_frees_its_child(family, cls, marks):
    life = family.child(recipe_for(cls))
    stream = life.stream("endless", marks.path)
    assert value_of(life.get(next(stream))) == 1
    ray.cancel(stream)
    assert life.value("add", 1) == 1
    assert marks.lines() == ["ended"]


@pytest.mark.parametrize(
    ("cls", "code", "exit_class"),
    [(Cart, 0, "normal"), (Cart, 3, "crash"), (SoonCart, 0, "normal"), (SoonCart, 3, "crash")],
)
def test_sys_exit_is_answered_announced_and_ends_the_process(family, eventually, cls, code, exit_class):
    life = family.child(recipe_for(cls))
    watching = life.actor.watch.remote("leader")
    assert life.answer("leave", code) == ("exited", exit_class.encode())
    assert family.ports.lines() == [f"exit {family.supervisor}/child/cart#1 {exit_class}"]
    with pytest.raises(ChildExitError) as caught:
        life.get(watching)
    assert caught.value.exit_class == exit_class
    eventually(lambda: is_gone(life), "the end of the process")


def test_exit_actor_ends_the_child_too(family, eventually):
    life = family.child(recipe_for(Cart))
    assert life.answer("exit_actor") == ("exited", b"normal")
    eventually(lambda: is_gone(life), "the end of the process")


def test_constructors_that_ignore_fail_or_leave(family, eventually):
    ignoring = recipe_for(Cart, "ignore", key="child/ignoring")
    assert Life(family.actor(ignoring, "child/ignoring#1"), ignoring, 1).build() == IGNORED
    failing = recipe_for(Cart, "raise", key="child/failing")
    with pytest.raises(ChildStartError, match="no such shop"):
        family.child(failing)
    leaving = recipe_for(Cart, "exit", key="child/leaving")
    with pytest.raises(ChildStartError) as caught:
        family.child(leaving)
    assert caught.value.exit_class == "normal"
    assert family.ports.lines() == [f"exit {family.supervisor}/child/leaving#1 normal"]


def test_hooks_of_health_and_stop(family, eventually, marks):
    life = family.child(recipe_for(Sick, marks.path, checkpoint=60.0))
    life.value("add", 1)
    eventually(lambda: bool(life.heartbeat()["unhealthy"]), "a verdict")
    assert life.heartbeat()["unhealthy"] == {"child/cart": "health() returned False"}
    life.get(life.actor.stop.remote(LEADER))
    assert marks.lines() == ["stopped with 1"]
    after = family.child(life.recipe, incarnation=2)
    assert after.value("all") == [1]


def test_an_object_that_is_bound_to_its_thread_lives_on_one(family, eventually):
    life = family.child(recipe_for(Ledger, checkpoint=0.05))
    assert [life.value("insert", value) for value in range(5)] == [1, 2, 3, 4, 5]
    number = life.get(life.actor.checkpoint_now.remote(LEADER, "child/cart"))
    store = family.ports.checkpoints(None)
    found = store.latest("child/cart", class_name=life.recipe.class_name, state_version=1).checkpoint
    assert found is not None
    assert found.number >= number
    life.signal()
    assert family.child(life.recipe, incarnation=2).value("insert", 5) == 6


def test_a_corrupt_checkpoint_is_passed_over_and_said(family, tmp_path):
    life = family.child(recipe_for(Cart, checkpoint=60.0))
    for item in (1, 2):
        life.value("add", item)
        life.get(life.actor.checkpoint_now.remote(LEADER, "child/cart"))
    newest = max((tmp_path / "checkpoints").iterdir())
    newest.write_bytes(b"corrupt")
    assert family.child(life.recipe, incarnation=2).value("all") == [1]
    assert family.ports.lines() == [f"checkpoint_skipped {family.supervisor}/child/cart#2 {newest.name} is corrupt"]


def test_each_acknowledged_call_is_in_the_standby_that_takes_over(family, marks):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active = family.child(recipe)
    standbys = [family.child(recipe, incarnation, "standby") for incarnation in (2, 3)]
    active.get(active.actor.attend.remote(LEADER, "child/cart", tuple(life.name() for life in standbys)))
    active.settles = False
    acknowledged = [active.value("add_and_mark", item, marks.path) for item in range(20)]
    assert acknowledged == list(range(1, 21))
    assert not (family.ports.folder / "checkpoints").exists(), "a standby is enough"
    kept = [life.heartbeat()["members"]["child/cart"]["kept"] for life in standbys]
    assert kept == [(1, 20), (1, 20)]
    active.signal()

    successor = standbys[0]
    repeated = ("client-1", 20, 0, "add_and_mark", 2)
    assert value_of(successor.get(successor.send("add_and_mark", 19, marks.path, header=repeated))) == 20
    assert successor.value("all") == list(range(20))
    assert len(marks.lines()) == 20, "the repeated call had one effect"


def test_a_kill_in_the_middle_of_calls_loses_none_that_was_acknowledged(family):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active, standby = family.child(recipe), family.child(recipe, 2, "standby")
    active.get(active.actor.attend.remote(LEADER, "child/cart", (standby.name(),)))
    pid_gone = active.pid()
    active.settles = False
    refs = [active.send("add", item) for item in range(200)]
    ray.wait(refs, num_returns=50, timeout=PATIENCE_S)
    active.signal()
    acknowledged = 0
    for ref in refs:
        try:
            assert ray.get(ref, timeout=PATIENCE_S)[0] == "ok"
        except RayActorError:
            break
        acknowledged += 1
    assert 50 <= acknowledged <= 200, pid_gone
    standby.get(standby.actor.activate.remote(LEADER, "child/cart", 2))
    items = standby.value("all")
    assert items == list(range(len(items)))
    assert len(items) >= acknowledged


def test_a_stale_active_is_fenced_by_its_standby(family):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active, standby = family.child(recipe), family.child(recipe, 2, "standby")
    active.get(active.actor.attend.remote(LEADER, "child/cart", (standby.name(),)))
    assert active.value("add", 1) == 1
    standby.get(standby.actor.activate.remote(LEADER, "child/cart", 2))
    assert active.answer("add", 2) == STALE
    assert active.answer("add", 2) == STALE_NOT_RUN
    assert standby.value("all") == [1]


def test_a_stopped_standby_delays_one_call_and_is_given_up_until_it_answers(family, eventually):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active, standby = family.child(recipe), family.child(recipe, 2, "standby")
    pid = standby.pid()
    active.get(active.actor.attend.remote(LEADER, "child/cart", (standby.name(),)))
    standby.signal(signal.SIGSTOP)
    try:
        assert [active.value("add", item) for item in range(5)] == [1, 2, 3, 4, 5]
        assert len(list((family.ports.folder / "checkpoints").iterdir())) == 5, "the store took them"
    finally:
        os.kill(pid, signal.SIGCONT)

    def is_in_step() -> bool:
        active.value("add", 9)
        return standby.heartbeat()["members"]["child/cart"]["kept"][1] == active.number

    eventually(is_in_step, "the standby in step again")
    assert standby.answer("all")[0] == "ok"


def test_a_standby_that_comes_later_is_given_the_state_at_once(family):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active, first = family.child(recipe), family.child(recipe, 2, "standby")
    active.get(active.actor.attend.remote(LEADER, "child/cart", (first.name(),)))
    active.value("add", 1)
    first.signal()
    second = family.child(recipe, 3, "standby")
    active.get(active.actor.attend.remote(LEADER, "child/cart", (second.name(),)))
    active.signal()
    assert second.value("all") == [1]


def test_the_only_holder_s_death_sends_the_state_to_the_store(family):
    recipe = recipe_for(Cart, checkpoint="each_call")
    active, standby = family.child(recipe), family.child(recipe, 2, "standby")
    active.get(active.actor.attend.remote(LEADER, "child/cart", (standby.name(),)))
    active.value("add", 1)
    standby.signal()
    active.get(active.actor.attend.remote(LEADER, "child/cart", ("nobody", standby.recipe.key)))
    active.value("add", 2)
    active.signal()
    assert family.child(recipe, 3).value("all") == [1, 2]


def test_children_share_a_process_and_end_one_by_one(family):
    recipes = [
        recipe_for(Ledger, key="child/ledger", checkpoint=60.0),
        recipe_for(SoonCart, key="child/soon"),
        recipe_for(Cart, key="child/plain"),
    ]
    host = family.actor(recipes[0], "child/host#1", shared=True)
    ledger, soon, plain = lives = [Life(host, recipe, 4) for recipe in recipes]
    assert [life.build() for life in lives] == [BUILT] * 3
    place = ledger.get(host.describe.remote())
    assert place.members == tuple(f"{family.supervisor}/{recipe.key}#4" for recipe in recipes)
    assert ledger.value("insert", 1) == 1
    soon.settles = plain.settles = False
    assert [value_of(answer) for answer in soon.get([soon.send("add", n) for n in range(100)])] == list(range(1, 101))
    assert [value_of(answer) for answer in plain.get([plain.send("add", n) for n in range(100)])] == list(range(1, 101))
    assert plain.value("pid") == place.pid
    assert [value_of(ray.get(ref)) for ref in plain.stream("each")] == list(range(100))
    assert plain.answer("leave", 0) == ("exited", b"normal")
    assert family.ports.lines() == [f"exit {family.supervisor}/child/plain#4 normal"]
    ledger.get(host.stop_member.remote(LEADER, "child/ledger"))
    assert ledger.answer("insert", 2) == STALE
    assert soon.value("add", 100) == 101
    rebuilt = Life(host, recipes[0], 5)
    assert rebuilt.build() == BUILT
    assert rebuilt.value("insert", 2) == 2


def test_a_watch_fails_with_the_child(family, eventually):
    for cls in (Cart, SoonCart):
        life = family.child(recipe_for(cls, key=f"child/{cls.__name__}"))
        watching = life.actor.watch.remote("leader")
        life.signal()
        with pytest.raises(RayActorError):
            ray.get(watching, timeout=PATIENCE_S)


def test_a_standby_answers_who_does_not_mean_it(family):
    life = family.child(recipe_for(Cart), 2, "standby")
    life.incarnation = 1
    assert life.answer("add", 1) == STANDBY
    assert pickle.loads(pickle.dumps(life.recipe)) == life.recipe
