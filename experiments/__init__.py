"""What is run against a supervised cluster: chaos experiments, the demo, and the side-by-side benchmarks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.errors import HaltedError, PlanRefusedError, SafeModeError
    from experiments.model.experiment import Experiment

__all__ = ["Experiment", "HaltedError", "PlanRefusedError", "SafeModeError"]

_HOMES = {
    "Experiment": "experiments.model.experiment",
    "HaltedError": "experiments.errors",
    "PlanRefusedError": "experiments.errors",
    "SafeModeError": "experiments.errors",
}


def __getattr__(name: str) -> Any:
    """Imported when it is first used: the demo and the benchmarks need no experiment."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
