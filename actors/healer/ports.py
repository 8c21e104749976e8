"""What a healer needs of its supervisor: a Protocol, which is handed to its actor and pickles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from actors.healer.messages import Verdict
    from actors.healer.settings import HealerSettings
    from actors.health.published import HealthStanding
    from actors.notifier.messages import Alert
    from actors.runtime.ports import CheckpointStore


class CannotHealError(SupervisorError):
    """A step cannot be taken on this component, now or later: there is no such child, it keeps no state, ..."""

    def __init__(self, component: str, *, action: str, reason: str, remedy: str) -> None:
        self.component = component
        self.action = action
        self.reason = reason
        super().__init__(f"{action} of {component!r} is not possible: {reason}. {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildState:
    """Where a supervised child keeps its state.

    Attributes:
        key: The child's.
        store: The store of its checkpoints.
        class_name: The class that is to restore them.
        state_version: Its version of its state.
    """

    key: str
    store: CheckpointStore
    class_name: str
    state_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealerRecipe:
    """What the coordinator and the healers are given.

    Attributes:
        settings: Plans and bounds.
        connect: Makes the ways of a process to what is healed, by the supervisor's name.
        channels: The channels to people.
    """

    settings: HealerSettings
    connect: Callable[[str], HealingPorts]
    channels: tuple[str, ...] = ()


class HealingPorts(Protocol):
    """The ways from a healer to what it heals. Its methods block; each is called on a thread of its own."""

    def guarded(self, breaker: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a function behind a breaker of the cluster.

        Raises:
            CircuitOpenError: The breaker is open.
            Exception: What the function raised.
        """
        ...

    def restart(self, component: str, *, timeout_s: float, between: Callable[[], None] | None = None) -> None:
        """End a supervised child, its old life fenced first, and start it again; returns when it is ready.

        Args:
            component: Its name or key.
            timeout_s: How long that may take, seconds.
            between: Called while it is ended.
        Raises:
            CannotHealError: There is no such child.
            SupervisorError: It does not start.
        """
        ...

    def isolate(self, component: str, node: str, *, drain_s: float, keep_off_s: float) -> None:
        """Move what runs on a component's node elsewhere, and keep work off it for a while.

        Raises:
            CannotHealError: Its node is not known, or it is the only one.
            SupervisorError: What runs there has not moved in time.
        """
        ...

    def child_state(self, component: str) -> ChildState:
        """Where a supervised child keeps its state.

        Raises:
            CannotHealError: There is no such child, or it keeps none.
        """
        ...

    def checkpoints(self, path: str | None) -> CheckpointStore:
        """The store of checkpoints in a folder, or in the event log (None).

        Of children, of functions, and of what is restored from step to step.
        """
        ...

    def notify(self, alert: Alert, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Have people told; returns the channels that will, once that is written down."""
        ...

    def verify(self, component: str) -> tuple[Verdict, str]:
        """What a component's probe says now, and in words: its health, else whether the child or breaker is well."""
        ...

    def revive(self, component: str) -> None:
        """Start a child that was ended to be restarted, by a healer that died before it could start it again."""
        ...

    def follow_health(self, take: Callable[[HealthStanding], None]) -> None:
        """Call back with how things stand, now and whenever the health monitor says so anew; never without one."""
        ...


def no_checkpoint(state: ChildState) -> CannotHealError:
    """There is nothing to go back to."""
    return CannotHealError(
        state.key,
        action="restore",
        reason="there is no good checkpoint of it",
        remedy="See `supervisor events` for why checkpoints were skipped or failed",
    )
