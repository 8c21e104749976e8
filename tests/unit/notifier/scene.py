"""The notifier's machine in virtual time, with receivers made up by the test."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from actors.notifier import messages as m
from actors.notifier.machine import NotifierMachine
from actors.notifier.settings import ChannelSettings, NotifierSettings, RouteSettings

NOON_S = 1_700_049_600.0
"""A Wednesday, 12:00 UTC."""


def channel(name: str = "mail", **fields: Any) -> ChannelSettings:
    given: dict[str, Any] = {"name": name, "url": "json://localhost"}
    return ChannelSettings(**(given | fields))


def alert(key: str = "db/crash", **fields: Any) -> m.Alert:
    given: dict[str, Any] = {"key": key, "component": "db", "severity": "medium", "title": "db is down"}
    return m.Alert(**(given | fields))


def entry(*alerts: m.Alert, entry_id: str = "1.1", channel: str = "mail") -> m.OutboxEntry:
    return m.OutboxEntry(entry_id=entry_id, channel=channel, alerts=alerts or (alert(began_s=NOON_S),))


class Scene:
    """One machine with one channel for all, grouping nothing; records are confirmed and sends are taken at once.

    Attributes:
        ok: Whether a send is taken; None: no answer.
        sent: What was taken.
    """

    def __init__(self, *channels: ChannelSettings, **fields: Any) -> None:
        there = channels or (channel(),)
        route = RouteSettings(channels=tuple(each.name for each in there))
        given: dict[str, Any] = {"channels": there, "routes": (route,), "group_s": 0.0}
        self.now = 1000.0
        self.machine = NotifierMachine(NotifierSettings(**(given | fields)), rng=Random(1), now=self.now)
        self.ok: Callable[[m.Send], bool | None] = lambda _: True
        self.confirms = True
        self.sent: list[m.OutboxEntry] = []

    def tell(self, event: m.Event) -> list[m.Command]:
        """What is commanded, and what follows when the shell does it."""
        commands: list[m.Command] = []
        events: list[m.Event] = [event]
        while events:
            for command in self.machine.handle(events.pop(0), self.now):
                commands.append(command)
                events += self.obey(command)
        return commands

    def obey(self, command: m.Command) -> list[m.Event]:
        if isinstance(command, m.RecordEntry) and self.confirms:
            return [m.EntryRecorded(entry_id=command.entry.entry_id)]
        if isinstance(command, m.Send):
            ok = self.ok(command)
            if ok:
                self.sent.append(command.entry)
            return [] if ok is None else [self.ended(command, ok=ok)]
        return []

    @staticmethod
    def ended(send: m.Send, *, ok: bool, **more: Any) -> m.SendEnded:
        return m.SendEnded(entry_id=send.entry.entry_id, attempt=send.attempt, ok=ok, **more)

    def later(self, seconds: float) -> list[m.Command]:
        """So long, timer by timer."""
        until, commands = self.now + seconds, list[m.Command]()
        while (at := self.machine.next_timer()) is not None and at <= until:
            self.now = max(self.now, at)
            commands += self.tell(m.TimePassed())
        self.now = until
        return commands

    def raise_(self, key: str = "db/crash", *, channels: tuple[str, ...] = (), **fields: Any) -> list[m.Command]:
        return self.tell(m.AlertRaised(alert=alert(key, **fields), wall_s=NOON_S, channels=channels))

    def resolve(self, key: str = "db/crash", detail: str = "", how: m.AlertEnd = "over") -> list[m.Command]:
        return self.tell(m.AlertResolved(key=key, wall_s=NOON_S + 60, detail=detail, how=how))

    @property
    def told(self) -> list[tuple[str, str, bool]]:
        """What was told: channel, key, whether it was over."""
        return [(each.channel, one.key, one.ended_s is not None) for each in self.sent for one in each.alerts]


def of(kind: type, commands: list[m.Command]) -> list[Any]:
    """The commands of this kind."""
    return [each for each in commands if isinstance(each, kind)]
