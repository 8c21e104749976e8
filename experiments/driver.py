"""The functions that experiment files name: what Chaos Toolkit calls is what `supervisor chaos run` calls, too.

They act on the cluster that `connect` was given by whoever runs the file; under `chaos run` on the supervisor that the
environment names: SUPERVISOR_NAME, and SUPERVISOR_ADDRESS where that is not the cluster on this machine.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, Protocol

from actors.runtime.errors import ConfigError
from experiments.errors import NoDriverError
from experiments.model.faults import parse_fault
from experiments.model.functions import PROBES
from experiments.model.tolerances import BurnIs, HealthIs, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.runtime.settings import Settings
    from experiments.model.experiment import Experiment
    from experiments.model.faults import Fault


class Cluster(Protocol):
    """A supervised cluster as an experiment sees it."""

    def inject(self, fault: Fault) -> Mapping[str, Any]:
        """Arm the undo, inject the fault into what it selects, and tell what was hit and how it was seen to act."""
        ...

    def clear(self) -> Mapping[str, Any]:
        """Undo every fault that is on, and tell which were."""
        ...

    def probe(self, function: str, arguments: Settings) -> Any:
        """The value of one of the probes of `experiments.model.functions`."""
        ...

    def close(self) -> None:
        """Undo every fault and let the cluster go."""
        ...


class _Connection:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None

    def put(self, cluster: Cluster | None) -> Cluster | None:
        with self._lock:
            former, self._cluster = self._cluster, cluster
        return former

    def cluster(self, function: str) -> Cluster:
        with self._lock:
            if self._cluster is None:
                self._cluster = _named_by_environment(None)
            if self._cluster is None:
                raise NoDriverError(function)
            return self._cluster


_CONNECTION = _Connection()


def connect(cluster: Cluster) -> None:
    """Let the functions of this module act on that cluster; the former one is let go."""
    former = _CONNECTION.put(cluster)
    if former is not None:
        former.close()


def connect_from_environment(experiment: Experiment | None = None) -> None:
    """Connect to the supervisor that SUPERVISOR_NAME names.

    Args:
        experiment: What is going to run: its bounds and its load count.
    Raises:
        NoDriverError: The environment names none.
        SupervisorError: It does not answer.
    """
    found = _named_by_environment(experiment)
    if found is None:
        raise NoDriverError("connect_from_environment")
    connect(found)


def _named_by_environment(experiment: Experiment | None) -> Cluster | None:
    name = os.environ.get("SUPERVISOR_NAME")
    if not name:
        return None
    from experiments.running.attached import attach  # noqa: PLC0415 - `chaos validate` needs no Ray

    atexit.register(disconnect)
    return attach(name, os.environ.get("SUPERVISOR_ADDRESS"), experiment)


def disconnect() -> None:
    """Undo what is on and let the cluster go; without one it does nothing."""
    former = _CONNECTION.put(None)
    if former is not None:
        former.close()


# -- actions --------------------------------------------------------------------------------------------------------


def inject(fault: str, target: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Inject a fault; see `experiments.model.faults` for what each takes.

    Raises:
        ConfigError: The fault is none, or its fields are wrong.
        NoDriverError: No cluster is connected.
    """
    parsed = parse_fault({"fault": fault, "target": target, **how}, source="inject")
    return dict(_CONNECTION.cluster("inject").inject(parsed))


def clear() -> dict[str, Any]:
    """Undo every fault that is on.

    Raises:
        NoDriverError: No cluster is connected.
    """
    return dict(_CONNECTION.cluster("clear").clear())


# -- probes ---------------------------------------------------------------------------------------------------------


def query(sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of the event log."""
    return _probe("query", sql=sql, parameters=tuple(parameters or ()))


def health_score(component: str = "*") -> float:
    """A health score from 0 to 100."""
    return _probe("health_score", component=component)


def slo_burn(component: str = "*", objective: float = 0.999, window_s: float = 60.0) -> float:
    """How fast the error budget burns."""
    return _probe("slo_burn", component=component, objective=objective, window_s=window_s)


def measured(measure: str) -> float:
    """One number about the load."""
    return _probe("measured", measure=measure)


def running(target: dict[str, Any]) -> int:
    """How many targets run and answer."""
    return _probe("running", target=target)


def breaker_state(name: str) -> str:
    """A breaker's state."""
    return _probe("breaker_state", name=name)


def unrecovered() -> int:
    """How many restarts are not yet followed by a ready life."""
    return _probe("unrecovered")


def _probe(function: str, **arguments: Any) -> Any:
    model, _ = PROBES[function]
    return _CONNECTION.cluster(function).probe(function, model.parse(arguments, source=function))


# -- tolerances that Chaos Toolkit does not know ----------------------------------------------------------------------


def rows_are(value: Any = None, **bounds: Any) -> bool:
    """Whether the rows of a query are within bounds."""
    return _within(lambda: Rows.parse(bounds, source="rows_are").judge(value).held)


def health_is(value: Any = None, **bounds: Any) -> bool:
    """Whether a health score is high enough."""
    return _within(lambda: HealthIs.parse(bounds, source="health_is").judge(value).held)


def burn_is(value: Any = None, **bounds: Any) -> bool:
    """Whether an error budget burns slowly enough."""
    return _within(lambda: BurnIs.parse(bounds, source="burn_is").judge(value).held)


def _within(judge: Callable[[], bool | None]) -> bool:
    """What cannot be judged is not within."""
    try:
        return judge() is True
    except ConfigError:
        return False
