"""What travels between processes on a real Ray, and what is said of what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
import ray

from supervisor import (
    Policy,
    Retry,
    Supervisor,
    TaskPayloadError,
)
from tests.ray_local.workload import (
    ONCE,
    TwoArgumentsError,
    UnloadableResult,
    double,
    raise_two_arguments,
)

# -- what travels ------------------------------------------------------------------------------------------------------


def make_ref(number: int) -> dict[str, Any]:
    return {"deep": [ray.put({"number": number, "bulk": bytes(200_000)})]}


def number_in(nested: dict[str, Any]) -> int:
    found: Any = ray.get(nested["deep"][0])
    return found["number"]


def test_object_refs_deep_in_arguments_and_results_stay_alive(shared: Supervisor):
    mine = [ray.put({"number": n, "bulk": bytes(200_000)}) for n in range(5)]
    waiting = [shared.submit(number_in, {"deep": [ref]}) for ref in mine]
    del mine
    assert [future.result(timeout=30) for future in waiting] == list(range(5))
    theirs = [shared.submit(make_ref, n).result(timeout=30) for n in range(5)]
    passed_on = [shared.submit(number_in, nested) for nested in theirs]
    assert [future.result(timeout=30) for future in passed_on] == list(range(5))


def test_what_does_not_travel_is_named_and_harms_nothing_else(shared: Supervisor):
    lock = threading.Lock()

    def closes_over() -> object:
        return lock

    good = [shared.submit(double, n) for n in range(50)]
    with pytest.raises(TaskPayloadError, match="closes_over"):
        shared.submit(closes_over)
    with pytest.raises(TaskPayloadError, match=r"arguments for .*double"):
        shared.submit(double, lock)
    with pytest.raises(TaskPayloadError, match="cannot be called"):
        shared.submit("double")  # type: ignore[arg-type] - the mistake under test
    results = [shared.submit(threading.Lock), shared.submit(double, 7), shared.submit(lambda: (n for n in "ab"))]
    for future in (results[0], results[2]):
        with pytest.raises(TaskPayloadError, match=f"{future.task_id}: its result"):
            future.result(timeout=30)
    assert results[1].result(timeout=30) == 14
    with pytest.raises(TaskPayloadError, match="result"):
        shared.submit(UnloadableResult).result(timeout=30)
    assert [future.result(timeout=30) for future in good] == [2 * n for n in range(50)]


def test_an_exception_that_does_not_load_as_it_is_arrives_whole_and_is_tried_again_on(shared: Supervisor):
    twice = Policy(retry=Retry(attempts=2, on=(TwoArgumentsError,), min_s=0.01))
    future = shared.options(policy=twice).submit(raise_two_arguments)
    with pytest.raises(TwoArgumentsError, match="7: no luck"):
        future.result(timeout=30)
    assert future.attempts == 2


def test_sys_exit_in_a_task_is_its_outcome_and_spares_the_worker(shared: Supervisor, family_of: Any):
    before = family_of(shared).workers()
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        shared.options(policy=Policy(retry=ONCE)).submit(sys.exit, 3).result(timeout=30)
    assert shared.submit(double, 1).result(timeout=30) == 2
    assert family_of(shared).workers() == before


DRIVER = """
import json, sys
import strange
from supervisor import Policy, Supervisor

class Point:
    def __init__(self, x):
        self.x = x

def shift(point, by):
    return Point(point.x + by)

name, address = sys.argv[1:]
with Supervisor.connect(name, address=address) as sup:
    moved = sup.submit(shift, Point(1), 4).result(timeout=60)
    parts = [sup.submit(strange.half, strange.Whole(n)).result(timeout=60).value for n in (2, 4)]
    futures = [sup.submit(strange.half, strange.Whole(n)) for n in range(200)]
    many = [future.result(timeout=60).value for future in futures]
    wrong = None
    try:
        sup.submit(strange.fail).result(timeout=60)
    except strange.StrangeError as error:
        wrong = str(error)
    print(json.dumps({"moved": moved.x, "kind": type(moved) is Point, "parts": parts, "many": many, "wrong": wrong}))
"""

STRANGE = """
HALF = 2

class Whole:
    def __init__(self, value):
        self.value = value

class Part:
    def __init__(self, value):
        self.value = value

class StrangeError(Exception):
    pass

def half(whole):
    return Part(whole.value / HALF)

def fail():
    raise StrangeError("as asked")
"""


def test_another_process_submits_what_only_it_can_import(shared: Supervisor, tmp_path: Path):
    modules = tmp_path / "only_here"
    modules.mkdir()
    (modules / "strange.py").write_text(STRANGE)
    driver = tmp_path / "driver.py"
    driver.write_text(textwrap.dedent(DRIVER))
    address = ray.get_runtime_context().gcs_address
    ended = subprocess.run(
        [sys.executable, str(driver), shared.name, address],
        env=os.environ | {"PYTHONPATH": str(modules)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout.splitlines()[-1])
    assert seen == {
        "moved": 5,
        "kind": True,
        "parts": [1.0, 2.0],
        "many": [n / 2 for n in range(200)],
        "wrong": "as asked",
    }
