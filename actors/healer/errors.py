"""What a call that is healed can meet besides its own errors."""

from __future__ import annotations

from actors.healer.incident import Incident
from actors.runtime.errors import SupervisorError


class RecoveryExhaustedError(SupervisorError):
    """Nothing that was planned has helped; the function's own error is the cause.

    Attributes:
        component: What was to be healed.
        incident_id: The incident; empty if it was not even reported.
        incident: All that is known of it; None if the coordinator did not answer.
        reason: Why it is over.
    """

    def __init__(self, component: str, *, reason: str, incident: Incident | None = None) -> None:
        self.component = component
        self.reason = reason
        self.incident = incident
        self.incident_id = "" if incident is None else incident.incident_id
        shown = f": supervisor heal show {self.incident_id}" if self.incident_id else ": supervisor heal ls"
        super().__init__(f"{component!r} could not be healed: {reason}. What was tried{shown}")


class UnknownIncidentError(SupervisorError):
    """There is no incident of that name, or it is forgotten."""

    def __init__(self, incident_id: str, *, known: tuple[str, ...] = ()) -> None:
        self.incident_id = incident_id
        self.known = known
        some = f" (open now: {', '.join(known)})" if known else ""
        super().__init__(f"there is no incident {incident_id!r}{some}; see `supervisor heal ls`")
