"""The calls of this process to one child or pool: the machine under a lock, with Ray on its other side.

What the machine commands is carried out after the lock is released, so that neither Ray nor a user's callback runs
under it. Sends go out in the machine's order, one thread at a time. Answers arrive on the thread that waits for them,
or else on Ray's own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import InvalidStateError
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ray.exceptions import ActorDiedError, ObjectRefStreamEndOfStreamError, RayError, RayTaskError

from actors.child.protocol import pack_call, unpack_answer
from actors.runtime.errors import StaleIncarnationError, SupervisorClosedError
from actors.runtime.replies import Awaited, was_out_of_reach, when_answered
from actors.runtime.wire import dumps, loads
from supervisor.children import call as do
from supervisor.children.call import Call, Command, Sent
from supervisor.children.errors import CallPayloadError, CallQueueFullError
from supervisor.children.outbox import Outbox
from supervisor.children.response import ChildResponse
from supervisor.children.stream import ChildStream
from supervisor.tasks.resolving import decode_error, text_of

if TYPE_CHECKING:
    from actors.recovery.retry import Retry
    from actors.runtime.clock import Clock
    from supervisor.children.interface import ChildInterface
    from supervisor.children.settings import CallOptions, CallSettings
    from supervisor.children.ticker import Ticker


class Machine(Protocol):
    """A `CallMachine` or a `PoolMachine`; what each event means stands there."""

    @property
    def unfinished(self) -> int: ...
    @property
    def busy(self) -> bool: ...
    def next_timer(self) -> float | None: ...
    def remade(self, *, replayable: bool, concurrency: int) -> None: ...
    def made(self, call: Call, now: float) -> list[Command]: ...
    def given_up(self, call: Call, error: BaseException | None = None) -> list[Command]: ...
    def broke(self, call: Call, now: float) -> list[Command]: ...
    def answered(self, sent: Sent, kind: str, payload: bytes, refs: Sequence[Any], now: float) -> list[Command]: ...
    def failed(self, sent: Sent, error: BaseException, now: float) -> list[Command]: ...
    def unavailable(self, sent: Sent, now: float) -> list[Command]: ...
    def lost(self, sent: Sent, now: float) -> list[Command]: ...
    def routed(self, key: str, incarnation: int, host: str | None, now: float) -> list[Command]: ...
    def died(self, key: str, incarnation: int, now: float) -> list[Command]: ...
    def gone(self, key: str, error: BaseException, now: float, *, patient: bool = False) -> list[Command]: ...
    def back(self, now: float) -> list[Command]: ...
    def abandon(self, error: BaseException, now: float) -> list[Command]: ...
    def timer(self, now: float) -> list[Command]: ...


class ActorAccess(Protocol):
    """What callers need of the cluster."""

    def handle(self, host: str) -> Any:
        """The Ray actor handle of a hosting actor, or None."""
        ...


class Calls:
    """This process's calls to one child or pool. Safe to use from many threads.

    Args:
        supervisor: The supervisor's name.
        interface: What is known of the class.
        machine: Decides where calls go; its key is the child's or the pool's.
        actors: The way to the hosting actors.
        ticker: Ticks while something is unanswered.
        clock: Monotonic seconds.
        settings: The bounds.
        on_behind: Called with the key when another interface is announced than the one that is known.
    """

    def __init__(  # noqa: PLR0913 - the ports it stands on
        self,
        supervisor: str,
        interface: ChildInterface,
        machine: Any,
        *,
        actors: ActorAccess,
        ticker: Ticker,
        clock: Clock,
        settings: CallSettings,
        on_behind: Callable[[str], None] = lambda _key: None,
    ) -> None:
        self.supervisor = supervisor
        self.interface = interface
        self.key: str = machine.key
        self._machine: Machine = machine
        self._actors = actors
        self._ticker = ticker
        self._clock = clock
        self._limit = settings.queue_limit
        self._on_behind = on_behind
        self._announced = ""
        self._outdated = False
        self._lock = threading.Lock()
        self._sends: Outbox[do.SendCall] = Outbox(self._send)
        self._unheard: deque[Awaited] = deque()
        self._closed = False

    # -- the caller's side ------------------------------------------------------------------------------------------

    def take(self, interface: ChildInterface) -> None:
        """Call by this interface from now on: the child may have been made anew, or changed, by another spec."""
        with self._lock:
            self.interface = interface
            self._obey()

    @property
    def is_behind(self) -> bool:
        """Whether another interface is announced than the one that is known."""
        return self._announced not in ("", self.interface.digest)

    def called(self, interface: str, *, outdated: bool) -> None:
        """See `Routed.called`."""
        with self._lock:
            self._announced, self._outdated = interface, outdated
            self._obey()
        if self.is_behind:
            self._on_behind(self.key)

    def _obey(self) -> None:
        """What is lost may be sent again if what serves replicates its answers for sure, and not if it only may."""
        known = self.interface
        replayable = known.each_call and not self._outdated and not self.is_behind
        self._machine.remade(replayable=replayable, concurrency=known.concurrency)

    def call(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, retry: Retry, options: CallOptions
    ) -> ChildResponse[Any] | ChildStream[Any]:
        """Make a call; see `ChildMethod.remote`."""
        try:
            payload, refs = dumps((args, kwargs))
        except Exception as error:
            raise CallPayloadError(self.key, method=method, what="arguments", reason=text_of(error)) from error
        streaming = self.interface.kind(method) == "stream"
        call = Call(method, payload, refs, retry, options.timeout_s, streaming, options.resume)
        response = call.response = (ChildStream if streaming else ChildResponse)(self, call)
        with self._lock:
            if self._closed:
                raise SupervisorClosedError(self.supervisor)
            if self._machine.unfinished >= self._limit:
                raise CallQueueFullError(self.key, limit=self._limit)
            commands = self._machine.made(call, self._clock.now())
            rest = self._sort(commands)
        self._ticker.wake(self)
        self._listen()
        _MAKING.call = call
        self._sends.work()
        _MAKING.call = None
        if rest:
            self._carry_out(rest)
        return response

    def cancel(self, call: Call) -> None:
        """The caller wants no answer any more."""
        self._event(lambda _: self._machine.given_up(call))

    def broke(self, call: Call) -> None:
        """A stream broke off."""
        self._event(partial(self._machine.broke, call))

    def load(self, call: Call, payload: bytes, refs: Any) -> Any:
        """A value from its bytes.

        Raises:
            CallPayloadError: It does not load here.
        """
        try:
            return loads(payload, refs)
        except BaseException as error:
            raise CallPayloadError(self.key, method=call.method, what="result", reason=text_of(error)) from error

    def raised(self, payload: bytes) -> BaseException:
        """The exception that ended a stream."""
        return decode_error(payload)

    def _listen(self) -> None:
        """Whoever calls again does not wait for the last one: its answer is told by a callback then."""
        while self._unheard:
            try:
                self._unheard.popleft().listen()
            except IndexError:  # another thread took it
                return

    # -- news -------------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether something is on its way, or waits."""
        return self._machine.busy

    def tick(self) -> None:
        """Serve the timers that are due."""
        self._listen()
        due = self._machine.next_timer()
        if due is not None and due <= self._clock.now():
            self._event(self._machine.timer)

    def routed(self, key: str, incarnation: int, host: str | None) -> None:
        """See `CallMachine.routed`."""
        self._event(partial(self._machine.routed, key, incarnation, host))

    def died(self, key: str, incarnation: int) -> None:
        """See `CallMachine.died`."""
        self._event(partial(self._machine.died, key, incarnation))

    def gone(self, key: str, error: BaseException, *, patient: bool = False) -> None:
        """See `CallMachine.gone`."""
        self._event(partial(self._machine.gone, key, error, patient=patient))

    def back(self) -> None:
        """See `CallMachine.back`."""
        self._event(self._machine.back)

    def close(self) -> None:
        """Make no more calls; those that are not answered get `SupervisorClosedError`."""
        with self._lock:
            self._closed = True
        self._event(partial(self._machine.abandon, SupervisorClosedError(self.supervisor)))

    def _event(self, tell: Callable[[float], list[Command]]) -> None:
        with self._lock:
            rest = self._sort(tell(self._clock.now()))
        self._sends.work()
        self._carry_out(rest)

    # -- commands ---------------------------------------------------------------------------------------------------

    def _sort(self, commands: list[Command]) -> list[Command]:
        """Line the sends up, in order, under the lock; the rest has none."""
        self._sends.put(command for command in commands if isinstance(command, do.SendCall))
        return [command for command in commands if not isinstance(command, do.SendCall)]

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case do.ResolveCall(call=call):
                    self._resolve(call, command.payload, command.refs)
                case do.FailCall(call=call, error=error):
                    _fail(call, error)
                case _:
                    self._ticker.hurry()

    def _send(self, command: do.SendCall) -> None:
        call, sent = command.call, command.sent
        handle = self._actors.handle(command.host)
        try:
            if call.streaming:
                ref = handle.stream.remote(sent.key, command.header, call.payload, call.refs)
            elif call.refs:
                ref = handle.call.remote(sent.key, command.header, call.payload, call.refs)
            else:
                ref = handle.call_packed.remote(pack_call(sent.key, command.header, call.payload))
        except (RayError, ValueError, AttributeError) as error:
            self._on_answer(sent, error)
            return
        if call.streaming:
            first = ref._get_next_ref_n(1)[0]  # noqa: SLF001 - there is no public way to be told of the first item
            when_answered(first, partial(self._on_first, sent, ref))
            return
        on_answer = partial(self._on_answer, sent)
        if call is _MAKING.call:
            awaited = call.response.answer = Awaited(ref, on_answer)
            self._unheard.append(awaited)
        else:
            when_answered(ref, on_answer)

    def _on_answer(self, sent: Sent, answer: Any) -> None:
        if isinstance(answer, bytes | tuple):
            kind, payload, *refs = unpack_answer(answer)
            self._event(partial(self._machine.answered, sent, kind, payload, refs[0] if refs else ()))
        else:
            self._event(partial(self._failure(answer), sent))

    def _failure(self, error: BaseException) -> Callable[[Sent, float], list[Command]]:
        """What an exception instead of an answer means."""
        machine = self._machine
        if isinstance(error, RayTaskError) and not was_out_of_reach(error):  # the hosting actor's, not the user's code
            cause = getattr(error, "cause", None) or error
            if isinstance(cause, StaleIncarnationError):
                return lambda sent, now: machine.answered(sent, "stale", b"", (), now)
            return lambda sent, now: machine.failed(sent, cause, now)
        return machine.lost if isinstance(error, ActorDiedError) else machine.unavailable

    def _on_first(self, sent: Sent, source: Any, answer: Any) -> None:
        """The first item of a stream is there, or its end: the caller takes it from the source."""
        if isinstance(answer, ObjectRefStreamEndOfStreamError) or _kind(answer) == "ok":
            self._event(partial(self._machine.answered, sent, "ok", b"", (source,)))
        else:
            self._on_answer(sent, answer)

    def _resolve(self, call: Call, payload: bytes, refs: Sequence[Any]) -> None:
        try:
            if call.streaming:
                call.response.begun(refs[0])
            else:
                call.response.set_result(self.load(call, payload, refs))
        except CallPayloadError as error:
            _fail(call, error)
        except InvalidStateError:
            pass  # it was cancelled just now


def _fail(call: Call, error: BaseException) -> None:
    try:
        if call.streaming:
            call.response.failed(error)
        else:
            call.response.set_exception(error)
    except InvalidStateError:
        pass  # it was cancelled just now


def _kind(answer: Any) -> Any:
    return answer[0] if isinstance(answer, tuple) else None


class _Making(threading.local):
    """The call that this thread is making: it may come to wait for the answer at once."""

    call: Call | None = None


_MAKING = _Making()
