"""Turns the supervisor machine's records into rows of the event log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.runtime.clock import SYSTEM_CLOCK
from supervisor import messages as m

if TYPE_CHECKING:
    from actors.runtime.emitter import Emitter


RECORDS_WAIT_S = 0.05
"""How long a supervisor's rows wait for company, seconds: their commit would hold up what a failover reads."""


class Recorder:
    """One leader's pen."""

    def __init__(self, emitter: Emitter, leader: int) -> None:
        self._emitter = emitter
        self._leader = leader

    def child(self, command: m.RecordChild) -> None:
        """A row of `children`."""
        where = command.location
        row: tuple[Any, ...] = (
            command.key,
            command.incarnation,
            command.key.partition("/")[0],
            command.role,
            command.event,
            where.node_id if where else None,
            where.process.pid if where else None,
            SYSTEM_CLOCK.wall_us(),
            self._leader,
            command.detail,
            command.exit_class,
        )
        self._emitter.emit("children", row)

    def restart(self, command: m.RecordRestart) -> None:
        """A row of `restarts`."""
        row: tuple[Any, ...] = (
            command.key,
            command.from_incarnation,
            command.to_incarnation,
            command.exit_class,
            command.reason,
            command.group,
            command.delay_ms,
            SYSTEM_CLOCK.wall_us(),
            self._leader,
        )
        self._emitter.emit("restarts", row)

    def escalation(self, command: m.Escalate) -> None:
        """A row of `children` about a whole group."""
        row: tuple[Any, ...] = (
            command.group,
            0,
            "group",
            "service",
            "escalated",
            None,
            None,
            SYSTEM_CLOCK.wall_us(),
            self._leader,
            command.reason,
            None,
        )
        self._emitter.emit("children", row)
