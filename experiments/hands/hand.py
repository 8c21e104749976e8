"""A hand on one node: it arms undos, injects, takes back, looks, and keeps the node's ledger and halt flag.

    prepared --arm--> armed --inject--> on --undo--> off
       (its undo is known, and is written down before it is armed)

It is in the runner's own process, or in an actor of the node that ends with the runner. Whatever becomes of it, each
undo is with a watchdog that outlives it.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, identify, is_alive
from experiments.errors import FaultRefusedError
from experiments.faults.succession import Cleared, begin, clear, this_host
from experiments.faults.undo import BALLAST, Undo, carry_out, is_undone, limit_of, set_limit
from experiments.faults.watchdog import Order, Watchdog
from experiments.hands.ballast import Ballast
from experiments.hands.filling import fill
from experiments.hands.orders import HandOrder, NodeFacts
from experiments.hands.places import ledger_path, stop_flag
from experiments.hands.rays import gcs_here, raylet_here
from experiments.hands.sights import (
    Burning,
    Processors,
    files_free,
    files_open,
    longest_file,
    machine_here,
    memory_free_mb,
    shares_its_disk,
    sight_of,
)
from experiments.ledger.file import Ledger
from experiments.ledger.halt import Halted, HaltFlag
from experiments.model.lasting import LASTING_KINDS
from supervisor.doctor import has_rpc_faults

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from experiments.faults.proof import Sight
    from experiments.ledger.entry import Entry
    from experiments.ledger.standing import RunStanding
    from experiments.planning.ground import Ground
    from experiments.planning.preflight import Machine

_NS = 1_000_000_000


@dataclass(slots=True)
class _Held:
    """A fault as its hand holds it."""

    order: HandOrder
    undo: Undo
    ballast: Ballast | None = None
    watchdog: Watchdog | None = None
    ends_ns: int = 0
    injecting: int = 0
    burning: Burning | None = None


class Hand:
    """See the module. Safe to use from many threads.

    Args:
        node_id: The node that this is.
        board: The file of its board: what is written down is beside it.
    """

    def __init__(self, node_id: str, board: Path) -> None:
        self._node_id = node_id
        self._board = board
        self.ledger = Ledger(ledger_path(board))
        self._halt = HaltFlag(board)
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], _Held] = {}
        self._processors = Processors()

    # -- looking ------------------------------------------------------------------------------------------------------

    def introduce(self, asked: Collection[tuple[int, int]] = ()) -> NodeFacts:
        """What this node is.

        Args:
            asked: Processes by pid and start time; those that live here are told.
        """
        halted = self._halt.read()
        return NodeFacts(
            node_id=self._node_id,
            host=this_host(),
            halted="" if halted is None else f"{halted.who}: {halted.why}",
            runners=tuple(each for each in asked if is_alive(ProcessIdentity(*each))),
        )

    def machine(self, log_folder: str = "") -> Machine:
        """What can be done to this node.

        Args:
            log_folder: The log's, if that is here.
        """
        return machine_here(self._node_id, log_folder=log_folder, rpc_faults=_has_rpc_faults())

    def look(self, target: ProcessIdentity | None, folder: str = "", using: tuple[str, str] | None = None) -> Sight:
        """What the kernel tells of a target and of the machine.

        Args:
            target: Its process; None: it has none.
            folder: The log's, where its disk is looked at.
            using: The fault, by run and name, whose own processes use processors or memory up.
        """
        held = None if using is None else self._held.get(using)
        taken = None if held is None or held.burning is None else held.burning.share()
        holder = None if held is None or held.ballast is None else held.ballast.holder
        return sight_of(target, folder=folder, idle=self._processors.idle_share(), taken=taken, holder=holder)

    def identify(self, pid: int) -> ProcessIdentity:
        """The life that a pid of this node has now."""
        return identify(pid)

    def raylet(self) -> ProcessIdentity | None:
        """The raylet of this node; None where this is not the machine that it runs on."""
        return raylet_here(self._node_id)

    def gcs(self) -> ProcessIdentity | None:
        """The GCS of this Ray session, if it runs on this node."""
        return gcs_here(str(ray.get_runtime_context().get_session_name()))

    # -- the ledger ---------------------------------------------------------------------------------------------------

    def begin(
        self,
        run: str,
        experiment: str,
        ground: Ground,
        limit: int,
        runner: tuple[int, int, str],
        family: str = "",
    ) -> str:
        """Take a run into this node's ledger, see `experiments.faults.succession.begin`."""
        return begin(
            self.ledger, run=run, experiment=experiment, ground=ground, limit=limit, runner=runner, family=family
        )

    def append(self, entries: Sequence[Entry]) -> None:
        """Write into this node's ledger, durably."""
        self.ledger.append(*entries)

    def runs(self) -> dict[str, RunStanding]:
        """What this node's ledger comes to."""
        return self.ledger.runs()

    def entries(self, run: str) -> list[Entry]:
        """What this node's ledger has of a run."""
        return [entry for entry in self.ledger.entries()[0] if entry.run == run]

    def clear(self, runs: Collection[str]) -> Cleared:
        """End what these runs left on here, and the runs."""
        return clear(self.ledger, whose=lambda run: run.run in runs)

    # -- stopping -----------------------------------------------------------------------------------------------------

    def halt(self, halted: Halted | None) -> None:
        """Put the halt flag of this node up, or take it down."""
        if halted is None:
            self._halt.take_down()
        else:
            self._halt.put_up(halted)

    def halted(self) -> Halted | None:
        """Who halted chaos here and why."""
        return self._halt.read()

    def stopped(self, run: str) -> Halted | None:
        """Who ends this run and why."""
        return HaltFlag(self._board, stop_flag(run)).read()

    def stop(self, run: str, said: Halted) -> None:
        """Put up the flag that ends one run."""
        HaltFlag(self._board, stop_flag(run)).put_up(said)

    def forget_stop(self, run: str) -> None:
        """The run has ended: the flag that ends it is not needed any more."""
        HaltFlag(self._board, stop_flag(run)).take_down()

    # -- faults -------------------------------------------------------------------------------------------------------

    def prepare(self, order: HandOrder) -> dict[str, Any]:
        """How a fault is going to be undone, for the ledger; nothing is done to the target.

        Raises:
            FaultRefusedError: It cannot be done here.
            OSError: What it needs does not come up.
        """
        held = self._held.get(order.key)
        if held is None:
            held = _Held(order, *_prepared(order))
            with self._lock:
                self._held[order.key] = held
        return {"undo": held.undo.as_data(), "host": this_host()}

    def arm(self, run: str, fault_id: str) -> None:
        """Give the undo to a watchdog.

        Raises:
            WatchdogError: None came up.
        """
        held = self._held[run, fault_id]
        held.ends_ns = SYSTEM_CLOCK.now_ns() + int(held.order.lease_s * _NS)
        if held.undo.kind in ("nothing", "outlast"):
            return  # nothing is left of it that anybody could undo
        held.watchdog = Watchdog(
            Order(
                run=run,
                fault=fault_id,
                undo=held.undo,
                ends_ns=held.ends_ns,
                ledger=str(self.ledger.path),
                board=str(self._board),
            )
        )

    def inject(self, run: str, fault_id: str, victim: ProcessIdentity | None = None) -> str:
        """Inject it; what was done, in words.

        Args:
            run: The run.
            fault_id: Its name.
            victim: The process, where that is a later life than the one it was prepared for.
        Raises:
            FaultRefusedError: It must not be: its lease is over, chaos is halted, or its watchdog is gone.
            OSError: It could not be done.
        """
        held = self._held[run, fault_id]
        with self._lock:
            held.injecting += 1
        try:
            self.insist(run, fault_id)
            return _inject(held, victim or held.order.spot.process)
        finally:
            with self._lock:
                held.injecting -= 1

    def watchdog_of(self, run: str, fault_id: str) -> int | None:
        """The process that holds the undo; None: there is nothing to be undone."""
        watchdog = self._held[run, fault_id].watchdog
        return None if watchdog is None else watchdog.pid

    def insist(self, run: str, fault_id: str) -> None:
        """Make sure that it may be injected still.

        Raises:
            FaultRefusedError: It may not.
        """
        held = self._held[run, fault_id]
        if self._halt.is_up():
            reason = "chaos is halted"
        elif SYSTEM_CLOCK.now_ns() >= held.ends_ns:
            reason = "its lease is over"
        elif held.watchdog is not None and not is_alive(ProcessIdentity(held.watchdog.pid, 0)):
            reason = "its watchdog is gone"
        else:
            return
        raise FaultRefusedError(held.order.fault, target=held.order.spot.name, reason=reason)

    def undo(self, run: str, fault_id: str) -> str:
        """Undo it, and let its watchdog go unless an injection is under way; what was done, in words.

        Raises:
            OSError: It is on still.
        """
        held = self._held.get((run, fault_id))
        if held is None:
            return "nothing of it is here"
        did = carry_out(held.undo)
        if held.ballast is not None:
            held.ballast.end()
        if not is_undone(held.undo):
            raise OSError(f"{did}, and it is on still")
        with self._lock:
            free = held.injecting == 0
            if free:
                self._held.pop(held.order.key, None)
        if free and held.watchdog is not None:
            held.watchdog.release()
        return did

    def close(self) -> None:
        """Undo whatever is held here."""
        for run, fault_id in list(self._held):
            with suppress(OSError):
                self.undo(run, fault_id)


def _has_rpc_faults() -> bool:
    """Whether this node's Ray loses or delays calls of its own; without Ray nobody does."""
    return ray.is_initialized() and has_rpc_faults()


def _prepared(order: HandOrder) -> tuple[Undo, Ballast | None]:
    match order.fault:
        case "hang" if order.how.get("how", "sigstop") == "sigstop" and order.spot.kind != "dependency":
            return Undo.resume(_process(order)), None
        case "exhaustion":
            return _prepared_exhaustion(order)
        case _ if order.spot.kind in LASTING_KINDS:
            return Undo.outlast(_process(order)), None
        case _:
            return Undo(), None


def _prepared_exhaustion(order: HandOrder) -> tuple[Undo, Ballast | None]:
    amount = float(order.how["amount"])
    match order.how["resource"]:
        case "cpu":
            ballast = Ballast("cpu", f"{amount:g}", str(len(os.sched_getaffinity(0))))
            return Undo.end(ballast.identity), ballast
        case "memory":
            free_mb = memory_free_mb()
            wanted_mb = 0.0 if free_mb is None else min(free_mb * amount, free_mb - float(order.how["leave_mb"]))
            if wanted_mb < 1:
                raise _refused(order, "there is no memory to take")
            ballast = Ballast("memory", f"{wanted_mb:.0f}")
            return Undo.end(ballast.identity), ballast
        case "disk" if not shares_its_disk(order.folder):
            return Undo("remove", path=str(Path(order.folder) / f"{BALLAST}{order.run}-{order.fault_id[:8]}")), None
        case resource:
            # A disk that others use, too, is left alone: for the log alone it is full.
            kind = "size" if resource == "disk" else "files"
            allowed = limit_of(kind, _process(order))
            if allowed is None:
                raise _refused(order, "what it may use is not known")
            return Undo.allow(kind, _process(order), allowed), None


def _inject(held: _Held, victim: ProcessIdentity | None) -> str:
    order = held.order
    match order.fault:
        case "crash":
            return _send(order, victim, signal.SIGKILL)
        case "hang":
            return _send(order, victim, signal.SIGSTOP)
        case "exhaustion" if held.ballast is not None:
            held.ballast.begin()
            held.burning = Burning(held.ballast.identity)
            return f"process {held.ballast.identity.pid} of ours takes {order.how['resource']}"
        case "exhaustion" if held.undo.kind == "remove":
            taken_mb = fill(Path(held.undo.path), float(order.how["amount"]), float(order.how["leave_mb"]))
            return f"{held.undo.path} holds {taken_mb:,.0f} MiB"
        case "exhaustion" if held.undo.kind == "size":
            target = _process(order)
            set_limit("size", target, longest_file(order.folder))
            return f"process {target.pid} may write no file longer than it is"
        case "exhaustion":
            return _take_files(order)
        case _:
            raise _refused(order, "a hand cannot do it: it is done in the target's own process")


def _send(order: HandOrder, victim: ProcessIdentity | None, number: signal.Signals) -> str:
    if victim is None:
        raise _refused(order, "it has no process of its own")
    if not process.send(victim, number):
        raise ProcessLookupError(f"process {victim.pid} of {order.spot.name} is gone, or belongs to another user")
    return f"{number.name} to process {victim.pid}"


def _take_files(order: HandOrder) -> str:
    target = _process(order)
    free = files_free(target) or 0
    left = files_open(target) + int(free * (1 - float(order.how["amount"])))
    set_limit("files", target, left)
    return f"process {target.pid} may open files up to number {left}"


def _process(order: HandOrder) -> ProcessIdentity:
    if order.spot.process is None:
        raise _refused(order, "it has no process of its own")
    return order.spot.process


def _refused(order: HandOrder, reason: str) -> FaultRefusedError:
    return FaultRefusedError(order.fault, target=order.spot.name, reason=reason)
