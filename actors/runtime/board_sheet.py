"""The writer's side of one board file: which name has which place, which room is free, and the order of the stores.

No file, lock or clock here: `board.BoardWriter` opens the file, sees to it that nobody else writes, and calls this.
The order of the stores is what makes a cut write harmless: a record is written where nothing points, then its locator,
then its word; a new name is counted as used last; a removed one loses its locator first.
"""

from __future__ import annotations

from actors.runtime import board_layout as layout
from actors.runtime.board_layout import Extents, Geometry, Memory
from actors.runtime.errors import SupervisorError


class BoardFullError(SupervisorError):
    """The board has no room for the name or its payload; what was on it is unchanged."""

    def __init__(self, name: str, *, what: str, limit: int) -> None:
        self.name = name
        self.what = what
        self.limit = limit
        super().__init__(
            f"no room on the board for {name!r}: its {what}={limit} are in use. Raise {what}, or remove names"
        )


class Sheet:
    """What the writer knows of one file. Opening one repairs what a killed writer left half done."""

    def __init__(self, memory: Memory, geometry: Geometry) -> None:
        self._memory, self._geometry = memory, geometry
        self._extents = Extents(geometry.blob_start, geometry.end)
        self._places: dict[str, int] = {}
        self._current: dict[int, tuple[int, int]] = {}
        self._spare: dict[int, tuple[int, int]] = {}
        self._used = memory.words[layout.AT_USED]
        self._sequence = memory.words[layout.AT_SEQUENCE]
        self._sound = True
        for place in range(self._used):
            self._adopt(place)

    @classmethod
    def blank(cls, memory: Memory, geometry: Geometry) -> Sheet:
        """A new board in a file of zeros."""
        memory.store_word(layout.AT_NAMES, geometry.names)
        memory.store_word(layout.AT_BLOB_BYTES, geometry.blob_bytes)
        memory.store_word(layout.AT_FORMAT, layout.FORMAT)
        memory.store_word(layout.AT_MAGIC, layout.MAGIC)
        return cls(memory, geometry)

    @property
    def memory(self) -> Memory:
        return self._memory

    @property
    def sound(self) -> bool:
        """Whether every name can be read; readers would stop at one that cannot. No killed writer makes it so."""
        return self._sound

    @property
    def retired(self) -> bool:
        """Whether another writer has taken over in another file."""
        return self._memory.words[layout.AT_RETIRED] != 0

    def beat(self, now_ns: int) -> None:
        """Renew the lease; 0 ends it."""
        self._memory.store_word(layout.AT_BEAT, now_ns)

    def needs_new_file(self, name: str) -> bool:
        """Whether `name` is new, may come, and finds every place of this file used before."""
        worn = self._used == self._geometry.places
        return worn and name not in self._places and len(self._places) < self._geometry.names

    def put(self, name: str, word: int, payload: bytes) -> None:
        """Show a value.

        Raises:
            BoardFullError: No place or no room; nothing changed.
        """
        known = self._places.get(name)
        if known is None and len(self._places) >= self._geometry.names:
            raise BoardFullError(name, what="names", limit=self._geometry.names)
        place = self._used if known is None else known
        extent = self._room(name, place, layout.record_words(len(payload)))
        if known is None:
            layout.write_name(self._memory, place, name.encode())
        self._show(place, extent, word, payload)
        if known is None:
            self._used += 1
            self._places[name] = place
            self._memory.store_word(layout.AT_USED, self._used)

    def remove(self, name: str) -> bool:
        """Take a name off; its place is used up. False when it is not here."""
        place = self._places.pop(name, None)
        if place is None:
            return False
        self._blank(place)
        for extents in (self._current, self._spare):
            if (extent := extents.pop(place, None)) is not None:
                self._release(extent)
        return True

    def _show(self, place: int, extent: tuple[int, int], word: int, payload: bytes) -> None:
        memory, at, start = self._memory, layout.place_at(place), extent[0]
        self._sequence += 1
        memory.store_word(layout.AT_SEQUENCE, self._sequence)
        layout.write_record(memory, start, place=place, sequence=self._sequence, word=word, payload=payload)
        memory.store_word(at + layout.LOCATOR, layout.locator_of(self._sequence, start))
        memory.store_word(at + layout.WORD, word)
        if place in self._current:
            self._spare[place] = self._current[place]
        self._current[place] = extent

    def _room(self, name: str, place: int, size: int) -> tuple[int, int]:
        """Room for the next record of `place`: its former one, free room, or the spare records of other names."""
        spare = self._spare.pop(place, None)
        if spare is not None and spare[1] == size:
            return spare
        if spare is not None:
            self._release(spare)
        start = self._extents.take(size)
        if start is None:
            for extent in self._spare.values():
                self._release(extent)
            self._spare.clear()
            start = self._extents.take(size)
        if start is None:
            raise BoardFullError(name, what="blob_bytes", limit=self._geometry.blob_bytes)
        return start, size

    def _release(self, extent: tuple[int, int]) -> None:
        layout.void_record(self._memory, extent[0])
        self._extents.give(*extent)

    def _adopt(self, place: int) -> None:
        at = layout.place_at(place)
        locator = self._memory.words[at + layout.LOCATOR]
        name = layout.read_name(self._memory, place)
        record = layout.read_record(self._memory, place, locator) if locator else None
        self._sound = self._sound and name is not None
        if name is None or record is None or name in self._places:
            self._blank(place)
            return
        extent = (layout.start_of(locator), layout.record_words(len(record[1])))
        if not self._extents.reserve(*extent):
            self._blank(place)
            return
        self._places[name] = place
        self._current[place] = extent
        self._memory.store_word(at + layout.WORD, record[0])

    def _blank(self, place: int) -> None:
        self._memory.store_word(layout.place_at(place) + layout.LOCATOR, 0)
        self._memory.store_word(layout.place_at(place) + layout.WORD, 0)
