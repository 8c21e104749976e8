"""An open incident as one life of the healer handles it: the incident, and the instants of this life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from actors.healer.incident import Incident
    from actors.recovery.course import Step

Doing = Literal["blocked", "waiting", "ready", "recording", "running", "verifying", "over"]
"""It waits: for the incident of a dependency, a time, its turn; or has a step recorded, run, or verified."""

ACTIVE: tuple[Doing, ...] = ("recording", "running", "verifying")
"""What counts against the limit."""


class Case:
    """One open incident.

    Attributes:
        incident: What is known of it, and on record.
        order: Its place among all, by age.
        detected_at: Monotonic seconds, as all instants here.
        detect_s: How long the trouble had lasted then, seconds.
        doing: What it does.
        due_at: When that is to be looked at again; None: something else ends it.
        expires_at: When it has lasted too long.
        following: The step that it waits with, or is ready for.
        next_verify: Whether its turn is to be verified, not the next step.
        goes_on: Whether it is verified because a cause is over: if it is sick still, its strategy goes on.
        healer: Who runs its step.
        strategy_at: When the strategy that it tries began.
        verification: The number of the latest question to its probe.
        verify_until: When its probe has been bad for too long.
        calls: Calls that wait beside its own.
    """

    def __init__(self, incident: Incident, *, order: int, detected_at: float, detect_s: float) -> None:
        self.incident = incident
        self.order = order
        self.detected_at = self.strategy_at = detected_at
        self.detect_s = detect_s
        self.doing: Doing = "waiting"
        self.due_at: float | None = None
        self.expires_at = float("inf")
        self.following: Step | None = None
        self.next_verify = False
        self.goes_on = False
        self.healer = ""
        self.verification = 0
        self.verify_until = 0.0
        self.calls: list[str] = []
