"""What the monitor's machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.answers import Outcome, Table
    from actors.health.kept import KeptMonitor
    from actors.health.report import Check, SystemHealth
    from actors.health.score import ComponentState
    from actors.health.settings import ProbeKind, ProbeSettings

BlindCause = Literal["starved", "killed", "cut_off"]

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRegistered:
    """Somebody wants a component to be watched; a probe of the same kind is replaced."""

    settings: ProbeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeUnregistered:
    """Somebody wants it to be watched no more; without a kind by none of its probes."""

    component: str
    kind: ProbeKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesChanged:
    """These nodes are in the cluster."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEnded:
    """A check ended, also one that was abandoned.

    Attributes:
        number: The one that it was run under.
        outcome: How; "unreachable" when the place could not be asked.
        duration_s: How long it took, seconds.
        detail: In words.
        score: 0 to 100, if the probe gave one.
        table: What it has seen of Ray's own table.
    """

    number: int
    outcome: Outcome
    duration_s: float | None = None
    detail: str = ""
    score: float | None = None
    table: Table = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatHeard:
    """A component said that it lives; for those that are judged by it."""

    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRestarted:
    """A component is a new one: it starts again, and what is known of the former is over."""

    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookWanted:
    """Somebody wants to know now how a component is: those of its checks that do not run begin."""

    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenSeen:
    """These supervised children run.

    Attributes:
        lives: The number of each one's life, by key as "child/cart".
        healed: Whether a healer decides what is done about sick ones; then the monitor leaves them to it.
    """

    lives: Mapping[str, int]
    healed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSwitched:
    """Somebody wants nothing to be watched (`stopped`), or everything again; registrations stay."""

    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """It is time for what `next_timer` said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorResumed:
    """This life of the monitor takes over from one that was lost. Counts only before anything else happened.

    Attributes:
        kept: What the predecessor left.
        away_s: How long nobody looked, seconds.
        kept_ago_s: How long ago it left that, seconds: nothing of it has changed until it was lost.
    """

    kept: KeptMonitor
    away_s: float
    kept_ago_s: float = 0.0


Event = (
    ProbeRegistered
    | ProbeUnregistered
    | NodesChanged
    | ProbeEnded
    | HeartbeatHeard
    | ComponentRestarted
    | ChildrenSeen
    | LookWanted
    | MonitorSwitched
    | TimePassed
    | MonitorResumed
)

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProbe:
    """Run a check and tell by `ProbeEnded`; never on the monitor's own thread.

    Attributes:
        place: Where; empty for the monitor's own process, else a node or child as in `on`.
        number: To be told with its end.
        timeout_s: After so long it is to be ended, seconds.
    """

    component: str
    kind: ProbeKind
    place: str
    number: int
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonProbe:
    """End a check that takes too long or is wanted no more; its end is still to be told."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCheck:
    """Write a check to the log."""

    component: str
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class TellChange:
    """Tell subscribers, healers and the degradation that a component changed, and write it to the log.

    Attributes:
        before: Its state until now.
        after: Its state from now on.
        flapping: Whether it changes all the time: the next turns are not told.
        caused_by: Dependencies that are down.
        detail: What its latest check said.
        silent_s: How long the trouble has lasted when it is told, seconds: since the first bad check in a row.
    """

    component: str
    before: ComponentState
    after: ComponentState
    flapping: bool
    caused_by: tuple[str, ...]
    detail: str
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceChild:
    """Have a supervised child replaced: it was verified that it is sick.

    Attributes:
        component: Whose probe says so.
        key: The child, as "child/cart".
        incarnation: The life of it that was checked; a later one is to be left alone.
        detail: What the check said.
    """

    component: str
    key: str
    incarnation: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Keep what a successor must know: it has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellScore:
    """Tell the degradation the system's score; taken every `sample_s`."""

    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSnapshot:
    """Write the whole to the log."""

    health: SystemHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmBlindness:
    """Tell people that the monitor did not see: nobody was taken for sick meanwhile.

    Attributes:
        cause: "starved" (it was not scheduled), "killed" (it had to be replaced), "cut_off" (places cannot be reached).
        gap_s: For how long, seconds; 0 for what lasts still.
        detail: The same for people.
    """

    cause: BlindCause
    gap_s: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSight:
    """Tell people that the monitor is not cut off any more."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseRegistration:
    """Answer a registration: it cannot be.

    Attributes:
        problems: Each beginning with the path of the field.
    """

    component: str
    kind: ProbeKind
    problems: tuple[str, ...]


Command = (
    RunProbe
    | AbandonProbe
    | RecordCheck
    | TellChange
    | ReplaceChild
    | Keep
    | TellScore
    | RecordSnapshot
    | AlarmBlindness
    | NoteSight
    | RefuseRegistration
)
