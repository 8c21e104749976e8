"""Ending everything on a cluster, and one run: by flags on every node. It needs no supervisor, and no log.

This node's flag comes first, before anybody is asked; then all others are asked at once. Whoever halts is answered
after `HALT_S`, with what is not known to have ended until then; that is seen to further, on a thread.
"""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.node_agent.flags import HALT
from actors.runtime.actor_table import actor_rows
from actors.runtime.asker import who as this_user
from actors.runtime.board import BoardReader
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorError
from experiments.errors import NodeUnreachableError, RunNotGoingError
from experiments.hands.hands import Hands
from experiments.hands.places import insist_on_name, stop_flag
from experiments.ledger.halt import Halted, HaltFlag
from experiments.model.lasting import LASTS
from experiments.running.books import clear_runs, standing
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.hands.hand import Hand

HALT_S = 2.0
"""How long whoever ends something waits for its end, seconds."""

FLAG_S = 0.5
"""How long the node agents may take to put a flag up; where one does not, a hand does."""

ANSWER_S = 0.8
"""How long nodes and processes may take to answer while a halt looks for what is on, seconds."""

RUNNERS_S = 0.8
"""How long runners may take to end what they have on; then it is ended for them: a runner may hang itself, seconds."""

ENDED_S = 30.0
"""How long it is seen to, whether anybody waits or not, seconds."""

_LOOK_EVERY_S = 0.05
_TELL_S = 0.25
_AGENT = "node_agent"
_LEASE_NS = 3_000_000_000
_UNKNOWN = "the cluster has not answered: what is on is not known"


class Ending:
    """Something that is being ended, on a thread of its own.

    Args:
        supervisor: Whose experiments.
        run: Which run; None: all.
        said: Who ends it and why.
        by_agent: Has a node agent put the flag up.
        by_hand: Puts it up.
    """

    def __init__(
        self,
        supervisor: str,
        run: str | None,
        said: Halted,
        *,
        by_agent: Callable[[Any], Any],
        by_hand: Callable[[Hand], None],
    ) -> None:
        self._supervisor = supervisor
        self._run = run
        self._said = said
        self._left: tuple[str, ...] = (_UNKNOWN,)
        self._error: Exception | None = None
        self._over = threading.Event()
        self._hands = Hands(supervisor)
        by_hand(self._hands.own)
        self._thread = threading.Thread(
            target=self._perform, args=(by_agent, by_hand), name="chaos-ending", daemon=True
        )
        self._thread.start()

    def wait(self, timeout_s: float = HALT_S) -> tuple[str, ...]:
        """Wait for the end; what is not known to have ended, in words.

        Raises:
            RunNotGoingError: No run of that name goes on.
        """
        self._over.wait(timeout_s)
        if self._error is not None:
            raise self._error
        return self._left

    def _perform(self, by_agent: Callable[[Any], Any], by_hand: Callable[[Hand], None]) -> None:
        try:
            began_at = SYSTEM_CLOCK.now()
            self._hands.each(lambda hand: None, timeout_s=0.0)  # hands take a second to come up: they begin now
            if self._run is not None:
                self._insist_on(self._run)
            flags = put_on_others(self._hands, self._supervisor, by_agent, by_hand)
            while (took_s := SYSTEM_CLOCK.now() - began_at) < ENDED_S:
                # The first look may take as long as there is until somebody is answered; a silent node is told then.
                timeout_s = max(ANSWER_S, HALT_S - took_s - _TELL_S)
                self._left, lasting = self._look(flags, timeout_s, for_runners=took_s >= RUNNERS_S)
                if not self._left:
                    self._left = lasting
                    return
                sleep(_LOOK_EVERY_S)
        except (SupervisorError, RayError, OSError, RuntimeError) as error:
            self._error = error
        finally:
            self._over.set()
            self._hands.close()

    def _insist_on(self, run: str) -> None:
        seen, _ = standing(self._hands, timeout_s=HALT_S)
        if run not in seen.runs or not (seen.runs[run].goes_on or seen.runs[run].undoable):
            self._hands.own.forget_stop(run)
            raise RunNotGoingError(run, known=tuple(each.run for each in seen.going))

    def _look(
        self, flags: dict[str, Future[None]], timeout_s: float, *, for_runners: bool
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is not known to have ended, and what cannot; what runners that are gone left is ended here.

        Args:
            flags: What is on its way by hands, by node.
            timeout_s: For the nodes to answer, seconds.
            for_runners: Runners had their time: what those that live have not ended is ended for them, too.
        """
        seen, nodes = standing(self._hands, timeout_s=timeout_s)
        mine = tuple(each for each in seen.gone if self._run in (None, each))
        if for_runners:
            hung = tuple(each.run for each in seen.going if self._run in (None, each.run))
            for run in hung:  # it goes on one day, and the flag that ends all may be down by then
                self._hands.each(lambda hand, run=run: hand.stop(run, self._said), timeout_s=ANSWER_S)
            mine = (*mine, *hung)
        clear_runs(self._hands, self._supervisor, seen, mine, timeout_s=ANSWER_S)
        left = [
            f"{name} {fault}"
            for name, each in seen.runs.items()
            if self._run in (None, name)
            for fault in (each.undoable or ({"": {}} if each.goes_on else {}))
        ]
        silent = set(self._hands.nodes()) - {node.node_id for node in nodes}
        unflagged = {node_id for node_id, flag in flags.items() if not flag.done()}
        left += [f"node {node_id[:12]} does not answer" for node_id in sorted(silent | unflagged)]
        lasting = [
            f"{name} {fault}: {LASTS}"
            for name, each in seen.runs.items()
            if self._run in (None, name)
            for fault in each.lasting
        ]
        return tuple(left), tuple(lasting)


def begin_halt(supervisor: str, *, why: str, who: str | None = None) -> Ending:
    """Halt chaos on the whole cluster; this node's flag is up when it returns."""
    halted = Halted(who=who or this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us())
    return Ending(
        supervisor,
        None,
        halted,
        by_agent=lambda agent: agent.put_up.remote(HALT, halted.as_text()),
        by_hand=lambda hand: hand.halt(halted),
    )


def halt(supervisor: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
    """Halt chaos on the whole cluster; returns after `HALT_S` at the latest, with what is not known to have ended.

    Args:
        supervisor: Whose experiments.
        why: For whoever wants to run one.
        who: Who halts it; left out, this user, host and process.
    """
    return begin_halt(supervisor, why=why, who=who).wait()


def halt_here(supervisor: str, *, why: str, who: str | None = None) -> tuple[Path, ...]:
    """Put up the flags of this host's nodes without asking Ray, which may hang; those that were put up.

    Boards of this supervisor are looked for where Ray keeps its sessions on this machine. Where several sessions have
    one that is written, nobody knows which is meant: then none is put up, and the cluster must be asked.
    """
    temporary = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    boards = {
        board.resolve()
        for pattern in ("session_*", "*/session_*")
        for board in temporary.glob(f"{pattern}/supervisor/{supervisor}-????????????.board")
        if _is_written(board)
    }
    if len({board.parent for board in boards}) != 1:
        return ()
    halted = Halted(who=who or this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us())
    flags = [HaltFlag(board) for board in sorted(boards)]
    for flag in flags:
        flag.put_up(halted)
    return tuple(flag.path for flag in flags)


def resume(supervisor: str) -> None:
    """Allow runs again."""
    hands = Hands(supervisor)
    try:
        hands.own.halt(None)
        flags = put_on_others(
            hands, supervisor, lambda agent: agent.take_down.remote(HALT), lambda hand: hand.halt(None)
        )
        for flag in flags.values():
            flag.exception(ENDED_S)
    finally:
        hands.close()


def stop(supervisor: str, run: str, *, why: str, who: str | None = None) -> tuple[str, ...]:
    """End one run; returns after `HALT_S` at the latest, with what of it is not known to have ended.

    Raises:
        RunNotGoingError: None of that name goes on.
        ConfigError: That is no name of a run.
    """
    insist_on_name(run)
    said = Halted(who=who or this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us())
    flag = stop_flag(run)
    ending = Ending(
        supervisor,
        run,
        said,
        by_agent=lambda agent: agent.put_up.remote(flag, said.as_text()),
        by_hand=lambda hand: hand.stop(run, said),
    )
    return ending.wait()


def end_own(supervisor: str, run: str, *, why: str) -> None:
    """End a run of this process, whether it has begun or not."""
    with suppress(SupervisorError):
        stop(supervisor, run, why=why)
    Hands(supervisor).own.stop(run, Halted(who=this_user(), why=why, at_us=SYSTEM_CLOCK.wall_us()))


def put_on_others(
    hands: Hands, supervisor: str, by_agent: Callable[[Any], Any], by_hand: Callable[[Hand], None]
) -> dict[str, Future[None]]:
    """Do it on every other node, all at once: by its agent, which is there already, else by a hand.

    Returns: What is on its way by hands, by node.
    """
    nodes = set(hands.nodes()) - {hands.here}
    if not nodes:
        return {}
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
    pool = ThreadPoolExecutor(max(1, len(nodes - done)), thread_name_prefix="chaos-flags")
    found = {node_id: pool.submit(_by_hand, hands, node_id, by_hand) for node_id in sorted(nodes - done)}
    pool.shutdown(wait=False)
    return found


def _by_hand(hands: Hands, node_id: str, do: Callable[[Hand], None]) -> None:
    try:
        do(hands.on(node_id))
    except (NodeUnreachableError, OSError):
        return  # what is on there ends with its lease


def _is_written(board: Path) -> bool:
    """Whether the node of this board lives."""
    try:
        return BoardReader(board).writer_alive(SYSTEM_CLOCK.now_ns(), _LEASE_NS)
    except (SupervisorError, OSError, ValueError):
        return False
