"""A permit for hand-made use: what `try_acquire` gives, to be ended once by whoever knows what became of the call."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from actors.breaker.passage import UNKNOWN

if TYPE_CHECKING:
    from actors.breaker.passage import Passage


class Permit:
    """Leave for one call. End it by `success`, `failure` or `cancel`, from any thread; the first of them counts.

    As a context manager it ends by how the block ends. A probe's permit that is not ended goes back by its lease,
    `permit_lease_s` after it was asked for.
    """

    __slots__ = ("_open", "_passage")

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._open = [True]

    @property
    def is_probe(self) -> bool:
        """Whether the breaker is half-open, and this call one of the few that decide whether it closes."""
        return self._passage.probe is not None

    def success(self, result: object = UNKNOWN) -> None:
        """The call succeeded, unless the settings' `failed_result` says of `result` otherwise."""
        if self._end():
            self._passage.succeeded(result)

    def failure(self, error: BaseException | str = "failed, said its caller") -> None:
        """The call failed: by an exception, which the settings' `ignore` and `count` judge, or as a text tells."""
        if self._end():
            self._passage.failed(error)

    def cancel(self) -> None:
        """The call was not made, or says nothing."""
        if self._end():
            self._passage.cancelled()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.success()
        else:
            self.failure(error)

    def _end(self) -> bool:
        """Whether it was open until now; a list's pop happens once, whichever threads try."""
        try:
            return self._open.pop()
        except IndexError:
            return False
