"""Leaders and standbys under random kills, stops and cuts, in virtual time: nobody is succeeded who may still act."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.process import ProcessEvidence
from supervisor.succession import Life, Office, StandbyPlan, Watch, leader_among, may_lead, may_make

TICK_S = 0.25
CALM_S = 60.0

Blow = tuple[str, int]
"""What happens, and to whom: the how-manieth living process."""


@dataclass
class Process:
    """The process of one life of the root, and what the world does to it."""

    number: int
    watch: Watch | None
    plan: StandbyPlan
    state: str = "running"
    cut: bool = False
    standby: int = 0
    ticks: int = 0

    @property
    def leads(self) -> bool:
        return self.watch is None

    @property
    def acts(self) -> bool:
        return self.state == "running"


@dataclass
class World:
    """All lives. One that was cut off runs on and may come back, but Ray takes it for dead for good, and ends it."""

    now: float = 0.0
    lives: dict[int, Process] = field(default_factory=dict)

    def create(self, follows: int | None) -> Process:
        number = max(self.lives, default=0) + 1
        watch = None if follows is None else Watch(number, follows, self.now)
        life = self.lives[number] = Process(number, watch, StandbyPlan(Random(number), self.now))
        life.plan.settled(self.now)
        return life

    def living(self) -> list[Process]:
        return [life for life in self.lives.values() if life.state != "dead"]

    def believed_dead(self, number: int) -> bool:
        return self.lives[number].state == "dead" or number in self.lost

    def strike(self, kind: str, which: int) -> None:
        living = self.living()
        if not living:
            return
        life = living[which % len(living)]
        match kind:
            case "kill":
                life.state = "dead"
            case "stop":
                life.state = "stopped"
            case "go on":
                life.state, life.cut = "running", False
            case _:
                life.cut = True
                self.lost.add(life.number)

    def step(self) -> None:
        self.now += TICK_S
        for life in self.living():
            if not life.acts:
                continue
            life.ticks += 1
            if life.leads:
                self.lead(life)
            elif not life.cut:
                self.stand_by(life)
        if all(self.believed_dead(number) for number in self.lives):
            self.create(None)  # whoever follows finds nobody

    def lead(self, life: Process) -> None:
        standby = self.lives.get(life.standby)
        if standby is not None and self.believed_dead(standby.number) and not life.cut:
            life.plan.lost(self.now)
            life.standby, standby = 0, None
        if standby is None:
            if not life.cut and life.plan.take(self.now):
                self.make(life)
            return
        if life.cut or standby.cut or not standby.acts:
            if life.plan.is_silent(self.now) and not life.cut and standby.state == "stopped":
                standby.state = "dead"  # looked at, hung, and killed
            return
        if standby.watch is None or standby.watch.heard(life.number, self.now) == "refuse":
            life.state = "dead"  # it learned that it was replaced
        else:
            life.plan.answered(self.now)

    def make(self, life: Process) -> None:
        if may_make(life.number, self.table()):
            life.standby = self.create(life.number).number
            return
        life.plan.lost(self.now)
        if any(other.leads and other.acts and not other.cut for n, other in self.lives.items() if n > life.number):
            life.state = "dead"  # it asked, and was told

    def table(self) -> list[Life]:
        """What Ray's table says."""
        return [Life(number, not self.believed_dead(number)) for number in self.lives]

    def stand_by(self, life: Process) -> None:
        watch = life.watch
        assert watch is not None
        followed = self.lives[watch.follows]
        step = watch.told_gone(followed.number) if self.believed_dead(followed.number) else watch.tick(self.now)
        if step == "look":
            state = {"running": "S", "stopped": "T", "dead": ""}[followed.state]
            step = watch.weigh(ProcessEvidence(state=state, cpu_ticks=followed.ticks, seen_at=self.now), self.now)
        if step == "fence":
            followed.state = "dead"
        if step == "lead":
            assert self.believed_dead(followed.number), "nobody is succeeded who can still be reached"
            if may_lead(life.number, followed.number, self.table()):
                life.watch = None
            else:
                life.state = "dead"
        if step == "end":
            life.state = "dead"

    def check(self) -> None:
        reachable = [life for life in self.living() if life.leads and life.acts and not life.cut]
        latest = max((life.number for life in reachable), default=0)
        stale = [life.number for life in reachable if life.number < latest]
        assert all(self.was_cut_or_stopped(number) for number in stale), "two lead, and the earlier never was away"

    def was_cut_or_stopped(self, number: int) -> bool:
        return number in self.away

    lost: set[int] = field(default_factory=set)
    away: set[int] = field(default_factory=set)

    def note_away(self) -> None:
        self.away |= {life.number for life in self.living() if life.cut or life.state == "stopped"}


BLOWS = st.tuples(st.sampled_from(["kill", "stop", "go on", "cut"]), st.integers(0, 3))


@settings(max_examples=150, deadline=None)
@given(schedule=st.lists(st.tuples(st.integers(1, 40), BLOWS), max_size=30))
def test_one_leads_in_the_end_whatever_happened(schedule: list[tuple[int, Blow]]) -> None:
    world = World()
    world.create(None)
    for wait, (kind, which) in schedule:
        for _ in range(wait):
            world.step()
            world.check()
        world.strike(kind, which)
        world.note_away()
    for life in world.living():
        life.state = "dead" if life.number in world.lost else "running"
    for _ in range(int(CALM_S / TICK_S)):
        world.step()
    leaders = [life for life in world.living() if life.leads]
    latest = max(leaders, key=lambda life: life.number)
    standby = world.lives[latest.standby]
    assert standby.state == "running"
    assert standby.watch is not None
    assert standby.watch.follows == latest.number
    offices = [
        Office(
            life.number,
            "leader" if life.leads else "standby",
            life.standby if life.watch is None else life.watch.follows,
        )
        for life in world.living()
    ]
    sighting = leader_among({life.number for life in world.living()}, offices)
    assert sighting is not None
    assert (sighting.incarnation, sighting.certain) == (latest.number, True)
