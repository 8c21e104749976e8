"""A breakers' owner: its shell. What processes tell goes to their breakers' machines, what those want goes out.

    exchange: one thread, so that what a process tells is taken in order; those of this node use a socket instead
    news:     processes without a board wait here for what changes
    desk:     people's requests

One lock guards what is owned; neither users' functions nor Ray is called under it. What a machine publishes is laid on
the owner's own board first of all, and sent to the agents after the lock is released: who comes later has a greater
word, and no agent lays a smaller one over it.
"""

from __future__ import annotations

import pickle
import random
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import ray

from actors.breaker import messages as m
from actors.breaker.changelist import ChangeList
from actors.breaker.errors import TooManyBreakersError
from actors.breaker.names import NAMES_MAX
from actors.breaker.noticeboard import names_on_board
from actors.breaker.ownership import LOG_S, Commands, Definition, Found, Ownership, ReadLog
from actors.breaker.packing import pack_kept, pack_settings, unpack_kept, unpack_settings
from actors.breaker.parcels import CHANGES, Introduction, News, Parcel, Reply, Request, Said, posting
from actors.breaker.recovering import in_log, on_board
from actors.breaker.roll import Roll
from actors.breaker.rows import SNAPSHOTS, keeps, rows_of, snapshot, without_details
from actors.breaker.settings import BreakerSettings
from actors.breaker.view import BreakerView
from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.emitter import Emitter
from actors.runtime.errors import ConfigError, EventLogError
from actors.runtime.fault_passing import pass_point
from actors.runtime.fault_points import BREAKER_REPORT, ON, REPLIES
from actors.runtime.node import board_path, own_board_path
from actors.runtime.replicated import pack_word
from actors.runtime.shell import ActorShell, as_actor
from actors.runtime.vital_threads import vital_thread
from actors.service.boards import Boards, Postings
from actors.service.bulletin import own_bulletin
from actors.service.near import NearServer, near_address
from actors.service.ports import ServicePorts
from actors.service.posting import Posting
from actors.service.surroundings import Surroundings
from actors.service.writer import Writer

NEWS_THREADS = 32
DESK_THREADS = 8
GROUPS = {"exchange": 1, "news": NEWS_THREADS, "desk": DESK_THREADS}

WAITS_MAX = 4
"""Users' functions for `open_s` that run at a time; one that hangs leaves its breaker open for the longest wait."""

RECORDS_WAIT_S = 0.02
RECORDED_S = 2.0
"""How long the answer to a person waits for its record to be on the disk, seconds; it holds in any case."""

_NEWS_WAIT_MAX_S = 30.0
_TICK_S = 0.5


class BreakerActor(ActorShell):
    """Owns breakers.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads.
    """

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader)
        era = ports.era
        self._clock: Clock = SYSTEM_CLOCK
        self._era = era
        self._writer = Writer(owner=self.identity.key, incarnation=self.identity.incarnation, era=era)
        settings = BreakerSettings()
        self._ownership = Ownership(
            self.identity.key,
            life=self.identity.incarnation,
            default=Definition(settings=settings, packed=pack_settings(settings)),
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
        )
        self._owned = threading.Lock()
        self._due = threading.Condition(self._owned)
        self._changed = threading.Condition(self._owned)
        self._changes = ChangeList()
        self._wake_at = float("inf")
        self._wanted: set[str] = set()
        self._waits = ThreadPoolExecutor(WAITS_MAX, "breaker-wait")
        self._reader = ThreadPoolExecutor(1, "breaker-log")
        board = board_path(self.identity.supervisor)
        self._roll = Roll(partial(names_on_board, board), lambda: ports.settings or NAMES_MAX)
        own = own_bulletin(own_board_path(self.identity.supervisor, self.identity.key))
        here = str(ray.get_runtime_context().get_node_id())
        self._boards = Boards(str(self.identity), self._everything, changes=CHANGES, own=own, here=here)
        self._surroundings = Surroundings(self._boards.follow)
        transport = LogTransport(self._surroundings.log_writer)
        self._emitter = Emitter(transport, clock=self._clock, flush_s=RECORDS_WAIT_S)
        self._ended = False
        self._take_from_board()
        self._link = ports.follow(self._surroundings.take)
        vital_thread(self._keep_time, name="breaker-time").start()
        self._near = NearServer(near_address(board, str(self.identity)), self._take_parcel)

    # -- what processes say -----------------------------------------------------------------------------------------

    @ray.method(concurrency_group="exchange")
    def exchange(self, data: bytes) -> bytes:
        """Take what a process tells, in order, and answer it; a pickled `Parcel` in, a pickled `Reply` out."""
        return self._take_parcel(data)

    def _take_parcel(self, data: bytes) -> bytes:
        parcel: Parcel = pickle.loads(data)  # noqa: S301 - our own link made it
        if not ON:
            return self._take_in(parcel)
        names = dict.fromkeys([each.name for each in parcel.introductions] + [name for name, _ in parcel.events])
        for name in names:
            pass_point(BREAKER_REPORT, f"breaker/{name}")
        reply = self._take_in(parcel)
        for name in names:
            pass_point(BREAKER_REPORT, f"breaker/{name}", REPLIES)
        return reply

    def _take_in(self, parcel: Parcel) -> bytes:
        if parcel.introductions:
            self._boards.mind(parcel.process, parcel.node_id, parcel.identity)
        known = [(each, *_unpacked(each)) for each in parcel.introductions]
        asked = [(request, _asked(request)) for request in parcel.requests]
        unknown: dict[str, None] = {}
        refused: list[tuple[str, TooManyBreakersError]] = []

        def act(now: float) -> Commands:
            commands: Commands = []
            for each, definition, found in known:
                try:
                    self._see_room(each.name, known=found is not None)
                    commands += self._ownership.introduce(
                        each.name,
                        parcel.process,
                        node=parcel.node_id,
                        definition=definition,
                        found=found,
                        now=now,
                    )
                except TooManyBreakersError as error:
                    refused.append((each.name, error))
            for name, event in parcel.events:
                if self._ownership.knows(name):
                    commands += self._ownership.handle(name, event, now)
                else:
                    unknown[name] = None
            for request, wanted in asked:
                with suppress(ValueError, ConfigError, TooManyBreakersError):  # whoever asks is told through Ray
                    self._see_room(request.name)
                    commands += self._ownership.carry_out(request, wanted, now)
            return commands

        commands = self._decide(act)
        with self._owned:
            said = self._said(each.name for each, _, _ in known)
        answers = [(name, it) for name, it in commands if isinstance(it, m.GrantPermit | m.RefusePermit)]
        reply = Reply(said=said, answers=tuple(answers), unknown=tuple(unknown), refused=tuple(refused))
        return pickle.dumps(reply, 5)

    @ray.method(concurrency_group="news")
    def news(self, incarnation: int, number: int, timeout_s: float) -> News:
        """Wait for changes after the one that the asker knows; at once if it knows another life's."""
        mine = self.identity.incarnation
        known = number if incarnation == mine else 0
        deadline = self._clock.now() + min(timeout_s, _NEWS_WAIT_MAX_S)
        with self._changed:
            while self._changes.number <= known and not self._ended:
                left_s = deadline - self._clock.now()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            said = self._said(self._changes.since(known))
            return News(incarnation=mine, number=self._changes.number, said=said)

    @ray.method(concurrency_group="control")
    def process_died(self, process: str) -> None:
        """An agent tells of the death of a process that it minds."""
        self._boards.forget(process)
        self._decide(lambda now: self._ownership.process_died(process, now))

    # -- what people ask --------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="desk")
    def steer(self, request: Request) -> list[Said]:
        """Put a breaker into a state, or under other settings; returns what holds once that is on record.

        Raises:
            ConfigError: Who asks, or why, is no line of text.
            TooManyBreakersError: Nobody has used the name, and there is no room for another.
            ValueError: Too much is waiting.
        """
        asked = _asked(request)

        def act(now: float) -> Commands:
            self._see_room(request.name)
            return self._ownership.carry_out(request, asked, now)

        self._decide(act)
        with self._changed:
            self._changed.wait_for(lambda: self._ownership.is_decided(request.name), 2 * LOG_S)
        self._emitter.flush(RECORDED_S)
        with self._owned:
            return list(self._said((request.name,)))

    @ray.method(concurrency_group="desk")
    def views(self, names: tuple[str, ...] | None = None) -> list[tuple[str, BreakerView, bytes]]:
        """What people are told of breakers, of all when none are named: each view, and its settings packed."""
        with self._owned:
            now = self._clock.now()
            wanted = self._ownership.names() if names is None else names
            views = self._ownership.views(wanted, now)
            packed = {name: kept[1] for name, _ in views if (kept := self._ownership.kept(name, now)) is not None}
        plain = cast("BreakerSettings", None)
        return [(name, replace(view, settings=plain), packed[name]) for name, view in views]

    def vital_signs(self) -> dict[str, Any]:
        """Adds how many breakers it owns."""
        with self._owned:
            return {**super().vital_signs(), "breakers": len(self._ownership.names())}

    def on_stop(self) -> None:
        """What is on record is kept; what still calls waits for the next life."""
        with self._owned:
            self._ended = True
            self._due.notify_all()
            self._changed.notify_all()
        self._near.close()
        self._link.stop()
        self._boards.close()
        self._emitter.close(RECORDED_S)

    def _see_room(self, name: str, *, known: bool = False) -> None:
        """What an earlier life or owner has taken is taken."""
        if not known and not self._ownership.knows(name):
            self._roll.check(name, self._ownership.names(), self._clock.now())

    # -- deciding ---------------------------------------------------------------------------------------------------

    def _decide(self, act: Callable[[float], Commands]) -> Commands:
        """Let what is owned decide, and carry it out."""
        with self._owned:
            now = self._clock.now()
            commands = act(now)
            postings = self._publish(commands, now)
            lies_here = self._boards.lay_here(postings)
            self._note(commands, now)
        self._boards.send(postings, lies_here=lies_here)
        with self._owned:
            if self._next_at(now) < self._wake_at:
                self._due.notify_all()
        self._begin(commands)
        return commands

    def _publish(self, commands: Commands, now: float) -> Postings:
        """Tell who waits; returns what the boards are to have."""
        published = dict.fromkeys(name for name, command in commands if isinstance(command, m.Publish))
        postings = [self._posting(name, self._changes.note(name), now) for name in published]
        if postings:
            self._changed.notify_all()
        return postings

    def _note(self, commands: Commands, now: float) -> None:
        """Put it on record."""
        kept: dict[str, None] = {}
        at_us = self._clock.wall_us()
        for name, command in commands:
            if keeps(command):
                kept[name] = None
            for table, row in rows_of(name, command, self._writer, at_us):
                self._emitter.emit(table, row)
        for name in kept:
            self._emit_snapshot(name, now, at_us)

    def _emit_snapshot(self, name: str, now: float, at_us: int) -> None:
        found = None if self._ownership.awaits_log(name) else self._ownership.kept(name, now)
        if found is not None:
            kept = without_details(found[0])
            self._emitter.emit(SNAPSHOTS, snapshot(name, kept, pack_kept(kept, found[1]), self._writer, at_us))

    def _posting(self, name: str, number: int, now: float) -> Posting:
        said = self._ownership.said(name, now)
        assert said is not None, "only what decides publishes"
        return posting(said, pack_word(self.identity.incarnation, number))

    def _said(self, names: Iterable[str]) -> tuple[Said, ...]:
        now = self._clock.now()
        return tuple(said for name in names if (said := self._ownership.said(name, now)) is not None)

    def _everything(self) -> Postings:
        with self._owned:
            now = self._clock.now()
            names = [name for name in self._ownership.names() if self._ownership.is_decided(name)]
            return [self._posting(name, self._changes.number_of(name), now) for name in names]

    def _begin(self, commands: Commands) -> None:
        """What takes time goes on in a thread."""
        wanted = {name for name, command in commands if isinstance(command, ReadLog)}
        if wanted:
            with self._owned:
                is_first, self._wanted = not self._wanted, self._wanted | wanted
            if is_first:
                self._reader.submit(self._read_log)
        for name, command in commands:
            if isinstance(command, m.AskOpenWait):
                self._waits.submit(self._ask_wait, name, command)

    def _ask_wait(self, name: str, command: m.AskOpenWait) -> None:
        with self._owned:
            found = self._ownership.kept(name, self._clock.now())
        open_s = None if found is None else found[0].settings.open_s
        wait_s: float | None
        try:
            wait_s = float(open_s(command.openings)) if callable(open_s) else open_s
        except Exception:  # noqa: BLE001 - a user's function may raise anything: the longest wait holds
            wait_s = None
        answer = m.OpenWaitAnswered(generation=command.generation, wait_s=wait_s)
        self._decide(lambda now: self._ownership.handle(name, answer, now))

    def _keep_time(self) -> None:
        while not self._ended:
            with self._owned:
                now = self._clock.now()
                self._wake_at = self._next_at(now)
                if self._wake_at > now:
                    self._due.wait(self._wake_at - now)
                self._wake_at = float("-inf")
                is_due = (at := self._ownership.next_at()) is not None and at <= self._clock.now()
            if is_due:
                self._decide(self._ownership.pass_time)
            self._boards.catch_up()

    def _next_at(self, now: float) -> float:
        dues = (self._ownership.next_at(), self._boards.due_at, now + _TICK_S)
        return min(due for due in dues if due is not None)

    # -- what was before --------------------------------------------------------------------------------------------

    def _take_from_board(self) -> None:
        supervisor, key, mine = self.identity.supervisor, self.identity.key, self.identity.incarnation
        copies = list(on_board(supervisor, key, mine, self._clock.now_ns()))
        if copies:
            self._decide(
                lambda now: [command for name, found in copies for command in self._ownership.found(name, found, now)]
            )

    def _read_log(self) -> None:
        with self._owned:
            names, self._wanted = self._wanted, set()
        if not names:
            return
        try:
            found = in_log(self._surroundings.log_writer, sorted(names), era=self._era, now_us=self._clock.wall_us())
        except EventLogError:
            return  # what is not known by then begins by what is, and the log is asked again
        self._decide(partial(self._take_from_log, names, found))

    def _take_from_log(self, names: set[str], found: dict[str, Found], now: float) -> Commands:
        return [command for name in names for command in self._ownership.found_in_log(name, found.get(name), now)]


def _unpacked(introduction: Introduction) -> tuple[Definition | None, Found | None]:
    """What a process defines and what it knows, as values; unpickling may run users' code, so under no lock."""
    definition = found = None
    if introduction.settings is not None:
        settings = unpack_settings(introduction.settings)
        definition = Definition(settings=settings, packed=introduction.settings)
    if introduction.kept is not None:
        kept, packed = unpack_kept(introduction.kept)
        found = Found(kept=kept, settings=packed)
    return definition, found


def _asked(request: Request) -> m.ControlRequested | m.ConfigureRequested:
    """What somebody asks for; unpickling may run users' code, so under no lock."""
    settings, who, reason = request.settings, request.who, request.reason
    return request.control or m.ConfigureRequested(settings=unpack_settings(settings), who=who, reason=reason)


def breaker_actor() -> Any:
    """The Ray actor class of `BreakerActor`, with its concurrency groups."""
    return as_actor(BreakerActor, extra_groups=GROUPS)
