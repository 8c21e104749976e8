"""What a call of a generator method returns: its items, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from actors.runtime.replies import was_out_of_reach
from actors.worker.slot import waiting_for_others
from supervisor.answer import AnswerFuture
from supervisor.children.errors import ChildExitedError
from supervisor.children.response import CallOwner

if TYPE_CHECKING:
    from actors.breaker.permit import Permit
    from supervisor.children.call import Call

T = TypeVar("T")


class StreamOwner(CallOwner, Protocol):
    """Who made the call of a stream."""

    def broke(self, call: Call) -> None:
        """The stream broke off: it runs again, or `call.response` is told why not."""
        ...

    def load(self, call: Call, payload: bytes, refs: Any) -> Any:
        """An item from its bytes."""
        ...

    def raised(self, payload: bytes) -> BaseException:
        """The exception that ended a stream."""
        ...


class ChildStream(Generic[T]):
    """The items of a generator method; iterate over it with `for` or with `async for`, once.

    When the child is lost before the caller has the first item, the stream begins anew at the next incarnation. Later
    it breaks off with `OutcomeUnknownError`, unless `options(resume=True)` allows to run it again and to pass over the
    items that were delivered: right for generators that give the same items again.

    Whoever stops early should `close()` it, or use it in a `with`: that ends the generator at its next item.

    Behind a circuit breaker the whole iteration is the call: its end is a success, what it raises is judged by the
    breaker's settings, and one that is closed says nothing.
    """

    def __init__(self, owner: StreamOwner, call: Call) -> None:
        self._owner = owner
        self._call = call
        self._source: AnswerFuture[Any] = _Begun(owner, call)
        self._position = 0
        self._ended = False
        self._permit: Permit | None = None

    @property
    def delivered(self) -> int:
        """Items given out so far."""
        return self._call.delivered

    # -- the caller's side ------------------------------------------------------------------------------------------

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while not self._ended:
            try:
                source = self._source.result()
                with waiting_for_others():
                    answer = _answer_of(next(source))
            except StopIteration:
                break
            except BaseException as error:
                self._end(error)
                raise
            item = self._take(answer)
            if item:
                return item[0]
        self._end()
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._ended:
            try:
                source = await self._source
                with waiting_for_others():
                    ref = await source.__anext__()
                    answer = await _awaited_answer_of(ref)
            except StopAsyncIteration:
                break
            except BaseException as error:
                self._end(error)
                raise
            item = self._take(answer)
            if item:
                return item[0]
        self._end()
        raise StopAsyncIteration

    def close(self) -> None:
        """Want no more items."""
        if self._ended:
            return
        self._ended = True
        permit, self._permit = self._permit, None
        if permit is not None:
            permit.cancel()
        if self._source.cancel():  # it has not begun
            return
        self._owner.cancel(self._call)
        if self._source.exception() is None:
            ray.cancel(self._source.result())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"the stream of {self._owner.key}.{self._call.method}() stays where the call was made")

    # -- inside -----------------------------------------------------------------------------------------------------

    def _take(self, answer: Any) -> tuple[T] | None:
        """The item in an answer, unless it was delivered before, or is none."""
        if isinstance(answer, RayTaskError) and not was_out_of_reach(answer):
            raise self._ended_by(answer.cause if answer.cause is not None else answer)
        kind, payload, *refs = ("lost", b"") if isinstance(answer, RayError) else answer
        if kind == "ok":
            self._position += 1
            if self._position <= self._call.delivered:
                return None
            self._call.delivered += 1
            return (self._owner.load(self._call, payload, refs[0] if refs else ()),)
        if kind == "error":
            raise self._ended_by(self._owner.raised(payload))
        if kind == "exited":
            error = ChildExitedError(self._owner.key, method=self._call.method, exit_class=payload.decode())
            raise self._ended_by(error)
        self._position = 0
        self._source = _Begun(self._owner, self._call)
        self._owner.broke(self._call)
        return None

    def _ended_by(self, error: BaseException) -> BaseException:
        """It has ended with this, which is to be raised."""
        self._end(error)
        return error

    def _end(self, error: BaseException | None = None) -> None:
        """It has ended, by an error or as it should; its breaker is told."""
        self._ended = True
        permit, self._permit = self._permit, None
        if permit is not None and error is None:
            permit.success()
        elif permit is not None and error is not None:
            permit.failure(error)

    # -- the calling side's hooks -----------------------------------------------------------------------------------

    def tell(self, permit: Permit) -> None:
        """A breaker has let it through, and is to be told how it ends."""
        self._permit = permit

    def begun(self, source: Any) -> None:
        """The child's first answer is there."""
        self._source.set_result(source)

    def failed(self, error: BaseException) -> None:
        """It will not begin, or not begin anew."""
        self._source.set_exception(error)


class _Begun(AnswerFuture[Any]):
    """The child's side of a stream, once it has given its first item."""

    def __init__(self, owner: CallOwner, call: Call) -> None:
        super().__init__()
        self._owner = owner
        self._call = call

    def _was_cancelled(self) -> None:
        self._owner.cancel(self._call)


def _answer_of(ref: Any) -> Any:
    """What a reference holds; an error of Ray's is an answer too."""
    try:
        return ray.get(ref)
    except RayError as error:
        return error


async def _awaited_answer_of(ref: Any) -> Any:
    try:
        return await ref
    except RayError as error:
        return error
