"""The notifier: who is told what, and when. Pure: events in, commands out.

    raised --new, worse, asked for anew, or lasting for repeat_s--> told to the channels of its routes
      |--told lately--> counted; told again by channels that gave up   |
      +---- over, taken over, or forgotten --------------------------> told to those that were told

A message is written down before it is sent, and forgotten when it was taken: it is handed over at least once, and its
number tells receivers of one that comes twice. How one channel's messages go is told in `outbox`.

Time that is over is settled before each event. A `now` before the latest one counts as the latest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from actors.notifier import messages as m
from actors.notifier.outbox import Outbox
from actors.recovery.strategies import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from actors.notifier.settings import NotifierSettings


KEPT_MAX = 1000
"""Alerts that were told and last, the latest, that a successor is told of."""


@dataclass(slots=True)
class _Told:
    alert: m.Alert
    at: float
    channels: tuple[str, ...]
    taken: bool = False
    reached: frozenset[str] = frozenset()
    """Channels whose outbox had room for a message that tells of it."""
    given_up: dict[str, float] = field(default_factory=dict[str, float])
    """Channels of which the last such message was tried in vain, and when it was given up, monotonic seconds."""


class NotifierMachine:
    """The notifier of one supervisor, in one life.

    Args:
        settings: Channels, routes and bounds.
        rng: The source of chance; only waits draw from it.
        life: The name of the life, unique over all: messages are named after it.
        now: The moment, monotonic seconds.
    """

    def __init__(self, settings: NotifierSettings, *, rng: Random, life: str = "1", now: float) -> None:
        self._settings = settings
        self._life = life
        self._now = now
        self._last = 0
        self._fresh = True
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._outboxes = {each.name: Outbox(each, settings, rng=rng, now=now) for each in settings.channels}

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._now = max(self._now, now)
        commands = [command for outbox in self._outboxes.values() for command in outbox.expire(self._now)]
        self._note_ends(commands)
        following = self._dispatch(event)
        self._note_ends(following)
        commands += following
        for name, outbox in self._outboxes.items():
            while alerts := outbox.group(self._now):
                self._last += 1
                entry_id = f"{self._life}.{self._last}"
                commands += outbox.put(m.OutboxEntry(entry_id=entry_id, channel=name, alerts=alerts))
                self._note_put(name, alerts)
            commands += outbox.send(self._now)
        self._fresh = False
        return commands

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        times = (outbox.next_at() for outbox in self._outboxes.values())
        return min((at for at in times if at is not None), default=None)

    def waiting(self) -> dict[str, int]:
        """Messages that are not handed over yet, by channel."""
        return {name: len(outbox) for name, outbox in self._outboxes.items()}

    def channels_for(self, event: m.AlertRaised) -> tuple[str, ...]:
        """Who is told of this, or was while it lasts; nobody, if it is dropped."""
        known = self._told.get(event.alert.key)
        if known is not None and not self._is_news(known, event):
            return known.channels
        return self._known(event.channels or self._routed(event))

    def told(self, key: str, now: float) -> m.KeptAlert | None:
        """An alert that people were told of and that lasts, or None."""
        known = self._told.get(key)
        return None if known is None or not self._told_to(known) else self._kept(known, now)

    def tells_end(self, event: m.AlertResolved) -> bool:
        """Whether anybody is told of this end; nobody was told, or it was told before, else."""
        known = self._told.get(event.key)
        kept = event.known if known is None else self._kept(known, self._now)
        return kept is not None and bool(kept.channels) and not (kept.taken and event.how != "over")

    def kept(self, now: float) -> tuple[m.KeptAlert, ...]:
        """All of these that a successor must know, the latest last."""
        told = [known for known in self._told.values() if self._told_to(known)]
        return tuple(self._kept(known, now) for known in told[-KEPT_MAX:])

    def _kept(self, known: _Told, now: float) -> m.KeptAlert:
        age_s = max(self._now, now) - known.at
        return m.KeptAlert(alert=known.alert, channels=self._told_to(known), age_s=age_s, taken=known.taken)

    def _told_to(self, known: _Told) -> tuple[str, ...]:
        """Who was told, or will be by what waits for company; not who has only a message that was dropped."""
        key = known.alert.key
        return tuple(
            name
            for name in known.channels
            if name in known.reached or name not in self._outboxes or not self._outboxes[name].misses(key)
        )

    def _note_put(self, channel: str, alerts: tuple[m.Alert, ...]) -> None:
        for alert in alerts:
            known = self._told.get(alert.key)
            if known is not None and not self._outboxes[channel].misses(alert.key):
                known.reached |= {channel}

    def _note_ends(self, commands: list[m.Command]) -> None:
        for command in commands:
            if isinstance(command, m.RecordNotification) and command.result != "dropped":
                for alert in command.entry.alerts:
                    self._note_end(alert, command.entry.channel, is_sent=command.result == "sent")

    def _note_end(self, alert: m.Alert, channel: str, *, is_sent: bool) -> None:
        known = self._told.get(alert.key)
        if known is None or alert.ended_s is not None:
            return
        if is_sent:
            known.given_up.pop(channel, None)
        else:
            known.given_up[channel] = self._now

    def _tell_again(self, known: _Told) -> None:
        """By the channels that gave up telling of it, once they have had time to recover; nobody took it over."""
        due = [name for name, at in known.given_up.items() if self._now - at >= self._settings.retry_max_s]
        for name in () if known.taken else self._known(tuple(due)):
            del known.given_up[name]
            self._outboxes[name].add(known.alert, self._now)

    def _known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self._outboxes)

    def _dispatch(self, event: m.Event) -> list[m.Command]:
        match event:
            case m.AlertRaised():
                return self._on_raised(event)
            case m.AlertResolved():
                self._on_resolved(event)
            case m.EntryRecorded():
                for outbox in self._outboxes.values():
                    outbox.on_recorded(event.entry_id)
            case m.SendEnded():
                return [each for outbox in self._outboxes.values() for each in outbox.on_ended(event, self._now)]
            case m.TimePassed():
                pass  # all that is due follows every event
            case m.OutboxRecovered():
                return self._on_recovered(event) if self._fresh else []
            case m.OutboxFound():
                return self._take_up(each for each in event.entries if not each.entry_id.startswith(f"{self._life}."))
            case _:
                assert_never(event)
        return []

    def _on_raised(self, event: m.AlertRaised) -> list[m.Command]:
        known = self._told.get(event.alert.key)
        if known is not None and not self._is_news(known, event):
            known.alert = replace(known.alert, repeated=known.alert.repeated + 1)
            self._tell_again(known)
            return []
        asked = event.channels or self._routed(event)
        channels = self._known(asked)
        began_s = event.alert.began_s or event.wall_s
        repeated = 0 if known is None else known.alert.repeated
        alert = replace(event.alert, began_s=began_s, ended_s=None, repeated=repeated)
        for name in channels:
            self._outboxes[name].add(alert, self._now)
        told_before = () if known is None else known.channels
        both = tuple(dict.fromkeys((*told_before, *channels)))
        fresh = _Told(replace(alert, repeated=0), self._now, both)
        if known is not None:
            fresh.reached = known.reached
            fresh.given_up = {name: at for name, at in known.given_up.items() if name not in channels}
        self._told[alert.key] = fresh
        self._told.move_to_end(alert.key)
        if len(self._told) > self._settings.alerts_max:
            self._told.popitem(last=False)
        if channels:
            return []
        nobody = m.OutboxEntry(entry_id="", channel=", ".join(asked), alerts=(alert,))
        detail = "there is no such channel" if asked else "no route is for it now"
        return [m.RecordNotification(entry=nobody, result="dropped", detail=detail)]

    def _is_news(self, known: _Told, event: m.AlertRaised) -> bool:
        """Whether it is worse, asked for anew, lasts so long that it is told again, or now first reaches anybody."""
        worse = SEVERITIES.index(event.alert.severity) > SEVERITIES.index(known.alert.severity)
        if worse or event.alert.nth > known.alert.nth or self._now - known.at >= self._settings.repeat_s:
            return True
        return not known.channels and bool(self._known(event.channels or self._routed(event)))

    def _routed(self, event: m.AlertRaised) -> tuple[str, ...]:
        alert = event.alert
        return tuple(
            dict.fromkeys(
                name
                for route in self._settings.routes
                if route.takes(
                    component=alert.component,
                    severity=alert.severity,
                    wall_s=event.wall_s,
                    offsets_min=event.offsets_min,
                )
                for name in route.channels
            )
        )

    def _on_resolved(self, event: m.AlertResolved) -> None:
        is_told = self.tells_end(event)
        known = self._told.pop(event.key, None) or self._told_before(event.known)
        if known is not None and is_told:
            body = event.detail or known.alert.body
            alert = replace(known.alert, body=body, ended_s=max(event.wall_s, known.alert.began_s))
            told_to = self._told_to(known)
            for name in self._known(told_to):
                self._outboxes[name].add(alert, self._now)
        for outbox in self._outboxes.values():
            outbox.forget(event.key)
        if known is not None and event.how == "taken":
            known.taken = True
            self._told[event.key] = known

    def _told_before(self, kept: m.KeptAlert | None) -> _Told | None:
        if kept is None:
            return None
        channels = self._known(kept.channels)
        return _Told(kept.alert, self._now - kept.age_s, channels, kept.taken, reached=frozenset(channels))

    def _on_recovered(self, event: m.OutboxRecovered) -> list[m.Command]:
        for each in event.told:
            told = self._told_before(each)
            if told is not None:
                self._told[each.alert.key] = told
        return self._take_up(event.entries)

    def _take_up(self, entries: Iterable[m.OutboxEntry]) -> list[m.Command]:
        """What is sent no more is dropped, and told: its channel is no more, or it is too old."""
        commands: list[m.Command] = []
        for entry in entries:
            outbox = self._outboxes.get(entry.channel)
            why_not = self._why_not(entry)
            if outbox is None or why_not:
                told = m.RecordNotification(entry=entry, result="dropped", detail=why_not)
                commands += [m.ForgetEntry(entry_id=entry.entry_id), told]
                self._untell(entry)
                continue
            outbox.resume(entry)
            for alert in entry.alerts:
                self._recall(alert, entry.channel)
        return commands

    def _why_not(self, entry: m.OutboxEntry) -> str:
        """Why a message of an earlier life is sent no more; empty if it is."""
        limit_s = self._settings.stale_s
        if entry.channel not in self._outboxes:
            return "its channel is no more"
        if not entry.alerts:
            return "what was written down cannot be read"
        if entry.age_s > limit_s:
            return f"it waited since {entry.age_s:.0f} s ago, and what is older than {limit_s:g} s is news no more"
        return ""

    def _untell(self, entry: m.OutboxEntry) -> None:
        """Nobody was told by a message that is dropped: what lasts is told anew when it is raised again."""
        for key in [each.key for each in entry.alerts if each.ended_s is None]:
            known = self._told.get(key)
            if known is not None:
                known.channels = tuple(name for name in known.channels if name != entry.channel)
                known.reached -= {entry.channel}
                if not known.channels:
                    del self._told[key]

    def _recall(self, alert: m.Alert, channel: str) -> None:
        """What a message of an earlier life tells of is told: it is not told again at once, and can be resolved."""
        known = self._told.get(alert.key)
        if alert.ended_s is not None:
            if known is not None and not known.taken:
                del self._told[alert.key]
            return
        channels = (channel,) if known is None else tuple(dict.fromkeys((*known.channels, channel)))
        latest = alert if known is None else max(alert, known.alert, key=lambda each: each.nth)
        taken = known is not None and known.taken
        reached = frozenset(channels)
        self._told[alert.key] = _Told(replace(latest, repeated=0), self._now, channels, taken, reached=reached)
