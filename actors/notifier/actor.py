"""The notifier's actor: its shell. What people are to be told comes in, messages go out, each written down before.

    desk:  who wants people to be told
    send:  a thread for each channel that has a message in flight

What waits for company, and is in no message yet, lies on the boards: so the next life knows all that was acknowledged.
"""

from __future__ import annotations

import os
import pickle
import random
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never
from uuid import uuid4

from actors.notifier import messages as m
from actors.notifier import rows
from actors.notifier.channels import Channels
from actors.notifier.delivery import Delivery
from actors.notifier.machine import NotifierMachine
from actors.notifier.settings import ChannelSettings, NotifierSettings
from actors.notifier.zones import offsets_min
from actors.runtime.driving import Driver
from actors.runtime.errors import ConfigError, EventLogError
from actors.runtime.recording import Recorder
from actors.runtime.vital_threads import steady_thread
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.ports import ServicePorts

SEND_THREADS = 16
TESTS_MAX = 20
"""Tests of channels whose results are remembered."""

_TAKE_OVER_S = 15.0
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTest:
    """How a test message to one channel ended.

    Attributes:
        channel: The channel.
        kind: What it speaks.
        url: Its address, what is secret masked.
        ended: Whether it has.
        ok: Whether the message was taken.
        detail: In words, without secrets.
    """

    channel: str
    kind: str
    url: str
    ended: bool = False
    ok: bool = False
    detail: str = ""


class NotifierActor(ServiceActor):
    """See the module.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads, and the notifier's settings.
    """

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        self._settings: NotifierSettings = ports.settings or NotifierSettings()
        self._by_name = {channel.name: channel for channel in self._settings.channels}
        self._channels = Channels(ports.supervisor, os.environ, clock=self.clock)
        self._machine = NotifierMachine(
            self._settings,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
            life=f"{ports.era:x}.{self.identity.incarnation}",
            now=self.clock.now(),
        )
        self._driver: Driver[m.Event, m.Command] = Driver(
            self._machine, self._carry_out, time_passed=m.TimePassed(), clock=self.clock, name="notifier-time"
        )
        self._recorder = Recorder(self.records, name="notifier-record")
        self._senders = ThreadPoolExecutor(SEND_THREADS, "notifier-send")
        self._guard = threading.Lock()
        self._pending: OrderedDict[str, m.AlertRaised | m.AlertResolved] = OrderedDict()
        self._tests: OrderedDict[str, dict[str, Future[Delivery]]] = OrderedDict()
        self.changes = {"raise": self._raise, "resolve": self._resolve, "begin_test": self._begin_test}
        self.questions = {"test": self._test, "waiting": self._waiting, "lasting": self._lasting}
        self.begin()

    def take_over(self, left: Left | None) -> None:
        """Send what was written down, and tell what was acknowledged."""
        found = self._written_down()
        pending, told = self._left(left)
        with self._guard:
            self._pending.update((_key(event), event) for event in pending)
        self._driver.tell(m.OutboxRecovered(entries=found or (), told=told), *pending)
        with self._guard:
            self._keep()
        self._driver.start()
        if found is None:
            steady_thread(self._look_later, name="notifier-outbox").start()

    @staticmethod
    def _left(left: Left | None) -> tuple[tuple[Any, ...], tuple[m.KeptAlert, ...]]:
        """What the last life has acknowledged and not written down, and what it has told people of."""
        if left is None:
            return (), ()
        pending, told = pickle.loads(left.payload)  # noqa: S301 - our own former life made it
        return pending, tuple(replace(each, age_s=each.age_s + left.age_s) for each in told)

    def _written_down(self) -> tuple[m.OutboxEntry, ...] | None:
        """What the log has; None while it does not answer."""
        try:
            return rows.entries_of(self.query(rows.WAITING, patience_s=_TAKE_OVER_S), self.clock.wall_us())
        except EventLogError:
            return None

    def _look_later(self) -> None:
        """What earlier lives have left is sent as soon as the log says what that is; news does not wait for it."""
        while not self.is_ending.wait(_AGAIN_S):
            found = self._written_down()
            if found is not None:
                self._driver.tell(m.OutboxFound(entries=found))
                return

    def vital_signs(self) -> dict[str, Any]:
        """Adds how many messages wait."""
        return {**super().vital_signs(), "messages": sum(self._waiting().values())}

    def on_stop(self) -> None:
        """What was written down is sent by the next life."""
        self._driver.stop()
        self._recorder.stop()
        self._senders.shutdown(wait=False, cancel_futures=True)
        super().on_stop()

    # -- what processes ask -------------------------------------------------------------------------------------------

    def _raise(self, alert: m.Alert, channels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Have people told; returns the channels that will be."""
        self._refuse_unknown(channels)
        wall_s = self.clock.wall_us() / 1e6
        offsets = offsets_min(self._settings.zones, wall_s)
        event = m.AlertRaised(alert=alert, channels=channels, wall_s=wall_s, offsets_min=offsets)
        told = self._driver.ask(lambda: self._machine.channels_for(event))
        if told:
            self._note(event)
        self._driver.tell(event)
        return told

    def _resolve(self, key: str, detail: str = "", how: m.AlertEnd = "over") -> None:
        """What people were told of is over."""
        known = self._driver.ask(lambda: self._machine.told(key, self.clock.now()))
        wall_s = self.clock.wall_us() / 1e6
        event = m.AlertResolved(key=key, detail=detail, wall_s=wall_s, known=known, how=how)
        if self._driver.ask(lambda: self._machine.tells_end(event)):  # else nobody was told, and nobody has to be
            self._note(event)
        else:
            self._unnote(key)
        self._driver.tell(event)

    def _waiting(self) -> dict[str, int]:
        return self._driver.ask(self._machine.waiting)

    def _lasting(self) -> tuple[m.KeptAlert, ...]:
        """What people were told of and that lasts."""
        return self._driver.ask(lambda: self._machine.kept(self.clock.now()))

    def _begin_test(self, channels: tuple[str, ...] = ()) -> str:
        """Send a test message to these channels, or to all, past routes and limits; returns the test's name."""
        self._refuse_unknown(channels)
        name = uuid4().hex
        now_s = self.clock.wall_us() / 1e6
        alert = m.Alert(
            key=f"test/{name}",
            component="supervisor",
            severity="low",
            title=f"test message of supervisor {self.identity.supervisor}",
            body="Nothing is wrong: somebody has tried whether this channel works.",
            began_s=now_s,
        )
        futures = {
            each: self._senders.submit(self._deliver, self._by_name[each], f"test-{name}", alert)
            for each in channels or tuple(self._by_name)
        }
        with self._guard:
            self._tests[name] = futures
            if len(self._tests) > TESTS_MAX:
                self._tests.popitem(last=False)
        return name

    def _test(self, name: str) -> tuple[ChannelTest, ...] | None:
        """How a test goes; None: this life knows of none of that name."""
        with self._guard:
            futures = self._tests.get(name)
        if futures is None:
            return None
        return tuple(self._tested(each, future) for each, future in futures.items())

    def _tested(self, name: str, future: Future[Delivery]) -> ChannelTest:
        channel = self._by_name[name]
        told = ChannelTest(channel=name, kind=channel.kind, url=channel.shown_url)
        if not future.done():
            return told
        ended = future.result()
        return ChannelTest(
            channel=name, kind=channel.kind, url=channel.shown_url, ended=True, ok=ended.ok, detail=ended.detail
        )

    def _deliver(self, channel: ChannelSettings, entry_id: str, alert: m.Alert) -> Delivery:
        entry = m.OutboxEntry(entry_id=entry_id, channel=channel.name, alerts=(alert,), attempts=1)
        return self._channels.deliver(channel, entry)

    def _refuse_unknown(self, channels: tuple[str, ...]) -> None:
        unknown = [name for name in channels if name not in self._by_name]
        if unknown:
            there = ", ".join(self._by_name) or "none; the configuration's notifier.channels makes them"
            raise ConfigError(
                "channels", problems=tuple(f"there is no channel {name!r}; there are: {there}" for name in unknown)
            )

    # -- what is acknowledged and in no message yet -------------------------------------------------------------------

    def _note(self, event: m.AlertRaised | m.AlertResolved) -> None:
        with self._guard:
            self._pending[_key(event)] = event
            self._pending.move_to_end(_key(event))
            if len(self._pending) > self._settings.alerts_max:
                self._pending.popitem(last=False)
            self._keep()

    def _unnote(self, key: str) -> None:
        """What nobody was told of is over: the next life tells of it no more."""
        with self._guard:
            if isinstance(self._pending.get(key), m.AlertRaised):
                del self._pending[key]
                self._keep()

    def _settle(self, entry: m.OutboxEntry) -> None:
        """Its alerts are written down."""
        with self._guard:
            for alert in entry.alerts:
                event = self._pending.get(alert.key)
                if event is not None and isinstance(event, m.AlertRaised) == (alert.ended_s is None):
                    del self._pending[alert.key]
            self._keep()
        self.post()

    def _keep(self) -> None:
        """What is not written down yet is told by the next life; of the rest it knows that people were told."""
        told = self._driver.ask(lambda: self._machine.kept(self.clock.now()))
        told = tuple(each for each in told if each.alert.key not in self._pending)
        self.keep(pickle.dumps((tuple(self._pending.values()), told)))

    # -- what the machine wants ---------------------------------------------------------------------------------------

    def _carry_out(self, command: m.Command) -> None:
        at_us = self.clock.wall_us()
        match command:
            case m.RecordEntry(entry=entry):
                self._recorder.record([rows.waiting_row(entry, at_us)], partial(self._on_recorded, entry))
            case m.ForgetEntry(entry_id=entry_id):
                self._recorder.record([rows.forgotten_row(entry_id, at_us)])
            case m.RecordNotification():
                self._recorder.record([rows.history_row(command, at_us)])
            case m.Send():
                self._senders.submit(self._send, command)
            case _:
                assert_never(command)

    def _on_recorded(self, entry: m.OutboxEntry) -> None:
        self._settle(entry)
        self._driver.tell(m.EntryRecorded(entry_id=entry.entry_id))

    def _send(self, command: m.Send) -> None:
        entry = command.entry
        ended = self._channels.deliver(self._by_name[entry.channel], entry)
        self._driver.tell(
            m.SendEnded(
                entry_id=entry.entry_id,
                attempt=command.attempt,
                ok=ended.ok,
                permanent=ended.permanent,
                retry_after_s=ended.retry_after_s,
                detail=ended.detail,
            )
        )


def _key(event: m.AlertRaised | m.AlertResolved) -> str:
    return event.alert.key if isinstance(event, m.AlertRaised) else event.key


def notifier_actor() -> Any:
    """The Ray actor class of `NotifierActor`, with its concurrency groups."""
    return service_actor(NotifierActor)
