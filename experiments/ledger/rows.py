"""A run as rows of the event log, with one trace for the experiment: a root span, and one for each fault. Pure.

Ids of the trace follow from the run's name, so that runner, watchdog and successor write into one trace without asking.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.judging.facts import FaultFact, Observations
    from experiments.judging.verdict import Verdict
    from experiments.ledger.entry import Entry
    from experiments.planning.plan import Plan

RUNS = "recorded_experiments"
EVENTS = "chaos_experiment_events"
SPANS = "recorded_spans"

Row = tuple[Any, ...]
_US = 1_000_000


def trace_of(run: str) -> int:
    """The trace of a run."""
    return int.from_bytes(blake2b(run.encode(), digest_size=16).digest()) or 1


def span_of(run: str, fault_id: str = "") -> int:
    """The span of a run, or of one of its faults."""
    return int.from_bytes(blake2b(f"{run}\0{fault_id}".encode(), digest_size=8).digest()) or 1


def began(run: str, plan: Plan, *, runner: str, at_us: int) -> tuple[str, Row]:
    """A run begins: table and row."""
    return RUNS, (
        run,
        plan.experiment,
        "running",
        None,
        None,
        None,
        plan.seed,
        plan.digest(),
        json.dumps(sorted(plan.targets)),
        int(plan.safe_mode),
        None,
        runner,
        at_us,
        trace_of(run),
        span_of(run),
    )


def ended(  # noqa: PLR0913 - one argument for each source of columns
    run: str,
    plan: Plan,
    verdict: Verdict,
    numbers: dict[str, float | None],
    *,
    runner: str,
    began_us: int,
    at_us: int,
) -> list[tuple[str, Row]]:
    """A run has ended: its row, and the root span of its trace."""
    trace_id, span_id = trace_of(run), span_of(run)
    row = (
        run,
        plan.experiment,
        "ended",
        verdict.kind,
        verdict.score,
        json.dumps(verdict.reasons),
        plan.seed,
        plan.digest(),
        json.dumps(sorted(plan.targets)),
        int(plan.safe_mode),
        json.dumps(numbers),
        runner,
        at_us,
        trace_id,
        span_id,
    )
    status = "ok" if verdict.kind == "held" else "error"
    attributes = json.dumps({"run": run, "verdict": verdict.kind, "seed": plan.seed})
    name = f"chaos experiment {plan.experiment}"
    return [
        (RUNS, row),
        (SPANS, (trace_id, span_id, None, name, "experiment", began_us, at_us, status, attributes)),
    ]


def ended_without_plan(
    began_row: Mapping[str, Any], verdict: str, reasons: tuple[str, ...], *, at_us: int
) -> list[tuple[str, Row]]:
    """A run that a successor ends: its row, and the root span of its trace.

    Args:
        began_row: What `chaos_experiments` has of it, with `began_us`.
        verdict: How it ended.
        reasons: Why.
        at_us: When.
    """
    run, experiment, seed = str(began_row["run"]), str(began_row["experiment"]), began_row["seed"]
    trace_id, span_id = trace_of(run), span_of(run)
    planned = (seed, began_row["plan"], began_row["targets"], int(bool(began_row["safe_mode"])))
    row = (run, experiment, "ended", verdict, None, json.dumps(reasons), *planned, None, "successor", at_us)
    attributes = json.dumps({"run": run, "verdict": verdict, "seed": seed})
    began_us = int(began_row["began_us"])
    named = (f"chaos experiment {experiment}", "experiment", began_us, max(began_us, at_us), "error", attributes)
    return [(RUNS, (*row, trace_id, span_id)), (SPANS, (trace_id, span_id, None, *named))]


def lost(run: str, fault_id: str, why: str, *, at_us: int) -> tuple[str, Row]:
    """A fault of which nobody will tell how its target fared."""
    fault, target = _whom(fault_id, None)
    return EVENTS, (
        run,
        "lost",
        fault_id,
        fault,
        target,
        "successor",
        why,
        None,
        at_us,
        trace_of(run),
        span_of(run, fault_id),
    )


def of_entry(entry: Entry, plan: Plan | None = None) -> tuple[str, Row]:
    """A step of the ledger."""
    fault, target = _whom(entry.fault, plan)
    detail = entry.data.get("why") or entry.data.get("reason") or entry.data.get("did") or entry.data.get("detail")
    cites = entry.data.get("evidence")
    by = entry.data.get("by")
    return EVENTS, (
        entry.run,
        entry.step,
        entry.fault or None,
        fault,
        target,
        _text(by),
        _text(detail),
        _text(cites),
        entry.at_us,
        trace_of(entry.run),
        span_of(entry.run, entry.fault),
    )


def of_faults(run: str, seen: Observations, *, began_us: int) -> list[tuple[str, Row]]:
    """What the log was found to tell of each fault: seen, whole again, or lost; and the fault's span."""
    rows: list[tuple[str, Row]] = []
    for fault in seen.faults:
        if fault.detected_at_s is not None:
            rows.append(_found(run, fault, "detected", fault.detected_by, began_us, fault.detected_at_s))
        if fault.recovered_at_s is not None:
            rows.append(_found(run, fault, "recovered", fault.recovered_by, began_us, fault.recovered_at_s))
        if fault.loss:
            rows.append(_found(run, fault, "lost", fault.loss, began_us, fault.injected_at_s or 0.0))
        if fault.injected_at_s is not None:
            rows.append(_fault_span(run, fault, began_us, fault.injected_at_s))
    return rows


def _found(run: str, fault: FaultFact, event: str, told: str, began_us: int, at_s: float) -> tuple[str, Row]:
    lost = event == "lost"
    return EVENTS, (
        run,
        event,
        fault.fault_id,
        fault.fault,
        fault.target,
        None,
        told if lost else None,
        None if lost else told or None,
        began_us + int(at_s * _US),
        trace_of(run),
        span_of(run, fault.fault_id),
    )


def _fault_span(run: str, fault: FaultFact, began_us: int, injected_at_s: float) -> tuple[str, Row]:
    end_s = injected_at_s if fault.undone_at_s is None else fault.undone_at_s
    attributes = json.dumps({"run": run, "fault": fault.fault, "target": fault.target, "evidence": fault.evidence})
    begin_us = began_us + int(injected_at_s * _US)
    status = "error" if fault.loss else "ok"
    name = f"{fault.fault} {fault.target}"
    end_us = began_us + int(end_s * _US)
    ids = (trace_of(run), span_of(run, fault.fault_id), span_of(run))
    return SPANS, (*ids, name, "fault", begin_us, end_us, status, attributes)


def _whom(fault_id: str, plan: Plan | None) -> tuple[str | None, str | None]:
    """What and whom, from the fault's name: its place, its round and its target."""
    if not fault_id:
        return None, None
    place, _, rest = fault_id.partition(".")
    target = rest.partition(".")[2] or None
    planned = () if plan is None else plan.faults
    return next((each.fault for each in planned if str(each.place) == place), None), target


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)
