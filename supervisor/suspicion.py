"""When silence makes a child suspect, and what the kernel's evidence makes of it. Pure.

Silence alone ends nobody: the question or its answer may have been lost, the child's interpreter may be held, and a
supervisor that was stopped itself has heard nobody. So a suspect is asked again at each look, and its silence counts
only while this supervisor could hear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.health.detector import judge

if TYPE_CHECKING:
    from actors.runtime.process import ProcessEvidence
    from supervisor.tree import Child, ExitClass


def answered(child: Child, now: float) -> None:
    """It was heard, or could not have been: its silence begins anew at `now`, monotonic seconds."""
    child.answered_at, child.evidence = now, None


def begin_look(child: Child, now: float) -> bool:
    """Whether it is time to look at the child; if so, the next look is due at its `look_at`."""
    if now < max(child.answered_at + child.spec.hang_timeout_s, child.look_at):
        return False
    child.look_at = now + child.spec.look_s
    return True


def weigh(child: Child, latest: ProcessEvidence, now: float) -> tuple[ExitClass, str] | None:
    """How a suspect's life has ended and the reason, or None while nothing proves that it has.

    Looks that answer together, however far apart they were asked for, count as one.
    """
    earlier, apart_s = child.evidence, child.spec.look_s / 2
    if earlier is None or latest.seen_at - earlier.seen_at >= apart_s:
        child.evidence = latest
    silent_s = now - child.answered_at
    verdict = judge(earlier, latest, apart_s=apart_s)
    match verdict:
        case "gone":
            return child.expected_exit or "killed", f"its process is gone ({silent_s:.1f} s silent)"
        case "hung":
            return "hung", f"silent for {silent_s:.1f} s, process state {latest.state!r} without progress"
        case "busy" | "unclear":
            return None
        case _:
            assert_never(verdict)
