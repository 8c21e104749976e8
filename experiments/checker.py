"""Were the tasks of an experiment lost, done twice, or made up? A history held against what was promised. Pure.

A history is three kinds of facts, in any order and mixed: a key was submitted (and accepted); an effect of a key was
seen by a witness that the fault cannot reach; a key ended, as its caller saw it. The rules:

- lost: submitted and never ended; or ended well, while the witness saw no effect;
- doubled: the witness saw more than one effect of a key;
- unexpected: an effect or an ending of a key that was never submitted; a success whose token is not that of an effect;
  two endings that differ.

What is kept of a key is a few bytes in arrays beside one dictionary: a million attempts fit into 500 MB, whatever their
keys are. Tokens are kept as 64-bit hashes: two different ones are taken for the same once in 10^19 times.

Rejected: sorting the history by key, or a list of events per key: simple, and four times the memory.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Submitted(NamedTuple):
    """A key was accepted: from here on it must end."""

    key: str


class Effect(NamedTuple):
    """A witness saw an effect of a key; `token` is what it answered with, `task` and `attempt` who asked for it."""

    key: str
    token: str = ""
    task: str = ""
    attempt: int = 0


class Ended(NamedTuple):
    """A key ended as its caller saw it; `token` is what a success brought."""

    key: str
    ok: bool
    token: str = ""


Fact = Submitted | Effect | Ended

SHOWN_MAX = 100
"""Offending keys that are named; all are counted."""

_SUBMITTED, _EFFECT, _DOUBLED, _OK, _FAILED, _DIFFERS, _OTHER_TOKENS = (1 << bit for bit in range(7))
_ENDED = _OK | _FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Keys that broke a rule.

    Attributes:
        count: How many.
        keys: The first of them, in the order in which they were first heard of.
    """

    count: int = 0
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a history comes to.

    Attributes:
        submitted: Keys that were submitted.
        effects: Effects that were seen.
        succeeded: Keys that ended well.
        failed: Keys that ended badly.
        lost: See above, as the next two.
    """

    submitted: int
    effects: int
    succeeded: int
    failed: int
    lost: Finding
    doubled: Finding
    unexpected: Finding

    @property
    def ok(self) -> bool:
        """Whether every rule was kept."""
        return not (self.lost.count or self.doubled.count or self.unexpected.count)

    @property
    def attempted(self) -> int:
        """Keys that ended, either way."""
        return self.succeeded + self.failed

    def problems(self) -> tuple[str, ...]:
        """What was broken, in words."""
        told = (("lost", self.lost), ("doubled", self.doubled), ("unexpected", self.unexpected))
        return tuple(f"{found.count} {what}: {_named(found)}" for what, found in told if found.count)


_NAMED_MAX = 5


def _named(found: Finding) -> str:
    more = found.count - _NAMED_MAX
    return ", ".join(found.keys[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


class HistoryChecker:
    """Takes facts in as they come, and judges at any time.

    Args:
        witnessed: Whether effects are seen at all; without a witness only losses and strange endings can be found.
    """

    def __init__(self, *, witnessed: bool = True) -> None:
        self._witnessed = witnessed
        self._places: dict[str, int] = {}
        self._flags = array("B")
        self._effect_tokens = array("q")
        self._ending_tokens = array("q")
        self._more_tokens: dict[int, set[int]] = {}
        self._effects = 0

    def take(self, facts: Iterable[Fact]) -> None:
        """Take facts in."""
        places, flags = self._places, self._flags
        for fact in facts:
            place = places.get(fact[0])
            if place is None:
                place = self._new(fact[0])
            if type(fact) is Submitted:
                flags[place] |= _SUBMITTED
            elif type(fact) is Effect:
                self._on_effect(place, hash(fact.token))
            elif type(fact) is Ended:
                self._on_ended(place, hash(fact.token), ok=fact.ok)

    def judge(self) -> Checked:
        """What the facts taken in so far come to."""
        lost, doubled, unexpected = _Collector(), _Collector(), _Collector()
        submitted = succeeded = failed = 0
        for key, place in self._places.items():
            flags = self._flags[place]
            submitted += bool(flags & _SUBMITTED)
            succeeded += bool(flags & _OK)
            failed += bool(flags & _FAILED and not flags & _OK)
            if flags & _SUBMITTED and self._is_lost(flags):
                lost.add(key)
            if flags & _DOUBLED:
                doubled.add(key)
            if not flags & _SUBMITTED or flags & _DIFFERS or self._is_made_up(place, flags):
                unexpected.add(key)
        return Checked(
            submitted=submitted,
            effects=self._effects,
            succeeded=succeeded,
            failed=failed,
            lost=lost.found(),
            doubled=doubled.found(),
            unexpected=unexpected.found(),
        )

    def _new(self, key: str) -> int:
        place = self._places[key] = len(self._flags)
        self._flags.append(0)
        self._effect_tokens.append(0)
        self._ending_tokens.append(0)
        return place

    def _on_effect(self, place: int, token: int) -> None:
        self._effects += 1
        flags = self._flags[place]
        if not flags & _EFFECT:
            self._flags[place] = flags | _EFFECT
            self._effect_tokens[place] = token
            return
        self._flags[place] = flags | _DOUBLED
        if token != self._effect_tokens[place]:
            # Either may be what the caller was answered with. Doubled keys are few, or the verdict is clear anyway.
            self._flags[place] |= _OTHER_TOKENS
            self._more_tokens.setdefault(place, set()).add(token)

    def _on_ended(self, place: int, token: int, *, ok: bool) -> None:
        flags = self._flags[place]
        ending = _OK if ok else _FAILED
        if flags & _ENDED and (not flags & ending or (ok and token != self._ending_tokens[place])):
            flags |= _DIFFERS
        if ok and not flags & _OK:
            self._ending_tokens[place] = token
        self._flags[place] = flags | ending

    def _is_lost(self, flags: int) -> bool:
        return not flags & _ENDED or bool(self._witnessed and flags & _OK and not flags & _EFFECT)

    def _is_made_up(self, place: int, flags: int) -> bool:
        """Whether a success brought what no effect gave."""
        if not self._witnessed or not flags & _OK or not flags & _EFFECT:
            return False
        token = self._ending_tokens[place]
        return token != self._effect_tokens[place] and token not in self._more_tokens.get(place, ())


class _Collector:
    def __init__(self) -> None:
        self._count = 0
        self._keys: list[str] = []

    def add(self, key: str) -> None:
        self._count += 1
        if len(self._keys) < SHOWN_MAX:
            self._keys.append(key)

    def found(self) -> Finding:
        return Finding(count=self._count, keys=tuple(self._keys))


def check(facts: Iterable[Fact], *, witnessed: bool = True) -> Checked:
    """Judge a whole history; see `HistoryChecker`."""
    checker = HistoryChecker(witnessed=witnessed)
    checker.take(facts)
    return checker.judge()


def facts_of_rows(rows: Iterable[tuple[str, str]]) -> Iterator[Fact]:
    """The endings that the event log knows, as facts.

    Args:
        rows: Key and state of each row of `tasks`; a row of a task without a key is given its task's id.
    """
    for key, state in rows:
        yield Ended(key, ok=state == "done")
