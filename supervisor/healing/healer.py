"""`sup.healer`: a process's hand on plans, incidents, holds, isolated nodes and what was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from actors.healer.errors import UnknownIncidentError
from actors.healer.functions import FunctionCheckpoints
from actors.healer.incident import problems_of_trouble
from actors.healer.learning import check_lessons
from actors.healer.messages import TroubleReported
from actors.healer.packing import pack_plan
from actors.healer.settings import PlanRule
from actors.healer.standing import EVERYTHING
from actors.recovery.strategies import check_strategies
from actors.runtime import wire
from actors.runtime.asker import who as this_user
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ConfigError, SupervisorError
from actors.runtime.graph import find_cycle
from actors.runtime.keeping_off import keep_off, kept_off_for
from actors.runtime.settings import shown
from actors.runtime.wording import in_one_line, unsaid_problems
from actors.service.twin import twin
from supervisor.healing.subscription import IncidentSubscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from actors.healer.choice import Choice
    from actors.healer.incident import Incident
    from actors.healer.statistics import HealerStatistics
    from actors.recovery.strategies import Severity, Strategy
    from actors.runtime.ports import CheckpointStore
    from actors.service.client import ServiceClient


class Healer:
    """Any thread; each method exists for coroutines with an `a` before its name.

    Args:
        client: The way to the coordinator.
        stores: Gives the store of checkpoints in a folder, or in the event log (None).
        supervisor: The supervisor's name.
    """

    def __init__(self, client: ServiceClient, stores: Callable[[str | None], CheckpointStore], supervisor: str) -> None:
        self.client = client
        self._stores = stores
        self._supervisor = supervisor

    # -- plans --------------------------------------------------------------------------------------------------------

    def plan(
        self,
        component: str,
        strategies: Sequence[Strategy],
        *,
        failure: str = "*",
        severity: Severity = "low",
        labels: Mapping[str, str] | None = None,
        who: str | None = None,
    ) -> None:
        """Say what is tried when a component is sick, in this order; the most specific plan counts.

        The same plan said again changes nothing, so a program may say its plans whenever it begins.

        Args:
            component: A name, or a pattern as "db-*".
            strategies: Of Retry, Fallback, Restore, Restart, Isolate, Escalate and UserStrategy.
            failure: A failure class, or a pattern.
            severity: For incidents as severe as this, or more.
            labels: Only healers on nodes with all of these labels take the steps; where there is none, they wait.
            who: Who says so; left out, this user, host and process.

        Raises:
            ConfigError: Something else is among them, or one has no bound, or does not pickle, or no package that is
                installed where the healers' coordinator runs has a strategy of that name, or there is no such channel.
        """
        self.client.change("plan", _plan(component, strategies, failure, severity, labels or {}), who or this_user())

    aplan = twin(plan)

    def dry_run(self, component: str, *, failure: str = "unknown", severity: Severity = "medium") -> Choice:
        """What would be tried if that were reported now, and why; nothing is done.

        Raises:
            ConfigError: A name is none, or the severity.
        """
        return self.client.ask("dry_run", _trouble(component, failure, severity))

    adry_run = twin(dry_run)

    # -- incidents ----------------------------------------------------------------------------------------------------

    def report(
        self,
        component: str,
        *,
        failure: str = "unknown",
        severity: Severity = "medium",
        detail: str = "",
        node: str = "",
    ) -> None:
        """Say that something is wrong with a component; it is on record when this returns.

        Args:
            component: Which.
            failure: The class of failure; the same again joins the open incident.
            severity: How bad it is.
            detail: In words.
            node: The node that it fails on; healers on others are taken.

        Raises:
            ConfigError: A name is none, or the severity.
        """
        self.client.ask("report", _trouble(component, failure, severity, detail=detail, node=node))

    areport = twin(report)

    def depends(self, on: Mapping[str, str | Sequence[str]]) -> None:
        """Say which components depend on which: an incident waits for the one of what it depends on.

        It adds to what is registered with the health monitor, and replaces what was said here before.

        Args:
            on: For each component those that it depends on.
        """
        self.client.change("depends", _needs(on))

    adepends = twin(depends)

    def incidents(self, open_only: bool = False) -> tuple[Incident, ...]:  # noqa: FBT001, FBT002 - a contract
        """The incidents that are open, oldest first; else also those that are remembered, before them."""
        return self.client.ask("incidents", open_only=open_only)

    aincidents = twin(incidents)

    def incident(self, incident_id: str) -> Incident:
        """One incident with its history.

        Raises:
            UnknownIncidentError: There is none of that name.
        """
        return _the(incident_id, self.incidents())

    aincident = twin(incident)

    def acknowledge(self, incident_id: str, *, who: str | None = None) -> None:
        """Take an incident over: nobody else is told of it, and nothing more is tried.

        Raises:
            UnknownIncidentError: There is none of that name.
        """
        if not self.client.change("acknowledge", incident_id, who or this_user()):
            _the(incident_id, self.incidents())

    aacknowledge = twin(acknowledge)

    def statistics(self) -> HealerStatistics:
        """Success rate, mean times to detect and to recover, escalations: in all, by component, by strategy."""
        return self.client.ask("statistics")

    astatistics = twin(statistics)

    def subscribe(self) -> IncidentSubscription:
        """Changes of incidents' phases from now on: `for change in sup.healer.subscribe()`, or `async for`."""
        self.client.start()
        return IncidentSubscription(self.client)

    asubscribe = twin(subscribe)

    # -- holds --------------------------------------------------------------------------------------------------------

    def hold(self, component: str, *, reason: str, who: str | None = None) -> None:
        """Let nothing heal a component until it is released; incidents are seen, and wait.

        Args:
            component: Its name; "*" holds all.
            reason: Why; it is on record, beside who asked.
            who: Who asks; left out, this user, host and process.

        Raises:
            ConfigError: There is no name or no reason, or it is no line of text.
        """
        _named(component)
        by = who or this_user()
        problems = unsaid_problems(component=component, reason=reason, who=by)
        if problems:
            raise ConfigError("hold(...)", problems=problems)
        self.client.change("hold", component, by, reason)

    ahold = twin(hold)

    def release(self, component: str) -> bool:
        """Let a component be healed again; False if nobody held it."""
        return self.client.change("release", component)

    arelease = twin(release)

    def holds(self) -> dict[str, tuple[str, str]]:
        """Who holds which component, and why."""
        return self.client.ask("holds")

    aholds = twin(holds)

    def start(self) -> None:
        """Begin: incidents are seen and healed from now on, also where nobody calls `heal`."""
        self.release(EVERYTHING)

    astart = twin(start)

    def stop(self) -> None:
        """Heal nothing until `start`; incidents are still seen, and wait."""
        self.hold(EVERYTHING, reason="stopped")

    astop = twin(stop)

    # -- nodes that were isolated -------------------------------------------------------------------------------------

    def kept_off(self) -> dict[str, float]:
        """The nodes that an `Isolate` keeps work off, and for how long yet, seconds; asks no actor.

        Raises:
            SupervisorError: Ray's own table does not answer now.
        """
        found = kept_off_for(self._supervisor, SYSTEM_CLOCK.wall_us())
        if found is None:
            raise SupervisorError(
                "Ray's table does not say now which nodes are kept off; ask again when its GCS answers"
            )
        return found

    akept_off = twin(kept_off)

    def readmit(self, node: str) -> bool:
        """Let work go to a node again before its time is over; False if it was kept off none.

        Args:
            node: Its id, or the beginning of it.

        Raises:
            ConfigError: The ids of several that are kept off begin so.
            SupervisorError: Ray's own table does not answer now.
        """
        meant = [each for each in self.kept_off() if node and each.startswith(node)]
        if len(meant) > 1:
            raise ConfigError("node", problems=(f"{node!r} may be {' or '.join(sorted(meant))}; give more of its id",))
        for each in meant:
            keep_off(self._supervisor, each, 0.0, SYSTEM_CLOCK.wall_us())
        return bool(meant)

    areadmit = twin(readmit)

    # -- checkpoints of functions -------------------------------------------------------------------------------------

    def checkpoint(self, component: str, state: Any, *, version: int = 1, path: str | None = None) -> None:
        """Put a component's state away, for a `Restore(apply=...)`; when this returns it outlives every process.

        Args:
            component: Its name; a supervised child keeps its own state instead.
            state: Anything that pickles.
            version: The version of the state; one of another version is never restored.
            path: A folder, a path or any fsspec URL; left out, the event log.

        Raises:
            ConfigError: There is no name, or it does not pickle.
            CheckpointStoreError: It could not be written.
        """
        _named(component)
        self._functions(path).put(component, state, version=version)

    acheckpoint = twin(checkpoint)

    def checkpointed(self, component: str, *, version: int = 1, path: str | None = None) -> Any:
        """The state that was put away last; None if there is none.

        Raises:
            CheckpointMismatchError: It is of another version.
            CheckpointStoreError: It could not be read.
        """
        found = self._functions(path).newest(component, version=version)
        return None if found is None else wire.loads(found, ())

    acheckpointed = twin(checkpointed)

    def _functions(self, path: str | None) -> FunctionCheckpoints:
        return FunctionCheckpoints(self._stores(path), SYSTEM_CLOCK)

    # -- what was learned ---------------------------------------------------------------------------------------------

    def lessons(self) -> list[dict[str, Any]]:
        """What was tried for each component and failure class: tries, successes, seconds."""
        return self.client.ask("lessons")

    alessons = twin(lessons)

    def learn(self, lessons: Iterable[Mapping[str, Any]]) -> int:
        """Add what another cluster has learned, as its `lessons()` says it; returns how many lessons that were.

        Args:
            lessons: Rows with component, failure, strategy, tries, successes, seconds.

        Raises:
            ConfigError: One of them is none; all that is wrong is named, and nothing is learned.
        """
        return self.client.change("learn", check_lessons(lessons, source="learn(...)"))

    alearn = twin(learn)

    def reset(self, component: str | None = None) -> int:
        """Forget what was learned of a component, or all; returns how many lessons that were."""
        return self.client.change("reset", component)

    areset = twin(reset)


def _plan(
    component: str, strategies: Sequence[Strategy], failure: str, severity: str, labels: Mapping[str, str]
) -> bytes:
    source = f"plan({component!r})"
    given = check_strategies(strategies, source=source)
    fields: dict[str, Any] = {"component": component, "failure": failure, "severity": severity, "strategies": given}
    fields["labels"] = labels
    return pack_plan(PlanRule.parse(fields, source=source))


def _trouble(component: str, failure: str, severity: Severity, *, detail: str = "", node: str = "") -> TroubleReported:
    problems = problems_of_trouble(component, failure, severity)
    if problems:
        raise ConfigError("trouble", problems=problems)
    return TroubleReported(
        component=component, failure=failure, severity=severity, detail=in_one_line(detail), node=node, source="user"
    )


def _needs(on: Any) -> dict[str, tuple[str, ...]]:
    source, example = "depends(...)", "as in depends({'web': 'db', 'cart': ('db', 'web')})"
    if not isinstance(on, Mapping) or not all(isinstance(others, str | Sequence) for others in on.values()):
        raise ConfigError(source, problems=(f"{shown(on)} is no mapping of names to names, {example}",))
    needs = {name: (others,) if isinstance(others, str) else tuple(others) for name, others in on.items()}
    if not all(isinstance(name, str) for name in (*needs, *chain.from_iterable(needs.values()))):
        raise ConfigError(source, problems=(f"a name in {shown(on)} is no text, {example}",))
    ring = find_cycle(needs)
    if ring:
        raise ConfigError(source, problems=(f"{' -> '.join(ring)} is a ring: none of them could be the cause; cut it",))
    return needs


def _named(component: str) -> None:
    if not component:
        raise ConfigError("component", problems=("a name is needed, as 'payment-service'",))


def _the(incident_id: str, incidents: tuple[Incident, ...]) -> Incident:
    found = next((each for each in incidents if each.incident_id == incident_id), None)
    if found is None:
        open_now = tuple(each.incident_id for each in incidents if not each.is_over)
        raise UnknownIncidentError(incident_id, known=open_now[:5])
    return found
