"""What those meet who ask the health monitor."""

from __future__ import annotations

from actors.runtime.errors import SupervisorError

_NAMED = 10


class UnknownComponentError(SupervisorError):
    """Nobody has registered a component of that name."""

    def __init__(self, component: str, *, known: tuple[str, ...]) -> None:
        self.component = component
        self.known = known
        names = ", ".join(sorted(known)[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        there = f"there are: {names}" if known else "there are none"
        super().__init__(f"no component {component!r} is watched; {there}. See health.register")
