"""What a new leader finds of its predecessors' children. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.messages import KnownActor


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivors:
    """Ray's actor table, sorted.

    Attributes:
        last: The latest incarnation that each key ever had.
        alive: The living child of each key that is to be adopted.
        fenced: Living children that a later life, even a dead one, has replaced: they are to be ended.
    """

    last: dict[str, int]
    alive: dict[str, KnownActor]
    fenced: tuple[KnownActor, ...]


def sort_survivors(actors: Sequence[KnownActor]) -> Survivors:
    """Who is to be adopted and who was fenced; supervisors themselves are left out of both."""
    last: dict[str, int] = {}
    alive: dict[str, KnownActor] = {}
    fenced: list[KnownActor] = []
    for actor in sorted(actors, key=lambda actor: actor.incarnation):
        last[actor.key] = actor.incarnation
        if actor.key.startswith("supervisor/"):
            continue
        if actor.key in alive:
            fenced.append(alive.pop(actor.key))
        if actor.alive:
            alive[actor.key] = actor
    return Survivors(last=last, alive=alive, fenced=tuple(fenced))
