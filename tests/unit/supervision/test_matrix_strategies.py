"""The test matrix: whom the end of a member concerns.

Source: Erlang/OTP, supervisor_SUITE: one_for_one, one_for_all, rest_for_one, simple_one_for_one, the
`_other_child_fails_restart` cases, temporary_bystander.
"""

from __future__ import annotations

import pytest

from supervisor import requests as r
from supervisor.tree import BackoffPlan, Strategy
from tests.unit.supervision.scene import CALM, Scene, acts, child, group, pool, said

AT_ONCE = BackoffPlan(min_s=0.001, max_s=0.001, jitter=0.0)


def four(strategy: Strategy, **settings: object) -> Scene:
    """Four children, a to d, in a group of that strategy."""
    return Scene(group("g", *(child(name) for name in "abcd"), strategy=strategy, **settings)).up()


def short(texts: list[str]) -> list[str]:
    return [text.replace("g.", "") for text in texts]


def test_one_for_one_replaces_the_dead_one_alone() -> None:
    assert short(four("one_for_one").run(four("one_for_one").died("g.b"))) == ["restart b crash", "start b#2"]


def test_one_for_all_ends_the_others_in_reverse_and_starts_all_in_order() -> None:
    scene = four("one_for_all")
    assert short(scene.run(scene.died("g.b"))) == [
        "restart b crash",
        *("ask d#1", "kill d#1", "ask c#1", "kill c#1", "ask a#1", "kill a#1"),
        *("start a#2", "start b#2", "start c#2", "start d#2"),
    ]
    assert set(scene.statuses().values()) == {"running"}
    assert scene.group("g").status == "running"
    assert [scene.child(f"g.{name}").restarts for name in "abcd"] == [0, 1, 0, 0]


def test_rest_for_one_does_so_for_the_later_siblings_only() -> None:
    scene = four("rest_for_one")
    assert short(scene.run(scene.died("g.b"))) == [
        "restart b crash",
        *("ask d#1", "kill d#1", "ask c#1", "kill c#1"),
        *("start b#2", "start c#2", "start d#2"),
    ]
    assert scene.incarnations() == {"g.a": 1, "g.b": 2, "g.c": 2, "g.d": 2}


def test_rest_for_one_of_the_last_and_of_the_first() -> None:
    scene = four("rest_for_one")
    assert short(scene.run(scene.died("g.d"))) == ["restart d crash", "start d#2"]
    scene.run(scene.died("g.a"))
    assert scene.incarnations() == {"g.a": 2, "g.b": 2, "g.c": 2, "g.d": 3}


def test_pool_replaces_the_dead_one_alone() -> None:
    scene = Scene(pool("p", 3)).up()
    assert scene.run(scene.died("p-1")) == ["restart p-1 crash", "start p-1#2"]


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
def test_the_end_over_the_intensity_ends_the_group(strategy: Strategy) -> None:
    scene = Scene(group("g", *(child(name) for name in "abcd"), strategy=strategy, intensity=1)).up()
    scene.run(scene.died("g.a"))
    over = short(scene.run(scene.died("g.b")))
    last = 1 if strategy == "one_for_one" else 2
    ends = [
        text
        for name, life in (("d", last), ("c", last), ("a", 2))
        for text in (f"ask {name}#{life}", f"kill {name}#{life}")
    ]
    assert over[: len(ends)] == ends
    assert over[len(ends)] == "restart g shutdown"


def test_the_end_over_the_intensity_ends_the_pool() -> None:
    """All at once: its order is free."""
    scene = Scene(pool("p", 3, intensity=1)).up()
    scene.run(scene.died("p-0"))
    assert said(scene.died("p-1")) == ["ask p-2#1", "ask p-0#2"]


def test_a_dead_member_of_a_group_restarts_after_a_pause_that_grows() -> None:
    scene = four("one_for_all")
    for wait_s, life in ((0.0, 1), (0.1, 2), (0.2, 3)):
        commands = scene.run(scene.died("g.a"))
        started = [text for text in commands if text.startswith("start")]
        assert bool(started) is (wait_s == 0.0)
        if not started:
            assert scene.group("g").status == "restarting"
            assert scene.run(scene.wait(wait_s - 0.01)) == []
            started = scene.run(scene.wait(0.02))
        assert short(started) == [f"start {name}#{life + 1}" for name in "abcd"]


def test_one_for_all_sibling_fails_to_restart() -> None:
    """It counts as another restart: those that were started again are ended again, and all start."""
    scene = four("one_for_all", backoff=AT_ONCE)
    begun = short(scene.run(scene.died("g.a"), fails=["g.c"]))
    assert begun[7:] == [
        *("start a#2", "start b#2", "start c#2", "kill c#2", "restart c crash"),
        *("ask b#2", "kill b#2", "ask a#2", "kill a#2"),
        *("start a#3", "start b#3", "start c#3", "kill c#3", "restart c crash"),
        *("ask b#3", "kill b#3", "ask a#3", "kill a#3"),
    ]
    assert scene.statuses() == {f"g.{name}": "restarting" for name in "abcd"}
    assert short(scene.run(scene.wait(0.01))) == ["start a#4", "start b#4", "start c#4", "start d#2"]


def test_rest_for_one_sibling_fails_to_restart() -> None:
    """Only the one that failed and the later ones are concerned."""
    scene = four("rest_for_one", backoff=AT_ONCE)
    begun = short(scene.run(scene.died("g.a"), fails=["g.c"]))
    assert begun[7:] == [
        *("start a#2", "start b#2", "start c#2", "kill c#2", "restart c crash"),
        *("start c#3", "kill c#3", "restart c crash"),
    ]
    assert scene.statuses() == {"g.a": "running", "g.b": "running", "g.c": "restarting", "g.d": "restarting"}
    assert short(scene.run(scene.wait(0.01))) == ["start c#4", "start d#2"]


def test_a_sibling_that_never_restarts_exceeds_the_intensity() -> None:
    scene = four("one_for_all", intensity=2, backoff=AT_ONCE)
    done = short(scene.run(scene.died("g.a"), fails=["g.b"]))
    assert done.count("restart b crash") == 1
    assert "restart g shutdown" in short(scene.run(scene.wait(0.1), fails=["g.b"]) + done)


def test_one_for_one_failed_restart_concerns_nobody_else() -> None:
    scene = four("one_for_one")
    assert short(scene.run(scene.died("g.a"), fails=["g.a"])) == [
        *("restart a crash", "start a#2", "kill a#2", "restart a crash")
    ]
    assert scene.statuses() == {"g.a": "restarting", "g.b": "running", "g.c": "running", "g.d": "running"}


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_temporary_bystander_is_ended_and_not_restarted(strategy: Strategy) -> None:
    scene = Scene(
        group(
            "g",
            child("a"),
            child("b", restart="temporary"),
            group("t", child("x"), restart="temporary"),
            strategy=strategy,
        )
    ).up()
    assert short(scene.run(scene.died("g.a"))) == [
        *("restart a crash", "ask t.x#1", "kill t.x#1", "ask b#1", "kill b#1", "start a#2")
    ]
    assert scene.statuses() == {"g.a": "running"}
    assert scene.group("g").members == ("child/g.a",)
    assert "g.t" not in scene.machine.view().groups


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_a_temporary_childs_end_concerns_nobody(strategy: Strategy) -> None:
    scene = Scene(group("g", child("a", restart="temporary"), child("b"), strategy=strategy)).up()
    assert said(scene.died("g.a")) == []
    assert scene.statuses() == {"g.b": "running"}


def test_a_transient_bystander_that_had_ended_normally_starts_with_the_others() -> None:
    """As in OTP: whoever has a spec is started."""
    scene = Scene(group("g", child("a"), child("b", restart="transient"), child("c"), strategy="one_for_all")).up()
    scene.died("g.b", "normal")
    scene.run(scene.ask(r.Terminate(member="child/g.c")))
    assert short(scene.run(scene.died("g.a"))) == ["restart a crash", "start a#2", "start b#2", "start c#2"]


def test_a_stopped_sibling_that_comes_back_with_the_others_is_not_started_before_its_turn() -> None:
    scene = Scene(group("g", child("a"), group("h", child("b")), strategy="one_for_all")).up()
    scene.run(scene.ask(r.Terminate(member="g.h")))
    scene.died("g.a")
    assert scene.group("g.h").status == "restarting"
    assert said(scene.ask(r.RestartMember(member="g.h"), "r")) == ["answer r restarting"]
    assert scene.run(scene.ready("g.a")) == ["start g.h.b#2"]


def test_a_sibling_that_dies_while_it_is_to_be_ended_is_no_other_restart() -> None:
    scene = four("one_for_all")
    scene.died("g.a")
    assert said(scene.died("g.b")) == [], "d is being ended, c is next"
    assert said(scene.died("g.c")) == []
    assert short(scene.run(scene.died("g.d"))) == [f"start {name}#2" for name in "abcd"]
    assert scene.group("g").restarts == 0
    assert [scene.child(f"g.{name}").restarts for name in "abcd"] == [1, 0, 0, 0]


def test_a_sibling_that_dies_after_it_was_started_again_starts_the_whole_anew() -> None:
    scene = four("one_for_all", backoff=AT_ONCE)
    scene.run(scene.died("g.a"), fails=[])
    scene.wait(60.0)
    for name in "abcd":
        scene.answered(f"g.{name}")
    scene.died("g.d")
    for name in "cba":
        scene.stopped(f"g.{name}")
        scene.died(f"g.{name}")
    scene.ready("g.a")  # b is starting now
    assert short(said(scene.died("g.a"))) == ["restart a crash", "kill b#3"]
    assert short(scene.run(scene.died("g.b"))) == []
    assert short(scene.run(scene.wait(0.01))) == ["start a#4", "start b#4", "start c#3", "start d#3"]


def test_an_earlier_member_that_dies_during_a_rest_for_one_widens_it() -> None:
    scene = four("rest_for_one")
    assert short(said(scene.died("g.c"))) == ["restart c crash", "ask d#1"]
    assert short(said(scene.died("g.a"))) == ["restart a crash"], "d is being ended, then b is"
    assert short(scene.run(scene.died("g.d"))) == ["ask b#1", "kill b#1", *(f"start {name}#2" for name in "abcd")]


def test_a_group_is_a_member_like_any_other_to_the_strategy() -> None:
    """Its end concerns its siblings, and theirs ends it and starts it again with all that is in it."""
    scene = Scene(
        group("g", child("a"), group("h", child("x"), child("y"), intensity=0), child("c"), strategy="rest_for_one")
    ).up()
    assert short(scene.run(scene.died("g.a"))) == [
        *("restart a crash", "ask c#1", "kill c#1", "ask h.y#1", "kill h.y#1", "ask h.x#1", "kill h.x#1"),
        *("start a#2", "start h.x#2", "start h.y#2", "start c#2"),
    ]
    assert short(scene.run(scene.died("g.h.y"))) == [
        *("ask h.x#2", "kill h.x#2", "restart h shutdown", "ask c#2", "kill c#2"),
        *("start h.x#3", "start h.y#3", "start c#3"),
    ]


def test_subtree_is_restarted_with_its_static_children() -> None:
    """All that has a spec comes back, in order, the nested groups too; the temporary ones do not."""
    scene = Scene(
        group(
            "g",
            child("a"),
            child("t", restart="temporary"),
            group("h", child("b")),
            pool("p", 2),
            child("c"),
            intensity=0,
        )
    ).up()
    scene.run(scene.ask(r.Terminate(member="child/g.a")))
    done = short(scene.run(scene.died("g.c")))
    assert done[done.index("restart g shutdown") + 1 :] == [
        "start a#2",
        "start h.b#2",
        "start p-0#2",
        "start p-1#2",
        "start c#2",
    ]
    assert {scene.group(path).status for path in ("g", "g.h", "g.p")} == {"running"}
    assert "g.t" not in scene.statuses()


def test_a_live_change_of_the_strategy_takes_effect_at_the_next_end() -> None:
    scene = four("one_for_one")
    plan = scene.machine._s.groups["g"].plan
    assert said(
        scene.ask(r.Change(groups=(type(plan)(path="g", strategy="one_for_all", intensity=9, backoff=CALM),)), "r")
    ) == ["answer r ok"]
    assert len(acts(scene.died("g.a"))) == 1
    assert scene.group("g").status == "restarting"
