"""What is run against a supervised cluster: chaos experiments, the demo, and the side-by-side benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.model.experiment import Experiment

__all__ = ["Experiment"]


def __getattr__(name: str) -> Any:
    """Imported when it is first used: the demo and the benchmarks need no experiment."""
    if name != "Experiment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from experiments.model.experiment import Experiment as Found  # noqa: PLC0415 - see above

    return Found
