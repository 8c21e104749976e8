"""What ends a fault early, for whoever waits for its end: the halt flag, the run's own, guards, and the deadline."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, assert_never, cast

from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorError
from experiments.errors import HaltedError, RunStoppedError
from experiments.guards import machine as guards
from experiments.model.functions import PROBES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.hands.hands import Hands
    from experiments.model.safety import Guard
    from experiments.model.tolerances import Tolerance
    from experiments.running.probing import Probes

Errors = (SupervisorError, OSError, RayError, TimeoutError, ValueError, KeyError)
"""What asking and doing may fail with; each is an event."""

_LOOK_EVERY_S = 0.01


def read_guard(guard: Guard, probes: Probes) -> guards.GuardRead | guards.GuardFailed:
    """Ask the probe of a guard."""
    asked_at = SYSTEM_CLOCK.now()
    try:
        value = probes.value(guard.probe, PROBES[guard.probe][0].parse(guard.arguments, source=guard.name))
    except Errors as error:
        return guards.GuardFailed(guard=guard.name, reason=str(error))
    if value is None:
        return guards.GuardFailed(guard=guard.name, reason="nothing tells of it yet")
    return guards.GuardRead(guard=guard.name, value=value, age_s=SYSTEM_CLOCK.now() - asked_at)


def unfit_guards(asked: Sequence[Guard], probes: Probes) -> tuple[str, ...]:
    """Why guards would guard nothing: they cannot be read before anything is done, or are out already.

    What is about the load says nothing before that runs, and is left to the run.
    """
    found: list[str] = []
    for number, guard in enumerate(asked):
        if guard.probe == "measured" or (guard.probe == "slo_burn" and guard.arguments.get("component", "*") == "*"):
            continue
        told = _unfit(guard, read_guard(guard, probes))
        if told:
            found.append(f"safety.guards[{number}], {guard.name}: {told}")
    return tuple(found)


def _unfit(guard: Guard, answer: guards.GuardRead | guards.GuardFailed) -> str:
    if isinstance(answer, guards.GuardFailed):
        return f"it cannot be read: {answer.reason}"
    judged = cast("Tolerance", guard.tolerance).judge(answer.value)
    if judged.held is None:
        return f"it cannot be read: {judged.why}"
    return "" if judged.held or guard.times > 1 else f"it is out before anything is done: {judged.why}"


class Watch:
    """Looks while somebody waits.

    Args:
        hands: For the flags of this node.
        probes: What guards ask.
        asked: The guards.
        run: The run.
        deadline_at: When all of it must have ended, monotonic seconds.
    """

    def __init__(self, hands: Hands, probes: Probes, asked: Sequence[Guard], *, run: str, deadline_at: float) -> None:
        self._hands = hands
        self._probes = probes
        self._guard_of = {guard.name: guard for guard in asked}
        self._run = run
        self._deadline_at = deadline_at
        self._machine = guards.GuardsMachine(asked, now=SYSTEM_CLOCK.now())
        self._events: queue.SimpleQueue[guards.Event] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="chaos-guard")

    def look(self) -> None:
        """Go on only if nothing ends the run.

        Raises:
            HaltedError: Chaos was halted.
            RunStoppedError: Somebody stopped the run, a guard did, or its time is up.
        """
        halted, stopped = self._hands.own.halted(), self._hands.own.stopped(self._run)
        if halted is not None:
            raise HaltedError(who=halted.who, reason=halted.why)
        if stopped is not None:
            raise RunStoppedError(self._run, reason=f"stopped by {stopped.who}: {stopped.why}")
        if SYSTEM_CLOCK.now() >= self._deadline_at:
            raise RunStoppedError(self._run, reason="its deadline has passed")
        try:
            event = self._events.get_nowait()
        except queue.Empty:
            event = guards.TimePassed()
        for command in self._machine.handle(event, SYSTEM_CLOCK.now()):
            match command:
                case guards.ReadGuard():
                    self._pool.submit(self._read, self._guard_of[command.guard])
                case guards.StopRun():
                    raise RunStoppedError(self._run, reason=command.why)
                case _:
                    assert_never(command)

    def wait(self, wait_s: float) -> None:
        """Wait, and look.

        Raises: as `look`.
        """
        until = SYSTEM_CLOCK.now() + wait_s
        while (left_s := until - SYSTEM_CLOCK.now()) > 0:
            self.look()
            sleep(min(left_s, _LOOK_EVERY_S))

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, guard: Guard) -> None:
        self._events.put(read_guard(guard, self._probes))
