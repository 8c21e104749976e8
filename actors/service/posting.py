"""What an owner has laid on the boards: a name, a word, and octets that carry when they were laid. Pure.

The agent that lays them puts its node's clock before them, so that whoever reads them knows how old they are; the
clock is CLOCK_MONOTONIC, which all processes of a Linux host share, and is read on no other host.

A state of any size is laid on pages (`board_pages`), each stamped for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from actors.runtime.board_pages import Page, join, pages
from actors.runtime.replicated import Replica, supersedes, unpack_word

_STAMP = Struct("<Q")


@dataclass(frozen=True, slots=True)
class Posting:
    """One thing to be laid.

    Attributes:
        name: On the board.
        word: What readers compare; a greater one is later.
        octets: What is read.
    """

    name: str
    word: int
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A state as it lies on a board.

    Attributes:
        replica: The state.
        age_s: How long it had lain there when it was read, seconds.
    """

    replica: Replica
    age_s: float


def stamped(octets: bytes, now_ns: int) -> bytes:
    """The octets as they lie on the board from `now_ns` on."""
    return _STAMP.pack(now_ns) + octets


def unstamped(laid: bytes, now_ns: int) -> tuple[float, bytes]:
    """How long ago it was laid, seconds, and the octets.

    Raises:
        ValueError: It bears no stamp.
    """
    if len(laid) < _STAMP.size:
        raise ValueError(f"{len(laid)} octets bear no stamp; run one release on the node")
    return max(0, now_ns - _STAMP.unpack_from(laid)[0]) / 1e9, laid[_STAMP.size :]


def state_name(key: str, topic: str) -> str:
    """The name on the board of one of a service's states."""
    return f"{key}/{topic}"


def postings_of(name: str, replica: Replica) -> list[Posting]:
    """A state's pages, in the order in which to lay them."""
    return [Posting(page, replica.word, octets) for page, octets in pages(name, replica.payload)]


def read_posted(name: str, read: Callable[[str], Page | None], now_ns: int) -> Posted | None:
    """The state of this name; None when it is not there, or its pages are being changed.

    Args:
        name: The state's.
        read: Reads one name from the board.
        now_ns: CLOCK_MONOTONIC, nanoseconds.
    Raises:
        ValueError: A page bears no stamp.
    """
    ages: list[float] = []

    def page(each: str) -> Page | None:
        found = read(each)
        if found is None:
            return None
        age_s, octets = unstamped(found[1], now_ns)
        ages.append(age_s)
        return found[0], octets

    joined = join(name, page)
    if joined is None:
        return None
    return Posted(replica=Replica(*unpack_word(joined[0]), joined[1]), age_s=min(ages))


def later_of(one: Posted | None, other: Posted | None) -> Posted | None:
    """The one that was said later; what was said last, read twice, is as old as it was when read last."""
    if one is None or other is None:
        return one or other
    return other if supersedes(other.replica, one.replica) else one
