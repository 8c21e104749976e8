"""The ways from a healer, or the coordinator, to what is healed; see `actors.healer.ports.HealingPorts`."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.healer.ports import CannotHealError, ChildState, HealerRecipe
from actors.health.published import STANDING
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import AdministrationError, SupervisorError
from actors.runtime.keeping_off import keep_off
from supervisor import requests as r
from supervisor.child_ports import ClusterPorts
from supervisor.creating import cluster_era
from supervisor.election import find_leader, living_nodes
from supervisor.recipes import ChildRecipe
from supervisor.services.keys import HEALTH, NOTIFIER
from supervisor.tree import ChildPlan

if TYPE_CHECKING:
    from actors.healer.messages import Verdict
    from actors.health.published import HealthStanding
    from actors.health.report import Look
    from actors.notifier.messages import Alert
    from actors.runtime.ports import CheckpointStore
    from actors.runtime.replicated import Replica
    from actors.service.follower import StateFollower
    from supervisor.config import SupervisorConfig
    from supervisor.handle import Supervisor
    from supervisor.messages import ChildView

_CHILD = "child/"
_WORKER = "worker/"
_LOOK_S = 0.1
_ASK_S = 60.0
_SLACK_S = 5.0

LOOK_S = 10.0
"""How long a component's checks are waited for when it is verified, seconds."""

_OWN = ("node_agent", "event_log")
"""What stays on its node whatever happens: it belongs there."""

_ENDED = ("stopped", "given_up", "ignored")


def cluster_healing(supervisor: str) -> ClusterHealing:
    """The ways of this process."""
    return ClusterHealing(supervisor)


def recipe_of(config: SupervisorConfig) -> HealerRecipe:
    """What the coordinator and the healers are given."""
    channels = tuple(each.name for each in config.notifier.channels)
    return HealerRecipe(settings=config.healer, connect=cluster_healing, channels=channels)


class ClusterHealing:
    """See `HealingPorts`. The process gets a handle of the supervisor with its first use.

    Args:
        supervisor: The supervisor's name.
    """

    def __init__(self, supervisor: str) -> None:
        self._name = supervisor
        self._standing: StateFollower | None = None

    # -- what is healed -----------------------------------------------------------------------------------------------

    def guarded(self, breaker: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """See `HealingPorts`."""
        return self._sup.breaker(breaker).call(fn, *args, **kwargs)

    def restart(self, component: str, *, timeout_s: float, between: Callable[[], None] | None = None) -> None:
        """See `HealingPorts`."""
        found = self._child(component)
        if found is not None and found.key.startswith(_WORKER):
            self._replace(found, timeout_s)
            return
        key = self._key(component, action="restart")
        if between is not None:
            if self._status(key) not in _ENDED:
                self._ask(r.Terminate(member=key), key, timeout_s)
            between()
        self._ask(r.RestartMember(member=key, ends_first=True), key, timeout_s)
        until = SYSTEM_CLOCK.now() + timeout_s
        while self._status(key) != "running" and SYSTEM_CLOCK.now() < until:
            sleep(_LOOK_S)

    def _replace(self, member: ChildView, timeout_s: float) -> None:
        """A pool's member is not ended and started again: the pool has another at once."""
        until = SYSTEM_CLOCK.now() + timeout_s
        leader = find_leader(self._name)
        told = leader is not None and ray.get(leader[1].report_sick.remote(member.name, "a healer"), timeout=timeout_s)
        if not told:
            raise SupervisorError(f"{member.key} could not be replaced now: nobody leads, or another life runs already")
        while SYSTEM_CLOCK.now() < until:
            now = self._child(member.key)
            if now is not None and now.incarnation > member.incarnation and now.status == "running":
                return
            sleep(_LOOK_S)
        raise SupervisorError(f"{member.key} has no other life after {timeout_s:g} s")

    def revive(self, component: str) -> None:
        """See `HealingPorts`."""
        found = self._child(component)
        if found is not None and found.status == "stopped":
            self._ask(r.RestartMember(member=found.key), found.key, _ASK_S)

    def isolate(self, component: str, node: str, *, drain_s: float, keep_off_s: float) -> None:
        """See `HealingPorts`."""
        child = self._child(component)
        where = None if child is None else child.location
        node = node or ("" if where is None else where.node_id)
        nodes = living_nodes()
        if node not in nodes or len(nodes) == 1:
            reason = "nobody knows where it runs" if node not in nodes else "its node is the only one"
            raise CannotHealError(
                component, action="isolation", reason=reason, remedy="Name its node in the report, or add nodes"
            )
        keep_off(self._name, node, keep_off_s, SYSTEM_CLOCK.wall_us())
        until = SYSTEM_CLOCK.now() + drain_s
        while (left := self._on(node)) and SYSTEM_CLOCK.now() < until:
            sleep(_LOOK_S)
        if left:
            told = f"{', '.join(left)} still run on node {node} after {drain_s:g} s; nothing new goes there"
            raise SupervisorError(told)

    def child_state(self, component: str) -> ChildState:
        """See `HealingPorts`."""
        key = self._key(component, action="restore")
        plan = self._sup.tree_client.plans((key,)).get(key)
        recipe = plan.recipe if isinstance(plan, ChildPlan) else None
        if not isinstance(recipe, ChildRecipe) or recipe.recipe.checkpoint is None:
            raise CannotHealError(
                component,
                action="restore",
                reason="it keeps no checkpoints",
                remedy="Supervise it with checkpoint=<seconds> or checkpoint='each_call', or give Restore functions",
            )
        known = recipe.recipe
        return ChildState(
            key=key,
            store=self._stores.checkpoints(known.checkpoint_path),
            class_name=known.class_name,
            state_version=known.state_version,
        )

    def checkpoints(self, path: str | None) -> CheckpointStore:
        """See `HealingPorts`."""
        return self._stores.checkpoints(path)

    def notify(self, alert: Alert, channels: tuple[str, ...]) -> tuple[str, ...]:
        """See `HealingPorts`."""
        return self._sup.service(NOTIFIER).change("raise", alert, channels)

    # -- whether it is well -------------------------------------------------------------------------------------------

    def verify(self, component: str) -> tuple[Verdict, str]:
        """See `HealingPorts`."""
        if self._is_watched(component):
            return self._looked_at(component)
        child = self._child(component)
        if child is not None:
            detail = f"{child.key} is {child.status}"
            return ("passed" if child.status == "running" else "failed"), detail
        state = self._sup.breaker_states().get(component)
        if state is not None:
            return ("passed" if state == "closed" else "failed"), f"breaker {component} is {state}"
        return "unprobed", "no probe is registered for it, and it is no child and no breaker"

    def follow_health(self, take: Callable[[HealthStanding], None]) -> None:
        """See `HealingPorts`."""

        def on_change(replica: Replica) -> None:
            take(pickle.loads(replica.payload))  # noqa: S301 - our own monitor laid it

        self._sup.service(HEALTH).follow(STANDING, on_change)

    def _is_watched(self, component: str) -> bool:
        """Whether the health monitor knows it."""
        if self._standing is None:
            self._standing = self._sup.service(HEALTH).follow(STANDING)
        replica = self._standing.look()
        return replica is not None and component in pickle.loads(replica.payload).components  # noqa: S301 - as above

    def _looked_at(self, component: str) -> tuple[Verdict, str]:
        """What its probes say now: what they said before something was done about it proves nothing."""
        monitor = self._sup.service(HEALTH).handle()
        if monitor is None:
            return "failed", "the health monitor does not run now"
        try:
            look: Look | None = ray.get(monitor.look.remote(component, LOOK_S), timeout=LOOK_S + _SLACK_S)
        except (RayError, GetTimeoutError) as error:
            return "failed", f"the health monitor does not answer now: {type(error).__name__}"
        if look is None:
            return "failed", "the health monitor knows it no more"
        seen = f"its health is {look.state}" + (f": {look.bad}" if look.bad else "")
        return ("passed" if look.is_well else "failed"), seen

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _sup(self) -> Supervisor:
        from supervisor.handle import Supervisor  # noqa: PLC0415 - handles of the supervisor make these

        return Supervisor.of_process(self._name)

    @property
    def _stores(self) -> ClusterPorts:
        return ClusterPorts(self._name, era=cluster_era())

    def _child(self, component: str) -> ChildView | None:
        view = self._sup.view_now()
        wanted = (component, f"{_CHILD}{component}")
        return None if view is None else next((child for child in view.children if child.key in wanted), None)

    def _key(self, component: str, *, action: str) -> str:
        found = self._child(component)
        if found is None or not found.key.startswith(_CHILD):
            raise CannotHealError(
                component,
                action=action,
                reason="there is no supervised child of that name",
                remedy="Name a child as `supervisor ps` has it, or plan another strategy for it",
            )
        return found.key

    def _status(self, key: str) -> str:
        found = self._child(key)
        return "" if found is None else found.status

    def _on(self, node: str) -> list[str]:
        view = self._sup.view_now()
        children = () if view is None else view.children
        return [
            child.key
            for child in children
            if child.location is not None and child.location.node_id == node and child.status == "running"
            if child.key.partition("/")[0] not in _OWN
        ]

    def _ask(self, wish: r.Request, subject: str, timeout_s: float) -> None:
        try:
            self._sup.connect_services().connections.ask(wish, subject=subject, timeout_s=timeout_s)
        except AdministrationError as error:
            if error.problem not in ("already_started", "running", "restarting"):
                raise
