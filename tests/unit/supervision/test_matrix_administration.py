"""The test matrix: administration, its replies and its errors.

Source: Erlang/OTP, supervisor: start_child, terminate_child, restart_child, delete_child, count_children,
get_childspec.
"""

from __future__ import annotations

from supervisor import messages as m
from supervisor import requests as r
from tests.unit.supervision.scene import Scene, child, group, pool, said


def delete(name: str) -> r.Delete:
    return r.Delete(member=name)


def end(name: str) -> r.Terminate:
    return r.Terminate(member=name)


def restart(name: str) -> r.RestartMember:
    return r.RestartMember(member=name)


# -- add -------------------------------------------------------------------------------------------------------------


def test_a_child_is_added_and_answered_when_it_is_up() -> None:
    scene = Scene().up()
    assert said(scene.add(child("a"), request="r")) == ["start a#1"]
    assert said(scene.ready("a")) == ["answer r ok"]


def test_a_group_is_added_with_all_that_is_in_it_in_order() -> None:
    scene = Scene().up()
    wanted = group("g", child("a"), group("h", child("b")), pool("p", 2), child("c"))
    assert scene.run(scene.add(wanted, request="r")) == [
        *("start g.a#1", "start g.h.b#1", "start g.p-0#1", "start g.p-1#1", "start g.c#1", "answer r ok")
    ]
    assert scene.group("g").members == ("child/g.a", "g.h", "g.p", "child/g.c")


def test_an_empty_group_is_up_at_once() -> None:
    scene = Scene().up()
    assert said(scene.add(group("g"), request="r")) == ["answer r ok"]
    assert said(scene.add(child("a"), "g", "s")) == ["start g.a#1"]


def test_what_runs_or_is_to_run_again_is_already_started() -> None:
    scene = Scene(child("a"), group("g", child("b"))).up()
    assert said(scene.add(child("a"), request="r")) == ["answer r already_started"]
    assert said(scene.add(group("g"), request="s")) == ["answer s already_started"]
    scene.died("a")
    assert said(scene.add(child("a"), request="t")) == ["answer t already_started"]
    scene.failed("a")
    assert said(scene.add(child("a"), request="u")) == ["answer u already_started"]


def test_a_name_is_one_members_in_its_group_whatever_that_is() -> None:
    scene = Scene(child("a"), group("g", child("b"))).up()
    assert said(scene.add(group("a"), request="r")) == ["answer r already_started"]
    assert said(scene.add(child("g"), request="s")) == ["answer s already_started"]
    assert said(scene.add(group("b"), request="t"))[-1] == "answer t ok", "another group's names are its own"


def test_what_has_ended_is_already_present() -> None:
    scene = Scene(child("a"), group("g", child("b"))).up()
    scene.run(scene.ask(end("child/a")))
    scene.run(scene.ask(end("g")))
    assert said(scene.add(child("a"), request="r")) == ["answer r already_present"]
    assert said(scene.add(group("g"), request="s")) == ["answer s already_present"]


def test_nothing_is_added_where_nothing_is_or_where_all_ends() -> None:
    scene = Scene(child("a"), group("g", child("b"))).up()
    assert scene.add(child("x"), "nowhere", "r") == [
        m.Answer(request="r", problem="no_group", detail="there is no group nowhere")
    ]
    scene.ask(end("g"))
    assert scene.add(child("x"), "g", "s") == [
        m.Answer(request="s", problem="stopping", detail="its group g is stopping")
    ]
    scene.run(scene.died("g.b"))
    assert said(scene.add(child("x"), "g", "t")) == ["answer t stopping"]
    scene.shut_down()
    assert said(scene.add(child("x"), request="u")) == ["answer u stopping"]
    assert said(scene.ask(restart("g"), "v")) == ["answer v stopping"]
    assert "x" not in scene.statuses()


def test_a_child_that_is_ended_while_it_is_added_was_not_added() -> None:
    scene = Scene().up()
    scene.add(child("a"), request="r")
    assert said(scene.ask(end("child/a"), "s")) == ["kill a#1"]
    assert said(scene.died("a")) == ["answer r start_failed", "answer s ok"]
    assert scene.statuses() == {}


def test_a_group_that_gives_up_while_a_child_is_added_to_it_says_so() -> None:
    scene = Scene(group("g", child("a"), intensity=0, restart="transient")).up()
    scene.add(child("b"), "g", "r")
    assert scene.run(scene.died("g.a")) == ["kill g.b#1", "answer r start_failed"]
    assert scene.statuses() == {"g.a": "given_up"}


def test_whoever_awaits_the_start_of_what_is_deleted_instead_is_answered() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c"), intensity=0))
    scene.lead()
    scene.ready("g.a")
    scene.ask(restart("child/g.c"), "r")
    scene.died("g.a")
    assert said(scene.ask(delete("child/g.c"), "s")) == ["answer r start_failed", "answer s ok"]


def test_a_child_that_is_added_to_a_group_that_restarts_starts_anew_with_it() -> None:
    scene = Scene(group("g", child("a"), child("c"), strategy="one_for_all")).up()
    scene.add(child("b"), "g", "r")
    assert scene.run(scene.died("g.a")) == [
        *("restart g.a crash", "kill g.b#1", "ask g.c#1", "kill g.c#1"),
        *("start g.a#2", "start g.c#2", "start g.b#2", "answer r ok"),
    ]


def test_an_added_child_that_fails_within_a_restart_leaves_the_rest_to_go_on() -> None:
    scene = Scene(group("g", child("a"), strategy="one_for_all")).up()
    scene.add(child("b"), "g", "r")
    scene.died("g.a")
    scene.died("g.b", "killed")
    assert scene.run(scene.ready("g.a"), fails=["g.b"]) == ["start g.b#2", "kill g.b#2", "answer r start_failed"]
    assert scene.group("g").status == "running"
    assert scene.statuses() == {"g.a": "running"}


def test_an_added_child_that_waits_within_a_restart_goes_with_the_group() -> None:
    scene = Scene(group("g", child("a"), strategy="one_for_all")).up()
    scene.add(child("b"), "g", "r")
    scene.died("g.a")
    scene.died("g.b", "killed")
    assert scene.statuses() == {"g.a": "starting", "g.b": "restarting"}
    assert said(scene.ask(end("g"), "s")) == ["answer r start_failed", "kill g.a#2"]
    assert scene.statuses() == {"g.a": "stopping"}


# -- terminate, restart, delete --------------------------------------------------------------------------------------


def test_terminate_keeps_the_spec_unless_it_is_temporary() -> None:
    scene = Scene(child("a"), child("t", restart="temporary"), group("g", child("b"), restart="temporary")).up()
    for name in ("child/a", "child/t", "g"):
        scene.run(scene.ask(end(name)))
    assert scene.statuses() == {"a": "stopped"}
    assert set(scene.machine.view().groups) == {"supervisor", "system", "root"}


def test_terminate_of_what_has_ended_is_done() -> None:
    scene = Scene(child("a"), group("g", child("b"))).up()
    for name in ("child/a", "g", "child/g.b"):
        scene.run(scene.ask(end(name)))
        assert said(scene.ask(end(name), f"r {name}")) == [f"answer r {name} ok"]
    assert scene.group("g").status == "stopped", "it does not come up because a member of it was ended"


def test_terminate_of_a_member_that_a_restart_is_ending_keeps_it_down() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c"), strategy="one_for_all")).up()
    scene.died("g.a")
    assert said(scene.ask(end("child/g.c"), "r")) == [], "it is being ended"
    assert said(scene.ask(end("child/g.b"), "s")) == ["ask g.b#1"], "it was next"
    assert scene.run(scene.died("g.c")) == ["answer r ok"]
    assert scene.run(scene.died("g.b")) == ["answer s ok", "start g.a#2"]
    assert scene.statuses() == {"g.a": "running", "g.b": "stopped", "g.c": "stopped"}


def test_a_member_that_is_being_terminated_does_not_come_back_with_a_restart() -> None:
    scene = Scene(group("g", child("a"), child("b", standbys=1), strategy="one_for_all")).up()
    assert said(scene.ask(end("child/g.b"), "r")) == ["ask g.b#1"]
    assert said(scene.died("g.a")) == ["restart g.a crash"]
    assert said(scene.stopped("g.b")) == ["kill g.b#2", "kill g.b#1"]
    scene.died("g.b", "killed", 2)
    assert scene.run(scene.died("g.b")) == ["answer r ok", "start g.a#2"]
    assert scene.statuses() == {"g.a": "running", "g.b": "stopped"}


def test_terminate_of_a_member_that_waits_for_its_turn_to_start() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c")))
    scene.lead()
    assert said(scene.ask(end("child/g.b"), "r")) == ["answer r ok"]
    assert said(scene.ready("g.a")) == ["start g.c#1"]
    scene.ready("g.c")
    assert scene.statuses() == {"g.a": "running", "g.b": "stopped", "g.c": "running"}


def test_terminate_of_the_member_whose_start_the_others_wait_for_lets_them_go_on() -> None:
    scene = Scene(group("g", child("a"), child("b")))
    scene.lead()
    assert said(scene.ask(end("child/g.a"), "r")) == ["kill g.a#1"]
    assert said(scene.died("g.a")) == ["answer r ok", "start g.b#1"]


def test_restart_starts_what_has_ended() -> None:
    scene = Scene(child("a"), group("g", child("b"), child("c"))).up()
    for name in ("child/a", "g"):
        scene.run(scene.ask(end(name)))
    assert scene.run(scene.ask(restart("child/a"), "r")) == ["start a#2", "answer r ok"]
    assert scene.run(scene.ask(restart("g"), "s")) == ["start g.b#2", "start g.c#2", "answer s ok"]


def test_restart_of_a_member_of_a_group_that_has_ended_is_refused() -> None:
    scene = Scene(group("g", child("a"))).up()
    scene.run(scene.ask(end("g")))
    assert scene.ask(restart("child/g.a"), "r") == [
        m.Answer(request="r", problem="stopping", detail="its group g is stopped")
    ]


def test_restart_of_what_waits_for_its_turn_awaits_that() -> None:
    scene = Scene(group("g", child("a"), child("b")))
    scene.lead()
    assert said(scene.ask(restart("child/g.b"), "r")) == []
    scene.ready("g.a")
    assert said(scene.ready("g.b")) == ["answer r ok"]


def test_whoever_awaits_a_start_hears_that_its_group_failed_to_start() -> None:
    scene = Scene(group("g", child("a"), child("b")))
    scene.lead()
    scene.ask(restart("child/g.b"), "r")
    assert scene.run(scene.failed("g.a"))[:2] == ["kill g.a#1", "answer r start_failed"]


def test_restart_of_what_runs_restarts_or_ends_is_refused() -> None:
    scene = Scene(child("a"), child("b"), child("c"), group("g", child("d"))).up()
    scene.died("b")
    scene.failed("b")
    scene.ask(end("child/c"))
    for name, problem in (("child/a", "running"), ("child/b", "restarting"), ("child/c", "stopping"), ("g", "running")):
        assert said(scene.ask(restart(name), name)) == [f"answer {name} {problem}"]


def test_delete_forgets_what_has_ended() -> None:
    scene = Scene(child("a"), group("g", child("b"), group("h", child("c")))).up()
    scene.run(scene.ask(end("child/a")))
    scene.run(scene.ask(end("g")))
    assert said(scene.ask(delete("child/a"), "r")) == ["answer r ok"]
    assert said(scene.ask(delete("g"), "s")) == ["answer s ok"]
    assert scene.statuses() == {}
    assert scene.group("root").members == ()


def test_delete_of_what_runs_restarts_or_ends_is_refused() -> None:
    scene = Scene(child("a"), child("b"), child("c"), child("d"))
    scene.lead()
    for name in "abc":
        scene.ready(name)
    scene.died("b")
    scene.failed("b")
    scene.ask(end("child/c"))
    answers = {"a": "running", "b": "restarting", "c": "stopping", "d": "running"}
    for name, problem in answers.items():
        assert said(scene.ask(delete(f"child/{name}"), name)) == [f"answer {name} {problem}"]
    assert set(scene.statuses()) == set("abcd")


def test_what_is_not_there_is_not_found() -> None:
    scene = Scene(child("a")).up()
    wishes: list[r.Request] = [end("child/x"), restart("child/x"), delete("x"), r.Resize(member="child/x", standbys=1)]
    plan = scene.machine.plan_of("child/a")
    assert plan is not None
    wishes.append(r.Change(children=(type(plan)(key="child/y"),), groups=(scene.machine._s.groups["root"].plan,)))
    for number, wish in enumerate(wishes):
        assert said(scene.ask(wish, f"r{number}")) == [f"answer r{number} not_found"]


def test_the_supervisors_own_groups_are_protected() -> None:
    scene = Scene(child("a")).up()
    for wish in (end("supervisor"), end("system"), delete("root"), delete("system"), delete("supervisor")):
        assert said(scene.ask(wish, repr(wish))) == [f"answer {wish!r} protected"]
    scene.run(scene.ask(end("root")))
    assert said(scene.ask(delete("root"), "r")) == ["answer r protected"]
    assert scene.group("system").status == "running"


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_no_incarnation_of_a_name_is_used_twice() -> None:
    """Also when its spec was forgotten in between: news of the old one must not be taken for news of the new."""
    scene = Scene(child("a")).up()
    scene.run(scene.died("a"))
    scene.run(scene.ask(end("child/a")))
    scene.ask(delete("child/a"))
    assert said(scene.add(child("a"))) == ["start a#3"]
    scene.ready("a")
    assert scene.died("a", "killed", 2) == []


def test_numbers_stay_unused_when_more_names_were_forgotten_than_are_remembered() -> None:
    scene = Scene(child("first", restart="temporary")).up()
    scene.died("first")
    for number in range(1100):
        scene.add(child(f"t{number}", restart="temporary"))
        scene.ready(f"t{number}")
        scene.died(f"t{number}")
    assert said(scene.add(child("first"))) == ["start first#2"]
    assert len(scene.machine._s.numbers) <= 1000


# -- change ----------------------------------------------------------------------------------------------------------


def test_apply_new_config_restarts_nothing() -> None:
    """What bounds a child holds at once; how it is built, from its next start on."""
    scene = Scene(group("g", child("a", shutdown_s=5.0), child("b"), intensity=0)).up()
    group_plan, plan = scene.machine._s.groups["g"].plan, scene.machine.plan_of("child/g.a")
    assert plan is not None
    changed = type(plan)(key="child/g.a", shutdown_s=1.0, restart="temporary", recipe="new", request="other")
    wider = type(group_plan)(path="g", parent="elsewhere", intensity=5)
    assert said(scene.ask(r.Change(groups=(wider,), children=(changed,)), "r")) == ["answer r ok"]
    now = scene.machine.plan_of("child/g.a")
    assert now is not None
    assert (now.recipe, now.group, now.request) == ("new", "g", "")
    assert scene.machine._s.groups["g"].plan.parent == "root"
    assert scene.run(scene.died("g.b")) == ["restart g.b crash", "start g.b#2"], "five are borne now"
    assert scene.run(scene.died("g.a")) == [], "it is temporary now"


def test_the_order_of_members_is_changed_without_a_restart() -> None:
    scene = Scene(child("a"), child("b"), child("c"), group("g", child("x"), child("y"))).up()
    order = ("g", "child/c", "child/a", "child/g.y", "child/g.x", "child/nobody")
    assert said(scene.ask(r.Change(order=order), "r")) == ["answer r ok"]
    assert scene.group("root").members == ("g", "child/b", "child/c", "child/a")
    assert scene.group("g").members == ("child/g.y", "child/g.x")
    assert said(scene.shut_down()) == ["ask a#1"]


def test_a_removed_spec_is_ended_and_deleted_and_nothing_else() -> None:
    scene = Scene(child("a"), child("b")).up()
    scene.run(scene.ask(end("child/a")))
    scene.run(scene.ask(delete("child/a")))
    assert scene.statuses() == {"b": "running"}
    assert scene.incarnations() == {"b": 1}
