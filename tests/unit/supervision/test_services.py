"""Services come into being as they are needed, beside the log's writer."""

from __future__ import annotations

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import SYSTEM
from tests.unit.supervision.scene import Scene, actor, said

BANK = r.House(breaker="bank", own_max=1)


def test_an_owner_is_started_once_and_restarted_like_a_service():
    scene = Scene().up()
    assert scene.run(scene.ask(BANK, "r")) == ["start breaker/bank#1", "answer r ok"]
    assert scene.ask(BANK, "s") == [m.Answer(request="s")]
    plan = scene.machine.plan_of("breaker/bank")
    assert plan is not None
    assert plan.group == SYSTEM
    assert "start breaker/bank#2" in said(scene.died("breaker/bank"))


def test_two_that_ask_at_once_wait_for_the_same_start():
    scene = Scene().up()
    first = scene.ask(BANK, "r")
    assert said(scene.ask(BANK, "s")) == []
    assert said(first) == ["start breaker/bank#1"]
    assert sorted(said(scene.ready("breaker/bank"))) == ["answer r ok", "answer s ok"]


def test_beyond_the_limit_they_are_shared():
    scene = Scene().up()
    scene.run(scene.ask(BANK, "r"))
    started = scene.run(scene.ask(r.House(breaker="shop", own_max=1), "s"))
    assert started[0].startswith("start breaker/shard-")


def test_one_that_ends_starts_none():
    scene = Scene().up()
    scene.shut_down()
    assert said(scene.ask(BANK, "r")) == ["answer r stopping"]


def test_a_leader_that_knows_nothing_keeps_the_owners_that_live():
    scene = Scene()
    commands = scene.lead(actor("breaker/bank", 3), succeeds=True)
    assert "adopt breaker/bank#3" in said(commands)


def test_a_service_is_asked_for_by_its_key_and_asked_for_twice_is_one():
    scene = Scene().up()
    assert scene.run(scene.ask(r.Serve(key="health/main"), "r")) == ["start health/main#1", "answer r ok"]
    assert scene.ask(r.Serve(key="health/main"), "s") == [m.Answer(request="s")]
    assert "start health/main#2" in said(scene.died("health/main"))


def test_one_that_was_ended_by_hand_is_started_again():
    scene = Scene().up()
    scene.run(scene.ask(r.Serve(key="health/main"), "r"))
    scene.run(scene.ask(r.Terminate(member="health/main"), "t"))
    assert scene.run(scene.ask(r.Serve(key="health/main"), "s")) == ["start health/main#2", "answer s ok"]
