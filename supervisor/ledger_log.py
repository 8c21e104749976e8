"""The last resort of a leader's memory: its estate in the event log, written when it has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from actors.event_log.tree_ledger import TreeLedger
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import EventLogError, StaleIncarnationError
from actors.runtime.replicated import Replica
from actors.runtime.vital_threads import steady_thread

EVERY_S = 1.0
_PATIENCE_S = 5.0


class LedgerLog:
    """Writes the newest estate, at most once a second, on a thread of its own.

    Args:
        supervisor: Whose estate.
        writer: Gives the log writer's handle, or None while there is none.
        era: The number of the cluster's session.
        ended: Set when there is nothing to write any more.
    """

    def __init__(self, supervisor: str, writer: Callable[[], Any | None], *, era: int, ended: threading.Event) -> None:
        self._ledger = TreeLedger(supervisor, writer, era=era, patience_s=_PATIENCE_S)
        self._ended = ended
        self._newest: Replica | None = None
        self._thread = steady_thread(self._run, name="supervisor-ledger")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def offer(self, replica: Replica) -> None:
        """This is the estate from now on; returns at once."""
        self._newest = replica

    def _run(self) -> None:
        written: Replica | None = None
        while not self._ended.wait(EVERY_S):
            newest = self._newest
            if newest is None or newest is written:
                continue
            try:
                self._ledger.put(newest.incarnation, newest.version, newest.payload, at_us=SYSTEM_CLOCK.wall_us())
            except EventLogError:
                continue  # its writer is being replaced: the next time
            except StaleIncarnationError:
                return  # a later leader writes
            written = newest


def read_ledger_log(supervisor: str, writer: Callable[[], Any | None], *, era: int) -> Replica | None:
    """The newest estate that this life of the cluster has in the log; None without one, or without a writer."""
    if writer() is None:
        return None
    try:
        records = TreeLedger(supervisor, writer, era=era, patience_s=_PATIENCE_S).records()
    except EventLogError:
        return None
    mine = [record for record in records if record.era == era]
    return Replica(mine[0].leader_incarnation, mine[0].version, mine[0].data) if mine else None
