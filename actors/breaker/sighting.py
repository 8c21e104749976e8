"""What a process has seen of a breaker and of its owner, and what it makes of the next sight: news, or none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actors.breaker.messages import Cause

if TYPE_CHECKING:
    from actors.breaker.gate import Gate
    from actors.breaker.published import State


What = Literal["transition", "owner_lost", "owner_heard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of a breaker's state, as one process sees it; or that its owner is lost, or heard again.

    Attributes:
        name: The breaker.
        before: What this process saw before; the same as `after` when a person asked for what was there already.
        after: What it sees from now on.
        generation: Which transition of the cluster's it is, or the one that held when the process opened itself.
        by_itself: It is this process's own opening or recovery; the cluster's state is another.
        cause: Why, as far as it is known here.
        skipped: Transitions of the cluster between this one and the one told before that this process did not see.
        event: "owner_lost": from now on closed goes on by local rules, open stays shut and nobody probes;
            "owner_heard": that is over. The state is the same before and after these two.
    """

    name: str
    before: State
    after: State
    generation: int
    by_itself: bool = False
    cause: Cause | None = None
    skipped: int = 0
    event: What = "transition"


class Sighting:
    """What one process saw last.

    Args:
        name: The breaker.
        gate: As it begins.
    """

    def __init__(self, name: str, gate: Gate) -> None:
        self._name = name
        self._published = gate.published
        self._alone = gate.opening is not None
        self._was_heard = False

    def heard(self, gate: Gate, now: float, *, lost: bool) -> tuple[Transition, ...]:
        """The owner is lost, or heard: told once each time, and not when it is heard for the first time."""
        is_news = gate.set_lost(lost=lost) and self._was_heard
        self._was_heard = self._was_heard or not lost
        if not is_news:
            return ()
        state, generation = gate.state(now), gate.published.generation
        event: What = "owner_lost" if lost else "owner_heard"
        return (Transition(name=self._name, before=state, after=state, generation=generation, event=event),)

    def news(self, gate: Gate, cause: Cause | None, now: float) -> Transition | None:
        """What has changed since the last time.

        Args:
            gate: As it is now.
            cause: What began the generation that holds, if that is known.
            now: The moment, monotonic seconds.
        """
        last, was_alone = self._published, self._alone
        published, alone = gate.published, gate.opening is not None
        self._published, self._alone = published, alone
        own = published.generation == last.generation
        if own and alone == was_alone:
            return None
        before: State = "open" if was_alone else last.state
        after = gate.state(now)
        same_life = published.incarnation == last.incarnation
        if before == after and not own and not same_life:
            return None  # another life of the owner goes on where the former was
        if own:
            trip = None if gate.opening is None else gate.opening.trip
            cause = None if trip is None else Cause(kind="tripped", detail=str(trip), trip=trip)
        return Transition(
            name=self._name,
            before=before,
            after=after,
            generation=published.generation,
            by_itself=own,
            cause=cause,
            skipped=published.generation - last.generation - 1 if same_life and not own else 0,
        )
