"""Which rules ask for a level now: each with its own hysteresis. Pure.

    idle --as bad as `enter`--> asking --as good as `leave`--> idle

In the band between the two a rule stays as it is, and so it does while nothing is known of its signal: who does not see
neither degrades nor recovers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.degradation.settings import DegradationSettings, LevelRule, SignalKind

Signal = tuple["SignalKind", str]
"""A kind, and whose it is."""


class Asking:
    """The rules, and since when each asks."""

    def __init__(self, settings: DegradationSettings) -> None:
        self._rules = settings.rules
        self._levels = settings.levels
        self._since: dict[int, float] = {}

    def see(self, signals: Mapping[Signal, float], now: float) -> None:
        """Judge each rule by what is known."""
        for number, rule in enumerate(self._rules):
            value = _value(rule, signals)
            if value is None:
                continue
            if number in self._since and rule.is_left(value):
                del self._since[number]
            elif number not in self._since and rule.is_entered(value):
                self._since[number] = now

    def kept(self, now: float) -> tuple[tuple[LevelRule, float], ...]:
        """The rules that ask, and for how long they have, seconds."""
        return tuple((self._rules[number], now - since) for number, since in self._since.items())

    def resume(self, kept: tuple[tuple[LevelRule, float], ...], now: float) -> None:
        """These have asked in an earlier life; those that are no more ask for nothing."""
        ago_s = {rule: asked_s for rule, asked_s in kept}
        self._since = {number: now - ago_s[rule] for number, rule in enumerate(self._rules) if rule in ago_s}

    def wanted(self, *, at: float | None = None, at_once: bool | None = None) -> tuple[int, str]:
        """The poorest level that is asked for, and by which rule; 0 if none is.

        Args:
            at: Only rules that ask since then or longer, monotonic seconds.
            at_once: Only rules that are so.
        """
        asking = [
            (self._levels.index(self._rules[number].level), -number)
            for number, since in self._since.items()
            if (at is None or since <= at) and at_once in (None, self._rules[number].at_once)
        ]
        if not asking:
            return 0, ""
        level, number = max(asking)
        return level, str(self._rules[-number])

    def since(self, *, poorer_than: int) -> list[float]:
        """When the rules began that ask for a level poorer than this one, monotonic seconds."""
        return [
            since
            for number, since in self._since.items()
            if self._levels.index(self._rules[number].level) > poorer_than
        ]


def _value(rule: LevelRule, signals: Mapping[Signal, float]) -> float | None:
    if rule.of or rule.signal == "system_score":
        return signals.get((rule.signal, rule.of))
    return max((value for (kind, _), value in signals.items() if kind == rule.signal), default=None)
