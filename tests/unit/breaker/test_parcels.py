from __future__ import annotations

import pytest

from actors.breaker import messages as m
from actors.breaker.parcels import Said, later, posting, read_laid, words_of
from actors.breaker.published import Published
from actors.service.posting import stamped

OPEN = Published(state="open", generation=5, wait_s=3.0, openings=2)


@pytest.mark.parametrize("cause", [None, ("tripped", "2 of 2 failed", "", ""), ("controlled", "é", "ann", "x\ny")])
def test_what_is_laid_is_read_with_the_wait_that_is_left(cause):
    said = Said(name="bank", published=OPEN, settings=b"\0packed\0", owner="breaker/bank", cause=cause)
    read = read_laid("bank", stamped(posting(said, 1).octets, 1_000_000_000), 2_500_000_000)
    assert read == Said(
        name="bank", published=later(OPEN, 1.5), settings=b"\0packed\0", owner="breaker/bank", cause=cause
    )
    assert read.published.wait_s == 1.5


def test_a_wait_does_not_grow_or_go_below_nothing():
    assert later(OPEN, 9.0).wait_s == 0.0
    closed = Published(state="closed", generation=1)
    assert later(closed, 9.0) is closed
    said = Said(name="bank", published=OPEN, settings=b"")
    assert read_laid("bank", stamped(posting(said, 1).octets, 9_000_000_000), 1).published.wait_s == 3.0


def test_a_cause_is_told_in_a_few_words():
    assert words_of(None) is None
    cause = m.Cause(kind="controlled", detail="d" * 1000, who="ann\0", reason="because")
    words = words_of(cause)
    assert words is not None
    kind, detail, who, reason = words
    assert (kind, len(detail), who, reason) == ("controlled", 200, "ann ", "because")


def test_other_octets_are_refused():
    with pytest.raises(ValueError, match="run one release"):
        read_laid("bank", b"\0\1", 0)
    with pytest.raises(ValueError, match="run one release"):
        read_laid("bank", b"\0" * 30, 0)
