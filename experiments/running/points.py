"""Faults inside processes of ours: put at the points that their calls pass, and counted there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime import fault_control
from actors.runtime.actor_table import actor_rows
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ConfigError
from actors.runtime.fault_points import (
    BREAKER_REPORT,
    CHILD_CALL,
    CLOCK,
    DEPENDENCY,
    EVENT_LOG_APPEND,
    SERVICE_CALL,
    SUPERVISOR_CALL,
)
from experiments.errors import FaultRefusedError
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.hands.orders import Spot
    from experiments.ledger.messages import FaultOrder
    from experiments.model.selector import TargetKind

_ASK_S = 5.0
_SUBJECTS_MAX = 2
EVERYWHERE: frozenset[TargetKind] = frozenset(("dependency", "clock"))
"""What is not in one process: the fault is put into each that may call it."""

_POINTS: Mapping[TargetKind, tuple[str, str]] = {
    "child": (CHILD_CALL, "{name}"),
    "worker": (CHILD_CALL, "{name}"),
    "breaker": (BREAKER_REPORT, "{name}"),
    "monitor": (SERVICE_CALL, "health"),
    "healer": (SERVICE_CALL, "healer"),
    "event_log": (EVENT_LOG_APPEND, "event_log"),
    "supervisor": (SUPERVISOR_CALL, "supervisor"),
    "dependency": (DEPENDENCY, "{own}"),
    "clock": (CLOCK, "clock"),
}


def is_at_a_point(order: FaultOrder) -> bool:
    """Whether the fault acts inside the target's process, on the calls that pass a point."""
    match order.fault:
        case "latency" | "error" | "unavailable":
            return order.hit.kind != "rpc"
        case "hang":
            return order.how.get("how") == "block" or order.hit.kind == "dependency"
        case _:
            return False


@dataclass(slots=True)
class _Put:
    """A fault that was put."""

    order: FaultOrder
    ends_at: float
    seen: dict[str, int] = field(default_factory=dict[str, int])
    in_own: bool = False
    refused: str = ""


class Points:
    """The faults of one run that are inside processes.

    Args:
        run: The run.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._put: dict[str, _Put] = {}

    def put(self, order: FaultOrder, spots: Iterable[Spot], left_s: float) -> str:
        """Put it on; what was done, in words.

        Args:
            order: The fault.
            spots: The target; of what is not in one process, all whose calls may meet it.
            left_s: It ends by itself after so long, seconds.
        Raises:
            FaultRefusedError: Nobody took it.
        """
        put = _Put(order, SYSTEM_CLOCK.now() + left_s)
        with self._lock:
            self._put[order.fault_id] = put
        taken = self.spread(order.fault_id, spots)
        if not taken:
            raise FaultRefusedError(order.fault, target=order.hit.name, reason=put.refused or "no process took it")
        return f"put into {taken} processes"

    def spread(self, fault_id: str, spots: Iterable[Spot]) -> int:
        """Put it also into those that have come up since; into how many it was put."""
        put = self._put.get(fault_id)
        left_s = 0.0 if put is None else put.ends_at - SYSTEM_CLOCK.now()
        if put is None or left_s <= 0:
            return 0
        data = _orders(self._run, put.order, left_s)
        taken = 0
        if put.order.hit.kind in EVERYWHERE and not put.in_own:
            put.in_own = bool(fault_control.fault_put(data))
            taken += put.in_own
        new = [spot.actor for spot in spots if spot.actor and spot.actor not in put.seen]
        refused: list[str] = []
        answers = _ask(new, "fault_put", data, refused=refused)
        put.refused = next(iter(refused), "")
        for name, on in answers.items():
            if on:
                put.seen[name] = 0
                taken += 1
        return taken

    def take(self, fault_id: str) -> str:
        """Take it off everywhere; what was done, in words. What does not answer ends it by itself.

        Raises:
            OSError: Somebody did not answer, and its time is not over.
        """
        put = self._put.get(fault_id)
        if put is None:
            return "nothing of it is on"
        ids = [each["fault_id"] for each in _orders(self._run, put.order, 1.0)]
        self.met(fault_id)
        if put.in_own:
            fault_control.fault_take(ids)
        names = list(put.seen)
        silent = [name for name in set(names) - set(_ask(names, "fault_take", ids)) if actor_by_name(name) is not None]
        if silent and SYSTEM_CLOCK.now() < put.ends_at:
            raise TimeoutError(f"{', '.join(sorted(silent))} do not answer; it ends there by itself")
        return f"taken out of {len(names) + put.in_own} processes"

    def met(self, fault_id: str) -> int:
        """How many calls it acted on, as the points counted them; those of processes that are gone as last seen."""
        put = self._put.get(fault_id)
        if put is None:
            return 0
        ids = {each["fault_id"] for each in _orders(self._run, put.order, 1.0)}
        for name, counts in _ask(list(put.seen), "fault_seen").items():
            put.seen[name] = max(put.seen[name], sum(counts.get(each, 0) for each in ids))
        here = fault_control.fault_seen() if put.in_own else {}
        return sum(put.seen.values()) + sum(here.get(each, 0) for each in ids)


def ids_of(run: str, fault_id: str) -> list[str]:
    """The ids under which a fault of a run may be on in processes."""
    return [f"{run} {fault_id} {number}" for number in range(_SUBJECTS_MAX)]


def take_everywhere(supervisor: str, ids: list[str], *, timeout_s: float = _ASK_S) -> int:
    """Take faults off in every living actor of a supervisor, and here; of how many processes they were taken.

    All are asked at once, and what does not answer in time ends it by itself.
    """
    names = [str(row.name) for row in actor_rows() if row.alive and row.name.supervisor == supervisor]
    taken = sum(bool(was_on) for was_on in _ask(names, "fault_take", ids, timeout_s=timeout_s).values())
    return taken + bool(fault_control.fault_take(ids))


def _ask(
    names: Iterable[str], method: str, *arguments: Any, timeout_s: float = _ASK_S, refused: list[str] | None = None
) -> dict[str, Any]:
    """The answers by the actors' names; those that give none are left out.

    Args:
        names: Who is asked.
        method: What.
        arguments: With which arguments.
        timeout_s: How long all together may take, seconds.
        refused: Gets what of the arguments is wrong, as those say that were asked.
    """
    asked = {
        getattr(handle, method).remote(*arguments): name
        for name in names
        if (handle := actor_by_name(name)) is not None
    }
    found: dict[str, Any] = {}
    for ref in ray.wait(list(asked), num_returns=len(asked), timeout=timeout_s)[0] if asked else ():
        try:
            found[asked[ref]] = ray.get(ref)
        except (RayError, GetTimeoutError) as error:
            cause = getattr(error, "cause", None)
            if refused is not None and isinstance(cause, ConfigError):
                refused += cause.problems
    return found


def _orders(run: str, order: FaultOrder, left_s: float) -> list[dict[str, Any]]:
    """The fault as data; of a host with and without its port."""
    point, subject = _POINTS[order.hit.kind]
    own = order.hit.name.partition("/")[2]
    subjects = (own, f"{own}:*") if order.hit.kind == "dependency" else (subject.format(name=order.hit.name),)
    how = order.how
    fields: dict[str, Any] = {"run": run, "point": point, "left_s": left_s, "share": how.get("share", 1.0)}
    match order.fault:
        case "latency":
            fields |= {"kind": "latency", "delay_s": how["delay_s"], "jitter_s": how.get("jitter_s", 0.0)}
        case "error" if order.hit.kind == "clock":
            fields |= {"kind": "skew", "skew_s": how["skew_s"]}
        case "error":
            fields |= {"kind": "error", "message": how.get("message", ""), "error": how.get("raises")}
        case "unavailable":
            lost = how.get("lost", "call")
            fields |= {"kind": "unavailable" if lost == "call" else f"lost_{lost}"}
        case _:
            fields |= {"kind": "hang"}
    return [
        {**fields, "subject": each, "fault_id": fault_id}
        for each, fault_id in zip(subjects, ids_of(run, order.fault_id), strict=False)
    ]
