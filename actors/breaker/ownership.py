"""The breakers that one actor owns, in one life of it: what it knows of each, and when it begins to decide. Pure.

How many there may be whoever tells of a new one has to see; see `roll`.

    unknown --introduced--> gathering --the log has answered, and processes had time to tell--> deciding
                                  +----the log is silent for too long--> deciding by what is known --it answers--+

A breaker that is gathering decides nothing: its processes go on by local rules, and whoever wants to probe is refused.
What is found (on the board, in the processes, in the log) is what the machine then goes on with; the newest counts.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.kept import Kept, newest, order_of
from actors.breaker.machine import BreakerMachine
from actors.breaker.on_record import checked_words
from actors.breaker.parcels import CauseWords, Request, Said, words_of
from actors.breaker.settings import BreakerSettings, describe_difference

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.published import Published
    from actors.breaker.view import BreakerView

GATHER_S = 0.25
"""How long a successor waits for what processes hold, seconds."""

LOG_S = 5.0
"""How long the log is waited for where nothing else is known, seconds: an override may be in it."""

LOG_TOO_S = 1.0
"""How long it is waited for where a process or a board has told: it may know later, and who asked for what."""

LOG_AGAIN_S = 1.0
"""A log that was silent is asked again after this, until it answers, seconds."""

ASK_AGAIN_S = 0.1
"""When whoever is refused a permit because nothing is decided yet may ask again, seconds."""

QUEUED_MAX = 100

CARRIED_OUT_MAX = 10_000
"""Requests that are known when they arrive once more; that is within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A copy of a breaker's state.

    Attributes:
        kept: As it was when it was found.
        settings: Its settings, packed.
        same_cluster: It is of this life of the cluster: permits of it may be out.
    """

    kept: Kept
    settings: bytes
    same_cluster: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What somebody wants a breaker to be, as a value and packed."""

    settings: BreakerSettings
    packed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """Look for the breaker in the log, and tell by `found_in_log`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBegun:
    """Write to the log that the breaker exists."""


Command = m.Command | ReadLog | RecordBegun
Commands = list[tuple[str, Command]]


@dataclass(slots=True)
class _Entry:
    """One breaker; without a machine it is gathering."""

    since: float
    definition: Definition | None = None
    copies: list[tuple[float, Found]] = field(default_factory=list[tuple[float, Found]])
    log_answered: bool = False
    queued: list[tuple[m.Event, bytes | None]] = field(default_factory=list[tuple[m.Event, bytes | None]])
    machine: BreakerMachine | None = None
    packed: bytes = b""
    defined: bool = False
    cause: CauseWords | None = None
    due: float | None = None
    ask_log_at: float | None = None
    began: tuple[Published | None, int] = (None, 0)
    asked: set[str] = field(default_factory=set[str])


class Ownership:
    """All breakers of one owner.

    Args:
        owner: The owner's key.
        life: The number of its life, from 1.
        default: The settings of whatever nobody defines.
        rng: The source of chance.
    """

    def __init__(self, owner: str, *, life: int, default: Definition, rng: Chance) -> None:
        self._owner = owner
        self._life = life
        self._default = default
        self._rng = rng
        self._entries: dict[str, _Entry] = {}
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        self._nodes: dict[str, str] = {}
        self._agenda: list[tuple[float, str]] = []
        self._carried_out: dict[str, None] = {}

    # -- who uses what ----------------------------------------------------------------------------------------------

    def introduce(
        self, name: str, process: str, *, node: str, definition: Definition | None, found: Found | None, now: float
    ) -> Commands:
        """A process of a node uses a breaker, and says what it knows of it."""
        entry, commands = self._entry(name, now)
        self._users[process].add(name)
        self._nodes[process] = node
        if entry.machine is None:
            if found is not None:
                entry.copies.append((now, found))
            entry.definition = entry.definition or definition
            return [*commands, *self._settle(name, entry, now)]
        commands += self._apply(name, entry, m.ReporterSeated(reporter=process, node=node), None, now)
        if definition is not None and not entry.defined:
            entry.defined = True
            if describe_difference(entry.machine.settings, definition.settings):
                asked = m.ConfigureRequested(settings=definition.settings, who=process, reason="its first definition")
                commands += self._apply(name, entry, asked, definition.packed, now)
        return commands

    def _entry(self, name: str, now: float) -> tuple[_Entry, Commands]:
        entry = self._entries.get(name)
        if entry is not None:
            return entry, []
        entry = self._entries[name] = _Entry(since=now)
        self._schedule(name, entry, now + GATHER_S)
        return entry, [(name, ReadLog())]

    def found(self, name: str, found: Found, now: float) -> Commands:
        """A copy lay on the board; tell of it before anything else."""
        entry, commands = self._entry(name, now)
        entry.copies.append((now, found))
        return commands

    def found_in_log(self, name: str, found: Found | None, now: float) -> Commands:
        """What the log has of a breaker; None when it has nothing."""
        entry = self._entries.get(name)
        if entry is None or (entry.machine is not None and entry.ask_log_at is None):
            return []
        entry.log_answered = True
        if entry.machine is not None:
            return self._catch_up(name, entry, found, now)
        if found is not None:
            entry.copies.append((now, found))
        return self._settle(name, entry, now)

    def process_died(self, process: str, now: float) -> Commands:
        """Whatever it held is free, and what it said is over."""
        self._nodes.pop(process, None)
        return [
            command
            for name in sorted(self._users.pop(process, ()))
            for command in self.handle(name, m.HolderDied(holder=process), now)
        ]

    # -- what happens -----------------------------------------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether it was introduced."""
        return name in self._entries

    def handle(self, name: str, event: m.Event, now: float) -> Commands:
        """Something happened to a breaker that is known."""
        entry = self._entries[name]
        if entry.machine is not None:
            return self._apply(name, entry, event, None, now)
        if isinstance(event, m.PermitRequested):
            refusal = m.RefusePermit(holder=event.holder, request=event.request, retry_after_s=ASK_AGAIN_S)
            return [(name, refusal)]
        return []  # of a generation that is over

    def carry_out(self, request: Request, asked: m.ControlRequested | m.ConfigureRequested, now: float) -> Commands:
        """Somebody asks for a state or for settings; while nothing is decided yet it is kept until then.

        Args:
            request: The request; one that was carried out already changes nothing.
            asked: What it asks for, unpacked.
            now: Monotonic seconds.

        Raises:
            ConfigError: Who asks, or why, is no line of text.
            ValueError: Too much is waiting.
        """
        action = asked.action if isinstance(asked, m.ControlRequested) else "configure"
        checked_words(action, who=asked.who, reason=asked.reason)
        if request.key in self._carried_out:
            return []
        name, packed = request.name, request.settings or None
        kind = "settings" if isinstance(asked, m.ConfigureRequested) else "state"
        entry, commands = self._entry(name, now)
        if entry.machine is not None:
            commands = self._apply(name, entry, asked, packed, now)
        elif len(entry.queued) >= QUEUED_MAX:
            raise ValueError(f"{QUEUED_MAX} requests wait for breaker {name!r} already; ask again in {LOG_S:g} s")
        else:
            entry.queued.append((asked, packed))
        entry.asked.add(kind)
        self._carried_out[request.key] = None
        if len(self._carried_out) > CARRIED_OUT_MAX:
            del self._carried_out[next(iter(self._carried_out))]
        return commands

    def next_at(self) -> float | None:
        """When `pass_time` is due, monotonic seconds, or None."""
        while self._agenda and self._entries[self._agenda[0][1]].due != self._agenda[0][0]:
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def pass_time(self, now: float) -> Commands:
        """Let happen what is due."""
        commands: Commands = []
        while (due := self.next_at()) is not None and due <= now:
            name = heapq.heappop(self._agenda)[1]
            entry = self._entries[name]
            entry.due = None
            if entry.machine is None:
                commands += self._settle(name, entry, now)
            else:
                if entry.ask_log_at is not None and entry.ask_log_at <= now:
                    entry.ask_log_at = now + LOG_AGAIN_S
                    commands.append((name, ReadLog()))
                commands += self._apply(name, entry, m.TimePassed(), None, now)
        return commands

    # -- what is told -----------------------------------------------------------------------------------------------

    def names(self) -> tuple[str, ...]:
        """Every breaker, in the order in which they came."""
        return tuple(self._entries)

    def is_decided(self, name: str) -> bool:
        """Whether it has begun to decide."""
        entry = self._entries.get(name)
        return entry is not None and entry.machine is not None

    def awaits_log(self, name: str) -> bool:
        """Whether it decides, and the log may yet tell what somebody asked for: until then nothing is put over it."""
        entry = self._entries.get(name)
        return entry is not None and entry.ask_log_at is not None

    def said(self, name: str, now: float) -> Said | None:
        """What holds; None while nothing is decided."""
        entry = self._entries.get(name)
        if entry is None or entry.machine is None:
            return None
        published = entry.machine.published(now)
        return Said(
            name=name,
            published=published,
            settings=entry.packed,
            owner=self._owner,
            cause=entry.cause,
        )

    def kept(self, name: str, now: float) -> tuple[Kept, bytes] | None:
        """What a successor must know, and the packed settings; None while nothing is decided."""
        entry = self._entries.get(name)
        return None if entry is None or entry.machine is None else (entry.machine.kept(now), entry.packed)

    def views(self, names: Iterable[str], now: float) -> list[tuple[str, BreakerView]]:
        """What people are told of those of these that have begun to decide."""
        entries = ((name, self._entries.get(name)) for name in names)
        found = [(name, entry.machine, entry.ask_log_at) for name, entry in entries if entry is not None]
        return [
            (name, replace(machine.view(now), log_unread=ask_log_at is not None))
            for name, machine, ask_log_at in found
            if machine is not None
        ]

    # -- beginning to decide ----------------------------------------------------------------------------------------

    def _settle(self, name: str, entry: _Entry, now: float) -> Commands:
        """Begin to decide if all is told that can be expected."""
        waited_s = now - entry.since
        had_predecessor = self._life > 1 or any(found.same_cluster for _, found in entry.copies)
        heard = waited_s >= GATHER_S or not had_predecessor
        patience_s = LOG_TOO_S if entry.copies else LOG_S
        if (heard and entry.log_answered) or waited_s >= patience_s:
            return self._begin(name, entry, now)
        self._schedule(name, entry, entry.since + (GATHER_S if waited_s < GATHER_S else patience_s))
        return []

    def _begin(self, name: str, entry: _Entry, now: float) -> Commands:
        copies = [(found, found.kept.aged(now - at)) for at, found in entry.copies]
        kept = newest(copy for _, copy in copies)
        given = entry.definition
        if kept is None:
            chosen = given or self._default
            entry.packed, entry.defined = chosen.packed, given is not None
            entry.machine = BreakerMachine(chosen.settings, rng=self._rng, incarnation=self._life, now=now)
            begun = m.Publish(published=entry.machine.published(now), settings=chosen.settings)
            commands: Commands = [(name, RecordBegun()), (name, begun)]
        else:
            commands = self._resume(name, entry, kept, [found for found, _ in copies], now)
        for process in sorted(each for each, names in self._users.items() if name in names):
            seated = m.ReporterSeated(reporter=process, node=self._nodes[process])
            commands += self._apply(name, entry, seated, None, now)
        for event, packed in entry.queued:
            commands += self._apply(name, entry, event, packed, now)
        entry.copies, entry.queued, entry.definition = [], [], None
        assert entry.machine is not None
        entry.began = (None if kept is None else kept.published, entry.machine.generation)
        entry.ask_log_at = None if entry.log_answered else now + LOG_AGAIN_S
        self._reschedule(name, entry)
        return commands

    def _catch_up(self, name: str, entry: _Entry, found: Found | None, now: float) -> Commands:
        """The log was silent when it began: what it has counts where nobody knew it, or asked otherwise since."""
        assert entry.machine is not None, "it decides"
        entry.ask_log_at = None
        former, generation = entry.began
        commands: Commands = [(name, RecordBegun())]
        if found is not None and (former is None or order_of(found.kept.published) > order_of(former)):
            takes_settings = "settings" not in entry.asked
            late = m.LogAnswered(
                kept=found.kept,
                takes_state="state" not in entry.asked,
                takes_settings=takes_settings,
                takes_wait="state" not in entry.asked and entry.machine.generation == generation,
            )
            packed = found.settings if takes_settings and found.kept.published.rules > 1 else None
            commands += self._apply(name, entry, late, packed, now)
        self._reschedule(name, entry)
        return commands

    def _resume(self, name: str, entry: _Entry, kept: Kept, copies: list[Found], now: float) -> Commands:
        source = next(found for found in copies if _same_rules(found.kept, kept))
        same_cluster = any(found.same_cluster for found in copies)
        # What stood in code when the former cluster ended is for the code of this one to say; `configure` outlives it.
        may_define = not same_cluster and kept.published.rules == 1
        entry.packed, entry.defined = source.settings, not may_define or entry.definition is not None
        if may_define and entry.definition is not None:
            entry.packed = entry.definition.packed
            kept = replace(kept, settings=entry.definition.settings)
        life = max(self._life, kept.published.incarnation + 1)
        entry.machine = BreakerMachine(kept.settings, rng=self._rng, incarnation=life, now=now)
        entry.cause = words_of(kept.overridden_by or (kept.opened_by if kept.published.state == "open" else None))
        shut_s = kept.settings.permit_lease_s if same_cluster else 0.0
        recovered = m.StateRecovered(kept=kept, unknown_leases_s=shut_s)
        return [(name, RecordBegun()), *self._apply(name, entry, recovered, None, now)]

    # -- deciding ---------------------------------------------------------------------------------------------------

    def _apply(self, name: str, entry: _Entry, event: m.Event, packed: bytes | None, now: float) -> Commands:
        assert entry.machine is not None, "it decides"
        if packed is not None:
            entry.packed, entry.defined = packed, True
        commands: Commands = [(name, command) for command in entry.machine.handle(event, now)]
        for _, command in commands:
            if isinstance(command, m.RecordTransition):
                entry.cause = words_of(command.cause)
        self._reschedule(name, entry)
        return commands

    def _reschedule(self, name: str, entry: _Entry) -> None:
        assert entry.machine is not None, "it decides"
        dues = (entry.machine.next_timer(), entry.ask_log_at)
        self._schedule(name, entry, min((at for at in dues if at is not None), default=None))

    def _schedule(self, name: str, entry: _Entry, at: float | None) -> None:
        if at != entry.due:
            entry.due = at
            if at is not None:
                heapq.heappush(self._agenda, (at, name))


def _same_rules(one: Kept, other: Kept) -> bool:
    return order_of(one.published) == order_of(other.published)
