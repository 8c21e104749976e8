"""An earlier state is taken up, and given back when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.healer.functions import FunctionCheckpoints
from actors.recovery.strategies import Restore
from actors.runtime.clock import SYSTEM_CLOCK
from tests.unit.healer.ward import Hand, Ward

STATE: dict[str, object] = {}
"""What the user's functions work on."""


def load(component: str) -> dict[str, object]:
    STATE["loads"] = int(str(STATE.get("loads", 0))) + 1
    return {"of": component}


def refuse(state: dict[str, object]) -> bool:
    return state["of"] != "cart"


def apply(state: dict[str, object]) -> None:
    STATE["applied"] = state


def apply_badly(state: dict[str, object]) -> None:
    STATE["applied"] = state
    raise RuntimeError("half done")


def roll_back(state: dict[str, object]) -> None:
    STATE["rolled_back"] = state


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    STATE.clear()
    return Hand(Ward(tmp_path))


def fresh(hand: Hand) -> Hand:
    """Another healer, with the same stores."""
    return Hand(hand.ward)


class TestFunctions:
    def test_another_healer_goes_on_with_what_was_loaded(self, hand: Hand):
        strategy = Restore(load=load, apply=apply)
        for action in ("load", "verify", "cut_over"):
            assert fresh(hand).take(strategy, action).outcome == "succeeded"
        assert STATE == {"loads": 1, "applied": {"of": "cart"}}
        assert hand.ward.aside_now() == []

    def test_a_state_that_is_refused_is_not_applied(self, hand: Hand):
        strategy = Restore(load=load, apply=apply, verify=refuse)
        hand.take(strategy, "load")
        assert hand.ward.aside_now() == ["1"]
        assert hand.take(strategy, "verify").outcome == "failed"
        assert hand.ward.aside_now() == []

    def test_what_was_begun_is_undone(self, hand: Hand):
        strategy = Restore(load=load, apply=apply_badly, roll_back=roll_back)
        outcomes = [hand.take(strategy, action).outcome for action in ("load", "verify", "cut_over", "roll_back")]
        assert outcomes == ["succeeded", "succeeded", "failed", "succeeded"]
        assert STATE["rolled_back"] == {"of": "cart"}
        assert hand.ward.aside_now() == []

    def test_without_what_was_loaded_nothing_is_done(self, hand: Hand):
        assert hand.take(Restore(load=load, apply=apply), "cut_over").outcome == "failed"
        assert STATE == {}


class TestChildren:
    def test_a_child_takes_up_what_was_loaded_though_it_kept_another_since(self, hand: Hand):
        hand.ward.keep("good", number=1)
        assert hand.take(Restore(), "load").outcome == "succeeded"
        hand.ward.keep("sick", number=2)
        assert fresh(hand).take(Restore(), "verify").outcome == "succeeded"
        assert fresh(hand).take(Restore(), "cut_over").outcome == "succeeded"
        assert hand.ward.newest() == "good"
        assert hand.ward.restarts == ["child/cart"]
        assert hand.ward.aside_now() == []

    def test_it_gets_back_what_it_had_if_it_does_not_start(self, hand: Hand):
        hand.ward.keep("good", number=1)
        hand.take(Restore(), "load")
        hand.ward.keep("sick", number=2)
        hand.ward.broken_restarts = 1
        assert hand.take(Restore(), "cut_over").outcome == "failed"
        assert hand.ward.aside_now() == ["1", "2"]
        assert fresh(hand).take(Restore(), "roll_back").outcome == "succeeded"
        assert hand.ward.newest() == "sick"
        assert hand.ward.aside_now() == []

    def test_one_that_kept_nothing_cannot_be_restored(self, hand: Hand):
        ended = hand.take(Restore(), "load")
        assert ended.outcome == "refused"
        assert "no good checkpoint" in ended.detail


class TestCheckpointsOfFunctions:
    def test_the_newest_is_taken_up_from_the_store_of_all(self, hand: Hand):
        kept = FunctionCheckpoints(hand.ward.checkpoints(None), SYSTEM_CLOCK)
        kept.put("cart", {"of": "long ago"}, version=1)
        kept.put("cart", {"of": "cart", "items": 3}, version=1)
        strategy = Restore(apply=apply)
        for action in ("load", "verify", "cut_over"):
            assert fresh(hand).take(strategy, action).outcome == "succeeded"
        assert STATE["applied"] == {"of": "cart", "items": 3}

    def test_without_one_it_is_refused_with_what_to_do(self, hand: Hand):
        ended = hand.take(Restore(apply=apply), "load")
        assert ended.outcome == "refused"
        assert "sup.healer.checkpoint(component, state)" in ended.detail

    def test_one_of_another_version_is_not_taken_up(self, hand: Hand, tmp_path: Path):
        folder = str(tmp_path / "mine")
        FunctionCheckpoints(hand.ward.checkpoints(folder), SYSTEM_CLOCK).put("cart", {"of": "cart"}, version=2)
        assert hand.take(Restore(apply=apply, path=folder), "load").outcome == "failed"
        assert hand.take(Restore(apply=apply, path=folder, version=2), "load").outcome == "succeeded"
