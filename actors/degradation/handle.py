"""What a user holds of the degradation: the same in every thread, coroutine and process of the cluster.

Reading compares a word of the node's board and looks into a dictionary; it asks nobody, and goes on when every actor is
dead. When the word differs, the new state is read from the board once, and the comparison is made anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actors.degradation.features import Resolved
from actors.degradation.published import Published, Reader, Why
from actors.degradation.recent import DegradationChange, later_than
from actors.degradation.saying import STATE, Said, unpack
from actors.degradation.settings import AutoSettings, FeatureSettings, OverrideSettings, TenantSettings
from actors.runtime.arriving import Arriving
from actors.runtime.asker import who as this_user
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.stream import EventStream
from actors.service.twin import twin

if TYPE_CHECKING:
    from actors.degradation.actor import DegradationView
    from actors.degradation.statistics import DegradationStatistics
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient
    from actors.service.follower import StateFollower

FIRST_S = 1.0
"""How long the first reading waits for the owner's answer in a process that has no board, seconds."""

_AGAIN_S = 0.005
_NEVER = -1
"""No word of a board equals it."""

Needs = str | Iterable[str]
Limits = Mapping[str, Mapping[str, float]]


class DegradationHandle(Arriving):
    """Levels of service, and the features that they leave. Thread-safe; usable from any event loop; it pickles.

    Reading (`level`, `enabled`, `limit`, `why`) is local: coroutines read as everybody does. Whatever changes something
    waits until every process can know it; that, and what asks the owner, exists for coroutines with an `a` before its
    name.

    Args:
        client: This process's way to the owner.
        levels: From the fullest to the poorest, as configured.
        recipe: How another process gets its handle.
    """

    def __init__(self, client: ServiceClient, levels: tuple[str, ...], recipe: Callable[[], DegradationHandle]) -> None:
        self.client = client
        self._recipe = recipe
        self._lock = threading.Lock()
        self._unsaid = Reader(_nothing(levels[0]))
        self._reader = self._unsaid
        self._replica: Replica | None = None
        self._streams = _Streams(client, self._last_number)
        self._disarm: Callable[[], None] = _do_nothing
        self._armed: tuple[Sequence[int], int, int] = ((), 0, 0)
        self._follower: StateFollower = client.follow(STATE, self._on_state, eager=False)
        self._renew()

    def __repr__(self) -> str:
        return f"<degradation: {self.level}>"

    def _travel(self) -> tuple[Callable[[], DegradationHandle], Mapping[str, Any]]:
        return self._recipe, {}

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def level(self) -> str:
        """The level that holds."""
        return self._now().level

    @property
    def reason(self) -> str:
        """Why it holds."""
        return self._now().published.reason

    @property
    def features(self) -> tuple[str, ...]:
        """All that are declared, by name."""
        resolved = self._now().published.resolved
        return tuple(sorted((*resolved.plain, *resolved.partial)))

    def enabled(self, name: str, *, tenant: str | None = None) -> bool:
        """Whether a feature is on; at most 0.15 us, asks nobody.

        Args:
            name: The feature.
            tenant: For whom, where a rollout or an override decides; without one only what everybody gets is on.

        Raises:
            ConfigError: Nobody has declared it.
        """
        return self._slowly(name, tenant)

    def limit(self, name: str) -> float | None:
        """The most that may be used of a capability at this level; None if no level says so.

        Raises:
            ConfigError: No feature has declared it.
        """
        return self._now().limit(name)

    def why(self, name: str, *, tenant: str | None = None) -> tuple[Why, str]:
        """Why a feature is on or off: "on" "level" "needs" "rollout" "tenant", and the feature that this is due to.

        Raises:
            ConfigError: Nobody has declared it.
        """
        return self._now().why(name, tenant=tenant)

    def decided_by(self, name: str, *, tenant: str | None = None) -> Why:
        """What the answer for a tenant is due to: as `why`, but also for what is on, "rollout" or "tenant".

        Raises:
            ConfigError: Nobody has declared it.
        """
        return self._now().decided_by(name, tenant=tenant)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """All that features have declared limits of, by name."""
        return tuple(sorted(self._now().published.resolved.limits))

    @property
    def owner_heard(self) -> bool:
        """Whether the owner runs, or nobody has needed one yet; else all stays as it is."""
        return self._replica is None or self.client.is_running()

    def subscribe(self) -> EventStream[DegradationChange]:
        """Changes from now on and why, for `for` and `async for`; close it when it is no longer read."""
        self._now()
        return self._streams.open()

    asubscribe = twin(subscribe)

    # -- declaring ----------------------------------------------------------------------------------------------------

    def feature(
        self, name: str, *, lowest: str = "emergency", needs: Needs = (), limits: Limits | None = None, **who_gets: Any
    ) -> None:
        """Declare a feature; declared again as it is, nothing happens.

        Args:
            name: What it is, as "recommendations".
            lowest: The poorest level that it stays on in; left out, the poorest there is.
            needs: Features that it goes with; they are declared already.
            limits: Per capability the most of it per level; a level that is left out has the next fuller one's.
            **who_gets: `rollout`, per cent of the tenants, and `tenants`, who gets it or not whatever the rollout says;
                left out, they stay as they are.

        Raises:
            ConfigError: It cannot be: an unknown level, an unknown need, a ring of needs, a capability of another
                feature. All that is wrong is named, and nothing changed.
            ServiceUnreachableError: The owner did not answer in time; asked again, it is done once.
        """
        self._take(self.client.change("feature", _declared(name, lowest, needs, limits, who_gets)))

    afeature = twin(feature)

    def withdraw(self, name: str) -> None:
        """Take a feature back; one that is not declared stays so.

        Raises:
            ConfigError: Another one needs it.
            ServiceUnreachableError: See `feature`.
        """
        self._take(self.client.change("withdraw", name))

    awithdraw = twin(withdraw)

    def set_tenant(self, feature: str, tenant: str, on: bool | None) -> None:  # noqa: FBT001 - what it is set to
        """Say for one tenant whether it gets a feature, whatever the rollout says; None takes that back.

        Raises:
            ConfigError: Nobody has declared the feature, or that is no tenant, or neither True, False nor None.
            ServiceUnreachableError: See `feature`.
        """
        TenantSettings.parse({"tenant": tenant, "on": on}, source="degradation.set_tenant")
        self._take(self.client.change("tenant", feature, tenant, on))

    aset_tenant = twin(set_tenant)

    # -- by hand ------------------------------------------------------------------------------------------------------

    def set_level(self, level: str, *, reason: str, until_s: float | None = None, who: str | None = None) -> None:
        """Set the level by hand: the rules do not decide until its time is over, or `auto` is called.

        Args:
            level: The level.
            reason: Why; it is on record, beside who asked.
            until_s: For how long from now, seconds; None: until `auto`.
            who: Who asks; None: this user, host and process.

        Raises:
            ConfigError: There is no such level, or the time is over already.
            ServiceUnreachableError: See `feature`.
        """
        self._take(self.client.change("set_level", _override(level, reason, until_s, who)))

    aset_level = twin(set_level)

    def auto(self, *, reason: str = "", who: str | None = None) -> None:
        """Let the rules decide again. See `set_level` for the rest."""
        asked = AutoSettings.parse({"who": who or this_user(), "reason": reason}, source="degradation.auto")
        self._take(self.client.change("auto", asked.who, asked.reason))

    aauto = twin(auto)

    # -- looking ------------------------------------------------------------------------------------------------------

    def statistics(self) -> DegradationStatistics:
        """Time at each level, what was off for how long, and recoveries; asks the owner.

        Raises:
            ServiceUnreachableError: It did not answer in time.
        """
        return self.client.ask("statistics")

    astatistics = twin(statistics)

    def view(self) -> DegradationView:
        """Everything that people are told; asks the owner.

        Raises:
            ServiceUnreachableError: It did not answer in time.
        """
        return self.client.ask("view")

    aview = twin(view)

    # -- the word and the state ---------------------------------------------------------------------------------------

    def _now(self) -> Reader:
        """The reader of the latest state."""
        follower = self._follower
        replica = follower.look()
        if (
            replica is not self._replica
            or replica is None
            or self._armed != (follower.words, follower.at, follower.seen)
        ):
            self._renew()
        return self._reader

    def _slowly(self, name: str, tenant: str | None) -> bool:
        return self._now().enabled(name, tenant=tenant)

    def _on_state(self, _replica: Replica) -> None:
        """There is something new, on the board or not: the next reading looks."""
        self._disarm()

    def _renew(self) -> None:
        """Read what is new, and compare with its word from now on."""
        with self._lock:
            replica = self._follower.look()
            if replica is None:
                replica = self._first()
            if replica is not None and replica is not self._replica:
                self._replica, self._reader = replica, Reader(unpack(replica.payload).published)
            self._arm()

    def _arm(self) -> None:
        """Until its place's word is another one, or somebody says so, the reader's features are read."""
        follower, replica = self._follower, self._replica
        self._armed = words, at, seen = follower.words, follower.at, follower.seen
        word = _NEVER if replica is None else seen
        self._disarm()
        plain = self._reader.published.resolved.plain
        self.__dict__["enabled"], self._disarm = _make_enabled(words[at : at + 1], word, plain, self._slowly)
        if follower.replica is not replica:
            self._disarm()  # it was told of the next one just now

    def _first(self) -> Replica | None:
        """In a process without a board the owner is asked, and has not answered yet."""
        until = SYSTEM_CLOCK.now() + FIRST_S
        while self.client.is_running() and SYSTEM_CLOCK.now() < until:
            self._follower.find()
            replica = self._follower.look()
            if replica is not None:
                return replica
            sleep(_AGAIN_S)
        return None

    def _take(self, replica: Replica) -> None:
        """What this process has changed it reads at once, before its board tells."""
        self._follower.offer(replica)
        self._renew()

    def _last_number(self) -> int:
        replica = self._replica
        changes = () if replica is None else unpack(replica.payload).changes
        return changes[-1].number if changes else 0


class _Streams:
    """Those who want to be told of changes in one process."""

    def __init__(self, client: ServiceClient, last_number: Callable[[], int]) -> None:
        self.client = client
        self._last_number = last_number
        self._lock = threading.RLock()  # the first state may be told while it is begun to be followed
        self._streams: list[EventStream[DegradationChange]] = []
        self._follower: StateFollower | None = None
        self._told = 0

    def open(self) -> EventStream[DegradationChange]:
        stream: EventStream[DegradationChange] = EventStream()
        with self._lock:
            self._streams = [each for each in self._streams if not each.closed]
            if not self._streams:
                self._told = self._last_number()
            self._streams.append(stream)
            if self._follower is None:
                self._follower = self.client.follow(STATE, self._on_state)
        return stream

    def _on_state(self, replica: Replica) -> None:
        said: Said = unpack(replica.payload)
        with self._lock:
            changes, missed = later_than(said.changes, self._told)
            self._told = max(self._told, *(change.number for change in changes)) if changes else self._told
            self._streams = [each for each in self._streams if not each.closed]
            for stream in self._streams:
                stream.missed += missed
                for change in changes:
                    stream.put(change)


def _make_enabled(
    place: Sequence[int], word: int, plain: Mapping[str, bool], slowly: Callable[[str, str | None], bool]
) -> tuple[Callable[..., bool], Callable[[], None]]:
    """What `enabled` is until the next change: a comparison and a look-up; and what ends that.

    Its `tenant` may be given by position, which the method above does not promise: a keyword-only argument costs a
    tenth of the whole.
    """

    def enabled(name: str, tenant: str | None = None) -> bool:
        if place[0] == word:
            try:
                return plain[name]
            except KeyError:
                pass  # some tenants have it, or nobody has declared it
        return slowly(name, tenant)

    def disarm() -> None:
        nonlocal word
        word = _NEVER

    return enabled, disarm


def _do_nothing() -> None:
    """There is nothing to end yet."""


def _nothing(level: str) -> Published:
    nothing = Resolved(plain={}, partial={}, limits={})
    return Published(level=level, number=0, generation=0, reason="nothing was declared or set yet", resolved=nothing)


def _declared(
    name: str, lowest: str, needs: Needs, limits: Limits | None, who_gets: Mapping[str, Any]
) -> FeatureSettings:
    fields: dict[str, Any] = {"name": name, "lowest": lowest, "needs": needs}
    fields["limits"] = {} if limits is None else limits
    given = {field: value for field, value in who_gets.items() if value is not None}
    return FeatureSettings.parse(fields | given, source=f"degradation.feature({name!r})")


def _override(level: str, reason: str, until_s: float | None, who: str | None) -> OverrideSettings:
    fields = {"level": level, "who": who or this_user(), "reason": reason, "until_s": until_s}
    return OverrideSettings.parse(fields, source="degradation.set_level")
