"""`sup.heal(...)`: the function first, here; then whatever its component's plan says."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from actors.child.hooks import finish
from actors.healer.errors import RecoveryExhaustedError
from actors.healer.messages import TroubleReported
from actors.healer.running import CallPayload
from actors.recovery.strategies import SEVERITIES
from actors.runtime import wire
from actors.runtime.context import CURRENT
from actors.runtime.errors import ConfigError
from actors.runtime.scrub import Scrubber
from actors.service.errors import ServiceUnreachableError
from supervisor.healing.calls import RESIDENT, ProcessCalls
from supervisor.services.keys import HEALER

if TYPE_CHECKING:
    from actors.healer.calls import Answered
    from actors.healer.settings import HealerSettings
    from actors.recovery.strategies import Severity
    from supervisor.services.process import ProcessServices

_SLACK_S = 30.0


class Healing:
    """One handle's.

    Args:
        services: This process's services.
        settings: The bounds.
    """

    def __init__(self, services: ProcessServices, settings: HealerSettings) -> None:
        self._settings = settings
        client = services.client(HEALER)
        self._calls = services.resident(RESIDENT, lambda connections: ProcessCalls(connections, client))

    def heal(
        self,
        component: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        failure: str,
        severity: Severity,
    ) -> Any:
        """See `HealingHandle.heal`."""
        _check(component, severity)
        try:
            value = finish(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever the function raised is what is to be healed
            failed = error
        else:
            self._remember(component, fn, args, kwargs, value)
            return value
        call, future = self._begin(component, fn, args, kwargs, failed, failure, severity)
        try:
            answered = future.result(self._patience_s)
        except FutureTimeoutError:
            self._calls.give_up(call)
            raise self._too_late(component) from failed
        except BaseException:
            self._calls.give_up(call)
            raise
        if answered.answer != "again":
            return _value_of(component, answered, failed)
        try:
            return finish(fn(*args, **kwargs))
        except Exception as error:
            raise _again_failed(component, answered) from error

    async def aheal(
        self,
        component: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        failure: str,
        severity: Severity,
    ) -> Any:
        """See `HealingHandle.aheal`."""
        _check(component, severity)
        try:
            value = await _awaited(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as above
            failed = error
        else:
            self._remember(component, fn, args, kwargs, value)
            return value
        begin = partial(self._begin, component, fn, args, kwargs, failed, failure, severity)
        call, future = await asyncio.to_thread(begin)
        try:
            answered = await asyncio.wait_for(asyncio.wrap_future(future), self._patience_s)
        except TimeoutError:
            self._calls.give_up(call)
            raise self._too_late(component) from failed
        except BaseException:
            self._calls.give_up(call)
            raise
        if answered.answer != "again":
            return _value_of(component, answered, failed)
        try:
            return await _awaited(fn(*args, **kwargs))
        except Exception as error:
            raise _again_failed(component, answered) from error

    @property
    def _patience_s(self) -> float:
        return self._settings.incident_timeout_s + _SLACK_S

    def _too_late(self, component: str) -> RecoveryExhaustedError:
        return RecoveryExhaustedError(component, reason=f"it is not well after {self._patience_s:g} s")

    def _begin(  # noqa: PLR0913, PLR0917 - as `heal`, and the error
        self,
        component: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        failed: Exception,
        failure: str,
        severity: Severity,
    ) -> tuple[str, Future[Answered]]:
        payload = self._payload(component, fn, args, kwargs)
        running = CURRENT.get()
        trouble = TroubleReported(
            component=component,
            failure=failure,
            severity=severity,
            detail=Scrubber().clean(f"{type(failed).__name__}: {failed}"),
            source="call",
            call=uuid4().hex,
            trace_id="" if running is None else f"{running.trace_id:032x}",
        )
        try:
            return trouble.call, self._calls.begin(trouble, payload)
        except ServiceUnreachableError as error:
            raise RecoveryExhaustedError(component, reason=str(error)) from failed

    def _payload(
        self, component: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> CallPayload:
        try:
            function, (arguments, refs) = wire.pickle_named(fn), wire.dumps((args, kwargs))
        except Exception as error:
            problem = f"the function or an argument does not pickle: {type(error).__name__}: {error}"
            raise ConfigError(f"heal({component!r})", problems=(problem,)) from error
        earlier = self._calls.earlier(component, function, arguments)
        age_s, stale = (0.0, None) if earlier is None else earlier
        return CallPayload(function=function, arguments=arguments, refs=tuple(refs), stale=stale, stale_age_s=age_s)

    def _remember(
        self, component: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], value: object
    ) -> None:
        if not self._calls.keeps(component):
            return
        try:
            function, (arguments, _) = wire.pickle_named(fn), wire.dumps((args, kwargs))
        except Exception:  # noqa: BLE001 - what does not travel could not be healed either
            return
        self._calls.remember(component, function, arguments, value)


def _check(component: str, severity: str) -> None:
    problems: list[str] = []
    if not component:
        problems.append("component: a name is needed, as 'payment-service'")
    if severity not in SEVERITIES:
        problems.append(f"severity: {severity!r} is none; there are {', '.join(SEVERITIES)}")
    if problems:
        raise ConfigError("heal(...)", problems=tuple(problems))


def _value_of(component: str, answered: Answered, failed: Exception) -> Any:
    if answered.answer == "result":
        return wire.loads(answered.result, ())
    incident = answered.incident
    reason = incident.history[-1].detail if incident.history else "nothing was tried"
    raise RecoveryExhaustedError(component, reason=reason, incident=incident) from failed


def _again_failed(component: str, answered: Answered) -> RecoveryExhaustedError:
    reason = "its component is well again by its probe, and the function fails all the same"
    return RecoveryExhaustedError(component, reason=reason, incident=answered.incident)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
