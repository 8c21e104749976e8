"""`ChildHandle` and `PoolHandle`: what users call a child, or any member of a pool, through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from actors.runtime.arriving import Arriving
from supervisor.breakers.guarding import breaker_of, guarded, guarded_stream
from supervisor.children.settings import CallOptions

if TYPE_CHECKING:
    from actors.recovery.retry import Retry
    from supervisor.children.interface import ChildInterface

_DEFAULTS = CallOptions()


class Callee(Protocol):
    """What stands behind a handle: the calls of this process to one child or pool."""

    key: str
    supervisor: str
    interface: ChildInterface

    def call(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, retry: Retry, options: CallOptions
    ) -> Any:
        """Make a call; see `ChildMethod.remote`."""
        ...


class ChildMethod:
    """A method of a child: `child.add.remote(1)`, or `child.add.options(timeout_s=2).remote(1)`."""

    __slots__ = ("_callee", "_name", "_options")

    def __init__(self, callee: Callee, name: str, options: CallOptions) -> None:
        self._callee = callee
        self._name = name
        self._options = options

    def remote(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the method; it survives the death of the child's process.

        Returns: A `ChildResponse`, at once; of a generator method a `ChildStream`.
        Raises:
            CallPayloadError: An argument does not pickle.
            CallQueueFullError: Too many calls to this child are unanswered.
            SupervisorClosedError: The handle's supervisor was shut down.
            CircuitOpenError: The method's breaker does not let the call through; it was not made.
        """
        make = partial(self._callee.call, self._name, args, kwargs, retry=self._retry(), options=self._options)
        interface = self._callee.interface
        breaker = interface.breaker if self._options.breaker is None else self._options.breaker
        if breaker is None:
            return make()
        through = guarded_stream if interface.kind(self._name) == "stream" else guarded
        return through(breaker_of(self._callee.supervisor, breaker), make)

    def _retry(self) -> Retry:
        """What is not said here the spec says, which may be changed while this is held."""
        said = self._options
        retry = self._callee.interface.retry_of(self._name) if said.retry is None else said.retry
        return retry if said.unknown in (None, retry.unknown) else retry.model_copy(update={"unknown": said.unknown})

    def options(self, **options: Any) -> ChildMethod:
        """The same method with other limits.

        Args:
            **options: `retry`, a `Retry`; `timeout_s`, seconds from the call to its answer; `unknown`, "retry" or
                "never"; `breaker`, the name of one that a call passes; `resume`, whether a broken stream may run again.
                See `CallOptions`.

        Raises:
            ConfigError: An option is unknown or wrong; all of them are named.
        """
        given = {name: getattr(self._options, name) for name in self._options.model_fields_set} | options
        chosen = CallOptions.parse(given, source=f"{self._callee.key}: {self._name}.options(...)")
        return ChildMethod(self._callee, self._name, chosen)

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"call it by {self._name}.remote(...): {self._callee.key} lives in another process")

    def __repr__(self) -> str:
        return f"<method {self._name} of {self._callee.key}>"


class _Called(Arriving):
    """What both kinds of handles are: somebody stands behind them, and methods are made of names."""

    def __init__(self, callee: Callee) -> None:
        self._callee = callee
        self._at = (callee.supervisor, callee.key)

    def __getattr__(self, name: str) -> Any:
        if not self._is_here and not name.startswith("__"):
            self._arrive()
            return getattr(self, name)
        if name in self.__dict__:  # by now: another thread has found the way, or made this method
            return self.__dict__[name]
        if name.startswith("__"):  # what Python and its pickles look for is not the child's business
            raise AttributeError(name)
        method = _method(self._callee, name)
        self.__dict__[name] = method
        return method

    def __dir__(self) -> list[str]:
        return sorted(self._callee.interface.methods)


class ChildHandle(_Called):
    """A supervised child: `child.method.remote(...)`.

    Its methods are those of the user's class, and nothing else is public. Calls through handles of one process start in
    the order made, also when the child is replaced meanwhile. A handle can be passed to tasks and to other children.
    """

    def __repr__(self) -> str:
        supervisor, key = self._at
        known_as = f", a {self._callee.interface.class_name}" if self._is_here else ""
        return f"<{key} of supervisor {supervisor!r}{known_as}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChildHandle) and self._at == other._at

    def __hash__(self) -> int:
        return hash(self._at)

    def _travel(self) -> tuple[Callable[[], ChildHandle], Mapping[str, Any]]:
        return partial(connect_child, *self._at), {"_at": self._at}


class PoolHandle(_Called):
    """A pool of children: `pool.method.remote(...)` goes to the member with the fewest calls.

    Calls of a pool have no order. When a member is lost, what it has not answered goes to another.
    """

    def __init__(self, callee: Callee, members: Callable[[], Mapping[str, ChildHandle]]) -> None:
        super().__init__(callee)
        self._members = members

    def all_members(self) -> Mapping[str, ChildHandle]:
        """The members that serve now, by key: each by a handle of its own. A method of this name is hidden by it."""
        return self._members()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), "all_members"})

    def __repr__(self) -> str:
        supervisor, pool = self._at
        return f"<pool {pool} of supervisor {supervisor!r}>"

    def _travel(self) -> tuple[Callable[[], PoolHandle], Mapping[str, Any]]:
        return partial(connect_pool, *self._at), {"_at": self._at}


def connect_child(supervisor: str, key: str) -> ChildHandle:
    """The handle of a child in this process, from its supervisor's name and its key."""
    from supervisor.handle import Supervisor  # noqa: PLC0415 - that module makes these handles

    connected: Any = Supervisor.connect(supervisor)
    return connected.child(key)


def connect_pool(supervisor: str, pool: str) -> PoolHandle:
    """The handle of a pool in this process, from its supervisor's name and its own."""
    from supervisor.handle import Supervisor  # noqa: PLC0415 - as above

    connected: Any = Supervisor.connect(supervisor)
    return connected.pool_of(pool)


def _method(callee: Callee, name: str) -> ChildMethod:
    callee.interface.kind(name)
    return ChildMethod(callee, name, _DEFAULTS)
