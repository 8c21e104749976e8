"""An experiment in which all went well; tests change one thing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.checker import Effect, Ended, Submitted, check
from experiments.judging.facts import CallFact, FaultFact, Observations, ProbeFact
from experiments.judging.ranks import compare
from experiments.model.experiment import Chaos


def probe(when: Any, held: bool | None = True, name: str = "whole") -> ProbeFact:
    return ProbeFact(name=name, when=when, at_s=0.0, held=held, why="3, 3 is expected")


CALLS = tuple(
    CallFact(n / 10, 0.01 + 0.0001 * (n % 7), True, phase) for phase in ("baseline", "fault") for n in range(30)
)
FAULT = FaultFact(
    fault_id="0.1.worker/w0",
    fault="crash",
    target="worker/w0",
    injected_at_s=3.0,
    undone_at_s=8.0,
    evidence="pid 7 is gone from /proc",
    detected_at_s=3.02,
    detected_by="children/41",
    recovered_at_s=4.0,
    recovered_by="children/43",
)


def good(**changed: Any) -> Observations:
    whole = Observations(
        probes=(probe("before"), probe("during"), probe("after")),
        faults=(FAULT,),
        calls=CALLS,
        checked=check([Submitted("a"), Effect("a", "t"), Ended("a", True, "t")]),
        shift=compare([call.duration_s for call in CALLS[:30]], [call.duration_s for call in CALLS[30:]]),
        invariants_seen=True,
    )
    return replace(whole, **changed)


def chaos(**changed: Any) -> Chaos:
    return Chaos.parse(changed, source="t")
