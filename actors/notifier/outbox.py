"""One channel's messages: grouped, written down, sent one after the other, not too many a minute. Pure.

    alert --within group_s--> group --> recorded --> waiting --rate allows--> in flight --taken--> forgotten
                                                       ^                         |
                                                       +--- backoff ---failed ---+--too often, or for good--> forgotten

One message of a channel is in flight at a time, so what is over is never told before it began. A message that finds no
room is dropped, and that is on record; what it was to tell is kept aside, and is a message again when there is room.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from actors.notifier import messages as m
from actors.recovery.backoff import delay_s

if TYPE_CHECKING:
    from random import Random

    from actors.notifier.settings import ChannelSettings, NotifierSettings

_MINUTE_S = 60.0
_ANSWER_S = 5.0
_EPSILON = 1e-9


class Outbox:
    """The messages of one channel."""

    def __init__(self, channel: ChannelSettings, settings: NotifierSettings, *, rng: Random, now: float) -> None:
        self._channel = channel
        self._settings = settings
        self._rng = rng
        self._group: dict[str, m.Alert] = {}
        self._group_at = 0.0
        self._missed: OrderedDict[str, m.Alert] = OrderedDict()
        self._entries: deque[m.OutboxEntry] = deque()
        self._recorded: set[str] = set()
        self._sent_at: float | None = None
        self._not_before = 0.0
        self._tokens = float(channel.burst)
        self._filled_at = now

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, alert: m.Alert, now: float) -> None:
        """Tell of this; of one thing only the latest is told."""
        if not self._group:
            self._group_at = now + self._settings.group_s
        self._group.pop(alert.key, None)
        self._missed.pop(alert.key, None)
        self._group[alert.key] = alert

    def misses(self, key: str) -> bool:
        """Whether the latest of this was dropped, and there was no room for it yet."""
        return key in self._missed

    def forget(self, key: str) -> None:
        """It does not last any more; its end, if that was dropped, is told still."""
        if key in self._missed and self._missed[key].ended_s is None:
            del self._missed[key]

    def resume(self, entry: m.OutboxEntry) -> None:
        """A message that was written down in an earlier life."""
        self._entries.append(entry)
        self._recorded.add(entry.entry_id)

    def group(self, now: float) -> tuple[m.Alert, ...]:
        """What goes into one message now; empty while the group waits for company."""
        if self._missed and not self._is_full():
            keys = list(self._missed)[: self._settings.group_max]
            return tuple(self._missed.pop(key) for key in keys)
        if not self._group or (now < self._group_at and len(self._group) < self._settings.group_max):
            return ()
        keys = list(self._group)[: self._settings.group_max]
        return tuple(self._group.pop(key) for key in keys)

    def put(self, entry: m.OutboxEntry) -> list[m.Command]:
        """A message is to be sent; dropped if too many wait, what it tells of kept for later."""
        if self._is_full():
            limit = self._settings.outbox_max
            self._missed.update((alert.key, alert) for alert in entry.alerts)
            while len(self._missed) > self._settings.alerts_max:
                self._missed.popitem(last=False)
            return [m.RecordNotification(entry=entry, result="dropped", detail=f"{limit} messages wait, the limit")]
        self._entries.append(entry)
        return [m.RecordEntry(entry=entry)]

    def on_recorded(self, entry_id: str) -> None:
        """It outlives every process."""
        if any(entry.entry_id == entry_id for entry in self._entries):
            self._recorded.add(entry_id)

    def send(self, now: float) -> list[m.Command]:
        """The next message, if it may go now."""
        if not self._is_next_ready() or now < max(self._not_before, self._token_at()):
            return []
        self._fill(now)
        self._tokens -= 1.0
        self._sent_at = now
        entry = self._entries[0] = replace(self._entries[0], attempts=self._entries[0].attempts + 1)
        return [m.Send(entry=entry, attempt=entry.attempts)]

    def on_ended(self, event: m.SendEnded, now: float) -> list[m.Command]:
        """How the message in flight ended; what is told late of another is nothing."""
        entry = self._entries[0] if self._entries else None
        is_awaited = entry is not None and self._sent_at is not None
        if entry is None or not is_awaited or (entry.entry_id, entry.attempts) != (event.entry_id, event.attempt):
            return []
        self._sent_at = None
        if not event.ok and not event.permanent and entry.attempts < self._settings.attempts:
            wait_s = delay_s(
                "equal_jitter",
                failures=entry.attempts,
                min_s=self._settings.retry_min_s,
                max_s=self._settings.retry_max_s,
                previous_s=0.0,
                rng=self._rng,
            )
            self._not_before = now + max(wait_s, min(event.retry_after_s, self._settings.retry_max_s))
            return [m.RecordEntry(entry=entry)]
        self._entries.popleft()
        self._recorded.discard(entry.entry_id)
        result: m.Result = "sent" if event.ok else "failed"
        told = m.RecordNotification(entry=entry, result=result, detail=event.detail)
        return [m.ForgetEntry(entry_id=entry.entry_id), told]

    def expire(self, now: float) -> list[m.Command]:
        """A message of which nothing was heard has failed."""
        if self._sent_at is None or now < self._sent_at + self._channel.timeout_s + _ANSWER_S:
            return []
        entry = self._entries[0]
        ended = m.SendEnded(entry_id=entry.entry_id, attempt=entry.attempts, ok=False, detail="no answer in time")
        return self.on_ended(ended, now)

    def next_at(self) -> float | None:
        """When something is due, monotonic seconds, or None."""
        times: list[float] = []
        if self._group:
            times.append(self._group_at)
        if self._sent_at is not None:
            times.append(self._sent_at + self._channel.timeout_s + _ANSWER_S)
        elif self._is_next_ready():
            times.append(max(self._not_before, self._token_at()))
        return min(times, default=None)

    def _is_full(self) -> bool:
        return len(self._entries) >= self._settings.outbox_max

    def _is_next_ready(self) -> bool:
        return self._sent_at is None and bool(self._entries) and self._entries[0].entry_id in self._recorded

    def _token_at(self) -> float:
        """When the rate allows one more."""
        missing = max(0.0, 1.0 - self._tokens)
        return self._filled_at + missing * _MINUTE_S / self._channel.rate_per_min

    def _fill(self, now: float) -> None:
        passed_s = max(0.0, now - self._filled_at)
        self._filled_at = max(now, self._filled_at)
        filled = self._tokens + passed_s * self._channel.rate_per_min / _MINUTE_S + _EPSILON
        self._tokens = min(float(self._channel.burst), filled)
