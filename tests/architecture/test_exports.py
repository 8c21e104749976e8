"""What users import. A name that appears or goes is a change of the contract: change this list with intent."""

from __future__ import annotations

import supervisor

EXPORTS = [
    "ConfigError",
    "EventLogError",
    "Fallback",
    "OutcomeUnknownError",
    "PoisonTaskError",
    "Policy",
    "QueryRefusedError",
    "QueueFullError",
    "RestartIntensityError",
    "Retry",
    "StaleIncarnationError",
    "Supervisor",
    "SupervisorClosedError",
    "SupervisorConfig",
    "SupervisorError",
    "SupervisorExistsError",
    "SupervisorNotFoundError",
    "TaskContext",
    "TaskFuture",
    "TaskPayloadError",
    "TaskTimeoutError",
    "WorkerLostError",
    "current_task",
]


def test_the_facade_exports_exactly_the_contract():
    assert sorted(supervisor.__all__) == EXPORTS


def test_every_export_exists_and_says_what_it_is():
    assert [name for name in EXPORTS if not (getattr(supervisor, name).__doc__ or "").strip()] == []
