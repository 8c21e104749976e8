"""An OTP for Ray: tasks that survive, supervised workers, and a log that proves what happened.

Begin with `Supervisor.start()` or `Supervisor.connect()`, and `submit`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import actors

if Path(actors.__file__ or "").resolve().parent.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"ray-supervisor needs its own package 'actors', but {actors.__file__} comes first on the import path. "
        "Rename that folder, or run from another directory"
    )

# Names are imported when they are first used: each process of the cluster imports this package for its own small part
# of it, and a replacement waits for that.
if TYPE_CHECKING:
    from actors.breaker.errors import BreakerUnreachableError, CircuitOpenError, TooManyBreakersError
    from actors.breaker.handle import BreakerHandle, local_breaker
    from actors.breaker.scenario import Phase, Scenario
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.simulate import SimulationReport, simulate
    from actors.degradation.handle import DegradationHandle
    from actors.degradation.recent import DegradationChange
    from actors.degradation.settings import BudgetSettings, DegradationSettings, LevelRule
    from actors.degradation.statistics import DegradationStatistics
    from actors.healer.errors import RecoveryExhaustedError, UnknownIncidentError
    from actors.healer.incident import Incident
    from actors.healer.phases import IncidentChange
    from actors.healer.running import RecoveryContext
    from actors.health.errors import UnknownComponentError
    from actors.health.published import HealthChange, HealthStanding
    from actors.health.report import ComponentHealth, SystemHealth
    from actors.health.settings import MonitorSettings
    from actors.recovery.retry import Fallback, Provider, Retry
    from actors.recovery.strategies import Escalate, Isolate, Restart, Restore, UserStrategy
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
    from actors.service.errors import ServiceUnreachableError
    from supervisor.breakers.collection import Breakers, BreakerStatus, PartlyDoneError, UnknownBreakerError
    from supervisor.changes import ChildChange
    from supervisor.chaos_settings import ChaosSettings
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
    from supervisor.health.health import Health
    from supervisor.planning import Plan
    from supervisor.specs import BackoffSettings, ChildSpec, GroupSpec, PoolSpec, TreeSpec
    from supervisor.subscription import Subscription
    from supervisor.tasks.future import TaskFuture
    from supervisor.tasks.policy import Policy
    from supervisor.treefile import load_tree

_HOMES = {
    "actors.breaker.errors": "BreakerUnreachableError CircuitOpenError TooManyBreakersError",
    "actors.breaker.handle": "BreakerHandle local_breaker",
    "actors.breaker.scenario": "Phase Scenario",
    "actors.breaker.settings": "BreakerSettings",
    "actors.breaker.simulate": "SimulationReport simulate",
    "actors.health.errors": "UnknownComponentError",
    "actors.health.published": "HealthChange HealthStanding",
    "actors.health.report": "ComponentHealth SystemHealth",
    "actors.health.settings": "MonitorSettings",
    "actors.degradation.handle": "DegradationHandle",
    "actors.degradation.recent": "DegradationChange",
    "actors.degradation.settings": "BudgetSettings DegradationSettings LevelRule",
    "actors.degradation.statistics": "DegradationStatistics",
    "actors.healer.errors": "RecoveryExhaustedError UnknownIncidentError",
    "actors.healer.incident": "Incident",
    "actors.healer.phases": "IncidentChange",
    "actors.healer.running": "RecoveryContext",
    "actors.recovery.retry": "Fallback Provider Retry",
    "actors.recovery.strategies": "Escalate Isolate Restart Restore UserStrategy",
    "actors.runtime.context": "TaskContext current_task",
    "actors.runtime.errors": (
        "AdministrationError CheckpointError CheckpointLostError CheckpointMismatchError CheckpointStoreError "
        "CheckpointTooLargeError ChildError ChildPayloadError ChildStartError ChildStateError ConfigError "
        "EventLogError IgnoreChild LeaderUnreachableError OutcomeUnknownError PoisonTaskError "
        "QueryRefusedError QueueFullError RestartIntensityError StaleIncarnationError SupervisorClosedError "
        "SupervisorError SupervisorExistsError SupervisorNotFoundError TaskPayloadError TaskTimeoutError "
        "WorkerLostError"
    ),
    "actors.service.errors": "ServiceUnreachableError",
    "supervisor.breakers.collection": "BreakerStatus Breakers PartlyDoneError UnknownBreakerError",
    "supervisor.changes": "ChildChange",
    "supervisor.children.errors": (
        "CallOutcomeUnknownError CallPayloadError CallQueueFullError CallTimeoutError ChildExitedError "
        "ChildGoneError ChildLostError"
    ),
    "supervisor.children.handle": "ChildHandle PoolHandle",
    "supervisor.children.response": "ChildResponse",
    "supervisor.children.stream": "ChildStream",
    "supervisor.chaos_settings": "ChaosSettings",
    "supervisor.config": "SupervisorConfig",
    "supervisor.group": "Counts Group",
    "supervisor.handle": "Supervisor",
    "supervisor.health.health": "Health",
    "supervisor.planning": "Plan",
    "supervisor.specs": "BackoffSettings ChildSpec GroupSpec PoolSpec TreeSpec",
    "supervisor.subscription": "Subscription",
    "supervisor.tasks.future": "TaskFuture",
    "supervisor.tasks.policy": "Policy",
    "supervisor.treefile": "load_tree",
}
"""The modules, and what is taken from each."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(home), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


__all__ = [
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
    "ChaosSettings",
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
