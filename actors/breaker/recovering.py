"""What an owner's predecessors left: on the board of its node and in the event log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from actors.breaker.ownership import Found
from actors.breaker.packing import unpack_kept, unpack_settings
from actors.breaker.parcels import BOARD_PREFIX, kept_of, read_laid
from actors.breaker.rows import LATEST
from actors.event_log.asking import Writer, ask_writer
from actors.runtime.board import BoardReader
from actors.runtime.errors import SupervisorError
from actors.runtime.node import board_path
from actors.runtime.replicated import unpack_word
from actors.service.writer import as_octets

_SEPARATOR = "\x1f"
_PATIENCE_S = 5.0


def on_board(supervisor: str, owner: str, incarnation: int, now_ns: int) -> Iterator[tuple[str, Found]]:
    """Copies of the breakers whose words an earlier life of this owner has laid on this node's board.

    Args:
        supervisor: Whose board.
        owner: The owner's key, which its words were laid with.
        incarnation: The owner's present life.
        now_ns: CLOCK_MONOTONIC, nanoseconds.
    """
    try:
        reader = BoardReader(board_path(supervisor))
        names = [name for name in reader.names() if name.startswith(BOARD_PREFIX)]
    except (SupervisorError, OSError):
        return
    for laid in names:
        try:
            found = reader.read(laid)
            said = None if found is None else read_laid(laid.removeprefix(BOARD_PREFIX), found[1], now_ns)
            if found is None or said is None or said.owner != owner or unpack_word(found[0])[0] >= incarnation:
                continue
            kept = kept_of(said, unpack_settings(said.settings))
        except (SupervisorError, ValueError):
            continue  # what cannot be read is in the log, or in the processes
        yield said.name, Found(kept=kept, settings=said.settings)


def in_log(writer: Writer, names: Iterable[str], *, era: int, now_us: int) -> dict[str, Found]:
    """The latest records of breakers, as they are by now.

    Raises:
        EventLogError: The log does not answer.
    """
    arguments = (LATEST, (_SEPARATOR.join(names),))
    rows: list[dict[str, Any]] = ask_writer(writer, "query", *arguments, patience_s=_PATIENCE_S)
    found: dict[str, Found] = {}
    for row in rows:
        try:
            kept, settings = unpack_kept(as_octets(row["kept"]))
        except Exception:  # noqa: BLE001, S112 - a record of another version says nothing: the breaker begins anew
            continue
        aged = kept.aged((now_us - row["at_us"]) / 1e6)
        found[row["breaker"]] = Found(kept=aged, settings=settings, same_cluster=row["era"] == era)
    return found
