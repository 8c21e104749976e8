"""The part of a `Supervisor` handle that is about healing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from supervisor.notifying.handle import NotifierHandle

if TYPE_CHECKING:
    from actors.recovery.strategies import Severity
    from supervisor.healing.healer import Healer
    from supervisor.healing.healing import Call, Healing

T = TypeVar("T")


class HealingHandle(NotifierHandle):
    """See `Supervisor`."""

    def heal(
        self,
        component: str,
        fn: Callable[..., T],
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        failure: str = "unknown",
        severity: Severity = "medium",
    ) -> T:
        """Run `fn` here; if it fails, have its component healed by its plan, and return the recovery's result.

        Where the recovery's steps ran the function or a provider, theirs is the result; else `fn` is run here once more
        when its component is well again. The call waits for as long as that takes: an `Escalate` waits for people, and
        all of it ends `healer.incident_timeout_s` (600 s) after the incident began.

        Args:
            component: What `fn` works with: a child's name, a breaker's, or any name that a plan is for.
            fn: The function. Healers run it on other nodes: it and its arguments must pickle.
            args: Its arguments.
            kwargs: The same by name.
            failure: The class of failure that it would be; plans and what was learned are by it.
            severity: "low", "medium", "high" or "critical".

        Raises:
            RecoveryExhaustedError: Nothing has helped; the function's own error is its cause.
            ConfigError: A name or the severity is none, `fn` cannot be called, or something does not pickle.
        """
        return self._healing().heal(_call(component, fn, args, kwargs, failure, severity))

    async def aheal(
        self,
        component: str,
        fn: Callable[..., Awaitable[T] | T],
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        failure: str = "unknown",
        severity: Severity = "medium",
    ) -> T:
        """`heal` for a coroutine; `fn` may be a coroutine function, and a plain one runs on a thread."""
        return await self._healing().aheal(_call(component, fn, args, kwargs, failure, severity))

    @property
    def healer(self) -> Healer:
        """Plans, incidents, holds, and what was learned."""
        from supervisor.healing.healer import Healer  # noqa: PLC0415 - who heals nothing does not load it
        from supervisor.healing.ports import cluster_healing  # noqa: PLC0415 - the same
        from supervisor.services.keys import HEALER  # noqa: PLC0415 - the same

        return Healer(self.service(HEALER), cluster_healing(self.name).checkpoints, self.name)

    def _healing(self) -> Healing:
        from supervisor.healing.healing import Healing  # noqa: PLC0415 - the same

        return Healing(self.connect_services(), self.config.healer)


def _call(
    component: str,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None,
    failure: str,
    severity: Severity,
) -> Call:
    from supervisor.healing.healing import Call  # noqa: PLC0415 - who heals nothing does not load it

    return Call(
        component=component,
        fn=fn,
        args=args,
        kwargs={} if kwargs is None else kwargs,
        failure=failure,
        severity=severity,
    )
