"""What a new leader finds of its predecessors' children: who is adopted, who is fenced, who died meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from supervisor import messages as m
from supervisor.services.keys import is_service
from supervisor.supervision.groups import Groups
from supervisor.supervision.lives import Lives
from supervisor.supervision.orders import end_unlocated, record_of
from supervisor.supervision.services import service_plan
from supervisor.supervision.state import State
from supervisor.tree import (
    HOST,
    POOLS,
    SUBTREE,
    SYSTEM,
    TOP,
    Child,
    ExitClass,
    Life,
    Location,
    Outcome,
    is_within,
    member_plan,
    path_of,
)

LEADER = "supervisor/root"


@dataclass(slots=True)
class Found:
    """What is known of one key: the latest number ever, the living by number, and where each of them ran."""

    last: int = 0
    alive: dict[int, m.KnownActor] = field(default_factory=dict)
    places: dict[int, Location] = field(default_factory=dict)


def sort_actors(actors: Sequence[m.KnownActor]) -> dict[str, Found]:
    """Ray's actor table by key; supervisors themselves are left out."""
    found: dict[str, Found] = {}
    for actor in sorted(actors, key=lambda actor: actor.incarnation):
        if actor.key == LEADER:
            continue
        entry = found.setdefault(actor.key, Found())
        entry.last = max(entry.last, actor.incarnation)
        if actor.alive:
            entry.alive[actor.incarnation] = actor
        if actor.location is not None:
            entry.places[actor.incarnation] = actor.location
    return found


def choose(child: Child, found: Found) -> tuple[int, list[int], list[int]]:
    """The life to adopt as the accepted one (0: none), those that stand by, and those that were replaced.

    The life that was accepted last, if it still lives; else, of a child with standbys, the oldest later one; else the
    latest of all, and that only if it lives: whatever began after another one of a child without standbys replaced it,
    unless the ledger knows better. Whatever is earlier than the accepted one was replaced, and a life that was known to
    be over is not accepted again. Nor is what stood by when the child's spec was changed: its end was ordered.
    """
    alive = sorted(found.alive)
    first = child.incarnation + (child.status == "restarting")
    fit = max(first, child.current_from)
    later = [number for number in alive if number >= fit or number == first == child.incarnation]
    may_stand_by = bool(child.plan.standbys) or (child.incarnation in later and found.last <= child.last)
    if not may_stand_by:
        later = [number for number in later if number == max(found.last, child.last)]
    if not later:
        return 0, [], alive
    accepted = later[0]
    return accepted, later[1:], [number for number in alive if number not in later]


class Adoption:
    """Takes a predecessor's tree over."""

    def __init__(self, state: State, groups: Groups, lives: Lives) -> None:
        self._s = state
        self._groups = groups
        self._lives = lives

    def take_over(self, event: m.LeaderStarted, ends: Mapping[str, Outcome]) -> None:
        """Adopt the living, restart what died meanwhile, start what never ran.

        Args:
            event: What there is.
            ends: The groups that the predecessor was ending, and what their end is to mean.
        """
        found = sort_actors(event.actors)
        self._learn_of_members(found)
        hosts = {key.removeprefix(HOST): found.pop(key).alive for key in list(found) if key.startswith(HOST)}
        dead: list[tuple[str, Life]] = []
        for key, child in self._s.children.items():
            entry = found.pop(key, Found())
            self._believe(child, entry, hosts.get(child.plan.share, {}))
            knew = child.last
            accepted = self._adopt(child, entry)
            child.last = max(child.last, entry.last)
            if accepted or child.status not in ("waiting", "restarting") or not child.last:
                continue
            if child.status == "waiting" or entry.last > knew:
                number = max(child.incarnation, entry.last)
                life = Life(number, location=entry.places.get(number), ready_at=self._s.now)
                life.fell_with = (
                    f"{HOST}{child.plan.share}" if child.plan.shared and not hosts.get(child.plan.share) else ""
                )
                dead.append((key, life))
        subtrees = [path_of(key) for key in self._s.children if key.startswith(SUBTREE)]
        for key, entry in found.items():
            self._s.remember_number(key, entry.last)
            if not any(is_within(path_of(key), subtree) for subtree in subtrees):  # else it is their business
                self._s.emit(*(end_unlocated(actor) for actor in entry.alive.values()))
        self._end_empty(hosts, subtrees)
        if event.succeeds:
            self._go_on(dead, ends)
        elif self._groups.start(TOP):
            self._groups.started(TOP)

    def _believe(self, child: Child, entry: Found, hosts: Mapping[int, m.KnownActor]) -> None:
        """A host that lives and is silent may only be busy: what the predecessor knew to live there is adopted.

        Its start timeout judges it, and its heartbeats where its place is known.
        """
        number = child.incarnation
        if entry.alive or child.status != "waiting" or not number:
            return
        for host in hosts.values():
            if host.silent:
                name = self._name_of(host)
                entry.alive[number] = m.KnownActor(
                    key=child.plan.key, incarnation=number, alive=True, location=host.location, host=name
                )

    def _end_empty(self, hosts: Mapping[str, Mapping[int, m.KnownActor]], subtrees: Sequence[str]) -> None:
        """End the processes that children share in which none of them lives."""
        lives = (life for child in self._s.children.values() for life in child.lives.values())
        inhabited = {life.host for life in lives if life.host}
        for share, living in hosts.items():
            if not any(is_within(share, subtree) for subtree in subtrees):
                for host in living.values():
                    if self._name_of(host) not in inhabited:
                        self._s.emit(end_unlocated(host))

    def _name_of(self, actor: m.KnownActor) -> str:
        return f"{self._s.supervisor}/{actor.key}#{actor.incarnation}"

    def _learn_of_members(self, found: dict[str, Found]) -> None:
        """What came into being as it was needed is kept: services, and more members of a pool."""
        for key, entry in found.items():
            if is_service(key) and entry.alive and key not in self._s.children and SYSTEM in self._s.groups:
                self._s.add_child(service_plan(self._s, key))
                continue
            concern, _, name = key.partition("/")
            group = self._s.groups.get(f"{POOLS}{name.rpartition('-')[0]}")
            template = None if group is None else group.plan.template
            if concern == "worker" and template is not None and entry.alive and key not in self._s.children:
                self._s.add_child(member_plan(template, key))

    def _adopt(self, child: Child, found: Found) -> bool:
        """Whether a life of it serves, or will."""
        if child.status not in ("waiting", "starting", "restarting"):  # nothing of it is to run
            self._s.emit(*(end_unlocated(actor) for actor in found.alive.values()))
            return False
        accepted, standbys, replaced = choose(child, found)
        self._s.emit(*(end_unlocated(found.alive[number]) for number in replaced))
        if accepted:
            child.restarts = max(child.restarts, accepted - 1 if not child.plan.standbys else 0)
            self._lives.adopt(child, found.alive[accepted], standby=False)
        for number in standbys:
            self._lives.adopt(child, found.alive[number], standby=True)
        return bool(accepted)

    def _go_on(self, dead: list[tuple[str, Life]], ends: Mapping[str, Outcome]) -> None:
        for group in self._s.groups.values():
            if group.status == "waiting":
                group.status, group.is_down = "running", False
        if TOP in ends:
            self._s.stopping = True
            self._s.adopting.clear()
        for path, outcome in ends.items():
            group = self._s.groups.get(path)
            if group is not None and group.status == "running":  # else it ends with an outer one
                self._groups.end_all(group, outcome)
        for key, life in dead:
            self._died_meanwhile(key, life)
        for group in list(self._s.groups.values()):
            if group.status == "running" and not group.is_down:
                self._groups.start_missing(group)

    def _died_meanwhile(self, key: str, life: Life) -> None:
        child = self._s.children.get(key)
        if child is None or child.status not in ("waiting", "restarting"):
            return
        group = self._s.parent_of(key)
        lost = life.location is not None and life.location.node_id not in self._s.nodes
        exit_class: ExitClass = "node_lost" if lost else "killed"
        reason = "found dead by a new leader"
        child.incarnation, child.last_error = life.incarnation, reason
        self._s.emit(record_of(child, life, "died", reason, exit_class))
        if key in group.todo or group.is_down:  # an earlier one of these has concerned it already
            child.status = "restarting"
        else:
            self._groups.died(key, exit_class, reason, life)
