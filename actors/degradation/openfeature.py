"""An OpenFeature provider: features as boolean flags, capability limits as numbers, the level as a string.

    provider = DegradationProvider(sup.degradation)
    openfeature.api.set_provider(provider)
    client.get_boolean_value("recommendations", True, EvaluationContext(targeting_key="acme"))

The targeting key is the tenant. A resolution is a local look-up. What changes is emitted as an event, and so is that
the owner cannot be reached (stale: flags go on as they were) and that it can again (ready).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagValueType

    from actors.degradation.handle import DegradationHandle
    from actors.degradation.published import Why
    from actors.degradation.recent import DegradationChange
    from actors.runtime.stream import EventStream

V = TypeVar("V")

LEVEL_FLAG = "degradation.level"
"""The string flag whose value is the level."""

LOOK_S = 0.25
"""How often it is looked whether the owner is heard, seconds."""

_REASONS: dict[Why, Reason] = {
    "on": Reason.STATIC,
    "level": Reason.DISABLED,
    "needs": Reason.DISABLED,
    "rollout": Reason.SPLIT,
    "tenant": Reason.TARGETING_MATCH,
}


class DegradationProvider(AbstractProvider):
    """See the module.

    Args:
        degradation: What answers.
    """

    def __init__(self, degradation: DegradationHandle) -> None:
        super().__init__()
        self._degradation = degradation
        self._changes: EventStream[DegradationChange] | None = None
        self._thread: threading.Thread | None = None

    def get_metadata(self) -> Metadata:
        """Its name."""
        return Metadata(name="ray-supervisor degradation")

    # -- events -------------------------------------------------------------------------------------------------------

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Begin to tell of changes."""
        del evaluation_context
        self._changes = self._degradation.subscribe()
        arguments = (self._changes,)
        self._thread = threading.Thread(target=self._tell_on, args=arguments, name="degradation-events", daemon=True)
        self._thread.start()

    def shutdown(self) -> None:
        """Tell of nothing any more."""
        if self._changes is not None:
            self._changes.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2 * LOOK_S)

    def _tell_on(self, changes: EventStream[DegradationChange]) -> None:
        was_heard = True
        while not changes.closed:
            change = changes.next(LOOK_S)
            if change is not None:
                self.emit_provider_configuration_changed(_told(change, self._degradation.capabilities))
            is_heard = self._degradation.owner_heard
            if was_heard and not is_heard:
                self.emit_provider_stale(ProviderEventDetails(message="the owner is not heard; flags stay as they are"))
            elif is_heard and not was_heard:
                self.emit_provider_ready(ProviderEventDetails(message="the owner is heard again"))
            was_heard = is_heard

    # -- flags --------------------------------------------------------------------------------------------------------

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the SDK's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Whether a feature is on for the tenant that the targeting key names."""
        degradation = self._degradation
        tenant = None if evaluation_context is None else evaluation_context.targeting_key
        try:
            on = degradation.enabled(flag_key, tenant=tenant)
            why, cause = degradation.why(flag_key, tenant=tenant)
        except ConfigError:
            return self._missing(flag_key, default_value, wanted="boolean")
        if on and tenant is not None:
            why = degradation.decided_by(flag_key, tenant=tenant)
        metadata: dict[str, bool | int | float | str] = {"level": degradation.level, "why": why, "feature": cause}
        return FlagResolutionDetails(
            value=on, reason=_REASONS[why], variant="on" if on else "off", flag_metadata=metadata
        )

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The level, under `LEVEL_FLAG`."""
        del evaluation_context
        if flag_key != LEVEL_FLAG:
            return self._missing(flag_key, default_value, wanted="string")
        level = self._degradation.level
        metadata = {"reason": self._degradation.reason}
        return FlagResolutionDetails(value=level, reason=Reason.STATIC, variant=level, flag_metadata=metadata)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """A capability's limit that is a whole number."""
        del evaluation_context
        found = self._limit(flag_key, default_value, wanted="integer")
        if found.reason == Reason.STATIC and not float(found.value).is_integer():
            return _mismatch(flag_key, default_value, wanted="integer", found="float")
        found.value = int(found.value)
        return found

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """A capability's limit."""
        del evaluation_context
        found = self._limit(flag_key, default_value, wanted="float")
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """There are none."""
        del evaluation_context
        return self._missing(flag_key, default_value, wanted="object")

    def _limit(self, flag_key: str, default_value: float, *, wanted: str) -> FlagResolutionDetails[Any]:
        try:
            limit = self._degradation.limit(flag_key)
        except ConfigError:
            return self._missing(flag_key, default_value, wanted=wanted)
        level = self._degradation.level
        if limit is None:
            return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT, flag_metadata={"level": level})
        return FlagResolutionDetails(value=limit, reason=Reason.STATIC, variant=level, flag_metadata={"level": level})

    def _missing(self, flag_key: str, default_value: V, *, wanted: str) -> FlagResolutionDetails[V]:
        """It is none, or a flag of another type."""
        found = self._type_of(flag_key)
        if found and found != wanted:
            return _mismatch(flag_key, default_value, wanted=wanted, found=found)
        return FlagResolutionDetails(
            value=default_value,
            reason=Reason.ERROR,
            error_code=ErrorCode.FLAG_NOT_FOUND,
            error_message=f"Flag '{flag_key}' not found",
        )

    def _type_of(self, flag_key: str) -> str:
        if flag_key == LEVEL_FLAG:
            return "string"
        if flag_key in self._degradation.features:
            return "boolean"
        return "float" if flag_key in self._degradation.capabilities else ""


def _mismatch(flag_key: str, default_value: V, *, wanted: str, found: str) -> FlagResolutionDetails[V]:
    return FlagResolutionDetails(
        value=default_value,
        reason=Reason.ERROR,
        error_code=ErrorCode.TYPE_MISMATCH,
        error_message=f"Flag '{flag_key}' is of type {found}, not {wanted}",
    )


def _told(change: DegradationChange, capabilities: Sequence[str]) -> ProviderEventDetails:
    flags = {*change.switched_on, *change.switched_off, *filter(None, (change.feature,))}
    if change.before != change.after:
        flags |= {LEVEL_FLAG, *capabilities}
    metadata: dict[str, bool | str | int | float] = {"level": change.after, "cause": change.kind}
    return ProviderEventDetails(flags_changed=sorted(flags), message=change.detail, metadata=metadata)
