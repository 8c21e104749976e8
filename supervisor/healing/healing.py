"""`sup.heal(...)`: the function first, here; then whatever its component's plan says."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from actors.child.hooks import finish
from actors.healer.errors import RecoveryExhaustedError
from actors.healer.incident import problems_of_trouble
from actors.healer.messages import TroubleReported
from actors.healer.running import CallPayload
from actors.runtime import wire
from actors.runtime.context import CURRENT
from actors.runtime.errors import ConfigError
from actors.runtime.scrub import Scrubber
from actors.runtime.settings import shown
from actors.runtime.wording import in_one_line
from actors.service.errors import ServiceUnreachableError
from supervisor.healing.calls import RESIDENT, ProcessCalls
from supervisor.services.keys import HEALER

if TYPE_CHECKING:
    from actors.healer.calls import Answered
    from actors.healer.settings import HealerSettings
    from actors.recovery.strategies import Severity
    from supervisor.services.process import ProcessServices

_SLACK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is to be healed if it fails; see `HealingHandle.heal`."""

    component: str
    fn: Callable[..., Any]
    args: Any
    kwargs: Any
    failure: str
    severity: Severity

    def make(self) -> Any:
        """Make it, here and now; of a coroutine function this is the coroutine."""
        return self.fn(*self.args, **self.kwargs)

    def pickled(self) -> tuple[bytes, tuple[bytes, Sequence[Any]]]:
        """The function; the arguments, and the ObjectRefs in them."""
        return wire.pickle_named(self.fn), wire.dumps((self.args, self.kwargs))


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

    def heal(self, call: Call) -> Any:
        """See `HealingHandle.heal`."""
        _check(call)
        try:
            value = finish(call.make())
        except Exception as error:  # noqa: BLE001 - whatever the function raised is what is to be healed
            failed = error
        else:
            self._remember(call, value)
            return value
        name, future = self._begin(call, failed)
        with self._waiting(name, call, failed):
            answered = future.result(self._patience_s)
        if answered.answer != "again":
            return _value_of(call, answered, failed)
        with _well_again(call, answered):
            return finish(call.make())

    async def aheal(self, call: Call) -> Any:
        """See `HealingHandle.aheal`."""
        _check(call)
        try:
            value = await _made(call)
        except Exception as error:  # noqa: BLE001 - as above
            failed = error
        else:
            self._remember(call, value)
            return value
        name, future = await asyncio.to_thread(self._begin, call, failed)
        with self._waiting(name, call, failed):
            answered = await asyncio.wait_for(asyncio.wrap_future(future), self._patience_s)
        if answered.answer != "again":
            return _value_of(call, answered, failed)
        with _well_again(call, answered):
            return await _made(call)

    @property
    def _patience_s(self) -> float:
        return self._settings.incident_timeout_s + _SLACK_S

    @contextmanager
    def _waiting(self, name: str, call: Call, failed: Exception) -> Generator[None]:
        """Whoever waits for the recovery no longer says so."""
        try:
            yield
        except TimeoutError:
            self._calls.give_up(name)
            reason = f"it is not well after {self._patience_s:g} s"
            raise RecoveryExhaustedError(call.component, reason=reason) from failed
        except BaseException:
            self._calls.give_up(name)
            raise

    def _begin(self, call: Call, failed: Exception) -> tuple[str, Future[Answered]]:
        payload = self._payload(call, failed)
        running = CURRENT.get()
        trouble = TroubleReported(
            component=call.component,
            failure=call.failure,
            severity=call.severity,
            detail=in_one_line(Scrubber().clean(f"{type(failed).__name__}: {failed}")),
            source="call",
            call=uuid4().hex,
            trace_id="" if running is None else f"{running.trace_id:032x}",
        )
        try:
            return trouble.call, self._calls.begin(trouble, payload)
        except ServiceUnreachableError as error:
            raise RecoveryExhaustedError(call.component, reason=str(error)) from failed

    def _payload(self, call: Call, failed: Exception) -> CallPayload:
        try:
            function, (arguments, refs) = call.pickled()
        except Exception as error:  # noqa: BLE001 - its words are told; the cause is what the call has failed with
            problem = f"the function or an argument does not pickle: {type(error).__name__}: {error}"
            raise ConfigError(f"heal({call.component!r})", problems=(problem,)) from failed
        earlier = self._calls.earlier(call.component, function, arguments)
        age_s, stale = (0.0, None) if earlier is None else earlier
        return CallPayload(
            function=function,
            arguments=arguments,
            refs=tuple(refs),
            stale=stale,
            stale_age_s=age_s,
            failed=_class_of(failed),
        )

    def _remember(self, call: Call, value: object) -> None:
        if not self._calls.keeps(call.component):
            return
        try:
            function, (arguments, _) = call.pickled()
        except Exception:  # noqa: BLE001 - what does not travel could not be healed either
            return
        self._calls.remember(call.component, function, arguments, value)


def _check(call: Call) -> None:
    problems = problems_of_trouble(call.component, call.failure, call.severity)
    if not callable(call.fn):
        problems += (f"fn: {shown(call.fn)} cannot be called; give the function, and what it is called with as args",)
    if not isinstance(call.args, tuple | list):
        problems += (f"args: {shown(call.args)} is no tuple; write args=(value,), with its comma for one",)
    if not isinstance(call.kwargs, Mapping):
        problems += (f"kwargs: {shown(call.kwargs)} is no mapping of names to values",)
    if problems:
        raise ConfigError("heal(...)", problems=problems)


def _class_of(failed: Exception) -> bytes:
    """The class of an error as it travels; nothing if it does not."""
    try:
        return wire.pickle_named(type(failed))
    except Exception:  # noqa: BLE001 - a class may hold whatever its module does
        return b""


def _value_of(call: Call, answered: Answered, failed: Exception) -> Any:
    if answered.answer == "result":
        return wire.loads(answered.result, ())
    incident = answered.incident
    reason = incident.history[-1].detail if incident.history else "nothing was tried"
    raise RecoveryExhaustedError(call.component, reason=reason, incident=incident) from failed


@contextmanager
def _well_again(call: Call, answered: Answered) -> Generator[None]:
    """Its function is called once more, here."""
    try:
        yield
    except Exception as error:
        well = "is well again by its probe" if answered.incident.verified else "was well for another call"
        reason = f"its component {well}, and the function fails all the same"
        raise RecoveryExhaustedError(call.component, reason=reason, incident=answered.incident) from error


async def _made(call: Call) -> Any:
    """Make it in a coroutine's loop; a plain function runs on a thread, for it may wait."""
    called = getattr(call.fn, "__call__", None)  # noqa: B004 - its method is asked about, not whether it has one
    if inspect.iscoroutinefunction(call.fn) or inspect.iscoroutinefunction(called):
        return await call.make()
    value = await asyncio.to_thread(call.make)
    return await value if inspect.isawaitable(value) else value
