"""Starts that take too long, and what is said of those that wait for room."""

from __future__ import annotations

import pytest

from supervisor import messages as m
from supervisor import requests as r
from tests.unit.supervision.scene import Scene, child, group, only, pool, records, said

LACKS = "it waits for CPU: 1 (at most 0 free on a node)"


def seen(scene: Scene, name: str, lacks: str = LACKS, incarnation: int = 1) -> list[m.Command]:
    return scene.tell(m.RoomSeen(key=f"child/{name}", incarnation=incarnation, lacks=lacks))


def looks(commands: list[m.Command]) -> list[str]:
    return [f"{look.key}#{look.incarnation}" for look in only(commands, m.LookForRoom)]


def test_what_reserves_nothing_is_over_at_once() -> None:
    scene = Scene().up()
    scene.add(child("a", start_timeout_s=7.0), request="r")
    commands = scene.wait(7.0)
    assert looks(commands) == []
    assert said(commands) == ["kill a#1", "answer r start_failed"]


def test_who_asked_is_told_what_it_waits_for() -> None:
    scene = Scene().up()
    scene.add(child("a", start_timeout_s=7.0, reserves=True), request="r")
    commands = scene.wait(7.0)
    assert (looks(commands), said(commands)) == (["child/a#1"], [])
    commands = seen(scene, "a")
    assert said(commands) == ["kill a#1", "answer r start_failed"]
    (answer,) = only(commands, m.Answer)
    assert answer.detail == f"did not answer within 7 s of its start: {LACKS}"
    assert records(commands)[0] == f"a#1 fenced: crash: did not answer within 7 s of its start: {LACKS}"
    assert scene.statuses() == {}


@pytest.mark.parametrize("answers", [True, False])
def test_nobody_is_waited_for_who_does_not_find_it_out(answers: bool) -> None:
    scene = Scene().up()
    scene.add(child("a", start_timeout_s=7.0, reserves=True), request="r")
    scene.wait(7.0)
    (answer,) = only(seen(scene, "a", "") if answers else scene.wait(2.0), m.Answer)
    assert answer.detail == "did not answer within 7 s of its start"
    assert seen(scene, "a") == [], "it is over"


def test_one_that_answers_meanwhile_lives() -> None:
    scene = Scene().up()
    scene.add(child("a", start_timeout_s=7.0, reserves=True), request="r")
    scene.wait(7.0)
    assert said(scene.ready("a")) == ["answer r ok"]
    assert seen(scene, "a") == []
    scene.run(scene.wait(2.0))
    assert scene.incarnations() == {"a": 1}


def test_a_late_standby_is_followed_by_another_and_its_child_lives() -> None:
    scene = Scene(child("a", standbys=1, start_timeout_s=1.0, reserves=True))
    scene.lead()
    scene.ready("a")
    scene.wait(1.0)
    commands = seen(scene, "a", incarnation=2)
    assert records(commands) == [f"a#2 fenced: crash: did not answer within 1 s of its start: {LACKS}"]
    assert "start a#3 standby" in said(scene.wait(1.0))
    assert scene.statuses() == {"a": "running"}


def test_a_pool_that_somebody_waits_for_fails_with_a_member_that_is_late_and_leaves_nothing() -> None:
    scene = Scene().up()
    scene.add(pool("p", 3, child={"start_timeout_s": 7.0, "reserves": True}), request="r")
    for number in (0, 1):
        scene.ready(f"p-{number}")
    assert looks(scene.wait(7.0)) == ["child/p-2#1"]
    commands = seen(scene, "p-2")
    assert scene.run(commands) == [
        *("kill p-2#1", "ask p-1#1", "ask p-0#1", "kill p-1#1", "kill p-0#1", "answer r start_failed")
    ]
    assert scene.statuses() == {}
    assert "p" not in scene.machine.view().groups


def test_a_group_that_somebody_waits_for_fails_with_the_pool_in_it() -> None:
    scene = Scene().up()
    inner = pool("p", 2, child={"start_timeout_s": 7.0, "reserves": True})
    scene.add(group("g", child("a"), inner, child("z")), request="r")
    scene.ready("g.a")
    scene.wait(7.0)
    done = scene.run(seen(scene, "g.p-0"))
    assert done[-1] == "answer r start_failed"
    assert scene.statuses() == {}


def test_a_pool_that_nobody_waits_for_goes_on_trying() -> None:
    """A node may come: what was up before is not given up for one that is late."""
    scene = Scene(pool("p", 2, child={"start_timeout_s": 7.0, "reserves": True}))
    scene.lead()
    scene.ready("p-0")
    scene.wait(7.0)
    assert said(seen(scene, "p-1")) == ["kill p-1#1", "restart p-1 crash", "start p-1#2"]
    assert scene.statuses() == {"p-0": "running", "p-1": "starting"}


def test_a_pool_that_crashes_while_somebody_waits_is_tried_again_within_its_intensity() -> None:
    scene = Scene().up()
    scene.add(pool("p", 2), request="r")
    scene.ready("p-0")
    assert said(scene.failed("p-1"))[-1] == "start p-1#2"
    assert said(scene.ready("p-1", 2)) == ["answer r ok"]


def test_an_old_pool_that_is_started_again_keeps_its_place() -> None:
    scene = Scene(pool("p", 2, child={"start_timeout_s": 7.0, "reserves": True})).up()
    scene.run(scene.ask(r.Terminate(member="p")))
    scene.ask(r.RestartMember(member="p"), "r")
    scene.ready("p-0")
    scene.wait(7.0)
    assert scene.run(seen(scene, "p-1", incarnation=2))[-1] == "answer r start_failed"
    assert scene.group("p").status == "stopped"
