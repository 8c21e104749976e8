"""One call on its way through a breaker: how it enters, waits for a probe's permit, and ends.

    enter --free--> passage --succeeded | failed | cancelled--> told once
      |  half-open: the owner is asked, and waited for at most PERMIT_WAIT_S
      +--refused--> CircuitOpenError

The user's functions among the settings (which errors count, whether a result is a failure) run here, under no lock. One
that fails itself is logged, and its call says nothing: the caller gets what the call gave.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from actors.breaker import messages as m
from actors.breaker.errors import CircuitOpenError, refusal
from actors.breaker.link import THIS_PROCESS
from actors.breaker.outcome import Outcome, outcome_of_error, outcome_of_result
from actors.breaker.verdict import Admitted, Ask, Permit, Refused
from actors.runtime.context import LIMIT
from actors.runtime.scrub import Scrubber
from actors.runtime.settings import shown

if TYPE_CHECKING:
    from actors.breaker.circuit import Circuit
    from actors.breaker.lane import Lane

PERMIT_WAIT_S = 1.0
"""The longest wait for the owner's answer to a request to probe, seconds; then the call is refused."""

ERROR_LENGTH_MAX = 300

UNKNOWN: Any = object()
"""The result of a call that returned nothing the breaker saw."""

_LOG = logging.getLogger("supervisor.breaker")
_SCRUBBER = Scrubber()


class Passage:
    """A call that was let through; it is to be ended once.

    Attributes:
        lane: That of its ticket.
        probe: Its permit, if it is a probe.
    """

    __slots__ = ("_begun", "_circuit", "lane", "probe")

    def __init__(self, circuit: Circuit, lane: Lane, probe: Permit | None = None) -> None:
        self._circuit = circuit
        self.lane = lane
        self.probe = probe
        self._begun = None if circuit.gate.settings.slow_call_s is None else circuit.now()

    def succeeded(self, result: Any = UNKNOWN) -> None:
        """It returned this, which the settings judge; a result that nobody knows is a success."""
        circuit, settings = self._circuit, self._circuit.gate.settings
        judged = settings.failed_result is not None and result is not UNKNOWN
        outcome = _judged_result(circuit, result) if judged else "success"
        duration_s = self._duration_s()
        slow = duration_s is not None and settings.slow_call_s is not None and duration_s > settings.slow_call_s
        if outcome != "success" or slow or self.probe is not None:
            sample = _sample(circuit, f"returned {shown(result)}", duration_s) if outcome == "failure" else None
            circuit.leave(self.lane.ticket, self.probe, outcome, duration_s=duration_s, sample=sample)
        elif duration_s is None:
            self.lane.hit()
        else:
            circuit.measured(self.lane, duration_s)

    def failed(self, error: BaseException | str) -> None:
        """It raised this, or the caller says so that it failed."""
        circuit, duration_s = self._circuit, self._duration_s()
        fail(circuit, self.lane, error, probe=self.probe, duration_s=duration_s)

    def cancelled(self) -> None:
        """The caller lost interest: it says nothing, and gives its permit back."""
        self._circuit.leave(self.lane.ticket, self.probe, "cancelled")

    def _duration_s(self) -> float | None:
        return None if self._begun is None else self._circuit.now() - self._begun


def fail(
    circuit: Circuit,
    lane: Lane,
    error: BaseException | str,
    *,
    probe: Permit | None = None,
    duration_s: float | None = None,
) -> None:
    """A call that passed raised `error`, which the settings judge; a text is a failure."""
    outcome = "failure" if isinstance(error, str) else _judged_error(circuit, error)
    sample = _sample(circuit, error, duration_s) if outcome == "failure" else None
    circuit.leave(lane.ticket, probe, outcome, duration_s=duration_s, sample=sample)


def enter(circuit: Circuit) -> Passage:
    """Let a call in.

    Raises:
        CircuitOpenError: It may not pass.
    """
    entered = _enter(circuit)
    if isinstance(entered, Passage):
        return entered
    answer, request = _ask(circuit, *entered)
    try:
        passage = answer.result(PERMIT_WAIT_S)
    except TimeoutError:
        passage = _give_up(circuit, answer, request)
    except BaseException:
        _give_back(_give_up(circuit, answer, request))
        raise
    return passage or _refuse(circuit, circuit.refusal())


async def aenter(circuit: Circuit) -> Passage:
    """The same for a coroutine, which awaits the owner's answer."""
    entered = _enter(circuit)
    if isinstance(entered, Passage):
        return entered
    answer, request = _ask(circuit, *entered)
    try:
        passage = await asyncio.wait_for(asyncio.wrap_future(answer), PERMIT_WAIT_S)
    except TimeoutError:
        passage = _give_up(circuit, answer, request)
    except BaseException:
        _give_back(_give_up(circuit, answer, request))
        raise
    return passage or _refuse(circuit, circuit.refusal())


def _enter(circuit: Circuit) -> Passage | tuple[Ask, Lane]:
    lane, word = circuit.lane, circuit.place[0]
    if word == lane.careful:
        return Passage(circuit, lane)
    if word == lane.shut:
        turn_away(circuit, lane)
    verdict, lane = circuit.admit()
    match verdict:
        case Admitted():
            return Passage(circuit, lane)
        case Permit():
            return Passage(circuit, lane, verdict)
        case Ask():
            return verdict, lane
        case Refused():
            return _refuse(circuit, verdict)


def turn_away(circuit: Circuit, lane: Lane) -> None:
    """Refuse a call that needs no look at the gate for it: the owner's word is the lane's `shut`.

    Raises:
        CircuitOpenError: Unless the wait is over; then the gate is to be asked.
    """
    left_s, longest_s = lane.until - circuit.now(), lane.longest_s
    if left_s > 0:
        lane.bounce()
        raise refusal(circuit.name, left_s if left_s < longest_s else longest_s, lane.told)


def _refuse(circuit: Circuit, refused: Refused) -> Any:
    raise CircuitOpenError(
        circuit.name,
        retry_after_s=refused.retry_after_s,
        state=refused.state,
        generation=circuit.gate.published.generation,
        by_itself=refused.by_itself,
        owner_heard=refused.owner_heard,
        of_process=circuit.link.supervisor == THIS_PROCESS,
    )


# -- permits --------------------------------------------------------------------------------------------------------


def _ask(circuit: Circuit, asked: Ask, lane: Lane) -> tuple[Future[Passage | None], int]:
    answer: Future[Passage | None] = Future()
    request = asked.request
    future = circuit.link.request_permit(circuit.name, m.PermitRequested(holder=circuit.process, request=request))
    limit_at = LIMIT.get()
    future.add_done_callback(lambda done: _answered(circuit, lane, request, limit_at, answer, done))
    return answer, request


def _answered(
    circuit: Circuit,
    lane: Lane,
    request: int,
    limit_at: float | None,
    answer: Future[Passage | None],
    done: Future[m.GrantPermit | m.RefusePermit],
) -> None:
    """The owner answered, or could not. Whoever has given up gets nothing: what was granted goes back."""
    granted = done.result() if not done.cancelled() and done.exception() is None else None
    waited_for = answer.set_running_or_notify_cancel()
    if not waited_for or not isinstance(granted, m.GrantPermit):
        circuit.denied(request)
    probe = circuit.granted(granted, limit_at) if isinstance(granted, m.GrantPermit) else None
    if waited_for:
        answer.set_result(None if probe is None else Passage(circuit, lane, probe))


def _give_up(circuit: Circuit, answer: Future[Passage | None], request: int) -> Passage | None:
    """Wait no longer; the passage if it came in this very moment."""
    if answer.cancel():
        circuit.denied(request)
        return None
    return answer.result()


def _give_back(passage: Passage | None) -> None:
    if passage is not None:
        passage.cancelled()


# -- the user's functions -------------------------------------------------------------------------------------------


def _judged_error(circuit: Circuit, error: BaseException) -> Outcome:
    try:
        return outcome_of_error(error, circuit.gate.settings)
    except Exception:  # noqa: BLE001 - the user's function: the call's own result goes on
        _LOG.exception("breaker %r: a function of `count` or `ignore` failed; the call says nothing", circuit.name)
        return "ignored"


def _judged_result(circuit: Circuit, result: Any) -> Outcome:
    try:
        return outcome_of_result(result, circuit.gate.settings)
    except Exception:  # noqa: BLE001 - the user's function: the call's own result goes on
        _LOG.exception("breaker %r: failed_result failed; the call says nothing", circuit.name)
        return "ignored"


def _sample(circuit: Circuit, said: BaseException | str, duration_s: float | None) -> m.Sample | None:
    """What the call said, in one line without secrets; None where a batch tells of enough calls already."""
    if not circuit.gate.reports.wants_samples:
        return None
    return m.Sample(reporter=circuit.process, error=_words(said), duration_s=duration_s)


def _words(said: BaseException | str) -> str:
    text = said if isinstance(said, str) else f"{type(said).__qualname__}{_message(said)}"
    return _SCRUBBER.clean(" ".join(text.split()))[:ERROR_LENGTH_MAX]


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a user's own __str__
        return ""
    return f": {text[: 8 * ERROR_LENGTH_MAX]}" if text else ""
