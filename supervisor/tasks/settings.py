"""The bounds of a caller's dispatcher."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actors.runtime.settings import Settings

DEFAULT_POOL = "default"
"""The pool of tasks that name none."""


class DispatchSettings(Settings):
    """How a caller's dispatcher batches, waits and gives up."""

    queue_limit: int = Field(default=100_000, ge=1, description="Tasks of one caller that may be unfinished in a pool.")
    on_full: Literal["raise", "wait"] = Field(
        default="raise", description='What submit does at the limit: raise QueueFullError, or "wait" for room.'
    )
    batch_max: int = Field(default=512, ge=1, le=4096, description="Tasks in one call at most.")
    batch_bytes: int = Field(default=1 << 20, ge=1, description="Pickled arguments in one call at most, bytes.")
    batch_target_s: float = Field(default=0.004, gt=0, description="Expected run time of one call at most, in seconds.")
    recall_after_s: float = Field(
        default=0.005, gt=0, description="A call that takes longer than expected by this is looked at, in seconds."
    )
    hold_s: float = Field(
        default=0.03,
        gt=0,
        description="Results of a call that takes long may wait for it this long while no worker is idle, in seconds.",
    )
    recall_max_s: float = Field(default=1.0, gt=0, description="The longest time between two looks, in seconds.")
    prefetch_s: float = Field(
        default=0.05,
        ge=0,
        description="A worker gets a second call only while the first should end within this, seconds.",
    )
    poison_after: int = Field(default=3, ge=1, description="Deaths of a worker that a task may cause alone.")
    grace_s: float = Field(
        default=0.1, ge=0, description="How long past its limit a function may run before its worker ends, seconds."
    )
    yield_grace_s: float = Field(
        default=2.0,
        ge=0,
        description="The same for a coroutine, which is cancelled at its limit and may need a moment, seconds.",
    )
