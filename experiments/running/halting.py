"""Ending everything on a cluster, and one run: by flags on every node. It needs no supervisor, and no log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.runtime.actor_table import actor_rows
from actors.runtime.asker import who as this_user
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.errors import NodeUnreachableError, UnknownRunError
from experiments.hands.hands import Hands
from experiments.hands.places import HALT, stop_flag
from experiments.ledger.halt import Halted
from experiments.running.books import clear_runs, standing
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.hands.hand import Hand

FLAG_S = 1.0
"""How long the node agents may take to put a flag up; where one does not, a hand does."""

ENDED_S = 10.0
_LOOK_EVERY_S = 0.05
_AGENT = "node_agent"


def halt(supervisor: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
    """Halt chaos on the whole cluster; returns what is on still after `ENDED_S`, in words.

    Args:
        supervisor: Whose experiments.
        why: For whoever wants to run one.
        who: Who halts it; left out, this user, host and process.
    """
    halted = Halted(who=who or this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us())
    hands = Hands(supervisor)
    try:
        hands.own.halt(halted)
        _on_others(
            hands,
            supervisor,
            lambda agent: agent.put_up.remote(HALT, halted.as_text()),
            lambda hand: hand.halt(halted),
        )
        return _await_the_end(hands, supervisor, None)
    finally:
        hands.close()


def resume(supervisor: str) -> None:
    """Allow runs again."""
    hands = Hands(supervisor)
    try:
        hands.own.halt(None)
        _on_others(hands, supervisor, lambda agent: agent.take_down.remote(HALT), lambda hand: hand.halt(None))
    finally:
        hands.close()


def stop(supervisor: str, run: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
    """End one run; returns what of it is on still after `ENDED_S`, in words.

    Raises:
        UnknownRunError: None of that name goes on.
    """
    said = Halted(who=who or this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us())
    hands = Hands(supervisor)
    try:
        seen, _ = standing(hands)
        if run not in seen.runs or not (seen.runs[run].goes_on or seen.runs[run].active):
            raise UnknownRunError(run, known=tuple(each.run for each in seen.going))
        flag = stop_flag(run)
        put: Callable[[Hand], None] = lambda hand: hand.stop(run, said)  # noqa: E731 - it is given twice
        put(hands.own)
        _on_others(hands, supervisor, lambda agent: agent.put_up.remote(flag, said.as_text()), put)
        return _await_the_end(hands, supervisor, run)
    finally:
        hands.close()


def _on_others(hands: Hands, supervisor: str, by_agent: Callable[[Any], Any], by_hand: Callable[[Hand], None]) -> None:
    """Do it on every other node: by its agent, which is there already, else by a hand."""
    nodes = {str(node["NodeID"]) for node in ray.nodes() if node["Alive"]} - {hands.here}
    if not nodes:
        return
    asked: dict[Any, str] = {}
    for row in actor_rows():
        mine = row.alive and (row.name.supervisor, row.name.concern) == (supervisor, _AGENT)
        agent = actor_by_name(row.name) if mine and row.node_id in nodes else None
        if agent is not None:
            asked[by_agent(agent)] = row.node_id
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=FLAG_S) if asked else ([], [])
    done: set[str] = set()
    for ref in answered:
        try:
            ray.get(ref)
            done.add(asked[ref])
        except RayError:
            continue
    for node_id in nodes - done:
        try:
            by_hand(hands.on(node_id))
        except NodeUnreachableError:
            continue  # what is on there ends with its lease


def _await_the_end(hands: Hands, supervisor: str, run: str | None) -> tuple[str, ...]:
    """Until nothing is on any more; what runners that are gone left is ended here."""
    until = SYSTEM_CLOCK.now() + ENDED_S
    while True:
        seen, _ = standing(hands)
        clear_runs(hands, supervisor, seen, tuple(each for each in seen.gone if run in (None, each)))
        left = [
            f"{name} {fault}"
            for name, each in seen.runs.items()
            if run in (None, name)
            for fault in (each.active or ({"": {}} if each.goes_on else {}))
        ]
        if not left or SYSTEM_CLOCK.now() >= until:
            return tuple(left)
        sleep(_LOOK_EVERY_S)
