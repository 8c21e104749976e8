"""One breaker's name in one process: who follows it here, what its owner said last, and which permits are out.

The word that a call compares stands on the node's board once the name is there; until then, and without a board, in a
list of one. When it moves, the word at the former place turns to `WORD_UNKNOWN`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from actors.breaker import messages as m
from actors.breaker.kept import KeptLease
from actors.breaker.link import WORD_UNKNOWN, Follower, Word
from actors.breaker.packing import pack_kept, unpack_settings
from actors.breaker.parcels import Introduction, Said, cause_of, kept_of, later, read_laid
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from actors.breaker.correspondence import Correspondence
    from actors.breaker.errors import TooManyBreakersError
    from actors.breaker.settings import BreakerSettings
    from actors.runtime.board import BoardSlot

FIRST_WORD = 1

EARLY_MAX = 100
"""Reports that wait for an owner that is not found yet; those beyond are lost."""

_LOG = logging.getLogger("supervisor.breaker")


class Place:
    """One name.

    Attributes:
        name: The breaker's.
        packed: What this process defines it to be, packed, or None.
        owner: The full name of the actor that it is told to, or None.
        heard: Whether that has answered.
        slot: Its place on the board, or None.
        seen: The word of the board that followers were told last.
        refused: Why its owner does not take it, or None: then it goes on by local rules.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.packed: bytes | None = None
        self.owner: str | None = None
        self.heard = False
        self.slot: BoardSlot | None = None
        self.seen = WORD_UNKNOWN
        self.refused: TooManyBreakersError | None = None
        self.cell = [WORD_UNKNOWN]
        self._said: tuple[float, Said] | None = None
        self._attachments: tuple[_Attachment, ...] = ()
        self._leases: dict[int, tuple[m.GrantPermit, float]] = {}
        self._early: list[m.Event] = []
        self._was_lost = False
        self._lock = threading.Lock()

    # -- followers --------------------------------------------------------------------------------------------------

    def attach(self, follower: Follower) -> _Attachment:
        """One more follows; it is told what is known."""
        attachment = _Attachment(self, follower)
        with self._lock:
            self._attachments = (*self._attachments, attachment)
        found = self.read()
        if found is not None:
            follower.follow(found[1])
        if self.heard:
            follower.found()
        return attachment

    def detach(self, attachment: _Attachment) -> None:
        """One follows no more."""
        with self._lock:
            self._attachments = tuple(each for each in self._attachments if each is not attachment)

    def each(self, act: Callable[[Follower], None]) -> None:
        """Tell every follower."""
        for attachment in self._attachments:
            act(attachment.follower)

    # -- what the owner says ----------------------------------------------------------------------------------------

    def take(self, said: Said) -> None:
        """The owner said this to this process itself."""
        with self._lock:
            self._know(said)
            if self.slot is None:
                self.cell[0] += 1
        word = word_of(said)
        self.each(lambda follower: follower.follow(word))

    def hear(self) -> None:
        """The owner answers."""
        self.refused = None
        if not self.heard:
            self.heard = True
            self.each(lambda follower: follower.found())

    def refuse(self, error: TooManyBreakersError) -> None:
        """The owner has no room for it; its successor is asked anew."""
        if self.refused is None:
            _LOG.warning("%s", error)
        self.refused = error

    def lose(self) -> None:
        """The owner is gone."""
        self.owner, self._was_lost = None, True
        if self.heard:
            self.heard = False
            self.each(lambda follower: follower.lost())

    def move_to(self, slot: BoardSlot | None) -> None:
        """The word stands there from now on; None: in the list again."""
        with self._lock:
            self.slot, self.seen = slot, WORD_UNKNOWN
            self.cell[0] = WORD_UNKNOWN if slot is not None else FIRST_WORD

    def look(self) -> None:
        """Tell the followers what lies on the board, if it is new."""
        slot = self.slot
        if slot is None or slot.word() == self.seen:
            return
        found = self.read()
        if found is not None:
            self.seen = found[0]
            self.each(lambda follower: follower.follow(found[1]))

    def read(self) -> tuple[int, Word] | None:
        """The word and what was said with it."""
        slot = self.slot
        if slot is not None:
            try:
                word, octets = slot.read()
                said = read_laid(self.name, octets, SYSTEM_CLOCK.now_ns())
            except (SupervisorError, ValueError):
                return None
            with self._lock:
                self._know(said)
            return word, word_of(said)
        known = self._said
        if known is None:
            return None
        at, said = known
        return self.cell[0], word_of(said, elapsed_s=SYSTEM_CLOCK.now() - at)

    def _know(self, said: Said) -> None:
        """Keep the latest: the next owner is told."""
        if self._said is None or said.published.generation >= self._said[1].published.generation:
            self._said = (SYSTEM_CLOCK.now(), said)

    # -- what an owner is told --------------------------------------------------------------------------------------

    def granted(self, grant: m.GrantPermit) -> None:
        """A permit is out."""
        self._leases[grant.permit] = (grant, SYSTEM_CLOCK.now() + grant.lease_s)

    def note(self, events: Sequence[m.Event], *, found: bool) -> bool:
        """The owner is to be told these, some of which may give permits back; tells whether they wait for it here.

        They do until it is found for the first time, if they are of what lies on the board: the word that it then says
        is no news, after which the window would be told. What a lost owner was not told its successor cannot use.
        """
        for event in events:
            if isinstance(event, m.PermitEnded):
                self._leases.pop(event.permit, None)
        if found or self._was_lost or self._said is None or len(self._early) + len(events) > EARLY_MAX:
            return False
        self._early += events
        return True

    def found(self, owner: str, letters: Correspondence) -> None:
        """This actor owns it: it is introduced to, and told what waited for it."""
        self.owner = owner
        letters.introduce(self.name)
        early, self._early = self._early, []
        if early:
            letters.tell(self.name, early, SYSTEM_CLOCK.now())

    def introduction(self) -> Introduction:
        """For an owner that does not know of this process's use, and may know nothing at all."""
        known = self._said
        if known is None:
            return Introduction(name=self.name, settings=self.packed, kept=None)
        at, said = known
        now = SYSTEM_CLOCK.now()
        leases = tuple(
            KeptLease(
                permit=grant.permit,
                holder=grant.holder,
                request=grant.request,
                generation=grant.generation,
                left_s=expires_at - now,
            )
            for grant, expires_at in list(self._leases.values())
            if expires_at > now
        )
        plain = cast("BreakerSettings", None)
        kept = kept_of(replace(said, published=later(said.published, now - at)), plain, leases)
        return Introduction(name=self.name, settings=self.packed, kept=pack_kept(kept, said.settings))


class _Attachment:
    """See `link.Attachment`."""

    def __init__(self, place: Place, follower: Follower) -> None:
        self._place = place
        self.follower = follower

    @property
    def words(self) -> Sequence[int]:
        slot = self._place.slot
        return self._place.cell if slot is None else slot.words

    @property
    def at(self) -> int:
        slot = self._place.slot
        return 0 if slot is None else slot.at

    def read(self) -> tuple[int, Word] | None:
        return self._place.read()

    def detach(self) -> None:
        self._place.detach(self)


def word_of(said: Said, *, elapsed_s: float = 0.0) -> Word:
    """What a circuit is told of what was said so long ago."""
    published = later(said.published, elapsed_s)
    return Word(published=published, settings=unpack_settings(said.settings), cause=cause_of(said.cause))
