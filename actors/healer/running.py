"""Taking one step: each action of each strategy, under its timeout, and how it ended.

The step runs on a thread of its own. One that hangs past its timeout keeps it, since no thread can be ended: its end
is not known, what it still does is seen by the component's probe, and a healer with too many of them ends as soon
as nothing else runs in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, assert_never

from actors.breaker.errors import CircuitOpenError
from actors.child.hooks import finish
from actors.healer.named import STRATEGIES
from actors.healer.packing import loaded
from actors.healer.ports import CannotHealError
from actors.healer.restoring import Restoring
from actors.healer.rows import span_of, trace_of
from actors.healer.telling import alert_of, nth_time
from actors.recovery.course import Outcome, Step
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore, Strategy, UserStrategy
from actors.runtime import wire
from actors.runtime.context import DEADLINE
from actors.runtime.scrub import Scrubber
from actors.telemetry.context import attached

if TYPE_CHECKING:
    from actors.healer.incident import Incident
    from actors.healer.ports import HealingPorts
    from actors.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPayload:
    """A call that waits for its recovery, as it travels.

    Attributes:
        function: The function, pickled.
        arguments: Its arguments, pickled.
        refs: The ObjectRefs in them.
        stale: An earlier result of the same call, as it travels; None: there is none.
        stale_age_s: How old that is, seconds.
        failed: The class of what the call has failed with, pickled; empty where it does not travel.
    """

    function: bytes
    arguments: bytes
    refs: tuple[Any, ...] = ()
    stale: bytes | None = None
    stale_age_s: float = 0.0
    failed: bytes = b""

    def make(self, run: Callable[..., Any]) -> Any:
        """Call `run(fn, args, kwargs)`.

        Raises: whatever unpickling or the function raises.
        """
        fn = wire.loads(self.function, ())
        args, kwargs = wire.loads(self.arguments, self.refs)
        return run(fn, args, kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One step as it is given to a healer.

    Attributes:
        incident: Whose step it is.
        strategy: What it belongs to, its functions as they travel.
        step: What is to be done.
        call: The call that waits, if the step makes it again.
    """

    incident: Incident
    strategy: Strategy
    step: Step
    call: CallPayload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a step ended.

    Attributes:
        outcome: How.
        detail: In words, scrubbed.
        result: What a function returned, as it travels.
    """

    outcome: Outcome
    detail: str = ""
    result: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryContext:
    """What a user's own strategy is called with, before its options.

    Attributes:
        component: What is to be healed.
        failure: The class of failure.
        severity: How bad it is.
        detail: What was reported.
        incident_id: The incident.
        node: Where it fails, if that is known.
        timeout_s: How long the strategy may take, seconds.
        cancelled: Set when nobody waits for it any more.
    """

    component: str
    failure: str
    severity: str
    detail: str
    incident_id: str
    node: str
    timeout_s: float
    cancelled: threading.Event = field(default_factory=threading.Event, compare=False)


class _Run:
    """A step that runs."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.over = threading.Event()
        self.ended: Ended | None = None
        self.is_late = False


class StepRunner:
    """Takes steps.

    Args:
        ports: The ways to what is healed.
        clock: Where the time comes from.
        scrubber: Keeps secrets out of what is told.
    """

    def __init__(self, ports: HealingPorts, *, clock: Clock, scrubber: Scrubber | None = None) -> None:
        self._ports = ports
        self._clock = clock
        self._scrubber = scrubber or Scrubber()
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._hung = 0

    @property
    def hung(self) -> int:
        """Steps that are past their timeout and still run."""
        return self._hung

    @property
    def working(self) -> int:
        """Steps that run within their timeout."""
        return len(self._runs)

    def cancel(self, name: str) -> None:
        """Nobody waits for a step any more; a user's strategy can see that."""
        with self._lock:
            run = self._runs.get(name)
        if run is not None:
            run.cancelled.set()

    def run(self, name: str, job: Job) -> Ended:
        """Take a step; returns when it has ended or its time is over.

        Args:
            name: Unique among those that run, for `cancel`.
            job: The step.
        """
        run = _Run()
        with self._lock:
            self._runs[name] = run
        threading.Thread(target=self._work, args=(run, job), name="healer-step", daemon=True).start()
        run.over.wait(job.step.timeout_s)
        with self._lock:
            del self._runs[name]
            if run.ended is not None:
                return run.ended
            run.is_late = True
            self._hung += 1
        run.cancelled.set()
        return Ended(outcome="unknown", detail=f"it took longer than its {job.step.timeout_s:g} s")

    def _work(self, run: _Run, job: Job) -> None:
        DEADLINE.set(self._clock.now() + job.step.timeout_s)
        try:
            with attached(int(trace_of(job.incident), 16), span_of(job.incident.incident_id)):
                ended = self._take(job, run.cancelled)
        except BaseException as error:  # noqa: BLE001 - a user's function may raise anything, SystemExit included
            ended = self._failed(job, error)
        with self._lock:
            run.ended = ended
            self._hung -= run.is_late
        run.over.set()

    def _take(self, job: Job, cancelled: threading.Event) -> Ended:
        strategy, step, incident = loaded(job.strategy), job.step, job.incident
        match strategy:
            case Retry():
                return self._call(strategy, job)
            case Fallback():
                return self._stale(strategy, job) if step.action == "stale" else self._ask(strategy, job)
            case Restore():
                well = Restoring(strategy, incident, self._ports, self._clock).take(
                    step.action, timeout_s=step.timeout_s
                )
                return _ended(well, "the state was refused")
            case Escalate():
                return self._notify(strategy, job)
            case Restart():
                self._ports.restart(incident.target, timeout_s=step.timeout_s)
            case Isolate():
                keep_off_s, drain_s = strategy.keep_off_s, strategy.drain_s
                self._ports.isolate(incident.target, incident.node, drain_s=drain_s, keep_off_s=keep_off_s)
            case UserStrategy():
                return self._user(strategy, job, cancelled)
            case _:
                assert_never(strategy)
        return Ended(outcome="succeeded")

    # -- the call that waits ------------------------------------------------------------------------------------------

    @staticmethod
    def _call(strategy: Retry, job: Job) -> Ended:
        """Make it again; if it was not yet, only if what it has failed with at its caller's is worth it."""
        call = _payload(job)
        was_made = any(each.outcome != "unknown" for each in job.incident.taken)
        failed = None if was_made else _class_of(call.failed)
        if failed is not None and not _allows(strategy, failed):
            return Ended(outcome="refused", detail=f"{failed.__name__} is not worth another attempt")
        return _returned(call.make(lambda fn, args, kwargs: finish(fn(*args, **kwargs))))

    def _ask(self, strategy: Fallback, job: Job) -> Ended:
        provider = strategy.providers[job.step.index]

        def ask(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
            if provider.breaker is None:
                return finish(provider.fn(*args, **kwargs))
            return self._ports.guarded(provider.breaker, lambda *a, **k: finish(provider.fn(*a, **k)), args, kwargs)

        ended = _returned(_payload(job).make(ask))
        return Ended(outcome=ended.outcome, detail=provider.title, result=ended.result)

    @staticmethod
    def _stale(strategy: Fallback, job: Job) -> Ended:
        call = _payload(job)
        if call.stale is None or strategy.stale_s is None:
            return Ended(outcome="failed", detail="there is no earlier result of this call")
        if call.stale_age_s > strategy.stale_s:
            return Ended(outcome="failed", detail=f"the latest result is {call.stale_age_s:.0f} s old")
        return Ended(outcome="succeeded", detail=f"a result {call.stale_age_s:.0f} s old", result=call.stale)

    # -- others -------------------------------------------------------------------------------------------------------

    def _notify(self, strategy: Escalate, job: Job) -> Ended:
        incident = job.incident
        alert = alert_of(incident, runbook=strategy.runbook, nth=nth_time(incident.position, job.step.number))
        told = self._ports.notify(alert, strategy.channels)
        if not told:
            return Ended(outcome="failed", detail="no channel and no route is for it")
        return Ended(outcome="succeeded", detail=", ".join(told))

    @staticmethod
    def _user(strategy: UserStrategy, job: Job, cancelled: threading.Event) -> Ended:
        found = next(iter(entry_points(group=STRATEGIES, name=strategy.name)), None)
        if found is None:
            words = f"no installed package has the entry point {strategy.name!r} in the group {STRATEGIES}"
            return Ended(outcome="refused", detail=words)
        incident = job.incident
        context = RecoveryContext(
            component=incident.component,
            failure=incident.failure,
            severity=incident.severity,
            detail=incident.detail,
            incident_id=incident.incident_id,
            node=incident.node,
            timeout_s=job.step.timeout_s,
            cancelled=cancelled,
        )
        well = finish(found.load()(context, **strategy.options))
        return _ended(well is not False, "it returned False")

    def _failed(self, job: Job, error: BaseException) -> Ended:
        words = self._scrubber.clean(f"{type(error).__name__}: {error}")
        if isinstance(error, CannotHealError):
            return Ended(outcome="refused", detail=words)
        if isinstance(error, CircuitOpenError):
            return Ended(outcome="failed", detail=words)
        strategy = job.strategy
        if isinstance(strategy, Retry) and not _is_worth_it(strategy, error):
            return Ended(outcome="refused", detail=words)
        return Ended(outcome="failed", detail=words)


def _payload(job: Job) -> CallPayload:
    if job.call is None:
        raise CannotHealError(
            job.incident.component,
            action="calling again",
            reason="who called is gone",
            remedy="Nothing waits for its result any more",
        )
    return job.call


def _returned(value: Any) -> Ended:
    try:
        data, refs = wire.dumps(value)
    except Exception as error:  # noqa: BLE001 - a result's __reduce__ can raise anything; it has run, and not again
        return Ended(outcome="refused", detail=f"its result does not pickle: {type(error).__name__}")
    if refs:
        return Ended(outcome="refused", detail="its result holds ObjectRefs, which end with this process")
    return Ended(outcome="succeeded", result=data)


def _class_of(data: bytes) -> type[BaseException] | None:
    """The class of an error as it travels; None if it cannot be loaded here."""
    try:
        found = wire.loads(data, ()) if data else None
    except Exception:  # noqa: BLE001 - importing a user's module can raise anything
        return None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _ended(well: bool, reason: str) -> Ended:  # noqa: FBT001 - a private shorthand
    return Ended(outcome="succeeded") if well else Ended(outcome="failed", detail=reason)


def _is_worth_it(strategy: Retry, error: BaseException) -> bool:
    try:
        found = loaded(strategy)
    except Exception:  # noqa: BLE001 - a class that cannot be loaded here can have raised nothing here
        return isinstance(error, Exception)
    return isinstance(found, Retry) and _allows(found, type(error))


def _allows(strategy: Retry, failed: type[BaseException]) -> bool:
    """Whether errors of a class are tried again; one that two processes have sent by value is two, of one name."""
    names = {(each.__module__, each.__qualname__) for each in strategy.on}
    by_name = any((each.__module__, each.__qualname__) in names for each in failed.__mro__)
    return by_name or issubclass(failed, strategy.on)
