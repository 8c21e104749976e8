"""Changes of children's states: a leader's last ones in a ring, and a follower that survives the leader. Pure.

    leader    append -> ring: the last `capacity` changes, numbered from 1 -> base: each child as it was before them
    follower  knows nothing       -> learns every child's state, reports none of them
              knows this leader   -> reports what came since; what fell out of the ring is counted, and told as far as
                                     the base shows it
              knows another one   -> compares what it knew with this leader's base, then reports its whole ring
              took states over    -> compares them with every child's present state; took over that there were none:
                                     reports the whole ring

A synthesised change tells a difference whose own change was not seen: a new leader, or a follower that was too slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice

from actors.event_log.schema import CHILD_EVENTS, TOLD_BY_CHILDREN
from actors.runtime.errors import ConfigError

CAPACITY = 10_000
BATCH_MAX = 2_000

KINDS = tuple(event for event in CHILD_EVENTS if event not in TOLD_BY_CHILDREN)
"""The events that changes are of."""

_ALIVE = ("starting", "running", "stopping")

_NOBODY = (-1, 0)
"""What an asker knows that had nobody to know: all that a leader has is news to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildChange:
    """One change of one child's state, or that a whole group was given up for good (`escalated`).

    Attributes:
        key: The child, as `child/shop.cart`; a group's path, as `root`.
        name: The full name of the incarnation, as `default/child/shop.cart#3`; a group's, as `default/root`.
        incarnation: Which life of it; 0 for a group.
        event: What happened: one of the events in the log's table `children`.
        status: The child's status after it.
        role: Its role after it.
        exit_class: How the life ended, when one did.
        detail: More, for people.
        at: When, wall-clock microseconds since the Unix epoch; for people.
        synthesised: The change itself was not seen; the state it led to was found.
    """

    key: str
    name: str
    incarnation: int
    event: str
    status: str
    role: str
    exit_class: str | None = None
    detail: str = ""
    at: int = 0
    synthesised: bool = False


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a follower needs that cannot go on where it was.

    Attributes:
        states: Children as they were before the batch's changes, each told by its last change.
        mentioned: Every child that this leader knows of; others are gone.
    """

    states: tuple[ChildChange, ...]
    mentioned: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBatch:
    """An answer of a leader.

    Attributes:
        incarnation: Which leader.
        seq: Where to go on: the number of the last change that this batch covers.
        changes: In the order they happened.
        missed: How many fell out of the ring before they were asked for.
        catch_up: Set when the asker cannot go on where it was.
    """

    incarnation: int
    seq: int
    changes: tuple[ChildChange, ...] = ()
    missed: int = 0
    catch_up: CatchUp | None = None


class ChangeRing:
    """A leader's last changes, and each child's state before them.

    A child is forgotten when its change `deleted` falls out of the ring: a leader that drops a child appends one.

    Args:
        incarnation: Of the leader, from 1.
        capacity: How many changes are held.
    """

    def __init__(self, incarnation: int, *, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}: at least 1 change is held")
        self._incarnation = incarnation
        self._capacity = capacity
        self._ring: deque[ChildChange] = deque()
        self._base: dict[str, ChildChange] = {}
        self._newest = 0
        self._begun = False

    @property
    def newest(self) -> int:
        """The number of the last change; 0 before the first."""
        return self._newest

    @property
    def begun(self) -> bool:
        """Whether the leader has told which children there are; nobody is answered before."""
        return self._begun

    def begin(self, states: Iterable[ChildChange]) -> None:
        """Tell every child that this leader took over, by a change each (`adopted`): followers compare with them.

        Those of which a change was appended already are left out.
        """
        told = {change.key for change in self._ring}
        self._base = {state.key: state for state in states if state.key not in told} | self._base
        self._begun = True

    def append(self, change: ChildChange) -> int:
        """Add a change; its number."""
        self._ring.append(change)
        self._newest += 1
        if len(self._ring) > self._capacity:
            _note(self._base, self._ring.popleft())
        return self._newest

    def since(self, incarnation: int, seq: int, limit: int) -> tuple[tuple[ChildChange, ...], int]:
        """The changes after one, and how many of them are lost.

        Args:
            incarnation: The leader that the asker knows; for another one's the ring is read from its start.
            seq: The last change of it that the asker knows.
            limit: Changes at most, the earliest first.
        """
        known = seq if incarnation == self._incarnation else 0
        dropped = self._newest - len(self._ring)
        missed = max(0, dropped - known)
        start = max(0, known - dropped)
        return tuple(islice(self._ring, start, start + limit)), missed

    def read(self, incarnation: int, seq: int, limit: int = BATCH_MAX) -> ChangeBatch | None:
        """What an asker that knows change `seq` of leader `incarnation` needs next; None when it knows all.

        Args:
            incarnation: 0 when the asker knows nothing: it gets every child's present state. Below that, all there is.
            seq: The last change that it knows.
            limit: Changes at most.
        """
        if not self._begun:
            return None
        if incarnation == 0:
            present = dict(self._base)
            for change in self._ring:
                _note(present, change)
            states = CatchUp(tuple(present.values()), frozenset(present))
            return ChangeBatch(incarnation=self._incarnation, seq=self._newest, catch_up=states)
        changes, missed = self.since(incarnation, seq, limit)
        if incarnation == self._incarnation and not changes and not missed:
            return None
        catch_up = self._catch_up() if missed or incarnation != self._incarnation else None
        first = max(seq if incarnation == self._incarnation else 0, self._newest - len(self._ring))
        return ChangeBatch(
            incarnation=self._incarnation,
            seq=first + len(changes),
            changes=changes,
            missed=missed,
            catch_up=catch_up,
        )

    def _catch_up(self) -> CatchUp:
        mentioned = frozenset(self._base).union(change.key for change in self._ring)
        return CatchUp(tuple(self._base.values()), mentioned)


class ChangeFollower:
    """What one subscriber knows, over any number of leaders.

    Args:
        keys: The children to report, as `child/shop.cart` or `shop.cart`; None reports all.
        kinds: The events to report; None reports all.
        states: What is known already, from somebody who followed before; None: nothing, so the first answer is only
            learnt.
    Raises:
        ConfigError: There is no such event, or nothing could ever be reported.
    """

    def __init__(
        self,
        *,
        keys: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        states: Iterable[ChildChange] | None = None,
    ) -> None:
        self._keys = _as_set(keys)
        self._kinds = _as_set(kinds)
        problems = [f"keys: {keys!r} names no child"] if self._keys is not None and not self._keys else []
        if self._kinds is not None and not self._kinds:
            problems.append(f"kinds: {kinds!r} names no event")
        problems += [
            f"kinds: {kind!r} is not one of {', '.join(KINDS)}" for kind in sorted((self._kinds or set()) - set(KINDS))
        ]
        if problems:
            raise ConfigError("subscribe", problems=tuple(problems))
        self._states = {state.key: state for state in states or ()}
        self._learns = states is None
        self._known = (0, 0) if self._learns or self._states else _NOBODY
        self._missed = 0

    @property
    def known(self) -> tuple[int, int]:
        """The leader and the change of it that is known last; what to ask with."""
        return self._known

    @property
    def states(self) -> list[ChildChange]:
        """The state of each child that is known, told by its last change."""
        return list(self._states.values())

    @property
    def missed(self) -> int:
        """How many changes were lost because they were asked for too late."""
        return self._missed

    def take(self, batch: ChangeBatch) -> list[ChildChange]:
        """What to report of a leader's answer, in order; nothing of an earlier leader's, and nothing twice."""
        if batch.incarnation < self._known[0]:
            return []
        if batch.incarnation == self._known[0] and batch.seq <= self._known[1]:
            return []
        self._known = (batch.incarnation, batch.seq)
        found: list[ChildChange] = []
        if batch.catch_up is not None:
            found = self._compare(batch.catch_up, batch.incarnation)
        if self._learns:
            found, self._learns = [], False
        self._missed += batch.missed
        for change in batch.changes:
            _note(self._states, change)
            found.append(change)
        return [change for change in found if self._is_wanted(change)]

    def lose(self, event: str, detail: str) -> list[ChildChange]:
        """Everything that was followed has ended, and nobody will tell of it; what to report of that.

        Args:
            event: "stopped": what runs has ended; "deleted": what is known is forgotten, too.
            detail: More, for people.
        """
        found = [
            replace(state, event=event, status="stopped", exit_class=None, detail=detail, synthesised=True)
            for state in self._states.values()
            if event == "deleted" or state.status in (*_ALIVE, "restarting")
        ]
        for change in found:
            _note(self._states, change)
        return found

    def _compare(self, catch_up: CatchUp, leader: int) -> list[ChildChange]:
        """The differences between what was known and what the leader says, and learn them."""
        found: list[ChildChange] = []
        for state in catch_up.states:
            known = self._states.get(state.key)
            if known is None or _state_of(known) != _state_of(state):
                found += _between(known, state)
                self._states[state.key] = state
        for key in [key for key in self._states if key not in catch_up.mentioned]:
            gone, why = self._states.pop(key), f"leader {leader} does not have it"
            found.append(
                replace(gone, event="deleted", status="stopped", exit_class=None, detail=why, synthesised=True)
            )
        return found

    def _is_wanted(self, change: ChildChange) -> bool:
        if self._kinds is not None and change.event not in self._kinds:
            return False
        return self._keys is None or change.key in self._keys or change.key.partition("/")[2] in self._keys


def _between(known: ChildChange | None, state: ChildChange) -> list[ChildChange]:
    """What must have happened to a child between two states: a later life means that the earlier one ended."""
    found = [replace(state, synthesised=True)]
    if known is not None and known.status in _ALIVE and known.incarnation < state.incarnation:
        ended = replace(known, event="died", status="restarting", exit_class=None, detail="its end was not seen")
        found.insert(0, replace(ended, at=state.at, synthesised=True))
    return found


def _state_of(change: ChildChange) -> tuple[int, str, str]:
    return change.incarnation, change.status, change.role


def _note(states: dict[str, ChildChange], change: ChildChange) -> None:
    if change.event == "deleted":
        states.pop(change.key, None)
    elif change.event != "escalated":  # news of a group: only children's states are compared
        states[change.key] = change


def _as_set(names: Collection[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    return frozenset([names]) if isinstance(names, str) else frozenset(names)
