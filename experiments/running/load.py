"""The load of an experiment: tasks at an even pace, each watched from its submit to its end."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from experiments.checker import Checked, Ended, Submitted, check
from experiments.judging.facts import CallFact

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from experiments.judging.facts import CallPhase
    from experiments.model.experiment import Load
    from experiments.model.functions import Measure
    from experiments.running.durable import DurableLoad
    from experiments.running.witness import Witness


_LATEST = 20
_LEAST = 2


@dataclass(slots=True)
class _Call:
    key: str
    begun_at: float
    phase: CallPhase
    ended_at: float | None = None
    ok: bool = False
    token: str = ""
    error: str = ""
    attempts: int = 1


class RunningLoad:
    """The load of one run.

    Args:
        load: How much.
        submit: Submits a task of a key.
        witness: Sees the effects.
        prefix: What keys begin with: no two runs share one.
        durable: What runs besides, if anything.
    """

    def __init__(
        self,
        load: Load,
        submit: Callable[[str], Future[str]],
        witness: Witness,
        *,
        prefix: str,
        durable: DurableLoad | None = None,
    ) -> None:
        self.durable = durable
        self._load = load
        self._submit = submit
        self._witness = witness
        self._prefix = prefix
        self._lock = threading.Lock()
        self._calls: list[_Call] = []
        self._ended = threading.Event()
        self._phase: CallPhase = "baseline"
        self._began_at = SYSTEM_CLOCK.now()
        self._thread = threading.Thread(target=self._run, name="chaos-load", daemon=True)
        self._open = 0
        self._idle = threading.Condition(self._lock)

    def start(self, began_at: float) -> None:
        """Begin; times of calls count from `began_at`."""
        self._began_at = began_at
        self._thread.start()
        if self.durable is not None:
            self.durable.start()

    def enter(self, phase: CallPhase) -> None:
        """What is submitted from now on belongs to this."""
        self._phase = phase

    def stop(self, timeout_s: float) -> bool:
        """Submit no more, and wait for what was submitted; False when time was out before."""
        self._ended.set()
        if self.durable is not None:
            self.durable.stop(timeout_s)
        if self._thread.ident is not None:
            self._thread.join()
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout_s)

    # -- what was seen ------------------------------------------------------------------------------------------------

    def calls(self) -> tuple[CallFact, ...]:
        """What has ended."""
        with self._lock:
            return tuple(
                CallFact(call.begun_at - self._began_at, call.ended_at - call.begun_at, call.ok, call.phase)
                for call in self._calls
                if call.ended_at is not None
            )

    def checked(self, *, at_the_end: bool = False) -> Checked:
        """Its history against what was promised; a task that may still end is not lost, unless this is the end."""
        now = SYSTEM_CLOCK.now()
        effects = self._witness.effects()
        with self._lock:
            calls = list(self._calls)
        late_s = self._load.timeout_s
        judged = [call for call in calls if at_the_end or call.ended_at is not None or now - call.begun_at > late_s]
        counted = {call.key for call in judged}
        under_way = {call.key for call in calls} - counted
        facts = [Submitted(key) for key in counted]
        facts += [Ended(call.key, ok=call.ok, token=call.token) for call in judged if call.ended_at is not None]
        return check([*facts, *(effect for effect in effects if effect.key not in under_way)])

    def measured(self, measure: Measure) -> float | None:
        """One number; None: nothing tells of it yet."""
        if measure in ("lost", "doubled", "unexpected"):
            return float(getattr(self.checked(), measure).count)
        if measure == "asked_again":
            return float(self._witness.asked_again)
        ended = [call for call in self._snapshot() if call.ended_at is not None]
        failed = sum(not call.ok for call in ended)
        match measure:
            case "attempted":
                return float(len(ended))
            case "failed":
                return float(failed)
            case "error_share":
                return failed / len(ended) if ended else None
            case _:
                took = [call.ended_at - call.begun_at for call in ended if call.ended_at is not None]
                return quantiles(took, n=100)[49 if measure == "p50_s" else 98] if len(took) >= _LEAST else None

    @property
    def prefix(self) -> str:
        """What its keys begin with."""
        return self._prefix

    def ended_keys(self) -> frozenset[str]:
        """The keys that have ended so far."""
        return frozenset(call.key for call in self._snapshot() if call.ended_at is not None)

    @property
    def failed(self) -> int:
        """Calls that failed so far."""
        return sum(not call.ok for call in self._snapshot() if call.ended_at is not None)

    @property
    def tried_again(self) -> int:
        """Attempts of calls that ended, beyond the first of each."""
        return sum(call.attempts - 1 for call in self._snapshot() if call.ended_at is not None)

    @property
    def work_s(self) -> float:
        """How long a call takes if nothing is wrong, seconds."""
        return self._load.work_s

    @property
    def ended(self) -> int:
        """Calls that ended so far."""
        return sum(call.ended_at is not None for call in self._snapshot())

    def typical_s(self) -> float | None:
        """How long the latest took, the median, seconds; those that are under way count with what they have taken."""
        now = SYSTEM_CLOCK.now()
        latest = self._snapshot()[-_LATEST:]
        return median((call.ended_at or now) - call.begun_at for call in latest) if latest else None

    @property
    def witness(self) -> Witness:
        """Who sees its effects."""
        return self._witness

    def errors(self) -> dict[str, int]:
        """How many calls failed with which error."""
        found: dict[str, int] = {}
        for call in self._snapshot():
            if call.error:
                found[call.error] = found.get(call.error, 0) + 1
        return found

    def _snapshot(self) -> list[_Call]:
        with self._lock:
            return list(self._calls)

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        begun_at, every_s = SYSTEM_CLOCK.now(), 1 / self._load.per_s
        for number in range(self._load.tasks):
            wait_s = begun_at + number * every_s - SYSTEM_CLOCK.now()
            if self._ended.wait(max(0.0, wait_s)):
                return
            self._begin(f"{self._prefix}-{number % self._load.keys if self._load.keys else number}")

    def _begin(self, key: str) -> None:
        call = _Call(key, SYSTEM_CLOCK.now(), self._phase)
        with self._lock:
            self._calls.append(call)
            self._open += 1
        try:
            future = self._submit(key)
        except SupervisorError as error:
            self._end(call, error=type(error).__name__)
            return
        future.add_done_callback(lambda done: self._on_done(call, done))

    def _on_done(self, call: _Call, future: Any) -> None:
        call.attempts = max(1, int(getattr(future, "attempts", 1)))
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._end(call, error="cancelled" if error is None else type(error).__name__)
        else:
            self._end(call, token=str(future.result()))

    def _end(self, call: _Call, *, token: str = "", error: str = "") -> None:
        with self._idle:
            call.ended_at, call.ok, call.token, call.error = SYSTEM_CLOCK.now(), not error, token, error
            self._open -= 1
            self._idle.notify_all()
