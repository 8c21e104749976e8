"""Chance as a list of numbers: it can be written down, replayed, and made smaller until nothing can be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

TRIES_MAX = 2_000


class Choices:
    """Where a simulation takes its chances from; 0 always means: nothing goes wrong.

    Args:
        rng: Draws anew; None: what was given is replayed, and zeros follow.
        given: What is replayed.
    """

    def __init__(self, rng: Random | None = None, given: Sequence[int] = ()) -> None:
        self._rng = rng
        self._given = given
        self.made: list[int] = []

    def below(self, bound: int) -> int:
        """A number from 0 to below `bound`, each as likely."""
        place = len(self.made)
        if self._rng is not None:
            chosen = self._rng.randrange(bound)
        else:
            chosen = self._given[place] % bound if place < len(self._given) else 0
        self.made.append(chosen)
        return chosen

    def happens(self, percent: int) -> bool:
        """Whether something happens that does so often."""
        return self.below(100) >= 100 - percent

    def delay_s(self, most_s: float) -> float:
        """A time from 0 on."""
        return most_s * self.below(1000) / 1000


def shrink(made: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """A shorter, smaller list that fails, too: parts are left out, then numbers become zero or smaller."""
    best = list(made)
    tries = 0

    def better(other: list[int]) -> bool:
        nonlocal best, tries
        tries += 1
        if tries > TRIES_MAX or other == best or not fails(other):
            return False
        best = other
        return True

    size = max(1, len(best) // 2)
    while size and tries < TRIES_MAX:
        place = 0
        while place < len(best):
            without = best[:place] + best[place + size :]
            zeroed = best[:place] + [0] * len(best[place : place + size]) + best[place + size :]
            if not better(without) and not better(zeroed):
                place += size
            elif place >= len(best):
                break
        size //= 2
    while best and best[-1] == 0 and better(best[:-1]):
        pass
    return best
