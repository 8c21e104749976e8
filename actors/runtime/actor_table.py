"""Ray's actor table, as far as it is about our actors: who lives where, and who has died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from actors.runtime.ids import NAMESPACE, ActorName


def ended_at_us(name: ActorName) -> int | None:
    """When an actor of ours ended, microseconds since the Unix epoch; None when Ray does not know it."""
    try:
        from ray._private import state  # noqa: PLC0415 - as below

        table: Any = state.actors()
        rows: list[dict[str, Any]] = list(table.values())
    except (ImportError, AttributeError, RayError, RuntimeError):
        return None
    found = next((int(row.get("EndTime") or 0) for row in rows if row.get("Name") == str(name)), 0)
    return found * 1000 or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRow:
    """One actor of ours.

    Attributes:
        name: Who it is.
        state: Ray's word for it: ALIVE, DEAD, PENDING_CREATION, ...
        pid: Its process, where Ray knows it; 0 else.
        node_id: Its node; empty where Ray does not know it.
        started_at_us: When it started, microseconds since the Unix epoch; 0 where Ray does not know it.
    """

    name: ActorName
    state: str
    pid: int = 0
    node_id: str = ""
    started_at_us: int = 0

    @property
    def alive(self) -> bool:
        """Whether it has not died; it may be only on its way."""
        return self.state != "DEAD"


def living_names() -> list[ActorName]:
    """Every living actor of ours on the cluster."""
    listed: list[dict[str, str]] = ray.util.list_named_actors(all_namespaces=True)  # pyright: ignore[reportAssignmentType]
    names = (ActorName.parse(entry["name"]) for entry in listed if entry["namespace"] == NAMESPACE)
    return [name for name in names if name is not None]


def actor_rows() -> list[ActorRow]:
    """Our actors in Ray's table, the dead ones included as long as Ray remembers them."""
    try:
        from ray._private import state  # noqa: PLC0415 - private: 1 ms and no dashboard needed, so it is tried first

        table: Any = state.actors()
        rows: list[dict[str, Any]] = list(table.values())
    except (ImportError, AttributeError, RayError, RuntimeError):
        return [ActorRow(name=name, state="ALIVE") for name in living_names()]
    found = ((ActorName.parse(row.get("Name") or ""), row) for row in rows)
    return [
        ActorRow(
            name=name,
            state=str(row.get("State")),
            pid=int(row.get("Pid") or 0),
            node_id=str((row.get("Address") or {}).get("NodeID") or ""),
            started_at_us=int(row.get("StartTime") or 0) * 1000,
        )
        for name, row in found
        if name is not None
    ]
