"""A run's journal in Chaos Toolkit's shape, so that its reporting tools read ours; our own part is an extension."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from experiments.model.experiment import EXTENSION
from experiments.model.writing import as_mapping
from experiments.report.numbers import moment_iso

if TYPE_CHECKING:
    from experiments.judging.facts import FaultFact, ProbeFact, When
    from experiments.model.activities import Activity
    from experiments.report.run import RunReport

_US = 1_000_000
_STATUS = {
    "held": "completed",
    "deviated": "completed",
    "inconclusive": "completed",
    "aborted": "aborted",
    "not_started": "failed",
}


def journal(report: RunReport) -> dict[str, Any]:
    """The journal, as plain values for JSON."""
    end_us = report.started_us + int(report.lasted_s * _US)
    return {
        "chaoslib-version": "1.44.0",
        "platform": report.platform,
        "node": "",
        "experiment": as_mapping(report.experiment),
        "start": moment_iso(report.started_us),
        "status": _STATUS[report.verdict.kind],
        "deviated": report.verdict.kind == "deviated",
        "steady_states": {
            "before": _steady(report, "before"),
            "after": _steady(report, "after"),
            "during": [_steady(report, "during")] if any(p.when == "during" for p in report.seen.probes) else [],
        },
        "run": [_fault(report, fault) for fault in report.seen.faults],
        "rollbacks": [],
        "end": moment_iso(end_us),
        "duration": report.lasted_s,
        "extensions": [_own(report)],
    }


def _steady(report: RunReport, when: When) -> dict[str, Any] | None:
    probes = [probe for probe in report.seen.probes if probe.when == when]
    if not probes:
        return None
    return {
        "steady_state_met": all(probe.held is True for probe in probes),
        "probes": [_probe(report, probe) for probe in probes],
    }


def _probe(report: RunReport, probe: ProbeFact) -> dict[str, Any]:
    at = moment_iso(report.started_us + int(probe.at_s * _US))
    return {
        "activity": _activity(report, probe.name),
        "output": probe.value,
        "status": "succeeded" if probe.held is not None else "failed",
        "tolerance_met": probe.held is True,
        "start": at,
        "end": at,
        "duration": 0.0,
        "why": probe.why,
    }


def _activity(report: RunReport, name: str) -> dict[str, Any]:
    probes = report.experiment.hypothesis.probes if report.experiment.hypothesis is not None else ()
    found = next((probe for probe in probes if probe.name == name), None)
    return {"type": "probe", "name": name} if found is None else _told(found)


def _told(activity: Activity) -> dict[str, Any]:
    provider = activity.provider
    told = {"type": provider.type, "module": provider.module, "func": provider.func, "arguments": provider.arguments}
    return {"type": activity.type, "name": activity.name, "provider": told}


def _fault(report: RunReport, fault: FaultFact) -> dict[str, Any]:
    place = int(fault.fault_id.partition(".")[0]) if fault.fault_id[:1].isdigit() else 0
    method = report.experiment.method
    begin_s = fault.injected_at_s or 0.0
    end_s = begin_s if fault.undone_at_s is None else fault.undone_at_s
    return {
        "activity": _told(method[place]) if place < len(method) else {"type": "action", "name": fault.fault},
        "output": asdict(fault),
        "status": "failed" if fault.injected_at_s is None else "succeeded",
        "start": moment_iso(report.started_us + int(begin_s * _US)),
        "end": moment_iso(report.started_us + int(end_s * _US)),
        "duration": end_s - begin_s,
    }


def _own(report: RunReport) -> dict[str, Any]:
    return {
        "name": EXTENSION,
        "run": report.run,
        "verdict": report.verdict.kind,
        "exit_code": report.verdict.exit_code,
        "score": report.verdict.score,
        "reasons": list(report.verdict.reasons),
        "numbers": report.numbers(),
        "plan": asdict(report.plan),
        "plan_digest": report.plan.digest(),
        "trace_id": report.trace_id,
        "events": [asdict(event) for event in report.events],
        "recommendations": [
            {**asdict(each), "command": f"supervisor chaos apply {report.run}#{each.number}"}
            for each in report.recommendations
        ],
    }
