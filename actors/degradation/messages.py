"""What the degradation's machine is told and what it wants done: events in the past tense, commands imperative."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.degradation.published import Published
    from actors.degradation.rules import Signal
    from actors.degradation.settings import FeatureSettings, LevelRule, OverrideSettings
    from actors.degradation.statistics import DegradationStatistics

CauseKind = Literal["rule", "at_once", "recovering", "override", "override_over", "auto", "recovered"]

LEFT_S_MIN = 1e-3
"""What is left of an override whose time is over, until that is settled, seconds."""

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsSeen:
    """What is known now; None takes a signal back: nothing is known of it."""

    signals: Mapping[Signal, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDeclared:
    """Somebody declares a feature, or declares it anew.

    Who gets it (`rollout`, `tenants`) stays as it was where the new declaration does not say.
    """

    feature: FeatureSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureWithdrawn:
    """Somebody takes a feature back."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOverridden:
    """Somebody decides for one tenant; None takes that back."""

    feature: str
    tenant: str
    on: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSet:
    """Somebody sets the level by hand."""

    override: OverrideSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoRequested:
    """Somebody lets the rules decide again."""

    who: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """It is time for what `next_timer` said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecovered:
    """This life of the owner takes over from one that was lost. Counts only before anything else happened."""

    kept: KeptDegradation


Event = (
    SignalsSeen
    | FeatureDeclared
    | FeatureWithdrawn
    | TenantOverridden
    | LevelSet
    | AutoRequested
    | TimePassed
    | StateRecovered
)

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Tell every process."""

    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLevel:
    """Write to the history that the level changed, and tell subscribers and clients.

    Attributes:
        before: The level that was left; the same as `after` when somebody sets what held already.
        after: The level that holds.
        kind: Why, in a word.
        detail: The same for people.
        who: Who asked for it, if somebody did.
        until_s: For how long, if that is known, seconds.
        switched_off: Features that are off since.
        switched_on: Features that are on again.
    """

    before: str
    after: str
    kind: CauseKind
    detail: str
    who: str = ""
    until_s: float | None = None
    switched_off: tuple[str, ...] = ()
    switched_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFeature:
    """Write a declaration to the log: the feature and what it needs; None when it was taken back."""

    name: str
    feature: FeatureSettings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer a request: it cannot be.

    Attributes:
        what: "feature", "tenant" or "level".
        name: Of which.
        problems: Each beginning with the path of the field.
    """

    what: Literal["feature", "tenant", "level"]
    name: str
    problems: tuple[str, ...]


Command = Publish | RecordLevel | RecordFeature | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDegradation:
    """What a successor must know; no instant is in it, it crosses processes.

    Attributes:
        level: The level that held.
        generation: Of what was published last.
        reason: Why it held.
        features: As declared, in that order.
        override: What was set by hand, with the time that was left of it.
        statistics: What had been counted.
        asking: The rules that asked for a level, and for how long they had, seconds: in its band this decides.
    """

    level: str
    generation: int
    reason: str
    features: tuple[FeatureSettings, ...]
    override: OverrideSettings | None
    statistics: DegradationStatistics | None = None
    asking: tuple[tuple[LevelRule, float], ...] = ()

    def aged(self, elapsed_s: float) -> KeptDegradation:
        """The same so much later: less is left of the override, and the level has held longer."""
        override = self.override
        if override is not None and override.until_s is not None:
            override = override.model_copy(update={"until_s": max(LEFT_S_MIN, override.until_s - elapsed_s)})
        counted = None if self.statistics is None else self.statistics.aged(self.level, elapsed_s)
        asking = tuple((rule, asked_s + elapsed_s) for rule, asked_s in self.asking)
        return replace(self, override=override, statistics=counted, asking=asking)
