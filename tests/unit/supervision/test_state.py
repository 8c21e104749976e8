"""What the machine's parts share: the tree, its timers, and who waits for what."""

from __future__ import annotations

from random import Random

from supervisor import messages as m
from supervisor.supervision.state import NUMBERS_KEPT, State
from supervisor.tree import ROOT, SYSTEM, TOP, ChildPlan, GroupPlan, Life


def tree() -> State:
    state = State("s", 1, Random(1))
    state.add_group(GroupPlan(path=TOP, parent=None))
    state.add_group(GroupPlan(path=ROOT, parent=TOP))
    state.add_group(GroupPlan(path="g"))
    state.add_group(GroupPlan(path="p", pool_size=1))
    for key in ("child/a", "child/b", "child/c"):
        state.add_child(ChildPlan(key=key))
    state.add_child(ChildPlan(key="child/g.x", group="g"))
    state.add_child(ChildPlan(key="child/p-0", group="p", pool="p"))
    return state


def test_members_are_in_the_order_in_which_they_came() -> None:
    state = tree()
    assert list(state.groups[ROOT].members) == ["g", "p", "child/a", "child/b", "child/c"]
    assert list(state.pools["p"].members) == ["child/p-0"]
    assert state.parent_of("child/g.x").plan.path == "g"
    assert state.parent_of("g").plan.path == ROOT


def test_what_is_forgotten_is_gone_with_all_that_is_in_it() -> None:
    state = tree()
    for member in ("g", "p", "child/a"):
        state.forget(member)
    assert list(state.children) == ["child/b", "child/c"]
    assert list(state.groups[ROOT].members) == ["child/b", "child/c"]
    assert state.pools == {}


def test_what_is_forgotten_is_awaited_by_nobody() -> None:
    state = tree()
    group = state.groups[ROOT]
    group.todo["child/a"] = group.ending["child/a"] = None
    group.begun.add("child/a")
    state.leaving.add("child/a")
    state.forget("child/a")
    state.await_news("child/b", "r", "up")
    state.forget("child/b")
    assert [command.problem for command in state.take_commands() if isinstance(command, m.Answer)] == ["start_failed"]
    assert [group.todo, group.ending, group.begun, state.leaving] == [{}, {}, set(), set()]


def test_named_members_change_places_among_the_others() -> None:
    state = tree()
    state.arrange(["child/c", "g", "child/a", "nobody", "child/nobody", TOP, "child/g.x"])
    assert list(state.groups[ROOT].members) == ["child/c", "p", "g", "child/b", "child/a"]


def test_numbers_are_kept_for_many_and_bounded_for_all() -> None:
    state = tree()
    for number in range(NUMBERS_KEPT + 10):
        state.remember_number(f"child/n{number}", number + 1)
    state.remember_number("child/never", 0)
    state.remember_number("child/n500", 7)
    assert len(state.numbers) == NUMBERS_KEPT
    assert state.floor == 10
    assert state.add_child(ChildPlan(key="child/n500")).last == 501
    assert state.add_child(ChildPlan(key="child/n3")).last == 10, "at least as high as it was"


def test_lives_are_counted_by_node() -> None:
    state = tree()
    child = state.children["child/a"]
    child.lives[1] = Life(1)
    assert state.life("child/a", 1) == (child, child.lives[1])
    assert state.life("child/a", 2) is None
    assert state.life("child/nobody", 1) is None
    state.end_life(child, child.lives[1])
    assert (child.lives, state.lives_on) == ({}, {})


def test_timers_mean_something_while_their_subject_is_there() -> None:
    state = tree()
    child = state.children["child/a"]
    child.lives[1] = Life(1)
    for subject in (("child/a", 0), ("child/a", 1), ("g", 0)):
        state.set_timer(1.0, "start", *subject)
    meant = [state.means_something(timer) for timer in state.timers]
    state.end_life(child, child.lives[1])
    state.forget("g")
    assert (meant, [state.means_something(timer) for timer in state.timers]) == ([True] * 3, [True, False, False])


def test_nothing_is_announced_while_workers_are_adopted_and_then_once_an_event() -> None:
    state = tree()
    state.adopting.add("child/p-0")
    state.publish()
    state.adopting.clear()
    state.publish()
    state.emit(m.Finish())
    state.publish()
    assert state.take_commands() == [m.Publish(), m.Finish()]
    state.publish()
    assert state.take_commands() == [m.Publish()]
    assert state.take_commands() == []


def test_who_waits_is_answered_by_what_happened() -> None:
    state = tree()
    state.await_news("child/a", "r", "up")
    state.await_news("child/a", "s", "down")
    state.answer("child/a", "up")
    assert state.take_commands() == [m.Answer(request="r")]
    state.await_news("child/a", "t", "up")
    state.answer("child/a", "down")
    assert state.take_commands() == [
        m.Answer(request="s"),
        m.Answer(request="t", problem="start_failed", detail="child/a was ended while it started"),
    ]
    assert state.waiting == {}


def test_a_refusal_is_for_those_who_want_it_up() -> None:
    state = tree()
    state.await_news("child/a", "r", "up")
    state.await_news("child/a", "s", "down")
    state.refuse("child/a", "start_failed", "boom", b"cause")
    assert state.take_commands() == [
        m.Answer(request="r", problem="start_failed", detail="boom", cause=b"cause"),
        m.Answer(request="s"),
    ]


def test_only_the_services_still_start_when_all_is_being_ended() -> None:
    state = tree()
    services = state.add_group(GroupPlan(path=SYSTEM, parent=TOP))
    groups = [services, state.groups[TOP], state.groups["g"]]
    assert [state.is_closing(group) for group in groups] == [False, False, False]
    state.stopping = True
    assert [state.is_closing(group) for group in groups] == [False, False, True]
