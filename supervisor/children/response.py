"""What a call of a child's method returns: its answer, when it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from supervisor.answer import AnswerFuture

if TYPE_CHECKING:
    from supervisor.children.call import Call

T = TypeVar("T")


class CallOwner(Protocol):
    """Who made a call, and can take it back."""

    key: str

    def cancel(self, call: Call) -> None:
        """The caller wants no answer any more."""
        ...


class ChildResponse(AnswerFuture[T]):
    """The answer of a child: ask it for `.result(timeout=...)`, or await it.

    A timeout of `result` leaves the call running; `cancel` drops its answer, and the call if that was not sent yet.
    """

    def __init__(self, owner: CallOwner, call: Call) -> None:
        super().__init__()
        self._owner = owner
        self._call = call

    @property
    def key(self) -> str:
        """The key of the child or pool that was called."""
        return self._owner.key

    @property
    def method(self) -> str:
        return self._call.method

    @property
    def attempts(self) -> int:
        """Attempts used so far, the present one included; final when the response is done."""
        return self._call.attempts + 1

    def _was_cancelled(self) -> None:
        self._owner.cancel(self._call)

    def __reduce__(self) -> Any:
        raise TypeError(f"the response of {self.key}.{self.method}() stays where the call was made: pass its result on")
