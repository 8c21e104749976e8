"""Whether a fault acted, told by something else than its injector: the kernel, or whoever was called. Pure.

An injector says what it did; that is no proof. A stopped process is proven by its state in /proc, a crash by its
absence there, exhaustion by what is no longer free or what holds it, faults of calls by what callers met. A fault
without such a sight is not shown to have acted, and the verdict is inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.model.faults import FaultKind, Resource

_STOPPED = ("T", "t")
_TAKEN_SHARE = 0.5
"""Of what was to be taken, so much must be gone: others use the machine, too, and the kernel may swap."""

_BUSY_LEAST = 0.2
_DELAY_SHARE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of a target and its machine at one moment; None: it was not looked at.

    Attributes:
        alive: Whether that very process is there, and no zombie.
        listed: Of a node: whether it lives by Ray's table.
        state: Its letter in /proc.
        cpu_idle: The share of the machine's processor time that was idle of late.
        cpu_taken: The share of it that the fault's own processes had of late, by the kernel's account.
        memory_taken_mb: Memory that the fault's own process holds, by the kernel's account.
        memory_asked_mb: How much it is to hold.
        disk_free_mb: Free on the log's disk.
        files_free: Files that the process may still open.
        calls: Calls of the target that were seen to end, since the run began.
        calls_failed: Those that failed.
        typical_s: How long the latest took, the median, seconds.
        effects_without_reply: Effects whose caller got no answer.
        met: Calls that the fault acted on, as the point in the target's process counted them.
    """

    alive: bool | None = None
    listed: bool | None = None
    state: str | None = None
    cpu_idle: float | None = None
    cpu_taken: float | None = None
    memory_taken_mb: float | None = None
    memory_asked_mb: float | None = None
    disk_free_mb: float | None = None
    files_free: int | None = None
    calls: int | None = None
    calls_failed: int | None = None
    typical_s: float | None = None
    effects_without_reply: int | None = None
    met: int | None = None


def prove(fault: FaultKind, how: Mapping[str, object], *, before: Sight, now: Sight) -> str:
    """What shows that it acts; nothing: nothing does, so far.

    Args:
        fault: What.
        how: Its fields.
        before: What was seen before it was injected.
        now: What is seen now.
    """
    if now.met and now.met > (before.met or 0):
        return f"{now.met} calls met it, as the point that they passed counted"
    match fault:
        case "crash":
            return _crash(before, now)
        case "hang":
            return _hang(how, before, now)
        case "latency":
            return _latency(how, before, now)
        case "error" | "unavailable":
            return _failed(how, before, now)
        case "exhaustion":
            return _exhausted(cast("Resource", how.get("resource")), how, before, now)
        case _:
            assert_never(fault)


def _crash(before: Sight, now: Sight) -> str:
    if before.listed and now.listed is False:
        return "its node has ended in Ray's table"
    return "its process is gone from /proc" if before.alive and now.alive is False else ""


def _hang(how: Mapping[str, object], before: Sight, now: Sight) -> str:
    if how.get("how", "sigstop") == "sigstop":
        stopped = now.state in _STOPPED and before.state not in _STOPPED
        return f"its state in /proc is {now.state}" if stopped else ""
    # A call that never returns leaves the process as it is: callers tell.
    if before.calls is None or now.calls is None or not before.calls:
        return ""
    return "no call of it has ended since" if now.calls == before.calls else ""


def _latency(how: Mapping[str, object], before: Sight, now: Sight) -> str:
    if before.typical_s is None or now.typical_s is None:
        return ""
    delay_s = cast("float", how.get("delay_s", 0.0))
    slower_s = now.typical_s - before.typical_s
    return f"calls take {slower_s:.3g} s longer" if slower_s >= delay_s * _DELAY_SHARE else ""


def _failed(how: Mapping[str, object], before: Sight, now: Sight) -> str:
    if how.get("lost") == "reply":
        was, there = before.effects_without_reply, now.effects_without_reply
        more = 0 if was is None or there is None else there - was
        return f"{more} effects whose callers got no answer" if more > 0 else ""
    if before.calls_failed is None or now.calls_failed is None:
        return ""
    more = now.calls_failed - before.calls_failed
    return f"{more} calls have failed since" if more > 0 else ""


def _exhausted(resource: Resource, how: Mapping[str, object], before: Sight, now: Sight) -> str:
    if resource == "cpu":
        if now.cpu_taken is not None and now.cpu_taken >= _BUSY_LEAST:
            # On a machine that is busy anyway nothing more can be idle less.
            return f"the kernel gave {now.cpu_taken:.0%} of the processors to what is to burn them"
        if before.cpu_idle is None or now.cpu_idle is None:
            return ""
        busier = before.cpu_idle - now.cpu_idle
        wanted = max(_BUSY_LEAST, cast("float", how.get("amount", 0.0)) * before.cpu_idle * _TAKEN_SHARE)
        return f"idle time fell from {before.cpu_idle:.0%} to {now.cpu_idle:.0%}" if busier >= wanted else ""
    if resource == "memory":
        return _memory_taken(before, now)
    was, there = {
        "disk": (before.disk_free_mb, now.disk_free_mb),
        "files": (before.files_free, now.files_free),
    }[resource]
    if was is None or there is None:
        return ""
    left = 0.0 if resource == "files" else cast("float", how.get("leave_mb", 0.0))
    wanted = min(was * cast("float", how.get("amount", 0.0)), max(0.0, was - left)) * _TAKEN_SHARE
    what = "files may be opened" if resource == "files" else f"MiB of {resource} are free"
    return f"{there:,.0f} {what}, {was:,.0f} before" if wanted > 0 and was - there >= wanted else ""


def _memory_taken(before: Sight, now: Sight) -> str:
    """What is free on a machine tells nothing: others take memory, and give it back, all along."""
    if before.memory_taken_mb is None or now.memory_taken_mb is None or not now.memory_asked_mb:
        return ""
    taken = now.memory_taken_mb - before.memory_taken_mb
    enough = taken >= now.memory_asked_mb * _TAKEN_SHARE
    return f"the kernel counts {taken:,.0f} MiB of memory for what is to take it" if enough else ""
