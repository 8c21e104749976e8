"""Whether what a person asks of a breaker can stand on record: who asks, and why. Pure.

Both stand in the log, on the nodes' boards and in one line for people, and both are checked before anything is done.
"""

from __future__ import annotations

from typing import Any

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown

WORDS_MAX = 1000
"""Characters of each; every process is told the first of them, the log has all."""


def checked_words(action: str, *, who: Any, reason: Any) -> None:
    """Let pass what can stand on record.

    Args:
        action: What is asked for, as "force_open".
        who: Who asks.
        reason: Why.

    Raises:
        ConfigError: Something cannot, and why; nothing was done.
    """
    problems = [*_problems("reason", reason, "say why, as in reason='maintenance'"), *_problems("who", who, _WHO)]
    if problems:
        raise ConfigError(f"request to {action.replace('_', ' ')} a breaker", problems=tuple(problems))


_WHO = "say who asks, or leave it out: this user, host and process are then named"


def _problems(field: str, text: Any, remedy: str) -> list[str]:
    if not isinstance(text, str):
        return [f"{field} must be a text, not {type(text).__name__}; {remedy}"]
    if not text.strip():
        return [f"{field} is empty; {remedy}"]
    if len(text) > WORDS_MAX:
        return [f"{field} has {len(text)} characters, at most {WORDS_MAX} are taken; shorten it"]
    if not text.isprintable():
        return [f"{field} ({shown(text)}) has line ends or other unprintable characters; take them away"]
    return []
