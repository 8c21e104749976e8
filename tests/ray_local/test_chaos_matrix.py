"""Each cell of the matrix of faults and targets: injected, seen by something else than its injector, and undone.

Each goes through the driver, as Chaos Toolkit does it: that fails what is not shown to have acted. What needs a cluster
of its own is tested where that is: see `ELSEWHERE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from experiments import driver
from experiments.faults.undo import Undo, is_undone
from experiments.hands.hands import Hands
from experiments.ledger.entry import Entry
from experiments.model.matrix import CELLS, FaultKind
from experiments.model.selector import TargetKind
from experiments.running.attached import AttachedCluster
from experiments.running.points import ids_of, take_everywhere
from supervisor import Supervisor
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S
from tests.ray_local.stirring import BREAKER, CHILD, HOST, stirred
from tests.ray_local.trials import brief, lives
from tests.unit.model.cells import fields_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]
LEASE_S = 4.0

ELSEWHERE: dict[tuple[FaultKind, str], tuple[TargetKind, ...]] = {
    ("crash", "sigkill"): ("injector", "node"),
    ("hang", "sigstop"): ("node", "gcs"),
    ("latency", "delay"): ("rpc",),
    ("unavailable", "call"): ("rpc",),
    ("unavailable", "request"): ("rpc",),
    ("unavailable", "reply"): ("rpc",),
}
"""The library's injector-killed and gcs-pause; nodes in tests/ray_cluster/test_chaos.py; RPC in test_rpc_faults.py."""

NAMES = {"child": CHILD, "breaker": BREAKER, "dependency": HOST, "node": "head"}
HERE = [
    (fault, way, target)
    for (fault, way), targets in CELLS.items()
    for target in sorted(targets)
    if target not in ELSEWHERE.get((fault, way), ())
]
AT_POINTS = ("latency", "error", "unavailable")


@pytest.fixture(scope="module")
def attached(lab: Supervisor) -> Iterator[AttachedCluster]:
    wide = {"ephemeral": True, "blast_radius": {"targets": 100, "share": 1}}
    with stirred(lab):
        made = AttachedCluster(
            Supervisor.connect(lab.name),
            brief("kill-worker", settle_s=0.0, deadline_s=3_000, safety=wide, load={"tasks": 1, "per_s": 1}),
        )
        driver.connect(made)
        yield made
        driver.disconnect()


def test_all_cells_are_tested_somewhere() -> None:
    assert {(fault, way) for fault, way in ELSEWHERE} <= set(CELLS)
    assert all(set(targets) <= CELLS[cell] for cell, targets in ELSEWHERE.items())


@pytest.mark.parametrize(("fault", "way", "target"), HERE)
def test_it_acts_and_is_undone(
    lab: Supervisor, attached: AttachedCluster, fault: FaultKind, way: str, target: TargetKind
) -> None:
    assert wait_until(lambda: _whole(lab), PATIENCE_S)
    before = lives(lab)
    fields = fields_of(fault, way) | ({"leave_mb": 0} if way in ("memory", "disk") else {})
    del fields["fault"]
    aimed = {"kind": target, "name": NAMES.get(target, "*"), "count": 1}
    told = driver.inject(fault, aimed, lease_s=LEASE_S, **fields)
    ((fault_id, evidence),) = told["evidence"].items()
    assert any(words in evidence for words in _expected(fault, way, target)), evidence
    (hit,) = told["hits"]
    assert lab.chaos.active() == {}
    assert take_everywhere(lab.name, ids_of(told["run"], fault_id)) == 0, "it is in no process any more"
    assert all(is_undone(undo) for undo in _undos(lab, told["run"]))
    if fault == "crash" and target != "supervisor":
        assert wait_until(lambda: lives(lab).get(hit, 0) > before[hit], PATIENCE_S), "it lives again"
    assert wait_until(lambda: _whole(lab), PATIENCE_S)


def _expected(fault: FaultKind, way: str, target: TargetKind) -> tuple[str, ...]:
    """What is to have seen it."""
    if fault in AT_POINTS or way == "block" or target == "dependency":
        return ("calls met it, as the point that they passed counted",)
    return {
        "cpu": ("of the processors to what is to burn them", "idle time fell"),
        "memory": ("MiB of memory for what is to take it",),
        "disk": ("MiB of disk are free",),
        "files": ("files may be opened",),
        "sigstop": ("its state in /proc is T",),
    }.get(way, ("its process is gone from /proc",))


def _undos(lab: Supervisor, run: str) -> list[Undo]:
    """How its faults were to be undone, as it was written down."""
    hands = Hands(lab.name)
    try:
        entries: list[Entry] = hands.own.entries(run)
    finally:
        hands.close()
    return [Undo.from_data(entry.data["undo"]) for entry in entries if entry.step == "arming"]


def _whole(lab: Supervisor) -> bool:
    with suppress(Exception):
        return all(child.status == "running" for child in lab.status().tree)
    return False
