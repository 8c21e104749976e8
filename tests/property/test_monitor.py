"""Whatever probes answer, and however often the monitor is stopped, nobody is taken for sick without cause.

One check of a kind is in flight, and so many bad checks in a row must have counted.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.health import messages as m
from actors.health.machine import MonitorMachine
from actors.health.settings import MonitorSettings, ProbeSettings

COMPONENTS = st.sampled_from(["a", "b", "c"])
KINDS = st.sampled_from(["startup", "liveness", "readiness"])
OUTCOMES = st.sampled_from(["passed", "passed", "failed", "failed", "timed_out", "nonsense", "unreachable"])
LOTS = st.integers(0, 1000)
FAILURES = 3
BLIND_S = 3.0


class Monitoring(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = 100.0
        self.machine = MonitorMachine(MonitorSettings(blind_after_s=BLIND_S, log_passed_s=0.0), now=self.now)
        self.flying: dict[int, tuple[str, str, str]] = {}
        self.bad: dict[tuple[str, str, str], int] = {}
        self.states: dict[str, str] = {}
        self.lives: dict[str, int] = {}

    def tell(self, event: m.Event) -> None:
        for command in self.machine.handle(event, self.now):
            if isinstance(command, m.RunProbe):
                key = (command.component, command.kind, command.place)
                assert key not in self.flying.values(), "one of a kind is in flight"
                self.flying[command.number] = key
            elif isinstance(command, m.RecordCheck):
                check = command.check
                key = (command.component, check.kind, check.place)
                if check.counted and check.outcome != "unreachable":
                    self.bad[key] = 0 if check.outcome == "passed" else self.bad.get(key, 0) + 1
            elif isinstance(command, m.TellChange):
                self.check_change(command)
            elif isinstance(command, m.ReplaceChild):
                self.check_replaced(command)

    def check_replaced(self, wish: m.ReplaceChild) -> None:
        """So many bad checks in a row have counted, the latest was no silence, and it is the life that was checked."""
        deadly = [n for (name, kind, _), n in self.bad.items() if name == wish.component and kind != "readiness"]
        assert max(deadly) >= FAILURES
        assert wish.key == f"child/{wish.component}"
        assert self.lives.get(wish.key) == wish.incarnation
        assert self.machine.report(self.now).blind == ""

    def check_change(self, told: m.TellChange) -> None:
        assert self.states.get(told.component, "unknown") == told.before
        self.states[told.component] = told.after
        if told.after == "unhealthy" and told.before != "unhealthy":
            deadly = [
                count for (name, kind, _), count in self.bad.items() if name == told.component and kind != "readiness"
            ]
            assert told.flapping or max(deadly) >= FAILURES

    @rule(component=COMPONENTS, kind=KINDS, place=st.sampled_from([None, "node:x", "every_node"]))
    def register(self, component: str, kind: str, place: str | None) -> None:
        self.forget(component, kind)
        made = ProbeSettings(
            component=component,
            kind=kind,  # pyright: ignore[reportArgumentType]
            interval_s=1.0,
            timeout_s=0.5,
            failures=FAILURES,
            on=place,
        )
        self.tell(m.ProbeRegistered(settings=made))

    @rule(component=COMPONENTS)
    def unregister(self, component: str) -> None:
        for kind in ("startup", "liveness", "readiness"):
            self.forget(component, kind)
        self.tell(m.ProbeUnregistered(component=component))
        self.states.pop(component, None)

    @rule(component=COMPONENTS)
    def restart(self, component: str) -> None:
        self.bad = {key: count for key, count in self.bad.items() if key[0] != component}
        self.tell(m.ComponentRestarted(component=component))

    @rule(component=COMPONENTS, life=st.integers(0, 3))
    def see_children(self, component: str, life: int) -> None:
        """Another life of a child runs, or none."""
        self.lives = {**self.lives, f"child/{component}": max(self.lives.get(f"child/{component}", 0), life)}
        self.tell(m.ChildrenSeen(lives=self.lives))
        probes = {
            (name, kind, place): probe
            for name, each in self.machine._components.items()
            for (kind, place), probe in each.probes.items()
        }
        self.bad = {
            key: count for key, count in self.bad.items() if probes[key].standing != "pending" or probes[key].bad_in_row
        }

    @rule(nodes=st.sets(st.sampled_from(["x", "y", "z"])))
    def change_nodes(self, nodes: set[str]) -> None:
        self.tell(m.NodesChanged(nodes=tuple(sorted(nodes))))
        known = {(name, kind, place) for name, each in self.machine._components.items() for kind, place in each.probes}
        self.flying = {number: key for number, key in self.flying.items() if key in known}
        self.bad = {key: count for key, count in self.bad.items() if key in known}

    @precondition(lambda self: self.flying)
    @rule(lot=LOTS, outcome=OUTCOMES, twice=st.booleans())
    def end(self, lot: int, outcome: str, twice: bool) -> None:
        number = sorted(self.flying)[lot % len(self.flying)]
        del self.flying[number]
        for _ in range(1 + twice):
            self.tell(m.ProbeEnded(number=number, outcome=outcome))  # pyright: ignore[reportArgumentType]

    @rule(beats=st.integers(1, 8))
    def pass_time(self, beats: int) -> None:
        for _ in range(beats):
            self.now = max(self.now, self.machine.next_timer())
            self.tell(m.TimePassed())

    @rule(outcome=OUTCOMES)
    def answer_all(self, outcome: str) -> None:
        for number in sorted(self.flying):
            del self.flying[number]
            self.tell(m.ProbeEnded(number=number, outcome=outcome))  # pyright: ignore[reportArgumentType]

    @rule(seconds=st.floats(2 * BLIND_S + 1.0, 1000))
    def be_stopped(self, seconds: float) -> None:
        """Nobody is taken for sick for what happened, or did not, meanwhile."""
        before = dict(self.states)
        self.now = max(self.now, self.machine.next_timer()) + seconds
        self.tell(m.TimePassed())
        for name, state in self.states.items():
            assert state != "unhealthy" or before[name] == "unhealthy"

    @invariant()
    def what_was_told_is_what_is_reported(self) -> None:
        for name, each in self.machine.report(self.now).components.items():
            assert self.states.get(name, "unknown") == each.state
            assert each.score is None or 0.0 <= each.score <= 100.0

    def forget(self, component: str, kind: str) -> None:
        self.flying = {number: key for number, key in self.flying.items() if key[:2] != (component, kind)}
        self.bad = {key: count for key, count in self.bad.items() if key[:2] != (component, kind)}


TestMonitoring = Monitoring.TestCase
TestMonitoring.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
