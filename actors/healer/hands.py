"""The healers as the coordinator knows them: which live, where and how well; and steps given to them, or lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, RayActorError, RayError

from actors.healer import messages as m
from actors.healer.routing import CONCERN, healers_of
from actors.healer.running import Ended, Job
from actors.runtime.ids import NAMESPACE
from actors.runtime.node import labels_of_nodes
from actors.runtime.replies import when_answered
from actors.runtime.vital_threads import steady_thread

if TYPE_CHECKING:
    from actors.healer.routing import Healer
    from actors.service.ports import ServicePorts

BACK_S = 0.5
"""How often a healer that was out of reach is asked whether it is back, seconds."""

LOADS_EVERY_S = 5.0
"""How often the agents of nodes are asked how busy these are, seconds."""


class Hands:
    """All healers.

    Args:
        life: The coordinator's, so that healers refuse what an earlier one sends.
        ports: The ways to the services.
        count: How many healers there are to be.
        tell: Told of who lives.
    """

    def __init__(self, life: int, ports: ServicePorts, count: int, tell: Callable[[m.Event], None]) -> None:
        self._life = life
        self._ports = ports
        self._count = count
        self._tell = tell
        self._lock = threading.Lock()
        self._handles: dict[str, Any] = {}
        self._seen: tuple[Healer, ...] = ()
        self._living: tuple[Healer, ...] = ()
        self._lost: set[str] = set()
        self._labels: dict[str, dict[str, str]] = {}
        self._view: Any = None
        self._sick: tuple[str, ...] = ()
        self._loads: dict[str, float] = {}
        self._ended = threading.Event()

    def start(self) -> None:
        """Have them all run."""
        steady_thread(self._start_all, name="healer-hands").start()
        steady_thread(self._ask_loads, name="healer-loads").start()

    def stop(self) -> None:
        """Start no more."""
        self._ended.set()

    def see(self, view: Any) -> None:
        """The leader announces this."""
        nodes = {child.location.node_id for child in view.children if child.location is not None}
        if not nodes <= self._labels.keys():
            self._labels |= labels_of_nodes()
        self._view = view
        self._look()

    def see_sick(self, nodes: tuple[str, ...]) -> None:
        """On these nodes a probe is failing: their ids, or the beginnings of those."""
        if nodes != self._sick:
            self._sick = nodes
            self._look()

    def see_load(self, node: str, load: float) -> None:
        """A node's agent says how busy it is, 0 to 1."""
        if self._loads.get(node) != load:
            self._loads[node] = load
            self._look()

    def _look(self) -> None:
        if self._view is not None:
            self._set(healers_of(self._view, sick=self._sick, labels=self._labels, loads=dict(self._loads)))

    def run(self, healer: str, name: str, job: Job, ended: Callable[[Ended], None]) -> None:
        """Give a step to a healer.

        Args:
            healer: Its full name.
            name: The step's.
            job: The step.
            ended: Called with how it ended; not if its healer was lost: then it is told who lives.
        """
        handle = self._handle(healer)
        if handle is None:
            _elsewhere(partial(self._lose, healer))
            return
        try:
            ref = handle.run.remote(self._life, name, job)
        except (RayError, ValueError, TypeError) as error:
            words = f"it could not be given to its healer: {type(error).__name__}: {error}"
            _elsewhere(partial(ended, Ended(outcome="failed", detail=words)))
            return
        when_answered(ref, partial(self._on_answer, healer, handle, ended))

    def cancel(self, healer: str, name: str) -> None:
        """Nobody waits for a step any more."""
        handle = self._handle(healer)
        if handle is not None:
            handle.cancel.remote(name)

    def _on_answer(self, healer: str, handle: Any, ended: Callable[[Ended], None], reply: object) -> None:
        if isinstance(reply, Ended):
            _elsewhere(partial(ended, reply))
        elif isinstance(reply, ActorDiedError):
            _elsewhere(partial(self._lose, healer))
        elif isinstance(reply, RayActorError):  # what dies is out of reach first; nothing more is given to it meanwhile
            _elsewhere(partial(self._lose, healer))
            self._ask_back(healer, handle)
        else:
            _elsewhere(partial(ended, Ended(outcome="unknown", detail=f"{type(reply).__name__}: {reply}")))

    def _lose(self, healer: str) -> None:
        """Its death is known before the leader announces it."""
        with self._lock:
            self._lost.add(healer)
        self._set(self._seen)

    def _ask_back(self, healer: str, handle: Any) -> None:
        """Out of reach is not dead: whoever answers again is given steps again."""
        if not self._ended.is_set():
            when_answered(handle.describe.remote(), partial(self._on_described, healer, handle))

    def _on_described(self, healer: str, handle: Any, reply: object) -> None:
        if isinstance(reply, RayError):
            if not isinstance(reply, ActorDiedError):
                again = threading.Timer(BACK_S, self._ask_back, (healer, handle))
                again.daemon = True
                again.start()
            return
        with self._lock:
            self._lost.discard(healer)
        _elsewhere(partial(self._set, self._seen))

    def _set(self, found: tuple[Healer, ...]) -> None:
        with self._lock:
            self._lost &= {each.name for each in found}
            living = tuple(each for each in found if each.name not in self._lost)
            changed, self._living, self._seen = living != self._living, living, found
            self._handles = {each.name: self._handles.get(each.name) for each in living}
        if changed:
            self._tell(m.HealersChanged(healers=living))

    def _handle(self, healer: str) -> Any | None:
        with self._lock:
            if healer in self._lost:
                return None
            known = self._handles.get(healer)
        if known is None:
            try:
                known = ray.get_actor(healer, namespace=NAMESPACE)
            except ValueError:
                return None
            with self._lock:
                if healer in self._handles:
                    self._handles[healer] = known
        return known

    def _ask_loads(self) -> None:
        """An agent that does not answer leaves what it said before; a node that is gone is forgotten."""
        while not self._ended.wait(LOADS_EVERY_S):
            agents: dict[str, str] = {} if self._view is None else self._view.agents
            for node in [each for each in list(self._loads) if each not in agents]:
                self._loads.pop(node, None)
            for node, agent in agents.items():
                try:
                    asked = ray.get_actor(agent, namespace=NAMESPACE).load.remote()
                except (RayError, ValueError, RuntimeError):
                    continue
                when_answered(asked, partial(self._on_load, node))

    def _on_load(self, node: str, reply: object) -> None:
        if isinstance(reply, float):
            _elsewhere(partial(self.see_load, node, reply))

    def _start_all(self) -> None:
        for number in range(1, self._count + 1):
            if not self._ended.is_set():
                self._ports.service(f"{CONCERN}{number}").start()


def _elsewhere(act: Callable[[], None]) -> None:
    """Ray's thread, and the one that decides, are not held up by what follows."""
    _REPLIES.submit(act)


_REPLIES = ThreadPoolExecutor(2, "healer-replies")
