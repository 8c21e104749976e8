"""Children that share a process: what ends one ends it alone, and the end of their process is one restart."""

from __future__ import annotations

import itertools

import pytest

from supervisor import messages as m
from supervisor import requests as r
from supervisor.supervision.stopping import GONE_S
from tests.unit.supervision.scene import (
    NODE,
    STOPPED,
    Scene,
    acts,
    child,
    group,
    only,
    records,
    said,
    where,
)

HOST = "s/host/g.p#1"


def household(*names: str, settings: dict[str, object] | None = None, **of_group: object) -> Scene:
    """A group whose children are up in one process."""
    members = (child(name, share="g.p", **(settings or {})) for name in names)
    scene = Scene(group("g", *members, **({"intensity": 1} | of_group)))
    scene.lead()
    for name in names:
        scene.ready(f"g.{name}", host=HOST)
    return scene


def host(incarnation: int = 1, *, silent: bool = False, alive: bool = True, node: str | None = NODE) -> m.KnownActor:
    place = None if node is None else where(node)
    return m.KnownActor(key="host/g.p", incarnation=incarnation, alive=alive, location=place, silent=silent)


def member(name: str, incarnation: int, in_host: str = HOST) -> m.KnownActor:
    return m.KnownActor(key=f"child/{name}", incarnation=incarnation, alive=True, location=where(), host=in_host)


# -- one alone --------------------------------------------------------------------------------------------------------


def test_an_unhealthy_child_is_ended_alone() -> None:
    scene = household("a", "b")
    assert acts(scene.unhealthy("g.a")) == ["fence g.a#1", "start g.a#2"]
    assert scene.statuses() == {"g.a": "starting", "g.b": "running"}


@pytest.mark.parametrize("how", ["failed", "ignored"])
def test_a_child_that_does_not_start_is_ended_alone(how: str) -> None:
    scene = household("a")
    scene.add(child("c", share="g.p"), "g", "r")
    commands = getattr(scene, how)("g.c")
    assert acts(commands) == ["fence g.c#1"]
    assert scene.statuses()["g.a"] == "running"


def test_a_child_that_starts_late_is_ended_alone() -> None:
    scene = household("a")
    scene.add(child("c", share="g.p", start_timeout_s=2.0), "g", "r")
    commands = scene.wait(2.1)
    assert acts(commands) == ["fence g.c#1"]
    assert only(commands, m.KillChild) == []


def test_a_child_that_does_not_stop_in_time_is_cut_off_and_its_process_goes_on() -> None:
    scene = household("a", "b", settings={"shutdown_s": 2.0})
    assert acts(scene.ask(r.Terminate(member="child/g.a"), "r")) == ["ask g.a#1"]
    assert said(scene.wait(2.1)) == ["fence g.a#1"]
    assert said(scene.died("g.a", "killed")) == ["answer r ok"]
    assert scene.statuses() == {"g.a": "stopped", "g.b": "running"}


def test_a_host_that_does_not_answer_holds_nobody_up() -> None:
    scene = household("a", "b", settings={"shutdown_s": 2.0})
    scene.ask(r.Terminate(member="child/g.a"), "r")
    scene.wait(2.1)
    assert said(scene.wait(GONE_S)) == ["answer r ok"]


def test_brutal_kill_does_not_ask_and_ends_it_alone() -> None:
    scene = household("a", "b", settings={"shutdown_s": "brutal_kill"})
    assert acts(scene.ask(r.Terminate(member="child/g.a"), "r")) == ["fence g.a#1"]


def test_a_child_whose_code_ended_it_is_over_at_once() -> None:
    scene = household("a", "b")
    commands = scene.announce("g.a", "crash")
    assert acts(commands) == ["fence g.a#1", "start g.a#2"]
    assert records(commands)[0] == "g.a#1 died: crash: its code ended it"


def test_a_plan_that_shares_no_more_ends_its_present_life_alone_all_the_same() -> None:
    """A changed plan takes effect at the next start; what runs is where it is."""
    scene = household("a", "b")
    plan = scene.machine.plan_of("child/g.a")
    assert plan is not None
    scene.ask(r.Change(children=(m.ChildPlan(key="child/g.a", group="g", restart="transient"),)))
    assert acts(scene.announce("g.a", "normal")) == ["fence g.a#1"]
    assert scene.statuses() == {"g.a": "stopped", "g.b": "running"}


def test_a_standby_in_the_same_process_is_refused() -> None:
    scene = household("a")
    assert said(scene.ask(r.Resize(member="child/g.a", standbys=1), "r")) == ["answer r shares_process"]
    assert said(scene.ask(r.Resize(member="child/g.a", standbys=0), "q")) == ["answer q ok"]


def test_a_child_that_would_share_a_process_on_another_node_is_refused() -> None:
    scene = household("a", settings={"wanted_node": "n1"})
    assert said(scene.add(child("b", share="g.p", wanted_node="n2"), "g", "r")) == ["answer r shares_elsewhere"]
    assert said(scene.add(child("c", share="g.p"), "g", "q")) == ["answer q shares_elsewhere"]
    assert acts(scene.add(child("d", share="g.p", wanted_node="n1"), "g", "s")) == ["start g.d#1"]


# -- all of a process -------------------------------------------------------------------------------------------------


def test_one_death_of_the_process_is_one_restart() -> None:
    scene = household("a", "b", "c")
    for name in "abc":
        assert acts(scene.died(f"g.{name}", "killed", fell_with=HOST)) == [f"start g.{name}#2"]
    assert scene.group("g").status == "running"


def test_who_was_starting_in_it_fell_with_it() -> None:
    scene = household("a", "b")
    scene.unhealthy("g.a")
    scene.wait(6.0)
    scene.died("g.b", "killed", fell_with=HOST)
    assert acts(scene.died("g.a", "killed", fell_with=HOST) + scene.wait(1.0)) == ["start g.a#3"]
    assert scene.group("g").status == "running"


def test_two_deaths_of_their_process_are_two_restarts() -> None:
    scene = household("a", "b")
    for name in "ab":
        scene.died(f"g.{name}", "killed", fell_with=HOST)
        scene.ready(f"g.{name}", host="s/host/g.p#2")
    scene.died("g.a", "killed", fell_with="s/host/g.p#2")
    assert scene.group("g").status == "stopping", "over its intensity"


def test_ends_of_single_children_of_one_process_count_each() -> None:
    scene = household("a", "b")
    scene.unhealthy("g.a")
    scene.unhealthy("g.b")
    assert scene.group("g").status == "stopping", "over its intensity"


def test_a_hung_process_is_killed_and_is_one_restart() -> None:
    scene = household("a", "b")
    scene.wait(4.0)
    commands = scene.evidence("g.a", STOPPED)
    assert acts(commands) == ["kill g.a#1", "start g.a#2"]
    assert only(commands, m.KillChild)[0].process == where().process
    assert acts(scene.died("g.b", "killed", fell_with=HOST)) == ["start g.b#2"]
    assert scene.group("g").status == "running"


# -- a new leader -----------------------------------------------------------------------------------------------------


def successor(scene: Scene, *actors: m.KnownActor) -> tuple[Scene, list[m.Command]]:
    """Another leader, and what it does first."""
    members = (child(name, share="g.p") for name in "ab")
    after = Scene(group("g", *members, intensity=1), incarnation=3, ledger=scene.machine.ledger())
    return after, after.lead(*actors, succeeds=True)


def test_members_of_a_silent_host_are_adopted_as_the_ledger_has_them() -> None:
    before = household("a", "b")
    after, commands = successor(before, host(silent=True))
    assert acts(commands) == ["adopt g.a#1", "adopt g.b#1"]
    after.ready("g.a", host=HOST)
    assert acts(after.failed("g.b", error="it was never built")) == ["fence g.b#1", "start g.b#2"]
    assert after.statuses() == {"g.a": "running", "g.b": "starting"}


def test_a_silent_host_that_hangs_is_found_by_its_silence() -> None:
    after, _ = successor(household("a", "b"), host(silent=True))
    assert len(only(after.wait(3.1), m.LookAtProcess)) == 2
    assert acts(after.evidence("g.a", STOPPED)) == ["kill g.a#1", "start g.a#2"]


def test_what_a_host_tells_is_believed_rather_than_the_ledger() -> None:
    _, commands = successor(household("a", "b"), host(), member("g.a", 2))
    assert acts(commands) == ["adopt g.a#2", "start g.b#2"]


def test_a_process_found_dead_is_one_restart() -> None:
    after, commands = successor(household("a", "b"), host(alive=False, node=None))
    assert acts(commands) == ["start g.a#2", "start g.b#2"]
    assert after.group("g").status == "running"


def test_a_host_in_which_none_of_its_children_lives_is_ended() -> None:
    before = household("a", "b")
    for name in "ab":
        before.ask(r.Terminate(member=f"child/g.{name}"))
        before.stopped(f"g.{name}")
    _, commands = successor(before, host(), host(2, silent=True), member("g.b", 1), member("g.z", 4))
    assert sorted(acts(commands)) == [
        "fence g.b#1", "fence g.z#4", "kill host/g.p#1", "kill host/g.p#2"
    ]  # fmt: skip


def test_hosts_of_a_subtree_are_its_own_business() -> None:
    scene = Scene(child("x"), root={"intensity": 9})
    scene.machine._s.add_child(m.ChildPlan(key="supervisor/g", group="root"))
    assert "kill host/g.p#1" not in acts(scene.lead(host(), member("g.a", 1)))


# -- one question for all ---------------------------------------------------------------------------------------------


def questions(commands: list[m.Command]) -> list[set[tuple[str, int]]]:
    """Who was asked about together, question by question."""
    asked = only(commands, m.AskHeartbeat)
    return [{(each.key, each.incarnation), *each.company} for each in asked]


def answer_all(scene: Scene, commands: list[m.Command]) -> None:
    for each in only(commands, m.AskHeartbeat):
        scene.tell(m.HeartbeatAnswered(key=each.key, incarnation=each.incarnation, company=each.company))


def test_children_of_one_process_are_asked_by_one_question_at_their_interval() -> None:
    names = [f"c{number}" for number in range(20)]
    scene = Scene(group("g", *(child(name, share="g.p") for name in names), intensity=1))
    scene.lead()
    for name in names:
        scene.ready(f"g.{name}", host=HOST)
        answer_all(scene, scene.wait(0.07))
    everyone = {(f"child/g.{name}", 1) for name in names}
    for _ in range(20):
        answer_all(scene, scene.wait(0.1))  # their intervals began at moments of their own
    asked_at: list[float] = []
    for _ in range(500):
        commands = scene.wait(0.01)
        answer_all(scene, commands)
        asked_at += [scene.now for _ in questions(commands)]
        assert all(together == everyone for together in questions(commands))
    assert len(asked_at) in (4, 5)
    assert all(0.98 <= later - earlier <= 1.03 for earlier, later in itertools.pairwise(asked_at))


def test_the_answer_of_a_process_is_the_answer_of_all_who_were_asked_about() -> None:
    """Also those who are never asked by name are taken for silent when their process is."""
    scene = household("a", "b")
    answer_all(scene, scene.wait(1.5))
    scene.wait(1.1)
    looks = only(scene.wait(3.1), m.LookAtProcess)
    assert {look.key for look in looks} == {"child/g.a", "child/g.b"}


def test_who_is_asked_more_rarely_joins_only_when_its_time_is_near() -> None:
    scene = Scene(
        group("g", child("a", share="g.p"), child("b", share="g.p", heartbeat_s=10.0, hang_timeout_s=30.0), intensity=1)
    )
    scene.lead()
    scene.ready("g.a", host=HOST)
    scene.ready("g.b", host=HOST)
    together = 0
    for _ in range(3000):
        commands = scene.wait(0.01)
        answer_all(scene, commands)
        together += sum(("child/g.b", 1) in who for who in questions(commands))
    assert 3 <= together <= 6


def test_one_who_came_later_is_asked_about_with_the_others() -> None:
    scene = household("a")
    answer_all(scene, scene.wait(1.2))
    scene.add(child("c", share="g.p"), "g", "r")
    scene.ready("g.c", host=HOST)
    answer_all(scene, scene.wait(1.2))
    answer_all(scene, scene.wait(0.6))
    for _ in range(30):
        commands = scene.wait(0.1)
        answer_all(scene, commands)
        assert all(len(who) == 2 for who in questions(commands))


def test_who_ended_is_asked_about_no_more() -> None:
    scene = household("a", "b", "c")
    answer_all(scene, scene.wait(1.5))
    scene.unhealthy("g.b")
    for _ in range(30):
        commands = scene.wait(0.1)
        answer_all(scene, commands)
        assert all(("child/g.b", 1) not in who for who in questions(commands))
