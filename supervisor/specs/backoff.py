"""`BackoffSettings`: how the restarts of a group's or a pool's members are spaced."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from actors.runtime.settings import Settings
from supervisor.specs.problems import problem


class BackoffSettings(Settings):
    """How long a restart waits when there were others just before; the first one never waits."""

    min_s: float = Field(default=0.1, ge=0, description="The wait before the second restart, in seconds.")
    max_s: float = Field(default=5.0, ge=0, validate_default=True, description="The longest wait, in seconds.")
    jitter: float = Field(default=0.2, ge=0, le=1, description="The random part of a wait, 0 to 1 of it.")
    reset_after_s: float = Field(
        default=5.0, ge=0, description="Seconds of health after which the next restart is a first one again."
    )

    @field_validator("max_s")
    @classmethod
    def _bounds_fit(cls, max_s: float, info: ValidationInfo) -> float:
        min_s = info.data.get("min_s")
        if min_s is not None and max_s < min_s:
            raise problem(f"{max_s:g} given, but it must not be smaller than min_s, which is {min_s:g}")
        return max_s
