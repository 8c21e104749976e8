"""Experiments on several nodes."""

from __future__ import annotations

import threading
import time
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
_POOL = {"size": 4, "standbys": 1, "intensity": 100, "heartbeat_s": 0.5, "hang_timeout_s": 60.0}


@contextmanager
def laboratory(log: str) -> Generator[Supervisor]:
    config = {"pools": {"default": _POOL}, "log": {"path": str(Path(log) / "events.duckdb")}, "chaos": CHAOS}
    with Supervisor.start(config, name="lab") as sup:
        try:
            eventually(lambda: len(_nodes_of(sup)) > 1)
            yield sup
        finally:
            sup.shutdown()


def _nodes_of(sup: Supervisor) -> set[str]:
    return {spot.node_id for spot in survey(sup).spots.values() if spot.kind == "worker" and spot.node_id}


def _elsewhere(sup: Supervisor) -> str:
    here = str(ray.get_runtime_context().get_node_id())
    return min(_nodes_of(sup) - {here})


def _aimed(name: str, target: dict[str, Any], **changes: Any) -> Experiment:
    """An experiment of the library with other targets."""
    whole = load_experiment(name)
    (step,) = whole.method
    arguments = step.provider.arguments | {"target": target}
    aimed = step.model_copy(update={"provider": step.provider.model_copy(update={"arguments": arguments})})
    chaos = type(whole.chaos).parse(whole.chaos.model_dump() | changes, source=name)
    return whole.model_copy(update={"method": (aimed,), "chaos": chaos})


def node_killed(nodes: Nodes, log: str) -> dict[str, Any]:
    """The library's kill-node, aimed at a node that has workers."""
    del nodes
    with laboratory(log) as sup:
        victim = _elsewhere(sup)
        load = {"tasks": 300, "per_s": 50}
        report = sup.chaos.run(_aimed("kill-node", {"kind": "node", "name": victim[:12]}, load=load, settle_s=5))
        return {
            "verdict": report.verdict.kind,
            "reasons": list(report.verdict.reasons),
            "evidence": [fault.evidence for fault in report.seen.faults],
        }


def halted_elsewhere(nodes: Nodes, log: str) -> dict[str, Any]:
    """A worker on another node hangs; halt ends that within two seconds, and the watchdog was on that node."""
    del nodes
    with laboratory(log) as sup:
        reports: list[RunReport] = []
        aimed = _aimed("hang-worker", {"kind": "worker", "count": 1, "node": _elsewhere(sup)}, lease_s=40)
        running = threading.Thread(target=lambda: reports.append(sup.chaos.run(aimed)))
        running.start()
        workers = [spot.process for spot in survey(sup).spots.values() if spot.kind == "worker" and spot.process]
        eventually(lambda: any(map(_is_stopped, workers)))
        begun = time.monotonic()
        left = sup.chaos.halt(why="enough")
        took_s = time.monotonic() - begun
        running.join(30)
        sup.chaos.resume()
        return {
            "left": list(left),
            "stopped": sum(map(_is_stopped, workers)),
            "verdict": reports[0].verdict.kind,
            "in_time": took_s <= 2.0,
            "took_s": round(took_s, 2),
        }


def runner_killed(nodes: Nodes, log: str) -> dict[str, Any]:
    """The runner dies while a worker on another node hangs: nothing is left on there, and its successor tells."""
    from tests.ray_local.doomed import doomed  # noqa: PLC0415 - its actor is made here

    del nodes
    with laboratory(log) as sup:
        aimed = _aimed("hang-worker", {"kind": "worker", "count": 1, "node": _elsewhere(sup)}, lease_s=6)
        workers = [spot.process for spot in survey(sup).spots.values() if spot.kind == "worker" and spot.process]
        runner = doomed()
        ref = runner.perform.remote(sup.name, aimed, "doomed-run", "proven", itself=True)
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
