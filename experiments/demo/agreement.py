"""Does the event log tell the same story as the caller saw? Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHOWN_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The log held against the caller.

    Attributes:
        states: Rows of the log by state.
        problems: Each difference in plain words; empty when both agree.
    """

    states: Mapping[str, int]
    problems: tuple[str, ...]


def compare(*, logged: Iterable[tuple[str, str]], seen: Mapping[str, str]) -> Agreement:
    """Compare key by key.

    Args:
        logged: Key and state of each row that the log has of this caller's tasks.
        seen: The state of each accepted key as its caller saw it.
    """
    rows: dict[str, list[str]] = {}
    for key, state in logged:
        rows.setdefault(key, []).append(state)
    missing = [key for key in seen if key not in rows]
    surplus = [key for key in rows if key not in seen]
    doubled = [key for key, states in rows.items() if len(states) > 1]
    different = [key for key, states in rows.items() if key in seen and len(states) == 1 and states[0] != seen[key]]
    return Agreement(
        states=dict(sorted(Counter(state for states in rows.values() for state in states).items())),
        problems=(
            *_tell("has no row of", missing),
            *_tell("has rows of keys that were never accepted:", surplus),
            *_tell("has more than one row of", doubled),
            *_tell("knows another ending of", different),
        ),
    )


def _tell(what: str, keys: list[str]) -> tuple[str, ...]:
    if not keys:
        return ()
    shown = ", ".join(keys[:SHOWN_MAX])
    more = f" and {len(keys) - SHOWN_MAX} more" if len(keys) > SHOWN_MAX else ""
    return (f"the log {what} {shown}{more}",)
