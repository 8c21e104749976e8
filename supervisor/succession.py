"""Who leads, who stands by, and what each of them does next. Pure.

Creating a name is the election, and a standby is one that was elected in advance: it holds the name `root#<n>` with a
number later than its leader's, is constructed, and idle. So a name says only that its holder may lead; whoever looks
for the leader asks the holders. A standby leads once its leader is gone:

    waiting --Ray or the kernel tells of the leader's death----------------------------> leading
       |                                                                                   ^
       +--silent--> looking --its process is gone----------------------------------------->|
                       |    --hung--> fencing (SIGKILL, until the death is told) ----------+
                       +----busy, unclear, out of reach: look again
    any --a later life exists, or everything ends--> ended

Two may believe that they lead (a stopped process that comes back, a node that was cut off); only one is accepted: the
latest. Children, agents and the log refuse the earlier one, followers ignore its views, and it ends when it learns of
it. Silence alone replaces nobody, and nobody is replaced before SIGKILL was sent to him, where he can be reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from actors.health.detector import judge
from actors.recovery.backoff import restart_delay_s
from actors.runtime.replicated import Replica, supersedes

if TYPE_CHECKING:
    from random import Random

    from actors.runtime.process import ProcessEvidence

Role = Literal["leader", "standby"]
Step = Literal["wait", "look", "fence", "lead", "end", "refuse"]

SILENCE_S = 3.0
"""How long a leader may say nothing to its standby, or the standby to its leader, before its process is looked at."""

LOOK_S = 1.0
"""The time between two looks at a silent process, seconds."""

BLIND_S = 1.0
"""Who did not run for so long was stopped or starved itself, and could hear nobody, seconds."""

STANDSTILL = 60
"""So many seconds in a row a standby's watch may stand still, or its takeover last; both take moments."""

SETTLE_S = 10.0
"""How long a new leader waits at most for its tree to run before it makes a standby, seconds."""


@dataclass(frozen=True, slots=True)
class Office:
    """What one life of the root says of itself.

    Attributes:
        incarnation: Its number.
        role: What it takes itself for.
        other: Of a leader, the standby that it made, ready or not; of a standby, the leader that it follows; 0: none.
    """

    incarnation: int
    role: Role
    other: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Who leads, and whether a missing answer could still name a later one."""

    incarnation: int
    certain: bool


def leader_among(living: Collection[int], offices: Iterable[Office], *, after: int = 0) -> Sighting | None:
    """Who leads among the holders of the root's names.

    The latest that says so leads. If none says so, it is the one that a standby follows, who may only be slow; and
    without such a one the earliest: a standby that is left alone leads in a moment.

    Args:
        living: The numbers of all that hold a name; who was found dead is left out.
        offices: What those said that answered.
        after: Who is not later than this has been replaced.
    """
    candidates = sorted(number for number in living if number > after)
    if not candidates:
        return None
    said = {office.incarnation: office for office in offices if office.incarnation in candidates}
    silent = [number for number in candidates if number not in said]
    leading = [office for office in said.values() if office.role == "leader"]
    if leading:
        latest = max(leading, key=lambda office: office.incarnation)
        doubtful = [number for number in silent if number > latest.incarnation and number != latest.other]
        return Sighting(latest.incarnation, certain=not doubtful)
    followed = [office.other for office in said.values() if office.other in candidates]
    chosen = max(followed, default=candidates[0])
    return Sighting(chosen, certain=len(candidates) == 1 or not silent)


@dataclass(frozen=True, slots=True)
class Life:
    """A life of the root in Ray's table.

    Attributes:
        incarnation: Its number.
        alive: It lives, or is on its way.
        ran: It had a process; a name whose creator died too early never gets one.
    """

    incarnation: int
    alive: bool
    ran: bool = True


def may_lead(own: int, follows: int, lives: Iterable[Life]) -> bool:
    """Whether a standby may take the office; not when it was passed over.

    It was when a later life lives or did run, and when one between its leader and itself lives: then its leader had
    been replaced already when it made this standby, and did not know.

    Args:
        own: Its number.
        follows: The leader that it stands by for.
        lives: All that Ray's table knows.
    """
    later = any(life.incarnation > own and (life.alive or life.ran) for life in lives)
    return not later and not any(life.alive and follows < life.incarnation < own for life in lives)


def may_make(own: int, lives: Iterable[Life]) -> bool:
    """Whether a leader may make a standby: nobody later than itself lives, who might lead in its place."""
    return not any(life.alive and life.incarnation > own for life in lives)


def newest(copies: Iterable[Replica | None]) -> Replica | None:
    """The copy of the ledger that was said last: by the latest incarnation, and as its latest version."""
    found: Replica | None = None
    for copy in copies:
        if copy is not None and supersedes(copy, found):
            found = copy
    return found


def standby_node(nodes: Iterable[str], leaders: str, unfit: Collection[str], rng: Random) -> str:
    """The node of the next standby: any but the leader's, where there is another one that fits.

    The first leader lives beside the log, whose node's loss then costs one thing and not two. A standby is there for
    that very loss, so neither the leader's nor the log's node is a reason to be near.

    Args:
        nodes: The living ones.
        leaders: The leader's.
        unfit: Those on which a standby did not come up lately.
        rng: The source of chance.
    """
    others = sorted(node for node in nodes if node != leaders and node not in unfit)
    return rng.choice(others) if others else leaders


class Watch:
    """A standby's decisions.

    Args:
        own: The standby's number.
        follows: The leader that made it.
        now: Monotonic seconds.
    """

    def __init__(self, own: int, follows: int, now: float) -> None:
        self.own = own
        self.follows = follows
        self._heard_at = self._awake_at = self._looked_at = now
        self._evidence: ProcessEvidence | None = None
        self._fencing = False
        self._over = False

    @property
    def over(self) -> bool:
        """Whether it leads or ends: it stands by no more."""
        return self._over

    def heard(self, leader: int, now: float, *, stopping: bool = False) -> Step:
        """Leader `leader` spoke; `stopping` when it ends everything."""
        if leader < self.follows or self._over or self._fencing:
            return "refuse"
        if leader > self.follows or stopping:
            return self._close("end")
        self._heard_at, self._evidence = now, None
        return "wait"

    def told_gone(self, leader: int) -> Step:
        """Ray or the kernel says that leader `leader` is dead."""
        return "wait" if self._over or leader != self.follows else self._close("lead")

    def tick(self, now: float) -> Step:
        """Time has passed; to be called at least twice per `BLIND_S`."""
        blind, self._awake_at = now - self._awake_at > BLIND_S, now
        if blind:
            self._heard_at, self._evidence = now, None
        if self._over or now - self._heard_at < SILENCE_S or now - self._looked_at < LOOK_S:
            return "wait"
        self._looked_at = now
        return "look"

    def weigh(self, latest: ProcessEvidence, now: float) -> Step:
        """What a look at the silent leader's process means."""
        if self._over or now - self._heard_at < SILENCE_S:
            return "wait"
        earlier, self._evidence = self._evidence, latest
        verdict = judge(earlier, latest, apart_s=LOOK_S / 2)
        match verdict:
            case "gone":
                return self._close("lead")
            case "hung":
                self._fencing = True
                return "fence"
            case "busy" | "unclear":
                return "wait"
            case _:
                assert_never(verdict)

    def _close(self, step: Step) -> Step:
        self._over = True
        return step


class Standstill:
    """Whether a thread that counts its turns stands still. Another one counts the seconds, in which both could run."""

    def __init__(self) -> None:
        self._turns = -1
        self._seconds = 0

    def after(self, turns: int) -> bool:
        """Another second has passed, and the thread has made so many turns by now; whether it is to be given up."""
        self._seconds = self._seconds + 1 if turns == self._turns else 0
        self._turns = turns
        return self._seconds >= STANDSTILL


class StandbyPlan:
    """When a leader makes its next standby, and when it takes one for hung. Backoff: 0.5 to 30 s.

    Args:
        rng: The source of the backoff's jitter.
        now: When it began to lead, monotonic seconds.
    """

    MIN_S, MAX_S, JITTER, RESET_AFTER_S = 0.5, 30.0, 0.2, 30.0

    def __init__(self, rng: Random, now: float) -> None:
        self._rng = rng
        self._due_at: float | None = now + SETTLE_S
        self._lost_in_a_row = 0
        self._born_at = self._answered_at = now
        self._evidence: ProcessEvidence | None = None

    def settled(self, now: float) -> None:
        """The tree runs: the first standby need wait no longer."""
        if self._due_at is not None:
            self._due_at = min(self._due_at, now) if not self._lost_in_a_row else self._due_at

    def take(self, now: float) -> bool:
        """Whether to make one now; it is then under way until `lost`."""
        if self._due_at is None or now < self._due_at:
            return False
        self._due_at = None
        self._born_at = self._answered_at = now
        self._evidence = None
        return True

    def answered(self, now: float) -> None:
        """It spoke."""
        self._answered_at, self._evidence = now, None

    def lost(self, now: float) -> None:
        """It could not be made, or is gone."""
        if now - self._born_at >= self.RESET_AFTER_S:
            self._lost_in_a_row = 0
        delay_s = restart_delay_s(
            restarts=self._lost_in_a_row, min_s=self.MIN_S, max_s=self.MAX_S, jitter=self.JITTER, rng=self._rng
        )
        self._due_at, self._lost_in_a_row = now + delay_s, self._lost_in_a_row + 1

    def is_late(self, now: float, within_s: float) -> bool:
        """Whether the one under way was made more than `within_s` seconds ago; for one that is not ready yet."""
        return self._due_at is None and now - self._born_at > within_s

    def is_silent(self, now: float) -> bool:
        """Whether it is to be looked at."""
        return self._due_at is None and now - self._answered_at >= SILENCE_S

    def is_hung(self, latest: ProcessEvidence) -> bool:
        """What the look says: hung ones are killed."""
        earlier, self._evidence = self._evidence, latest
        return judge(earlier, latest, apart_s=LOOK_S / 2) == "hung"
