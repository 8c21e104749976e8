"""k of n: who votes, who is heard, and who is forgotten."""

from __future__ import annotations

from actors.breaker.agreement import HEARD_S, REPORTERS_MAX, Agreement


def test_a_vote_counts_once_and_can_be_taken_back() -> None:
    agreement = Agreement()
    for reporter in ("a", "b", "a"):
        agreement.vote(reporter, 0.0)
    agreement.hear("c", 0.0)
    assert (agreement.voters, agreement.heard) == (("a", "b"), 3)
    assert agreement.withdraw("a")
    assert not agreement.withdraw("a")
    assert not agreement.withdraw("nobody")
    assert (agreement.voters, agreement.heard) == (("b",), 3)


def test_the_dead_neither_vote_nor_report() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.hear("b", 0.0)
    assert agreement.forget("a")
    assert not agreement.forget("b")
    assert (agreement.voters, agreement.heard) == ((), 0)


def test_whoever_is_silent_for_long_is_no_reporter() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.vote("b", 1.0)
    agreement.hear("a", 2.0)
    agreement.settle(1.0 + HEARD_S)
    assert agreement.heard == 2
    agreement.settle(1.1 + HEARD_S)
    assert (agreement.voters, agreement.heard) == (("a",), 1)
    agreement.settle(1e9)
    assert agreement.heard == 0


def test_votes_are_of_one_state_reporters_of_all() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.clear_votes()
    assert (agreement.voters, agreement.heard) == ((), 1)


def test_reporters_are_bounded() -> None:
    agreement = Agreement()
    for number in range(REPORTERS_MAX + 5):
        agreement.vote(str(number), float(number) / REPORTERS_MAX)
    assert agreement.heard == len(agreement.voters) == REPORTERS_MAX
    assert agreement.voters[0] == "5"
