"""The test matrix: a group over its intensity ends, and its parent decides by the group's own restart type."""

from __future__ import annotations

import pytest

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import Strategy
from tests.unit.supervision.scene import CALM, Scene, child, delays, group, only, pool, records, said

STRATEGIES: tuple[Strategy, ...] = ("one_for_one", "one_for_all", "rest_for_one")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_escalation_for_each_strategy(strategy: Strategy) -> None:
    """All end in reverse order, then the group is restarted by its parent's rules, as a child of its own."""
    scene = Scene(group("g", child("a"), child("b"), strategy=strategy, intensity=0), child("c")).up()
    assert scene.run(scene.died("g.b")) == [
        *("ask g.a#1", "kill g.a#1", "restart g shutdown", "start g.a#2", "start g.b#2")
    ]
    assert scene.group("g").status == "running"
    assert scene.group("g").restarts == 1
    assert scene.incarnations()["c"] == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_escalation_into_each_strategy(strategy: Strategy) -> None:
    scene = Scene(group("top", child("x"), group("g", child("a"), intensity=0), child("y"), strategy=strategy)).up()
    scene.run(scene.died("top.g.a"))
    expected = {"one_for_one": (1, 2, 1), "one_for_all": (2, 2, 2), "rest_for_one": (1, 2, 2)}[strategy]
    assert tuple(scene.incarnations()[key] for key in ("top.x", "top.g.a", "top.y")) == expected


def test_escalation_of_a_pool() -> None:
    scene = Scene(pool("p", 2, intensity=0)).up()
    assert scene.run(scene.died("p-0")) == [
        *("ask p-1#1", "kill p-1#1", "restart p shutdown", "start p-0#2", "start p-1#2")
    ]


def test_the_group_that_restarts_has_its_intensity_anew() -> None:
    scene = Scene(group("g", child("a"), intensity=1)).up()
    scene.run(scene.died("g.a"))
    scene.run(scene.died("g.a"))
    scene.run(scene.wait(1.0))
    assert scene.group("g").restarts == 1
    assert scene.run([*scene.died("g.a"), *scene.wait(1.0)])[0] == "restart g.a crash"
    assert scene.group("g").restarts == 1


def test_escalation_through_three_levels_up_to_the_root() -> None:
    """Each level restarts what is below it until it is over its own intensity; the root stays up as failed."""
    inner = group("c", child("x"), intensity=0)
    scene = Scene(group("a", group("b", inner, intensity=1), intensity=1), child("z"), root={"intensity": 1}).up()
    seen: list[list[str]] = []
    while scene.group("root").status == "running":
        seen.append([text for text in scene.run(scene.died("a.b.c.x")) if not text.startswith("start")])
        scene.run(scene.wait(0.5))
    assert seen == [
        ["restart a.b.c shutdown"],
        ["restart a.b shutdown"],
        ["restart a.b.c shutdown"],
        ["restart a shutdown"],
        ["restart a.b.c shutdown"],
        ["restart a.b shutdown"],
        ["restart a.b.c shutdown"],
        ["ask z#1", "kill z#1", "escalate root"],
    ]
    assert scene.statuses() == {"a.b.c.x": "given_up", "z": "given_up"}
    view = scene.machine.view()
    assert view.root_failure == "a: a.b: a.b.c: child/a.b.c.x: gone"
    assert view.groups["system"].status == "running"
    assert view.groups["supervisor"].status == "running"


def test_the_root_that_was_given_up_answers_and_can_be_started_again() -> None:
    scene = Scene(child("a"), group("g", child("b")), root={"intensity": 0}).up()
    scene.run(scene.died("a"))
    assert said(scene.add(child("c"), request="r")) == ["answer r given_up"]
    assert said(scene.ask(r.RestartMember(member="child/a"), "s")) == ["answer s given_up"]
    assert said(scene.ask(r.Terminate(member="child/a"), "t")) == ["answer t ok"]
    assert scene.group("root").status == "given_up", "a member that is ended does not bring it back"
    assert scene.run(scene.ask(r.RestartMember(member="root"), "u")) == [
        *("start a#2", "start g.b#2", "answer u ok"),
    ]
    assert scene.machine.view().root_failure is None


def test_a_root_that_holds_only_groups_is_told_of_with_its_reason() -> None:
    """No child of it is there to be recorded as given up: the word of the root is the only one."""
    scene = Scene(group("g", child("a"), intensity=0), root={"intensity": 0}).up()
    commands = scene.died("g.a")
    assert records(commands) == ["g.a#1 died: crash: gone", "g.a#1 given_up: child/g.a: gone"]
    assert only(commands, m.Escalate) == [m.Escalate(group="root", reason="g: child/g.a: gone")]


def test_a_root_that_fails_to_start_again_tells_who_asked() -> None:
    scene = Scene(child("a"), root={"intensity": 0}).up()
    scene.run(scene.died("a"))
    said_then = scene.run(scene.ask(r.RestartMember(member="root"), "r"), fails=["a"])
    assert said_then == ["start a#2", "kill a#2", "escalate root", "answer r start_failed"]
    assert scene.group("root").status == "given_up"


@pytest.mark.parametrize(("restart", "comes_back"), [("permanent", True), ("transient", False), ("temporary", False)])
def test_the_parent_decides_by_the_groups_own_restart_type(restart: str, comes_back: bool) -> None:
    """A group over its intensity ends with `shutdown`, which a transient one does not come back from: as in OTP."""
    scene = Scene(group("g", child("a"), child("b"), intensity=0, restart=restart)).up()
    done = scene.run(scene.died("g.a"))
    assert ("restart g shutdown" in done) is comes_back
    groups = scene.machine.view().groups
    if restart == "temporary":
        assert "g" not in groups
        assert scene.statuses() == {}
    else:
        assert groups["g"].status == ("running" if comes_back else "given_up")


def test_a_transient_group_that_was_given_up_can_be_started_again() -> None:
    scene = Scene(group("g", child("a"), intensity=0, restart="transient")).up()
    scene.run(scene.died("g.a"))
    assert scene.statuses() == {"g.a": "given_up"}
    assert scene.group("g").failure == "child/g.a: gone"
    assert scene.run(scene.ask(r.RestartMember(member="g"), "r")) == ["start g.a#2", "answer r ok"]
    assert scene.group("g").failure is None


def test_everything_below_waits_with_a_group_that_waits_for_its_restart() -> None:
    """And nothing of it runs or is started apart."""
    scene = Scene(group("g", child("a"), group("h", child("b")), intensity=0)).up()
    scene.run(scene.died("g.a"))
    scene.run(scene.died("g.a"))
    assert scene.group("g").status == "restarting"
    assert scene.group("g.h").status == "restarting"
    assert set(scene.statuses().values()) == {"restarting"}
    assert said(scene.ask(r.RestartMember(member="child/g.a"), "r")) == ["answer r restarting"]
    assert said(scene.add(child("n"), "g", "s")) == ["answer s restarting"]
    assert said(scene.ask(r.Terminate(member="child/g.h.b"), "t")) == ["answer t ok"]
    assert said(scene.ask(r.Delete(member="g"), "u")) == ["answer u restarting"]
    assert scene.group("g").status == "restarting"
    assert scene.run(scene.wait(0.1)) == ["start g.a#3", "start g.h.b#3"]


def test_a_groups_failed_restarts_are_spaced_ever_wider() -> None:
    scene = Scene(group("g", child("a"), intensity=0)).up()
    scene.wait(20.0)
    scene.answered("g.a")
    waits = delays(scene.died("g.a"))
    for _ in range(4):
        waits += delays(scene.failed("g.a"))
        scene.wait(1.0)
    assert waits == [0, 100, 200, 400, 800]


def test_a_group_that_ran_well_restarts_at_once() -> None:
    scene = Scene(group("g", child("a"), intensity=0)).up()
    waits: list[int] = []
    for healthy_s in (0.0, 1.0, 5.0):
        for _ in range(5):
            scene.wait(healthy_s / 5)
            scene.answered("g.a")
        waits += delays(scene.died("g.a"))
        scene.run(scene.wait(1.0))
    assert waits == [0, 100, 0]


def test_a_group_that_was_ended_while_it_waits_does_not_come_back() -> None:
    scene = Scene(group("g", child("a"), intensity=0)).up()
    scene.run(scene.died("g.a"))
    scene.run(scene.died("g.a"))
    assert said(scene.ask(r.Terminate(member="g"), "r")) == ["answer r ok"]
    assert said(scene.wait(99.0)) == []
    assert scene.group("g").status == "stopped"
    assert set(scene.statuses().values()) == {"stopped"}


def test_a_group_that_gives_up_while_it_is_asked_to_end_does_not_come_back() -> None:
    scene = Scene(group("g", child("a"), child("b"), intensity=0)).up()
    scene.died("g.b")
    assert scene.ask(r.Terminate(member="g"), "r") == []
    assert scene.run(scene.died("g.a")) == ["answer r ok"]
    assert said(scene.wait(99.0)) == []


def test_giving_up_is_recorded_for_each_child() -> None:
    scene = Scene(group("g", child("a"), child("b"), intensity=0)).up()
    assert records(scene.died("g.b")) == [
        "g.b#1 died: crash: gone",
        "g.b#1 given_up: child/g.b: gone",
        "g.a#1 given_up: child/g.b: gone",
    ]


def test_whoever_is_told_of_an_escalation_reads_why() -> None:
    scene = Scene(child("a"), root={"intensity": 0}).up()
    assert only(scene.died("a"), m.Escalate) == [m.Escalate(group="root", reason="child/a: gone")]


# -- significant children --------------------------------------------------------------------------------------------


def significant(auto_shutdown: str, restart: str = "permanent", **settings: object) -> Scene:
    return Scene(
        group(
            "g",
            child("a", restart="transient", significant=True),
            child("b", restart="temporary", significant=True),
            child("c"),
            auto_shutdown=auto_shutdown,
            restart=restart,
            **settings,
        )
    ).up()


def test_any_significant_childs_own_end_ends_the_group() -> None:
    scene = significant("any_significant", "transient")
    assert scene.run(scene.died("g.a", "normal")) == ["ask g.c#1", "kill g.c#1", "ask g.b#1", "kill g.b#1"]
    assert scene.group("g").status == "stopped"
    assert scene.statuses() == {"g.a": "stopped", "g.c": "stopped"}


def test_a_permanent_group_that_ended_with_its_significant_child_starts_again() -> None:
    scene = significant("any_significant")
    done = scene.run(scene.died("g.b", "crash"))
    assert done[4:] == ["restart g shutdown", "start g.a#2", "start g.c#2"]


def test_the_last_significant_childs_own_end_ends_the_group() -> None:
    scene = significant("all_significant", "transient")
    assert scene.run(scene.died("g.a", "normal")) == []
    assert scene.run(scene.died("g.b", "normal")) == ["ask g.c#1", "kill g.c#1"]
    assert scene.group("g").status == "stopped"


def test_a_significant_child_that_is_being_restarted_is_not_gone() -> None:
    scene = significant("all_significant", "transient")
    scene.died("g.a")
    scene.failed("g.a")
    assert scene.statuses()["g.a"] == "restarting"
    assert said(scene.died("g.b", "normal")) == []
    assert scene.group("g").status == "running"


def test_a_significant_child_that_is_restarted_or_ended_on_request_ends_nothing() -> None:
    scene = significant("any_significant")
    scene.run(scene.died("g.a", "crash"))
    scene.run(scene.ask(r.Terminate(member="child/g.a")))
    scene.run(scene.ask(r.Terminate(member="child/g.b")))
    assert scene.group("g").status == "running"


def test_without_auto_shutdown_significance_means_nothing() -> None:
    scene = significant("never")
    scene.run(scene.died("g.a", "normal"))
    scene.run(scene.died("g.b", "normal"))
    assert scene.group("g").status == "running"


def test_auto_shutdown_over_the_parents_intensity_escalates() -> None:
    scene = Scene(
        group("g", child("a", restart="transient", significant=True), auto_shutdown="any_significant", backoff=CALM),
        root={"intensity": 0},
    ).up()
    assert scene.run(scene.died("g.a", "normal")) == ["escalate root"]
    assert scene.machine.view().root_failure == "g: its significant children ended"
