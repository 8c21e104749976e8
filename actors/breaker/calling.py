"""The functions that a call goes through, made for one circuit. The hot path: each line of it costs every call.

A closed call compares one word, runs the user's function, and counts its success in one C call. It takes no lock, reads
no clock, and makes no object (an empty `**kwargs` handed on would be a second dict; see `tailoring` for what decorated
functions are spared). All else (errors, measured calls, probes, refusals) goes through `passage`.

What the user's function raises comes through as it is; only CircuitOpenError is ever added, and a TypeError for what
could not have worked: a coroutine or generator function handed to `call` would otherwise be guarded by nobody.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial, wraps
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

from actors.breaker.errors import CircuitOpenError, refusal
from actors.breaker.passage import Passage, aenter, enter, fail, turn_away
from actors.breaker.tailoring import tailor
from actors.runtime.settings import shown

if TYPE_CHECKING:
    from actors.breaker.circuit import Circuit

AnyCall = Callable[..., Any]

_COROUTINES: frozenset[type] = frozenset((CoroutineType,))
_UNSEEN = _COROUTINES | {GeneratorType, AsyncGeneratorType, asyncio.Task, asyncio.Future}
"""What `call` cannot guard: what runs of these runs after it."""


def make_call(circuit: Circuit, fallback: AnyCall | None) -> AnyCall:
    """`call(fn, *args, **kwargs)` of this circuit; `fallback` is called in place of a call that is refused."""

    def call(fn: AnyCall, /, *args: Any, **kwargs: Any) -> Any:
        lane, word = circuit.lane, circuit.place[0]
        if word != lane.word:
            if word == lane.shut and fallback is None:
                turn_away(circuit, lane)
            return _call_slowly(circuit, fallback, fn, args, kwargs, _UNSEEN)
        try:
            result = fn(*args, **kwargs) if kwargs else fn(*args)
        except BaseException as error:
            if callable(fn):  # else it is the caller's mistake, and says nothing
                fail(circuit, lane, error)
            raise
        if type(result) in _UNSEEN:
            _refuse(fn, result)
        lane.hit()
        return result

    return call


def make_acall(circuit: Circuit, fallback: AnyCall | None) -> Callable[..., Awaitable[Any]]:
    """`await acall(fn, *args, **kwargs)` of this circuit; `fn` returns something to await."""

    async def acall(fn: AnyCall, /, *args: Any, **kwargs: Any) -> Any:
        lane, word = circuit.lane, circuit.place[0]
        if word != lane.word:
            if word == lane.shut and fallback is None:
                turn_away(circuit, lane)
            return await _acall_slowly(circuit, fallback, fn, args, kwargs)
        answer: Any = fn
        try:
            answer = fn(*args, **kwargs) if kwargs else fn(*args)
            result = await answer
        except BaseException as error:
            _refuse_plain(fn, answer, error)
            if callable(fn):
                fail(circuit, lane, error)
            raise
        lane.hit()
        return result

    return acall


def guard(circuit: Circuit, fallback: AnyCall | None, fn: Any) -> Any:
    """`fn` through the breaker: a function, a coroutine function, or a generator function of either kind.

    Raises:
        TypeError: It is none of them.
    """
    if isinstance(fn, staticmethod | classmethod):
        raise TypeError(f"put the breaker below @{type(fn).__name__}, directly above the function")
    if isinstance(fn, type) or not callable(fn):
        raise TypeError(f"a breaker guards functions and methods, not {fn!r}; decorate what it calls")
    called = _called(fn)
    if inspect.isasyncgenfunction(called):
        return _guard_async_generator(circuit, fallback, fn)
    if inspect.isgeneratorfunction(called):
        return _guard_generator(circuit, fallback, fn)
    if inspect.iscoroutinefunction(called):
        return _guard_coroutine(circuit, fallback, fn)
    return _guard_function(circuit, fallback, fn)


def _called(fn: Any) -> Any:
    """What runs when `fn` is called: below partials, and the `__call__` of an object."""
    while isinstance(fn, partial):
        fn = fn.func
    return fn if inspect.isroutine(fn) else type(fn).__call__


def _guard_function(circuit: Circuit, fallback: AnyCall | None, fn: AnyCall) -> AnyCall:
    make = tailor(fn, asynchronous=False)
    if make is not None:
        return wraps(fn)(make(circuit, fallback, fn, _call_slowly, refusal, fail, _refuse_coroutine, CoroutineType))

    @wraps(fn)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        lane, word = circuit.lane, circuit.place[0]
        if word != lane.word:
            if word == lane.shut and fallback is None:
                turn_away(circuit, lane)
            return _call_slowly(circuit, fallback, fn, args, kwargs)
        try:
            result = fn(*args, **kwargs) if kwargs else fn(*args)
        except BaseException as error:
            fail(circuit, lane, error)
            raise
        if type(result) is CoroutineType:
            _refuse_coroutine(fn, result)
        lane.hit()
        return result

    return guarded


def _guard_coroutine(circuit: Circuit, fallback: AnyCall | None, fn: AnyCall) -> AnyCall:
    make = tailor(fn, asynchronous=True)
    if make is not None:
        return wraps(fn)(make(circuit, fallback, fn, _acall_slowly, refusal, fail, _refuse_coroutine, CoroutineType))

    @wraps(fn)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        lane, word = circuit.lane, circuit.place[0]
        if word != lane.word:
            if word == lane.shut and fallback is None:
                turn_away(circuit, lane)
            return await _acall_slowly(circuit, fallback, fn, args, kwargs)
        try:
            result = await (fn(*args, **kwargs) if kwargs else fn(*args))
        except BaseException as error:
            fail(circuit, lane, error)
            raise
        lane.hit()
        return result

    return guarded


def _guard_generator(circuit: Circuit, fallback: AnyCall | None, fn: AnyCall) -> AnyCall:
    """The whole iteration is the call; it enters with the first item that is asked for."""

    @wraps(fn)
    def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        try:
            passage = enter(circuit)
        except CircuitOpenError:
            if fallback is None:
                raise
            return (yield from fallback(*args, **kwargs))
        try:
            result = yield from fn(*args, **kwargs)
        except BaseException as error:
            passage.failed(error)
            raise
        passage.succeeded()
        return result

    return guarded


def _guard_async_generator(circuit: Circuit, fallback: AnyCall | None, fn: AnyCall) -> AnyCall:
    @wraps(fn)
    async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        try:
            passage = await aenter(circuit)
        except CircuitOpenError:
            if fallback is None:
                raise
            async for item in fallback(*args, **kwargs):
                yield item
            return
        source = fn(*args, **kwargs)
        try:
            step = source.__anext__()
            while True:
                item = await step
                try:
                    step = source.asend((yield item))
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by whoever iterates: for the user's generator
                    step = source.athrow(error)
        except StopAsyncIteration:
            passage.succeeded()
        except BaseException as error:
            await _closed(source, error)
            passage.failed(error)
            raise

    return guarded


async def _closed(source: AsyncGenerator[Any, Any], error: BaseException) -> None:
    """Whoever stops iterating ends the user's generator too; one that raised has ended itself."""
    if isinstance(error, GeneratorExit):
        await source.aclose()


def _call_slowly(
    circuit: Circuit,
    fallback: AnyCall | None,
    fn: AnyCall,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    unseen: frozenset[type] = _COROUTINES,
) -> Any:
    try:
        passage = enter(circuit)
    except CircuitOpenError:
        if fallback is None:
            raise
    else:
        return _run(passage, fn, args, kwargs, unseen)
    return fallback(*args, **kwargs)


def _run(passage: Passage, fn: AnyCall, args: tuple[Any, ...], kwargs: dict[str, Any], unseen: frozenset[type]) -> Any:
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:
        _failed(passage, fn, error)
        raise
    if type(result) in unseen:
        passage.cancelled()
        _refuse(fn, result)
    passage.succeeded(result)
    return result


async def _acall_slowly(
    circuit: Circuit, fallback: AnyCall | None, fn: AnyCall, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    try:
        passage = await aenter(circuit)
    except CircuitOpenError:
        if fallback is None:
            raise
    else:
        return await _arun(passage, fn, args, kwargs)
    answer = fallback(*args, **kwargs)
    return await answer if inspect.isawaitable(answer) else answer


async def _arun(passage: Passage, fn: AnyCall, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answer: Any = fn
    try:
        answer = fn(*args, **kwargs)
        result = await answer
    except BaseException as error:
        _refuse_plain(fn, answer, error, passage)
        _failed(passage, fn, error)
        raise
    passage.succeeded(result)
    return result


def _failed(passage: Passage, fn: AnyCall, error: BaseException) -> None:
    """What cannot be called has not been called: its caller's mistake."""
    if callable(fn):
        passage.failed(error)
    else:
        passage.cancelled()


def _refuse_plain(fn: AnyCall, answer: Any, error: BaseException, passage: Passage | None = None) -> None:
    """`acall` was given a function that has run by now, and returned nothing to await: its caller's mistake."""
    if type(error) is TypeError and answer is not fn and not inspect.isawaitable(answer):
        if passage is not None:
            passage.cancelled()
        raise TypeError(f"{fn!r} returned {shown(answer)}, which cannot be awaited; use `breaker.call(...)`") from None


def _refuse_coroutine(fn: AnyCall, coroutine: Any) -> None:
    coroutine.close()
    raise TypeError(f"{fn!r} returned a coroutine, which the breaker would not see end; use `await breaker.acall(...)`")


def _refuse(fn: AnyCall, result: Any) -> None:
    """A result that `call` has seen nothing of yet; it is ended."""
    if type(result) is CoroutineType:
        _refuse_coroutine(fn, result)
    if isinstance(result, asyncio.Future):
        result.cancel()
        raise TypeError(f"{fn!r} returned a task, which the breaker would not see end; use `await breaker.acall(...)`")
    if isinstance(result, GeneratorType):
        result.close()
    raise TypeError(
        f"{fn!r} returned a generator, which the breaker would not see run; put `@breaker` above its function, "
        "then the whole iteration is the call"
    )
