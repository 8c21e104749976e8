"""Lots that depend on nothing but a seed and a question: whoever draws again, anywhere, draws the same. Pure.

Rejected: a generator that is drawn from in turn. One more target, or another order, would change every later draw.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")

_WHOLE = 2**64


def fraction(seed: int, *question: str | int) -> float:
    """A number in [0, 1) for this question."""
    text = "\0".join(str(part) for part in (seed, *question))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _WHOLE


def shuffled(items: Iterable[Item], seed: int, *question: str | int, name: Callable[[Item], str]) -> list[Item]:
    """The items in an order drawn for this question; which order they come in says nothing."""
    return sorted(items, key=lambda item: (fraction(seed, *question, name(item)), name(item)))
