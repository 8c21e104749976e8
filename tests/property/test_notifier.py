"""Whatever receivers do and whenever the notifier dies: what was written down is not lost, no channel is flooded."""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.notifier import messages as m
from actors.notifier.machine import NotifierMachine
from actors.notifier.settings import ChannelSettings, NotifierSettings, RouteSettings

PER_MIN, BURST, ATTEMPTS = 6.0, 3, 4
SETTINGS = NotifierSettings(
    channels=tuple(
        ChannelSettings(name=name, url="json://localhost", rate_per_min=PER_MIN, burst=BURST) for name in ("x", "y")
    ),
    routes=(RouteSettings(channels=("x",)), RouteSettings(channels=("y",), severity="high")),
    group_s=1.0,
    group_max=3,
    repeat_s=60.0,
    attempts=ATTEMPTS,
    outbox_max=5,
)
KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
SEVERITIES = st.sampled_from(["low", "high", "critical"])


class Notifying(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now, self.life = 0.0, 0
        self.disk: dict[str, m.OutboxEntry] = {}
        self.ended: set[str] = set()
        self.sent_at: dict[str, list[float]] = {"x": [], "y": []}
        self.live()

    def live(self) -> None:
        self.life += 1
        self.machine = NotifierMachine(SETTINGS, rng=Random(self.life), life=str(self.life), now=self.now)
        self.unconfirmed: list[str] = []
        self.flying: list[m.Send] = []
        for times in self.sent_at.values():
            times.clear()  # the rate is one life's

    def tell(self, event: m.Event) -> None:
        for command in self.machine.handle(event, self.now):
            if isinstance(command, m.RecordEntry):
                self.disk[command.entry.entry_id] = command.entry
                self.unconfirmed.append(command.entry.entry_id)
            elif isinstance(command, m.ForgetEntry):
                del self.disk[command.entry_id]
            elif isinstance(command, m.Send):
                self.check_send(command)
            elif command.result != "dropped":
                assert command.entry.entry_id not in self.ended
                self.ended.add(command.entry.entry_id)

    def check_send(self, send: m.Send) -> None:
        entry = send.entry
        assert entry.entry_id in self.disk, "it is written down before it is sent"
        assert send.attempt <= ATTEMPTS + self.life
        assert len(entry.alerts) <= SETTINGS.group_max
        times = self.sent_at[entry.channel]
        times.append(self.now)
        for number, begun in enumerate(times):
            assert len(times) - number <= BURST + (self.now - begun) * PER_MIN / 60 + 1e-6
        self.flying = [each for each in self.flying if each.entry.channel != entry.channel]
        self.flying.append(send)

    @rule(key=KEYS, severity=SEVERITIES)
    def raise_alert(self, key: str, severity: str) -> None:
        alert = m.Alert(key=key, component="c", severity=severity, title=key)  # pyright: ignore[reportArgumentType]
        self.tell(m.AlertRaised(alert=alert, wall_s=self.now))

    @rule(key=KEYS)
    def resolve(self, key: str) -> None:
        self.tell(m.AlertResolved(key=key, wall_s=self.now))

    @precondition(lambda self: self.unconfirmed)
    @rule()
    def confirm(self) -> None:
        self.tell(m.EntryRecorded(entry_id=self.unconfirmed.pop(0)))

    @precondition(lambda self: self.flying)
    @rule(ok=st.booleans(), permanent=st.booleans(), twice=st.booleans())
    def end(self, ok: bool, permanent: bool, twice: bool) -> None:
        send = self.flying.pop(0)
        for _ in range(1 + twice):
            self.tell(m.SendEnded(entry_id=send.entry.entry_id, attempt=send.attempt, ok=ok, permanent=permanent))

    @rule(seconds=st.sampled_from([0.5, 5.0, 30.0, 100.0]))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.machine.next_timer()) is not None and at <= until:
            self.now = max(self.now, at)
            self.tell(m.TimePassed())
        self.now = until

    @rule()
    def die(self) -> None:
        self.live()
        self.tell(m.OutboxRecovered(entries=tuple(self.disk.values())))

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert all(waiting <= len(self.disk) for waiting in self.machine.waiting().values())

    def teardown(self) -> None:
        """With receivers that take everything, nothing waits in the end."""
        if not hasattr(self, "machine"):
            return
        while any(self.machine.waiting().values()) or self.machine.next_timer() is not None:
            while self.unconfirmed:
                self.confirm()
            while self.flying:
                self.end(ok=True, permanent=False, twice=False)
            self.wait(30.0)
        assert self.disk == {}


TestNotifying = Notifying.TestCase
TestNotifying.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
