"""Ray's own calls are lost or late from the start of an embedded cluster on, and in the next one they are not.

An experiment with such a fault proves it by what callers met, and never says that it is over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.model.lasting import LASTS
from experiments.model.writing import dump_experiment
from tests.command import supervisor_command
from tests.ray_local.trials import brief

PROGRAM = """
import json
import statistics
import time

import ray

from supervisor import doctor, launch
from supervisor.rpc_faults import RpcDelay, RpcLoss

PUSH = "CoreWorkerService.grpc_{}.PushTask"
CALLS = 60


@ray.remote
class Counter:
    def __init__(self):
        self.runs = 0

    def run(self):
        self.runs += 1

    def total(self):
        return self.runs


def look(*faults):
    cluster = launch.start_embedded(rpc_faults=faults)
    counter = Counter.remote()
    errors, took_s = [], []
    for _ in range(CALLS):
        begun = time.perf_counter()
        try:
            ray.get(counter.run.remote())
        except ray.exceptions.RayError as error:
            errors.append(type(error).__name__)
        took_s.append(time.perf_counter() - begun)
    while True:
        try:
            ran = ray.get(counter.total.remote())
            break
        except ray.exceptions.ActorUnavailableError:
            continue
    told = doctor.has_rpc_faults()
    cluster.leave()
    return {"told": told, "errors": errors, "ran": ran, "typical_s": statistics.median(took_s)}


print(json.dumps({
    "requests": look(RpcLoss(call=PUSH.format("client"), request_percent=40)),
    "replies": look(RpcLoss(call=PUSH.format("client"), reply_percent=40)),
    "late": look(RpcDelay(call=PUSH.format("server"), least_s=0.05, most_s=0.06)),
    "none": look(),
}))
"""
CALLS = 60

pytestmark = pytest.mark.soak  # four starts of Ray


def test_requests_and_replies_are_lost_and_calls_are_late_only_where_that_was_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert {what: look["told"] for what, look in found.items()} == {
        "requests": True,
        "replies": True,
        "late": True,
        "none": False,
    }
    for what in ("requests", "replies"):
        assert 5 < len(found[what]["errors"]) < CALLS - 5, found
        assert set(found[what]["errors"]) == {"ActorUnavailableError"}
    assert found["requests"]["ran"] == CALLS - len(found["requests"]["errors"]), "what never arrived has not run"
    assert found["replies"]["ran"] == CALLS, "what was not answered has run"
    assert found["late"]["errors"] == []
    assert found["late"]["typical_s"] >= 0.05
    assert found["none"]["errors"] == []
    assert found["none"]["typical_s"] < 0.05


RPC: dict[str, dict[str, Any]] = {
    "latency": {"fault": "latency", "delay_s": 0.05},
    "call": {"fault": "unavailable", "lost": "call", "share": 0.2},
    "request": {"fault": "unavailable", "lost": "request", "share": 0.2},
    "reply": {"fault": "unavailable", "lost": "reply", "share": 0.2},
}


@pytest.mark.parametrize("way", RPC)
def test_an_experiment_says_that_its_fault_goes_on_until_the_cluster_ends(tmp_path: Path, way: str) -> None:
    whole = brief("kill-worker", safety={"ephemeral": True}, limits={})
    (step,) = whole.method
    provider = step.provider.model_copy(update={"arguments": {**RPC[way], "target": {"kind": "rpc"}}})
    assert whole.hypothesis is not None
    # Without the probe that asks each worker by one call: that may be lost, too.
    belief = whole.hypothesis.model_copy(update={"probes": whole.hypothesis.probes[:3]})
    method = (step.model_copy(update={"provider": provider}),)
    lost = whole.model_copy(update={"method": method, "hypothesis": belief})
    (tmp_path / "rpc.yaml").write_text(dump_experiment(lost), encoding="utf-8")
    done = subprocess.run(
        [*supervisor_command(), "chaos", "run", "rpc.yaml", "--json"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    journal = json.loads(done.stdout)
    (own,), (step_told,) = journal["extensions"], journal["run"]
    fault = "latency" if way == "latency" else "unavailable"
    assert own["verdict"] == "held"
    assert f"{fault} of rpc/cluster was on before the first round, and {LASTS}" in own["reasons"]
    assert any(reason.startswith("still on: 0.1.rpc/cluster") for reason in own["reasons"])
    assert own["numbers"]["median latency shift, s"] is None, "there is no time without it"
    assert (step_told["output"]["undone_at_s"], step_told["output"]["loss"]) == (None, LASTS)
    assert step_told["output"]["evidence"]
