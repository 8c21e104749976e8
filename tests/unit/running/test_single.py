"""One fault for a caller that waits: a node that does not answer holds up neither its stop nor its undo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from experiments.errors import RunStoppedError, WatchdogError
from experiments.faults.proof import Sight
from experiments.judging.facts import FaultFact
from experiments.judging.matching import match
from experiments.ledger import messages as m
from experiments.ledger.entry import Entry
from experiments.planning.inventory import Inventory, Target
from experiments.planning.planning import make_plan, require
from experiments.running.single import SingleFault
from tests.unit.faults.scene import until
from tests.unit.planning.scene import experiment

CRASH = {"target": {"kind": "child"}}


class World:
    """Everything that it acts on."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.on: set[str] = set()
        self.is_stopped = False
        self.silent = ""
        self.answers = threading.Event()
        self.held_up = threading.Event()
        self.no_watchdog = False
        self.rows: set[tuple[str, str]] = set()

    def _ask(self, what: str) -> None:
        if self.silent == what:
            self.held_up.set()
            assert self.answers.wait(30)

    # the log
    def record(self, table: str, row: tuple[Any, ...]) -> None:
        self.rows.add((table, str(row[1])))

    # the ledger
    def write(self, entry: Entry, _: str = "") -> None:
        self._ask(entry.step)
        self.entries.append(entry)

    # the watch
    def look(self) -> None:
        if self.is_stopped:
            raise RunStoppedError("r1", reason="seen enough")

    def wait(self, _: float) -> None:
        self.look()

    def close(self) -> None:
        pass

    # the striker
    def prepare(self, _: m.FaultOrder) -> dict[str, Any]:
        return {}

    def node_of(self, _: str) -> str:
        return "far"

    def arm(self, order: m.FaultOrder) -> None:
        if self.no_watchdog:
            raise WatchdogError(order.hit.name, reason="it did not come up")

    def sight_before(self, _: m.FaultOrder) -> Sight:
        return Sight(alive=True)

    def sight(self, _: m.FaultOrder) -> Sight:
        self._ask("sight")
        return Sight(alive=not self.on)

    def inject(self, order: m.FaultOrder, _: int) -> str:
        self.on.add(order.fault_id)
        return "done"

    def struck(self, _: str) -> tuple[tuple[float, int], ...]:
        return ()

    def undo(self, order: m.FaultOrder) -> str:
        self.on.discard(order.fault_id)
        return "undone"

    def steps(self) -> list[str]:
        return [entry.step for entry in self.entries]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.answers.set()
    assert not made.on, "nothing is left on"


def single(world: World, recovered: Any = None) -> SingleFault:
    plan = require(
        make_plan(experiment(CRASH), Inventory(targets=(Target(name="child/x", kind="child"),), embedded=True))
    )
    every: Any = world
    orders = [
        m.FaultOrder(fault_id=f"0.1.{hit.name}", place=0, fault=each.fault, hit=hit, lease_s=50.0, how=each.how)
        for each in plan.faults
        for hit in each.hits
    ]
    return SingleFault(
        every,
        every,
        striker=every,
        watch=every,
        plan=plan,
        run="r1",
        orders=orders,
        recovered=recovered or (lambda look, _: look()),
    )


def test_it_is_armed_injected_seen_and_undone(world: World) -> None:
    told = single(world).perform(after_s=0, settle_s=0)
    assert told == {"0.1.child/x": "its process is gone from /proc"}
    assert sorted(world.steps()) == sorted(["arming", "armed", "injected", "proven", "undone", "ended"])


@pytest.mark.parametrize("silent", ["sight", "injected", "proven"])
def test_a_node_that_does_not_answer_holds_up_no_stop(world: World, silent: str) -> None:
    world.silent = silent
    ended: list[str] = []

    def perform() -> None:
        with pytest.raises(RunStoppedError, match="seen enough"):
            single(world).perform(after_s=0, settle_s=0)
        ended.append("ended")

    running = threading.Thread(target=perform)
    running.start()
    until(lambda: bool(world.on) and world.held_up.is_set())
    world.is_stopped = True
    until(lambda: ended == ["ended"])
    assert not world.on
    assert not world.answers.is_set(), "nobody had answered"
    running.join()


def test_what_could_not_be_armed_is_told_as_begun_and_not_injected(world: World) -> None:
    """Else the log would have it begun and undone, and no word of what came of it."""
    world.no_watchdog = True
    facts: list[FaultFact] = []

    def recovered(look: Callable[[], tuple[FaultFact, ...]], _: int) -> tuple[FaultFact, ...]:
        facts.extend(look())
        return match(look(), ())

    with pytest.raises(WatchdogError):
        single(world, recovered).perform(after_s=0, settle_s=0)
    assert [(fact.fault_id, fact.injected_at_s) for fact in facts] == [("0.1.child/x", None)]
    assert ("chaos_experiment_events", "lost") in world.rows
    assert world.steps() == ["arming", "undone", "ended"]
