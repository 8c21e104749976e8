"""What a user holds of a breaker: the same in every thread, coroutine and process that has the name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from actors.breaker import messages as m
from actors.breaker.calling import guard, make_acall, make_call
from actors.breaker.errors import BreakerUnreachableError, CircuitOpenError
from actors.breaker.here import BreakerMetrics, explain_here, metrics_here, score_here, view_here
from actors.breaker.on_record import checked_words
from actors.breaker.passage import aenter, enter
from actors.breaker.permit import Permit
from actors.breaker.registry import REGISTRY, check_kind
from actors.breaker.settings import BreakerSettings, changed, check_changes
from actors.runtime.arriving import Arriving
from actors.runtime.asker import who

if TYPE_CHECKING:
    from actors.breaker.circuit import Circuit
    from actors.breaker.insight import Explanation
    from actors.breaker.link import OwnerLink
    from actors.breaker.published import State
    from actors.breaker.sighting import Transition
    from actors.breaker.view import BreakerView
    from actors.runtime.stream import EventStream

CONTROL_WAIT_S = 10.0
"""The longest wait until something that a person asked for is on record, seconds."""

VIEW_WAIT_S = 1.0
"""The longest wait for the cluster's numbers, seconds; then this process's own are given."""

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class _Entered(NamedTuple):
    """A `with` block that is being run, and those around it."""

    circuit: Circuit
    permit: Permit
    around: _Entered | None


_ENTERED: ContextVar[_Entered | None] = ContextVar("entered breakers", default=None)


class BreakerHandle(Arriving):
    """A circuit breaker. Thread-safe; usable from any event loop; it pickles, and survives a fork.

    Calls: `call(fn, ...)`, `await acall(fn, ...)`, `with breaker:`, `async with breaker:`, `@breaker` above functions,
    coroutine functions, and generator functions of either kind (the whole iteration is the call), `try_acquire()`.
    A call that may not pass raises CircuitOpenError; whatever the call itself raises comes through as it is.

    Cancellation (asyncio's, KeyboardInterrupt, a generator that is closed) says nothing, and gives a permit back.

    Args:
        circuit: This process's circuit of the name.
        fallback: What is called in place of a call that is refused; see `with_fallback`.
    """

    def __init__(self, circuit: Circuit, fallback: Callable[..., Any] | None = None) -> None:
        self._circuit = circuit
        self._fallback = fallback
        self.__dict__["call"] = make_call(circuit, fallback)
        self.__dict__["acall"] = make_acall(circuit, fallback)

    def __repr__(self) -> str:
        return f"<breaker {self.name!r} of {self._circuit.link.supervisor!r}: {self.state}>"

    def _travel(self) -> tuple[Callable[[], BreakerHandle], Mapping[str, Any]]:
        link = self._circuit.link
        return partial(_arrived, link.supervisor, self.name, link.recipe(self.name), self._fallback), {}

    @property
    def name(self) -> str:
        """The breaker's name."""
        return self._circuit.name

    @property
    def settings(self) -> BreakerSettings:
        """Those in force, as far as this process knows."""
        self._circuit.look()
        return self._circuit.gate.settings

    # -- calls ------------------------------------------------------------------------------------------------------

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What `fn(*args, **kwargs)` returns.

        Raises:
            CircuitOpenError: The breaker does not let it through, and there is no fallback.
        """
        return make_call(self._circuit, self._fallback)(fn, *args, **kwargs)

    def acall(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        """What `await fn(*args, **kwargs)` returns.

        Raises:
            CircuitOpenError: The breaker does not let it through, and there is no fallback.
        """
        return make_acall(self._circuit, self._fallback)(fn, *args, **kwargs)

    def __call__(self, fn: F) -> F:
        """Decorate `fn`: each call of it goes through the breaker."""
        return guard(self._circuit, self._fallback, fn)

    def with_fallback(self, fallback: Callable[..., Any]) -> BreakerHandle:
        """The same breaker; a call that it refuses is answered by `fallback`, with the call's own arguments.

        It stands in for refused calls alone: what a call raises itself comes through. `with` blocks have no fallback.
        """
        if not callable(fallback):
            raise TypeError(f"a fallback is a function of the call's own arguments, not {fallback!r}")
        return BreakerHandle(self._circuit, fallback)

    def try_acquire(self) -> Permit | None:
        """Leave for one call, to be ended by its caller; None if the breaker does not let one through.

        While the breaker is half-open its owner is asked, and waited for at most a second.
        """
        try:
            return Permit(enter(self._circuit))
        except CircuitOpenError:
            return None

    def acquire(self) -> Permit:
        """Leave for one call, to be ended by its caller.

        Raises:
            CircuitOpenError: The breaker does not let one through.
        """
        return Permit(enter(self._circuit))

    async def aacquire(self) -> Permit:
        """`acquire` for a coroutine: the owner's answer is awaited.

        Raises:
            CircuitOpenError: The breaker does not let one through.
        """
        return Permit(await aenter(self._circuit))

    async def atry_acquire(self) -> Permit | None:
        """`try_acquire` for a coroutine: the owner's answer is awaited."""
        try:
            return Permit(await aenter(self._circuit))
        except CircuitOpenError:
            return None

    def __enter__(self) -> Permit:
        return self._entered(Permit(enter(self._circuit)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        permit = self._left()
        if permit is not None:
            permit.__exit__(kind, error, traceback)

    async def __aenter__(self) -> Permit:
        return self._entered(Permit(await aenter(self._circuit)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _entered(self, permit: Permit) -> Permit:
        _ENTERED.set(_Entered(self._circuit, permit, _ENTERED.get()))
        return permit

    def _left(self) -> Permit | None:
        """The innermost block of this breaker that this thread or task is in."""
        inner: list[_Entered] = []
        block = _ENTERED.get()
        while block is not None and block.circuit is not self._circuit:
            inner.append(block)
            block = block.around
        if block is None:
            return None  # entered in another context: a probe's permit goes back by its lease
        rest = block.around
        for each in reversed(inner):  # blocks that interleave, as generators do
            rest = _Entered(each.circuit, each.permit, rest)
        _ENTERED.set(rest)
        return block.permit

    @property
    def ticket(self) -> int:
        """What a call that is made elsewhere from now on is to be told with; see `note_failure`."""
        return self._circuit.gate.ticket

    def note_failure(self, error: str, *, ticket: int) -> None:
        """Count a failure of a call that was made elsewhere and could not tell itself; it asks for no permit.

        Args:
            error: What became of it.
            ticket: The handle's `ticket` when the call was sent; what has been decided since then stays decided.
        """
        circuit = self._circuit
        circuit.leave(ticket, None, "failure", sample=m.Sample(reporter=circuit.process, error=error))

    # -- insight ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What calls of this process meet: "closed" "open" "half_open" "ramping" "disabled" "forced_open" "shadow"."""
        self._circuit.look()
        with self._circuit.held() as (gate, now):
            return gate.state(now)

    @property
    def owner_heard(self) -> bool:
        """Whether the breaker's owner is heard; else this process goes on by its own calls, and nobody probes."""
        return not self._circuit.gate.lost

    @property
    def retry_after_s(self) -> float:
        """When a call may pass, seconds, as far as this process can tell; 0 if one passes now."""
        self._circuit.look()
        with self._circuit.held() as (gate, now):
            return gate.retry_after_s(now)

    @property
    def health_score(self) -> int:
        """How well what the breaker guards is, 0 to 100; asks the owner, for at most a second."""
        view, _ = self._view()
        with self._circuit.held() as (gate, now):
            return score_here(gate, view, now)

    def metrics(self) -> BreakerMetrics:
        """The cluster's numbers, or this process's own if the owner does not answer within a second."""
        view, answered = self._view()
        with self._circuit.held() as (gate, now):
            return metrics_here(self.name, gate, view, now, answered=answered)

    def explain(self) -> Explanation:
        """Why it is in its state, which calls opened it, and when it closes; `str` of it is for people."""
        view, _ = self._view()
        with self._circuit.held() as (gate, now):
            return explain_here(gate, view, now)

    def subscribe(self) -> EventStream[Transition]:
        """Transitions from now on, and losses of the owner, for `for` and `async for`; close it when it is not read."""
        return self._circuit.subscribe()

    def _view(self) -> tuple[BreakerView, bool]:
        circuit = self._circuit
        circuit.flush()
        try:
            return circuit.link.view(self.name).result(VIEW_WAIT_S), True
        except Exception:  # noqa: BLE001 - whatever keeps the owner from answering, there are numbers of our own
            with circuit.held() as (gate, now):
                return view_here(gate, now, circuit.cause), False

    # -- control ----------------------------------------------------------------------------------------------------

    def reset(self, *, reason: str, who: str | None = None) -> None:
        """Close it, whatever it was, and forget what calls said.

        Args:
            reason: Why, in a line; it is on record, beside who asked.
            who: Who asks; None: this user, host and process.

        Raises:
            ConfigError: One of them is no line of text; nothing was done.
            BreakerUnreachableError: The owner did not answer, so that it may or may not happen.
        """
        self._control("reset", reason, who)

    def force_open(self, *, reason: str, who: str | None = None) -> None:
        """Let no call through, in the whole cluster, until `enable` or `reset`. See `reset` for the rest."""
        self._control("force_open", reason, who)

    def disable(self, *, reason: str, who: str | None = None) -> None:
        """Let all calls through and count none, until `enable` or `reset`. See `reset` for the rest."""
        self._control("disable", reason, who)

    def shadow(self, *, reason: str, who: str | None = None) -> None:
        """Let all calls through and count all, until `enable` or `reset`. See `reset` for the rest."""
        self._control("shadow", reason, who)

    def enable(self, *, reason: str, who: str | None = None) -> None:
        """Take back `force_open`, `disable` or `shadow`: it is closed then. See `reset` for the rest."""
        self._control("enable", reason, who)

    def configure(
        self, settings: BreakerSettings | None = None, *, reason: str, who: str | None = None, **changes: Any
    ) -> None:
        """Give it other settings, in the whole cluster.

        Args:
            settings: The new ones; None: those in force.
            reason: Why; it is on record, beside who asked.
            who: Who asks; None: this user, host and process.
            changes: Fields that are to be different.

        Raises:
            ConfigError: The result contradicts itself, a field is unknown, none was given, or `reason` or `who` is no
                line of text.
            BreakerUnreachableError: The owner did not answer, so that it may or may not happen.
        """
        by = _asker("configure", who, reason)
        if settings is None:
            check_changes(changes)
        check_kind(self.name, settings)
        wanted = changed(self.settings if settings is None else settings, **changes)
        self._ask("configure", m.ConfigureRequested(settings=wanted, who=by, reason=reason))

    def _control(self, action: m.Action, reason: str, who: str | None) -> None:
        self._ask(action, m.ControlRequested(action=action, who=_asker(action, who, reason), reason=reason))

    def _ask(self, what: str, event: m.ControlRequested | m.ConfigureRequested) -> None:
        self._circuit.flush()
        done: Future[None] = self._circuit.link.control(self.name, event)
        try:
            done.result(CONTROL_WAIT_S)
        except FutureTimeoutError:
            reason = f"no answer within {CONTROL_WAIT_S:g} s"
            raise BreakerUnreachableError(self.name, what=what, reason=reason) from None
        self._circuit.look()


def local_breaker(name: str, settings: BreakerSettings | None = None) -> BreakerHandle:
    """The breaker of this name in this process alone: no cluster, no Ray, no supervisor.

    Args:
        name: What it guards, as "payments".
        settings: When it opens and how it recovers; those of the first definition of the name stand.

    Raises:
        ConfigError: That is no name.
        TooManyBreakersError: This process has too many.
    """
    return BreakerHandle(REGISTRY.local(name, settings))


def linked_breaker(link: OwnerLink, name: str, settings: BreakerSettings | None = None) -> BreakerHandle:
    """The breaker of this name at the end of `link`; otherwise as `local_breaker`."""
    return BreakerHandle(REGISTRY.circuit(link, name, settings))


def _arrived(
    supervisor: str, name: str, recipe: Callable[[], OwnerLink], fallback: Callable[..., Any] | None
) -> BreakerHandle:
    return BreakerHandle(REGISTRY.arrived(supervisor, name, recipe), fallback)


def _asker(action: str, given: str | None, reason: str) -> str:
    by = who() if given is None else given
    checked_words(action, who=by, reason=reason)
    return by
