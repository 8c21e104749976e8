"""What an actor's death was, read from what Ray says of it. Pure."""

from __future__ import annotations

from supervisor.tree import ExitClass

_SIGNS: tuple[tuple[str, ExitClass], ...] = (
    ("out of memory", "out_of_memory"),
    ("OOM killer to", "out_of_memory"),
    ("memory monitor", "out_of_memory"),
    ("creation task", "crash"),
    ("The node was terminated", "node_lost"),
    ("node has died", "node_lost"),
    ("node it was running on", "node_lost"),
    ("exit code 0", "normal"),
    ("exit_actor", "normal"),
    ("INTENDED", "normal"),
)


def classify_exit(text: str) -> ExitClass:
    """The exit class of a death by Ray's own words; "killed" when they say nothing better."""
    lowered = text.lower()
    for sign, exit_class in _SIGNS:
        if sign.lower() in lowered:
            return exit_class
    return "killed"


def last_line(text: str) -> str:
    """The line that says most in a traceback or Ray error: the last one that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
