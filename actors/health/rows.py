"""What the monitor writes to the event log, as rows. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.health import messages as m

if TYPE_CHECKING:
    from actors.health.report import ComponentHealth, SystemHealth

CHECKS = "health_checks"
COMPONENTS = "recorded_component_health"
SNAPSHOTS = "system_health_snapshots"

_GOOD_FOR = 2.5
"""A row of a component is believed for so many times the while between two snapshots."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes.

    Attributes:
        incarnation: The monitor's life.
        snapshot_s: How often it writes the whole, seconds.
    """

    incarnation: int
    snapshot_s: float

    @property
    def good_for_ms(self) -> float:
        """How long a row of a component holds without a later one."""
        return self.snapshot_s * _GOOD_FOR * 1000


def rows_of(command: m.Command, writer: Writer, at_us: int) -> list[tuple[str, Row]]:
    """What a command puts on record: tables and rows; nothing for most commands."""
    match command:
        case m.RecordCheck():
            return [(CHECKS, _check(command, writer, at_us))]
        case m.TellChange():
            return [(COMPONENTS, _change(command, writer, at_us))]
        case m.RecordSnapshot():
            components = command.health.components.values()
            rows: list[tuple[str, Row]] = [(SNAPSHOTS, _whole(command.health, writer, at_us))]
            return rows + [(COMPONENTS, _standing(each, writer, at_us)) for each in components]
        case m.AlarmBlindness():
            return [(SNAPSHOTS, _sight(command.cause, command.gap_s, command.detail, writer, at_us))]
        case m.NoteSight():
            return [(SNAPSHOTS, _sight("seeing", None, command.detail, writer, at_us))]
        case _:
            return []


def _check(command: m.RecordCheck, writer: Writer, at_us: int) -> Row:
    check = command.check
    return (
        command.component,
        check.kind,
        check.place,
        check.outcome,
        int(check.counted),
        _ms(check.duration_s),
        check.score,
        check.detail or None,
        writer.incarnation,
        at_us,
    )


def _change(command: m.TellChange, writer: Writer, at_us: int) -> Row:
    return (
        command.component,
        "change",
        command.after,
        command.before,
        int(command.flapping),
        _listed(command.caused_by),
        command.detail or None,
        _ms(command.silent_s),
        None,
        None,
        None,
        None,
        None,
        None,
        writer.good_for_ms,
        writer.incarnation,
        at_us,
    )


def _standing(health: ComponentHealth, writer: Writer, at_us: int) -> Row:
    bad = health.last is not None and health.last.outcome != "passed"
    return (
        health.name,
        "snapshot",
        health.state,
        None,
        int(health.flapping),
        _listed(health.caused_by),
        health.last.detail if bad and health.last is not None else None,
        None,
        health.score,
        health.trend.direction,
        health.trend.confidence,
        health.weight,
        int(health.critical),
        json.dumps({f"{window_s:g}": share for window_s, share in health.availability.items()}),
        writer.good_for_ms,
        writer.incarnation,
        at_us,
    )


def _whole(health: SystemHealth, writer: Writer, at_us: int) -> Row:
    states = [each.state for each in health.components.values()]
    return (
        "snapshot",
        health.score,
        health.trend.direction,
        health.trend.confidence,
        health.trend.slope_per_min,
        len(states),
        states.count("healthy"),
        states.count("unready"),
        states.count("unhealthy"),
        states.count("unknown") + states.count("starting"),
        sum(each.flapping for each in health.components.values()),
        health.blind or None,
        None,
        None,
        writer.incarnation,
        at_us,
    )


def _sight(event: str, gap_s: float | None, detail: str, writer: Writer, at_us: int) -> Row:
    nothing = (None,) * 11
    return (event, *nothing, _ms(gap_s), detail, writer.incarnation, at_us)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _listed(names: tuple[str, ...]) -> str | None:
    return json.dumps(names) if names else None
