"""What was not measured is None, never a good number."""

from __future__ import annotations

from experiments.judging.facts import CallFact, FaultFact, Observations


def fault(injected: float | None = 1.0, detected: float | None = 1.5, recovered: float | None = 3.0) -> FaultFact:
    return FaultFact(
        fault_id="f",
        fault="crash",
        target="t",
        injected_at_s=injected,
        detected_at_s=detected,
        recovered_at_s=recovered,
    )


def test_times_run_from_the_injection() -> None:
    assert (fault().detect_s, fault().recover_s) == (0.5, 2.0)
    assert (fault(injected=None).detect_s, fault(recovered=None).recover_s) == (None, None)
    assert Observations(faults=(fault(), fault(recovered=9.0))).worst("recover_s") == 8.0
    assert Observations(faults=(fault(), fault(recovered=None))).worst("recover_s") is None
    assert Observations(faults=(fault(injected=None),)).worst("detect_s") is None


def test_shares_are_of_those_attempted() -> None:
    calls = tuple(CallFact(0.0, 0.1, ok, "fault") for ok in (True, True, False, True))
    seen = Observations(calls=calls)
    assert (seen.failed, seen.error_share, seen.budget(0.5)) == (1, 0.25, 0.5)
    assert (Observations().error_share, Observations().budget(0.5)) == (None, None)
    assert len(seen.in_phase("fault")) == 4
