"""What travels is plain: a wire tuple is its named tuple's value."""

from __future__ import annotations

import pickle

from actors.worker.protocol import (
    CANNOT_LOAD,
    CANNOT_TRAVEL,
    NEEDS_FUNCTION,
    OK,
    RAISED,
    TIMED_OUT,
    Entry,
    Progress,
    Result,
)


def test_codes_differ() -> None:
    assert len({OK, RAISED, TIMED_OUT, NEEDS_FUNCTION, CANNOT_TRAVEL, CANNOT_LOAD}) == 6


def test_named_and_wire_forms_are_the_same_tuples() -> None:
    entry = (1, b"digest", b"args", (0, 2), 1.5, ("t1", "key", 1, 3.0, 5, 6))
    assert Entry(*entry) == entry
    assert Entry(*entry).context[3] == 3.0
    result = (1, OK, b"value", 12, None)
    assert Result(*result) == result


def test_progress_crosses_processes() -> None:
    progress = Progress([(1, OK, b"", 0, None)], [], (2, 3), 4, 0.5, blocked=False, waiting=False)
    assert pickle.loads(pickle.dumps(progress)) == progress
