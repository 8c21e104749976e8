"""Experiments on several nodes."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from actors.runtime.process import ProcessIdentity, evidence
from experiments.hands.hands import Hands
from experiments.model.experiment import Experiment
from experiments.model.loading import load_experiment
from experiments.report.run import RunReport
from experiments.running.books import standing
from experiments.running.survey import survey
from supervisor import Supervisor
from tests.ray_cluster.nodes import Nodes, eventually

CHAOS = {"safe_mode": False, "ephemeral": True, "experiments_max": 2}
OTHERS = 2
_POOL = {"size": 4, "standbys": 1, "intensity": 100, "heartbeat_s": 0.5, "hang_timeout_s": 60.0}


@contextmanager
def laboratory(log: str) -> Generator[Supervisor]:
    config = {"pools": {"default": _POOL}, "log": {"path": str(Path(log) / "events.duckdb")}, "chaos": CHAOS}
    with Supervisor.start(config, name="lab") as sup:
        try:
            eventually(lambda: len(_workers(sup)) >= _POOL["size"] and len(_nodes_of(sup)) > 1)
            yield sup
        finally:
            sup.shutdown()


def _workers(sup: Supervisor) -> list[ProcessIdentity]:
    return [spot.process for spot in survey(sup).spots.values() if spot.kind == "worker" and spot.process]


def _nodes_of(sup: Supervisor) -> set[str]:
    return {spot.node_id for spot in survey(sup).spots.values() if spot.kind == "worker" and spot.node_id}


def _elsewhere(sup: Supervisor) -> str:
    here = str(ray.get_runtime_context().get_node_id())
    return min(_nodes_of(sup) - {here})


def _changed(name: str, **changes: Any) -> Experiment:
    """An experiment of the library with other bounds."""
    whole = load_experiment(name)
    chaos = type(whole.chaos).parse(whole.chaos.model_dump() | changes, source=name)
    return whole.model_copy(update={"chaos": chaos})


def _aimed(name: str, target: dict[str, Any], **changes: Any) -> Experiment:
    """The same with other targets."""
    whole = _changed(name, **changes)
    return _with(whole, whole.method[0].provider.arguments | {"target": target})


def _with(whole: Experiment, fault: dict[str, Any]) -> Experiment:
    """The same with another fault."""
    (step,) = whole.method
    changed = step.model_copy(update={"provider": step.provider.model_copy(update={"arguments": fault})})
    return whole.model_copy(update={"method": (changed,)})


def node_killed(nodes: Nodes, log: str, seed: int) -> dict[str, Any]:
    """The library's kill-node: it finds a node that may be lost by itself. What an earlier one took is made up for."""
    here = str(ray.get_runtime_context().get_node_id())
    while sum(map(nodes.is_alive, nodes.others)) < OTHERS:
        nodes.add()
    with laboratory(log) as sup:
        report = sup.chaos.run(_changed("kill-node", load={"tasks": 300, "per_s": 50}, settle_s=5), seed=seed)
        (hit,) = (hit for fault in report.plan.faults for hit in fault.hits)
        return {
            "verdict": report.verdict.kind,
            "reasons": list(report.verdict.reasons),
            "evidence": [fault.evidence for fault in report.seen.faults],
            "elsewhere": hit.node != here and hit.node in {node.node_id for node in nodes.others},
        }


def node_hung(nodes: Nodes, log: str) -> dict[str, Any]:
    """A node stands still for longer than Ray bears it; its watchdog, on that node, lets it go on."""
    raylets = {node.node_id: nodes.raylet_of(node) for node in nodes.others}
    with laboratory(log) as sup:
        hang = {"fault": "hang", "target": {"kind": "node", "group": "others", "count": 1}, "lease_s": 8}
        report = sup.chaos.run(_with(_changed("kill-node", load={"tasks": 300, "per_s": 50}, settle_s=5), hang))
        (hit,) = (hit for fault in report.plan.faults for hit in fault.hits)
        eventually(lambda: not _is_stopped(raylets[hit.node]))
        return {
            "verdict": report.verdict.kind,
            "reasons": list(report.verdict.reasons),
            "evidence": [fault.evidence for fault in report.seen.faults],
            "active": sup.chaos.active(),
        }


def halted_elsewhere(nodes: Nodes, log: str) -> dict[str, Any]:
    """A worker on another node hangs for longer than the test lasts: whoever halts is answered that nothing is on."""
    del nodes
    with laboratory(log) as sup:
        reports: list[RunReport] = []
        aimed = _aimed("hang-worker", {"kind": "worker", "count": 1, "node": _elsewhere(sup)}, lease_s=40)
        running = threading.Thread(target=lambda: reports.append(sup.chaos.run(aimed)))
        running.start()
        workers = _workers(sup)
        eventually(lambda: bool(reports) or any(map(_is_stopped, workers)))
        assert not reports, f"it did not get so far: {reports[0].verdict}"
        try:
            left = sup.chaos.halt(why="enough")
            stopped = sum(map(_is_stopped, workers))
            running.join(30)
        finally:
            sup.chaos.resume()  # the next scene plays on the same nodes
        return {
            "left": list(left),
            "stopped": stopped,
            "verdict": reports[0].verdict.kind,
        }


def runner_killed(nodes: Nodes, log: str) -> dict[str, Any]:
    """The runner dies while a worker on another node hangs: nothing is left on there, and its successor tells."""
    from tests.ray_local.doomed import Moment, doomed  # noqa: PLC0415 - its actor is made here

    del nodes
    with laboratory(log) as sup:
        aimed = _aimed("hang-worker", {"kind": "worker", "count": 1, "node": _elsewhere(sup)}, lease_s=6)
        workers = _workers(sup)
        runner = doomed()
        ref = runner.perform.remote(sup.name, aimed, "doomed-run", Moment("behind", "proven"), itself=True)
        died = False
        try:
            ray.get(ref, timeout=60)
        except RayError:
            died = True
        eventually(lambda: not any(map(_is_stopped, workers)), 7.5)
        sup.chaos.clear()
        hands = Hands(sup.name)
        try:
            seen, _ = standing(hands)
        finally:
            hands.close()
        run = seen.runs["doomed-run"]
        return {
            "died": died,
            "active": len(run.active),
            "verdict": run.verdict,
            "ledgers": len(seen.places["doomed-run"]),
        }


def _is_stopped(worker: ProcessIdentity) -> bool:
    return evidence(worker, 0.0).state in ("T", "t")
