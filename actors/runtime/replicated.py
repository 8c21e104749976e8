"""Replicated state: one owner publishes, everybody follows, and nobody is fooled by an owner that was replaced.

Each value carries the owner's incarnation and a version that the owner counts up; later means lexicographically
greater. A follower takes only later values. Its copy is fresh for a lease after it last heard the owner; whoever reads
a copy that is not fresh falls back to what is safe for him (a breaker: closed by local rules, open stays open).

    owner:      publish --changed--> version + 1 --unchanged--> the same replica
    follower:   later -> taken, lease renewed | same -> lease renewed | earlier version -> dropped
                earlier incarnation -> refused and counted, lease untouched

Pure: instants come in as `now`, monotonic seconds of the process that follows; none crosses a process.
"""

from __future__ import annotations

from dataclasses import dataclass

INCARNATION_BITS = 24
VERSION_BITS = 40


@dataclass(frozen=True, slots=True)
class Replica:
    """One value of an owner's state.

    Attributes:
        incarnation: Which life of the owner said it, from 1.
        version: The how-manieth value of that life, from 1.
        payload: The value, encoded by its concern.
    """

    incarnation: int
    version: int
    payload: bytes

    @property
    def word(self) -> int:
        """The replica's word for the board, see `pack_word`."""
        return pack_word(self.incarnation, self.version)


def supersedes(new: Replica, old: Replica | None) -> bool:
    """Whether `new` was said later than `old`: by a later incarnation, or later by the same one."""
    return old is None or (new.incarnation, new.version) > (old.incarnation, old.version)


def pack_word(incarnation: int, version: int) -> int:
    """Both numbers in 64 bits, ordered as the pair is: 24 bits of incarnation above 40 bits of version.

    Raises:
        ValueError: A number is negative or too large.
    """
    if not 0 <= incarnation < 1 << INCARNATION_BITS:
        raise ValueError(
            f"incarnation {incarnation} does not fit {INCARNATION_BITS} bits; start over under another name"
        )
    if not 0 <= version < 1 << VERSION_BITS:
        raise ValueError(f"version {version} does not fit {VERSION_BITS} bits; begin a new incarnation")
    return incarnation << VERSION_BITS | version


def unpack_word(word: int) -> tuple[int, int]:
    """The incarnation and version of a word.

    Raises:
        ValueError: It has more than 64 bits, or is negative.
    """
    if not 0 <= word < 1 << (INCARNATION_BITS + VERSION_BITS):
        raise ValueError(f"{word} is not an unsigned word of 64 bits; only what pack_word made can be unpacked")
    return word >> VERSION_BITS, word & (1 << VERSION_BITS) - 1


class OwnedState:
    """The owner's side: the current value and its number.

    Args:
        incarnation: This life of the owner, from 1, committed before it is used.
    """

    def __init__(self, incarnation: int) -> None:
        if incarnation < 1:
            raise ValueError(f"incarnation {incarnation}: lives are counted from 1")
        pack_word(incarnation, 0)
        self._incarnation = incarnation
        self._current: Replica | None = None

    @property
    def incarnation(self) -> int:
        return self._incarnation

    @property
    def current(self) -> Replica | None:
        """The value last published; None before the first, so that a successor shows nothing until it knows."""
        return self._current

    def inherit(self, replica: Replica) -> bool:
        """Show a predecessor's value until this life publishes its own.

        Returns: Whether it was taken: it is later than the one shown, and not from this life or a later one.
        """
        if replica.incarnation >= self._incarnation or not supersedes(replica, self._current):
            return False
        self._current = replica
        return True

    def publish(self, payload: bytes) -> Replica:
        """Make `payload` the current value; one that equals this life's current value keeps its version."""
        own = self._current if self._current is not None and self._current.incarnation == self._incarnation else None
        if own is not None and own.payload == payload:
            return own
        version = 1 if own is None else own.version + 1
        self._current = Replica(self._incarnation, version, payload)
        return self._current

    def newer_than(self, incarnation: int, version: int) -> Replica | None:
        """The current value if it is later than what the asker knows; (0, 0) knows nothing."""
        current = self._current
        if current is None or (current.incarnation, current.version) <= (incarnation, version):
            return None
        return current


class ReplicaFollower:
    """A reader's side: the latest value heard, and whether its owner was heard lately.

    Args:
        lease_s: How long a copy is fresh after the owner was heard, seconds.
    """

    def __init__(self, lease_s: float) -> None:
        if not lease_s > 0:
            raise ValueError(f"lease_s={lease_s}: a lease must be longer than 0 seconds")
        self._lease_s = lease_s
        self._current: Replica | None = None
        self._heard_at: float | None = None
        self._refused = 0

    @property
    def current(self) -> Replica | None:
        """The latest value, fresh or not; None before the first."""
        return self._current

    @property
    def known(self) -> tuple[int, int]:
        """The incarnation and version to ask the owner with; (0, 0) before the first value."""
        return (self._current.incarnation, self._current.version) if self._current is not None else (0, 0)

    @property
    def refused(self) -> int:
        """How often an earlier incarnation than the known one spoke."""
        return self._refused

    def offer(self, replica: Replica, now: float) -> bool:
        """Take the replica if it is later than the known one.

        Args:
            replica: What the owner said.
            now: When the owner certainly held it still, monotonic seconds: when the question was sent, if it was asked.
        Returns: Whether it was taken.
        """
        if self._is_stale(replica.incarnation):
            return False
        if supersedes(replica, self._current):
            self._current = replica
            self._renew(now)
            return True
        if replica == self._current:
            self._renew(now)
        return False

    def heard(self, now: float, *, incarnation: int | None = None) -> bool:
        """Renew the lease: the owner said that there is nothing newer.

        Args:
            now: As in `offer`.
            incarnation: Who said it; None when that is certain.
        Returns: False when an earlier incarnation said it, which renews nothing.
        """
        if incarnation is not None and self._is_stale(incarnation):
            return False
        self._renew(now)
        return True

    def fresh(self, now: float) -> bool:
        """Whether there is a value and its owner was heard within the lease."""
        return self._current is not None and self._heard_at is not None and now - self._heard_at <= self._lease_s

    def _is_stale(self, incarnation: int) -> bool:
        stale = self._current is not None and incarnation < self._current.incarnation
        self._refused += stale
        return stale

    def _renew(self, now: float) -> None:
        self._heard_at = now if self._heard_at is None else max(self._heard_at, now)
