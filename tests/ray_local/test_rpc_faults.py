"""Ray's own calls are lost or late from the start of an embedded cluster on, and in the next one they are not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

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
