"""A child's actor, its references and its streams without Ray: the test says what is answered, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ray.exceptions import ActorDiedError, GetTimeoutError, ObjectRefStreamEndOfStreamError

from actors.child.protocol import pack_answer, unpack_call
from actors.runtime.wire import dumps, loads


class Ref:
    """A reference to an answer."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self._callbacks: list[Callable[[Any], None]] = []

    def _on_completed(self, callback: Callable[[Any], None]) -> None:
        if self.answer is not None:
            callback(self.answer)
        else:
            self._callbacks.append(callback)

    @property
    def is_listened_to(self) -> bool:
        return bool(self._callbacks)

    def set(self, answer: Any) -> None:
        self.answer = answer
        for callback in self._callbacks:
            callback(answer)
        self._callbacks.clear()

    def __await__(self) -> Any:
        yield from ()
        return get(self)


def get(ref: Any, timeout: float | None = None) -> Any:
    """What `ray.get` does."""
    if ref.answer is None:
        raise GetTimeoutError(str(timeout))
    if isinstance(ref.answer, BaseException):
        raise ref.answer
    return ref.answer


def ok(value: object = None) -> Any:
    return pack_answer(("ok", dumps(value)[0]))


class Arrived:
    """A call as it came to the actor."""

    def __init__(self, key: str, header: Any, payload: bytes, refs: Sequence[Any]) -> None:
        self.key = key
        self.header = header
        self.arguments = loads(payload, refs)
        self.ref = Ref()


class Source:
    """What a streaming call returns: an `ObjectRefGenerator`."""

    def __init__(self, answers: list[Any]) -> None:
        self.refs = [Ref(answer) for answer in answers]
        self.position = 0
        self.cancelled = False

    def _get_next_ref_n(self, number: int) -> list[Ref]:
        assert number == 1
        return [self.refs[0] if self.refs else Ref(ObjectRefStreamEndOfStreamError())]

    def __next__(self) -> Ref:
        if self.position == len(self.refs):
            raise StopIteration
        self.position += 1
        return self.refs[self.position - 1]

    async def __anext__(self) -> Ref:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None


class Method:
    """One remote method of an actor."""

    def __init__(self, do: Callable[..., Any]) -> None:
        self.remote = do


class Actor:
    """A hosting actor. `calls` holds what came; `streams` what streaming calls will give, in turn."""

    def __init__(self, *, broken: bool = False) -> None:
        self.calls: list[Arrived] = []
        self.streams: list[list[Any]] = []
        self.opened: list[Source] = []
        self.described = 0
        self._broken = broken
        self.call_packed = Method(lambda packed: self._arrive(*unpack_call(packed), ()))
        self.call = Method(self._arrive)
        self.stream = Method(self._stream)
        self.describe = Method(self._describe)

    def _arrive(self, key: str, header: Any, payload: bytes, refs: Sequence[Any]) -> Ref:
        if self._broken:
            raise ActorDiedError
        self.calls.append(Arrived(key, header, payload, refs))
        return self.calls[-1].ref

    def _stream(self, key: str, header: Any, payload: bytes, refs: Sequence[Any]) -> Source:
        self.calls.append(Arrived(key, header, payload, refs))
        self.opened.append(Source(self.streams.pop(0)))
        return self.opened[-1]

    def _describe(self) -> None:
        self.described += 1
