"""A fault is proven by what others saw, and by nothing that its injector says."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.faults.proof import Sight, prove
from experiments.model.faults import FAULTS

CALM = Sight(
    alive=True,
    listed=True,
    state="S",
    cpu_idle=0.9,
    memory_taken_mb=9.0,
    memory_asked_mb=4000.0,
    disk_free_mb=1000.0,
    files_free=1000,
    calls=100,
    calls_failed=0,
    typical_s=0.01,
    effects_without_reply=0,
)


@pytest.mark.parametrize(
    ("fault", "how", "now", "evidence"),
    [
        ("crash", {}, {"alive": False}, "its process is gone from /proc"),
        ("crash", {}, {"listed": False}, "its node has ended in Ray's table"),
        ("hang", {"how": "sigstop"}, {"state": "T"}, "its state in /proc is T"),
        ("hang", {"how": "block"}, {"calls": 100}, "no call of it has ended since"),
        ("latency", {"delay_s": 1.0}, {"typical_s": 1.2}, "calls take 1.19 s longer"),
        ("error", {}, {"calls_failed": 3}, "3 calls have failed since"),
        ("unavailable", {"lost": "call"}, {"calls_failed": 2}, "2 calls have failed since"),
        ("unavailable", {"lost": "reply"}, {"effects_without_reply": 4}, "4 effects whose callers got no answer"),
        ("exhaustion", {"resource": "cpu", "amount": 0.9}, {"cpu_idle": 0.1}, "idle time fell from 90% to 10%"),
        (
            "exhaustion",
            {"resource": "memory", "amount": 0.5, "leave_mb": 512},
            {"memory_taken_mb": 4009.0},
            "the kernel counts 4,000 MiB of memory for what is to take it",
        ),
        (
            "exhaustion",
            {"resource": "disk", "amount": 1.0, "leave_mb": 0},
            {"disk_free_mb": 0.0},
            "0 MiB of disk are free",
        ),
        ("exhaustion", {"resource": "files", "amount": 1.0}, {"files_free": 10}, "10 files may be opened"),
    ],
)
def test_each_fault_is_shown_by_its_own_sight(
    fault: Any, how: dict[str, Any], now: dict[str, Any], evidence: str
) -> None:
    fields = {name: getattr(CALM, name) for name in Sight.__dataclass_fields__}
    assert prove(fault, how, before=CALM, now=Sight(**(fields | now))).startswith(evidence)
    if how.get("how") != "block":
        assert prove(fault, how, before=CALM, now=CALM) == "", "a no-op injector proves nothing"
    assert prove(fault, how, before=CALM, now=Sight()) == "", "what was not looked at proves nothing"


def test_memory_that_others_take_proves_nothing_and_what_they_give_back_hides_nothing() -> None:
    how = {"resource": "memory", "amount": 0.5, "leave_mb": 512}
    idle = Sight(memory_taken_mb=9.0, memory_asked_mb=4000.0)
    assert prove("exhaustion", how, before=idle, now=Sight(memory_taken_mb=9.0, memory_asked_mb=4000.0)) == ""
    assert prove("exhaustion", how, before=idle, now=Sight(memory_taken_mb=500.0, memory_asked_mb=4000.0)) == ""
    assert prove("exhaustion", how, before=idle, now=Sight(memory_taken_mb=3500.0, memory_asked_mb=4000.0))


def test_a_point_that_has_counted_proves_its_fault() -> None:
    met = Sight(met=3)
    assert prove("latency", {"delay_s": 1.0}, before=Sight(met=0), now=met).startswith("3 calls met it")
    assert prove("latency", {"delay_s": 1.0}, before=Sight(met=3), now=met) == "", "it was so before"


@pytest.mark.parametrize("fault", FAULTS)
def test_where_nothing_was_seen_before_nothing_is_proven(fault: Any) -> None:
    gone = Sight(
        alive=False, state="", cpu_idle=0.0, memory_taken_mb=9e3, memory_asked_mb=1.0, calls_failed=9, typical_s=9.0
    )
    how = {"resource": "memory", "amount": 0.5, "delay_s": 1.0}
    assert prove(fault, how, before=Sight(), now=gone) == ""
