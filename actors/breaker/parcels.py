"""What processes and owners say to each other. Pure.

    process --Parcel: who it is, what it knows, what happened--> owner --Reply: what holds, permits--> process

Everything of one process for one owner travels in one call, in order. What an owner does not know, it asks to be
introduced to (again): so a successor learns what the processes hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from struct import Struct
from typing import TYPE_CHECKING, cast

from actors.breaker import messages as m
from actors.breaker.kept import Kept, KeptLease
from actors.breaker.published import OVERRIDING, Published
from actors.service.posting import Posting, unstamped

if TYPE_CHECKING:
    from actors.breaker.errors import TooManyBreakersError
    from actors.breaker.settings import BreakerSettings
    from actors.runtime.process import ProcessIdentity

BOARD_PREFIX = "breaker/"
"""What the name of a breaker on the board begins with."""

CHANGES = "breakers"
"""The name on the board whose word counts the changes of all breakers."""

DETAIL_MAX = 200
"""Characters of a cause that every process is told; the log has all."""

_CAUSE = 4

CauseWords = tuple[str, str, str, str]
"""A cause's kind and detail, who asked for it and why."""

_SIZES = Struct("<HH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """A process uses a breaker.

    Attributes:
        name: The breaker's.
        settings: What the process defines it to be, packed; None when it takes it as it is.
        kept: What the process was told of it by an earlier owner and the permits that it holds, packed; None: nothing.
    """

    name: str
    settings: bytes | None
    kept: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for. It may arrive twice, over a socket at once and through Ray for its answer.

    Attributes:
        key: Names it in the cluster; what has arrived already is not carried out again.
        name: The breaker; if nobody has used it yet it begins with this.
        control: The state that is asked for; None: other settings.
        settings: The packed settings that are asked for.
        who: Who asks.
        reason: Why.
    """

    key: str
    name: str
    control: m.ControlRequested | None
    settings: bytes
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one process tells one owner.

    Attributes:
        process: Its name among reporters, unique in the cluster.
        node_id: Where it runs.
        identity: Its life, for whoever watches over its death.
        introductions: Breakers that the owner is to know of.
        events: What happened, oldest first, each with the breaker's name.
        requests: What people ask for, after that; their answers come through Ray.
    """

    process: str
    node_id: str
    identity: ProcessIdentity
    introductions: tuple[Introduction, ...] = ()
    events: tuple[tuple[str, m.Event], ...] = ()
    requests: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an owner says of a breaker.

    Attributes:
        name: The breaker's.
        published: Its state.
        settings: Those in force, packed.
        owner: The key of the actor that says it.
        cause: What began this generation, if that is known.
    """

    name: str
    published: Published
    settings: bytes
    owner: str = ""
    cause: CauseWords | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an owner answers to a parcel.

    Attributes:
        said: What holds of the breakers that were introduced; those that are missing are still being looked for.
        answers: To requests for permits.
        unknown: Breakers that something was told of and that are to be introduced.
        refused: Breakers that the owner has no room for, and how many there may be.
    """

    said: tuple[Said, ...] = ()
    answers: tuple[tuple[str, m.GrantPermit | m.RefusePermit], ...] = ()
    unknown: tuple[str, ...] = ()
    refused: tuple[tuple[str, TooManyBreakersError], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed at an owner since somebody asked last.

    Attributes:
        incarnation: The owner's life.
        number: That of the latest change, to ask with next.
        said: What holds of those that changed.
    """

    incarnation: int
    number: int
    said: tuple[Said, ...]


def words_of(cause: m.Cause | None) -> CauseWords | None:
    """A cause without the calls behind it."""
    if cause is None:
        return None
    detail, who, reason = (text[:DETAIL_MAX].replace("\0", " ") for text in (cause.detail, cause.who, cause.reason))
    return cause.kind, detail, who, reason


def kept_of(said: Said, settings: BreakerSettings, leases: tuple[KeptLease, ...] = ()) -> Kept:
    """What whoever was told this can tell a successor."""
    cause = cause_of(said.cause)
    state = said.published.state
    return Kept(
        published=said.published,
        settings=settings,
        leases=leases,
        opened_by=cause if state == "open" else None,
        overridden_by=cause if state in OVERRIDING else None,
    )


def cause_of(words: CauseWords | None) -> m.Cause | None:
    """The cause of which these are the words."""
    if words is None:
        return None
    kind, detail, who, reason = words
    return m.Cause(kind=cast("m.CauseKind", kind), detail=detail, who=who, reason=reason)


def posting(said: Said, word: int) -> Posting:
    """What is to be laid on the nodes' boards of a breaker.

    Args:
        said: What its owner says at this moment.
        word: The word that stands for it.
    """
    state = said.published.pack()
    words = "\0".join((said.owner, *(said.cause or ()))).encode()
    octets = _SIZES.pack(len(state), len(said.settings)) + state + said.settings + words
    return Posting(f"{BOARD_PREFIX}{said.name}", word, octets)


def read_laid(name: str, laid: bytes, now_ns: int) -> Said:
    """What was laid, as it is at `now_ns`: the wait is shorter by then.

    Raises:
        ValueError: These are no octets of a breaker of this version.
    """
    age_s, octets = unstamped(laid, now_ns)
    if len(octets) < _SIZES.size:
        raise ValueError(f"{len(laid)} octets are no breaker of this version; run one release on the node")
    state_size, settings_size = _SIZES.unpack_from(octets)
    middle, end = _SIZES.size + state_size, _SIZES.size + state_size + settings_size
    published = later(Published.unpack(octets[_SIZES.size : middle]), age_s)
    owner, *cause = octets[end:].decode().split("\0")
    told = (cause[0], cause[1], cause[2], cause[3]) if len(cause) == _CAUSE else None
    return Said(name=name, published=published, settings=octets[middle:end], owner=owner, cause=told)


def later(published: Published, elapsed_s: float) -> Published:
    """The same state so much later: the wait is shorter by then."""
    return replace(published, wait_s=max(0.0, published.wait_s - elapsed_s)) if published.wait_s > 0 else published
