"""The monitor's ways to the places where checks run that are not its own process: nodes' agents, and children.

Nothing here waits: a place whose actor is not known yet is looked up on another thread. One that cannot be reached is
told to be so, which says nothing of what was to be checked there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.health.answers import Answer, cut
from actors.health.wards import child_key
from actors.runtime.ids import NAMESPACE
from actors.runtime.replies import when_answered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.check import Clean, Tell
    from actors.runtime.clock import Clock

_LOOKERS = 4
_NODE, _CHILD = "node:", "child:"


class Posts:
    """One monitor's.

    Args:
        supervisor: Its supervisor's name.
        tell: Is told each end.
        clock: Measures.
        clean: Takes secrets out of what probes say.
    """

    def __init__(self, supervisor: str, tell: Tell, clock: Clock, clean: Clean) -> None:
        self._supervisor = supervisor
        self._tell = tell
        self._clock = clock
        self._clean = clean
        self._agents: Mapping[str, str] = {}
        self._children: Mapping[str, str] = {}
        self._handles: dict[str, Any] = {}
        self._lookers = ThreadPoolExecutor(_LOOKERS, "health-post")

    def see(self, agents: Mapping[str, str], children: Mapping[str, str]) -> None:
        """The actors that there are now: the agents by node, and the hosts of running children by their keys."""
        self._agents, self._children = agents, children
        there = {*agents.values(), *children.values()}
        for name in [name for name in self._handles if name not in there]:
            self._handles.pop(name, None)

    def send(self, number: int, name: str, place: str, data: bytes, timeout_s: float) -> None:
        """Have a check run there.

        Args:
            number: As its end is told with.
            name: Whose it is, for people.
            place: As `node:<id>` or `child:<name or key>`.
            data: The packed probe.
            timeout_s: How long it may take, seconds.
        """
        actor = self._actor_at(place)
        if actor is None:
            reason = "it does not run" if place.startswith(_CHILD) else "it is not in the cluster, or has no agent yet"
            self._tell(number, Answer(outcome="unreachable", detail=f"{place}: {reason}"), 0.0)
            return
        arguments = (self._supervisor, f"{name} at {place}", data, timeout_s)
        handle = self._handles.get(actor)
        if handle is None:
            self._lookers.submit(self._look_up, actor, number, arguments)
        else:
            self._ask(actor, handle, number, arguments)

    def close(self) -> None:
        """Look for nobody any more."""
        self._lookers.shutdown(wait=False, cancel_futures=True)

    def _actor_at(self, place: str) -> str | None:
        if place.startswith(_CHILD):
            return self._children.get(child_key(place.removeprefix(_CHILD)))
        node = place.removeprefix(_NODE)
        return next((agent for each, agent in self._agents.items() if each.startswith(node)), None)

    def _look_up(self, actor: str, number: int, arguments: tuple[Any, ...]) -> None:
        try:
            handle = self._handles[actor] = ray.get_actor(actor, namespace=NAMESPACE)
        except (ValueError, RayError, RuntimeError) as error:
            self._tell(number, _unreachable(error), 0.0)
            return
        self._ask(actor, handle, number, arguments)

    def _ask(self, actor: str, handle: Any, number: int, arguments: tuple[Any, ...]) -> None:
        asked_at = self._clock.now()
        if not hasattr(handle, "check"):
            self._tell(number, Answer(outcome="unreachable", detail=f"{actor} runs no checks in its process"), 0.0)
            return
        try:
            asked = handle.check.remote(*arguments)
        except (RayError, RuntimeError) as error:
            self._handles.pop(actor, None)
            self._tell(number, _unreachable(error), 0.0)
            return
        when_answered(asked, partial(self._on_answer, actor, number, asked_at))

    def _on_answer(self, actor: str, number: int, asked_at: float, reply: object) -> None:
        if isinstance(reply, BaseException):
            self._handles.pop(actor, None)
            self._tell(number, _unreachable(reply), self._clock.now() - asked_at)
            return
        answer, duration_s = reply  # pyright: ignore[reportGeneralTypeIssues] - `Checked.check` answers so
        detail = cut(self._clean(answer.detail))
        self._tell(number, Answer(outcome=answer.outcome, detail=detail, score=answer.score), duration_s)


def _unreachable(error: BaseException) -> Answer:
    words = str(error).strip().split("\n", 1)[0]
    return Answer(outcome="unreachable", detail=cut(f"{type(error).__name__}: {words}"))
