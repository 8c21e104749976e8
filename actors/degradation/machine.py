"""The level of service: what the owner decides. Pure: events in, commands out.

    full <--> reduced <--> minimal <--> emergency          by the rules, a step at a time, each after its dwell time
      |                                    ^
      +------- a rule that says at once ---+               down only
    any --set by hand--> that level, held --its time is over | auto--> by the rules again

Down: a rule asks for `dwell_down_s`, and the level has held as long. Up: no rule has asked for a level as poor for
`dwell_up_s`, and the level has held as long. So a signal that wanders inside its band changes nothing, and one that
jumps to and fro changes a step per dwell time at most.

Time that is over is settled before each event. A `now` before the latest one counts as the latest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.degradation import messages as m
from actors.degradation.features import fitted, problems_of_feature, resolve
from actors.degradation.published import Published
from actors.degradation.rules import Asking
from actors.degradation.settings import problems_of_level
from actors.degradation.statistics import Tally
from actors.runtime.settings import shown

if TYPE_CHECKING:
    from actors.degradation.rules import Signal
    from actors.degradation.settings import DegradationSettings, FeatureSettings, OverrideSettings
    from actors.degradation.statistics import DegradationStatistics


_ROLLED_OUT = ("rollout", "tenants")


class DegradationMachine:
    """The levels and features of one supervisor, in one life of their owner.

    Args:
        settings: The levels and rules.
        now: The moment, monotonic seconds.
        generation: What is published has greater numbers; begin above those of an earlier life.
    """

    def __init__(self, settings: DegradationSettings, *, now: float, generation: int = 0) -> None:
        self._settings = settings
        self._now = self._since = self._good_since = now
        self._fresh = True
        self._number = 0
        self._reason = "nothing asks for less"
        self._generation = generation
        self._features: dict[str, FeatureSettings] = {}
        self._resolved = resolve({}, level=0, levels=settings.levels)
        self._signals: dict[Signal, float] = {}
        self._asking = Asking(settings)
        self._override: OverrideSettings | None = None
        self._until: float | None = None
        self._tally = Tally(settings.levels, now=now)
        self._commands: list[m.Command] = []

    @property
    def level(self) -> str:
        """The level that holds."""
        return self._settings.levels[self._number]

    @property
    def published(self) -> Published:
        """What every process is to know; tell it once at the start, then whenever a command says so."""
        return Published(
            level=self.level,
            number=self._number,
            generation=self._generation,
            reason=self._reason,
            resolved=self._resolved,
        )

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._now = max(self._now, now)
        self._settle()
        self._dispatch(event)
        self._settle()
        self._fresh = False
        commands, self._commands = self._commands, []
        return commands

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        if self._override is not None:
            return self._until
        down = self._settings.dwell_down_s
        times = [max(since, self._since) + down for since in self._asking.since(poorer_than=self._number)]
        if self._number > self._asking.wanted()[0]:
            times.append(max(self._since, self._good_since) + self._settings.dwell_up_s)
        return min(times, default=None)

    def statistics(self, now: float) -> DegradationStatistics:
        """What has happened, in the lives before this one, too, as far as they have told it."""
        return self._tally.statistics(max(self._now, now))

    def kept(self, now: float) -> m.KeptDegradation:
        """What a successor must know."""
        override = self._override
        if override is not None and self._until is not None:
            left_s = max(m.LEFT_S_MIN, self._until - max(self._now, now))
            override = override.model_copy(update={"until_s": left_s})
        return m.KeptDegradation(
            level=self.level,
            generation=self._generation,
            reason=self._reason,
            features=tuple(self._features.values()),
            override=override,
            statistics=self._tally.statistics(max(self._now, now)),
            asking=self._asking.kept(max(self._now, now)),
        )

    # -- events -------------------------------------------------------------------------------------------------------

    def _dispatch(self, event: m.Event) -> None:
        match event:
            case m.SignalsSeen():
                self._on_signals(event)
            case m.FeatureDeclared():
                self._on_declared(event.feature)
            case m.FeatureWithdrawn():
                self._on_withdrawn(event.name)
            case m.TenantOverridden():
                self._on_tenant(event)
            case m.LevelSet():
                self._on_set(event.override)
            case m.AutoRequested():
                self._on_auto(event)
            case m.TimePassed():
                pass  # all that is due was settled
            case m.StateRecovered():
                self._on_recovered(event.kept)
            case _:
                assert_never(event)

    def _on_signals(self, event: m.SignalsSeen) -> None:
        """It is good since no rule asks for a level as poor as the one that holds."""
        for signal, value in event.signals.items():
            if value is None:
                self._signals.pop(signal, None)
            else:
                self._signals[signal] = value
        before, _ = self._asking.wanted()
        self._asking.see(self._signals, self._now)
        after, _ = self._asking.wanted()
        if before >= self._number > after:
            self._good_since = self._now

    def _on_declared(self, feature: FeatureSettings) -> None:
        levels, most = self._settings.levels, self._settings.features_max
        feature = fitted(feature, levels)
        former = self._features.get(feature.name)
        if former is not None:
            kept = {field: getattr(former, field) for field in _ROLLED_OUT if field not in feature.model_fields_set}
            feature = feature.model_copy(update=kept)
        problems = problems_of_feature(feature, self._features, levels=levels, features_max=most)
        if problems:
            self._commands.append(m.Refuse(what="feature", name=feature.name, problems=problems))
        elif self._features.get(feature.name) != feature:
            self._declare(feature)

    def _declare(self, feature: FeatureSettings) -> None:
        self._features[feature.name] = feature
        self._commands.append(m.RecordFeature(name=feature.name, feature=feature))
        self._publish()

    def _on_withdrawn(self, name: str) -> None:
        if name not in self._features:
            return
        needed_by = sorted(each.name for each in self._features.values() if name in each.needs)
        if needed_by:
            problem = f"name: {', '.join(needed_by)} needs it; withdraw that first"
            self._commands.append(m.Refuse(what="feature", name=name, problems=(problem,)))
            return
        del self._features[name]
        self._commands.append(m.RecordFeature(name=name, feature=None))
        self._publish()
        self._tally.forget(name)

    def _on_tenant(self, event: m.TenantOverridden) -> None:
        feature = self._features.get(event.feature)
        if feature is None:
            problem = f"feature: {shown(event.feature)} is not declared; declare it first"
            self._commands.append(m.Refuse(what="tenant", name=event.tenant, problems=(problem,)))
            return
        tenants = {name: on for name, on in feature.tenants.items() if name != event.tenant}
        if event.on is not None:
            tenants[event.tenant] = event.on
        if tenants != feature.tenants:
            self._declare(feature.model_copy(update={"tenants": tenants}))

    def _on_set(self, override: OverrideSettings) -> None:
        problems = problems_of_level(override.level, self._settings.levels)
        if problems:
            self._commands.append(m.Refuse(what="level", name=override.level, problems=problems))
            return
        self._hold(override)
        detail = f"{override.who}: {override.reason}"
        self._go(self._settings.levels.index(override.level), "override", detail, who=override.who)

    def _hold(self, override: OverrideSettings | None) -> None:
        self._override = override
        lasts_s = None if override is None else override.until_s
        self._until = None if lasts_s is None else self._now + lasts_s

    def _on_auto(self, event: m.AutoRequested) -> None:
        if self._override is not None:
            self._release("auto", f"{event.who}: {event.reason or 'the rules decide again'}", who=event.who)

    def _release(self, kind: m.CauseKind, detail: str, *, who: str = "") -> None:
        """The rules decide again: down at once to what they ask for, up by steps as ever."""
        self._hold(None)
        wanted, rule = self._asking.wanted()
        words = f"{detail}; {rule}" if wanted > self._number else detail
        self._good_since = self._now
        self._go(max(wanted, self._number), kind, words, who=who)

    def _on_recovered(self, kept: m.KeptDegradation) -> None:
        """Go on where a predecessor was. What its settings called a level may be none any more: then the fullest."""
        if not self._fresh:
            return
        levels = self._settings.levels
        self._asking.resume(kept.asking, self._now)
        self._features = {each.name: each for each in kept.features if each.lowest in levels}
        self._generation = max(self._generation, kept.generation)
        if kept.override is not None and kept.override.level in levels:
            self._hold(kept.override)
        number = levels.index(kept.level) if kept.level in levels else 0
        if kept.statistics is not None:
            self._tally.resume(kept.statistics, levels[number], self._now)
        self._go(number, "recovered", kept.reason)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        if self._until is not None and self._until <= self._now:
            self._release("override_over", "its time is over")
        if self._override is None:
            self._step()

    def _step(self) -> None:
        """At most one step at a time, or one jump that a rule wants at once."""
        wanted, rule = self._asking.wanted(at_once=True)
        if wanted > self._number:
            self._go(wanted, "at_once", rule)
            return
        down, up = self._settings.dwell_down_s, self._settings.dwell_up_s
        held_s = self._now - self._since
        wanted, rule = self._asking.wanted(at=self._now - down)
        if wanted > self._number and held_s >= down:
            self._go(self._number + 1, "rule", rule)
        elif self._asking.wanted()[0] < self._number and min(held_s, self._now - self._good_since) >= up:
            self._go(self._number - 1, "recovering", f"nothing has asked for {self.level} for {up:g} s")

    def _go(self, number: int, kind: m.CauseKind, detail: str, *, who: str = "") -> None:
        before, off_before = self.level, set(self._resolved.why_off)
        if number != self._number:
            self._since = self._now
        self._number, self._reason = number, detail
        self._publish()
        off = set(self._resolved.why_off)
        self._commands.insert(
            len(self._commands) - 1,
            m.RecordLevel(
                before=before,
                after=self.level,
                kind=kind,
                detail=detail,
                who=who,
                until_s=None if self._until is None else self._until - self._now,
                switched_off=tuple(sorted(off - off_before)),
                switched_on=tuple(sorted(off_before - off)),
            ),
        )

    def _publish(self) -> None:
        self._resolved = resolve(self._features, level=self._number, levels=self._settings.levels)
        self._generation += 1
        self._tally.turn(self.level, self._resolved.why_off, self._now)
        self._commands.append(m.Publish(published=self.published))
