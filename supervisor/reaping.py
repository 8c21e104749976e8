"""Which of the cluster's actors a living supervisor owns, and which are to be ended because none does. Pure.

A supervisor owns what its leader announces: itself, its standby, the accepted incarnation of each child, those that
stand by for it, and the actors that host them. An incarnation before the accepted one is fenced: nothing it sends is
applied, and it only uses up its node. Where nobody leads, everything is an orphan. What a leader does not mention is
not ended for that: it may be on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from actors.runtime.ids import ROOT_KEY, ActorName

if TYPE_CHECKING:
    from actors.runtime.actor_table import ActorRow
    from supervisor.messages import ClusterView
    from supervisor.tree import Location

Standing = Literal["owned", "coming", "unlisted", "unknown", "fenced", "orphan"]

REAPED: tuple[Standing, ...] = ("fenced", "orphan")

_LAST = "event_log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a leader says of one of its actors."""

    status: str
    role: str
    restarts: int = 0
    location: Location | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """An actor of ours as it is on the cluster, or a child without an actor of its own.

    Attributes:
        name: Who it is, and which life of it.
        standing: "owned" by a living supervisor; "coming": a life after the accepted one; "unlisted": its leader does
            not mention it; "unknown": its leader does not answer; "fenced": a later life was accepted; "orphan":
            nobody leads its supervisor.
        said: What its supervisor says of it, else Ray's word for its state.
        pid: Its process; 0 where that is not known.
        node_id: Its node; empty where that is not known.
        started_at_us: When it started, microseconds since the Unix epoch; 0 where that is not known.
    """

    name: ActorName
    standing: Standing
    said: Said
    pid: int = 0
    node_id: str = ""
    started_at_us: int = 0

    @property
    def status(self) -> str:
        """One word for people: the standing, unless its supervisor owns it and says more."""
        return self.said.status if self.standing == "owned" else self.standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a leader announces that it owns.

    Attributes:
        actors: What it says of each, by the actor's name.
        accepted: The accepted incarnation by key.
    """

    actors: Mapping[str, Said] = field(default_factory=dict[str, Said])
    accepted: Mapping[str, int] = field(default_factory=dict[str, int])


def holdings_of(view: ClusterView) -> Holdings:
    """What the leader that announces `view` owns."""
    actors = {child.host: Said(status="running", role="host") for child in view.children if child.host}
    standing_by = [standby for child in view.children for standby in child.standbys]
    actors |= dict.fromkeys(standing_by, Said(status="running", role="standby"))
    if view.standby is not None:
        actors[view.standby] = Said(status="running", role="standby", location=view.standby_location)
    actors |= {
        child.name: Said(
            status=child.status,
            role=child.role,
            restarts=child.restarts,
            location=child.location,
            last_error=child.last_error,
        )
        for child in view.children
    }
    actors[view.leader] = Said(
        status="running", role="leader", restarts=view.incarnation - 1, location=view.leader_location
    )
    names = (ActorName.parse(text) for text in (view.leader, *(child.name for child in view.children)))
    return Holdings(actors=actors, accepted={name.key: name.incarnation for name in names if name is not None})


def take_stock(rows: Iterable[ActorRow], holdings: Mapping[str, Holdings | None]) -> tuple[Resident, ...]:
    """Every living actor with its standing, and the children that have no actor of their own.

    Args:
        rows: Ray's table; read before the leaders were asked, so that what they mention is at least as new.
        holdings: What each leader announces, by its supervisor's name; None where it did not answer.
    """
    living = [row for row in rows if row.alive]
    led = {row.name.supervisor for row in living if row.name.key == ROOT_KEY}
    found = {
        str(row.name): _resident(row, holdings.get(row.name.supervisor), is_led=row.name.supervisor in led)
        for row in living
    }
    for held in (holdings.get(supervisor) for supervisor in led):
        for text, said in {} if held is None else held.actors.items():
            name = ActorName.parse(text)
            if text not in found and name is not None:
                found[text] = _located(Resident(name=name, standing="owned", said=said))
    return tuple(sorted(found.values(), key=_place))


def to_reap(first: Iterable[Resident], second: Iterable[Resident]) -> tuple[Resident, ...]:
    """What no living supervisor owned at two looks; the writers of logs come last.

    Between a leader's death and its successor there is a moment in which everything is an orphan: one look is not
    enough, and the second one has to be some seconds later.
    """
    before = {resident.name for resident in first if resident.standing in REAPED}
    found = [resident for resident in second if resident.standing in REAPED and resident.name in before]
    return tuple(sorted(found, key=lambda resident: resident.name.concern == _LAST))


def _resident(row: ActorRow, held: Holdings | None, *, is_led: bool) -> Resident:
    unsaid = Said(status=row.state.lower(), role="")
    return _located(
        Resident(
            name=row.name,
            standing=_standing(row.name, held, is_led=is_led),
            said=unsaid if held is None else held.actors.get(str(row.name), unsaid),
            pid=row.pid,
            node_id=row.node_id,
            started_at_us=row.started_at_us,
        )
    )


def _standing(name: ActorName, held: Holdings | None, *, is_led: bool) -> Standing:
    if not is_led:
        return "orphan"
    if held is None:
        return "unknown"
    if str(name) in held.actors:
        return "owned"
    accepted = held.accepted.get(name.key)
    if accepted is None:
        return "unlisted"
    return "fenced" if name.incarnation < accepted else "coming"


def _located(resident: Resident) -> Resident:
    """With the place that its supervisor knows, where Ray's table has none."""
    where = resident.said.location
    if resident.pid or where is None:
        return resident
    return replace(resident, pid=where.process.pid, node_id=where.node_id)


def _place(resident: Resident) -> tuple[str, bool, str, int]:
    name = resident.name
    return name.supervisor, name.key != ROOT_KEY, name.key, name.incarnation
