"""`sup.healer`: a process's hand on plans, incidents, holds and what was learned."""

from __future__ import annotations

import getpass
import os
import socket
from typing import TYPE_CHECKING, Any

from actors.healer.errors import UnknownIncidentError
from actors.healer.messages import TroubleReported
from actors.healer.packing import pack_plan
from actors.healer.settings import PlanRule
from actors.healer.standing import EVERYTHING
from actors.recovery.strategies import check_strategies
from actors.runtime.errors import ConfigError
from supervisor.healing.subscription import IncidentSubscription

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.healer.choice import Choice
    from actors.healer.incident import Incident
    from actors.healer.statistics import HealerStatistics
    from actors.recovery.strategies import Severity, Strategy
    from actors.service.client import ServiceClient


class Healer:
    """Any thread; each method exists for coroutines with an `a` before its name."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    # -- plans --------------------------------------------------------------------------------------------------------

    def plan(
        self,
        component: str,
        strategies: Sequence[Strategy],
        *,
        failure: str = "*",
        severity: Severity = "low",
        who: str | None = None,
    ) -> None:
        """Say what is tried when a component is sick, in this order; the most specific plan counts.

        Args:
            component: A name, or a pattern as "db-*".
            strategies: Of Retry, Fallback, Restore, Restart, Isolate, Escalate and UserStrategy.
            failure: A failure class, or a pattern.
            severity: For incidents as severe as this, or more.
            who: Who says so; left out, this user, host and process.

        Raises:
            ConfigError: Something else is among them, or one has no bound, or does not pickle.
        """
        self._client.change("plan", _plan(component, strategies, failure, severity), who or _me())

    async def aplan(
        self,
        component: str,
        strategies: Sequence[Strategy],
        *,
        failure: str = "*",
        severity: Severity = "low",
        who: str | None = None,
    ) -> None:
        """`plan` for a coroutine."""
        await self._client.achange("plan", _plan(component, strategies, failure, severity), who or _me())

    def dry_run(self, component: str, *, failure: str = "unknown", severity: Severity = "medium") -> Choice:
        """What would be tried if that were reported now, and why; nothing is done."""
        return self._client.ask("dry_run", _trouble(component, failure, severity))

    async def adry_run(self, component: str, *, failure: str = "unknown", severity: Severity = "medium") -> Choice:
        """`dry_run` for a coroutine."""
        return await self._client.aask("dry_run", _trouble(component, failure, severity))

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
        """
        self._client.ask("report", _trouble(component, failure, severity, detail=detail, node=node))

    async def areport(
        self,
        component: str,
        *,
        failure: str = "unknown",
        severity: Severity = "medium",
        detail: str = "",
        node: str = "",
    ) -> None:
        """`report` for a coroutine."""
        await self._client.aask("report", _trouble(component, failure, severity, detail=detail, node=node))

    def depends(self, on: Mapping[str, tuple[str, ...]]) -> None:
        """Say which components depend on which: an incident waits for the one of what it depends on.

        It adds to what is registered with the health monitor, and replaces what was said here before.

        Args:
            on: For each component those that it depends on.
        """
        self._client.change("depends", {name: tuple(others) for name, others in on.items()})

    async def adepends(self, on: Mapping[str, tuple[str, ...]]) -> None:
        """`depends` for a coroutine."""
        await self._client.achange("depends", {name: tuple(others) for name, others in on.items()})

    def incidents(self, open_only: bool = False) -> tuple[Incident, ...]:  # noqa: FBT001, FBT002 - a contract
        """The incidents that are open, oldest first; else also those that are remembered, before them."""
        return self._client.ask("incidents", open_only=open_only)

    async def aincidents(self, open_only: bool = False) -> tuple[Incident, ...]:  # noqa: FBT001, FBT002 - a contract
        """`incidents` for a coroutine."""
        return await self._client.aask("incidents", open_only=open_only)

    def incident(self, incident_id: str) -> Incident:
        """One incident with its history.

        Raises:
            UnknownIncidentError: There is none of that name.
        """
        return _the(incident_id, self.incidents())

    async def aincident(self, incident_id: str) -> Incident:
        """`incident` for a coroutine."""
        return _the(incident_id, await self.aincidents())

    def acknowledge(self, incident_id: str, *, who: str | None = None) -> None:
        """Take an incident over: nobody else is told of it, and nothing more is tried.

        Raises:
            UnknownIncidentError: There is none of that name.
        """
        if not self._client.change("acknowledge", incident_id, who or _me()):
            _the(incident_id, self.incidents())

    async def aacknowledge(self, incident_id: str, *, who: str | None = None) -> None:
        """`acknowledge` for a coroutine."""
        if not await self._client.achange("acknowledge", incident_id, who or _me()):
            _the(incident_id, await self.aincidents())

    def statistics(self) -> HealerStatistics:
        """Success rate, mean times to detect and to recover, escalations: in all, by component, by strategy."""
        return self._client.ask("statistics")

    async def astatistics(self) -> HealerStatistics:
        """`statistics` for a coroutine."""
        return await self._client.aask("statistics")

    def subscribe(self) -> IncidentSubscription:
        """Changes of incidents' phases from now on: `for change in sup.healer.subscribe()`, or `async for`."""
        self._client.start()
        return IncidentSubscription(self._client)

    # -- holds --------------------------------------------------------------------------------------------------------

    def hold(self, component: str, *, reason: str, who: str | None = None) -> None:
        """Let nothing heal a component until it is released; incidents are seen, and wait.

        Args:
            component: Its name; "*" holds all.
            reason: Why; it is on record, beside who asked.
            who: Who asks; left out, this user, host and process.
        """
        self._client.change("hold", component, who or _me(), reason)

    async def ahold(self, component: str, *, reason: str, who: str | None = None) -> None:
        """`hold` for a coroutine."""
        await self._client.achange("hold", component, who or _me(), reason)

    def release(self, component: str) -> bool:
        """Let a component be healed again; False if nobody held it."""
        return self._client.change("release", component)

    async def arelease(self, component: str) -> bool:
        """`release` for a coroutine."""
        return await self._client.achange("release", component)

    def holds(self) -> dict[str, tuple[str, str]]:
        """Who holds which component, and why."""
        return self._client.ask("holds")

    async def aholds(self) -> dict[str, tuple[str, str]]:
        """`holds` for a coroutine."""
        return await self._client.aask("holds")

    def start(self) -> None:
        """Begin: incidents are seen and healed from now on, also where nobody calls `heal`."""
        self.release(EVERYTHING)

    async def astart(self) -> None:
        """`start` for a coroutine."""
        await self.arelease(EVERYTHING)

    def stop(self) -> None:
        """Heal nothing until `start`; incidents are still seen, and wait."""
        self.hold(EVERYTHING, reason="stopped")

    async def astop(self) -> None:
        """`stop` for a coroutine."""
        await self.ahold(EVERYTHING, reason="stopped")

    # -- what was learned ---------------------------------------------------------------------------------------------

    def lessons(self) -> list[dict[str, Any]]:
        """What was tried for each component and failure class: tries, successes, seconds."""
        return self._client.ask("lessons")

    async def alessons(self) -> list[dict[str, Any]]:
        """`lessons` for a coroutine."""
        return await self._client.aask("lessons")

    def reset(self, component: str | None = None) -> int:
        """Forget what was learned of a component, or all; returns how many lessons that were."""
        return self._client.change("reset", component)

    async def areset(self, component: str | None = None) -> int:
        """`reset` for a coroutine."""
        return await self._client.achange("reset", component)


def _plan(component: str, strategies: Sequence[Strategy], failure: str, severity: str) -> bytes:
    source = f"plan({component!r})"
    given = check_strategies(strategies, source=source)
    fields = {"component": component, "failure": failure, "severity": severity, "strategies": given}
    return pack_plan(PlanRule.parse(fields, source=source))


def _trouble(component: str, failure: str, severity: Severity, *, detail: str = "", node: str = "") -> TroubleReported:
    if not component:
        raise ConfigError("component", problems=("a name is needed, as 'payment-service'",))
    return TroubleReported(
        component=component, failure=failure, severity=severity, detail=detail, node=node, source="user"
    )


def _the(incident_id: str, incidents: tuple[Incident, ...]) -> Incident:
    found = next((each for each in incidents if each.incident_id == incident_id), None)
    if found is None:
        open_now = tuple(each.incident_id for each in incidents if not each.is_over)
        raise UnknownIncidentError(incident_id, known=open_now[:5])
    return found


def _me() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
