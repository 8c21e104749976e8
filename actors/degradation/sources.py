"""What is known of the world by now: of each source its latest word, and of none what is too old to be true. Pure.

Several sources may speak of one signal (each process of its own queues): the worst counts. A source that falls silent
takes its word back after a while, and then nothing is known of what nobody else speaks of. Only a queue that nobody
tells of any more is empty: it was that of a process which is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, get_args

from actors.degradation.settings import LOW_IS_BAD, SignalKind
from actors.runtime.settings import shown

if TYPE_CHECKING:
    from actors.degradation.rules import Signal

SILENCE_S = 10.0
"""How long a source's word holds after it was said last, seconds."""

SOURCES_MAX = 1000
SIGNALS_MAX = 1000
"""Signals of one source."""

_QUEUE: SignalKind = "queue_pressure"
_PAIR = 2
_NAMED = 3


class Sources:
    """All that speak."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, dict[Signal, float]]] = {}
        self._told: dict[Signal, float] = {}

    def say(self, source: str, signals: Mapping[Signal, float | None], now: float) -> None:
        """A source says this of some signals; of the others what it said before still holds.

        Args:
            source: Who speaks.
            signals: What it sees; None: nothing any more.
            now: Monotonic seconds.
        Raises:
            ValueError: It is no signal, or no number; there are too many sources, or too many signals of one.
        """
        problems = _problems_of(signals)
        if problems:
            raise ValueError("; ".join(problems[:_NAMED]))
        if source not in self._said and len(self._said) >= SOURCES_MAX:
            raise ValueError(f"{SOURCES_MAX} sources speak already; {source!r} is one too many")
        said = dict(self._said.get(source, (now, {}))[1])
        for signal, value in signals.items():
            if value is None:
                said.pop(signal, None)
            else:
                said[signal] = value
        if len(said) > SIGNALS_MAX:
            raise ValueError(f"{source!r} speaks of more than {SIGNALS_MAX} signals; name components, not single calls")
        self._said[source] = (now, said)

    def forget(self, source: str) -> None:
        """It speaks no more."""
        self._said.pop(source, None)

    def news(self, now: float) -> dict[Signal, float | None]:
        """What has changed since it was asked last; None for what nothing is known of any more."""
        silent = [source for source, (at, _) in self._said.items() if now - at > SILENCE_S]
        gone = [signal for source in silent for signal in self._said.pop(source)[1]]
        known = {signal: 0.0 for signal in gone if signal[0] == _QUEUE} | self._worst()
        news: dict[Signal, float | None] = {
            signal: value for signal, value in known.items() if self._told.get(signal) != value
        }
        news |= dict.fromkeys(self._told.keys() - known.keys())
        self._told = known
        return news

    def next_at(self) -> float | None:
        """When a source's word ends, monotonic seconds, or None."""
        return min((at + SILENCE_S for at, said in self._said.values() if said), default=None)

    def _worst(self) -> dict[Signal, float]:
        worst: dict[Signal, float] = {}
        for _, said in self._said.values():
            for signal, value in said.items():
                before = worst.get(signal)
                if before is None or ((value < before) if signal[0] in LOW_IS_BAD else (value > before)):
                    worst[signal] = value
        return worst


def _problems_of(signals: Mapping[Any, Any]) -> list[str]:
    """What is wrong with what somebody says: it may be anybody."""
    kinds = get_args(SignalKind)
    problems: list[str] = []
    for signal, value in signals.items():
        is_pair = isinstance(signal, tuple) and len(signal) == _PAIR
        if not is_pair or signal[0] not in kinds or not isinstance(signal[1], str):
            problems.append(f"{shown(signal)} is no signal; give one of {', '.join(kinds)}, and whose it is")
        elif value is not None and (not isinstance(value, int | float) or not isfinite(value)):
            problems.append(f"{signal[0]} of {signal[1]!r}: {shown(value)} is no number")
    return problems
