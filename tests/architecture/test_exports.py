"""What users import. A name that appears or goes is a change of the contract: change this list with intent."""

from __future__ import annotations

import supervisor

EXPORTS = [
    "AdministrationError",
    "BackoffSettings",
    "CallOutcomeUnknownError",
    "CallPayloadError",
    "CallQueueFullError",
    "CallTimeoutError",
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
    "ConfigError",
    "Counts",
    "EventLogError",
    "Fallback",
    "Group",
    "GroupSpec",
    "IgnoreChild",
    "LeaderUnreachableError",
    "OutcomeUnknownError",
    "Plan",
    "PoisonTaskError",
    "Policy",
    "PoolHandle",
    "PoolSpec",
    "QueryRefusedError",
    "QueueFullError",
    "RestartIntensityError",
    "Retry",
    "StaleIncarnationError",
    "Subscription",
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
    "TreeSpec",
    "WorkerLostError",
    "current_task",
    "load_tree",
]


def test_the_facade_exports_exactly_the_contract():
    assert sorted(supervisor.__all__) == EXPORTS


def test_every_export_exists_and_says_what_it_is():
    assert [name for name in EXPORTS if not (getattr(supervisor, name).__doc__ or "").strip()] == []
