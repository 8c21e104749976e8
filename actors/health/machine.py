"""The health monitor: which checks run when, and what their results mean. Pure: events in, commands out.

    registered --due--> in flight --ended | took too long--> counted --threshold--> the component's state --> told
                  ^                                              |
                  +----------------- next beat ------------------+

Of one kind of a component at one place one check is in flight, however long it hangs. What cannot be reached is
unknown, never sick; and a monitor that was itself stopped, starved, replaced or cut off says so and takes nobody for
sick. A component that is told to be sick carries the dependencies that are down, where that began.

Time that is over is settled before each event. A `now` before the latest one counts as the latest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.health import messages as m
from actors.health.asking import Knowledge
from actors.health.component import Component
from actors.health.flights import Flights, silence
from actors.health.phi import Heartbeats, heartbeats_of
from actors.health.probe import Probe
from actors.health.registering import problems_of
from actors.health.report import Check
from actors.health.reporting import caused_by
from actors.health.schedule import Schedule
from actors.health.settings import EVERY_NODE, ProbeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.health.answers import Outcome
    from actors.health.component import ProbeKey
    from actors.health.settings import MonitorSettings


class MonitorMachine(Knowledge):
    """One monitor, in one life.

    Args:
        settings: How it judges.
        now: The moment, monotonic seconds.
    """

    def __init__(self, settings: MonitorSettings, *, now: float) -> None:
        super().__init__(settings, now=now)
        self._fresh = True
        self._schedule: Schedule[ProbeKey] = Schedule()
        self._flights = Flights()
        self._sample_at = now + settings.sample_s
        self._snapshot_at = now + settings.snapshot_s
        self._commands: list[m.Command] = []

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        return self.handle_all((event,), now)

    def handle_all(self, events: Sequence[m.Event], now: float) -> list[m.Command]:
        """The same of several; checks that have ended by then are taken before it is judged which take too long."""
        gap_s = self._sight.gap_s(last=self._now, due=self.next_timer(), now=now)
        self._now = max(self._now, now)
        if gap_s:
            self._be_blind(gap_s)
        self._weighed = None
        for event in (each for each in events if isinstance(each, m.ProbeEnded)):
            self._on_ended(event)
        self._settle()
        for event in events:
            self._dispatch(event)
        if self._sample_at <= self._now:  # last of all: what is weighed then is how things stand until the next turn
            self._sample_at = self._now + self._settings.sample_s
            self._sample()
        self._fresh = False
        commands, self._commands = self._commands, []
        return commands

    def next_timer(self) -> float:
        """When `TimePassed` is due, monotonic seconds."""
        times = (self._schedule.next_at(), self._flights.next_at(), self._sample_at, self._snapshot_at)
        return min(at for at in times if at is not None)

    # -- events -------------------------------------------------------------------------------------------------------

    def _dispatch(self, event: m.Event) -> None:  # noqa: C901 - one case for each event
        match event:
            case m.ProbeRegistered():
                self._on_registered(event.settings)
            case m.ProbeUnregistered():
                self._on_unregistered(event)
            case m.NodesChanged():
                self._on_nodes(event.nodes)
            case m.HeartbeatHeard():
                self._on_heartbeat(event.component)
            case m.ComponentRestarted():
                self._on_new_life(event.component)
            case m.ChildrenSeen():
                for name in self._wards.see(event, self._components):
                    self._on_new_life(name)
            case m.LookWanted():
                self._on_look(event.component)
            case m.MonitorSwitched():
                self._on_switched(stopped=event.stopped)
            case m.ProbeEnded() | m.TimePassed():
                pass  # what has ended was taken, and all that is due was settled
            case m.MonitorResumed():
                self._on_resumed(event)
            case _:
                assert_never(event)

    def _on_registered(self, settings: ProbeSettings) -> None:
        problems = problems_of(
            settings,
            self._depends_on,
            probes=len(self._schedule),
            places=len(self._places(settings)),
            probes_max=self._settings.probes_max,
        )
        if problems:
            name, kind = settings.component, settings.kind
            self._commands.append(m.RefuseRegistration(component=name, kind=kind, problems=problems))
            return
        known = self._components.setdefault(settings.component, Component(self._settings, now=self._now))
        known.registrations[settings.kind] = settings
        self._depends_on[settings.component] = known.depends_on
        for place in [place for kind, place in known.probes if kind == settings.kind]:
            self._drop((settings.component, settings.kind, place))
        for place in self._places(settings):
            self._add(settings, place)
        self._wards.meet(settings.component, known)
        self._commands.append(m.Keep())
        self._judge(settings.component)

    def _on_unregistered(self, event: m.ProbeUnregistered) -> None:
        known = self._components.get(event.component)
        if known is None:
            return
        for kind, place in list(known.probes):
            if event.kind in (None, kind):
                self._drop((event.component, kind, place))
        for kind in list(known.registrations):
            if event.kind in (None, kind):
                del known.registrations[kind]
        if known.registrations:
            self._depends_on[event.component] = known.depends_on
            self._judge(event.component)
        else:
            del self._components[event.component], self._depends_on[event.component]
            self._wards.forget(event.component)
        self._commands.append(m.Keep())

    def _on_nodes(self, nodes: tuple[str, ...]) -> None:
        self._nodes = nodes
        for name, known in self._components.items():
            everywhere = [each for each in known.registrations.values() if each.on == EVERY_NODE]
            for settings in everywhere:
                places = self._places(settings)
                for kind, place in list(known.probes):
                    if kind == settings.kind and place not in places:
                        self._drop((name, kind, place))
                for place in places:
                    if (settings.kind, place) not in known.probes:
                        self._add(settings, place)
            if everywhere:
                self._judge(name)
        self._note_sight(changed=self._sight.forget(self._all_places()))

    def _on_ended(self, event: m.ProbeEnded) -> None:
        key = self._flights.end(event.number)
        if key is None:
            return  # told twice, or wanted no more
        probe = self._probe(key)
        hung, probe.flight, probe.hangs = probe.hangs, None, False
        self._note_sight(changed=self._see_table(probe, event.table))
        if hung:
            return  # what it did not say in time was counted already
        outcome, detail, timeout_s = event.outcome, event.detail, probe.settings.timeout_s
        if outcome == "passed" and event.duration_s is not None and event.duration_s > timeout_s:
            outcome, detail = "timed_out", f"it took longer than {timeout_s:g} s"
        self._count(key, outcome, duration_s=event.duration_s, detail=detail, score=event.score)

    def _on_heartbeat(self, component: str) -> None:
        known = self._components.get(component)
        for probe in () if known is None else known.probes.values():
            if probe.heartbeats is not None:
                probe.heartbeats.hear(self._now)

    def _on_restarted(self, component: str) -> None:
        known = self._components.get(component)
        if known is not None:
            known.restart()
            self._commands.append(m.Keep())
            self._judge(component)

    def _on_new_life(self, component: str) -> None:
        """It has its initial delay again; what was asked of the life before says nothing of this one."""
        known = self._components.get(component)
        for probe in () if known is None else known.probes.values():
            if probe.settings.delay_s > 0:
                self._give_up(probe)
                self._wait_for(probe, probe.settings.delay_s)
        self._on_restarted(component)

    def _on_look(self, component: str) -> None:
        known = self._components.get(component)
        for kind, place in () if known is None else list(known.probes):
            self._on_due((component, kind, place))

    def _on_switched(self, *, stopped: bool) -> None:
        """What runs is given up, and what was known is not known any more."""
        self._commands.append(m.Keep())
        if stopped == self._stopped:
            return
        self._stopped = stopped
        for name, known in self._components.items():
            for probe in known.probes.values():
                self._give_up(probe)
            self._on_restarted(name)

    def _on_resumed(self, event: m.MonitorResumed) -> None:
        """Only what was there before: what this life has seen itself is newer."""
        if not self._fresh:
            return
        kept = event.kept
        self._nodes, self._stopped = kept.nodes, kept.stopped
        self._wards.resume(kept.lives)
        for settings in kept.registrations:
            name = settings.component
            made = Component(self._settings, now=self._now, state=kept.states.get(name, "unknown"))
            known = self._components.setdefault(name, made)
            if known is made:
                known.resume(event, name, self._now)
            known.registrations[settings.kind] = settings
            self._depends_on[name] = known.depends_on
            for place in self._places(settings):
                key = (name, settings.kind, place)
                probe = self._add(settings, place, delay_s=max(0.0, kept.delays.get(key, 0.0) - event.kept_ago_s))
                probe.resume(kept.tallies.get(key, probe.tally))
        detail = f"the monitor was replaced and looked at nobody for {event.away_s:.1f} s"
        self._commands.append(m.AlarmBlindness(cause="killed", gap_s=event.away_s, detail=detail))
        for name in self._components:
            self._judge(name)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        for number in self._flights.expired(self._now):
            self._on_hang(number)
        for key in self._schedule.due(self._now):
            self._on_due(key)
        if self._snapshot_at <= self._now:
            self._snapshot_at = self._now + self._settings.snapshot_s
            self._commands.append(m.RecordSnapshot(health=self.report(self._now)))

    def _on_hang(self, number: int) -> None:
        key = self._flights.key(number)
        self._probe(key).hangs = True
        self._commands.append(m.AbandonProbe(number=number))
        self._count(key, silence(key), detail="it took too long, and its end was not told")

    def _on_due(self, key: ProbeKey) -> None:
        known = self._components[key[0]]
        probe = known.probes[key[1], key[2]]
        if self._stopped:
            return
        if probe.hangs:
            self._count(key, silence(key), detail="the check before hangs still")
            probe.shaded = False  # what hangs on once the monitor sees again does so by itself
        elif probe.flight is None and known.is_wanted(probe):
            if probe.heartbeats is None:
                timeout_s = probe.settings.timeout_s
                answer_s = self._settings.answer_s if key[2] else 0.0
                number = self._flights.begin(key, expires_at=self._now + timeout_s + answer_s)
                probe.begin(number)
                name, kind, place = key
                run = m.RunProbe(component=name, kind=kind, place=place, number=number, timeout_s=timeout_s)
                self._commands.append(run)
            else:
                self._listen(key, probe, probe.heartbeats)

    def _listen(self, key: ProbeKey, probe: Probe, heartbeats: Heartbeats) -> None:
        phi = heartbeats.phi(self._now)
        assert probe.settings.phi is not None
        if phi < probe.settings.phi:
            self._count(key, "passed", detail="")
        else:
            outcome: Outcome = "unreachable" if self._sight.is_dim else "failed"
            self._count(key, outcome, detail=f"no heartbeat: suspicion {phi:.1f}, limit {probe.settings.phi:g}")

    def _sample(self) -> None:
        for name in [name for name, known in self._components.items() if known.flapping.active]:
            self._judge(name)
        self._commands.append(m.TellScore(score=self._take_scores()))

    # -- judging ------------------------------------------------------------------------------------------------------

    def _count(
        self,
        key: ProbeKey,
        outcome: Outcome,
        *,
        detail: str,
        duration_s: float | None = None,
        score: float | None = None,
    ) -> None:
        name, kind, place = key
        known = self._components[name]
        probe = known.probes[kind, place]
        counted = outcome == "passed" or not probe.shaded
        check = Check(
            kind=kind,
            place=place,
            outcome=outcome,
            duration_s=duration_s,
            detail=detail,
            score=score,
            counted=counted,
        )
        known.remember(check, self._now)
        if probe.is_news(outcome, self._now, passed_s=self._settings.log_passed_s):
            self._commands.append(m.RecordCheck(component=name, check=check))
        self._note_sight(changed=self._see(place, outcome))
        if counted:
            before = probe.tally
            probe.count(outcome, score)
            self._judge(name)
            if probe.tally != before:
                self._commands.append(m.Keep())
            self._replace(name, probe, outcome, detail)

    def _replace(self, name: str, probe: Probe, outcome: Outcome, detail: str) -> None:
        known = self._components[name]
        is_sick = probe.standing == "failing" and probe.settings.kind != "readiness" and known.state == "unhealthy"
        if not is_sick or outcome in ("passed", "unreachable") or not self._settings.replace_children:
            return
        if self._sight.cut_off or caused_by(name, self._components, self._depends_on):
            return
        wish = self._wards.wish(name, detail, self._now)
        if wish is not None:
            self._commands.append(wish)

    def _judge(self, name: str) -> None:
        known = self._components[name]
        turn = known.turn(self._now)
        if turn is not None:
            self._commands.append(m.Keep())
            self._commands.append(
                m.TellChange(
                    component=name,
                    before=turn.before,
                    after=turn.after,
                    flapping=known.flapping.active,
                    caused_by=caused_by(name, self._components, self._depends_on),
                    detail=known.detail,
                    silent_s=turn.silent_s,
                )
            )

    def _be_blind(self, gap_s: float) -> None:
        if gap_s > self._settings.blind_after_s:
            detail = f"the monitor was not scheduled for {gap_s:.1f} s"
            self._commands.append(m.AlarmBlindness(cause="starved", gap_s=gap_s, detail=detail))
            self._schedule.due(self._now)  # what was due meanwhile is not made up for
        for number in self._flights.delay(gap_s + self._settings.answer_s):
            self._probe(self._flights.key(number)).shaded = True
        for known in self._components.values():
            known.blind(self._now, gap_s=gap_s)

    def _note_sight(self, *, changed: bool) -> None:
        if changed and self._sight.cut_off:
            self._commands.append(m.AlarmBlindness(cause="cut_off", gap_s=0.0, detail=str(self._sight)))
        elif changed:
            self._commands.append(m.NoteSight(detail=str(self._sight)))

    # -- probes -------------------------------------------------------------------------------------------------------

    def _add(self, settings: ProbeSettings, place: str, *, delay_s: float | None = None) -> Probe:
        """A probe at a place; what is left of its initial delay, or all of it."""
        heartbeats = heartbeats_of(settings, self._now)
        probe = Probe(settings, place=place, heartbeats=heartbeats)
        self._components[settings.component].probes[settings.kind, place] = probe
        self._wait_for(probe, settings.delay_s if delay_s is None else delay_s)
        return probe

    def _wait_for(self, probe: Probe, delay_s: float) -> None:
        """No check of it before so long has passed."""
        probe.starts_at = self._now + delay_s
        key = (probe.settings.component, probe.settings.kind, probe.place)
        self._schedule.add(key, interval_s=probe.settings.interval_s, delay_s=delay_s, now=self._now)

    def _drop(self, key: ProbeKey) -> None:
        self._schedule.remove(key)
        self._give_up(self._components[key[0]].probes.pop((key[1], key[2])))

    def _give_up(self, probe: Probe) -> None:
        self._note_sight(changed=self._sight.look_away(probe))
        if probe.flight is not None:
            self._flights.end(probe.flight)
            self._commands.append(m.AbandonProbe(number=probe.flight))
            probe.flight, probe.hangs = None, False
