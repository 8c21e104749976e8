"""The ring and its followers: what is told, what is lost, and what is made up for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from supervisor.changes import ChangeBatch, ChangeFollower, ChangeRing, ChildChange


def change(child: str = "a", event: str = "ready", incarnation: int = 1, **changes: Any) -> ChildChange:
    status = {"ready": "running", "adopted": "running", "promoted": "running", "died": "restarting"}.get(
        event, "stopped"
    )
    made = ChildChange(
        key=f"child/{child}",
        name=f"s/child/{child}#{incarnation}",
        incarnation=incarnation,
        event=event,
        status=status,
        role="active",
    )
    return replace(made, **changes)


def ring_of(*changes: ChildChange, incarnation: int = 1, capacity: int = 100) -> ChangeRing:
    ring = ChangeRing(incarnation, capacity=capacity)
    ring.begin(())
    for each in changes:
        ring.append(each)
    return ring


def follow(follower: ChangeFollower, ring: ChangeRing, limit: int = 100) -> list[tuple[str, str, int, bool]]:
    """All that the follower reports until it knows all: child, event, incarnation, synthesised."""
    found: list[ChildChange] = []
    while (batch := ring.read(*follower.known, limit)) is not None:
        found += follower.take(batch)
    return [(each.key.partition("/")[2], each.event, each.incarnation, each.synthesised) for each in found]


class TestSince:
    def test_what_came_after_is_told_in_order(self):
        changes = [change(event=event) for event in ("adopted", "ready", "died")]
        ring = ring_of(*changes)
        assert ring.since(1, 1, 10) == (tuple(changes[1:]), 0)
        assert ring.since(1, 0, 2) == (tuple(changes[:2]), 0)
        assert ring.since(1, 3, 10) == ((), 0)

    def test_what_fell_out_is_counted(self):
        ring = ring_of(*(change(str(number)) for number in range(10)), capacity=4)
        assert [each.key for each in ring.since(1, 2, 10)[0]] == [f"child/{number}" for number in (6, 7, 8, 9)]
        assert [ring.since(1, seq, 10)[1] for seq in (0, 5, 6, 9)] == [6, 1, 0, 0]

    def test_for_another_leaders_follower_it_is_read_from_its_start(self):
        ring = ring_of(change("a"), change("b"), incarnation=5)
        assert len(ring.since(4, 900, 10)[0]) == 2

    def test_numbers_count_up_from_one(self):
        ring = ring_of()
        assert [ring.append(change()), ring.append(change()), ring.newest] == [1, 2, 2]

    def test_at_least_one_is_held(self):
        with pytest.raises(ValueError, match="at least 1"):
            ChangeRing(1, capacity=0)


class TestRead:
    def test_nobody_is_answered_before_the_leader_knows_its_children(self):
        ring = ChangeRing(1)
        ring.append(change())
        assert (ring.read(0, 0), ring.begun) == (None, False)
        ring.begin(())
        assert (ring.read(0, 0) is not None, ring.begun) == (True, True)

    def test_who_knows_all_is_not_answered(self):
        assert ring_of(change()).read(1, 1) is None
        assert ring_of().read(1, 0) is None

    def test_who_knows_nothing_gets_the_present_states(self):
        ring = ring_of(change("a"), change("b"), change("a", "died"), change("b", "deleted"), capacity=1)
        batch = ring.read(0, 0)
        assert batch is not None
        assert batch.catch_up is not None
        assert (batch.seq, batch.changes, batch.catch_up.states) == (4, (), (change("a", "died"),))
        assert batch.catch_up.mentioned == {"child/a"}

    def test_long_answers_are_cut_and_gone_on_with(self):
        ring, follower = ring_of(), ChangeFollower()
        assert follow(follower, ring) == []
        for number in range(25):
            ring.append(change(str(number)))
        assert [child for child, *_ in follow(follower, ring, limit=10)] == [str(number) for number in range(25)]

    def test_children_told_by_a_change_already_are_not_told_at_the_beginning_too(self):
        ring = ChangeRing(2)
        ring.append(change("a", "adopted"))
        ring.begin([change("a", "adopted"), change("b", "adopted")])
        batch = ring.read(1, 0)
        assert batch is not None
        assert batch.catch_up is not None
        assert (batch.catch_up.states, batch.changes) == ((change("b", "adopted"),), (change("a", "adopted"),))
        assert batch.catch_up.mentioned == {"child/a", "child/b"}


class TestFollower:
    def test_it_begins_with_what_happens_next(self):
        ring, follower = ring_of(change("a")), ChangeFollower()
        assert follow(follower, ring) == []
        ring.append(change("a", "died"))
        assert follow(follower, ring) == [("a", "died", 1, False)]

    def test_a_state_that_changed_while_too_slow_is_made_up_for(self):
        ring, follower = ring_of(change("a"), change("b"), change("c"), capacity=2), ChangeFollower()
        follow(follower, ring)
        for each in (change("a", "died"), change("a", incarnation=2), change("c", "deleted"), change("b"), change("b")):
            ring.append(each)
        assert follow(follower, ring) == [
            ("a", "died", 1, True),
            ("a", "ready", 2, True),
            ("c", "deleted", 1, True),
            ("b", "ready", 1, False),
            ("b", "ready", 1, False),
        ]
        assert follower.missed == 3

    def test_a_new_leader_that_found_all_as_it_was_tells_nothing_new(self):
        follower = ChangeFollower()
        follow(follower, ring_of(change("a"), change("b")))
        successor = ChangeRing(2)
        successor.begin([change("a", "adopted"), change("b", "adopted")])
        assert follow(follower, successor) == []
        assert follower.known == (2, 0)
        successor.append(change("a", "died"))
        assert follow(follower, successor) == [("a", "died", 1, False)]

    def test_what_differs_at_a_new_leader_is_told(self):
        follower = ChangeFollower()
        before = ring_of(*(change(child) for child in "abcd"), change("e", "given_up", status="given_up"))
        follow(follower, before)
        successor = ChangeRing(2)
        successor.append(change("d", "died"))
        successor.begin(
            [
                change("a", "adopted"),
                change("b", "promoted", incarnation=4),
                change("e", "adopted", incarnation=2),
                change("f", "adopted"),
            ]
        )
        assert follow(follower, successor) == [
            ("b", "died", 1, True),
            ("b", "promoted", 4, True),
            ("e", "adopted", 2, True),
            ("f", "adopted", 1, True),
            ("c", "deleted", 1, True),
            ("d", "died", 1, False),
        ]
        assert follower.missed == 0

    def test_a_change_of_the_role_alone_is_a_difference(self):
        follower = ChangeFollower()
        follow(follower, ring_of(change("a", role="standby")))
        successor = ChangeRing(2)
        successor.begin([change("a", "promoted")])
        assert follow(follower, successor) == [("a", "promoted", 1, True)]

    def test_a_replaced_leader_and_a_repeated_answer_are_not_heard(self):
        old, new = ring_of(change("a")), ring_of(incarnation=2)
        follower = ChangeFollower()
        follow(follower, new)
        new.append(change("a"))
        batch = new.read(2, 0)
        assert batch is not None
        assert [len(follower.take(batch)), len(follower.take(batch))] == [1, 0]
        late = old.read(0, 0)
        assert late is not None
        assert follower.take(late) == []
        assert follower.known == (2, 1)

    def test_what_this_leader_dropped_before_it_was_found_is_missed(self):
        follower = ChangeFollower()
        follow(follower, ring_of())
        follow(follower, ring_of(*(change() for _ in range(7)), incarnation=2, capacity=3))
        assert follower.missed == 4

    @pytest.mark.parametrize("keys", [["child/a"], ["a"], "a", {"child/a", "nobody"}])
    def test_only_the_children_asked_for_are_reported(self, keys: Any):
        ring, follower = ring_of(), ChangeFollower(keys=keys)
        follow(follower, ring)
        for each in (change("a"), change("b"), change("ab"), change("a", "died")):
            ring.append(each)
        assert follow(follower, ring) == [("a", "ready", 1, False), ("a", "died", 1, False)]

    def test_a_death_that_a_leader_did_not_live_to_tell_is_reported_to_who_asked_for_deaths(self):
        follower = ChangeFollower(kinds=["died"])
        follow(follower, ring_of(change("a")))
        successor = ChangeRing(2)
        successor.begin([change("a", "adopted", incarnation=2, at=9)])
        batch = successor.read(*follower.known)
        assert batch is not None
        (death,) = follower.take(batch)
        assert (death.event, death.incarnation, death.name, death.at) == ("died", 1, "s/child/a#1", 9)
        assert (death.exit_class, death.detail, death.synthesised) == (None, "its end was not seen", True)

    def test_a_group_that_was_given_up_is_news_and_no_state_that_a_later_leader_would_lack(self):
        told = change(event="escalated", incarnation=0, key="root", name="s/root", status="given_up")
        ring = ring_of(change("a"))
        everything, only_that = ChangeFollower(), ChangeFollower(kinds=["escalated"], keys=["root"])
        for follower in (everything, only_that):
            follow(follower, ring)
        ring.append(told)
        for follower in (everything, only_that):
            batch = ring.read(*follower.known)
            assert batch is not None
            assert follower.take(batch) == [told]
        successor = ChangeRing(2)
        successor.begin([change("a", "adopted")])
        assert follow(everything, successor) == []

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ({"kinds": ["exploded"]}, "kinds: 'exploded' is not one of adopted, ready"),
            ({"kinds": []}, "names no event"),
            ({"keys": ()}, "names no child"),
        ],
    )
    def test_what_could_never_be_reported_is_refused(self, asked: dict[str, Any], says: str):
        with pytest.raises(ConfigError, match=says):
            ChangeFollower(**asked)


STEP = st.one_of(
    st.tuples(st.just("change"), st.sampled_from("abc"), st.sampled_from(["ready", "died", "deleted", "promoted"])),
    st.tuples(st.just("read"), st.integers(1, 4), st.none()),
    st.tuples(st.just("leader"), st.booleans(), st.none()),
)


@given(steps=st.lists(STEP, max_size=60), capacity=st.integers(1, 5))
def test_a_follower_always_ends_up_with_the_leaders_states(steps: list[Any], capacity: int):
    """Over any number of leaders and losses; and what is not synthesised is told in order, each once."""
    truth: dict[str, ChildChange] = {}
    lives = dict.fromkeys("abc", 1)
    ring, follower, leader, number = ChangeRing(1, capacity=capacity), ChangeFollower(), 1, 0
    ring.begin(())
    told: list[ChildChange] = []
    last: Any = ("read", 100, None)
    for step, what, event in [*steps, last]:
        if step == "change":
            number += 1
            lives[what] += event == "died"
            made = change(what, event, lives[what], at=number)
            if event == "deleted":
                truth.pop(made.key, None)
            else:
                truth[made.key] = made
            ring.append(made)
        elif step == "leader":
            leader += 1
            ring = ChangeRing(leader, capacity=capacity)
            ring.begin(truth.values())
        else:
            batch = ring.read(*follower.known, what)
            while batch is not None:
                told += follower.take(batch)
                batch = ring.read(*follower.known, what) if what == 100 else None
    assert {key: (s.incarnation, s.status, s.role) for key, s in follower._states.items()} == {
        key: (s.incarnation, s.status, s.role) for key, s in truth.items()
    }
    seen = [each.at for each in told if not each.synthesised]
    assert seen == sorted(set(seen))


def test_a_batch_is_plain_data():
    assert ChangeBatch(incarnation=1, seq=2) == ChangeBatch(incarnation=1, seq=2, changes=(), missed=0, catch_up=None)


# -- taking over what another follower knew ----------------------------------------------------------------------------


def test_who_takes_states_over_reports_what_happened_since() -> None:
    ring = ChangeRing(1)
    ring.begin([change("a", "adopted", 2), change("b", "adopted")])
    follower = ChangeFollower(states=[change("a"), change("b")])
    assert follow(follower, ring) == [("a", "died", 1, True), ("a", "adopted", 2, True)]


def test_who_takes_over_that_there_was_nothing_reports_all() -> None:
    ring = ring_of(change(event="started", status="starting"), change(), incarnation=3)
    follower = ChangeFollower(states=())
    assert follow(follower, ring) == [("a", "started", 1, False), ("a", "ready", 1, False)]
    assert [state.event for state in follower.states] == ["ready"]


def test_who_has_nobody_to_follow_any_more_tells_the_end_of_what_ran() -> None:
    follower = ChangeFollower(states=[change("a"), change("b", "given_up", status="given_up")])
    assert [(each.key, each.event, each.status) for each in follower.lose("stopped", "why")] == [
        ("child/a", "stopped", "stopped")
    ]
    assert follower.lose("stopped", "why") == []
    assert [each.key for each in follower.lose("deleted", "why")] == ["child/a", "child/b"]
    assert follower.states == []
