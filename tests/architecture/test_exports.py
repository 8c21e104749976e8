"""What users import. A name that appears or goes is a change of the contract: change this list with intent."""

from __future__ import annotations

import subprocess
import sys

import pytest

import supervisor
from tests.architecture.conftest import ROOT

EXPORTS = [
    "AdministrationError",
    "BackoffSettings",
    "BreakerHandle",
    "BreakerSettings",
    "BreakerStatus",
    "BreakerUnreachableError",
    "Breakers",
    "BudgetSettings",
    "CallOutcomeUnknownError",
    "CallPayloadError",
    "CallQueueFullError",
    "CallTimeoutError",
    "ChaosSettings",
    "CheckpointError",
    "CheckpointLostError",
    "CheckpointMismatchError",
    "CheckpointStoreError",
    "CheckpointTooLargeError",
    "ChildChange",
    "ChildError",
    "ChildExitedError",
    "ChildGoneError",
    "ChildHandle",
    "ChildLostError",
    "ChildPayloadError",
    "ChildResponse",
    "ChildSpec",
    "ChildStartError",
    "ChildStateError",
    "ChildStream",
    "CircuitOpenError",
    "ComponentHealth",
    "ConfigError",
    "Counts",
    "DegradationChange",
    "DegradationHandle",
    "DegradationSettings",
    "DegradationStatistics",
    "Escalate",
    "EventLogError",
    "Fallback",
    "Group",
    "GroupSpec",
    "Health",
    "HealthChange",
    "HealthStanding",
    "IgnoreChild",
    "Incident",
    "IncidentChange",
    "Isolate",
    "LeaderUnreachableError",
    "LevelRule",
    "MonitorSettings",
    "OutcomeUnknownError",
    "PartlyDoneError",
    "Phase",
    "Plan",
    "PoisonTaskError",
    "Policy",
    "PoolHandle",
    "PoolSpec",
    "Provider",
    "QueryRefusedError",
    "QueueFullError",
    "RecoveryContext",
    "RecoveryExhaustedError",
    "Restart",
    "RestartIntensityError",
    "Restore",
    "Retry",
    "Scenario",
    "ServiceUnreachableError",
    "SimulationReport",
    "StaleIncarnationError",
    "Subscription",
    "Supervisor",
    "SupervisorClosedError",
    "SupervisorConfig",
    "SupervisorError",
    "SupervisorExistsError",
    "SupervisorNotFoundError",
    "SystemHealth",
    "TaskContext",
    "TaskFuture",
    "TaskPayloadError",
    "TaskTimeoutError",
    "TooManyBreakersError",
    "TreeSpec",
    "UnknownBreakerError",
    "UnknownComponentError",
    "UnknownIncidentError",
    "UserStrategy",
    "WorkerLostError",
    "current_task",
    "load_tree",
    "local_breaker",
    "simulate",
]


def test_the_facade_exports_exactly_the_contract():
    assert sorted(supervisor.__all__) == EXPORTS


def test_every_export_exists_and_says_what_it_is():
    assert [name for name in EXPORTS if not (getattr(supervisor, name).__doc__ or "").strip()] == []


def test_every_export_is_imported_when_it_is_first_used_and_not_before():
    code = "import sys, supervisor; print([name for name in sys.modules if name.startswith('supervisor.')])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == "[]\n"
    assert set(dir(supervisor)) >= set(EXPORTS)
    with pytest.raises(AttributeError, match="no attribute 'Superviser'"):
        _ = supervisor.Superviser
