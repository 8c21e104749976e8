"""What has changed lately, told with the state itself: who looks now and then misses nothing of what is in it. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from actors.degradation import messages as m

CHANGES_MAX = 32
NAMES_MAX = 2000
"""Names of features in all changes that are told together; the oldest changes go first."""

ChangeKind = m.CauseKind | Literal["declared", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradationChange:
    """What changed, and why.

    Attributes:
        number: Counts the changes of one supervisor, over all lives of their owner.
        before: The level that was left.
        after: The level that holds; the same as `before` when only features changed.
        kind: Why, in a word: "rule" "at_once" "recovering" "override" "override_over" "auto" "recovered" "declared"
            "withdrawn".
        detail: The same for people.
        who: Who asked for it, if somebody did.
        until_s: For how long from then on, if that is known, seconds.
        switched_off: Features that are off since.
        switched_on: Features that are on again.
        feature: The feature that was declared, declared anew, or withdrawn.
    """

    number: int
    before: str
    after: str
    kind: ChangeKind
    detail: str
    who: str = ""
    until_s: float | None = None
    switched_off: tuple[str, ...] = ()
    switched_on: tuple[str, ...] = ()
    feature: str = ""


class Recent:
    """The last changes, the latest last.

    Args:
        changes: Those of earlier lives.
    """

    def __init__(self, changes: Iterable[DegradationChange] = ()) -> None:
        self._changes = deque(changes, maxlen=CHANGES_MAX)
        self._number = self._changes[-1].number if self._changes else 0

    def all(self) -> tuple[DegradationChange, ...]:
        """As many as are told."""
        return tuple(self._changes)

    def note(self, command: m.Command, level: str) -> None:
        """What a command changes; nothing for most of them.

        Args:
            command: What the machine wants done.
            level: The level that holds.
        """
        change = self._change(command, level)
        if change is None:
            return
        self._number = change.number
        self._changes.append(change)
        while sum(map(_names, self._changes)) > NAMES_MAX and len(self._changes) > 1:
            self._changes.popleft()

    def _change(self, command: m.Command, level: str) -> DegradationChange | None:
        match command:
            case m.RecordLevel():
                return DegradationChange(
                    number=self._number + 1,
                    before=command.before,
                    after=command.after,
                    kind=command.kind,
                    detail=command.detail,
                    who=command.who,
                    until_s=command.until_s,
                    switched_off=command.switched_off,
                    switched_on=command.switched_on,
                )
            case m.RecordFeature(name=name, feature=feature):
                kind: ChangeKind = "withdrawn" if feature is None else "declared"
                detail = f"{name} was {kind}"
                return DegradationChange(
                    number=self._number + 1, before=level, after=level, kind=kind, detail=detail, feature=name
                )
            case _:
                return None


def later_than(changes: Iterable[DegradationChange], number: int) -> tuple[tuple[DegradationChange, ...], int]:
    """The changes after the one of this number, and how many between are told no more."""
    later = tuple(change for change in changes if change.number > number)
    return later, max(0, later[0].number - number - 1) if later else 0


def _names(change: DegradationChange) -> int:
    return len(change.switched_off) + len(change.switched_on)
