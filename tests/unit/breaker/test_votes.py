"""k of n in words."""

from __future__ import annotations

import pytest

from actors.breaker.votes import Votes


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        (Votes(agreed=1, needed=2, known=3), "1 of 3 reporters says open, 2 are needed"),
        (Votes(agreed=2, needed=1, known=3, of="nodes"), "2 of 3 nodes say open, 1 is needed"),
        (Votes(agreed=0, needed=None, known=8), "0 of 8 reporters say open; the sum of all calls decides"),
    ],
)
def test_they_say_how_many_of_how_many_and_how_many_are_needed(votes: Votes, words: str) -> None:
    assert str(votes) == words
