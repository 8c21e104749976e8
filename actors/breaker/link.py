"""How a process's circuit reaches the owner of a breaker's name: the port between the caller's side and the owner's.

    circuit --tell, request_permit--> OwnerLink --> owner
    circuit <--one word, read; follow, untold, lost, found-- OwnerLink <-- owner

Without a cluster `local_link` is both ends in one process. On a cluster the supervisor hands over a link to the actors.

A call compares one word, `attachment.words[attachment.at]`, with the one it saw last: about 40 ns on the node's board.
Only when it differs is `attachment.read()` called. A link without a board keeps such a word itself, in a list, and a
thread of it changes that: slower, same meaning. The circuit starts with nobody heard (as after `lost`), closed, by its
own rules; `follow` and `found` change that, so that the first use of a name waits for no actor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from actors.breaker import messages as m
    from actors.breaker.published import Published
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.view import BreakerView

LOOK_S = 0.05
"""Followers that make no calls are told of a change at the latest after this, seconds, while the owner is heard."""

THIS_PROCESS = "(this process)"
"""What stands for the supervisor of a breaker of one process alone; no supervisor can be called so."""

WORD_UNKNOWN = 0
"""The word while nothing is known of the owner, or where the place moved: read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an owner says.

    Attributes:
        published: The state; its wait counted from when it was read.
        settings: Those in force.
        cause: What began this generation; None where that is not known.
    """

    published: Published
    settings: BreakerSettings
    cause: m.Cause | None = None


class Follower(Protocol):
    """A circuit, as its link sees it. Called from any thread, under no lock of the link; returns soon, never raises."""

    def follow(self, word: Word) -> None:
        """The owner said this. The same twice, or an earlier one after a later one, does no harm."""
        ...

    def untold(self, events: Sequence[m.Event]) -> None:
        """These were lost on their way to the owner: reports are gone, permits end by their lease."""
        ...

    def lost(self) -> None:
        """The owner is not heard from now on."""
        ...

    def found(self) -> None:
        """The owner, or a successor, is heard again; `follow` came before if it says anything new."""
        ...


class Attachment(Protocol):
    """One follower's place at the link.

    Attributes:
        words: Where the word stands; the board's memory, or a list.
        at: The place in it. Both are read again after the word there turned to `WORD_UNKNOWN`.
    """

    @property
    def words(self) -> Sequence[int]: ...

    @property
    def at(self) -> int: ...

    def read(self) -> tuple[int, Word] | None:
        """The word and what the owner said with it; None while it said nothing. Does not wait for anybody."""
        ...

    def detach(self) -> None:
        """Tell the follower nothing more."""
        ...


class OwnerLink(Protocol):
    """The way to the owners of all names of one supervisor. Its methods may be called from any thread.

    Attributes:
        supervisor: Whose breakers these are.
        is_alone: There is no owner to tell or to ask, and will be none: this is a forked child.
    """

    @property
    def supervisor(self) -> str: ...

    @property
    def is_alone(self) -> bool: ...

    def check(self, name: str) -> None:
        """See whether there is room for this name, as far as that is known here. Does not wait for anybody.

        Raises:
            TooManyBreakersError: There is not; nothing was begun.
        """
        ...

    def attach(self, name: str, settings: BreakerSettings | None, follower: Follower, *, process: str) -> Attachment:
        """Begin to follow a name; the owner is started if there is none. Does not wait for it.

        Args:
            name: Checked already, see `names`.
            settings: Those that the name gets if nobody has defined it before; None: whatever they are, or the
                defaults.
            follower: Who is to be told.
            process: The text by which this process reports, holds permits and dies.
        """
        ...

    def define(self, name: str, settings: BreakerSettings) -> None:
        """This process used a name that it attached to without a definition; here is one. Does not wait for the owner.

        It stands if nobody has defined or configured the name; the followers are told.
        """
        ...

    def tell(self, name: str, events: Sequence[m.Event]) -> None:
        """Tell the owner, in this order and after what was told before; never waits, never raises.

        What cannot be told is given to the follower's `untold`.
        """
        ...

    def request_permit(self, name: str, request: m.PermitRequested) -> Future[m.GrantPermit | m.RefusePermit]:
        """Ask for a probe's permit, after what was told before. The future fails when the owner cannot be asked.

        A grant that comes after the asker gave up must still reach it: the circuit watches the future to its end.
        """
        ...

    def control(self, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Future[None]:
        """Ask for another state or other settings; done when it is on record, with this process's followers told."""
        ...

    def view(self, name: str) -> Future[BreakerView]:
        """What people are told."""
        ...

    def recipe(self, name: str) -> Callable[[], OwnerLink]:
        """How a process in which a handle of this name arrives gets its link, if it has none; it pickles."""
        ...

    def forked(self, former: str, process: str) -> None:
        """This is the forked child of a process: no thread of it is here, and its locks may be held.

        Begin anew in place, without waiting; each circuit attaches again by itself after this.

        Args:
            former: The parent's text, which goes on living there.
            process: This process's own.
        """
        ...


def place_of(attachment: Attachment) -> Sequence[int]:
    """Where the word stands, as a sequence whose first item it is: that saves each call a look-up."""
    words, at = attachment.words, attachment.at
    if at == 0:
        return words
    return words[at : at + 1] if isinstance(words, memoryview) else _Place(words, at)


class Glance(NamedTuple):
    """What an owner said at a moment, and where its word stands."""

    at: float
    place: Sequence[int]
    found: tuple[int, Word] | None


def glance(attachment: Attachment, now: float) -> Glance:
    """What the owner says now. Under no lock: it may import the module of a function among the settings."""
    return Glance(now, place_of(attachment), attachment.read())


class _Place(Sequence[int]):
    """A place in a sequence that cannot be cut without copying it."""

    def __init__(self, words: Sequence[int], at: int) -> None:
        self._words, self._at = words, at

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        return self._words[self._at + index]
