"""How long each level held, what was off for how long, and how often all was well again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradationStatistics:
    """What has happened since `since_s` seconds ago.

    Attributes:
        since_s: How long it was counted, seconds.
        level_s: Time at each level, seconds.
        changes: How often the level changed.
        recoveries: How often the fullest level was reached again.
        recovery_s: The mean time from leaving the fullest level until then, seconds; None before the first.
        disabled: Features that are off now.
        disabled_s: Time that each feature was off, seconds; those that never were are left out.
        degraded_s: How long ago the fullest level was left, seconds; None while it holds.
    """

    since_s: float
    level_s: Mapping[str, float]
    changes: int
    recoveries: int
    recovery_s: float | None
    disabled: tuple[str, ...]
    disabled_s: Mapping[str, float]
    degraded_s: float | None = None

    def aged(self, level: str, elapsed_s: float) -> DegradationStatistics:
        """The same so much later, if all has been as it was: this level held."""
        return replace(
            self,
            since_s=self.since_s + elapsed_s,
            level_s={**self.level_s, level: self.level_s.get(level, 0.0) + elapsed_s},
            disabled_s={
                **self.disabled_s,
                **{name: self.disabled_s.get(name, 0.0) + elapsed_s for name in self.disabled},
            },
            degraded_s=None if self.degraded_s is None else self.degraded_s + elapsed_s,
        )


class Tally:
    """The counts."""

    def __init__(self, levels: tuple[str, ...], *, now: float) -> None:
        self._begun = self._told = now
        self._level_s = dict.fromkeys(levels, 0.0)
        self._off_s: dict[str, float] = {}
        self._level = levels[0]
        self._fullest = levels[0]
        self._off: tuple[str, ...] = ()
        self._left_at: float | None = None
        self._recovering_s = 0.0
        self.changes = self.recoveries = 0

    def resume(self, before: DegradationStatistics, level: str, now: float) -> None:
        """Count on from what an earlier life has counted until `now`, when this level holds."""
        self._begun, self._told = now - before.since_s, now
        self._level_s = {name: before.level_s.get(name, 0.0) for name in self._level_s}
        self._off_s, self._off = dict(before.disabled_s), before.disabled
        self._level = level
        self._left_at = None if before.degraded_s is None else now - before.degraded_s
        self.changes, self.recoveries = before.changes, before.recoveries
        self._recovering_s = (before.recovery_s or 0.0) * before.recoveries

    def settle(self, now: float) -> None:
        """All has been as it was last told, until `now`."""
        passed_s = max(0.0, now - self._told)
        self._told = max(self._told, now)
        self._level_s[self._level] += passed_s
        for name in self._off:
            self._off_s[name] = self._off_s.get(name, 0.0) + passed_s

    def turn(self, level: str, off: Collection[str], now: float) -> None:
        """This level holds from `now` on, and these features are off."""
        self.settle(now)
        self._off = tuple(sorted(off))
        if level == self._level:
            return
        self.changes += 1
        if self._left_at is None:
            self._left_at = now
        if level == self._fullest:
            self.recoveries += 1
            self._recovering_s += now - self._left_at
            self._left_at = None
        self._level = level

    def forget(self, feature: str) -> None:
        """There is no such feature any more."""
        self._off_s.pop(feature, None)
        self._off = tuple(name for name in self._off if name != feature)

    def statistics(self, now: float) -> DegradationStatistics:
        """What has happened until `now`."""
        self.settle(now)
        return DegradationStatistics(
            since_s=self._told - self._begun,
            level_s=dict(self._level_s),
            changes=self.changes,
            recoveries=self.recoveries,
            recovery_s=self._recovering_s / self.recoveries if self.recoveries else None,
            disabled=self._off,
            disabled_s=dict(self._off_s),
            degraded_s=None if self._left_at is None else self._told - self._left_at,
        )
