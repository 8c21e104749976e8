"""Where the lives of children are: an actor each, or several in one that hosts them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import ray
from ray.exceptions import ActorDiedError, RayError

from actors.child.protocol import IGNORED
from actors.runtime.clock import sleep
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName
from supervisor.creating import Creator
from supervisor.election import actor_by_name, inventory, living_names
from supervisor.estate import Keepsake
from supervisor.hosts import Hosts, Life
from supervisor.messages import KnownActor
from supervisor.recipes import ChildRecipe, SubtreeRecipe
from supervisor.scheduling import lacking, node_named, refuse_unsatisfiable
from supervisor.tree import HOST, Location, is_within, path_of

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.tree import ChildPlan, GroupPlan

_HOSTS_S = 2.0
"""How long all hosts together may take to tell whom they host, seconds; they are asked at once."""

_REACH_AGAIN_S = 0.2
_NODE_DIGITS = 12

Standing = Literal["active", "standby", "ignored", "missing"]


def what_and_where(plan: ChildPlan | None, where: Location | None) -> str:
    """The class of a child, and the node that it is on or is to be on, behind what a person reads of its start."""
    if plan is None:
        return ""
    node = plan.wanted_node if where is None else where.node_id[:_NODE_DIGITS]
    what = plan.recipe.recipe.class_name if isinstance(plan.recipe, ChildRecipe) else ""
    said = " ".join(part for part in (what, node and f"on node {node}") if part)
    return said and f" ({said})"


class Hosting:
    """Finds and makes the actors that lives are in.

    Attributes:
        hosts: Those that host several; their lives are counted like everybody's.

    Args:
        charter: What the supervisor is made of.
        leader: Whose lives they are.
        creator: Makes actors.
        groups_of: The groups that a child is in, the outermost first.
    """

    def __init__(
        self,
        charter: Charter,
        leader: ActorName,
        creator: Creator,
        groups_of: Callable[[str], tuple[GroupPlan, ...]],
    ) -> None:
        self._charter = charter
        self._groups_of = groups_of
        self._leader = leader.incarnation
        self._creator = creator
        self.hosts = Hosts()
        self._told: dict[Life, str] = {}
        self._lock = threading.Lock()

    def create(self, name: ActorName, plan: ChildPlan, node_id: str | None) -> Any:
        """The actor that a new life is to be in; a shared one may be there already.

        Raises:
            ValueError: The name is taken, or the node has left the cluster.
            RayError: The cluster does not take it.
        """
        recipe: ChildRecipe | SubtreeRecipe | None = plan.recipe
        if isinstance(recipe, SubtreeRecipe):
            node_id = node_id if recipe.node is None else node_named(recipe.node)
            return self._creator.subtree(name, recipe, node_id)
        if recipe is None:
            return self._creator.create(name, node_id=node_id)
        if recipe.node is not None:
            node_id = node_named(recipe.node)
        refuse_unsatisfiable(recipe.resources, node_id if recipe.node is not None else None)
        if recipe.share is None:
            return self._creator.create(name, node_id=node_id, recipe=recipe)
        return self._shared((name.key, name.incarnation), recipe.share, node_id, recipe)

    @staticmethod
    def lacking(plan: ChildPlan) -> str:
        """What a life of that plan waits for that has no place yet, for people; empty where that is not known."""
        recipe: ChildRecipe | SubtreeRecipe | None = plan.recipe
        return lacking(recipe.resources, recipe.node) if isinstance(recipe, ChildRecipe) else ""

    def find(self, name: ActorName, plan: ChildPlan | None) -> Any | None:
        """The actor that a living life is in, or None; blocks while Ray is out of reach."""
        while True:
            try:
                return self._find(name, plan)
            except RayError:
                sleep(_REACH_AGAIN_S)  # that says nothing of the life

    def _find(self, name: ActorName, plan: ChildPlan | None) -> Any | None:
        recipe, life = None if plan is None else plan.recipe, (name.key, name.incarnation)
        told = self._told.pop(life, None)
        if told is not None:
            share, handle = told.partition(HOST)[2].rpartition("#")[0], actor_by_name(told)
            return handle if handle is not None and self.hosts.enter(told, share, handle, life) else None
        if not isinstance(recipe, ChildRecipe) or recipe.share is None:
            return actor_by_name(name)
        with self._lock:
            found = self._living_host(recipe.share)
            return found[1] if found is not None and self.hosts.enter(found[0], recipe.share, found[1], life) else None

    def second_call(self, life: Life, plan: ChildPlan | None, handle: Any, role: str) -> Any:
        """The call whose answer says that a life is ready, and what it is; see `standing`."""
        concern = life[0].partition("/")[0]
        recipe = None if plan is None else plan.recipe
        if concern == "worker":
            return handle.ready.remote()
        if not isinstance(recipe, ChildRecipe):
            return handle.heartbeat.remote(self._leader, self._charter.config.orphan_timeout_s)
        if role == "adopted":
            return handle.heartbeat.remote(self._leader, self._charter.config.orphan_timeout_s)
        keepsake = pickle.dumps(Keepsake(plan=plan, groups=self._groups_of(life[0]))) if plan is not None else b""
        return handle.build.remote(self._leader, replace(recipe.recipe, key=life[0], keepsake=keepsake), life[1], role)

    def standing(self, life: Life, reply: object, role: str) -> Standing:
        """What the answer to the second call says."""
        if reply == IGNORED:
            return "ignored"
        if role != "adopted" or not life[0].startswith("child/"):
            return "standby" if role == "standby" else "active"
        members = reply.get("members", {}) if isinstance(reply, dict) else {}
        member = members.get(life[0])
        if member is None or member["incarnation"] != life[1]:
            return "missing"
        return "active" if member["phase"] == "active" else "standby"

    def stop_call(self, life: Life, handle: Any) -> Any:
        """The call that asks a life to finish."""
        if self.hosts.of(life) is not None:
            return handle.stop_member.remote(self._leader, life[0])
        return handle.stop.remote(self._leader)

    # -- hosts of several -------------------------------------------------------------------------------------------

    def _shared(self, life: Life, share: str, node_id: str | None, recipe: ChildRecipe) -> Any:
        with self._lock:
            while True:
                found = self._living_host(share)
                if found is None:
                    name = ActorName(self._charter.name, HOST.rstrip("/"), share, self._next_number(share))
                    found = str(name), self._creator.create(name, node_id=node_id, recipe=recipe)
                if self.hosts.enter(found[0], share, found[1], life):
                    return found[1]

    def _living_host(self, share: str) -> tuple[str, Any] | None:
        held = self.hosts.open_for(share)
        if held is not None:
            if actor_by_name(held.name) is not None:
                return held.name, held.handle
            self.hosts.close(held.name)  # those in it hear of its death
        living = living_names()
        self.hosts.keep_only({str(name) for name in living})
        mine = [name for name in living if (name.supervisor, name.key) == (self._charter.name, f"{HOST}{share}")]
        for name in sorted(mine, reverse=True):
            handle = None if self.hosts.is_over(str(name)) else actor_by_name(name)
            if handle is not None:
                return str(name), handle
        return None

    def with_members(self, actors: tuple[KnownActor, ...]) -> tuple[KnownActor, ...]:
        """The same actors, and the children that live in those that host several; of some of these nobody may know."""
        asked: dict[Any, KnownActor] = {}
        for actor in actors:
            if actor.alive and actor.key.startswith(HOST):
                handle = actor_by_name(f"{self._charter.name}/{actor.key}#{actor.incarnation}")
                if handle is not None:
                    asked[handle.describe.remote()] = actor
        answered: list[Any] = ray.wait(list(asked), num_returns=len(asked), timeout=_HOSTS_S)[0] if asked else []
        found: list[KnownActor] = []
        silent = set(asked.values())
        for ref in answered:
            actor = asked[ref]
            try:
                host: Any = ray.get(ref)
            except ActorDiedError:
                silent.discard(actor)  # it died just now, and its members with it
                continue
            except RayError:
                continue
            silent.discard(actor)
            found += [actor, *self._members(actor, host)]
        others = (actor for actor in actors if not (actor.alive and actor.key.startswith(HOST)))
        return (*others, *(replace(actor, silent=True) for actor in silent), *found)

    def _members(self, actor: KnownActor, host: Any) -> list[KnownActor]:
        place = Location(process=host.process, node_id=host.node_id, host=host.host)
        names = [name for text in host.members if (name := ActorName.parse(text)) is not None]
        self._told |= {(name.key, name.incarnation): host.name for name in names}
        return [
            replace(actor, key=name.key, incarnation=name.incarnation, location=place, host=host.name) for name in names
        ]

    def kept_in_log(self, plan: ChildPlan) -> list[str]:
        """The keys of those whose checkpoints are in the log: the child's, or a subtree's members'."""
        recipe = plan.recipe
        if isinstance(recipe, SubtreeRecipe):
            left = self._creator.ledger_of(plan.child)
            inner = [entry.plan for entry in left.children] if left is not None else recipe.children
            return [key for child in inner for key in self.kept_in_log(child)]
        is_kept = isinstance(recipe, ChildRecipe) and recipe.recipe.checkpoint is not None
        return [plan.key] if is_kept and not recipe.recipe.checkpoint_path else []

    def forget(self, key: str) -> bool:
        """Delete a child's checkpoints from the log; False when it does not answer. A folder is its user's."""
        try:
            self._creator.checkpoints().delete(key)
        except SupervisorError:
            return False
        return True

    def reap(self, path: str) -> None:
        """End every actor of a group's members, those that they share among them."""
        supervisor = self._charter.name
        for actor in inventory(supervisor):
            name = f"{supervisor}/{actor.key}#{actor.incarnation}"
            handle = actor_by_name(name) if actor.alive and is_within(path_of(actor.key), path) else None
            if handle is not None:
                ray.kill(handle, no_restart=True)

    def _next_number(self, share: str) -> int:
        key = f"{HOST}{share}"
        return max((actor.incarnation for actor in inventory(self._charter.name) if actor.key == key), default=0) + 1

    def end_all(self) -> None:
        """End the hosts; their children have ended."""
        for host in self.hosts.everyone():
            with suppress(RayError):
                ray.kill(host.handle, no_restart=True)
