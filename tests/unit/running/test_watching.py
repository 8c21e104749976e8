"""Whoever waits for a fault's end is told what ends it before: halt, stop, a guard, the deadline."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.errors import HaltedError, RunStoppedError
from experiments.ledger.halt import Halted
from experiments.model.safety import Guard
from experiments.running.watching import Watch, unfit_guards

PATIENCE_S = 20.0


class Flags:
    """The flags of a node."""

    def __init__(self) -> None:
        self.halt: Halted | None = None
        self.stops: dict[str, Halted] = {}

    def halted(self) -> Halted | None:
        return self.halt

    def stopped(self, run: str) -> Halted | None:
        return self.stops.get(run)


@pytest.fixture
def flags() -> Flags:
    return Flags()


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    made: list[Watch] = []
    yield made
    for each in made:
        each.close()


def watch(flags: Flags, watches: list[Watch], *guards: Guard, value: float = 1.0, lasts_s: float = 600.0) -> Watch:
    hands: Any = SimpleNamespace(own=flags)
    probes: Any = SimpleNamespace(value=lambda *_: value)
    watches.append(Watch(hands, probes, guards, run="r1", deadline_at=SYSTEM_CLOCK.now() + lasts_s))
    return watches[-1]


def test_nothing_ends_what_nobody_ends(flags: Flags, watches: list[Watch]) -> None:
    flags.stops["r2"] = Halted(who="ann", why="another")
    watch(flags, watches).wait(0.05)


def test_a_halt_and_a_stop_say_who_and_why(flags: Flags, watches: list[Watch]) -> None:
    looking = watch(flags, watches)
    flags.stops["r1"] = Halted(who="ann", why="seen enough")
    with pytest.raises(RunStoppedError, match="stopped by ann: seen enough"):
        looking.wait(PATIENCE_S)
    flags.halt = Halted(who="bob", why="storm")
    with pytest.raises(HaltedError, match="bob"):
        looking.look()


def test_the_deadline_ends_it(flags: Flags, watches: list[Watch]) -> None:
    with pytest.raises(RunStoppedError, match="deadline"):
        watch(flags, watches, lasts_s=0.02).wait(PATIENCE_S)


def test_a_guard_that_is_out_ends_it_and_one_that_is_not_does_not(flags: Flags, watches: list[Watch]) -> None:
    guard = Guard(name="calm", probe="measured", arguments={"measure": "failed"}, tolerance=[0, 5], every_s=0.01)
    watch(flags, watches, guard, value=3.0).wait(0.05)
    with pytest.raises(RunStoppedError, match="guard calm"):
        watch(flags, watches, guard, value=9.0).wait(PATIENCE_S)


def test_a_guard_that_cannot_be_read_or_is_out_is_told_before_anything_is_done() -> None:
    def told(value: Any, tolerance: Any = (0, 10), **changed: Any) -> tuple[str, ...]:
        def look(*_: object) -> Any:
            if isinstance(value, Exception):
                raise value
            return value

        fields = {"name": "g", "probe": "health_score", "tolerance": list(tolerance), **changed}
        probes: Any = SimpleNamespace(value=look)
        return unfit_guards((Guard.parse(fields, source="t"),), probes)

    assert told(5.0) == ()
    assert told(None) == ("safety.guards[0], g: it cannot be read: nothing tells of it yet",)
    assert told(TimeoutError("no monitor"))[0].endswith("it cannot be read: no monitor")
    assert "it is out before anything is done" in told(11.0)[0]
    assert told(11.0, times=2) == (), "once is not enough"
    assert told(None, probe="measured", arguments={"measure": "p50_s"}) == (), "the load does not run yet"
    assert told(None, probe="slo_burn") == (), "as above"
    assert told(None, probe="slo_burn", arguments={"component": "db"}) != ()
