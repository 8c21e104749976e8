"""Ways to hand tasks in: with options, as a map, as an executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from supervisor.tasks.future import TaskFuture

if TYPE_CHECKING:
    from supervisor.handle import Supervisor
    from supervisor.tasks.policy import Policy

T = TypeVar("T")

MAP_AHEAD = 10_000
"""Tasks of one `map` that may be under way before their results are taken."""


class Submitter:
    """`submit` and `map` with options; what `Supervisor.options` returns. Cheap: make one and keep it, or not."""

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        policy: Policy,
        key: str | None,
        name: str | None,
        pool: str,
        on_full: Literal["raise", "wait"] | None,
    ) -> None:
        self._supervisor = supervisor
        self._policy = policy
        self._key = key
        self._name = name
        self._pool = pool
        self._on_full: Literal["raise", "wait"] | None = on_full

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> TaskFuture[T]:
        """Like `Supervisor.submit`, with these options."""
        return self._supervisor.submit_with(
            fn,
            args,
            kwargs,
            policy=self._policy,
            key=self._key,
            name=self._name,
            pool=self._pool,
            on_full=self._on_full,
        )

    def map(self, fn: Callable[..., T], /, *iterables: Iterable[Any]) -> Iterator[T]:
        """Like `Supervisor.map`, with these options; a key is extended by each call's number."""
        return self._map(fn, zip(*iterables, strict=False))

    def _map(self, fn: Callable[..., T], calls: Iterator[tuple[Any, ...]]) -> Iterator[T]:
        under_way: deque[TaskFuture[T]] = deque()
        try:
            for number, args in enumerate(calls):
                key = None if self._key is None else f"{self._key}-{number}"
                under_way.append(
                    self._supervisor.submit_with(
                        fn, args, {}, policy=self._policy, key=key, name=self._name, pool=self._pool, on_full="wait"
                    )
                )
                if len(under_way) >= MAP_AHEAD:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


class SupervisorExecutor(Executor):
    """A `concurrent.futures.Executor` whose tasks survive: for code that takes any executor."""

    def __init__(self, submitter: Submitter) -> None:
        self._submitter = submitter
        self._open: set[TaskFuture[Any]] = set()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> TaskFuture[T]:
        """Hand a task in.

        Raises:
            RuntimeError: After `shutdown`, as every executor does.
        """
        if self._closed:
            message = "cannot schedule new futures after shutdown"
            raise RuntimeError(message)
        future = self._submitter.submit(fn, *args, **kwargs)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - its base's signature
        """Take no more tasks; the supervisor itself goes on."""
        self._closed = True
        futures = list(self._open)
        if cancel_futures:
            for future in futures:
                future.cancel()
        if wait:
            for future in futures:
                if not future.cancelled():
                    future.exception()
