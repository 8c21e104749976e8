"""Where a child's state is kept outside its process: in its standbys, and in the checkpoint store."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from actors.checkpoint.format import Checkpoint
from actors.child.replication import StandbyLedger
from actors.runtime.errors import (
    CheckpointLostError,
    CheckpointMismatchError,
    StaleIncarnationError,
    SupervisorError,
)
from actors.runtime.ids import NAMESPACE

if TYPE_CHECKING:
    from actors.child.machine import Kept, TableRow
    from actors.child.protocol import Recipe
    from actors.runtime.clock import Clock
    from actors.runtime.ports import CheckpointStore, ChildPorts

KEEP_TIMEOUT_S = 1.0
"""How long a call waits for a standby to hold its state."""

STORE_BEHIND_S = 5.0
"""How often a replicated state is put into the store as well, seconds: what is lost when all who hold it are."""

STORE_PATIENCE_S = 1.0
"""How long a promotion that holds replicated state waits for a store that does not answer."""

_FORMAT = 1


class Snapshot(NamedTuple):
    """A child's state at one moment: the object's, and what it remembers of its callers."""

    number: int
    blob: bytes


class Restored(NamedTuple):
    """State to take up."""

    incarnation: int
    number: int
    state: bytes
    table: tuple[TableRow, ...]


def encode(state: bytes, table: tuple[TableRow, ...]) -> bytes:
    """What is replicated, as bytes."""
    return pickle.dumps((_FORMAT, state, table), 5)


def decode(incarnation: int, number: int, blob: bytes) -> Restored:
    """What `encode` was given.

    Raises:
        ValueError: Another version of this package made it.
    """
    form, state, table = pickle.loads(blob)  # noqa: S301 - our own bytes, from a standby's memory or a checked checkpoint
    if form != _FORMAT:
        raise ValueError(f"the state has form {form}, and this version reads form {_FORMAT}")
    return Restored(incarnation, number, state, table)


def keep_in_actor(name: str) -> Callable[..., Any] | None:
    """The remote `keep` of a standby's actor; None when there is no such actor any more."""
    try:
        return ray.get_actor(name, namespace=NAMESPACE).keep.remote
    except ValueError:
        return None


class Keeper:
    """Keeps the snapshots of one incarnation.

    Args:
        recipe: What the child is.
        incarnation: Which life of it.
        ports: The way to the store.
        clock: For the records.
        reach: Finds the remote `keep` of a standby by its actor's name.
    """

    def __init__(
        self,
        recipe: Recipe,
        incarnation: int,
        ports: ChildPorts,
        *,
        clock: Clock,
        reach: Callable[[str], Callable[..., Any] | None] = keep_in_actor,
    ) -> None:
        self._recipe = recipe
        self._incarnation = incarnation
        self._ports = ports
        self._clock = clock
        self._reach = reach
        self._lock = threading.Lock()
        self._ledger = StandbyLedger()
        self._ways: dict[str, Callable[..., Any]] = {}
        self._owed: dict[str, tuple[int, Any]] = {}
        self._last: Snapshot | None = None
        self._stored_number = 0
        self._stored_digest = b""
        self._storing = threading.Lock()
        self._has_shared = False

    @cached_property
    def _store(self) -> CheckpointStore:
        return self._ports.checkpoints(self._recipe.checkpoint_path)

    # -- keeping ----------------------------------------------------------------------------------------------------

    def replicate(self, snapshot: Snapshot) -> None:
        """Return once every standby or the store holds the snapshot; blocks for that long.

        One that lags may be accepted next, and then finds in the store what it has missed.

        Raises:
            StaleIncarnationError: A later incarnation was accepted.
            CheckpointLostError: Nobody took it.
        """
        self.remember(snapshot)
        self._hear_the_owing()
        self._send(snapshot)
        with self._lock:
            held = self._ledger.is_held(snapshot.number)
        if not held:
            self._store_or_lose(snapshot)

    def remember(self, snapshot: Snapshot) -> None:
        """Standbys that come are given this one, unless there is a newer one."""
        with self._lock:
            if self._last is None or self._last.number < snapshot.number:
                self._last = snapshot

    def is_newest(self, snapshot: Snapshot) -> bool:
        """Whether no newer one has come to be kept."""
        with self._lock:
            return self._last is None or self._last.number <= snapshot.number

    def attend(self, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """Learn which standbys there are; those that do not hold the last snapshot yet are given it.

        Returns: Those that hold it now.
        Raises: as `replicate`.
        """
        ways = {name: self._ways.get(name) or self._reach(name) for name in standbys}
        known = {name: way for name, way in ways.items() if way is not None}
        with self._lock:
            self._has_shared |= bool(known)
            self._ways = known
            self._ledger.attend(tuple(known))
            last = self._last
        if last is None:
            return tuple(known)
        self.replicate(last)
        with self._lock:
            return tuple(name for name in known if self._ledger.holds(name, last.number))

    def store_last(self) -> None:
        """Put what was replicated last into the store, too; that both lose it is left to worse days.

        Raises: whatever the store raises.
        """
        with self._lock:
            last = self._last
        if last is not None:
            self.store(last)

    def store(self, snapshot: Snapshot) -> int:
        """Put a snapshot into the store, unless it is there; returns the number of the checkpoint that holds it.

        Raises: whatever the store raises.
        """
        digest = hashlib.blake2b(snapshot.blob, digest_size=16).digest()
        with self._storing:
            if digest == self._stored_digest or snapshot.number <= self._stored_number:
                return self._stored_number
            self._store.put(self._checkpoint(snapshot))
            self._stored_number, self._stored_digest = snapshot.number, digest
        return snapshot.number

    def _checkpoint(self, snapshot: Snapshot) -> Checkpoint:
        recipe = self._recipe
        return Checkpoint(
            key=recipe.key,
            incarnation=self._incarnation,
            number=snapshot.number,
            class_name=recipe.class_name,
            state_version=recipe.state_version,
            at_us=self._clock.wall_us(),
            state=snapshot.blob,
        )

    def approach(self) -> None:
        """Open the way to the store: the first question to it takes tenths of a second, and a failover would wait."""
        recipe = self._recipe
        with suppress(Exception):  # the question that matters is asked again
            self._store.latest(recipe.key, class_name=recipe.class_name, state_version=recipe.state_version)

    # -- finding ----------------------------------------------------------------------------------------------------

    def find(self, kept: Kept | None) -> tuple[Restored | None, tuple[str, ...]]:
        """The newest of the replicated state and the stored checkpoint, and what was passed over on the way.

        A store that does not answer within 1 s holds nobody up who has replicated state.

        Raises: whatever the store raises when there is no replicated state, CheckpointMismatchError always.
        """
        if kept is None:
            return self._read_store()
        self._has_shared = True
        replicated = decode(kept.incarnation, kept.number, kept.blob)
        answers: list[tuple[Restored | None, tuple[str, ...]] | Exception] = []
        reader = threading.Thread(target=self._read_into, args=(answers,), name="supervisor-checkpoint", daemon=True)
        reader.start()
        reader.join(STORE_PATIENCE_S)
        answer = answers[0] if answers else TimeoutError(f"no answer within {STORE_PATIENCE_S:g} s")
        if isinstance(answer, StaleIncarnationError | CheckpointMismatchError):
            raise answer
        if isinstance(answer, Exception):
            return replicated, (f"the checkpoint store was passed over: {type(answer).__name__}: {answer}",)
        stored, skipped = answer
        if stored is None or stored[:2] < replicated[:2]:
            return replicated, skipped
        return stored, skipped

    def _read_into(self, answers: list[tuple[Restored | None, tuple[str, ...]] | Exception]) -> None:
        try:
            answers.append(self._read_store())
        except Exception as error:  # noqa: BLE001 - a store can raise anything; it is weighed by `find`
            answers.append(error)

    def _read_store(self) -> tuple[Restored | None, tuple[str, ...]]:
        recipe = self._recipe
        # First of all: what an earlier incarnation puts from now on is refused, and so never acknowledged by it.
        found = self._store.take_over(
            recipe.key, self._incarnation, class_name=recipe.class_name, state_version=recipe.state_version
        )
        checkpoint = found.checkpoint
        if checkpoint is None:
            return None, found.skipped
        return decode(checkpoint.incarnation, checkpoint.number, checkpoint.state), found.skipped

    # -- inside -----------------------------------------------------------------------------------------------------

    def _send(self, snapshot: Snapshot) -> None:
        """Give a snapshot to those in step and wait for them, a second at most."""
        with self._lock:
            names = self._ledger.behind(snapshot.number)
            ways = [(name, self._ways[name]) for name in names]
        key, form = self._recipe.key, self._recipe.form
        sent = {way(key, self._incarnation, snapshot.number, snapshot.blob, form): name for name, way in ways}
        if not sent:
            return
        ready, late = ray.wait(list(sent), num_returns=len(sent), timeout=KEEP_TIMEOUT_S)
        for ref in late:
            with self._lock:
                self._ledger.miss(sent[ref], snapshot.number)
                self._owed[sent[ref]] = (snapshot.number, ref)
        for ref in ready:
            self._hear(sent[ref], snapshot.number, ref)

    def _hear_the_owing(self) -> None:
        """Those that lagged and have answered by now are in step again."""
        if not self._owed:
            return
        with self._lock:
            owed = {ref: (name, number) for name, (number, ref) in self._owed.items()}
        ready, _ = ray.wait(list(owed), num_returns=len(owed), timeout=0)
        for ref in ready:
            name, number = owed[ref]
            with self._lock:
                self._owed.pop(name, None)
            self._hear(name, number, ref)

    def _hear(self, name: str, number: int, ref: Any) -> None:
        try:
            ray.get(ref, timeout=KEEP_TIMEOUT_S)
        except StaleIncarnationError:
            raise
        except ActorDiedError:
            with self._lock:
                self._ledger.forget(name)
        except (RayError, GetTimeoutError, SupervisorError):
            with self._lock:
                self._ledger.refuse(name)
        else:
            with self._lock:
                self._ledger.acknowledge(name, number)

    def _store_or_lose(self, snapshot: Snapshot) -> None:
        """The store is asked last. What it takes it would refuse of an incarnation that was replaced.

        Where standbys are the rule, and there is none just now, the memory of the store's process is as good.
        """
        recipe = self._recipe
        try:
            if self._has_shared:
                self._store.put_soon(self._checkpoint(snapshot))
                return
            if self.store(snapshot) == snapshot.number:
                return
            found = self._store.latest(recipe.key, class_name=recipe.class_name, state_version=recipe.state_version)
        except StaleIncarnationError:
            raise
        except Exception as error:
            raise CheckpointLostError(recipe.key, reason=f"{type(error).__name__}: {error}") from error
        newest = found.checkpoint
        if newest is not None and newest.incarnation > self._incarnation:
            raise StaleIncarnationError(recipe.key, sent_by=self._incarnation, accepted=newest.incarnation)
