"""Where the lives of children are: an actor each, or several in one that hosts them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.child.protocol import IGNORED
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName
from supervisor.creating import Creator, node_named, refuse_unsatisfiable
from supervisor.election import actor_by_name, inventory, living_names
from supervisor.estate import Keepsake
from supervisor.messages import KnownActor
from supervisor.recipes import ChildRecipe, SubtreeRecipe
from supervisor.tree import is_within, path_of

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.tree import ChildPlan, GroupPlan

HOST = "host"
"""The concern of actors that host several children; their lives are counted like everybody's."""

_HOSTS_S = 2.0
"""How long all hosts together may take to tell whom they host, seconds; they are asked at once."""

Life = tuple[str, int]

Standing = Literal["active", "standby", "ignored", "missing"]


class Hosting:
    """Finds and makes the actors that lives are in.

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
        self._hosts: dict[str, tuple[ActorName, Any]] = {}
        self._lock = threading.Lock()

    def create(self, name: ActorName, plan: ChildPlan, node_id: str | None, *, standby: bool = False) -> Any:
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
            return self._creator.create(name, node_id=node_id, recipe=recipe, standby=standby)
        return self._shared(recipe.share, node_id, recipe)

    def find(self, name: ActorName, plan: ChildPlan | None) -> Any | None:
        """The actor that a living life is in, or None."""
        recipe = None if plan is None else plan.recipe
        if not isinstance(recipe, ChildRecipe) or recipe.share is None:
            return actor_by_name(name)
        return self._living_host(recipe.share)

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

    def stop_call(self, life: Life, plan: ChildPlan | None, handle: Any) -> Any:
        """The call that asks a life to finish."""
        if plan is not None and plan.shared:
            return handle.stop_member.remote(self._leader, life[0])
        return handle.stop.remote(self._leader)

    # -- hosts of several -------------------------------------------------------------------------------------------

    def _shared(self, share: str, node_id: str | None, recipe: ChildRecipe) -> Any:
        with self._lock:
            handle = self._living_host(share)
            if handle is None:
                name = ActorName(self._charter.name, HOST, share, self._next_number(share))
                handle = self._creator.create(name, node_id=node_id, recipe=recipe)
                self._hosts[share] = (name, handle)
            return handle

    def _living_host(self, share: str) -> Any | None:
        held = self._hosts.get(share)
        if held is not None and actor_by_name(held[0]) is not None:
            return held[1]
        mine = [
            name
            for name in living_names()
            if (name.supervisor, name.concern, name.child) == (self._charter.name, HOST, share)
        ]
        for name in sorted(mine, reverse=True):
            handle = actor_by_name(name)
            if handle is not None:
                self._hosts[share] = (name, handle)
                return handle
        return None

    def with_members(self, actors: tuple[KnownActor, ...]) -> tuple[KnownActor, ...]:
        """The same actors, and the children that live in those that host several."""
        asked: dict[Any, KnownActor] = {}
        for actor in actors:
            if actor.alive and actor.key.startswith(f"{HOST}/"):
                handle = actor_by_name(f"{self._charter.name}/{actor.key}#{actor.incarnation}")
                if handle is not None:
                    asked[handle.describe.remote()] = actor
        answered: list[Any] = ray.wait(list(asked), num_returns=len(asked), timeout=_HOSTS_S)[0] if asked else []
        found: list[KnownActor] = []
        for ref in answered:
            try:
                host: Any = ray.get(ref)
            except RayError:
                continue  # it died just now, and its members with it
            names = (ActorName.parse(name) for name in host.members)
            found += [
                KnownActor(key=name.key, incarnation=name.incarnation, alive=True) for name in names if name is not None
            ]
        return (*(actor for actor in actors if not actor.key.startswith(f"{HOST}/")), *found)

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
        """End every actor of a group's members, and the group's members in actors that host several."""
        supervisor = self._charter.name
        for actor in inventory(supervisor):
            name = f"{supervisor}/{actor.key}#{actor.incarnation}"
            handle = actor_by_name(name) if actor.alive else None
            if handle is None:
                continue
            if actor.key.startswith(f"{HOST}/"):
                self._fence_members(handle, path)
            elif is_within(path_of(actor.key), path):
                ray.kill(handle, no_restart=True)

    def _fence_members(self, host: Any, path: str) -> None:
        try:
            described: Any = ray.get(host.describe.remote(), timeout=_HOSTS_S)
            names = (ActorName.parse(name) for name in described.members)
            for key in {name.key for name in names if name is not None and is_within(path_of(name.key), path)}:
                ray.get(host.fence.remote(self._leader, key), timeout=_HOSTS_S)
        except (RayError, SupervisorError, GetTimeoutError):
            return  # it has ended, and they with it; or it is out of reach, and ends them when nobody owns them

    def _next_number(self, share: str) -> int:
        key = f"{HOST}/{share}"
        return max((actor.incarnation for actor in inventory(self._charter.name) if actor.key == key), default=0) + 1

    def end_all(self) -> None:
        """End the hosts; their children have ended."""
        for name, handle in list(self._hosts.values()):
            try:
                ray.kill(handle, no_restart=True)
            except RayError:
                actor_by_name(name)
