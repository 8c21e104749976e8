"""Which nodes are about to go: Ray is told so by an autoscaler, or by whoever listens to a spot market.

A draining node takes no new actor, and what runs there runs on; at its deadline the machine is switched off, by whoever
asked for the drain and not by Ray. An idle node is drained without a deadline and ends at once; Ray refuses to drain a
busy one for idleness. So a draining node on which a child of ours runs is one that is being preempted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from actors.runtime.clock import SYSTEM_CLOCK

TIMEOUT_S = 1.0

DrainReason = Literal["preemption", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What Ray says about a node that is going.

    Attributes:
        reason: "preemption" when there is a deadline: Ray's autoscaler gives none to a node that it ends for idleness.
            Ray tells the reason itself only after the node's death: `preempted` of the `ActorDiedError`.
        deadline_in_s: Seconds until the machine may be switched off, at least 0; None when nobody set a time. Taken
            from wall clocks, ours and that of whoever drains: it is off by as much as they are.
    """

    reason: DrainReason
    deadline_in_s: float | None


def draining_nodes(*, timeout_s: float = TIMEOUT_S) -> dict[str, Drain] | None:
    """The living nodes that are being drained, by node id.

    Args:
        timeout_s: How long the GCS is waited for, seconds.
    Returns: None when the GCS does not say it now (what was known stands); nothing where this Ray never says it.
    """
    ask = getattr(_gcs_client(), "get_draining_nodes", None)
    if ask is None:
        return {}
    try:
        deadlines: Mapping[str, int] = ask(timeout=timeout_s)
    except TypeError:
        return {}
    except Exception:  # noqa: BLE001 - a GCS that is away, slow or restarting raises many kinds; all mean: not now
        return None
    return drains(deadlines, wall_us=SYSTEM_CLOCK.wall_us())


def drains(deadlines_ms: Mapping[str, int], *, wall_us: int) -> dict[str, Drain]:
    """What Ray's table means.

    Args:
        deadlines_ms: Milliseconds since the Unix epoch by node id; 0 for none.
        wall_us: The same clock's present, microseconds.
    """
    return {
        node_id: Drain(reason="preemption", deadline_in_s=max(0.0, deadline / 1e3 - wall_us / 1e6))
        if deadline > 0
        else Drain(reason="unknown", deadline_in_s=None)
        for node_id, deadline in deadlines_ms.items()
    }


def _gcs_client() -> Any:
    try:
        from ray._private.worker import global_worker  # noqa: PLC0415 - private: Ray says it nowhere else
    except ImportError:
        return None
    return getattr(global_worker, "gcs_client", None)
