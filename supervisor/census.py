"""Every actor of ours on the cluster, and the end of those that no living supervisor owns."""

from __future__ import annotations

import pickle
from collections.abc import Collection
from contextlib import suppress

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime import process
from actors.runtime.actor_table import actor_rows
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName
from actors.runtime.process import ProcessIdentity
from actors.runtime.replicated import Replica
from supervisor.election import actor_by_name, find_leader
from supervisor.link import wait_until
from supervisor.reaping import Holdings, Resident, holdings_of, take_stock

ASK_S = 3.0
"""How long a leader may take to say what it owns, seconds."""

END_S = 15.0
"""How long the killed may take to be gone, seconds: Ray needs five for a stopped process."""


def look_around(*, supervisor: str | None = None) -> tuple[Resident, ...]:
    """Every living actor of ours with its standing, of one supervisor or of all."""
    rows = [row for row in actor_rows() if supervisor in (None, row.name.supervisor)]
    return take_stock(rows, {name: _ask_leader(name) for name in {row.name.supervisor for row in rows if row.alive}})


def end(residents: Collection[Resident]) -> tuple[ActorName, ...]:
    """Kill these incarnations, whatever they are doing; returns those that were still there after `END_S`."""
    wanted = {resident.name for resident in residents}
    for identity in _processes_here(residents):
        process.kill(identity)  # at once, also when it is stopped
    for name in wanted:
        handle = actor_by_name(name)
        if handle is not None:
            with suppress(RayError):
                ray.kill(handle, no_restart=True)
    left: set[ActorName] = set()

    def gone() -> bool:
        left.clear()
        left.update({row.name for row in actor_rows() if row.alive} & wanted)
        return not left

    wait_until(gone, END_S, every_s=0.1)
    return tuple(sorted(left))


def _processes_here(residents: Collection[Resident]) -> list[ProcessIdentity]:
    """Those of them that run on this node, bound to the lives that their pids have while Ray says that they live."""
    here = str(ray.get_runtime_context().get_node_id())
    local = {(each.name, each.pid): process.identify(each.pid) for each in residents if each.node_id == here}
    living = {(row.name, row.pid) for row in actor_rows() if row.alive and row.pid}
    return [identity for key, identity in local.items() if key in living]


def _ask_leader(supervisor: str) -> Holdings | None:
    """What a supervisor's leader announces; None when there is none, or no answer."""
    try:
        found = find_leader(supervisor)
        if found is None:
            return None
        replica: Replica | None = ray.get(found[1].observe.remote(0, 0, ASK_S), timeout=ASK_S)
        return None if replica is None else holdings_of(pickle.loads(replica.payload))  # noqa: S301 - our leader made it
    except (RayError, GetTimeoutError, SupervisorError, pickle.UnpicklingError, AttributeError, TypeError):
        return None  # it is silent, ends at this moment, or speaks another version's language
