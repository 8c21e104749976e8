"""k of n: who votes, who is heard, and who is forgotten."""

from __future__ import annotations

from actors.breaker.agreement import HEARD_S, REPORTERS_MAX, Agreement
from actors.breaker.votes import Electorate


def known(agreement: Agreement) -> int:
    return agreement.votes(of="reporters", needed=None).known


def count(agreement: Agreement, of: Electorate) -> tuple[int, int]:
    votes = agreement.votes(of=of, needed=2)
    return votes.agreed, votes.known


def test_a_vote_counts_once_and_can_be_taken_back() -> None:
    agreement = Agreement()
    for reporter in ("a", "b", "a"):
        agreement.vote(reporter, 0.0)
    agreement.hear("c", 0.0)
    assert (agreement.voters, known(agreement)) == (("a", "b"), 3)
    assert agreement.withdraw("a")
    assert not agreement.withdraw("a")
    assert not agreement.withdraw("nobody")
    assert (agreement.voters, known(agreement)) == (("b",), 3)


def test_the_dead_neither_vote_nor_report() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.hear("b", 0.0)
    assert agreement.forget("a")
    assert not agreement.forget("b")
    assert (agreement.voters, known(agreement)) == ((), 0)


def test_whoever_is_silent_for_long_is_no_reporter() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.vote("b", 1.0)
    agreement.hear("a", 2.0)
    agreement.settle(1.0 + HEARD_S)
    assert known(agreement) == 2
    agreement.settle(1.1 + HEARD_S)
    assert (agreement.voters, known(agreement)) == (("a",), 1)
    agreement.settle(1e9)
    assert known(agreement) == 0


def test_votes_are_of_one_state_reporters_of_all() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.clear_votes()
    assert (agreement.voters, known(agreement)) == ((), 1)


def test_reporters_are_bounded() -> None:
    agreement = Agreement()
    for number in range(REPORTERS_MAX + 5):
        agreement.vote(str(number), float(number) / REPORTERS_MAX)
    assert known(agreement) == len(agreement.voters) == REPORTERS_MAX
    assert agreement.voters[0] == "5"


def test_the_reporters_of_a_node_have_one_vote_together() -> None:
    agreement = Agreement()
    for reporter, node in (("a", "one"), ("b", "one"), ("c", "two")):
        agreement.seat(reporter, node)
        agreement.hear(reporter, 0.0)
    assert count(agreement, "nodes") == (0, 2)
    agreement.vote("a", 0.0)
    agreement.vote("b", 0.0)
    assert (count(agreement, "nodes"), count(agreement, "reporters")) == ((1, 2), (2, 3))
    agreement.withdraw("a")
    assert count(agreement, "nodes") == (1, 2), "the other one of the node still says so"
    agreement.vote("c", 0.0)
    assert count(agreement, "nodes") == (2, 2)


def test_a_reporter_that_nobody_placed_is_a_node_of_its_own() -> None:
    agreement = Agreement()
    agreement.vote("a", 0.0)
    agreement.vote("b", 0.0)
    assert count(agreement, "nodes") == (2, 2)


def test_the_node_of_a_silent_reporter_is_known_when_it_speaks_again_and_that_of_a_dead_one_is_not() -> None:
    agreement = Agreement()
    for reporter in ("a", "b"):
        agreement.seat(reporter, "one")
        agreement.hear(reporter, 0.0)
    agreement.settle(1.0 + HEARD_S)
    for reporter in ("a", "b"):
        agreement.vote(reporter, 2.0 + HEARD_S)
    assert count(agreement, "nodes") == (1, 1)
    agreement.bury("b")
    agreement.vote("b", 3.0 + HEARD_S)
    assert count(agreement, "nodes") == (2, 2)
