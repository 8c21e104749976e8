"""A supervised child is replaced when it is verified to be sick, and on nothing less."""

from __future__ import annotations

from actors.health import messages as m
from actors.health.wards import ASK_AGAIN_S, HEALER, child_key, has_healer
from tests.unit.health.scene import Scene, of


def scene_with(*children: str, **fields: object) -> Scene:
    scene = Scene(**fields)
    scene.tell(m.ChildrenSeen(lives={f"child/{name}": 1 for name in children}))
    return scene


def wishes(commands: list[m.Command]) -> list[tuple[str, str, int]]:
    return [(each.component, each.key, each.incarnation) for each in of(m.ReplaceChild, commands)]


def test_a_child_that_is_sick_is_replaced_once_for_each_life() -> None:
    scene = scene_with("cart")
    scene.register("cart", failures=2)
    scene.answer("cart", "failed")
    commands = scene.run(10.0)
    assert wishes(commands) == [("cart", "child/cart", 1)]
    assert of(m.ReplaceChild, commands)[0].detail == "bad"
    scene.tell(m.ChildrenSeen(lives={"child/cart": 2}))
    assert scene.state("cart") == "unknown", "it is a new one"
    assert wishes(scene.run(5.0)) == [("cart", "child/cart", 2)]


def test_to_be_sick_and_replaced_twice_is_not_to_change_all_the_time() -> None:
    scene = scene_with("cart", flap_changes=6)
    scene.register("cart", failures=1)
    told: list[m.Command] = []
    for life in (2, 3):
        for answer in ("passed", "failed"):
            scene.answer("cart", answer)
            told += scene.run(2.0)
        told += scene.tell(m.ChildrenSeen(lives={"child/cart": life}))
    assert len(of(m.TellChange, told)) == 6
    assert not any(each.flapping for each in of(m.TellChange, told))


def test_a_life_that_goes_on_all_the_same_is_asked_for_again() -> None:
    scene = scene_with("cart")
    scene.register("cart", failures=1)
    scene.answer("cart", "failed")
    assert len(wishes(scene.run(ASK_AGAIN_S - 2))) == 1
    assert len(wishes(scene.run(5.0))) == 1


def test_who_is_down_for_another_or_not_ready_is_left_alone() -> None:
    scene = scene_with("cart", "slow")
    scene.register("db", failures=1)
    scene.register("cart", failures=2, depends_on="db")
    scene.register("slow", kind="readiness", failures=1)
    for name in ("db", "cart", "slow"):
        scene.answer(name, "failed", kind="readiness" if name == "slow" else "liveness")
    assert wishes(scene.run(10.0)) == []
    scene.answer("db", "passed")
    assert wishes(scene.run(3.0)) == [("cart", "child/cart", 1)], "its cause is gone, and it is sick still"


def test_what_cannot_be_reached_verifies_nothing() -> None:
    scene = scene_with("cart")
    scene.register("cart", on="child:cart", failures=1)
    scene.run(2.0)
    for outcome in ("unreachable", None):
        scene.answer("cart", outcome, place="child:cart")
        assert wishes(scene.run(10.0)) == []
    scene.answer("cart", "failed", place="child:cart")
    for number in list(scene.running):
        scene.end(number, "failed")
    assert wishes(scene.run(2.0)) == [("cart", "child/cart", 1)]


def test_who_is_cut_off_replaces_nobody() -> None:
    scene = scene_with("cart")
    scene.tell(m.NodesChanged(nodes=("a", "b")))
    scene.register("nodes", on="every_node")
    for node in ("a", "b"):
        scene.answer("nodes", "unreachable", place=f"node:{node}")
    scene.run(5.0)
    scene.register("cart", failures=1)
    scene.answer("cart", "timed_out")
    assert wishes(scene.run(5.0)) == []


def test_what_hangs_on_after_blindness_is_found() -> None:
    scene = scene_with("cart", blind_after_s=2.0)
    scene.register("cart", failures=1)
    scene.answer("cart", None)
    while not scene.running:
        scene.tick()
    scene.now += 60.0
    blind = scene.tell(m.TimePassed())
    assert of(m.AlarmBlindness, blind)
    assert wishes(blind) == [], "it may have answered to nobody"
    assert wishes(scene.run(5.0)) == [("cart", "child/cart", 1)]


def test_a_late_answer_after_blindness_replaces_nobody() -> None:
    scene = scene_with("cart", blind_after_s=2.0)
    scene.register("cart", failures=1)
    scene.run(2.0)
    scene.answer("cart", None)
    scene.run(1.0)
    (number,) = scene.running
    scene.now += 60.0
    scene.tell(m.TimePassed())
    assert wishes(scene.end(number, "failed")) == []


def test_a_successor_replaces_only_what_it_has_seen_itself() -> None:
    former = scene_with("cart")
    former.register("cart", failures=2)
    former.answer("cart", "failed")
    former.run(5.0)
    scene = Scene()
    scene.tell(m.MonitorResumed(kept=former.machine.kept(), away_s=1.0))
    assert scene.state("cart") == "unhealthy"
    assert wishes(scene.tell(m.ChildrenSeen(lives={"child/cart": 1}))) == []
    scene.answer("cart", "failed")
    assert wishes(scene.run(1.5)) == [("cart", "child/cart", 1)]


def test_a_life_that_has_gone_meanwhile_is_not_asked_for() -> None:
    scene = scene_with("cart")
    scene.register("cart", failures=1)
    scene.tell(m.ChildrenSeen(lives={}))
    scene.answer("cart", "failed")
    assert wishes(scene.run(3.0)) == []


def test_it_can_be_switched_off_and_others_are_no_children() -> None:
    scene = scene_with("cart", replace_children=False)
    scene.register("cart", failures=1)
    scene.answer("cart", "failed")
    assert wishes(scene.run(3.0)) == []
    other = scene_with("cart")
    other.register("db", failures=1)
    other.answer("db", "failed")
    assert wishes(other.run(3.0)) == []
    other.tell(m.ProbeUnregistered(component="db"))


def test_where_a_healer_decides_the_monitor_leaves_a_sick_child_to_it() -> None:
    scene = scene_with("cart")
    scene.tell(m.ChildrenSeen(lives={"child/cart": 1}, healed=True))
    scene.register("cart", failures=1)
    scene.answer("cart", "failed")
    assert wishes(scene.run(60.0)) == []
    scene.tell(m.ChildrenSeen(lives={"child/cart": 1}))
    assert wishes(scene.run(2.0)) == [("cart", "child/cart", 1)], "the healer is gone, and it is sick still"


def test_a_healer_on_its_way_to_its_next_life_decides_and_one_that_was_ended_does_not() -> None:
    found = {status: has_healer({HEALER: status}) for status in ("running", "restarting", "starting", "stopped")}
    assert found == {"running": True, "restarting": True, "starting": True, "stopped": False}
    assert not has_healer({"child/cart": "running"})
    assert not has_healer({HEALER: "given_up"})


def test_how_things_stand_tells_which_child_a_sick_component_is() -> None:
    scene = scene_with("cart")
    scene.register("shop", on="child:cart", failures=1)
    scene.register("db", failures=1)
    for name, place in (("shop", "child:cart"), ("db", "")):
        scene.answer(name, "failed", place=place)
    scene.run(2.0)
    sick = scene.machine.standing().sick
    assert {name: note.child for name, note in sick.items()} == {"shop": "child/cart", "db": ""}


def test_names_and_keys_mean_the_same_child() -> None:
    assert (child_key("cart"), child_key("worker/default-0")) == ("child/cart", "worker/default-0")


def test_children_that_were_ended_do_not_blind_it_but_those_out_of_reach_do() -> None:
    scene = Scene()
    scene.tell(m.ChildrenSeen(lives={"child/a": 1, "child/b": 1}))
    for name in ("a", "b"):
        scene.register(name, on=f"child:{name}")
    scene.run(1.0)
    scene.tell(m.ChildrenSeen(lives={}))
    for name in ("a", "b"):
        scene.answer(name, "unreachable", place=f"child:{name}")
    assert of(m.AlarmBlindness, scene.run(5.0)) == []
    assert (scene.state("a"), scene.machine.report(scene.now).blind) == ("unknown", "")
    scene.tell(m.ChildrenSeen(lives={"child/a": 2, "child/b": 2}))
    assert [each.cause for each in of(m.AlarmBlindness, scene.run(1.0))] == ["cut_off"]
    scene.tell(m.ChildrenSeen(lives={"child/a": 2}))
    assert len(of(m.NoteSight, scene.run(1.0))) == 1
