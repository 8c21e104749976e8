"""A hand on real processes: what it injects is seen by the kernel, and nothing of it is left when it is undone."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.process import ProcessIdentity, identify, is_alive
from experiments.errors import FaultRefusedError
from experiments.faults.proof import prove
from experiments.faults.undo import Undo, limit_of
from experiments.hands.hand import Hand
from experiments.hands.orders import HandOrder, Spot
from experiments.ledger.entry import Entry
from experiments.ledger.halt import Halted
from experiments.planning.ground import Ground
from tests.unit.faults.scene import is_stopped, sleeper, until


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand("n1", tmp_path / "s-n1.board")


def order(fault: Any, target: ProcessIdentity | None, *, lease_s: float = 30.0, **how: Any) -> HandOrder:
    spot = Spot(name="child/cart", kind="child", node_id="n1", process=target)
    return HandOrder(run="r", fault_id="0.1.child/cart", fault=fault, how=how, spot=spot, lease_s=lease_s)


def armed(hand: Hand, wish: HandOrder) -> dict[str, Any]:
    data = hand.prepare(wish)
    hand.arm(*wish.key)
    return data


def test_a_hang_is_proven_by_the_kernel_and_undone(hand: Hand) -> None:
    with sleeper() as target:
        wish = order("hang", target, how="sigstop")
        data = armed(hand, wish)
        assert Undo.from_data(data["undo"]) == Undo.resume(target)
        before = hand.look(target)
        assert hand.inject(*wish.key) == f"SIGSTOP to process {target.pid}"
        until(lambda: prove("hang", wish.how, before=before, now=hand.look(target)) != "")
        assert hand.undo(*wish.key) == "resumed"
        assert not is_stopped(target)
        assert hand.undo(*wish.key) == "nothing of it is here", "a second undo changes nothing"


def test_a_crash_is_proven_by_the_kernel(hand: Hand) -> None:
    with sleeper() as target:
        wish = order("crash", target, how="sigkill")
        armed(hand, wish)
        before = hand.look(target)
        hand.inject(*wish.key)
        until(lambda: prove("crash", wish.how, before=before, now=hand.look(target)) != "")
        hand.undo(*wish.key)
        assert not is_alive(target)


def test_nothing_is_injected_once_its_lease_is_over_or_chaos_is_halted(hand: Hand) -> None:
    with sleeper() as target:
        late = order("crash", target, lease_s=0.0)
        armed(hand, late)
        with pytest.raises(FaultRefusedError, match="its lease is over"):
            hand.inject(*late.key)
        hand.undo(*late.key)
        wish = order("hang", target)
        armed(hand, wish)
        hand.halt(Halted(who="ann", why="enough"))
        with pytest.raises(FaultRefusedError, match="chaos is halted"):
            hand.inject(*wish.key)
        assert hand.introduce().halted == "ann: enough"
        hand.halt(None)
        hand.undo(*wish.key)
        assert is_alive(target)
        assert not is_stopped(target)


def test_nothing_is_injected_once_its_watchdog_is_gone(hand: Hand) -> None:
    with sleeper() as target:
        wish = order("hang", target)
        armed(hand, wish)
        watchdog = hand.watchdog_of(*wish.key)
        assert watchdog is not None
        os.kill(watchdog, signal.SIGKILL)
        until(lambda: not is_alive(identify(watchdog)))
        with pytest.raises(FaultRefusedError, match="its watchdog is gone"):
            hand.inject(*wish.key)
        assert not is_stopped(target)
        hand.undo(*wish.key)


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ({"resource": "memory", "amount": 0.01, "leave_mb": 64.0}, "MiB of memory"),
        ({"resource": "files", "amount": 1.0, "leave_mb": 0.0}, "files may be opened"),
    ],
)
def test_what_runs_out_is_proven_by_the_kernel_and_given_back(hand: Hand, how: dict[str, Any], seen: str) -> None:
    with sleeper() as target:
        wish = order("exhaustion", target, **how)
        allowed = limit_of("files", target)
        undo = Undo.from_data(armed(hand, wish)["undo"])
        before = hand.look(target, "", wish.key)
        assert prove("exhaustion", how, before=before, now=hand.look(target, "", wish.key)) == ""
        hand.inject(*wish.key)
        until(lambda: seen in prove("exhaustion", how, before=before, now=hand.look(target, "", wish.key)))
        hand.undo(*wish.key)
        assert limit_of("files", target) == allowed
        if undo.kind == "kill":
            assert not is_alive(ProcessIdentity(undo.pid, undo.started_ticks))


def test_a_shared_disk_is_full_for_the_log_alone(hand: Hand, tmp_path: Path) -> None:
    """Nobody else's file is kept from growing, and no ballast is laid."""
    how: dict[str, Any] = {"resource": "disk", "amount": 1.0, "leave_mb": 0.0}
    (tmp_path / "log.wal").write_bytes(b"x" * 100)
    with sleeper() as target:
        wish = replace(order("exhaustion", target, **how), folder=str(tmp_path))
        undo = Undo.from_data(armed(hand, wish)["undo"])
        assert undo == Undo.allow("size", target, -1)
        before = hand.look(target, str(tmp_path))
        hand.inject(*wish.key)
        assert limit_of("size", target) == 100
        assert "MiB of disk are free" in prove("exhaustion", how, before=before, now=hand.look(target, str(tmp_path)))
        hand.undo(*wish.key)
        assert limit_of("size", target) == -1


def test_a_processor_is_burned_and_given_back(hand: Hand) -> None:
    wish = order("exhaustion", None, resource="cpu", amount=0.5, leave_mb=0.0)
    undo = Undo.from_data(armed(hand, wish)["undo"])
    burner = ProcessIdentity(undo.pid, undo.started_ticks)
    assert is_alive(burner), "it is there, and does nothing yet"
    assert "takes cpu" in hand.inject(*wish.key)
    until(lambda: (hand.look(None, "", wish.key).cpu_taken or 0.0) > 0.0)
    hand.undo(*wish.key)
    assert not is_alive(burner)


def test_a_successor_finds_what_it_needs_in_the_ledger(hand: Hand) -> None:
    with sleeper() as target:
        wish = order("hang", target)
        assert hand.begin("r", "an experiment", Ground(names=("child/cart",)), 1, (1, 2, "elsewhere")) == ""
        assert "1 experiments may run" in hand.begin("s", "another", Ground(), 1, (1, 2, "elsewhere"))
        hand.append([Entry(run="r", step="arming", fault=wish.fault_id, data=armed(hand, wish))])
        hand.inject(*wish.key)
        until(lambda: is_stopped(target))
        cleared = hand.clear(["r"])
        assert cleared.runs == ("r",)
        assert not is_stopped(target), "its host is written beside its undo, so a runner elsewhere does not matter"
        assert hand.runs()["r"].verdict == "aborted"
        hand.undo(*wish.key)


def test_a_stop_is_a_flag_of_one_run(hand: Hand) -> None:
    assert hand.stopped("r") is None
    hand.stop("r", Halted(who="ann", why="enough"))
    assert hand.stopped("r") == Halted(who="ann", why="enough")
    assert hand.stopped("s") is None
    hand.forget_stop("r")
    assert hand.stopped("r") is None


def test_what_has_no_process_to_stop_leaves_nothing_to_undo_here(hand: Hand) -> None:
    """A dependency hangs for its callers; what lasts as long as Ray does is on until then."""
    calls = replace(order("hang", None, how="sigstop"), spot=Spot(name="dependency/x", kind="dependency"))
    assert Undo.from_data(armed(hand, calls)["undo"]) == Undo()
    assert hand.watchdog_of(*calls.key) is None
    with sleeper() as raylet:
        spot = Spot(name="rpc/cluster", kind="rpc", process=raylet)
        lasting = replace(order("latency", None, delay_s=1), fault_id="0.1.rpc/cluster", spot=spot)
        assert Undo.from_data(armed(hand, lasting)["undo"]) == Undo.outlast(raylet)
        assert hand.watchdog_of(*lasting.key) is None
        with pytest.raises(OSError, match="until the cluster ends"):
            hand.undo(*lasting.key)
