"""Specs that are changed while their children run: what holds at once, and of what the next life is built."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor import OutcomeUnknownError, Supervisor
from tests.ray_local.conftest import Family, Marks

ANSWER_S = 60.0
HERE = "tests.ray_local.test_changed_specs"

Eventually = Callable[..., None]


class Stall:
    """Counts, says where it stands, and fails on request."""

    def __init__(self, town: str = "oslo") -> None:
        self.town = town
        self.count = 0

    def add(self) -> tuple[str, int]:
        self.count += 1
        return self.town, self.count

    def fail(self, marks: str) -> None:
        mark(marks, "failed")
        raise OSError("closed today")

    def dawdle(self, marks: str) -> None:
        """Has its effect, and gives no answer."""
        mark(marks, "done")
        time.sleep(600)  # until it is killed

    def checkpoint(self) -> int:
        return self.count

    def restore(self, state: int) -> None:
        self.count = state


class Booth(Stall):
    """What the stall becomes; it does not know the stall's state."""

    def restore(self, state: int) -> None:
        raise AssertionError("it was handed the state of another class")


class Passer:
    """Calls the stall from a process of its own."""

    def __init__(self, stall: Any) -> None:
        self.stall = stall
        self.fail = stall.fail  # held, as it is

    def try_once(self, marks: str) -> str:
        try:
            self.fail.remote(marks).result(timeout=ANSWER_S)
        except OSError as error:
            return str(error)
        return ""


def mark(path: str, line: str) -> None:
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{line}\n")


def apply(sup: Supervisor, *, restart_changed: bool = False, **stall: Any) -> None:
    """A tree whose only child in its only group is that stall."""
    own = {"name": "stall", "cls": f"{HERE}:Stall", "checkpoint": "each_call", "heartbeat_s": 0.5, **stall}
    group = {"name": "market", "intensity": 3, "period_s": 60, "children": [own]}
    sup.apply({"groups": [group]}, restart_changed=restart_changed)


KEY = "child/market.stall"


def test_a_standby_of_the_old_spec_does_not_step_in(sup: Supervisor, family: Family, eventually: Eventually):
    apply(sup, standbys=1)
    stall: Any = sup.child("market.stall")
    assert [stall.add.remote().result(timeout=ANSWER_S) for _ in range(2)] == [("oslo", 1), ("oslo", 2)]
    eventually(lambda: bool(family.child(KEY).standbys), "a standby")
    before = family.child(KEY)
    apply(sup, standbys=1, args=["rome"])
    eventually(lambda: bool(set(family.child(KEY).standbys) - set(before.standbys)), "one of the new spec")
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 3), "what runs is left alone"
    assert family.child(KEY).incarnation == before.incarnation
    family.signal(KEY)
    assert stall.add.remote().result(timeout=ANSWER_S) == ("rome", 4), "with the state of the one before"


def test_a_standby_of_another_class_is_not_handed_the_state(sup: Supervisor, family: Family, eventually: Eventually):
    """It is refused as a checkpoint is, with the same words, and stays where it was for the class that wrote it."""
    apply(sup, standbys=1)
    stall: Any = sup.child("market.stall")
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 1)
    eventually(lambda: bool(family.child(KEY).standbys), "a standby")
    before = family.child(KEY)
    apply(sup, standbys=1, cls=f"{HERE}:Booth")
    begun = "select count(*) as n from children where child = ? and event = 'ready' and incarnation > ?"
    eventually(lambda: sup.events.query(begun, [KEY, before.incarnation + 1])[0]["n"] > 0, "one of the new spec")
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 2)
    assert family.child(KEY).standbys == (), "it stands by, and has no state"
    family.signal(KEY)
    eventually(lambda: "Stall with checkpoint_version 1, expected is" in family.child(KEY).last_error, "the refusal")
    apply(sup)
    sup.root.restart("market", terminate_first=True)
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 3)


def test_how_calls_are_tried_again_holds_at_once_for_every_handle(
    sup: Supervisor, marks: Marks, tmp_path: Path, eventually: Eventually
):
    apply(sup)
    stall: Any = sup.child("market.stall")
    passer: Any = sup.supervise(Passer, name="passer", args=(stall,))
    fail, theirs = stall.fail, Marks(tmp_path / "theirs")

    def tries() -> tuple[int, int]:
        """How often a call of this process is made, and one of the other."""
        before = len(marks.lines()), len(theirs.lines())
        with pytest.raises(OSError, match="closed today"):
            fail.remote(marks.path).result(timeout=ANSWER_S)
        assert passer.try_once.remote(theirs.path).result(timeout=ANSWER_S) == "closed today"
        return len(marks.lines()) - before[0], len(theirs.lines()) - before[1]

    assert tries() == (1, 1)
    apply(sup, methods={"fail": {"attempts": 3, "on": ["OSError"], "min_s": 0.01}})
    eventually(lambda: tries() == (3, 3), "three attempts by both")
    apply(sup, retry={"attempts": 2, "on": ["OSError"], "min_s": 0.01})
    eventually(lambda: tries() == (2, 2), "two attempts by both")


def test_what_must_not_run_twice_does_not_once_answers_are_not_replicated_any_more(
    sup: Supervisor, family: Family, marks: Marks, eventually: Eventually
):
    apply(sup)
    stall: Any = sup.child("market.stall")
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 1)
    apply(sup, checkpoint=60.0, restart_changed=True)
    lost = stall.dawdle.options(unknown="never").remote(marks.path)
    eventually(lambda: marks.lines() == ["done"], "its effect")
    os.kill(family.pid(KEY), signal.SIGKILL)
    with pytest.raises(OutcomeUnknownError):
        lost.result(timeout=ANSWER_S)
    assert stall.add.remote().result(timeout=ANSWER_S) == ("oslo", 2)
    assert marks.lines() == ["done"]
