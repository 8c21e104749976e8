"""`sup.notifier`: a process's hand on the notifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.notifier.messages import Alert
from actors.recovery.strategies import SEVERITIES
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import ConfigError
from actors.runtime.wording import unsaid_problems
from actors.service.twin import twin

if TYPE_CHECKING:
    from actors.notifier.actor import ChannelTest
    from actors.notifier.settings import NotifierSettings
    from actors.recovery.strategies import Severity
    from actors.service.client import ServiceClient

_LOOK_S = 0.1
_SLACK_S = 10.0


class Notifier:
    """Have people told. Any thread; each method exists for coroutines with an `a` before its name."""

    def __init__(self, client: ServiceClient, settings: NotifierSettings) -> None:
        self.client = client
        self._settings = settings

    def alert(  # noqa: PLR0913 - one argument for each thing people are told
        self,
        title: str,
        *,
        component: str,
        severity: Severity = "medium",
        key: str | None = None,
        body: str = "",
        runbook: str = "",
        channels: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """Have people told; it is sent by the notifier, whatever becomes of this process.

        Args:
            title: In a line.
            component: What it is about.
            severity: "low", "medium", "high" or "critical".
            key: What it is the same by: it is told once while it lasts. Left out, component and title.
            body: In more words.
            runbook: A link for whoever takes it.
            channels: By which channels; empty: as the routes say.

        Returns: The channels that will tell it; none if no route is for it, which is on record.
        Raises:
            ConfigError: There is no such channel or severity, or title, component or key is no line of text.
            ServiceUnreachableError: The notifier did not answer in time.
        """
        alert = _alert(title, component, severity, key, body=body, runbook=runbook)
        return self.client.change("raise", alert, channels)

    aalert = twin(alert)

    def resolve(self, key: str, detail: str = "") -> None:
        """What people were told of is over: those that were told are told.

        Args:
            key: The alert's.
            detail: In words.

        Raises:
            ConfigError: That is no key.
        """
        problems = unsaid_problems(key=key)
        if problems:
            raise ConfigError("resolve(...)", problems=problems)
        self.client.change("resolve", key, detail)

    aresolve = twin(resolve)

    def test(self, *channels: str) -> tuple[ChannelTest, ...]:
        """Send a test message to these channels, or to all, past routes and limits; returns how each ended.

        Raises:
            ConfigError: There is no such channel.
        """
        until = SYSTEM_CLOCK.now() + self._patience_s()
        name = self.client.change("begin_test", channels)
        while True:
            found: tuple[ChannelTest, ...] | None = self.client.ask("test", name)
            if found is not None and (all(each.ended for each in found) or SYSTEM_CLOCK.now() > until):
                return found
            if found is None:  # the notifier died meanwhile
                name = self.client.change("begin_test", channels)
            sleep(_LOOK_S)

    atest = twin(test)

    def waiting(self) -> dict[str, int]:
        """Messages that are not handed over yet, by channel."""
        return self.client.ask("waiting")

    awaiting = twin(waiting)

    def _patience_s(self) -> float:
        return _SLACK_S + max((channel.timeout_s for channel in self._settings.channels), default=0.0)


def _alert(title: str, component: str, severity: Severity, key: str | None, *, body: str, runbook: str) -> Alert:
    problems = unsaid_problems(title=title, component=component, **({} if key is None else {"key": key}))
    if severity not in SEVERITIES:
        problems = (*problems, f"severity: {severity!r} is none; there are {', '.join(SEVERITIES)}")
    if problems:
        raise ConfigError("alert(...)", problems=problems)
    return Alert(
        key=key or f"{component}/{title}",
        component=component,
        severity=severity,
        title=title,
        body=body,
        runbook=runbook,
    )
