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
    ConfigError,
    EventLogError,
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
from supervisor.config import SupervisorConfig
from supervisor.handle import Supervisor
from supervisor.tasks.future import TaskFuture
from supervisor.tasks.policy import Policy

__all__ = [
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
