"""Which checkpoint is the newest, which are kept, which is restored, and which are passed over. Pure.

Order is (era, incarnation, number). The era tells the cluster's lives apart: a cluster that is started anew counts
incarnations from 1 again, and must neither be fenced by its predecessor's checkpoints nor restore them for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from actors.checkpoint.format import Checkpoint, Damage, decode
from actors.runtime.errors import CheckpointMismatchError, CheckpointTooLargeError, StaleIncarnationError

KEEP = 3
"""How many checkpoints of a child are kept: the newest, and two to fall back to."""

LOG_BYTES_MAX = 8 << 20
"""The largest checkpoint that the event log takes: its writer has 48 MB of memory for all its work."""

Order = tuple[int, int, int]
"""(era, incarnation, number)."""

_SESSION = re.compile(r"session_(\d{4})-(\d\d)-(\d\d)_(\d\d)-(\d\d)-(\d\d)_")


@dataclass(frozen=True, slots=True)
class Found:
    """What a store has for a child.

    Attributes:
        checkpoint: The newest good one; None when there is none.
        skipped: Why newer ones were passed over, newest first; empty in a healthy store.
    """

    checkpoint: Checkpoint | None
    skipped: tuple[str, ...] = ()


def order_of(checkpoint: Checkpoint, era: int) -> Order:
    """Where a checkpoint of the cluster's life `era` stands among the others of its child."""
    return era, checkpoint.incarnation, checkpoint.number


def surplus(orders: Iterable[Order], keep: int = KEEP) -> list[Order]:
    """Those that are not among the newest `keep`, newest first."""
    return sorted(orders, reverse=True)[keep:]


def refuse_stale(key: str, order: Order, present: Iterable[Order]) -> None:
    """Refuse a checkpoint of a life that has been replaced: a later one has written already.

    Raises:
        StaleIncarnationError: It was replaced; what it wrote would never be restored.
    """
    era, incarnation, _ = order
    latest = max(((other, life) for other, life, _ in present), default=(era, incarnation))
    if latest > (era, incarnation):
        raise StaleIncarnationError(f"the checkpoint store, for {key},", sent_by=incarnation, accepted=latest[1])


def check_log_size(key: str, size_bytes: int) -> None:
    """Refuse an encoded checkpoint that is too large for the event log.

    Raises:
        CheckpointTooLargeError: It is; the message names the remedy.
    """
    if size_bytes > LOG_BYTES_MAX:
        raise CheckpointTooLargeError(key, size_bytes=size_bytes, limit_bytes=LOG_BYTES_MAX)


def choose(key: str, candidates: Iterable[tuple[str, bytes]], *, class_name: str, state_version: int) -> Found:
    """The first good one.

    Args:
        key: The child.
        candidates: What the store has, newest first: a label for people, and the bytes. No more are drawn than needed.
        class_name: The class that is to restore it.
        state_version: Its version of its state.
    Raises:
        CheckpointMismatchError: The newest sound one is of another class, state version or file format.
    """
    skipped: list[str] = []
    for label, data in candidates:
        read = decode(data)
        if isinstance(read, Checkpoint) and read.key == key:
            refuse_misfit(key, (read.class_name, read.state_version), (class_name, state_version))
            return Found(read, tuple(skipped))
        if isinstance(read, Damage) and read.kind == "newer":
            raise CheckpointMismatchError(
                key, found=label, expected="a format that this version reads", remedy=f"Upgrade: {read.reason}"
            )
        reason = read.reason if isinstance(read, Damage) else f"it is a checkpoint of {read.key}"
        skipped.append(f"{label}: {reason}")
    return Found(None, tuple(skipped))


def era_of_session(session: str) -> int:
    """The era of a Ray session, from its name: 20251125130405 of `session_2025-11-25_13-04-05_123456_7`, else 0."""
    found = _SESSION.match(session)
    return int("".join(found.groups())) if found else 0


def refuse_misfit(key: str, found: tuple[str, int], expected: tuple[str, int]) -> None:
    """Refuse a state that somebody else has written: another class, or another version of it.

    Args:
        key: The child.
        found: The class and the `checkpoint_version` that have written it.
        expected: Those that are to take it up.
    Raises:
        CheckpointMismatchError: They are not the same.
    """
    if found != expected:
        there, wanted = (f"{class_name} with checkpoint_version {version}" for class_name, version in (found, expected))
        raise CheckpointMismatchError(key, found=there, expected=wanted)
