"""When people are told that the monitor itself does not see, and that it sees again. Pure.

    seeing --killed, starved, cut off--> told --it has looked again, and is not cut off--> told that it is over

It is told of the monitor, never of a component. What could not be handed over is kept, in order, until it can be; a new
life that sees also ends what an earlier one has told.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.health import messages as m
from actors.notifier.messages import Alert

if TYPE_CHECKING:
    from actors.health.messages import BlindCause

WAITING_MAX = 16
"""What is not handed over yet; the oldest gives way."""

CAUSES: tuple[BlindCause, ...] = ("killed", "starved", "cut_off")

_RUNBOOK = "Nobody is taken for sick because of it. See `supervisor health`, and system_health_snapshots in the log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One thing to be told.

    Attributes:
        what: The notifier's change.
        arguments: What it is given.
    """

    what: str
    arguments: tuple[Alert] | tuple[str, str]


class BlindAlarm:
    """One life of the monitor's.

    Args:
        component: What people call the monitor.
    """

    def __init__(self, component: str) -> None:
        self._component = component
        self._cut_off = False
        self._last: dict[str, None] = {}
        self._waiting: deque[Telling] = deque(maxlen=WAITING_MAX)

    def note(self, command: m.Command) -> bool:
        """What the machine wants done; whether there is something to be told, now or still."""
        match command:
            case m.AlarmBlindness(cause=cause):
                self._cut_off = self._cut_off or cause == "cut_off"
                # A life that begins cannot know what the one before has told of, and not taken back.
                self._last.update(dict.fromkeys(CAUSES if cause == "killed" else (cause,)))
                self._waiting.append(Telling(what="raise", arguments=(self._alert(command),)))
            case m.NoteSight():
                self._cut_off = False
                self._end()
            case m.TellScore():
                self._end()
            case _:
                return False
        return bool(self._waiting)

    def first(self) -> Telling | None:
        """What is to be told next, or None."""
        return self._waiting[0] if self._waiting else None

    def told(self, telling: Telling) -> None:
        """The notifier has it."""
        if self._waiting and self._waiting[0] is telling:
            self._waiting.popleft()

    def _end(self) -> None:
        """It looks at everybody again."""
        if self._cut_off:
            return
        for cause in self._last:
            self._waiting.append(Telling(what="resolve", arguments=(self._key(cause), "the monitor sees again")))
        self._last.clear()

    def _alert(self, command: m.AlarmBlindness) -> Alert:
        return Alert(
            key=self._key(command.cause),
            component=self._component,
            severity="high",
            title=f"the health monitor does not see: {command.cause.replace('_', ' ')}",
            body=f"{command.detail}\n{_RUNBOOK}",
        )

    def _key(self, cause: str) -> str:
        return f"{self._component}/blind/{cause}"
