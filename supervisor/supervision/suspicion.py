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
    from supervisor.tree import ChildPlan, ExitClass, Life


def is_heard(plan: ChildPlan, life: Life) -> bool:
    """Whether it is asked and judged; who is ending is so only where no time limit takes care of that."""
    return life.status != "stopping" or (plan.shutdown_s == "infinity" and not life.is_doomed)


def answered(life: Life, now: float) -> None:
    """It was heard, or could not have been: its silence begins anew at `now`, monotonic seconds."""
    life.answered_at, life.evidence = now, None


def begin_look(plan: ChildPlan, life: Life, now: float) -> bool:
    """Whether it is time to look at a silent life; if so, the next look is due at its `look_at`."""
    if now < max(life.answered_at + plan.hang_timeout_s, life.look_at):
        return False
    life.look_at = now + plan.look_s
    return True


def weigh(plan: ChildPlan, life: Life, latest: ProcessEvidence, now: float) -> tuple[ExitClass, str] | None:
    """How a suspect's life has ended and the reason, or None while nothing proves that it has.

    Looks that answer together, however far apart they were asked for, count as one.
    """
    earlier, apart_s = life.evidence, plan.look_s / 2
    if earlier is None or latest.seen_at - earlier.seen_at >= apart_s:
        life.evidence = latest
    silent_s = now - life.answered_at
    verdict = judge(earlier, latest, apart_s=apart_s)
    match verdict:
        case "gone":
            return life.expected_exit or "killed", f"its process is gone ({silent_s:.1f} s silent)"
        case "hung":
            return "hung", f"silent for {silent_s:.1f} s, process state {latest.state!r} without progress"
        case "busy" | "unclear":
            return None
        case _:
            assert_never(verdict)
