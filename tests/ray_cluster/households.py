"""What befalls supervised children on a cluster: scenes for `apart`, and schedules of faults drawn from a seed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import ray

from actors.runtime import process
from actors.runtime.errors import ChildStartError
from supervisor import Supervisor
from supervisor.election import inventory
from supervisor.link import wait_until
from tests.ray_cluster.nodes import PATIENCE_S, Nodes, drained, eventually, gcs_paused, hung, killed

BEAT: Any = {"heartbeat_s": 0.3, "hang_timeout_s": 1.5}
ANSWER_S = 60.0


class Ward:
    """Counts, and knows where it is."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> int:
        self.count += 1
        return self.count

    def add_once_open(self, gate: str, ran: str) -> int:
        """Adds when the file `gate` is there, and tells `ran` that this process did."""
        begun_at(ran).touch()
        if not wait_until(Path(gate).exists, ANSWER_S):
            raise TimeoutError(gate)
        with Path(ran).open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        return self.add()

    def pid(self) -> int:
        return os.getpid()

    def node(self) -> str:
        return str(ray.get_runtime_context().get_node_id())


def begun_at(ran: str) -> Path:
    """Says that `Ward.add_once_open` has begun."""
    return Path(f"{ran}.begun")


@contextmanager
def household(log: str) -> Generator[Supervisor]:
    """A supervisor with hardly any workers: it is about children."""
    pool = {"size": 1, "standbys": 0, "intensity": 1000, **BEAT}
    config = {
        "pools": {"default": pool},
        "services": BEAT,
        "root": {"intensity": 1000},
        "log": {"path": str(Path(log) / f"{uuid4().hex}.duckdb")},
        "warm_processes": 0,
    }
    sup = Supervisor.start(config, name=f"h{uuid4().hex[:8]}")
    try:
        yield sup
    finally:
        sup.shutdown()


def view(sup: Supervisor, key: str) -> Any:
    return next(child for child in sup.status().tree if child.key == key)


def ready(sup: Supervisor, key: str, standbys: int) -> bool:
    seen = view(sup, key)
    return seen.status == "running" and len(seen.standbys) == standbys


def off_head(sup: Supervisor, nodes: Nodes, child: Any, name: str) -> Any:
    """The node that the child is on, which is not the head: there is a standby elsewhere, so it is moved if it must."""
    others = {node.node_id: node for node in nodes.others}
    for _ in range(6):
        eventually(lambda: ready(sup, f"child/{name}", 1))
        where = child.node.remote().result(timeout=ANSWER_S)
        if where in others:
            return others[where]
        os.kill(child.pid.remote().result(timeout=ANSWER_S), signal.SIGKILL)
    raise AssertionError("the child is always on the head")


def count_to(child: Any, number: int) -> list[int]:
    return [child.add.remote().result(timeout=ANSWER_S) for _ in range(number)]


def child_of_a_killed_node(nodes: Nodes, log: str) -> dict[str, Any]:
    with household(log) as sup:
        ward: Any = sup.supervise(Ward, name="ward", standbys=1, checkpoint="each_call", **BEAT)
        node = off_head(sup, nodes, ward, "ward")
        acknowledged = count_to(ward, 5)[-1]
        with killed(nodes, node):
            after = ward.add.remote().result(timeout=ANSWER_S)
            moved = ward.node.remote().result(timeout=ANSWER_S) != node.node_id
        return {"acknowledged": acknowledged, "after": after, "moved": moved}


def child_of_a_hung_node(nodes: Nodes, log: str) -> dict[str, Any]:
    """The old process still runs, and ends a call that it had begun; nothing that it does is accepted."""
    gate, ran = Path(log) / "gate", Path(log) / "ran"
    with household(log) as sup:
        ward: Any = sup.supervise(Ward, name="ward", standbys=1, checkpoint="each_call", **BEAT)
        node = off_head(sup, nodes, ward, "ward")
        acknowledged = count_to(ward, 5)[-1]
        old = view(sup, "child/ward")
        begun = ward.add_once_open.remote(str(gate), str(ran))
        eventually(begun_at(str(ran)).exists)
        with hung(nodes, node):
            eventually(lambda: not nodes.is_alive(node))
            eventually(lambda: view(sup, "child/ward").incarnation > old.incarnation)
            gate.touch()
            counts = [begun.result(timeout=ANSWER_S) - acknowledged]
            eventually(lambda: len(ran.read_text(encoding="ascii").split()) == 2)
            both = str(old.location.process.pid) in ran.read_text(encoding="ascii").split()
            runs_on = process.is_alive(old.location.process)
            counts += [count - acknowledged for count in count_to(ward, 2)]
            moved = ward.node.remote().result(timeout=ANSWER_S) != node.node_id
        return {"ran_on": runs_on and both, "counts": counts, "moved": moved}


def child_of_a_drained_node(nodes: Nodes, log: str) -> dict[str, Any]:
    """It leaves; one whose spec names that node stays, and so does what stands by for it there."""
    with household(log) as sup:
        ward: Any = sup.supervise(Ward, name="ward", standbys=1, checkpoint="each_call", **BEAT)
        node = off_head(sup, nodes, ward, "ward")
        settings: dict[str, Any] = {"standbys": 1, "checkpoint": "each_call", **BEAT}
        bound: Any = sup.supervise(Ward, name="bound", node=node.node_id[:12], **settings)
        eventually(lambda: ready(sup, "child/bound", 1))
        bound_was = view(sup, "child/bound")
        placed = placed_as_wished(sup, node, bound)
        acknowledged = count_to(ward, 5)[-1]
        restarts = len(sup.root.status().members) and sup.root.status().restarts
        with drained(nodes, node, deadline_s=60.0):
            eventually(lambda: ward.node.remote().result(timeout=ANSWER_S) != node.node_id)
            on_time = nodes.is_alive(node)
            stays = view(sup, "child/bound") == bound_was and count_to(bound, 2) == [1, 2]
            after = ward.add.remote().result(timeout=ANSWER_S)
        ends = sup.events.query(
            "select exit_class from restarts where child = 'child/ward' order by ingest_id desc limit 1"
        )
        return {
            "kept": after == acknowledged + 1,
            "before_it_went": on_time,
            "bound": stays,
            "why": [row["exit_class"] for row in ends],
            "counted": sup.root.status().restarts - restarts,
            **placed,
        }


def placed_as_wished(sup: Supervisor, node: Any, bound: Any) -> dict[str, Any]:
    """Where those run that name a node which is not the head, and what is said of one that there is none of."""
    far = sup.group("far", supervisor=True, node=node.node_id)
    at_far = view(sup, "supervisor/far").location.node_id
    far.supervise(Ward, name="outpost", node=node.node_id, **BEAT)
    try:
        sup.supervise(Ward, name="lost", node="nowhere", **BEAT)
    except ChildStartError as error:
        reason = error.reason
    else:
        reason = ""
    on_node = {
        "child": bound.node.remote().result(timeout=ANSWER_S),
        "supervisor": at_far,
        "its child": view(sup, "child/far.outpost").location.node_id,
    }
    names = {"the node": "'nowhere'", "those there are": node.node_id[:12], "the class": "households.Ward"}
    return {
        "on_node": [name for name, where in on_node.items() if where == node.node_id],
        "names": [name for name, part in names.items() if part in reason],
    }


def children_without_a_gcs(nodes: Nodes, log: str) -> dict[str, Any]:
    with household(log) as sup:
        ward: Any = sup.supervise(Ward, name="ward", checkpoint=None, **BEAT)
        before = count_to(ward, 3)
        with gcs_paused(nodes, for_s=10):
            during = count_to(ward, 3)
        late: Any = sup.supervise(Ward, name="late", **BEAT)
        return {"before": before, "during": during, "late": count_to(late, 1)}


# -- schedules --------------------------------------------------------------------------------------------------------


BORNE, PERIOD_S = 10, 10.0
"""The intensity of the root's group, and so of the other one, too."""

REPLICATED = ("child/cart", "child/pair.till")

GLASS = "child/frail.glass"
"""Its group bears one restart for as long as a schedule may take: so a second one would be seen."""

HIT_AFTER = (1, 4)
"""The faults after which it is killed: others come between, and change who leads."""

LAST_EVENTS = (
    "select at_time::text as at, child, incarnation, event, role from children order by ingest_id desc limit 40"
)


class Callers:
    """Threads that call children without a pause, and remember every answer."""

    def __init__(self, children: dict[str, Any]) -> None:
        self.answers: dict[str, list[int]] = {name: [] for name in children}
        self.errors: list[str] = []
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(name, child), daemon=True) for name, child in children.items()
        ]
        for thread in self._threads:
            thread.start()

    def _call(self, name: str, child: Any) -> None:
        while not self._stopped.is_set():
            try:
                self.answers[name].append(child.add.remote().result(timeout=ANSWER_S))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told to the test
                self.errors.append(f"{name}: {type(error).__name__}: {error}")
                return

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(ANSWER_S)


def schedule(nodes: Nodes, log: str, seed: int) -> dict[str, Any]:
    """Faults in an order that the seed draws; the invariants are looked at when all is over."""
    rng = Random(seed)
    with household(log) as sup:
        name = sup.name
        pair = sup.group("pair", strategy="rest_for_one", intensity=BORNE, period_s=PERIOD_S)
        children: dict[str, Any] = {
            "cart": sup.supervise(Ward, name="cart", standbys=1, checkpoint="each_call", **BEAT),
            "desk": pair.supervise(Ward, name="desk", checkpoint="each_call", **BEAT),
            "till": pair.supervise(Ward, name="till", standbys=1, checkpoint="each_call", **BEAT),
        }
        eventually(lambda: sup.status().standby is not None)
        frail = sup.group("frail", intensity=1, period_s=3600, restart="transient")
        frail.supervise(Ward, name="glass", **BEAT)
        callers = Callers(children)
        first = FAULTS[(FAULTS.index(kill_leader_and_child) + seed) % len(FAULTS)]  # the worst one first
        faults = [first, *(rng.choice(FAULTS) for _ in range(5))]
        for number, fault in enumerate(faults):
            fault(sup, rng)
            if number in HIT_AFTER:
                _break_glass(sup)
            time.sleep(rng.uniform(0.1, 1.5))
        assert wait_until(lambda: not missing(sup), PATIENCE_S), (
            f"after {[fault.__name__ for fault in faults]} it does not become whole: {missing(sup)}; last events: "
            f"{sup.events.query(LAST_EVENTS)}"
        )
        callers.stop()
        glass = view(sup, GLASS)
        accepted = sup.events.query(
            "select child, incarnation from children where event in ('ready', 'promoted') and role <> 'standby' "
            "and child like 'child/%' order by ingest_id"
        )
        restarts = sup.events.query(
            "select group_name, epoch(at_time) as at from restarts where child like 'child/%' order by at_time"
        )
    wait_until(lambda: not _living(name), ANSWER_S)  # Ray's table learns of ends a little later
    return {
        "faults": [fault.__name__ for fault in faults],
        "errors": callers.errors,
        "broken": {key: _first_break(answers) for key, answers in callers.answers.items() if _first_break(answers)},
        "answers": sum(map(len, callers.answers.values())),
        "accepted_rise": _rise(accepted),
        "busiest": _busiest(restarts),
        "frail": (glass.incarnation - 1, glass.status),
        "left": _living(name),
    }


def _living(supervisor: str) -> list[str]:
    return [actor.key for actor in inventory(supervisor) if actor.alive]


def _first_break(answers: list[int]) -> list[int]:
    """The answers around the first that is not its predecessor's successor: a call was lost, doubled or overtaken."""
    for index, answer in enumerate(answers):
        if answer != index + 1:
            return answers[max(0, index - 3) : index + 4]
    return []


def _busiest(rows: list[dict[str, Any]]) -> int:
    """The most restarts that any group had within its period."""
    found = 0
    for group in {row["group_name"] for row in rows}:
        times = [row["at"] for row in rows if row["group_name"] == group]
        found = max(found, *(sum(at <= later < at + PERIOD_S for later in times) for at in times))
    return found


def _rise(rows: list[dict[str, Any]]) -> bool:
    """Whether each child's accepted incarnations only rise."""
    last: dict[str, int] = {}
    for row in rows:
        if row["incarnation"] < last.get(row["child"], 0):
            return False
        last[row["child"]] = row["incarnation"]
    return True


def missing(sup: Supervisor) -> list[str]:
    """What is not yet as it was before the faults."""
    seen = sup.status()
    return [
        *(() if seen.standby is not None else (f"{seen.leader} has no standby",)),
        *(
            f"{child.key}#{child.incarnation} is {child.status}"
            for child in seen.tree
            if child.status != ("given_up" if child.key == GLASS else "running")
        ),
        *(f"{key} has no standby" for key in REPLICATED if not view(sup, key).standbys),
    ]


def _signal(sup: Supervisor, key: str, number: signal.Signals) -> None:
    """The nodes are processes of this machine. One that has just ended is not there to be signalled."""
    where = view(sup, key).location
    if where is not None:
        with suppress(ProcessLookupError):
            os.kill(where.process.pid, number)


def _hit(sup: Supervisor, rng: Random, number: signal.Signals) -> None:
    """One that replicates is hit while a standby has its state: whoever loses both at once loses it, and may."""
    key = rng.choice(["child/cart", "child/pair.desk", "child/pair.till"])
    if key in REPLICATED:
        eventually(lambda: view(sup, key).standbys)
    _signal(sup, key, number)


def _break_glass(sup: Supervisor) -> None:
    """Kill it while it runs, and see what is made of that: it comes back, or it does not."""
    eventually(lambda: view(sup, GLASS).status in ("running", "given_up"))
    before = view(sup, GLASS).incarnation
    _signal(sup, GLASS, signal.SIGKILL)
    eventually(lambda: view(sup, GLASS).status == "given_up" or view(sup, GLASS).incarnation > before)


def kill_child(sup: Supervisor, rng: Random) -> None:
    _hit(sup, rng, signal.SIGKILL)


def stop_child(sup: Supervisor, rng: Random) -> None:
    _hit(sup, rng, signal.SIGSTOP)


def kill_leader(sup: Supervisor, rng: Random) -> None:
    where = sup.status().leader_location
    if where is not None:
        process.kill(where.process)


def kill_standby_supervisor(sup: Supervisor, rng: Random) -> None:
    where = sup.status().standby_location
    if where is not None:
        process.kill(where.process)


def kill_leader_and_child(sup: Supervisor, rng: Random) -> None:
    kill_child(sup, rng)
    kill_leader(sup, rng)


def kill_log_writer(sup: Supervisor, rng: Random) -> None:
    _signal(sup, "event_log/writer", signal.SIGKILL)


FAULTS: list[Callable[[Supervisor, Random], None]] = [
    kill_child,
    kill_child,
    stop_child,
    kill_leader,
    kill_standby_supervisor,
    kill_leader_and_child,
    kill_log_writer,
]
