"""What a run writes down, and where: its steps in the ledger of the head node, those of a fault on the target's node.

The head node's ledger decides who may start: there is one of it, and without it there is no cluster. Each node on which
a fault is armed knows whose it is, so that its successor needs nobody else.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import ray

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.errors import NodeUnreachableError
from experiments.faults.succession import this_runner
from experiments.ledger import rows
from experiments.ledger.entry import Entry
from experiments.ledger.standing import touched_by_others
from experiments.running.points import ids_of, take_everywhere

if TYPE_CHECKING:
    from experiments.faults.succession import Cleared
    from experiments.hands.hand import Hand
    from experiments.hands.hands import Hands
    from experiments.hands.orders import NodeFacts
    from experiments.ledger.standing import RunStanding
    from experiments.planning.plan import Plan
    from supervisor.events import Events

ANSWERS_S = 45.0
"""How long nodes may take to answer where nobody is in a hurry, a hand's start among it, seconds."""

TAKEN_S = 5.0
"""How long processes may take to let faults be taken out, seconds."""

_HEAD = "node:__internal_head__"


def head_node() -> str:
    """The id of the node that the cluster cannot be without."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    heads = [str(node["NodeID"]) for node in nodes if _HEAD in node.get("Resources", {})]
    return heads[0] if heads else min(str(node["NodeID"]) for node in nodes)


class Books:
    """The ledgers of one run, and its rows in the event log.

    Args:
        hands: The hands of the nodes.
        events: The event log.
        run: The run.
        plan: Its plan.
    """

    def __init__(self, hands: Hands, events: Events, *, run: str, plan: Plan) -> None:
        self._hands = hands
        self._events = events
        self._run = run
        self._plan = plan
        self._home = head_node()
        self._planned: Entry | None = None
        self._told: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._introducing: dict[str, threading.Lock] = {}
        self._begun = False

    def begin(self, limit: int, family: str = "") -> str:
        """Take the run in; why it may not start, or nothing.

        Args:
            limit: How many experiments may run at a time.
            family: What the names of all runs of the same experiment begin with, if it has several.
        Raises:
            ChaosError: It could not be written.
        """
        runner = this_runner()
        experiment, ground = self._plan.experiment, self._plan.ground
        self._begun = True  # also where it is interrupted before it is answered
        why = self._hands.on(self._home).begin(self._run, experiment, ground, limit, runner, family)
        self._begun = not why
        if not why:
            data = {"experiment": experiment, **ground.as_data(), "runner": list(runner)}
            self._planned = Entry(run=self._run, step="planned", data=data, at_us=SYSTEM_CLOCK.wall_us())
            self._told |= {self._home}
            self._tell(self._planned)
        return why

    def write(self, entry: Entry, node_id: str = "") -> None:
        """Write an entry: of the run into every ledger that knows it, of a fault into that of its node.

        Raises:
            ChaosError: It could not be written.
        """
        entry = replace(entry, at_us=entry.at_us or SYSTEM_CLOCK.wall_us())
        if entry.fault:
            self._write_of_fault(entry, node_id or self._hands.here)
        else:
            # The head node's first: that one tells whether a run goes on, and another may not answer.
            for each in sorted(self._told, key=lambda node_id: (node_id != self._home, node_id)):
                self._append_somewhere(each, entry)
        self._tell(entry)

    def abandon(self, why: str) -> bool:
        """End the run where its runner did not; False where it was never taken in.

        Raises:
            ChaosError, OSError: The ledger cannot be read or written.
        """
        run = self._hands.on(self._home).runs().get(self._run) if self._begun else None
        if run is not None and run.goes_on:
            self._told |= {self._home}
            self.write(Entry(run=self._run, step="ended", data={"verdict": "aborted", "why": why}))
        return run is not None

    def touched_by_others(self, since_us: int) -> frozenset[str]:
        """Whom other runs touched since a moment of the wall clock, microseconds: the head node knows of each.

        Raises:
            ChaosError: It does not answer.
        """
        return touched_by_others(self._hands.on(self._home).runs().values(), self._run, since_us=since_us)

    def _write_of_fault(self, entry: Entry, node_id: str) -> None:
        try:
            self._introduce(node_id)
            self._hands.on(node_id).append([entry])
        except NodeUnreachableError:
            if entry.step == "arming":
                raise  # nobody would find it there
            self._hands.on(self._home).append([entry])

    def _introduce(self, node_id: str) -> None:
        with self._lock:
            introducing = self._introducing.setdefault(node_id, threading.Lock())
        with introducing:  # faults on one node are written down on threads of their own
            if node_id not in self._told and self._planned is not None:
                self._hands.on(node_id).append([self._planned])
                with self._lock:
                    self._told |= {node_id}

    def _append_somewhere(self, node_id: str, entry: Entry) -> None:
        try:
            self._hands.on(node_id).append([entry])
        except NodeUnreachableError:
            if node_id == self._home:
                raise  # another node's may be what the experiment took away

    def _tell(self, entry: Entry) -> None:
        self._events.record(*rows.of_entry(entry, self._plan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All runs of the cluster.

    Attributes:
        runs: By name, as the ledgers together tell of them.
        places: In which ledgers each is, by node.
        alive: Those whose runner lives.
    """

    runs: dict[str, RunStanding]
    places: dict[str, tuple[str, ...]]
    alive: frozenset[str]

    @property
    def gone(self) -> tuple[str, ...]:
        """Runs that go on, or have left something on, and whose runner does not live."""
        return tuple(
            name for name, run in self.runs.items() if (run.goes_on or run.undoable) and name not in self.alive
        )

    @property
    def going(self) -> tuple[RunStanding, ...]:
        """Runs that go on."""
        return tuple(run for name, run in self.runs.items() if run.goes_on and name in self.alive)


def standing(hands: Hands, *, timeout_s: float = ANSWERS_S) -> tuple[Standing, list[NodeFacts]]:
    """What all ledgers come to, and the nodes that answer within `timeout_s`, each time they are asked."""
    found: dict[str, RunStanding] = {}
    places: dict[str, tuple[str, ...]] = {}
    answers = hands.each(lambda hand: hand.runs(), timeout_s=timeout_s)
    for node_id, told in answers.items():
        for name, run in told.items():
            places[name] = (*places.get(name, ()), node_id)
            known = found.get(name)
            found[name] = run if known is None else _together(known, run)
    asked = {(run.runner[0], run.runner[1]) for run in found.values() if run.goes_on or run.active}
    nodes = hands.introduce(asked, of=answers, timeout_s=timeout_s)
    living = {(pid, ticks, node.host) for node in nodes for pid, ticks in node.runners}
    alive = frozenset(name for name, run in found.items() if run.runner in living)
    return Standing(runs=found, places=places, alive=alive), nodes


def _together(one: RunStanding, other: RunStanding) -> RunStanding:
    """One run from two ledgers: what either has seen on is on, and it has ended where either says so."""
    return replace(
        one,
        active={**one.active, **other.active},
        injected=one.injected | other.injected,
        proven=one.proven | other.proven,
        kept_on={**one.kept_on, **other.kept_on},
        verdict=one.verdict or other.verdict,
        ended_us=max(one.ended_us, other.ended_us),
    )


def clear_gone(hands: Hands, supervisor: str) -> tuple[str, ...]:
    """End what runners that are gone have left, on all nodes; what was done, in words."""
    seen, _ = standing(hands)
    return clear_runs(hands, supervisor, seen, seen.gone)


def clear_runs(
    hands: Hands, supervisor: str, seen: Standing, runs: tuple[str, ...], *, timeout_s: float = ANSWERS_S
) -> tuple[str, ...]:
    """End these runs wherever a ledger knows them; nodes and processes have `timeout_s` to answer."""
    told: list[str] = []
    ids = [each for run in runs for fault in seen.runs[run].active for each in ids_of(run, fault)]
    if ids and (taken := take_everywhere(supervisor, ids, timeout_s=min(timeout_s, TAKEN_S))):
        told.append(f"taken out of {taken} processes")
    by_node: dict[str, list[str]] = {}
    for run in runs:
        for node_id in seen.places.get(run, ()):
            by_node.setdefault(node_id, []).append(run)
    asks = {node_id: partial(_clear, names) for node_id, names in by_node.items()}
    for cleared in hands.ask(asks, timeout_s=timeout_s).values():
        told += [*cleared.faults, *(f"not ended: {each}" for each in cleared.left_on)]
        told += [f"{run} was aborted" for run in cleared.runs]
    return tuple(dict.fromkeys(told))


def _clear(names: list[str], hand: Hand) -> Cleared:
    return hand.clear(names)
