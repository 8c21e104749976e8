"""What is to hold memory has its pages: one that nobody has touched takes none."""

from __future__ import annotations

import mmap

import pytest

from actors.runtime.process import this_process
from experiments.hands import ballast
from experiments.hands.sights import memory_of_mb

MIB = 1 << 20
NO_ADVICE = 9999


@pytest.mark.parametrize("advice", [ballast._POPULATE_WRITE, NO_ADVICE], ids=["kernel", "older-kernel"])
def test_a_piece_has_its_pages(monkeypatch: pytest.MonkeyPatch, advice: int) -> None:
    monkeypatch.setattr(ballast, "_POPULATE_WRITE", advice)
    before = memory_of_mb(this_process())
    piece = ballast._filled(64 * MIB)
    after = memory_of_mb(this_process())
    assert before is not None
    assert after is not None
    assert after - before >= 60
    piece.close()


def test_what_nobody_has_touched_is_not_counted() -> None:
    before = memory_of_mb(this_process())
    piece = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    after = memory_of_mb(this_process())
    assert before is not None
    assert after is not None
    assert after - before < 60
    piece.close()
