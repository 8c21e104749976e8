"""States of supervised children on a real Ray: put away on request, and standbys that cannot take them up."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor import AdministrationError, ChildGoneError, Group, Supervisor
from tests.ray_local import wards

ANSWER_S = 30.0
SELDOM_S = 3600.0

Eventually = Callable[..., None]


def kill(ward: Any) -> None:
    os.kill(ward.pid.remote().result(timeout=ANSWER_S), signal.SIGKILL)


def test_a_checkpoint_on_request_is_what_the_next_life_begins_with(group: Group):
    ward: Any = group.supervise(wards.Ward, name="cart", checkpoint=SELDOM_S)
    assert ward.add.remote(5).result(timeout=ANSWER_S) == 5
    assert group.checkpoint("cart") == 1
    assert ward.add.remote(5).result(timeout=ANSWER_S) == 10
    kill(ward)
    assert ward.seen.remote().result(timeout=ANSWER_S) == 5


def test_a_standby_that_steps_in_begins_with_the_last_checkpoint(
    shared: Supervisor, group: Group, eventually: Eventually
):
    ward: Any = group.supervise(wards.Ward, name="cart", standbys=1, checkpoint=SELDOM_S)

    def seen() -> Any:
        return next(child for child in shared.status().tree if child.key == f"child/{group.path}.cart")

    eventually(lambda: len(seen().standbys) == 1, "the standby")
    (heir,) = seen().standbys
    assert ward.add.remote(5).result(timeout=ANSWER_S) == 5
    assert group.checkpoint("cart") == 1
    assert ward.add.remote(5).result(timeout=ANSWER_S) == 10
    kill(ward)
    assert ward.seen.remote().result(timeout=ANSWER_S) == 5
    assert seen().name == heir, "it was promoted, not built anew"
    promoted = "select incarnation from children where child = ? and event = 'promoted'"
    eventually(
        lambda: shared.events.query(promoted, [seen().key]) == [{"incarnation": int(heir.rpartition("#")[2])}],
        "its row in the log",
    )


def test_a_child_that_cannot_put_its_state_away_has_its_standby_do_so(
    shared: Supervisor, group: Group, eventually: Eventually
):
    """The calls that it answered are held nowhere else: it is ended over a call that takes too long."""
    settings: dict[str, Any] = {"standbys": 1, "checkpoint": "each_call", "shutdown_s": 0.2}
    ward: Any = group.supervise(wards.Ward, name="cart", **settings)
    seen = f"child/{group.path}.cart"
    eventually(lambda: next(c for c in shared.status().tree if c.key == seen).standbys, "the standby")
    assert [ward.add.remote().result(timeout=ANSWER_S) for _ in range(3)] == [1, 2, 3]
    stalled = ward.stall.remote()
    group.terminate("cart")
    with pytest.raises(ChildGoneError):
        stalled.result(timeout=ANSWER_S)
    group.restart("cart")
    assert ward.add.remote().result(timeout=ANSWER_S) == 4


def test_a_child_that_dies_as_its_standby_is_let_go_keeps_every_answered_call(
    shared: Supervisor, group: Group, eventually: Eventually
):
    ward: Any = group.supervise(wards.Ward, name="cart", checkpoint="each_call")
    seen = f"child/{group.path}.cart"
    for number in range(1, 9):
        group.resize("cart", standbys=1)
        eventually(lambda: next(c for c in shared.status().tree if c.key == seen).standbys, "the standby")
        pid = ward.pid.remote().result(timeout=ANSWER_S)
        assert ward.add.remote().result(timeout=ANSWER_S) == number
        group.resize("cart", standbys=0)
        os.kill(pid, signal.SIGKILL)
    assert ward.seen.remote().result(timeout=ANSWER_S) == 8


def test_a_checkpoint_on_request_of_a_pool_is_one_of_each_member(group: Group):
    pool: Any = group.pool(wards.Ward, name="wards", size=2, checkpoint=SELDOM_S)
    members = list(pool.all_members().values())
    for ward in members:
        ward.add.remote(7).result(timeout=ANSWER_S)
    assert group.checkpoint("wards") == 2
    for ward in members:
        kill(ward)
    assert [ward.seen.remote().result(timeout=ANSWER_S) for ward in members] == [7, 7]


def test_what_cannot_be_checkpointed_says_so(group: Group, tmp_path: Path):
    group.supervise(wards.Ward, name="forgetful")
    with pytest.raises(AdministrationError, match=r"checkpoint=<seconds>"):
        group.checkpoint("forgetful")
    with pytest.raises(AdministrationError, match="supervisor ps"):
        group.checkpoint("nobody")
    spoilt: Any = group.supervise(wards.Spoilt, name="spoilt", checkpoint=SELDOM_S)
    with pytest.raises(RuntimeError, match="nothing to be put away"):
        group.checkpoint("spoilt")
    assert spoilt.add.remote().result(timeout=ANSWER_S) == 1


def test_a_standby_that_cannot_take_its_state_up_is_replaced(
    shared: Supervisor, group: Group, tmp_path: Path, eventually: Eventually
):
    mended = tmp_path / "mended"
    ward: Any = group.supervise(wards.Fragile, name="cart", args=(str(mended),), standbys=1, checkpoint="each_call")
    key = f"child/{group.path}.cart"
    assert [ward.add.remote().result(timeout=ANSWER_S) for _ in range(3)] == [1, 2, 3]
    eventually(lambda: [len(child.standbys) for child in shared.status().tree if child.key == key] == [1], "a standby")
    assert ward.add.remote().result(timeout=ANSWER_S) == 4, "that is in the standby's memory, and nowhere else yet"
    kill(ward)
    told = "select 1 from children where child = ? and event = 'fenced' and detail like '%cannot be read today%'"
    eventually(lambda: shared.events.query(told, [key]), "the standby's failure on record")
    mended.touch()
    assert ward.add.remote().result(timeout=60) == 5
