"""Which texts can name a breaker. Pure.

A name stands in messages, in logs, on the node's board and on a command line, where globs choose among names: so no
control character, no `* ? [`, no space at its ends, and an end to its length.
"""

from __future__ import annotations

from typing import Any

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown

NAME_BYTES_MAX = 128
"""Of UTF-8, so that a name fits on the board with what stands before it."""

NAMES_MAX = 4096
"""Breakers of one process, and of one cluster."""

GLOB = "*?["


def checked_name(name: Any) -> str:
    """The name, if it can be one.

    Raises:
        ConfigError: It cannot, and why.
    """
    problems = _problems(name)
    if problems:
        raise ConfigError(f"breaker name {shown(name)}", problems=tuple(problems))
    return name


def breaker_name(name: str | None) -> str | None:
    """The name in a field of settings, if it can be a breaker's.

    Raises:
        ValueError: It cannot, and why.
    """
    problems = () if name is None else _problems(name)
    if problems:
        raise ValueError("; ".join(problems))
    return name


def _problems(name: Any) -> list[str]:
    if not isinstance(name, str):
        return [f"must be a text, not {type(name).__name__}"]
    if not name.strip():
        return ["is empty; give the name of what the breaker guards, as in 'payments'"]
    problems: list[str] = []
    if name != name.strip():
        problems.append("begins or ends with a space; take it away")
    if not name.isprintable():
        problems.append("has control or other unprintable characters; take them away")
    if any(letter in name for letter in GLOB):
        problems.append(f"has one of {' '.join(GLOB)}, which choose among names on the command line; use another")
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > NAME_BYTES_MAX:
        problems.append(f"has {size} bytes of UTF-8, at most {NAME_BYTES_MAX} are taken; shorten it")
    return problems
