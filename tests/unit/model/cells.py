"""The cells of the matrix as faults of a file."""

from __future__ import annotations

from typing import Any

from experiments.model.matrix import FaultKind

_FIELDS = {"unavailable": "lost", "crash": "how", "hang": "how", "exhaustion": "resource"}
_MORE: dict[str, dict[str, Any]] = {
    "delay": {"delay_s": 0.05},
    "skew": {"skew_s": 5},
    "cpu": {"amount": 0.5},
    "memory": {"amount": 0.05},
    "files": {"amount": 0.9},
    "disk": {"amount": 0.5},
}
"""What a way takes besides."""


def fields_of(fault: FaultKind, way: str) -> dict[str, Any]:
    """A fault in one of its ways, without a target."""
    told = {_FIELDS[fault]: way} if fault in _FIELDS else {}
    return {"fault": fault, **told, **_MORE.get(way, {})}
