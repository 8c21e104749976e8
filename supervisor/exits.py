"""What an actor's death was, read from what Ray says of it. Pure."""

from __future__ import annotations

import re

from actors.runtime.errors import ChildStartError, SupervisorError
from supervisor.tree import ExitClass

_SIGNS: tuple[tuple[str, ExitClass], ...] = (
    ("out of memory", "out_of_memory"),
    ("OOM killer to", "out_of_memory"),
    ("memory monitor", "out_of_memory"),
    ("node was preempted", "preempted"),
    ("creation task", "crash"),
    ("The node was terminated", "node_lost"),
    ("node has died", "node_lost"),
    ("node it was running on", "node_lost"),
    ("exit_actor", "normal"),
    ("INTENDED", "normal"),
)


_EXIT_CODE_0 = re.compile(r"exit code 0\b")


def classify_exit(text: str) -> ExitClass:
    """The exit class of a death by Ray's own words; "killed" when they say nothing better."""
    lowered = text.lower()
    for sign, exit_class in _SIGNS:
        if sign.lower() in lowered:
            return exit_class
    return "normal" if _EXIT_CODE_0.search(lowered) else "killed"


def last_line(text: str) -> str:
    """The line that says most in a traceback or Ray error: the last one that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def why(error: BaseException) -> str:
    """What a person needs to know of a Ray error, or of one of ours."""
    ours = raised_by(error)
    if isinstance(ours, ChildStartError):
        return ours.reason
    if isinstance(ours, SupervisorError):
        return str(ours)
    if ours is not error:  # a task's error: what was raised stands last
        return last_line(str(error))
    return essence(str(getattr(error, "error_msg", None) or error))


def raised_by(error: BaseException) -> BaseException:
    """The exception that a remote method raised: Ray hands out one that is both that and its own."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, BaseException) else error


def essence(text: str) -> str:
    """What matters of Ray's text on a death: a constructor's exception stands last, otherwise the exit's detail."""
    if "creation task" in text:
        return last_line(text)
    _, found, detail = text.partition("Worker exit type:")
    said = f"worker exit type:{detail}" if found else text.strip()
    return said.partition(" Some common causes")[0].partition("\n")[0].strip()
