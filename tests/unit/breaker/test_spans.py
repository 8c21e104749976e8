from __future__ import annotations

from actors.breaker.spans import span_of


def test_every_process_finds_the_same_span_of_a_transition_and_no_two_share_one():
    assert span_of("bank", 7) == span_of("bank", 7)
    found = {span_of(name, generation) for name in ("bank", "shop") for generation in range(100)}
    assert len(found) == 200
    assert all(0 < trace < 1 << 128 and 0 < span < 1 << 64 for trace, span in found)
