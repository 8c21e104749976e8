"""Replicated state: what counts as later, what a stale owner can do (nothing), and how long a copy is fresh."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.replicated import OwnedState, Replica, ReplicaFollower, pack_word, supersedes, unpack_word

numbers = st.tuples(st.integers(0, 2**24 - 1), st.integers(0, 2**40 - 1))


@given(numbers, numbers)
def test_words_are_ordered_as_their_numbers_are(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (pack_word(*one) < pack_word(*other)) == (one < other)
    assert unpack_word(pack_word(*one)) == one


@pytest.mark.parametrize(
    ("incarnation", "version", "remedy"),
    [(2**24, 1, "another name"), (-1, 1, "another name"), (1, 2**40, "new incarnation"), (1, -1, "new incarnation")],
)
def test_numbers_that_do_not_fit_are_refused(incarnation: int, version: int, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        pack_word(incarnation, version)


@pytest.mark.parametrize("word", [-1, 2**64])
def test_only_words_can_be_unpacked(word: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        unpack_word(word)


def test_later_is_lexicographic() -> None:
    replicas = [Replica(1, 1, b""), Replica(1, 2, b""), Replica(2, 1, b"")]
    assert [[supersedes(new, old) for old in replicas] for new in replicas] == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
    ]
    assert supersedes(replicas[0], None)


def test_an_owner_counts_changes_only() -> None:
    state = OwnedState(3)
    assert state.current is None
    assert state.newer_than(0, 0) is None
    published = [state.publish(payload) for payload in (b"a", b"a", b"b", b"a")]
    assert [(replica.version, replica.payload) for replica in published] == [(1, b"a"), (1, b"a"), (2, b"b"), (3, b"a")]
    assert state.current == Replica(3, 3, b"a")
    assert published[-1].word == pack_word(state.incarnation, 3)


def test_an_owner_tells_what_is_newer_than_the_asker_knows() -> None:
    state = OwnedState(3)
    replica = state.publish(b"a")
    asked = ((0, 0), (2, 99), (3, 0), (3, 1), (4, 0))
    assert [state.newer_than(*known) for known in asked] == [replica] * 3 + [None] * 2


@pytest.mark.parametrize("incarnation", [0, -1, 2**24])
def test_an_owner_has_a_life_that_fits(incarnation: int) -> None:
    with pytest.raises(ValueError, match="incarnation"):
        OwnedState(incarnation)


def test_a_follower_takes_only_later_values() -> None:
    follower = ReplicaFollower(lease_s=1.0)
    assert follower.known == (0, 0)
    offers = [Replica(1, 2, b"b"), Replica(1, 1, b"a"), Replica(1, 2, b"b"), Replica(2, 1, b"c"), Replica(1, 9, b"z")]
    assert [follower.offer(replica, now=0.0) for replica in offers] == [True, False, False, True, False]
    assert follower.current == Replica(2, 1, b"c")
    assert follower.known == (2, 1)
    assert follower.refused == 1


def test_a_lease_is_renewed_by_the_owner_alone() -> None:
    follower = ReplicaFollower(lease_s=1.0)
    assert not follower.fresh(0.0)
    follower.offer(Replica(2, 5, b""), now=10.0)
    assert [follower.fresh(now) for now in (10.0, 11.0, 11.1)] == [True, True, False]

    follower.offer(Replica(2, 4, b""), now=11.0)
    follower.offer(Replica(1, 9, b""), now=11.0)
    assert follower.heard(11.0, incarnation=1) is False
    assert not follower.fresh(11.5)
    assert follower.refused == 2

    follower.offer(Replica(2, 5, b""), now=11.0)
    assert follower.fresh(12.0)
    assert follower.heard(12.0, incarnation=2) is True
    assert follower.heard(11.5) is True
    assert follower.fresh(13.0)


def test_hearing_an_owner_without_a_value_is_not_fresh() -> None:
    follower = ReplicaFollower(lease_s=1.0)
    assert follower.heard(0.0, incarnation=1) is True
    assert not follower.fresh(0.0)


@pytest.mark.parametrize("lease_s", [0.0, -1.0, float("nan")])
def test_a_lease_has_a_length(lease_s: float) -> None:
    with pytest.raises(ValueError, match="lease_s"):
        ReplicaFollower(lease_s)


def test_a_successor_shows_its_predecessors_value_until_it_says_its_own() -> None:
    state = OwnedState(4)
    old, newer = Replica(3, 7, b"old"), Replica(3, 8, b"newer")
    assert state.inherit(newer)
    assert not state.inherit(old)
    assert not state.inherit(Replica(4, 1, b"of this life"))
    assert state.newer_than(3, 7) == newer
    assert state.newer_than(3, 8) is None
    assert state.publish(b"newer") == Replica(4, 1, b"newer")
    assert not state.inherit(Replica(3, 9, b"late"))
    assert state.newer_than(3, 8) == Replica(4, 1, b"newer")
