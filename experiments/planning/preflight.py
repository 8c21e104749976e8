"""What this machine cannot do, told before anything is touched. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from experiments.planning.plan import Plan, PlannedFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A node as far as faults are concerned.

    Attributes:
        name: The node.
        system: As `platform.system()` has it.
        processes: Whether /proc tells of other processes of this user.
        cores: Of the processor that may be used.
        memory_free_mb: Memory that is free, MiB; None: unknown.
        log_disk_free_mb: Free on the disk of the log, MiB; None: unknown.
        files_max: How many files a process may have open; None: unknown.
        rpc_faults: Ray was started with the fault points of its RPC configured.
    """

    name: str
    system: str
    processes: bool
    cores: int
    memory_free_mb: float | None = None
    log_disk_free_mb: float | None = None
    files_max: int | None = None
    rpc_faults: bool = False


_LEAST_MB = 64.0
_BY_SIGNAL = ("crash", "hang")


def preflight(plan: Plan, machines: dict[str, Machine]) -> tuple[str, ...]:
    """Why planned faults cannot be injected where they are to be; empty: they can.

    Args:
        plan: The plan.
        machines: The nodes by name; targets without a node are taken to be on the only one, or anywhere.
    """
    found: list[str] = []
    for fault in plan.faults:
        for node in sorted({hit.node for hit in fault.hits}):
            machine = machines.get(node) or (next(iter(machines.values())) if len(machines) == 1 else None)
            told = "nothing is known of that node" if machine is None else _cannot(fault, machine)
            if told:
                found.append(f"method[{fault.place}], {fault.fault} on node {node or '(any)'}: {told}")
    return tuple(found)


def _cannot(fault: PlannedFault, machine: Machine) -> str:
    kinds = {hit.kind for hit in fault.hits}
    if "rpc" in kinds and not machine.rpc_faults:
        return "faults of Ray's RPC are chosen when Ray starts: set RAY_testing_rpc_failure and start it anew"
    by_signal = fault.fault in _BY_SIGNAL and fault.how.get("how") not in ("ray_kill", "exit", "block")
    if (by_signal or fault.fault == "exhaustion") and not machine.processes:
        return f"{machine.system} has no /proc here, so no process is told from another that got its number"
    return _exhausted(fault, machine) if fault.fault == "exhaustion" else ""


def _exhausted(fault: PlannedFault, machine: Machine) -> str:
    """Whether what is to run out can be taken without taking the machine with it."""
    resource, left = fault.how.get("resource"), cast("float", fault.how.get("leave_mb", 0.0))
    free = {"memory": machine.memory_free_mb, "disk": machine.log_disk_free_mb}
    if resource in free:
        there = free[cast("str", resource)]
        if there is None:
            return f"how much {resource} is free is not known"
        if there - left < _LEAST_MB:
            return f"{there:g} MiB of {resource} are free and {left:g} are to be left; there is nothing to take"
    if resource == "files" and machine.files_max is None:
        return "how many files a process may open is not known"
    return ""
