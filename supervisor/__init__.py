"""An OTP for Ray: tasks that survive, supervised workers, and a log that proves what happened.

Begin with `Supervisor.start()` or `Supervisor.connect()`, and `submit`.
"""

from __future__ import annotations

from pathlib import Path

import actors

if Path(actors.__file__ or "").resolve().parent.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"ray-supervisor needs its own package 'actors', but {actors.__file__} comes first on the import path. "
        "Rename that folder, or run from another directory"
    )

from actors.recovery.retry import Fallback, Retry
from actors.runtime.context import TaskContext, current_task
from actors.runtime.errors import (
    AdministrationError,
    CheckpointError,
    CheckpointLostError,
    CheckpointMismatchError,
    CheckpointStoreError,
    CheckpointTooLargeError,
    ChildError,
    ChildPayloadError,
    ChildStartError,
    ChildStateError,
    ConfigError,
    EventLogError,
    IgnoreChild,
    LeaderUnreachableError,
    OutcomeUnknownError,
    PoisonTaskError,
    QueryRefusedError,
    QueueFullError,
    RestartIntensityError,
    StaleIncarnationError,
    SupervisorClosedError,
    SupervisorError,
    SupervisorExistsError,
    SupervisorNotFoundError,
    TaskPayloadError,
    TaskTimeoutError,
    WorkerLostError,
)
from supervisor.changes import ChildChange
from supervisor.children.errors import (
    CallOutcomeUnknownError,
    CallPayloadError,
    CallQueueFullError,
    CallTimeoutError,
    ChildExitedError,
    ChildGoneError,
    ChildLostError,
)
from supervisor.children.handle import ChildHandle, PoolHandle
from supervisor.children.response import ChildResponse
from supervisor.children.stream import ChildStream
from supervisor.config import SupervisorConfig
from supervisor.group import Counts, Group
from supervisor.handle import Supervisor
from supervisor.planning import Plan
from supervisor.specs import BackoffSettings, ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.subscription import Subscription
from supervisor.tasks.future import TaskFuture
from supervisor.tasks.policy import Policy
from supervisor.treefile import load_tree

__all__ = [
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
