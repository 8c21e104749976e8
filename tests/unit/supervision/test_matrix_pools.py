"""The test matrix: dynamic pools, one template and any number of members."""

from __future__ import annotations

from dataclasses import replace

from supervisor import requests as r
from tests.unit.supervision.scene import Scene, child, group, pool, said, workers


def resize(member: str, size: int | None = None, standbys: int | None = None) -> r.Resize:
    return r.Resize(member=member, size=size, standbys=standbys)


def test_a_pool_grows_by_its_template() -> None:
    scene = Scene(pool("p", 2, child={"restart": "transient", "recipe": "r"})).up()
    assert said(scene.ask(resize("p", 4), "r")) == ["start p-2#1", "start p-3#1", "answer r ok"]
    plan = scene.machine.plan_of("child/p-3")
    assert plan is not None
    assert (plan.restart, plan.recipe, plan.pool, plan.group) == ("transient", "r", "p", "p")


def test_a_pool_shrinks_by_its_youngest_members_all_at_once() -> None:
    scene = Scene(pool("p", 4)).up()
    assert said(scene.ask(resize("p", 1), "r")) == ["ask p-1#1", "ask p-2#1", "ask p-3#1", "answer r ok"]
    scene.run(scene.died("p-1"))
    scene.run(scene.died("p-2"))
    scene.run(scene.died("p-3"))
    assert scene.statuses() == {"p-0": "running"}


def test_a_pool_that_shrinks_by_one_does_not_grow() -> None:
    for size in range(5):
        scene = Scene(pool("p", 5)).up()
        scene.run(scene.ask(resize("p", size), "r"))
        assert len(scene.statuses()) == size


def test_a_pool_of_none_grows_too() -> None:
    scene = Scene(pool("p", 0)).up()
    assert said(scene.ask(resize("p", 1), "r")) == ["start p-0#1", "answer r ok"]


def test_a_pool_grows_beside_members_that_are_leaving() -> None:
    """Their names are not free yet; their numbers never are."""
    scene = Scene(pool("p", 3)).up()
    scene.ask(resize("p", 1))
    assert said(scene.ask(resize("p", 2), "r")) == ["start p-3#1", "answer r ok"]
    for name in ("p-1", "p-2"):
        scene.run(scene.died(name))
    assert said(scene.ask(resize("p", 3), "s")) == ["start p-1#2", "answer s ok"]


def test_a_member_that_leaves_is_not_restarted_however_it_ends() -> None:
    scene = Scene(pool("p", 2)).up()
    scene.run(scene.died("p-1"))
    scene.died("p-1")
    scene.failed("p-1")
    assert scene.child("p-1").status in ("starting", "restarting")
    scene.run(scene.ask(resize("p", 1)))
    assert said(scene.wait(99.0)) == []
    assert set(scene.statuses()) == {"p-0"}


def test_standbys_of_a_pool_take_the_places_that_it_gains() -> None:
    scene = Scene(workers(1, 2)).up()
    scene.ask(resize("pool:p", 3, 0), "r")
    assert list(scene.serving().values()) == ["active"] * 3
    assert scene.machine.view().pools["p"].size == 3


def test_a_pool_that_shrinks_keeps_those_who_serve_serving() -> None:
    scene = Scene(workers(4, 1)).up()
    scene.run(scene.ask(resize("pool:p", 2), "r"))
    assert list(scene.serving().values()) == ["active"] * 3, "whoever is active stays so while it runs"
    scene.run(scene.died("worker/p-0"))
    assert scene.serving() == {
        "s/worker/p-0#2": "standby",
        "s/worker/p-1#1": "active",
        "s/worker/p-2#1": "active",
    }


def test_standbys_of_a_pool_are_resized_alone() -> None:
    scene = Scene(workers(2, 0)).up()
    assert said(scene.ask(resize("pool:p", standbys=1), "r")) == ["start worker/p-2#1", "answer r ok"]
    scene.ready("worker/p-2")
    assert scene.serving()["s/worker/p-2#1"] == "standby"


def test_a_pool_bears_a_restart_for_each_member_also_when_its_size_is_another_one() -> None:
    scene = Scene(pool("p", 1, intensity=None)).up()
    scene.run(scene.ask(resize("p", 4)))
    for name in ("p-0", "p-1", "p-2", "p-3"):
        scene.run(scene.died(name))
    assert (scene.group("p").status, scene.group("p").intensity) == ("running", 4)
    scene.run(scene.ask(resize("p", 2)))
    assert scene.group("p").restarts == 0
    scene.run(scene.died("p-0"))
    assert scene.group("p").restarts == 1, "it ended, and was restarted: what it had borne before counts"


def test_what_is_no_pool_has_no_size() -> None:
    scene = Scene(group("g", child("a"))).up()
    assert said(scene.ask(resize("g", 2), "r")) == ["answer r not_a_pool"]


def test_nobody_stands_by_for_what_is_not_restarted_or_not_the_users() -> None:
    scene = Scene(workers(1), child("t", restart="temporary")).up()
    assert said(scene.ask(resize("child/t", standbys=1), "r")) == ["answer r takes_no_standbys"]
    assert said(scene.ask(resize("worker/p-0", standbys=1), "s")) == ["answer s takes_no_standbys"]
    assert said(scene.ask(resize("child/t", 2), "t")) == ["answer t not_a_pool"]
    assert said(scene.ask(resize("child/t", standbys=0), "u")) == ["answer u ok"]


def test_a_pool_that_has_ended_has_its_new_size_when_it_starts() -> None:
    scene = Scene(pool("p", 2)).up()
    scene.run(scene.ask(r.Terminate(member="p")))
    assert said(scene.ask(resize("p", 3), "r")) == ["answer r ok"]
    assert scene.statuses() == dict.fromkeys(("p-0", "p-1", "p-2"), "stopped")
    assert said(scene.ask(resize("p", 1), "s")) == ["answer s ok"]
    assert scene.statuses() == {"p-0": "stopped"}
    scene.ask(resize("p", 2))
    assert scene.run(scene.ask(r.RestartMember(member="p"), "t")) == ["start p-0#2", "start p-1#2", "answer t ok"]


def test_a_pool_that_is_ending_gets_its_new_size_too() -> None:
    scene = Scene(pool("p", 1)).up()
    scene.ask(r.Terminate(member="p"), "r")
    assert said(scene.ask(resize("p", 2), "s")) == ["answer s ok"]
    assert scene.statuses() == {"p-0": "stopping", "p-1": "stopped"}


def test_nothing_is_added_to_a_pool_during_the_shutdown() -> None:
    scene = Scene(pool("p", 1), child("a")).up()
    scene.shut_down()
    assert said(scene.ask(resize("p", 2), "r")) == ["answer r ok"]
    assert scene.run(scene.died("a")) == ["ask p-0#1", "kill p-0#1", "finish"]


def test_a_changed_template_is_for_the_members_to_come() -> None:
    scene = Scene(pool("p", 1)).up()
    plan = scene.machine._s.groups["p"].plan
    template = scene.machine.plan_of("child/p-0")
    assert template is not None
    new = type(template)(key="child/p", group="p", pool="p", recipe="new")
    changed = type(plan)(path="p", pool_size=2, template=new, starts_together=True, ends_together=True)
    assert said(scene.ask(r.Change(groups=(changed,)), "r")) == ["start p-1#1", "answer r ok"]
    later = scene.machine.plan_of("child/p-1")
    assert later is not None
    assert (later.recipe, template.recipe) == ("new", None)


def test_a_temporary_member_is_not_replaced() -> None:
    scene = Scene(pool("p", 2, child={"restart": "temporary"})).up()
    assert said(scene.died("p-0")) == []
    assert scene.statuses() == {"p-1": "running"}
    scene = Scene(pool("p", 2, child={"restart": "temporary"}))
    scene.lead()
    assert said(scene.failed("p-0")) == ["kill p-0#1"], "nor is one that failed to start"
    assert set(scene.statuses()) == {"p-1"}


def test_a_changed_template_is_what_members_are_built_of_at_their_next_start() -> None:
    scene = Scene(pool("p", 2)).up()
    plan = scene.machine._s.groups["p"].plan
    assert plan.template is not None
    changed = replace(plan, template=replace(plan.template, fingerprint="new", shutdown_s=9.0))
    assert said(scene.ask(r.Change(groups=(changed,)), "r")) == ["answer r ok"]
    plans = [scene.machine.plan_of(f"child/p-{number}") for number in range(2)]
    assert [(each.key, each.fingerprint, each.pool) for each in plans if each is not None] == [
        ("child/p-0", "new", "p"),
        ("child/p-1", "new", "p"),
    ]
