"""A small leader for tests: it makes real children, announces them, and lets a standby follow one that died."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from actors.child.actor import hosting_of
from actors.child.protocol import Recipe
from actors.runtime.death_watch import DeathWatch
from actors.runtime.ids import NAMESPACE, ActorName
from supervisor.children.handle import ChildHandle, PoolHandle
from supervisor.children.interface import ChildInterface
from supervisor.children.registry import Children
from supervisor.tree import Location
from tests.ray_local.child_ports import FilePorts
from tests.ray_local.child_scene import LEADER, PATIENCE_S, recipe_for


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A `ChildView`, as far as callers look at it."""

    key: str
    name: str = ""
    status: str = "starting"
    role: str = "service"
    location: Location | None = None
    last_error: str = ""
    incarnation: int = 0
    host: str = ""
    standbys: tuple[str, ...] = ()
    group: str = "root"
    adopted: bool = False
    interface: str = ""
    outdated: bool = False


@dataclass(frozen=True)
class View:
    """A `ClusterView`, as far as callers look at it."""

    children: tuple[Sight, ...] = ()
    groups: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Life:
    """One incarnation and its actor."""

    name: ActorName
    actor: Any
    location: Location


class Nursery:
    """Children of one made-up supervisor.

    Args:
        name: The supervisor's name.
        folder: Where the children's ports keep what they say.
        told_by_kernel: Whether the callers are told where the processes are, and so may watch them themselves.
    """

    def __init__(self, name: str, folder: Path, *, told_by_kernel: bool = True) -> None:
        self.name = name
        self.ports = FilePorts(folder)
        self.told_by_kernel = told_by_kernel
        self._lock = threading.RLock()
        self._making = threading.Lock()
        self._sights: dict[str, Sight] = {}
        self._recipes: dict[str, Recipe] = {}
        self._wanted: dict[str, int] = {}
        self._lives: dict[str, list[Life]] = {}
        self._numbers: dict[str, int] = {}
        self._made: list[Any] = []
        self._latest = self._seen = View()
        self.replaces = True
        self._closed = False
        node_id = ray.get_runtime_context().get_node_id()
        self.node_id = node_id
        self.children = Children(name, node_id, self.refresh)
        self._deaths = DeathWatch(self._on_death)

    # -- children ---------------------------------------------------------------------------------------------------

    def add(self, name: str, cls: type[Any], *args: Any, **more: Any) -> ChildHandle:
        """Start a child and return its handle once it runs."""
        key = self.start(name, cls, *args, **more)
        return self.children.child(key, self.interface(key, cls))

    def add_pool(self, pool: str, cls: type[Any], size: int) -> PoolHandle:
        """Start a pool's members, and return its handle."""
        for number in range(size):
            self.start(f"{pool}-{number}", cls, group=pool, role="active")
        return self.children.pool(pool, self.interface(f"child/{pool}-0", cls))

    def interface(self, key: str, cls: type[Any], **more: Any) -> ChildInterface:
        recipe = self._recipes[key]
        return ChildInterface.of(cls, each_call=recipe.checkpoint == "each_call", **more)

    def start(self, name: str, cls: type[Any], *args: Any, standbys: int = 0, **more: Any) -> str:
        key = f"child/{name}"
        place = {part: more.pop(part) for part in ("group", "role") if part in more}
        self._recipes[key] = recipe_for(cls, *args, key=key, **more)
        self._wanted[key], self._numbers[key], self._lives[key] = standbys, 0, []
        self._sights[key] = Sight(key=key, **place)
        self._accept(key, self._live(key, "active"))
        self._refill(key)
        return key

    def lives(self, key: str) -> list[Life]:
        """The accepted one and its standbys."""
        return self._lives[key]

    def accepted(self, key: str) -> int:
        return self._lives[key][0].name.incarnation

    def pid(self, key: str) -> int:
        return self._lives[key][0].location.process.pid

    def kill(self, key: str) -> None:
        os.kill(self.pid(key), signal.SIGKILL)

    def replace(self, key: str, *, fence: bool) -> None:
        """Let the next life serve though the present one lives."""
        with self._lock:
            life = self._lives[key][0]
            if fence:
                ray.get(life.actor.fence.remote(LEADER, key), timeout=PATIENCE_S)
            self._follow(key, life)

    def say(self, key: str, **changes: Any) -> None:
        """Announce something of a child."""
        with self._lock:
            self._sights[key] = replace(self._sights[key], **changes)
            self._publish()

    def close(self) -> None:
        self._closed = True
        self.children.close()
        self._deaths.close()
        for actor in self._made:
            ray.kill(actor, no_restart=True)

    # -- what a leader does -----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """What a look at the node's board does."""
        latest = self._latest
        if latest is not self._seen:
            self._seen = latest
            self.children.on_view(latest)

    def _publish(self) -> None:
        self._latest = View(tuple(self._sights.values()))

    def _live(self, key: str, role: str) -> Life:
        self._numbers[key] += 1
        recipe, number = self._recipes[key], self._numbers[key]
        name = ActorName(self.name, "child", key.partition("/")[2], number)
        kind, at_once = hosting_of(recipe, shared=False)
        options = {"name": str(name), "namespace": NAMESPACE, "lifetime": "detached", "num_cpus": 0, "max_restarts": 0}
        actor = kind.options(**options, max_concurrency=at_once).remote(str(name), LEADER, self.ports)
        self._made.append(actor)
        ray.get(actor.build.remote(LEADER, recipe, number, role), timeout=PATIENCE_S)
        ray.get(actor.describe.remote(), timeout=PATIENCE_S)
        described: Any = ray.get(actor.describe.remote(), timeout=PATIENCE_S)
        return Life(name, actor, Location(process=described.process, node_id=described.node_id, host=described.host))

    def _accept(self, key: str, life: Life) -> None:
        with self._lock:
            self._lives[key].insert(0, life)
            self._deaths.watch(f"{key}#{life.name.incarnation}", life.location.process)
            self.say(
                key,
                status="running",
                name=str(life.name),
                host=str(life.name),
                incarnation=life.name.incarnation,
                location=life.location if self.told_by_kernel else None,
                standbys=tuple(str(standby.name) for standby in self._lives[key][1:]),
            )

    def _refill(self, key: str) -> None:
        while len(self._lives[key]) <= self._wanted[key]:
            life = self._live(key, "standby")
            with self._lock:
                if not self._lives[key]:  # the accepted one died meanwhile
                    self._serve(key, life)
                    continue
                self._lives[key].append(life)
                names = tuple(str(standby.name) for standby in self._lives[key][1:])
                self.say(key, standbys=names)
                self._lives[key][0].actor.attend.remote(LEADER, key, names)

    def _on_death(self, name: str) -> None:
        key = name.partition("#")[0]
        with self._lock:
            life = self._lives[key][0]
            if self.replaces and f"{key}#{life.name.incarnation}" == name:
                self._follow(key, life)

    def _follow(self, key: str, life: Life) -> None:
        self._lives[key].remove(life)
        if self._lives[key]:
            self._serve(key, self._lives[key].pop(0))
        else:
            self.say(key, status="restarting")
        threading.Thread(target=self._bring_back, args=(key,), daemon=True).start()

    def _serve(self, key: str, heir: Life) -> None:
        self._accept(key, heir)
        heir.actor.activate.remote(LEADER, key, heir.name.incarnation)

    def _bring_back(self, key: str) -> None:
        """One after the other, so that whoever stands by longer has the lower number."""
        try:
            with self._making:
                if not self._lives[key]:
                    self._accept(key, self._live(key, "active"))
                self._refill(key)
        except RayError:
            if not self._closed:
                raise
