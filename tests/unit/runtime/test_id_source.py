"""Ids are unique in practice, fit W3C's trace context, and repeat under a seed."""

from __future__ import annotations

from random import Random

from actors.runtime.id_source import IdSource


def test_ids_fit_w3c_and_repeat_under_a_seed() -> None:
    ids, again = IdSource(Random(1)), IdSource(Random(1))
    drawn = (ids.trace_id(), ids.span_id(), ids.client_id())
    assert drawn == (again.trace_id(), again.span_id(), again.client_id())
    assert 0 < drawn[0] < 2**128
    assert 0 < drawn[1] < 2**64
    assert len(drawn[2]) == 12
    assert int(drawn[2], 16) >= 0


def test_sources_of_two_processes_draw_different_ids() -> None:
    assert IdSource().trace_id() != IdSource().trace_id()


def test_an_id_is_never_zero() -> None:
    """Zero means "no trace" to W3C."""

    class Zero(Random):
        def getrandbits(self, k: int, /) -> int:
            return 0

    ids = IdSource(Zero())
    assert (ids.trace_id(), ids.span_id()) == (1, 1)
