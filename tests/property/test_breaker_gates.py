"""Gates of several processes and an owner, between them a network that delays, loses and repeats: what always holds.

Never more probes than permits run at a time in the whole cluster; nobody is let through what its process knows to be
open; and whatever was lost, once all calls succeed and time passes, all calls pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker import messages as m
from actors.breaker.gate import Gate
from actors.breaker.kept import Kept, newest
from actors.breaker.machine import BreakerMachine
from actors.breaker.outcome import FAILED, SUCCESS
from actors.breaker.settings import BreakerSettings
from actors.breaker.verdict import Admitted, Ask, Permit

PERMITS, LEASE_S = 2, 10.0
SETTINGS = BreakerSettings(
    window_calls=8,
    minimum_calls=4,
    open_s=3.0,
    open_s_max=12.0,
    half_open_permits=PERMITS,
    half_open_s_max=20.0,
    permit_lease_s=LEASE_S,
    ramp=(0.5, 1.0),
)


class Cluster:
    """Three processes, an owner that may be lost, and a dependency that may be down."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = 0.0
        self.failing = 0.9
        self.lossy = True
        self.incarnation = 1
        self.machine = BreakerMachine(SETTINGS, rng=rng)
        word = self.machine.published(0.0)
        self.gates = {name: Gate(SETTINGS, word, process=name, rng=rng, now=0.0) for name in "abc"}
        self.mail: list[Callable[[], None]] = []
        self.calls: list[tuple[str, int]] = []
        self.probes: list[tuple[str, Permit]] = []

    # -- the network ------------------------------------------------------------------------------------------------

    def send(self, act: Callable[[], None], *, again: bool = False) -> None:
        """Messages overtake each other; some are lost, some come twice where that can happen."""
        if not self.lossy or self.rng.random() > 0.15:
            self.mail.append(act)
        if again and self.lossy and self.rng.random() < 0.1:
            self.mail.append(act)

    def deliver(self) -> None:
        if self.mail:
            self.mail.pop(self.rng.randrange(len(self.mail)))()

    def tell(self, event: m.Event) -> None:
        for command in self.machine.handle(event, self.now):
            match command:
                case m.Publish(published=published, settings=given):
                    for gate in self.gates.values():
                        self.send(lambda gate=gate, at=(published, given): gate.follow(*at, self.now), again=True)
                case m.GrantPermit():
                    self.send(partial(self.granted, command))
                case m.RefusePermit(holder=holder, request=request):
                    self.send(partial(self.denied, holder, request))
                case _:
                    pass

    def granted(self, grant: m.GrantPermit) -> None:
        permit = self.gates[grant.holder].granted(grant, self.now)
        if isinstance(permit, Permit):
            self.probes.append((grant.holder, permit))
        elif permit is not None:
            self.send(partial(self.tell, permit))
        out = [permit for _, permit in self.probes if permit.expires_at > self.now]
        assert len(out) <= PERMITS

    def denied(self, holder: str, request: int) -> None:
        self.gates[holder].denied(request, self.now)

    # -- what happens -----------------------------------------------------------------------------------------------

    def call(self, name: str) -> None:
        gate = self.gates[name]
        verdict = gate.admit(self.now)
        if isinstance(verdict, Admitted):
            assert gate.state(self.now) in ("closed", "ramping")
            self.calls.append((name, verdict.ticket))
        elif isinstance(verdict, Ask):
            assert gate.state(self.now) == "half_open"
            self.send(partial(self.tell, m.PermitRequested(holder=name, request=verdict.request)), again=True)

    def end_a_call(self) -> None:
        if self.calls:
            name, ticket = self.calls.pop(self.rng.randrange(len(self.calls)))
            code = FAILED if self.rng.random() < self.failing else SUCCESS
            if self.gates[name].record(code, ticket, self.now):
                self.report(name)

    def end_a_probe(self) -> None:
        """Some take longer than their lease."""
        if self.probes:
            name, permit = self.probes.pop(self.rng.randrange(len(self.probes)))
            outcome = "failure" if self.rng.random() < self.failing else "success"
            if self.rng.random() < 0.2:
                outcome = "cancelled"
            event = self.gates[name].end_permit(permit, outcome, self.now)
            assert event is not None
            self.send(partial(self.tell, event), again=True)

    def report(self, name: str) -> None:
        for event in self.gates[name].take_reports():
            self.send(partial(self.tell, event))

    def give_up(self, name: str) -> None:
        """Callers that wait for an answer for too long are refused."""
        for request in list(self.gates[name]._asking):
            self.gates[name].denied(request, self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = self.machine.next_timer()
        if due is not None and due <= self.now:
            self.tell(m.TimePassed())

    def lose_the_owner(self) -> None:
        """The successor knows what the processes know; what was under way to or from the former one is lost."""
        copies = [Kept(published=gate.published, settings=gate.settings) for gate in self.gates.values()]
        kept = newest(copies)
        assert kept is not None
        self.mail.clear()
        self.incarnation += 1
        self.machine = BreakerMachine(SETTINGS, rng=self.rng, incarnation=self.incarnation, now=self.now)
        self.tell(m.StateRecovered(kept=kept, unknown_leases_s=LEASE_S))

    def refresh(self) -> None:
        """The board: whoever missed the word reads it a little later."""
        word = self.machine.published(self.now)
        for gate in self.gates.values():
            gate.follow(word, self.machine.settings, self.now)

    def step(self) -> None:
        name = self.rng.choice("abc")
        act = self.rng.choices(
            [
                partial(self.call, name),
                self.deliver,
                self.end_a_call,
                self.end_a_probe,
                partial(self.report, name),
                partial(self.give_up, name),
                partial(self.pass_time, self.rng.choice([0.1, 0.5, 2.0, 11.0])),
                self.refresh,
                self.lose_the_owner,
            ],
            [30, 40, 20, 6, 8, 3, 10, 3, 0.5],
        )[0]
        act()

    def calm_down(self) -> None:
        """The network and the dependency are well again."""
        self.lossy, self.failing = False, 0.0
        for _ in range(300):
            self.refresh()
            for name in self.gates:
                self.call(name)
                self.give_up(name) if not self.mail else None
                self.report(name)
            while self.mail:
                self.deliver()
            while self.calls or self.probes:
                self.end_a_call()
                self.end_a_probe()
            self.pass_time(0.25)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_probes_are_limited_and_nothing_wedges_whatever_the_network_does(seed: int) -> None:
    cluster = Cluster(Random(seed))
    for _ in range(400):
        cluster.step()
    cluster.calm_down()
    assert cluster.machine.state == "closed"
    assert [gate.state(cluster.now) for gate in cluster.gates.values()] == ["closed"] * 3
    assert all(isinstance(gate.admit(cluster.now), Admitted) for gate in cluster.gates.values())
