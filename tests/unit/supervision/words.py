"""The words in which tests say what a machine commanded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from supervisor import messages as m

Kind = TypeVar("Kind")


def said(commands: Iterable[m.Command]) -> list[str]:
    """What the commands do, in short; announcements, records and heartbeats are left out."""
    return [text for command in commands if (text := _text(command))]


def _text(command: m.Command) -> str:  # noqa: C901, PLR0911, PLR0912 - one line per command
    match command:
        case m.StartChild():
            place = f" on {command.node_id[0]}" if command.node_id is not None else ""
            return f"start {_life(command)}{' standby' if command.standby else ''}{place}"
        case m.AdoptChild():
            return f"adopt {_life(command)}"
        case m.PromoteChild():
            return f"promote {_life(command)}"
        case m.AskStop():
            return f"ask {_life(command)}"
        case m.KillChild():
            return f"kill {_life(command)}"
        case m.FenceMember():
            return f"fence {_life(command)}"
        case m.ReapSubtree():
            return f"reap {command.path}"
        case m.AttendStandbys():
            return f"attend {_life(command)}: {' '.join(map(str, command.standbys))}".rstrip()
        case m.RecordRestart():
            return f"restart {command.key.removeprefix('child/')} {command.exit_class}"
        case m.Escalate():
            return f"escalate {command.group}"
        case m.Answer():
            return f"answer {command.request} {command.problem or 'ok'}"
        case m.Finish():
            return "finish"
        case _:
            return ""


def _life(command: Any) -> str:
    return f"{command.key.removeprefix('child/')}#{command.incarnation}"


def acts(commands: Iterable[m.Command]) -> list[str]:
    """What is done to lives: starts, stops, kills, promotions."""
    return [
        text
        for text in said(commands)
        if text.partition(" ")[0] in ("start", "ask", "kill", "fence", "promote", "adopt")
    ]


def only(commands: Iterable[m.Command], *kinds: type[Kind]) -> list[Kind]:
    return [command for command in commands if isinstance(command, kinds)]


def records(commands: Iterable[m.Command]) -> list[str]:
    """What is written down of children."""
    return [
        f"{_life(command)} {command.event}{': ' if command.detail else ''}{command.detail}"
        for command in commands
        if isinstance(command, m.RecordChild)
    ]


def delays(commands: Iterable[m.Command]) -> list[int]:
    """How long restarts wait, milliseconds."""
    return [command.delay_ms for command in commands if isinstance(command, m.RecordRestart)]


def answers(commands: Iterable[m.Command]) -> list[str]:
    return [text.removeprefix("answer ") for text in said(commands) if text.startswith("answer")]
