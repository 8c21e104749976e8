"""What the notifier's machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.recovery.strategies import Severity

Result = Literal["sent", "failed", "dropped"]

AlertEnd = Literal["over", "taken", "forgotten"]
"""How it ends for who was told: it is over; somebody has taken it over, and what becomes of it is told still; or nobody
follows it any more, which is news only where nobody had taken it over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What people are told of.

    Attributes:
        key: What it is the same by: told once while it lasts, and resolved by it.
        component: Which component it is about.
        severity: How bad it is.
        title: In a line.
        body: In more words, scrubbed.
        runbook: A link for whoever takes it.
        incident_id: The incident, if there is one.
        began_s: When it began, seconds since the Unix epoch.
        ended_s: When it was over; None while it lasts.
        repeated: How often it was raised without being told since it was told last.
        nth: Which time people are told of it; a later one than was told is told anew, under the same key.
    """

    key: str
    component: str
    severity: Severity
    title: str
    body: str = ""
    runbook: str = ""
    incident_id: str = ""
    began_s: float = 0.0
    ended_s: float | None = None
    repeated: int = 0
    nth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A message that waits or is on its way; written down before it is sent.

    Attributes:
        entry_id: Its name, unique over all lives; receivers know a message that comes twice by it.
        channel: Where it goes.
        alerts: What it tells of.
        attempts: How often it was tried.
        age_s: How long before this life it was written down or tried last, seconds; 0 for one of this life.
    """

    entry_id: str
    channel: str
    alerts: tuple[Alert, ...]
    attempts: int = 0
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlert:
    """An alert that people were told of and that lasts; no instant is in it, it crosses processes.

    Attributes:
        alert: The alert.
        channels: Who was told.
        age_s: How long ago, seconds.
        taken: Whether they were told, too, that somebody has taken it over.
    """

    alert: Alert
    channels: tuple[str, ...]
    age_s: float = 0.0
    taken: bool = False


# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """Somebody wants people to be told.

    Attributes:
        alert: Of what.
        channels: By which channels; empty: as the routes say.
        wall_s: The moment, seconds since the Unix epoch: routes have days and hours.
        offsets_min: How far the routes' time zones are ahead of UTC then, minutes, where that is known.
    """

    alert: Alert
    wall_s: float
    offsets_min: Mapping[str, int] = field(default_factory=dict[str, int])
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResolved:
    """What people were told of is over, for now or for good.

    Attributes:
        key: The alert's.
        wall_s: The moment, seconds since the Unix epoch.
        detail: In words.
        known: The alert, for a life that does not know it any more.
        how: How it ends.
    """

    key: str
    wall_s: float
    detail: str = ""
    known: KeptAlert | None = None
    how: AlertEnd = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecorded:
    """A message is written down; it outlives every process."""

    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEnded:
    """A message was handed over, or was not.

    Attributes:
        entry_id: Which.
        attempt: The one under which it was sent.
        ok: Whether it was taken.
        permanent: Whether it never will be (a wrong address, a refused key).
        retry_after_s: How long the receiver wants to be left alone, seconds.
        detail: In words, without secrets.
    """

    entry_id: str
    attempt: int
    ok: bool
    permanent: bool = False
    retry_after_s: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """It is time for what `next_timer` said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRecovered:
    """This life takes over. Before anything else.

    Attributes:
        entries: Messages that were written down and not forgotten, oldest first.
        told: Alerts that people were told of and that last, oldest first.
    """

    entries: tuple[OutboxEntry, ...]
    told: tuple[KeptAlert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFound:
    """The log answers again; it did not when this life took over.

    Attributes:
        entries: Messages that were written down and not forgotten, oldest first; those of this life are among them.
    """

    entries: tuple[OutboxEntry, ...]


Event = AlertRaised | AlertResolved | EntryRecorded | SendEnded | TimePassed | OutboxRecovered | OutboxFound

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """Write a message down, and confirm with `EntryRecorded`; it replaces its former record."""

    entry: OutboxEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetEntry:
    """A message is not to be sent any more."""

    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Hand a message over within the channel's timeout, and tell by `SendEnded`; its record is confirmed."""

    entry: OutboxEntry
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNotification:
    """Write to the log what became of a message; nothing of its address is in it."""

    entry: OutboxEntry
    result: Result
    detail: str = ""


Command = RecordEntry | ForgetEntry | Send | RecordNotification
