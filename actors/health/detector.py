"""Is a process that misses its heartbeats hung, or only slow? Pure.

A held interpreter lock delays a heartbeat (a regular expression of 1.3 s did by 1.1 s), and so does a starved machine.
So silence alone only makes a process suspect. It is hung when its state says that it cannot answer (stopped, a zombie),
or when it sleeps through two looks, some time apart, without having used the processor in between.
"""

from __future__ import annotations

from typing import Literal

from actors.runtime.process import ProcessEvidence

Verdict = Literal["gone", "hung", "busy", "unclear"]

_GONE = ("", "Z", "X")
_STOPPED = ("T", "t")
_WAITING = ("S", "D")


def judge(earlier: ProcessEvidence | None, latest: ProcessEvidence, *, apart_s: float) -> Verdict:
    """What two looks at a silent process say about it.

    Args:
        earlier: The look before, or None at the first one.
        latest: The look now.
        apart_s: How much time must lie between two looks for them to say that it slept in between, seconds.

    Returns: "gone", "hung", "busy" (it uses the processor: leave it to its task's limit), or "unclear" (look again).
    """
    if latest.state in _GONE:
        return "gone"
    if latest.state in _STOPPED:
        return "hung"
    if earlier is None:
        return "unclear"
    if latest.cpu_ticks > earlier.cpu_ticks:
        return "busy"
    if latest.seen_at - earlier.seen_at < apart_s:
        return "unclear"
    return "hung" if latest.state in _WAITING and earlier.state in _WAITING else "unclear"
